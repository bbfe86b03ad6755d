// What a thread hands over at wgmma.

#ifndef DSCC_RUNTIME_SIMULATOR_EXEC_WGMMA_H
#define DSCC_RUNTIME_SIMULATOR_EXEC_WGMMA_H

#include "runtime/simulator/exec/UnitSync.h"

namespace dscc::sim {

/// As in Wgmma.cpp of the translation.
enum WgmmaFlag : uint32_t { NegatesA = 1, NegatesB = 2, TransposesA = 4, TransposesB = 8, Saturates = 16 };
/// Of accumulators: in registers; under way; in the buffer, for the thread to fetch at its wait.
enum WgmmaState : int32_t { WgmmaIdle = 0, WgmmaUnderWay = 1, WgmmaDone = 2 };

struct WgmmaRequest {
  const WgmmaOperation *operation;
  uint32_t *accumulators;
  int32_t *state;
  const uint32_t *a; // four registers; null: A is in shared memory
};

} // namespace dscc::sim

#endif // DSCC_RUNTIME_SIMULATOR_EXEC_WGMMA_H
