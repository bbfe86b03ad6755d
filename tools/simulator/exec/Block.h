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

inline constexpr uint32_t lanesPerWarp = 32; // WARP_SZ
inline constexpr uint32_t allLanes = ~0u;    // the mask of a whole warp

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
  char *target;                // in shared memory; NaN until the copy lands
  const char *source;          // in global memory, read when the copy lands
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
  uint32_t special[NumSpecials]; // by Special; constant while the thread runs
  char *shared;                  // the block's window: address 0 of .shared
  int64_t fuel;                  // backward branches until tick() is called
  uint64_t position;             // of the call that it is about to make, as Statistics.h understands it

  // What a switch and a collective look at: one line of the cache.
  alignas(64) Fiber fiber; // its stack, and where it was left
  Block *block;            // that it is in
  Warp *warp;              // of the block, that it is in
  void *exchange;          // operands and results of the collective, on its stack
  const char *waitsFor;    // what the scheduler calls it in reports; told apart by its address. Null: its turn
  int site;                // the PTX line where it waits, or has waited last
  uint32_t mask;           // of the collective at which it waits
  uint32_t index, thread;  // in the warp, in the block
  bool isServed;           // the collective has taken place
  bool isDone;             // it has exited, and never runs again

  int64_t turns; // ticks so far
  // cp.async.
  std::vector<AsyncCopy> copies;          // that have not landed, in the order of their issue
  uint64_t numLanded = 0, numTracked = 0; // of all that were issued: have landed; an mbarrier waits for
  std::vector<uint64_t> copyGroups;       // where the groups committed end, counted likewise
  // Bulk copies that a bulk group of this thread waits for.
  std::vector<uint32_t> openBulk;                // operations issued since the last commit
  std::vector<std::vector<uint32_t>> bulkGroups; // operations by group, the oldest first
  size_t numBulkRead = 0;    // of the oldest groups: their sources have been read, and are not waited for
  WgmmaProgress wgmma;       // how far it has come with its warpgroup's wgmma
  bool isInCluster = false;  // it has arrived at the cluster's barrier, and not waited
  uint64_t clusterPhase = 0; // of the barrier when it arrived
};

/// Up to 32 threads, which meet at its collectives. The race checks have one clock for all of them.
struct Warp {
  uint32_t ready = 0, alive = 0, arrived = 0; // masks of lanes
  uint32_t index = 0;                         // in the block: %warpid
  uint32_t epoch = 1;                         // lanes see each other's shared memory once it has advanced
  uint32_t meetings = 0;                      // of all its lanes, whether memory is ordered by them or not
  uint32_t number = 0;                        // in the unit
  Knowledge knowledge;                        // what came before whatever its lanes do now
  Knowledge released, observed;               // at its last fence; by its atomics since
  uint32_t ownSeen = 0; // the warp's own releases that have come back to it: its lanes are ordered by them
};

inline constexpr uint32_t numBarriers = 16, maxWarps = 32; // of a block

/// A named barrier: id 0 is bar.sync 0. A warp has arrived when all of its lanes that are alive are there.
struct Barrier {
  uint32_t present = 0, whole = 0;    // masks of warps: with lanes here; that have arrived
  uint32_t arrived = 0, expected = 0; // warps
  uint32_t count = 0;                 // as it was given first
  bool isOfAll = false;               // nobody has given a count: as many as are alive
  bool isReduction = false;           // begun by bar.red, which meets no other kind
  Knowledge knowledge;                // of the threads that only arrive
  /// Of one warp, by its number in the block.
  struct Lanes {
    uint32_t here = 0;    // until their warp has arrived
    uint32_t waiting = 0; // until the others have, too
  } lanes[maxWarps];      // masks
};

/// One access to a word of shared memory.
struct SharedAccess {
  uint32_t clock = 0;     // of its warp, or the agent's operation; 0: there was none
  uint32_t warpEpoch = 0; // Warp::epoch of its warp; an agent's has none
  uint16_t who = 0;       // a thread of the unit, or an agent
};

/// A word of shared memory, for finding races: who wrote it last, who read it since.
struct SharedShadow {
  SharedAccess write, read, atomic; // the last of each; `read` counts only without a set
  uint32_t readSet = 0;             // of readers that nothing orders, in Block::readSets; 0: there is one
  uint8_t writtenBytes = 0, readBytes = 0, atomicBytes = 0; // masks
  uint8_t initialised = 0;                                  // mask, since the block began
  uint8_t pending = 0;                                      // mask: a bulk copy will write there
  uint8_t reducing = 0;                                     // mask: bulk reductions will change it
  uint8_t landing = 0;                                      // mask: a cp.async will
};

struct UnitSync; // mbarriers, bulk copies and the cluster's barrier

/// The blocks that run together on one host thread: a cluster, or one block.
struct Unit {
  std::vector<Block *> blocks; // by their ranks in the cluster
  uint32_t numWarps = 0;       // of all blocks
  UnitSync *sync = nullptr;    // set before its threads run
  Fiber host = hostFiber();    // the host thread's stack, to which the unit goes back in the end
  uint32_t numAlive = 0;       // threads
  bool isOver = false;         // a fault has ended it
  std::mt19937_64 random;      // seeded by the settings' seed and the unit's number
  bool isShuffled = false;     // there is a seed: who is next is drawn
};

/// A block while it runs. It is kept for the next one, so that its vectors keep their memory.
struct Block {
  Unit *unit;                    // that it runs in: its cluster, or it alone
  const Kernel *kernel;          // of the module that was loaded
  const LaunchShape *shape;      // of the launch
  void **arguments;              // the launch's own copies of the parameters, as the kernel's entry takes them
  uint32_t index[3];             // %ctaid
  std::vector<Lane> lanes;       // by thread; whole warps of them, and more if an earlier block had more
  std::vector<Warp> warps;       // by %warpid
  uint32_t numThreads, numAlive; // as launched; that have not exited
  uint32_t aliveWarps;           // mask: threads of them are alive
  uint32_t openBarriers = 0;     // mask: threads are at them
  Barrier barriers[numBarriers]; // by id; where nobody is the first to come begins anew
  Knowledge exited;              // of the threads that have come to their end: barriers of all threads order those too
  char *shared;                  // the window, of `sharedBytes` bytes
  uint32_t sharedBytes;          // static and dynamic ones
  /// The allocations that accesses have hit last, so that they need not be looked up; null: none yet.
  const Allocation *recent[4] = {};
  uint32_t nextRecent = 0;                         // how many have been looked up: modulo 4, the next one's place
  std::vector<SharedShadow> shadow;                // a row each 4 bytes of shared memory; empty unless checked
  std::vector<std::vector<SharedAccess>> readSets; // by warp and agent
  std::vector<uint32_t> freeReadSets;              // numbers of sets that no word has, counted as readSet does
  uint32_t rank = 0;                               // in the unit
  bool hasFibers = false; // a stack for each thread; else they run one after the other on the first
  char *stacks;           // one behind the other, in the threads' order
  size_t stackBytes;      // a thread
  std::shared_ptr<BlockStatistics> statistics; // null unless they are wanted
};

/// The reports of a launch; shared by its blocks.
class Reports {
public:
  /// Notes what went wrong at `site` of the lane's kernel.
  void add(const Lane &lane, llvm::StringRef kind, const std::string &what, int site, int driverError = 0);
  /// Not a thread's fault.
  void addFailure(llvm::StringRef what, int driverError);
  /// Forgets those of the launch before.
  void begin();
  /// True once one of them was a fault: no further unit begins. May be asked by any host thread.
  bool isFaulted() const { return faulted; }
  /// The launch's reports, and one that counts those that were too many.
  std::vector<Report> take();

private:
  void append(Report report);

  std::mutex lock;
  std::vector<Report> list;
  std::atomic<bool> faulted{false};
  size_t dropped = 0;
};
/// Those of the launch under way, of which there is one at a time.
Reports &reports();

/// Lets the next ready thread run until this one is made ready again; reports a deadlock if there is none.
void wait(Lane &lane, const char *what, int site);
/// What the lane waits for has come: it may be the next to run.
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
/// Ends the unit with a report: two lanes of a warp wait for different things, or not by the same mask.
[[noreturn]] void reportDivergence(Lane &lane, const Lane &other);
/// Likewise: the lane is not in the mask of the collective that it has come to.
[[noreturn]] void refuseMask(Lane &lane, const char *what, uint32_t mask, int site);

} // namespace dscc::sim

#include "tools/simulator/exec/Rendezvous.inc"

#endif // DSCC_TOOLS_SIMULATOR_EXEC_BLOCK_H
