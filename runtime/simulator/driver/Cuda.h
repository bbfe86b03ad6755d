// The part of the CUDA driver API that the simulator offers, declared by hand with the names and values of NVIDIA's
// header, so that no toolkit is needed to build it.

#ifndef DSCC_RUNTIME_SIMULATOR_DRIVER_CUDA_H
#define DSCC_RUNTIME_SIMULATOR_DRIVER_CUDA_H

#include <cstddef>
#include <cstdint>

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
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
  CUDA_ERROR_LAUNCH_TIMEOUT = 702,
  CUDA_ERROR_ILLEGAL_INSTRUCTION = 715,
  CUDA_ERROR_MISALIGNED_ADDRESS = 716,
  CUDA_ERROR_LAUNCH_FAILED = 719,
  CUDA_ERROR_NOT_SUPPORTED = 801,
  CUDA_ERROR_UNKNOWN = 999
};

using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st *;
using CUmodule = struct CUmod_st *;
using CUfunction = struct CUfunc_st *;
using CUstream = struct CUstream_st *;
using CUevent = struct CUevent_st *;

/// CUdevice_attribute, those that the simulator knows.
enum DeviceAttribute : int {
  MaxThreadsPerBlock = 1, MaxBlockDimX = 2, MaxBlockDimY = 3, MaxBlockDimZ = 4, MaxGridDimX = 5, MaxGridDimY = 6,
  MaxGridDimZ = 7, MaxSharedMemoryPerBlock = 8, TotalConstantMemory = 9, WarpSizeAttribute = 10, MaxRegistersPerBlock = 12,
  ClockRate = 13, MultiprocessorCount = 16, Integrated = 18, CanMapHostMemory = 19, ComputeMode = 20,
  ConcurrentKernels = 31, EccEnabled = 32, PciBusId = 33, PciDeviceId = 34, MemoryClockRate = 36,
  GlobalMemoryBusWidth = 37, L2CacheSize = 38, MaxThreadsPerMultiprocessor = 39, AsyncEngineCount = 40,
  UnifiedAddressing = 41, PciDomainId = 50, ComputeCapabilityMajor = 75, ComputeCapabilityMinor = 76,
  MaxSharedMemoryPerMultiprocessor = 81, MaxRegistersPerMultiprocessor = 82, ManagedMemory = 83,
  CooperativeLaunch = 95, MaxSharedMemoryPerBlockOptin = 97, MemoryPoolsSupported = 115, ClusterLaunch = 120
};

/// CUfunction_attribute.
enum FunctionAttribute : int {
  FunctionMaxThreadsPerBlock = 0, FunctionSharedBytes = 1, FunctionConstBytes = 2, FunctionLocalBytes = 3,
  FunctionRegisters = 4, FunctionPtxVersion = 5, FunctionBinaryVersion = 6, FunctionCacheModeCa = 7,
  FunctionMaxDynamicSharedBytes = 8, FunctionPreferredCarveout = 9
};

#endif // DSCC_RUNTIME_SIMULATOR_DRIVER_CUDA_H
