// Reductions, ArgMax, ArgMin, CumSum and CumProd.

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
  assert(llvm::is_sorted(axes) && "the last axis goes first, so that the others keep their numbers");
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

/// Of integers truncated towards zero. Narrow ones are summed up in 64 bits, where they do not overflow.
static Value meanOf(NodeImporter &node, Value x, const Folding &folding) {
  auto integer = dyn_cast<IntegerType>(elementOf(x));
  if (!integer || integer.getWidth() == 64)
    return reduce<dsc::ReduceMeanOp>(node, x, folding);
  return node.cast(reduce<dsc::ReduceMeanOp>(node, node.cast(x, node.builder.getI64Type()), folding), integer);
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
  DimExpr size = dimsOf(x)[*axis];
  if (size.isConstant(0))
    return node.reject("looks for a place along axis " + Twine(*axis) + ", which has no elements");
  if (mlir::failed(node.requireEqual(DimExpr::max(size, 1), size, "elements to find a place among")))
    return failure();
  UnitAttr last = node.integer("select_last_index", 0) ? node.builder.getUnitAttr() : UnitAttr();
  Value result = node.make<Op>(x, node.builder.getI64IntegerAttr(*axis), last);
  return node.finish(node.integer("keepdims", 1) ? result : dropAxes(node, result, {*axis}));
}

template <class Op> static Value accumulate(NodeImporter &node, int64_t axis) {
  auto flag = [&](StringRef name) { return node.integer(name, 0) ? node.builder.getUnitAttr() : UnitAttr(); };
  return node.make<Op>(node.input(0), node.builder.getI64IntegerAttr(axis), flag("exclusive"), flag("reverse"));
}

/// An axis that only a run tells chooses among the results along each.
template <class Op> static LogicalResult convertCumulative(NodeImporter &node) {
  int64_t rank = rankOf(node.input(0));
  if (rank == 0 || !dsc::countElements(dimsOf(node.input(1))).isConstant(1))
    return node.reject("has an input of rank " + Twine(rank) + " and the axes " +
                       dsc::describeDims(dimsOf(node.input(1))) + ", which must be one axis");
  if (std::optional<Integers> known = node.knownIntegers(node.input(1))) {
    std::optional<int64_t> axis = node.normalizeAxis((*known)[0], rank);
    return axis ? node.finish(accumulate<Op>(node, *axis)) : failure();
  }
  Type i64 = node.builder.getI64Type();
  Value axis = node.reshape(node.cast(node.input(1), i64), {}), result = accumulate<Op>(node, 0);
  Value isNegative = node.make<dsc::LessOp>(axis, node.scalar(i64, 0));
  axis = node.make<dsc::WhereOp>(isNegative, node.add(axis, node.scalar(i64, rank)), axis);
  for (int64_t i = 1; i < rank; ++i)
    result =
        node.make<dsc::WhereOp>(node.make<dsc::EqualOp>(axis, node.scalar(i64, i)), accumulate<Op>(node, i), result);
  return node.finish(result);
}

ArrayRef<Converter> reduceConverters() {
  static constexpr Converter entries[] = {
      {"", "ReduceSum", 1, 1, 2, convertReduction<reduce<dsc::ReduceSumOp>>, "floats+wide, int64"},
      {"", "ReduceProd", 1, 1, 2, convertReduction<reduce<dsc::ReduceProdOp>>, "floats+wide, int64"},
      {"", "ReduceMax", 1, 1, 2, convertReduction<reduce<dsc::ReduceMaxOp>>, "floats+bool+int8+uint8+wide, int64"},
      {"", "ReduceMin", 1, 1, 2, convertReduction<reduce<dsc::ReduceMinOp>>, "floats+bool+int8+uint8+wide, int64"},
      {"", "ReduceMean", 1, 1, 2, convertReduction<meanOf>, "floats+wide, int64"},
      {"", "ReduceL1", 1, 1, 2, convertReduction<sumOfMagnitudes>, "floats+wide, int64"},
      {"", "ReduceL2", 1, 1, 2, convertReduction<euclideanNorm>, "floats+wide, int64"},
      {"", "ReduceSumSquare", 1, 1, 2, convertReduction<sumOfSquares>, "floats+wide, int64"},
      {"", "ReduceLogSum", 1, 1, 2, convertReduction<logOfSum>, "floats+wide, int64"},
      {"", "ReduceLogSumExp", 1, 1, 2, convertReduction<logOfSumOfExponentials>, "floats+wide, int64"},
      {"", "ArgMax", 1, 1, 1, convertArg<dsc::ArgMaxOp>, "numbers"},
      {"", "ArgMin", 1, 1, 1, convertArg<dsc::ArgMinOp>, "numbers"},
      {"", "CumSum", 11, 2, 2, convertCumulative<dsc::CumSumOp>, "floats+wide, index"},
      {"", "CumProd", 26, 2, 2, convertCumulative<dsc::CumProdOp>, "floats+wide, index"},
  };
  return entries;
}

} // namespace dscc
