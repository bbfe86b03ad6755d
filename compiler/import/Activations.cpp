// Activation functions that are a few elementwise ops.

#include "compiler/import/Activations.h"

#include "compiler/import/Converters.h"

#include <cmath>

using namespace mlir;

namespace dscc {

/// exp(x) - 1.
static Value exponentialMinusOne(NodeImporter &node, Value x) {
  return node.sub(node.make<dsc::ExpOp>(x), node.scalarLike(x, 1));
}

/// `negative` where x is below zero, else x; NaN stays.
static Value belowZero(NodeImporter &node, Value x, Value negative) {
  return node.make<dsc::WhereOp>(node.make<dsc::LessOp>(x, node.scalarLike(x, 0)), negative, x);
}

Value leakyRelu(NodeImporter &node, Value x, double alpha) {
  return belowZero(node, x, node.mul(x, node.scalarLike(x, alpha)));
}

static LogicalResult convertLeakyRelu(NodeImporter &node) {
  return node.finish(leakyRelu(node, node.input(0), node.number("alpha", 0.01)));
}

static LogicalResult convertPRelu(NodeImporter &node) {
  Value x = node.input(0);
  return node.finish(belowZero(node, x, node.mul(x, node.input(1))));
}

Value elu(NodeImporter &node, Value x, double alpha) {
  return belowZero(node, x, node.mul(exponentialMinusOne(node, x), node.scalarLike(x, alpha)));
}

static LogicalResult convertElu(NodeImporter &node) {
  return node.finish(elu(node, node.input(0), node.number("alpha", 1)));
}

static LogicalResult convertSelu(NodeImporter &node) {
  Value x = node.input(0);
  Value alpha = node.scalarLike(x, node.number("alpha", 1.67326319217681884765625));
  Value gamma = node.scalarLike(x, node.number("gamma", 1.05070102214813232421875));
  return node.finish(node.mul(belowZero(node, x, node.mul(exponentialMinusOne(node, x), alpha)), gamma));
}

static LogicalResult convertCelu(NodeImporter &node) {
  Value x = node.input(0), alpha = node.scalarLike(x, node.number("alpha", 1));
  return node.finish(belowZero(node, x, node.mul(exponentialMinusOne(node, node.div(x, alpha)), alpha)));
}

Value hardSigmoid(NodeImporter &node, Value x, double slope, double offset) {
  Value line = node.add(node.mul(x, node.scalarLike(x, slope)), node.scalarLike(x, offset));
  return node.make<dsc::MaxOp>(node.make<dsc::MinOp>(line, node.scalarLike(x, 1)), node.scalarLike(x, 0));
}

static LogicalResult convertHardSigmoid(NodeImporter &node) {
  return node.finish(hardSigmoid(node, node.input(0), node.number("alpha", 0.2), node.number("beta", 0.5)));
}

static LogicalResult convertHardSwish(NodeImporter &node) {
  return node.finish(node.mul(node.input(0), hardSigmoid(node, node.input(0), 1.0 / 6, 0.5)));
}

Value softsign(NodeImporter &node, Value x) {
  return node.div(x, node.add(node.make<dsc::AbsOp>(x), node.scalarLike(x, 1)));
}

static LogicalResult convertSoftsign(NodeImporter &node) { return node.finish(softsign(node, node.input(0))); }

Value thresholdedRelu(NodeImporter &node, Value x, double alpha) {
  return node.make<dsc::WhereOp>(node.make<dsc::LessOp>(node.scalarLike(x, alpha), x), x, node.scalarLike(x, 0));
}

static LogicalResult convertThresholdedRelu(NodeImporter &node) {
  return node.finish(thresholdedRelu(node, node.input(0), node.number("alpha", 1)));
}

static LogicalResult convertSwish(NodeImporter &node) {
  Value x = node.input(0);
  double alpha = node.number("alpha", 1);
  Value scaled = alpha == 1 ? x : node.mul(x, node.scalarLike(x, alpha));
  return node.finish(node.mul(x, node.make<dsc::SigmoidOp>(scaled)));
}

static LogicalResult convertShrink(NodeImporter &node) {
  Value x = node.input(0);
  double threshold = node.number("lambd", 0.5), bias = node.number("bias", 0);
  Value low = node.make<dsc::LessOp>(x, node.scalarLike(x, -threshold));
  Value high = node.make<dsc::LessOp>(node.scalarLike(x, threshold), x);
  Value biasValue = node.scalarLike(x, bias);
  Value inner = node.make<dsc::WhereOp>(high, node.sub(x, biasValue), node.scalarLike(x, 0));
  return node.finish(node.make<dsc::WhereOp>(low, node.add(x, biasValue), inner));
}

static LogicalResult convertGelu(NodeImporter &node) {
  std::string approximation = node.text("approximate", "none");
  if (approximation == "tanh")
    return node.finish(node.make<dsc::GeluTanhOp>(node.input(0)));
  if (approximation == "none")
    return node.finish(node.make<dsc::GeluOp>(node.input(0)));
  return node.reject("has the unknown approximation '" + approximation + "'");
}

ArrayRef<Converter> activationConverters() {
  static constexpr Converter entries[] = {
      {"", "LeakyRelu", 1, 1, 1, convertLeakyRelu, "floats"},
      {"", "PRelu", 7, 2, 2, convertPRelu, "T=floats+wide, T"},
      {"", "Elu", 1, 1, 1, convertElu, "floats"},
      {"", "Selu", 1, 1, 1, convertSelu, "floats"},
      {"", "Celu", 12, 1, 1, convertCelu, "float"},
      {"", "HardSigmoid", 1, 1, 1, convertHardSigmoid, "floats"},
      {"", "HardSwish", 14, 1, 1, convertHardSwish, "floats"},
      {"", "Softsign", 1, 1, 1, convertSoftsign, "floats"},
      {"", "ThresholdedRelu", 10, 1, 1, convertThresholdedRelu, "floats"},
      {"", "Swish", 24, 1, 1, convertSwish, "floats"},
      {"", "Shrink", 9, 1, 1, convertShrink, "ieee+integers"},
      {"", "Gelu", 20, 1, 1, convertGelu, "floats"},
  };
  return entries;
}

} // namespace dscc
