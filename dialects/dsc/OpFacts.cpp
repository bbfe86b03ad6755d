// What the interface OpFacts answers with, and how to ask it.

#include "dialects/dsc/Dsc.h"
#include "dialects/dsc/Storage.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace dscc::dsc {

Facts factsOf(Operation *op) {
  auto facts = dyn_cast_or_null<OpFacts>(op);
  return facts ? facts.getFacts() : Facts{Role::Structure};
}

bool isElementwise(Operation *op) { return factsOf(op).role == Role::Elementwise; }

DimExpr countFlops(Operation *op, const DimExpr &terms) {
  DimExpr sum;
  for (Value result : op->getResults())
    sum = sum + countElements(getDims(result));
  return sum * terms * factsOf(op).weight;
}

DimExpr countFlops(Operation *op) { return countFlops(op, 1); }

DimExpr countFlopsInside(Operation *op) {
  DimExpr sum;
  for (Region &region : op->getRegions())
    for (auto inner : region.getOps<OpFacts>())
      sum = sum + inner.getFlops();
  return sum;
}

DimExpr countOperandBytes(Operation *op) {
  DimExpr sum;
  // The same operand twice is read once.
  for (Value operand : llvm::SmallSetVector<Value, 4>(op->operand_begin(), op->operand_end()))
    sum = sum + countBytes(operand.getType());
  for (Value result : op->getResults())
    sum = sum + countBytes(result.getType());
  return sum;
}

DimExpr countPlaces(ArrayAttr sizes) {
  DimExpr product = 1;
  for (int64_t size : getIntegers(sizes))
    product = product * size;
  return product;
}

DimExpr countRest(Value tensor) {
  Dims dims = getDims(tensor);
  return countElements(ArrayRef(dims).drop_front());
}

SmallVector<int64_t> axesFrom(Value tensor, int64_t first) {
  return llvm::to_vector(llvm::seq<int64_t>(first, getDims(tensor).size()));
}

} // namespace dscc::dsc
