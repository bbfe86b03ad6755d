// From the code of one program to an x86-64 object file.

#ifndef DSCC_COMPILER_TRANSLATE_HOSTCODE_H
#define DSCC_COMPILER_TRANSLATE_HOSTCODE_H

#include "compiler/translate/JobLog.h"
#include "compiler/translate/Lowerings.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"

namespace dscc {

/// How an object is to be made.
struct HostOptions {
  std::string prefix;  // put before every name: programs share one artifact
  std::string cpuName; // LLVM's -mcpu
  int vectorBits = 0;  // 0: LLVM's choice
  /// 0 to 3, as -O has it.
  int optLevel = 3;
  bool keepLlvm = false; // also return the optimised LLVM IR as text
};

/// What compileHost makes; empty after a failure.
struct HostObject {
  std::string bytes; // ELF, relocatable
  std::string llvm;  // if asked for
};

/// Compiles `module`, which holds llvm.funcs over scf, arith, math, vector and llvm, and consumes its IR. All names
/// come out hidden. On failure the log says why.
HostObject compileHost(mlir::ModuleOp module, const HostOptions &options, Lowerings &lowerings, JobLog &log);

/// The same from LLVM IR on; names stay as they are, and as visible.
HostObject compileHost(llvm::Module &module, const HostOptions &options, JobLog &log);

/// To be called once, before any of the above.
void initializeCodeGenerators();

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_HOSTCODE_H
