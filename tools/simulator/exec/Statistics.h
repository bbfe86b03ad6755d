// What a kernel does, counted as a warp would do it.
//
// Lanes run one after the other, so a warp's instruction is put together afterwards. A lane's place in its kernel is
// the instruction and the iteration of each loop around it; all lanes that come by the same place execute one
// instruction of the warp together, as if they met again behind each branch and each loop:
//
//     lane 0: a  loop 0: b c   loop 1: b      d            warp: a(3)  b(3) c(1)  b(2) c(1)  b(1)  d(3)
//     lane 1: a  loop 0: b     loop 1: b c    loop 2: b  d
//     lane 2: a  loop 0: b     d
//
// Compiled code reports straight-line segments, not single instructions, and each access to memory with its address.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_STATISTICS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_STATISTICS_H

#include "tools/simulator/Machine.h"
#include "tools/simulator/TimeModel.h"
#include "tools/simulator/exec/MicroOps.h"
#include "tools/simulator/exec/Sampling.h"

#include "llvm/ADT/ArrayRef.h"

#include <array>
#include <memory>

namespace dscc::sim {

struct Block;
struct Lane;

/// Families of instructions. Loads and stores go by MemorySpace, in its order.
enum InstructionClass : uint8_t {
  IntegerClass,
  F32Class,
  HalfClass,
  F64Class,
  ConversionClass,
  SpecialClass,
  CompareClass,
  MoveClass,
  LoadClasses,
  StoreClasses = LoadClasses + 5,
  AtomicClass = StoreClasses + 5,
  ControlClass,
  BarrierClass,
  CollectiveClass,
  MatrixClass,
  AsyncCopyClass,
  OtherClass,
  numInstructionClasses
};
/// What reports call an InstructionClass: "f32", "load_global", ...
llvm::StringRef className(unsigned instructionClass);

/// Constant: parameters too. Generic: known when it runs, and counted as one of the others then.
enum MemorySpace : uint8_t { GlobalSpace, SharedSpace, LocalSpace, ConstantSpace, GenericSpace, numSpaces };
/// What reports call a MemorySpace: "global", "shared", ...
llvm::StringRef spaceName(unsigned space);

/// LoadClasses has one for each space.
constexpr InstructionClass loadClassOf(MemorySpace space) { return InstructionClass(int(LoadClasses) + space); }
/// StoreClasses likewise.
constexpr InstructionClass storeClassOf(MemorySpace space) { return InstructionClass(int(StoreClasses) + space); }

/// What a thread does with memory; a reduction that gives nothing back is an atomic.
enum AccessKind : uint8_t { LoadAccess, StoreAccess, AtomicAccess, numAccessKinds };

/// Who does floating-point operations; TensorInt8 does operations on integers. A sum, a product or a quotient is one, a
/// multiply-add two; other functions are none.
enum FlopUnit : uint8_t {
  F32Flop,
  HalfFlop,
  F64Flop,
  TensorF16Flop,
  TensorBf16Flop,
  TensorTf32Flop,
  TensorF64Flop,
  TensorF8Flop,
  TensorInt8Flop,
  numFlopUnits
};
/// What reports call a FlopUnit: "f32", "tensor_f16", ...
llvm::StringRef flopUnitName(unsigned unit);

/// A place in the PTX that compiled code reports: a segment, an access, or an event.
struct Site {
  std::array<uint16_t, numInstructionClasses> instructions{}; // of a warp that comes by, by InstructionClass
  std::array<uint32_t, numFlopUnits> flop{};                  // of a thread
  /// Accesses to parameters and constants.
  struct Constant {
    uint16_t accesses = 0;         // of a warp
    uint32_t bytes = 0;            // of a thread
  } constants[2];                  // loaded, stored: their addresses do not matter
  bool isAccess = false;           // one whose address is reported; else a segment
  AccessKind kind = LoadAccess;    // of an access
  MemorySpace space = GlobalSpace; // of an access; if generic, its address tells
  bool isEvent = false;            // what blocks and copies tell each other, for the model of time: nothing is counted

  // For the model of time. Of a segment: its instructions as PTX has them, their registers, and the order of their
  // issue.
  std::vector<MicroOp> ops;
  std::vector<uint32_t> registers, order;
  const FunctionOps *function = nullptr; // whose registers they are; null: the site has no instructions
  const Site *segment = nullptr;         // of an access or an event: where it stands,
  uint32_t op = 0;                       // and whose it is
};
/// Lives as long as the process: compiled code knows its address.
Site *makeSite();

/// Accesses of one kind to one space.
struct Traffic {
  uint64_t requests = 0, lanes = 0; // of warps; of threads
  uint64_t bytes = 0;               // that threads asked for
  /// Of global memory 32-byte sectors, of shared memory wavefronts; and the fewest that this many bytes need.
  uint64_t pieces = 0, idealPieces = 0;
  uint64_t leastPieces = 0; // as Requests.h says
};

/// All is summed over launches.
struct Counters {
  std::array<uint64_t, numInstructionClasses> warpInstructions{}, threadInstructions{}; // by InstructionClass
  std::array<uint64_t, numFlopUnits> flop{};                                            // of threads, by FlopUnit
  Traffic traffic[numSpaces][numAccessKinds]; // generic accesses are among those of the space that they hit
  /// Sectors between L1 and L2, if L1 kept all that a block has loaded.
  uint64_t l2Sectors = 0;
  /// Of sectors that a launch has touched at all: what a cold L2 of any size has to read, and to write.
  uint64_t dramReadBytes = 0, dramWrittenBytes = 0;

  /// Adds those of another block or launch, so many times.
  void add(const Counters &other, uint64_t times = 1);
};

/// One row of the report.
struct KernelStatistics {
  std::string name;                               // of the .entry
  std::string nodes;                              // of the caller's model, if its launches named them
  uint64_t launches = 0, blocks = 0, threads = 0; // blocks and threads of all launches
  uint64_t blocksRun = 0;                         // fewer than `blocks` if only a sample of them ran
  Counters counters{};                            // of all launches, by those that ran
  std::vector<double> limitSeconds;               // in the order of Roofline.h
  double boundSeconds = 0;                        // of each launch its largest limit
  ModelledTime modelled{};                        // of all launches
};
/// Of each kernel that has run so far, apart for each list of nodes that its launches named, in the order of their
/// first launches.
std::vector<KernelStatistics> kernelStatistics();

/// A bulk copy of the thread moves these neighbouring bytes of global memory, and as many of shared memory. Nothing
/// unless they are counted.
void countBulkCopy(Lane &lane, const void *global, uint64_t bytes, AccessKind kind);
/// What such a copy tells its mbarrier.
void noteBulkBytes(Lane &lane, uint64_t bytes);
/// How an event's value has both, in so many bits each.
inline constexpr unsigned bulkBits = 24;

/// One launch under way.
class LaunchStatistics {
public:
  /// A launch that has counted nothing yet, of which a sample will run if the settings say so.
  LaunchStatistics(const Kernel &kernel, const Chip &chip, const LaunchShape &shape, void *const *arguments);
  ~LaunchStatistics();
  /// Which of its units have to run.
  const UnitSample &sample() const;
  /// To be called before the threads of a block of the launch's `unit` run, by the host thread that runs them.
  void begin(Block &block, uint64_t unit);
  /// To be called when they have run: adds what the block has counted, under a lock.
  void finish(Block &block);
  /// Adds the launch to those of its kernel.
  void publish();

private:
  const Kernel &kernel;
  const Chip &chip;
  const LaunchShape &shape;
  struct Sum;
  std::unique_ptr<Sum> sum;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_STATISTICS_H
