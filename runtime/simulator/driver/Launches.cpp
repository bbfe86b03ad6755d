// Launches of kernels and of host functions.

#include "runtime/simulator/driver/Entry.h"

#include <algorithm>
#include <cstring>

using namespace dscc::sim;

//===-- the shape -------------------------------------------------------------------------------------------------===//

/// Blocks of a cluster that every chip with clusters can run, and those that some kernels may ask for.
static constexpr uint64_t portableClusterBlocks = 8, largestClusterBlocks = 16;

/// `asked` is what the launch says of clusters, or null; the kernel may say something too.
static CUresult resolveCluster(const CUfunc_st &function, const uint32_t *asked, LaunchShape &shape) {
  const uint32_t *declared = function.kernel->cluster[0] ? function.kernel->cluster : nullptr;
  const uint32_t *wanted = asked ? asked : declared;
  if (!wanted)
    return function.kernel->needsCluster ? CUDA_ERROR_INVALID_CLUSTER_SIZE : CUDA_SUCCESS;
  shape.isExplicitCluster = true;
  uint64_t blocks = 1;
  for (int axis = 0; axis < 3; ++axis) {
    DSCC_REQUIRE(wanted[axis], CUDA_ERROR_INVALID_VALUE);
    DSCC_REQUIRE(!declared || declared[axis] == wanted[axis], CUDA_ERROR_INVALID_CLUSTER_SIZE);
    DSCC_REQUIRE(shape.grid[axis] % wanted[axis] == 0, CUDA_ERROR_INVALID_CLUSTER_SIZE);
    blocks *= wanted[axis];
    shape.cluster[axis] = wanted[axis];
  }
  DSCC_REQUIRE(blocks == 1 || state().chip->hasClusters, CUDA_ERROR_NOT_SUPPORTED);
  DSCC_REQUIRE(blocks <= (function.allowsLargeClusters ? largestClusterBlocks : portableClusterBlocks),
               CUDA_ERROR_INVALID_CLUSTER_SIZE);
  uint32_t most = function.kernel->maxClusterBlocks;
  DSCC_REQUIRE(!most || blocks <= most, CUDA_ERROR_INVALID_CLUSTER_SIZE);
  return CUDA_SUCCESS;
}

static CUresult checkShape(const CUfunc_st &function, const LaunchShape &shape) {
  const Kernel &kernel = *function.kernel;
  static constexpr uint32_t maxGrid[3] = {2147483647u, 65535, 65535}, maxBlock[3] = {1024, 1024, 64};
  uint64_t threads = 1;
  for (int axis = 0; axis < 3; ++axis) {
    DSCC_REQUIRE(shape.grid[axis] && shape.grid[axis] <= maxGrid[axis], CUDA_ERROR_INVALID_VALUE);
    DSCC_REQUIRE(shape.block[axis] && shape.block[axis] <= maxBlock[axis], CUDA_ERROR_INVALID_VALUE);
    DSCC_REQUIRE(!kernel.requiredBlock[axis] || shape.block[axis] == kernel.requiredBlock[axis],
                 CUDA_ERROR_INVALID_VALUE);
    threads *= shape.block[axis];
  }
  DSCC_REQUIRE(threads <= 1024, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!kernel.maxThreads || threads <= kernel.maxThreads, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  const Chip &chip = *state().chip;
  uint32_t declared = declaredShared(kernel);
  bool isSharedOk = declared <= chip.sharedPerBlock && shape.dynamicShared <= function.maxDynamicShared &&
                    declared + shape.dynamicShared <= chip.sharedPerBlockOptin;
  return isSharedOk ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

namespace dscc::sim {
bool isAlive(const KernelCall &call) {
  return state().functions.count(call.function) && call.function->number == call.number;
}

CUresult makeKernelCall(CUfunction handle, LaunchShape shape, const uint32_t *cluster, void **arguments, void **extra,
                        KernelCall &call) {
  CUfunc_st *function = findFunction(handle);
  DSCC_REQUIRE(function, CUDA_ERROR_INVALID_HANDLE);
  const std::vector<uint32_t> &parameters = function->kernel->parameterBytes;
  // A buffer of all arguments would need the alignment of each, which is not kept.
  DSCC_REQUIRE(!extra || !extra[0], CUDA_ERROR_NOT_SUPPORTED);
  DSCC_REQUIRE(arguments || parameters.empty(), CUDA_ERROR_INVALID_VALUE);
  for (int axis = 0; function->kernel->countsClusters && axis < 3; ++axis)
    shape.grid[axis] =
        uint32_t(std::min<uint64_t>(uint64_t(shape.grid[axis]) * function->kernel->cluster[axis], UINT32_MAX));
  DSCC_TRY(checkShape(*function, shape));
  DSCC_TRY(resolveCluster(*function, cluster, shape));
  call = {function, function->number, shape, {}};
  for (size_t i = 0; i < parameters.size(); ++i) {
    DSCC_REQUIRE(arguments[i], CUDA_ERROR_INVALID_VALUE);
    call.arguments.emplace_back(parameters[i] / sizeof(KernelCall::Chunk) + 1);
    std::memcpy(call.arguments.back().data(), arguments[i], parameters[i]);
  }
  return CUDA_SUCCESS;
}
} // namespace dscc::sim

//===-- attributes of a launch ------------------------------------------------------------------------------------===//

namespace {
/// What a launch may say about itself, by CUlaunchAttributeID.
struct Attribute {
  enum Meaning { Ignored, Cluster, Switch, Refused, RefusedIfSet };
  int id;
  Meaning meaning;
};
} // namespace

static constexpr Attribute attributes[] = {
    {0, Attribute::Ignored},      // no attribute
    {1, Attribute::Ignored},      // access policy window
    {2, Attribute::RefusedIfSet}, // cooperative: all blocks at the same time
    {3, Attribute::Ignored},      // synchronization policy
    {4, Attribute::Cluster},      // cluster dimension
    {5, Attribute::Ignored},      // cluster scheduling policy
    {6, Attribute::Switch},       // programmatic stream serialization: it may overlap, and here it does not
    {7, Attribute::Refused},      // programmatic event
    {8, Attribute::Ignored},      // priority
    {9, Attribute::Ignored},      // memory synchronization domain map
    {10, Attribute::Ignored},     // memory synchronization domain
    {11, Attribute::Refused},     // preferred cluster dimension, of later chips
    {12, Attribute::Refused},     // launch completion event
    {13, Attribute::RefusedIfSet}, // a node that the device updates
    {14, Attribute::Ignored},     // shared memory carveout
};

static CUresult readAttribute(const CUlaunchAttribute &given, const uint32_t *&cluster) {
  for (const Attribute &known : attributes) {
    if (known.id != given.id)
      continue;
    switch (known.meaning) {
    case Attribute::Ignored:
      return CUDA_SUCCESS;
    case Attribute::Cluster:
      cluster = given.value.dims;
      return CUDA_SUCCESS;
    case Attribute::Switch:
      return given.value.number == 0 || given.value.number == 1 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    case Attribute::Refused:
      return CUDA_ERROR_NOT_SUPPORTED;
    case Attribute::RefusedIfSet:
      return given.value.number ? CUDA_ERROR_NOT_SUPPORTED : CUDA_SUCCESS;
    }
  }
  return CUDA_ERROR_INVALID_VALUE;
}

//===-- entry points ----------------------------------------------------------------------------------------------===//

DSCC_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ,
                                    unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                                    CUstream stream, void **arguments, void **extra) {
  DSCC_ENTER(Context);
  LaunchShape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, {1, 1, 1}, sharedBytes};
  KernelCall call;
  DSCC_REQUIRE(findStream(stream), CUDA_ERROR_INVALID_HANDLE);
  DSCC_TRY(makeKernelCall(function, shape, nullptr, arguments, extra, call));
  return submit(stream, std::move(call));
}

DSCC_EXPORT CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **arguments,
                                      void **extra) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(config && (config->attributes || !config->numAttributes), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(findStream(config->stream), CUDA_ERROR_INVALID_HANDLE);
  const uint32_t *cluster = nullptr;
  for (unsigned i = 0; i < config->numAttributes; ++i)
    DSCC_TRY(readAttribute(config->attributes[i], cluster));
  LaunchShape shape;
  std::memcpy(shape.grid, config->grid, sizeof(shape.grid));
  std::memcpy(shape.block, config->block, sizeof(shape.block));
  shape.dynamicShared = config->sharedBytes;
  KernelCall call;
  DSCC_TRY(makeKernelCall(function, shape, cluster, arguments, extra, call));
  return submit(config->stream, std::move(call));
}

/// Blocks of a launch do not all run at the same time here.
DSCC_EXPORT CUresult cuLaunchCooperativeKernel(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                                               unsigned, CUstream, void **) {
  DSCC_ENTER(Context);
  return CUDA_ERROR_NOT_SUPPORTED;
}

DSCC_EXPORT CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void *data) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(function, CUDA_ERROR_INVALID_VALUE);
  return submit(stream, HostCall{function, data});
}

DSCC_EXPORT CUresult cuStreamAddCallback(CUstream stream, CUstreamCallback function, void *data, unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(function && !flags, CUDA_ERROR_INVALID_VALUE);
  return submit(stream, Callback{function, stream, data});
}
