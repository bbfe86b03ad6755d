// Looks at each access of a kernel before it is made.
//
//     .global, .local, generic: within a live allocation, aligned; a load reads bytes that somebody has written
//     .shared:                  within one variable, aligned; initialised; and no race
//
// A race in shared memory is a pair of accesses to one byte by two threads, one of them a store, with nothing between that
// orders them: no barrier of all threads (the block's epoch), and within a warp no collective of it (the warp's epoch).
// Barriers of some warps and mbarriers order more than the epochs know; programs that use them get no race reports.

#include "runtime/simulator/exec/Memory.h"
#include "runtime/simulator/exec/Runtime.h"

#include "llvm/ADT/StringExtras.h"

#include <cstring>

namespace dscc::sim {

static constexpr int illegalAddress = 700;    // CUDA_ERROR_ILLEGAL_ADDRESS
static constexpr int misalignedAddress = 716; // CUDA_ERROR_MISALIGNED_ADDRESS
static constexpr uint16_t manyReaders = 0xffff;

static std::string describeAccess(uint32_t bytes, bool isStore) {
  return std::string(isStore ? "store" : "load") + " of " + std::to_string(bytes) + " bytes";
}

[[noreturn]] static void fault(Lane &lane, const char *kind, const std::string &what, int site, int error) {
  reports().add(lane, kind, what, site, error);
  abandon(lane);
}

static std::string hex(const void *address) { return "0x" + llvm::utohexstr(reinterpret_cast<uintptr_t>(address)); }

static void reportRace(Lane &lane, const char *kind, size_t offset, uint16_t other, int site) {
  reports().add(lane, "race in shared memory",
                std::string(kind) + " at shared address " + std::to_string(offset) + ", with thread " +
                    (other == manyReaders ? "several" : std::to_string(other)),
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

static void checkRow(Lane &lane, SharedShadow &row, size_t offset, uint8_t mask, bool isStore, int site) {
  const Block &block = *lane.block;
  uint32_t warpEpoch = lane.warp->epoch;
  auto isOrdered = [&](uint16_t other, uint32_t epoch, uint32_t otherWarpEpoch) {
    return epoch != block.epoch || other == lane.thread ||
           (other != manyReaders && other / lanesPerWarp == lane.warp->index && otherWarpEpoch != warpEpoch);
  };
  if (settings().check == CheckLevel::All && !block.hasPartialBarriers) {
    if ((row.writtenBytes & mask) && !isOrdered(row.writer, row.writeEpoch, row.writeWarpEpoch))
      reportRace(lane, isStore ? "two stores" : "a load after a store", offset, row.writer, site);
    if (isStore && (row.readBytes & mask) && !isOrdered(row.reader, row.readEpoch, row.readWarpEpoch))
      reportRace(lane, "a store after a load", offset, row.reader, site);
  }
  if (isStore) {
    bool goesOn = row.writeEpoch == block.epoch && row.writer == lane.thread;
    row.writtenBytes = uint8_t((goesOn ? row.writtenBytes : 0) | mask);
    row.writeEpoch = block.epoch;
    row.writeWarpEpoch = warpEpoch;
    row.writer = uint16_t(lane.thread);
    row.initialised |= mask;
    return;
  }
  if (uint8_t unknown = mask & ~row.initialised) {
    row.initialised |= unknown; // said once
    reports().add(lane, "uninitialised shared read", "bytes at shared address " + std::to_string(offset) + " that no thread has written", site);
  }
  bool goesOn = row.readEpoch == block.epoch;
  bool isSame = goesOn && row.reader == lane.thread;
  row.reader = goesOn && !isSame ? manyReaders : uint16_t(lane.thread);
  row.readBytes = uint8_t((goesOn ? row.readBytes : 0) | mask);
  row.readEpoch = block.epoch;
  row.readWarpEpoch = warpEpoch;
}

/// Faults unless the access is aligned and within one variable, or within the dynamic part.
static void checkSharedBounds(Lane &lane, size_t offset, uint32_t bytes, bool isStore, int site) {
  const Block &block = *lane.block;
  size_t end = offset + bytes;
  if (offset % bytes)
    fault(lane, "misaligned access", describeAccess(bytes, isStore) + " at shared address " + std::to_string(offset), site, misalignedAddress);
  bool isDynamic = offset >= block.kernel->staticShared && end <= block.sharedBytes;
  bool isWithin = isDynamic;
  for (const Kernel::SharedRange &range : block.kernel->sharedRanges)
    isWithin |= offset >= range.begin && end <= size_t(range.begin) + range.bytes;
  if (!isWithin)
    fault(lane, "out-of-bounds shared access",
          describeAccess(bytes, isStore) + " at shared address " + std::to_string(offset) + "; the block has " +
              std::to_string(block.sharedBytes) + " bytes, " + std::to_string(block.sharedBytes - block.kernel->staticShared) + " of them dynamic",
          site, illegalAddress);
}

/// Atomics do not race with each other, and what they leave is initialised.
static void checkSharedAtomic(Lane &lane, const char *address, uint32_t bytes, int site) {
  Block &block = *lane.block;
  size_t offset = size_t(address - block.shared);
  checkSharedBounds(lane, offset, bytes, true, site);
  if (!block.shadow.empty())
    for (size_t row = offset & ~size_t(3); row < offset + bytes; row += 4)
      block.shadow[row / 4].initialised |= maskOf(row, offset, offset + bytes);
}

void checkSharedAccess(Lane &lane, const char *address, uint32_t bytes, bool isStore, int site) {
  Block &block = *lane.block;
  size_t offset = size_t(address - block.shared), end = offset + bytes;
  checkSharedBounds(lane, offset, bytes, isStore, site);
  if (block.shadow.empty())
    return;
  for (size_t row = offset & ~size_t(3); row < end; row += 4)
    checkRow(lane, block.shadow[row / 4], std::max(row, offset), maskOf(row, offset, end), isStore, site);
}

/// The last access to a word of global memory: launch, block + 1 and whether it was a store, in one number.
static uint64_t packAccess(uint64_t launch, uint64_t block, bool isStore) {
  return (launch & 0xfffff) << 44 | ((block + 1) & 0x7ffffffffff) << 1 | isStore;
}

/// Two blocks run in no order: what one stores, another may neither load nor store in the same launch. A word remembers one
/// access only, a store before a load, so some races go unseen; none is made up. Kernels with atomics or fences may order
/// their blocks, and are left alone.
static void checkBlocks(Lane &lane, const Allocation &allocation, size_t offset, uint32_t bytes, bool isStore, int site) {
  const Block &block = *lane.block;
  if (block.kernel->ordersBlocks)
    return;
  uint64_t own = block.index[0] + uint64_t(block.shape->grid[0]) * (block.index[1] + uint64_t(block.shape->grid[1]) * block.index[2]);
  uint64_t mine = packAccess(lane.special[GridId], own, isStore);
  for (size_t row = offset / 4; row <= (offset + bytes - 1) / 4; ++row) {
    std::atomic<uint64_t> &last = allocation.accesses[row];
    uint64_t before = last.load(std::memory_order_relaxed);
    bool isSameLaunch = before >> 44 == mine >> 44, isOther = (before ^ mine) >> 1 & 0x7ffffffffff, wasStore = before & 1;
    // Neighbours within a word are told apart by nobody here: only whole words count.
    if (isSameLaunch && isOther && (isStore || wasStore) && bytes >= 4 && offset % 4 == 0) {
      reports().add(lane, "race between blocks", describeAccess(bytes, isStore) + " at byte " + std::to_string(row * 4) + " of " +
                                                     allocation.describe() + ", which block " + std::to_string((before >> 1 & 0x7ffffffffff) - 1) +
                                                     (wasStore ? " stores to" : " loads"), site);
    }
    if (isStore || !(isSameLaunch && wasStore))
      last.store(mine, std::memory_order_relaxed);
  }
}

static void checkGlobal(Lane &lane, const char *address, uint32_t bytes, bool isStore, bool isAtomic, int site) {
  const Allocation *allocation = lane.lastAllocation;
  if (!allocation || !allocation->holds(address, bytes)) {
    allocation = findAllocation(address);
    if (!allocation || !allocation->holds(address, bytes)) {
      std::string where = allocation ? ", " + std::to_string(address - (allocation->begin + allocation->bytes)) +
                                           " bytes past the end of " + allocation->describe()
                                     : ", which is in no allocation";
      fault(lane, "out-of-bounds access", describeAccess(bytes, isStore) + " at " + hex(address) + where, site, illegalAddress);
    }
    lane.lastAllocation = allocation;
  }
  if (allocation->isFree)
    fault(lane, "use after free", describeAccess(bytes, isStore) + " at byte " + std::to_string(address - allocation->begin) + " of " +
                                      allocation->describe(), site, illegalAddress);
  if (allocation->accesses && !isAtomic)
    checkBlocks(lane, *allocation, size_t(address - allocation->begin), bytes, isStore, site);
  if (!allocation->written)
    return;
  uint8_t *written = allocation->written.get() + (address - allocation->begin);
  if (isStore)
    return void(std::memset(written, 1, bytes));
  if (std::memchr(written, 0, bytes)) {
    std::memset(written, 1, bytes); // said once
    reports().add(lane, "uninitialised read", describeAccess(bytes, isStore) + " at byte " + std::to_string(address - allocation->begin) +
                                                  " of " + allocation->describe() + ", where nobody has written", site);
  }
}

static void checkAny(Lane &lane, const char *address, uint32_t bytes, bool isStore, bool isAtomic, int site) {
  const Block &block = *lane.block;
  for (const Block *other : block.unit->blocks)
    if (size_t(address - other->shared) < std::max<size_t>(other->sharedBytes, 1)) {
      if (other == &block)
        return isAtomic ? checkSharedAtomic(lane, address, bytes, site)
                        : checkSharedAccess(lane, address, bytes, isStore, site);
      return; // another block's shared memory, through its cluster address
    }
  if (reinterpret_cast<uintptr_t>(address) % bytes)
    fault(lane, "misaligned access", describeAccess(bytes, isStore) + " at " + hex(address), site, misalignedAddress);
  // Local memory: on the stacks of the unit's threads.
  for (const Block *other : block.unit->blocks)
    if (address >= other->stacks && address < other->stacks + other->stackBytes * other->numThreads)
      return;
  checkGlobal(lane, address, bytes, isStore, isAtomic, site);
}

void checkAccess(Lane &lane, const char *address, uint32_t bytes, bool isStore, int site) {
  checkAny(lane, address, bytes, isStore, /*isAtomic=*/false, site);
}

static void checkAtomic(Lane *lane, const char *address, uint32_t bytes, int site) {
  checkAny(*lane, address, bytes, /*isStore=*/true, /*isAtomic=*/true, site);
}

static void checkLoad(Lane *lane, const char *address, uint32_t bytes, int site) { checkAccess(*lane, address, bytes, false, site); }
static void checkStore(Lane *lane, const char *address, uint32_t bytes, int site) { checkAccess(*lane, address, bytes, true, site); }

void prepareChecks(Block &block) {
  block.hasPartialBarriers = false;
  if (settings().check == CheckLevel::None)
    return block.shadow.clear();
  std::memset(block.shared, 0xff, block.sharedBytes);
  block.shadow.assign(block.sharedBytes / 4 + 1, SharedShadow());
}

void beginGlobalChecks() {}

llvm::ArrayRef<Callee> checkCallees() {
  static const Callee list[] = {{"dscc_sim_check_load", reinterpret_cast<void *>(checkLoad)},
                                {"dscc_sim_check_store", reinterpret_cast<void *>(checkStore)},
                                {"dscc_sim_check_atomic", reinterpret_cast<void *>(checkAtomic)}};
  return list;
}

} // namespace dscc::sim
