// From math ops to arithmetic.

#ifndef DSCC_COMPILER_TRANSLATE_LOWERMATH_H
#define DSCC_COMPILER_TRANSLATE_LOWERMATH_H

#include "mlir/IR/Operation.h"

namespace dscc {

/// Replaces math ops on f32 (and narrower, through f32) by polynomials, and conversions to and from bf16 by integer
/// arithmetic. Others stay: LLVM has an instruction or the math library a function for them.
llvm::LogicalResult lowerMath(mlir::Operation *scope);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_LOWERMATH_H
