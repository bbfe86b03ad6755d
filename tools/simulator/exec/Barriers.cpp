// Barriers of a block, and the end of its threads.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/UnitSync.h"

#include <utility>

namespace dscc::sim {

namespace {
enum class Coming { Sync, Arrive, Reduce };

/// A lane's part in bar.red: its predicate, and of how many threads how many had a true one.
struct Reduced {
  bool value;
  uint32_t threads, trueCount;
};
} // namespace

static Lane &firstOf(Block &block, uint32_t warp, uint32_t lanes) {
  return block.lanes[warp * lanesPerWarp + uint32_t(std::countr_zero(lanes))];
}

/// All who wait see what all who have come had done. Only where there are clocks.
static void orderThreads(Block &block, Barrier &barrier) {
  Knowledge all = std::move(barrier.knowledge);
  barrier.knowledge.clear();
  if (barrier.isOfAll)
    all.join(block.exited);
  auto forEachWarp = [&](auto visit) {
    forEachLane(barrier.whole, [&](uint32_t warp) {
      if (uint32_t waiting = barrier.lanes[warp].waiting)
        visit(firstOf(block, warp, waiting));
    });
  };
  forEachWarp([&](Lane &lane) { release(lane, all); });
  forEachWarp([&](Lane &lane) { acquire(lane, all); });
}

/// The results are given out now: before a lane looks, others may have met here again.
static void reduce(Block &block, const Barrier &barrier) {
  uint32_t threads = 0, trueCount = 0;
  auto forEachWaiting = [&](auto visit) {
    forEachLane(barrier.whole, [&](uint32_t warp) {
      forEachLane(barrier.lanes[warp].waiting, [&](uint32_t index) {
        visit(*static_cast<Reduced *>(block.lanes[warp * lanesPerWarp + index].exchange));
      });
    });
  };
  forEachWaiting([&](Reduced &own) {
    ++threads;
    trueCount += own.value;
  });
  forEachWaiting([&](Reduced &own) {
    own.threads = threads;
    own.trueCount = trueCount;
  });
}

/// All have come: they go on.
static void complete(Block &block, Barrier &barrier) {
  if (!block.warps[0].knowledge.seen.empty())
    orderThreads(block, barrier);
  if (barrier.isReduction)
    reduce(block, barrier);
  uint32_t present = barrier.present & ~barrier.whole;
  forEachLane(barrier.whole, [&](uint32_t index) {
    Barrier::Lanes &lanes = barrier.lanes[index];
    Warp &warp = block.warps[index];
    warp.ready |= lanes.waiting;
    warp.epoch += lanes.waiting != 0;
    lanes.waiting = 0;
    present |= uint32_t(lanes.here != 0) << index;
  });
  barrier.present = present;
  barrier.whole = barrier.arrived = 0;
  if (!barrier.present)
    block.openBarriers &= ~(1u << (&barrier - block.barriers));
}

static bool isComplete(const Block &block, const Barrier &barrier) {
  return barrier.isOfAll ? !(block.aliveWarps & ~barrier.whole) : barrier.arrived >= barrier.expected;
}

/// All lanes of the warp are there.
static void arriveWarp(Block &block, Warp &warp, Barrier &barrier) {
  Barrier::Lanes &lanes = barrier.lanes[warp.index];
  if (uint32_t goOn = lanes.here & ~lanes.waiting) {
    release(firstOf(block, warp.index, goOn), barrier.knowledge);
    warp.ready |= goOn;
  }
  lanes.here = 0;
  barrier.whole |= 1u << warp.index;
  ++barrier.arrived;
  if (isComplete(block, barrier))
    complete(block, barrier);
}

[[noreturn]] static void refuse(Lane &lane, const char *kind, const std::string &what, int site) {
  fault(lane, kind, what, site, illegalInstruction);
}

[[noreturn]] static void refuseOther(Lane &lane, uint32_t id, uint32_t expected, int site) {
  const Barrier &barrier = lane.block->barriers[id];
  std::string name = "barrier " + std::to_string(id);
  if (barrier.expected == expected)
    refuse(lane, "divergence at a barrier", name + " is met by bar.red, and by bar.sync or bar.arrive", site);
  refuse(lane, "divergence at a barrier",
         name + " was begun with " + std::to_string(barrier.expected * lanesPerWarp) + " threads and is met with " +
             std::to_string(expected * lanesPerWarp),
         site);
}

static void waitAt(Lane &lane, uint32_t id, int site) {
  static const char *const names[] = {"barrier 0",  "barrier 1",  "barrier 2",  "barrier 3", "barrier 4",  "barrier 5",
                                      "barrier 6",  "barrier 7",  "barrier 8",  "barrier 9", "barrier 10", "barrier 11",
                                      "barrier 12", "barrier 13", "barrier 14", "barrier 15"};
  wait(lane, names[id], site);
}

[[gnu::noinline]] static void comeLast(Lane &lane, uint32_t id, int site) {
  Block &block = *lane.block;
  Barrier &barrier = block.barriers[id];
  arriveWarp(block, *lane.warp, barrier);
  if (barrier.lanes[lane.warp->index].waiting >> lane.index & 1)
    waitAt(lane, id, site);
}

/// As wait() this needs next to no stack: the calls are the last thing that is done.
template <Coming coming> static void comeTo(Barrier &barrier, Lane &lane, uint32_t id, int site) {
  Warp &warp = *lane.warp;
  uint32_t bit = 1u << lane.index;
  Barrier::Lanes &lanes = barrier.lanes[warp.index];
  barrier.present |= 1u << warp.index;
  if constexpr (coming != Coming::Arrive)
    lanes.waiting |= bit;
  lanes.here |= bit;
  if (lanes.here == warp.alive)
    return comeLast(lane, id, site);
  waitAt(lane, id, site);
}

/// Of the first who comes, or of one who asks for something else.
template <Coming coming> [[gnu::noinline]] static void comeFirst(Lane &lane, uint32_t id, uint32_t count, int site) {
  if (id >= numBarriers || count % lanesPerWarp)
    refuse(lane, "illegal barrier",
           "barrier " + std::to_string(id) + " of " + std::to_string(count) +
               " threads: ids go up to 15, counts are multiples of 32",
           site);
  if (coming == Coming::Arrive && !count)
    refuse(lane, "illegal barrier", "bar.arrive needs a number of threads", site);
  Block &block = *lane.block;
  Barrier &barrier = block.barriers[id];
  uint32_t expected = count ? count / lanesPerWarp : uint32_t(block.warps.size());
  bool isReduction = coming == Coming::Reduce;
  if (barrier.present && (barrier.expected != expected || barrier.isReduction != isReduction))
    refuseOther(lane, id, expected, site);
  barrier.isOfAll = !count && (!barrier.present || barrier.isOfAll);
  barrier.count = count;
  barrier.expected = expected;
  barrier.isReduction = isReduction;
  block.openBarriers |= 1u << id;
  comeTo<coming>(barrier, lane, id, site);
}

template <Coming coming> static void come(Lane *lane, uint32_t id, uint32_t count, int site) {
  Barrier &barrier = lane->block->barriers[id % numBarriers];
  bool isAlike = barrier.count == count && barrier.isReduction == (coming == Coming::Reduce);
  if (id >= numBarriers || !barrier.present || !isAlike)
    return comeFirst<coming>(*lane, id, count, site);
  comeTo<coming>(barrier, *lane, id, site);
}

/// bar.red: popc, and, or over the predicates of all threads that meet.
static uint64_t barrierReduce(Lane *lane, uint32_t id, uint32_t count, uint32_t kind, uint32_t value, int site) {
  Reduced own{value != 0, 0, 0};
  lane->exchange = &own;
  come<Coming::Reduce>(lane, id, count, site);
  if (kind == 0)
    return own.trueCount;
  return kind == 1 ? own.trueCount == own.threads : own.trueCount != 0;
}

void exitThread(Lane &lane) {
  Block &block = *lane.block;
  Unit &unit = *block.unit;
  Warp &warp = *lane.warp;
  uint32_t bit = 1u << lane.index;
  lane.isDone = true;
  release(lane, block.exited);
  warp.ready &= ~bit;
  warp.alive &= ~bit;
  --block.numAlive;
  --unit.numAlive;
  noteExit(lane);
  if (!warp.alive)
    block.aliveWarps &= ~(1u << warp.index);
  // Barriers wait for one less now.
  forEachLane(block.openBarriers, [&](uint32_t id) {
    Barrier &barrier = block.barriers[id];
    if (warp.alive && barrier.lanes[warp.index].here == warp.alive)
      arriveWarp(block, warp, barrier);
    else if (!warp.alive && block.numAlive && isComplete(block, barrier))
      complete(block, barrier);
  });
  forEachLane(warp.arrived, [&](uint32_t index) {
    if (!(firstOf(block, warp.index, 1u << index).mask & warp.alive & ~warp.arrived))
      warp.ready |= 1u << index;
  });
  if (!unit.numAlive)
    leave(lane);
  wait(lane, "nothing", lane.site);
  __builtin_unreachable();
}

llvm::ArrayRef<Callee> barrierCallees() {
  static const Callee list[] = {{"dscc_sim_barrier", reinterpret_cast<void *>(come<Coming::Sync>)},
                                {"dscc_sim_barrier_arrive", reinterpret_cast<void *>(come<Coming::Arrive>)},
                                {"dscc_sim_barrier_reduce", reinterpret_cast<void *>(barrierReduce)}};
  return list;
}

} // namespace dscc::sim
