// Replays what warps have done on multiprocessors that issue in order, and tells when units end.
//
//     the earliest warp ─► its next instruction ─► registers, scheduler, unit, memory ─► when its results are there
//
// A group has a multiprocessor for each block of a unit. `resident` units run at a time; when one ends the next begins.
// There are no events but the warps' own: what is asynchronous is known to end when it begins.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_REPLAY_H
#define DSCC_TOOLS_SIMULATOR_EXEC_REPLAY_H

#include "tools/simulator/exec/ReplayMemory.h"
#include "tools/simulator/exec/Trace.h"

namespace dscc::sim {

struct Chip;

/// What a replay gives, in clocks.
struct ReplayResult {
  std::vector<double> ended;              // of units, ascending
  double end = 0;                         // of all that they have stored, too
  std::array<double, numStalls> stalls{}; // of all warps together
};

/// Replays the units in their order.
ReplayResult replay(const std::vector<UnitTrace> &units, uint32_t resident, const Chip &chip,
                    const Latencies &latencies, const MemoryRates &rates);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_REPLAY_H
