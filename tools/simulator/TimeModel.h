// How long a launch takes, by a model of what happens along time.
//
//     records of a few blocks ──► replay on one multiprocessor ──► clocks of a block, of a wave ──► of the launch
//
// The roofline asks how much each unit has to do; this asks what waits for what: registers, memory and its bandwidth,
// barriers, copies under way. Statistics keep both. docs/simulator.md says what is modelled and what is not.

#ifndef DSCC_TOOLS_SIMULATOR_TIMEMODEL_H
#define DSCC_TOOLS_SIMULATOR_TIMEMODEL_H

#include "llvm/ADT/StringRef.h"

#include <array>
#include <cstdint>

namespace dscc::sim {

/// What the time of a warp goes to.
enum Stall : uint8_t {
  IssueStall,      // it issues, or its scheduler or a unit serves others
  ArithmeticStall, // a result of arithmetic is not there yet
  SharedStall,     // one from shared memory, or the pipe to it and to L1; shuffles included
  MemoryStall,     // one from global memory: latency
  BandwidthStall,  // one from global memory, or a store: others are served first
  BarrierStall,    // other warps have not come to a barrier, or to an mbarrier
  TensorStall,     // a product of the tensor cores
  numStalls
};
/// What reports call a Stall: "issue", "memory_latency", ...
llvm::StringRef stallName(unsigned stall);

/// Of one launch, or several.
struct ModelledTime {
  double seconds = 0, launchSeconds = 0;  // all of it; what is spent between kernels
  uint32_t residentBlocks = 0;            // at a time on a multiprocessor, of the launch that had most
  std::array<double, numStalls> stalls{}; // in seconds of `seconds`, by what warps waited for

  /// Adds that of other launches.
  void add(const ModelledTime &other);
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_TIMEMODEL_H
