#include "tools/simulator/exec/Records.h"

#include <algorithm>
#include <bit>

namespace dscc::sim {

void Log::restart() {
  spreads.clear();
  index.clear();
  numIndexed = 0;
  head = 0;
  std::fill(std::begin(next), std::end(next), 0);
}

Record &Log::find(const Site *site, uint64_t position, uint32_t lane) {
  constexpr uint64_t again = 0xd1342543de82ef95u;
  uint32_t bit = 1u << lane;
  auto take = [&](uint32_t at) -> Record & {
    next[lane] = at + 1;
    return records[at];
  };
  if (uint32_t at = next[lane]; at < records.size()) {
    const Record &record = records[at];
    if (record.site == site && record.position == position && !(record.mask & bit))
      return take(at);
  }
  // At the end of a log without an index all records are this lane's: it has found each where it looked first.
  if (next[lane] < records.size() || numIndexed) {
    for (; numIndexed < records.size(); ++numIndexed) {
      std::pair<const Site *, uint64_t> key(records[numIndexed].site, records[numIndexed].position);
      while (!index.try_emplace(key, uint32_t(numIndexed)).second)
        key.second = key.second * again + 1;
    }
    uint64_t turn = position;
    for (auto found = index.find({site, turn}); found != index.end(); found = index.find({site, turn})) {
      if (!(records[found->second].mask & bit))
        return take(found->second);
      turn = turn * again + 1;
    }
  }
  uint32_t &link = next[lane] ? records[next[lane] - 1].next : head;
  uint32_t behind = std::exchange(link, uint32_t(records.size() + 1));
  records.push_back({site, position, 0, 0, 0, 0, 0, behind, 0, 0, GlobalSpace});
  return take(uint32_t(records.size() - 1));
}

void Log::noteAddress(Record &record, uint32_t lane, uint64_t address) {
  if (!record.mask) {
    record.address = address;
    record.first = uint8_t(lane);
    return;
  }
  int64_t distance = int64_t(lane) - record.first, bytes = int64_t(address - record.address);
  if (!record.spread && std::has_single_bit(record.mask) && bytes % distance == 0)
    record.stride = bytes / distance;
  if (!record.spread && record.stride * distance == bytes)
    return;
  if (!record.spread) {
    LaneAddresses all{};
    forEachLane(record.mask, [&](uint32_t i) { all[i] = record.addressOf(i, spreads); });
    spreads.push_back(all);
    record.spread = uint32_t(spreads.size());
  }
  spreads[record.spread - 1][lane] = address;
}

} // namespace dscc::sim
