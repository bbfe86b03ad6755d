#include "tools/simulator/driver/Operations.h"

#include "tools/simulator/driver/Errors.h"
#include "tools/simulator/driver/State.h"
#include "tools/simulator/exec/Memory.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace dscc::sim {

static constexpr size_t maxPitch = 2147483647; // bytes

static thread_local bool runsHostFunction = false;
bool isInHostFunction() { return runsHostFunction; }

MemoryKind kindOf(const void *address) {
  auto *place = static_cast<const char *>(address);
  const Allocation *found = findAllocation(place);
  if (!found || !found->holds(place, 1))
    return MemoryKind::Pageable;
  if (found->isFree)
    return MemoryKind::Freed;
  return state().pinned.count(found->begin) ? MemoryKind::Pinned : MemoryKind::Device;
}

bool isMapped(const void *address, size_t bytes) {
  if (!bytes)
    return true;
  auto found = memory::find(address);
  return found && bytes <= found->second - size_t(static_cast<const char *>(address) - found->first);
}

bool isOfPool(CUdeviceptr address) {
  auto found = memory::find(reinterpret_cast<char *>(address));
  return found && state().poolAllocations.count(reinterpret_cast<CUdeviceptr>(found->first));
}

/// From the first byte of the first row to the last one of the last; SIZE_MAX, which no memory has, if it overflows.
static size_t extent(size_t width, size_t pitch, size_t height) {
  return width && height ? llvm::SaturatingMultiplyAdd(pitch, height - 1, width) : 0;
}

/// The same of several slices.
static size_t extent(size_t width, size_t pitch, size_t height, size_t slice, size_t depth) {
  size_t one = extent(width, pitch, height);
  return one && depth ? llvm::SaturatingMultiplyAdd(slice, depth - 1, one) : 0;
}

//===-- performing ------------------------------------------------------------------------------------------------===//

static void fault(CUresult error, const std::string &sentence) {
  log(sentence);
  if (state().sticky == CUDA_SUCCESS)
    state().sticky = error;
}

/// Memory that was there when the call was made may have been freed since, on a GPU too.
static bool checkSide(const char *what, const void *address, size_t bytes, MemoryKind kind) {
  MemoryKind now = kindOf(address);
  if (now == kind && (kind == MemoryKind::Pageable || isMapped(address, bytes)))
    return true;
  fault(CUDA_ERROR_ILLEGAL_ADDRESS, std::string(what) + " of " + std::to_string(bytes) +
                                        " bytes: the memory has been freed since the call was made; order the free "
                                        "behind it");
  return false;
}

static void performOne(const Nothing &) {}

static void performOne(const KernelCall &call) {
  if (!isAlive(call))
    return fault(CUDA_ERROR_LAUNCH_FAILED, "a kernel's module has been unloaded before its turn came");
  std::vector<void *> pointers;
  for (const std::vector<KernelCall::Chunk> &argument : call.arguments)
    pointers.push_back(const_cast<KernelCall::Chunk *>(argument.data()));
  for (const Report &report : launch(*call.function->kernel, *state().chip, call.shape, pointers.data())) {
    log(report.sentence);
    if (report.isFault)
      state().sticky = CUresult(report.driverError);
    else if (state().reportsAreFatal && state().sticky == CUDA_SUCCESS)
      state().sticky = CUDA_ERROR_LAUNCH_FAILED;
  }
}

static void performOne(const Copy &copy) {
  size_t fromBytes = extent(copy.width, copy.fromPitch, copy.height, copy.fromSlice, copy.depth);
  size_t toBytes = extent(copy.width, copy.toPitch, copy.height, copy.toSlice, copy.depth);
  if (!copy.staged && !checkSide("the source of a copy", copy.from, fromBytes, copy.fromKind))
    return;
  if (!checkSide("the target of a copy", copy.to, toBytes, copy.toKind))
    return;
  for (size_t slice = 0; slice < copy.depth; ++slice)
    for (size_t row = 0; row < copy.height; ++row) {
      char *to = copy.to + slice * copy.toSlice + row * copy.toPitch;
      std::memmove(to, copy.from + slice * copy.fromSlice + row * copy.fromPitch, copy.width);
      memory::noteWritten(to, copy.width);
    }
}

template <typename T> static void fillRow(char *to, uint32_t value, size_t count) {
  std::fill_n(reinterpret_cast<T *>(to), count, T(value));
}

static void performOne(const Fill &fill) {
  size_t rowBytes = fill.width * fill.elementBytes;
  if (!isMapped(fill.to, extent(rowBytes, fill.pitch, fill.height)))
    return fault(CUDA_ERROR_ILLEGAL_ADDRESS,
                 "memory has been freed before it was set; order the free behind the call that sets it");
  auto *fillOne = fill.elementBytes == 1   ? fillRow<uint8_t>
                  : fill.elementBytes == 2 ? fillRow<uint16_t>
                                           : fillRow<uint32_t>;
  for (size_t row = 0; row < fill.height; ++row) {
    fillOne(fill.to + row * fill.pitch, fill.value, fill.width);
    memory::noteWritten(fill.to + row * fill.pitch, rowBytes);
  }
}

/// Without the lock: the function may wait for a thread that calls the driver.
template <typename Act> static void runOnHost(Act act) {
  runsHostFunction = true;
  state().lock.unlock();
  act();
  state().lock.lock();
  runsHostFunction = false;
}

static void performOne(const HostCall &call) {
  runOnHost([&] { call.function(call.data); });
}

static void performOne(const Callback &callback) {
  runOnHost([&, status = state().sticky] { callback.function(callback.stream, status, callback.data); });
}

static void performOne(const Release &release) { releaseToPool(release.address); }

static uint64_t load(CUdeviceptr address, unsigned bytes) {
  return bytes == 4 ? __atomic_load_n(reinterpret_cast<uint32_t *>(address), __ATOMIC_ACQUIRE)
                    : __atomic_load_n(reinterpret_cast<uint64_t *>(address), __ATOMIC_ACQUIRE);
}

bool holds(const WaitValue &wait) {
  enum Condition { Reached = 0, Equal = 1, And = 2, Nor = 3 }; // CUstreamWaitValue_flags
  if (state().sticky != CUDA_SUCCESS || !isMapped(reinterpret_cast<char *>(wait.address), wait.bytes))
    return true;
  uint64_t mask = wait.bytes == 4 ? UINT32_MAX : UINT64_MAX, sign = mask / 2 + 1;
  uint64_t word = load(wait.address, wait.bytes), value = wait.value & mask;
  switch (wait.condition) {
  case Reached: // in a circle
    return !((word - value) & sign);
  case Equal: return word == value;
  case And: return word & value;
  default: return ~(word | value) & mask;
  }
}

static void performOne(const WaitValue &wait) {
  if (!isMapped(reinterpret_cast<char *>(wait.address), wait.bytes))
    fault(CUDA_ERROR_ILLEGAL_ADDRESS, "memory has been freed while a stream waits for what it becomes");
}

static void performOne(const WriteValue &write) {
  auto *to = reinterpret_cast<char *>(write.address);
  if (!isMapped(to, write.bytes))
    return fault(CUDA_ERROR_ILLEGAL_ADDRESS, "memory has been freed before a stream writes to it");
  if (write.bytes == 4)
    __atomic_store_n(reinterpret_cast<uint32_t *>(to), uint32_t(write.value), __ATOMIC_RELEASE);
  else
    __atomic_store_n(reinterpret_cast<uint64_t *>(to), write.value, __ATOMIC_RELEASE);
  memory::noteWritten(to, write.bytes);
}

void perform(const Operation &operation) {
  auto *call = std::get_if<HostCall>(&operation);
  bool isAlways = std::holds_alternative<Callback>(operation) || (call && call->isDestructor);
  if (state().sticky != CUDA_SUCCESS && !isAlways)
    return;
  std::visit([](const auto &one) { performOne(one); }, operation);
}

//===-- making ----------------------------------------------------------------------------------------------------===//

namespace {
/// One side of a copy, as both structures describe it.
struct Side {
  MemoryType type;
  const void *host;
  CUdeviceptr device;
  size_t x, y, z, pitch, height; // bytes, rows, slices, bytes, rows; no pitch or height: those of the copy
};
/// What is copied.
struct Box {
  size_t width, height, depth; // bytes, rows, slices
};
/// A side, checked.
struct Place {
  char *begin;
  size_t pitch, slice; // bytes
  MemoryKind kind;
};
} // namespace

static CUresult resolve(const Side &side, const Box &box, Place &place) {
  if (side.type == MemoryArray)
    return CUDA_ERROR_NOT_SUPPORTED;
  if (side.type < MemoryHost || side.type > MemoryUnified || side.pitch > maxPitch)
    return CUDA_ERROR_INVALID_VALUE;
  auto *base = side.type == MemoryHost ? static_cast<char *>(const_cast<void *>(side.host))
                                       : reinterpret_cast<char *>(side.device);
  size_t pitch = side.pitch ? side.pitch : box.width;
  size_t rows = side.height ? side.height : box.height;
  size_t slice = box.depth == 1 && !side.z ? 0 : llvm::SaturatingMultiply(pitch, rows);
  size_t offset = llvm::SaturatingMultiplyAdd(side.z, slice, llvm::SaturatingMultiplyAdd(side.y, side.pitch, side.x));
  size_t bytes = extent(box.width, pitch, box.height, slice, box.depth);
  place = {base + offset, pitch, slice, MemoryKind::Pageable};
  if (!box.width || !box.height || !box.depth)
    return CUDA_SUCCESS;
  bool areRowsOk = !side.pitch || side.pitch >= llvm::SaturatingAdd(box.width, side.x);
  bool areSlicesOk = box.depth == 1 || rows >= llvm::SaturatingAdd(box.height, side.y);
  if (!areRowsOk || !areSlicesOk || llvm::SaturatingAdd(reinterpret_cast<size_t>(base), offset, bytes) == SIZE_MAX)
    return CUDA_ERROR_INVALID_VALUE;
  place.kind = base ? kindOf(place.begin) : MemoryKind::Freed;
  bool isOk = place.kind != MemoryKind::Freed &&
              (place.kind == MemoryKind::Pageable ? side.type != MemoryDevice : isMapped(place.begin, bytes));
  return isOk ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult makeCopy(const Side &source, const Side &target, const Box &box, Copy &copy) {
  Place from, to;
  if (CUresult error = resolve(source, box, from))
    return error;
  if (CUresult error = resolve(target, box, to))
    return error;
  copy = {to.begin, from.begin, to.pitch, from.pitch, box.width, box.height,
          to.kind,  from.kind,  nullptr,  box.depth,  to.slice,  from.slice};
  return CUDA_SUCCESS;
}

CUresult makeCopy(const CUDA_MEMCPY2D &request, Copy &copy) {
  auto side = [](const CUDA_MEMCPY2D::Side &from) {
    return Side{from.type, from.host, from.device, from.x, from.y, 0, from.pitch, 0};
  };
  return makeCopy(side(request.source), side(request.target), {request.width, request.height, 1}, copy);
}

CUresult makeCopy(const CUDA_MEMCPY3D &request, Copy &copy) {
  auto side = [](const CUDA_MEMCPY3D::Side &from) {
    return Side{from.type, from.host, from.device, from.x, from.y, from.z, from.pitch, from.height};
  };
  return makeCopy(side(request.source), side(request.target), {request.width, request.height, request.depth}, copy);
}

CUresult makeFill(const CUDA_MEMSET_NODE_PARAMS &request, Fill &fill) {
  unsigned bytes = request.elementBytes;
  size_t rowBytes = llvm::SaturatingMultiply(request.width, size_t(bytes)),
         pitch = request.height > 1 ? request.pitch : rowBytes;
  bool isOk = (bytes == 1 || bytes == 2 || bytes == 4) && request.target % bytes == 0 && pitch % bytes == 0 &&
              pitch >= rowBytes && pitch <= std::max(maxPitch, rowBytes);
  auto *to = reinterpret_cast<char *>(request.target);
  fill = {to, request.value, bytes, pitch, request.width, request.height, kindOf(to)};
  return isOk && isMapped(fill.to, extent(rowBytes, pitch, request.height)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

} // namespace dscc::sim
