// From a gpu.module to PTX.

#ifndef DSCC_COMPILER_TRANSLATE_DEVICECODE_H
#define DSCC_COMPILER_TRANSLATE_DEVICECODE_H

#include "compiler/translate/JobLog.h"
#include "compiler/translate/Lowerings.h"
#include "dialects/dsc/Targets.h"

#include "mlir/IR/BuiltinOps.h"

namespace dscc {

/// For which generation kernels are compiled, and which of them, by name, wait for the work before them.
struct DeviceForm {
  const Target *target;
  std::vector<std::string> overlapping;
};

/// What compileDevice makes of one form.
struct DeviceText {
  /// Of all kernels, for the target's oldest chip; which others run it, the table of targets says.
  std::string ptx;
  std::string llvm; // optimised LLVM IR, if asked for
};

/// Compiles the gpu.module in `module`, a module of its own, in each of these forms, of which there is one at least;
/// the work up to optimised LLVM IR is done once. On failure the log says why.
std::vector<DeviceText> compileDevice(mlir::ModuleOp module, llvm::ArrayRef<DeviceForm> forms, bool keepLlvm,
                                      Lowerings &lowerings, JobLog &log);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_DEVICECODE_H
