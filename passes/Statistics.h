// What the passes have counted. LLVM's own printers do nothing in a release build of LLVM; these do.
//
// A pass counts with ALWAYS_ENABLED_STATISTIC, not with the `statistics` of Passes.td: the class behind those has
// another size in our build (with asserts) than in a release build of MLIR.

#ifndef DSCC_PASSES_STATISTICS_H
#define DSCC_PASSES_STATISTICS_H

#include <cstdint>
#include <string>
#include <vector>

namespace dscc {

/// One number that a pass has counted, summed over all its runs in this process.
struct PassCount {
  std::string pass, name; // "dsc-plan-memory", "numBuffers"
  /// Never 0: what was not counted is not listed.
  uint64_t value;
};

/// Switches counting on, for the whole process. To be called before the first pass runs.
void enablePassCounts();
/// All counts other than 0 of our passes, sorted.
std::vector<PassCount> readPassCounts();

} // namespace dscc

#endif // DSCC_PASSES_STATISTICS_H
