// One request of a warp to memory: into how many pieces the hardware takes it.
//
//     global: 32-byte sectors that it touches            shared: wavefronts, each a word of every one of 32 banks
//
// Shared accesses of 8 bytes go by half warps, of 16 bytes by quarters, as documented; hardware may serve such parts
// together where they want the same words, so `least` counts without that rule. Lanes that read or write one word share
// it; atomics of lanes on one word go one after the other.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_REQUESTS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_REQUESTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"

#include <array>
#include <cstdint>
#include <vector>

namespace dscc::sim {

inline constexpr uint64_t sectorBytes = 32; // what caches and DRAM move at a time

/// A set of sectors, each loaded, stored or both.
class SectorSet {
public:
  /// How many sectors; one that is loaded and stored counts for both.
  struct Count {
    uint64_t loaded = 0, stored = 0; // each sector once
  };
  /// Those of a region.
  struct RegionCount : Count {
    uint64_t firstLoaded = UINT64_MAX, lastLoaded = 0, firstStored = UINT64_MAX, lastStored = 0;
    /// Sectors from the first to the last one.
    uint64_t loadedSpan() const { return loaded ? lastLoaded - firstLoaded + 1 : 0; }
    uint64_t storedSpan() const { return stored ? lastStored - firstStored + 1 : 0; }
  };
  /// A sector is an address over sectorBytes.
  void insert(uint64_t sector, bool isLoaded, bool isStored);
  /// Adds those of the other set.
  void merge(const SectorSet &other);
  /// Counts them anew, which takes as long as the set is large.
  Count count() const;
  /// Likewise, of each region. A region begins at each of these sectors, which are ascending from 0
  /// on; there may be none.
  std::vector<RegionCount> countRegions(llvm::ArrayRef<uint64_t> begins) const;
  /// Empties it, for the next block.
  void clear() { pages.clear(), last = nullptr; }

private:
  static constexpr uint64_t sectorsPerPage = 128; // 4 KiB
  struct Page {
    std::array<uint64_t, sectorsPerPage / 64> loaded{}, stored{};
  };
  llvm::DenseMap<uint64_t, Page> pages;
  uint64_t lastNumber = 0;
  Page *last = nullptr; // most sectors lie in the page of the one before
};

/// What a request is made of: sectors, or wavefronts.
struct Pieces {
  uint32_t count = 0, ideal = 0; // that it takes; that it would take without gaps or conflicts
  uint32_t least = 0;            // were no part of the warp served by itself
};

/// Sectors of a request; `ideal` is what its distinct bytes would fill. Notes them in `touched`.
Pieces countSectors(const uint64_t *addresses, uint32_t mask, uint32_t bytes, SectorSet &touched, bool isLoaded,
                    bool isStored);
/// Wavefronts of a request; `ideal` is one for each part of the warp that goes by itself.
Pieces countWavefronts(const uint64_t *addresses, uint32_t mask, uint32_t bytes, bool isAtomic);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_REQUESTS_H
