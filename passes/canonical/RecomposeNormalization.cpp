// Recognises normalizations that exporters spell out, so that one kernel reads each row once.
//
//     d = x - mean(x)     y = d / sqrt(mean(d * d) + epsilon)      ==>  layer_norm(x)
//                         y = x / sqrt(mean(x * x) + epsilon)      ==>  rms_norm(x)
//
// The divisor comes in many spellings: / sqrt(v), * (1 / sqrt(v)), * reciprocal(sqrt(v)), * rsqrt(v), * v^-0.5. It
// declines unless both means run over the same trailing dims.

#include "passes/Passes.h"
#include "passes/canonical/Match.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_RECOMPOSENORMALIZATION
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-recompose-normalization"
ALWAYS_ENABLED_STATISTIC(numLayerNorms, "Layer normalizations recognised");
ALWAYS_ENABLED_STATISTIC(numRmsNorms, "RMS normalizations recognised");

/// v, if `value` is the square root of v.
static Value matchRoot(Value value) {
  if (auto root = value.getDefiningOp<dsc::SqrtOp>())
    return root.getInput();
  auto power = value.getDefiningOp<dsc::PowOp>();
  return power && getSplat(power.getRhs()) == 0.5 ? power.getLhs() : Value();
}

/// v, if `value` is 1 / sqrt(v).
static Value matchInverseRoot(Value value) {
  if (auto inverse = value.getDefiningOp<dsc::RsqrtOp>())
    return inverse.getInput();
  if (auto inverse = value.getDefiningOp<dsc::ReciprocalOp>())
    return matchRoot(inverse.getInput());
  if (auto power = value.getDefiningOp<dsc::PowOp>())
    return getSplat(power.getRhs()) == -0.5 ? power.getLhs() : Value();
  auto quotient = value.getDefiningOp<dsc::DivOp>();
  return quotient && getSplat(quotient.getLhs()) == 1.0 ? matchRoot(quotient.getRhs()) : Value();
}

/// x, if `value` is the mean of x over the dims from `axis` on.
static Value matchRowMean(Value value, int64_t &axis) {
  auto mean = value.getDefiningOp<dsc::ReduceMeanOp>();
  if (!mean)
    return {};
  SmallVector<int64_t> axes = dsc::getIntegers(mean.getAxes());
  int64_t rank = dsc::getDims(mean.getInput()).size();
  if (axes.empty() || !llvm::equal(axes, llvm::seq<int64_t>(axes.front(), rank)))
    return {};
  axis = axes.front();
  return mean.getInput();
}

/// x, if `value` is x * x.
static Value matchSquare(Value value) {
  if (auto product = value.getDefiningOp<dsc::MulOp>())
    return product.getLhs() == product.getRhs() ? product.getLhs() : Value();
  auto power = value.getDefiningOp<dsc::PowOp>();
  return power && getSplat(power.getRhs()) == 2.0 ? power.getLhs() : Value();
}

namespace {
/// `numerator` / sqrt(mean(numerator^2 over the dims from axis on) + epsilon)
struct Normalization {
  Value numerator;
  int64_t axis;
  double epsilon;
};
} // namespace

static std::optional<Normalization> matchNormalization(Value numerator, Value radicand) {
  Normalization found{numerator, 0, 0};
  Value meanSquare = matchPlusSplat(radicand, found.epsilon);
  Value square = meanSquare ? matchRowMean(meanSquare, found.axis) : Value();
  if (!square || matchSquare(square) != numerator || found.epsilon < 0)
    return std::nullopt;
  return found;
}

static std::optional<Normalization> matchNormalization(Operation *op) {
  if (auto quotient = dyn_cast<dsc::DivOp>(op)) {
    Value radicand = matchRoot(quotient.getRhs());
    return radicand ? matchNormalization(quotient.getLhs(), radicand) : std::nullopt;
  }
  if (!isa<dsc::MulOp>(op))
    return std::nullopt;
  for (unsigned i : {0u, 1u})
    if (Value radicand = matchInverseRoot(op->getOperand(1 - i)))
      if (std::optional<Normalization> found = matchNormalization(op->getOperand(i), radicand))
        return found;
  return std::nullopt;
}

/// x, if `value` is x minus its mean over the dims from `axis` on.
static Value matchCentred(Value value, int64_t axis) {
  auto difference = value.getDefiningOp<dsc::SubOp>();
  int64_t meanAxis = -1;
  if (!difference || matchRowMean(difference.getRhs(), meanAxis) != difference.getLhs() || meanAxis != axis)
    return {};
  return difference.getLhs();
}

namespace {
struct RecomposeNormalization : impl::RecomposeNormalizationBase<RecomposeNormalization> {
  using RecomposeNormalizationBase::RecomposeNormalizationBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    for (Operation &op : llvm::make_early_inc_range(getOperation().getBody().front()))
      if (std::optional<Normalization> found = matchNormalization(&op))
        replace(&op, *found);
  }

  void replace(Operation *op, const Normalization &found) {
    OpBuilder builder(op);
    IntegerAttr axis = builder.getI64IntegerAttr(found.axis);
    FloatAttr epsilon = builder.getF64FloatAttr(found.epsilon);
    Value normal;
    if (Value x = matchCentred(found.numerator, found.axis)) {
      normal = dsc::LayerNormOp::create(builder, op->getLoc(), x, axis, epsilon);
      ++numLayerNorms;
    } else {
      normal = dsc::RmsNormOp::create(builder, op->getLoc(), found.numerator, axis, epsilon);
      ++numRmsNorms;
    }
    if (normal.getType() != op->getResult(0).getType())
      return normal.getDefiningOp()->erase();
    op->replaceAllUsesWith(ValueRange(normal));
  }
};
} // namespace

} // namespace dscc
