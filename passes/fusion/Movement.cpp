#include "passes/fusion/Rules.h"

using namespace mlir;
using namespace dscc;

/// True if the op reads each element of its input at most once for each it writes, and none twice.
static bool readsOnce(Operation *op) { return dsc::factsOf(op).readsOnce || isUnitReshape(op); }

/// A move reads what it moves from registers if nothing is computed twice for it. Joins are not nested: that multiplies
/// the branches in the kernel.
Verdict dscc::fusesIntoMovement(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (!isMovement(consumer))
    return Verdict::declined("the consumer is no movement");
  if (group.anchored->contains(producer))
    return Verdict::declined("the producer can be the epilogue of a hero");
  if (llvm::any_of(consumer->getUsers(), [](Operation *user) { return dsc::factsOf(user).role == dsc::Role::Product; }))
    return Verdict::declined("the movement turns what a product reads, and that is in memory");
  if (isElementwise(producer))
    return Verdict::acceptedIf(isCheap(producer) || readsOnce(consumer),
                               "the producer is costly, and the movement may read its elements more than once");
  if (isa<dsc::ConcatOp>(producer) && isa<dsc::ConcatOp>(consumer))
    return Verdict::declined("nested joins multiply the branches in the kernel");
  if (isa<dsc::ResizeOp>(producer) && isa<dsc::ResizeOp>(consumer))
    return Verdict::declined("nested interpolations multiply the code in the kernel");
  return Verdict::acceptedIf(isMovement(producer), "the producer is neither elementwise nor a movement");
}

/// Constants of one value, counters and repetitions are computed in place by any op but products and convolutions,
/// whose emitters want their operands in memory.
Verdict dscc::fusesAsDuplicable(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (dsc::factsOf(consumer).role == dsc::Role::Product)
    return Verdict::declined("products want their operands in memory");
  return Verdict::acceptedIf(isSplat(producer) || dsc::factsOf(producer).role == dsc::Role::Source,
                             "the producer reads something");
}
