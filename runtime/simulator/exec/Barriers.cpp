// Barriers of a block, and the end of its threads.

#include "runtime/simulator/exec/Runtime.h"
#include "runtime/simulator/exec/UnitSync.h"

#include <utility>

namespace dscc::sim {

static constexpr int illegalInstruction = 715; // CUDA_ERROR_ILLEGAL_INSTRUCTION

/// All who wait see what all who have come had done. `last` has arrived too: it is not in the list.
static void orderThreads(const Block &block, Barrier &barrier, Lane *last) {
  auto forEachWarp = [&](auto visit) {
    Warp *before = nullptr;
    for (Lane *lane : barrier.waiting)
      if (lane->warp != before)
        visit(*lane, *(before = lane->warp));
    if (last && last->warp != before)
      visit(*last, *last->warp);
  };
  Knowledge all = std::move(barrier.knowledge);
  barrier.knowledge.clear();
  if (!barrier.expected)
    all.join(block.exited);
  forEachWarp([&](Lane &lane, Warp &) { release(lane, all); });
  forEachWarp([&](Lane &lane, Warp &warp) {
    acquire(lane, all);
    ++warp.epoch;
  });
}

/// All have come: they go on. `last` waits as well, unless it is null; `others`: threads that are alive and do not run.
static void release(Block &block, Barrier &barrier, Lane *last, uint32_t others) {
  orderThreads(block, barrier, last);
  if (barrier.waiting.size() == others) {
    for (Warp &warp : block.warps)
      warp.ready = warp.alive;
  } else {
    for (Lane *lane : barrier.waiting)
      makeReady(*lane);
  }
  BarrierSum &sum = block.sums[&barrier - block.barriers];
  sum.last = sum.next;
  sum.next = {};
  barrier.arrived = barrier.expected = 0;
  barrier.waiting.clear(); // its memory stays
}

static bool isComplete(const Block &block, const Barrier &barrier) {
  return barrier.arrived >= (barrier.expected ? barrier.expected : block.numAlive);
}

static void arrive(Lane &lane, uint32_t id, uint32_t count, bool waits, int site) {
  Block &block = *lane.block;
  if (id >= numBarriers || count % lanesPerWarp) {
    reports().add(lane, "illegal barrier",
                  "barrier " + std::to_string(id) + " of " + std::to_string(count) +
                      " threads: ids go up to 15, counts are multiples of 32",
                  site, illegalInstruction);
    abandon(lane);
  }
  Barrier &barrier = block.barriers[id];
  if (barrier.arrived && barrier.expected != count) {
    reports().add(lane, "divergence at a barrier",
                  "barrier " + std::to_string(id) + " was begun with " + std::to_string(barrier.expected) +
                      " threads and is met with " + std::to_string(count) + " (0: all)",
                  site, illegalInstruction);
    abandon(lane);
  }
  barrier.expected = count;
  ++barrier.arrived;
  if (!waits)
    release(lane, barrier.knowledge);
  if (isComplete(block, barrier))
    return release(block, barrier, waits ? &lane : nullptr, block.numAlive - 1);
  if (!waits)
    return;
  barrier.waiting.push_back(&lane);
  static const char *const names[] = {"barrier 0", "barrier 1", "barrier 2",  "barrier 3",  "barrier 4",  "barrier 5",
                                      "barrier 6", "barrier 7", "barrier 8",  "barrier 9",  "barrier 10", "barrier 11",
                                      "barrier 12", "barrier 13", "barrier 14", "barrier 15"};
  wait(lane, names[id], site);
}

static void barrierSync(Lane *lane, uint32_t id, uint32_t count, int site) { arrive(*lane, id, count, true, site); }
static void barrierArrive(Lane *lane, uint32_t id, uint32_t count, int site) { arrive(*lane, id, count, false, site); }

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
  // Those that wait for all threads wait for one less now.
  for (Barrier &barrier : block.barriers)
    if (barrier.arrived && !barrier.expected && block.numAlive && isComplete(block, barrier))
      release(block, barrier, nullptr, block.numAlive);
  if (warp.arrived && (warp.arrived & warp.alive) == warp.alive)
    warp.ready |= 1u << std::countr_zero(warp.arrived);
  if (!unit.numAlive)
    leave(lane);
  wait(lane, "nothing", lane.site);
  __builtin_unreachable();
}

static uint64_t barrierReduce(Lane *lane, uint32_t id, uint32_t count, uint32_t kind, uint32_t value, int site);

llvm::ArrayRef<Callee> barrierCallees() {
  static const Callee list[] = {{"dscc_sim_barrier", reinterpret_cast<void *>(barrierSync)},
                                {"dscc_sim_barrier_arrive", reinterpret_cast<void *>(barrierArrive)},
                                {"dscc_sim_barrier_reduce", reinterpret_cast<void *>(barrierReduce)}};
  return list;
}

/// bar.red: popc, and, or over the predicates of all threads that meet.
static uint64_t barrierReduce(Lane *lane, uint32_t id, uint32_t count, uint32_t kind, uint32_t value, int site) {
  BarrierSum &sum = lane->block->sums[id % numBarriers];
  sum.next.trueCount += value != 0;
  sum.next.threads += 1;
  arrive(*lane, id, count, true, site);
  if (kind == 0)
    return sum.last.trueCount;
  return kind == 1 ? sum.last.trueCount == sum.last.threads : sum.last.trueCount != 0;
}

} // namespace dscc::sim
