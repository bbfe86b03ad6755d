// Pooling over windows and over everything.

#include "compiler/import/Converters.h"
#include "compiler/import/Counting.h"
#include "compiler/import/WindowAttributes.h"

#include <cmath>

using namespace mlir;

namespace dscc {

static std::optional<WindowAttributes> readPoolWindow(NodeImporter &node) {
  std::optional<Integers> size = node.integers("kernel_shape");
  if (!size) {
    (void)node.reject("has no kernel_shape");
    return std::nullopt;
  }
  std::optional<WindowAttributes> window = readWindow(node, node.input(0), *size);
  if (!window || window->dynamicPads.empty())
    return window;
  (void)node.unsupported("has auto_pad with a stride over dynamic dims",
                         "give it pads instead, or fix the dims with --dim");
  return std::nullopt;
}

static UnitAttr flag(NodeImporter &node, bool isSet) { return isSet ? node.builder.getUnitAttr() : UnitAttr(); }

/// Places in the whole of a tensor, whose channels have these spatial dims, with these column-major: the first runs
/// fastest.
static Value byColumns(NodeImporter &node, Value places, ArrayRef<DimExpr> spatial) {
  Type i64 = node.builder.getI64Type();
  auto number = [&](const DimExpr &dim) { return node.dims({dim}, i64, /*isScalar=*/true); };
  DimExpr step = dsc::countElements(spatial);
  Value within = node.make<dsc::FloorModOp>(places, number(step)), sum = node.sub(places, within);
  places = within;
  for (const DimExpr &dim : llvm::reverse(spatial)) {
    step = DimExpr::exactDiv(step, dim).value_or(DimExpr::floorDiv(step, dim));
    Value coordinate = node.make<dsc::FloorModOp>(places, number(dim));
    Value part = node.mul(coordinate, number(step));
    sum = node.add(sum, part);
    places = node.div(places, number(dim));
  }
  return sum;
}

static LogicalResult convertMaxPool(NodeImporter &node) {
  std::optional<WindowAttributes> window = readPoolWindow(node);
  if (!window)
    return failure();
  Value x = node.input(0);
  ArrayAttr size = node.attribute(window->size), strides = node.attribute(window->strides),
            dilations = node.attribute(window->dilations), pads = node.attribute(window->pads);
  UnitAttr ceilMode = flag(node, node.integer("ceil_mode", 0));
  if (!node.usesOutput(1))
    return node.finish(node.make<dsc::MaxPoolOp>(x, size, strides, dilations, pads, ceilMode));
  ValueRange both = node.makeBoth<dsc::ArgMaxPoolOp>(x, size, strides, dilations, pads, ceilMode);
  if (both.empty())
    return failure();
  dsc::Dims dims = dimsOf(x);
  node.setResult(1,
                 node.integer("storage_order", 0) ? byColumns(node, both[1], ArrayRef(dims).drop_front(2)) : both[1]);
  return node.finish(both[0]);
}

static Value averagePool(NodeImporter &node, Value x, const WindowAttributes &window, bool countPads) {
  return node.make<dsc::AveragePoolOp>(x, node.attribute(window.size), node.attribute(window.strides),
                                       node.attribute(window.dilations), node.attribute(window.pads),
                                       flag(node, node.integer("ceil_mode", 0)), flag(node, countPads));
}

static LogicalResult convertAveragePool(NodeImporter &node) {
  std::optional<WindowAttributes> window = readPoolWindow(node);
  if (!window)
    return failure();
  return node.finish(averagePool(node, node.input(0), *window, node.integer("count_include_pad", 0)));
}

/// |x| to the p.
static Value powerOf(NodeImporter &node, Value x, double p) {
  if (p == 2)
    return node.mul(x, x);
  Value magnitude = node.make<dsc::AbsOp>(x);
  return p == 1 ? magnitude : node.make<dsc::PowOp>(magnitude, node.scalarLike(x, p));
}

/// The p-th root.
static Value rootOf(NodeImporter &node, Value x, double p) {
  if (p == 1)
    return x;
  return p == 2 ? node.make<dsc::SqrtOp>(x) : node.make<dsc::PowOp>(x, node.scalarLike(x, 1 / p));
}

static LogicalResult convertLpPool(NodeImporter &node) {
  int64_t p = node.integer("p", 2);
  std::optional<WindowAttributes> window = readPoolWindow(node);
  if (!window)
    return failure();
  if (p < 1)
    return node.reject("has the norm " + Twine(p) + ", which must be positive");
  if (node.integer("ceil_mode", 0))
    return node.unsupported("has ceil_mode", "LpPool without ceil_mode is supported");
  double elements = 1;
  for (int64_t size : window->size)
    elements *= size;
  Value mean = averagePool(node, powerOf(node, node.input(0), p), *window, /*countPads=*/true);
  return node.finish(rootOf(node, node.mul(mean, node.scalarLike(mean, elements)), p));
}

static std::optional<Integers> spatialAxes(NodeImporter &node) {
  int64_t rank = rankOf(node.input(0));
  if (rank < 3) {
    (void)node.reject("has an input of rank " + Twine(rank) + ", which must be 3 or more");
    return std::nullopt;
  }
  return llvm::to_vector(llvm::seq<int64_t>(2, rank));
}

template <class Op> static LogicalResult convertGlobal(NodeImporter &node) {
  std::optional<Integers> axes = spatialAxes(node);
  return axes ? node.finish(node.make<Op>(node.input(0), node.attribute(*axes))) : failure();
}

static LogicalResult convertGlobalLpPool(NodeImporter &node) {
  std::optional<Integers> axes = spatialAxes(node);
  int64_t p = node.integer("p", 2);
  if (!axes)
    return failure();
  if (p < 1)
    return node.reject("has the norm " + Twine(p) + ", which must be positive");
  Value sum = node.make<dsc::ReduceSumOp>(powerOf(node, node.input(0), p), node.attribute(*axes));
  return node.finish(rootOf(node, sum, p));
}

static LogicalResult convertLpNormalization(NodeImporter &node) {
  Value x = node.input(0);
  int64_t p = node.integer("p", 2);
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", -1), rankOf(x));
  if (!axis)
    return failure();
  if (p != 1 && p != 2)
    return node.reject("has the norm " + Twine(p) + ", which must be 1 or 2");
  Value norm = rootOf(node, node.make<dsc::ReduceSumOp>(powerOf(node, x, p), node.attribute({*axis})), p);
  // A row of zeros stays one.
  Value isZero = node.make<dsc::EqualOp>(norm, node.scalarLike(x, 0));
  return node.finish(node.div(x, node.make<dsc::WhereOp>(isZero, node.scalarLike(x, 1), norm)));
}

/// The window runs over the channels: they become the one spatial dim beside all others.
static LogicalResult convertLrn(NodeImporter &node) {
  Value x = node.input(0);
  dsc::Dims dims = dimsOf(x);
  int64_t size = node.integer("size", 0);
  if (dims.size() < 3 || size < 1 || size > (1 << 20))
    return node.reject("has an input of rank " + Twine(dims.size()) + " and a size of " + Twine(size));
  Value squares = node.reshape(node.mul(x, x), {dims[0], 1, dims[1], dsc::countElements(ArrayRef(dims).drop_front(2))});
  WindowAttributes window{{size, 1}, {1, 1}, {1, 1}, {(size - 1) / 2, 0, size / 2, 0}, {}};
  Value mean = node.reshape(averagePool(node, squares, window, /*countPads=*/true), dims);
  Value base = node.add(node.mul(mean, node.scalarLike(x, node.number("alpha", 0.0001))),
                        node.scalarLike(x, node.number("bias", 1)));
  return node.finish(node.div(x, node.make<dsc::PowOp>(base, node.scalarLike(x, node.number("beta", 0.75)))));
}

/// The input has the places of all windows in one dim.
static LogicalResult convertCol2Im(NodeImporter &node) {
  Value x = node.input(0);
  std::optional<Integers> sizes = node.knownIntegers(node.input(1)), window = node.knownIntegers(node.input(2));
  if (!sizes || !window)
    return node.unsupported("has an image_shape or block_shape that is computed at run time", "make them constants");
  if (dsc::getElementType(x).isInteger(1))
    return node.unsupported("has an input of booleans, whose sum is not defined", "cast them to integers first");
  size_t spatial = sizes->size();
  Integers ones(spatial, 1);
  Integers strides = node.integers("strides").value_or(ones), dilations = node.integers("dilations").value_or(ones),
           pads = node.integers("pads").value_or(Integers(2 * spatial, 0));
  if (rankOf(x) != 3 || spatial == 0 || window->size() != spatial || strides.size() != spatial ||
      dilations.size() != spatial || pads.size() != 2 * spatial)
    return node.reject("has an input of rank " + Twine(rankOf(x)) + ", " + Twine(spatial) + " image sizes, " +
                       Twine(window->size()) + " block sizes, " + Twine(strides.size()) + " strides, " +
                       Twine(dilations.size()) + " dilations and " + Twine(pads.size()) +
                       " pads; the rank must be 3, pads twice as many as sizes, and all others as many");
  dsc::Dims dims = dimsOf(x), places = {dims[0], dims[1]};
  DimExpr count = 1;
  for (size_t i = 0; i < spatial; ++i) {
    if ((*window)[i] < 1 || strides[i] < 1 || dilations[i] < 1 || (*sizes)[i] < 0)
      return node.reject(
          "has a block size, stride or dilation that is not positive, or an image size that is negative");
    places.push_back(dsc::windowDim((*sizes)[i], (*window)[i], strides[i], dilations[i], pads[i], pads[spatial + i],
                                    /*ceilMode=*/false));
    count = count * places.back();
  }
  if (dims[2].isConstant() && dims[2] != count)
    return node.reject("has " + dims[2].str() + " columns, where the image has " + count.str() + " blocks");
  return node.finish(node.make<dsc::SumWindowsOp>(node.reshape(x, places), node.attribute(*window),
                                                  node.attribute(strides), node.attribute(dilations),
                                                  node.attribute(pads), node.attribute(*sizes)));
}

ArrayRef<Converter> poolConverters() {
  static constexpr Converter entries[] = {
      {"", "MaxPool", 1, 1, 1, convertMaxPool, "floats+int8+uint8"},
      {"", "AveragePool", 1, 1, 1, convertAveragePool, "floats"},
      {"", "Col2Im", 18, 3, 3, convertCol2Im, "floats+integers+bool, int64, int64"},
      {"", "LpPool", 2, 1, 1, convertLpPool, "floats"},
      {"", "GlobalAveragePool", 1, 1, 1, convertGlobal<dsc::ReduceMeanOp>, "floats"},
      {"", "GlobalMaxPool", 1, 1, 1, convertGlobal<dsc::ReduceMaxOp>, "floats"},
      {"", "GlobalLpPool", 2, 1, 1, convertGlobalLpPool, "floats"},
      {"", "LpNormalization", 1, 1, 1, convertLpNormalization, "floats"},
      {"", "LRN", 1, 1, 1, convertLrn, "floats"},
  };
  return entries;
}

} // namespace dscc
