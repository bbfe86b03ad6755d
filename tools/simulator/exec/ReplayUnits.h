// What a replay is made of: schedulers and their units, registers, and where a warp is in its records.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_REPLAYUNITS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_REPLAYUNITS_H

#include "tools/simulator/exec/ReplayMemory.h"
#include "tools/simulator/exec/Trace.h"

#include <algorithm>

namespace dscc::sim {

struct Chip;

/// Units that each scheduler has of its own.
enum Pipe : uint8_t {
  IntegerPipe,
  F32Pipe, // products of integers too
  HalfPipe,
  F64Pipe,
  ConversionPipe,
  SpecialPipe,
  TensorPipe,
  numPipes
};

/// One of a multiprocessor's four.
struct Scheduler {
  double free = 0;             // from when on it may issue
  double pipes[numPipes] = {}; // until when they are busy
  uint32_t warps = 0;          // that it has
};

struct Multiprocessor {
  /// An idle one. What it gets has to outlive it.
  Multiprocessor(const Latencies &latencies, const MemoryRates &rates) : memory(latencies, rates) {}
  /// The first of those that have the fewest warps.
  Scheduler &leastScheduler() {
    return *std::min_element(std::begin(schedulers), std::end(schedulers),
                             [](const Scheduler &a, const Scheduler &b) { return a.warps < b.warps; });
  }

  Scheduler schedulers[4]; // warps are spread over them
  ReplayMemory memory;     // its way there
  double shuffle = 0;      // until when that unit is busy
};

/// What an OpClass keeps busy on a chip.
struct UnitRow {
  Pipe pipe = numPipes;        // numPipes: none but the scheduler
  double interval = 0;         // clocks, a warp's instruction
  double latency = 1;          // clocks until the result is there
  Stall why = ArithmeticStall; // others wait for it
  bool usesMemory = false;     // it may be put off until memory has room
};

/// The chip's rows.
class UnitTable {
public:
  /// What it gets has to outlive it.
  UnitTable(const Chip &chip, const Latencies &latencies);
  /// What such an instruction keeps busy.
  const UnitRow &rowOf(OpClass kind) const { return rows[size_t(kind)]; }
  /// Clocks that a warp's product keeps its tensor unit busy.
  double productClocks(const MicroOp &op) const;

private:
  const Chip &chip;
  double mmaShare;
  UnitRow rows[size_t(OpClass::numOpClasses)];
};

/// When a register's value is there, and what it was waited for.
struct Result {
  double ready = 0, queued = 0; // the clock; how long others were served first
  Stall why = ArithmeticStall;  // who waits for it waits for this
};

/// Where the registers of each function begin among a warp's.
class RegisterPlaces {
public:
  /// Where those of a function begin, which is next to the others if it is new.
  uint32_t find(const FunctionOps *function) {
    auto [found, isNew] = places.try_emplace(function, total);
    if (isNew)
      total += function->numRegisters;
    return found->second;
  }
  /// So many there are in all functions met so far.
  uint32_t count() const { return total; }

private:
  llvm::DenseMap<const FunctionOps *, uint32_t> places;
  uint32_t total = 0;
};

/// Goes through a warp's records, instruction by instruction.
class TraceCursor {
public:
  /// At the trace's beginning; it has to outlive the cursor.
  explicit TraceCursor(const WarpTrace &trace) : trace(&trace) {}

  /// The instruction that is next; null at the end.
  const MicroOp *current(RegisterPlaces &places);
  /// To the instruction behind the current one.
  void advance() { ++at; }
  /// Goes on to the wait that ended, of those that this event's wait gave up for; false if there is none.
  bool skipToWait(const Record &event);

  /// Visits the numbers of the registers that the current instruction reads.
  template <typename Visit> void forEachRead(const MicroOp &op, Visit visit) const {
    for (uint32_t i = 0; i < op.reads; ++i)
      visit(base + segment->registers[op.first + i]);
  }
  /// Likewise those that it writes.
  template <typename Visit> void forEachWritten(const MicroOp &op, Visit visit) const {
    for (uint32_t i = op.reads; i < uint32_t(op.reads + op.writes); ++i)
      visit(base + segment->registers[op.first + i]);
  }
  /// Visits the current instruction's accesses and events.
  template <typename Visit> void forEachRecord(Visit visit) const {
    uint32_t op = segment->order[at];
    for (size_t i = recordOf[op]; i && i <= end && trace->records[i - 1].site->op == op; ++i)
      visit(trace->records[i - 1]);
  }
  /// The first of them; null if there is none.
  const Record *firstRecord() const {
    size_t i = recordOf[segment->order[at]];
    return i ? &trace->records[i - 1] : nullptr;
  }
  /// Of the trace's records.
  const std::vector<LaneAddresses> &spreads() const { return trace->spreads; }

private:
  void enter(size_t record);

  const WarpTrace *trace;
  const Site *segment = nullptr;
  uint32_t at = 0, base = 0;      // in its order; of its function's registers
  size_t begin = 0, end = 0;      // its record, and that of the next segment
  std::vector<uint32_t> recordOf; // of each instruction: 1 + its first record's place; 0: it has none
  RegisterPlaces *places = nullptr;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_REPLAYUNITS_H
