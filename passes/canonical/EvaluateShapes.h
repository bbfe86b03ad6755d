// Shape arithmetic on small integer tensors, done while the graph is being built and again by a pass.

#ifndef DSCC_PASSES_CANONICAL_EVALUATESHAPES_H
#define DSCC_PASSES_CANONICAL_EVALUATESHAPES_H

#include "dialects/dsc/DimExpr.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace dscc {

/// Tensors with more elements are data, not shapes.
constexpr int64_t maxKnownElements = 256;

/// The elements of a small integer or boolean tensor, row-major, if a dsc.constant or dsc.dims defines it.
std::optional<llvm::SmallVector<DimExpr>> knownContents(mlir::Value value);

/// The elements of a small tensor of integers or floats, if a dsc.constant defines it.
std::optional<llvm::SmallVector<double>> knownNumbers(mlir::Value value);

/// A dsc.constant or dsc.dims with the result of `op`, made before `op`, if all its operands are known and the result
/// follows from them for every value of the named dims; else null. The caller replaces `op`.
mlir::Value evaluateShapes(mlir::OpBuilder &builder, mlir::Operation *op);

} // namespace dscc

#endif // DSCC_PASSES_CANONICAL_EVALUATESHAPES_H
