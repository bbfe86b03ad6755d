// Elements and slices by index.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

template <class Op> static LogicalResult convertAlongAxis(NodeImporter &node) {
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", 0), rankOf(node.input(0)));
  return axis ? node.finish(node.make<Op>(node.input(0), node.input(1), node.builder.getI64IntegerAttr(*axis)))
              : failure();
}

static LogicalResult convertGatherNd(NodeImporter &node) {
  Value data = node.input(0), indices = node.input(1);
  int64_t batch = node.integer("batch_dims", 0);
  if (batch < 0 || batch > std::min(rankOf(data), rankOf(indices)))
    return node.reject("has " + Twine(batch) + " batch dims");
  if (rankOf(indices) > 0 && !dimsOf(indices).back().isConstant())
    return node.unsupported("has index tuples whose length is a dynamic dim", "fix the dim with --dim");
  for (int64_t i = 0; i < batch; ++i)
    if (mlir::failed(node.requireEqual(dimsOf(data)[i], dimsOf(indices)[i], "batch dims")))
      return failure();
  if (!elementOf(indices).isSignlessInteger(64))
    return node.reject("has indices that are not int64");
  return node.finish(node.make<dsc::GatherNdOp>(data, indices, node.builder.getI64IntegerAttr(batch)));
}

ArrayRef<Converter> gatherConverters() {
  static constexpr Converter rows[] = {
      {"", "Gather", 1, 2, 2, convertAlongAxis<dsc::GatherOp>},
      {"", "GatherElements", 11, 2, 2, convertAlongAxis<dsc::GatherElementsOp>},
      {"", "GatherND", 11, 2, 2, convertGatherNd},
  };
  return rows;
}

} // namespace dscc
