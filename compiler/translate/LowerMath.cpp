#include "compiler/translate/LowerMath.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dscc {

llvm::LogicalResult lowerMath(mlir::Operation *scope) {
  mlir::RewritePatternSet patterns(scope->getContext());
  mlir::populateMathPolynomialApproximationPatterns(patterns);
  mlir::arith::populateExpandBFloat16Patterns(patterns);
  mlir::arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  return mlir::applyPatternsGreedily(scope, std::move(patterns));
}

} // namespace dscc
