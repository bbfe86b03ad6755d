// The part of the CUDA driver API that the runtime calls, found by dlopen. Declared here by hand: the driver is the
// only thing needed of CUDA, at build time as at run time.

#ifndef DSCC_RUNTIME_CUDADRIVER_H
#define DSCC_RUNTIME_CUDADRIVER_H

#include <dscc/dscc.h>

namespace dscc {

/// What a call says; 0 is success.
using CuResult = int;
/// The handle of a device, as cuDeviceGet gives it.
using CuDevice = int;
/// An address in a device's memory.
using CuPointer = unsigned long long;
/// A context, module, function, stream, event, graph or node of one; a null stream is the default one.
using CuHandle = void *;

/// A launch as a node of a graph: CUDA_KERNEL_NODE_PARAMS_v1.
struct CuKernelNode {
  CuHandle function;         // as for a launch
  unsigned grid[3];          // blocks
  unsigned threads[3];       // of a block
  unsigned sharedBytes;      // dynamic ones
  void **arguments, **extra; // as for a launch; they are read by the call
};
static_assert(sizeof(CuKernelNode) == 56);

/// A kernel, and all that is said of its launch.
struct CuKernelLaunch {
  CuKernelNode node;       // what every launch has
  const uint32_t *cluster; // blocks of a cluster, three numbers; null without clusters
  bool overlaps;           // it waits by itself for what comes before it
};

/// An attribute of a launch, or of a kernel's node: CUlaunchAttribute.
struct CuLaunchAttribute {
  int id, padding; // CUlaunchAttributeID; 0
  /// CUlaunchAttributeValue.
  union Value {
    unsigned dims[3]; // of a cluster
    int number;       // of what is one number
    char bytes[64];   // as large as the driver's
  } value;            // as `id` says
};
static_assert(sizeof(CuLaunchAttribute) == 72);

/// A launch with attributes: CUlaunchConfig.
struct CuLaunchConfig {
  unsigned grid[3], threads[3], sharedBytes; // as in CuKernelNode
  CuHandle stream;                           // where
  CuLaunchAttribute *attributes;             // read by the call
  unsigned numAttributes;                    // of them
};
static_assert(sizeof(CuLaunchConfig) == 56);

/// CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
inline constexpr int clusterDimension = 4;

/// How one node of a graph comes before another: CUgraphEdgeData. All 0: it ends first.
struct CuGraphEdge {
  unsigned char fromPort, toPort, type, reserved[5]; // of a kernel whose launch_dependents are waited for: 1, 0, 1
};

/// A copy as a node of a graph: CUDA_MEMCPY3D, of which we use one row.
struct CuCopyNode {
  /// Where from or where to.
  struct Side {
    size_t x, y, z, levelOfDetail; // 0
    int memoryType;                // 2: of the device
    const void *host;              // null
    CuPointer device;              // the address
    void *array, *reserved;        // null
    size_t pitch, height;          // bytes of the row, 1
  };
  Side source, target;
  size_t width, height, depth; // bytes of the row, 1, 1
};
static_assert(sizeof(CuCopyNode) == 200);

/// One entry a function: its name here, its name in the driver, its signature.
#define DSCC_CUDA_FUNCTIONS(X)                                                                                         \
  X(init, "cuInit", CuResult(unsigned))                                                                                \
  X(driverVersion, "cuDriverGetVersion", CuResult(int *))                                                              \
  X(errorName, "cuGetErrorName", CuResult(CuResult, const char **))                                                    \
  X(deviceCount, "cuDeviceGetCount", CuResult(int *))                                                                  \
  X(deviceGet, "cuDeviceGet", CuResult(CuDevice *, int))                                                               \
  X(deviceAttribute, "cuDeviceGetAttribute", CuResult(int *, int, CuDevice))                                           \
  X(deviceName, "cuDeviceGetName", CuResult(char *, int, CuDevice))                                                    \
  X(primaryRetain, "cuDevicePrimaryCtxRetain", CuResult(CuHandle *, CuDevice))                                         \
  X(primaryRelease, "cuDevicePrimaryCtxRelease_v2", CuResult(CuDevice))                                                \
  X(contextPush, "cuCtxPushCurrent_v2", CuResult(CuHandle))                                                            \
  X(contextPop, "cuCtxPopCurrent_v2", CuResult(CuHandle *))                                                            \
  X(moduleLoad, "cuModuleLoadData", CuResult(CuHandle *, const void *))                                                \
  X(moduleUnload, "cuModuleUnload", CuResult(CuHandle))                                                                \
  X(moduleFunction, "cuModuleGetFunction", CuResult(CuHandle *, CuHandle, const char *))                               \
  X(functionAttribute, "cuFuncSetAttribute", CuResult(CuHandle, int, int))                                             \
  X(allocate, "cuMemAlloc_v2", CuResult(CuPointer *, size_t))                                                          \
  X(release, "cuMemFree_v2", CuResult(CuPointer))                                                                      \
  X(allocatePinned, "cuMemHostAlloc", CuResult(void **, size_t, unsigned))                                             \
  X(releasePinned, "cuMemFreeHost", CuResult(void *))                                                                  \
  X(copyIn, "cuMemcpyHtoDAsync_v2", CuResult(CuPointer, const void *, size_t, CuHandle))                               \
  X(copyOut, "cuMemcpyDtoHAsync_v2", CuResult(void *, CuPointer, size_t, CuHandle))                                    \
  X(copyWithin, "cuMemcpyDtoDAsync_v2", CuResult(CuPointer, CuPointer, size_t, CuHandle))                              \
  X(streamCreate, "cuStreamCreate", CuResult(CuHandle *, unsigned))                                                    \
  X(streamDestroy, "cuStreamDestroy_v2", CuResult(CuHandle))                                                           \
  X(streamWait, "cuStreamSynchronize", CuResult(CuHandle))                                                             \
  X(streamIsCapturing, "cuStreamIsCapturing", CuResult(CuHandle, int *))                                               \
  X(graphCreate, "cuGraphCreate", CuResult(CuHandle *, unsigned))                                                      \
  X(graphAddKernel, "cuGraphAddKernelNode",                                                                            \
    CuResult(CuHandle *, CuHandle, const CuHandle *, size_t, const CuKernelNode *))                                    \
  X(graphAddCopy, "cuGraphAddMemcpyNode",                                                                              \
    CuResult(CuHandle *, CuHandle, const CuHandle *, size_t, const CuCopyNode *, CuHandle))                            \
  X(graphInstantiate, "cuGraphInstantiateWithFlags", CuResult(CuHandle *, CuHandle, unsigned long long))               \
  X(graphLaunch, "cuGraphLaunch", CuResult(CuHandle, CuHandle))                                                        \
  X(graphDestroy, "cuGraphDestroy", CuResult(CuHandle))                                                                \
  X(graphExecDestroy, "cuGraphExecDestroy", CuResult(CuHandle))                                                        \
  X(eventCreate, "cuEventCreate", CuResult(CuHandle *, unsigned))                                                      \
  X(eventDestroy, "cuEventDestroy_v2", CuResult(CuHandle))                                                             \
  X(eventRecord, "cuEventRecord", CuResult(CuHandle, CuHandle))                                                        \
  X(eventWait, "cuEventSynchronize", CuResult(CuHandle))                                                               \
  X(eventElapsed, "cuEventElapsedTime", CuResult(float *, CuHandle, CuHandle))                                         \
  X(launch, "cuLaunchKernel",                                                                                          \
    CuResult(CuHandle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CuHandle, void **,        \
             void **))

/// Those that older drivers lack: null there, and whoever calls them does without.
#define DSCC_CUDA_LATER_FUNCTIONS(X)                                                                                   \
  X(launchWith, "cuLaunchKernelEx", CuResult(const CuLaunchConfig *, CuHandle, void **, void **))                      \
  X(graphKernelAttribute, "cuGraphKernelNodeSetAttribute", CuResult(CuHandle, int, const CuLaunchAttribute::Value *))  \
  X(graphAddEdges, "cuGraphAddDependencies_v2",                                                                        \
    CuResult(CuHandle, const CuHandle *, const CuHandle *, const CuGraphEdge *, size_t))                               \
  X(encodeTensorMap, "cuTensorMapEncodeTiled",                                                                         \
    CuResult(void *, int, unsigned, void *, const uint64_t *, const uint64_t *, const uint32_t *, const uint32_t *,    \
             int, int, int, int))                                                                                      \
  X(encodePixelMap, "cuTensorMapEncodeIm2col",                                                                         \
    CuResult(void *, int, unsigned, void *, const uint64_t *, const uint64_t *, const int *, const int *, uint32_t,    \
             uint32_t, const uint32_t *, int, int, int, int))

/// The driver's library and its functions, each a member of the name in the tables.
struct CudaDriver {
  void *library = nullptr; // what dlopen gave; null: not loaded
#define DSCC_DECLARE(name, symbol, ...)                                                                                \
  using name##_type = __VA_ARGS__;                                                                                     \
  name##_type *name = nullptr;
  DSCC_CUDA_FUNCTIONS(DSCC_DECLARE)
  DSCC_CUDA_LATER_FUNCTIONS(DSCC_DECLARE)
#undef DSCC_DECLARE
  /// What tools that stand in for a driver may offer: the ONNX nodes of this thread's next launch, or node of a graph,
  /// for their reports. Null with NVIDIA's.
  void (*nameLaunch)(const char *nodes) = nullptr;

  /// Loads the library at `path` and looks everything up. DSCC_NO_DEVICE if it cannot be loaded or lacks a function of
  /// the table; unload is to be called all the same.
  dscc_status load(const char *path);
  /// Closes the library, if it is open. No function of it may be called from then on.
  void unload();
  /// Launches a kernel on a stream, with its attributes where the driver knows them. Without: the cluster is in the
  /// kernel's code as well, and what may overlap need not.
  CuResult launchKernel(const CuKernelLaunch &launch, CuHandle stream) const;
  /// DSCC_OK for 0. Else leaves a sentence, that `what` failed with the driver's name of the error, and returns
  /// DSCC_OUT_OF_MEMORY for CUDA_ERROR_OUT_OF_MEMORY, DSCC_DEVICE_FAILED for all others.
  dscc_status report(CuResult result, const char *what) const;
};

} // namespace dscc

#endif // DSCC_RUNTIME_CUDADRIVER_H
