#include "tools/simulator/translate/Floats.h"

#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

static const fltSemantics &semanticsOf(Type *type) { return type->getScalarType()->getFltSemantics(); }

static Constant *bitsOfConstant(Type *integers, const APFloat &value) {
  return ConstantInt::get(integers, value.bitcastToAPInt());
}

Type *Floats::integerFor(Type *type) {
  Type *element = t.integer(type->getScalarSizeInBits());
  auto vector = dyn_cast<FixedVectorType>(type);
  return vector ? FixedVectorType::get(element, vector->getNumElements()) : element;
}

static Type *withElement(Type *shape, Type *element) {
  auto vector = dyn_cast<FixedVectorType>(shape);
  return vector ? FixedVectorType::get(element, vector->getNumElements()) : element;
}

Value *Floats::widen(Value *value, bool toDouble) {
  return b.CreateFPExt(value, withElement(value->getType(), toDouble ? b.getDoubleTy() : b.getFloatTy()));
}

Value *Floats::roundToNearest(Value *value, PtxType to) {
  bool isDouble = value->getType()->getScalarType()->isDoubleTy();
  if (to.bits == 32)
    return isDouble ? b.CreateFPTrunc(value, withElement(value->getType(), b.getFloatTy())) : value;
  if (isDouble)
    value = roundToOdd(value);
  Type *target = withElement(value->getType(), to.kind == PtxType::Kind::Bfloat ? b.getBFloatTy() : b.getHalfTy());
  if (to.kind != PtxType::Kind::Bfloat)
    return b.CreateFPTrunc(value, target);
  Value *bits = bitsOf(value);
  Type *words = bits->getType();
  Value *lowest = b.CreateAnd(b.CreateLShr(bits, uint64_t(16)), ConstantInt::get(words, 1));
  Value *rounded = b.CreateAdd(b.CreateAdd(bits, ConstantInt::get(words, 0x7fff)), lowest);
  Value *isNan = b.CreateFCmpUNO(value, value);
  rounded = b.CreateLShr(b.CreateSelect(isNan, ConstantInt::get(words, 0x7fff0000), rounded), uint64_t(16));
  return b.CreateBitCast(b.CreateTrunc(rounded, integerFor(target)), target);
}

/// Of the two neighbours of an inexact result, that with an odd mantissa. `bits` are either's.
Value *Floats::adjustToOdd(Value *bits, Value *isInexact, Value *isTooLarge) {
  Type *words = bits->getType();
  Value *one = ConstantInt::get(words, 1);
  Value *isEven = b.CreateICmpEQ(b.CreateAnd(bits, one), ConstantInt::get(words, 0));
  Value *other = b.CreateSelect(isTooLarge, b.CreateSub(bits, one), b.CreateAdd(bits, one));
  return b.CreateSelect(b.CreateAnd(isInexact, isEven), other, bits);
}

Value *Floats::roundToOdd(Value *value) {
  Value *narrow = b.CreateFPTrunc(value, withElement(value->getType(), b.getFloatTy()));
  Value *back = b.CreateFPExt(narrow, value->getType());
  Value *isTooLarge =
      b.CreateFCmpOGT(b.CreateUnaryIntrinsic(Intrinsic::fabs, back), b.CreateUnaryIntrinsic(Intrinsic::fabs, value));
  return b.CreateBitCast(adjustToOdd(bitsOf(narrow), b.CreateFCmpONE(back, value), isTooLarge), narrow->getType());
}

Value *Floats::fuseNarrow(Value *x, Value *y, Value *z, PtxType type) {
  Value *product = b.CreateFMul(widen(x, true), widen(y, true)); // exact: 22 bits of mantissa at most
  Value *addend = widen(z, true), *sum = b.CreateFAdd(product, addend);
  if (type.kind == PtxType::Kind::Float) // from 2^-24 to 2^16 is less than f64's mantissa: exact, or beyond f16's range
    return roundToNearest(sum, type);
  // What the sum has lost (Knuth's TwoSum).
  Value *part = b.CreateFSub(sum, product);
  Value *lost = b.CreateFAdd(b.CreateFSub(product, b.CreateFSub(sum, part)), b.CreateFSub(addend, part));
  Constant *zero = ConstantFP::get(sum->getType(), 0);
  Value *isTooLarge = b.CreateXor(b.CreateFCmpOGT(lost, zero), b.CreateFCmpOGT(sum, zero));
  Value *odd = adjustToOdd(bitsOf(sum), b.CreateFCmpONE(lost, zero), isTooLarge);
  return roundToNearest(b.CreateBitCast(odd, sum->getType()), type);
}

Value *Floats::flush(Value *value) {
  Value *bits = bitsOf(value);
  Type *words = bits->getType();
  APInt sign = APInt::getSignMask(words->getScalarSizeInBits());
  Value *magnitude = b.CreateAnd(bits, ConstantInt::get(words, ~sign));
  Constant *smallest = bitsOfConstant(words, APFloat::getSmallestNormalized(semanticsOf(value->getType())));
  Value *flushed =
      b.CreateSelect(b.CreateICmpULT(magnitude, smallest), b.CreateAnd(bits, ConstantInt::get(words, sign)), bits);
  return b.CreateBitCast(flushed, value->getType());
}

Value *Floats::saturate(Value *value) {
  Constant *zero = ConstantFP::get(value->getType(), 0), *one = ConstantFP::get(value->getType(), 1);
  Value *least = b.CreateSelect(b.CreateFCmpOGT(value, zero), value, zero);
  return b.CreateSelect(b.CreateFCmpOGT(least, one), one, least);
}

Value *Floats::clampNegative(Value *value) {
  Constant *zero = ConstantFP::get(value->getType(), 0);
  return canonicalize(b.CreateSelect(b.CreateFCmpUGT(value, zero), value, zero));
}

Value *Floats::clampInfinity(Value *value) {
  Value *bits = bitsOf(value);
  Type *words = bits->getType();
  const fltSemantics &semantics = semanticsOf(value->getType());
  Constant *magnitude = ConstantInt::get(words, ~APInt::getSignMask(words->getScalarSizeInBits()));
  Value *isInfinite = b.CreateICmpEQ(b.CreateAnd(bits, magnitude), bitsOfConstant(words, APFloat::getInf(semantics)));
  Value *clamped = b.CreateSelect(isInfinite, b.CreateSub(bits, ConstantInt::get(words, 1)), bits);
  return b.CreateBitCast(clamped, value->getType());
}

Value *Floats::canonicalize(Value *value) {
  Type *words = integerFor(value->getType());
  Constant *canonical = ConstantInt::get(words, ~APInt::getSignMask(words->getScalarSizeInBits()));
  Value *bits = b.CreateSelect(b.CreateFCmpUNO(value, value), canonical, bitsOf(value));
  return b.CreateBitCast(bits, value->getType());
}

} // namespace dscc::sim
