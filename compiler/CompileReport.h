// What a compilation has made, for -v and for tests.

#ifndef DSCC_COMPILER_COMPILEREPORT_H
#define DSCC_COMPILER_COMPILEREPORT_H

#include "passes/Statistics.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dscc {

/// Filled in step by step; of a compilation that failed it holds what was known by then.
struct CompileReport {
  /// Nodes imported, functions inlined; kernels and launches of all targets.
  unsigned nodes = 0, kernels = 0, launches = 0;
  /// Pieces of code that were found in the cache, and that were not.
  unsigned cacheHits = 0, cacheMisses = 0;
  /// Of the file, and of the weights within it.
  uint64_t artifactBytes = 0, weightBytes = 0;
  /// Empty if there is no ptxas, or none was needed.
  std::string ptxasVersion;
  std::vector<std::string> dependencies; // files read besides the model: external data
  std::string json;                      // per target: kernels with registers and spills
  std::vector<PassCount> counts;         // of the process so far
};

} // namespace dscc

#endif // DSCC_COMPILER_COMPILEREPORT_H
