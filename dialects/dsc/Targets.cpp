#include "dialects/dsc/Targets.h"

#include "llvm/ADT/STLExtras.h"

namespace dscc {

llvm::ArrayRef<Target> allTargets() {
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
       .sharedBytes = 0,
       .cpuName = "x86-64-v4"},
      {.name = "cpu_v3",
       .device = Device::Cpu,
       .level = 3,
       .vectorBits = 256,
       .vectorRegisters = 16,
       .indexBits = 64,
       .warpSize = 1,
       .maxThreads = 1,
       .registersPerThread = 16,
       .sharedBytes = 0,
       .cpuName = "x86-64-v3"},
      {.name = "cuda",
       .device = Device::Cuda,
       .level = 80,
       .vectorBits = 128,
       .vectorRegisters = 0,
       .indexBits = 32,
       .warpSize = 32,
       .maxThreads = 1024,
       .registersPerThread = 128,
       .sharedBytes = 48 * 1024,
       .cpuName = "sm_80"},
  };
  return targets;
}

const Target *findTarget(llvm::StringRef name) {
  auto found = llvm::find_if(allTargets(), [&](const Target &target) { return target.name == name; });
  return found == allTargets().end() ? nullptr : found;
}

llvm::ArrayRef<Chip> allChips() {
  // PTX 8.0 is the oldest version that knows all of these, hence the one that most drivers read.
  static constexpr Chip chips[] = {
      {.name = "sm_80", .sm = 80, .ptxFeature = "+ptx80"},
      {.name = "sm_86", .sm = 86, .ptxFeature = "+ptx80"},
      {.name = "sm_89", .sm = 89, .ptxFeature = "+ptx80"},
      {.name = "sm_90", .sm = 90, .ptxFeature = "+ptx80"},
  };
  return chips;
}

const Chip *findChip(llvm::StringRef name) {
  auto found = llvm::find_if(allChips(), [&](const Chip &chip) { return chip.name == name; });
  return found == allChips().end() ? nullptr : found;
}

} // namespace dscc
