// Attributes of functions, and how many of their blocks fit on a multiprocessor.

#include "runtime/simulator/driver/Entry.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace dscc::sim;

//===-- attributes ------------------------------------------------------------------------------------------------===//

static CUresult setAttribute(CUfunc_st *function, int attribute, int value) {
  DSCC_REQUIRE(function, CUDA_ERROR_INVALID_HANDLE);
  switch (attribute) {
  case FunctionMaxDynamicSharedBytes:
    DSCC_REQUIRE(value >= 0 && uint32_t(value) + declaredShared(*function->kernel) <= state().chip->sharedPerBlockOptin,
                 CUDA_ERROR_INVALID_VALUE);
    function->maxDynamicShared = uint32_t(value);
    return CUDA_SUCCESS;
  case FunctionPreferredCarveout:
    DSCC_REQUIRE(value >= -1 && value <= 100, CUDA_ERROR_INVALID_VALUE); // percent
    function->carveout = value;
    return CUDA_SUCCESS;
  case FunctionNonPortableClusterSizeAllowed:
    DSCC_REQUIRE(value == 0 || value == 1, CUDA_ERROR_INVALID_VALUE);
    function->allowsLargeClusters = value;
    return CUDA_SUCCESS;
  case FunctionClusterSchedulingPolicy:
    DSCC_REQUIRE(value >= 0 && value <= 2, CUDA_ERROR_INVALID_VALUE);
    function->clusterPolicy = value;
    return CUDA_SUCCESS;
  default: // the others are facts about the code
    return CUDA_ERROR_INVALID_VALUE;
  }
}

static CUresult getAttribute(int *value, int attribute, const CUfunc_st *function) {
  DSCC_REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(function, CUDA_ERROR_INVALID_HANDLE);
  const Kernel &kernel = *function->kernel;
  int version = state().chip->major * 10 + state().chip->minor;
  const std::pair<int, int> values[] = {
      {FunctionMaxThreadsPerBlock, kernel.maxThreads ? int(kernel.maxThreads) : 1024},
      {FunctionSharedBytes, int(declaredShared(kernel))}, {FunctionConstBytes, 0},
      {FunctionLocalBytes, int(kernel.localBytes)}, {FunctionRegisters, int(kernel.registers)},
      {FunctionPtxVersion, version}, {FunctionBinaryVersion, version}, {FunctionCacheModeCa, 0},
      {FunctionMaxDynamicSharedBytes, int(function->maxDynamicShared)}, {FunctionPreferredCarveout, function->carveout},
      {FunctionClusterSizeMustBeSet, int(kernel.needsCluster)}, {FunctionRequiredClusterWidth, int(kernel.cluster[0])},
      {FunctionRequiredClusterHeight, int(kernel.cluster[1])}, {FunctionRequiredClusterDepth, int(kernel.cluster[2])},
      {FunctionNonPortableClusterSizeAllowed, function->allowsLargeClusters},
      {FunctionClusterSchedulingPolicy, function->clusterPolicy}};
  for (auto [known, number] : values)
    if (known == attribute) {
      *value = number;
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_INVALID_VALUE;
}

DSCC_EXPORT CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  DSCC_ENTER(Context);
  return setAttribute(findFunction(function), attribute, value);
}

DSCC_EXPORT CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function) {
  DSCC_ENTER(Context);
  return getAttribute(value, attribute, findFunction(function));
}

DSCC_EXPORT CUresult cuKernelSetAttribute(int attribute, int value, CUkernel kernel, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  return setAttribute(state().kernels.has(kernel) ? kernel->function : nullptr, attribute, value);
}

DSCC_EXPORT CUresult cuKernelGetAttribute(int *value, int attribute, CUkernel kernel, CUdevice device) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isDevice(device), CUDA_ERROR_INVALID_DEVICE);
  return getAttribute(value, attribute, state().kernels.has(kernel) ? kernel->function : nullptr);
}

/// Caches are not modelled.
DSCC_EXPORT CUresult cuFuncSetCacheConfig(CUfunction function, int config) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(findFunction(function), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(config >= 0 && config <= 3, CUDA_ERROR_INVALID_VALUE);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuFuncGetModule(CUmodule *module, CUfunction function) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(module, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = findFunction(function);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_HANDLE);
  *module = found->module;
  return CUDA_SUCCESS;
}

static CUresult getName(const char **name, const CUfunc_st *function) {
  DSCC_REQUIRE(name, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(function, CUDA_ERROR_INVALID_HANDLE);
  *name = function->kernel->name.c_str();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuFuncGetName(const char **name, CUfunction function) {
  DSCC_ENTER(Context);
  return getName(name, findFunction(function));
}

DSCC_EXPORT CUresult cuKernelGetName(const char **name, CUkernel kernel) {
  DSCC_ENTER(Driver);
  return getName(name, state().kernels.has(kernel) ? kernel->function : nullptr);
}

//===-- occupancy -------------------------------------------------------------------------------------------------===//

// What the hardware gives out at a time: registers to a warp, bytes of shared memory to a block. CUDA's occupancy
// calculator, compute capability 8.0 to 9.0.
static constexpr uint32_t registerUnit = 256, sharedUnit = 128, warpThreads = 32;

/// 0 if not even one fits.
static int countBlocks(const CUfunc_st &function, int threads, size_t dynamicShared) {
  const Chip &chip = *state().chip;
  const Kernel &kernel = *function.kernel;
  size_t shared = declaredShared(kernel) + dynamicShared;
  if (threads > (kernel.maxThreads ? int(kernel.maxThreads) : 1024) || dynamicShared > function.maxDynamicShared ||
      shared > chip.sharedPerBlockOptin)
    return 0;
  uint64_t warps = llvm::divideCeil(uint64_t(threads), warpThreads);
  uint64_t registers = warps * llvm::alignTo(uint64_t(kernel.registers) * warpThreads, registerUnit);
  uint64_t byThreads = uint64_t(chip.maxThreadsPerMultiprocessor) / (warps * warpThreads);
  uint64_t byRegisters = registers ? chip.registersPerMultiprocessor / registers : UINT64_MAX;
  uint64_t byShared = chip.sharedPerMultiprocessor / llvm::alignTo(shared + reservedShared, sharedUnit);
  return int(std::min({byThreads, byRegisters, byShared, uint64_t(chip.maxBlocksPerMultiprocessor)}));
}

static CUresult occupancy(int *numBlocks, CUfunction function, int threads, size_t dynamicShared, unsigned flags) {
  DSCC_REQUIRE(numBlocks && threads > 0 && flags <= 1, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = findFunction(function);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_HANDLE);
  *numBlocks = countBlocks(*found, threads, dynamicShared);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *numBlocks, CUfunction function, int threads,
                                                                 size_t dynamicShared) {
  DSCC_ENTER(Context);
  return occupancy(numBlocks, function, threads, dynamicShared, 0);
}

DSCC_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *numBlocks, CUfunction function,
                                                                          int threads, size_t dynamicShared,
                                                                          unsigned flags) {
  DSCC_ENTER(Context);
  return occupancy(numBlocks, function, threads, dynamicShared, flags);
}

/// The largest block with which most threads are active, and the blocks that fill the chip.
static CUresult potentialBlockSize(int *minGrid, int *block, CUfunction function, CUoccupancyB2DSize sharedOf,
                                   size_t dynamicShared, int limit, unsigned flags) {
  DSCC_REQUIRE(minGrid && block && limit >= 0 && flags <= 1, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = findFunction(function);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_HANDLE);
  int most = found->kernel->maxThreads ? int(found->kernel->maxThreads) : 1024;
  most = limit ? std::min(most, limit) : most;
  int bestActive = 0;
  for (int threads = most; threads > 0; threads = (threads - 1) / int(warpThreads) * int(warpThreads)) {
    int blocks = countBlocks(*found, threads, sharedOf ? sharedOf(threads) : dynamicShared);
    if (blocks * threads <= bestActive)
      continue;
    bestActive = blocks * threads;
    *block = threads;
    *minGrid = blocks * state().chip->multiprocessors;
  }
  return bestActive ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

DSCC_EXPORT CUresult cuOccupancyMaxPotentialBlockSize(int *minGrid, int *block, CUfunction function,
                                                      CUoccupancyB2DSize sharedOf, size_t dynamicShared, int limit) {
  DSCC_ENTER(Context);
  return potentialBlockSize(minGrid, block, function, sharedOf, dynamicShared, limit, 0);
}

DSCC_EXPORT CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(int *minGrid, int *block, CUfunction function,
                                                               CUoccupancyB2DSize sharedOf, size_t dynamicShared,
                                                               int limit, unsigned flags) {
  DSCC_ENTER(Context);
  return potentialBlockSize(minGrid, block, function, sharedOf, dynamicShared, limit, flags);
}
