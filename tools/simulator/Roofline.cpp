#include "tools/simulator/Roofline.h"

#include "tools/simulator/Chips.h"
#include "tools/simulator/exec/Requests.h"
#include "tools/simulator/exec/Statistics.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace dscc::sim {

namespace {
/// Clocks of one multiprocessor, if it did everything.
struct Limit {
  llvm::StringLiteral name;
  double (*clocks)(const Counters &counters, const Chip &chip);
};
} // namespace

/// Moves, and loads of parameters and constants, become operands of other instructions.
static double issueClocks(const Counters &counters, const Chip &chip) {
  uint64_t all = std::accumulate(counters.warpInstructions.begin(), counters.warpInstructions.end(), uint64_t(0));
  uint64_t free = counters.warpInstructions[MoveClass] + counters.warpInstructions[loadClassOf(ConstantSpace)];
  return double(all - free) / chip.warpInstructionsPerClock;
}

static double sharedClocks(const Counters &counters, const Chip &chip) {
  uint64_t wavefronts = 0;
  for (const Traffic &traffic : counters.traffic[SharedSpace])
    wavefronts += traffic.leastPieces;
  return double(wavefronts) / chip.sharedWavefrontsPerClock;
}

/// The types take turns on one unit.
static double tensorClocks(const Counters &counters, const Chip &chip) {
  const std::pair<FlopUnit, double> rows[] = {
      {TensorF16Flop, chip.tensorF16FlopPerClock},   {TensorBf16Flop, chip.tensorF16FlopPerClock},
      {TensorTf32Flop, chip.tensorTf32FlopPerClock}, {TensorF64Flop, chip.tensorF64FlopPerClock},
      {TensorF8Flop, chip.tensorF8FlopPerClock},     {TensorInt8Flop, chip.tensorInt8OpPerClock}};
  double clocks = 0;
  for (auto [unit, perClock] : rows)
    if (counters.flop[unit] && perClock > 0)
      clocks += double(counters.flop[unit]) / perClock;
  return clocks;
}

static constexpr Limit limits[] = {
    {"l2",
     [](const Counters &all, const Chip &chip) { return double(all.l2Sectors * sectorBytes) / chip.l2BytesPerClock; }},
    {"shared", sharedClocks},
    {"issue", issueClocks},
    {"f32", [](const Counters &all, const Chip &chip) { return double(all.flop[F32Flop]) / chip.f32FlopPerClock; }},
    {"f16_bf16",
     [](const Counters &all, const Chip &chip) { return double(all.flop[HalfFlop]) / chip.f16FlopPerClock; }},
    {"f64", [](const Counters &all, const Chip &chip) { return double(all.flop[F64Flop]) / chip.f64FlopPerClock; }},
    {"special_function",
     [](const Counters &all, const Chip &chip) {
       return double(all.threadInstructions[SpecialClass]) / chip.specialFunctionsPerClock;
     }},
    {"tensor", tensorClocks},
};

std::vector<double> computeLimits(const Counters &counters, const Chip &chip, uint64_t blocks) {
  double busy = double(std::min<uint64_t>(blocks, uint64_t(chip.multiprocessors)));
  std::vector<double> seconds = {double(counters.dramReadBytes + counters.dramWrittenBytes) / chip.memoryBytesPerSecond,
                                 chip.launchSeconds};
  for (const Limit &limit : limits)
    seconds.push_back(limit.clocks(counters, chip) / busy / chip.clockHz);
  return seconds;
}

llvm::StringRef limitName(size_t limit) {
  static constexpr llvm::StringLiteral ofChip[] = {"dram", "launch"};
  return limit < std::size(ofChip) ? ofChip[limit] : limits[limit - std::size(ofChip)].name;
}

} // namespace dscc::sim
