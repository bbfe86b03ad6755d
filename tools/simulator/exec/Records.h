// What the lanes of a warp do together, put together from what each of them reports.
//
// A lane finds its warp's record of a place, or makes it. Records are chained in the order in which a warp would do
// them: one that a lane makes comes behind the lane's last one, wherever that is in the order of the others.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_RECORDS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_RECORDS_H

#include "tools/simulator/exec/Block.h"
#include "tools/simulator/exec/Statistics.h"

#include "llvm/ADT/DenseMap.h"

#include <array>
#include <vector>

namespace dscc::sim {

/// The addresses of a warp's lanes.
using LaneAddresses = std::array<uint64_t, lanesPerWarp>;

/// One segment, access or event of a warp, and the lanes that have come by so far.
struct Record {
  const Site *site;  // what they came by
  uint64_t position; // the iterations of the loops around it, as one number
  uint64_t address;  // of the first lane to come
  int64_t stride;    // bytes from lane to lane
  uint64_t value;    // of an event, as its OpClass has it
  uint32_t mask;     // of lanes
  uint32_t spread;   // addresses without a common stride: 1 + their place among the spreads; else 0
  uint32_t next;     // in the warp's order: 1 + its place among the records; 0: none
  uint16_t bytes;    // of an access, a lane
  uint8_t first;     // lane
  MemorySpace space; // that the access hits

  /// The address of a lane in the mask.
  uint64_t addressOf(uint32_t lane, const std::vector<LaneAddresses> &spreads) const {
    return spread ? spreads[spread - 1][lane] : address + uint64_t(stride * (int64_t(lane) - first));
  }
};

/// A log is looked through for records that are complete when it has grown to this.
inline constexpr size_t manyRecords = size_t(1) << 18;

/// The records of a warp since its lanes last met. Lanes that do the same find their records one after the other.
struct Log {
  std::vector<Record> records;                                       // as they were made
  std::vector<LaneAddresses> spreads;                                // of these records
  llvm::DenseMap<std::pair<const Site *, uint64_t>, uint32_t> index; // of the first `numIndexed` records
  size_t numIndexed = 0, limit = manyRecords; // how many the index has; when to look for complete ones
  uint32_t next[lanesPerWarp] = {};           // of each lane: 1 + the place of its last record; 0: it has none
  uint32_t head = 0;                          // 1 + the first record's place in the warp's order; 0: there is none
  uint32_t warpEpoch = 0, warp = 0;           // whose it is, and since which meeting

  /// The lane's record of this place, made if no lane has come by yet. A lane that comes by the same place again, which
  /// happens in loops with two entries, has gone on to the next one.
  Record &find(const Site *site, uint64_t position, uint32_t lane);
  /// Before the lane joins the record's mask.
  void noteAddress(Record &record, uint32_t lane, uint64_t address);
  /// The record that the lane has come by last; null if it has not since the log began.
  Record *last(uint32_t lane) { return next[lane] ? &records[next[lane] - 1] : nullptr; }
  /// Forgets all but the records themselves.
  void restart();
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_RECORDS_H
