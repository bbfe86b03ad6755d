// Code that computes a dim from the values of the named dims, for host programs (i64) and kernels (index).

#ifndef DSCC_PASSES_DIMCODE_H
#define DSCC_PASSES_DIMCODE_H

#include "dialects/dsc/DimExpr.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dscc {

/// Emits `expr` as arith ops on `type` (i64 or index). `symbol` gives the value of a named dim, of that type.
/// Division rounds towards minus infinity, and a division by zero gives 0 instead of a trap.
mlir::Value emitDim(mlir::OpBuilder &builder, mlir::Location location, const DimExpr &expr,
                    llvm::function_ref<mlir::Value(llvm::StringRef)> symbol, mlir::Type type);

} // namespace dscc

#endif // DSCC_PASSES_DIMCODE_H
