#include "tools/simulator/exec/Trace.h"

namespace dscc::sim {

BlockTrace::BlockTrace(const Block &block, size_t slot, size_t room)
    : warps(block.warps.size()), shared(block.shared), sharedBytes(block.sharedBytes), slot(slot) {
  for (WarpTrace &warp : warps)
    warp.room = room / warps.size();
}

void BlockTrace::add(uint32_t warp, const Record &record, const std::vector<LaneAddresses> &from) {
  const Site &site = *record.site;
  if (!site.function && !site.segment)
    return; // it counts what predicates left
  instructions += site.ops.size();
  WarpTrace &own = warps[warp];
  if (!own.room)
    return;
  --own.room;
  kept += site.ops.size();
  own.records.push_back(record);
  if (record.spread) {
    own.spreads.push_back(from[record.spread - 1]);
    own.records.back().spread = uint32_t(own.spreads.size());
  }
}

std::optional<size_t> SamplePlan::findUnit(uint64_t unit) const {
  auto found = std::lower_bound(units.begin(), units.end(), unit);
  if (found == units.end() || *found != unit)
    return std::nullopt;
  return size_t(found - units.begin());
}

} // namespace dscc::sim
