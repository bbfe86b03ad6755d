// Looks at each access of a kernel before it is made.
//
//     .global, .local, generic: within a live allocation, aligned; a load reads bytes that somebody has written
//     .shared:                  SharedChecks.cpp

#include "runtime/simulator/exec/Memory.h"
#include "runtime/simulator/exec/Runtime.h"
#include "runtime/simulator/exec/SharedChecks.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace dscc::sim {

static constexpr int illegalAddress = 700;    // CUDA_ERROR_ILLEGAL_ADDRESS
static constexpr int misalignedAddress = 716; // CUDA_ERROR_MISALIGNED_ADDRESS

static std::string describeAccess(uint32_t bytes, bool isStore) {
  return std::string(isStore ? "store" : "load") + " of " + std::to_string(bytes) + " bytes";
}

/// A number of bytes that is no power of two is a part of a copy, whose alignment has been looked at.
static bool isAligned(uint64_t address, uint32_t bytes) { return (bytes & (bytes - 1)) || !(address & (bytes - 1)); }

[[noreturn]] static void fault(Lane &lane, const char *kind, const std::string &what, int site, int error) {
  reports().add(lane, kind, what, site, error);
  abandon(lane);
}

static std::string hex(const void *address) { return "0x" + llvm::utohexstr(reinterpret_cast<uintptr_t>(address)); }

/// The last access to a word of global memory: launch, block + 1 and whether it was a store, in one number.
static uint64_t packAccess(uint64_t launch, uint64_t block, bool isStore) {
  return (launch & 0xfffff) << 44 | ((block + 1) & 0x7ffffffffff) << 1 | isStore;
}

/// Two blocks run in no order: what one stores, another may neither load nor store in the same launch. A word remembers
/// one access only, a store before a load, so some races go unseen; none is made up. Kernels with atomics or fences may
/// order their blocks, and are left alone.
static void checkBlocks(Lane &lane, const Allocation &allocation, size_t offset, uint32_t bytes, bool isStore,
                        int site) {
  const Block &block = *lane.block;
  if (block.kernel->ordersBlocks)
    return;
  uint64_t own = block.index[0] +
                 uint64_t(block.shape->grid[0]) * (block.index[1] + uint64_t(block.shape->grid[1]) * block.index[2]);
  uint64_t mine = packAccess(lane.special[GridId], own, isStore);
  for (size_t row = offset / 4; row <= (offset + bytes - 1) / 4; ++row) {
    std::atomic<uint64_t> &last = allocation.accesses[row];
    uint64_t before = last.load(std::memory_order_relaxed);
    bool isSameLaunch = before >> 44 == mine >> 44, isOther = (before ^ mine) >> 1 & 0x7ffffffffff,
         wasStore = before & 1;
    // Neighbours within a word are told apart by nobody here: only whole words count.
    if (isSameLaunch && isOther && (isStore || wasStore) && bytes >= 4 && offset % 4 == 0) {
      reports().add(lane, "race between blocks",
                    describeAccess(bytes, isStore) + " at byte " + std::to_string(row * 4) + " of " +
                        allocation.describe() + ", which block " + std::to_string((before >> 1 & 0x7ffffffffff) - 1) +
                        (wasStore ? " stores to" : " loads"),
                    site);
    }
    if (isStore || !(isSameLaunch && wasStore))
      last.store(mine, std::memory_order_relaxed);
  }
}

[[gnu::noinline]] static const Allocation *lookUp(Lane &lane, const char *address, uint32_t bytes, bool isStore,
                                                  int site) {
  const Allocation *allocation = findAllocation(address);
  if (!allocation || !allocation->holds(address, bytes)) {
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
  if (allocation->isFree)
    fault(lane, "use after free",
          describeAccess(bytes, isStore) + " at byte " + std::to_string(address - allocation->begin) + " of " +
              allocation->describe(),
          site, illegalAddress);
  if (allocation->accesses && !isAtomic(access))
    checkBlocks(lane, *allocation, size_t(address - allocation->begin), bytes, isStore, site);
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

static void checkAny(Lane &lane, const char *address, uint32_t bytes, Access access, int site) {
  const Block &block = *lane.block;
  if (Block *owner = findSharedOwner(lane, address))
    return checkShared(lane, *owner, address, bytes, access, site);
  if (!isAligned(reinterpret_cast<uintptr_t>(address), bytes))
    fault(lane, "misaligned access", describeAccess(bytes, !isLoad(access)) + " at " + hex(address), site,
          misalignedAddress);
  // Local memory: on the stacks of the unit's threads.
  for (const Block *other : block.unit->blocks)
    if (address >= other->stacks && address < other->stacks + other->stackBytes * other->numThreads)
      return;
  checkGlobal(lane, address, bytes, access, site);
}

void checkAccess(Lane &lane, const char *address, uint32_t bytes, bool isStore, int site) {
  checkAny(lane, address, bytes, isStore ? Access::Store : Access::Load, site);
}

void checkGlobalRange(Lane &lane, const char *address, size_t bytes, bool isStore, int site) {
  if (bytes)
    checkGlobal(lane, address, uint32_t(bytes), isStore ? Access::Store : Access::Load, site);
}

template <Access access> static void check(Lane *lane, const char *address, uint32_t bytes, int site) {
  checkAny(*lane, address, bytes, access, site);
}

void prepareChecks(Block &block) {
  std::fill(std::begin(block.recent), std::end(block.recent), nullptr);
  if (settings().check == CheckLevel::None)
    return block.shadow.clear();
  std::memset(block.shared, 0xff, block.sharedBytes);
  block.shadow.assign(block.sharedBytes / 4 + 1, SharedShadow());
  block.readSets.clear();
  block.freeReadSets.clear();
}

void beginGlobalChecks() {}

llvm::ArrayRef<Callee> checkCallees() {
  static const Callee list[] = {{"dscc_sim_check_load", reinterpret_cast<void *>(check<Access::Load>)},
                                {"dscc_sim_check_strong_load", reinterpret_cast<void *>(check<Access::StrongLoad>)},
                                {"dscc_sim_check_store", reinterpret_cast<void *>(check<Access::Store>)},
                                {"dscc_sim_check_atomic", reinterpret_cast<void *>(check<Access::Atomic>)},
                                {"dscc_sim_check_exchange", reinterpret_cast<void *>(check<Access::Exchange>)}};
  return list;
}

} // namespace dscc::sim
