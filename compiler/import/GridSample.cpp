// GridSample: a tensor read at places between its elements, which a grid names.
//
//     grid ─► places ─► neighbours ─► gather_nd ─┐
//                  └──► weights ─────────────────┴ mul ─► sum ─► y
//
// While it is computed the channels come last, so that a neighbour is a slice. What lies outside of the tensor counts
// as zero, as the nearest border, or as its mirror image.

#include "compiler/import/Converters.h"
#include "dialects/dsc/CubicWeights.h"

using namespace mlir;

namespace dscc {

namespace {

/// A neighbour along one axis. A null weight is 1; where `inside` is false, and not null, the neighbour is zero.
struct Neighbour {
  Value index, weight, inside;
};

/// Arithmetic on values of the grid's type.
struct GridMath {
  NodeImporter &node;
  Value grid;

  Value number(double value) const { return node.scalarLike(grid, value); }
  Value add(Value a, Value b) const { return node.add(a, b); }
  Value sub(Value a, Value b) const { return node.sub(a, b); }
  Value mul(Value a, Value b) const { return node.mul(a, b); }
};

class GridSampler {
public:
  explicit GridSampler(NodeImporter &node) : node(node) {}
  LogicalResult convert();

private:
  LogicalResult readAttributes();
  Value number(double value) { return node.scalarLike(grid, value); }
  Value count(const DimExpr &dim);
  Value less(Value a, Value b) { return node.make<dsc::LessOp>(a, b); }
  Value choose(Value condition, Value a, Value b) { return node.make<dsc::WhereOp>(condition, a, b); }
  Value clamp(Value place, size_t axis);
  Value reflect(Value place, size_t axis);
  Value placeAlong(size_t axis);
  Neighbour neighbour(Value index, Value weight, size_t axis);
  SmallVector<Neighbour> neighboursAlong(size_t axis);
  Value read(ArrayRef<Neighbour> corner);

  NodeImporter &node;
  Value data, grid;
  dsc::Dims sizes, places; // of the data's spatial axes; of the grid, with a 1 for the channels
  std::string mode, padding;
  bool alignCorners = false;
};

} // namespace

LogicalResult GridSampler::readAttributes() {
  mode = node.text("mode", "linear");
  if (mode == "bilinear" || mode == "bicubic") // their names before opset 20
    mode.erase(0, 2);
  padding = node.text("padding_mode", "zeros");
  alignCorners = node.integer("align_corners", 0);
  if (mode != "nearest" && mode != "linear" && mode != "cubic")
    return node.reject("has the unknown mode '" + mode + "'");
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    return node.reject("has the unknown padding_mode '" + padding + "'");
  return success();
}

Value GridSampler::count(const DimExpr &dim) {
  return node.cast(node.dims({dim}, node.builder.getI64Type(), /*isScalar=*/true), elementOf(grid));
}

/// To the elements' own range.
Value GridSampler::clamp(Value place, size_t axis) {
  Value last = count(sizes[axis] - 1);
  return node.make<dsc::MaxOp>(node.make<dsc::MinOp>(place, last), number(0));
}

/// There and back between the borders, which are the outer elements' centres or their edges.
Value GridSampler::reflect(Value place, size_t axis) {
  Value low = number(alignCorners ? 0 : -0.5), width = count(alignCorners ? sizes[axis] - 1 : sizes[axis]);
  Value high = node.add(low, width), isBelow = less(place, low), isAbove = less(high, place);
  Value beyond = choose(isBelow, node.sub(low, place), node.sub(place, high));
  // A single element has no width, and every place is its own.
  width = node.make<dsc::MaxOp>(width, number(1));
  Value turns = node.make<dsc::FloorOp>(node.div(beyond, width));
  Value rest = node.sub(beyond, node.mul(turns, width));
  Value isEven = node.make<dsc::EqualOp>(node.make<dsc::FloorModOp>(turns, number(2)), number(0));
  Value fromLow = node.add(low, rest), fromHigh = node.sub(high, rest);
  return choose(isBelow, choose(isEven, fromLow, fromHigh), choose(isAbove, choose(isEven, fromHigh, fromLow), place));
}

/// Where the grid points to, counted in elements; the grid counts from -1 to 1, its last axis first.
Value GridSampler::placeAlong(size_t axis) {
  dsc::Dims starts(places.size(), DimExpr(0));
  starts.back() = sizes.size() - 1 - axis;
  Value from = node.add(node.slice(grid, starts, places, Integers(places.size(), 1)), number(1));
  Value place = alignCorners ? node.mul(node.div(from, number(2)), count(sizes[axis] - 1))
                             : node.div(node.sub(node.mul(from, count(sizes[axis])), number(1)), number(2));
  if (mode == "nearest")
    place = node.make<dsc::RoundOp>(place);
  if (padding == "zeros")
    return place;
  if (padding == "reflection")
    return reflect(place, axis);
  // The half of an element before the border is left to the neighbours' clamping.
  Value low = number(alignCorners ? 0 : -0.5), high = node.add(count(sizes[axis] - 1), number(alignCorners ? 0 : 0.5));
  Value isOutside = node.make<dsc::OrOp>(less(place, low), less(high, place));
  return choose(isOutside, clamp(place, axis), place);
}

Neighbour GridSampler::neighbour(Value index, Value weight, size_t axis) {
  Type i64 = node.builder.getI64Type();
  if (padding == "zeros") {
    Value inside =
        node.make<dsc::AndOp>(node.make<dsc::LessEqualOp>(number(0), index), less(index, count(sizes[axis])));
    return {node.cast(index, i64), weight, inside};
  }
  return {node.cast(padding == "border" ? clamp(index, axis) : reflect(index, axis), i64), weight, {}};
}

SmallVector<Neighbour> GridSampler::neighboursAlong(size_t axis) {
  Value place = placeAlong(axis);
  if (mode == "nearest")
    return {neighbour(place, {}, axis)};
  Value low = node.make<dsc::FloorOp>(place), t = node.sub(place, low);
  bool isCubic = mode == "cubic";
  SmallVector<Value> weights =
      isCubic ? cubicWeights(GridMath{node, grid}, /*a=*/-0.75, t) : SmallVector<Value>{node.sub(number(1), t), t};
  SmallVector<Neighbour> result;
  for (auto [i, weight] : llvm::enumerate(weights))
    result.push_back(neighbour(node.add(low, number(double(i) - isCubic)), weight, axis));
  return result;
}

/// The slice at one corner, times the corner's weight.
Value GridSampler::read(ArrayRef<Neighbour> corner) {
  SmallVector<Value> indices;
  Value weight, inside;
  for (const Neighbour &side : corner) {
    indices.push_back(side.index);
    weight = weight && side.weight ? node.mul(weight, side.weight) : side.weight;
    inside = inside && side.inside ? node.make<dsc::AndOp>(inside, side.inside) : side.inside;
  }
  IntegerAttr last = node.builder.getI64IntegerAttr(places.size() - 1);
  Value tuple = indices.size() == 1 ? indices[0] : node.make<dsc::ConcatOp>(indices, last);
  Value slice = node.make<dsc::GatherNdOp>(data, tuple, node.builder.getI64IntegerAttr(1));
  if (inside)
    slice = choose(inside, slice, node.scalarLike(slice, 0));
  return weight && slice ? node.mul(slice, node.cast(weight, elementOf(slice))) : slice;
}

LogicalResult GridSampler::convert() {
  data = node.input(0), grid = node.input(1);
  dsc::Dims dims = dimsOf(data), gridDims = dimsOf(grid);
  size_t spatial = dims.size() - 2;
  if (dims.size() < 3 || gridDims.size() != dims.size())
    return node.reject("has a grid " + dsc::describeDims(gridDims) + " for data " + dsc::describeDims(dims));
  if (mlir::failed(readAttributes()) || mlir::failed(node.requireEqual(dims[0], gridDims[0], "batch dims")) ||
      mlir::failed(node.requireEqual(gridDims.back(), spatial, "coordinates and spatial dims")))
    return failure();
  if (spatial > 3 || (spatial > 2 && mode == "cubic"))
    return node.unsupported("samples " + Twine(spatial) + " dims in mode " + mode,
                            "up to 3 dims, or 2 in mode cubic, are supported");
  Type type = elementOf(data), f32 = node.builder.getF32Type(), f64 = node.builder.getF64Type();
  if (!isa<FloatType>(elementOf(grid)) || (mode != "nearest" && !isa<FloatType>(type)))
    return node.reject("has a grid, or data to interpolate, that is not of a floating-point type");
  if (mode != "nearest")
    data = node.cast(data, type.isF64() ? f64 : f32);
  grid = node.cast(grid, elementOf(grid).isF64() ? f64 : f32);
  sizes.assign(dims.begin() + 2, dims.end());
  places = gridDims;
  places.back() = 1;

  Integers channelsLast = {0}, channelsSecond = {0, int64_t(spatial) + 1};
  for (size_t axis = 0; axis < spatial; ++axis) {
    channelsLast.push_back(axis + 2);
    channelsSecond.push_back(axis + 1);
  }
  channelsLast.push_back(1);
  data = node.transpose(data, channelsLast);

  SmallVector<SmallVector<Neighbour>> corners = {{}};
  for (size_t axis = 0; axis < spatial; ++axis) {
    SmallVector<SmallVector<Neighbour>> longer;
    SmallVector<Neighbour> neighbours = neighboursAlong(axis);
    for (const SmallVector<Neighbour> &corner : corners)
      for (const Neighbour &side : neighbours) {
        longer.push_back(corner);
        longer.back().push_back(side);
      }
    corners = longer;
  }
  Value sum;
  for (const SmallVector<Neighbour> &corner : corners)
    sum = sum ? node.add(sum, read(corner)) : read(corner);
  return node.finish(node.cast(node.transpose(sum, channelsSecond), type));
}

static LogicalResult convertGridSample(NodeImporter &node) { return GridSampler(node).convert(); }

ArrayRef<Converter> gridSampleConverters() {
  static constexpr Converter entries[] = {
      {"", "GridSample", 16, 2, 2, convertGridSample, "any, floats"},
  };
  return entries;
}

} // namespace dscc
