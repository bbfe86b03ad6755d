// Which thread of a block runs next, and what happens when none can.
//
// A thread that waits switches straight to the next ready one: of its own warp first, because whole warps then arrive
// together, and shared memory stays in the cache. With a seed the choice is random, so that a program that relies on an
// order that the GPU does not promise gives itself away.

#include "tools/simulator/exec/Block.h"
#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/UnitSync.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

#include <bit>

namespace dscc::sim {

static uint32_t firstFrom(uint32_t mask, uint32_t from) {
  uint32_t upper = from >= 31 ? 0 : mask & ~((2u << from) - 1);
  return uint32_t(std::countr_zero(upper ? upper : mask));
}

static uint32_t randomOf(uint32_t mask, std::mt19937_64 &random) {
  for (uint32_t skip = uint32_t(random() % std::popcount(mask)); skip; --skip)
    mask &= mask - 1;
  return uint32_t(std::countr_zero(mask));
}

static Lane &laneOf(Block &block, uint32_t warp, uint32_t index) { return block.lanes[warp * lanesPerWarp + index]; }

/// A ready thread of the block, its warps tried from `warp` on.
static Lane *pickFrom(Block &block, uint32_t warp) {
  uint32_t count = uint32_t(block.warps.size());
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t index = warp + i < count ? warp + i : warp + i - count;
    if (uint32_t ready = block.warps[index].ready)
      return &laneOf(block, index,
                     block.unit->isShuffled ? randomOf(ready, block.unit->random) : uint32_t(std::countr_zero(ready)));
  }
  return nullptr;
}

static Lane *pick(Lane &lane) {
  Block &block = *lane.block;
  Unit &unit = *block.unit;
  if (unit.isShuffled && unit.random() % 4 == 0)
    if (Lane *next =
            pickFrom(*unit.blocks[unit.random() % unit.blocks.size()], uint32_t(unit.random() % block.warps.size())))
      return next;
  if (uint32_t ready = lane.warp->ready)
    return &laneOf(block, lane.warp->index,
                   unit.isShuffled ? randomOf(ready, unit.random) : firstFrom(ready, lane.index));
  for (size_t i = 0; i < unit.blocks.size(); ++i)
    if (Lane *next = pickFrom(*unit.blocks[(block.rank + i) % unit.blocks.size()], i ? 0 : lane.warp->index))
      return next;
  return nullptr;
}

static void switchTo(Lane &from, Lane &to) {
  if (&from != &to)
    switchFiber(from.fiber, to.fiber);
}

void leave(Lane &lane) { leaveFiber(lane.fiber, lane.block->unit->host); }

void abandon(Lane &lane) {
  lane.block->unit->isOver = true;
  leave(lane);
}

static std::string describeWait(const Lane &lane) {
  if (!lane.waitsFor)
    return "their turn";
  return lane.waitsFor == waitsForMbarrier ? describeMbarrier(lane) : lane.waitsFor;
}

/// `threads 0-31 wait for barrier 0 at PTX line 12`, for each group of neighbours that wait alike.
static std::string describeWaiting(const Unit &unit) {
  std::string text;
  constexpr size_t maxGroups = 12;
  size_t groups = 0;
  for (const Block *block : unit.blocks)
    for (uint32_t begin = 0; begin < block->numThreads && groups < maxGroups;) {
      const Lane &first = block->lanes[begin];
      uint32_t end = begin + 1;
      auto isAlike = [&](const Lane &other) {
        return other.isDone == first.isDone && other.site == first.site && other.waitsFor == first.waitsFor;
      };
      while (end < block->numThreads && isAlike(block->lanes[end]))
        ++end;
      if (!first.isDone) {
        text += (groups++ ? "; threads " : "threads ") + std::to_string(begin) + "-" + std::to_string(end - 1) +
                " wait for " + describeWait(first) + " at PTX line " + std::to_string(first.site);
      }
      begin = end;
    }
  return text;
}

/// Lanes of a warp that have all come, and wait for different things, are what keeps a deadlock.
static void reportDiverged(const Unit &unit) {
  for (Block *block : unit.blocks)
    for (Warp &warp : block->warps)
      forEachLane(warp.arrived, [&](uint32_t index) {
        Lane &lane = laneOf(*block, warp.index, index);
        uint32_t expected = lane.mask & warp.alive;
        if (expected & ~warp.arrived)
          return;
        if (Lane *other = findOther<false>(lane, &laneOf(*block, warp.index, 0), expected))
          reportDivergence(lane, *other);
      });
}

/// Nobody of its warp is ready, or the choice is random.
[[gnu::noinline]] static void waitForAny(Lane &lane) {
  Lane *next = pick(lane);
  if (!next && resolveStall(*lane.block->unit))
    next = pick(lane);
  if (!next) {
    reportDiverged(*lane.block->unit);
    reports().add(lane, "deadlock", describeWaiting(*lane.block->unit), lane.site, launchTimeout);
    abandon(lane);
  }
  switchTo(lane, *next);
}

/// What nearly always happens stands here, and needs next to no stack: that of the next thread is not in the cache.
void wait(Lane &lane, const char *what, int site) {
  lane.waitsFor = what;
  lane.site = site;
  uint32_t ready = lane.warp->ready &= ~(1u << lane.index);
  if (!ready || lane.block->unit->isShuffled)
    return waitForAny(lane);
  Lane &next = *(&lane - lane.index + firstFrom(ready, lane.index));
  switchFiber(lane.fiber, next.fiber);
}

void yield(Lane &lane) {
  // Others first: of this warp, of this block, of the unit. The thread itself stays ready.
  uint32_t bit = 1u << lane.index;
  lane.warp->ready &= ~bit;
  Lane *next = pick(lane);
  lane.warp->ready |= bit;
  if (next)
    switchTo(lane, *next);
}

void reportDivergence(Lane &lane, const Lane &other) {
  auto place = [](const Lane &one) {
    return (llvm::Twine(one.waitsFor) + " with mask 0x" + llvm::utohexstr(one.mask) + " at PTX line " +
            llvm::Twine(one.site))
        .str();
  };
  reports().add(lane, "divergence at a collective",
                "thread " + std::to_string(lane.thread) + " is at " + place(lane) + ", thread " +
                    std::to_string(other.thread) + " at " + place(other),
                lane.site, illegalInstruction);
  abandon(lane);
}

void refuseMask(Lane &lane, const char *what, uint32_t mask, int site) {
  reports().add(lane, "illegal collective",
                what + (" with mask 0x" + llvm::utohexstr(mask)) + " by lane " + std::to_string(lane.index) +
                    ", which is not in it",
                site, illegalInstruction);
  abandon(lane);
}

} // namespace dscc::sim
