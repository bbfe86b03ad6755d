// Ops that mean the same when the dims of what they read and make come in another order.
//
//     slice of [1, 8, 4, 4], sizes = [1, 2, 4, 4]     and     slice of [1, 4, 4, 8], sizes = [1, 4, 4, 2]

#ifndef DSCC_DIALECTS_DSC_REORDER_H
#define DSCC_DIALECTS_DSC_REORDER_H

#include "dialects/dsc/Dsc.h"

#include "mlir/IR/Builders.h"

namespace dscc::dsc {

/// Whether the op means the same under dims in another order, if its attributes follow.
bool isReorderable(mlir::Operation *op);
/// How many of its first operands have dims that follow those of the result, or broadcast to them.
size_t countReordered(mlir::Operation *op);
/// The dims of a tensor whose dim i is dim permutation[i] of one that has these.
Dims reorder(llvm::ArrayRef<DimExpr> dims, llvm::ArrayRef<int64_t> permutation);
/// The op on operands whose dims, and so those of the result, are in that order.
mlir::Operation *createReordered(mlir::OpBuilder &b, mlir::Operation *op, mlir::ValueRange operands,
                                 llvm::ArrayRef<int64_t> permutation);

} // namespace dscc::dsc

#endif // DSCC_DIALECTS_DSC_REORDER_H
