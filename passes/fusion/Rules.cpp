#include "passes/fusion/Rules.h"

using namespace mlir;

namespace dscc {

llvm::ArrayRef<FusionRule> allFusionRules() {
  static constexpr FusionRule rules[] = {
      {"hero-into-epilogue", fusesAsEpilogue},
      {"duplicable-into-any", fusesAsDuplicable},
      {"elementwise-into-elementwise", fusesIntoElementwise},
      {"elementwise-into-movement", fusesIntoMovement},
      {"cast-into-product", fusesCastIntoProduct},
      {"transpose-into-convolution", fusesTransposeIntoConvolution},
      {"chain-into-recurrence", fusesIntoRecurrence},
      {"chain-into-rows", fusesAsPrologue},
  };
  return rules;
}

bool isMovement(Operation *op) { return dsc::factsOf(op).role == dsc::Role::Movement || isUnitReshape(op); }

bool isHero(Operation *op) { return dsc::factsOf(op).isHero(); }

bool isCheap(Operation *op) { return dsc::factsOf(op).isCheap(); }

bool isSplat(Operation *op) {
  auto constant = dyn_cast<dsc::ConstantOp>(op);
  return constant && constant.getValue().getNumElements() > 0 && constant.getValue().isSplat();
}

bool isUnitReshape(Operation *op) {
  auto reshape = dyn_cast<dsc::ReshapeOp>(op);
  if (!reshape)
    return false;
  auto withoutUnits = [](Value value) {
    dsc::Dims dims = dsc::getDims(value);
    llvm::erase_if(dims, [](const DimExpr &dim) { return dim.isConstant(1); });
    return dims;
  };
  return withoutUnits(reshape.getInput()) == withoutUnits(reshape.getResult());
}

bool followsHero(Operation *op) {
  constexpr size_t maxEpilogue = 32;
  llvm::SetVector<Operation *> seen;
  seen.insert(op);
  for (size_t i = 0; i < seen.size() && i < maxEpilogue; ++i) {
    if (isHero(seen[i]))
      return true;
    if (!isElementwise(seen[i]))
      continue;
    for (Value operand : seen[i]->getOperands())
      if (Operation *producer = operand.getDefiningOp(); producer && sameDims(operand, op->getResult(0)))
        seen.insert(producer);
  }
  return false;
}

bool isDuplicable(Operation *op) { return dsc::factsOf(op).duplicable || isSplat(op) || isUnitReshape(op); }

bool sameDims(Value a, Value b) { return dsc::getDims(a) == dsc::getDims(b); }

} // namespace dscc
