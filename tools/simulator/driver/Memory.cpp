// Memory of the device and pinned memory of the host, and what is known about addresses. Pools are in Pools.cpp.

#include "tools/simulator/driver/Entry.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace dscc::sim;

static constexpr size_t pageBytes = 4096, maxAlloc = size_t(1) << 46;

//===-- of the device ---------------------------------------------------------------------------------------------===//

static CUresult allocate(CUdeviceptr *address, size_t bytes) {
  DSCC_REQUIRE(address && bytes, CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkUnseen());
  void *made = memory::allocate(bytes);
  DSCC_REQUIRE(made, CUDA_ERROR_OUT_OF_MEMORY);
  *address = reinterpret_cast<CUdeviceptr>(made);
  state().deviceAllocations.emplace(*address, Origin());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  DSCC_ENTER(Context);
  return allocate(address, bytes);
}

/// Rows begin at multiples of what textures ask for.
DSCC_EXPORT CUresult cuMemAllocPitch_v2(CUdeviceptr *address, size_t *pitch, size_t width, size_t height,
                                        unsigned elementBytes) {
  DSCC_ENTER(Context);
  static constexpr size_t rowAlignment = 512, maxPitch = 2147483647;
  DSCC_REQUIRE(pitch && width && height && (elementBytes == 4 || elementBytes == 8 || elementBytes == 16),
               CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(width <= maxPitch - rowAlignment, CUDA_ERROR_INVALID_VALUE);
  *pitch = llvm::alignTo(width, rowAlignment);
  return allocate(address, llvm::SaturatingMultiply(*pitch, height));
}

/// Waits for all work, which may still use the memory; but a pool's goes at once, so the program has to wait.
DSCC_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  DSCC_ENTER(Context);
  if (!address)
    return CUDA_SUCCESS;
  DSCC_TRY(checkUnseen());
  if (auto found = state().poolAllocations.find(address); found != state().poolAllocations.end()) {
    DSCC_REQUIRE(!found->second.isFreePending, CUDA_ERROR_INVALID_VALUE);
    releaseToPool(address);
    return CUDA_SUCCESS;
  }
  finishAll();
  DSCC_REQUIRE(state().deviceAllocations.erase(address), CUDA_ERROR_INVALID_VALUE);
  memory::release(reinterpret_cast<char *>(address));
  return state().sticky;
}

/// Memory that both sides reach as their own is not simulated.
DSCC_EXPORT CUresult cuMemAllocManaged(CUdeviceptr *, size_t, unsigned) {
  DSCC_ENTER(Context);
  return CUDA_ERROR_NOT_SUPPORTED;
}

DSCC_EXPORT CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(free && total, CUDA_ERROR_INVALID_VALUE);
  *total = state().memoryBytes;
  *free = *total - std::min(*total, memory::bytesInUse());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr *begin, size_t *bytes, CUdeviceptr address) {
  DSCC_ENTER(Context);
  auto found = memory::find(reinterpret_cast<char *>(address));
  DSCC_REQUIRE(found, CUDA_ERROR_NOT_FOUND);
  if (begin)
    *begin = reinterpret_cast<CUdeviceptr>(found->first);
  if (bytes)
    *bytes = found->second;
  return CUDA_SUCCESS;
}

//===-- of the host -----------------------------------------------------------------------------------------------===//

static constexpr unsigned portable = 1, deviceMap = 2, writeCombined = 4, ioMemory = 4, readOnly = 8;

static CUresult allocateHost(void **address, size_t bytes, unsigned flags) {
  DSCC_REQUIRE(address && bytes && flags <= (portable | deviceMap | writeCombined), CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkUnseen());
  DSCC_REQUIRE(bytes <= maxAlloc, CUDA_ERROR_OUT_OF_MEMORY);
  void *made = std::aligned_alloc(pageBytes, (bytes + pageBytes - 1) / pageBytes * pageBytes);
  DSCC_REQUIRE(made, CUDA_ERROR_OUT_OF_MEMORY);
  memory::adopt(made, bytes, /*isWritten=*/true);
  state().pinned[static_cast<char *>(made)] = {bytes, flags, /*isRegistered=*/false, Origin()};
  *address = made;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemAllocHost_v2(void **address, size_t bytes) {
  DSCC_ENTER(Context);
  return allocateHost(address, bytes, 0);
}

DSCC_EXPORT CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
  DSCC_ENTER(Context);
  return allocateHost(address, bytes, flags);
}

DSCC_EXPORT CUresult cuMemFreeHost(void *address) {
  DSCC_ENTER(Context);
  auto found = state().pinned.find(static_cast<char *>(address));
  DSCC_REQUIRE(found != state().pinned.end() && !found->second.isRegistered, CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkUnseen());
  finishAll();
  DSCC_REQUIRE(state().pinned.erase(static_cast<char *>(address)), CUDA_ERROR_INVALID_VALUE); // another thread's
  memory::disown(address);
  std::free(address);
  return state().sticky;
}

/// The pinned memory that overlaps these bytes; null if none does.
static const std::pair<char *const, PinnedMemory> *findPinned(const char *begin, size_t bytes) {
  for (const auto &one : state().pinned)
    if (one.first < begin + bytes && begin < one.first + one.second.bytes)
      return &one;
  return nullptr;
}

/// True if all pages are mapped: the system is asked without touching them.
static bool isOfProcess(char *begin, size_t bytes) {
  static constexpr size_t stepPages = 4096;
  unsigned char isResident[stepPages];
  size_t place = reinterpret_cast<size_t>(begin) / pageBytes * pageBytes;
  size_t end = llvm::SaturatingAdd(reinterpret_cast<size_t>(begin), bytes);
  for (; place < end && end != SIZE_MAX; place += stepPages * pageBytes)
    if (mincore(reinterpret_cast<void *>(place), std::min(end - place, stepPages * pageBytes), isResident) != 0)
      return false;
  return end != SIZE_MAX;
}

DSCC_EXPORT CUresult cuMemHostRegister_v2(void *address, size_t bytes, unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(address && bytes && flags <= 15, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!(flags & (ioMemory | readOnly)), CUDA_ERROR_NOT_SUPPORTED);
  DSCC_TRY(checkUnseen());
  auto *begin = static_cast<char *>(address);
  DSCC_REQUIRE(isOfProcess(begin, bytes), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!findPinned(begin, bytes), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  DSCC_REQUIRE(kindOf(begin) == MemoryKind::Pageable, CUDA_ERROR_INVALID_VALUE);
  memory::adopt(address, bytes, /*isWritten=*/true);
  state().pinned[begin] = {bytes, flags, /*isRegistered=*/true, Origin()};
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemHostUnregister(void *address) {
  DSCC_ENTER(Context);
  auto found = state().pinned.find(static_cast<char *>(address));
  DSCC_REQUIRE(found != state().pinned.end() && found->second.isRegistered, CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  DSCC_TRY(checkUnseen());
  finishAll();
  DSCC_REQUIRE(state().pinned.erase(static_cast<char *>(address)), CUDA_ERROR_INVALID_VALUE); // another thread's
  memory::disown(address);
  return state().sticky;
}

/// Both sides use the same address.
DSCC_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *address, void *host, unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(address && !flags && kindOf(host) == MemoryKind::Pinned, CUDA_ERROR_INVALID_VALUE);
  *address = reinterpret_cast<CUdeviceptr>(host);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemHostGetFlags(unsigned *flags, void *host) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(flags, CUDA_ERROR_INVALID_VALUE);
  auto *found = findPinned(static_cast<char *>(host), 1);
  DSCC_REQUIRE(found && !found->second.isRegistered, CUDA_ERROR_INVALID_VALUE);
  *flags = found->second.flags | deviceMap;
  return CUDA_SUCCESS;
}

//===-- addresses -------------------------------------------------------------------------------------------------===//

namespace {
/// What is known about an address that belongs to an allocation.
struct Place {
  CUdeviceptr address, begin;
  size_t bytes;
  MemoryKind kind;
  const Origin *origin; // null for a variable of a module
};

/// A CUpointer_attribute: bytes of its value, and the value.
struct PointerAttribute {
  int id;
  size_t bytes;
  uint64_t (*value)(const Place &place);
  bool isOfHost = false; // of pinned memory only
};
} // namespace

static uint64_t poolOf(const Place &place) {
  auto found = state().poolAllocations.find(place.begin);
  return found == state().poolAllocations.end() ? 0 : reinterpret_cast<uint64_t>(found->second.pool);
}

/// Null if nobody has allocated what begins there.
static Origin *originOf(CUdeviceptr begin) {
  State &all = state();
  if (auto found = all.deviceAllocations.find(begin); found != all.deviceAllocations.end())
    return &found->second;
  if (auto found = all.poolAllocations.find(begin); found != all.poolAllocations.end())
    return &found->second.origin;
  auto found = all.pinned.find(reinterpret_cast<char *>(begin));
  return found == all.pinned.end() ? nullptr : &found->second.origin;
}

static uint64_t zero(const Place &) { return 0; }
static uint64_t one(const Place &) { return 1; }
static uint64_t readAndWrite(const Place &) { return 3; }
static uint64_t contextOf(const Place &place) { // a pool belongs to none
  if (poolOf(place))
    return 0;
  return reinterpret_cast<uint64_t>(place.origin ? place.origin->context : currentContexts().back());
}
static uint64_t numberOf(const Place &place) { return place.origin ? place.origin->number : place.begin; }
static uint64_t hasSynchronousCopies(const Place &place) { return place.origin && place.origin->hasSynchronousCopies; }
static uint64_t typeOf(const Place &place) { return place.kind == MemoryKind::Device ? MemoryDevice : MemoryHost; }
static uint64_t addressOf(const Place &place) { return place.address; }
static uint64_t beginOf(const Place &place) { return place.begin; }
static uint64_t bytesOf(const Place &place) { return place.bytes; }

static const PointerAttribute pointerAttributes[] = {
    {1, 8, contextOf},
    {2, 4, typeOf},
    {3, 8, addressOf},                    // for the device
    {4, 8, addressOf, /*isOfHost=*/true}, // for the host
    {6, 4, hasSynchronousCopies},
    {7, 8, numberOf}, // of the allocation; never used again
    {8, 1, zero},     // managed
    {9, 4, zero},     // the device
    {10, 1, zero},    // shared with other processes
    {11, 8, beginOf},
    {12, 8, bytesOf},
    {13, 1, one},  // mapped
    {14, 8, zero}, // handles for other processes
    {15, 1, zero}, // reached by other devices
    {16, 4, readAndWrite},
    {17, 8, poolOf},
    {18, 8, bytesOf},  // of the mapping
    {19, 8, beginOf},  // of the mapping
    {20, 8, numberOf}, // of the block of memory behind it
    {21, 1, zero},     // decompression by hardware
};

static CUresult getPointerAttribute(void *data, int attribute, CUdeviceptr address, bool isZeroUnknown) {
  for (const PointerAttribute &known : pointerAttributes) {
    if (known.id != attribute)
      continue;
    auto found = memory::find(reinterpret_cast<char *>(address));
    auto begin = found ? reinterpret_cast<CUdeviceptr>(found->first) : 0;
    uint64_t value = 0;
    MemoryKind kind = kindOf(reinterpret_cast<char *>(address));
    if (found && !(known.isOfHost && kind != MemoryKind::Pinned))
      value = known.value({address, begin, found->second, kind, originOf(begin)});
    else if (!isZeroUnknown)
      return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(data, &value, known.bytes); // the host is little-endian
    return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

DSCC_EXPORT CUresult cuPointerGetAttribute(void *data, int attribute, CUdeviceptr address) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(data, CUDA_ERROR_INVALID_VALUE);
  return getPointerAttribute(data, attribute, address, /*isZeroUnknown=*/false);
}

/// Of an address that belongs to nothing, attributes are 0.
DSCC_EXPORT CUresult cuPointerGetAttributes(unsigned count, int *attributes, void **data, CUdeviceptr address) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(count && attributes && data && std::all_of(data, data + count, [](void *one) { return one; }),
               CUDA_ERROR_INVALID_VALUE);
  for (unsigned i = 0; i < count; ++i)
    DSCC_TRY(getPointerAttribute(data[i], attributes[i], address, /*isZeroUnknown=*/true));
  return CUDA_SUCCESS;
}

/// Only whether copies wait can be set.
DSCC_EXPORT CUresult cuPointerSetAttribute(const void *value, int attribute, CUdeviceptr address) {
  DSCC_ENTER(Context);
  static constexpr int synchronousCopies = 6;
  DSCC_REQUIRE(value && attribute == synchronousCopies, CUDA_ERROR_INVALID_VALUE);
  auto found = memory::find(reinterpret_cast<char *>(address));
  Origin *origin = found ? originOf(reinterpret_cast<CUdeviceptr>(found->first)) : nullptr;
  DSCC_REQUIRE(origin, CUDA_ERROR_INVALID_VALUE);
  origin->hasSynchronousCopies = *static_cast<const unsigned *>(value) != 0;
  return CUDA_SUCCESS;
}
