#include "tools/simulator/exec/Clocks.h"

#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/UnitSync.h"

namespace dscc::sim {

static size_t componentOf(const Lane &lane, uint16_t agent) {
  return lane.block->unit->numWarps + (agent - firstAgent);
}

uint16_t numberInUnit(const Lane &lane) { return uint16_t(lane.warp->number * lanesPerWarp + lane.index); }

void release(Lane &lane, Knowledge &object) {
  Warp &warp = *lane.warp;
  if (warp.knowledge.seen.empty())
    return;
  object.join(warp.knowledge);
  ++warp.knowledge.seen[warp.number];
}

void acquire(Lane &lane, const Knowledge &object) {
  Warp &warp = *lane.warp;
  if (object.seen.empty() || warp.knowledge.seen.empty())
    return;
  warp.knowledge.join(object);
  warp.ownSeen = std::max(warp.ownSeen, object.seen[warp.number]);
}

void acquireAgent(Lane &lane, uint16_t agent, uint32_t count) {
  Clock &seen = lane.warp->knowledge.seen;
  if (seen.empty())
    return;
  uint32_t &component = seen[componentOf(lane, agent)];
  component = std::max(component, count);
}

void releaseAgent(const Lane &lane, uint16_t agent, uint32_t count, Knowledge &object) {
  size_t size = lane.warp->knowledge.seen.size();
  if (!size)
    return;
  object.seen.resize(size);
  object.fenced.resize(size);
  uint32_t &component = object.seen[componentOf(lane, agent)];
  component = std::max(component, count);
}

void fenceProxy(Lane &lane) {
  Warp &warp = *lane.warp;
  if (warp.knowledge.seen.empty())
    return;
  Knowledge own{warp.knowledge.seen, warp.knowledge.seen};
  warp.knowledge.join(own);
  ++warp.knowledge.seen[warp.number];
}

void fenceThreads(Lane &lane, bool acquires, bool releases) {
  Warp &warp = *lane.warp;
  if (warp.knowledge.seen.empty())
    return;
  if (acquires)
    acquire(lane, warp.observed);
  if (!releases)
    return;
  warp.released = warp.knowledge;
  ++warp.knowledge.seen[warp.number];
}

void meetAt(Lane &lane, const char *word, bool reads, bool writes) {
  Warp &warp = *lane.warp;
  std::map<const char *, Knowledge> &words = lane.block->unit->sync->words;
  if (reads)
    if (auto found = words.find(word); found != words.end())
      warp.observed.join(found->second);
  if (writes && !warp.released.seen.empty())
    words[word].join(warp.released);
}

static void fence(Lane *lane, int acquires, int releases, int isWide) {
  if (isWide && releases)
    fenceUnits(*lane);
  fenceThreads(*lane, acquires, releases);
}

llvm::ArrayRef<Callee> clockCallees() {
  static const Callee list[] = {{"dscc_sim_fence", reinterpret_cast<void *>(fence)}};
  return list;
}

} // namespace dscc::sim
