// The table of targets: what the rest of the compiler may know about a chip or processor level. Facts are fields; no
// code elsewhere asks for a name.
//
//     chip    sm_80  sm_86  sm_89  sm_100  sm_120        sm_90a
//                └──────┴──────┴──────┴──────┘              │
//     target              cuda_sm80                    cuda_sm90a

#ifndef DSCC_DIALECTS_DSC_TARGETS_H
#define DSCC_DIALECTS_DSC_TARGETS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dscc {

/// The two kinds of processor that programs are written for.
enum class Device { Cpu, Cuda };

/// The instruction that multiplies matrices, none, mma.sync, or wgmma, whose operands lie in shared memory.
enum class MatrixInstruction { None, Mma, Wgmma };

/// Products of one type of operands.
struct MatrixUnit {
  MatrixInstruction instruction;
  int flopPerClock; // of a multiprocessor, dense; a multiplication and an addition are two
};

/// What tells one generation of GPUs from another. Limits are those of the smallest chip of the generation, so that
/// every one runs what respects them. Speeds are those of one product, so that estimates have something to go by; the
/// simulator's chips (tools/simulator/Chips.cpp) have the same.
struct Gpu {
  /// By the operands' type; sums are f32, of integers i32. F16 stands for bf16 too.
  MatrixUnit f16, tf32, int8, fp8;
  bool hasAsyncCopies; // cp.async: global to shared memory past the registers
  bool hasTensorMaps;  // cp.async.bulk.tensor: boxes of tensors, moved by one thread
  bool hasClusters;    // blocks that reach each other's shared memory
  /// griddepcontrol: a kernel may be launched before the one before it has ended, and waits for it by itself.
  bool hasProgrammaticLaunch;

  int sharedPerBlock;             // bytes, static ones included; more than 48 KiB must be asked for, dynamic ones only
  int sharedPerMultiprocessor;    // bytes; each block takes 1 KiB more than it asks for
  int registersPerMultiprocessor; // of 32 bits
  int registersPerThread;         // the most that the instructions can name
  int threadsPerMultiprocessor;   // at the same time
  int blocksPerMultiprocessor;    // at the same time
  int multiprocessors;            // of the product
  double clock;                   // Hz
  double memoryBytesPerSecond;    // as the data sheet has it; copies reach about nine tenths
  int64_t l2Bytes;                // of the product
  int l2BytesPerClock;            // that a multiprocessor takes
  int f32FlopPerClock;            // of a multiprocessor, outside of matrix instructions
  int specialFunctionsPerClock;   // of a multiprocessor: exp2, rcp, rsqrt, ...
  double secondsPerLaunch;        // from one kernel's last block to the next one's first
  int loadClocks;                 // from a load to its value, past the caches: published measurements give 470 to 490
};

/// A level of a processor's memory that one core has for itself.
struct Cache {
  int64_t bytes;        // that it holds
  int64_t ways;         // lines of one set: those whose addresses agree modulo bytes / ways
  double bytesPerCycle; // that come in from the level behind it when all is streamed
};

/// What estimates go by on processors of one level: a small core of the last years.
struct Cpu {
  double clock;                 // Hz
  double multipliesPerCycle;    // of whole vectors, each with an addition
  double loadsPerCycle;         // of whole vectors
  double cyclesPerGatheredLane; // of a load whose lanes do not lie next to each other
  Cache first, second;          // the one nearest to the core, and what stands between it and all that cores share
  double memoryBytesPerSecond;  // that one core gets from caches and memory when it streams
};

/// What kernels of one program are written for: a level of processors, a generation of GPUs. A CUDA program serves all
/// chips whose images it carries.
struct Target {
  llvm::StringLiteral name; // of the nested module and in symbols: "cpu_v4", "cuda_sm80"
  /// Says which kind of processor the facts below are about.
  Device device;
  int level;                   // CPU: x86-64 psABI level. CUDA: lowest sm
  int vectorBits;              // widest vector register, or access to memory
  int vectorRegisters;         // CPU: architectural vector registers
  int indexBits;               // of loop counters and offsets in kernels
  int warpSize;                // CUDA
  int maxThreads;              // CUDA: per block
  int registersPerThread;      // budget that schedules and unrolling respect
  llvm::StringLiteral cpuName; // LLVM's -mcpu
  /// CUDA: the PTX version to write, as LLVM's feature: "+ptx80".
  llvm::StringLiteral ptxFeature = "";
  /// Whether its kernels want the channels of images last, so that lanes run along them.
  bool channelsLast = false;
  /// CUDA: whether its PTX serves all later chips. One row's does, and its program is part of every artifact for CUDA.
  bool servesLaterChips = false;
  /// CUDA: null for CPUs.
  const Gpu *gpu = nullptr;
  /// CPU: null for GPUs.
  const Cpu *cpu = nullptr;
};

/// Best first within a device.
llvm::ArrayRef<Target> allTargets();
/// The target of this name; null if there is none.
const Target *findTarget(llvm::StringRef name);

/// A CUDA chip that gets an image of its own.
struct Chip {
  llvm::StringLiteral name; // as ptxas knows it: "sm_90a"
  /// Compute capability: 90 for 9.0.
  int sm;
  /// The last compute capability that runs its machine code.
  int lastSm;
  /// The name of the target whose kernels it runs.
  llvm::StringLiteral target;
  /// Whether it gets an image if nobody asks for certain chips.
  bool isDefault;
};
/// Every chip that --arch may name, oldest first.
llvm::ArrayRef<Chip> allChips();
/// The chip of this name; null if there is none.
const Chip *findChip(llvm::StringRef name);
/// The names of those that get an image if nobody asks for certain ones.
std::vector<std::string> defaultChips();

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_TARGETS_H
