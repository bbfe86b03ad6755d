#include "runtime/simulator/Chips.h"

#include "llvm/ADT/STLExtras.h"

namespace dscc::sim {

static constexpr uint32_t KiB = 1024;
static constexpr size_t GiB = size_t(1) << 30;

// Limits: CUDA C++ programming guide, table of technical specifications per compute capability. Clocks and bandwidths:
// NVIDIA's data sheets of the products named.
static constexpr Chip chips[] = {
    {.name = "sm_80", .product = "Simulated A100", .major = 8, .minor = 0, .multiprocessors = 108,
     .maxThreadsPerMultiprocessor = 2048, .maxBlocksPerMultiprocessor = 32,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 163 * KiB,
     .sharedPerMultiprocessor = 164 * KiB, .registersPerMultiprocessor = 65536, .memoryBytes = 40 * GiB,
     .hasClusters = false, .clockHz = 1.41e9, .memoryBytesPerSecond = 1.555e12},
    {.name = "sm_86", .product = "Simulated A10", .major = 8, .minor = 6, .multiprocessors = 72,
     .maxThreadsPerMultiprocessor = 1536, .maxBlocksPerMultiprocessor = 16,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 99 * KiB,
     .sharedPerMultiprocessor = 100 * KiB, .registersPerMultiprocessor = 65536, .memoryBytes = 24 * GiB,
     .hasClusters = false, .clockHz = 1.695e9, .memoryBytesPerSecond = 0.6e12},
    {.name = "sm_89", .product = "Simulated L40", .major = 8, .minor = 9, .multiprocessors = 142,
     .maxThreadsPerMultiprocessor = 1536, .maxBlocksPerMultiprocessor = 24,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 99 * KiB,
     .sharedPerMultiprocessor = 100 * KiB, .registersPerMultiprocessor = 65536, .memoryBytes = 48 * GiB,
     .hasClusters = false, .clockHz = 2.49e9, .memoryBytesPerSecond = 0.864e12},
    {.name = "sm_90", .product = "Simulated H100", .major = 9, .minor = 0, .multiprocessors = 132,
     .maxThreadsPerMultiprocessor = 2048, .maxBlocksPerMultiprocessor = 32,
     .sharedPerBlock = 48 * KiB, .sharedPerBlockOptin = 227 * KiB,
     .sharedPerMultiprocessor = 228 * KiB, .registersPerMultiprocessor = 65536, .memoryBytes = 80 * GiB,
     .hasClusters = true, .clockHz = 1.83e9, .memoryBytesPerSecond = 3.35e12},
};

const Chip *findChip(llvm::StringRef name) {
  auto found = llvm::find_if(chips, [&](const Chip &chip) { return chip.name == name; });
  return found == std::end(chips) ? nullptr : found;
}

llvm::StringRef chipNames() { return "sm_80, sm_86, sm_89, sm_90"; }

} // namespace dscc::sim
