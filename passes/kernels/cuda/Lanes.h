// When a GPU thread may handle several neighbours at once.
//
//     thread t:   ld.global.v4 x[4 t .. 4 t + 3]   add   st.global.v4 y[4 t .. 4 t + 3]
//
// An access of 16 bytes is one instruction instead of four, and a warp's accesses fill whole lines. But lanes of a
// thread are never masked: GPUs have no masked accesses. So all lanes exist, and what they load or store of a tensor
// are neighbours that begin at a multiple of their number; or else one element, for all of them.

#ifndef DSCC_PASSES_KERNELS_CUDA_LANES_H
#define DSCC_PASSES_KERNELS_CUDA_LANES_H

#include "passes/kernels/Emitters.h"

namespace dscc::kernels {

/// Lanes that a thread may have; 1 is none. Of ways that are as good the first counts: of little work many threads have
/// each a part.
inline constexpr int64_t threadWidths[] = {4, 8, 2, 1};
/// The most of them.
inline constexpr int64_t mostLanes = 8;

/// Whether `width` lanes along dim `dim` of `value`, a value of the group's body, are whole in all that is read for it.
/// What `isKnown` holds for is there already: one value for all lanes, or lanes.
Verdict hasWholeLanes(dsc::GroupOp group, Value value, size_t dim, int64_t width,
                      llvm::function_ref<bool(Value)> isKnown);
/// The same of result `number`, and of where it is stored.
Verdict storesWholeLanes(dsc::GroupOp group, size_t number, size_t dim, int64_t width,
                         llvm::function_ref<bool(Value)> isKnown);

/// How much longer than at 16 bytes it takes to move a tensor of such elements, `width` to a thread.
double slowdownOfAccess(Value tensor, double width);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_LANES_H
