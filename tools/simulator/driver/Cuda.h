// The part of the CUDA driver API that the simulator offers, declared by hand with the names and values of NVIDIA's
// header, so that no toolkit is needed to build it.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_CUDA_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_CUDA_H

#include <cstddef>
#include <cstdint>

/// What calls return: those of NVIDIA's codes that something here names. An injected fault may be any other.
enum CUresult : int {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_DEINITIALIZED = 4,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_IMAGE = 200,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
  CUDA_ERROR_UNSUPPORTED_LIMIT = 215,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_FILE_NOT_FOUND = 301,
  CUDA_ERROR_OPERATING_SYSTEM = 304,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_ILLEGAL_STATE = 401,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
  CUDA_ERROR_LAUNCH_TIMEOUT = 702,
  CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE = 708,
  CUDA_ERROR_CONTEXT_IS_DESTROYED = 709,
  CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED = 712,
  CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED = 713,
  CUDA_ERROR_ASSERT = 710,
  CUDA_ERROR_HARDWARE_STACK_ERROR = 714,
  CUDA_ERROR_ILLEGAL_INSTRUCTION = 715,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_INVALID_PC = 718,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_PERMITTED = 800,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900,
  CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901,
  CUDA_ERROR_STREAM_CAPTURE_MERGE = 902,
  CUDA_ERROR_STREAM_CAPTURE_UNMATCHED = 903,
  CUDA_ERROR_STREAM_CAPTURE_UNJOINED = 904,
  CUDA_ERROR_STREAM_CAPTURE_ISOLATION = 905,
  CUDA_ERROR_STREAM_CAPTURE_IMPLICIT = 906,
  CUDA_ERROR_CAPTURED_EVENT = 907,
  CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD = 908,
  CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE = 910,
  CUDA_ERROR_INVALID_CLUSTER_SIZE = 912,
  CUDA_ERROR_UNKNOWN = 999
};

using CUdevice = int;                             // an ordinal, from 0
using CUdeviceptr = unsigned long long;           // an address of the host: the simulated memory is the host's
using CUcontext = struct CUctx_st *;              // &State::primary, or one of State::contexts
using CUmodule = struct CUmod_st *;               // of cuModuleLoad and its like, or a library's own
using CUfunction = struct CUfunc_st *;            // a kernel in a module; most calls take a CUkernel in its place
using CUlibrary = struct CUlib_st *;              // a module that needs no context to be loaded
using CUkernel = struct CUkern_st *;              // a kernel in a library
using CUstream = struct CUstream_st *;            // 0, 1 and 2 are default streams: findStream in State.h
using CUevent = struct CUevent_st *;              // a place in a stream's work
using CUgraph = struct CUgraph_st *;              // what a program has built node by node, or captured
using CUgraphNode = struct CUgraphNode_st *;      // owned by its graph, and dead with it
using CUgraphExec = struct CUgraphExec_st *;      // an instantiated graph, which does not need the graph any more
using CUuserObject = struct CUuserObject_st *;    // something of the program's that graphs may hold
using CUmemoryPool = struct CUmemPoolHandle_st *; // the device's default pool, or one of cuMemPoolCreate

using CUhostFn = void (*)(void *data); // a function of the program's, which must not call the driver
/// cuStreamAddCallback's, which must not call the driver either. `status` is the error that has stuck to the context.
using CUstreamCallback = void (*)(CUstream stream, CUresult status, void *data);
/// Bytes of dynamic shared memory that a block of so many threads needs. The program's; it may call the driver.
using CUoccupancyB2DSize = size_t (*)(int blockSize);

/// CUdevice_attribute, those that the simulator knows.
enum DeviceAttribute : int {
  MaxThreadsPerBlock = 1,
  MaxBlockDimX = 2,
  MaxBlockDimY = 3,
  MaxBlockDimZ = 4,
  MaxGridDimX = 5,
  MaxGridDimY = 6,
  MaxGridDimZ = 7,
  MaxSharedMemoryPerBlock = 8,
  TotalConstantMemory = 9,
  WarpSizeAttribute = 10,
  MaxPitch = 11,
  MaxRegistersPerBlock = 12,
  ClockRate = 13,
  TextureAlignment = 14,
  GpuOverlap = 15,
  MultiprocessorCount = 16,
  KernelExecTimeout = 17,
  Integrated = 18,
  CanMapHostMemory = 19,
  ComputeMode = 20,
  ConcurrentKernels = 31,
  EccEnabled = 32,
  PciBusId = 33,
  PciDeviceId = 34,
  TccDriver = 35,
  MemoryClockRate = 36,
  GlobalMemoryBusWidth = 37,
  L2CacheSize = 38,
  MaxThreadsPerMultiprocessor = 39,
  AsyncEngineCount = 40,
  UnifiedAddressing = 41,
  PciDomainId = 50,
  ComputeCapabilityMajor = 75,
  ComputeCapabilityMinor = 76,
  StreamPrioritiesSupported = 78,
  GlobalL1CacheSupported = 79,
  LocalL1CacheSupported = 80,
  MaxSharedMemoryPerMultiprocessor = 81,
  MaxRegistersPerMultiprocessor = 82,
  ManagedMemory = 83,
  MultiGpuBoard = 84,
  HostNativeAtomicSupported = 86,
  PageableMemoryAccess = 88,
  ConcurrentManagedAccess = 89,
  ComputePreemptionSupported = 90,
  CanUseHostPointerForRegisteredMem = 91,
  CooperativeLaunch = 95,
  CooperativeMultiDeviceLaunch = 96,
  MaxSharedMemoryPerBlockOptin = 97,
  HostRegisterSupported = 99,
  PageableMemoryAccessUsesHostPageTables = 100,
  DirectManagedMemAccessFromHost = 101,
  VirtualMemoryManagementSupported = 102,
  MaxBlocksPerMultiprocessor = 106,
  ReservedSharedMemoryPerBlock = 111,
  MemoryPoolsSupported = 115,
  MempoolSupportedHandleTypes = 119,
  ClusterLaunch = 120,
  IpcEventSupported = 125,
  TensorMapAccessSupported = 127,
  MulticastSupported = 132,
  SingleToDoublePerfRatio = 87,
  MemSyncDomainCount = 126,
  HostNumaId = 134
};

/// CUfunction_attribute.
enum FunctionAttribute : int {
  FunctionMaxThreadsPerBlock = 0,
  FunctionSharedBytes = 1,
  FunctionConstBytes = 2,
  FunctionLocalBytes = 3,
  FunctionRegisters = 4,
  FunctionPtxVersion = 5,
  FunctionBinaryVersion = 6,
  FunctionCacheModeCa = 7,
  FunctionMaxDynamicSharedBytes = 8,
  FunctionPreferredCarveout = 9,
  FunctionClusterSizeMustBeSet = 10,
  FunctionRequiredClusterWidth = 11,
  FunctionRequiredClusterHeight = 12,
  FunctionRequiredClusterDepth = 13,
  FunctionNonPortableClusterSizeAllowed = 14,
  FunctionClusterSchedulingPolicy = 15,
  FunctionCacheConfig = 1000 // ours: cuFuncSetCacheConfig's, kept with the attributes
};

/// CUstream_flags. 0 is a stream that is ordered with the legacy default one.
enum StreamFlag : unsigned { StreamNonBlocking = 1 };
/// CUevent_flags. How a thread waits makes no difference here; events of several processes are refused.
enum EventFlag : unsigned { EventBlockingSync = 1, EventDisableTiming = 2, EventInterprocess = 4 };

/// Of a capture: whose calls that it does not see are forbidden meanwhile. All threads', its own thread's, nobody's. Of
/// a thread: whether it minds captures of others, its own only, or none.
enum CUstreamCaptureMode : int { CaptureGlobal = 0, CaptureThreadLocal = 1, CaptureRelaxed = 2 };
/// What cuStreamIsCapturing tells of a stream.
enum CUstreamCaptureStatus : int { CaptureNone = 0, CaptureActive = 1, CaptureInvalidated = 2 };

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_CUDA_H
