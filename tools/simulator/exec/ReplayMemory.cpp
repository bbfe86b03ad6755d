#include "tools/simulator/exec/ReplayMemory.h"

#include "tools/simulator/exec/Requests.h"

#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <bit>

namespace dscc::sim {

static constexpr uint64_t lineBytes = 128, sectorsPerLine = lineBytes / sectorBytes;
/// L1 has four banks of sectors, of whatever lines (Khairy et al., "Accel-Sim", ISCA 2020).
static constexpr uint64_t sectorsPerClock = 4;
/// Clocks of work in the pipe, and in the queues behind it, beyond which requests wait in their warps.
static constexpr double deepestPipe = 64, deepestQueue = 1500;

/// The lines that a warp's request touches, and the sectors of each.
static void forEachLine(const Record &record, const std::vector<LaneAddresses> &spreads,
                        llvm::function_ref<void(uint64_t line, uint8_t sectors)> visit) {
  llvm::SmallVector<uint64_t, 64> sectors;
  forEachLane(record.mask, [&](uint32_t lane) {
    uint64_t address = record.addressOf(lane, spreads);
    for (uint64_t sector = address / sectorBytes;
         sector <= (address + std::max(record.bytes, uint16_t(1)) - 1) / sectorBytes; ++sector)
      if (sectors.empty() || sectors.back() != sector)
        sectors.push_back(sector);
  });
  if (!std::is_sorted(sectors.begin(), sectors.end()))
    std::sort(sectors.begin(), sectors.end());
  for (size_t i = 0; i < sectors.size();) {
    uint64_t line = sectors[i] / sectorsPerLine;
    uint8_t mask = 0;
    for (; i < sectors.size() && sectors[i] / sectorsPerLine == line; ++i)
      mask |= uint8_t(1u << sectors[i] % sectorsPerLine);
    visit(line, mask);
  }
}

ReplayMemory::Room ReplayMemory::findRoom(double time) const {
  double ofPipe = std::max(time, pipe - deepestPipe),
         ofQueues = std::max({time, l2 - deepestQueue, dram - deepestQueue});
  return ofPipe > ofQueues ? Room{ofPipe, SharedStall} : Room{ofQueues, BandwidthStall};
}

Arrival ReplayMemory::fetch(double bytes, double time, bool isStore) {
  double fromDram = bytes * (isStore ? rates.writeShare : rates.readShare);
  double ofL2 = std::max(time, l2);
  l2 = ofL2 + bytes / rates.l2Bytes;
  double alone = latencies.l2 + (latencies.dram - latencies.l2) * (isStore ? 0 : rates.readShare);
  double begun = l2;
  if (fromDram > 0) {
    dram = std::max(time, dram) + fromDram / rates.dramBytes;
    begun = std::max(begun, dram);
  }
  return {begun + alone, begun - time};
}

Arrival ReplayMemory::load(const Record &record, const std::vector<LaneAddresses> &spreads, double time, bool skipsL1) {
  double start = std::max(time, pipe), missing = 0;
  uint64_t numSectors = 0;
  Arrival arrival{start + latencies.l1, start - time};
  llvm::SmallVector<Line *, 32> missed;
  llvm::SmallVector<std::pair<uint64_t, uint8_t>, 32> fresh;
  forEachLine(record, spreads, [&](uint64_t number, uint8_t sectors) {
    numSectors += uint64_t(std::popcount(sectors));
    auto found = skipsL1 ? lines.end() : lines.find(number);
    uint8_t have = found == lines.end() ? 0 : found->second.sectors;
    missing += std::popcount(uint8_t(sectors & ~have));
    if (sectors & have)
      arrival.join(found->second.arrival);
    if (sectors & ~have)
      fresh.push_back({number, sectors});
  });
  pipe = start + double(llvm::divideCeil(numSectors, sectorsPerClock));
  if (missing == 0)
    return arrival;
  Arrival fetched = fetch(missing * double(sectorBytes), start, /*isStore=*/false);
  fetched.queued += start - time;
  arrival.join(fetched);
  if (skipsL1)
    return arrival;
  for (auto [number, sectors] : fresh) {
    auto [line, isNew] = lines.try_emplace(number);
    line->second.sectors |= sectors;
    line->second.arrival = fetched;
    if (isNew)
      ages.push_back(number);
  }
  while (ages.size() > rates.l1Lines) {
    lines.erase(ages.front());
    ages.pop_front();
  }
  return arrival;
}

Arrival ReplayMemory::store(const Record &record, const std::vector<LaneAddresses> &spreads, double time) {
  double start = std::max(time, pipe);
  uint64_t numSectors = 0;
  forEachLine(record, spreads, [&](uint64_t, uint8_t sectors) { numSectors += uint64_t(std::popcount(sectors)); });
  pipe = start + double(llvm::divideCeil(numSectors, sectorsPerClock));
  Arrival done = fetch(double(numSectors * sectorBytes), start, /*isStore=*/true);
  done.queued += start - time;
  return done;
}

Arrival ReplayMemory::shared(const Record &record, const std::vector<LaneAddresses> &spreads, double time) {
  uint64_t addresses[lanesPerWarp];
  forEachLane(record.mask, [&](uint32_t i) { addresses[i] = record.addressOf(i, spreads); });
  double waves = countWavefronts(addresses, record.mask, record.bytes, record.site->kind == AtomicAccess).least;
  double start = std::max(time, pipe);
  pipe = start + std::max(waves, 1.0);
  return {pipe - 1 + latencies.shared, start - time};
}

Arrival ReplayMemory::local(const Record &record, double time) {
  double start = std::max(time, pipe);
  pipe = start + std::max(1.0, double(std::popcount(record.mask)) * record.bytes / lineBytes);
  return {pipe - 1 + latencies.l1, start - time};
}

Arrival ReplayMemory::bulk(double bytes, double time, bool isStore) {
  return fetch(bytes, time + latencies.bulk, isStore);
}

} // namespace dscc::sim
