// What the translation of wmma tells its execution: passed by compiled code as constants.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_WMMA_H
#define DSCC_TOOLS_SIMULATOR_EXEC_WMMA_H

#include <cstdint>

namespace dscc::sim {

enum WmmaElement : uint8_t { WmmaF16, WmmaBf16, WmmaTf32, WmmaF64, WmmaF32, WmmaS8, WmmaU8, WmmaS32 };

/// A matrix in memory and its fragment: a load or a store.
struct WmmaAccess {
  uint8_t rows, columns;
  uint8_t isByColumns; // in memory
  WmmaElement element;
  uint8_t held; // elements in a lane's registers: a multiple of rows * columns / 32
};

struct WmmaProduct {
  uint8_t m, n, k;
  WmmaElement d, a, b, c;
  uint8_t isSaturating;
  int8_t rounding; // of f64, as Rounding takes it
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_WMMA_H
