// The table that an artifact exports: dscc_model_v2 and all that hangs on it, as constants.

#ifndef DSCC_COMPILER_TRANSLATE_MODELTABLE_H
#define DSCC_COMPILER_TRANSLATE_MODELTABLE_H

#include "compiler/translate/JobLog.h"
#include "compiler/translate/Weights.h"
#include "dialects/dsc/Targets.h"
#include "dialects/dsc/TensorMaps.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"

#include <dscc/abi.h>

namespace dscc {

/// Becomes a dscc_kernel.
struct KernelEntry {
  /// Of the function that computes it.
  std::string name;
  /// CUDA: of a block. CPU: 1.
  std::array<uint32_t, 3> threads = {1, 1, 1};
  /// CUDA: dynamic shared memory of a block.
  uint32_t sharedBytes = 0;
  /// CPU: what each worker needs besides the arena.
  uint64_t scratchBytes = 0;
  /// CUDA: index into ProgramEntry::modules.
  uint32_t module = 0;
  /// CUDA: blocks of a cluster.
  std::array<uint32_t, 3> cluster = {1, 1, 1};
  /// CUDA: whether it waits for the work before it by itself.
  bool overlaps = false;
  /// What ptxas said of a CUDA kernel on one chip.
  struct Resources {
    /// Its name, "sm_90".
    std::string chip;
    /// A thread's registers, bytes that did not fit into them, and a block's static shared memory.
    unsigned registers = 0, spillBytes = 0, sharedBytes = 0;
  };
  /// One a chip that got a cubin.
  std::vector<Resources> resources;
};

/// Becomes a dscc_image.
struct ImageEntry {
  /// The oldest and the last chip that run it, as compute capabilities.
  uint32_t minSm, maxSm;
  uint32_t kind;    // of dscc_image: 1 cubin, 2 PTX text
  size_t code;      // index into ModelEntry::codes
  const Chip *chip; // whose cubin it is; null for PTX
};

/// Becomes a dscc_module: images of the same kernels for different chips.
struct ModuleEntry {
  /// In any order: the runtime takes the best that its chip runs.
  std::vector<ImageEntry> images;
};

/// Becomes a dscc_launch.
struct LaunchEntry {
  /// Index into ProgramEntry::kernels.
  uint32_t kernel;
  /// The ONNX nodes that it stands for, joined by ';'.
  std::string nodes;
};

/// Becomes a dscc_tensor_map.
struct TensorMapEntry {
  /// Of an element.
  mlir::Type element;
  /// As in a TensorMap, outermost first.
  llvm::SmallVector<int64_t> box;
  int64_t swizzle; // bytes
  /// Empty: it is tiled.
  PixelAxes pixels;
};

/// Becomes a dscc_program.
struct ProgramEntry {
  /// An entry of allTargets().
  const Target *target;
  std::string prefix;       // of its names
  std::string arenaFormula; // for people; empty if none is short enough
  size_t firstWeight = 0;   // where its list begins in the table
  uint32_t services = 0;    // of the runtime, that it calls
  /// In the order in which launches refer to them.
  std::vector<KernelEntry> kernels;
  /// In the order in which a run makes them.
  std::vector<LaunchEntry> launches;
  /// In the order in which a run counts them.
  std::vector<TensorMapEntry> tensorMaps;
  /// CUDA: at least one if there are kernels. CPU: none.
  std::vector<ModuleEntry> modules;
};

/// Becomes the dscc_model_v2.
struct ModelEntry {
  /// In the order in which the runtime tries them.
  std::vector<ProgramEntry> programs;
  /// Cubins and PTX, each once however many images have it.
  std::vector<std::string> codes;
  /// The lists of all programs, one after the other.
  llvm::ArrayRef<dscc_weight> weights;
  /// What the linker has to reserve.
  uint64_t weightBytes = 0;
  size_t defaults = 0;   // where in the weights those of listDefaults begin
  std::string buildInfo; // JSON
  /// The name of the function that computes the dims of inputs and outputs.
  std::string dimsName;
  std::string sidesName; // empty if the model has no relations
};

/// The name whose address is that of the weights; the linker reserves their place (Link.h).
inline constexpr llvm::StringLiteral weightDataName = "dscc.weights";

/// The values of the inputs that a caller may leave out, in the inputs' order (dsc.default of @main's arguments).
mlir::ArrayAttr listDefaults(mlir::ModuleOp module);

/// Adds the table to `table`. The signature comes from `module`: the declaration of @main, and dsc.symbols. Functions
/// are referred to by name: PREFIX + "run", "arena_bytes" and the kernels' names.
void buildModelTable(mlir::ModuleOp module, const ModelEntry &model, llvm::Module &table, JobLog &log);

/// Puts the weights themselves where buildModelTable only reserved their place.
void fillWeights(const Weights &weights, llvm::Module &table, JobLog &log);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_MODELTABLE_H
