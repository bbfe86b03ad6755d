// What a segment of PTX asks of a multiprocessor, instruction by instruction: for the model of time.
//
// Statistics count how often a segment runs; the model also wants to know what waits for what in it. Registers are
// PTX's, numbered within their function.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_MICROOPS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_MICROOPS_H

#include <cstdint>
#include <utility>
#include <vector>

namespace dscc::sim {

struct Site;

/// What an instruction keeps busy, and what it waits for beside its registers.
enum class OpClass : uint8_t {
  Free, // an operand of another instruction: moves, parameters, constants
  Integer,
  Multiply, // of integers
  F32,
  Half,
  F64,
  Conversion,
  Special,
  Shuffle,
  Vote,
  Load,   // of the space that its record tells
  Store,  // likewise
  Atomic, // likewise
  MatrixLoad,
  Matrix, // mma.sync
  Wgmma,
  WgmmaCommit,
  WgmmaWait,
  CopyAsync,
  CopyCommit,
  CopyWait,
  BulkLoad,
  BulkStore,
  BulkCommit,
  BulkWait,
  Barrier,
  BarrierArrive,
  MbarrierInit,
  MbarrierArrive, // expect_tx and complete_tx too
  MbarrierTrack,  // cp.async.mbarrier.arrive
  MbarrierWait,
  StoreAsync, // st.async and red.async: bytes arrive at an mbarrier
  ClusterArrive,
  ClusterWait,
  Control,
  Other,
  numOpClasses
};

/// One instruction of a segment.
struct MicroOp {
  OpClass kind = OpClass::Other; // what it keeps busy
  uint8_t slots = 1;             // how many of the machine's instructions it becomes
  uint8_t reads = 0, writes = 0; // registers: in Site::registers from `first` on, what it reads before what it writes
  uint32_t first = 0;            // where they begin
  bool variant = false;          // an access that goes past L1; a wait of bulk copies for what they read only
  uint8_t unit = 0;              // a FlopUnit: of Matrix and Wgmma
  uint32_t amount = 0;           // FLOP of a warp (Matrix, Wgmma), or groups that may be left under way (waits)
  uint32_t sharedBytes = 0;      // that a wgmma of a warpgroup reads
};

/// One function of a module: sites of its segments point here.
struct FunctionOps {
  uint32_t numRegisters = 0;    // PTX's
  std::vector<uint8_t> words;   // of each register, of 32 bits; 0: a predicate
  std::vector<Site *> segments; // in the order of the text
  uint32_t numOps = 0;          // of all segments
  /// Branches back: the numbers of the instruction behind the label and of the branch, among all of the function.
  std::vector<std::pair<uint32_t, uint32_t>> loops;
};

/// Sets the order in which a segment's instructions are issued, which is ptxas's choice: what others wait for comes
/// first, as far as registers, memory and barriers allow.
void orderOps(Site &segment);

/// The most words that are live at a time: what a thread needs of registers, at least.
uint32_t countLiveRegisters(const FunctionOps &function);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_MICROOPS_H
