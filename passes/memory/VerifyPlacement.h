// An independent proof of what PlanMemory claims, and of the windows that FuseGroups has named. It shares no code with
// them but the size of a tensor, the strides of a reshape, and the form of the table of places.

#ifndef DSCC_PASSES_MEMORY_VERIFYPLACEMENT_H
#define DSCC_PASSES_MEMORY_VERIFYPLACEMENT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dscc {

/// Proves that in a placed @main no two tensors that are live at once share bytes (but for a result that takes over its
/// own input), whatever the values of the named dims: each fits its place, and of two places in use at once one lies,
/// directly or not, on the other. A join in place counts from its first write to the last read of any part of it; each
/// of its operands is written into the part that is its own, no two parts have an element in common, and every kernel
/// reads its inputs where they lie.
mlir::LogicalResult verifyPlacement(mlir::func::FuncOp main);

} // namespace dscc

#endif // DSCC_PASSES_MEMORY_VERIFYPLACEMENT_H
