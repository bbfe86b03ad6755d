#include "tools/simulator/exec/Sampling.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace dscc::sim {

/// Of numStrata it is the end.
static uint64_t beginOf(const UnitSample &sample, uint64_t stratum) {
  return uint64_t(__uint128_t(stratum) * sample.numUnits / sample.numStrata);
}

/// The unit that stands for the i-th stratum. Multiples of the golden ratio lie evenly in strata, and in any period of
/// the grid, as that of rows or heads is.
static uint64_t chooseUnit(const UnitSample &sample, uint64_t i) {
  constexpr uint64_t ratio = 0x9e3779b97f4a7c15u, half = uint64_t(1) << 63;
  uint64_t begin = beginOf(sample, i), size = beginOf(sample, i + 1) - begin;
  return begin + uint64_t((__uint128_t(half + i * ratio) * size) >> 64);
}

uint64_t UnitSample::timesOf(uint64_t unit) const {
  if (units.empty())
    return 1;
  auto stratum = uint64_t(((__uint128_t(unit) + 1) * numStrata - 1) / numUnits);
  return chooseUnit(*this, stratum) == unit ? beginOf(*this, stratum + 1) - beginOf(*this, stratum) : 0;
}

UnitSample chooseUnits(uint64_t numUnits, uint64_t numStrata, llvm::ArrayRef<uint64_t> recorded) {
  constexpr uint64_t fewUnits = 4; // of a smaller grid the units at its edges would count too much or not at all
  std::set<uint64_t> units(recorded.begin(), recorded.end());
  units.insert({0, numUnits - 1});
  if (!numStrata || numUnits / fewUnits <= numStrata || numUnits <= numStrata + units.size())
    return {};
  UnitSample sample{.numUnits = numUnits, .numStrata = numStrata, .units = {}};
  for (uint64_t i = 0; i < numStrata; ++i)
    units.insert(chooseUnit(sample, i));
  sample.units.assign(units.begin(), units.end());
  return sample;
}

std::vector<uint64_t> findRegions(const Kernel &kernel, void *const *arguments) {
  std::vector<uint64_t> regions = {0}; // for what no parameter points to: variables of modules
  for (auto [index, bytes] : llvm::enumerate(kernel.parameterBytes))
    for (uint32_t at = 0; at + sizeof(void *) <= bytes; at += sizeof(void *)) {
      uint64_t word;
      std::memcpy(&word, static_cast<const char *>(arguments[index]) + at, sizeof(word));
      if (memory::find(reinterpret_cast<const void *>(word)))
        regions.push_back(word / sectorBytes);
    }
  llvm::sort(regions);
  regions.erase(llvm::unique(regions), regions.end());
  return regions;
}

static uint64_t estimate(uint64_t seen, uint64_t span, uint64_t alone) {
  constexpr uint64_t parts = 8; // one of them may be due to which blocks ran
  bool isWhole = alone >= span - span / parts;
  return std::max(seen, isWhole ? span : alone);
}

SectorSet::Count estimateTouched(llvm::ArrayRef<SectorSet::RegionCount> seen, llvm::ArrayRef<SectorSet::Count> alone) {
  SectorSet::Count sum;
  for (auto [own, all] : llvm::zip(seen, alone)) {
    sum.loaded += estimate(own.loaded, own.loadedSpan(), all.loaded);
    sum.stored += estimate(own.stored, own.storedSpan(), all.stored);
  }
  return sum;
}

} // namespace dscc::sim
