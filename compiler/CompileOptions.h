// What a compilation is asked for: plain data, one field a flag.

#ifndef DSCC_COMPILER_COMPILEOPTIONS_H
#define DSCC_COMPILER_COMPILEOPTIONS_H

#include "dialects/dsc/Targets.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dscc {

/// What f32 values become at run time; inputs and outputs keep their types.
enum class Precision { Fp32, Fp16, Bf16 };
/// What is written to `output`.
enum class Emit { SharedObject, Object, Ptx, Cubin, Llvm };

/// --dim NAME=N or NAME=A..B
struct DimBinding {
  /// Of a dim of the model; one that the model lacks is an error.
  std::string name;
  int64_t min, max; // equal: the dim is fixed
};

/// --shape INPUT=1x3x224x224; `?` leaves a dim as it is
struct ShapeBinding {
  /// Of the model; one that the model lacks is an error.
  std::string input;
  /// One for each dim of the input.
  std::vector<std::optional<int64_t>> dims;
};

/// Each has a flag; hitting one ends with ExitCode::LimitHit.
struct Budgets {
  /// Of the model's file and the files that hold its weights.
  uint64_t modelBytes = uint64_t(64) << 30;
  uint64_t nodes = 1'000'000;                 // after inlining functions
  uint64_t tensorBytes = uint64_t(64) << 30;  // of any one tensor with static dims
  uint64_t foldedBytes = uint64_t(256) << 20; // made by constant folding, all together
  /// Of the whole compilation; looked at between steps and between nodes.
  double seconds = 3600;
};

/// Plain data: what the flags in tools/ come to. Nothing below tools/ reads flags or the environment.
struct CompileOptions {
  std::string input; // NAME.mlir is a module at the stage that its attribute dsc.stage tells; else ONNX
  /// The file to make. `-`, or empty, with `until`: standard output.
  std::string output;
  /// --target: which of the targets below get a program.
  bool cpu = true, cuda = true;
  /// Chips that get an image of their own; entries of allChips().
  std::vector<std::string> archs = defaultChips();
  std::vector<int> cpuLevels = {4, 3}; // --march=x86-64-v4 keeps one
  /// --dim, in the order given.
  std::vector<DimBinding> dims;
  /// --shape, in the order given.
  std::vector<ShapeBinding> shapes;
  /// --precision
  Precision precision = Precision::Fp32;
  /// --emit
  Emit emit = Emit::SharedObject;
  std::string until; // a stage's name; empty goes all the way
  /// 0 to 3, as -O has it.
  int optLevel = 3;
  int jobs = 0; // 0: one a core
  /// --explain=layouts, --explain=fusion, --explain=schedule: a regular expression of the nodes to tell about as
  /// remarks; empty: of none.
  std::string explainLayouts, explainFusion, explainSchedule;
  /// -v, --time-passes, --save-temps
  bool verbose = false, timePasses = false, saveTemps = false;
  bool stripPtx = false;                   // cubins without the text that they were made from
  std::string cacheDir;                    // compiled kernels are kept there; empty: nowhere
  uint64_t cacheBytes = uint64_t(2) << 30; // at most, in cacheDir
  std::string compilerId;                  // of this build of the compiler, for the cache
  std::string ptxas;                       // full path; empty: none found, ship PTX only
  std::vector<std::string> disabledPasses; // --disable=fuse-groups,unroll-loops,...
  /// --max-...
  Budgets budgets;
};

} // namespace dscc

#endif // DSCC_COMPILER_COMPILEOPTIONS_H
