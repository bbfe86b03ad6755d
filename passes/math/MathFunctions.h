// The math library that kernels call, for the compiler's own use: constants are folded with the very functions that
// would compute them at run time (Math.c).

#ifndef DSCC_PASSES_MATH_MATHFUNCTIONS_H
#define DSCC_PASSES_MATH_MATHFUNCTIONS_H

#include "llvm/ADT/StringRef.h"

#include <variant>

namespace dscc {

/// A function that generated code may call.
struct MathFunction {
  /// As code calls it: "exp", and "expf" in single precision.
  llvm::StringLiteral name;
  /// What is called.
  std::variant<double (*)(double), float (*)(float), double (*)(double, double), float (*)(float, float)> function;
};

/// The function of this name; null if the library has none.
const MathFunction *findMathFunction(llvm::StringRef name);

} // namespace dscc

#endif // DSCC_PASSES_MATH_MATHFUNCTIONS_H
