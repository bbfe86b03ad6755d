#include "passes/canonical/Match.h"

#include "passes/canonical/Evaluate.h"

#include <cmath>

using namespace mlir;

namespace dscc {

std::optional<double> getSplat(Value value) {
  ElementsAttr constant = getConstant(value);
  if (!constant || !isa<FloatType>(constant.getElementType()) || constant.getNumElements() == 0 || !constant.isSplat())
    return std::nullopt;
  return constant.getSplatValue<APFloat>().convertToDouble();
}

bool isNear(double value, double expected) { return std::fabs(value - expected) <= 2e-3 * std::fabs(expected); }

int64_t Monomial::take(Value value) {
  auto found = factors.find(value);
  if (found == factors.end())
    return 0;
  int64_t power = found->second;
  factors.erase(found);
  return power;
}

static void multiply(Monomial &product, Value value, int64_t power, bool isRoot) {
  if (std::optional<double> number = getSplat(value)) {
    product.coefficient *= std::pow(*number, double(power));
    return;
  }
  Operation *op = value.getDefiningOp();
  // All uses by one op, so that a square counts as one.
  bool isPrivate = op && (isRoot || llvm::all_equal(value.getUsers()));
  if (isPrivate && isa<dsc::MulOp>(op)) {
    for (Value operand : op->getOperands())
      multiply(product, operand, power, false);
    return;
  }
  if (isPrivate && isa<dsc::DivOp>(op) && getSplat(op->getOperand(1))) {
    multiply(product, op->getOperand(0), power, false);
    product.coefficient /= std::pow(*getSplat(op->getOperand(1)), double(power));
    return;
  }
  std::optional<double> exponent = isPrivate && isa<dsc::PowOp>(op) ? getSplat(op->getOperand(1)) : std::nullopt;
  if (exponent && (*exponent == 2 || *exponent == 3)) {
    multiply(product, op->getOperand(0), power * int64_t(*exponent), false);
    return;
  }
  product.factors[value] += power;
}

Monomial factorize(Value root) {
  Monomial product;
  multiply(product, root, 1, true);
  return product;
}

Value matchPlusSplat(Value value, double &constant) {
  auto add = value.getDefiningOp<dsc::AddOp>();
  if (!add)
    return {};
  for (auto [a, b] : {std::pair(add.getLhs(), add.getRhs()), std::pair(add.getRhs(), add.getLhs())})
    if (std::optional<double> number = getSplat(b)) {
      constant = *number;
      return a;
    }
  return {};
}

} // namespace dscc
