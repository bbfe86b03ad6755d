#include "runtime/simulator/Chips.h"

#include "llvm/ADT/STLExtras.h"

namespace dscc::sim {

static constexpr uint32_t KiB = 1024;
static constexpr size_t GiB = size_t(1) << 30;
static constexpr double launchSeconds = 2e-6;

// Limits: CUDA C++ programming guide, table of technical specifications per compute capability. Clocks and bandwidths:
// NVIDIA's data sheets of the products named. FLOP a clock: the data sheets' peaks, dense, over clock and
// multiprocessors; special functions: the guide's table of arithmetic throughput. A multiprocessor has four schedulers,
// one pipe to shared memory, and takes 64 bytes a clock from L2. The launch is of the size that programs measure; it
// differs with driver and host.
static constexpr Chip chips[] = {
    {.name = "sm_80", .product = "Simulated A100", .major = 8, .minor = 0, .multiprocessors = 108,
     .maxThreadsPerMultiprocessor = 2048, .maxBlocksPerMultiprocessor = 32,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 163 * KiB,
     .sharedPerMultiprocessor = 164 * KiB, .sharedSharesKiB = {8, 16, 32, 64, 100, 132, 164},
     .registersPerMultiprocessor = 65536, .memoryBytes = 40 * GiB,
     .hasClusters = false, .clockHz = 1.41e9, .memoryBytesPerSecond = 1.555e12,
     .launchSeconds = launchSeconds, .warpInstructionsPerClock = 4, .sharedWavefrontsPerClock = 1,
     .l2BytesPerClock = 64, .specialFunctionsPerClock = 16,
     .f32FlopPerClock = 128, .f16FlopPerClock = 512, .f64FlopPerClock = 64, .tensorF16FlopPerClock = 2048,
     .tensorTf32FlopPerClock = 1024, .tensorF64FlopPerClock = 128, .tensorF8FlopPerClock = 0,
     .tensorInt8OpPerClock = 4096},
    {.name = "sm_86", .product = "Simulated A10", .major = 8, .minor = 6, .multiprocessors = 72,
     .maxThreadsPerMultiprocessor = 1536, .maxBlocksPerMultiprocessor = 16,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 99 * KiB,
     .sharedPerMultiprocessor = 100 * KiB, .sharedSharesKiB = {8, 16, 32, 64, 100},
     .registersPerMultiprocessor = 65536, .memoryBytes = 24 * GiB,
     .hasClusters = false, .clockHz = 1.695e9, .memoryBytesPerSecond = 0.6e12,
     .launchSeconds = launchSeconds, .warpInstructionsPerClock = 4, .sharedWavefrontsPerClock = 1,
     .l2BytesPerClock = 64, .specialFunctionsPerClock = 16,
     .f32FlopPerClock = 256, .f16FlopPerClock = 256, .f64FlopPerClock = 4, .tensorF16FlopPerClock = 1024,
     .tensorTf32FlopPerClock = 512, .tensorF64FlopPerClock = 4, .tensorF8FlopPerClock = 0,
     .tensorInt8OpPerClock = 2048},
    {.name = "sm_89", .product = "Simulated L40", .major = 8, .minor = 9, .multiprocessors = 142,
     .maxThreadsPerMultiprocessor = 1536, .maxBlocksPerMultiprocessor = 24,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 99 * KiB,
     .sharedPerMultiprocessor = 100 * KiB, .sharedSharesKiB = {8, 16, 32, 64, 100},
     .registersPerMultiprocessor = 65536, .memoryBytes = 48 * GiB,
     .hasClusters = false, .clockHz = 2.49e9, .memoryBytesPerSecond = 0.864e12,
     .launchSeconds = launchSeconds, .warpInstructionsPerClock = 4, .sharedWavefrontsPerClock = 1,
     .l2BytesPerClock = 64, .specialFunctionsPerClock = 16,
     .f32FlopPerClock = 256, .f16FlopPerClock = 256, .f64FlopPerClock = 4, .tensorF16FlopPerClock = 512,
     .tensorTf32FlopPerClock = 256, .tensorF64FlopPerClock = 4, .tensorF8FlopPerClock = 1024,
     .tensorInt8OpPerClock = 1024},
    {.name = "sm_90", .product = "Simulated H100", .major = 9, .minor = 0, .multiprocessors = 132,
     .maxThreadsPerMultiprocessor = 2048, .maxBlocksPerMultiprocessor = 32,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 227 * KiB,
     .sharedPerMultiprocessor = 228 * KiB, .sharedSharesKiB = {8, 16, 32, 64, 100, 132, 164, 196, 228},
     .registersPerMultiprocessor = 65536, .memoryBytes = 80 * GiB,
     .hasClusters = true, .clockHz = 1.83e9, .memoryBytesPerSecond = 3.35e12,
     .launchSeconds = launchSeconds, .warpInstructionsPerClock = 4, .sharedWavefrontsPerClock = 1,
     .l2BytesPerClock = 64, .specialFunctionsPerClock = 16,
     .f32FlopPerClock = 256, .f16FlopPerClock = 512, .f64FlopPerClock = 128, .tensorF16FlopPerClock = 4096,
     .tensorTf32FlopPerClock = 2048, .tensorF64FlopPerClock = 256, .tensorF8FlopPerClock = 8192,
     .tensorInt8OpPerClock = 8192},
};

const Chip *findChip(llvm::StringRef name) {
  auto found = llvm::find_if(chips, [&](const Chip &chip) { return chip.name == name; });
  return found == std::end(chips) ? nullptr : found;
}

llvm::StringRef chipNames() { return "sm_80, sm_86, sm_89, sm_90"; }

} // namespace dscc::sim
