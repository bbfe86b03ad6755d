// What the blocks of a unit have in common beside memory: mbarriers, bulk copies under way, the cluster's barrier.
//
// A bulk copy to shared memory lands when somebody waits for its mbarrier, or when nothing else can go on: as late as
// may be, so that whoever does not wait finds NaN. A copy to global memory, and the product of a wgmma, are done at
// their wait.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_UNITSYNC_H
#define DSCC_TOOLS_SIMULATOR_EXEC_UNITSYNC_H

#include "tools/simulator/exec/Block.h"
#include "tools/simulator/exec/GlobalChecks.h"
#include "tools/simulator/exec/TensorMap.h"

#include <map>
#include <memory>

namespace dscc::sim {

/// What an mbarrier counts. In shared memory there is a mark in its place.
struct Mbarrier {
  uint32_t expected = 0, pending = 0; // arrivals of a phase, and those to come of this one
  int64_t bytes = 0;                  // to come of this phase
  uint64_t phase = 0;                 // how many are complete
  Knowledge current, done;            // of this phase's arrivals, and of all phases before
  std::vector<Lane *> waiting;        // threads asleep in try_wait
};

/// What a reduction does with what is there; Copy overwrites it.
enum class BulkOp : uint8_t { Copy, Add, Min, Max, Inc, Dec, And, Or, Xor };
/// Of a reduction's elements.
enum class BulkType : uint8_t { B32, U32, S32, U64, S64, F16, Bf16, F32, F64, B64 };

/// One bulk copy. A tensor copy has a map, a linear one addresses of memory of either kind.
struct BulkCopy {
  Lane *issuer;                  // the thread that has asked for it
  int site;                      // PTX line
  uint32_t operation;            // number among the unit's copies of its direction
  BulkOp op;                     // Copy, or what a reduction does
  BulkType type;                 // of a reduction's elements
  bool isTensor;                 // it has `map`, `coordinates`, and `offsets`
  char *to, *from;               // of a tensor copy the one in shared memory
  uint32_t bytes;                // what it completes on the mbarrier
  Block *target;                 // whose shared memory is written; null: global memory
  char *mbarrier;                // to shared memory
  TensorMap map;                 // as it was when the copy was issued
  int32_t coordinates[5];        // where the box begins, the innermost first
  uint16_t offsets[3];           // im2col
  std::shared_ptr<char[]> image; // what `from` points to once a store has read its source, rows not swizzled
};

/// The first `end` cp.async of a thread, which an mbarrier waits for.
struct TrackedCopies {
  Lane *issuer;        // whose copies they are
  char *mbarrier;      // to which they are one arrival, once they have landed
  uint64_t end;        // counted from the thread's first on
  int site;            // PTX line of cp.async.mbarrier.arrive
  Knowledge knowledge; // of the thread there, which the arrival tells
};

/// barrier.cluster: of all threads of the unit that are alive.
struct ClusterBarrier {
  uint32_t arrived = 0;        // threads
  uint64_t phase = 0;          // how many are complete
  Knowledge current, done;     // of this phase's arrivals, and of all phases before
  std::vector<Lane *> waiting; // threads at barrier.cluster.wait
};

struct WgmmaSet; // Wgmma.h

/// One wgmma.mma_async that has been issued, and has not been waited for.
struct WgmmaOperation {
  uint32_t number;                   // among those of the warpgroup
  int site;                          // PTX line
  uint32_t n, k;                     // of m64nNkK
  uint32_t types;                    // codes of D, A and B, 4 bits each, as in Matrix.cpp
  uint32_t flags;                    // WgmmaFlag
  bool scalesD;                      // D is added to
  bool isAInRegisters;               // `a` has it; else descriptorA
  uint64_t descriptorA, descriptorB; // of operands in shared memory, as Wgmma.cpp of the execution tells them
  uint32_t a[128][4];                // A's registers of each thread
  uint32_t *accumulators[128];       // each thread's buffer, on its stack
  WgmmaSet *sets[128];               // of the accumulators
};

/// Four warps that wgmma takes together.
struct Warpgroup {
  std::vector<Lane *> arrived;                          // at the wgmma that is being issued
  uint32_t numIssued = 0;                               // wgmma.mma_async so far, whose numbers begin at 1
  std::vector<std::unique_ptr<WgmmaOperation>> pending; // issued and not computed, the oldest first
};

inline constexpr uint32_t groupWarps = 4;

/// How many a block has; the last one may lack warps.
inline uint32_t groupsOf(const Block &block) { return (uint32_t(block.warps.size()) + groupWarps - 1) / groupWarps; }

/// One unit's, while it runs on one host thread.
struct UnitSync {
  std::vector<Warpgroup> warpgroups;       // a block's follow those of the block before it
  std::map<char *, Mbarrier> mbarriers;    // by address in the shared memory of any block
  std::map<const char *, Knowledge> words; // that atomics of threads after a fence have written
  std::vector<BulkCopy> loads, stores;     // under way
  std::vector<TrackedCopies> tracked;      // that have not landed
  uint32_t numLoads = 0, numStores = 0;    // issued so far
  ClusterBarrier cluster;                  // met by the unit's threads
  UnitOrder order;                         // among the units of the launch
  uint32_t stalls = 0;                     // in a row, without an mbarrier's phase coming to its end
};

inline const char *const waitsForMbarrier = "an mbarrier"; // Lane::waitsFor, told apart by its address

/// Bytes arrive: as the load agent's operation, or none if 0.
void completeBytes(Lane &issuer, char *mbarrier, int64_t bytes, uint32_t operation, int site);
/// Somebody has arrived, who knew of `knowledge`.
void arriveAt(Lane &lane, char *mbarrier, uint32_t count, const Knowledge &knowledge, int site);
/// Faults unless there is an mbarrier.
Mbarrier &mbarrierAt(Lane &lane, char *address, int site);
/// Makes what the mbarrier waits for arrive; null: everything under way.
void landCopies(Unit &unit, char *mbarrier);
/// Carries out a copy.
void perform(const BulkCopy &copy);
/// Nothing can go on: lets copies land, and waits that may give up do so. False if that helps nobody.
bool resolveStall(Unit &unit);
/// `mbarrier at shared address 64, phase 1: 2 arrivals and 4096 bytes to come`
std::string describeMbarrier(const Lane &lane);
/// Stores that nobody waits for any more.
void finishUnit(Unit &unit);
/// The threads of a cluster that have exited are not waited for.
void noteExit(Lane &lane);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_UNITSYNC_H
