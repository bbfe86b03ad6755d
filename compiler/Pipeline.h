// The journey of a model through the compiler, as a table of steps.

#ifndef DSCC_COMPILER_PIPELINE_H
#define DSCC_COMPILER_PIPELINE_H

#include "compiler/CompileOptions.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/SmallVector.h"

namespace dscc {

/// A step takes the model from the stage before to `stage`.
struct Step {
  /// One of allStages().
  llvm::StringLiteral stage;
  /// Appends the passes of the step, but for those that `options` disables.
  void (*build)(mlir::OpPassManager &pm, const CompileOptions &options);
};

/// From imported dsc ops to host and device code, in order.
llvm::ArrayRef<Step> journey();

/// Appends the whole journey. Stops after `options.until` if that names a stage of it; fails if it names none.
mlir::LogicalResult buildPipeline(mlir::OpPassManager &pm, const CompileOptions &options);

/// What `CompileOptions::disabledPasses` may name, in the order of the journey; `in-place` is a part of plan-memory.
llvm::ArrayRef<llvm::StringLiteral> optionalPasses();

/// All stages in order, the importer's and the translator's included.
llvm::ArrayRef<llvm::StringLiteral> allStages();

} // namespace dscc

#endif // DSCC_COMPILER_PIPELINE_H
