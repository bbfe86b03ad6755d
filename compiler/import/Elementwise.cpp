// Arithmetic, comparisons, logic, bits and casts.

#include "compiler/import/Converters.h"
#include "compiler/import/ElementTypes.h"

using namespace mlir;

namespace dscc {

template <class Op> static LogicalResult convertUnary(NodeImporter &node) {
  return node.finish(node.make<Op>(node.input(0)));
}

template <class Op> static LogicalResult convertBinary(NodeImporter &node) {
  return node.finish(node.make<Op>(node.input(0), node.input(1)));
}

template <class Op> static LogicalResult convertSwapped(NodeImporter &node) {
  return node.finish(node.make<Op>(node.input(1), node.input(0)));
}

template <class Op> static Value fold(NodeImporter &node) {
  Value result = node.input(0);
  for (size_t i = 1; i < node.inputCount(); ++i)
    if (!node.input(i))
      (void)node.reject("lacks its input " + Twine(i));
  for (size_t i = 1; i < node.inputCount(); ++i)
    result = node.make<Op>(result, node.input(i));
  return result;
}

template <class Op> static LogicalResult convertVariadic(NodeImporter &node) { return node.finish(fold<Op>(node)); }

static LogicalResult convertMean(NodeImporter &node) {
  Value sum = fold<dsc::AddOp>(node);
  return node.finish(node.div(sum, node.scalarLike(sum, node.inputCount())));
}

static LogicalResult convertPow(NodeImporter &node) {
  Value base = node.input(0), exponent = node.input(1);
  Type result = elementOf(base);
  // An integer to a fractional power is computed in the exponent's type.
  Type type = isa<IntegerType>(result) && isa<FloatType>(elementOf(exponent)) ? elementOf(exponent) : result;
  Value power = node.make<dsc::PowOp>(node.cast(base, type), node.cast(exponent, type));
  return node.finish(node.cast(power, result));
}

static LogicalResult convertMod(NodeImporter &node) {
  bool isTruncated = node.integer("fmod", 0);
  return isTruncated ? convertBinary<dsc::TruncModOp>(node) : convertBinary<dsc::FloorModOp>(node);
}

static LogicalResult convertBitShift(NodeImporter &node) {
  std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return node.reject("shifts in the direction '" + direction + "', which must be LEFT or RIGHT");
  return direction == "LEFT" ? convertBinary<dsc::ShiftLeftOp>(node) : convertBinary<dsc::ShiftRightOp>(node);
}

static LogicalResult convertIsInf(NodeImporter &node) {
  bool negative = node.integer("detect_negative", 1), positive = node.integer("detect_positive", 1);
  Value x = node.input(0), infinite = node.make<dsc::IsInfOp>(x), zero = node.scalarLike(x, 0);
  if (negative && positive)
    return node.finish(infinite);
  Value sign = positive ? node.make<dsc::LessOp>(zero, x) : node.make<dsc::LessOp>(x, zero);
  if (!negative && !positive)
    return node.finish(node.splat(dimsOf(x), node.builder.getI1Type(), 0));
  return node.finish(node.make<dsc::AndOp>(infinite, sign));
}

static LogicalResult castTo(NodeImporter &node, Type type) {
  std::string rounding = node.text("round_mode", "up");
  if (rounding != "up" && isa<Float8E8M0FNUType>(type))
    return node.unsupported("rounds '" + rounding + "'", "round_mode up is supported");
  return node.finish(node.cast(node.input(0), type, node.integer("saturate", 1)));
}

static LogicalResult convertCast(NodeImporter &node) {
  int64_t to = node.integer("to", 0);
  Type type = elementType(node.builder.getContext(), to);
  return type ? castTo(node, type) : node.unsupported("casts to type " + dataTypeName(to));
}

static LogicalResult convertCastLike(NodeImporter &node) { return castTo(node, elementOf(node.input(1))); }

static LogicalResult convertBitCast(NodeImporter &node) {
  int64_t to = node.integer("to", 0);
  Value x = node.input(0);
  Type type = elementType(node.builder.getContext(), to);
  if (!type || type.isInteger(1) != elementOf(x).isInteger(1))
    return node.unsupported("casts the bits to type " + dataTypeName(to));
  return node.finish(type == elementOf(x) ? x : node.makeTyped<dsc::BitcastOp>(dsc::makeTensor(dimsOf(x), type), x));
}

static LogicalResult convertWhere(NodeImporter &node) {
  return node.finish(node.make<dsc::WhereOp>(node.input(0), node.input(1), node.input(2)));
}

static Value clamp(NodeImporter &node, Value x, Value low, Value high) {
  // Where low is above high, high wins.
  x = low ? node.make<dsc::MaxOp>(x, low) : x;
  return high ? node.make<dsc::MinOp>(x, high) : x;
}

static LogicalResult convertClipByAttributes(NodeImporter &node) {
  Value x = node.input(0);
  Value low = node.hasAttribute("min") ? node.scalarLike(x, node.number("min", 0)) : Value();
  Value high = node.hasAttribute("max") ? node.scalarLike(x, node.number("max", 0)) : Value();
  return node.finish(clamp(node, x, low, high));
}

static LogicalResult convertClip(NodeImporter &node) {
  for (size_t i : {1, 2})
    if (node.input(i) && !dsc::countElements(dimsOf(node.input(i))).isConstant(1))
      return node.reject("has a bound that is not a scalar");
  Value low = node.input(1) ? node.reshape(node.input(1), {}) : Value();
  Value high = node.input(2) ? node.reshape(node.input(2), {}) : Value();
  return node.finish(clamp(node, node.input(0), low, high));
}

ArrayRef<Converter> elementwiseConverters() {
  static constexpr Converter entries[] = {
      {"", "Abs", 1, 1, 1, convertUnary<dsc::AbsOp>, "numbers"},
      {"", "Neg", 1, 1, 1, convertUnary<dsc::NegOp>, "floats+signed"},
      {"", "Sign", 9, 1, 1, convertUnary<dsc::SignOp>, "numbers"},
      {"", "Floor", 1, 1, 1, convertUnary<dsc::FloorOp>, "floats"},
      {"", "Ceil", 1, 1, 1, convertUnary<dsc::CeilOp>, "floats"},
      {"", "Round", 11, 1, 1, convertUnary<dsc::RoundOp>, "floats"},
      {"", "Sqrt", 1, 1, 1, convertUnary<dsc::SqrtOp>, "floats"},
      {"", "Reciprocal", 1, 1, 1, convertUnary<dsc::ReciprocalOp>, "floats"},
      {"", "Exp", 1, 1, 1, convertUnary<dsc::ExpOp>, "floats"},
      {"", "Log", 1, 1, 1, convertUnary<dsc::LogOp>, "floats"},
      {"", "Sin", 7, 1, 1, convertUnary<dsc::SinOp>, "floats"},
      {"", "Cos", 7, 1, 1, convertUnary<dsc::CosOp>, "floats"},
      {"", "Tan", 7, 1, 1, convertUnary<dsc::TanOp>, "floats"},
      {"", "Asin", 7, 1, 1, convertUnary<dsc::AsinOp>, "floats"},
      {"", "Acos", 7, 1, 1, convertUnary<dsc::AcosOp>, "floats"},
      {"", "Atan", 7, 1, 1, convertUnary<dsc::AtanOp>, "floats"},
      {"", "Sinh", 9, 1, 1, convertUnary<dsc::SinhOp>, "floats"},
      {"", "Cosh", 9, 1, 1, convertUnary<dsc::CoshOp>, "floats"},
      {"", "Tanh", 1, 1, 1, convertUnary<dsc::TanhOp>, "floats"},
      {"", "Asinh", 9, 1, 1, convertUnary<dsc::AsinhOp>, "floats"},
      {"", "Acosh", 9, 1, 1, convertUnary<dsc::AcoshOp>, "floats"},
      {"", "Atanh", 9, 1, 1, convertUnary<dsc::AtanhOp>, "floats"},
      {"", "Erf", 9, 1, 1, convertUnary<dsc::ErfOp>, "floats"},
      {"", "Sigmoid", 1, 1, 1, convertUnary<dsc::SigmoidOp>, "floats"},
      {"", "Relu", 1, 1, 1, convertUnary<dsc::ReluOp>, "floats+signed"},
      {"", "Softplus", 1, 1, 1, convertUnary<dsc::SoftplusOp>, "floats"},
      {"", "Mish", 18, 1, 1, convertUnary<dsc::MishOp>, "floats"},
      {"", "IsNaN", 9, 1, 1, convertUnary<dsc::IsNanOp>, "floats+float8s"},
      {"", "IsInf", 10, 1, 1, convertIsInf, "floats+float8s"},
      {"", "Not", 1, 1, 1, convertUnary<dsc::NotOp>, "bool"},
      {"", "BitwiseNot", 18, 1, 1, convertUnary<dsc::NotOp>, "integers"},
      {"", "Add", 7, 2, 2, convertBinary<dsc::AddOp>, "T=numbers, T"},
      {"", "Sub", 7, 2, 2, convertBinary<dsc::SubOp>, "T=numbers, T"},
      {"", "Mul", 7, 2, 2, convertBinary<dsc::MulOp>, "T=numbers, T"},
      {"", "Div", 7, 2, 2, convertBinary<dsc::DivOp>, "T=numbers, T"},
      {"", "Pow", 7, 2, 2, convertPow, "floats+index, numbers"},
      {"", "Mod", 10, 2, 2, convertMod, "T=numbers, T"},
      {"", "And", 7, 2, 2, convertBinary<dsc::AndOp>, "T=bool, T"},
      {"", "Or", 7, 2, 2, convertBinary<dsc::OrOp>, "T=bool, T"},
      {"", "Xor", 7, 2, 2, convertBinary<dsc::XorOp>, "T=bool, T"},
      {"", "BitwiseAnd", 18, 2, 2, convertBinary<dsc::AndOp>, "T=integers, T"},
      {"", "BitwiseOr", 18, 2, 2, convertBinary<dsc::OrOp>, "T=integers, T"},
      {"", "BitwiseXor", 18, 2, 2, convertBinary<dsc::XorOp>, "T=integers, T"},
      {"", "BitShift", 11, 2, 2, convertBitShift, "T=unsigned, T"},
      {"", "Equal", 7, 2, 2, convertBinary<dsc::EqualOp>, "T=any, T"},
      {"", "Less", 7, 2, 2, convertBinary<dsc::LessOp>, "T=numbers, T"},
      {"", "LessOrEqual", 12, 2, 2, convertBinary<dsc::LessEqualOp>, "T=numbers, T"},
      {"", "Greater", 7, 2, 2, convertSwapped<dsc::LessOp>, "T=numbers, T"},
      {"", "GreaterOrEqual", 12, 2, 2, convertSwapped<dsc::LessEqualOp>, "T=numbers, T"},
      {"", "Max", 1, 1, anyCount, convertVariadic<dsc::MaxOp>, "T=numbers..."},
      {"", "Min", 1, 1, anyCount, convertVariadic<dsc::MinOp>, "T=numbers..."},
      {"", "Sum", 1, 1, anyCount, convertVariadic<dsc::AddOp>, "T=floats..."},
      {"", "Mean", 1, 1, anyCount, convertMean, "T=floats..."},
      {"", "Where", 9, 3, 3, convertWhere, "bool, T=any, T"},
      {"", "Cast", 6, 1, 1, convertCast, "all"},
      {"", "CastLike", 15, 2, 2, convertCastLike, "all, all"},
      {"", "BitCast", 26, 1, 1, convertBitCast, "all"},
      {"", "Clip", 6, 1, 1, convertClipByAttributes, "ieee"},
      {"", "Clip", 11, 1, 3, convertClip, "T=numbers, T, T"},
  };
  return entries;
}

} // namespace dscc
