// One call: the bytes of an ONNX model in, model.so out.

#ifndef DSCC_COMPILER_COMPILE_H
#define DSCC_COMPILER_COMPILE_H

#include "compiler/CompileListener.h"
#include "compiler/CompileOptions.h"
#include "passes/Statistics.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dscc {

/// What was made, for -v and for tests.
struct CompileReport {
  unsigned nodes = 0, kernels = 0;
  uint64_t artifactBytes = 0, weightBytes = 0;
  std::string ptxasVersion;
  std::vector<std::string> dependencies; // files read besides the model: external data
  std::string json;                      // per target: kernels with registers and spills
  std::vector<PassCount> counts;         // of the process so far
};

/// Compiles `options.input`. On failure nothing is left at `options.output`.
ExitCode compile(const CompileOptions &options, CompileListener &listener, CompileReport &report);

} // namespace dscc

#endif // DSCC_COMPILER_COMPILE_H
