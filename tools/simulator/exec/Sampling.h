// Which blocks of a launch run if only some are wanted, and what these say of all.
//
//     units of the grid   |e------x-|---x--r--|x--------|r---x---e|     strata of the same size
//
// Of each stratum one unit runs (x). What it counts goes in as often as the stratum has units, so that a kernel whose
// blocks do the same is counted as if all had run. Only sectors cannot be multiplied, for blocks share them: see
// estimateTouched. Others run and are not counted: those that the model of time records (r), which may all have the
// same place in rows of the grid, and both ends of the grid (e), which show how far tensors reach.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_SAMPLING_H
#define DSCC_TOOLS_SIMULATOR_EXEC_SAMPLING_H

#include "tools/simulator/Machine.h"
#include "tools/simulator/exec/Requests.h"

#include "llvm/ADT/ArrayRef.h"

#include <vector>

namespace dscc::sim {

/// The units of a launch that run.
struct UnitSample {
  uint64_t numUnits = 0, numStrata = 1; // of the launch
  std::vector<uint64_t> units;          // ascending; empty if all of them run

  /// How often a unit that runs is counted: once for each of its stratum, if it stands for that, or not at all.
  uint64_t timesOf(uint64_t unit) const;
};
/// A unit of each of so many strata, those `recorded`, and the first and the last. All of a small grid, with less than
/// four units a stratum, and if no strata are wanted.
UnitSample chooseUnits(uint64_t numUnits, uint64_t numStrata, llvm::ArrayRef<uint64_t> recorded);

/// Where the kernel's parameters say that its tensors begin, over sectorBytes, ascending and each once: whatever looks
/// like an address of device memory, in structures and tensor maps too.
std::vector<uint64_t> findRegions(const Kernel &kernel, void *const *arguments);

/// What all blocks touch, by what those that ran have `seen`. `alone` is, of each region, what all would touch if they
/// shared nothing. Of a region that is too much if they do, and never is it more than what lies between the first and
/// the last sector that anybody touched, where a tensor mostly has no gaps: the smaller one is taken, and the latter if
/// they differ by what a sample may be wrong.
SectorSet::Count estimateTouched(llvm::ArrayRef<SectorSet::RegionCount> seen, llvm::ArrayRef<SectorSet::Count> alone);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_SAMPLING_H
