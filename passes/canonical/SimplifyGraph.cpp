// Identities that make the graph smaller or its ops cheaper, whatever comes later.

#include "passes/Passes.h"
#include "passes/canonical/Match.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_SIMPLIFYGRAPH
#include "passes/Passes.h.inc"

namespace {
/// Two transposes in a row are one.
struct ComposeTransposes : OpRewritePattern<dsc::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::TransposeOp op, PatternRewriter &rewriter) const override {
    auto first = op.getInput().getDefiningOp<dsc::TransposeOp>();
    if (!first)
      return rewriter.notifyMatchFailure(op, "does not follow a transpose");
    SmallVector<int64_t> inner = dsc::getIntegers(first.getPermutation()), both;
    for (int64_t axis : dsc::getIntegers(op.getPermutation()))
      both.push_back(inner[axis]);
    rewriter.replaceOpWithNewOp<dsc::TransposeOp>(op, first.getInput(), rewriter.getI64ArrayAttr(both));
    return success();
  }
};

/// A transpose that moves only dims of size 1 keeps the order of the elements.
struct TransposeToReshape : OpRewritePattern<dsc::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::TransposeOp op, PatternRewriter &rewriter) const override {
    dsc::Dims dims = dsc::getDims(op.getInput());
    SmallVector<int64_t> moved = llvm::filter_to_vector(dsc::getIntegers(op.getPermutation()),
                                                        [&](int64_t axis) { return !dims[axis].isConstant(1); });
    if (!llvm::is_sorted(moved))
      return rewriter.notifyMatchFailure(op, "changes the order of the elements");
    rewriter.replaceOpWithNewOp<dsc::ReshapeOp>(op, op.getType(), op.getInput());
    return success();
  }
};

/// A product reads a transposed operand as well as a straight one.
struct TransposeIntoMatmul : OpRewritePattern<dsc::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::MatmulOp op, PatternRewriter &rewriter) const override {
    Value lhs = swapped(op.getLhs()), rhs = swapped(op.getRhs());
    if (!lhs && !rhs)
      return rewriter.notifyMatchFailure(op, "no operand is transposed in its last two dims");
    rewriter.modifyOpInPlace(op, [&] {
      if (lhs) {
        op.getLhsMutable().assign(lhs);
        op.setTransposeLhs(!op.getTransposeLhs());
      }
      if (rhs) {
        op.getRhsMutable().assign(rhs);
        op.setTransposeRhs(!op.getTransposeRhs());
      }
    });
    return success();
  }
  /// What a transpose of just the last two dims reads.
  static Value swapped(Value operand) {
    auto transpose = operand.getDefiningOp<dsc::TransposeOp>();
    if (!transpose)
      return {};
    SmallVector<int64_t> permutation = dsc::getIntegers(transpose.getPermutation());
    size_t rank = permutation.size();
    if (rank < 2)
      return {};
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    return llvm::equal(permutation, llvm::seq<int64_t>(0, rank)) ? transpose.getInput() : Value();
  }
};

/// Of two casts in a row the first counts only if it loses something.
struct ComposeCasts : OpRewritePattern<dsc::CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::CastOp op, PatternRewriter &rewriter) const override {
    auto first = op.getInput().getDefiningOp<dsc::CastOp>();
    if (!first || !isLossless(dsc::getElementType(first.getInput()), dsc::getElementType(first.getResult())))
      return rewriter.notifyMatchFailure(op, "does not follow a lossless cast");
    rewriter.replaceOpWithNewOp<dsc::CastOp>(op, op.getType(), first.getInput(), op.getSaturateAttr());
    return success();
  }
  static bool isLossless(Type from, Type to) {
    auto narrow = dyn_cast<FloatType>(from), wide = dyn_cast<FloatType>(to);
    if (!narrow || !wide)
      return false;
    // A bf16 has f32's exponents, an f16 has none that bf16 lacks but more digits.
    return from == to || (to.isF64() && !from.isF64()) || (to.isF32() && (from.isF16() || from.isBF16()));
  }
};

/// pow by 1, 2, 3, -1 without a logarithm.
struct ExpandPower : OpRewritePattern<dsc::PowOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::PowOp op, PatternRewriter &rewriter) const override {
    std::optional<double> exponent = getSplat(op.getRhs());
    Value base = op.getLhs();
    if (!exponent || base.getType() != op.getType() || !isa<FloatType>(dsc::getElementType(base)))
      return rewriter.notifyMatchFailure(op, "the exponent is not one number, or it broadcasts the base");
    if (*exponent == 1) {
      rewriter.replaceOp(op, base);
      return success();
    }
    if (*exponent == -1) {
      rewriter.replaceOpWithNewOp<dsc::ReciprocalOp>(op, base);
      return success();
    }
    if (*exponent != 2 && *exponent != 3)
      return rewriter.notifyMatchFailure(op, "the exponent is none of 1, 2, 3, -1");
    Value square = dsc::MulOp::create(rewriter, op.getLoc(), base, base);
    rewriter.replaceOp(op,
                       *exponent == 2 ? square : dsc::MulOp::create(rewriter, op.getLoc(), square, base).getResult());
    return success();
  }
};

/// x / c = x * (1 / c). Exact if c is a power of two; otherwise it may differ in the last bit, so it is an option.
struct DivideByConstant : OpRewritePattern<dsc::DivOp> {
  DivideByConstant(MLIRContext *context, bool reciprocals) : OpRewritePattern(context), reciprocals(reciprocals) {}
  LogicalResult matchAndRewrite(dsc::DivOp op, PatternRewriter &rewriter) const override {
    std::optional<double> divisor = getSplat(op.getRhs());
    if (!divisor || *divisor == 0 || !std::isfinite(*divisor) || std::fabs(*divisor) < 1e-30 ||
        std::fabs(*divisor) > 1e30)
      return rewriter.notifyMatchFailure(op, "the divisor is not one usual number");
    int exponent;
    bool isExact = std::fabs(std::frexp(*divisor, &exponent)) == 0.5;
    Type element = dsc::getElementType(op.getRhs());
    // Reciprocals of f16 may be subnormal or overflow.
    if ((!isExact && !reciprocals) || element.getIntOrFloatBitWidth() < 32)
      return rewriter.notifyMatchFailure(op, "the quotient would change");
    auto type = cast<RankedTensorType>(op.getRhs().getType());
    auto value = DenseElementsAttr::get(type, rewriter.getFloatAttr(element, 1 / *divisor).getValue());
    Value factor = dsc::ConstantOp::create(rewriter, op.getRhs().getLoc(), cast<ElementsAttr>(value));
    rewriter.replaceOpWithNewOp<dsc::MulOp>(op, op.getLhs(), factor);
    return success();
  }
  bool reciprocals;
};

/// x * 1 and x + (-0), if nothing is broadcast. x + 0 turns -0 into 0, so it stays.
template <class Op> struct DropNeutral : OpRewritePattern<Op> {
  DropNeutral(MLIRContext *context, double neutral) : OpRewritePattern<Op>(context), neutral(neutral) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    for (auto [kept, other] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      std::optional<double> number = getSplat(other);
      if (!number || *number != neutral || std::signbit(*number) != std::signbit(neutral) ||
          kept.getType() != op.getType())
        continue;
      rewriter.replaceOp(op, kept);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is neutral");
  }
  double neutral;
};

/// Known neighbours along an axis are a slice, which may need no kernel.
struct GatherToSlice : OpRewritePattern<dsc::GatherOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(dsc::GatherOp op, PatternRewriter &rewriter) const override {
    auto indices = op.getIndices().getDefiningOp<dsc::ConstantOp>();
    dsc::Dims sizes = dsc::getDims(op.getData()), starts(sizes.size(), DimExpr(0));
    DimExpr &size = sizes[op.getAxis()];
    std::optional<int64_t> first = indices && size.isConstant() ? firstOfRow(indices, size.constant()) : std::nullopt;
    if (!first)
      return rewriter.notifyMatchFailure(op, "the indices are not known to be neighbours");
    starts[op.getAxis()] = *first;
    size = indices.getValue().getNumElements();
    SmallVector<int64_t> steps(sizes.size(), 1);
    Value slice = dsc::SliceOp::create(rewriter, op.getLoc(), op.getData(), dsc::DimsAttr::get(getContext(), starts),
                                       dsc::DimsAttr::get(getContext(), sizes), rewriter.getI64ArrayAttr(steps));
    rewriter.replaceOpWithNewOp<dsc::ReshapeOp>(op, op.getType(), slice);
    return success();
  }
  /// The first index of at least one, if each is one more than that before it and all are in range.
  static std::optional<int64_t> firstOfRow(dsc::ConstantOp indices, int64_t size) {
    auto numbers = indices.getValue().tryGetValues<APInt>();
    if (!numbers || indices.getValue().getNumElements() == 0)
      return std::nullopt;
    std::optional<int64_t> first;
    int64_t next = 0;
    for (const APInt &number : *numbers) {
      int64_t place = number.getSExtValue() + (number.isNegative() ? size : 0);
      if (place < 0 || place >= size || (first && place != next))
        return std::nullopt;
      first = first.value_or(place);
      next = place + 1;
    }
    return first;
  }
};

struct SimplifyGraph : impl::SimplifyGraphBase<SimplifyGraph> {
  using SimplifyGraphBase::SimplifyGraphBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<ComposeTransposes, TransposeToReshape, TransposeIntoMatmul, ComposeCasts, ExpandPower, GatherToSlice>(
        context);
    patterns.add<DivideByConstant>(context, reciprocals);
    patterns.add<DropNeutral<dsc::MulOp>>(context, 1.0);
    patterns.add<DropNeutral<dsc::AddOp>>(context, -0.0);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

} // namespace dscc
