// What warps of a replay do together: products of warpgroups, barriers, mbarriers.

#include "tools/simulator/exec/ReplayRun.h"

#include <algorithm>

namespace dscc::sim {

/// Clocks from the end of a wgmma's work until it is waited for no more: the smallest one, of 4 clocks of work, takes
/// 32 (Latencies.cpp, [1]).
static constexpr double wgmmaDrain = 28;
static constexpr uint32_t warpsPerGroup = 4;

//===-- products --------------------------------------------------------------------------------------------------===//

void Replay::issueProduct(WarpRun &warp, const MicroOp &op, double start) {
  WarpgroupRun &group = warp.block->warpgroups[warp.index / warpsPerGroup];
  uint32_t number = warp.numProducts++;
  if (group.products.size() <= number)
    group.products.emplace_back();
  WarpgroupRun::Product &product = group.products[number];
  product.latest = std::max(product.latest, start);
  if (++product.warps < group.members.size())
    return;
  // Each warp's scheduler has a part of the unit, and a queue before it: the warps themselves go on.
  double begun = product.latest, clocks = table.productClocks(op);
  for (uint32_t member : group.members)
    begun = std::max(begun, warps[member]->scheduler->pipes[TensorPipe]);
  for (uint32_t member : group.members)
    warps[member]->scheduler->pipes[TensorPipe] = begun + clocks;
  product.done = begun + clocks + wgmmaDrain;
  std::vector<uint32_t> waiting;
  std::swap(waiting, group.waiting);
  for (uint32_t other : waiting) {
    WarpRun &waiter = *warps[other];
    if (!waiter.isBlocked)
      continue;
    waiter.isBlocked = false;
    if (waitForProducts(waiter, waiter.awaitedProducts))
      push(waiter);
  }
}

/// Until the first `number` of the warpgroup are done; false if not all of its warps have come to them.
bool Replay::waitForProducts(WarpRun &warp, uint32_t number) {
  WarpgroupRun &group = warp.block->warpgroups[warp.index / warpsPerGroup];
  if (!number)
    return true;
  const WarpgroupRun::Product &last = group.products[number - 1];
  if (last.warps >= group.members.size()) {
    waitUntil(warp, {last.done, 0}, TensorStall);
    return true;
  }
  warp.awaitedProducts = number;
  warp.isBlocked = true;
  group.waiting.push_back(warp.number);
  return false;
}

bool Replay::multiply(WarpRun &warp, const MicroOp &op, double start) {
  if (op.kind == OpClass::Matrix) {
    setResult(warp, op, {start + latencies.product + 2 * table.productClocks(op), 0, TensorStall});
  } else if (op.kind == OpClass::Wgmma) {
    issueProduct(warp, op, start);
  } else if (op.kind == OpClass::WgmmaCommit) {
    warp.productGroups.push_back(warp.numProducts);
  } else {
    uint32_t number = 0;
    for (; warp.productGroups.size() > op.amount; warp.productGroups.pop_front())
      number = warp.productGroups.front();
    if (!waitForProducts(warp, number)) {
      warp.cursor.advance();
      return false;
    }
  }
  return true;
}

//===-- barriers --------------------------------------------------------------------------------------------------===//

void Replay::release(ReplayBarrier &barrier) {
  std::vector<uint32_t> waiting = barrier.waiting;
  double time = barrier.latest + latencies.barrier;
  barrier.restart();
  for (uint32_t number : waiting) {
    WarpRun &warp = *warps[number];
    if (!warp.isBlocked)
      continue;
    warp.isBlocked = false;
    warp.next = std::max(warp.next, time);
    warp.why = BarrierStall;
    push(warp);
  }
}

bool Replay::meet(WarpRun &warp, const MicroOp &op, double start) {
  UnitRun &unit = *warp.block->unit;
  if (op.kind == OpClass::ClusterArrive) {
    warp.clusterPhase = unit.cluster.ended.size();
    if (unit.cluster.arrive(1, 0, {start, BarrierStall}))
      wake(unit.cluster, latencies.cluster);
    return true;
  }
  if (op.kind == OpClass::ClusterWait) {
    warp.query = {warp.clusterPhase, false};
    if (std::optional<PhaseEnd> phase = unit.cluster.find(warp.query)) {
      waitFor(warp, *phase, latencies.cluster);
      return true;
    }
    unit.cluster.waiting.push_back(warp.number);
    warp.isBlocked = true;
    warp.cursor.advance();
    return false;
  }
  const Record *event = warp.cursor.firstRecord();
  setResult(warp, op, {start + latencies.barrier, 0, BarrierStall});
  if (!event)
    return true;
  ReplayBarrier &barrier = warp.block->barriers[event->value % numBarriers];
  barrier.expected = uint32_t(event->value >> 32) / lanesPerWarp;
  barrier.latest = std::max(barrier.latest, start);
  ++barrier.arrived;
  bool waits = op.kind == OpClass::Barrier;
  if (waits) {
    barrier.waiting.push_back(warp.number);
    warp.isBlocked = true;
    warp.cursor.advance();
  }
  if (barrier.arrived >= (barrier.expected ? barrier.expected : warp.block->alive))
    release(barrier);
  return !waits;
}

ReplayMbarrier *Replay::mbarrierAt(WarpRun &warp, uint64_t address, int rank) {
  UnitRun &unit = *warp.block->unit;
  for (uint32_t own = 0; own < unit.blocks.size(); ++own) {
    const BlockTrace &trace = *unit.blocks[own]->trace;
    uint64_t offset = address - reinterpret_cast<uint64_t>(trace.shared);
    if (offset < trace.sharedBytes)
      return &unit.mbarriers[{rank < 0 ? own : uint32_t(rank), offset}];
  }
  return nullptr;
}

void Replay::waitFor(WarpRun &warp, const PhaseEnd &phase, double latency) {
  warp.next = std::max(warp.next, phase.time + latency);
  warp.why = phase.why;
}

void Replay::wake(ReplayMbarrier &mbarrier, double latency) {
  std::vector<uint32_t> waiting;
  std::swap(waiting, mbarrier.waiting);
  for (uint32_t number : waiting) {
    WarpRun &warp = *warps[number];
    std::optional<PhaseEnd> phase = mbarrier.find(warp.query);
    if (!warp.isBlocked)
      continue;
    if (!phase) {
      mbarrier.waiting.push_back(number);
      continue;
    }
    warp.isBlocked = false;
    waitFor(warp, *phase, latency);
    push(warp);
  }
}

/// A wait that gave up is part of the next one for the same phase.
bool Replay::askMbarrier(WarpRun &warp, const MicroOp &op, double start) {
  const Record *event = warp.cursor.firstRecord();
  setResult(warp, op, {start + latencies.shared, 0, BarrierStall});
  ReplayMbarrier *mbarrier = event ? mbarrierAt(warp, event->address) : nullptr;
  if (!mbarrier || !mbarrier->expected)
    return true;
  warp.query = {event->value >> 2, (event->value & 2) != 0};
  std::optional<PhaseEnd> phase = mbarrier->find(warp.query);
  if (!(event->value & 1) && !warp.cursor.skipToWait(*event) && !phase)
    return true; // it has asked, and does something else now
  if (phase) {
    waitFor(warp, {std::max(phase->time, start), phase->why}, latencies.shared);
    return true;
  }
  mbarrier->waiting.push_back(warp.number);
  warp.isBlocked = true;
  warp.cursor.advance();
  return false;
}

bool Replay::tellMbarrier(WarpRun &warp, const MicroOp &op, double start) {
  setResult(warp, op, {start + latencies.shared, 0, BarrierStall});
  warp.cursor.forEachRecord([&](const Record &event) {
    forEachLane(event.mask, [&](uint32_t lane) {
      ReplayMbarrier *mbarrier = mbarrierAt(warp, event.addressOf(lane, warp.cursor.spreads()));
      if (!mbarrier)
        return;
      if (op.kind == OpClass::MbarrierInit) {
        *mbarrier = {};
        mbarrier->expected = mbarrier->pending = int64_t(event.value);
        return;
      }
      PhaseEnd when{start, BarrierStall};
      int64_t count = int64_t(event.value & 0xffffffff), bytes = int64_t(event.value) >> 32;
      if (op.kind == OpClass::StoreAsync)
        when = {start + latencies.cluster, SharedStall};
      if (op.kind == OpClass::MbarrierTrack) {
        // Without .noinc it is one arrival more, and that one.
        count = int64_t(event.value);
        bytes = 0;
        when = {std::max(start, warp.copies.all.ready), MemoryStall};
      }
      if (mbarrier->arrive(count, bytes, when))
        wake(*mbarrier, latencies.shared);
    });
  });
  return true;
}

} // namespace dscc::sim
