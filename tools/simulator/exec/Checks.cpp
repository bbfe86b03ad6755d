// Looks at each access of a kernel before it is made.
//
//     .global, .local, generic: within a live allocation, aligned; a load reads bytes that somebody has written
//     .shared:                  SharedChecks.cpp
//     between blocks:           GlobalChecks.cpp

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/GlobalChecks.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/UnitSync.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace dscc::sim {

/// A number of bytes that is no power of two is a part of a copy, whose alignment has been looked at.
static bool isAligned(uint64_t address, uint32_t bytes) { return (bytes & (bytes - 1)) || !(address & (bytes - 1)); }

static std::string hex(const void *address) { return "0x" + llvm::utohexstr(reinterpret_cast<uintptr_t>(address)); }

/// Null if the launch's parameters lie there.
[[gnu::noinline]] static const Allocation *lookUp(Lane &lane, const char *address, uint32_t bytes, bool isStore,
                                                  int site) {
  const Allocation *allocation = findAllocation(address);
  if (!allocation || !allocation->holds(address, bytes)) {
    if (isInParameters(*lane.block, address, bytes)) {
      if (isStore)
        fault(lane, "store to a parameter", describeAccess(bytes, isStore) + " at " + hex(address), site,
              illegalAddress);
      return nullptr;
    }
    std::string where = allocation ? ", " + std::to_string(address - (allocation->begin + allocation->bytes)) +
                                         " bytes past the end of " + allocation->describe()
                                   : ", which is in no allocation";
    fault(lane, "out-of-bounds access", describeAccess(bytes, isStore) + " at " + hex(address) + where, site,
          illegalAddress);
  }
  Block &block = *lane.block;
  return block.recent[block.nextRecent++ % std::size(block.recent)] = allocation;
}

static const Allocation *allocationOf(Lane &lane, const char *address, uint32_t bytes, bool isStore, int site) {
  for (const Allocation *recent : lane.block->recent)
    if (recent && recent->holds(address, bytes))
      return recent;
  return lookUp(lane, address, bytes, isStore, site);
}

// Most accesses have 4 bytes, and a call would cost more than they do.
static constexpr uint32_t fourWritten = 0x01010101;
static bool areWritten(const uint8_t *written, uint32_t bytes) {
  uint32_t word;
  if (bytes != 4)
    return !std::memchr(written, 0, bytes);
  std::memcpy(&word, written, 4);
  return word == fourWritten;
}
static void markWritten(uint8_t *written, uint32_t bytes) {
  if (bytes != 4)
    return void(std::memset(written, 1, bytes));
  std::memcpy(written, &fourWritten, 4);
}

static void checkGlobal(Lane &lane, const char *address, uint32_t bytes, Access access, int site) {
  bool isStore = !isLoad(access);
  const Allocation *allocation = allocationOf(lane, address, bytes, isStore, site);
  if (!allocation) // the launch's parameters
    return;
  if (allocation->isFree)
    fault(lane, "use after free",
          describeAccess(bytes, isStore) + " at byte " + std::to_string(address - allocation->begin) + " of " +
              allocation->describe(),
          site, illegalAddress);
  if (allocation->accesses)
    checkBetweenUnits(lane, *allocation, size_t(address - allocation->begin), bytes, access, site);
  if (!allocation->written)
    return;
  uint8_t *written = allocation->written.get() + (address - allocation->begin);
  bool isKnown = areWritten(written, bytes);
  if (!isKnown || isStore)
    markWritten(written, bytes); // said once
  if (!isKnown && readsOld(access)) {
    reports().add(lane, "uninitialised read",
                  describeAccess(bytes, isStore) + " at byte " + std::to_string(address - allocation->begin) + " of " +
                      allocation->describe() + ", where nobody has written",
                  site);
  }
}

bool isOnStack(const Block &block, const char *address) {
  return address >= block.stacks && address < block.stacks + block.stackBytes * block.numThreads;
}

static void checkAny(Lane &lane, const char *address, uint32_t bytes, Access access, int site) {
  const Block &block = *lane.block;
  if (Block *owner = findSharedOwner(lane, address))
    return checkShared(lane, *owner, address, bytes, access, site);
  if (!isAligned(reinterpret_cast<uintptr_t>(address), bytes))
    fault(lane, "misaligned access", describeAccess(bytes, !isLoad(access)) + " at " + hex(address), site,
          misalignedAddress);
  for (const Block *other : block.unit->blocks)
    if (isOnStack(*other, address))
      return;
  checkGlobal(lane, address, bytes, access, site);
}

void checkAccess(Lane &lane, const char *address, uint32_t bytes, bool isStore, int site) {
  checkAny(lane, address, bytes, isStore ? Access::Store : Access::Load, site);
}

void checkGlobalRange(Lane &lane, const char *address, size_t bytes, Access access, int site) {
  if (bytes)
    checkGlobal(lane, address, uint32_t(bytes), access, site);
}

template <Access access> static void check(Lane *lane, const char *address, uint32_t bytes, int site) {
  checkAny(*lane, address, bytes, access, site);
}

static void checkStrong(Lane *lane, const char *address, uint32_t bytes, int site, uint32_t how) {
  auto [access, elementBytes, isNarrow] = StrongAccess::unpack(how);
  UnitOrder &order = lane->block->unit->sync->order;
  order.isNarrow = isNarrow;
  checkAny(*lane, address, bytes, access, site);
  order.isNarrow = false;
  // Wherever the word lies, it may order the accesses of the unit's threads.
  if (settings().check == CheckLevel::All)
    for (uint32_t at = 0; at < bytes; at += elementBytes)
      meetAt(*lane, address + at, observes(access), publishes(access));
}

/// discard: 128 bytes of global memory hold anything from now on, as if nobody had written them.
static void discard(Lane *lane, char *address, int site) {
  constexpr uint32_t bytes = 128;
  if (settings().check != CheckLevel::None) {
    if (!isAligned(reinterpret_cast<uintptr_t>(address), bytes))
      fault(*lane, "misaligned access", "discard at " + hex(address), site, misalignedAddress);
    checkGlobal(*lane, address, bytes, Access::Store, site);
    const Allocation *allocation = findAllocation(address);
    if (allocation->written)
      std::memset(allocation->written.get() + (address - allocation->begin), 0, bytes);
  }
  std::memset(address, 0xff, bytes);
}

static uint32_t isLocal(Lane *lane, const char *address) { return isOnStack(*lane->block, address); }

void prepareChecks(Block &block) {
  std::fill(std::begin(block.recent), std::end(block.recent), nullptr);
  if (settings().check == CheckLevel::None)
    return block.shadow.clear();
  std::memset(block.shared, 0xff, block.sharedBytes);
  block.shadow.assign(block.sharedBytes / 4 + 1, SharedShadow());
  block.readSets.clear();
  block.freeReadSets.clear();
}

llvm::ArrayRef<Callee> checkCallees() {
  static const Callee list[] = {{"dscc_sim_check_load", reinterpret_cast<void *>(check<Access::Load>)},
                                {"dscc_sim_check_store", reinterpret_cast<void *>(check<Access::Store>)},
                                {"dscc_sim_check_strong", reinterpret_cast<void *>(checkStrong)},
                                {"dscc_sim_discard", reinterpret_cast<void *>(discard)},
                                {"dscc_sim_is_local", reinterpret_cast<void *>(isLocal)}};
  return list;
}

} // namespace dscc::sim
