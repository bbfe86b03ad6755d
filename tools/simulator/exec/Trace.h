// What the warps of some blocks did, in their order: what the model of time replays.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_TRACE_H
#define DSCC_TOOLS_SIMULATOR_EXEC_TRACE_H

#include "tools/simulator/exec/Records.h"

#include <optional>

namespace dscc::sim {

/// One warp's records, segments before their accesses and events.
struct WarpTrace {
  std::vector<Record> records;        // in its order
  std::vector<LaneAddresses> spreads; // of these records
  size_t room = 0;                    // for so many more
};

/// One block's.
struct BlockTrace {
  BlockTrace() = default;
  /// Of a block that is about to run, of the plan's unit `slot`. Its warps have the same part of the room each.
  BlockTrace(const Block &block, size_t slot, size_t room);
  /// The next record of a warp. Only counted once there is no room.
  void add(uint32_t warp, const Record &record, const std::vector<LaneAddresses> &from);

  std::vector<WarpTrace> warps;        // by %warpid
  const char *shared = nullptr;        // where its window was
  uint32_t sharedBytes = 0;            // of the window
  size_t slot = 0;                     // its unit's place among the plan's
  uint64_t kept = 0, instructions = 0; // of its warps: in the records here, and in all
};

/// A cluster's blocks by their ranks, or one block.
struct UnitTrace {
  std::vector<BlockTrace> blocks; // as many as the plan's unitBlocks
};

/// Which units of a launch are recorded, and how those share the chip that are not.
struct SamplePlan {
  uint32_t unitBlocks = 1;     // blocks of a unit
  uint32_t resident = 1;       // units at a time on a group of multiprocessors, one for each of a unit's blocks
  uint64_t groups = 1;         // of multiprocessors, that have something to do
  uint64_t unitsPerGroup = 1;  // of the busiest
  uint32_t sharedBytes = 0;    // of a multiprocessor, for the blocks on it
  std::vector<uint64_t> units; // that are recorded, ascending
  size_t recordsPerBlock = 0;  // at most

  /// Its place in `units`; none if it is not recorded.
  std::optional<size_t> findUnit(uint64_t unit) const;
};
/// The launch's plan.
SamplePlan planSample(const Kernel &kernel, const Chip &chip, const LaunchShape &shape);

/// The time of a launch that has run, by its recorded units, what all of it did, and what each unit needs for that.
ModelledTime modelTime(const SamplePlan &plan, const std::vector<UnitTrace> &traces, const Counters &counters,
                       const std::vector<double> &limits, const Chip &chip);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_TRACE_H
