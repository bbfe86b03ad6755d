// How fast a launch could be at best: what it does over what the chip can do, for each unit by itself.
//
// The largest of these times is a bound, not a prediction: nothing waits for anything here, no cache misses twice, and
// work is spread evenly over the multiprocessors.

#ifndef DSCC_TOOLS_SIMULATOR_ROOFLINE_H
#define DSCC_TOOLS_SIMULATOR_ROOFLINE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <vector>

namespace dscc::sim {

struct Chip;
struct Counters;

/// Seconds that each unit needs for a launch of so many blocks, in the order of limitName.
std::vector<double> computeLimits(const Counters &counters, const Chip &chip, uint64_t blocks);
/// "dram", "l2", ...
llvm::StringRef limitName(size_t limit);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_ROOFLINE_H
