#include "passes/fusion/Rules.h"

using namespace mlir;
using namespace dscc;

/// Computed where it is used, unless that repeats costly work: once for each place that it is broadcast to, or a
/// second time beside the hero whose epilogue it could be.
Verdict dscc::fusesIntoElementwise(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (!isElementwise(consumer))
    return Verdict::declined("the consumer is not elementwise");
  if (isMovement(producer))
    return Verdict::accepted();
  if (!isElementwise(producer))
    return Verdict::declined("the producer is neither elementwise nor a movement");
  bool keepsDims = sameDims(producer->getResult(0), consumer->getResult(0));
  if (group.anchored->contains(producer))
    return Verdict::acceptedIf(group.epilogue.contains(consumer) && keepsDims,
                               "the producer can be the epilogue of a hero, and this is not the hero's group");
  return Verdict::acceptedIf(isCheap(producer) || keepsDims,
                             "the producer is costly, and would be computed for each place that it is broadcast to");
}
