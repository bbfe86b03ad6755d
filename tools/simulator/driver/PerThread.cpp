// The functions that programs get by cuGetProcAddress if handle 0 is to be the thread's own stream: what they call is
// the same, and where it looks up the stream it finds that one.

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/driver/ProcAddress.h"

#include <cstring>

using namespace dscc::sim;

// clang-format off
#define DSCC_PER_THREAD(X)                                                                                             \
  X(cuEventRecord, CUevent, CUstream)                                                                                  \
  X(cuEventRecordWithFlags, CUevent, CUstream, unsigned)                                                               \
  X(cuGraphInstantiateWithParams, CUgraphExec *, CUgraph, CUDA_GRAPH_INSTANTIATE_PARAMS *)                             \
  X(cuGraphLaunch, CUgraphExec, CUstream)                                                                              \
  X(cuGraphUpload, CUgraphExec, CUstream)                                                                              \
  X(cuLaunchCooperativeKernel, CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,       \
    CUstream, void **)                                                                                                 \
  X(cuLaunchHostFunc, CUstream, CUhostFn, void *)                                                                      \
  X(cuLaunchKernel, CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream,        \
    void **, void **)                                                                                                  \
  X(cuLaunchKernelEx, const CUlaunchConfig *, CUfunction, void **, void **)                                            \
  X(cuMemAllocAsync, CUdeviceptr *, size_t, CUstream)                                                                  \
  X(cuMemAllocFromPoolAsync, CUdeviceptr *, size_t, CUmemoryPool, CUstream)                                            \
  X(cuMemFreeAsync, CUdeviceptr, CUstream)                                                                             \
  X(cuMemcpy, CUdeviceptr, CUdeviceptr, size_t)                                                                        \
  X(cuMemcpy2DAsync_v2, const CUDA_MEMCPY2D *, CUstream)                                                               \
  X(cuMemcpy2DUnaligned_v2, const CUDA_MEMCPY2D *)                                                                     \
  X(cuMemcpy2D_v2, const CUDA_MEMCPY2D *)                                                                              \
  X(cuMemcpyAsync, CUdeviceptr, CUdeviceptr, size_t, CUstream)                                                         \
  X(cuMemcpyDtoDAsync_v2, CUdeviceptr, CUdeviceptr, size_t, CUstream)                                                  \
  X(cuMemcpyDtoD_v2, CUdeviceptr, CUdeviceptr, size_t)                                                                 \
  X(cuMemcpyDtoHAsync_v2, void *, CUdeviceptr, size_t, CUstream)                                                       \
  X(cuMemcpyDtoH_v2, void *, CUdeviceptr, size_t)                                                                      \
  X(cuMemcpyHtoDAsync_v2, CUdeviceptr, const void *, size_t, CUstream)                                                 \
  X(cuMemcpyHtoD_v2, CUdeviceptr, const void *, size_t)                                                                \
  X(cuMemsetD16Async, CUdeviceptr, unsigned short, size_t, CUstream)                                                   \
  X(cuMemsetD16_v2, CUdeviceptr, unsigned short, size_t)                                                               \
  X(cuMemsetD2D16Async, CUdeviceptr, size_t, unsigned short, size_t, size_t, CUstream)                                 \
  X(cuMemsetD2D16_v2, CUdeviceptr, size_t, unsigned short, size_t, size_t)                                             \
  X(cuMemsetD2D32Async, CUdeviceptr, size_t, unsigned, size_t, size_t, CUstream)                                       \
  X(cuMemsetD2D32_v2, CUdeviceptr, size_t, unsigned, size_t, size_t)                                                   \
  X(cuMemsetD2D8Async, CUdeviceptr, size_t, unsigned char, size_t, size_t, CUstream)                                   \
  X(cuMemsetD2D8_v2, CUdeviceptr, size_t, unsigned char, size_t, size_t)                                               \
  X(cuMemsetD32Async, CUdeviceptr, unsigned, size_t, CUstream)                                                         \
  X(cuMemsetD32_v2, CUdeviceptr, unsigned, size_t)                                                                     \
  X(cuMemsetD8Async, CUdeviceptr, unsigned char, size_t, CUstream)                                                     \
  X(cuMemsetD8_v2, CUdeviceptr, unsigned char, size_t)                                                                 \
  X(cuStreamAddCallback, CUstream, CUstreamCallback, void *, unsigned)                                                 \
  X(cuStreamBatchMemOp_v2, CUstream, unsigned, CUstreamBatchMemOpParams *, unsigned)                                   \
  X(cuStreamBeginCaptureToGraph, CUstream, CUgraph, const CUgraphNode *, const CUgraphEdgeData *, size_t,              \
    CUstreamCaptureMode)                                                                                               \
  X(cuStreamBeginCapture_v2, CUstream, CUstreamCaptureMode)                                                            \
  X(cuStreamCopyAttributes, CUstream, CUstream)                                                                        \
  X(cuStreamEndCapture, CUstream, CUgraph *)                                                                           \
  X(cuStreamGetAttribute, CUstream, int, CUlaunchAttribute::Value *)                                                   \
  X(cuStreamGetCaptureInfo, CUstream, CUstreamCaptureStatus *, uint64_t *)                                             \
  X(cuStreamGetCaptureInfo_v2, CUstream, CUstreamCaptureStatus *, uint64_t *, CUgraph *, const CUgraphNode **,         \
    size_t *)                                                                                                          \
  X(cuStreamGetCaptureInfo_v3, CUstream, CUstreamCaptureStatus *, uint64_t *, CUgraph *, const CUgraphNode **,         \
    const CUgraphEdgeData **, size_t *)                                                                                \
  X(cuStreamGetCtx, CUstream, CUcontext *)                                                                             \
  X(cuStreamGetCtx_v2, CUstream, CUcontext *, void **)                                                                 \
  X(cuStreamGetDevice, CUstream, CUdevice *)                                                                           \
  X(cuStreamGetFlags, CUstream, unsigned *)                                                                            \
  X(cuStreamGetId, CUstream, unsigned long long *)                                                                     \
  X(cuStreamGetPriority, CUstream, int *)                                                                              \
  X(cuStreamIsCapturing, CUstream, CUstreamCaptureStatus *)                                                            \
  X(cuStreamQuery, CUstream)                                                                                           \
  X(cuStreamSetAttribute, CUstream, int, const CUlaunchAttribute::Value *)                                             \
  X(cuStreamSynchronize, CUstream)                                                                                     \
  X(cuStreamUpdateCaptureDependencies, CUstream, CUgraphNode *, size_t, unsigned)                                      \
  X(cuStreamUpdateCaptureDependencies_v2, CUstream, CUgraphNode *, const CUgraphEdgeData *, size_t, unsigned)          \
  X(cuStreamWaitEvent, CUstream, CUevent, unsigned)                                                                    \
  X(cuStreamWaitValue32_v2, CUstream, CUdeviceptr, uint32_t, unsigned)                                                 \
  X(cuStreamWaitValue64_v2, CUstream, CUdeviceptr, uint64_t, unsigned)                                                 \
  X(cuStreamWriteValue32_v2, CUstream, CUdeviceptr, uint32_t, unsigned)                                                \
  X(cuStreamWriteValue64_v2, CUstream, CUdeviceptr, uint64_t, unsigned)
// clang-format on

#define DSCC_DECLARE(name, ...) extern "C" CUresult name(__VA_ARGS__);
DSCC_PER_THREAD(DSCC_DECLARE)
#undef DSCC_DECLARE

template <auto function> struct PerThread;
template <typename... Parameters, CUresult (*function)(Parameters...)> struct PerThread<function> {
  static CUresult call(Parameters... arguments) {
    isThreadDefault() = true;
    CUresult result = function(arguments...);
    isThreadDefault() = false;
    return result;
  }
};

namespace dscc::sim {
void *findPerThread(const char *symbol) {
  struct Row {
    const char *symbol;
    void *address;
  };
#define DSCC_ROW(name, ...) {#name, reinterpret_cast<void *>(&PerThread<&name>::call)},
  static const Row rows[] = {DSCC_PER_THREAD(DSCC_ROW)};
#undef DSCC_ROW
  for (const Row &row : rows)
    if (!std::strcmp(row.symbol, symbol))
      return row.address;
  return nullptr;
}
} // namespace dscc::sim
