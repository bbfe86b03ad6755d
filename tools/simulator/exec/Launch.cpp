// Spreads the blocks of a launch over host threads and runs each to its end.
//
// Host threads and their arenas (stacks, shared memory) live on between launches. A kernel without collectives runs as
// a plain loop over its threads, on one stack: no thread of it ever waits.

#include "tools/simulator/Chips.h"
#include "tools/simulator/exec/Block.h"
#include "tools/simulator/exec/Fiber.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/exec/UnitSync.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/ThreadPool.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <sys/mman.h>
#include <thread>

namespace dscc::sim {

static constexpr size_t stackBase = 32 << 10;  // bytes; a kernel with 128 accumulators spills some kilobytes
static constexpr size_t deepStack = 256 << 10; // bytes, for kernels that call functions
static constexpr size_t stackColour = 320;     // bytes; else the tops of all stacks fall into the same cache sets
static constexpr size_t pageBytes = 4096;
static constexpr int64_t fuelPerTurn = 10000; // backward branches until others get their turn

namespace {
/// One block's stacks and shared memory, kept for the next block.
struct Arena {
  Block block;
  char *stacks = nullptr, *shared = nullptr;
  size_t stackBytes = 0, sharedBytes = 0;
  uint32_t numStacks = 0;

  ~Arena() {
    if (stacks)
      munmap(stacks, stackBytes * numStacks);
    if (shared)
      munmap(shared, sharedBytes);
  }
  bool reserve(uint32_t threads, size_t stack, size_t shared);
};

struct LaunchState {
  const Kernel &kernel;
  const Chip &chip;
  const LaunchShape &shape;
  void **arguments;
  uint32_t sharedBytes;
  uint64_t numUnits;
  uint32_t unitSize;    // blocks
  uint64_t step, first; // unit i of the order is (first + i * step) % numUnits
  std::atomic<uint64_t> next{0};
  uint64_t gridId;
  LaunchStatistics *statistics;    // null unless they are wanted
  llvm::ArrayRef<uint64_t> sample; // if not empty: the numbers of the units, which are not all
  LaunchOrder *order;              // null: races between units are not looked for
};
} // namespace

static char *mapPages(size_t bytes) {
  void *pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<char *>(pages);
}

bool Arena::reserve(uint32_t threads, size_t stack, size_t sharedWanted) {
  if (stackBytes < stack || numStacks < threads) {
    if (stacks)
      munmap(stacks, stackBytes * numStacks);
    stackBytes = std::max(stackBytes, stack);
    numStacks = std::max(numStacks, threads);
    stacks = mapPages(stackBytes * numStacks);
  }
  if (sharedBytes < sharedWanted || !shared) {
    if (shared)
      munmap(shared, sharedBytes);
    sharedBytes = llvm::alignTo(std::max<size_t>(sharedWanted, 1), pageBytes);
    shared = mapPages(sharedBytes);
  }
  return stacks && shared;
}

static void runThread(void *argument) {
  beginFiber();
  Lane &lane = *static_cast<Lane *>(argument);
  Block &block = *lane.block;
  block.kernel->entry(&lane, block.arguments);
  exitThread(lane);
}

static void initialiseSpecials(Lane &lane, const Block &block, const LaunchState &state, uint32_t thread) {
  const LaunchShape &shape = state.shape;
  uint32_t *special = lane.special;
  special[TidX] = thread % shape.block[0];
  special[TidY] = thread / shape.block[0] % shape.block[1];
  special[TidZ] = thread / shape.block[0] / shape.block[1];
  for (int axis = 0; axis < 3; ++axis) {
    uint32_t cluster = shape.cluster[axis];
    special[NtidX + axis] = shape.block[axis];
    special[CtaidX + axis] = block.index[axis];
    special[NctaidX + axis] = shape.grid[axis];
    special[ClusterCtaidX + axis] = block.index[axis] % cluster;
    special[ClusterNctaidX + axis] = cluster;
    special[ClusterIdX + axis] = block.index[axis] / cluster;
    special[NclusterIdX + axis] = shape.grid[axis] / cluster;
  }
  special[LaneId] = thread % lanesPerWarp;
  special[WarpSize] = lanesPerWarp;
  special[WarpId] = thread / lanesPerWarp;
  special[NwarpId] = uint32_t(block.warps.size());
  uint64_t linear =
      block.index[0] + uint64_t(shape.grid[0]) * (block.index[1] + uint64_t(shape.grid[1]) * block.index[2]);
  special[SmId] = uint32_t(linear % state.chip.multiprocessors);
  special[NsmId] = uint32_t(state.chip.multiprocessors);
  special[GridId] = uint32_t(state.gridId);
  special[ClusterCtaRank] = block.rank;
  special[ClusterNctaRank] = state.unitSize;
  special[DynamicSharedBytes] = shape.dynamicShared;
  constexpr uint32_t sharedUnit = 128; // what the hardware gives out at a time
  special[TotalSharedBytes] = uint32_t(llvm::alignTo(state.sharedBytes, sharedUnit));
  special[AggregateSharedBytes] = special[TotalSharedBytes] + reservedShared;
  special[IsExplicitCluster] = shape.isExplicitCluster;
}

static void prepareLane(Lane &lane, Block &block, const LaunchState &state, uint32_t thread) {
  initialiseSpecials(lane, block, state, thread);
  lane.shared = block.shared;
  lane.fuel = fuelPerTurn;
  lane.block = &block;
  lane.warp = &block.warps[thread / lanesPerWarp];
  lane.index = thread % lanesPerWarp;
  lane.thread = thread;
  lane.isDone = false;
  lane.turns = 0;
  lane.waitsFor = nullptr;
  lane.site = 0;
  lane.copies.clear();
  lane.copyGroups.clear();
  lane.numLanded = lane.numTracked = 0;
  lane.openBulk.clear();
  lane.bulkGroups.clear();
  lane.numBulkRead = 0;
  lane.wgmma = {};
  lane.isInCluster = false;
}

static void prepareBlock(Arena &arena, Unit &unit, const LaunchState &state, uint64_t index, uint32_t rank) {
  Block &block = arena.block;
  block.unit = &unit;
  block.kernel = &state.kernel;
  block.shape = &state.shape;
  block.arguments = state.arguments;
  block.rank = rank;
  const LaunchShape &shape = state.shape;
  uint64_t clusters[3];
  for (int axis = 0; axis < 3; ++axis)
    clusters[axis] = shape.grid[axis] / shape.cluster[axis];
  uint64_t at[3] = {index % clusters[0], index / clusters[0] % clusters[1], index / clusters[0] / clusters[1]};
  uint32_t within[3] = {rank % shape.cluster[0], rank / shape.cluster[0] % shape.cluster[1],
                        rank / shape.cluster[0] / shape.cluster[1]};
  for (int axis = 0; axis < 3; ++axis)
    block.index[axis] = uint32_t(at[axis] * shape.cluster[axis] + within[axis]);
  block.numThreads = block.numAlive = shape.block[0] * shape.block[1] * shape.block[2];
  block.shared = arena.shared;
  block.sharedBytes = state.sharedBytes;
  block.stacks = arena.stacks;
  block.stackBytes = arena.stackBytes;
  uint32_t numWarps = llvm::divideCeil(block.numThreads, lanesPerWarp);
  block.warps.assign(numWarps, Warp());
  for (uint32_t warp = 0; warp < numWarps; ++warp) {
    uint32_t rest = block.numThreads - warp * lanesPerWarp;
    block.warps[warp].index = warp;
    block.warps[warp].number = rank * numWarps + warp;
    block.warps[warp].alive = block.warps[warp].ready = rest >= lanesPerWarp ? allLanes : (1u << rest) - 1;
  }
  block.aliveWarps = numWarps < maxWarps ? (1u << numWarps) - 1 : ~0u;
  forEachLane(block.openBarriers, [&](uint32_t id) { block.barriers[id] = Barrier(); });
  block.openBarriers = 0;
  block.exited.clear();
  // Lanes keep their vectors' memory; there are always whole warps of them.
  if (block.lanes.size() < numWarps * lanesPerWarp)
    block.lanes.resize(numWarps * lanesPerWarp);
  prepareChecks(block);
  if (state.statistics)
    state.statistics->begin(block, index);
}

static void startFibers(Block &block, const LaunchState &state) {
  block.hasFibers = true;
  for (uint32_t thread = 0; thread < block.numThreads; ++thread) {
    Lane &lane = block.lanes[thread];
    prepareLane(lane, block, state, thread);
    size_t colour = thread * stackColour % pageBytes;
    char *bottom = block.stacks + block.stackBytes * thread;
    prepareFiber(lane.fiber, bottom, bottom + block.stackBytes - colour, runThread, &lane);
  }
}

/// One thread after the other, in one lane: nothing of the kernel waits.
static void runWithoutFibers(Block &block, const LaunchState &state) {
  block.hasFibers = false;
  Lane &lane = block.lanes[0];
  prepareLane(lane, block, state, 0);
  const LaunchShape &shape = state.shape;
  uint32_t thread = 0;
  for (uint32_t z = 0; z < shape.block[2]; ++z)
    for (uint32_t y = 0; y < shape.block[1]; ++y)
      for (uint32_t x = 0; x < shape.block[0]; ++x, ++thread) {
        lane.special[TidX] = x;
        lane.special[TidY] = y;
        lane.special[TidZ] = z;
        lane.special[LaneId] = thread % lanesPerWarp;
        lane.special[WarpId] = thread / lanesPerWarp;
        lane.thread = thread;
        lane.warp = &block.warps[thread / lanesPerWarp];
        lane.index = thread % lanesPerWarp;
        lane.copies.clear(); // of the thread before
        lane.copyGroups.clear();
        lane.numLanded = 0;
        block.kernel->entry(&lane, block.arguments);
      }
}

/// On a fiber all the same: a fault ends it by leaving the stack.
static void runInOneFiber(Block &block, const LaunchState &state) {
  std::pair<Block *, const LaunchState *> both{&block, &state};
  auto main = [](void *argument) {
    beginFiber();
    auto [own, launch] = *static_cast<std::pair<Block *, const LaunchState *> *>(argument);
    runWithoutFibers(*own, *launch);
    leave(own->lanes[0]);
  };
  Fiber fiber;
  prepareFiber(fiber, block.stacks, block.stacks + block.stackBytes, main, &both);
  switchFiber(block.unit->host, fiber);
}

static void finishBlock(Block &block, const LaunchState &state) {
  if (state.statistics)
    state.statistics->finish(block);
}

/// Clocks are there only if races are looked for: that is what tells release and acquire to do nothing.
static void prepareSync(Unit &unit, UnitSync &sync, const LaunchState &state, uint64_t index) {
  unit.sync = &sync;
  sync.order.launch = state.order;
  sync.order.number = uint32_t(index);
  uint32_t numGroups = 0;
  for (Block *block : unit.blocks) {
    unit.numWarps += uint32_t(block->warps.size());
    numGroups += groupsOf(*block);
  }
  sync.warpgroups.resize(numGroups);
  if (settings().check != CheckLevel::All)
    return;
  size_t components = unit.numWarps + (firstWarpgroupAgent - firstAgent) + numGroups;
  for (Block *block : unit.blocks)
    for (Warp &warp : block->warps) {
      warp.knowledge.seen.assign(components, 0);
      warp.knowledge.fenced.assign(components, 0);
      warp.knowledge.seen[warp.number] = 1;
    }
}

static void runUnit(std::vector<std::unique_ptr<Arena>> &arenas, const LaunchState &state, uint64_t index) {
  size_t stack = llvm::alignTo((state.kernel.callsFunctions ? deepStack : stackBase) +
                                   2 * size_t(state.kernel.localBytes) + pageBytes,
                               pageBytes);
  uint32_t threads = state.shape.block[0] * state.shape.block[1] * state.shape.block[2];
  Unit unit;
  uint64_t seed = settings().seed;
  unit.isShuffled = seed != 0;
  unit.random.seed(seed * 0x9e3779b97f4a7c15u + index);
  while (arenas.size() < state.unitSize)
    arenas.push_back(std::make_unique<Arena>());
  for (uint32_t rank = 0; rank < state.unitSize; ++rank) {
    if (!arenas[rank]->reserve(threads, stack, state.sharedBytes))
      return reports().addFailure("out of host memory for a block", 2 /* CUDA_ERROR_OUT_OF_MEMORY */);
    prepareBlock(*arenas[rank], unit, state, index, rank);
    unit.blocks.push_back(&arenas[rank]->block);
  }
  UnitSync sync;
  prepareSync(unit, sync, state, index);
  if (!state.kernel.hasCollectives && state.unitSize == 1) {
    runInOneFiber(*unit.blocks[0], state);
    return finishBlock(*unit.blocks[0], state);
  }
  for (Block *block : unit.blocks) {
    startFibers(*block, state);
    unit.numAlive += block->numThreads;
  }
  switchFiber(unit.host, unit.blocks[0]->lanes[0].fiber);
  if (!unit.isOver)
    finishUnit(unit);
  for (Block *block : unit.blocks)
    finishBlock(*block, state);
}

static void work(LaunchState &state) {
  static thread_local std::vector<std::unique_ptr<Arena>> arenas;
  for (uint64_t i; (i = state.next++) < state.numUnits && !reports().isFaulted();) {
    uint64_t at = (state.first + i * state.step) % state.numUnits;
    runUnit(arenas, state, state.sample.empty() ? at : state.sample[at]);
  }
}

/// With a seed blocks begin in another order than that of their numbers.
static void shuffleOrder(LaunchState &state) {
  state.step = 1;
  state.first = 0;
  if (!settings().seed || state.numUnits < 2)
    return;
  std::mt19937_64 random(settings().seed);
  state.first = random() % state.numUnits;
  // Below 2^32, so that i * step does not overflow.
  do
    state.step = 1 + random() % std::min<uint64_t>(state.numUnits - 1, UINT32_MAX);
  while (std::gcd(state.step, state.numUnits) != 1);
}

static llvm::StdThreadPool &hostThreads() {
  static llvm::StdThreadPool pool(llvm::hardware_concurrency(settings().threads));
  return pool;
}

namespace {
/// The parameters as a kernel finds them: aligned as any type asks for, tensor maps included.
class Parameters {
public:
  Parameters(const Kernel &kernel, void **values) {
    size_t bytes = 0;
    for (uint32_t size : kernel.parameterBytes)
      bytes += llvm::alignTo(size, alignment);
    storage.reset(static_cast<char *>(std::aligned_alloc(alignment, std::max(bytes, alignment))));
    char *place = storage.get();
    for (auto [index, size] : llvm::enumerate(kernel.parameterBytes)) {
      std::memcpy(place, values[index], size);
      arguments.push_back(place);
      place += llvm::alignTo(size, alignment);
    }
  }
  void **get() { return arguments.data(); }

private:
  static constexpr size_t alignment = 64;
  struct Free {
    void operator()(char *memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> storage;
  std::vector<void *> arguments;
};
} // namespace

std::vector<Report> launch(const Kernel &kernel, const Chip &chip, const LaunchShape &shape, void **arguments) {
  static std::atomic<uint64_t> numLaunches{0};
  uint32_t unitSize = shape.cluster[0] * shape.cluster[1] * shape.cluster[2];
  uint64_t numBlocks = uint64_t(shape.grid[0]) * shape.grid[1] * shape.grid[2];
  Parameters parameters(kernel, arguments);
  LaunchState state{.kernel = kernel,
                    .chip = chip,
                    .shape = shape,
                    .arguments = parameters.get(),
                    .sharedBytes = kernel.staticShared + shape.dynamicShared,
                    .numUnits = numBlocks / unitSize,
                    .unitSize = unitSize,
                    .step = 1,
                    .first = 0,
                    .gridId = ++numLaunches,
                    .statistics = nullptr,
                    .sample = {},
                    .order = nullptr};
  LaunchOrder order(kernel.ordersUnits);
  if (state.numUnits <= (kernel.ordersUnits ? mostOrderedUnits : mostUnits))
    state.order = &order;
  std::optional<LaunchStatistics> statistics;
  if (settings().statistics) {
    state.statistics = &statistics.emplace(kernel, chip, shape, parameters.get());
    state.sample = statistics->sample().units;
    state.numUnits = state.sample.empty() ? state.numUnits : state.sample.size();
  }
  shuffleOrder(state);
  reports().begin();
  unsigned helpers = settings().threads ? settings().threads : std::max(1u, std::thread::hardware_concurrency());
  uint64_t threads = state.numUnits * shape.block[0] * shape.block[1] * shape.block[2];
  constexpr uint64_t fewThreads = 4096; // less than what waking another host thread costs
  if (helpers == 1 || state.numUnits == 1 || threads < fewThreads) {
    work(state);
  } else {
    llvm::ThreadPoolTaskGroup group(hostThreads());
    for (unsigned i = 0; i < helpers; ++i)
      group.async([&] { work(state); });
    group.wait();
  }
  if (statistics)
    statistics->publish();
  return reports().take();
}

} // namespace dscc::sim
