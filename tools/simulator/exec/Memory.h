// The device's memory as the checks see it: which bytes belong to a live allocation, and which have been written.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_MEMORY_H
#define DSCC_TOOLS_SIMULATOR_EXEC_MEMORY_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace dscc::sim {

/// Never moved or freed while a launch may look at it.
struct Allocation {
  char *begin;                        // the host's address, behind a red zone if isOwned
  size_t bytes;                       // as asked for
  uint64_t number;                    // of the allocation, for reports
  bool isFree;                        // its bytes stay reserved, to find late uses
  bool isOwned;                       // allocated by us, not adopted
  std::unique_ptr<uint8_t[]> written; // a byte each: not 0 once it has been written. Null: all are.
  /// Who touched each 4 bytes last, for finding races between blocks: launch, unit, releases and kind, as
  /// GlobalChecks.cpp packs them. Null: not looked for.
  std::unique_ptr<std::atomic<uint64_t>[]> accesses;

  /// Whether all `size` bytes from there on lie in it. No bytes may also lie at its end.
  bool holds(const char *address, size_t size) const {
    return address >= begin && size <= bytes && size_t(address - begin) <= bytes - size;
  }
  /// `allocation 7 of 1024 bytes, freed`
  std::string describe() const;
};

/// The allocation that `address` lies in, live or freed, or the nearest one before it; null if there is none.
const Allocation *findAllocation(const char *address);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_MEMORY_H
