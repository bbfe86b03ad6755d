// What a reduction starts from, how two parts are joined, and what is done to the whole. Shared by the element code and
// the Rows emitter.

#ifndef DSCC_PASSES_KERNELS_REDUCE_H
#define DSCC_PASSES_KERNELS_REDUCE_H

#include "passes/kernels/ElementCode.h"

namespace dscc::kernels {

Value reductionStart(KernelBuilder &k, mlir::Operation *op);
Value combineReduced(KernelBuilder &k, mlir::Operation *op, Value a, Value b);
Value finishReduction(KernelBuilder &k, mlir::Operation *op, Value total);

/// Nested loops over `sizes` that carry values along; the body gets the position.
llvm::SmallVector<Value> loopOver(ElementCode &code, llvm::ArrayRef<DimExpr> sizes, ValueRange init,
                                  llvm::function_ref<llvm::SmallVector<Value>(llvm::ArrayRef<Value>, ValueRange)> body);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_REDUCE_H
