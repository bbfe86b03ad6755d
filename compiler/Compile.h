// One call: the bytes of an ONNX model in, model.so out.

#ifndef DSCC_COMPILER_COMPILE_H
#define DSCC_COMPILER_COMPILE_H

#include "passes/Statistics.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace dscc {

/// How a compilation ended; the process exit codes of `dscc`.
enum class ExitCode {
  Ok = 0,
  ModelRejected = 1,
  Usage = 2,
  Unsupported = 3,
  LimitHit = 4,
  Environment = 5,
  Internal = 70
};

enum class Precision { Fp32, Fp16, Bf16 };
enum class Emit { SharedObject, Object, Ptx, Cubin, Llvm };

/// --dim NAME=N or NAME=A..B
struct DimBinding {
  std::string name;
  int64_t min, max; // equal: the dim is fixed
};

/// --shape INPUT=1x3x224x224; `?` leaves a dim as it is
struct ShapeBinding {
  std::string input;
  std::vector<std::optional<int64_t>> dims;
};

/// Each has a flag; hitting one ends with ExitCode::LimitHit.
struct Budgets {
  uint64_t modelBytes = uint64_t(64) << 30;
  uint64_t nodes = 1'000'000;            // after inlining functions
  uint64_t tensorBytes = uint64_t(64) << 30; // of any one tensor with static dims
  uint64_t foldedBytes = uint64_t(256) << 20; // made by constant folding, all together
  double seconds = 3600;
};

/// Plain data: what the flags in tools/ come to. Nothing below tools/ reads flags or the environment.
struct CompileOptions {
  std::string input; // NAME.mlir is a module at the stage that its attribute dsc.stage tells; else ONNX
  std::string output;
  bool cpu = true, cuda = true;
  std::vector<std::string> archs = {"sm_80", "sm_86", "sm_89", "sm_90"};
  std::vector<int> cpuLevels = {4, 3}; // --march=x86-64-v4 keeps one
  std::vector<DimBinding> dims;
  std::vector<ShapeBinding> shapes;
  Precision precision = Precision::Fp32;
  Emit emit = Emit::SharedObject;
  std::string until; // a stage's name; empty goes all the way
  int optLevel = 3;
  int jobs = 0;      // 0: one a core
  bool verbose = false, timePasses = false, saveTemps = false;
  bool stripPtx = false;    // cubins without the text that they were made from
  std::string ptxas;        // full path; empty: none found, ship PTX only
  std::vector<std::string> disabledPasses; // --disable=fuse-groups,unroll-loops,...
  Budgets budgets;
};

/// One thing to tell the user. `node` is the ONNX node's name, or empty.
struct Diagnostic {
  enum class Severity { Error, Warning, Remark } severity;
  std::string node, op, message, hint;
};

/// Where a compilation tells about itself. Called from one thread at a time.
struct CompileListener {
  virtual ~CompileListener() = default;
  virtual void diagnose(const Diagnostic &diagnostic) = 0;
  /// `done` of `total` kernels are translated.
  virtual void progress(unsigned done, unsigned total) {}
  /// The module, as text, at the beginning of the step that follows `stage`: what a reproducer needs if that step
  /// breaks down. Large constants are left out.
  virtual void checkpoint(llvm::StringRef stage, llvm::StringRef ir) {}
  /// Text for the user's standard output (--until, --emit=llvm, ...).
  virtual void print(llvm::StringRef text) = 0;
};

/// What was made, for -v and for tests.
struct CompileReport {
  unsigned nodes = 0, kernels = 0;
  uint64_t artifactBytes = 0, weightBytes = 0;
  std::string ptxasVersion;
  std::vector<std::string> dependencies; // files read besides the model: external data
  std::string json; // per target: kernels with registers and spills
  std::vector<PassCount> counts; // of the process so far
};

/// Compiles `options.input`. On failure nothing is left at `options.output`.
ExitCode compile(const CompileOptions &options, CompileListener &listener, CompileReport &report);

} // namespace dscc

#endif // DSCC_COMPILER_COMPILE_H
