// The bytes of an ONNX file in, a module of dsc ops out, each located at its ONNX node's name.

#ifndef DSCC_COMPILER_IMPORT_IMPORT_H
#define DSCC_COMPILER_IMPORT_IMPORT_H

#include "compiler/CompileListener.h"
#include "compiler/CompileOptions.h"
#include "compiler/CompileReport.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace dscc {

/// Reads `options.input` into `module` (stage `imported`), or tells the listener why not. Weights stay in the mapped
/// files, which live as long as the resources of `context` do.
ExitCode importModel(const CompileOptions &options, mlir::MLIRContext &context, CompileListener &listener,
                     CompileReport &report, mlir::OwningOpRef<mlir::ModuleOp> &module);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_IMPORT_H
