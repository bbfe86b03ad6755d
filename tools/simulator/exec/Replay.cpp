#include "tools/simulator/exec/Replay.h"

#include "tools/simulator/Chips.h"
#include "tools/simulator/exec/ReplayRun.h"

#include <algorithm>
#include <bit>

namespace dscc::sim {

static constexpr double sharedBytesPerClock = 128;

//===-- units -----------------------------------------------------------------------------------------------------===//

void Replay::startUnit(double time) {
  const UnitTrace &trace = traces[units.size()];
  units.push_back(std::make_unique<UnitRun>());
  UnitRun &unit = *units.back();
  unit.trace = &trace;
  unit.end = time;
  for (size_t rank = 0; rank < trace.blocks.size(); ++rank) {
    const BlockTrace &blockTrace = trace.blocks[rank];
    unit.blocks.push_back(std::make_unique<BlockRun>(
        BlockRun{&unit, &blockTrace, multiprocessors[rank].get(), uint32_t(blockTrace.warps.size()), {}, {}}));
    for (const WarpTrace &warpTrace : blockTrace.warps) {
      warps.push_back(std::make_unique<WarpRun>(warpTrace));
      WarpRun &warp = *warps.back();
      warp.block = unit.blocks.back().get();
      warp.scheduler = &multiprocessors[rank]->leastScheduler();
      ++warp.scheduler->warps;
      warp.number = uint32_t(warps.size() - 1);
      warp.index = uint32_t(&warpTrace - blockTrace.warps.data());
      std::vector<WarpgroupRun> &groups = warp.block->warpgroups;
      groups.resize(warp.index / 4 + 1);
      groups.back().members.push_back(warp.number);
      warp.next = warp.last = time;
      push(warp);
      ++unit.alive;
    }
  }
  unit.cluster.expected = unit.cluster.pending = unit.alive;
}

void Replay::end(WarpRun &warp) {
  BlockRun &block = *warp.block;
  UnitRun &unit = *block.unit;
  --warp.scheduler->warps;
  --block.alive;
  --unit.alive;
  unit.end = std::max(unit.end, warp.next);
  warp.registers = {};
  for (ReplayBarrier &barrier : block.barriers)
    if (barrier.arrived && !barrier.expected && barrier.arrived >= block.alive)
      release(barrier);
  --unit.cluster.expected;
  if (unit.alive && unit.cluster.arrive(1, 0, {warp.next, BarrierStall}))
    wake(unit.cluster, latencies.cluster);
  if (unit.alive)
    return;
  result.ended.push_back(unit.end);
  unit.mbarriers.clear();
  if (units.size() < traces.size())
    startUnit(unit.end);
}

ReplayResult Replay::run(uint32_t resident) {
  while (units.size() < std::min<size_t>(resident, traces.size()))
    startUnit(0);
  for (;;) {
    while (!ready.empty()) {
      WarpRun &warp = *warps[~ready.top().second];
      ready.pop();
      run(warp);
    }
    if (result.ended.size() == traces.size())
      break;
    forceOne();
  }
  std::sort(result.ended.begin(), result.ended.end());
  result.end = result.ended.back();
  for (const auto &one : multiprocessors)
    result.end = std::max(result.end, one->memory.drained());
  return std::move(result);
}

/// What a warp waits for was not recorded: it goes on, as the others do then.
void Replay::forceOne() {
  WarpRun *first = nullptr;
  for (const auto &warp : warps)
    if (warp->isBlocked && (!first || warp->next < first->next))
      first = warp.get();
  first->isBlocked = false;
  push(*first);
}

//===-- warps -----------------------------------------------------------------------------------------------------===//

void Replay::setResult(WarpRun &warp, const MicroOp &op, const Result &value) {
  warp.cursor.forEachWritten(op, [&](uint32_t number) { warp.registers[number] = value; });
}

void Replay::run(WarpRun &warp) {
  for (;;) {
    const MicroOp *op = warp.cursor.current(places);
    if (!op)
      return end(warp);
    if (warp.registers.size() < places.count())
      warp.registers.resize(places.count());
    Result latest{0, 0, IssueStall};
    warp.cursor.forEachRead(*op, [&](uint32_t number) {
      if (warp.registers[number].ready > latest.ready)
        latest = warp.registers[number];
    });
    if (op->kind == OpClass::Free) {
      setResult(warp, *op, latest);
      warp.cursor.advance();
      continue;
    }
    double time = warp.next;
    if (latest.ready > time) {
      time = latest.ready;
      warp.why = latest.why;
      warp.queued = latest.queued;
    }
    if (!ready.empty() && Turn(time, ~warp.number) > ready.top()) {
      warp.next = time;
      return push(warp);
    }
    if (!issue(warp, *op, time))
      return;
  }
}

bool Replay::issue(WarpRun &warp, const MicroOp &op, double time) {
  Scheduler &scheduler = *warp.scheduler;
  double slot = std::max(time, scheduler.free), start = slot;
  const UnitRow &row = table.rowOf(op.kind);
  Stall busy = row.pipe == TensorPipe ? TensorStall : IssueStall;
  // Whoever waits long for a unit comes again when it is free, and may find that another warp is preferred then: one
  // goes through its products while the others do something else (Huerta et al., "Analyzing Modern NVIDIA GPU cores",
  // arXiv 2503.20481: greedy, then the youngest). Of what takes a clock or two, nobody is asked to come again.
  if ((row.pipe == TensorPipe || row.pipe == SpecialPipe) && scheduler.pipes[row.pipe] > slot) {
    result.stalls[warp.why] += std::max(0.0, time - warp.last);
    result.stalls[busy] += scheduler.pipes[row.pipe] - time;
    warp.next = warp.last = scheduler.pipes[row.pipe];
    warp.queued = 0;
    push(warp);
    return false;
  }
  scheduler.free = slot + op.slots;
  if (row.pipe != numPipes) {
    double &pipe = scheduler.pipes[row.pipe];
    start = std::max(slot, pipe);
    pipe = start + (row.pipe == TensorPipe ? table.productClocks(op) : row.interval * op.slots);
  } else if (row.usesMemory) {
    ReplayMemory::Room room = warp.block->multiprocessor->memory.findRoom(slot);
    start = room.time;
    busy = room.why;
  }
  double waited = std::max(0.0, time - warp.last), queued = std::min(waited, warp.queued);
  result.stalls[warp.why] += waited - queued;
  result.stalls[BandwidthStall] += queued;
  result.stalls[IssueStall] += slot - time + op.slots;
  result.stalls[busy] += start - slot;
  warp.next = warp.last = start + op.slots;
  warp.why = IssueStall;
  warp.queued = 0;
  bool goesOn = perform(warp, op, start);
  if (goesOn)
    warp.cursor.advance();
  return goesOn;
}

bool Replay::perform(WarpRun &warp, const MicroOp &op, double start) {
  switch (op.kind) {
  case OpClass::Load:
  case OpClass::Store:
  case OpClass::Atomic:
  case OpClass::MatrixLoad: return access(warp, op, start);
  case OpClass::CopyAsync:
  case OpClass::CopyCommit:
  case OpClass::CopyWait:
  case OpClass::BulkLoad:
  case OpClass::BulkStore:
  case OpClass::BulkCommit:
  case OpClass::BulkWait: return copy(warp, op, start);
  case OpClass::Matrix:
  case OpClass::Wgmma:
  case OpClass::WgmmaCommit:
  case OpClass::WgmmaWait: return multiply(warp, op, start);
  case OpClass::Barrier:
  case OpClass::BarrierArrive:
  case OpClass::ClusterArrive:
  case OpClass::ClusterWait: return meet(warp, op, start);
  case OpClass::MbarrierWait: return askMbarrier(warp, op, start);
  case OpClass::MbarrierInit:
  case OpClass::MbarrierArrive:
  case OpClass::MbarrierTrack:
  case OpClass::StoreAsync: return tellMbarrier(warp, op, start);
  default: break;
  }
  const UnitRow &row = table.rowOf(op.kind);
  double latency = row.latency + (op.slots - 1) * latencies.arithmetic;
  if (op.kind == OpClass::Shuffle) {
    double &free = warp.block->multiprocessor->shuffle;
    start = std::max(start, free);
    free = start + 1;
  }
  setResult(warp, op, {start + latency, 0, row.why});
  return true;
}

//===-- memory ----------------------------------------------------------------------------------------------------===//

bool Replay::access(WarpRun &warp, const MicroOp &op, double start) {
  ReplayMemory &memory = warp.block->multiprocessor->memory;
  const std::vector<LaneAddresses> &spreads = warp.cursor.spreads();
  Result value{start + latencies.arithmetic, 0, MemoryStall}; // nobody's predicate holds
  warp.cursor.forEachRecord([&](const Record &record) {
    if (!record.site->isAccess)
      return;
    Arrival arrival;
    Stall why = MemoryStall;
    if (record.space == SharedSpace) {
      arrival = memory.shared(record, spreads, start);
      arrival.queued = 0; // that is what shared memory is waited for
      why = SharedStall;
    } else if (record.space != GlobalSpace) {
      arrival = memory.local(record, start);
    } else if (record.site->kind == LoadAccess) {
      arrival = memory.load(record, spreads, start, op.variant);
    } else {
      arrival = memory.store(record, spreads, start);
    }
    if (arrival.ready > value.ready)
      value = {arrival.ready, arrival.queued, why};
  });
  setResult(warp, op, value);
  return true;
}

void Replay::waitUntil(WarpRun &warp, const Arrival &arrival, Stall why) {
  if (arrival.ready <= warp.next)
    return;
  warp.next = arrival.ready;
  warp.why = why;
  warp.queued = arrival.queued;
}

void Replay::loadBulk(WarpRun &warp, const Record &event, double start) {
  constexpr uint64_t bytesMask = (uint64_t(1) << bulkBits) - 1;
  uint64_t told = event.value & bytesMask, moved = event.value >> bulkBits & bytesMask;
  uint32_t blocks = uint32_t(event.value >> (2 * bulkBits));
  Arrival arrival = warp.block->multiprocessor->memory.bulk(double(moved ? moved : told), start, /*isStore=*/false);
  auto tell = [&](ReplayMbarrier *mbarrier, int64_t bytes) {
    if (mbarrier && mbarrier->arrive(0, -bytes, {arrival.ready, MemoryStall}))
      wake(*mbarrier, latencies.shared);
  };
  int64_t each = int64_t(told) / std::popcount(event.mask);
  forEachLane(event.mask, [&](uint32_t lane) {
    uint64_t address = event.addressOf(lane, warp.cursor.spreads());
    constexpr uint32_t thatOfTheAddress = 0xffff;
    if (blocks == thatOfTheAddress)
      return tell(mbarrierAt(warp, address), each);
    forEachLane(blocks, [&](uint32_t rank) { tell(mbarrierAt(warp, address, int(rank)), each); });
  });
}

bool Replay::copy(WarpRun &warp, const MicroOp &op, double start) {
  ReplayMemory &memory = warp.block->multiprocessor->memory;
  constexpr uint64_t bytesMask = (uint64_t(1) << bulkBits) - 1;
  const std::vector<LaneAddresses> &spreads = warp.cursor.spreads();
  switch (op.kind) {
  case OpClass::CopyAsync:
    warp.cursor.forEachRecord([&](const Record &record) {
      if (record.space == SharedSpace)
        memory.shared(record, spreads, start);
      else
        warp.copies.add(memory.load(record, spreads, start, op.variant));
    });
    break;
  case OpClass::CopyCommit: warp.copies.commit(); break;
  case OpClass::CopyWait: waitUntil(warp, warp.copies.wait(op.amount), MemoryStall); break;
  case OpClass::BulkLoad: warp.cursor.forEachRecord([&](const Record &event) { loadBulk(warp, event, start); }); break;
  case OpClass::BulkStore:
    warp.cursor.forEachRecord([&](const Record &event) {
      double bytes = double(event.value >> bulkBits & bytesMask);
      warp.bulkReads.add({start + latencies.bulk + bytes / sharedBytesPerClock, 0});
      warp.bulkStores.add(memory.bulk(bytes, start, /*isStore=*/true));
    });
    break;
  case OpClass::BulkCommit:
    warp.bulkReads.commit();
    warp.bulkStores.commit();
    break;
  default:
    waitUntil(warp, warp.bulkReads.wait(op.amount), MemoryStall);
    if (!op.variant)
      waitUntil(warp, warp.bulkStores.wait(op.amount), MemoryStall);
  }
  return true;
}

ReplayResult replay(const std::vector<UnitTrace> &units, uint32_t resident, const Chip &chip,
                    const Latencies &latencies, const MemoryRates &rates) {
  return Replay(units, chip, latencies, rates).run(resident);
}

} // namespace dscc::sim
