// Memory that is allocated and freed in a stream's turn, out of pools.
//
// A pool only counts: what it would have reserved grows with what is used, and shrinks to its threshold when somebody
// has waited. Freed memory is never given out again at once, so that a late use is found.

#include "tools/simulator/driver/Entry.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace dscc::sim;

static constexpr size_t poolGranule = size_t(2) << 20; // bytes

/// CUmemPool_attribute.
enum PoolAttribute {
  ReuseFollowEvents = 1,
  ReuseOpportunistic = 2,
  ReuseInternal = 3,
  ReleaseThreshold = 4,
  ReservedCurrent = 5,
  ReservedHigh = 6,
  UsedCurrent = 7,
  UsedHigh = 8
};

static CUmemoryPool findPool(CUmemoryPool pool) {
  if (pool == &state().defaultPool)
    return pool;
  return state().pools.has(pool) && !pool->isDestroyed ? pool : nullptr;
}

static CUmemoryPool currentPool() { return state().currentPool ? state().currentPool : &state().defaultPool; }

static void shrink(CUmemPoolHandle_st &pool, size_t keep) {
  pool.reserved = std::min(pool.reserved, std::max(size_t(llvm::alignTo(pool.used, poolGranule)), keep));
}

namespace dscc::sim {
bool releaseToPool(CUdeviceptr address) {
  auto found = state().poolAllocations.find(address);
  if (found == state().poolAllocations.end())
    return false;
  CUmemoryPool pool = found->second.pool;
  pool->used -= found->second.bytes;
  state().poolAllocations.erase(found);
  memory::release(reinterpret_cast<char *>(address));
  if (pool->isDestroyed && !pool->used)
    state().pools.take(pool);
  return true;
}

void trimPools() {
  shrink(state().defaultPool, state().defaultPool.releaseThreshold);
  for (const auto &[handle, pool] : state().pools)
    shrink(*pool, pool->releaseThreshold);
}
} // namespace dscc::sim

//===-- allocations -----------------------------------------------------------------------------------------------===//

/// The address is known at once; a stream that is not ordered behind this one reads what nobody has written.
static CUresult allocate(CUdeviceptr *address, size_t bytes, CUmemoryPool pool, CUstream handle) {
  DSCC_REQUIRE(address && bytes, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(!stream->capture, invalidate(stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED));
  DSCC_TRY(checkImplicit(*stream));
  auto tryOnce = [&]() -> void * {
    bool hasRoom = bytes <= pool->maxBytes && pool->used <= pool->maxBytes - bytes;
    return hasRoom ? memory::allocate(bytes) : nullptr;
  };
  void *made = tryOnce();
  if (!made) {
    finishReady(); // frees that are enqueued make room
    made = tryOnce();
  }
  DSCC_REQUIRE(made, CUDA_ERROR_OUT_OF_MEMORY);
  *address = reinterpret_cast<CUdeviceptr>(made);
  state().poolAllocations[*address] = {pool, bytes};
  pool->used += bytes;
  pool->usedHigh = std::max(pool->usedHigh, pool->used);
  pool->reserved = std::max(pool->reserved, size_t(llvm::alignTo(pool->used, poolGranule)));
  pool->reservedHigh = std::max(pool->reservedHigh, pool->reserved);
  if (stream == &state().legacyStream)
    enqueue(*stream, Nothing()); // other streams wait for it, and it for them
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes, CUstream stream) {
  DSCC_ENTER(Driver);
  DSCC_TRY(checkContextOf(stream));
  return allocate(address, bytes, currentPool(), stream);
}

DSCC_EXPORT CUresult cuMemAllocFromPoolAsync(CUdeviceptr *address, size_t bytes, CUmemoryPool pool, CUstream stream) {
  DSCC_ENTER(Driver);
  DSCC_TRY(checkContextOf(stream));
  DSCC_REQUIRE(findPool(pool), CUDA_ERROR_INVALID_VALUE);
  return allocate(address, bytes, pool, stream);
}

/// Memory of cuMemAlloc may be freed so too.
DSCC_EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
  DSCC_ENTER(Driver);
  DSCC_TRY(checkContextOf(stream));
  DSCC_REQUIRE(findStream(stream), CUDA_ERROR_INVALID_HANDLE);
  if (!address)
    return CUDA_SUCCESS;
  auto found = state().poolAllocations.find(address);
  bool isOfPool = found != state().poolAllocations.end();
  auto plain = state().deviceAllocations.extract(isOfPool ? 0 : address);
  if (!isOfPool) {
    auto whole = memory::find(reinterpret_cast<char *>(address));
    DSCC_REQUIRE(plain && whole, CUDA_ERROR_INVALID_VALUE);
    state().defaultPool.used += whole->second;
    found = state().poolAllocations.insert({address, {&state().defaultPool, whole->second}}).first;
  }
  DSCC_REQUIRE(!found->second.isFreePending, CUDA_ERROR_INVALID_VALUE);
  found->second.isFreePending = true;
  CUresult result = submit(stream, Release{address});
  if (result == CUDA_SUCCESS)
    return result;
  found->second.isFreePending = false;
  if (!isOfPool) {
    state().defaultPool.used -= found->second.bytes;
    state().poolAllocations.erase(found);
    state().deviceAllocations.insert(std::move(plain));
  }
  return result;
}

//===-- pools -----------------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuDeviceGetDefaultMemPool(CUmemoryPool *pool, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(pool, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  *pool = &state().defaultPool;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceGetMemPool(CUmemoryPool *pool, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(pool, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  *pool = currentPool();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool pool) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  DSCC_REQUIRE(findPool(pool), CUDA_ERROR_INVALID_VALUE);
  state().currentPool = pool;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemPoolCreate(CUmemoryPool *pool, const CUmemPoolProps *properties) {
  DSCC_ENTER(Driver);
  static constexpr int pinned = 1, managed = 2, ofDevice = 1, ofHostThread = 4; // the last CUmemLocationType
  DSCC_REQUIRE(pool && properties, CUDA_ERROR_INVALID_VALUE);
  const auto &[allocation, handles, location, security, maxBytes, usage, reserved] = *properties;
  bool isReservedZero = llvm::all_of(reserved, [](unsigned char byte) { return !byte; });
  DSCC_REQUIRE(isReservedZero && (allocation == pinned || allocation == managed), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(location.type >= ofDevice && location.type <= ofHostThread, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(allocation == pinned && location.type == ofDevice, CUDA_ERROR_NOT_SUPPORTED);
  DSCC_REQUIRE(isDevice(location.id), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!handles, CUDA_ERROR_NOT_SUPPORTED); // other processes
  auto made = std::make_unique<CUmemPoolHandle_st>();
  if (properties->maxBytes)
    made->maxBytes = llvm::alignTo(properties->maxBytes, poolGranule);
  *pool = state().pools.add(std::move(made));
  return CUDA_SUCCESS;
}

/// Its allocations stay until they are freed.
DSCC_EXPORT CUresult cuMemPoolDestroy(CUmemoryPool pool) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(pool != &state().defaultPool && findPool(pool), CUDA_ERROR_INVALID_VALUE);
  if (state().currentPool == pool)
    state().currentPool = nullptr;
  pool->isDestroyed = true;
  if (!pool->used)
    state().pools.take(pool);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemPoolTrimTo(CUmemoryPool pool, size_t keep) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(findPool(pool), CUDA_ERROR_INVALID_VALUE);
  shrink(*pool, keep);
  return CUDA_SUCCESS;
}

/// The counter of an attribute; null for those that are switches.
static size_t *findCounter(CUmemPoolHandle_st &pool, int attribute) {
  switch (attribute) {
  case ReleaseThreshold: return &pool.releaseThreshold;
  case ReservedCurrent: return &pool.reserved;
  case ReservedHigh: return &pool.reservedHigh;
  case UsedCurrent: return &pool.used;
  case UsedHigh: return &pool.usedHigh;
  default: return nullptr;
  }
}

static bool isSwitch(int attribute) { return attribute >= ReuseFollowEvents && attribute <= ReuseInternal; }

DSCC_EXPORT CUresult cuMemPoolGetAttribute(CUmemoryPool pool, int attribute, void *value) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(findPool(pool) && value, CUDA_ERROR_INVALID_VALUE);
  if (isSwitch(attribute)) {
    *static_cast<int *>(value) = pool->reuse[attribute - ReuseFollowEvents];
    return CUDA_SUCCESS;
  }
  size_t *counter = findCounter(*pool, attribute);
  DSCC_REQUIRE(counter, CUDA_ERROR_INVALID_VALUE);
  *static_cast<uint64_t *>(value) = *counter;
  return CUDA_SUCCESS;
}

/// What is in use cannot be set, and high marks only to 0, from where they count anew.
DSCC_EXPORT CUresult cuMemPoolSetAttribute(CUmemoryPool pool, int attribute, void *value) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(findPool(pool) && value, CUDA_ERROR_INVALID_VALUE);
  if (isSwitch(attribute)) {
    pool->reuse[attribute - ReuseFollowEvents] = *static_cast<int *>(value) != 0;
    return CUDA_SUCCESS;
  }
  uint64_t number = *static_cast<uint64_t *>(value);
  if (attribute == ReleaseThreshold) {
    pool->releaseThreshold = number;
    return CUDA_SUCCESS;
  }
  DSCC_REQUIRE((attribute == ReservedHigh || attribute == UsedHigh) && number == 0, CUDA_ERROR_INVALID_VALUE);
  *findCounter(*pool, attribute) = attribute == UsedHigh ? pool->used : pool->reserved;
  return CUDA_SUCCESS;
}

//===-- pools by their location -----------------------------------------------------------------------------------===//

// CUmemAllocationType, CUmemLocationType.
static constexpr int pinnedAllocation = 1, managedAllocation = 2, nowhere = 0, onDevice = 1, onHostNode = 3;

/// All pools are of a device's own memory.
static CUresult checkLocation(const CUmemLocation *location, int type) {
  DSCC_REQUIRE(location && (type == pinnedAllocation || type == managedAllocation), CUDA_ERROR_INVALID_VALUE);
  int first = type == managedAllocation ? nowhere : onDevice;
  DSCC_REQUIRE(location->type >= first && location->type <= onHostNode, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(location->type == onDevice && type == pinnedAllocation, CUDA_ERROR_NOT_SUPPORTED);
  return isDevice(location->id) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

DSCC_EXPORT CUresult cuMemGetDefaultMemPool(CUmemoryPool *pool, CUmemLocation *location, int type) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(pool, CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkLocation(location, type));
  *pool = &state().defaultPool;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemGetMemPool(CUmemoryPool *pool, CUmemLocation *location, int type) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(pool, CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkLocation(location, type));
  *pool = currentPool();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemSetMemPool(CUmemLocation *location, int type, CUmemoryPool pool) {
  DSCC_ENTER(Driver);
  DSCC_TRY(checkLocation(location, type));
  DSCC_REQUIRE(findPool(pool), CUDA_ERROR_INVALID_VALUE);
  state().currentPool = pool;
  return CUDA_SUCCESS;
}

//===-- who reaches a pool ----------------------------------------------------------------------------------------===//

static constexpr int noAccess = 0, readAndWrite = 3; // CUmemAccess_flags

/// The device that a pool is of always does, and there is no other.
DSCC_EXPORT CUresult cuMemPoolSetAccess(CUmemoryPool pool, const CUmemAccessDesc *access, size_t count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(findPool(pool) && (access || !count), CUDA_ERROR_INVALID_VALUE);
  for (const CUmemAccessDesc &one : llvm::ArrayRef(access, count)) {
    bool isOk = one.location.type == onDevice && isDevice(one.location.id) && one.flags == readAndWrite;
    DSCC_REQUIRE(isOk, CUDA_ERROR_INVALID_VALUE);
  }
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemPoolGetAccess(int *flags, CUmemoryPool pool, CUmemLocation *location) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(flags && findPool(pool) && location, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(location->type >= onDevice && location->type <= onHostNode, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(location->type != onDevice || isDevice(location->id), CUDA_ERROR_INVALID_VALUE);
  *flags = location->type == onDevice ? readAndWrite : noAccess;
  return CUDA_SUCCESS;
}

/// There are no other processes.
DSCC_EXPORT CUresult cuMemPoolExportToShareableHandle(void *, CUmemoryPool, int, unsigned long long) {
  DSCC_ENTER(Driver);
  return CUDA_ERROR_NOT_SUPPORTED;
}
DSCC_EXPORT CUresult cuMemPoolImportFromShareableHandle(CUmemoryPool *, void *, int, unsigned long long) {
  DSCC_ENTER(Driver);
  return CUDA_ERROR_NOT_SUPPORTED;
}
DSCC_EXPORT CUresult cuMemPoolExportPointer(void *, CUdeviceptr) {
  DSCC_ENTER(Driver);
  return CUDA_ERROR_NOT_SUPPORTED;
}
DSCC_EXPORT CUresult cuMemPoolImportPointer(CUdeviceptr *, CUmemoryPool, void *) {
  DSCC_ENTER(Driver);
  return CUDA_ERROR_NOT_SUPPORTED;
}

//===-- memory of graphs ------------------------------------------------------------------------------------------===//

/// CUgraphMem_attribute. No graph allocates, so all are 0.
enum GraphMemoryAttribute { GraphUsedCurrent = 0, GraphUsedHigh = 1, GraphReservedCurrent = 2, GraphReservedHigh = 3 };

DSCC_EXPORT CUresult cuDeviceGetGraphMemAttribute(CUdevice device, int attribute, void *value) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  DSCC_REQUIRE(value && attribute >= GraphUsedCurrent && attribute <= GraphReservedHigh, CUDA_ERROR_INVALID_VALUE);
  *static_cast<uint64_t *>(value) = 0;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceSetGraphMemAttribute(CUdevice device, int attribute, void *value) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  DSCC_REQUIRE(value && (attribute == GraphUsedHigh || attribute == GraphReservedHigh), CUDA_ERROR_INVALID_VALUE);
  return *static_cast<uint64_t *>(value) ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceGraphMemTrim(CUdevice device) {
  DSCC_ENTER(Driver);
  return isDevice(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}
