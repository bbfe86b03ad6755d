// Says, in one place, what each stage of the journey promises the next one. A promise, once made, holds until the
// stage that takes it back; each entry names what is new.

#include "dialects/dsc/Targets.h"
#include "dialects/dsc/Windows.h"
#include "passes/DimNames.h"
#include "passes/Passes.h"
#include "passes/kernels/Emitters.h"
#include "passes/memory/VerifyPlacement.h"
#include "passes/stream/VerifyLaunches.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_VERIFYSTAGE
#include "passes/Passes.h.inc"

/// Calls `check` with each op below `root`; the first failure ends it.
static LogicalResult checkEach(Operation *root, function_ref<LogicalResult(Operation *)> check) {
  return failure(root->walk([&](Operation *op) -> WalkResult { return check(op); }).wasInterrupted());
}

/// Calls `check` with each target's module.
static LogicalResult checkTargets(ModuleOp top, function_ref<LogicalResult(ModuleOp)> check) {
  for (auto nested : top.getOps<ModuleOp>())
    if (failed(check(nested)))
      return failure();
  return success();
}

static func::FuncOp getMain(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("main"); }

/// Tensors of elements that kernels know, with dims that all have names.
static LogicalResult checkTensors(Operation *op, StringRef what, TypeRange types) {
  for (Type type : types) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !dsc::isElementType(tensor.getElementType()))
      return op->emitOpError("has ") << what << " of type " << type << ", which is no tensor of numbers or booleans";
    if (!llvm::all_of(dsc::getDims(type), [](const DimExpr &dim) { return dim.isValid(); }))
      return op->emitOpError("has ") << what << " of type " << type << ", in which a dim has no name";
  }
  return success();
}

/// imported, canonical, and later of each target: a list of our ops on tensors, with one end.
static LogicalResult checkGraph(ModuleOp module) {
  func::FuncOp main = getMain(module);
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return module.emitError("has no @main of one block");
  if (failed(checkTensors(main, "an input", main.getArgumentTypes())))
    return failure();
  return checkEach(main, [&](Operation *op) -> LogicalResult {
    if (op == main || isa<func::ReturnOp>(op))
      return success();
    if (!isa<dsc::DscDialect>(op->getDialect()))
      return op->emitOpError("does not belong into a graph of tensors");
    return checkTensors(op, "a result", op->getResultTypes());
  });
}

/// imported to laidout: nobody has cut a graph into groups yet.
static LogicalResult verifyFlat(ModuleOp top) {
  return checkEach(top, [](Operation *op) -> LogicalResult {
    if (isa<dsc::GroupOp, dsc::LaunchOp>(op))
      return op->emitOpError("comes only after the stage `grouped`");
    return success();
  });
}

/// split: one module a target, each with a graph of its own.
static LogicalResult verifySplit(ModuleOp top) {
  func::FuncOp main = getMain(top);
  if (!main || !main.isExternal())
    return top.emitError("has no declaration of @main");
  return checkTargets(top, [](ModuleOp nested) -> LogicalResult {
    if (!nested->hasAttr("dsc.target"))
      return nested.emitError("has no dsc.target");
    return checkGraph(nested);
  });
}

/// All but streamed: the dims of every tensor can be computed from those of the inputs.
static LogicalResult verifyNames(ModuleOp top) { return verifyDimNames(top); }

/// grouped: whatever computes belongs to a kernel; joins and slices in place do not.
static LogicalResult verifyGrouped(ModuleOp top) {
  return checkEach(top, [](Operation *op) -> LogicalResult {
    if (!dsc::factsOf(op).needsKernel() || op->getParentOfType<dsc::GroupOp>() || isInPlace(op))
      return success();
    return op->emitOpError("is outside any dsc.group, so no kernel computes it");
  });
}

/// scheduled: each group has schedules that emitters can follow.
static LogicalResult verifyScheduled(ModuleOp top) {
  return checkTargets(top, [](ModuleOp nested) -> LogicalResult {
    const Target *target = findTarget(nested->getAttrOfType<StringAttr>("dsc.target"));
    for (auto group : getMain(nested).getOps<dsc::GroupOp>())
      if (failed(kernels::checkSchedules(group, *target)))
        return failure();
    return success();
  });
}

/// placed: every result has bytes of its own, or a part of another's, for as long as it is needed, and is read there.
static LogicalResult verifyPlaced(ModuleOp top) {
  return checkTargets(top, [&](ModuleOp nested) { return verifyPlacement(getMain(nested)); });
}

/// emitted: groups have become launches of kernels that exist.
static LogicalResult verifyEmitted(ModuleOp top) { return checkTargets(top, verifyLaunches); }

/// streamed: no tensors are left, only code.
static LogicalResult verifyStreamed(ModuleOp top) {
  if (!top.lookupSymbol<LLVM::LLVMFuncOp>("dims"))
    return top.emitError("has no @dims");
  LogicalResult complete = checkTargets(top, [](ModuleOp nested) -> LogicalResult {
    for (StringRef name : {"run", "arena_bytes"})
      if (!nested.lookupSymbol<LLVM::LLVMFuncOp>(name))
        return nested.emitError("has no @") << name;
    if (!nested->hasAttr("dsc.weights"))
      return nested.emitError("does not list its weights");
    if (!nested->hasAttr("dsc.launches"))
      return nested.emitError("does not list its launches");
    if (!nested->hasAttr("dsc.services"))
      return nested.emitError("does not list the services that it calls");
    return success();
  });
  if (failed(complete))
    return failure();
  return checkEach(top, [](Operation *op) -> LogicalResult {
    if (isa<dsc::DscDialect>(op->getDialect()))
      return op->emitOpError("is not lowered to code");
    return success();
  });
}

namespace {
/// What holds from one stage to another, both included.
struct Promise {
  StringLiteral first, last;
  LogicalResult (*verify)(ModuleOp top);
};
} // namespace

// In this order: a check may rely on those above it.
static constexpr Promise promises[] = {
    {"imported", "canonical", checkGraph},    {"split", "emitted", verifySplit},
    {"imported", "laidout", verifyFlat},      {"imported", "emitted", verifyNames},
    {"grouped", "placed", verifyGrouped},     {"scheduled", "scheduled", verifyScheduled},
    {"placed", "placed", verifyPlaced},       {"emitted", "emitted", verifyEmitted},
    {"streamed", "streamed", verifyStreamed},
};

/// The order of the stages that make promises.
static constexpr StringLiteral stages[] = {"imported", "canonical", "split",  "typed",   "laidout",
                                           "grouped",  "scheduled", "placed", "emitted", "streamed"};

static size_t placeOf(StringRef stage) { return llvm::find(stages, stage) - std::begin(stages); }

namespace {
struct VerifyStage : impl::VerifyStageBase<VerifyStage> {
  using VerifyStageBase::VerifyStageBase;

  void runOnOperation() override {
    size_t place = placeOf(stage);
    for (const Promise &promise : promises)
      if (placeOf(promise.first) <= place && place <= placeOf(promise.last) && failed(promise.verify(getOperation())))
        return signalPassFailure();
  }
};
} // namespace

} // namespace dscc
