// One call: the bytes of an ONNX model in, model.so out.

#ifndef DSCC_COMPILER_COMPILE_H
#define DSCC_COMPILER_COMPILE_H

#include "compiler/CompileListener.h"
#include "compiler/CompileOptions.h"
#include "compiler/CompileReport.h"

namespace dscc {

/// Compiles `options.input`. On failure nothing is left at `options.output`.
ExitCode compile(const CompileOptions &options, CompileListener &listener, CompileReport &report);

} // namespace dscc

#endif // DSCC_COMPILER_COMPILE_H
