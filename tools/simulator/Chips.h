// The chips that can be simulated: what the driver tells about them, and their limits.

#ifndef DSCC_TOOLS_SIMULATOR_CHIPS_H
#define DSCC_TOOLS_SIMULATOR_CHIPS_H

#include "llvm/ADT/StringRef.h"

#include <cstddef>
#include <cstdint>

namespace dscc::sim {

struct Chip {
  llvm::StringLiteral name;    // "sm_90"
  llvm::StringLiteral product; // what cuDeviceGetName says
  int major, minor;            // compute capability
  int multiprocessors;
  int maxThreadsPerMultiprocessor, maxBlocksPerMultiprocessor;
  uint32_t sharedPerBlock;      // bytes, static and without asking
  uint32_t sharedPerBlockOptin; // bytes, dynamic, after cuFuncSetAttribute
  uint32_t sharedPerMultiprocessor;
  uint32_t sharedSharesKiB[9]; // of a multiprocessor's memory, ascending: what it can set aside as shared; 0: no more
  uint32_t registersPerMultiprocessor;
  size_t memoryBytes;
  bool hasClusters; // thread block clusters, distributed shared memory, TMA
  // For the roofline. Of the chip:
  double clockHz, memoryBytesPerSecond;
  double launchSeconds; // between the starts of two kernels in a stream, at least
  // Of a multiprocessor, a clock; a multiply-add is two FLOP. 0: not there.
  double warpInstructionsPerClock, sharedWavefrontsPerClock, l2BytesPerClock, specialFunctionsPerClock;
  double f32FlopPerClock, f16FlopPerClock, f64FlopPerClock;
  double tensorF16FlopPerClock, tensorTf32FlopPerClock, tensorF64FlopPerClock, tensorF8FlopPerClock;
  double tensorInt8OpPerClock;
};

/// Bytes of shared memory that the system takes of each block's.
inline constexpr uint32_t reservedShared = 1024;

/// Null if there is no such chip.
const Chip *findChip(llvm::StringRef name);
/// "sm_80, sm_86, sm_89, sm_90"
llvm::StringRef chipNames();

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_CHIPS_H
