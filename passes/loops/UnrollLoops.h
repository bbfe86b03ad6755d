// What UnrollLoops writes out, for those who estimate how long such code takes.

#ifndef DSCC_PASSES_LOOPS_UNROLLLOOPS_H
#define DSCC_PASSES_LOOPS_UNROLLLOOPS_H

#include "dialects/dsc/Targets.h"

namespace dscc {

/// Ops in a loop after unrolling. More than this leaves the instruction cache of a CPU's decoder, or of a GPU's core,
/// which has room for twice as many.
constexpr int64_t mostUnrolledOps(Device device) { return device == Device::Cuda ? 384 : 192; }
/// More rounds at once than this hide no more latency.
constexpr int64_t mostUnrolledRounds = 4;
/// On a GPU, where it is known how many rounds there are. Its threads have nobody to look ahead for them, and wait 500
/// clocks for memory; but only there is what remains of the rounds, one by one, no loop.
constexpr int64_t mostKnownRounds = 8;

} // namespace dscc

#endif // DSCC_PASSES_LOOPS_UNROLLLOOPS_H
