#include "tools/simulator/exec/Statistics.h"

#include "tools/simulator/Chips.h"
#include "tools/simulator/Roofline.h"
#include "tools/simulator/exec/Records.h"
#include "tools/simulator/exec/Requests.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/Trace.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

#include <bit>
#include <deque>
#include <mutex>

namespace dscc::sim {

Site *makeSite() {
  static std::mutex lock;
  static std::deque<Site> &all = *new std::deque<Site>;
  std::lock_guard guard(lock);
  return &all.emplace_back();
}

void Counters::add(const Counters &other, uint64_t times) {
  for (unsigned i = 0; i < numInstructionClasses; ++i) {
    warpInstructions[i] += times * other.warpInstructions[i];
    threadInstructions[i] += times * other.threadInstructions[i];
  }
  for (unsigned i = 0; i < numFlopUnits; ++i)
    flop[i] += times * other.flop[i];
  for (unsigned space = 0; space < numSpaces; ++space)
    for (unsigned kind = 0; kind < numAccessKinds; ++kind) {
      Traffic &sum = traffic[space][kind];
      const Traffic &more = other.traffic[space][kind];
      sum.requests += times * more.requests;
      sum.lanes += times * more.lanes;
      sum.bytes += times * more.bytes;
      sum.pieces += times * more.pieces;
      sum.idealPieces += times * more.idealPieces;
      sum.leastPieces += times * more.leastPieces;
    }
  l2Sectors += times * other.l2Sectors;
  dramReadBytes += times * other.dramReadBytes;
  dramWrittenBytes += times * other.dramWrittenBytes;
}

//===-- what a block does -----------------------------------------------------------------------------------------===//

struct BlockStatistics {
  std::vector<Log> logs; // a warp each; one for all if its threads run one after the other
  Counters counters;
  SectorSet sectors;
  uint64_t times = 1;                // as its unit is counted
  std::unique_ptr<BlockTrace> trace; // null: the model of time does not ask for this block
};

static void countAccess(BlockStatistics &all, const Log &log, const Record &record) {
  AccessKind kind = record.site->kind;
  uint32_t lanes = uint32_t(std::popcount(record.mask));
  Traffic &traffic = all.counters.traffic[record.space][kind];
  ++traffic.requests;
  traffic.lanes += lanes;
  traffic.bytes += uint64_t(lanes) * record.bytes;
  uint64_t addresses[lanesPerWarp];
  forEachLane(record.mask, [&](uint32_t i) { addresses[i] = record.addressOf(i, log.spreads); });
  Pieces pieces;
  if (record.space == GlobalSpace)
    pieces = countSectors(addresses, record.mask, record.bytes, all.sectors, kind != StoreAccess, kind != LoadAccess);
  else if (record.space == SharedSpace)
    pieces = countWavefronts(addresses, record.mask, record.bytes, kind == AtomicAccess);
  traffic.pieces += pieces.count;
  traffic.idealPieces += pieces.ideal;
  traffic.leastPieces += pieces.least;
  if (record.space == GlobalSpace && kind != LoadAccess)
    all.counters.l2Sectors += pieces.count;
}

/// The lane's bulk copy has just been reported as an event.
static void addToEvent(Lane &lane, uint64_t value) {
  if (Record *event = lane.block->statistics->logs[lane.thread / lanesPerWarp].last(lane.thread % lanesPerWarp))
    if (event->site->isEvent)
      event->value += value;
}

void noteBulkBytes(Lane &lane, uint64_t bytes) {
  if (lane.block->statistics)
    addToEvent(lane, bytes);
}

void countBulkCopy(Lane &lane, const void *global, uint64_t bytes, AccessKind kind) {
  Block &block = *lane.block;
  if (!block.statistics || !bytes)
    return;
  BlockStatistics &all = *block.statistics;
  addToEvent(lane, bytes << bulkBits);
  uint64_t begin = reinterpret_cast<uint64_t>(global), first = begin / sectorBytes,
           last = (begin + bytes - 1) / sectorBytes;
  for (uint64_t sector = first; sector <= last; ++sector)
    all.sectors.insert(sector, kind != StoreAccess, kind != LoadAccess);
  auto add = [&](MemorySpace space, AccessKind how, uint64_t pieces, uint64_t ideal) {
    Traffic &traffic = all.counters.traffic[space][how];
    ++traffic.requests;
    ++traffic.lanes;
    traffic.bytes += bytes;
    traffic.pieces += pieces;
    traffic.idealPieces += ideal;
    traffic.leastPieces += ideal;
  };
  constexpr uint64_t waveBytes = 128; // a word of each bank
  uint64_t waves = (bytes + waveBytes - 1) / waveBytes;
  add(GlobalSpace, kind, last - first + 1, (bytes + sectorBytes - 1) / sectorBytes);
  add(SharedSpace, kind == LoadAccess ? StoreAccess : LoadAccess, waves, waves);
  if (kind != LoadAccess)
    all.counters.l2Sectors += last - first + 1;
}

static void countRecord(BlockStatistics &all, const Log &log, const Record &record) {
  const Site &site = *record.site;
  uint64_t lanes = uint64_t(std::popcount(record.mask));
  if (site.isEvent)
    return;
  if (site.isAccess)
    return countAccess(all, log, record);
  for (unsigned i = 0; i < numInstructionClasses; ++i) {
    all.counters.warpInstructions[i] += site.instructions[i];
    all.counters.threadInstructions[i] += site.instructions[i] * lanes;
  }
  for (unsigned i = 0; i < numFlopUnits; ++i)
    all.counters.flop[i] += site.flop[i] * lanes;
  for (AccessKind kind : {LoadAccess, StoreAccess})
    if (uint32_t accesses = site.constants[kind].accesses) {
      Traffic &traffic = all.counters.traffic[ConstantSpace][kind];
      traffic.requests += accesses;
      traffic.lanes += accesses * lanes;
      traffic.bytes += site.constants[kind].bytes * lanes;
    }
}

/// Counts it, and keeps it for the model of time if that wants the block.
static void take(BlockStatistics &all, const Log &log, const Record &record) {
  countRecord(all, log, record);
  if (all.trace && log.warp != UINT32_MAX)
    all.trace->add(log.warp, record, log.spreads);
}

static void flush(BlockStatistics &all, Log &log) {
  for (uint32_t at = log.head; at; at = log.records[at - 1].next)
    take(all, log, log.records[at - 1]);
  log.records.clear();
  log.restart();
  log.limit = manyRecords;
}

/// Counts the records that no lane of the warp can come by again.
static void flushComplete(BlockStatistics &all, Log &log, uint32_t warpLanes) {
  Log rest;
  for (uint32_t at = log.head; at; at = log.records[at - 1].next) {
    const Record &record = log.records[at - 1];
    if (record.mask == warpLanes) {
      take(all, log, record);
      continue;
    }
    if (!rest.records.empty())
      rest.records.back().next = uint32_t(rest.records.size() + 1);
    rest.records.push_back(record);
    rest.records.back().next = 0;
    if (record.spread) {
      rest.spreads.push_back(log.spreads[record.spread - 1]);
      rest.records.back().spread = uint32_t(rest.spreads.size());
    }
  }
  log.records = std::move(rest.records);
  log.restart();
  log.head = !log.records.empty();
  log.spreads = std::move(rest.spreads);
  log.limit = std::max(manyRecords, 2 * log.records.size());
}

/// Lanes that meet at a collective of the whole warp, or at a barrier of the block, have left all places before it.
static Log &logOf(const Lane &lane) {
  const Block &block = *lane.block;
  BlockStatistics &all = *block.statistics;
  uint32_t warp = lane.thread / lanesPerWarp;
  Log &log = all.logs[block.hasFibers ? warp : 0];
  uint32_t warpEpoch = block.warps[warp].epoch + block.warps[warp].meetings;
  if (log.warp != warp || log.warpEpoch != warpEpoch) {
    flush(all, log);
    log.warp = warp;
    log.warpEpoch = warpEpoch;
  }
  if (log.records.size() >= log.limit) {
    uint32_t rest = block.numThreads - warp * lanesPerWarp;
    flushComplete(all, log, rest >= lanesPerWarp ? allLanes : (1u << rest) - 1);
  }
  return log;
}

static void countSegment(Lane *lane, const Site *site, uint64_t position) {
  uint32_t index = lane->thread % lanesPerWarp;
  logOf(*lane).find(site, position, index).mask |= 1u << index;
}

static MemorySpace spaceOf(const Lane &lane, const Site &site, const char *address) {
  if (site.space != GenericSpace)
    return site.space;
  for (const Block *block : lane.block->unit->blocks) {
    if (size_t(address - block->shared) < block->sharedBytes)
      return SharedSpace;
    if (address >= block->stacks && address < block->stacks + block->stackBytes * block->numThreads)
      return LocalSpace;
  }
  return GlobalSpace;
}

/// Lanes of one instruction whose spaces or widths differ are requests of their own.
static void countLaneAccess(Lane *lane, const Site *site, uint64_t position, const char *address, uint32_t bytes) {
  if (!bytes)
    return;
  uint32_t index = lane->thread % lanesPerWarp;
  MemorySpace space = spaceOf(*lane, *site, address);
  Log &log = logOf(*lane);
  Record &record = log.find(site, position ^ (uint64_t(bytes) << 48 | uint64_t(space) << 60), index);
  log.noteAddress(record, index, reinterpret_cast<uintptr_t>(address));
  record.mask |= 1u << index;
  record.bytes = uint16_t(bytes);
  record.space = space;
}

/// What blocks, warps and copies tell each other. Lanes that do it with another value do it apart.
static void countEvent(Lane *lane, const Site *site, uint64_t position, const char *address, uint64_t value) {
  uint32_t index = lane->thread % lanesPerWarp;
  Log &log = logOf(*lane);
  Record &record = log.find(site, position ^ value * 0x9e3779b97f4a7c15u, index);
  log.noteAddress(record, index, reinterpret_cast<uintptr_t>(address));
  if (!record.mask) // copies of other lanes may have added to it
    record.value = value;
  record.mask |= 1u << index;
}

/// A call: the callee's places are those of this call, in this iteration.
static void enterCall(Lane *lane, uint64_t line, uint64_t position) {
  lane->position = (position ^ line) * 0x9e3779b97f4a7c15u;
}

llvm::ArrayRef<Callee> statisticsCallees() {
  static const Callee list[] = {{"dscc_sim_count_segment", reinterpret_cast<void *>(countSegment)},
                                {"dscc_sim_count_access", reinterpret_cast<void *>(countLaneAccess)},
                                {"dscc_sim_count_event", reinterpret_cast<void *>(countEvent)},
                                {"dscc_sim_count_call", reinterpret_cast<void *>(enterCall)}};
  return list;
}

//===-- launches and kernels --------------------------------------------------------------------------------------===//

struct LaunchStatistics::Sum {
  std::mutex lock;
  Counters counters; // of all blocks, by those that ran
  SectorSet sectors; // of those that ran
  uint64_t blocksRun = 0;
  SamplePlan plan;
  std::vector<UnitTrace> traces; // in the order of the plan's units
  UnitSample sample;
  // If not all units run: where tensors begin, and of each what all blocks touch, every one for itself.
  std::vector<uint64_t> regions;
  std::vector<SectorSet::Count> alone;
};

/// Blocks that know what others have done wait for them, or do what is left: without the others they do something else.
static UnitSample planUnits(const Kernel &kernel, const SamplePlan &plan, uint64_t units) {
  return chooseUnits(units, kernel.ordersUnits ? 0 : settings().sample, plan.units);
}

static uint64_t countBlocks(const LaunchShape &shape) {
  return uint64_t(shape.grid[0]) * shape.grid[1] * shape.grid[2];
}

LaunchStatistics::LaunchStatistics(const Kernel &kernel, const Chip &chip, const LaunchShape &shape,
                                   void *const *arguments)
    : kernel(kernel), chip(chip), shape(shape), sum(std::make_unique<Sum>()) {
  sum->plan = planSample(kernel, chip, shape);
  sum->traces.resize(sum->plan.units.size());
  for (UnitTrace &trace : sum->traces)
    trace.blocks.resize(sum->plan.unitBlocks);
  sum->sample = planUnits(kernel, sum->plan, countBlocks(shape) / sum->plan.unitBlocks);
  if (!sum->sample.units.empty())
    sum->regions = findRegions(kernel, arguments);
  sum->alone.resize(sum->regions.size());
}
LaunchStatistics::~LaunchStatistics() = default;

const UnitSample &LaunchStatistics::sample() const { return sum->sample; }

void LaunchStatistics::begin(Block &block, uint64_t unit) {
  if (!block.statistics)
    block.statistics = std::make_shared<BlockStatistics>();
  BlockStatistics &all = *block.statistics;
  all.counters = {};
  all.sectors.clear();
  all.times = sum->sample.timesOf(unit);
  all.logs.resize(std::max(all.logs.size(), block.warps.size()));
  for (Log &log : all.logs) {
    log.records.clear();
    log.restart();
    log.warp = UINT32_MAX;
  }
  all.trace.reset();
  if (std::optional<size_t> slot = sum->plan.findUnit(unit))
    all.trace = std::make_unique<BlockTrace>(block, *slot, sum->plan.recordsPerBlock);
}

void LaunchStatistics::finish(Block &block) {
  BlockStatistics &all = *block.statistics;
  for (Log &log : all.logs)
    flush(all, log);
  all.counters.l2Sectors += all.sectors.count().loaded;
  std::vector<SectorSet::RegionCount> touched = all.sectors.countRegions(sum->regions);
  std::lock_guard guard(sum->lock);
  ++sum->blocksRun;
  sum->counters.add(all.counters, all.times);
  for (auto [own, more] : llvm::zip(sum->alone, touched)) {
    own.loaded += all.times * more.loaded;
    own.stored += all.times * more.stored;
  }
  sum->sectors.merge(all.sectors);
  if (all.trace) {
    UnitTrace &unit = sum->traces[all.trace->slot];
    unit.blocks[block.rank] = std::move(*all.trace);
    all.trace.reset();
  }
}

namespace {
struct Kernels {
  std::mutex lock;
  std::vector<KernelStatistics> list;
  llvm::StringMap<size_t> byName;
};
} // namespace

static Kernels &kernels() {
  static Kernels &all = *new Kernels;
  return all;
}

std::vector<KernelStatistics> kernelStatistics() {
  std::lock_guard guard(kernels().lock);
  return kernels().list;
}

void LaunchStatistics::publish() {
  Counters &counters = sum->counters;
  SectorSet::Count touched = sum->regions.empty()
                                 ? sum->sectors.count()
                                 : estimateTouched(sum->sectors.countRegions(sum->regions), sum->alone);
  counters.dramReadBytes = touched.loaded * sectorBytes;
  counters.dramWrittenBytes = touched.stored * sectorBytes;
  uint64_t blocks = countBlocks(shape);
  std::vector<double> limits = computeLimits(counters, chip, blocks);
  ModelledTime modelled = modelTime(sum->plan, sum->traces, counters, limits, chip);

  std::lock_guard guard(kernels().lock);
  auto [found, isNew] = kernels().byName.try_emplace(kernel.name + '\0' + shape.nodes, kernels().list.size());
  if (isNew) {
    KernelStatistics &row = kernels().list.emplace_back();
    row.name = kernel.name;
    row.nodes = shape.nodes;
  }
  KernelStatistics &all = kernels().list[found->second];
  ++all.launches;
  all.blocks += blocks;
  all.blocksRun += sum->blocksRun;
  all.threads += blocks * shape.block[0] * shape.block[1] * shape.block[2];
  all.counters.add(counters);
  all.limitSeconds.resize(limits.size());
  for (size_t i = 0; i < limits.size(); ++i)
    all.limitSeconds[i] += limits[i];
  all.boundSeconds += *std::max_element(limits.begin(), limits.end());
  all.modelled.add(modelled);
}

//===-- names -----------------------------------------------------------------------------------------------------===//

llvm::StringRef className(unsigned instructionClass) {
  static constexpr llvm::StringLiteral names[] = {"integer",        "f32",
                                                  "f16_bf16",       "f64",
                                                  "conversion",     "special_function",
                                                  "compare",        "move",
                                                  "load_global",    "load_shared",
                                                  "load_local",     "load_constant",
                                                  "load_generic",   "store_global",
                                                  "store_shared",   "store_local",
                                                  "store_constant", "store_generic",
                                                  "atomic",         "control",
                                                  "barrier",        "warp_collective",
                                                  "matrix",         "async_copy",
                                                  "other"};
  static_assert(std::size(names) == numInstructionClasses);
  return names[instructionClass];
}

llvm::StringRef spaceName(unsigned space) {
  static constexpr llvm::StringLiteral names[numSpaces] = {"global", "shared", "local", "constant", "generic"};
  return names[space];
}

llvm::StringRef flopUnitName(unsigned unit) {
  static constexpr llvm::StringLiteral names[numFlopUnits] = {
      "f32", "f16_bf16", "f64", "tensor_f16", "tensor_bf16", "tensor_tf32", "tensor_f64", "tensor_f8", "tensor_int8"};
  return names[unit];
}

} // namespace dscc::sim
