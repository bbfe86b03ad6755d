// From a gpu.module to PTX.

#ifndef DSCC_COMPILER_TRANSLATE_DEVICECODE_H
#define DSCC_COMPILER_TRANSLATE_DEVICECODE_H

#include "compiler/translate/JobLog.h"
#include "dialects/dsc/Targets.h"

#include "mlir/IR/BuiltinOps.h"

namespace dscc {

/// What compileDevice makes; empty after a failure.
struct DeviceText {
  /// Of all kernels, for the target's oldest chip; which others run it, the table of targets says.
  std::string ptx;
  std::string llvm; // optimised LLVM IR, if asked for
};

/// Compiles the gpu.module in `module`, a module of its own, for the generation `target`. On failure the log says why.
DeviceText compileDevice(mlir::ModuleOp module, const Target &target, bool keepLlvm, JobLog &log);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_DEVICECODE_H
