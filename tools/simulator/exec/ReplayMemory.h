// A multiprocessor's way to memory, as the model of time has it: one pipe to L1 and shared memory, then this
// multiprocessor's part of L2's bandwidth, then its part of DRAM's.
//
//     request ──► lines, wavefronts ──► L1 ──hit──► result
//                                       │ misses
//                                       ▼
//                            L2's queue ──► DRAM's queue, for the part of the data that L2 has not got yet
//
// A queue is the time until which it is busy; who comes earlier waits.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_REPLAYMEMORY_H
#define DSCC_TOOLS_SIMULATOR_EXEC_REPLAYMEMORY_H

#include "tools/simulator/Latencies.h"
#include "tools/simulator/exec/Records.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <deque>

namespace dscc::sim {

/// Of a launch on its chip, for one multiprocessor.
struct MemoryRates {
  double l2Bytes, dramBytes;    // a clock
  double readShare, writeShare; // of the bytes that it loads from L2, and stores to it, those that DRAM has to move
  uint64_t l1Lines;             // that fit
};

/// When data come, in clocks, and how much of the wait was for others' requests.
struct Arrival {
  double ready = 0, queued = 0; // the clock, and a number of clocks

  /// The later one of both.
  void join(const Arrival &other) {
    if (other.ready > ready)
      *this = other;
  }
};

class ReplayMemory {
public:
  /// What it gets has to outlive it.
  ReplayMemory(const Latencies &latencies, const MemoryRates &rates) : latencies(latencies), rates(rates) {}

  /// A warp's load of global memory at a time; past L1 if it asks for that.
  Arrival load(const Record &record, const std::vector<LaneAddresses> &spreads, double time, bool skipsL1);
  /// Likewise a store, which nobody waits for, and an atomic.
  Arrival store(const Record &record, const std::vector<LaneAddresses> &spreads, double time);
  /// A warp's access to shared memory.
  Arrival shared(const Record &record, const std::vector<LaneAddresses> &spreads, double time);
  /// Its own memory, which L1 has.
  Arrival local(const Record &record, double time);
  /// Bytes by a bulk copy, which does not come by the pipe and L1.
  Arrival bulk(double bytes, double time, bool isStore);

  /// Until when a request has to be put off because too many are under way, and where.
  struct Room {
    double time;
    Stall why;
  };
  /// Of a request that comes at this time.
  Room findRoom(double time) const;
  /// When all that is under way will have been moved, stores to L2 at least.
  double drained() const { return std::max({pipe, l2, dram}) + latencies.l2; }

private:
  Arrival fetch(double bytes, double time, bool isStore);

  const Latencies &latencies;
  const MemoryRates &rates;
  double pipe = 0, l2 = 0, dram = 0; // until when they are busy
  /// 128 bytes that L1 has asked for.
  struct Line {
    uint8_t sectors = 0; // mask
    Arrival arrival;     // of the last ones
  };
  llvm::DenseMap<uint64_t, Line> lines;
  std::deque<uint64_t> ages; // of the lines, the oldest first
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_REPLAYMEMORY_H
