#include "compiler/translate/LowerMath.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dscc {

using namespace mlir;

static LogicalResult callMathLibrary(Operation *scope) {
  ConversionTarget target(*scope->getContext());
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  target.addIllegalOp<math::AcosOp, math::AcoshOp, math::AsinOp, math::AsinhOp, math::Atan2Op, math::AtanOp,
                      math::AtanhOp, math::CbrtOp, math::CosOp, math::CoshOp, math::ErfOp, math::ExpM1Op, math::ExpOp,
                      math::Log10Op, math::Log1pOp, math::Log2Op, math::LogOp, math::PowFOp, math::SinOp, math::SinhOp,
                      math::TanOp, math::TanhOp>();
  // In single precision it is an instruction of GPUs.
  target.addDynamicallyLegalOp<math::Exp2Op>(
      [](math::Exp2Op op) { return !getElementTypeOrSelf(op.getType()).isF64(); });
  RewritePatternSet patterns(scope->getContext());
  populateMathToLibmConversionPatterns(patterns);
  return applyPartialConversion(scope, target, std::move(patterns));
}

LogicalResult lowerMath(Operation *scope) {
  RewritePatternSet patterns(scope->getContext());
  populateMathPolynomialApproximationPatterns(patterns);
  arith::populateExpandBFloat16Patterns(patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  if (failed(applyPatternsGreedily(scope, std::move(patterns))))
    return failure();
  return callMathLibrary(scope);
}

} // namespace dscc
