// Who knows of whose accesses: vector clocks, one for each warp.
//
//     warp a: store x; arrive on an mbarrier  ── release ──►  the mbarrier's knowledge
//     warp b: wait for it; load x             ◄── acquire ──  is joined: a's store came before
//
// A component counts the releases of one warp of the unit. What works beside the threads (bulk copies, wgmma) has
// components of its own, so that an access by it is known to be over only to those that have waited for it.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_CLOCKS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_CLOCKS_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dscc::sim {

struct Lane;

/// A count for each component: the unit's warps by their numbers, then what works beside the threads.
using Clock = std::vector<uint32_t>;

/// Empty unless races are looked for.
struct Knowledge {
  Clock seen;   // accesses that came before
  Clock fenced; // of those, the stores that the asynchronous proxy sees as well

  /// What either knows.
  void join(const Knowledge &other) {
    if (seen.size() < other.seen.size()) {
      seen.resize(other.seen.size());
      fenced.resize(other.seen.size());
    }
    for (size_t i = 0; i < other.seen.size(); ++i) {
      seen[i] = std::max(seen[i], other.seen[i]);
      fenced[i] = std::max(fenced[i], other.fenced[i]);
    }
  }
  /// What both know.
  void meet(const Knowledge &other) {
    for (size_t i = 0; i < seen.size(); ++i) {
      seen[i] = std::min(seen[i], other.seen[i]);
      fenced[i] = std::min(fenced[i], other.fenced[i]);
    }
  }
  /// Knows of nothing, as at first.
  void clear() {
    seen.clear();
    fenced.clear();
  }
};

/// Numbers of what works beside the threads; a thread's number in its unit is below all of them.
inline constexpr uint16_t firstAgent = 0xe000, loadAgent = firstAgent, storeAgent = firstAgent + 1,
                          firstWarpgroupAgent = firstAgent + 2;

/// What the lane's warp knows goes into `object`; what it does from now on does not.
void release(Lane &lane, Knowledge &object);
/// The lane's warp knows what `object` holds.
void acquire(Lane &lane, const Knowledge &object);
/// The lane has waited for the first `count` operations of an agent.
void acquireAgent(Lane &lane, uint16_t agent, uint32_t count);
/// The first `count` operations of an agent are part of what `object` holds.
void releaseAgent(const Lane &lane, uint16_t agent, uint32_t count, Knowledge &object);
/// fence.proxy.async: stores that the warp knows of become visible to bulk copies and wgmma.
void fenceProxy(Lane &lane);
/// A fence that releases: what the warp knows goes with its atomics and strong stores from now on. One that acquires:
/// what came with those that it has read, it knows.
void fenceThreads(Lane &lane, bool acquires, bool releases);
/// An atomic, or a strong load or store, of a word.
void meetAt(Lane &lane, const char *word, bool reads, bool writes);
/// A lane's number among the threads of its unit.
uint16_t numberInUnit(const Lane &lane);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_CLOCKS_H
