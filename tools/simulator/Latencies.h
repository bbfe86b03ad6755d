// What single instructions take on each chip, in clocks: for the model of time. Peaks are in Chips.h.

#ifndef DSCC_TOOLS_SIMULATOR_LATENCIES_H
#define DSCC_TOOLS_SIMULATOR_LATENCIES_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace dscc::sim {

/// One row of the table in Latencies.cpp, where the sources of the numbers are.
struct Latencies {
  llvm::StringLiteral chip; // as Chips.h names it
  /// Clocks from an instruction's issue until another one may use its result. `product` is what mma.sync takes beside
  /// the clocks that it keeps its unit busy. Where a number stands here, rows name it only if they have another one.
  double f64, arithmetic = 4, conversion = 14, special = 18, shuffle = 22, product = 17;
  /// Of memory, of a request by itself. `bulk` is what a bulk copy takes beside.
  double l1, l2, dram, shared = 29, bulk = 170;
  /// From the last arrival until those who wait go on: of a block. From one block of a cluster to another: arrivals at
  /// the cluster's barrier, stores.
  double barrier = 22, cluster = 190;
  /// Clocks that a warp's instruction keeps a unit of its scheduler busy: integers, and what shares their unit;
  /// conversions between integers and floats. The others follow from the chip's peaks.
  double integerInterval = 2, conversionInterval = 2;
  /// Of the peaks of Chips.h: what mma.sync reaches, and streams of loads from DRAM.
  double mmaShare = 1, dramShare = 0.92;
  double l2BytesPerClock; // of the whole chip: what its multiprocessors get from L2 when all of them ask
  uint32_t l1Bytes;       // of a multiprocessor, shared memory included
};

/// Of the chip that findChip gives by this name.
const Latencies &latenciesOf(llvm::StringRef chip);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_LATENCIES_H
