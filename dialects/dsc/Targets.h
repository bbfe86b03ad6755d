// The table of targets: what the rest of the compiler may know about a chip or processor level. Facts are fields; no
// code elsewhere asks for a name.

#ifndef DSCC_DIALECTS_DSC_TARGETS_H
#define DSCC_DIALECTS_DSC_TARGETS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace dscc {

/// The two kinds of processor that programs are written for.
enum class Device { Cpu, Cuda };

/// What kernels of one program are written for. A CUDA program serves all chips whose images it carries.
struct Target {
  llvm::StringLiteral name; // of the nested module and in symbols: "cpu_v4", "cuda"
  /// Says which kind of processor the facts below are about.
  Device device;
  int level;                   // CPU: x86-64 psABI level. CUDA: lowest sm
  int vectorBits;              // CPU: widest vector register
  int vectorRegisters;         // CPU: architectural vector registers
  int indexBits;               // of loop counters and offsets in kernels
  int warpSize;                // CUDA
  int maxThreads;              // CUDA: per block
  int registersPerThread;      // budget that schedules and unrolling respect
  int sharedBytes;             // CUDA: per block without opting in
  llvm::StringLiteral cpuName; // LLVM's -mcpu
};

/// Best first within a device.
llvm::ArrayRef<Target> allTargets();
/// The target of this name; null if there is none.
const Target *findTarget(llvm::StringRef name);

/// A CUDA chip that gets an image of its own.
struct Chip {
  llvm::StringLiteral name; // "sm_90"
  /// Compute capability: 90 for 9.0.
  int sm;
  /// The PTX version to write for it, as LLVM's feature: "+ptx80".
  llvm::StringLiteral ptxFeature;
};
/// Every chip that --arch may name, oldest first.
llvm::ArrayRef<Chip> allChips();
/// The chip of this name; null if there is none.
const Chip *findChip(llvm::StringRef name);

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_TARGETS_H
