#include "passes/fusion/Rules.h"

using namespace mlir;

/// True if the op reads each element of its input at most once for each it writes, and none twice.
static bool readsOnce(Operation *op) { return dscc::dsc::factsOf(op).readsOnce || dscc::isUnitReshape(op); }

/// A move reads what it moves from registers if nothing is computed twice for it. Joins are not nested: that multiplies
/// the branches in the kernel.
bool dscc::fusesIntoMovement(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (!isMovement(consumer) || group.anchored->contains(producer))
    return false;
  if (isElementwise(producer))
    return isCheap(producer) || readsOnce(consumer);
  bool nestedJoin = isa<dsc::ConcatOp>(producer) && isa<dsc::ConcatOp>(consumer);
  bool nestedSampling = isa<dsc::ResizeOp>(producer) && isa<dsc::ResizeOp>(consumer);
  return isMovement(producer) && !nestedJoin && !nestedSampling;
}

/// Constants of one value, counters and repetitions are computed in place by any op but products and convolutions,
/// whose emitters want their operands in memory.
bool dscc::fusesAsDuplicable(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (dsc::factsOf(consumer).role == dsc::Role::Product)
    return false;
  return isSplat(producer) || dsc::factsOf(producer).role == dsc::Role::Source;
}
