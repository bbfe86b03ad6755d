// Contexts: the device's primary one, and those that a program makes. They share the device's memory and handles, which
// go when the last context does.

#include "runtime/simulator/driver/Entry.h"

#include "llvm/ADT/STLExtras.h"

using namespace dscc::sim;

static constexpr unsigned knownFlags = 0xff; // CU_CTX_FLAGS_MASK
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
  DSCC_REQUIRE(!(flags & ~knownFlags), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  state().primary.flags = flags;
  return CUDA_SUCCESS;
}

/// Who has retained the context still holds it, but nothing is left in it.
DSCC_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  endContexts();
  return CUDA_SUCCESS;
}

static CUresult createContext(CUcontext *context, unsigned flags, CUdevice device) {
  DSCC_REQUIRE(context && !(flags & ~knownFlags), CUDA_ERROR_INVALID_VALUE);
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

/// `parameters` would do that, or share the context with graphics.
DSCC_EXPORT CUresult cuCtxCreate_v4(CUcontext *context, const void *parameters, unsigned flags, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(!parameters, CUDA_ERROR_NOT_SUPPORTED);
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

DSCC_EXPORT CUresult cuCtxGetFlags(unsigned *flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(flags, CUDA_ERROR_INVALID_VALUE);
  *flags = currentContexts().back()->flags;
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

/// Least and greatest: a lower number is a higher priority.
DSCC_EXPORT CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  DSCC_ENTER(Context);
  if (least)
    *least = leastPriority;
  if (greatest)
    *greatest = greatestPriority;
  return CUDA_SUCCESS;
}

namespace {
struct Limit {
  int id; // CUlimit
  size_t initial;
};
} // namespace

// In bytes; those of device-side launches, which no chip here has, are missing.
static constexpr Limit limits[] = {{0, 1024}, {1, 1 << 20}, {2, 8 << 20}, {5, 64}, {6, 0}};

static const Limit *findLimit(int id) {
  auto found = llvm::find_if(limits, [&](const Limit &limit) { return limit.id == id; });
  return found == std::end(limits) ? nullptr : found;
}

DSCC_EXPORT CUresult cuCtxGetLimit(size_t *value, int id) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  const Limit *limit = findLimit(id);
  DSCC_REQUIRE(limit, CUDA_ERROR_UNSUPPORTED_LIMIT);
  *value = state().limits[id] ? state().limits[id] : limit->initial;
  return CUDA_SUCCESS;
}

/// Kept and told, without effect: stacks grow with what a kernel declares.
DSCC_EXPORT CUresult cuCtxSetLimit(int id, size_t value) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(findLimit(id), CUDA_ERROR_UNSUPPORTED_LIMIT);
  state().limits[id] = value;
  return CUDA_SUCCESS;
}
