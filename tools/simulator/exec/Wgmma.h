// What a thread hands over at wgmma.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_WGMMA_H
#define DSCC_TOOLS_SIMULATOR_EXEC_WGMMA_H

#include "tools/simulator/exec/UnitSync.h"

namespace dscc::sim {

/// As in Wgmma.cpp of the translation.
enum WgmmaFlag : uint32_t { NegatesA = 1, NegatesB = 2, TransposesA = 4, TransposesB = 8, Saturates = 16 };
/// Of accumulators: in registers; under way; in the buffer, for the thread to fetch at its wait.
enum WgmmaState : int32_t { WgmmaIdle = 0, WgmmaUnderWay = 1, WgmmaDone = 2 };

/// What a thread knows of registers that wgmma adds to, or takes A from; all 0 at first. Fences are counted from 1.
struct WgmmaSet {
  int32_t state;    // of accumulators: WgmmaState. Compiled code reads it
  uint32_t last;    // the number of the last wgmma with them
  uint32_t shape;   // of that one
  uint32_t fence;   // the last one before that
  uint32_t touched; // the last fence before a use of them after which there has to be another
};

/// One thread's part of a wgmma.mma_async. On its stack, until the last of 128 has come.
struct WgmmaRequest {
  const WgmmaOperation *operation; // what the threads have to agree on; its registers are not set
  uint32_t *accumulators;          // of the thread: n / 2 words, or n / 4 if D is f16
  WgmmaSet *set;                   // of the accumulators
  const uint32_t *a;               // four registers; null: A is in shared memory
  WgmmaSet *aSet;                  // of those four registers; null without them
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_WGMMA_H
