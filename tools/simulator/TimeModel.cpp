#include "tools/simulator/TimeModel.h"

#include "tools/simulator/Chips.h"
#include "tools/simulator/Latencies.h"
#include "tools/simulator/Roofline.h"
#include "tools/simulator/exec/Replay.h"
#include "tools/simulator/exec/Requests.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

namespace dscc::sim {

/// Of what is recorded, all blocks of a launch together.
static constexpr size_t mostRecords = size_t(2) << 20;
/// Waves that are replayed of a launch that has more, and the fewest units.
static constexpr uint64_t replayedWaves = 3, fewestUnits = 4;

void ModelledTime::add(const ModelledTime &other) {
  seconds += other.seconds;
  launchSeconds += other.launchSeconds;
  residentBlocks = std::max(residentBlocks, other.residentBlocks);
  for (size_t i = 0; i < stalls.size(); ++i)
    stalls[i] += other.stalls[i];
}

llvm::StringRef stallName(unsigned stall) {
  static constexpr llvm::StringLiteral names[numStalls] = {"issue",     "arithmetic", "shared", "memory_latency",
                                                           "bandwidth", "barrier",    "tensor"};
  return names[stall];
}

//===-- which units are replayed ----------------------------------------------------------------------------------===//

/// As ptxas and the driver give them out: registers by 8 a thread and 256 a warp, shared memory by 128 bytes a block.
static uint32_t countResidentBlocks(const Kernel &kernel, const Chip &chip, const LaunchShape &shape,
                                    uint32_t threads) {
  uint32_t warps = uint32_t(llvm::divideCeil(threads, lanesPerWarp));
  uint32_t registers = kernel.liveRegisters;
  // A kernel that says how many threads it has is given no more registers than so many blocks of them can have.
  registers = std::min<uint32_t>(registers, std::min(255u, chip.registersPerMultiprocessor / (warps * lanesPerWarp)));
  uint64_t registersOfBlock = llvm::alignTo(uint64_t(registers), 8) * lanesPerWarp * warps;
  uint64_t shared = llvm::alignTo(uint64_t(kernel.staticShared) + shape.dynamicShared + reservedShared, 128);
  uint64_t blocks = std::min<uint64_t>({uint64_t(chip.maxBlocksPerMultiprocessor),
                                        uint64_t(chip.maxThreadsPerMultiprocessor) / (warps * lanesPerWarp),
                                        chip.registersPerMultiprocessor / std::max<uint64_t>(registersOfBlock, 1),
                                        chip.sharedPerMultiprocessor / shared});
  return uint32_t(std::max<uint64_t>(blocks, 1));
}

SamplePlan planSample(const Kernel &kernel, const Chip &chip, const LaunchShape &shape) {
  auto volume = [](const uint32_t *dims) { return uint64_t(dims[0]) * dims[1] * dims[2]; };
  SamplePlan plan;
  plan.unitBlocks = uint32_t(volume(shape.cluster));
  uint64_t units = volume(shape.grid) / plan.unitBlocks;
  plan.resident = countResidentBlocks(kernel, chip, shape, uint32_t(volume(shape.block)));
  uint64_t most = std::max<uint64_t>(1, uint64_t(chip.multiprocessors) / plan.unitBlocks);
  plan.groups = std::min(units, most);
  plan.unitsPerGroup = llvm::divideCeil(units, plan.groups);
  plan.resident = uint32_t(std::min<uint64_t>(plan.resident, plan.unitsPerGroup));
  plan.sharedBytes = plan.resident * uint32_t(kernel.staticShared + shape.dynamicShared + reservedShared);
  uint64_t count = std::min(plan.unitsPerGroup, std::max(fewestUnits, replayedWaves * plan.resident));
  // Units go round the groups; of those of the first group some are taken all over the grid.
  for (uint64_t i = 0; i < count; ++i)
    plan.units.push_back(i * plan.unitsPerGroup / count * plan.groups);
  plan.recordsPerBlock = mostRecords / (count * plan.unitBlocks);
  return plan;
}

//===-- the launch's time -----------------------------------------------------------------------------------------===//

static double part(uint64_t some, uint64_t all) { return all ? std::min(1.0, double(some) / double(all)) : 0; }

static MemoryRates findRates(const SamplePlan &plan, const Counters &counters, const Chip &chip,
                             const Latencies &latencies) {
  uint64_t stored =
               counters.traffic[GlobalSpace][StoreAccess].pieces + counters.traffic[GlobalSpace][AtomicAccess].pieces,
           loaded = counters.l2Sectors - std::min(counters.l2Sectors, stored);
  double busy = double(plan.groups * plan.unitBlocks);
  MemoryRates rates;
  rates.l2Bytes = std::min(chip.l2BytesPerClock, latencies.l2BytesPerClock / busy);
  rates.dramBytes = chip.memoryBytesPerSecond * latencies.dramShare / chip.clockHz / busy;
  rates.readShare = part(counters.dramReadBytes, loaded * sectorBytes);
  rates.writeShare = part(counters.dramWrittenBytes, stored * sectorBytes);
  constexpr uint64_t lineBytes = 128;
  rates.l1Lines = (latencies.l1Bytes - std::min(latencies.l1Bytes, plan.sharedBytes)) / lineBytes;
  return rates;
}

/// Clocks of all units of a group: those beyond the replayed ones take as long as these did behind their first wave.
static double extend(const SamplePlan &plan, const ReplayResult &result) {
  size_t count = result.ended.size();
  if (count == plan.unitsPerGroup)
    return result.end;
  size_t first = std::min<size_t>(plan.resident, count - 1);
  double each = (result.ended.back() - result.ended[first - 1]) / double(count - first);
  return result.end + each * double(plan.unitsPerGroup - count);
}

ModelledTime modelTime(const SamplePlan &plan, const std::vector<UnitTrace> &traces, const Counters &counters,
                       const std::vector<double> &limits, const Chip &chip) {
  ModelledTime time;
  time.seconds = time.launchSeconds = chip.launchSeconds;
  time.residentBlocks = plan.resident;
  const Latencies &latencies = latenciesOf(chip.name);
  uint64_t kept = 0, instructions = 0;
  for (const UnitTrace &unit : traces)
    for (const BlockTrace &block : unit.blocks) {
      kept += block.kept;
      instructions += block.instructions;
    }
  if (!kept)
    return time;
  MemoryRates rates = findRates(plan, counters, chip, latencies);
  ReplayResult result = replay(traces, plan.resident, chip, latencies, rates);
  // Blocks that do more than could be kept go on as they began.
  double clocks = extend(plan, result) * double(instructions) / double(kept);
  double dram =
      double(counters.dramReadBytes + counters.dramWrittenBytes) / (chip.memoryBytesPerSecond * latencies.dramShare);
  // Blocks that were not recorded may do more: what all of them do needs its time.
  double seconds = std::max(clocks / chip.clockHz, dram), all = 0;
  for (size_t limit = 0; limit < limits.size(); ++limit)
    if (limitName(limit) != "launch")
      seconds = std::max(seconds, limits[limit]);
  time.seconds += seconds;
  for (double stall : result.stalls)
    all += stall;
  for (size_t i = 0; i < result.stalls.size() && all > 0; ++i)
    time.stalls[i] = seconds * result.stalls[i] / all;
  return time;
}

} // namespace dscc::sim
