// What the translation of wmma tells its execution: passed by compiled code as constants.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_WMMA_H
#define DSCC_TOOLS_SIMULATOR_EXEC_WMMA_H

#include <cstdint>

namespace dscc::sim {

/// Of fragments, as the PTX ISA's "Matrix Data-types" has them, without those of 4 bits and 1 bit.
enum WmmaElement : uint8_t { WmmaF16, WmmaBf16, WmmaTf32, WmmaF64, WmmaF32, WmmaS8, WmmaU8, WmmaS32 };

/// A matrix in memory and its fragment: a load or a store.
struct WmmaAccess {
  uint8_t rows, columns; // of a fragment of A m x k, of B k x n, of C and D m x n
  uint8_t isByColumns;   // in memory
  WmmaElement element;   // in memory and in registers
  uint8_t held;          // elements in a lane's registers: a multiple of rows * columns / 32
};

/// D = A * B + C of a whole warp: wmma.mma.
struct WmmaProduct {
  uint8_t m, n, k;        // as in the instruction's name
  WmmaElement d, a, b, c; // A and B have equally many bits
  uint8_t isSaturating;   // .satfinite: sums of integers stop at the ends of their range
  int8_t rounding;        // of f64, as Rounding takes it
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_WMMA_H
