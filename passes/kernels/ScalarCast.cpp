// Conversions between element types, and between an element in memory and the value that kernels compute with.
//
// Narrow floats that no processor converts (float8, bfloat16 on older levels) are taken apart with integer
// instructions, so that every target rounds alike: to nearest, ties to even.

#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/APFloat.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

namespace {
/// Integer code on scalars or vectors alike.
struct Bits {
  KernelBuilder &k;
  bool vector;

  Type type(Type scalar) const { return vector ? k.laneType(scalar) : scalar; }
  Value constant(Type scalar, uint64_t value) const {
    TypedAttr attribute = k.b.getIntegerAttr(scalar, APInt(scalar.getIntOrFloatBitWidth(), value, false, true));
    if (vector)
      attribute = DenseElementsAttr::get(cast<VectorType>(type(scalar)), attribute);
    return arith::ConstantOp::create(k.b, k.loc, attribute);
  }
  Value i32(uint64_t value) const { return constant(k.b.getI32Type(), value); }
  template <typename Op> Value make(Value a, Value b) const { return Op::create(k.b, k.loc, a, b); }
  Value compare(arith::CmpIPredicate p, Value a, Value b) const { return arith::CmpIOp::create(k.b, k.loc, p, a, b); }
  Value select(Value c, Value a, Value b) const { return arith::SelectOp::create(k.b, k.loc, c, a, b); }
  Value extend(Value a, Type scalar) const { return arith::ExtUIOp::create(k.b, k.loc, type(scalar), a); }
  Value truncate(Value a, Type scalar) const { return arith::TruncIOp::create(k.b, k.loc, type(scalar), a); }
  Value bitcast(Value a, Type scalar) const { return arith::BitcastOp::create(k.b, k.loc, type(scalar), a); }
};
} // namespace

static Value bf16ToF32(KernelBuilder &k, Value stored) {
  Bits bits{k, k.isVector(stored)};
  Value wide = bits.extend(stored, k.b.getI32Type());
  return bits.bitcast(bits.make<arith::ShLIOp>(wide, bits.i32(16)), k.b.getF32Type());
}

static Value f32ToBf16(KernelBuilder &k, Value value) {
  Bits bits{k, k.isVector(value)};
  Value word = bits.bitcast(value, k.b.getI32Type());
  Value odd = bits.make<arith::AndIOp>(bits.make<arith::ShRUIOp>(word, bits.i32(16)), bits.i32(1));
  Value rounded = bits.make<arith::AddIOp>(word, bits.make<arith::AddIOp>(odd, bits.i32(0x7fff)));
  Value isNan = arith::CmpFOp::create(k.b, k.loc, arith::CmpFPredicate::UNO, value, value);
  Value quiet = bits.make<arith::OrIOp>(word, bits.i32(0x400000));
  Value high = bits.make<arith::ShRUIOp>(bits.select(isNan, quiet, rounded), bits.i32(16));
  return bits.truncate(high, k.b.getI16Type());
}

/// The types that have one NaN, where minus zero would be.
static bool isNegativeZeroNan(Type type) { return isa<Float8E4M3FNUZType, Float8E5M2FNUZType>(type); }

/// A byte-sized float to f32: its 256 values fall into zero, subnormal, normal, infinity and NaN.
static Value f8ToF32(KernelBuilder &k, Value stored, FloatType from) {
  assert(from.getWidth() <= 8 && "wider floats have conversions of their own");
  const llvm::fltSemantics &semantics = from.getFloatSemantics();
  Bits bits{k, k.isVector(stored)};
  Type f32 = k.b.getF32Type(), i32 = k.b.getI32Type();
  Value byte = bits.extend(stored, i32);
  if (isa<Float8E8M0FNUType>(from)) {
    // 2^(e - 127); 255 is NaN, and e = 0 is the f32 subnormal 2^-127.
    Value normal = bits.make<arith::ShLIOp>(byte, bits.i32(23));
    Value small = bits.select(bits.compare(arith::CmpIPredicate::eq, byte, bits.i32(0)), bits.i32(0x400000), normal);
    Value word = bits.select(bits.compare(arith::CmpIPredicate::eq, byte, bits.i32(255)), bits.i32(0x7fc00000), small);
    return bits.bitcast(word, f32);
  }
  unsigned width = from.getWidth(), mantissa = llvm::APFloat::semanticsPrecision(semantics) - 1;
  int bias = 1 - llvm::APFloat::semanticsMinExponent(semantics);
  Value magnitude = bits.make<arith::AndIOp>(byte, bits.i32((1u << (width - 1)) - 1));
  Value sign = bits.make<arith::ShLIOp>(bits.make<arith::ShRUIOp>(byte, bits.i32(width - 1)), bits.i32(31));
  sign = bits.make<arith::AndIOp>(sign, bits.i32(0x80000000u));
  // Placed at f32's exponent and multiplied by a power of two, subnormals come out right without a case of their own.
  Value raw = bits.bitcast(bits.make<arith::ShLIOp>(magnitude, bits.i32(23 - mantissa)), f32);
  uint64_t scale = uint64_t(127 - bias + 127) << 23;
  Value scaled = arith::MulFOp::create(k.b, k.loc, raw, bits.bitcast(bits.i32(scale), f32));
  Value word = bits.make<arith::OrIOp>(bits.bitcast(scaled, i32), sign);
  // What is not finite.
  Value nan = bits.i32(0x7fc00000);
  if (llvm::APFloat::semanticsHasInf(semantics)) {
    Value infinity = bits.i32(((1u << (width - 1 - mantissa)) - 1) << mantissa);
    Value infinite = bits.make<arith::OrIOp>(bits.i32(0x7f800000), sign);
    word = bits.select(bits.compare(arith::CmpIPredicate::eq, magnitude, infinity), infinite, word);
    word = bits.select(bits.compare(arith::CmpIPredicate::ugt, magnitude, infinity), nan, word);
  } else if (isNegativeZeroNan(from)) {
    word = bits.select(bits.compare(arith::CmpIPredicate::eq, byte, bits.i32(1u << (width - 1))), nan, word);
  } else if (llvm::APFloat::semanticsHasNaN(semantics)) {
    word = bits.select(bits.compare(arith::CmpIPredicate::eq, magnitude, bits.i32((1u << (width - 1)) - 1)), nan, word);
  }
  return bits.bitcast(word, f32);
}

/// f32 to a byte-sized float. `saturate` clamps to the largest finite value.
static Value f32ToF8(KernelBuilder &k, Value value, FloatType to, bool saturate) {
  assert(to.getWidth() <= 8 && !isa<Float8E8M0FNUType>(to) && "other floats have conversions of their own");
  const llvm::fltSemantics &semantics = to.getFloatSemantics();
  Bits bits{k, k.isVector(value)};
  Type f32 = k.b.getF32Type(), i32 = k.b.getI32Type(), i8 = k.b.getI8Type();
  unsigned width = to.getWidth(), mantissa = llvm::APFloat::semanticsPrecision(semantics) - 1;
  int minExponent = llvm::APFloat::semanticsMinExponent(semantics);
  Value word = bits.bitcast(value, i32);
  Value magnitude = bits.make<arith::AndIOp>(word, bits.i32(0x7fffffff));
  Value sign = bits.make<arith::ShLIOp>(bits.make<arith::ShRUIOp>(word, bits.i32(31)), bits.i32(width - 1));
  // Normal results: round the mantissa in place, then rebias the exponent.
  unsigned dropped = 23 - mantissa;
  Value odd = bits.make<arith::AndIOp>(bits.make<arith::ShRUIOp>(magnitude, bits.i32(dropped)), bits.i32(1));
  Value rounded =
      bits.make<arith::AddIOp>(magnitude, bits.make<arith::AddIOp>(odd, bits.i32((1u << (dropped - 1)) - 1)));
  Value normal = bits.make<arith::SubIOp>(bits.make<arith::ShRUIOp>(rounded, bits.i32(dropped)),
                                          bits.i32(uint64_t(127 + minExponent - 1) << mantissa));
  // Subnormal results: adding a power of two whose last place is the smallest subnormal rounds to it.
  float magic = std::ldexp(1.0f, minExponent - int(mantissa) + 23);
  uint32_t magicBits = llvm::bit_cast<uint32_t>(magic);
  Value sum = arith::AddFOp::create(k.b, k.loc, bits.bitcast(magnitude, f32), bits.bitcast(bits.i32(magicBits), f32));
  Value subnormal = bits.make<arith::SubIOp>(bits.bitcast(sum, i32), bits.i32(magicBits));
  uint64_t smallestNormal = uint64_t(127 + minExponent) << 23;
  Value isSmall = bits.compare(arith::CmpIPredicate::ult, magnitude, bits.i32(smallestNormal));
  Value code = bits.select(isSmall, subnormal, normal);
  // Overflow.
  llvm::APFloat largest = llvm::APFloat::getLargest(semantics);
  uint64_t largestCode = largest.bitcastToAPInt().getZExtValue() & ((1u << (width - 1)) - 1);
  bool hasInfinity = llvm::APFloat::semanticsHasInf(semantics);
  bool hasNan = llvm::APFloat::semanticsHasNaN(semantics);
  bool negativeZeroIsNan = isNegativeZeroNan(to);
  uint64_t all = (1u << (width - 1)) - 1;
  uint64_t infinityCode = ((1u << (width - 1 - mantissa)) - 1) << mantissa;
  uint64_t nanCode = negativeZeroIsNan ? (1u << (width - 1))
                     : hasInfinity     ? (infinityCode | (1u << (mantissa - 1)))
                                       : all;
  Value tooLarge = bits.compare(arith::CmpIPredicate::ugt, code, bits.i32(largestCode));
  Value infinite = bits.compare(arith::CmpIPredicate::eq, magnitude, bits.i32(0x7f800000));
  tooLarge = bits.make<arith::OrIOp>(tooLarge, infinite);
  uint64_t overflowCode = saturate || !hasNan ? largestCode : hasInfinity ? infinityCode : nanCode;
  code = bits.select(tooLarge, bits.i32(overflowCode), code);
  bool overflowKeepsSign = saturate || !hasNan || !negativeZeroIsNan;
  Value signedCode = bits.make<arith::OrIOp>(code, sign);
  if (!overflowKeepsSign)
    signedCode = bits.select(tooLarge, bits.i32(nanCode), signedCode);
  if (negativeZeroIsNan)
    signedCode = bits.select(bits.compare(arith::CmpIPredicate::eq, code, bits.i32(0)), bits.i32(0), signedCode);
  // A type without NaN gets minus zero.
  {
    Value isNan = bits.compare(arith::CmpIPredicate::ugt, magnitude, bits.i32(0x7f800000));
    Value nan = !hasNan             ? bits.i32(1u << (width - 1))
                : negativeZeroIsNan ? bits.i32(nanCode)
                                    : bits.make<arith::OrIOp>(bits.i32(nanCode), sign);
    signedCode = bits.select(isNan, nan, signedCode);
  }
  return bits.truncate(signedCode, i8);
}

/// f32 to 2^n, up to the next power, as ONNX rounds it by default. What lies beyond 2^127 becomes that.
static Value f32ToE8M0(KernelBuilder &k, Value value) {
  Bits bits{k, k.isVector(value)};
  Value word = bits.bitcast(value, k.b.getI32Type());
  Value magnitude = bits.make<arith::AndIOp>(word, bits.i32(0x7fffffff));
  // A mantissa other than zero carries into the exponent. Up to 2^-127, an f32 subnormal, there is nothing smaller.
  Value rounded = bits.make<arith::AddIOp>(magnitude, bits.i32(0x7fffff));
  Value exponent = bits.make<arith::ShRUIOp>(rounded, bits.i32(23));
  Value isLeast = bits.compare(arith::CmpIPredicate::ule, magnitude, bits.i32(0x400000));
  exponent = bits.select(isLeast, bits.i32(0), exponent);
  Value clamped = bits.make<arith::MinUIOp>(exponent, bits.i32(254));
  Value isNan = bits.compare(arith::CmpIPredicate::ugt, magnitude, bits.i32(0x7f800000));
  return bits.truncate(bits.select(isNan, bits.i32(255), clamped), k.b.getI8Type());
}

Value KernelBuilder::toCompute(Value stored, Type element) {
  Bits bits{*this, isVector(stored)};
  if (element.isBF16())
    return bf16ToF32(*this, stored);
  if (element.isF16())
    return arith::ExtFOp::create(b, loc, bits.type(b.getF32Type()), stored);
  auto floating = dyn_cast<FloatType>(element);
  if (floating && floating.getWidth() <= 8)
    return f8ToF32(*this, stored, floating);
  if (element.isInteger(1))
    return bits.compare(arith::CmpIPredicate::ne, stored, bits.constant(b.getI8Type(), 0));
  if (isa<IntegerType>(element) && element.getIntOrFloatBitWidth() < 8)
    return bits.truncate(stored, getComputeType(element));
  return stored;
}

Value KernelBuilder::toStorage(Value computed, Type element) {
  Bits bits{*this, isVector(computed)};
  if (element.isBF16())
    return f32ToBf16(*this, computed);
  if (element.isF16())
    return arith::TruncFOp::create(b, loc, bits.type(element), computed);
  if (isa<Float8E8M0FNUType>(element))
    return f32ToE8M0(*this, computed);
  auto floating = dyn_cast<FloatType>(element);
  if (floating && floating.getWidth() <= 8)
    // What is computed is a value of the type already, infinity included.
    return f32ToF8(*this, computed, floating, !llvm::APFloat::semanticsHasInf(floating.getFloatSemantics()));
  if (isa<IntegerType>(element) && element.getIntOrFloatBitWidth() < 8) {
    Type i8 = b.getI8Type();
    bool isSigned = element.isSignlessInteger() && !element.isInteger(1);
    if (isSigned)
      return arith::ExtSIOp::create(b, loc, bits.type(i8), computed);
    return bits.extend(computed, i8);
  }
  return computed;
}

static Value floatToFloat(KernelBuilder &k, Value value, Type from, Type to, bool saturate) {
  Bits bits{k, k.isVector(value)};
  Type source = getElementTypeOrSelf(value), target = getComputeType(to);
  if (source.isF64() && !target.isF64())
    value = arith::TruncFOp::create(k.b, k.loc, bits.type(target), value);
  if (!source.isF64() && target.isF64())
    return arith::ExtFOp::create(k.b, k.loc, bits.type(target), value);
  // A narrow type rounds, although the kernel goes on in f32.
  auto floating = cast<FloatType>(to);
  if (floating.getWidth() <= 8 && !isa<Float8E8M0FNUType>(to))
    return f8ToF32(k, f32ToF8(k, value, floating, saturate), floating);
  if (floating.getWidth() < 32)
    return k.toCompute(k.toStorage(value, to), to);
  return value;
}

/// Truncates towards zero; out of range wraps around at 64 bits, and NaN is the lowest value, as processors do it.
static Value floatToInteger(KernelBuilder &k, Value value, Type to) {
  Bits bits{k, k.isVector(value)};
  unsigned width = to.getIntOrFloatBitWidth();
  if (width == 1)
    return arith::CmpFOp::create(k.b, k.loc, arith::CmpFPredicate::UNE, value,
                                 arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(value.getType())));
  Type i64 = k.b.getI64Type(), compute = getComputeType(to);
  if (to.isUnsignedInteger(64))
    return arith::FPToUIOp::create(k.b, k.loc, bits.type(i64), value);
  if (width == 64)
    return arith::FPToSIOp::create(k.b, k.loc, bits.type(i64), value);
  if (width == 32 && to.isSignlessInteger())
    return arith::FPToSIOp::create(k.b, k.loc, bits.type(compute), value);
  Type wide = width < 32 ? k.b.getI32Type() : i64;
  Value whole = arith::FPToSIOp::create(k.b, k.loc, bits.type(wide), value);
  return bits.truncate(whole, compute);
}

static Value integerToFloat(KernelBuilder &k, Value value, Type from, Type to, bool saturate) {
  Bits bits{k, k.isVector(value)};
  Type target = getComputeType(to);
  Value result;
  if (from.isUnsignedInteger() || from.isInteger(1))
    result = arith::UIToFPOp::create(k.b, k.loc, bits.type(target), value);
  else
    result = arith::SIToFPOp::create(k.b, k.loc, bits.type(target), value);
  return to == target ? result : floatToFloat(k, result, target, to, saturate);
}

static Value integerToInteger(KernelBuilder &k, Value value, Type from, Type to) {
  Bits bits{k, k.isVector(value)};
  unsigned before = from.getIntOrFloatBitWidth(), after = to.getIntOrFloatBitWidth();
  if (after == 1)
    return before == 1 ? value : bits.compare(arith::CmpIPredicate::ne, value, bits.constant(getComputeType(from), 0));
  if (after == before)
    return value;
  if (after < before)
    return bits.truncate(value, getComputeType(to));
  if (from.isUnsignedInteger() || before == 1)
    return bits.extend(value, getComputeType(to));
  return arith::ExtSIOp::create(k.b, k.loc, bits.type(getComputeType(to)), value);
}

Value emitCast(KernelBuilder &k, Value value, Type from, Type to, bool saturate) {
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  if (from == to)
    return value;
  if (fromFloat && toFloat)
    return floatToFloat(k, value, from, to, saturate);
  if (fromFloat)
    return floatToInteger(k, value, to);
  if (toFloat)
    return integerToFloat(k, value, from, to, saturate);
  return integerToInteger(k, value, from, to);
}

} // namespace dscc::kernels
