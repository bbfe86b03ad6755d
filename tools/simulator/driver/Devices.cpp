// The driver itself, and what it tells about its devices.

#include "tools/simulator/driver/Entry.h"

#include "llvm/ADT/STLExtras.h"

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
static CUresult getUuid(CUuuid *uuid, CUdevice device) {
  DSCC_REQUIRE(uuid, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  std::memset(uuid->bytes, 0, sizeof(uuid->bytes));
  std::snprintf(uuid->bytes, sizeof(uuid->bytes), "dscc-sim%d %s", device, state().chip->name.data());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device) {
  DSCC_ENTER(Driver);
  return getUuid(uuid, device);
}

/// Would differ for a part of a device.
DSCC_EXPORT CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
  DSCC_ENTER(Driver);
  return getUuid(uuid, device);
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
  // domain:bus:slot, with .function or without, or bus:slot.function
  unsigned domain = 0, bus = 0, slot = 0, function = 0;
  bool isRead = std::sscanf(text, "%x:%x:%x.%x", &domain, &bus, &slot, &function) >= 3;
  if (!isRead) {
    domain = 0;
    isRead = std::sscanf(text, "%x:%x.%x", &bus, &slot, &function) == 3;
  }
  DSCC_REQUIRE(isRead && !domain && !slot && !function && isDevice(int(bus) - pciBus), CUDA_ERROR_INVALID_DEVICE);
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

/// Of textures and surfaces, which no kernel here can use: the programming guide's table of technical specifications,
/// where all chips are alike.
static constexpr std::pair<int, int> imageLimits[] = {
    {21, 131072}, {42, 32768}, {43, 2048},   {69, 1 << 28},             // textures of 1-D; with layers; linear
    {22, 131072}, {23, 65536}, {27, 32768},  {28, 32768},   {29, 2048}, // of 2-D; with layers
    {45, 32768},  {46, 32768}, {70, 131072}, {71, 65000},               // gathered; linear
    {24, 16384},  {25, 16384}, {26, 16384},                             // of 3-D
    {52, 32768},  {53, 32768}, {54, 2046},                              // cubes; with layers
    {55, 32768},  {61, 32768}, {62, 2048},                              // surfaces of 1-D; with layers
    {56, 131072}, {57, 65536}, {63, 32768},  {64, 32768},               // of 2-D; with layers
    {58, 16384},  {59, 16384}, {60, 16384},                             // of 3-D
    {66, 32768},  {67, 32768}, {68, 2046},                              // cubes; with layers
};

/// What a device may be able to do, and these are not: their attributes are 0.
static constexpr int absent[] = {
    85,                                // several GPUs on a board
    92,  93,  94,  98,  122, 123,      // operations on memory in streams
    103, 104, 105, 110, 124, 128, 146, // handles of memory for others
    107, 108, 109, 136, 137,           // compressed memory, lines that stay in L2
    112, 121,                          // arrays
    113, 116, 117, 118,                // memory registered for reading, and reached by other devices
    114, 135, 138,                     // graphics
    129, 133,                          // function pointers of both sides, MPS
    130, 141, 142, 143, 144, 145, 147, // NUMA, memory and atomics of the host
};

DSCC_EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  const Chip &chip = *state().chip;
  const std::pair<int, int> values[] = {{MaxThreadsPerBlock, 1024},
                                        {MaxBlockDimX, 1024},
                                        {MaxBlockDimY, 1024},
                                        {MaxBlockDimZ, 64},
                                        {MaxGridDimX, 2147483647},
                                        {MaxGridDimY, 65535},
                                        {MaxGridDimZ, 65535},
                                        {MaxSharedMemoryPerBlock, int(chip.sharedPerBlock)},
                                        {TotalConstantMemory, 65536},
                                        {WarpSizeAttribute, 32},
                                        {MaxPitch, 2147483647},
                                        {MaxRegistersPerBlock, 65536},
                                        {ClockRate, int(chip.clockHz / 1000)},
                                        {TextureAlignment, 512},
                                        {GpuOverlap, 1},
                                        {MultiprocessorCount, chip.multiprocessors},
                                        {KernelExecTimeout, 0},
                                        {Integrated, 0},
                                        {CanMapHostMemory, 1},
                                        {ComputeMode, 0},
                                        {ConcurrentKernels, 1},
                                        {EccEnabled, 1},
                                        {PciBusId, pciBus + device},
                                        {PciDeviceId, 0},
                                        {TccDriver, 0},
                                        {MemoryClockRate, 1000000},
                                        {GlobalMemoryBusWidth, int(chip.memoryBytesPerSecond * 8 / 2e9)},
                                        {L2CacheSize, 40 << 20},
                                        {MaxThreadsPerMultiprocessor, chip.maxThreadsPerMultiprocessor},
                                        {AsyncEngineCount, 2},
                                        {UnifiedAddressing, 1},
                                        {PciDomainId, 0},
                                        {ComputeCapabilityMajor, chip.major},
                                        {ComputeCapabilityMinor, chip.minor},
                                        {StreamPrioritiesSupported, 1},
                                        {GlobalL1CacheSupported, 1},
                                        {LocalL1CacheSupported, 1},
                                        {MaxSharedMemoryPerMultiprocessor, int(chip.sharedPerMultiprocessor)},
                                        {MaxRegistersPerMultiprocessor, int(chip.registersPerMultiprocessor)},
                                        {ManagedMemory, 0},
                                        {MultiGpuBoard, 0},
                                        {HostNativeAtomicSupported, 0},
                                        {PageableMemoryAccess, 0},
                                        {ConcurrentManagedAccess, 0},
                                        {ComputePreemptionSupported, 1},
                                        {CanUseHostPointerForRegisteredMem, 1},
                                        {CooperativeLaunch, 0},
                                        {CooperativeMultiDeviceLaunch, 0},
                                        {MaxSharedMemoryPerBlockOptin, int(chip.sharedPerBlockOptin)},
                                        {HostRegisterSupported, 1},
                                        {PageableMemoryAccessUsesHostPageTables, 0},
                                        {DirectManagedMemAccessFromHost, 0},
                                        {VirtualMemoryManagementSupported, 0},
                                        {MaxBlocksPerMultiprocessor, chip.maxBlocksPerMultiprocessor},
                                        {ReservedSharedMemoryPerBlock, int(reservedShared)},
                                        {MemoryPoolsSupported, 1},
                                        {MempoolSupportedHandleTypes, 0},
                                        {ClusterLaunch, chip.hasClusters},
                                        {IpcEventSupported, 0},
                                        {TensorMapAccessSupported, chip.hasClusters},
                                        {MulticastSupported, 0},
                                        {SingleToDoublePerfRatio, int(chip.f32FlopPerClock / chip.f64FlopPerClock)},
                                        {HostNumaId, -1},
                                        {MemSyncDomainCount, chip.major >= 9 ? 4 : 1}};
  auto find = [&](llvm::ArrayRef<std::pair<int, int>> table) {
    auto *found = llvm::find_if(table, [&](const auto &row) { return row.first == attribute; });
    if (found == table.end())
      return false;
    *value = found->second;
    return true;
  };
  if (find(values) || find(imageLimits))
    return CUDA_SUCCESS;
  *value = 0;
  return llvm::is_contained(absent, attribute) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
