// Blocks of a cluster: their barrier, and addresses in each other's shared memory.
//
// An address of .shared::cluster has a block's rank, counted from 1, in its upper byte; with 0 there it means the own
// block.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/SharedChecks.h"
#include "tools/simulator/exec/UnitSync.h"

namespace dscc::sim {

static constexpr uint32_t rankShift = 24, offsetMask = (1u << rankShift) - 1;

[[noreturn]] static void refuse(Lane &lane, const std::string &what, int site) {
  fault(lane, "illegal cluster access", what, site, illegalInstruction);
}

static void advance(Unit &unit) {
  ClusterBarrier &barrier = unit.sync->cluster;
  if (!barrier.arrived || barrier.arrived < unit.numAlive)
    return;
  barrier.arrived = 0;
  ++barrier.phase;
  barrier.done.join(barrier.current);
  barrier.current.clear();
  for (Lane *lane : barrier.waiting)
    makeReady(*lane);
  barrier.waiting.clear();
}

static void arriveCluster(Lane *lane, int site) {
  if (lane->isInCluster)
    refuse(*lane, "barrier.cluster.arrive again, before barrier.cluster.wait", site);
  Unit &unit = *lane->block->unit;
  ClusterBarrier &barrier = unit.sync->cluster;
  lane->isInCluster = true;
  lane->clusterPhase = barrier.phase;
  release(*lane, barrier.current);
  ++barrier.arrived;
  advance(unit);
}

static void waitCluster(Lane *lane, int site) {
  if (!lane->isInCluster)
    refuse(*lane, "barrier.cluster.wait without barrier.cluster.arrive", site);
  ClusterBarrier &barrier = lane->block->unit->sync->cluster;
  while (barrier.phase == lane->clusterPhase) {
    barrier.waiting.push_back(lane);
    wait(*lane, "the cluster's barrier", site);
  }
  lane->isInCluster = false;
  acquire(*lane, barrier.done);
  // Lanes come by one after the other: statistics, which take the sum of both, are to see no meeting of the warp here.
  ++lane->warp->epoch;
  --lane->warp->meetings;
}

void noteExit(Lane &lane) {
  Unit &unit = *lane.block->unit;
  // One that has arrived is waited for by nobody any more, nor does its arrival count twice.
  ClusterBarrier &barrier = unit.sync->cluster;
  if (lane.isInCluster && barrier.phase == lane.clusterPhase && barrier.arrived)
    --barrier.arrived;
  advance(unit);
}

static Block &blockOf(Lane &lane, uint32_t rank, int site) {
  std::vector<Block *> &blocks = lane.block->unit->blocks;
  if (rank >= blocks.size())
    refuse(lane, "rank " + std::to_string(rank) + " in a cluster of " + std::to_string(blocks.size()) + " blocks",
           site);
  return *blocks[rank];
}

static char *clusterAddress(Lane *lane, uint64_t address, int site) {
  uint32_t rank = uint32_t(address) >> rankShift;
  Block &block = rank ? blockOf(*lane, rank - 1, site) : *lane->block;
  return block.shared + (address & offsetMask);
}

/// cvta.to of a generic address: of the own block plain, so that it is one of .shared::cta too.
static uint64_t clusterOffset(Lane *lane, uint64_t address, int) {
  const Block *owner = findSharedOwner(*lane, reinterpret_cast<char *>(address));
  uint64_t offset = address - reinterpret_cast<uint64_t>((owner ? owner : lane->block)->shared);
  return owner && owner != lane->block ? uint64_t(owner->rank + 1) << rankShift | offset : offset;
}

/// mapa of an address in the shared window.
static uint32_t mapShared(Lane *lane, uint32_t address, uint32_t rank, int site) {
  blockOf(*lane, rank, site);
  return (rank + 1) << rankShift | (address & offsetMask);
}

/// mapa of a generic address.
static uint64_t mapGeneric(Lane *lane, uint64_t address, uint32_t rank, int site) {
  Block *owner = findSharedOwner(*lane, reinterpret_cast<char *>(address));
  if (!owner)
    refuse(*lane, "mapa of an address that is not in shared memory", site);
  return reinterpret_cast<uint64_t>(blockOf(*lane, rank, site).shared +
                                    (reinterpret_cast<char *>(address) - owner->shared));
}

static uint32_t rankOfShared(Lane *lane, uint32_t address, int) {
  uint32_t rank = address >> rankShift;
  return rank ? rank - 1 : lane->block->rank;
}

static uint32_t rankOfGeneric(Lane *lane, uint64_t address, int site) {
  Block *owner = findSharedOwner(*lane, reinterpret_cast<char *>(address));
  if (!owner)
    refuse(*lane, "getctarank of an address that is not in shared memory", site);
  return owner->rank;
}

/// Whether a generic address is in shared memory of the block, or of any block of the cluster.
static uint32_t isShared(Lane *lane, uint64_t address, int ofCluster) {
  Block *owner = findSharedOwner(*lane, reinterpret_cast<char *>(address));
  return owner && (ofCluster || owner == lane->block);
}

/// st.async: a store into a block of the cluster that completes bytes on its mbarrier. It is there at once, which the
/// manual allows; whoever does not wait for the mbarrier has a race.
static void storeAsync(Lane *lane, char *to, const char *value, uint32_t bytes, char *mbarrier, int site) {
  Block *owner = findSharedOwner(*lane, to);
  if (!owner || findSharedOwner(*lane, mbarrier) != owner)
    refuse(*lane, "st.async takes an address and an mbarrier in the shared memory of one block", site);
  uint32_t operation = ++lane->block->unit->sync->numLoads;
  if (settings().check != CheckLevel::None) {
    beginAgentWrite(*lane, *owner, to, bytes, Access::Store, site);
    endAgentWrite(*owner, to, bytes, Access::Store, loadAgent, operation);
  }
  std::copy(value, value + bytes, to);
  completeBytes(*lane, mbarrier, bytes, operation, site);
}

/// What red.async has done is there for those who wait for its mbarrier.
static void completeAsync(Lane *lane, char *to, uint32_t bytes, char *mbarrier, int site) {
  Block *owner = findSharedOwner(*lane, to);
  if (!owner || findSharedOwner(*lane, mbarrier) != owner)
    refuse(*lane, "red.async takes an address and an mbarrier in the shared memory of one block", site);
  uint32_t operation = ++lane->block->unit->sync->numLoads;
  if (settings().check != CheckLevel::None) {
    checkSharedBounds(*lane, *owner, to, bytes, true, site);
    endAgentWrite(*owner, to, bytes, Access::Store, loadAgent, operation);
  }
  completeBytes(*lane, mbarrier, bytes, operation, site);
}

llvm::ArrayRef<Callee> clusterCallees() {
  static const Callee list[] = {{"dscc_sim_cluster_arrive", reinterpret_cast<void *>(arriveCluster)},
                                {"dscc_sim_cluster_wait", reinterpret_cast<void *>(waitCluster)},
                                {"dscc_sim_cluster_address", reinterpret_cast<void *>(clusterAddress)},
                                {"dscc_sim_cluster_offset", reinterpret_cast<void *>(clusterOffset)},
                                {"dscc_sim_map_shared", reinterpret_cast<void *>(mapShared)},
                                {"dscc_sim_map_generic", reinterpret_cast<void *>(mapGeneric)},
                                {"dscc_sim_rank_shared", reinterpret_cast<void *>(rankOfShared)},
                                {"dscc_sim_rank_generic", reinterpret_cast<void *>(rankOfGeneric)},
                                {"dscc_sim_is_shared", reinterpret_cast<void *>(isShared)},
                                {"dscc_sim_store_async", reinterpret_cast<void *>(storeAsync)},
                                {"dscc_sim_complete_async", reinterpret_cast<void *>(completeAsync)}};
  return list;
}

} // namespace dscc::sim
