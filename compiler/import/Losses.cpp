// Losses over class labels.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

/// -logProbability[n, target, ...] times the target's weight, reduced as the node says.
static Value logLikelihoodLoss(NodeImporter &node, Value logProbability, Value target, Value weights) {
  if (!logProbability)
    return {};
  dsc::Dims dims = dimsOf(logProbability), targetDims = dimsOf(target);
  if (dims.size() < 2 || targetDims.size() + 1 != dims.size()) {
    (void)node.reject("has labels of rank " + Twine(targetDims.size()) + " for scores of rank " + Twine(dims.size()));
    return {};
  }
  dsc::Dims column = targetDims;
  column.insert(column.begin() + 1, DimExpr(1));
  Type type = elementOf(logProbability), i64 = node.builder.getI64Type();
  Value labels = node.cast(target, i64), isIgnored;
  if (node.hasAttribute("ignore_index")) {
    Value ignored = node.scalar(i64, node.integer("ignore_index", 0));
    isIgnored = node.make<dsc::EqualOp>(labels, ignored);
    labels = node.make<dsc::WhereOp>(isIgnored, node.scalar(i64, 0), labels);
  }
  Value picked =
      node.make<dsc::GatherElementsOp>(logProbability, node.reshape(labels, column), node.builder.getI64IntegerAttr(1));
  Value loss = node.make<dsc::NegOp>(node.reshape(picked, targetDims)), weight;
  if (weights)
    weight = node.make<dsc::GatherOp>(weights, labels, node.builder.getI64IntegerAttr(0));
  if (isIgnored)
    weight = node.make<dsc::WhereOp>(isIgnored, node.scalar(type, 0), weight ? weight : node.scalar(type, 1));
  if (weight)
    loss = node.mul(loss, weight);
  std::string reduction = node.text("reduction", "mean");
  ArrayAttr axes = node.attribute(llvm::to_vector(llvm::seq<int64_t>(0, targetDims.size())));
  auto sum = [&](Value value) { return node.reshape(node.make<dsc::ReduceSumOp>(value, axes), {}); };
  if (reduction == "none")
    return loss;
  if (reduction == "sum")
    return sum(loss);
  if (reduction != "mean") {
    (void)node.reject("has the unknown reduction '" + reduction + "'");
    return {};
  }
  return weight ? node.div(sum(loss), sum(weight)) : node.reshape(node.make<dsc::ReduceMeanOp>(loss, axes), {});
}

static LogicalResult convertNegativeLogLikelihoodLoss(NodeImporter &node) {
  return node.finish(logLikelihoodLoss(node, node.input(0), node.input(1), node.input(2)));
}

static LogicalResult convertSoftmaxCrossEntropyLoss(NodeImporter &node) {
  if (rankOf(node.input(0)) < 2)
    return node.reject("has scores of rank " + Twine(rankOf(node.input(0))) + ", which must be 2 or more");
  Value logProbability = node.make<dsc::LogSoftmaxOp>(node.input(0), node.builder.getI64IntegerAttr(1));
  node.setResult(1, logProbability);
  return node.finish(logLikelihoodLoss(node, logProbability, node.input(1), node.input(2)));
}

ArrayRef<Converter> lossConverters() {
  static constexpr Converter entries[] = {
      {"", "NegativeLogLikelihoodLoss", 12, 2, 3, convertNegativeLogLikelihoodLoss, "T=floats, index, T"},
      {"", "SoftmaxCrossEntropyLoss", 12, 2, 3, convertSoftmaxCrossEntropyLoss, "T=floats, index, T"},
  };
  return entries;
}

} // namespace dscc
