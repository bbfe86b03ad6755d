#include "passes/fusion/Rules.h"

using namespace mlir;

/// A recurrence reads its gates and first states once, so that what moves or computes them may be done on the way. Its
/// weights are read anew at each step: they lie in memory as they are.
bool dscc::fusesIntoRecurrence(Operation *producer, Operation *consumer, const GroupDraft &group) {
  auto recurrence = dyn_cast<dsc::RecurrenceOp>(consumer);
  if (!recurrence || group.anchored->contains(producer) || !(isElementwise(producer) || isMovement(producer)))
    return false;
  return llvm::none_of(recurrence.getWeights(), [&](Value weights) { return weights.getDefiningOp() == producer; });
}
