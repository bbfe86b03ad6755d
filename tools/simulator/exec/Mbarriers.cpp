// mbarriers: counts of arrivals and bytes, phase after phase.
//
// The count itself is kept beside the block; its 64 bits of shared memory hold a mark only, so that a program which
// overwrites them, or never made them an mbarrier, is found.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/SharedChecks.h"
#include "tools/simulator/exec/UnitSync.h"

#include <cstring>

namespace dscc::sim {

static constexpr uint64_t mark = 0xdbdbdbdb00000000;
static constexpr uint32_t maxCount = (1 << 20) - 1;
/// Waits that may give up do so this often before it counts as a deadlock.
static constexpr uint32_t maxStalls = 64;

[[noreturn]] static void refuse(Lane &lane, const char *kind, const std::string &what, int site) {
  fault(lane, kind, what, site, illegalInstruction);
}

static std::string placeOf(const Lane &lane, const char *address) {
  const Block *owner = findSharedOwner(lane, address);
  std::string text = "mbarrier at shared address " + std::to_string(owner ? address - owner->shared : 0);
  return owner && owner != lane.block ? text + " of the cluster's block " + std::to_string(owner->rank) : text;
}

Mbarrier &mbarrierAt(Lane &lane, char *address, int site) {
  UnitSync &sync = *lane.block->unit->sync;
  auto found = sync.mbarriers.find(address);
  if (found == sync.mbarriers.end())
    refuse(lane, "mbarrier not initialised", "there is no " + placeOf(lane, address) + ": mbarrier.init comes first",
           site);
  uint64_t word;
  std::memcpy(&word, address, sizeof word);
  if (word != (mark | found->second.expected))
    refuse(lane, "mbarrier overwritten", "something has written over the " + placeOf(lane, address), site);
  return found->second;
}

static void writeMark(char *address, const Mbarrier &mbarrier) {
  uint64_t word = mark | mbarrier.expected;
  std::memcpy(address, &word, sizeof word);
}

static void initialise(Lane *lane, char *address, uint32_t count, int site) {
  Block *owner = findSharedOwner(*lane, address);
  if (!owner || (address - owner->shared) % 8) {
    reports().add(*lane, "misaligned access", "an mbarrier lies in shared memory, at a multiple of 8 bytes", site,
                  misalignedAddress);
    abandon(*lane);
  }
  if (!count || count > maxCount)
    refuse(*lane, "illegal mbarrier",
           "an mbarrier of " + std::to_string(count) + " arrivals: from 1 to " + std::to_string(maxCount) +
               " are allowed",
           site);
  if (settings().check != CheckLevel::None)
    checkShared(*lane, *owner, address, 8, Access::StrongStore, site);
  Mbarrier &made = lane->block->unit->sync->mbarriers[address];
  made = Mbarrier();
  made.expected = made.pending = count;
  writeMark(address, made);
}

static void invalidate(Lane *lane, char *address, int site) {
  mbarrierAt(*lane, address, site);
  lane->block->unit->sync->mbarriers.erase(address);
}

/// If the phase has all that it waits for, the next one begins.
static void advance(Unit &unit, Mbarrier &mbarrier) {
  if (mbarrier.pending || mbarrier.bytes)
    return;
  ++mbarrier.phase;
  mbarrier.pending = mbarrier.expected;
  mbarrier.done.join(mbarrier.current);
  mbarrier.current.clear();
  unit.sync->stalls = 0;
  for (Lane *lane : mbarrier.waiting)
    makeReady(*lane);
  mbarrier.waiting.clear();
}

void completeBytes(Lane &issuer, char *address, int64_t bytes, uint32_t operation, int site) {
  Mbarrier &mbarrier = mbarrierAt(issuer, address, site);
  mbarrier.bytes -= bytes;
  if (operation)
    releaseAgent(issuer, loadAgent, operation, mbarrier.current);
  if (mbarrier.bytes < -int64_t(maxCount))
    refuse(issuer, "illegal mbarrier",
           "more bytes have arrived at the " + placeOf(issuer, address) + " than it can count", site);
  advance(*issuer.block->unit, mbarrier);
}

void arriveAt(Lane &lane, char *address, uint32_t count, const Knowledge &knowledge, int site) {
  Mbarrier &mbarrier = mbarrierAt(lane, address, site);
  if (count > mbarrier.pending)
    refuse(lane, "too many arrivals",
           std::to_string(count) + " at the " + placeOf(lane, address) + ", which waits for " +
               std::to_string(mbarrier.pending) + " more of " + std::to_string(mbarrier.expected) + " in this phase",
           site);
  mbarrier.pending -= count;
  mbarrier.current.join(knowledge);
  advance(*lane.block->unit, mbarrier);
}

/// The state that arrive gives: phase and pending count.
static uint64_t stateOf(const Mbarrier &mbarrier) { return mbarrier.phase << 20 | mbarrier.pending; }

/// More bytes have to arrive in this phase.
static void expectMore(Lane &lane, Mbarrier &mbarrier, char *address, int64_t bytes, int site) {
  mbarrier.bytes += bytes;
  if (mbarrier.bytes > int64_t(maxCount))
    refuse(lane, "illegal mbarrier",
           "the " + placeOf(lane, address) + " cannot count more than " + std::to_string(maxCount) + " bytes", site);
}

static uint64_t arrive(Lane *lane, char *address, uint32_t count, int64_t bytes, int isDrop, int site) {
  Mbarrier &mbarrier = mbarrierAt(*lane, address, site);
  uint64_t state = stateOf(mbarrier);
  expectMore(*lane, mbarrier, address, bytes, site);
  if (isDrop) {
    if (mbarrier.expected < count)
      refuse(*lane, "too many arrivals", "more threads drop out of the " + placeOf(*lane, address) + " than it has",
             site);
    mbarrier.expected -= count;
    writeMark(address, mbarrier);
  }
  Knowledge own;
  release(*lane, own);
  arriveAt(*lane, address, count, own, site);
  return state;
}

static void expectBytes(Lane *lane, char *address, int64_t bytes, int site) {
  expectMore(*lane, mbarrierAt(*lane, address, site), address, bytes, site);
}

static void completeTransaction(Lane *lane, char *address, int64_t bytes, int site) {
  completeBytes(*lane, address, bytes, 0, site);
}

namespace {
enum Wait { TestState, TestParity, TryState, TryParity };
} // namespace

static bool isComplete(const Mbarrier &mbarrier, uint64_t phase, int kind) {
  bool byParity = kind == TestParity || kind == TryParity;
  return byParity ? (mbarrier.phase & 1) != phase : mbarrier.phase > phase >> 20;
}

/// Whether the phase is complete. test_wait asks; try_wait sleeps, until it is or nothing else can go on.
static uint32_t waitFor(Lane *lane, char *address, uint64_t phase, int kind, int site) {
  Unit &unit = *lane->block->unit;
  bool sleeps = kind == TryState || kind == TryParity;
  for (;;) {
    Mbarrier &mbarrier = mbarrierAt(*lane, address, site);
    if (!isComplete(mbarrier, phase, kind))
      landCopies(unit, address);
    if (isComplete(mbarrier, phase, kind)) {
      acquire(*lane, mbarrier.done);
      return 1;
    }
    if (!sleeps) {
      yield(*lane);
      return 0;
    }
    mbarrier.waiting.push_back(lane);
    lane->exchange = address;
    lane->isServed = true; // false once it has to give up
    wait(*lane, waitsForMbarrier, site);
    if (!lane->isServed)
      return 0;
  }
}

static uint32_t pendingCount(Lane *, uint64_t state) { return uint32_t(state & maxCount); }

std::string describeMbarrier(const Lane &lane) {
  char *address = static_cast<char *>(lane.exchange);
  auto found = lane.block->unit->sync->mbarriers.find(address);
  if (found == lane.block->unit->sync->mbarriers.end())
    return "an mbarrier";
  const Mbarrier &mbarrier = found->second;
  return "the " + placeOf(lane, address) + " (phase " + std::to_string(mbarrier.phase) + ": " +
         std::to_string(mbarrier.pending) + " of " + std::to_string(mbarrier.expected) + " arrivals and " +
         std::to_string(mbarrier.bytes) + " bytes to come)";
}

void landCopies(Unit &unit, char *mbarrier) {
  UnitSync &sync = *unit.sync;
  // One may wake a thread, but none runs before this one waits: nothing is added meanwhile.
  for (size_t i = 0; i < sync.loads.size();) {
    if (mbarrier && sync.loads[i].mbarrier != mbarrier) {
      ++i;
      continue;
    }
    BulkCopy copy = sync.loads[i];
    sync.loads.erase(sync.loads.begin() + ptrdiff_t(i));
    perform(copy);
    completeBytes(*copy.issuer, copy.mbarrier, copy.bytes, copy.operation, copy.site);
  }
  for (size_t i = 0; i < sync.tracked.size();) {
    if (mbarrier && sync.tracked[i].mbarrier != mbarrier) {
      ++i;
      continue;
    }
    TrackedCopies copies = std::move(sync.tracked[i]);
    sync.tracked.erase(sync.tracked.begin() + ptrdiff_t(i));
    landUntil(*copies.issuer, copies.end);
    arriveAt(*copies.issuer, copies.mbarrier, 1, copies.knowledge, copies.site);
  }
}

static bool hasReady(const Unit &unit) {
  for (const Block *block : unit.blocks)
    for (const Warp &warp : block->warps)
      if (warp.ready)
        return true;
  return false;
}

bool resolveStall(Unit &unit) {
  UnitSync &sync = *unit.sync;
  landCopies(unit, nullptr);
  if (hasReady(unit))
    return true;
  if (++sync.stalls > maxStalls)
    return false;
  for (auto &[address, mbarrier] : sync.mbarriers) {
    for (Lane *lane : mbarrier.waiting) {
      lane->isServed = false;
      makeReady(*lane);
    }
    mbarrier.waiting.clear();
  }
  return hasReady(unit);
}

/// cp.async.mbarrier.arrive: the thread's copies so far are one arrival.
static void trackCopies(Lane *lane, char *address, int isCounted, int site) {
  Mbarrier &mbarrier = mbarrierAt(*lane, address, site);
  if (!isCounted)
    ++mbarrier.pending;
  lane->numTracked = lane->numLanded + lane->copies.size();
  TrackedCopies tracked{lane, address, lane->numTracked, site, {}};
  release(*lane, tracked.knowledge);
  lane->block->unit->sync->tracked.push_back(std::move(tracked));
}

llvm::ArrayRef<Callee> mbarrierCallees() {
  static const Callee list[] = {{"dscc_sim_mbarrier_init", reinterpret_cast<void *>(initialise)},
                                {"dscc_sim_mbarrier_inval", reinterpret_cast<void *>(invalidate)},
                                {"dscc_sim_mbarrier_arrive", reinterpret_cast<void *>(arrive)},
                                {"dscc_sim_mbarrier_expect", reinterpret_cast<void *>(expectBytes)},
                                {"dscc_sim_mbarrier_complete", reinterpret_cast<void *>(completeTransaction)},
                                {"dscc_sim_mbarrier_wait", reinterpret_cast<void *>(waitFor)},
                                {"dscc_sim_mbarrier_pending", reinterpret_cast<void *>(pendingCount)},
                                {"dscc_sim_track_copies", reinterpret_cast<void *>(trackCopies)}};
  return list;
}

} // namespace dscc::sim
