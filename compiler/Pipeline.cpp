#include "compiler/Pipeline.h"

#include "llvm/ADT/STLExtras.h"

namespace dscc {

llvm::ArrayRef<Step> journey() {
  static const std::vector<Step> steps = {};
  return steps;
}

mlir::LogicalResult buildPipeline(mlir::OpPassManager &pm, const CompileOptions &options) {
  if (!options.until.empty() && !llvm::is_contained(allStages(), options.until))
    return mlir::failure();
  if (options.until == allStages().front())
    return mlir::success();
  for (const Step &step : journey()) {
    step.build(pm, options);
    if (step.stage == options.until)
      break;
  }
  return mlir::success();
}

llvm::ArrayRef<llvm::StringLiteral> allStages() {
  static constexpr llvm::StringLiteral stages[] = {"imported",  "canonical", "typed",   "laidout",  "grouped",
                                                   "scheduled", "placed",    "emitted", "streamed", "translated",
                                                   "linked"};
  return stages;
}

} // namespace dscc
