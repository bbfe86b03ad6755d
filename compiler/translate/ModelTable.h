// The table that an artifact exports: dscc_model_v1 and all that hangs on it, as constants.

#ifndef DSCC_COMPILER_TRANSLATE_MODELTABLE_H
#define DSCC_COMPILER_TRANSLATE_MODELTABLE_H

#include "compiler/translate/JobLog.h"
#include "compiler/translate/Weights.h"
#include "dialects/dsc/Targets.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"

#include <dscc/abi.h>

namespace dscc {

struct KernelEntry {
  std::string name, nodes;
  std::array<uint32_t, 3> threads = {1, 1, 1};
  uint32_t sharedBytes = 0;
  uint64_t scratchBytes = 0;
  // Of a CUDA kernel, one a chip; what ptxas said.
  struct Resources {
    std::string chip;
    unsigned registers = 0, spillBytes = 0, sharedBytes = 0;
  };
  std::vector<Resources> resources;
};

struct ImageEntry {
  uint32_t sm;
  uint32_t kind; // of dscc_image: 1 cubin, 2 PTX text
  std::string data;
};

struct ProgramEntry {
  const Target *target;
  std::string prefix;     // of its symbols
  size_t firstWeight = 0; // where its list begins in the table
  std::vector<KernelEntry> kernels;
  std::vector<ImageEntry> images;
};

struct ModelEntry {
  std::vector<ProgramEntry> programs;
  llvm::ArrayRef<dscc_weight> weights;
  uint64_t weightBytes = 0;
  std::string buildInfo; // JSON
  std::string dimsSymbol;
  std::string sidesSymbol; // empty if the model has no relations
};

/// Symbol whose address is that of the weights; the linker reserves their place (Link.h).
inline constexpr llvm::StringLiteral weightDataSymbol = "dscc.weights";

/// Adds the table to `table`. The signature comes from `module`: the declaration of @main, and dsc.symbols. Functions
/// are referred to by name: PREFIX + "run", "arena_bytes" and the kernels' names.
void buildModelTable(mlir::ModuleOp module, const ModelEntry &model, llvm::Module &table, JobLog &log);

/// Puts the weights themselves where buildModelTable only reserved their place.
void fillWeights(const Weights &weights, llvm::Module &table, JobLog &log);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_MODELTABLE_H
