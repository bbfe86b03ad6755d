#include "passes/fusion/Rules.h"

using namespace mlir;

/// True if the op reads each element of its input at most once for each it writes, and none twice.
static bool readsOnce(Operation *op) {
  return isa<dscc::dsc::TransposeOp, dscc::dsc::SliceOp, dscc::dsc::PadOp, dscc::dsc::ConcatOp>(op) ||
         dscc::isUnitReshape(op);
}

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
  if (isa<dsc::MatmulOp, dsc::ConvOp, dsc::ConvTransposeOp>(consumer))
    return false;
  return isSplat(producer) || isa<dsc::DimsOp, dsc::IotaOp>(producer);
}
