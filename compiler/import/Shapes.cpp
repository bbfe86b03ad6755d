// Shape and Size: dims as values.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

static LogicalResult convertShape(NodeImporter &node) {
  dsc::Dims dims = dimsOf(node.input(0));
  int64_t rank = dims.size();
  auto clamp = [&](int64_t place) { return std::clamp<int64_t>(place < 0 ? place + rank : place, 0, rank); };
  int64_t start = clamp(node.integer("start", 0)), end = clamp(node.integer("end", rank));
  ArrayRef<DimExpr> part = ArrayRef(dims).slice(start, std::max<int64_t>(0, end - start));
  return node.finish(node.dims(part, node.builder.getI64Type()));
}

static LogicalResult convertSize(NodeImporter &node) {
  DimExpr count = dsc::countElements(dimsOf(node.input(0)));
  return node.finish(node.dims({count}, node.builder.getI64Type(), /*isScalar=*/true));
}

ArrayRef<Converter> shapeConverters() {
  static constexpr Converter entries[] = {
      {"", "Shape", 1, 1, 1, convertShape, "all"},
      {"", "Size", 1, 1, 1, convertSize, "all"},
  };
  return entries;
}

} // namespace dscc
