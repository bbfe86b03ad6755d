// A race in global memory is a pair of accesses to one word by two units of a launch, one of them a plain store, that
// nothing orders: a fence behind the first, then an atomic or strong access of its unit that the other has met. A word
// remembers one access only, a store before an atomic before a load, and a thread's fence counts for its whole unit; so
// some races go unseen, and none is made up.

#include "tools/simulator/exec/GlobalChecks.h"

#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/UnitSync.h"

namespace dscc::sim {

void UnitKnowledge::join(uint32_t unit, uint32_t count) {
  uint32_t &mine = releases[unit];
  mine = std::max(mine, count);
}

void UnitKnowledge::join(const UnitKnowledge &other) {
  for (auto [unit, count] : other.releases)
    join(unit, count);
}

void LaunchOrder::publish(uint64_t word, const UnitKnowledge &knowledge) {
  Shard &shard = shards[word % std::size(shards)];
  std::lock_guard guard(shard.lock);
  shard.words[word].join(knowledge);
}

void LaunchOrder::observe(uint64_t word, UnitKnowledge &knowledge) {
  Shard &shard = shards[word % std::size(shards)];
  std::lock_guard guard(shard.lock);
  if (auto found = shard.words.find(word); found != shard.words.end())
    knowledge.join(found->second);
}

void fenceUnits(Lane &lane) {
  UnitOrder &order = lane.block->unit->sync->order;
  if (!order.launch || !order.hasAccessed)
    return;
  order.hasAccessed = false;
  order.known.join(order.number, ++order.releases);
}

namespace {
/// The last access to a word, in one number; 0: there was none.
struct WordAccess {
  enum Kind : uint64_t { Load, StrongLoad, Atomic, Store }; // the later is remembered before the earlier
  static constexpr unsigned kindBits = 2, epochBits = 19, unitBits = 22, launchBits = 20;

  Kind kind;
  uint64_t epoch; // the unit's releases before it
  uint64_t unit;  // + 1
  uint64_t launch;

  uint64_t pack() const {
    return kind | epoch << kindBits | unit << (kindBits + epochBits) | launch << (kindBits + epochBits + unitBits);
  }
  static uint64_t field(uint64_t bits, unsigned from, unsigned count) { return bits >> from & ((1ull << count) - 1); }
  static WordAccess unpack(uint64_t bits) {
    return {Kind(field(bits, 0, kindBits)), field(bits, kindBits, epochBits),
            field(bits, kindBits + epochBits, unitBits), field(bits, kindBits + epochBits + unitBits, launchBits)};
  }
};
} // namespace

static WordAccess::Kind kindOf(Access access) {
  if (!isStrong(access))
    return access == Access::Load ? WordAccess::Load : WordAccess::Store;
  return access == Access::StrongLoad ? WordAccess::StrongLoad : WordAccess::Atomic;
}

/// A plain load beside an atomic passes: loops around compare-and-swap begin with one, and start over if it was stale.
static bool conflict(WordAccess::Kind a, WordAccess::Kind b) {
  return a == WordAccess::Store || b == WordAccess::Store;
}

static const char *verb(WordAccess::Kind kind) {
  static const char *const verbs[] = {"loads", "loads", "changes by an atomic", "stores to"};
  return verbs[kind];
}

static const char *noun(WordAccess::Kind kind) {
  static const char *const nouns[] = {"load", "volatile load", "atomic", "store"};
  return nouns[kind];
}

static bool isOrdered(const UnitOrder &order, const WordAccess &before) {
  auto found = order.known.releases.find(uint32_t(before.unit - 1));
  return found != order.known.releases.end() && found->second > before.epoch;
}

[[gnu::noinline]] static void meetUnits(UnitOrder &order, const char *address, uint32_t bytes, Access access) {
  for (uint64_t word : order.observed)
    order.launch->observe(word, order.known);
  order.observed.clear();
  if (!isStrong(access) || order.isNarrow)
    return;
  uint64_t first = reinterpret_cast<uintptr_t>(address) / 8,
           end = (reinterpret_cast<uintptr_t>(address) + bytes + 7) / 8;
  for (uint64_t word = first; word < end; ++word) {
    if (publishes(access) && !order.known.releases.empty())
      order.launch->publish(word, order.known);
    if (observes(access))
      order.observed.push_back(word);
  }
}

[[gnu::noinline]] static void reportRace(Lane &lane, const Allocation &allocation, size_t offset, uint32_t bytes,
                                         WordAccess::Kind kind, const WordAccess &before, int site) {
  reports().add(lane, "race between blocks",
                std::string(noun(kind)) + " of " + std::to_string(bytes) + " bytes at byte " + std::to_string(offset) +
                    " of " + allocation.describe() + ", which " +
                    (lane.block->unit->blocks.size() > 1 ? "cluster " : "block ") + std::to_string(before.unit - 1) +
                    " " + verb(before.kind),
                site);
}

void checkBetweenUnits(Lane &lane, const Allocation &allocation, size_t offset, uint32_t bytes, Access access,
                       int site) {
  UnitOrder &order = lane.block->unit->sync->order;
  constexpr uint64_t mostReleases = (1u << WordAccess::epochBits) - 1;
  if (!order.launch || order.releases >= mostReleases)
    return;
  if (order.launch->hasFences)
    meetUnits(order, allocation.begin + offset, bytes, access);
  order.hasAccessed = true;
  constexpr uint64_t launchMask = (1u << WordAccess::launchBits) - 1;
  WordAccess mine{kindOf(access), order.releases, order.number + 1, lane.special[GridId] & launchMask};
  for (size_t row = offset / 4; row <= (offset + bytes - 1) / 4; ++row) {
    std::atomic<uint64_t> &last = allocation.accesses[row];
    WordAccess before = WordAccess::unpack(last.load(std::memory_order_relaxed));
    bool isSameLaunch = before.unit && before.launch == mine.launch;
    // Neighbours within a word are told apart by nobody here: only whole words count.
    if (isSameLaunch && before.unit != mine.unit && conflict(before.kind, mine.kind) && bytes >= 4 && offset % 4 == 0 &&
        !isOrdered(order, before))
      reportRace(lane, allocation, row * 4, bytes, mine.kind, before, site);
    if (!isSameLaunch || mine.kind >= before.kind)
      last.store(mine.pack(), std::memory_order_relaxed);
  }
}

} // namespace dscc::sim
