// The chips that can be simulated: what the driver tells about them, and their limits.

#ifndef DSCC_TOOLS_SIMULATOR_CHIPS_H
#define DSCC_TOOLS_SIMULATOR_CHIPS_H

#include "llvm/ADT/StringRef.h"

#include <cstddef>
#include <cstdint>

namespace dscc::sim {

/// One row of the table in Chips.cpp, where the sources of the numbers are.
struct Chip {
  llvm::StringLiteral name;    // "sm_90"
  llvm::StringLiteral product; // what cuDeviceGetName says
  int major, minor;            // compute capability
  int multiprocessors;         // of the whole chip: %nsmid, and over how many the roofline spreads a launch's blocks
  int maxThreadsPerMultiprocessor, maxBlocksPerMultiprocessor; // resident at a time, for the occupancy
  uint32_t sharedPerBlock;                                     // bytes, static and without asking
  uint32_t sharedPerBlockOptin;                                // bytes, dynamic, after cuFuncSetAttribute
  uint32_t sharedPerMultiprocessor; // bytes, for all blocks on it, the system's part of each included
  uint32_t sharedSharesKiB[9]; // of a multiprocessor's memory, ascending: what it can set aside as shared; 0: no more
  uint32_t registersPerMultiprocessor; // of 32 bits, for all blocks on it
  size_t memoryBytes;                  // of the device, unless DSCC_SIM_MEMORY says otherwise
  bool hasClusters;                    // thread block clusters, distributed shared memory, TMA
  /// For the roofline, of the chip: the data sheet's clock, and DRAM's bandwidth.
  double clockHz, memoryBytesPerSecond;
  double launchSeconds; // between the starts of two kernels in a stream, at least
  /// Of a multiprocessor, a clock: instructions of warps that are issued, wavefronts of shared memory, bytes from L2,
  /// and special functions of threads.
  double warpInstructionsPerClock, sharedWavefrontsPerClock, l2BytesPerClock, specialFunctionsPerClock;
  /// Likewise, outside the tensor cores. A multiply-add is two FLOP; bf16 counts as f16.
  double f32FlopPerClock, f16FlopPerClock, f64FlopPerClock;
  /// Likewise, of the tensor cores, without sparsity, by the type of A and B. 0: they do not have it.
  double tensorF16FlopPerClock, tensorTf32FlopPerClock, tensorF64FlopPerClock, tensorF8FlopPerClock;
  /// Likewise, in operations on integers of 8 bits.
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
