// Elements and slices by index.

#include "compiler/import/Converters.h"
#include "compiler/import/Counting.h"

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
  return node.finish(node.make<dsc::GatherNdOp>(data, indices, node.builder.getI64IntegerAttr(batch)));
}

/// Each sequence's first `length` entries backwards, the others as they are.
static LogicalResult convertReverseSequence(NodeImporter &node) {
  Value x = node.input(0);
  dsc::Dims dims = dimsOf(x), column(dims.size(), DimExpr(1));
  std::optional<int64_t> time = node.normalizeAxis(node.integer("time_axis", 0), dims.size());
  std::optional<int64_t> batch = node.normalizeAxis(node.integer("batch_axis", 1), dims.size());
  if (!time || !batch)
    return failure();
  if (*time == *batch || rankOf(node.input(1)) != 1)
    return node.reject("has time axis " + Twine(*time) + ", batch axis " + Twine(*batch) + " and lengths of rank " +
                       Twine(rankOf(node.input(1))));
  if (mlir::failed(node.requireEqual(dims[*batch], dimsOf(node.input(1))[0], "sequences and lengths")))
    return failure();
  column[*batch] = dims[*batch];
  Type i64 = node.builder.getI64Type();
  Value lengths = node.reshape(node.cast(node.input(1), i64), column);
  Value place = countAlong(node, dims[*time], *time, dims.size(), i64);
  Value mirrored = node.sub(node.sub(lengths, node.scalar(i64, 1)), place);
  Value from = node.make<dsc::WhereOp>(node.make<dsc::LessOp>(place, lengths), mirrored, place);
  return node.finish(
      node.make<dsc::GatherElementsOp>(x, node.expand(from, dims), node.builder.getI64IntegerAttr(*time)));
}

ArrayRef<Converter> gatherConverters() {
  static constexpr Converter entries[] = {
      {"", "Gather", 1, 2, 2, convertAlongAxis<dsc::GatherOp>, "any, index"},
      {"", "GatherElements", 11, 2, 2, convertAlongAxis<dsc::GatherElementsOp>, "any, index"},
      {"", "GatherND", 11, 2, 2, convertGatherNd, "any, int64"},
      {"", "ReverseSequence", 10, 2, 2, convertReverseSequence, "ieee+integers+bool, int64"},
  };
  return entries;
}

} // namespace dscc
