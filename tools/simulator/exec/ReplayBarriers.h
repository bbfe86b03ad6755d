// Barriers and mbarriers along time.
//
// Whoever comes tells when. An mbarrier's phase ends at the latest time that was told for it, which may be later than
// the clock of the replay: a copy tells when it will land as soon as it is issued.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_REPLAYBARRIERS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_REPLAYBARRIERS_H

#include "tools/simulator/TimeModel.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace dscc::sim {

/// A barrier of a block, or of a cluster.
struct ReplayBarrier {
  uint32_t arrived = 0, expected = 0; // warps; 0 expected: as many as are alive
  double latest = 0;                  // clock of the last one so far
  std::vector<uint32_t> waiting;      // warps, by their numbers in the replay

  /// Empties it for the next time.
  void restart() {
    arrived = 0;
    latest = 0;
    waiting.clear();
  }
};

/// How an mbarrier's phase ended.
struct PhaseEnd {
  double time = 0;          // its end, in clocks
  Stall why = BarrierStall; // MemoryStall: a copy was the last to come
};

/// A phase that a warp asks for: as the parity of an earlier one, or by its number.
struct PhaseQuery {
  uint64_t phase = 0;    // its number, from 0, or a parity
  bool isParity = false; // which of both
};

/// An mbarrier.
struct ReplayMbarrier {
  int64_t expected = 0, pending = 0; // arrivals of a phase; to come of this one
  int64_t bytes = 0;                 // to come of this one
  PhaseEnd latest;                   // so far
  std::vector<PhaseEnd> ended;       // by phase
  std::vector<uint32_t> waiting;     // warps, by their numbers in the replay

  /// Arrivals, and bytes: more of them to come, or fewer. True if that was what the phase waited for.
  bool arrive(int64_t count, int64_t moreBytes, PhaseEnd when);
  /// How the phase ended; none if it has not.
  std::optional<PhaseEnd> find(PhaseQuery query) const;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_REPLAYBARRIERS_H
