#include "passes/math/LowerMath.h"

#include "passes/math/CircularFunctions.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dscc {

using namespace mlir;

namespace {
/// A remainder becomes a call of fmod for each lane: what LLVM makes of it for GPUs, x - trunc(x / y) y, is wrong for
/// large quotients and for infinities. The remainder of two numbers of a short type is one of that type, so float32
/// will do.
struct CallRemainder : OpRewritePattern<arith::RemFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::RemFOp op, PatternRewriter &b) const override {
    Location loc = op.getLoc();
    Type element = getElementTypeOrSelf(op.getType());
    bool isDouble = element.isF64();
    Type wide = isDouble ? element : Type(b.getF32Type());
    StringRef callee = isDouble ? "fmod" : "fmodf";
    declare(op, callee, wide, b);
    auto call = [&](Value x, Value y) -> Value {
      if (wide != element) {
        x = arith::ExtFOp::create(b, loc, wide, x);
        y = arith::ExtFOp::create(b, loc, wide, y);
      }
      Value rest = func::CallOp::create(b, loc, callee, wide, ValueRange{x, y}).getResult(0);
      return wide == element ? rest : arith::TruncFOp::create(b, loc, element, rest);
    };
    auto vector = dyn_cast<VectorType>(op.getType());
    if (!vector) {
      b.replaceOp(op, call(op.getLhs(), op.getRhs()));
      return success();
    }
    if (vector.getRank() != 1 || vector.isScalable())
      return b.notifyMatchFailure(op, "the vector is not of one dim");
    Value result = arith::ConstantOp::create(b, loc, b.getZeroAttr(vector));
    for (int64_t lane = 0; lane < vector.getNumElements(); ++lane) {
      Value x = vector::ExtractOp::create(b, loc, op.getLhs(), lane);
      Value y = vector::ExtractOp::create(b, loc, op.getRhs(), lane);
      result = vector::InsertOp::create(b, loc, call(x, y), result, lane);
    }
    b.replaceOp(op, result);
    return success();
  }

private:
  static void declare(Operation *op, StringRef name, Type type, PatternRewriter &b) {
    Operation *module = SymbolTable::getNearestSymbolTable(op);
    if (SymbolTable::lookupSymbolIn(module, name))
      return;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&module->getRegion(0).front());
    auto function = func::FuncOp::create(b, b.getUnknownLoc(), name, b.getFunctionType({type, type}, type));
    function.setPrivate();
  }
};
} // namespace

static FrozenRewritePatternSet collectExpansions(MLIRContext *context) {
  RewritePatternSet patterns(context);
  populateCircularFunctions(patterns);
  populateMathPolynomialApproximationPatterns(patterns);
  arith::populateExpandBFloat16Patterns(patterns);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  return patterns;
}

static FrozenRewritePatternSet collectCalls(MLIRContext *context) {
  RewritePatternSet patterns(context);
  patterns.add<CallRemainder>(context);
  populateMathToLibmConversionPatterns(patterns);
  return patterns;
}

MathLowering::MathLowering(MLIRContext *context)
    : expansions(collectExpansions(context)), calls(collectCalls(context)) {}

LogicalResult MathLowering::run(Operation *scope) const {
  if (failed(applyPatternsGreedily(scope, expansions)))
    return failure();
  ConversionTarget target(*scope->getContext());
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  target.addIllegalOp<math::AcosOp, math::AcoshOp, math::AsinOp, math::AsinhOp, math::Atan2Op, math::AtanOp,
                      math::AtanhOp, math::CbrtOp, math::CosOp, math::CoshOp, math::ErfOp, math::ExpM1Op, math::ExpOp,
                      math::Log10Op, math::Log1pOp, math::Log2Op, math::LogOp, math::PowFOp, math::SinOp, math::SinhOp,
                      math::TanOp, math::TanhOp, arith::RemFOp>();
  // In single precision it is an instruction of GPUs.
  target.addDynamicallyLegalOp<math::Exp2Op>(
      [](math::Exp2Op op) { return !getElementTypeOrSelf(op.getType()).isF64(); });
  return applyPartialConversion(scope, target, calls);
}

LogicalResult lowerMath(Operation *scope) { return MathLowering(scope->getContext()).run(scope); }

} // namespace dscc
