// Makes the 128 bytes by which bulk tensor copies know a tensor, after all rules that the driver has for it.

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/exec/TensorMap.h"

#include <algorithm>
#include <cstring>

using namespace dscc::sim;

namespace {
/// A CUtensorMapDataType. Those of 4 and 6 bits came with later chips.
struct ElementType {
  uint8_t bytes;
  bool isFloat;
};

/// What both ways of reading have in common.
struct Request {
  int type;
  uint32_t rank;
  void *address;
  const uint64_t *dims, *strides;
  const uint32_t *elementStrides;
  int interleave, swizzle, promotion, fill;
};
} // namespace

// u8, u16, u32, s32, u64, s64, f16, f32, f64, bf16, f32 flushed, tf32, tf32 flushed.
static constexpr ElementType elementTypes[] = {{1, false}, {2, false}, {4, false}, {4, false}, {8, false},
                                               {8, false}, {2, true},  {4, true},  {8, true},  {2, true},
                                               {4, true},  {4, true},  {4, true}};

enum Interleave { NotInterleaved = 0, Interleaved16 = 1, Interleaved32 = 2 };
enum Swizzle { NotSwizzled = 0, Swizzled32 = 1, Swizzled64 = 2, Swizzled128 = 3 };

static constexpr uint32_t minInterleavedRank = 3, maxRank = 5;
static constexpr uint64_t maxDim = uint64_t(1) << 32, strideEnd = uint64_t(1) << 40;
static constexpr uint32_t maxBox = 256, maxElementStride = 8, maxPixels = 1024, mapAlignment = 64;
/// Of addresses and strides, in bytes.
static uint64_t alignmentOf(int interleave) { return interleave == Interleaved32 ? 32 : 16; }

/// Null if there is no such type.
static const ElementType *findType(int type) {
  return type >= 0 && size_t(type) < std::size(elementTypes) ? &elementTypes[type] : nullptr;
}

static bool areModesValid(const Request &request, const ElementType &type) {
  return request.interleave >= NotInterleaved && request.interleave <= Interleaved32 &&
         request.swizzle >= NotSwizzled && request.swizzle <= Swizzled128 && request.promotion >= 0 &&
         request.promotion <= 3 && (request.fill == 0 || (request.fill == 1 && type.isFloat)) &&
         (request.interleave != Interleaved32 || request.swizzle == Swizzled32);
}

static bool areDimsValid(const Request &request) {
  uint64_t alignment = alignmentOf(request.interleave);
  for (uint32_t i = 0; i < request.rank; ++i)
    if (!request.dims[i] || request.dims[i] > maxDim)
      return false;
  for (uint32_t i = 0; i + 1 < request.rank; ++i)
    if (request.strides[i] % alignment || request.strides[i] >= strideEnd)
      return false;
  // The innermost dim has no step, unless channels are interleaved.
  for (uint32_t i = request.interleave == NotInterleaved; i < request.rank; ++i)
    if (!request.elementStrides[i] || request.elementStrides[i] > maxElementStride)
      return false;
  return reinterpret_cast<uintptr_t>(request.address) % alignment == 0;
}

/// The innermost elements of a box have to lie within what is swizzled.
static bool fitsSwizzle(const Request &request, uint64_t innerBytes) {
  return request.interleave != NotInterleaved || request.swizzle == NotSwizzled ||
         innerBytes <= (uint64_t(16) << request.swizzle);
}

static CUresult checkRequest(const void *map, const Request &request, uint32_t minRank) {
  DSCC_REQUIRE(state().chip->hasClusters, CUDA_ERROR_NOT_SUPPORTED);
  DSCC_REQUIRE(map && reinterpret_cast<uintptr_t>(map) % mapAlignment == 0, CUDA_ERROR_INVALID_VALUE);
  const ElementType *type = findType(request.type);
  DSCC_REQUIRE(type && areModesValid(request, *type), CUDA_ERROR_INVALID_VALUE);
  minRank = request.interleave == NotInterleaved ? minRank : minInterleavedRank;
  DSCC_REQUIRE(request.rank >= minRank && request.rank <= maxRank, CUDA_ERROR_INVALID_VALUE);
  bool areThere = request.dims && request.elementStrides && (request.strides || request.rank == 1);
  return areThere && areDimsValid(request) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static TensorMap describe(const Request &request) {
  TensorMap map = {};
  map.magic = TensorMap::magicNumber;
  map.rank = uint8_t(request.rank);
  map.type = uint8_t(request.type);
  map.elementBytes = findType(request.type)->bytes;
  map.swizzle = uint8_t(request.swizzle);
  map.interleave = uint8_t(request.interleave);
  map.fillsNan = uint8_t(request.fill);
  map.address = reinterpret_cast<uint64_t>(request.address);
  for (uint32_t i = 0; i < request.rank; ++i) {
    bool isIgnored = i == 0 && request.interleave == NotInterleaved;
    map.elementStrides[i] = isIgnored ? 1 : uint8_t(request.elementStrides[i]);
    map.dims[i] = uint32_t(request.dims[i] - 1);
    if (i + 1 < request.rank)
      map.strides[i] = request.strides[i];
  }
  return map;
}

DSCC_EXPORT CUresult cuTensorMapEncodeTiled(void *result, int type, uint32_t rank, void *address, const uint64_t *dims,
                                            const uint64_t *strides, const uint32_t *box,
                                            const uint32_t *elementStrides, int interleave, int swizzle, int promotion,
                                            int fill) {
  DSCC_ENTER(Context);
  Request request{type, rank, address, dims, strides, elementStrides, interleave, swizzle, promotion, fill};
  DSCC_TRY(checkRequest(result, request, 1));
  DSCC_REQUIRE(box, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(std::all_of(box, box + rank, [](uint32_t size) { return size && size <= maxBox; }),
               CUDA_ERROR_INVALID_VALUE);
  uint64_t innerBytes = uint64_t(box[0]) * findType(type)->bytes;
  DSCC_REQUIRE(interleave != NotInterleaved || innerBytes % 16 == 0, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(fitsSwizzle(request, innerBytes), CUDA_ERROR_INVALID_VALUE);
  TensorMap map = describe(request);
  std::copy(box, box + rank, map.box);
  std::memcpy(result, &map, sizeof(map));
  return CUDA_SUCCESS;
}

/// The dims between channels and batch are the spatial ones: as many corners, in the same order.
DSCC_EXPORT CUresult cuTensorMapEncodeIm2col(void *result, int type, uint32_t rank, void *address, const uint64_t *dims,
                                             const uint64_t *strides, const int *lower, const int *upper,
                                             uint32_t channels, uint32_t pixels, const uint32_t *elementStrides,
                                             int interleave, int swizzle, int promotion, int fill) {
  DSCC_ENTER(Context);
  Request request{type, rank, address, dims, strides, elementStrides, interleave, swizzle, promotion, fill};
  DSCC_TRY(checkRequest(result, request, minInterleavedRank));
  DSCC_REQUIRE(lower && upper && channels && channels <= maxBox && pixels && pixels <= maxPixels,
               CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(fitsSwizzle(request, uint64_t(channels) * findType(type)->bytes), CUDA_ERROR_INVALID_VALUE);
  TensorMap map = describe(request);
  map.isIm2col = 1;
  map.channelsPerPixel = uint8_t(channels);
  map.pixelsPerColumn = uint16_t(pixels);
  // The more spatial dims, the fewer bits for each corner: 16, 8, 5.
  static constexpr int ranges[] = {32768, 128, 16};
  int range = ranges[rank - minInterleavedRank];
  for (uint32_t i = 0; i + 2 < rank; ++i) {
    DSCC_REQUIRE(lower[i] >= -range && lower[i] < range && upper[i] >= -range && upper[i] < range,
                 CUDA_ERROR_INVALID_VALUE);
    DSCC_REQUIRE(int64_t(dims[i + 1]) + upper[i] - lower[i] > 0, CUDA_ERROR_INVALID_VALUE); // the box is not empty
    map.corners.lower[i] = int16_t(lower[i]);
    map.corners.upper[i] = int16_t(upper[i]);
  }
  std::memcpy(result, &map, sizeof(map));
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuTensorMapReplaceAddress(void *result, void *address) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().chip->hasClusters, CUDA_ERROR_NOT_SUPPORTED);
  DSCC_REQUIRE(result && reinterpret_cast<uintptr_t>(result) % mapAlignment == 0, CUDA_ERROR_INVALID_VALUE);
  TensorMap map;
  std::memcpy(&map, result, sizeof(map));
  DSCC_REQUIRE(map.magic == TensorMap::magicNumber, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(reinterpret_cast<uintptr_t>(address) % alignmentOf(map.interleave) == 0, CUDA_ERROR_INVALID_VALUE);
  map.address = reinterpret_cast<uint64_t>(address);
  std::memcpy(result, &map, sizeof(map));
  return CUDA_SUCCESS;
}
