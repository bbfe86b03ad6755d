// Rewrites the variance that some exporters compute in one pass over the data into the one that keeps its digits.
//
//     mean(x * x) - mean(x)^2      ==>      mean((x - mean(x))^2)
//
// Where the mean is large beside the spread, the difference on the left cancels almost all digits of a float; the sum
// on the right has nothing to cancel. Means are reduce_mean, or reduce_sum times or over the number of elements, with
// reshapes in between. It declines unless both means run over the same axes of the same tensor, and for integers.

#include "passes/Passes.h"
#include "passes/canonical/Match.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/Statistic.h"

#include <cmath>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_RECOMPOSEVARIANCE
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-recompose-variance"
ALWAYS_ENABLED_STATISTIC(numVariances, "Variances rewritten");

namespace {
/// scale * reduction, whatever its shape.
struct Mean {
  Operation *reduction = nullptr; // reduce_sum or reduce_mean
  double scale = 1;

  Value input() const { return reduction->getOperand(0); }
  Attribute axes() const { return reduction->getAttr("axes"); }
};
} // namespace

static int64_t countReduced(Operation *reduction) {
  dsc::Dims dims = dsc::getDims(reduction->getOperand(0));
  int64_t count = 1;
  for (int64_t axis : dsc::getIntegers(cast<ArrayAttr>(reduction->getAttr("axes"))))
    count *= dims[axis].isConstant() ? dims[axis].constant() : 0;
  return count;
}

/// A mean, or a reduction without one.
static Mean matchMean(Value value) {
  Mean mean;
  while (Operation *op = value.getDefiningOp()) {
    if (isa<dsc::ReduceSumOp, dsc::ReduceMeanOp>(op)) {
      double expected = isa<dsc::ReduceMeanOp>(op) ? 1 : 1.0 / double(countReduced(op));
      if (std::fabs(mean.scale / expected - 1) < 1e-6)
        mean.reduction = op;
      return mean;
    }
    if (isa<dsc::ReshapeOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    if (!isa<dsc::MulOp, dsc::DivOp>(op))
      return mean;
    bool isQuotient = isa<dsc::DivOp>(op);
    unsigned constant = !isQuotient && getSplat(op->getOperand(0)) ? 0 : 1;
    std::optional<double> splat = getSplat(op->getOperand(constant));
    // A splat with dims of its own could broadcast the mean to a larger tensor.
    if (!splat || dsc::getDims(op->getOperand(1 - constant)) != dsc::getDims(op->getResult(0)))
      return mean;
    mean.scale *= isQuotient ? 1 / *splat : *splat;
    value = op->getOperand(1 - constant);
  }
  return mean;
}

/// x, if `value` is x * x, looking through reshapes.
static Value matchSquare(Value value) {
  while (auto view = value.getDefiningOp<dsc::ReshapeOp>())
    value = view.getInput();
  if (auto product = value.getDefiningOp<dsc::MulOp>())
    return product.getLhs() == product.getRhs() ? product.getLhs() : Value();
  auto power = value.getDefiningOp<dsc::PowOp>();
  bool isSquare = power && getSplat(power.getRhs()) == 2.0 && power.getLhs().getType() == power.getType();
  return isSquare ? power.getLhs() : Value();
}

namespace {
struct RecomposeVariance : impl::RecomposeVarianceBase<RecomposeVariance> {
  using RecomposeVarianceBase::RecomposeVarianceBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    for (auto op : llvm::make_early_inc_range(getOperation().getBody().front().getOps<dsc::SubOp>()))
      visit(op);
  }

  void visit(dsc::SubOp op) {
    Value root = matchSquare(op.getRhs());
    // Means of integers are truncated: there the two differ.
    if (!root || !isa<FloatType>(dsc::getElementType(op)) || op.getLhs().getType() != op.getType() ||
        op.getRhs().getType() != op.getType())
      return;
    Mean ofSquares = matchMean(op.getLhs()), mean = matchMean(root);
    if (!ofSquares.reduction || !mean.reduction || ofSquares.reduction->getName() != mean.reduction->getName() ||
        ofSquares.axes() != mean.axes() || matchSquare(ofSquares.input()) != mean.input() ||
        ofSquares.input().getType() != mean.input().getType())
      return;
    rewrite(op, mean);
    ++numVariances;
  }

  void rewrite(dsc::SubOp op, const Mean &mean) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    auto scaled = [&](Value value) -> Value {
      if (isa<dsc::ReduceMeanOp>(mean.reduction))
        return value;
      Type element = dsc::getElementType(value);
      auto type = RankedTensorType::get({}, element);
      auto factor = DenseElementsAttr::get(type, b.getFloatAttr(element, 1.0 / double(countReduced(mean.reduction))));
      return dsc::MulOp::create(b, loc, value, dsc::ConstantOp::create(b, loc, factor));
    };
    Value difference = dsc::SubOp::create(b, loc, mean.input(), scaled(mean.reduction->getResult(0)));
    Value square = dsc::MulOp::create(b, loc, difference, difference);
    Operation *reduction = b.clone(*mean.reduction);
    reduction->setLoc(loc);
    reduction->setOperand(0, square);
    Value variance = scaled(reduction->getResult(0));
    if (variance.getType() != op.getType())
      variance = dsc::ReshapeOp::create(b, loc, op.getType(), variance);
    op.replaceAllUsesWith(variance);
    op.erase();
  }
};
} // namespace

} // namespace dscc
