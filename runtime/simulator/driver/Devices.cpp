// The driver itself, and what it tells about its devices.

#include "runtime/simulator/driver/Entry.h"

#include <cstdio>
#include <cstring>

using namespace dscc::sim;

DSCC_EXPORT CUresult cuInit(unsigned flags) {
  DSCC_ENTER(Nothing);
  DSCC_REQUIRE(flags == 0, CUDA_ERROR_INVALID_VALUE);
  if (state().isInitialised)
    return CUDA_SUCCESS;
  CUresult result = readEnvironment(state());
  state().isInitialised = result == CUDA_SUCCESS;
  return result;
}

DSCC_EXPORT CUresult cuDriverGetVersion(int *version) {
  DSCC_ENTER(Nothing);
  DSCC_REQUIRE(version, CUDA_ERROR_INVALID_VALUE);
  *version = state().driverVersion;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGetErrorName(CUresult error, const char **name) {
  DSCC_REQUIRE(name, CUDA_ERROR_INVALID_VALUE);
  *name = errorName(error);
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

DSCC_EXPORT CUresult cuGetErrorString(CUresult error, const char **text) {
  DSCC_REQUIRE(text, CUDA_ERROR_INVALID_VALUE);
  *text = errorString(error);
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

DSCC_EXPORT CUresult cuDeviceGetCount(int *count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(count, CUDA_ERROR_INVALID_VALUE);
  *count = state().numDevices;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(device, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(ordinal), CUDA_ERROR_INVALID_DEVICE);
  *device = ordinal;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(name && length > 0, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  std::snprintf(name, size_t(length), "%s", state().chip->product.data());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(bytes, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  *bytes = state().memoryBytes;
  return CUDA_SUCCESS;
}

/// The same in every run, and another for each chip.
DSCC_EXPORT CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(uuid, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  std::memset(uuid->bytes, 0, sizeof(uuid->bytes));
  std::snprintf(uuid->bytes, sizeof(uuid->bytes), "dscc-sim%d %s", device, state().chip->name.data());
  return CUDA_SUCCESS;
}

static constexpr int pciBus = 1;

DSCC_EXPORT CUresult cuDeviceGetPCIBusId(char *text, int length, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(text && length > 0, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  std::snprintf(text, size_t(length), "0000:%02x:00.0", pciBus + device);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceGetByPCIBusId(CUdevice *device, const char *text) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(device && text, CUDA_ERROR_INVALID_VALUE);
  unsigned domain = 0, bus = 0, slot = 0;
  bool isRead = std::sscanf(text, "%x:%x:%x", &domain, &bus, &slot) == 3;
  DSCC_REQUIRE(isRead && !domain && !slot && isDevice(int(bus) - pciBus), CUDA_ERROR_INVALID_DEVICE);
  *device = int(bus) - pciBus;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(major && minor, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  *major = state().chip->major;
  *minor = state().chip->minor;
  return CUDA_SUCCESS;
}

/// No device reaches another one's memory.
DSCC_EXPORT CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(can, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device) && isDevice(peer), CUDA_ERROR_INVALID_DEVICE);
  *can = 0;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  const Chip &chip = *state().chip;
  const std::pair<int, int> values[] = {
      {MaxThreadsPerBlock, 1024}, {MaxBlockDimX, 1024}, {MaxBlockDimY, 1024}, {MaxBlockDimZ, 64},
      {MaxGridDimX, 2147483647}, {MaxGridDimY, 65535}, {MaxGridDimZ, 65535},
      {MaxSharedMemoryPerBlock, int(chip.sharedPerBlock)}, {TotalConstantMemory, 65536}, {WarpSizeAttribute, 32},
      {MaxPitch, 2147483647}, {MaxRegistersPerBlock, 65536}, {ClockRate, int(chip.clockHz / 1000)},
      {TextureAlignment, 512}, {GpuOverlap, 1}, {MultiprocessorCount, chip.multiprocessors}, {KernelExecTimeout, 0},
      {Integrated, 0}, {CanMapHostMemory, 1}, {ComputeMode, 0}, {ConcurrentKernels, 1}, {EccEnabled, 1},
      {PciBusId, pciBus + device}, {PciDeviceId, 0}, {TccDriver, 0}, {MemoryClockRate, 1000000},
      {GlobalMemoryBusWidth, int(chip.memoryBytesPerSecond * 8 / 2e9)}, {L2CacheSize, 40 << 20},
      {MaxThreadsPerMultiprocessor, chip.maxThreadsPerMultiprocessor}, {AsyncEngineCount, 2}, {UnifiedAddressing, 1},
      {PciDomainId, 0}, {ComputeCapabilityMajor, chip.major}, {ComputeCapabilityMinor, chip.minor},
      {StreamPrioritiesSupported, 1}, {GlobalL1CacheSupported, 1}, {LocalL1CacheSupported, 1},
      {MaxSharedMemoryPerMultiprocessor, int(chip.sharedPerMultiprocessor)},
      {MaxRegistersPerMultiprocessor, int(chip.registersPerMultiprocessor)}, {ManagedMemory, 0}, {MultiGpuBoard, 0},
      {HostNativeAtomicSupported, 0}, {PageableMemoryAccess, 0}, {ConcurrentManagedAccess, 0},
      {ComputePreemptionSupported, 1}, {CanUseHostPointerForRegisteredMem, 1}, {CooperativeLaunch, 0},
      {CooperativeMultiDeviceLaunch, 0}, {MaxSharedMemoryPerBlockOptin, int(chip.sharedPerBlockOptin)},
      {HostRegisterSupported, 1}, {PageableMemoryAccessUsesHostPageTables, 0}, {DirectManagedMemAccessFromHost, 0},
      {VirtualMemoryManagementSupported, 0}, {MaxBlocksPerMultiprocessor, chip.maxBlocksPerMultiprocessor},
      {ReservedSharedMemoryPerBlock, int(reservedShared)}, {MemoryPoolsSupported, 1}, {MempoolSupportedHandleTypes, 0},
      {ClusterLaunch, chip.hasClusters}, {IpcEventSupported, 0}, {TensorMapAccessSupported, chip.hasClusters},
      {MulticastSupported, 0}};
  for (auto [known, number] : values)
    if (known == attribute) {
      *value = number;
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_INVALID_VALUE;
}
