// From math ops to arithmetic and calls.

#ifndef DSCC_PASSES_MATH_LOWERMATH_H
#define DSCC_PASSES_MATH_LOWERMATH_H

#include "mlir/IR/Operation.h"
#include "mlir/Rewrite/FrozenRewritePatternSet.h"

namespace dscc {

/// Replaces math ops on f32 (and narrower, through f32) by polynomials where there is one, conversions to and from bf16
/// by integer arithmetic, and the rest by calls of the math library (Math.c). What stays is an instruction on
/// every target, such as sqrt.
llvm::LogicalResult lowerMath(mlir::Operation *scope);

/// The same for many scopes: patterns are collected once. Several threads may share one.
class MathLowering {
public:
  explicit MathLowering(mlir::MLIRContext *context);
  llvm::LogicalResult run(mlir::Operation *scope) const;

private:
  mlir::FrozenRewritePatternSet expansions, calls;
};

} // namespace dscc

#endif // DSCC_PASSES_MATH_LOWERMATH_H
