// The last part of the journey: from the streamed module to files.

#ifndef DSCC_COMPILER_TRANSLATE_TRANSLATE_H
#define DSCC_COMPILER_TRANSLATE_TRANSLATE_H

#include "compiler/CompileListener.h"
#include "compiler/CompileOptions.h"
#include "compiler/CompileReport.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/ThreadPool.h"

namespace dscc {

/// Makes what `options.emit` asks for out of `module` (stage `streamed`), which is consumed. Independent parts run side
/// by side on `pool`; the bytes do not depend on its size.
ExitCode translate(mlir::ModuleOp module, const CompileOptions &options, llvm::ThreadPoolInterface &pool,
                   CompileListener &listener, CompileReport &report);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_TRANSLATE_H
