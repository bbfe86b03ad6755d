// Gives each target a nested module with its own copy of @main.
//
//     @main            @main;  module @cpu_v4    { @main }
//                ==>           module @cuda_sm80 { @main }
//
// Attributes are shared, so weights are not copied. The top module keeps what all targets share: the signature, the
// named dims and their relations.

#include "dialects/dsc/Targets.h"
#include "passes/Passes.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_SPLITTARGETS
#include "passes/Passes.h.inc"

static void addTarget(ModuleOp top, func::FuncOp main, const Target &target) {
  OpBuilder builder = OpBuilder::atBlockEnd(top.getBody());
  auto nested = ModuleOp::create(builder, top.getLoc(), target.name);
  nested->setAttr("dsc.target", builder.getStringAttr(target.name));
  builder.setInsertionPointToStart(nested.getBody());
  builder.clone(*main);
}

namespace {
struct SplitTargets : impl::SplitTargetsBase<SplitTargets> {
  using SplitTargetsBase::SplitTargetsBase;

  void runOnOperation() override {
    ModuleOp top = getOperation();
    auto main = top.lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal()) {
      top.emitError("has no @main to give each target a copy of");
      return signalPassFailure();
    }
    for (const std::string &name : targets) {
      const Target *target = findTarget(name);
      if (!target) {
        top.emitError() << "there is no target '" << name << "'";
        return signalPassFailure();
      }
      addTarget(top, main, *target);
    }
    main.eraseBody();
    main.setPrivate();
  }
};
} // namespace

} // namespace dscc
