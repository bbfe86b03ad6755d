#include "runtime/CudaTensorMaps.h"

#include "runtime/Error.h"
#include "runtime/Tables.h"

#include <cassert>
#include <cstdlib>
#include <cstring>

namespace dscc {

/// What the driver made, and of what.
struct CudaTensorMap {
  alignas(64) unsigned char encoded[128]; // CUtensorMap
  uint64_t address;                       // 0: nothing has been made yet
  uint64_t dims[DSCC_MAX_MAP_RANK];       // innermost first
  uint64_t strides[DSCC_MAX_MAP_RANK];    // bytes; the first is that of the second dim
};

dscc_status openTensorMaps(const dscc_program &program, CudaTensorMaps &maps) {
  size_t count = program.tensor_maps.count;
  if (!count)
    return DSCC_OK;
  size_t bytes = count * sizeof(CudaTensorMap);
  maps.maps = static_cast<CudaTensorMap *>(aligned_alloc(alignof(CudaTensorMap), bytes));
  if (!maps.maps)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for %zu tensor maps", count);
  memset(maps.maps, 0, bytes);
  return DSCC_OK;
}

void closeTensorMaps(CudaTensorMaps &maps) {
  free(maps.maps);
  maps.maps = nullptr;
}

/// CUtensorMapDataType of a dscc_dtype; -1: there is none.
static int mapTypeOf(int32_t dtype) {
  switch (dtype) {
  case DSCC_BOOL:
  case DSCC_INT8:
  case DSCC_UINT8: return 0;
  case DSCC_INT16:
  case DSCC_UINT16: return 1;
  case DSCC_UINT32: return 2;
  case DSCC_INT32: return 3;
  case DSCC_UINT64: return 4;
  case DSCC_INT64: return 5;
  case DSCC_FLOAT16: return 6;
  case DSCC_FLOAT: return 7;
  case DSCC_DOUBLE: return 8;
  case DSCC_BFLOAT16: return 9;
  default: return -1;
  }
}

static dscc_status tooOld(const char *function) {
  return fail(DSCC_NO_DEVICE, "the CUDA driver has no %s; it is too old", function);
}

/// No interleaving; L2 is asked for 128 bytes at a time; 0 outside.
static constexpr int noInterleave = 0, promotion = 2, zeros = 0;

static dscc_status encodeTiled(const CudaDriver &driver, const dscc_tensor_map &facts, int swizzle, void *address,
                               CudaTensorMap &map) {
  static constexpr const char *name = "cuTensorMapEncodeTiled";
  static constexpr uint32_t steps[DSCC_MAX_MAP_RANK] = {1, 1, 1, 1, 1};
  if (!driver.encodeTensorMap)
    return tooOld(name);
  return driver.report(driver.encodeTensorMap(map.encoded, mapTypeOf(facts.dtype), facts.rank, address, map.dims,
                                              map.strides, facts.box, steps, noInterleave, swizzle, promotion, zeros),
                       name);
}

static dscc_status encodePixels(const CudaDriver &driver, const dscc_tensor_map &facts, int swizzle, void *address,
                                CudaTensorMap &map) {
  static constexpr const char *name = "cuTensorMapEncodeIm2col";
  if (!driver.encodePixelMap)
    return tooOld(name);
  // The driver has one for channels and images as well.
  uint32_t steps[DSCC_MAX_MAP_RANK] = {1, 1, 1, 1, 1};
  memcpy(steps + 1, facts.steps, (facts.rank - 2) * sizeof(uint32_t));
  return driver.report(driver.encodePixelMap(map.encoded, mapTypeOf(facts.dtype), facts.rank, address, map.dims,
                                             map.strides, facts.lower, facts.upper, facts.box[0], facts.box[1], steps,
                                             noInterleave, swizzle, promotion, zeros),
                       name);
}

dscc_status encodeTensorMap(const CudaDriver &driver, const dscc_program &program, CudaTensorMaps &maps,
                            uint32_t number, void *address, const int64_t *dims, const int64_t *strides,
                            void **encoded) {
  Records<dscc_tensor_map> known = tensorMapsOf(program);
  assert(number < known.size() && maps.maps && "a program encodes its own maps");
  const dscc_tensor_map &facts = known[number];
  CudaTensorMap &map = maps.maps[number];
  *encoded = map.encoded;
  uint64_t place = reinterpret_cast<uintptr_t>(address);
  size_t bytes = facts.rank * sizeof(uint64_t);
  if (map.address == place && !memcmp(map.dims, dims, bytes) && !memcmp(map.strides, strides, bytes))
    return DSCC_OK;
  map.address = 0; // what is half made is not taken for whole
  memcpy(map.dims, dims, bytes);
  memcpy(map.strides, strides, bytes);
  // CU_TENSOR_MAP_SWIZZLE_NONE, 32B, 64B, 128B.
  int swizzle = facts.swizzle == 128 ? 3 : facts.swizzle == 64 ? 2 : facts.swizzle == 32 ? 1 : 0;
  auto *encode = facts.kind == DSCC_MAP_PIXELS ? encodePixels : encodeTiled;
  if (dscc_status status = encode(driver, facts, swizzle, address, map))
    return status;
  map.address = place;
  return DSCC_OK;
}

} // namespace dscc
