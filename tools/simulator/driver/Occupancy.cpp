// How many blocks of a function a multiprocessor holds at a time.
//
// The rules of CUDA's occupancy calculator for compute capability 8.0 to 9.0, with which the tests compare it.

#include "tools/simulator/driver/Entry.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace dscc::sim;

// What the hardware gives out at a time: registers to a warp, bytes of shared memory to a block. Each of the four
// schedulers has registers of its own.
static constexpr uint32_t registerUnit = 256, sharedUnit = 128, numSchedulers = 4;
static constexpr int warpThreads = 32;

static int mostThreads(const CUfunc_st &function) {
  return function.kernel->maxThreads ? int(function.kernel->maxThreads) : 1024;
}

static uint64_t countByRegisters(const CUfunc_st &function, uint64_t warps) {
  uint32_t all = state().chip->registersPerMultiprocessor;
  uint64_t ofWarp = llvm::alignTo(uint64_t(function.kernel->registers) * warpThreads, registerUnit);
  if (!ofWarp)
    return UINT64_MAX;
  if (llvm::alignTo(warps, numSchedulers) * ofWarp > all)
    return 0;
  return all / numSchedulers / ofWarp * numSchedulers / warps;
}

/// The least share of a multiprocessor's memory that it can set aside as shared and that has these bytes.
static uint64_t roundToShare(uint64_t bytes) {
  const Chip &chip = *state().chip;
  auto *found = std::find_if(std::begin(chip.sharedSharesKiB), std::end(chip.sharedSharesKiB),
                             [&](uint32_t share) { return share * uint64_t(1024) >= bytes; });
  return found == std::end(chip.sharedSharesKiB) ? chip.sharedPerMultiprocessor : *found * uint64_t(1024);
}

/// The share that the program prefers, in bytes. A carveout goes before a cache configuration, the function's
/// before the context's.
static uint64_t preferredShare(const CUfunc_st &function) {
  static constexpr int percents[] = {-1, 100, 0, 50}; // CUfunc_cache: none, shared, L1, equal
  int carveout = settingOf(function, FunctionPreferredCarveout);
  int config = settingOf(function, FunctionCacheConfig);
  if (!config)
    config = currentContexts().back()->cacheConfig;
  int percent = carveout >= 0 ? carveout : percents[config];
  uint64_t all = state().chip->sharedPerMultiprocessor;
  return roundToShare(percent < 0 ? all : all * uint64_t(percent) / 100);
}

static uint64_t countByShared(const CUfunc_st &function, size_t dynamicShared) {
  const Chip &chip = *state().chip;
  auto mostDynamic = uint64_t(settingOf(function, FunctionMaxDynamicSharedBytes));
  if (dynamicShared > mostDynamic)
    return 0;
  uint64_t declared = declaredShared(*function.kernel);
  uint64_t needed = llvm::alignTo(declared + dynamicShared + reservedShared, sharedUnit);
  bool hasAsked = declared + reservedShared + mostDynamic > chip.sharedPerBlock;
  if (needed > (hasAsked ? chip.sharedPerBlockOptin : chip.sharedPerBlock) + reservedShared)
    return 0;
  return std::max(preferredShare(function), roundToShare(needed)) / needed;
}

/// 0 if not even one fits.
static int countBlocks(const CUfunc_st &function, int threads, size_t dynamicShared) {
  const Chip &chip = *state().chip;
  if (threads > mostThreads(function))
    return 0;
  uint64_t warps = llvm::divideCeil(uint64_t(threads), warpThreads);
  uint64_t byThreads = uint64_t(chip.maxThreadsPerMultiprocessor) / (warps * warpThreads);
  return int(std::min({byThreads, countByRegisters(function, warps), countByShared(function, dynamicShared),
                       uint64_t(chip.maxBlocksPerMultiprocessor)}));
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
  int most = limit ? std::min(mostThreads(*found), limit) : mostThreads(*found);
  std::vector<std::pair<int, size_t>> candidates;
  for (int threads = most; threads > 0; threads = (threads - 1) / warpThreads * warpThreads)
    candidates.push_back({threads, dynamicShared});
  if (sharedOf) {
    // The program's function may call the driver itself, and even unload the kernel.
    state().lock.unlock();
    for (auto &[threads, shared] : candidates)
      shared = sharedOf(threads);
    state().lock.lock();
    found = findFunction(function);
    DSCC_REQUIRE(found, CUDA_ERROR_INVALID_HANDLE);
  }
  int bestActive = 0;
  for (auto [threads, shared] : candidates) {
    int blocks = countBlocks(*found, threads, shared);
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

/// The most with which so many blocks fit: fewer fit with more.
DSCC_EXPORT CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t *dynamicShared, CUfunction function, int numBlocks,
                                                             int threads) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(dynamicShared && numBlocks > 0 && threads > 0, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = findFunction(function);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(countBlocks(*found, threads, 0) >= numBlocks, CUDA_ERROR_INVALID_VALUE);
  size_t fits = 0, tooMany = size_t(settingOf(*found, FunctionMaxDynamicSharedBytes)) + 1;
  while (tooMany - fits > 1) {
    size_t middle = (fits + tooMany) / 2;
    (countBlocks(*found, threads, middle) >= numBlocks ? fits : tooMany) = middle;
  }
  *dynamicShared = fits;
  return CUDA_SUCCESS;
}

//===-- clusters --------------------------------------------------------------------------------------------------===//

static uint64_t volume(const uint32_t *dims) { return uint64_t(dims[0]) * dims[1] * dims[2]; }

/// Blocks that fit on a multiprocessor with the launch's block and shared memory.
static CUresult countBlocks(const CUlaunchConfig *config, CUfunction function, CUfunc_st *&found, int &blocks) {
  DSCC_REQUIRE(config && (config->attributes || !config->numAttributes), CUDA_ERROR_INVALID_VALUE);
  found = findFunction(function);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(state().chip->hasClusters, CUDA_ERROR_NOT_SUPPORTED);
  uint64_t threads = volume(config->block);
  DSCC_REQUIRE(threads && threads <= INT32_MAX, CUDA_ERROR_INVALID_VALUE);
  blocks = countBlocks(*found, int(threads), config->sharedBytes);
  return CUDA_SUCCESS;
}

/// How multiprocessors are grouped, which differs between devices of one kind, is not modelled: as if any could share a
/// cluster.
DSCC_EXPORT CUresult cuOccupancyMaxActiveClusters(int *numClusters, CUfunction function, const CUlaunchConfig *config) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(numClusters, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = nullptr;
  int blocks = 0;
  DSCC_TRY(countBlocks(config, function, found, blocks));
  std::array<uint32_t, 3> required = requiredCluster(*found);
  uint64_t ofCluster = volume(required.data());
  static constexpr int clusterDimension = 4; // CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
  for (unsigned i = 0; i < config->numAttributes; ++i)
    if (config->attributes[i].id == clusterDimension) {
      const unsigned *dims = config->attributes[i].value.dims;
      DSCC_REQUIRE(!ofCluster || std::equal(required.begin(), required.end(), dims), CUDA_ERROR_INVALID_CLUSTER_SIZE);
      ofCluster = volume(dims);
    }
  DSCC_REQUIRE(ofCluster && ofCluster <= largestCluster(*found), CUDA_ERROR_INVALID_CLUSTER_SIZE);
  *numClusters = int(uint64_t(blocks) * uint64_t(state().chip->multiprocessors) / ofCluster);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuOccupancyMaxPotentialClusterSize(int *clusterSize, CUfunction function,
                                                        const CUlaunchConfig *config) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(clusterSize, CUDA_ERROR_INVALID_VALUE);
  CUfunc_st *found = nullptr;
  int blocks = 0;
  DSCC_TRY(countBlocks(config, function, found, blocks));
  uint64_t required = volume(requiredCluster(*found).data());
  *clusterSize = blocks ? int(required ? required : largestCluster(*found)) : 0;
  return CUDA_SUCCESS;
}
