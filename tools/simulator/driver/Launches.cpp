// Launches of kernels and of host functions.

#include "tools/simulator/driver/Entry.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cstring>

using namespace dscc::sim;

//===-- the shape -------------------------------------------------------------------------------------------------===//

/// Blocks of a cluster that every chip with clusters can run, and those that some kernels may ask for.
static constexpr uint64_t portableClusterBlocks = 8, largestClusterBlocks = 16;

/// `asked` is what the launch says of clusters, or null; the kernel may say something too.
static CUresult resolveCluster(const CUfunc_st &function, const uint32_t *asked, LaunchShape &shape) {
  std::array<uint32_t, 3> required = requiredCluster(function);
  const uint32_t *declared = required == std::array<uint32_t, 3>() ? nullptr : required.data();
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
  DSCC_REQUIRE(blocks <= largestCluster(function), CUDA_ERROR_INVALID_CLUSTER_SIZE);
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
  bool isSharedOk = declared <= chip.sharedPerBlock &&
                    shape.dynamicShared <= uint32_t(settingOf(function, FunctionMaxDynamicSharedBytes)) &&
                    declared + shape.dynamicShared <= chip.sharedPerBlockOptin;
  return isSharedOk ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/// All arguments in one buffer, as a list describes it: pairs of a key and a pointer, and an end.
static CUresult readBuffer(void **extra, const Kernel &kernel, std::vector<void *> &arguments) {
  enum Key : uintptr_t { End = 0, Buffer = 1, BufferSize = 2 }; // CU_LAUNCH_PARAM_*
  char *buffer = nullptr;
  size_t bytes = 0;
  for (; uintptr_t(*extra) != End; extra += 2) {
    uintptr_t key = uintptr_t(*extra);
    DSCC_REQUIRE((key == Buffer || key == BufferSize) && extra[1], CUDA_ERROR_INVALID_VALUE);
    if (key == Buffer)
      buffer = static_cast<char *>(extra[1]);
    else
      bytes = *static_cast<size_t *>(extra[1]);
  }
  for (auto [offset, size] : llvm::zip(kernel.parameterOffsets, kernel.parameterBytes)) {
    DSCC_REQUIRE(buffer && offset + size <= bytes, CUDA_ERROR_INVALID_VALUE);
    arguments.push_back(buffer + offset);
  }
  return CUDA_SUCCESS;
}

namespace dscc::sim {
uint64_t largestCluster(const CUfunc_st &function) {
  bool isLargeAllowed = settingOf(function, FunctionNonPortableClusterSizeAllowed);
  uint64_t most = isLargeAllowed ? largestClusterBlocks : portableClusterBlocks;
  uint64_t compiled = function.kernel->maxClusterBlocks;
  return compiled ? std::min(most, compiled) : most;
}

bool isAlive(const KernelCall &call) {
  return state().functions.count(call.function) && call.function->number == call.number;
}

CUresult setCluster(KernelCall &call, const uint32_t *cluster) {
  DSCC_REQUIRE(isAlive(call), CUDA_ERROR_INVALID_VALUE);
  LaunchShape shape = call.shape;
  DSCC_TRY(resolveCluster(*call.function, cluster, shape));
  call.shape = shape;
  std::copy_n(cluster, 3, call.attributes[clusterDimension].dims);
  return CUDA_SUCCESS;
}

CUresult makeKernelCall(CUfunction handle, LaunchShape shape, const uint32_t *cluster, void **arguments, void **extra,
                        KernelCall &call) {
  CUfunc_st *function = findFunction(handle);
  DSCC_REQUIRE(function, CUDA_ERROR_INVALID_HANDLE);
  const std::vector<uint32_t> &parameters = function->kernel->parameterBytes;
  DSCC_REQUIRE(!arguments || !extra, CUDA_ERROR_INVALID_VALUE);
  std::vector<void *> ofBuffer;
  if (extra) {
    DSCC_TRY(readBuffer(extra, *function->kernel, ofBuffer));
    arguments = ofBuffer.data();
  }
  DSCC_REQUIRE(arguments || parameters.empty(), CUDA_ERROR_INVALID_VALUE);
  for (int axis = 0; function->kernel->countsClusters && axis < 3; ++axis)
    shape.grid[axis] =
        uint32_t(std::min<uint64_t>(uint64_t(shape.grid[axis]) * function->kernel->cluster[axis], UINT32_MAX));
  DSCC_TRY(checkShape(*function, shape));
  DSCC_TRY(resolveCluster(*function, cluster, shape));
  call = {function, function->number, shape, {}};
  if (cluster)
    std::copy_n(cluster, 3, call.attributes[clusterDimension].dims);
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
/// What the attributes of a launch ask for.
struct Wishes {
  const uint32_t *cluster = nullptr, *preferredCluster = nullptr;
  std::vector<CUevent> events; // to be recorded behind the kernel
  bool isOfGraph = false;      // it makes sense in a capture only
};

/// A CUlaunchAttributeID.
struct Attribute {
  int id;
  CUresult (*read)(const CUlaunchAttribute &given, Wishes &wishes);
};
} // namespace

/// Hints, and permissions that nothing here makes use of.
static CUresult ignore(const CUlaunchAttribute &, Wishes &) { return CUDA_SUCCESS; }

template <int least, int greatest> static CUresult checkRange(const CUlaunchAttribute &given, Wishes &) {
  bool isOk = given.value.number >= least && given.value.number <= greatest;
  return isOk ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult refuseIfSet(const CUlaunchAttribute &given, Wishes &) {
  return given.value.number ? CUDA_ERROR_NOT_SUPPORTED : CUDA_SUCCESS;
}

static CUresult readCluster(const CUlaunchAttribute &given, Wishes &wishes) {
  wishes.cluster = given.value.dims;
  return CUDA_SUCCESS;
}

static CUresult readPreferredCluster(const CUlaunchAttribute &given, Wishes &wishes) {
  wishes.preferredCluster = given.value.dims;
  return CUDA_SUCCESS;
}

/// The kernel's end is a moment at which either kind of event may trigger.
static CUresult readEvent(const CUlaunchAttribute &given, Wishes &wishes) {
  CUevent event = given.value.record.event;
  DSCC_REQUIRE(state().events.has(event), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(event->flags & EventDisableTiming, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!given.value.record.flags, CUDA_ERROR_NOT_SUPPORTED);
  wishes.events.push_back(event);
  return CUDA_SUCCESS;
}

static CUresult readUpdatable(const CUlaunchAttribute &given, Wishes &wishes) {
  wishes.isOfGraph = true;
  return refuseIfSet(given, wishes);
}

static constexpr Attribute attributes[] = {
    {0, ignore},                // no attribute
    {1, ignore},                // access policy window
    {2, refuseIfSet},           // cooperative: all blocks at the same time
    {3, ignore},                // synchronization policy
    {4, readCluster},           // cluster dimension
    {5, checkRange<0, 2>},      // cluster scheduling policy
    {6, ignore},                // programmatic stream serialization: it may overlap, and here it does not
    {7, readEvent},             // programmatic event
    {8, ignore},                // priority
    {9, ignore},                // memory synchronization domain map
    {10, ignore},               // memory synchronization domain
    {11, readPreferredCluster}, // the device may take the other dimension instead, and here it does
    {12, readEvent},            // launch completion event
    {13, readUpdatable},        // a node that the device updates
    {14, checkRange<-1, 100>},  // shared memory carveout, percent
    {16, checkRange<0, 1>},     // how NVLink is used
};

static CUresult readAttributes(const CUlaunchConfig &config, Wishes &wishes) {
  for (unsigned i = 0; i < config.numAttributes; ++i) {
    auto *known = llvm::find_if(attributes, [&](const Attribute &one) { return one.id == config.attributes[i].id; });
    DSCC_REQUIRE(known != std::end(attributes), CUDA_ERROR_INVALID_VALUE);
    DSCC_TRY(known->read(config.attributes[i], wishes));
  }
  return CUDA_SUCCESS;
}

/// It has no effect without a regular cluster.
static CUresult checkPreferredCluster(const Wishes &wishes, const LaunchShape &shape) {
  if (!wishes.preferredCluster || !wishes.cluster)
    return CUDA_SUCCESS;
  uint64_t blocks = 1;
  for (int axis = 0; axis < 3; ++axis) {
    uint32_t preferred = wishes.preferredCluster[axis];
    DSCC_REQUIRE(preferred, CUDA_ERROR_INVALID_VALUE);
    DSCC_REQUIRE(preferred % shape.cluster[axis] == 0 && shape.grid[axis] % preferred == 0,
                 CUDA_ERROR_INVALID_CLUSTER_SIZE);
    blocks *= preferred;
  }
  return blocks <= largestClusterBlocks ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CLUSTER_SIZE;
}

/// What cuEventRecord does, with the kernel itself in the place of a marker.
static void recordBehind(CUevent event, const CUstream_st &stream, const TaskPtr &task) {
  event->capture = stream.capture;
  event->captureEnds = stream.capture ? stream.captureEnds : std::vector<CUgraphNode>();
  if (!stream.capture)
    event->record = task;
}

/// What dsccSimNameLaunch has said of this thread's next launch.
static thread_local std::string nextNodes;

std::string dscc::sim::takeNodes() { return std::exchange(nextNodes, {}); }

//===-- entry points ----------------------------------------------------------------------------------------------===//

/// No driver has it: the ONNX nodes that this thread's next launch, or node of a graph, computes, ';' between them.
DSCC_EXPORT void dsccSimNameLaunch(const char *nodes) { nextNodes = nodes ? nodes : ""; }

DSCC_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ,
                                    unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                                    CUstream stream, void **arguments, void **extra) {
  DSCC_ENTER(Context);
  LaunchShape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, {1, 1, 1}, sharedBytes, false, takeNodes()};
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
  CUstream_st &stream = *findStream(config->stream);
  Wishes wishes;
  DSCC_TRY(readAttributes(*config, wishes));
  DSCC_REQUIRE(!wishes.isOfGraph || stream.capture, CUDA_ERROR_INVALID_VALUE);
  LaunchShape shape;
  shape.nodes = takeNodes();
  std::memcpy(shape.grid, config->grid, sizeof(shape.grid));
  std::memcpy(shape.block, config->block, sizeof(shape.block));
  shape.dynamicShared = config->sharedBytes;
  KernelCall call;
  DSCC_TRY(makeKernelCall(function, shape, wishes.cluster, arguments, extra, call));
  DSCC_TRY(checkPreferredCluster(wishes, call.shape));
  TaskPtr task;
  DSCC_TRY(submit(config->stream, std::move(call), &task));
  for (CUevent event : wishes.events)
    recordBehind(event, stream, task);
  return CUDA_SUCCESS;
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
