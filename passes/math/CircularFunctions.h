#pragma once

#include "mlir/IR/PatternMatch.h"

namespace dscc {

/// Adds patterns that compute sine, cosine and arc tangent in single precision, of scalars and vectors, to 4 units in
/// the last place. They win over MLIR's own, which are far off for large angles and next to zeros.
void populateCircularFunctions(mlir::RewritePatternSet &patterns);

} // namespace dscc
