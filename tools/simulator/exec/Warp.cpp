// Collectives of a warp on one value a lane.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"

#include <algorithm>
#include <chrono>

namespace dscc::sim {

static void syncWarp(Lane *lane, uint32_t mask, int site) {
  rendezvous<false>(*lane, "bar.warp.sync", mask, site, nullptr, [](Lane *lanes, uint32_t) { ++lanes->warp->epoch; });
}

namespace {
struct Shuffled {
  uint32_t value, offset, clamp;
  uint64_t result; // bit 32: the source was in range
};
struct Reduced {
  uint64_t value, result;
};
enum ShuffleKind { Bfly, Up, Down, Idx };
} // namespace

/// The lane that lane `i` reads, as the manual's pseudocode of shfl.sync says.
static std::pair<uint32_t, bool> sourceLane(uint32_t i, const Shuffled &s, int kind) {
  uint32_t offset = s.offset & 31, clamp = s.clamp & 31, segment = s.clamp >> 8 & 31;
  uint32_t highest = (i & segment) | (clamp & ~segment), lowest = i & segment;
  int64_t from = kind == Bfly   ? int64_t(i ^ offset)
                 : kind == Up   ? int64_t(i) - offset
                 : kind == Down ? int64_t(i) + offset
                                : int64_t(lowest | (offset & ~segment));
  bool isIn = kind == Up ? from >= int64_t(highest) : from <= int64_t(highest);
  return {isIn ? uint32_t(from) : i, isIn};
}

static uint64_t shuffle(Lane *lane, uint32_t mask, uint32_t value, uint32_t offset, uint32_t clamp, int kind,
                        int site) {
  static const char *const names[] = {"shfl.sync.bfly", "shfl.sync.up", "shfl.sync.down", "shfl.sync.idx"};
  Shuffled own{value, offset, clamp, 0};
  rendezvous<false>(*lane, names[kind], mask, site, &own, [&](Lane *lanes, uint32_t there) {
    forEachLane(there, [&](uint32_t i) {
      auto &s = *static_cast<Shuffled *>(lanes[i].exchange);
      auto [from, isIn] = sourceLane(i, s, kind);
      // From a lane that takes no part comes anything; the result may be one that nobody uses.
      bool isThere = there >> from & 1;
      s.result = (isThere ? static_cast<Shuffled *>(lanes[from].exchange)->value : ~0u) | uint64_t(isIn) << 32;
    });
  });
  return own.result;
}

/// Kinds: 0 add, 1 min.s32, 2 min.u32, 3 max.s32, 4 max.u32, 5 and, 6 or, 7 xor, 8 match.any, 9 ballot, 10 match.all,
/// 11 the lowest lane, 12 to 14 as 9 for vote.all, any and uni. As in Collectives.cpp of the translation.
static uint64_t reduceAll(Lane *lanes, uint32_t there, int kind) {
  auto valueOf = [&](uint32_t i) { return static_cast<Reduced *>(lanes[i].exchange)->value; };
  uint32_t first = uint32_t(std::countr_zero(there));
  if (kind == 11)
    return first;
  if (kind == 9 || kind > 11) { // who has a true predicate, and above that who votes
    uint64_t votes = uint64_t(there) << 32;
    forEachLane(there, [&](uint32_t i) { votes |= uint64_t(valueOf(i) & 1) << i; });
    return votes;
  }
  uint64_t result = kind == 0 || kind == 6 || kind == 7 ? 0 : valueOf(first);
  bool isAllEqual = true;
  forEachLane(there, [&](uint32_t i) {
    uint64_t value = valueOf(i);
    switch (kind) {
    case 0: result += value; break;
    case 1: result = uint32_t(std::min(int32_t(result), int32_t(value))); break;
    case 2: result = std::min(uint32_t(result), uint32_t(value)); break;
    case 3: result = uint32_t(std::max(int32_t(result), int32_t(value))); break;
    case 4: result = std::max(uint32_t(result), uint32_t(value)); break;
    case 5: result &= value; break;
    case 6: result |= value; break;
    case 7: result ^= value; break;
    default: isAllEqual &= value == result;
    }
  });
  return kind == 10 ? (isAllEqual ? there : 0) : result;
}

static uint64_t reduceWarp(Lane *lane, uint32_t mask, uint64_t value, int kind, int site) {
  Reduced own{value, 0};
  static const char *const names[] = {"redux.sync.add", "redux.sync.min",   "redux.sync.min", "redux.sync.max",
                                      "redux.sync.max", "redux.sync.and",   "redux.sync.or",  "redux.sync.xor",
                                      "match.any.sync", "vote.sync.ballot", "match.all.sync", "elect.sync",
                                      "vote.sync.all",  "vote.sync.any",    "vote.sync.uni"};
  rendezvous<false>(*lane, names[kind], mask, site, &own, [&](Lane *lanes, uint32_t there) {
    if (kind != 8) {
      uint64_t result = reduceAll(lanes, there, kind);
      forEachLane(there, [&](uint32_t i) { static_cast<Reduced *>(lanes[i].exchange)->result = result; });
      return;
    }
    forEachLane(there, [&](uint32_t i) {
      auto &mine = *static_cast<Reduced *>(lanes[i].exchange);
      mine.result = 0;
      forEachLane(there, [&](uint32_t j) {
        mine.result |= uint64_t(static_cast<Reduced *>(lanes[j].exchange)->value == mine.value) << j;
      });
    });
  });
  return own.result;
}

/// Turns that a lane gives the others to come to the same activemask.
static constexpr int activeMaskTurns = 1000;

/// The lanes that are here once the others wait elsewhere: all of them get the same mask, so that they can meet by it.
static uint32_t activeMask(Lane *lane, int site) {
  static const char *const name = "activemask";
  Lane *lanes = lane - lane->index;
  lane->waitsFor = name;
  lane->site = site;
  lane->isServed = false;
  auto isHere = [&](uint32_t i) { return lanes[i].waitsFor == name && lanes[i].site == site && !lanes[i].isServed; };
  for (int turn = 0; turn < activeMaskTurns && !lane->isServed; ++turn) {
    bool isOnTheWay = false;
    forEachLane(lane->warp->ready, [&](uint32_t i) { isOnTheWay |= !isHere(i); });
    if (!isOnTheWay)
      break;
    yield(*lane);
  }
  if (lane->isServed)
    return lane->mask;
  uint32_t here = 0;
  forEachLane(lane->warp->ready, [&](uint32_t i) { here |= uint32_t(isHere(i)) << i; });
  forEachLane(here, [&](uint32_t i) { lanes[i].isServed = true, lanes[i].mask = here; });
  return here;
}

static uint32_t maskOf(Lane *lane, int kind) {
  uint32_t own = 1u << lane->special[LaneId];
  uint32_t below = own - 1;
  return kind == 0 ? own : kind == 1 ? below : kind == 2 ? below | own : kind == 3 ? ~(below | own) : ~below;
}
static uint32_t maskEq(Lane *lane) { return maskOf(lane, 0); }
static uint32_t maskLt(Lane *lane) { return maskOf(lane, 1); }
static uint32_t maskLe(Lane *lane) { return maskOf(lane, 2); }
static uint32_t maskGt(Lane *lane) { return maskOf(lane, 3); }
static uint32_t maskGe(Lane *lane) { return maskOf(lane, 4); }

static constexpr int64_t fuelPerTurn = 10000;
/// Turns without an end: at 10000 branches each some minutes.
static constexpr int64_t maxTurns = 1 << 20;

static void tick(Lane *lane, int site) {
  lane->fuel = fuelPerTurn;
  if (++lane->turns > maxTurns) {
    reports().add(*lane, "livelock", "a loop has branched back " + std::to_string(maxTurns * fuelPerTurn) + " times",
                  site, 702 /* CUDA_ERROR_LAUNCH_TIMEOUT */);
    abandon(*lane);
  }
  if (lane->block->hasFibers)
    yield(*lane);
}

static void yieldLane(Lane *lane) {
  if (lane->block->hasFibers)
    yield(*lane);
}

static void trap(Lane *lane, int site) {
  reports().add(*lane, "trap", "the kernel has executed a trap", site, illegalInstruction);
  abandon(*lane);
}

/// Nanoseconds since some moment before the first launch.
static uint64_t readGlobalTimer(Lane *) {
  return uint64_t(std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

static void exitLane(Lane *lane) { exitThread(*lane); }

llvm::ArrayRef<Callee> warpCallees() {
  static const Callee list[] = {{"dscc_sim_sync_warp", reinterpret_cast<void *>(syncWarp)},
                                {"dscc_sim_shuffle", reinterpret_cast<void *>(shuffle)},
                                {"dscc_sim_warp_reduce", reinterpret_cast<void *>(reduceWarp)},
                                {"dscc_sim_active_mask", reinterpret_cast<void *>(activeMask)},
                                {"dscc_sim_global_timer", reinterpret_cast<void *>(readGlobalTimer)},
                                {"dscc_sim_lanemask_eq", reinterpret_cast<void *>(maskEq)},
                                {"dscc_sim_lanemask_lt", reinterpret_cast<void *>(maskLt)},
                                {"dscc_sim_lanemask_le", reinterpret_cast<void *>(maskLe)},
                                {"dscc_sim_lanemask_gt", reinterpret_cast<void *>(maskGt)},
                                {"dscc_sim_lanemask_ge", reinterpret_cast<void *>(maskGe)},
                                {"dscc_sim_tick", reinterpret_cast<void *>(tick)},
                                {"dscc_sim_yield", reinterpret_cast<void *>(yieldLane)},
                                {"dscc_sim_trap", reinterpret_cast<void *>(trap)},
                                {"dscc_sim_exit", reinterpret_cast<void *>(exitLane)}};
  return list;
}

} // namespace dscc::sim
