// Attention: two products with a softmax between them, whose scores need not be stored.
//
//     scores = q x k          [.., rows, columns], as many columns as there are keys
//     p      = softmax(f(scores))        f: elementwise: scale, bias, mask, cap
//     p      = 0 where f(scores) is -infinity        if rows that a mask hides as a whole are to be 0, not NaN
//     result = p x v

#ifndef DSCC_PASSES_KERNELS_ATTENTION_H
#define DSCC_PASSES_KERNELS_ATTENTION_H

#include "dialects/dsc/Dsc.h"
#include "dialects/dsc/Targets.h"
#include "passes/Journal.h"

namespace dscc::kernels {

struct Attention {
  dsc::MatmulOp scores;
  dsc::SoftmaxOp softmax;
  dsc::MatmulOp mix;
  /// Whether a row without any key becomes 0; else NaN.
  bool hiddenIsZero = false;
  /// From the scores to the mix, in the order of the block, both included.
  llvm::SmallVector<mlir::Operation *> ops = {};
};

/// Finds the two products around a softmax; nobody else has a use for what lies between them.
Verdict findAttention(dsc::SoftmaxOp softmax, Attention &attention);
/// Whether matrix instructions of the target can compute it in one kernel.
Verdict fitsMatrixInstructions(Attention attention, const Target &target);
/// The attention that is all of a group, but for movements before it, and a transposition behind it that keeps the last
/// dim.
Verdict findAttention(dsc::GroupOp group, Attention &attention);
/// Whether a result of the mix may leave by way of this op.
bool isWayOut(mlir::Operation *op);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_ATTENTION_H
