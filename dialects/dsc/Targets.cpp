#include "dialects/dsc/Targets.h"

#include "llvm/ADT/STLExtras.h"

namespace dscc {

static constexpr int KiB = 1024;
static constexpr int64_t MiB = 1024 * KiB;

// Limits and instructions: CUDA C++ programming guide, technical specifications per compute capability. Speeds: the
// products' data sheets, peaks over clock and multiprocessors.

/// Limits of sm_86 and sm_89; an sm_80 has more shared memory (163 and 164 KiB), threads (2048) and blocks (32). Speeds
/// of an A100 with 40 GB.
static constexpr Gpu sm80 = {.f16 = {MatrixInstruction::Mma, 2048},
                             .tf32 = {MatrixInstruction::Mma, 1024},
                             .int8 = {MatrixInstruction::Mma, 4096},
                             .fp8 = {MatrixInstruction::None, 0},
                             .hasAsyncCopies = true,
                             .hasTensorMaps = false,
                             .hasClusters = false,
                             .hasProgrammaticLaunch = false,
                             .sharedPerBlock = 99 * KiB,
                             .sharedPerMultiprocessor = 100 * KiB,
                             .registersPerMultiprocessor = 65536,
                             .registersPerThread = 255,
                             .threadsPerMultiprocessor = 1536,
                             .blocksPerMultiprocessor = 16,
                             .multiprocessors = 108,
                             .clock = 1.41e9,
                             .memoryBytesPerSecond = 1.555e12,
                             .l2Bytes = 40 * MiB,
                             .l2BytesPerClock = 64,
                             .f32FlopPerClock = 128,
                             .specialFunctionsPerClock = 16,
                             .secondsPerLaunch = 2e-6,
                             .loadClocks = 480};

/// Limits of sm_90, the only chip that there is. Speeds of an H100 SXM.
static constexpr Gpu sm90 = {.f16 = {MatrixInstruction::Wgmma, 4096},
                             .tf32 = {MatrixInstruction::Wgmma, 2048},
                             .int8 = {MatrixInstruction::Wgmma, 8192},
                             .fp8 = {MatrixInstruction::Wgmma, 8192},
                             .hasAsyncCopies = true,
                             .hasTensorMaps = true,
                             .hasClusters = true,
                             .hasProgrammaticLaunch = true,
                             .sharedPerBlock = 227 * KiB,
                             .sharedPerMultiprocessor = 228 * KiB,
                             .registersPerMultiprocessor = 65536,
                             .registersPerThread = 255,
                             .threadsPerMultiprocessor = 2048,
                             .blocksPerMultiprocessor = 32,
                             .multiprocessors = 132,
                             .clock = 1.83e9,
                             .memoryBytesPerSecond = 3.35e12,
                             .l2Bytes = 50 * MiB,
                             .l2BytesPerClock = 64,
                             .f32FlopPerClock = 256,
                             .specialFunctionsPerClock = 16,
                             .secondsPerLaunch = 2e-6,
                             .loadClocks = 480};

/// Server processors and Zen 5 multiply two registers of 512 bits in a cycle, Zen 4 one, in halves: sums that keep two
/// multipliers busy keep one busy too. A gather is a load a lane: measured on a Zen 5 as 16 cycles for 16 lanes (a
/// strided convolution in tiles of one row, test/bench/regret.py), and published for others as about that (uops.info:
/// vgatherqps and vgatherdps since Skylake and Zen 4). Measured there too: what comes in from the second cache, and
/// from the third, while a product of few rows walks down its columns.
static constexpr Cpu serverCpu = {.clock = 3e9,
                                  .multipliesPerCycle = 2,
                                  .loadsPerCycle = 2,
                                  .cyclesPerGatheredLane = 1,
                                  .first = {.bytes = 32 * KiB, .ways = 8, .bytesPerCycle = 32},
                                  .second = {.bytes = 1 * MiB, .ways = 16, .bytesPerCycle = 32},
                                  .memoryBytesPerSecond = 20e9};

llvm::ArrayRef<Target> allTargets() {
  // PTX 8.0 is the oldest version that knows sm_90a, hence the one that most drivers read.
  static constexpr Target targets[] = {
      {.name = "cpu_v4",
       .device = Device::Cpu,
       .level = 4,
       .vectorBits = 512,
       .vectorRegisters = 32,
       .indexBits = 64,
       .warpSize = 1,
       .maxThreads = 1,
       .registersPerThread = 32,
       .cpuName = "x86-64-v4",
       .channelsLast = true,
       .cpu = &serverCpu},
      {.name = "cpu_v3",
       .device = Device::Cpu,
       .level = 3,
       .vectorBits = 256,
       .vectorRegisters = 16,
       .indexBits = 64,
       .warpSize = 1,
       .maxThreads = 1,
       .registersPerThread = 16,
       .cpuName = "x86-64-v3",
       .channelsLast = true,
       .cpu = &serverCpu},
      {.name = "cuda_sm90a",
       .device = Device::Cuda,
       .level = 90,
       .vectorBits = 128,
       .vectorRegisters = 0,
       .indexBits = 32,
       .warpSize = 32,
       .maxThreads = 1024,
       .registersPerThread = 128,
       .cpuName = "sm_90a",
       .ptxFeature = "+ptx80",
       .channelsLast = true,
       .gpu = &sm90},
      {.name = "cuda_sm80",
       .device = Device::Cuda,
       .level = 80,
       .vectorBits = 128,
       .vectorRegisters = 0,
       .indexBits = 32,
       .warpSize = 32,
       .maxThreads = 1024,
       .registersPerThread = 128,
       .cpuName = "sm_80",
       .ptxFeature = "+ptx80",
       .channelsLast = true,
       .servesLaterChips = true,
       .gpu = &sm80},
  };
  return targets;
}

const Target *findTarget(llvm::StringRef name) {
  auto found = llvm::find_if(allTargets(), [&](const Target &target) { return target.name == name; });
  return found == allTargets().end() ? nullptr : found;
}

llvm::ArrayRef<Chip> allChips() {
  // Machine code runs on its own chip and on later ones of the same major version; that of sm_90a, which uses more
  // than later chips keep, on 9.0 alone.
  static constexpr Chip chips[] = {
      {.name = "sm_80", .sm = 80, .lastSm = 89, .target = "cuda_sm80", .isDefault = true},
      {.name = "sm_86", .sm = 86, .lastSm = 89, .target = "cuda_sm80", .isDefault = true},
      {.name = "sm_87", .sm = 87, .lastSm = 89, .target = "cuda_sm80", .isDefault = false}, // Jetson Orin
      {.name = "sm_89", .sm = 89, .lastSm = 89, .target = "cuda_sm80", .isDefault = true},
      {.name = "sm_90a", .sm = 90, .lastSm = 90, .target = "cuda_sm90a", .isDefault = true},
      {.name = "sm_100", .sm = 100, .lastSm = 109, .target = "cuda_sm80", .isDefault = false},
      {.name = "sm_120", .sm = 120, .lastSm = 129, .target = "cuda_sm80", .isDefault = false},
  };
  return chips;
}

const Chip *findChip(llvm::StringRef name) {
  auto found = llvm::find_if(allChips(), [&](const Chip &chip) { return chip.name == name; });
  return found == allChips().end() ? nullptr : found;
}

std::vector<std::string> defaultChips() {
  std::vector<std::string> names;
  for (const Chip &chip : allChips())
    if (chip.isDefault)
      names.push_back(chip.name.str());
  return names;
}

} // namespace dscc
