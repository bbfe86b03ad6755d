// A race in shared memory is a pair of accesses to one byte by two threads, one of them a store, with nothing between
// that orders them: neither a barrier, an mbarrier or the like (the warps' clocks), nor, within a warp, a collective
// (its epoch). Atomics do not race with each other, nor with volatile and relaxed loads; they do with all others. A
// word remembers its last store and the loads since. Where two threads store to parts of one word, the second is
// remembered; so some races go unseen, and none is made up.

#include "tools/simulator/exec/SharedChecks.h"

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"

#include <string_view>

namespace dscc::sim {

static constexpr uint16_t manyThreads = 0xffff;

static uint32_t threadsOf(const Block &block) { return uint32_t(block.warps.size()) * lanesPerWarp; }

static std::string describe(const Lane &lane, uint16_t who) {
  if (who == manyThreads)
    return "several threads of a warp";
  if (who == loadAgent)
    return "a bulk copy";
  if (who == storeAgent)
    return "a bulk copy to global memory";
  if (who >= firstWarpgroupAgent)
    return "wgmma of warpgroup " + std::to_string(who - firstWarpgroupAgent);
  uint32_t perBlock = threadsOf(*lane.block);
  std::string text = "thread " + std::to_string(who % perBlock);
  return lane.block->unit->blocks.size() == 1 ? text
                                              : text + " of the cluster's block " + std::to_string(who / perBlock);
}

static size_t componentOf(const Lane &lane, uint16_t who) {
  return who >= firstAgent && who != manyThreads ? lane.block->unit->numWarps + (who - firstAgent) : who / lanesPerWarp;
}

/// True if the access came before what the lane does now.
static bool isOrdered(const Lane &lane, const SharedAccess &access, const Knowledge &knowledge) {
  if (!access.clock)
    return true;
  size_t component = componentOf(lane, access.who);
  if (component != lane.warp->number)
    return component < knowledge.seen.size() && access.clock <= knowledge.seen[component];
  return access.who == numberInUnit(lane) || access.warpEpoch != lane.warp->epoch || access.clock <= lane.warp->ownSeen;
}

static bool isOrdered(const Lane &lane, const SharedAccess &access) {
  return isOrdered(lane, access, lane.warp->knowledge);
}

static bool looksForRaces() { return settings().check == CheckLevel::All; }

static SharedAccess accessOf(const Lane &lane) {
  const Clock &seen = lane.warp->knowledge.seen;
  return {seen.empty() ? 1 : seen[lane.warp->number], lane.warp->epoch, numberInUnit(lane)};
}

static void reportRace(Lane &lane, const char *kind, size_t offset, uint16_t who, int site) {
  reports().add(lane, "race in shared memory",
                std::string(kind) + " at shared address " + std::to_string(offset) + ", with " + describe(lane, who),
                site);
}

/// The bytes of a 4-byte row at `row` that an access to [begin, end) touches, as a mask.
static uint8_t maskOf(size_t row, size_t begin, size_t end) {
  uint8_t mask = 15;
  if (row < begin)
    mask = uint8_t(mask & 15 << (begin - row));
  if (row + 4 > end)
    mask = uint8_t(mask & 15 >> (row + 4 - end));
  return mask;
}

template <typename Visit> static void forEachRow(Block &owner, const char *address, uint32_t bytes, Visit visit) {
  size_t begin = size_t(address - owner.shared), end = begin + bytes;
  for (size_t row = begin & ~size_t(3); row < end; row += 4)
    visit(owner.shadow[row / 4], std::max(row, begin), maskOf(row, begin, end));
}

/// The set's entry of a warp or agent, for all of whose threads it stands.
static void enter(const Lane &lane, std::vector<SharedAccess> &set, SharedAccess access) {
  size_t component = componentOf(lane, access.who);
  if (set.size() <= component)
    set.resize(component + 1);
  SharedAccess &entry = set[component];
  bool isNew = !entry.clock || entry.who == access.who || entry.warpEpoch != access.warpEpoch;
  entry = access;
  if (!isNew)
    entry.who = uint16_t(access.who | (lanesPerWarp - 1)); // the warp's last lane stands for several
}

static void noteRead(const Lane &lane, Block &owner, SharedShadow &row, SharedAccess access,
                     const Knowledge &knowledge) {
  if (row.readSet)
    return enter(lane, owner.readSets[row.readSet - 1], access);
  bool isAlone = row.read.who == access.who || !row.read.clock || isOrdered(lane, row.read, knowledge);
  if (isAlone) {
    row.read = access;
    return;
  }
  if (owner.freeReadSets.empty()) {
    owner.readSets.emplace_back();
    owner.freeReadSets.push_back(uint32_t(owner.readSets.size()));
  }
  row.readSet = owner.freeReadSets.back();
  owner.freeReadSets.pop_back();
  std::vector<SharedAccess> &set = owner.readSets[row.readSet - 1];
  set.clear();
  enter(lane, set, row.read);
  enter(lane, set, access);
}

static void forgetReads(Block &owner, SharedShadow &row) {
  if (row.readSet)
    owner.freeReadSets.push_back(row.readSet);
  row.readSet = 0;
  row.read = {};
  row.readBytes = 0;
}

/// A load that nothing orders before what the lane does now; null if there is none.
static const SharedAccess *findUnorderedRead(const Lane &lane, const Block &owner, const SharedShadow &row) {
  if (!row.readSet)
    return isOrdered(lane, row.read) ? nullptr : &row.read;
  for (const SharedAccess &access : owner.readSets[row.readSet - 1])
    if (!isOrdered(lane, access))
      return &access;
  return nullptr;
}

static const char *nameOf(Access access) {
  static const char *const names[] = {"a load",    "a volatile load", "a store",  "a volatile store",
                                      "an atomic", "an atomic",       "an atomic"};
  return names[int(access)];
}

/// Whether a bulk copy under way stands against the access; reductions and atomics do not mind each other.
static bool isPending(const SharedShadow &row, uint8_t mask, Access access) {
  return (row.pending & mask) || ((row.reducing & mask) && !isUpdate(access));
}

static void reportPending(Lane &lane, SharedShadow &row, size_t offset, uint8_t mask, Access access, int site) {
  row.pending &= uint8_t(~mask); // said once
  row.reducing &= uint8_t(~mask);
  reports().add(lane, "bulk copy not waited for",
                std::string(nameOf(access)) + " at shared address " + std::to_string(offset) +
                    ", where a bulk copy under way will write: wait for its mbarrier first",
                site);
}

/// Looks for what may not come just before this access; says whether nothing is wrong.
static bool checkOrder(Lane &lane, Block &owner, SharedShadow &row, size_t offset, uint8_t mask, Access access,
                       int site) {
  if (isPending(row, mask, access)) {
    reportPending(lane, row, offset, mask, access, site);
    return false;
  }
  if (!looksForRaces())
    return true;
  auto say = [&](const std::string &what, uint16_t who) {
    reportRace(lane, what.c_str(), offset, who, site);
    return false;
  };
  std::string_view name = nameOf(access);
  if ((row.writtenBytes & mask) && !isOrdered(lane, row.write))
    return say(access == Access::Store ? "two stores" : std::string(name) + " after a store", row.write.who);
  if (!isLoad(access) && (row.readBytes & mask))
    if (const SharedAccess *read = findUnorderedRead(lane, owner, row))
      return say(std::string(name) + " after a load", read->who);
  if ((access == Access::Load || access == Access::Store) && (row.atomicBytes & mask) && !isOrdered(lane, row.atomic))
    return say(std::string(name) + " after an atomic", row.atomic.who);
  return true;
}

/// The level at which only the words' states count: what was written, and what will be.
static void checkState(Lane &lane, SharedShadow &row, size_t offset, uint8_t mask, Access access, int site) {
  uint8_t unknown = uint8_t(mask & ~row.initialised);
  row.initialised |= mask; // said once
  if (!readsOld(access))
    return;
  if (unknown)
    reports().add(lane, "uninitialised shared read",
                  "bytes at shared address " + std::to_string(offset) + " that no thread has written", site);
  if (row.landing & mask) {
    row.landing &= uint8_t(~mask); // said once
    reports().add(lane, "read before an asynchronous copy has landed",
                  "bytes at shared address " + std::to_string(offset) + ", whose cp.async nobody has waited for", site);
  }
}

static void noteAtomic(SharedShadow &row, uint8_t mask, const SharedAccess &access) {
  bool goesOn = row.atomic.clock == access.clock && row.atomic.who == access.who;
  row.atomicBytes = uint8_t((goesOn ? row.atomicBytes : 0) | mask);
  row.atomic = access;
}

static void checkRow(Lane &lane, Block &owner, SharedShadow &row, size_t offset, uint8_t mask, Access access,
                     const SharedAccess &own, int site) {
  checkOrder(lane, owner, row, offset, mask, access, site);
  if (publishes(access))
    noteAtomic(row, mask, own);
  if (access == Access::Store) {
    bool goesOn = row.write.clock == own.clock && row.write.who == own.who;
    row.writtenBytes = uint8_t((goesOn ? row.writtenBytes : 0) | mask);
    row.write = own;
    if (mask == 15)
      forgetReads(owner, row);
  }
  checkState(lane, row, offset, mask, access, site);
  if (access != Access::Load)
    return;
  row.readBytes |= mask;
  noteRead(lane, owner, row, own, lane.warp->knowledge);
}

Block *findSharedOwner(const Lane &lane, const char *address) {
  for (Block *block : lane.block->unit->blocks)
    if (size_t(address - block->shared) < std::max<size_t>(block->sharedBytes, 1))
      return block;
  return nullptr;
}

void checkSharedBounds(Lane &lane, const Block &owner, const char *address, uint32_t bytes, bool isStore, int site) {
  size_t offset = size_t(address - owner.shared), end = offset + bytes;
  bool isWithin = offset >= owner.kernel->staticShared && end <= owner.sharedBytes;
  for (const Kernel::SharedRange &range : owner.kernel->sharedRanges)
    isWithin |= offset >= range.begin && end <= size_t(range.begin) + range.bytes;
  if (!isWithin)
    fault(lane, "out-of-bounds shared access",
          describeAccess(bytes, isStore) + " at shared address " + std::to_string(offset) + "; the block has " +
              std::to_string(owner.sharedBytes) + " bytes, " +
              std::to_string(owner.sharedBytes - owner.kernel->staticShared) + " of them dynamic",
          site, illegalAddress);
  if (&owner != lane.block && !owner.numAlive)
    fault(lane, "access to an ended block",
          describeAccess(bytes, isStore) + " at shared address " + std::to_string(offset) + " of the cluster's block " +
              std::to_string(owner.rank) + ", all of whose threads have exited: meet at barrier.cluster before they do",
          site, illegalAddress);
}

static void checkAligned(Lane &lane, const Block &owner, const char *address, uint32_t bytes, bool isStore, int site) {
  size_t offset = size_t(address - owner.shared);
  // A number of bytes that is no power of two is a part of a copy, whose alignment has been looked at.
  if (!(bytes & (bytes - 1)) && offset % bytes)
    fault(lane, "misaligned access", describeAccess(bytes, isStore) + " at shared address " + std::to_string(offset),
          site, misalignedAddress);
}

void checkShared(Lane &lane, Block &owner, const char *address, uint32_t bytes, Access access, int site) {
  checkAligned(lane, owner, address, bytes, !isLoad(access), site);
  checkSharedBounds(lane, owner, address, bytes, !isLoad(access), site);
  if (owner.shadow.empty())
    return;
  if (!looksForRaces())
    return forEachRow(owner, address, bytes, [&](SharedShadow &row, size_t offset, uint8_t mask) {
      if (isPending(row, mask, access))
        reportPending(lane, row, offset, mask, access, site);
      checkState(lane, row, offset, mask, access, site);
    });
  SharedAccess own = accessOf(lane);
  forEachRow(owner, address, bytes, [&](SharedShadow &row, size_t offset, uint8_t mask) {
    checkRow(lane, owner, row, offset, mask, access, own, site);
  });
}

void checkSharedAccess(Lane &lane, Block &owner, const char *address, uint32_t bytes, bool isStore, int site) {
  checkShared(lane, owner, address, bytes, isStore ? Access::Store : Access::Load, site);
}

void noteLanding(Lane &lane, const char *address, uint32_t bytes, bool isUnderWay) {
  forEachRow(*lane.block, address, bytes, [&](SharedShadow &row, size_t, uint8_t mask) {
    row.landing = uint8_t(isUnderWay ? row.landing | mask : row.landing & ~mask);
  });
}

/// Whether the asynchronous proxy sees the row's last store.
static bool isFenced(const Lane &lane, const SharedShadow &row, const Knowledge &knowledge) {
  size_t component = componentOf(lane, row.write.who);
  return row.write.who >= firstAgent ||
         (component < knowledge.fenced.size() && row.write.clock <= knowledge.fenced[component]);
}

void checkFenced(Lane &issuer, Block &owner, const char *address, uint32_t bytes, int site) {
  if (owner.shadow.empty() || !looksForRaces())
    return;
  const Knowledge &knowledge = issuer.warp->knowledge;
  bool isSaid = false;
  forEachRow(owner, address, bytes, [&](SharedShadow &row, size_t offset, uint8_t mask) {
    if (isSaid || !(row.writtenBytes & mask) || !isOrdered(issuer, row.write) || isFenced(issuer, row, knowledge))
      return;
    isSaid = true;
    reports().add(issuer, "missing proxy fence",
                  "a write by a bulk copy at shared address " + std::to_string(offset) + " of what " +
                      describe(issuer, row.write.who) + " has stored: fence.proxy.async has to come between",
                  site);
  });
}

void beginAgentWrite(Lane &issuer, Block &owner, const char *address, uint32_t bytes, Access access, int site) {
  checkSharedBounds(issuer, owner, address, bytes, true, site);
  bool isSaid = false; // one report for the whole copy
  if (!owner.shadow.empty())
    forEachRow(owner, address, bytes, [&](SharedShadow &row, size_t offset, uint8_t mask) {
      if (!isSaid)
        isSaid = !checkOrder(issuer, owner, row, offset, mask, access, site);
      if (access == Access::Store) {
        row.pending |= mask;
        return;
      }
      checkState(issuer, row, offset, mask, access, site);
      row.reducing |= mask;
    });
}

void endAgentWrite(Block &owner, const char *address, uint32_t bytes, Access access, uint16_t agent,
                   uint32_t operation) {
  if (!owner.shadow.empty())
    forEachRow(owner, address, bytes, [&](SharedShadow &row, size_t, uint8_t mask) {
      if (isUpdate(access)) {
        row.reducing &= uint8_t(~mask);
        return noteAtomic(row, mask, {operation, 0, agent});
      }
      row.pending &= uint8_t(~mask);
      row.landing &= uint8_t(~mask);
      row.initialised |= mask;
      row.writtenBytes = mask;
      row.write = {operation, 0, agent};
      forgetReads(owner, row);
    });
}

void noteReducing(Block &owner, const char *address, uint32_t bytes) {
  if (!owner.shadow.empty())
    forEachRow(owner, address, bytes, [](SharedShadow &row, size_t, uint8_t mask) { row.reducing |= mask; });
}

void noteAgentRead(Lane &issuer, const Knowledge &knowledge, Block &owner, const char *address, uint32_t bytes,
                   uint16_t agent, uint32_t operation, int site) {
  checkSharedBounds(issuer, owner, address, bytes, false, site);
  if (owner.shadow.empty())
    return;
  bool isSaid = false;
  auto say = [&](const char *kind, const std::string &what) {
    if (!isSaid)
      reports().add(issuer, kind, what, site);
    isSaid = true;
  };
  forEachRow(owner, address, bytes, [&](SharedShadow &row, size_t offset, uint8_t mask) {
    std::string place = " at shared address " + std::to_string(offset);
    if (isPending(row, mask, Access::Load))
      say("bulk copy not waited for", "a read by " + describe(issuer, agent) + place +
                                          ", where a bulk copy under way will write: wait for its mbarrier first");
    else if (uint8_t unknown = uint8_t(mask & ~row.initialised)) {
      row.initialised |= unknown;
      say("uninitialised shared read",
          "a read by " + describe(issuer, agent) + " of bytes" + place + " that no thread has written");
    }
    if (!looksForRaces())
      return;
    if ((row.writtenBytes & mask) && row.write.clock) {
      size_t component = componentOf(issuer, row.write.who);
      // What a single thread asks for comes after all that its warp has done; a warpgroup's wgmma after what all its
      // warps know.
      bool isOwn = component == issuer.warp->number && agent < firstWarpgroupAgent;
      bool isBefore = isOwn || (component < knowledge.seen.size() && row.write.clock <= knowledge.seen[component]);
      if (!isBefore)
        say("race in shared memory", "a read by " + describe(issuer, agent) + " after a store" + place + ", with " +
                                         describe(issuer, row.write.who));
      else if (!isFenced(issuer, row, knowledge))
        say("missing proxy fence", "a read by " + describe(issuer, agent) + place + " of what " +
                                       describe(issuer, row.write.who) +
                                       " has stored: fence.proxy.async has to come between");
    }
    row.readBytes |= mask;
    noteRead(issuer, owner, row, {operation, 0, agent}, knowledge);
  });
}

} // namespace dscc::sim
