/// sin and cos:   x ─ in f64: k = round(x 2/pi), r = x - k pi/2 ─► |r| <= pi/4 ─ in f32: a polynomial ─► by k mod 4
///
/// In single precision x - k pi/2 would lose what the polynomial needs: of an angle of 1e5 all but 8 bits. In double
/// precision it is exact up to 2^40. From there on, where neighbours are more than 1e4 turns apart, the result is some
/// number in [-1, 1].

#include "passes/math/CircularFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace dscc {

using namespace mlir;

namespace {
/// Arithmetic on values of one type, scalars or vectors.
struct Numbers {
  OpBuilder &b;
  Location loc;
  Type type;

  Value constant(double value) const {
    TypedAttr attribute = b.getFloatAttr(getElementTypeOrSelf(type), value);
    if (auto vector = dyn_cast<VectorType>(type))
      attribute = DenseElementsAttr::get(vector, attribute);
    return arith::ConstantOp::create(b, loc, attribute);
  }
  Value mul(Value x, Value y) const { return arith::MulFOp::create(b, loc, x, y); }
  Value add(Value x, Value y) const { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) const { return arith::SubFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) const { return arith::DivFOp::create(b, loc, x, y); }
  Value fma(Value x, Value y, Value z) const { return math::FmaOp::create(b, loc, x, y, z); }
  Value floor(Value x) const { return math::FloorOp::create(b, loc, x); }
  Value select(Value condition, Value x, Value y) const { return arith::SelectOp::create(b, loc, condition, x, y); }
  Value isLess(Value x, Value y) const { return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y); }
  /// Horner's rule, the highest power's coefficient first.
  Value polynomial(Value x, ArrayRef<double> coefficients) const {
    Value sum = constant(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      sum = fma(sum, x, constant(coefficient));
    return sum;
  }
};

/// Coefficients of Cephes (sinf.c, atanf.c), in powers of the square.
constexpr double sine[] = {-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1};
constexpr double cosine[] = {2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2};
constexpr double arcTangent[] = {8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1};

bool isSingle(Type type) { return getElementTypeOrSelf(type).isF32(); }

Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

/// `quarters`: turns by so many right angles before the sine is taken, 1 for the cosine.
template <typename Op, int quarters> struct ReduceInDouble : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &b) const override {
    if (!isSingle(op.getType()))
      return b.notifyMatchFailure(op, "is not of single precision");
    Location loc = op.getLoc();
    Numbers f32{b, loc, op.getType()}, f64{b, loc, withElement(op.getType(), b.getF64Type())};

    Value x = arith::ExtFOp::create(b, loc, f64.type, op.getOperand());
    Value k = math::RoundEvenOp::create(b, loc, f64.mul(x, f64.constant(0x1.45f306dc9c883p-1)));
    Value minusK = arith::NegFOp::create(b, loc, k);
    Value wide = f64.fma(minusK, f64.constant(0x1.921fb54442d18p0), x);
    wide = f64.fma(minusK, f64.constant(0x1.1a62633145c07p-54), wide);
    Value r = arith::TruncFOp::create(b, loc, f32.type, wide);
    // What is no remainder, of angles beyond 2^40, is cut off; NaN remains.
    r = arith::MinimumFOp::create(b, loc, r, f32.constant(0.8));
    r = arith::MaximumFOp::create(b, loc, r, f32.constant(-0.8));

    // k mod 4, in floating point: vectors of f64 have no quick way to integers, nor their masks to f32.
    Value turned = f64.add(k, f64.constant(quarters));
    Value rest = f64.fma(f64.constant(-4), f64.floor(f64.mul(turned, f64.constant(0.25))), turned);
    Value quadrant = arith::TruncFOp::create(b, loc, f32.type, rest);
    Value isUpper = f32.isLess(f32.constant(1.5), quadrant); // 2 and 3
    Value within = f32.select(isUpper, f32.sub(quadrant, f32.constant(2)), quadrant);

    Value square = f32.mul(r, r);
    Value ofSine = f32.fma(f32.mul(f32.polynomial(square, sine), square), r, r);
    Value ofCosine = f32.fma(f32.mul(square, square), f32.polynomial(square, cosine),
                             f32.fma(square, f32.constant(-0.5), f32.constant(1)));
    Value value = f32.select(f32.isLess(f32.constant(0.5), within), ofCosine, ofSine);
    b.replaceOp(op, f32.select(isUpper, arith::NegFOp::create(b, loc, value), value));
    return success();
  }
};

/// atan|x| is atan(-1 / |x|) + pi/2 above tan(3 pi/8), atan((|x| - 1) / (|x| + 1)) + pi/4 above tan(pi/8).
struct ArcTangent : OpRewritePattern<math::AtanOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::AtanOp op, PatternRewriter &b) const override {
    if (!isSingle(op.getType()))
      return b.notifyMatchFailure(op, "is not of single precision");
    Numbers f32{b, op.getLoc(), op.getType()};
    Value one = f32.constant(1), zero = f32.constant(0);
    Value size = math::AbsFOp::create(b, op.getLoc(), op.getOperand());
    Value isLarge = f32.isLess(f32.constant(2.414213562373095), size);
    Value isMiddle = f32.isLess(f32.constant(0.4142135623730951), size);
    Value above = f32.select(isLarge, f32.constant(-1), f32.select(isMiddle, f32.sub(size, one), size));
    Value below = f32.select(isLarge, size, f32.select(isMiddle, f32.add(size, one), one));
    Value angle = f32.select(isLarge, f32.constant(1.5707963267948966),
                             f32.select(isMiddle, f32.constant(0.7853981633974483), zero));
    Value t = f32.div(above, below), square = f32.mul(t, t);
    Value rest = f32.fma(f32.mul(f32.polynomial(square, arcTangent), square), t, t);
    b.replaceOpWithNewOp<math::CopySignOp>(op, f32.add(angle, rest), op.getOperand());
    return success();
  }
};
} // namespace

void populateCircularFunctions(RewritePatternSet &patterns) {
  // MLIR's own have benefit 1.
  patterns.add<ReduceInDouble<math::SinOp, 0>, ReduceInDouble<math::CosOp, 1>, ArcTangent>(patterns.getContext(),
                                                                                           PatternBenefit(2));
}

} // namespace dscc
