#include "passes/fusion/Rules.h"

using namespace mlir;

/// A hero takes the elementwise ops that follow it as its epilogue, if they keep its dims.
bool dscc::fusesAsEpilogue(Operation *producer, Operation *consumer, const GroupDraft &group) {
  return isHero(producer) && !group.hero && group.epilogue.contains(consumer) &&
         sameDims(producer->getResult(0), group.root()->getResult(0));
}

/// Rows and windows are fed by chains that are computed as they are read. What could be another hero's epilogue stays
/// there, where it is computed once.
bool dscc::fusesAsPrologue(Operation *producer, Operation *consumer, const GroupDraft &group) {
  dsc::Role role = dsc::factsOf(consumer).role;
  if (role != dsc::Role::Window && role != dsc::Role::Row)
    return false;
  if (group.anchored->contains(producer))
    return false;
  // Windows overlap: only what is cheap may be computed once for each of them.
  if (role == dsc::Role::Window)
    return isCheap(producer) || isUnitReshape(producer);
  return isElementwise(producer) || isMovement(producer);
}

/// Products read each element many times, so only a conversion may stand between memory and them.
bool dscc::fusesCastIntoProduct(Operation *producer, Operation *consumer, const GroupDraft &group) {
  return dsc::factsOf(consumer).role == dsc::Role::Product && isa<dsc::CastOp>(producer) &&
         !group.anchored->contains(producer);
}
