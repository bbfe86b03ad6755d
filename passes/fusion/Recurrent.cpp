#include "passes/fusion/Rules.h"

using namespace mlir;
using namespace dscc;

/// A recurrence reads its gates and first states once, so that what moves or computes them may be done on the way. Its
/// weights are read anew at each step: they lie in memory as they are.
Verdict dscc::fusesIntoRecurrence(Operation *producer, Operation *consumer, const GroupDraft &group) {
  auto recurrence = dyn_cast<dsc::RecurrenceOp>(consumer);
  if (!recurrence)
    return Verdict::declined("the consumer is no recurrence");
  if (group.anchored->contains(producer))
    return Verdict::declined("the producer can be the epilogue of another hero");
  if (!isElementwise(producer) && !isMovement(producer))
    return Verdict::declined("the producer is neither elementwise nor a movement");
  return Verdict::acceptedIf(
      llvm::none_of(recurrence.getWeights(), [&](Value weights) { return weights.getDefiningOp() == producer; }),
      "weights are read anew at each step, from memory");
}
