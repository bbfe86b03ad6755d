// Normalisations and softmax. Each becomes the normalisation proper, over trailing dims, then a scale and a bias.

#include "compiler/import/Converters.h"
#include "compiler/import/Counting.h"

using namespace mlir;

namespace dscc {

/// A list with one element a channel, so that it broadcasts along dim 1 of a tensor of rank `rank`.
static Value alongChannels(NodeImporter &node, Value list, int64_t rank) {
  if (!list)
    return {};
  if (rankOf(list) != 1) {
    (void)node.reject("has a scale, bias, mean or variance of rank " + Twine(rankOf(list)) + ", which must be 1");
    return {};
  }
  dsc::Dims dims(std::max<int64_t>(rank - 1, 1), DimExpr(1));
  dims[0] = dimsOf(list)[0];
  return node.reshape(list, dims);
}

static LogicalResult requireRank(NodeImporter &node, int64_t least) {
  int64_t rank = rankOf(node.input(0));
  return rank >= least
             ? success()
             : node.reject("has an input of rank " + Twine(rank) + ", which must be " + Twine(least) + " or more");
}

/// Statistics of the batch itself, and the running ones after it.
static void trainStatistics(NodeImporter &node, Value &mean, Value &variance) {
  Value x = node.input(0);
  Integers axes = {0};
  for (int64_t axis = 2; axis < rankOf(x); ++axis)
    axes.push_back(axis);
  Value momentum = node.scalarLike(mean, node.number("momentum", 0.9));
  Value rest = node.sub(node.scalarLike(mean, 1), momentum);
  Value wide = node.cast(x, elementOf(mean));
  Value batchMean = node.make<dsc::ReduceMeanOp>(wide, node.attribute(axes));
  Value centred = node.sub(wide, batchMean);
  Value batchVariance = node.make<dsc::ReduceMeanOp>(node.mul(centred, centred), node.attribute(axes));
  auto flatten = [&](Value value) { return value ? node.reshape(value, {dimsOf(x)[1]}) : Value(); };
  batchMean = flatten(batchMean);
  batchVariance = flatten(batchVariance);
  node.setResult(1, node.add(node.mul(mean, momentum), node.mul(batchMean, rest)));
  node.setResult(2, node.add(node.mul(variance, momentum), node.mul(batchVariance, rest)));
  mean = batchMean;
  variance = batchVariance;
}

static LogicalResult convertBatchNormalization(NodeImporter &node) {
  Value x = node.input(0), scale = node.input(1), bias = node.input(2), mean = node.input(3), variance = node.input(4);
  if (mlir::failed(requireRank(node, 2)))
    return failure();
  if (!node.integer("spatial", 1))
    return node.unsupported("normalises each element by itself", "BatchNormalization with spatial = 1 is supported");
  if (node.integer("training_mode", 0))
    trainStatistics(node, mean, variance);
  if (!mean || !variance)
    return failure();
  // x * factor + shift, where factor and shift are constants of the model.
  Type type = elementOf(variance);
  Value deviation = node.make<dsc::SqrtOp>(node.add(variance, node.scalar(type, node.number("epsilon", 1e-5))));
  Value factor = node.div(node.cast(scale, type), deviation);
  Value shift = node.sub(node.cast(bias, type), node.mul(mean, factor));
  factor = alongChannels(node, factor, rankOf(x));
  shift = alongChannels(node, shift, rankOf(x));
  return node.finish(node.cast(node.add(node.mul(node.cast(x, type), factor), shift), elementOf(x)));
}

/// Zero mean and unit variance over the dims from `axis` on, computed in `type`.
static Value layerNorm(NodeImporter &node, Value x, int64_t axis, Type type) {
  if (!x)
    return {};
  Value normal = node.make<dsc::LayerNormOp>(node.cast(x, type), node.builder.getI64IntegerAttr(axis),
                                             node.builder.getF64FloatAttr(node.number("epsilon", 1e-5)));
  return node.cast(normal, elementOf(x));
}

/// The type of the first stage: f32 for narrower floats if the node says so.
static Type stashType(NodeImporter &node) {
  Type type = elementOf(node.input(0));
  bool isWide = node.integer("stash_type", 1) == onnx::TensorProto::FLOAT;
  return isWide && type.getIntOrFloatBitWidth() < 32 ? node.builder.getF32Type() : type;
}

static LogicalResult convertInstanceNormalization(NodeImporter &node) {
  Value x = node.input(0);
  if (mlir::failed(requireRank(node, 3)))
    return failure();
  dsc::Dims dims = dimsOf(x);
  Value rows = node.reshape(x, {dims[0], dims[1], dsc::countElements(ArrayRef(dims).drop_front(2))});
  Value normal = node.reshape(layerNorm(node, rows, 2, elementOf(x)), dims);
  Value scaled = node.mul(normal, alongChannels(node, node.input(1), dims.size()));
  return node.finish(node.add(scaled, alongChannels(node, node.input(2), dims.size())));
}

static LogicalResult convertGroupNormalization(NodeImporter &node) {
  Value x = node.input(0), scale = node.input(1), bias = node.input(2);
  int64_t groups = node.integer("num_groups", 0);
  if (mlir::failed(requireRank(node, 3)))
    return failure();
  dsc::Dims dims = dimsOf(x);
  if (groups < 1)
    return node.reject("has " + Twine(groups) + " groups");
  DimExpr channels = DimExpr::floorDiv(dims[1], groups);
  if (mlir::failed(node.requireEqual(dims[1], channels * groups, "channels and channels in groups")))
    return failure();
  // One scale a group before opset 21, one a channel since.
  bool byChannel = node.opset() >= 21;
  Value rows = node.reshape(x, {dims[0], groups, channels * dsc::countElements(ArrayRef(dims).drop_front(2))});
  Value normal = layerNorm(node, rows, 2, stashType(node));
  if (byChannel)
    normal = node.reshape(normal, dims);
  int64_t rank = byChannel ? dims.size() : 3;
  Value scaled = node.mul(normal, alongChannels(node, scale, rank));
  return node.finish(node.reshape(node.add(scaled, alongChannels(node, bias, rank)), dims));
}

static LogicalResult convertLayerNormalization(NodeImporter &node) {
  Value x = node.input(0);
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", -1), rankOf(x));
  if (!axis)
    return failure();
  Type type = stashType(node);
  if (node.usesOutput(1) || node.usesOutput(2)) {
    ArrayAttr axes = node.attribute(llvm::to_vector(llvm::seq<int64_t>(*axis, rankOf(x))));
    Value wide = node.cast(x, type), mean = node.make<dsc::ReduceMeanOp>(wide, axes);
    Value centred = node.sub(wide, mean);
    Value variance = node.make<dsc::ReduceMeanOp>(node.mul(centred, centred), axes);
    Value epsilon = node.scalar(type, node.number("epsilon", 1e-5));
    node.setResult(1, mean);
    node.setResult(2, node.make<dsc::ReciprocalOp>(node.make<dsc::SqrtOp>(node.add(variance, epsilon))));
  }
  Value result = node.mul(layerNorm(node, x, *axis, type), node.input(1));
  return node.finish(node.input(2) ? node.add(result, node.input(2)) : result);
}

static LogicalResult convertRmsNormalization(NodeImporter &node) {
  Value x = node.input(0), scale = node.input(1);
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", -1), rankOf(x));
  if (!axis)
    return failure();
  Value normal = node.make<dsc::RmsNormOp>(node.cast(x, stashType(node)), node.builder.getI64IntegerAttr(*axis),
                                           node.builder.getF64FloatAttr(node.number("epsilon", 1e-5)));
  return node.finish(node.mul(node.cast(normal, elementOf(scale)), scale));
}

static LogicalResult convertMeanVarianceNormalization(NodeImporter &node) {
  Value x = node.input(0);
  std::optional<Integers> axes = node.normalizeAxes(node.integers("axes").value_or(Integers{0, 2, 3}), rankOf(x));
  if (!axes)
    return failure();
  Value centred = node.sub(x, node.make<dsc::ReduceMeanOp>(x, node.attribute(*axes)));
  Value variance = node.make<dsc::ReduceMeanOp>(node.mul(centred, centred), node.attribute(*axes));
  Value deviation = node.add(node.make<dsc::SqrtOp>(variance), node.scalarLike(x, 1e-9));
  return node.finish(node.div(centred, deviation));
}

/// One where x has its first maximum along the axis, else zero.
static Value hardmax(NodeImporter &node, Value x, int64_t axis) {
  Value place = node.make<dsc::ArgMaxOp>(x, node.builder.getI64IntegerAttr(axis), UnitAttr());
  Value count = countAlong(node, dimsOf(x)[axis], axis, rankOf(x), node.builder.getI64Type());
  return node.cast(node.make<dsc::EqualOp>(count, place), elementOf(x));
}

static Value softmax(NodeImporter &node, Value x, int64_t axis) {
  return node.make<dsc::SoftmaxOp>(x, node.builder.getI64IntegerAttr(axis));
}

static Value logSoftmax(NodeImporter &node, Value x, int64_t axis) {
  return node.make<dsc::LogSoftmaxOp>(x, node.builder.getI64IntegerAttr(axis));
}

using Body = Value (*)(NodeImporter &, Value, int64_t);

template <Body body> static LogicalResult convertAlongAxis(NodeImporter &node) {
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", -1), rankOf(node.input(0)));
  return axis ? node.finish(body(node, node.input(0), *axis)) : failure();
}

/// Before opset 13 all dims from the axis on were one row.
template <Body body> static LogicalResult convertFlattened(NodeImporter &node) {
  Value x = node.input(0);
  dsc::Dims dims = dimsOf(x);
  int64_t rank = dims.size(), axis = node.integer("axis", 1);
  if (axis < -rank || axis > rank)
    return node.reject("has axis " + Twine(axis) + " for an input of rank " + Twine(rank));
  size_t split = axis < 0 ? axis + rank : axis;
  if (split + 1 == dims.size())
    return node.finish(body(node, x, split));
  Value rows = node.reshape(
      x, {dsc::countElements(ArrayRef(dims).take_front(split)), dsc::countElements(ArrayRef(dims).drop_front(split))});
  return node.finish(rows ? node.reshape(body(node, rows, 1), dims) : Value());
}

ArrayRef<Converter> normalizeConverters() {
  static constexpr Converter entries[] = {
      {"", "BatchNormalization", 7, 5, 5, convertBatchNormalization, "floats, T1=floats, T1, T2=floats, T2"},
      {"", "InstanceNormalization", 1, 3, 3, convertInstanceNormalization, "T=floats, T, T"},
      {"", "GroupNormalization", 18, 3, 3, convertGroupNormalization, "T=floats, T, T"},
      {"", "LayerNormalization", 17, 2, 3, convertLayerNormalization, "T=floats, T, T"},
      {"", "RMSNormalization", 23, 2, 2, convertRmsNormalization, "floats, floats"},
      {"", "MeanVarianceNormalization", 9, 1, 1, convertMeanVarianceNormalization, "floats"},
      {"", "Softmax", 1, 1, 1, convertFlattened<softmax>, "ieee"},
      {"", "Softmax", 13, 1, 1, convertAlongAxis<softmax>, "floats"},
      {"", "LogSoftmax", 1, 1, 1, convertFlattened<logSoftmax>, "ieee"},
      {"", "LogSoftmax", 13, 1, 1, convertAlongAxis<logSoftmax>, "floats"},
      {"", "Hardmax", 1, 1, 1, convertFlattened<hardmax>, "ieee"},
      {"", "Hardmax", 13, 1, 1, convertAlongAxis<hardmax>, "floats"},
  };
  return entries;
}

} // namespace dscc
