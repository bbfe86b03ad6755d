// An independent proof of what PlanMemory claims. It shares no code with the planner but the size of a tensor.

#ifndef DSCC_PASSES_MEMORY_VERIFYPLACEMENT_H
#define DSCC_PASSES_MEMORY_VERIFYPLACEMENT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dscc {

/// Proves that in a placed @main no two tensors that are live at once share bytes (but for a result that takes over its
/// own input), that each begins at a multiple of 64 bytes and ends within the arena. What the algebra of dims cannot
/// prove is tried at the corners and at random points of the named dims' ranges. `symbols` is dsc.symbols, or null.
mlir::LogicalResult verifyPlacement(mlir::func::FuncOp main, mlir::ArrayAttr symbols);

} // namespace dscc

#endif // DSCC_PASSES_MEMORY_VERIFYPLACEMENT_H
