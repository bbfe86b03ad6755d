// What a CUtensorMap holds here: 128 bytes that cuTensorMapEncode* writes and bulk tensor copies read.
//
// The hardware's own format is secret, so a program can only make one by the driver's calls, and a kernel can only pass
// its address on.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_TENSORMAP_H
#define DSCC_TOOLS_SIMULATOR_EXEC_TENSORMAP_H

#include <cstdint>

namespace dscc::sim {

/// Dims and coordinates are innermost first, as in the driver's API.
struct alignas(64) TensorMap {
  static constexpr uint32_t magicNumber = 0x54534344; // "DCST": whatever else stands there is no tensor map
  uint32_t magic;
  uint8_t rank; // 1 to 5
  uint8_t isIm2col;
  uint8_t type; // CUtensorMapDataType
  uint8_t elementBytes;
  uint8_t swizzle;           // CUtensorMapSwizzle: 0 none, 1: 32 B, 2: 64 B, 3: 128 B
  uint8_t interleave;        // CUtensorMapInterleave
  uint8_t fillsNan;          // CUtensorMapFloatOOBfill
  uint8_t channelsPerPixel;  // im2col; up to 256 as 0
  uint16_t pixelsPerColumn;  // im2col; up to 1024
  uint8_t elementStrides[5]; // 1 to 8
  uint8_t reserved;
  uint64_t address;    // of global memory
  uint64_t strides[4]; // bytes, of dims 1 up, below 2^40
  uint32_t dims[5];    // elements, less 1: up to 2^32
  union {
    uint16_t box[5]; // tiled: elements, up to 256
    struct {
      int16_t lower[3], upper[3]; // im2col: corners of the box of pixels, of the spatial dims
    } corners;
  };
};
static_assert(sizeof(TensorMap) == 128);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_TENSORMAP_H
