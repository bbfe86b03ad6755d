// Quantised numbers: a float is (q - zero point) * scale.

#include "compiler/import/Conv.h"
#include "compiler/import/Converters.h"
#include "compiler/import/ElementTypes.h"
#include "compiler/import/Matmul.h"

#include <cmath>

using namespace mlir;

namespace dscc {

/// A scale or zero point brought to dims that broadcast against x: one for all, one along the axis, or one a block.
static Value spread(NodeImporter &node, Value parameter, Value x) {
  if (!parameter || !x)
    return {};
  dsc::Dims dims = dimsOf(x), own = dimsOf(parameter);
  if (own.empty() || (own.size() == 1 && own[0].isConstant(1)))
    return node.reshape(parameter, {});
  // Beside a list the axis goes without saying.
  std::optional<int64_t> axis = node.normalizeAxis(dims.size() == 1 ? 0 : node.integer("axis", 1), dims.size());
  if (!axis)
    return {};
  int64_t block = node.integer("block_size", 0);
  if (own.size() == 1 && block == 0) {
    dsc::Dims along(dims.size(), DimExpr(1));
    along[*axis] = own[0];
    return node.reshape(parameter, along);
  }
  if (own.size() != dims.size() || block < 1 || block > (int64_t(1) << 31)) {
    (void)node.reject("has scales of " + dsc::describeDims(own) + " for an input of " + dsc::describeDims(dims));
    return {};
  }
  // Each scale is repeated `block` times; what goes beyond the last element is cut off.
  dsc::Dims split = own, repeated, merged = own;
  split.insert(split.begin() + *axis + 1, DimExpr(1));
  repeated = split;
  repeated[*axis + 1] = block;
  merged[*axis] = own[*axis] * block;
  if (merged[*axis].isConstant() && dims[*axis].isConstant() && !DimExpr::isAtLeast(merged[*axis], dims[*axis])) {
    (void)node.reject("has too few blocks: " + merged[*axis].str() + " for " + dims[*axis].str() + " elements");
    return {};
  }
  Value whole = node.reshape(node.expand(node.reshape(parameter, split), repeated), merged);
  merged[*axis] = dims[*axis];
  return node.slice(whole, dsc::Dims(dims.size(), DimExpr(0)), merged, Integers(dims.size(), 1));
}

/// Rounds, adds the zero point, clamps, converts. `scaled` is a float already divided by the scale.
static Value roundTo(NodeImporter &node, Value scaled, Value zeroPoint, Type type) {
  if (!scaled)
    return {};
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer) {
    Value shifted = zeroPoint ? node.add(scaled, node.cast(zeroPoint, elementOf(scaled))) : scaled;
    return node.cast(shifted, type, node.integer("saturate", 1));
  }
  if (integer.getWidth() > 16) {
    (void)node.unsupported("quantises to " + Twine(integer.getWidth()) + " bits", "up to 16 bits are supported");
    return {};
  }
  Value rounded = node.make<dsc::RoundOp>(scaled);
  if (zeroPoint)
    rounded = node.add(rounded, node.cast(zeroPoint, elementOf(scaled)));
  double low = integer.isUnsigned() ? 0 : -std::ldexp(1.0, integer.getWidth() - 1);
  double high = std::ldexp(1.0, integer.getWidth() - (integer.isUnsigned() ? 0 : 1)) - 1;
  Value clamped = node.make<dsc::MinOp>(node.make<dsc::MaxOp>(rounded, node.scalarLike(rounded, low)),
                                        node.scalarLike(rounded, high));
  return node.cast(clamped, type);
}

/// Small floats are too coarse for sums of rounded numbers.
static Type computeType(NodeImporter &node, Type type) {
  return isa<Float64Type>(type) ? type : Type(node.builder.getF32Type());
}

static LogicalResult convertQuantizeLinear(NodeImporter &node) {
  Value x = node.input(0), scale = node.input(1), zeroPoint = node.input(2);
  Type type = zeroPoint ? elementOf(zeroPoint) : Type(node.builder.getIntegerType(8, /*isSigned=*/false));
  if (int64_t wanted = node.integer("output_dtype", 0)) {
    type = elementType(node.builder.getContext(), wanted);
    if (!type)
      return node.unsupported("quantises to " + dataTypeName(wanted));
  }
  if (!isa<FloatType>(elementOf(scale)))
    return node.reject("has a scale that is not of a floating-point type");
  Type division = elementOf(scale);
  if (int64_t precision = node.integer("precision", 0))
    division = elementType(node.builder.getContext(), precision);
  if (!isa_and_nonnull<FloatType>(division))
    return node.unsupported("divides in a type that is not a float");
  scale = spread(node, scale, x);
  zeroPoint = zeroPoint ? spread(node, zeroPoint, x) : Value();
  Type type32 = computeType(node, division);
  // Dividing in f32 and rounding to the scale's type is division in that type.
  Value scaled = node.div(node.cast(x, type32), node.cast(scale, type32));
  scaled = node.cast(node.cast(scaled, division), type32);
  return node.finish(roundTo(node, scaled, zeroPoint, type));
}

static LogicalResult convertDequantizeLinear(NodeImporter &node) {
  Value x = node.input(0), scale = node.input(1), zeroPoint = node.input(2);
  Type type = elementOf(scale);
  if (int64_t wanted = node.integer("output_dtype", 0))
    type = elementType(node.builder.getContext(), wanted);
  if (!isa_and_nonnull<FloatType>(type) || !isa<FloatType>(elementOf(scale)))
    return node.unsupported("dequantises to a type that is not a float");
  bool isInteger = isa<IntegerType>(elementOf(x));
  Type wide = isInteger ? Type(node.builder.getI32Type()) : computeType(node, type);
  Value shifted = node.cast(x, wide);
  if (zeroPoint)
    shifted = node.sub(shifted, node.cast(spread(node, zeroPoint, x), wide));
  Type product = computeType(node, type);
  Value result = node.mul(node.cast(shifted, product), node.cast(spread(node, scale, x), product));
  return node.finish(node.cast(result, type));
}

static LogicalResult convertDynamicQuantizeLinear(NodeImporter &node) {
  Value x = node.input(0);
  ArrayAttr axes = node.attribute(llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x))));
  Value zero = node.scalarLike(x, 0), top = node.scalarLike(x, 255);
  Value low = node.make<dsc::MinOp>(node.reshape(node.make<dsc::ReduceMinOp>(x, axes), {}), zero);
  Value high = node.make<dsc::MaxOp>(node.reshape(node.make<dsc::ReduceMaxOp>(x, axes), {}), zero);
  Value range = node.sub(high, low);
  // Of zeros alone, as silence is, the scale is 1: what divides by it must not get 0 / 0.
  Value scale =
      node.make<dsc::WhereOp>(node.make<dsc::EqualOp>(range, zero), node.scalarLike(x, 1), node.div(range, top));
  Type type = node.builder.getIntegerType(8, /*isSigned=*/false);
  Value zeroPoint = roundTo(node, node.div(node.sub(zero, low), scale), Value(), type);
  node.setResult(1, scale);
  node.setResult(2, zeroPoint);
  return node.finish(roundTo(node, node.div(x, scale), zeroPoint, type));
}

/// A product of zero-based integers, as the numbers of the result's scale.
static Value rescale(NodeImporter &node, Value sums, Value scaleA, Value scaleB, Value scaleY, Value zeroPoint) {
  Type f32 = node.builder.getF32Type();
  Value factor = node.div(node.mul(node.cast(scaleA, f32), node.cast(scaleB, f32)), node.cast(scaleY, f32));
  return zeroPoint ? roundTo(node, node.mul(node.cast(sums, f32), factor), zeroPoint, elementOf(zeroPoint)) : Value();
}

static Value asScalar(NodeImporter &node, Value value) {
  if (value && rankOf(value) <= 1 && dsc::countElements(dimsOf(value)).isConstant(1))
    return node.reshape(value, {});
  return value;
}

static LogicalResult convertQLinearMatMul(NodeImporter &node) {
  Value a = subtractZeroPoint(node, node.input(0), asScalar(node, node.input(2)), /*isRows=*/true);
  Value b = subtractZeroPoint(node, node.input(3), asScalar(node, node.input(5)), /*isRows=*/false);
  if (!a || !b || rankOf(a) < 2 || rankOf(b) < 2)
    return node.unsupported("multiplies vectors", "give both operands rank 2 or more");
  Value scaleA = asScalar(node, node.input(1));
  if (rankOf(scaleA) == 1)
    scaleA = node.reshape(scaleA, {dimsOf(scaleA)[0], 1});
  return node.finish(rescale(node, makeMatmul(node, a, b), scaleA, asScalar(node, node.input(4)),
                             asScalar(node, node.input(6)), asScalar(node, node.input(7))));
}

static LogicalResult convertQLinearConv(NodeImporter &node) {
  Value x = node.input(0), filter = node.input(3), bias = node.input(8);
  if (rankOf(filter) < 3)
    return node.reject("has a filter of rank " + Twine(rankOf(filter)));
  // What belongs to an output channel stands along the filter's first dim, and along dim 1 of the result.
  auto along = [&](Value value, int64_t rank) {
    value = asScalar(node, value);
    if (!value || rankOf(value) == 0)
      return value;
    dsc::Dims dims(rank, DimExpr(1));
    dims[0] = dsc::countElements(dimsOf(value));
    return node.reshape(value, dims);
  };
  Value zeroBased = subtractZeroPoint(node, x, asScalar(node, node.input(2)), /*isRows=*/false);
  Value weights = subtractZeroPoint(node, filter, along(node.input(5), rankOf(filter)), /*isRows=*/false);
  Value sums = makeConv(node, zeroBased, weights);
  if (bias && sums)
    sums = node.add(sums, along(bias, rankOf(sums) - 1));
  return node.finish(rescale(node, sums, asScalar(node, node.input(1)), along(node.input(4), rankOf(filter) - 1),
                             asScalar(node, node.input(6)), asScalar(node, node.input(7))));
}

ArrayRef<Converter> quantizeConverters() {
  static constexpr Converter entries[] = {
      {"", "QuantizeLinear", 10, 2, 3, convertQuantizeLinear,
       "float16+bfloat16+float+int32, float16+bfloat16+float+int32+float8e8m0, "
       "float8s+narrow+int8+int16+uint8+uint16+float4e2m1"},
      {"", "DequantizeLinear", 10, 2, 3, convertDequantizeLinear,
       "T1=float8s+narrow+int8+int16+int32+uint8+uint16+float4e2m1, float16+bfloat16+float+float8e8m0, T1"},
      {"", "DynamicQuantizeLinear", 11, 1, 1, convertDynamicQuantizeLinear, "float"},
      {"", "QLinearMatMul", 10, 8, 8, convertQLinearMatMul,
       "T1=float8s+int8+uint8, TS=float16+bfloat16+float, T1, T2=float8s+int8+uint8, TS, T2, TS, float8s+int8+uint8"},
      {"", "QLinearConv", 10, 8, 9, convertQLinearConv,
       "T1=int8+uint8, float, T1, T2=int8+uint8, float, T2, float, int8+uint8, int32"},
  };
  return entries;
}

} // namespace dscc
