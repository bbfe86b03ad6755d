// Chooses for each group the emitter that will write it and that emitter's parameters: the first of the table that
// takes it.

#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/kernels/Emitters.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_SCHEDULEGROUPS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-schedule-groups"
ALWAYS_ENABLED_STATISTIC(numScheduled, "Groups scheduled");

namespace {
struct ScheduleGroups : impl::ScheduleGroupsBase<ScheduleGroups> {
  using ScheduleGroupsBase::ScheduleGroupsBase;

  void runOnOperation() override {
    auto module = getOperation()->getParentOfType<ModuleOp>();
    auto name = module ? module->getAttrOfType<StringAttr>("dsc.target") : StringAttr();
    const Target *target = name ? findTarget(name) : nullptr;
    if (!target)
      return;
    Journal journal(explained);
    for (auto group : getOperation().getOps<dsc::GroupOp>()) {
      std::string refusals;
      bool explains = journal.wants(group);
      DictionaryAttr schedule = kernels::proposeSchedule(group, *target, explains ? &refusals : nullptr);
      if (!schedule) {
        std::string reason;
        if (kernels::hasElementCode(group, &reason))
          reason = "no emitter writes " + std::to_string(group.getNumResults()) + " results of these ops at once";
        group.emitOpError("cannot become a kernel: ") << reason;
        return signalPassFailure();
      }
      if (explains)
        journal.tell(group) << "has the schedule " << schedule << refusals;
      group->setAttr("schedule", schedule);
      ++numScheduled;
    }
  }
};
} // namespace

} // namespace dscc
