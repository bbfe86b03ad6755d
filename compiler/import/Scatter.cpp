// Elements and slices replaced by index.

#include "compiler/import/Converters.h"
#include "compiler/import/Counting.h"

using namespace mlir;

namespace dscc {

static LogicalResult requireEqualDims(NodeImporter &node, ArrayRef<DimExpr> a, ArrayRef<DimExpr> b, StringRef what) {
  if (a.size() != b.size())
    return node.reject("has " + what + " of " + dsc::describeDims(a) + " and " + dsc::describeDims(b));
  for (auto [x, y] : llvm::zip_equal(a, b))
    if (mlir::failed(node.requireEqual(x, y, what)))
      return failure();
  return success();
}

static LogicalResult convertScatterElements(NodeImporter &node) {
  Value data = node.input(0), indices = node.input(1), updates = node.input(2);
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", 0), rankOf(data));
  if (!axis || mlir::failed(requireEqualDims(node, dimsOf(indices), dimsOf(updates), "dims of indices and updates")))
    return failure();
  return node.finish(node.make<dsc::ScatterElementsOp>(data, indices, updates, node.builder.getI64IntegerAttr(*axis),
                                                       node.builder.getStringAttr(node.text("reduction", "none"))));
}

static LogicalResult convertScatterNd(NodeImporter &node) {
  Value data = node.input(0), indices = node.input(1), updates = node.input(2);
  dsc::Dims dims = dimsOf(data), whole = dimsOf(indices);
  if (whole.empty())
    return node.reject("has indices that are a scalar");
  if (!whole.back().isConstant())
    return node.unsupported("has index tuples whose length is a dynamic dim", "fix the dim with --dim");
  size_t tuple = whole.back().constant();
  if (tuple > dims.size())
    return node.reject("names " + Twine(tuple) + " dims of data of rank " + Twine(dims.size()));
  whole.pop_back();
  whole.append(dims.begin() + tuple, dims.end());
  if (mlir::failed(requireEqualDims(node, dimsOf(updates), whole, "dims of the updates and of what they replace")))
    return failure();
  return node.finish(
      node.make<dsc::ScatterNdOp>(data, indices, updates, node.builder.getStringAttr(node.text("reduction", "none"))));
}

/// Writes new entries into a cache, each batch's from a place of its own on; a circular one goes on at its beginning.
static LogicalResult convertTensorScatter(NodeImporter &node) {
  Value cache = node.input(0), update = node.input(1);
  dsc::Dims dims = dimsOf(update);
  std::string mode = node.text("mode", "linear");
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", -2), rankOf(cache));
  if (!axis)
    return failure();
  if (mode != "linear" && mode != "circular")
    return node.reject("has the unknown mode '" + mode + "'");
  if (rankOf(update) != rankOf(cache) || *axis == 0)
    return node.reject("has a cache " + dsc::describeDims(dimsOf(cache)) + ", an update " + dsc::describeDims(dims) +
                       " and axis " + Twine(*axis));
  Type i64 = node.builder.getI64Type();
  Value places = countAlong(node, dims[*axis], *axis, dims.size(), i64);
  if (node.input(2)) {
    dsc::Dims column(dims.size(), DimExpr(1));
    column[0] = dims[0];
    places = node.add(places, node.reshape(node.cast(node.input(2), i64), column));
  }
  if (mode == "circular")
    places = node.make<dsc::FloorModOp>(places, node.dims({dimsOf(cache)[*axis]}, i64, /*isScalar=*/true));
  return node.finish(node.make<dsc::ScatterElementsOp>(cache, node.expand(places, dims), update,
                                                       node.builder.getI64IntegerAttr(*axis),
                                                       node.builder.getStringAttr("none")));
}

ArrayRef<Converter> scatterConverters() {
  static constexpr Converter entries[] = {
      {"", "Scatter", 9, 3, 3, convertScatterElements, "T=ieee+integers+bool, index, T"},
      {"", "ScatterElements", 11, 3, 3, convertScatterElements, "T=any, index, T"},
      {"", "ScatterND", 11, 3, 3, convertScatterNd, "T=any, int64, T"},
      {"", "TensorScatter", 24, 2, 3, convertTensorScatter, "T=any+float8s+float8e8m0+float4e2m1+int4+uint4, T, int64"},
  };
  return entries;
}

} // namespace dscc
