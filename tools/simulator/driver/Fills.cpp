// Setting memory to a value of 1, 2 or 4 bytes, in one row or several.

#include "tools/simulator/driver/Entry.h"

using namespace dscc::sim;

/// In the stream's turn. The driver does not wait for it either.
static CUresult enqueueFill(CUdeviceptr to, size_t pitch, unsigned value, unsigned elementBytes, size_t width,
                            size_t height, CUstream stream, TaskPtr *task = nullptr) {
  DSCC_REQUIRE(findStream(stream), CUDA_ERROR_INVALID_HANDLE);
  Fill fill;
  DSCC_TRY(makeFill({to, pitch, value, elementBytes, width, height}, fill));
  return width && height ? submit(stream, fill, task) : CUDA_SUCCESS;
}

/// A call without a stream: in the default one, where captures do not see it. Of the host's memory it waits for the
/// end.
static CUresult fillNow(CUdeviceptr to, size_t pitch, unsigned value, unsigned elementBytes, size_t width,
                        size_t height) {
  DSCC_TRY(checkUnseen());
  TaskPtr task;
  DSCC_TRY(enqueueFill(to, pitch, value, elementBytes, width, height, nullptr, &task));
  if (kindOf(reinterpret_cast<char *>(to)) != MemoryKind::Pinned)
    return CUDA_SUCCESS;
  finish(task);
  return state().sticky;
}

#define DSCC_FILL(bits, type)                                                                                          \
  DSCC_EXPORT CUresult cuMemsetD##bits##_v2(CUdeviceptr to, type value, size_t count) {                                \
    DSCC_ENTER(Context);                                                                                               \
    return fillNow(to, 0, value, bits / 8, count, 1);                                                                  \
  }                                                                                                                    \
  DSCC_EXPORT CUresult cuMemsetD##bits##Async(CUdeviceptr to, type value, size_t count, CUstream stream) {             \
    DSCC_ENTER(Context);                                                                                               \
    return enqueueFill(to, 0, value, bits / 8, count, 1, stream);                                                      \
  }                                                                                                                    \
  DSCC_EXPORT CUresult cuMemsetD2D##bits##_v2(CUdeviceptr to, size_t pitch, type value, size_t width, size_t height) { \
    DSCC_ENTER(Context);                                                                                               \
    return fillNow(to, pitch, value, bits / 8, width, height);                                                         \
  }                                                                                                                    \
  DSCC_EXPORT CUresult cuMemsetD2D##bits##Async(CUdeviceptr to, size_t pitch, type value, size_t width, size_t height, \
                                                CUstream stream) {                                                     \
    DSCC_ENTER(Context);                                                                                               \
    return enqueueFill(to, pitch, value, bits / 8, width, height, stream);                                             \
  }

DSCC_FILL(8, unsigned char)
DSCC_FILL(16, unsigned short)
DSCC_FILL(32, unsigned)
