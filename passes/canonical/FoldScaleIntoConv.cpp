// Puts what batch normalization leaves behind a convolution into its filter.
//
//     conv(x, W) * a + b          ==>   conv(x, W * a) + b
//     (conv(x, W) + b) * a + c    ==>   conv(x, W * a) + (b * a + c)
//
// where a, b and c are constants with one element a channel, or one for all. It declines when the convolution has other
// users, who want it unscaled.

#include "passes/Passes.h"
#include "passes/canonical/Evaluate.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_FOLDSCALEINTOCONV
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-fold-scale-into-conv"
ALWAYS_ENABLED_STATISTIC(numFolded, "Factors folded into filters");

/// True for constants that vary along the channels (dim 1 of `rank`) only.
static bool isPerChannel(Value value, size_t rank) {
  ElementsAttr constant = getConstant(value);
  if (!constant || !readNumbers(constant) || !isa<FloatType>(dsc::getElementType(value)))
    return false;
  dsc::Dims dims = dsc::getDims(value);
  if (dims.size() > rank)
    return false;
  for (auto [index, dim] : llvm::enumerate(dims))
    if (rank - dims.size() + index != 1 && !dim.isConstant(1))
      return false;
  return true;
}

/// The operand of a commutative op that is a constant a channel; the other one in `other`.
static Value takePerChannel(Operation *op, Value &other) {
  size_t rank = dsc::getDims(op->getResult(0)).size();
  for (unsigned i : {1u, 0u})
    if (isPerChannel(op->getOperand(i), rank) && op->getOperand(1 - i).getType() == op->getResult(0).getType()) {
      other = op->getOperand(1 - i);
      return op->getOperand(i);
    }
  return {};
}

/// The constant that `op` computes from constants, in its place.
static Value foldNow(PatternRewriter &rewriter, Operation *op) {
  ElementsAttr value = evaluateConstant(op);
  assert(value && "arithmetic on float constants is evaluated");
  Value constant = dsc::ConstantOp::create(rewriter, op->getLoc(), value);
  rewriter.eraseOp(op);
  return constant;
}

/// One factor a channel as the filter wants it: along dim 0, the filter's output channels.
static Value alongFilter(PatternRewriter &rewriter, Location location, Value factor, Value filter) {
  Type element = dsc::getElementType(factor);
  dsc::Dims dims(dsc::getDims(filter).size(), 1);
  dims[0] = dsc::countElements(dsc::getDims(factor));
  assert((dims[0].isConstant(1) || dims[0] == dsc::getDims(filter)[0]) && "the channels are those of the filter");
  return foldNow(rewriter, dsc::ReshapeOp::create(rewriter, location, dsc::makeTensor(dims, element), factor));
}

namespace {
struct ScaleIntoFilter : OpRewritePattern<dsc::MulOp> {
  ScaleIntoFilter(MLIRContext *context, unsigned &folded) : OpRewritePattern(context), folded(folded) {}
  LogicalResult matchAndRewrite(dsc::MulOp op, PatternRewriter &rewriter) const override {
    Value scaled, factor = takePerChannel(op, scaled);
    auto conv = factor ? scaled.getDefiningOp<dsc::ConvOp>() : nullptr;
    if (!conv || !conv->hasOneUse() || !getConstant(conv.getFilter()) || !readNumbers(getConstant(conv.getFilter())))
      return rewriter.notifyMatchFailure(op, "does not scale the channels of a convolution of its own");
    Value along = alongFilter(rewriter, op.getLoc(), factor, conv.getFilter());
    Value filter = foldNow(rewriter, dsc::MulOp::create(rewriter, op.getLoc(), conv.getFilter(), along));
    Location location = rewriter.getFusedLoc({conv.getLoc(), op.getLoc()});
    rewriter
        .replaceOpWithNewOp<dsc::ConvOp>(op, conv.getInput(), filter, conv.getStrides(), conv.getDilations(),
                                         conv.getPads(), conv.getGroups())
        ->setLoc(location);
    ++folded;
    return success();
  }
  unsigned &folded;
};

/// (conv + b) * a  ==>  conv * a + b * a
struct ScaleBeforeShift : OpRewritePattern<dsc::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::MulOp op, PatternRewriter &rewriter) const override {
    Value scaled, factor = takePerChannel(op, scaled);
    auto add = factor ? scaled.getDefiningOp<dsc::AddOp>() : nullptr;
    Value inner, shift = add ? takePerChannel(add, inner) : Value();
    if (!shift || !add->hasOneUse() || !inner.getDefiningOp<dsc::ConvOp>() || !inner.hasOneUse())
      return rewriter.notifyMatchFailure(op, "does not scale a shifted convolution of its own");
    Value product = dsc::MulOp::create(rewriter, op.getLoc(), inner, factor);
    Value moved = foldNow(rewriter, dsc::MulOp::create(rewriter, op.getLoc(), shift, factor));
    rewriter.replaceOpWithNewOp<dsc::AddOp>(op, product, moved);
    return success();
  }
};

/// (conv + b) + c  ==>  conv + (b + c)
struct JoinShifts : OpRewritePattern<dsc::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::AddOp op, PatternRewriter &rewriter) const override {
    Value shifted, second = takePerChannel(op, shifted);
    auto add = second ? shifted.getDefiningOp<dsc::AddOp>() : nullptr;
    Value inner, first = add ? takePerChannel(add, inner) : Value();
    if (!first || !add->hasOneUse() || !inner.getDefiningOp<dsc::ConvOp>())
      return rewriter.notifyMatchFailure(op, "does not shift a shifted convolution of its own");
    Value both = foldNow(rewriter, dsc::AddOp::create(rewriter, op.getLoc(), first, second));
    rewriter.replaceOpWithNewOp<dsc::AddOp>(op, inner, both);
    return success();
  }
};

struct FoldScaleIntoConv : impl::FoldScaleIntoConvBase<FoldScaleIntoConv> {
  using FoldScaleIntoConvBase::FoldScaleIntoConvBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    unsigned folded = 0;
    RewritePatternSet patterns(&getContext());
    patterns.add<ScaleIntoFilter>(&getContext(), folded);
    patterns.add<ScaleBeforeShift, JoinShifts>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
    numFolded += folded;
  }
};
} // namespace

} // namespace dscc
