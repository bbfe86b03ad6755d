#include "tools/simulator/exec/ReplayBarriers.h"

namespace dscc::sim {

bool ReplayMbarrier::arrive(int64_t count, int64_t moreBytes, PhaseEnd when) {
  pending -= count;
  bytes += moreBytes;
  if (when.time >= latest.time)
    latest = when;
  if (pending > 0 || bytes != 0)
    return false;
  ended.push_back(latest);
  pending = expected;
  latest = {};
  return true;
}

std::optional<PhaseEnd> ReplayMbarrier::find(PhaseQuery query) const {
  uint64_t now = ended.size();
  if (query.isParity) {
    if ((now & 1) == (query.phase & 1))
      return std::nullopt;
    return now ? ended.back() : PhaseEnd(); // before the first phase there was one of parity 1
  }
  if (query.phase >= now)
    return std::nullopt;
  return ended[query.phase];
}

} // namespace dscc::sim
