// Reductions, ArgMax, ArgMin and CumSum.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

/// Which axes fold, and whether they stay.
struct Folding {
  Integers axes;
  bool keepDims;
};

static std::optional<Folding> readFolding(NodeImporter &node) {
  int64_t rank = rankOf(node.input(0));
  std::optional<Integers> axes = node.attributeOrInput("axes", 1);
  if (node.hasFailed())
    return std::nullopt;
  bool fewerIsNone = node.integer("noop_with_empty_axes", 0);
  if (!axes || axes->empty())
    axes = fewerIsNone ? Integers() : llvm::to_vector(llvm::seq<int64_t>(0, rank));
  axes = node.normalizeAxes(*axes, rank);
  return axes ? std::optional(Folding{*axes, node.integer("keepdims", 1) != 0}) : std::nullopt;
}

static Value dropAxes(NodeImporter &node, Value x, ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  dsc::Dims dims = dimsOf(x);
  for (int64_t axis : llvm::reverse(axes))
    dims.erase(dims.begin() + axis);
  return node.reshape(x, dims);
}

template <class Op> static Value reduce(NodeImporter &node, Value x, const Folding &folding) {
  return folding.axes.empty() ? x : node.make<Op>(x, node.attribute(folding.axes));
}

using Body = Value (*)(NodeImporter &, Value, const Folding &);

template <Body body> static LogicalResult convertReduction(NodeImporter &node) {
  std::optional<Folding> folding = readFolding(node);
  if (!folding)
    return failure();
  Value result = body(node, node.input(0), *folding);
  return node.finish(folding->keepDims ? result : dropAxes(node, result, folding->axes));
}

static Value sumOfMagnitudes(NodeImporter &node, Value x, const Folding &folding) {
  return reduce<dsc::ReduceSumOp>(node, node.make<dsc::AbsOp>(x), folding);
}

static Value sumOfSquares(NodeImporter &node, Value x, const Folding &folding) {
  return reduce<dsc::ReduceSumOp>(node, node.mul(x, x), folding);
}

/// `compute` in f32 if x holds integers, converted back.
template <class Compute> static Value inFloats(NodeImporter &node, Value x, Compute compute) {
  bool isFloat = isa<FloatType>(elementOf(x));
  Value result = compute(isFloat ? x : node.cast(x, node.builder.getF32Type()));
  return isFloat ? result : node.cast(result, elementOf(x));
}

static Value euclideanNorm(NodeImporter &node, Value x, const Folding &folding) {
  return inFloats(node, x, [&](Value y) { return node.make<dsc::SqrtOp>(sumOfSquares(node, y, folding)); });
}

static Value logOfSum(NodeImporter &node, Value x, const Folding &folding) {
  return inFloats(node, x, [&](Value y) { return node.make<dsc::LogOp>(reduce<dsc::ReduceSumOp>(node, y, folding)); });
}

/// log(sum(exp(x - max))) + max, so that no exponential overflows.
static Value logOfSumOfExponentials(NodeImporter &node, Value x, const Folding &folding) {
  return inFloats(node, x, [&](Value y) -> Value {
    Value top = reduce<dsc::ReduceMaxOp>(node, y, folding);
    if (!top)
      return {};
    // An infinite maximum would make the difference NaN.
    Value shift = node.make<dsc::WhereOp>(node.make<dsc::IsInfOp>(top), node.scalarLike(y, 0), top);
    Value sum = reduce<dsc::ReduceSumOp>(node, node.make<dsc::ExpOp>(node.sub(y, shift)), folding);
    return node.add(node.make<dsc::LogOp>(sum), shift);
  });
}

template <class Op> static LogicalResult convertArg(NodeImporter &node) {
  Value x = node.input(0);
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", 0), rankOf(x));
  if (!axis)
    return failure();
  UnitAttr last = node.integer("select_last_index", 0) ? node.builder.getUnitAttr() : UnitAttr();
  Value result = node.make<Op>(x, node.builder.getI64IntegerAttr(*axis), last);
  return node.finish(node.integer("keepdims", 1) ? result : dropAxes(node, result, {*axis}));
}

static LogicalResult convertCumSum(NodeImporter &node) {
  std::optional<Integers> axis = node.knownIntegers(node.input(1));
  if (!axis || axis->size() != 1)
    return node.unsupported("has an axis that is computed at run time", "make the axis a constant");
  std::optional<int64_t> inRange = node.normalizeAxis((*axis)[0], rankOf(node.input(0)));
  if (!inRange)
    return failure();
  auto flag = [&](StringRef name) { return node.integer(name, 0) ? node.builder.getUnitAttr() : UnitAttr(); };
  return node.finish(node.make<dsc::CumSumOp>(node.input(0), node.builder.getI64IntegerAttr(*inRange),
                                              flag("exclusive"), flag("reverse")));
}

ArrayRef<Converter> reduceConverters() {
  static constexpr Converter rows[] = {
      {"", "ReduceSum", 1, 1, 2, convertReduction<reduce<dsc::ReduceSumOp>>},
      {"", "ReduceProd", 1, 1, 2, convertReduction<reduce<dsc::ReduceProdOp>>},
      {"", "ReduceMax", 1, 1, 2, convertReduction<reduce<dsc::ReduceMaxOp>>},
      {"", "ReduceMin", 1, 1, 2, convertReduction<reduce<dsc::ReduceMinOp>>},
      {"", "ReduceMean", 1, 1, 2, convertReduction<reduce<dsc::ReduceMeanOp>>},
      {"", "ReduceL1", 1, 1, 2, convertReduction<sumOfMagnitudes>},
      {"", "ReduceL2", 1, 1, 2, convertReduction<euclideanNorm>},
      {"", "ReduceSumSquare", 1, 1, 2, convertReduction<sumOfSquares>},
      {"", "ReduceLogSum", 1, 1, 2, convertReduction<logOfSum>},
      {"", "ReduceLogSumExp", 1, 1, 2, convertReduction<logOfSumOfExponentials>},
      {"", "ArgMax", 1, 1, 1, convertArg<dsc::ArgMaxOp>},
      {"", "ArgMin", 1, 1, 1, convertArg<dsc::ArgMinOp>},
      {"", "CumSum", 11, 2, 2, convertCumSum},
  };
  return rows;
}

} // namespace dscc
