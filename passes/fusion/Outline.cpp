#include "passes/fusion/Outline.h"

#include "dialects/dsc/Windows.h"
#include "passes/fusion/Rules.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace dscc {

dsc::GroupOp outline(ArrayRef<Operation *> ops, Operation *second) {
  auto isInside = [&](Operation *user) { return llvm::is_contained(ops, user); };
  assert(llvm::all_of(ops.drop_back(),
                      [&](Operation *op) { return op == second || llvm::all_of(op->getUsers(), isInside); }) &&
         "only the results of the root and of the second leave the group");
  Operation *root = ops.back();
  llvm::SetVector<Value> inputs;
  SmallVector<Location> locations;
  for (Operation *op : ops) {
    if (!isSplat(op) || ops.size() == 1)
      locations.push_back(op->getLoc());
    for (Value operand : op->getOperands())
      if (!llvm::is_contained(ops, operand.getDefiningOp()))
        inputs.insert(operand);
  }

  OpBuilder builder(root);
  Location location = builder.getFusedLoc(locations);
  SmallVector<Value> results;
  for (Value result : root->getResults())
    if (!result.use_empty())
      results.push_back(result);
  if (second)
    results.push_back(second->getResult(0));
  assert(!results.empty() && "what nobody uses has no group");
  auto group = dsc::GroupOp::create(builder, location, TypeRange(ValueRange(results)), inputs.getArrayRef());
  for (auto [own, outer] : llvm::zip_equal(results, group.getResults()))
    own.replaceUsesWithIf(outer, [&](OpOperand &use) { return !isInside(use.getOwner()); });
  Block *body = builder.createBlock(&group.getBody());
  IRMapping arguments;
  for (Value input : inputs)
    arguments.map(input, body->addArgument(input.getType(), input.getLoc()));
  for (Operation *op : ops) {
    op->moveBefore(body, body->end());
    op->removeAttr(inPlaceName);
    for (OpOperand &operand : op->getOpOperands())
      operand.set(arguments.lookupOrDefault(operand.get()));
  }
  builder.setInsertionPointToEnd(body);
  dsc::YieldOp::create(builder, root->getLoc(), results);
  return group;
}

} // namespace dscc
