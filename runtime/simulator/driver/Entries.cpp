// The entry points. Each asks first whether a fault is to be injected, then whether the driver is ready for the call.
//
// Work is done when it is enqueued: streams are in order with each other, which the driver allows.

#include "runtime/simulator/driver/Errors.h"
#include "runtime/simulator/driver/Images.h"
#include "runtime/simulator/driver/State.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

using namespace dscc::sim;

#define DSCC_EXPORT extern "C" __attribute__((visibility("default")))

/// The head of every entry point.
#define DSCC_ENTER(needs)                                                                                              \
  std::lock_guard<std::mutex> guard(state().lock);                                                                     \
  if (CUresult injected = injectFault(__func__))                                                                       \
    return injected;                                                                                                   \
  if (CUresult unready = checkReady(Needs::needs))                                                                     \
  return unready

/// Refuses a call with arguments that make no sense.
#define DSCC_REQUIRE(condition, error)                                                                                 \
  if (!(condition))                                                                                                    \
  return error

static bool isStream(CUstream stream) {
  auto number = reinterpret_cast<uintptr_t>(stream);
  return number <= 2 || state().streams.count(stream); // 0, legacy and per-thread default
}

static char *toHost(CUdeviceptr address) { return reinterpret_cast<char *>(address); }

/// True if all of [address, address + bytes) is in one live allocation.
static bool isDeviceRange(CUdeviceptr address, size_t bytes) {
  if (!bytes)
    return true;
  auto found = dscc::sim::memory::find(toHost(address));
  return found && bytes <= found->second - size_t(toHost(address) - found->first);
}

//===-- the driver and its devices --------------------------------------------------------------------------------===//

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
  DSCC_REQUIRE(ordinal >= 0 && ordinal < state().numDevices, CUDA_ERROR_INVALID_DEVICE);
  *device = ordinal;
  return CUDA_SUCCESS;
}

static bool isDevice(CUdevice device) { return device >= 0 && device < state().numDevices; }

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
  *bytes = state().chip->memoryBytes;
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
      {MaxRegistersPerBlock, 65536}, {ClockRate, int(chip.clockHz / 1000)}, {MultiprocessorCount, chip.multiprocessors},
      {Integrated, 0}, {CanMapHostMemory, 1}, {ComputeMode, 0}, {ConcurrentKernels, 1}, {EccEnabled, 1}, {PciBusId, 1},
      {PciDeviceId, 0}, {MemoryClockRate, 1000000}, {GlobalMemoryBusWidth, int(chip.memoryBytesPerSecond * 8 / 2e9)},
      {L2CacheSize, 40 << 20}, {MaxThreadsPerMultiprocessor, chip.maxThreadsPerMultiprocessor}, {AsyncEngineCount, 2},
      {UnifiedAddressing, 1}, {PciDomainId, 0}, {ComputeCapabilityMajor, chip.major},
      {ComputeCapabilityMinor, chip.minor}, {MaxSharedMemoryPerMultiprocessor, int(chip.sharedPerMultiprocessor)},
      {MaxRegistersPerMultiprocessor, int(chip.registersPerMultiprocessor)}, {ManagedMemory, 0}, {CooperativeLaunch, 0},
      {MaxSharedMemoryPerBlockOptin, int(chip.sharedPerBlockOptin)}, {MemoryPoolsSupported, 0},
      {ClusterLaunch, chip.hasClusters}};
  for (auto [known, number] : values)
    if (known == attribute) {
      *value = number;
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_INVALID_VALUE;
}

//===-- contexts --------------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(context, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  ++state().primary.references;
  *context = &state().primary;
  return CUDA_SUCCESS;
}

/// The last release ends the context, and with it an error that has stuck to it.
DSCC_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  DSCC_REQUIRE(state().primary.references > 0, CUDA_ERROR_INVALID_CONTEXT);
  if (--state().primary.references == 0)
    state().sticky = CUDA_SUCCESS;
  return CUDA_SUCCESS;
}

static bool isContext(CUcontext context) { return context == &state().primary && state().primary.references > 0; }

DSCC_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isContext(context), CUDA_ERROR_INVALID_CONTEXT);
  currentContexts().push_back(context);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(!currentContexts().empty(), CUDA_ERROR_INVALID_CONTEXT);
  if (context)
    *context = currentContexts().back();
  currentContexts().pop_back();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(!context || isContext(context), CUDA_ERROR_INVALID_CONTEXT);
  if (!currentContexts().empty())
    currentContexts().pop_back();
  if (context)
    currentContexts().push_back(context);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxGetCurrent(CUcontext *context) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(context, CUDA_ERROR_INVALID_VALUE);
  *context = currentContexts().empty() ? nullptr : currentContexts().back();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxGetDevice(CUdevice *device) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(device, CUDA_ERROR_INVALID_VALUE);
  *device = 0;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxSynchronize() {
  DSCC_ENTER(Context);
  return CUDA_SUCCESS;
}

//===-- modules and functions -------------------------------------------------------------------------------------===//

static CUresult loadModule(CUmodule *module, const void *image) {
  DSCC_REQUIRE(module && image, CUDA_ERROR_INVALID_VALUE);
  std::string text;
  if (CUresult error = findPtx(image, text))
    return error;
  if (requiredDriver(text) > state().driverVersion) {
    log("the PTX of a module needs a driver of version " + std::to_string(requiredDriver(text)) + " or later");
    return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  }
  auto made = std::make_unique<CUmod_st>();
  std::string error;
  made->code = LoadedModule::load(text, *state().chip, error);
  if (!made->code) {
    log("a module cannot be loaded: " + error);
    return error.find("and the device is") != std::string::npos ? CUDA_ERROR_NO_BINARY_FOR_GPU : CUDA_ERROR_INVALID_PTX;
  }
  state().modules.insert(made.get());
  *module = made.release();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuModuleLoadData(CUmodule *module, const void *image) {
  DSCC_ENTER(Context);
  return loadModule(module, image);
}

DSCC_EXPORT CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, int *, void **) {
  DSCC_ENTER(Context);
  return loadModule(module, image);
}

DSCC_EXPORT CUresult cuModuleUnload(CUmodule module) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().modules.erase(module), CUDA_ERROR_INVALID_HANDLE);
  for (auto &[name, function] : module->functions)
    state().functions.erase(function.get());
  delete module;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(function && name, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().modules.count(module), CUDA_ERROR_INVALID_HANDLE);
  const Kernel *kernel = module->code->findKernel(name);
  DSCC_REQUIRE(kernel, CUDA_ERROR_NOT_FOUND);
  std::unique_ptr<CUfunc_st> &made = module->functions[name];
  if (!made)
    made = std::make_unique<CUfunc_st>(CUfunc_st{kernel, state().chip->sharedPerBlock});
  state().functions.insert(made.get());
  *function = made.get();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes, CUmodule module, const char *name) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(name, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().modules.count(module), CUDA_ERROR_INVALID_HANDLE);
  auto found = module->code->findGlobal(name);
  DSCC_REQUIRE(found, CUDA_ERROR_NOT_FOUND);
  if (address)
    *address = reinterpret_cast<CUdeviceptr>(found->first);
  if (bytes)
    *bytes = found->second;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().functions.count(function), CUDA_ERROR_INVALID_HANDLE);
  if (attribute == FunctionPreferredCarveout)
    return CUDA_SUCCESS;
  DSCC_REQUIRE(attribute == FunctionMaxDynamicSharedBytes && value >= 0, CUDA_ERROR_INVALID_VALUE);
  uint32_t declared = 0;
  for (const Kernel::SharedRange &range : function->kernel->sharedRanges)
    declared += range.bytes;
  DSCC_REQUIRE(uint32_t(value) + declared <= state().chip->sharedPerBlockOptin, CUDA_ERROR_INVALID_VALUE);
  function->maxDynamicShared = uint32_t(value);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().functions.count(function), CUDA_ERROR_INVALID_HANDLE);
  const Kernel &kernel = *function->kernel;
  int version = state().chip->major * 10 + state().chip->minor, declared = 0;
  for (const Kernel::SharedRange &range : kernel.sharedRanges)
    declared += int(range.bytes);
  const std::pair<int, int> values[] = {
      {FunctionMaxThreadsPerBlock, kernel.maxThreads ? int(kernel.maxThreads) : 1024},
      {FunctionSharedBytes, declared}, {FunctionConstBytes, 0}, {FunctionLocalBytes, int(kernel.localBytes)},
      {FunctionRegisters, int(kernel.registers)}, {FunctionPtxVersion, version}, {FunctionBinaryVersion, version},
      {FunctionCacheModeCa, 0}, {FunctionMaxDynamicSharedBytes, int(function->maxDynamicShared)},
      {FunctionPreferredCarveout, -1}};
  for (auto [known, number] : values)
    if (known == attribute) {
      *value = number;
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_INVALID_VALUE;
}

DSCC_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                    unsigned blockY, unsigned blockZ, unsigned sharedBytes, CUstream stream,
                                    void **arguments, void **extra) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(isStream(stream), CUDA_ERROR_INVALID_HANDLE);
  return launchKernel(function, {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, {1, 1, 1}, sharedBytes}, arguments, extra);
}

//===-- memory ----------------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(address && bytes, CUDA_ERROR_INVALID_VALUE);
  void *made = dscc::sim::memory::allocate(bytes);
  DSCC_REQUIRE(made, CUDA_ERROR_OUT_OF_MEMORY);
  *address = reinterpret_cast<CUdeviceptr>(made);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  DSCC_ENTER(Context);
  if (!address)
    return CUDA_SUCCESS;
  return dscc::sim::memory::release(toHost(address)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

DSCC_EXPORT CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes, CUstream) { return cuMemAlloc_v2(address, bytes); }
DSCC_EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream) { return cuMemFree_v2(address); }

DSCC_EXPORT CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(free && total, CUDA_ERROR_INVALID_VALUE);
  *total = state().chip->memoryBytes;
  *free = *total - std::min(*total, dscc::sim::memory::bytesInUse());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemAllocHost_v2(void **address, size_t bytes) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(address && bytes, CUDA_ERROR_INVALID_VALUE);
  void *made = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  DSCC_REQUIRE(made, CUDA_ERROR_OUT_OF_MEMORY);
  dscc::sim::memory::adopt(made, bytes, /*isWritten=*/true);
  state().hostAllocations.insert(made);
  *address = made;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemFreeHost(void *address) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().hostAllocations.erase(address), CUDA_ERROR_INVALID_VALUE);
  dscc::sim::memory::disown(address);
  std::free(address);
  return CUDA_SUCCESS;
}

static CUresult copy(void *to, const void *from, size_t bytes) {
  std::memmove(to, from, bytes);
  dscc::sim::memory::noteWritten(to, bytes);
  return CUDA_SUCCESS;
}

static CUresult copyIn(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  DSCC_REQUIRE(isStream(stream), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE((from || !bytes) && isDeviceRange(to, bytes), CUDA_ERROR_INVALID_VALUE);
  return bytes ? copy(toHost(to), from, bytes) : CUDA_SUCCESS;
}
static CUresult copyOut(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  DSCC_REQUIRE(isStream(stream), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE((to || !bytes) && isDeviceRange(from, bytes), CUDA_ERROR_INVALID_VALUE);
  return bytes ? copy(to, toHost(from), bytes) : CUDA_SUCCESS;
}
static CUresult copyWithin(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  DSCC_REQUIRE(isStream(stream), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(isDeviceRange(to, bytes) && isDeviceRange(from, bytes), CUDA_ERROR_INVALID_VALUE);
  return bytes ? copy(toHost(to), toHost(from), bytes) : CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  DSCC_ENTER(Context);
  return copyIn(to, from, bytes, nullptr);
}
DSCC_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  return copyIn(to, from, bytes, stream);
}
DSCC_EXPORT CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  DSCC_ENTER(Context);
  return copyOut(to, from, bytes, nullptr);
}
DSCC_EXPORT CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  return copyOut(to, from, bytes, stream);
}
DSCC_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  DSCC_ENTER(Context);
  return copyWithin(to, from, bytes, nullptr);
}
DSCC_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  DSCC_ENTER(Context);
  return copyWithin(to, from, bytes, stream);
}

template <typename T> static CUresult fill(CUdeviceptr to, T value, size_t count) {
  DSCC_REQUIRE(to % sizeof(T) == 0 && isDeviceRange(to, count * sizeof(T)), CUDA_ERROR_INVALID_VALUE);
  std::fill_n(reinterpret_cast<T *>(to), count, value);
  dscc::sim::memory::noteWritten(toHost(to), count * sizeof(T));
  return CUDA_SUCCESS;
}
DSCC_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  DSCC_ENTER(Context);
  return fill(to, value, count);
}
DSCC_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream) {
  DSCC_ENTER(Context);
  return fill(to, value, count);
}
DSCC_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  DSCC_ENTER(Context);
  return fill(to, value, count);
}
DSCC_EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream) {
  DSCC_ENTER(Context);
  return fill(to, value, count);
}

//===-- streams and events ----------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(stream && flags <= 1, CUDA_ERROR_INVALID_VALUE);
  *stream = new CUstream_st{flags};
  state().streams.insert(*stream);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().streams.erase(stream), CUDA_ERROR_INVALID_HANDLE);
  delete stream;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamSynchronize(CUstream stream) {
  DSCC_ENTER(Context);
  return isStream(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

DSCC_EXPORT CUresult cuStreamQuery(CUstream stream) {
  DSCC_ENTER(Context);
  return isStream(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

DSCC_EXPORT CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  DSCC_ENTER(Context);
  return isStream(stream) && state().events.count(event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

DSCC_EXPORT CUresult cuEventCreate(CUevent *event, unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(event && flags <= 7, CUDA_ERROR_INVALID_VALUE);
  *event = new CUevent_st{flags};
  state().events.insert(*event);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().events.erase(event), CUDA_ERROR_INVALID_HANDLE);
  delete event;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().events.count(event) && isStream(stream), CUDA_ERROR_INVALID_HANDLE);
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  event->recordedMs = std::chrono::duration<double, std::milli>(now).count();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuEventSynchronize(CUevent event) {
  DSCC_ENTER(Context);
  return state().events.count(event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

DSCC_EXPORT CUresult cuEventQuery(CUevent event) {
  DSCC_ENTER(Context);
  return state().events.count(event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

/// The time that the simulation took, which says nothing about a GPU.
DSCC_EXPORT CUresult cuEventElapsedTime(float *milliseconds, CUevent begin, CUevent end) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(milliseconds, CUDA_ERROR_INVALID_VALUE);
  bool areRecorded = state().events.count(begin) && state().events.count(end) && begin->recordedMs >= 0 && end->recordedMs >= 0;
  DSCC_REQUIRE(areRecorded && !(begin->flags & 2) && !(end->flags & 2), CUDA_ERROR_INVALID_HANDLE);
  *milliseconds = float(end->recordedMs - begin->recordedMs);
  return CUDA_SUCCESS;
}
