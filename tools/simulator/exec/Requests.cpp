#include "tools/simulator/exec/Requests.h"

#include "tools/simulator/exec/Block.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <bit>

namespace dscc::sim {

static constexpr uint64_t numBanks = 32, bankBytes = 4;

void SectorSet::insert(uint64_t sector, bool isLoaded, bool isStored) {
  uint64_t number = sector / sectorsPerPage, at = sector % sectorsPerPage;
  if (!last || number != lastNumber) {
    last = &pages[number];
    lastNumber = number;
  }
  last->loaded[at / 64] |= uint64_t(isLoaded) << at % 64;
  last->stored[at / 64] |= uint64_t(isStored) << at % 64;
}

void SectorSet::merge(const SectorSet &other) {
  last = nullptr;
  for (const auto &[number, page] : other.pages) {
    Page &own = pages[number];
    for (size_t i = 0; i < page.loaded.size(); ++i) {
      own.loaded[i] |= page.loaded[i];
      own.stored[i] |= page.stored[i];
    }
  }
}

SectorSet::Count SectorSet::count() const {
  Count sum;
  for (const auto &[number, page] : pages)
    for (size_t i = 0; i < page.loaded.size(); ++i) {
      sum.loaded += uint64_t(std::popcount(page.loaded[i]));
      sum.stored += uint64_t(std::popcount(page.stored[i]));
    }
  return sum;
}

std::vector<SectorSet::RegionCount> SectorSet::countRegions(llvm::ArrayRef<uint64_t> begins) const {
  std::vector<RegionCount> counts(begins.size());
  if (begins.empty())
    return counts;
  for (const auto &[number, page] : pages)
    for (size_t i = 0; i < page.loaded.size(); ++i) {
      uint64_t first = number * sectorsPerPage + i * 64;
      for (uint64_t bits = page.loaded[i] | page.stored[i]; bits; bits &= bits - 1) {
        uint64_t bit = bits & -bits, sector = first + uint64_t(std::countr_zero(bits));
        RegionCount &own = counts[size_t(llvm::upper_bound(begins, sector) - begins.begin()) - 1];
        if (page.loaded[i] & bit) {
          ++own.loaded;
          own.firstLoaded = std::min(own.firstLoaded, sector);
          own.lastLoaded = std::max(own.lastLoaded, sector);
        }
        if (page.stored[i] & bit) {
          ++own.stored;
          own.firstStored = std::min(own.firstStored, sector);
          own.lastStored = std::max(own.lastStored, sector);
        }
      }
    }
  return counts;
}

// Accesses are aligned, so two of one width are the same bytes or have none in common.

using Numbers = llvm::SmallVector<uint64_t, lanesPerWarp>;

/// The addresses of the lanes over `unit`, in order and each once.
static Numbers distinctOf(const uint64_t *addresses, uint32_t mask, uint64_t unit) {
  Numbers numbers;
  bool isSorted = true;
  forEachLane(mask, [&](uint32_t i) {
    uint64_t number = addresses[i] / unit;
    if (!numbers.empty() && numbers.back() == number)
      return;
    isSorted &= numbers.empty() || numbers.back() < number;
    numbers.push_back(number);
  });
  if (!isSorted) {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  }
  return numbers;
}

Pieces countSectors(const uint64_t *addresses, uint32_t mask, uint32_t bytes, SectorSet &touched, bool isLoaded,
                    bool isStored) {
  uint64_t perAccess = std::max<uint64_t>(1, bytes / sectorBytes);
  Numbers firsts = distinctOf(addresses, mask, perAccess * sectorBytes);
  for (uint64_t first : firsts)
    for (uint64_t i = 0; i < perAccess; ++i)
      touched.insert(first * perAccess + i, isLoaded, isStored);
  uint32_t count = uint32_t(firsts.size() * perAccess);
  uint64_t distinctBytes = distinctOf(addresses, mask, bytes).size() * bytes;
  return {count, uint32_t(llvm::divideCeil(distinctBytes, sectorBytes)), count};
}

/// Words of one bank come one after the other; those of different banks together.
static uint32_t countTurns(const uint64_t *addresses, uint32_t mask, uint32_t bytes, bool isAtomic) {
  uint64_t perAccess = std::max<uint64_t>(1, bytes / bankBytes);
  uint32_t perBank[numBanks] = {};
  auto add = [&](uint64_t first) {
    for (uint64_t i = 0; i < perAccess; ++i)
      ++perBank[(first * perAccess + i) % numBanks];
  };
  if (isAtomic)
    forEachLane(mask, [&](uint32_t i) { add(addresses[i] / (perAccess * bankBytes)); });
  else
    for (uint64_t first : distinctOf(addresses, mask, perAccess * bankBytes))
      add(first);
  return *std::max_element(std::begin(perBank), std::end(perBank));
}

Pieces countWavefronts(const uint64_t *addresses, uint32_t mask, uint32_t bytes, bool isAtomic) {
  uint32_t lanes = bytes <= bankBytes ? lanesPerWarp : bytes <= 2 * bankBytes ? lanesPerWarp / 2 : lanesPerWarp / 4;
  Pieces pieces;
  pieces.least = countTurns(addresses, mask, bytes, isAtomic);
  for (uint32_t first = 0; first < lanesPerWarp; first += lanes) {
    uint32_t part = mask & (lanes == lanesPerWarp ? allLanes : ((1u << lanes) - 1) << first);
    if (!part)
      continue;
    pieces.count += lanes == lanesPerWarp ? pieces.least : countTurns(addresses, part, bytes, isAtomic);
    pieces.ideal += 1;
  }
  return pieces;
}

} // namespace dscc::sim
