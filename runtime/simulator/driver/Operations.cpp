#include "runtime/simulator/driver/Operations.h"

#include "runtime/simulator/driver/Errors.h"
#include "runtime/simulator/driver/State.h"
#include "runtime/simulator/exec/Memory.h"

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

/// From the first byte of the first row to the last one of the last; SIZE_MAX, which no memory has, if it overflows.
static size_t extent(size_t width, size_t pitch, size_t height) {
  return width && height ? llvm::SaturatingMultiplyAdd(pitch, height - 1, width) : 0;
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
  if (!copy.staged &&
      !checkSide("the source of a copy", copy.from, extent(copy.width, copy.fromPitch, copy.height), copy.fromKind))
    return;
  if (!checkSide("the target of a copy", copy.to, extent(copy.width, copy.toPitch, copy.height), copy.toKind))
    return;
  for (size_t row = 0; row < copy.height; ++row) {
    std::memmove(copy.to + row * copy.toPitch, copy.from + row * copy.fromPitch, copy.width);
    memory::noteWritten(copy.to + row * copy.toPitch, copy.width);
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

template <typename Act> static void runOnHost(Act act) {
  runsHostFunction = true;
  act();
  runsHostFunction = false;
}

static void performOne(const HostCall &call) {
  runOnHost([&] { call.function(call.data); });
}

static void performOne(const Callback &callback) {
  runOnHost([&] { callback.function(callback.stream, state().sticky, callback.data); });
}

static void performOne(const Release &release) { releaseToPool(release.address); }

void perform(const Operation &operation) {
  if (state().sticky != CUDA_SUCCESS && !std::holds_alternative<Callback>(operation))
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
  size_t x, y, pitch; // bytes, rows, bytes
};
} // namespace

static CUresult resolve(const Side &side, size_t width, size_t height, char *&place, size_t &pitch, MemoryKind &kind) {
  if (side.type == MemoryArray)
    return CUDA_ERROR_NOT_SUPPORTED;
  if (side.type < MemoryHost || side.type > MemoryUnified || side.pitch > maxPitch)
    return CUDA_ERROR_INVALID_VALUE;
  auto *base = side.type == MemoryHost ? static_cast<char *>(const_cast<void *>(side.host))
                                       : reinterpret_cast<char *>(side.device);
  pitch = side.pitch ? side.pitch : width;
  size_t offset = llvm::SaturatingMultiplyAdd(side.y, side.pitch, side.x), bytes = extent(width, pitch, height);
  place = base + offset;
  if (!width || !height) {
    kind = MemoryKind::Pageable;
    return CUDA_SUCCESS;
  }
  if ((side.pitch && side.pitch < llvm::SaturatingAdd(width, side.x)) ||
      llvm::SaturatingAdd(reinterpret_cast<size_t>(base), offset, bytes) == SIZE_MAX)
    return CUDA_ERROR_INVALID_VALUE;
  kind = base ? kindOf(place) : MemoryKind::Freed;
  bool isOk = kind != MemoryKind::Freed && (height == 1 || pitch >= width) &&
              (kind == MemoryKind::Pageable ? side.type != MemoryDevice : isMapped(place, bytes));
  return isOk ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult makeCopy(const Side &source, const Side &target, size_t width, size_t height, Copy &copy) {
  copy.width = width;
  copy.height = height;
  char *from = nullptr;
  if (CUresult error = resolve(source, width, height, from, copy.fromPitch, copy.fromKind))
    return error;
  copy.from = from;
  return resolve(target, width, height, copy.to, copy.toPitch, copy.toKind);
}

CUresult makeCopy(const CUDA_MEMCPY2D &request, Copy &copy) {
  auto side = [](const CUDA_MEMCPY2D::Side &from) {
    return Side{from.type, from.host, from.device, from.x, from.y, from.pitch};
  };
  return makeCopy(side(request.source), side(request.target), request.width, request.height, copy);
}

CUresult makeCopy(const CUDA_MEMCPY3D &request, Copy &copy) {
  auto side = [](const CUDA_MEMCPY3D::Side &from) {
    return Side{from.type, from.host, from.device, from.x, llvm::SaturatingMultiplyAdd(from.z, from.height, from.y),
                from.pitch};
  };
  if (!request.width || !request.height || !request.depth)
    return CUDA_ERROR_INVALID_VALUE;
  if (request.depth != 1)
    return CUDA_ERROR_NOT_SUPPORTED;
  return makeCopy(side(request.source), side(request.target), request.width, request.height, copy);
}

CUresult makeFill(const CUDA_MEMSET_NODE_PARAMS &request, Fill &fill) {
  unsigned bytes = request.elementBytes;
  size_t rowBytes = llvm::SaturatingMultiply(request.width, size_t(bytes)),
         pitch = request.height > 1 ? request.pitch : rowBytes;
  bool isOk = (bytes == 1 || bytes == 2 || bytes == 4) && request.target % bytes == 0 && pitch % bytes == 0 &&
              pitch >= rowBytes && pitch <= std::max(maxPitch, rowBytes);
  fill = {reinterpret_cast<char *>(request.target), request.value, bytes, pitch, request.width, request.height};
  return isOk && isMapped(fill.to, extent(rowBytes, pitch, request.height)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

} // namespace dscc::sim
