// Arithmetic, comparisons, logic, bits and casts.

#include "compiler/import/Converters.h"
#include "compiler/import/ElementTypes.h"

using namespace mlir;

namespace dscc {

/// For what ONNX defines on floats only.
template <class Op> static LogicalResult convertFloatUnary(NodeImporter &node) {
  if (!isa<FloatType>(elementOf(node.input(0))))
    return node.reject("has an input that is not of a floating-point type");
  return node.finish(node.make<Op>(node.input(0)));
}

template <class Op> static LogicalResult convertUnary(NodeImporter &node) {
  if (elementOf(node.input(0)).isInteger(1))
    return node.reject("has an input that is boolean");
  return node.finish(node.make<Op>(node.input(0)));
}

template <class Op> static LogicalResult convertBinary(NodeImporter &node) {
  return node.finish(node.make<Op>(node.input(0), node.input(1)));
}

template <class Op> static LogicalResult convertArithmetic(NodeImporter &node) {
  if (elementOf(node.input(0)).isInteger(1))
    return node.reject("does arithmetic on booleans");
  return convertBinary<Op>(node);
}

template <class Op> static LogicalResult convertLogical(NodeImporter &node) {
  if (!elementOf(node.input(0)).isInteger(1))
    return node.reject("has an input that is not boolean");
  return convertBinary<Op>(node);
}

static LogicalResult convertNot(NodeImporter &node) {
  if (!elementOf(node.input(0)).isInteger(1))
    return node.reject("has an input that is not boolean");
  return node.finish(node.make<dsc::NotOp>(node.input(0)));
}

template <class Op> static LogicalResult convertBitwise(NodeImporter &node) {
  if (!isa<IntegerType>(elementOf(node.input(0))))
    return node.reject("has an input that is not an integer");
  return convertBinary<Op>(node);
}

static LogicalResult convertBitwiseNot(NodeImporter &node) {
  if (!isa<IntegerType>(elementOf(node.input(0))))
    return node.reject("has an input that is not an integer");
  return node.finish(node.make<dsc::NotOp>(node.input(0)));
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
  return isTruncated ? convertArithmetic<dsc::TruncModOp>(node) : convertArithmetic<dsc::FloorModOp>(node);
}

static LogicalResult convertBitShift(NodeImporter &node) {
  std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return node.reject("shifts in the direction '" + direction + "', which must be LEFT or RIGHT");
  return direction == "LEFT" ? convertBitwise<dsc::ShiftLeftOp>(node) : convertBitwise<dsc::ShiftRightOp>(node);
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
    if (node.input(i) && rankOf(node.input(i)) > 1)
      return node.reject("has a bound that is not a scalar");
  Value low = node.input(1) ? node.reshape(node.input(1), {}) : Value();
  Value high = node.input(2) ? node.reshape(node.input(2), {}) : Value();
  return node.finish(clamp(node, node.input(0), low, high));
}

ArrayRef<Converter> elementwiseConverters() {
  static constexpr Converter entries[] = {
      {"", "Abs", 1, 1, 1, convertUnary<dsc::AbsOp>},
      {"", "Neg", 1, 1, 1, convertUnary<dsc::NegOp>},
      {"", "Sign", 9, 1, 1, convertUnary<dsc::SignOp>},
      {"", "Floor", 1, 1, 1, convertFloatUnary<dsc::FloorOp>},
      {"", "Ceil", 1, 1, 1, convertFloatUnary<dsc::CeilOp>},
      {"", "Round", 11, 1, 1, convertFloatUnary<dsc::RoundOp>},
      {"", "Sqrt", 1, 1, 1, convertFloatUnary<dsc::SqrtOp>},
      {"", "Reciprocal", 1, 1, 1, convertFloatUnary<dsc::ReciprocalOp>},
      {"", "Exp", 1, 1, 1, convertFloatUnary<dsc::ExpOp>},
      {"", "Log", 1, 1, 1, convertFloatUnary<dsc::LogOp>},
      {"", "Sin", 7, 1, 1, convertFloatUnary<dsc::SinOp>},
      {"", "Cos", 7, 1, 1, convertFloatUnary<dsc::CosOp>},
      {"", "Tan", 7, 1, 1, convertFloatUnary<dsc::TanOp>},
      {"", "Asin", 7, 1, 1, convertFloatUnary<dsc::AsinOp>},
      {"", "Acos", 7, 1, 1, convertFloatUnary<dsc::AcosOp>},
      {"", "Atan", 7, 1, 1, convertFloatUnary<dsc::AtanOp>},
      {"", "Sinh", 9, 1, 1, convertFloatUnary<dsc::SinhOp>},
      {"", "Cosh", 9, 1, 1, convertFloatUnary<dsc::CoshOp>},
      {"", "Tanh", 1, 1, 1, convertFloatUnary<dsc::TanhOp>},
      {"", "Asinh", 9, 1, 1, convertFloatUnary<dsc::AsinhOp>},
      {"", "Acosh", 9, 1, 1, convertFloatUnary<dsc::AcoshOp>},
      {"", "Atanh", 9, 1, 1, convertFloatUnary<dsc::AtanhOp>},
      {"", "Erf", 9, 1, 1, convertUnary<dsc::ErfOp>},
      {"", "Sigmoid", 1, 1, 1, convertFloatUnary<dsc::SigmoidOp>},
      {"", "Relu", 1, 1, 1, convertUnary<dsc::ReluOp>},
      {"", "Softplus", 1, 1, 1, convertFloatUnary<dsc::SoftplusOp>},
      {"", "IsNaN", 9, 1, 1, convertFloatUnary<dsc::IsNanOp>},
      {"", "IsInf", 10, 1, 1, convertIsInf},
      {"", "Not", 1, 1, 1, convertNot},
      {"", "BitwiseNot", 18, 1, 1, convertBitwiseNot},
      {"", "Add", 7, 2, 2, convertArithmetic<dsc::AddOp>},
      {"", "Sub", 7, 2, 2, convertArithmetic<dsc::SubOp>},
      {"", "Mul", 7, 2, 2, convertArithmetic<dsc::MulOp>},
      {"", "Div", 7, 2, 2, convertArithmetic<dsc::DivOp>},
      {"", "Pow", 7, 2, 2, convertPow},
      {"", "Mod", 10, 2, 2, convertMod},
      {"", "And", 7, 2, 2, convertLogical<dsc::AndOp>},
      {"", "Or", 7, 2, 2, convertLogical<dsc::OrOp>},
      {"", "Xor", 7, 2, 2, convertLogical<dsc::XorOp>},
      {"", "BitwiseAnd", 18, 2, 2, convertBitwise<dsc::AndOp>},
      {"", "BitwiseOr", 18, 2, 2, convertBitwise<dsc::OrOp>},
      {"", "BitwiseXor", 18, 2, 2, convertBitwise<dsc::XorOp>},
      {"", "BitShift", 11, 2, 2, convertBitShift},
      {"", "Equal", 7, 2, 2, convertBinary<dsc::EqualOp>},
      {"", "Less", 7, 2, 2, convertBinary<dsc::LessOp>},
      {"", "LessOrEqual", 12, 2, 2, convertBinary<dsc::LessEqualOp>},
      {"", "Greater", 7, 2, 2, convertSwapped<dsc::LessOp>},
      {"", "GreaterOrEqual", 12, 2, 2, convertSwapped<dsc::LessEqualOp>},
      {"", "Max", 1, 1, anyCount, convertVariadic<dsc::MaxOp>},
      {"", "Min", 1, 1, anyCount, convertVariadic<dsc::MinOp>},
      {"", "Sum", 1, 1, anyCount, convertVariadic<dsc::AddOp>},
      {"", "Mean", 1, 1, anyCount, convertMean},
      {"", "Where", 9, 3, 3, convertWhere},
      {"", "Cast", 6, 1, 1, convertCast},
      {"", "CastLike", 15, 2, 2, convertCastLike},
      {"", "BitCast", 26, 1, 1, convertBitCast},
      {"", "Clip", 6, 1, 1, convertClipByAttributes},
      {"", "Clip", 11, 1, 3, convertClip},
  };
  return entries;
}

} // namespace dscc
