// TopK.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

/// How many elements are wanted: an attribute once, an input since.
static std::optional<DimExpr> readK(NodeImporter &node) {
  if (node.hasAttribute("k"))
    return DimExpr(node.integer("k", 0));
  if (!node.input(1)) {
    (void)node.reject("does not say how many elements it takes");
    return std::nullopt;
  }
  DimExpr count = dsc::countElements(dimsOf(node.input(1)));
  if (count.isConstant() && !count.isConstant(1)) {
    (void)node.reject("has k of " + dsc::describeDims(dimsOf(node.input(1))) + ", which must be one number");
    return std::nullopt;
  }
  if (std::optional<dsc::Dims> known = node.known(node.input(1)); known && known->size() == 1)
    return known->front();
  (void)node.unsupported("has k that is computed at run time",
                         "make k a constant, or compute it from Shape of an input");
  return std::nullopt;
}

static LogicalResult convertTopK(NodeImporter &node) {
  Value x = node.input(0);
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", -1), rankOf(x));
  if (!axis)
    return failure();
  std::optional<DimExpr> k = readK(node);
  if (!k)
    return failure();
  DimExpr size = dimsOf(x)[*axis];
  if (k->isConstant() && k->constant() < 0)
    return node.reject("takes " + k->str() + " elements, which must not be negative");
  if (k->isConstant() && size.isConstant() && k->constant() > size.constant())
    return node.reject("takes " + k->str() + " elements along axis " + Twine(*axis) + ", which has " + size.str());
  if (mlir::failed(node.requireEqual(DimExpr::max(*k, 0), *k, "elements to take")) ||
      mlir::failed(node.requireEqual(DimExpr::max(size, *k), size, "elements to take some from")))
    return failure();
  // Unsorted results may be in any order: in this one.
  UnitAttr smallest = node.integer("largest", 1) ? UnitAttr() : node.builder.getUnitAttr();
  ValueRange both =
      node.makeBoth<dsc::TopKOp>(x, node.builder.getI64IntegerAttr(*axis), node.dimsAttribute({*k}), smallest);
  if (both.empty())
    return failure();
  node.setResult(1, both[1]);
  return node.finish(both[0]);
}

ArrayRef<Converter> topKConverters() {
  static constexpr Converter entries[] = {
      {"", "TopK", 1, 1, 1, convertTopK, "ieee"},
      {"", "TopK", 10, 2, 2, convertTopK, "ieee, int64"},
      {"", "TopK", 11, 2, 2, convertTopK, "numbers, int64"},
  };
  return entries;
}

} // namespace dscc
