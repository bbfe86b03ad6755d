#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringMap.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

static bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value)); }
static bool isUnsigned(Type element) { return element.isUnsignedInteger() || element.isInteger(1); }

/// A constant of the type of `like`, vector or scalar.
static Value number(KernelBuilder &k, Value like, double value) {
  Type element = getElementTypeOrSelf(like);
  TypedAttr attribute = isa<FloatType>(element) ? TypedAttr(k.b.getFloatAttr(element, value))
                                                : TypedAttr(k.b.getIntegerAttr(element, int64_t(value)));
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    attribute = DenseElementsAttr::get(vector, attribute);
  return arith::ConstantOp::create(k.b, k.loc, attribute);
}

static Value addF(KernelBuilder &k, Value a, Value b) { return arith::AddFOp::create(k.b, k.loc, a, b); }
static Value mulF(KernelBuilder &k, Value a, Value b) { return arith::MulFOp::create(k.b, k.loc, a, b); }
static Value divF(KernelBuilder &k, Value a, Value b) { return arith::DivFOp::create(k.b, k.loc, a, b); }
static Value selectV(KernelBuilder &k, Value c, Value a, Value b) {
  return arith::SelectOp::create(k.b, k.loc, c, a, b);
}
static Value compareF(KernelBuilder &k, arith::CmpFPredicate p, Value a, Value b) {
  return arith::CmpFOp::create(k.b, k.loc, p, a, b);
}
static Value compareI(KernelBuilder &k, arith::CmpIPredicate p, Value a, Value b) {
  return arith::CmpIOp::create(k.b, k.loc, p, a, b);
}

Value emitAdd(KernelBuilder &k, Value a, Value b) {
  SmallVector<Value> v = {a, b};
  k.unify(v);
  return isFloat(v[0]) ? addF(k, v[0], v[1]) : arith::AddIOp::create(k.b, k.loc, v[0], v[1]).getResult();
}

Value emitMul(KernelBuilder &k, Value a, Value b) {
  SmallVector<Value> v = {a, b};
  k.unify(v);
  return isFloat(v[0]) ? mulF(k, v[0], v[1]) : arith::MulIOp::create(k.b, k.loc, v[0], v[1]).getResult();
}

Value emitMulAdd(KernelBuilder &k, Value a, Value b, Value c) {
  SmallVector<Value> v = {a, b, c};
  k.unify(v);
  if (isFloat(v[0]))
    return math::FmaOp::create(k.b, k.loc, v[0], v[1], v[2]);
  return arith::AddIOp::create(k.b, k.loc, arith::MulIOp::create(k.b, k.loc, v[0], v[1]), v[2]);
}

Value emitMax(KernelBuilder &k, Value a, Value b, Type element) {
  SmallVector<Value> v = {a, b};
  k.unify(v);
  if (isFloat(v[0]))
    return arith::MaximumFOp::create(k.b, k.loc, v[0], v[1]);
  if (isUnsigned(element))
    return arith::MaxUIOp::create(k.b, k.loc, v[0], v[1]);
  return arith::MaxSIOp::create(k.b, k.loc, v[0], v[1]);
}

Value emitMin(KernelBuilder &k, Value a, Value b, Type element) {
  SmallVector<Value> v = {a, b};
  k.unify(v);
  if (isFloat(v[0]))
    return arith::MinimumFOp::create(k.b, k.loc, v[0], v[1]);
  if (isUnsigned(element))
    return arith::MinUIOp::create(k.b, k.loc, v[0], v[1]);
  return arith::MinSIOp::create(k.b, k.loc, v[0], v[1]);
}

Value emitLess(KernelBuilder &k, Value a, Value b, Type element) {
  SmallVector<Value> v = {a, b};
  k.unify(v);
  if (isFloat(v[0]))
    return compareF(k, arith::CmpFPredicate::OLT, v[0], v[1]);
  return compareI(k, isUnsigned(element) ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, v[0], v[1]);
}

Value emitLessEqual(KernelBuilder &k, Value a, Value b, Type element) {
  SmallVector<Value> v = {a, b};
  k.unify(v);
  if (isFloat(v[0]))
    return compareF(k, arith::CmpFPredicate::OLE, v[0], v[1]);
  return compareI(k, isUnsigned(element) ? arith::CmpIPredicate::ule : arith::CmpIPredicate::sle, v[0], v[1]);
}

Value zeroOf(KernelBuilder &k, Type element) {
  return arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(getComputeType(element)));
}

static Value extreme(KernelBuilder &k, Type element, bool lowest) {
  Type type = getComputeType(element);
  if (isa<FloatType>(type))
    return k.constant(type, lowest ? -INFINITY : INFINITY);
  unsigned width = type.getIntOrFloatBitWidth();
  APInt value = isUnsigned(element) ? (lowest ? APInt::getZero(width) : APInt::getMaxValue(width))
                                    : (lowest ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
  return arith::ConstantOp::create(k.b, k.loc, k.b.getIntegerAttr(type, value));
}

Value lowestOf(KernelBuilder &k, Type element) { return extreme(k, element, true); }
Value highestOf(KernelBuilder &k, Type element) { return extreme(k, element, false); }

namespace {
/// One op being emitted.
struct Scalar {
  KernelBuilder &k;
  Operation *op;
  SmallVector<Value> in;
  Type element; // of the first operand, with its sign

  Value a() const { return in[0]; }
  Value b() const { return in[1]; }
  bool floating() const { return isFloat(in[0]); }
  bool isUnsignedInt() const { return isUnsigned(element); }
  Value num(double value) const { return number(k, in[0], value); }
};
} // namespace

template <typename Op> static Value unaryF(Scalar &s) { return Op::create(s.k.b, s.k.loc, s.a()); }

static Value emitAbs(Scalar &s) {
  if (s.floating())
    return unaryF<math::AbsFOp>(s);
  return s.isUnsignedInt() ? s.a() : unaryF<math::AbsIOp>(s);
}

static Value emitNeg(Scalar &s) {
  if (s.floating())
    return arith::NegFOp::create(s.k.b, s.k.loc, s.a());
  return arith::SubIOp::create(s.k.b, s.k.loc, s.num(0), s.a());
}

static Value emitSign(Scalar &s) {
  KernelBuilder &k = s.k;
  if (s.floating()) {
    Value positive = selectV(k, compareF(k, arith::CmpFPredicate::OGT, s.a(), s.num(0)), s.num(1), s.a());
    return selectV(k, compareF(k, arith::CmpFPredicate::OLT, s.a(), s.num(0)), s.num(-1), positive);
  }
  Value nonZero = selectV(k, compareI(k, arith::CmpIPredicate::eq, s.a(), s.num(0)), s.num(0), s.num(1));
  if (s.isUnsignedInt())
    return nonZero;
  return selectV(k, compareI(k, arith::CmpIPredicate::slt, s.a(), s.num(0)), s.num(-1), nonZero);
}

template <typename Op> static Value roundF(Scalar &s) { return s.floating() ? unaryF<Op>(s) : s.a(); }

static Value emitReciprocal(Scalar &s) { return divF(s.k, s.num(1), s.a()); }
static Value emitRsqrt(Scalar &s) { return divF(s.k, s.num(1), math::SqrtOp::create(s.k.b, s.k.loc, s.a())); }
static Value emitSigmoid(Scalar &s) {
  Value negated = arith::NegFOp::create(s.k.b, s.k.loc, s.a());
  Value e = math::ExpOp::create(s.k.b, s.k.loc, negated);
  return divF(s.k, s.num(1), addF(s.k, s.num(1), e));
}
static Value emitRelu(Scalar &s) { return emitMax(s.k, s.a(), s.num(0), s.element); }

/// max(x, 0) + log1p(exp(-|x|)): nothing overflows.
static Value emitSoftplus(Scalar &s) {
  KernelBuilder &k = s.k;
  Value magnitude = math::AbsFOp::create(k.b, k.loc, s.a());
  Value e = math::ExpOp::create(k.b, k.loc, arith::NegFOp::create(k.b, k.loc, magnitude));
  return addF(k, emitRelu(s), math::Log1pOp::create(k.b, k.loc, e));
}

/// With e = exp(x), tanh(log(1 + e)) = n / (n + 2), where n = e * (e + 2): one exponential, and nothing cancels. From
/// 20 on the quotient is 1, in double precision too.
static Value emitMish(Scalar &s) {
  KernelBuilder &k = s.k;
  Value e = math::ExpOp::create(k.b, k.loc, emitMin(k, s.a(), s.num(20), s.element));
  Value n = mulF(k, e, addF(k, e, s.num(2)));
  return mulF(k, s.a(), divF(k, n, addF(k, n, s.num(2))));
}

static Value emitGelu(Scalar &s) {
  KernelBuilder &k = s.k;
  Value erf = math::ErfOp::create(k.b, k.loc, mulF(k, s.a(), s.num(0.70710678118654752440)));
  return mulF(k, mulF(k, s.a(), s.num(0.5)), addF(k, erf, s.num(1)));
}

static Value emitGeluTanh(Scalar &s) {
  KernelBuilder &k = s.k;
  Value cube = mulF(k, mulF(k, s.a(), s.a()), s.a());
  Value inner = mulF(k, s.num(0.79788456080286535588), emitMulAdd(k, s.num(0.044715), cube, s.a()));
  return mulF(k, mulF(k, s.a(), s.num(0.5)), addF(k, math::TanhOp::create(k.b, k.loc, inner), s.num(1)));
}

// Ops of the model round each for itself, and no flag lets LLVM contract them: the product's rounding error would be
// what is left of x * y - x * y, or, as a variance E[x^2] - E[x]^2 that is less than 0, have no root.
template <typename FloatOp, typename IntOp> static Value emitRounded(Scalar &s) {
  return s.floating() ? FloatOp::create(s.k.b, s.k.loc, s.a(), s.b()).getResult()
                      : IntOp::create(s.k.b, s.k.loc, s.a(), s.b()).getResult();
}

/// A divisor that cannot trap: 1 where it is 0, or where INT_MIN / -1 would overflow.
static Value safeDivisor(Scalar &s) {
  KernelBuilder &k = s.k;
  Value bad = compareI(k, arith::CmpIPredicate::eq, s.b(), s.num(0));
  if (!s.isUnsignedInt()) {
    Value minusOne = compareI(k, arith::CmpIPredicate::eq, s.b(), s.num(-1));
    Value lowest = lowestOf(k, s.element);
    if (k.isVector(s.a()))
      lowest = k.splat(lowest);
    Value isLowest = compareI(k, arith::CmpIPredicate::eq, s.a(), lowest);
    bad = arith::OrIOp::create(k.b, k.loc, bad, arith::AndIOp::create(k.b, k.loc, minusOne, isLowest));
  }
  return selectV(k, bad, s.num(1), s.b());
}

static Value emitDiv(Scalar &s) {
  if (s.floating())
    return divF(s.k, s.a(), s.b());
  Value divisor = safeDivisor(s);
  if (s.isUnsignedInt())
    return arith::DivUIOp::create(s.k.b, s.k.loc, s.a(), divisor);
  return arith::DivSIOp::create(s.k.b, s.k.loc, s.a(), divisor);
}

/// C's remainder, exact: floats end in a call of fmod.
static Value emitTruncMod(Scalar &s) {
  KernelBuilder &k = s.k;
  if (s.floating())
    return arith::RemFOp::create(k.b, k.loc, s.a(), s.b());
  Value divisor = safeDivisor(s);
  if (s.isUnsignedInt())
    return arith::RemUIOp::create(k.b, k.loc, s.a(), divisor);
  return arith::RemSIOp::create(k.b, k.loc, s.a(), divisor);
}

static Value emitFloorMod(Scalar &s) {
  KernelBuilder &k = s.k;
  Value rest = emitTruncMod(s);
  if (s.isUnsignedInt() && !s.floating())
    return rest;
  // Where the remainder's sign differs from the divisor's, one divisor is added.
  Value zero = s.num(0), wrong;
  if (s.floating()) {
    Value negativeRest = compareF(k, arith::CmpFPredicate::OLT, rest, zero);
    Value negativeDivisor = compareF(k, arith::CmpFPredicate::OLT, s.b(), zero);
    Value differ = arith::XOrIOp::create(k.b, k.loc, negativeRest, negativeDivisor);
    wrong = arith::AndIOp::create(k.b, k.loc, differ, compareF(k, arith::CmpFPredicate::ONE, rest, zero));
    return selectV(k, wrong, addF(k, rest, s.b()), rest);
  }
  Value negativeRest = compareI(k, arith::CmpIPredicate::slt, rest, zero);
  Value negativeDivisor = compareI(k, arith::CmpIPredicate::slt, s.b(), zero);
  Value differ = arith::XOrIOp::create(k.b, k.loc, negativeRest, negativeDivisor);
  wrong = arith::AndIOp::create(k.b, k.loc, differ, compareI(k, arith::CmpIPredicate::ne, rest, zero));
  return selectV(k, wrong, arith::AddIOp::create(k.b, k.loc, rest, s.b()), rest);
}

static Value emitMinOp(Scalar &s) { return emitMin(s.k, s.a(), s.b(), s.element); }
static Value emitMaxOp(Scalar &s) { return emitMax(s.k, s.a(), s.b(), s.element); }
template <typename Op> static Value bitwise(Scalar &s) { return Op::create(s.k.b, s.k.loc, s.a(), s.b()); }
static Value emitNot(Scalar &s) {
  return arith::XOrIOp::create(s.k.b, s.k.loc, s.a(), s.num(s.element.isInteger(1) ? 1 : -1));
}

template <typename Op> static Value emitShift(Scalar &s) {
  KernelBuilder &k = s.k;
  Value width = s.num(getElementTypeOrSelf(s.a()).getIntOrFloatBitWidth());
  Value tooFar = compareI(k, arith::CmpIPredicate::uge, s.b(), width);
  // Masked rather than chosen by `tooFar`: in the latter LLVM 22 sees PTX's own way with amounts that are too large,
  // for GPUs, and of 64-bit amounts it then looks at 32 bits.
  Value mask = s.num(getElementTypeOrSelf(s.a()).getIntOrFloatBitWidth() - 1);
  Value amount = arith::AndIOp::create(k.b, k.loc, s.b(), mask);
  return selectV(k, tooFar, s.num(0), Op::create(k.b, k.loc, s.a(), amount));
}

static Value emitEqual(Scalar &s) {
  return s.floating() ? compareF(s.k, arith::CmpFPredicate::OEQ, s.a(), s.b())
                      : compareI(s.k, arith::CmpIPredicate::eq, s.a(), s.b());
}
static Value emitLessOp(Scalar &s) { return emitLess(s.k, s.a(), s.b(), s.element); }
static Value emitLessEqualOp(Scalar &s) { return emitLessEqual(s.k, s.a(), s.b(), s.element); }
static Value emitIsNan(Scalar &s) { return compareF(s.k, arith::CmpFPredicate::UNO, s.a(), s.a()); }
static Value emitIsInf(Scalar &s) {
  Value magnitude = math::AbsFOp::create(s.k.b, s.k.loc, s.a());
  return compareF(s.k, arith::CmpFPredicate::OEQ, magnitude, s.num(INFINITY));
}

static Value emitWhere(Scalar &s) { return selectV(s.k, s.in[0], s.in[1], s.in[2]); }

/// Integer power by squaring: 64 steps at most, unrolled over the bits of the exponent's width would be long, so a
/// float exponent or base goes through math.powf and an integer one through this loop of six squarings on i64 bits.
static Value emitIntegerPow(Scalar &s) {
  KernelBuilder &k = s.k;
  Value base = s.a(), result = s.num(1), exponent = s.b();
  Type element = getElementTypeOrSelf(base);
  unsigned bits = element.getIntOrFloatBitWidth();
  Value one = s.num(1), zero = s.num(0);
  for (unsigned bit = 0; (1u << bit) <= bits; ++bit) {
    Value shifted = arith::ShRUIOp::create(k.b, k.loc, exponent, s.num(bit));
    Value isSet = compareI(k, arith::CmpIPredicate::ne, arith::AndIOp::create(k.b, k.loc, shifted, one), zero);
    result = selectV(k, isSet, arith::MulIOp::create(k.b, k.loc, result, base), result);
    base = arith::MulIOp::create(k.b, k.loc, base, base);
  }
  return result;
}

static Value emitPow(Scalar &s) {
  KernelBuilder &k = s.k;
  Type baseElement = dsc::getElementType(s.op->getOperand(0)),
       exponentElement = dsc::getElementType(s.op->getOperand(1));
  if (isa<IntegerType>(baseElement) && isa<IntegerType>(exponentElement)) {
    Scalar cast{k, s.op, {s.a(), emitCast(k, s.b(), exponentElement, baseElement, false)}, s.element};
    return emitIntegerPow(cast);
  }
  Type wide = baseElement.isF64() || exponentElement.isF64() ? Type(k.b.getF64Type()) : Type(k.b.getF32Type());
  Value base = emitCast(k, s.a(), baseElement, wide, false);
  Value exponent = emitCast(k, s.b(), exponentElement, wide, false);
  Value power = math::PowFOp::create(k.b, k.loc, base, exponent);
  return emitCast(k, power, wide, getComputeType(baseElement), false);
}

namespace {
struct Entry {
  StringLiteral op;
  Value (*emit)(Scalar &);
};
} // namespace

static constexpr Entry entries[] = {
    {"dsc.abs", emitAbs},
    {"dsc.neg", emitNeg},
    {"dsc.sign", emitSign},
    {"dsc.floor", roundF<math::FloorOp>},
    {"dsc.ceil", roundF<math::CeilOp>},
    {"dsc.round", roundF<math::RoundEvenOp>},
    {"dsc.trunc", roundF<math::TruncOp>},
    {"dsc.sqrt", unaryF<math::SqrtOp>},
    {"dsc.rsqrt", emitRsqrt},
    {"dsc.reciprocal", emitReciprocal},
    {"dsc.exp", unaryF<math::ExpOp>},
    {"dsc.log", unaryF<math::LogOp>},
    {"dsc.sin", unaryF<math::SinOp>},
    {"dsc.cos", unaryF<math::CosOp>},
    {"dsc.tan", unaryF<math::TanOp>},
    {"dsc.asin", unaryF<math::AsinOp>},
    {"dsc.acos", unaryF<math::AcosOp>},
    {"dsc.atan", unaryF<math::AtanOp>},
    {"dsc.sinh", unaryF<math::SinhOp>},
    {"dsc.cosh", unaryF<math::CoshOp>},
    {"dsc.tanh", unaryF<math::TanhOp>},
    {"dsc.asinh", unaryF<math::AsinhOp>},
    {"dsc.acosh", unaryF<math::AcoshOp>},
    {"dsc.atanh", unaryF<math::AtanhOp>},
    {"dsc.erf", unaryF<math::ErfOp>},
    {"dsc.sigmoid", emitSigmoid},
    {"dsc.relu", emitRelu},
    {"dsc.softplus", emitSoftplus},
    {"dsc.mish", emitMish},
    {"dsc.gelu", emitGelu},
    {"dsc.gelu_tanh", emitGeluTanh},
    {"dsc.add", emitRounded<arith::AddFOp, arith::AddIOp>},
    {"dsc.sub", emitRounded<arith::SubFOp, arith::SubIOp>},
    {"dsc.mul", emitRounded<arith::MulFOp, arith::MulIOp>},
    {"dsc.div", emitDiv},
    {"dsc.floor_mod", emitFloorMod},
    {"dsc.trunc_mod", emitTruncMod},
    {"dsc.pow", emitPow},
    {"dsc.min", emitMinOp},
    {"dsc.max", emitMaxOp},
    {"dsc.and", bitwise<arith::AndIOp>},
    {"dsc.or", bitwise<arith::OrIOp>},
    {"dsc.xor", bitwise<arith::XOrIOp>},
    {"dsc.shift_left", emitShift<arith::ShLIOp>},
    {"dsc.shift_right", emitShift<arith::ShRUIOp>},
    {"dsc.equal", emitEqual},
    {"dsc.less", emitLessOp},
    {"dsc.less_equal", emitLessEqualOp},
    {"dsc.not", emitNot},
    {"dsc.is_nan", emitIsNan},
    {"dsc.is_inf", emitIsInf},
    {"dsc.where", emitWhere},
};

static const Entry *findEntry(Operation *op) {
  static const llvm::StringMap<const Entry *> table = [] {
    llvm::StringMap<const Entry *> map;
    for (const Entry &entry : entries) {
      assert(!map.contains(entry.op) && "an op has one entry");
      map[entry.op] = &entry;
    }
    return map;
  }();
  return table.lookup(op->getName().getStringRef());
}

bool hasScalarCode(Operation *op) {
  if (isa<dsc::CastOp, dsc::BitcastOp>(op))
    return true;
  return findEntry(op) != nullptr;
}

Value emitScalar(KernelBuilder &k, Operation *op, ValueRange operands) {
  assert(hasScalarCode(op) && operands.size() == op->getNumOperands() && "an op with code gets all of its operands");
  Type element = dsc::getElementType(op->getOperand(0));
  if (auto cast = dyn_cast<dsc::CastOp>(op))
    return emitCast(k, operands[0], element, dsc::getElementType(cast.getResult()), cast.getSaturate());
  if (isa<dsc::BitcastOp>(op)) {
    Value stored = k.toStorage(operands[0], element);
    Type to = dsc::getElementType(op->getResult(0)), storage = getStorageType(to);
    Type type = k.isVector(stored) ? k.laneType(storage) : storage;
    if (stored.getType() != type)
      stored = arith::BitcastOp::create(k.b, k.loc, type, stored);
    return k.toCompute(stored, to);
  }
  Scalar scalar{k, op, llvm::to_vector(operands), element};
  k.unify(scalar.in);
  return findEntry(op)->emit(scalar);
}

} // namespace dscc::kernels
