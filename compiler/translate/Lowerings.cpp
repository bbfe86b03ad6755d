#include "compiler/translate/Lowerings.h"

#include "passes/math/LowerMath.h"

namespace dscc {

using namespace mlir;

namespace {
struct LowerMathPass : PassWrapper<LowerMathPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerMathPass)

  LogicalResult initialize(MLIRContext *context) override {
    lowering = std::make_shared<const MathLowering>(context);
    return success();
  }
  void runOnOperation() override {
    if (failed(lowering->run(getOperation())))
      signalPassFailure();
  }

  std::shared_ptr<const MathLowering> lowering;
};
} // namespace

std::unique_ptr<Pass> createLowerMathPass() { return std::make_unique<LowerMathPass>(); }

LogicalResult Lowerings::run(ModuleOp module, Build build, unsigned indexBits) {
  std::unique_ptr<PassManager> pipeline;
  auto key = std::make_pair(build, indexBits);
  {
    std::lock_guard<std::mutex> guard(lock);
    if (auto &waiting = idle[key]; !waiting.empty()) {
      pipeline = std::move(waiting.back());
      waiting.pop_back();
    }
  }
  if (!pipeline) {
    pipeline = std::make_unique<PassManager>(module.getContext());
    // What comes out is checked once, as LLVM IR.
    pipeline->enableVerifier(false);
    build(*pipeline, indexBits);
  }
  LogicalResult result = pipeline->run(module);
  std::lock_guard<std::mutex> guard(lock);
  idle[key].push_back(std::move(pipeline));
  return result;
}

} // namespace dscc
