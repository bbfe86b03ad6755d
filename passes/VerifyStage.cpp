// Says, in one place, what each stage of the journey promises the next one. A promise, once made, holds until the
// stage that takes it back; each entry names what is new.

#include "dialects/dsc/Dsc.h"
#include "dialects/dsc/Targets.h"
#include "passes/Passes.h"
#include "passes/memory/VerifyPlacement.h"

#include "llvm/ADT/StringSet.h"

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

/// imported, canonical, typed: one flat graph whose dims are all known.
static LogicalResult verifyFlat(ModuleOp top) {
  func::FuncOp main = getMain(top);
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return top.emitError("has no @main of one block");
  return checkEach(main, [](Operation *op) -> LogicalResult {
    if (isa<dsc::GroupOp, dsc::LaunchOp>(op))
      return op->emitOpError("comes only after the stage `grouped`");
    for (Value result : op->getResults())
      for (const DimExpr &dim : dsc::getDims(result))
        if (!dim.isValid())
          return op->emitOpError("has a result of type ") << result.getType() << ", in which a dim has no name";
    return success();
  });
}

/// split: one module a target, each with a graph of its own.
static LogicalResult verifySplit(ModuleOp top) {
  func::FuncOp main = getMain(top);
  if (!main || !main.isExternal())
    return top.emitError("has no declaration of @main");
  return checkTargets(top, [](ModuleOp nested) -> LogicalResult {
    auto name = nested->getAttrOfType<StringAttr>("dsc.target");
    if (!name || !findTarget(name))
      return nested.emitError("is for no known target");
    func::FuncOp main = getMain(nested);
    if (!main || main.isExternal())
      return nested.emitError("has no @main");
    return success();
  });
}

/// grouped: whatever computes belongs to a kernel.
static LogicalResult verifyGrouped(ModuleOp top) {
  return checkEach(top, [](Operation *op) -> LogicalResult {
    if (!isa<dsc::DscDialect>(op->getDialect()) || op->getParentOfType<dsc::GroupOp>() ||
        isa<dsc::GroupOp, dsc::ConstantOp, dsc::ReshapeOp>(op))
      return success();
    return op->emitOpError("is outside any dsc.group, so no kernel computes it");
  });
}

/// scheduled: an emitter is chosen for each group.
static LogicalResult verifyScheduled(ModuleOp top) {
  return checkEach(top, [](Operation *op) -> LogicalResult {
    if (!isa<dsc::GroupOp>(op))
      return success();
    auto schedule = op->getAttrOfType<DictionaryAttr>("schedule");
    if (!schedule || !schedule.getAs<StringAttr>("emitter"))
      return op->emitOpError("has no schedule that names an emitter");
    return success();
  });
}

/// placed: every result has bytes of its own for as long as it is needed.
static LogicalResult verifyPlaced(ModuleOp top) {
  return checkTargets(top, [&](ModuleOp nested) { return verifyPlacement(getMain(nested)); });
}

/// emitted: groups have become launches of kernels that exist.
static LogicalResult verifyEmitted(ModuleOp top) {
  return checkTargets(top, [](ModuleOp nested) {
    llvm::StringSet<> kernels;
    nested.walk([&](LLVM::LLVMFuncOp function) {
      if (function->hasAttr("dsc.kernel"))
        kernels.insert(function.getName());
    });
    return checkEach(nested, [&](Operation *op) -> LogicalResult {
      if (isa<dsc::GroupOp>(op))
        return op->emitOpError("has not become a kernel");
      auto launch = dyn_cast<dsc::LaunchOp>(op);
      if (!launch)
        return success();
      if (!kernels.contains(launch.getKernel()))
        return op->emitOpError("launches @") << launch.getKernel() << ", which is no kernel of this module";
      if (launch.getGrid().size() != 3 || !launch.getPlaces())
        return op->emitOpError("has no grid of three counts, or no places");
      return success();
    });
  });
}

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
struct Promise {
  StringLiteral stage;
  LogicalResult (*verify)(ModuleOp top);
};
} // namespace

static constexpr Promise promises[] = {
    {"imported", verifyFlat}, {"canonical", verifyFlat},  {"typed", verifyFlat},        {"split", verifySplit},
    {"grouped", verifySplit}, {"grouped", verifyGrouped}, {"scheduled", verifyGrouped}, {"scheduled", verifyScheduled},
    {"placed", verifyPlaced}, {"emitted", verifyEmitted}, {"streamed", verifyStreamed},
};

namespace {
struct VerifyStage : impl::VerifyStageBase<VerifyStage> {
  using VerifyStageBase::VerifyStageBase;

  void runOnOperation() override {
    for (const Promise &promise : promises)
      if (promise.stage == stage && failed(promise.verify(getOperation())))
        return signalPassFailure();
  }
};
} // namespace

} // namespace dscc
