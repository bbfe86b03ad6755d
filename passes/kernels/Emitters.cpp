#include "passes/kernels/Emitters.h"

using namespace mlir;

namespace dscc::kernels {

int64_t Kernel::scheduled(StringRef name, int64_t otherwise) const {
  auto value = schedule.getAs<IntegerAttr>(name);
  return value ? value.getInt() : otherwise;
}

LogicalResult Kernel::finish() {
  if (grid.isValid() && !k.lacksDim)
    return success();
  return group.emitOpError("takes a number of steps that is too large, or too long a formula of the named dims");
}

Operation *findContraction(dsc::GroupOp group) {
  for (Operation &op : group.getBody().front().without_terminator())
    if (isa<dsc::MatmulOp, dsc::ConvOp>(op))
      return &op;
  return nullptr;
}

ArrayRef<KernelEmitter> allKernelEmitters() {
  static constexpr KernelEmitter emitters[] = {
      {"recurrence", scheduleRecurrence, emitRecurrence, /*severalResults=*/true},
      {"shared_tiles", scheduleSharedTiles, emitSharedTiles},
      {"tiles", scheduleTiles, emitTiles},
      {"rows", scheduleRows, emitRows},
      {"elementwise", scheduleElementwise, emitElementwise},
  };
  return emitters;
}

/// What the emitter proposes; it may not be one for so many results.
static Proposal propose(const KernelEmitter &emitter, dsc::GroupOp group, const Target &target) {
  bool fits = group.getNumResults() == 1 || emitter.severalResults;
  return fits ? emitter.schedule(group, target) : Verdict::declined("the group has several results");
}

DictionaryAttr proposeSchedule(dsc::GroupOp group, const Target &target, std::string *refusals) {
  for (const KernelEmitter &emitter : allKernelEmitters()) {
    Proposal proposal = propose(emitter, group, target);
    if (proposal.verdict)
      return proposal.schedule;
    if (refusals)
      *refusals += ("; " + emitter.name + ": " + proposal.verdict.why()).str();
  }
  return {};
}

const KernelEmitter *findKernelEmitter(StringRef name) {
  for (const KernelEmitter &emitter : allKernelEmitters())
    if (emitter.name == name)
      return &emitter;
  return nullptr;
}

const KernelEmitter *readSchedule(dsc::GroupOp group, const Target &target) {
  auto schedule = group->getAttrOfType<DictionaryAttr>("schedule");
  auto name = schedule ? schedule.getAs<StringAttr>("emitter") : StringAttr();
  const KernelEmitter *emitter = name ? findKernelEmitter(name) : nullptr;
  if (!emitter) {
    group.emitOpError("has no schedule that an emitter knows");
    return nullptr;
  }
  // Emitters rely on what they have checked before they proposed a schedule.
  Proposal proposal = propose(*emitter, group, target);
  if (proposal.schedule == schedule)
    return emitter;
  InFlightDiagnostic error = group.emitOpError("has the schedule ");
  error << schedule;
  if (proposal.verdict)
    error << ", where its emitter proposes " << proposal.schedule;
  else
    error << ", but that emitter does not take the group: " << proposal.verdict.why();
  return nullptr;
}

} // namespace dscc::kernels
