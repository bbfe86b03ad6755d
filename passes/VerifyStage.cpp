// Says, in one place, what each stage of the journey promises the next one.

#include "dialects/dsc/Dsc.h"
#include "passes/Passes.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_VERIFYSTAGE
#include "passes/Passes.h.inc"

/// grouped: whatever computes belongs to a kernel.
static LogicalResult verifyGrouped(Operation *op) {
  if (!isa<dsc::DscDialect>(op->getDialect()) || op->getParentOfType<dsc::GroupOp>() ||
      isa<dsc::GroupOp, dsc::ConstantOp, dsc::ReshapeOp>(op))
    return success();
  return op->emitOpError("is outside any dsc.group, so no kernel computes it");
}

namespace {
struct VerifyStage : impl::VerifyStageBase<VerifyStage> {
  using VerifyStageBase::VerifyStageBase;

  void runOnOperation() override {
    if (stage != "grouped")
      return;
    auto check = [](Operation *op) -> WalkResult { return verifyGrouped(op); };
    if (getOperation()->walk(check).wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

} // namespace dscc
