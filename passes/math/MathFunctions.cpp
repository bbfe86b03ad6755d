#include "passes/math/MathFunctions.h"

#include "llvm/ADT/STLExtras.h"

#include <stddef.h>
#include <stdint.h>

// The same source as in artifacts, under names that do not collide with the C library's. passes/CMakeLists.txt sees to
// it that products and sums are not contracted here either.
namespace dscc::library {
#define HIDDEN [[maybe_unused]] static
#include "passes/math/Math.c"
} // namespace dscc::library

namespace dscc {

#define IN_BOTH_PRECISIONS(name)                                                                                       \
  {#name, library::name}, { #name "f", library::name##f }
static constexpr MathFunction functions[] = {
    IN_BOTH_PRECISIONS(exp),   IN_BOTH_PRECISIONS(exp2),  IN_BOTH_PRECISIONS(expm1), IN_BOTH_PRECISIONS(log),
    IN_BOTH_PRECISIONS(log2),  IN_BOTH_PRECISIONS(log10), IN_BOTH_PRECISIONS(log1p), IN_BOTH_PRECISIONS(pow),
    IN_BOTH_PRECISIONS(cbrt),  IN_BOTH_PRECISIONS(sin),   IN_BOTH_PRECISIONS(cos),   IN_BOTH_PRECISIONS(tan),
    IN_BOTH_PRECISIONS(atan),  IN_BOTH_PRECISIONS(asin),  IN_BOTH_PRECISIONS(acos),  IN_BOTH_PRECISIONS(atan2),
    IN_BOTH_PRECISIONS(sinh),  IN_BOTH_PRECISIONS(cosh),  IN_BOTH_PRECISIONS(tanh),  IN_BOTH_PRECISIONS(asinh),
    IN_BOTH_PRECISIONS(acosh), IN_BOTH_PRECISIONS(atanh), IN_BOTH_PRECISIONS(erf),   IN_BOTH_PRECISIONS(fmod),
};

const MathFunction *findMathFunction(llvm::StringRef name) {
  auto found = llvm::find_if(functions, [&](const MathFunction &entry) { return entry.name == name; });
  return found == std::end(functions) ? nullptr : found;
}

} // namespace dscc
