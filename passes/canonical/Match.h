// Recognises small pieces of arithmetic whatever the order in which an exporter wrote them.

#ifndef DSCC_PASSES_CANONICAL_MATCH_H
#define DSCC_PASSES_CANONICAL_MATCH_H

#include "dialects/dsc/Dsc.h"

#include "llvm/ADT/MapVector.h"

#include <optional>

namespace dscc {

/// The number if all elements of a constant float tensor are that number.
std::optional<double> getSplat(mlir::Value value);
/// True up to the rounding of a 16-bit constant.
bool isNear(double value, double expected);

/// coefficient * product of value^power. What is no product is a factor of its own.
struct Monomial {
  /// The product of all constants.
  double coefficient = 1;
  /// Each value with its power.
  llvm::MapVector<mlir::Value, int64_t> factors;
  /// The power of `value`, which is removed.
  int64_t take(mlir::Value value);
};

/// Takes products, quotients by splats and small powers apart, as long as nobody else uses the pieces. The root may
/// have any number of uses.
Monomial factorize(mlir::Value root);

/// If `value` is x + c: x, and c in `constant`.
mlir::Value matchPlusSplat(mlir::Value value, double &constant);

} // namespace dscc

#endif // DSCC_PASSES_CANONICAL_MATCH_H
