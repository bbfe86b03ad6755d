// Copies of rows of bytes, between whatever is host and device.
//
// A copy of the program's own (pageable) memory to the device takes its bytes when it is called, as the driver may; one
// from the device to there, or from the host to the host, returns when it is done, as the driver does. Of the calls
// without a stream, those within the device do not wait, and those from pageable memory only until they have its bytes:
// streams that are not ordered with the default one have to be.

#include "tools/simulator/driver/Entry.h"

#include <cstring>

using namespace dscc::sim;

/// One side of a 1-D copy.
static CUDA_MEMCPY2D::Side side(MemoryType type, uint64_t address) {
  CUDA_MEMCPY2D::Side result = {};
  result.type = type;
  result.host = reinterpret_cast<void *>(address);
  result.device = address;
  return result;
}

static CUresult make(MemoryType toType, uint64_t to, MemoryType fromType, uint64_t from, size_t bytes, Copy &copy) {
  return makeCopy(CUDA_MEMCPY2D{side(fromType, from), side(toType, to), bytes, 1}, copy);
}

static void stage(Copy &copy) {
  auto bytes = std::make_shared<std::vector<char>>(copy.width * copy.height * copy.depth);
  char *to = bytes->data();
  for (size_t slice = 0; slice < copy.depth; ++slice)
    for (size_t row = 0; row < copy.height; ++row, to += copy.width)
      std::memcpy(to, copy.from + slice * copy.fromSlice + row * copy.fromPitch, copy.width);
  copy.from = bytes->data();
  copy.fromPitch = copy.width;
  copy.fromSlice = copy.width * copy.height;
  copy.staged = std::move(bytes);
}

/// In the stream's turn.
static CUresult enqueueCopy(Copy copy, CUstream handle) {
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  if (!copy.width || !copy.height || !copy.depth)
    return CUDA_SUCCESS;
  // In a capture nothing is copied yet; with seed 0 it waits behind functions of the program only.
  bool isToHost = copy.toKind != MemoryKind::Device;
  bool isAtOnce = copy.toKind == MemoryKind::Pageable || (isToHost && copy.fromKind != MemoryKind::Device);
  bool isWaitedFor = isAtOnce && !stream->capture;
  bool mayWait = settings().seed || isWorkPending();
  if (copy.fromKind == MemoryKind::Pageable && !isWaitedFor && !stream->capture && mayWait)
    stage(copy);
  TaskPtr task;
  DSCC_TRY(submit(handle, std::move(copy), &task));
  if (!isWaitedFor)
    return CUDA_SUCCESS;
  finish(task);
  return state().sticky;
}

/// In the default stream. The host may go on when its own memory is read or written.
static CUresult copyNow(Copy copy) {
  DSCC_TRY(checkUnseen());
  TaskPtr task;
  if (!copy.width || !copy.height || !copy.depth)
    return CUDA_SUCCESS;
  bool isToDevice = copy.toKind == MemoryKind::Device;
  bool isStaged = isToDevice && copy.fromKind == MemoryKind::Pageable && (settings().seed || isWorkPending());
  bool isWithin = isToDevice && copy.fromKind == MemoryKind::Device;
  if (isStaged) {
    DSCC_TRY(submit(nullptr, Nothing(), &task));
    finish(task);
    stage(copy);
  }
  DSCC_TRY(submit(nullptr, std::move(copy), &task));
  if (isStaged || isWithin)
    return CUDA_SUCCESS;
  finish(task);
  return state().sticky;
}

//===-- bytes -----------------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryUnified, to, MemoryUnified, from, bytes, copy));
  return copyNow(copy);
}
DSCC_EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryUnified, to, MemoryUnified, from, bytes, copy));
  return enqueueCopy(copy, stream);
}
DSCC_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryDevice, to, MemoryHost, reinterpret_cast<uint64_t>(from), bytes, copy));
  return copyNow(copy);
}
DSCC_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryDevice, to, MemoryHost, reinterpret_cast<uint64_t>(from), bytes, copy));
  return enqueueCopy(copy, stream);
}
DSCC_EXPORT CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryHost, reinterpret_cast<uint64_t>(to), MemoryDevice, from, bytes, copy));
  return copyNow(copy);
}
DSCC_EXPORT CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryHost, reinterpret_cast<uint64_t>(to), MemoryDevice, from, bytes, copy));
  return enqueueCopy(copy, stream);
}
DSCC_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryDevice, to, MemoryDevice, from, bytes, copy));
  return copyNow(copy);
}
DSCC_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  Copy copy;
  DSCC_TRY(make(MemoryDevice, to, MemoryDevice, from, bytes, copy));
  return enqueueCopy(copy, stream);
}

/// Of rows, or of slices.
template <typename Request> static CUresult copyBox(const Request *request) {
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  Copy copy;
  DSCC_TRY(makeCopy(*request, copy));
  return copyNow(copy);
}
template <typename Request> static CUresult enqueueBox(const Request *request, CUstream stream) {
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  Copy copy;
  DSCC_TRY(makeCopy(*request, copy));
  return enqueueCopy(copy, stream);
}

//===-- rows ------------------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *request) {
  DSCC_ENTER(Context);
  return copyBox(request);
}
/// Any pitch is as good as another here.
DSCC_EXPORT CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D *request) {
  DSCC_ENTER(Context);
  return copyBox(request);
}
DSCC_EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *request, CUstream stream) {
  DSCC_ENTER(Context);
  return enqueueBox(request, stream);
}

//===-- slices ----------------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D *request) {
  DSCC_ENTER(Context);
  return copyBox(request);
}
DSCC_EXPORT CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D *request, CUstream stream) {
  DSCC_ENTER(Context);
  return enqueueBox(request, stream);
}

//===-- contexts --------------------------------------------------------------------------------------------------===//

/// All contexts are of one device, and share its memory.
DSCC_EXPORT CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext toContext, CUdeviceptr from, CUcontext fromContext,
                                  size_t bytes) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(isContext(toContext) && isContext(fromContext), CUDA_ERROR_INVALID_CONTEXT);
  Copy copy;
  DSCC_TRY(make(MemoryDevice, to, MemoryDevice, from, bytes, copy));
  return copyNow(copy);
}
DSCC_EXPORT CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext toContext, CUdeviceptr from, CUcontext fromContext,
                                       size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(isContext(toContext) && isContext(fromContext), CUDA_ERROR_INVALID_CONTEXT);
  Copy copy;
  DSCC_TRY(make(MemoryDevice, to, MemoryDevice, from, bytes, copy));
  return enqueueCopy(copy, stream);
}
