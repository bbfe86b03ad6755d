#include "passes/fusion/Rules.h"

using namespace mlir;

/// Computed where it is used, unless that repeats costly work: once for each place that it is broadcast to, or a
/// second time beside the hero whose epilogue it could be.
bool dscc::fusesIntoElementwise(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (!isElementwise(consumer))
    return false;
  if (isMovement(producer))
    return true;
  if (!isElementwise(producer))
    return false;
  if (group.anchored->contains(producer))
    return group.epilogue.contains(consumer) && sameDims(producer->getResult(0), consumer->getResult(0));
  return isCheap(producer) || sameDims(producer->getResult(0), consumer->getResult(0));
}
