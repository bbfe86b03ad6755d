// What BuildProgram relies on in a target's module.

#ifndef DSCC_PASSES_STREAM_VERIFYLAUNCHES_H
#define DSCC_PASSES_STREAM_VERIFYLAUNCHES_H

#include "mlir/IR/BuiltinOps.h"

namespace dscc {

/// An error unless @main of a target's module is a list of launches of kernels that exist, which write into outputs
/// and places that exist; besides there may be constants and views.
mlir::LogicalResult verifyLaunches(mlir::ModuleOp nested);

} // namespace dscc

#endif // DSCC_PASSES_STREAM_VERIFYLAUNCHES_H
