// Pipelines that many jobs use, one after the other.

#ifndef DSCC_COMPILER_TRANSLATE_LOWERINGS_H
#define DSCC_COMPILER_TRANSLATE_LOWERINGS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace dscc {

/// Pipelines from the ops of kernels to the LLVM dialect. To collect their patterns takes longer than to lower a small
/// kernel, so that pipelines are kept; each is used by one thread at a time.
class Lowerings {
public:
  /// Adds the passes that lower a module whose indices have this many bits.
  using Build = void (*)(mlir::OpPassManager &pipeline, unsigned indexBits);
  /// Runs the pipeline that `build` makes.
  llvm::LogicalResult run(mlir::ModuleOp module, Build build, unsigned indexBits);

private:
  std::mutex lock;
  std::map<std::pair<Build, unsigned>, std::vector<std::unique_ptr<mlir::PassManager>>> idle;
};

/// Lowers math ops as lowerMath does.
std::unique_ptr<mlir::Pass> createLowerMathPass();

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_LOWERINGS_H
