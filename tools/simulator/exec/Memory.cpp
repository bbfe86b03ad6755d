#include "tools/simulator/exec/Memory.h"

#include "tools/simulator/Machine.h"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>

namespace dscc::sim {

static constexpr size_t alignment = 256, redZone = 256;
/// Bytes of freed memory that stay reserved.
static constexpr size_t maxQuarantine = size_t(256) << 20;

namespace {
struct Memory {
  std::shared_mutex lock;
  std::map<const char *, std::unique_ptr<Allocation>> allocations; // by begin
  std::deque<const char *> quarantine;
  size_t inUse = 0, quarantined = 0, capacity = SIZE_MAX;
  uint64_t numAllocations = 0;
};
} // namespace

/// Never destroyed: programs free memory in destructors of their own.
static Memory &all() {
  static Memory &memory = *new Memory;
  return memory;
}

std::string Allocation::describe() const {
  return "allocation " + std::to_string(number) + " of " + std::to_string(bytes) + " bytes" + (isFree ? ", freed" : "");
}

static void unreserve(const Allocation &allocation) {
  if (allocation.isOwned)
    std::free(allocation.begin - redZone);
}

/// Gives back the oldest freed allocations. The lock is held.
static void trimQuarantine(Memory &memory) {
  while (memory.quarantined > maxQuarantine && !memory.quarantine.empty()) {
    auto found = memory.allocations.find(memory.quarantine.front());
    memory.quarantine.pop_front();
    memory.quarantined -= found->second->bytes;
    unreserve(*found->second);
    memory.allocations.erase(found);
  }
}

void *memory::allocate(size_t bytes) {
  Memory &memory = all();
  std::unique_lock guard(memory.lock);
  if (bytes > memory.capacity || memory.inUse > memory.capacity - bytes)
    return nullptr;
  size_t total = 2 * redZone + (bytes + alignment - 1) / alignment * alignment;
  auto *pages = bytes > total ? nullptr : static_cast<char *>(std::aligned_alloc(alignment, total));
  if (!pages)
    return nullptr;
  auto allocation = std::make_unique<Allocation>();
  *allocation = {pages + redZone, bytes, ++memory.numAllocations, false, true, nullptr, nullptr};
  if (settings().check != CheckLevel::None) {
    std::memset(pages, 0xff, total); // NaN in every float type
    allocation->written = std::make_unique<uint8_t[]>(bytes);
  }
  if (settings().check == CheckLevel::All)
    allocation->accesses = std::make_unique<std::atomic<uint64_t>[]>(bytes / 4 + 1);
  memory.inUse += bytes;
  char *begin = allocation->begin;
  memory.allocations[begin] = std::move(allocation);
  return begin;
}

bool memory::release(void *address) {
  Memory &memory = all();
  std::unique_lock guard(memory.lock);
  auto found = memory.allocations.find(static_cast<char *>(address));
  if (found == memory.allocations.end() || found->second->isFree || !found->second->isOwned)
    return false;
  Allocation &allocation = *found->second;
  memory.inUse -= allocation.bytes;
  allocation.isFree = true;
  if (settings().check != CheckLevel::None)
    std::memset(allocation.begin, 0xff, allocation.bytes);
  memory.quarantine.push_back(allocation.begin);
  memory.quarantined += allocation.bytes;
  trimQuarantine(memory);
  return true;
}

static Allocation *findIn(Memory &memory, const char *address) {
  auto after = memory.allocations.upper_bound(address);
  return after == memory.allocations.begin() ? nullptr : std::prev(after)->second.get();
}

const Allocation *findAllocation(const char *address) {
  Memory &memory = all();
  std::shared_lock guard(memory.lock);
  return findIn(memory, address);
}

std::optional<std::pair<char *, size_t>> memory::find(const void *address) {
  const Allocation *found = findAllocation(static_cast<const char *>(address));
  // An address right at an empty allocation belongs to it.
  if (!found || found->isFree || !found->holds(static_cast<const char *>(address), 0) ||
      (found->bytes && static_cast<const char *>(address) == found->begin + found->bytes))
    return std::nullopt;
  return std::pair(found->begin, found->bytes);
}

void memory::noteWritten(const void *address, size_t bytes) {
  auto *place = static_cast<const char *>(address);
  const Allocation *found = findAllocation(place);
  if (found && found->written && found->holds(place, bytes))
    std::memset(found->written.get() + (place - found->begin), 1, bytes);
}

void memory::adopt(void *address, size_t bytes, bool isWritten) {
  Memory &memory = all();
  std::unique_lock guard(memory.lock);
  auto allocation = std::make_unique<Allocation>();
  *allocation = {static_cast<char *>(address), bytes, ++memory.numAllocations, false, false, nullptr, nullptr};
  if (!isWritten && settings().check != CheckLevel::None)
    allocation->written = std::make_unique<uint8_t[]>(bytes);
  memory.allocations[allocation->begin] = std::move(allocation);
}

void memory::disown(void *address) {
  Memory &memory = all();
  std::unique_lock guard(memory.lock);
  auto found = memory.allocations.find(static_cast<char *>(address));
  if (found != memory.allocations.end() && !found->second->isOwned)
    memory.allocations.erase(found);
}

size_t memory::bytesInUse() {
  Memory &memory = all();
  std::shared_lock guard(memory.lock);
  return memory.inUse;
}

void memory::setCapacity(size_t bytes) {
  Memory &memory = all();
  std::unique_lock guard(memory.lock);
  memory.capacity = bytes;
}

} // namespace dscc::sim
