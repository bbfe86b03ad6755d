// About how long sums of products take on a GPU that has no matrix instructions for them: what a multiprocessor's units
// need for them, and what its threads wait for. Where the numbers of instructions come from the code that emitters
// write, they are counted in its PTX.

#ifndef DSCC_PASSES_KERNELS_CUDA_SUMTIME_H
#define DSCC_PASSES_KERNELS_CUDA_SUMTIME_H

#include "passes/kernels/Emitters.h"

namespace dscc::kernels {

/// Clocks until a load that L1 has not got is there. Of what blocks load, each its own, only `fromMemory` comes from
/// memory: the rest others have brought to L2, which is about half as far.
double clocksOfMiss(const Gpu &gpu, double fromMemory);
/// Clocks of a scheduler that has so many warps for an instruction of one of them: half of those that compute are for
/// floats, half for integers, choices and conversions, whose units take two clocks. One warp waits for its own results.
double clocksOfInstruction(const Gpu &gpu, double warps);
/// How long moving and computing take that so many warps of a scheduler share: each computes when its data have come,
/// while those of others still move.
double overlap(double moving, double computing, double warps);
/// Bytes a clock that each of so many multiprocessors gets from L2 when all of them ask.
double l2BytesPerClock(const Gpu &gpu, double busy);
/// Clocks that it takes to bring so many bytes to memory, or from there.
double clocksOfMemory(const Gpu &gpu, double bytes);
/// The bytes of a tensor.
double bytesOf(mlir::Value tensor, const Sizes &sizes);
/// The bytes of both operands of a product or convolution.
double bytesOfOperands(mlir::Operation *hero, const Sizes &sizes);
/// Whether what a convolution reads may lie outside of the image, which has to be found out for each element.
bool isPadded(mlir::Operation *hero);

/// Seconds where each thread computes elements of the product or convolution in a loop of its own.
double estimateOwnSums(mlir::Operation *hero, const Target &target, const Sizes &sizes);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_SUMTIME_H
