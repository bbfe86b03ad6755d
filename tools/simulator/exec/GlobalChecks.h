// What the checks know of global memory between the units of a launch: clusters, or single blocks.
//
//     unit a: store x; fence; atomic on w  ── release ──►  what w's writers have told
//     unit b: atomic on w; load x          ◄── acquire ──  is joined: a's store came before
//
// A unit counts its releases: fences behind an access. What it did before the n-th is known to all that have met, at an
// atomic or a strong access, somebody who knew of the n-th.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_GLOBALCHECKS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_GLOBALCHECKS_H

#include "tools/simulator/exec/Memory.h"
#include "tools/simulator/exec/SharedChecks.h"

#include <map>
#include <mutex>
#include <unordered_map>

namespace dscc::sim {

/// Releases of other units, by their numbers.
struct UnitKnowledge {
  std::map<uint32_t, uint32_t> releases; // by unit: how many of its own are known

  /// What either knows.
  void join(const UnitKnowledge &other);
  /// All releases of the unit up to `count` are known.
  void join(uint32_t unit, uint32_t count);
};

/// What the words of global memory tell, in one launch. Host threads share it.
class LaunchOrder {
public:
  /// Nothing can be ordered without a fence: such a kernel's atomics need not be followed.
  explicit LaunchOrder(bool hasFences) : hasFences(hasFences) {}

  const bool hasFences; // of the kernel: some that release beyond a cluster

  /// Tells what a unit knows at a word, an address over 8, to all that observe it from now on.
  void publish(uint64_t word, const UnitKnowledge &knowledge);
  /// Adds what has been told at the word.
  void observe(uint64_t word, UnitKnowledge &knowledge);

private:
  struct Shard {
    std::mutex lock;
    std::unordered_map<uint64_t, UnitKnowledge> words;
  };
  Shard shards[64];
};

/// One unit's part in it.
struct UnitOrder {
  LaunchOrder *launch = nullptr;  // null: the launch has too many units for it
  uint32_t number = 0;            // of the unit in its launch, from 0
  uint32_t releases = 0;          // its own so far
  bool hasAccessed = false;       // global memory, since the last release
  bool isNarrow = false;          // the strong access that is looked at has a scope within the unit
  UnitKnowledge known;            // releases that came before what the unit does now
  std::vector<uint64_t> observed; // words whose knowledge is joined at the next access, when the atomic is done
};

/// Looks at what a bulk copy does to global memory.
void checkGlobalRange(Lane &lane, const char *address, size_t bytes, Access access, int site);
/// Races with other units; `offset` is that of the access in its allocation.
void checkBetweenUnits(Lane &lane, const Allocation &allocation, size_t offset, uint32_t bytes, Access access,
                       int site);
/// A releasing fence that other blocks' threads take part in.
void fenceUnits(Lane &lane);
/// Beyond these, races are not looked for: in any launch, and where fences order the units.
inline constexpr uint64_t mostUnits = (1u << 22) - 2, mostOrderedUnits = 4096;

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_GLOBALCHECKS_H
