// A block of GPU threads while it runs: a fiber for each thread, a warp for each 32 of them, shared memory.
//
//     thread ─ runs ─► collective ─► all there? ──no──► the next ready thread
//                                        │yes
//                                        ▼
//                       the last to arrive does it for all
//
// Threads of a block share one host thread, so nothing here is locked; only memory that blocks share is.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_BLOCK_H
#define DSCC_TOOLS_SIMULATOR_EXEC_BLOCK_H

#include "tools/simulator/Machine.h"
#include "tools/simulator/exec/Clocks.h"
#include "tools/simulator/exec/Fiber.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace dscc::sim {

struct Block;
struct Unit;
struct Warp;
struct Allocation;
struct BlockStatistics;

inline constexpr uint32_t lanesPerWarp = 32;
inline constexpr uint32_t allLanes = ~0u;

/// Where a special register stands in Lane::special.
enum Special : uint32_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpSize,
  WarpId,
  NwarpId,
  SmId,
  NsmId,
  GridId,
  ClusterCtaRank,
  ClusterNctaRank,
  ClusterCtaidX,
  ClusterCtaidY,
  ClusterCtaidZ,
  ClusterNctaidX,
  ClusterNctaidY,
  ClusterNctaidZ,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NclusterIdX,
  NclusterIdY,
  NclusterIdZ,
  DynamicSharedBytes,
  TotalSharedBytes,
  AggregateSharedBytes,
  IsExplicitCluster,
  NumSpecials
};

/// One copy of cp.async that has not landed.
struct AsyncCopy {
  char *target;
  const char *source;
  uint32_t bytes, sourceBytes; // the rest of `bytes` becomes 0
  int site;                    // of the copy
};

/// How far a thread has come with wgmma.
struct WgmmaProgress {
  uint32_t last = 0, waited = 0;             // numbers of the last one issued, and of the last one waited for
  std::vector<uint32_t> groups;              // the last operation of each group under way
  uint32_t fences = 0;                       // so far
  bool hasIssued = false, hasWaited = false; // since the last fence
};

/// One GPU thread. What stands first is known to compiled code by its offset.
struct Lane {
  uint32_t special[NumSpecials];
  char *shared;      // the block's window: address 0 of .shared
  int64_t fuel;      // backward branches until tick() is called
  uint64_t position; // of the call that it is about to make, as Statistics.h understands it

  // What a switch and a collective look at: one line of the cache.
  alignas(64) Fiber fiber;
  Block *block;
  Warp *warp;
  void *exchange; // operands and results of the collective, on its stack
  // What it waits for, since `site`, a PTX line.
  const char *waitsFor;
  int site;
  uint32_t mask;
  uint32_t index, thread; // in the warp, in the block
  bool isServed;          // the collective has taken place
  bool isDone;

  int64_t turns; // ticks so far
  // cp.async: what has not landed, in order, behind the first numLanded of the thread; how many of all an mbarrier
  // waits for; where the groups committed end.
  std::vector<AsyncCopy> copies;
  uint64_t numLanded = 0, numTracked = 0;
  std::vector<uint64_t> copyGroups;
  // Bulk copies that a bulk group of this thread waits for: operations issued since the last commit, and by group.
  std::vector<uint32_t> openBulk;
  std::vector<std::vector<uint32_t>> bulkGroups;
  size_t numBulkRead = 0; // of the oldest groups: their sources have been read, and are not waited for
  WgmmaProgress wgmma;
  bool isInCluster = false;  // it has arrived at the cluster's barrier, and not waited
  uint64_t clusterPhase = 0; // of the barrier when it arrived
};

struct Warp {
  uint32_t ready = 0, alive = 0, arrived = 0; // masks of lanes
  uint32_t index = 0;
  uint32_t epoch = 1;    // lanes see each other's shared memory once it has advanced
  uint32_t meetings = 0; // of all its lanes, whether memory is ordered by them or not
  uint32_t number = 0;   // in the unit
  Knowledge knowledge;
  Knowledge released, observed; // at its last fence; by its atomics since
  uint32_t ownSeen = 0;         // the warp's own releases that have come back to it: its lanes are ordered by them
};

inline constexpr uint32_t numBarriers = 16, maxWarps = 32; // of a block

/// A named barrier: id 0 is bar.sync 0. A warp has arrived when all of its lanes that are alive are there.
struct Barrier {
  uint32_t present = 0, whole = 0;    // masks of warps: with lanes here; that have arrived
  uint32_t arrived = 0, expected = 0; // warps
  uint32_t count = 0;                 // as it was given first
  bool isOfAll = false;               // nobody has given a count: as many as are alive
  bool isReduction = false;
  Knowledge knowledge; // of the threads that only arrive
  struct Lanes {
    uint32_t here = 0;    // until their warp has arrived
    uint32_t waiting = 0; // until the others have, too
  } lanes[maxWarps];      // masks
};

/// One access to a word of shared memory.
struct SharedAccess {
  uint32_t clock = 0; // of its warp, or the agent's operation; 0: there was none
  uint32_t warpEpoch = 0;
  uint16_t who = 0; // a thread of the unit, or an agent
};

/// A word of shared memory, for finding races: who wrote it last, who read it since.
struct SharedShadow {
  SharedAccess write, read, atomic;
  uint32_t readSet = 0; // of readers that nothing orders, in Block::readSets; 0: there is one
  uint8_t writtenBytes = 0, readBytes = 0, atomicBytes = 0; // masks
  uint8_t initialised = 0;                                  // mask, since the block began
  uint8_t pending = 0;                                      // mask: a bulk copy will write there
  uint8_t reducing = 0;                                     // mask: bulk reductions will change it
  uint8_t landing = 0;                                      // mask: a cp.async will
};

struct UnitSync; // mbarriers, bulk copies and the cluster's barrier

/// The blocks that run together on one host thread: a cluster, or one block.
struct Unit {
  std::vector<Block *> blocks;
  uint32_t numWarps = 0; // of all blocks
  UnitSync *sync = nullptr;
  Fiber host = hostFiber();
  uint32_t numAlive = 0; // threads
  bool isOver = false;   // a fault has ended it
  std::mt19937_64 random;
  bool isShuffled = false;
};

struct Block {
  Unit *unit;
  const Kernel *kernel;
  const LaunchShape *shape;
  void **arguments;
  uint32_t index[3];
  std::vector<Lane> lanes;
  std::vector<Warp> warps;
  uint32_t numThreads, numAlive;
  uint32_t aliveWarps;       // mask: threads of them are alive
  uint32_t openBarriers = 0; // mask: threads are at them
  Barrier barriers[numBarriers];
  Knowledge exited; // of the threads that have come to their end: barriers of all threads order those too
  char *shared;
  uint32_t sharedBytes;
  // The allocations that accesses have hit last, so that they need not be looked up.
  const Allocation *recent[4] = {};
  uint32_t nextRecent = 0;
  std::vector<SharedShadow> shadow;                // a row each 4 bytes of shared memory; empty unless checked
  std::vector<std::vector<SharedAccess>> readSets; // by warp and agent
  std::vector<uint32_t> freeReadSets;
  uint32_t rank = 0; // in the unit
  bool hasFibers = false;
  char *stacks;
  size_t stackBytes;                           // a thread
  std::shared_ptr<BlockStatistics> statistics; // null unless they are wanted
};

/// The reports of a launch; shared by its blocks.
class Reports {
public:
  /// Notes what went wrong at `site` of the lane's kernel.
  void add(const Lane &lane, llvm::StringRef kind, const std::string &what, int site, int driverError = 0);
  /// Not a thread's fault.
  void addFailure(llvm::StringRef what, int driverError);
  void begin();
  bool isFaulted() const { return faulted; }
  std::vector<Report> take();

private:
  void append(Report report);

  std::mutex lock;
  std::vector<Report> list;
  std::atomic<bool> faulted{false};
  size_t dropped = 0;
};
Reports &reports();

/// Lets the next ready thread run until this one is made ready again; reports a deadlock if there is none.
void wait(Lane &lane, const char *what, int site);
inline void makeReady(Lane &lane) { lane.warp->ready |= 1u << lane.index; }
/// Lets others run first; returns when it is this thread's turn again.
void yield(Lane &lane);
/// Ends the block at once, without coming back: after a fault.
[[noreturn]] void abandon(Lane &lane);
/// All threads are done.
[[noreturn]] void leave(Lane &lane);

/// Waits until all lanes of `mask` that are alive wait for `what`, which is told apart by its address, with the same
/// mask, and, if it is an aligned instruction, at the same place. The last one calls act(lanes, mask) for all of them.
template <bool isAligned = true, typename Act>
void rendezvous(Lane &lane, const char *what, uint32_t mask, int site, void *exchange, Act act);
[[noreturn]] void reportDivergence(Lane &lane, const Lane &other);
[[noreturn]] void refuseMask(Lane &lane, const char *what, uint32_t mask, int site);

} // namespace dscc::sim

#include "tools/simulator/exec/Rendezvous.inc"

#endif // DSCC_TOOLS_SIMULATOR_EXEC_BLOCK_H
