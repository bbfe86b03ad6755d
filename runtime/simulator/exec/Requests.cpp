#include "runtime/simulator/exec/Requests.h"

#include "runtime/simulator/exec/Block.h"

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

using Numbers = llvm::SmallVector<uint64_t, 4 * lanesPerWarp>;

static void sortAndUnique(Numbers &numbers) {
  if (!std::is_sorted(numbers.begin(), numbers.end()))
    std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

Pieces countSectors(const uint64_t *addresses, uint32_t mask, uint32_t bytes, SectorSet &touched, bool isLoaded,
                    bool isStored) {
  Numbers sectors, distinct;
  forEachLane(mask, [&](uint32_t i) {
    distinct.push_back(addresses[i]);
    for (uint64_t sector = addresses[i] / sectorBytes; sector <= (addresses[i] + bytes - 1) / sectorBytes; ++sector)
      sectors.push_back(sector);
  });
  sortAndUnique(distinct);
  sortAndUnique(sectors);
  for (uint64_t sector : sectors)
    touched.insert(sector, isLoaded, isStored);
  // Accesses are aligned, so two of them are the same bytes or have none in common.
  uint32_t count = uint32_t(sectors.size());
  return {count, uint32_t(llvm::divideCeil(distinct.size() * bytes, sectorBytes)), count};
}

/// Words of one bank come one after the other; those of different banks together.
static uint32_t countTurns(Numbers &words, bool isAtomic) {
  if (!isAtomic)
    sortAndUnique(words);
  uint32_t perBank[numBanks] = {};
  for (uint64_t word : words)
    ++perBank[word % numBanks];
  return *std::max_element(std::begin(perBank), std::end(perBank));
}

Pieces countWavefronts(const uint64_t *addresses, uint32_t mask, uint32_t bytes, bool isAtomic) {
  uint32_t lanes = bytes <= bankBytes ? lanesPerWarp : bytes <= 2 * bankBytes ? lanesPerWarp / 2 : lanesPerWarp / 4;
  auto countTurnsOf = [&](uint32_t part) {
    Numbers words;
    forEachLane(part, [&](uint32_t i) {
      for (uint64_t word = addresses[i] / bankBytes; word <= (addresses[i] + bytes - 1) / bankBytes; ++word)
        words.push_back(word);
    });
    return countTurns(words, isAtomic);
  };
  Pieces pieces;
  pieces.least = countTurnsOf(mask);
  for (uint32_t first = 0; first < lanesPerWarp; first += lanes) {
    uint32_t part = mask & (lanes == lanesPerWarp ? allLanes : ((1u << lanes) - 1) << first);
    if (!part)
      continue;
    pieces.count += lanes == lanesPerWarp ? pieces.least : countTurnsOf(part);
    pieces.ideal += 1;
  }
  return pieces;
}

} // namespace dscc::sim
