// What a reduction starts from, how two parts are joined, and what is done to the whole. Shared by the element code and
// the Rows emitter.

#ifndef DSCC_PASSES_KERNELS_REDUCE_H
#define DSCC_PASSES_KERNELS_REDUCE_H

#include "passes/kernels/ElementCode.h"

namespace dscc::kernels {

/// What the first element is joined to: it changes no result.
Value reductionStart(KernelBuilder &k, mlir::Operation *op);
/// Joins two parts of a reduction; scalars or lanes of the compute type.
Value combineReduced(KernelBuilder &k, mlir::Operation *op, Value a, Value b);
/// True where `value` takes the place of `best`: it is more extreme, or with `last` as extreme. A NaN is the most
/// extreme value there is, and all NaNs are equal.
Value isBetter(KernelBuilder &k, Value value, Value best, mlir::Type element, bool isMax, bool last);
/// What is done to the whole: a mean divides it by the number of elements.
Value finishReduction(KernelBuilder &k, mlir::Operation *op, Value total);

/// Nested loops over `sizes` that carry values along; the body gets the position.
llvm::SmallVector<Value> loopOver(ElementCode &code, llvm::ArrayRef<DimExpr> sizes, ValueRange init,
                                  llvm::function_ref<llvm::SmallVector<Value>(llvm::ArrayRef<Value>, ValueRange)> body);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_REDUCE_H
