// Contexts: the device's primary one, and those that a program makes. They share the device's memory and handles, which
// go when the last context does.

#include "tools/simulator/driver/Entry.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace dscc::sim;

static constexpr unsigned knownFlags = 0xff, schedulingFlags = 7; // CU_CTX_FLAGS_MASK, CU_CTX_SCHED_MASK

/// A context waits in one way.
static bool areFlagsValid(unsigned flags) {
  unsigned scheduling = flags & schedulingFlags;
  return !(flags & ~knownFlags) && !(scheduling & (scheduling - 1));
}

/// Null: the current one. Null too if it is not alive.
static CUcontext findContext(CUcontext context) {
  if (!context && !currentContexts().empty())
    context = currentContexts().back();
  return isContext(context) ? context : nullptr;
}

static uint64_t numberOf(CUctx_st &context) {
  static uint64_t numContexts = 0;
  if (!context.number)
    context.number = ++numContexts;
  return context.number;
}
static constexpr unsigned apiVersion = 3020;

static void endIfLast() {
  if (state().primary.references == 0 && state().contexts.begin() == state().contexts.end())
    endContexts();
}

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
  --state().primary.references;
  endIfLast();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *isActive) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(flags && isActive, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  *flags = state().primary.flags;
  *isActive = state().primary.references > 0;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(areFlagsValid(flags), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  state().primary.flags = flags;
  return CUDA_SUCCESS;
}

/// Who has retained the context still holds it, but nothing is left in it. What it shares with others stays for them.
DSCC_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  if (state().contexts.begin() == state().contexts.end())
    endContexts();
  else
    finishAll();
  return CUDA_SUCCESS;
}

static CUresult createContext(CUcontext *context, unsigned flags, CUdevice device) {
  DSCC_REQUIRE(context && areFlagsValid(flags), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  auto made = std::make_unique<CUctx_st>();
  made->flags = flags;
  *context = state().contexts.add(std::move(made));
  currentContexts().push_back(*context);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device) {
  DSCC_ENTER(Driver);
  return createContext(context, flags, device);
}

/// `parameters` would limit the context to some multiprocessors.
DSCC_EXPORT CUresult cuCtxCreate_v3(CUcontext *context, const void *parameters, int count, unsigned flags,
                                    CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(!parameters && !count, CUDA_ERROR_NOT_SUPPORTED);
  return createContext(context, flags, device);
}

/// `parameters` would do that, or share the context with graphics: one of the two.
DSCC_EXPORT CUresult cuCtxCreate_v4(CUcontext *context, const CUctxCreateParams *parameters, unsigned flags,
                                    CUdevice device) {
  DSCC_ENTER(Driver);
  if (parameters)
    return !parameters->affinity == !parameters->graphics ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_NOT_SUPPORTED;
  return createContext(context, flags, device);
}

DSCC_EXPORT CUresult cuCtxDestroy_v2(CUcontext context) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().contexts.has(context), CUDA_ERROR_INVALID_CONTEXT);
  finishAll();
  state().contexts.take(context);
  if (!currentContexts().empty() && currentContexts().back() == context)
    currentContexts().pop_back();
  endIfLast();
  return CUDA_SUCCESS;
}

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

DSCC_EXPORT CUresult cuCtxGetDevice_v2(CUdevice *device, CUcontext context) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(device, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(findContext(context), CUDA_ERROR_INVALID_CONTEXT);
  *device = 0;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxGetId(CUcontext context, unsigned long long *id) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(id, CUDA_ERROR_INVALID_VALUE);
  CUcontext found = findContext(context);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_CONTEXT);
  *id = numberOf(*found);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxGetFlags(unsigned *flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(flags, CUDA_ERROR_INVALID_VALUE);
  *flags = currentContexts().back()->flags;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxSetFlags(unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(areFlagsValid(flags), CUDA_ERROR_INVALID_VALUE);
  currentContexts().back()->flags = flags;
  return CUDA_SUCCESS;
}

/// Of functions that have no preference of their own.
DSCC_EXPORT CUresult cuCtxSetCacheConfig(int config) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(config >= 0 && config <= 3, CUDA_ERROR_INVALID_VALUE);
  currentContexts().back()->cacheConfig = config;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxGetCacheConfig(int *config) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(config, CUDA_ERROR_INVALID_VALUE);
  *config = currentContexts().back()->cacheConfig;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxGetApiVersion(CUcontext context, unsigned *version) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(version, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(context ? isContext(context) : !currentContexts().empty(), CUDA_ERROR_INVALID_CONTEXT);
  *version = apiVersion;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuCtxSynchronize() {
  DSCC_ENTER(Context);
  DSCC_TRY(checkContextWait());
  finishAll();
  return state().sticky;
}

DSCC_EXPORT CUresult cuCtxSynchronize_v2(CUcontext context) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(findContext(context), CUDA_ERROR_INVALID_CONTEXT);
  DSCC_TRY(state().sticky);
  DSCC_TRY(checkContextWait());
  finishAll();
  return state().sticky;
}

/// Behind all work of the context, which is done as soon as somebody needs the event. Here it is done now.
DSCC_EXPORT CUresult cuCtxRecordEvent(CUcontext context, CUevent event) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(isContext(context), CUDA_ERROR_INVALID_CONTEXT);
  DSCC_REQUIRE(state().events.has(event), CUDA_ERROR_INVALID_HANDLE);
  DSCC_TRY(checkContextWait());
  finishAll();
  event->capture = nullptr;
  event->captureEnds.clear();
  event->record = enqueue(state().legacyStream, Nothing());
  return state().sticky;
}

/// Work that is enqueued later finds what the event stands for done.
DSCC_EXPORT CUresult cuCtxWaitEvent(CUcontext context, CUevent event) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(isContext(context), CUDA_ERROR_INVALID_CONTEXT);
  DSCC_REQUIRE(state().events.has(event), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(!event->capture, CUDA_ERROR_CAPTURED_EVENT);
  DSCC_TRY(checkContextWait());
  finish(event->record);
  return state().sticky;
}

/// There is nothing to profile.
DSCC_EXPORT CUresult cuProfilerStart() {
  DSCC_ENTER(Context);
  return CUDA_SUCCESS;
}
DSCC_EXPORT CUresult cuProfilerStop() {
  DSCC_ENTER(Context);
  return CUDA_SUCCESS;
}

/// Least and greatest: a lower number is a higher priority.
DSCC_EXPORT CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  DSCC_ENTER(Context);
  if (least)
    *least = leastPriority;
  if (greatest)
    *greatest = greatestPriority;
  return CUDA_SUCCESS;
}

//===-- limits ----------------------------------------------------------------------------------------------------===//

namespace {
struct Limit {
  int id; // CUlimit
  size_t initial, greatest;
  size_t unit = 1;                  // it is rounded up to a multiple
  bool isRefusedIfTooLarge = false; // or it becomes the greatest
  int firstMajorWithout = INT32_MAX;
};
} // namespace

static constexpr Limit limits[] = {
    {0, 1024, 512 << 10, 16},                       // bytes of a thread's stack
    {1, 1 << 20, SIZE_MAX},                         // bytes of printf's buffer
    {2, 8 << 20, SIZE_MAX},                         // bytes of the kernels' heap
    {3, 2, 24, 1, /*isRefusedIfTooLarge=*/true, 9}, // depth of waiting launches of kernels
    {4, 2048, SIZE_MAX},                            // pending launches of kernels
    {5, 64, 128},                                   // bytes that L2 fetches
    {6, 0, 0},                                      // bytes of L2 that stay
};

static const Limit *findLimit(int id) {
  auto found = llvm::find_if(
      limits, [&](const Limit &limit) { return limit.id == id && state().chip->major < limit.firstMajorWithout; });
  return found == std::end(limits) ? nullptr : found;
}

DSCC_EXPORT CUresult cuCtxGetLimit(size_t *value, int id) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  const Limit *limit = findLimit(id);
  DSCC_REQUIRE(limit, CUDA_ERROR_UNSUPPORTED_LIMIT);
  const std::map<int, size_t> &given = currentContexts().back()->limits;
  auto found = given.find(id);
  *value = found == given.end() ? limit->initial : found->second;
  return CUDA_SUCCESS;
}

/// Kept and told, without effect: stacks grow with what a kernel declares.
DSCC_EXPORT CUresult cuCtxSetLimit(int id, size_t value) {
  DSCC_ENTER(Context);
  const Limit *limit = findLimit(id);
  DSCC_REQUIRE(limit, CUDA_ERROR_UNSUPPORTED_LIMIT);
  DSCC_REQUIRE(!limit->isRefusedIfTooLarge || value <= limit->greatest, CUDA_ERROR_INVALID_VALUE);
  size_t least = std::min(value, limit->greatest);
  currentContexts().back()->limits[id] = limit->unit > 1 ? llvm::alignTo(least, limit->unit) : least;
  return CUDA_SUCCESS;
}
