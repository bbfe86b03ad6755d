// Constants, and tensors that follow from their shape alone.

#include "compiler/import/Converters.h"
#include "compiler/import/Counting.h"
#include "compiler/import/ElementTypes.h"
#include "passes/canonical/EvaluateShapes.h"

#include <cmath>

using namespace mlir;

namespace dscc {

Value countAlong(NodeImporter &node, const DimExpr &size, size_t axis, size_t rank, Type element) {
  assert(axis < rank && "the axis is one of the dims");
  dsc::Dims dims(rank, DimExpr(1));
  dims[axis] = size;
  Type i64 = node.builder.getI64Type();
  RankedTensorType type = node.tensorType(dims, i64);
  if (!type)
    return {};
  return node.cast(node.make<dsc::IotaOp>(node.builder.getI64IntegerAttr(axis), TypeAttr::get(type)), element);
}

static LogicalResult convertConstant(NodeImporter &node) {
  Builder &builder = node.builder;
  if (const onnx::AttributeProto *value = node.find("value"))
    return node.finish(node.constant(value->t()));
  if (node.hasAttribute("value_int"))
    return node.finish(node.reshape(node.integerList({node.integer("value_int", 0)}), {}));
  if (std::optional<Integers> values = node.integers("value_ints"))
    return node.finish(node.integerList(*values));
  if (node.hasAttribute("value_float"))
    return node.finish(node.scalar(builder.getF32Type(), node.number("value_float", 0)));
  if (std::optional<SmallVector<double>> values = node.numbers("value_floats")) {
    SmallVector<float> floats(values->begin(), values->end());
    auto type = RankedTensorType::get({int64_t(floats.size())}, builder.getF32Type());
    return node.finish(node.constant(DenseElementsAttr::get(type, ArrayRef<float>(floats))));
  }
  if (node.hasAttribute("sparse_value"))
    return node.unsupported("holds a sparse tensor", "store it as a dense tensor");
  return node.unsupported("holds no tensor of numbers");
}

static LogicalResult convertConstantOfShape(NodeImporter &node) {
  if (mlir::failed(node.requireList(0)))
    return failure();
  std::optional<dsc::Dims> dims = node.known(node.input(0));
  if (!dims)
    return node.unsupported("has a shape that is computed at run time", "compute the shape from Shape of an input");
  Value value = node.scalar(node.builder.getF32Type(), 0);
  if (const onnx::AttributeProto *attribute = node.find("value"))
    value = node.reshape(node.constant(attribute->t()), {});
  return node.finish(node.expand(value, *dims));
}

/// `k` within [-rows, columns]: beyond, a diagonal lies outside of the matrix, and row + k need not fit its type.
static Value clampDiagonal(NodeImporter &node, Value k, const DimExpr &rows, const DimExpr &columns) {
  constexpr int64_t harmless = int64_t(1) << 62; // plus any row
  if (std::optional<Integers> known = node.knownIntegers(k); known && known->size() == 1)
    if ((*known)[0] >= -harmless && (*known)[0] <= harmless)
      return k;
  Type i64 = node.builder.getI64Type();
  Value low = node.dims({DimExpr(0) - rows}, i64, /*isScalar=*/true), high = node.dims({columns}, i64, true);
  return node.make<dsc::MinOp>(node.make<dsc::MaxOp>(k, low), high);
}

static LogicalResult convertEyeLike(NodeImporter &node) {
  dsc::Dims dims = dimsOf(node.input(0));
  if (dims.size() != 2)
    return node.reject("has an input of rank " + Twine(dims.size()) + ", which must be 2");
  Type i64 = node.builder.getI64Type(), type = elementOf(node.input(0));
  if (node.hasAttribute("dtype"))
    type = elementType(node.builder.getContext(), node.integer("dtype", 1));
  if (!type)
    return node.unsupported("has the dtype " + dataTypeName(node.integer("dtype", 0)));
  Value k = node.reshape(node.integerList({node.integer("k", 0)}), {});
  Value row = node.add(countAlong(node, dims[0], 0, 2, i64), clampDiagonal(node, k, dims[0], dims[1]));
  Value isDiagonal = node.make<dsc::EqualOp>(row, countAlong(node, dims[1], 1, 2, i64));
  return node.finish(node.cast(isDiagonal, type));
}

static LogicalResult convertTrilu(NodeImporter &node) {
  Value x = node.input(0);
  dsc::Dims dims = dimsOf(x);
  if (dims.size() < 2)
    return node.reject("has an input of rank " + Twine(dims.size()) + ", which must be 2 or more");
  Type i64 = node.builder.getI64Type();
  const DimExpr &rows = dims[dims.size() - 2], &columns = dims.back();
  Value row = countAlong(node, rows, 0, 2, i64), column = countAlong(node, columns, 1, 2, i64);
  if (node.input(1))
    row = node.add(row, clampDiagonal(node, node.reshape(node.cast(node.input(1), i64), {}), rows, columns));
  Value keep =
      node.integer("upper", 1) ? node.make<dsc::LessEqualOp>(row, column) : node.make<dsc::LessEqualOp>(column, row);
  return node.finish(node.make<dsc::WhereOp>(keep, x, node.scalarLike(x, 0)));
}

static LogicalResult convertOneHot(NodeImporter &node) {
  Type i64 = node.builder.getI64Type();
  Value given = node.input(0);
  if (elementOf(given).isUnsignedInteger(64)) // which would be negative, and count from the end
    given = node.make<dsc::MinOp>(given, node.scalarLike(given, 0x1p62));
  Value indices = node.cast(given, i64), depthValue = node.cast(node.input(1), i64), values = node.input(2);
  std::optional<dsc::Dims> depth = node.known(depthValue);
  if (!depth || depth->size() != 1)
    return node.unsupported("has a depth that is computed at run time", "make the depth a constant");
  if (rankOf(values) != 1 || !dimsOf(values)[0].isConstant(2))
    return node.reject("has values " + dsc::describeDims(dimsOf(values)) + ", which must be 2 elements");
  dsc::Dims dims = dimsOf(indices);
  int64_t rank = dims.size() + 1;
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", -1), rank);
  if (!axis)
    return failure();
  Value depthScalar = node.reshape(depthValue, {});
  Value isNegative = node.make<dsc::LessOp>(indices, node.scalar(i64, 0));
  indices = node.make<dsc::WhereOp>(isNegative, node.add(indices, depthScalar), indices);
  dims.insert(dims.begin() + *axis, DimExpr(1));
  Value count = countAlong(node, (*depth)[0], *axis, rank, i64);
  Value isHot = node.make<dsc::EqualOp>(count, node.reshape(indices, dims));
  Value off = node.reshape(node.slice(values, {0}, {1}, {1}), {});
  Value on = node.reshape(node.slice(values, {1}, {1}, {1}), {});
  return node.finish(node.make<dsc::WhereOp>(isHot, on, off));
}

/// How many steps of `delta` lead from `start` to before `limit`.
static std::optional<DimExpr> countSteps(const DimExpr &start, const DimExpr &limit, const DimExpr &delta) {
  if (!delta.isConstant() || delta.isConstant(0))
    return std::nullopt;
  bool isUp = delta.constant() > 0;
  const DimExpr &low = isUp ? start : limit, &high = isUp ? limit : start;
  if (low.isConstant() && high.isConstant()) {
    if (low.constant() >= high.constant())
      return 0;
    // Differences of 64-bit numbers fit without a sign.
    uint64_t span = uint64_t(high.constant()) - uint64_t(low.constant()),
             step = isUp ? uint64_t(delta.constant()) : 0 - uint64_t(delta.constant()), count = (span - 1) / step + 1;
    return count > uint64_t(std::numeric_limits<int64_t>::max()) ? high - low : DimExpr(int64_t(count));
  }
  DimExpr count = DimExpr::ceilDiv(high - low, isUp ? delta : DimExpr(0) - delta);
  return count.isNonNegative() ? count : DimExpr::max(0, count);
}

static LogicalResult convertRange(NodeImporter &node) {
  SmallVector<Value> bounds;
  for (size_t i = 0; i < 3; ++i) {
    bounds.push_back(node.reshape(node.input(i), {}));
    if (!bounds.back())
      return failure();
  }
  std::optional<DimExpr> count;
  std::optional<dsc::Dims> start = node.known(bounds[0]), limit = node.known(bounds[1]), delta = node.known(bounds[2]);
  if (start && limit && delta) {
    count = countSteps((*start)[0], (*limit)[0], (*delta)[0]);
  } else {
    auto first = node.knownFloats(bounds[0]), last = node.knownFloats(bounds[1]), step = node.knownFloats(bounds[2]);
    double steps = first && last && step ? std::ceil(((*last)[0] - (*first)[0]) / (*step)[0]) : std::nan("");
    if (std::fabs(steps) < 1e15)
      count = DimExpr(std::max<int64_t>(0, steps));
  }
  if (!count)
    return node.unsupported("has bounds that are computed at run time, or a step of 0",
                            "compute the bounds from Shape of an input");
  Value steps = countAlong(node, *count, 0, 1, elementOf(bounds[0]));
  return node.finish(node.add(bounds[0], node.mul(steps, bounds[2])));
}

namespace {
/// A window function at place t of 0 .. 1: constant + once * cos(2 pi t) + twice * cos(4 pi t).
struct Taper {
  double constant, once, twice;
};
constexpr Taper hann = {0.5, -0.5, 0}, hamming = {25.0 / 46, -21.0 / 46, 0}, blackman = {0.42, -0.5, 0.08};
} // namespace

template <const Taper &taper> static LogicalResult convertTaper(NodeImporter &node) {
  std::optional<dsc::Dims> known = node.known(node.input(0));
  if (!known || known->size() != 1)
    return node.unsupported("has a size that is computed at run time", "make the size a constant");
  Type f32 = node.builder.getF32Type(),
       type = elementType(node.builder.getContext(), node.integer("output_datatype", 1));
  if (!type)
    return node.unsupported("has the output_datatype " + dataTypeName(node.integer("output_datatype", 0)));
  DimExpr size = (*known)[0], period = node.integer("periodic", 1) ? size : size - 1;
  Value length = node.cast(node.dims({period}, node.builder.getI64Type(), /*isScalar=*/true), f32);
  Value turns = node.div(countAlong(node, size, 0, 1, f32), length);
  auto wave = [&](double times, double height) {
    Value angle = node.mul(turns, node.scalar(f32, times * 2 * M_PI));
    return node.mul(node.make<dsc::CosOp>(angle), node.scalar(f32, height));
  };
  Value sum = node.add(node.scalar(f32, taper.constant), wave(1, taper.once));
  return node.finish(node.cast(taper.twice == 0 ? sum : node.add(sum, wave(2, taper.twice)), type));
}

ArrayRef<Converter> constantConverters() {
  static constexpr Converter entries[] = {
      {"", "Constant", 1, 0, 0, convertConstant, ""},
      {"", "ConstantOfShape", 9, 1, 1, convertConstantOfShape, "int64"},
      {"", "EyeLike", 9, 1, 1, convertEyeLike, "any"},
      {"", "Trilu", 14, 1, 2, convertTrilu, "any, int64"},
      {"", "OneHot", 9, 3, 3, convertOneHot, "ieee+integers, ieee+integers, ieee+integers+bool"},
      {"", "Range", 11, 3, 3, convertRange, "T=floats+int16+index, T, T"},
      {"", "HannWindow", 17, 1, 1, convertTaper<hann>, "index"},
      {"", "HammingWindow", 17, 1, 1, convertTaper<hamming>, "index"},
      {"", "BlackmanWindow", 17, 1, 1, convertTaper<blackman>, "index"},
  };
  return entries;
}

} // namespace dscc
