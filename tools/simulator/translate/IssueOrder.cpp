// The order in which a segment's instructions are issued, and the registers that a function needs: ptxas's work, in
// short, for the model of time.
//
//     ld a; fma a; ld b; fma b   ==>   ld a; ld b; fma a; fma b
//
// Within a segment instructions go by the longest way to its end, those first that can begin; nothing moves over what
// orders threads. Registers are counted by what is live between segments and within them, in PTX's order.

#include "tools/simulator/exec/MicroOps.h"

#include "tools/simulator/exec/Statistics.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <optional>

namespace dscc::sim {

/// An instruction does not go before one that is this far ahead of it: what is loaded early waits in registers.
static constexpr size_t window = 96;

namespace {
enum class Order : uint8_t { Any, Reads, Writes, Fence };

/// What an instruction waits for, and how long.
struct Node {
  llvm::SmallVector<uint32_t, 4> next; // that wait for it
  uint32_t waits = 0;                  // for so many
  uint32_t path = 0;                   // clocks from its issue to the end of the segment
  uint32_t ready = 0;                  // when what it reads is there, if its predecessors go when they can
};
} // namespace

static Order orderOf(OpClass kind) {
  switch (kind) {
  case OpClass::Load:
  case OpClass::MatrixLoad: return Order::Reads;
  case OpClass::Store:
  case OpClass::CopyAsync:
  case OpClass::Atomic: return Order::Writes;
  case OpClass::Free:
  case OpClass::Integer:
  case OpClass::Multiply:
  case OpClass::F32:
  case OpClass::Half:
  case OpClass::F64:
  case OpClass::Conversion:
  case OpClass::Special:
  case OpClass::Shuffle:
  case OpClass::Vote:
  case OpClass::Matrix: return Order::Any;
  default: return Order::Fence;
  }
}

/// What ptxas can know: it takes a load for one that hits.
static uint32_t clocksOf(OpClass kind) {
  switch (kind) {
  case OpClass::Free: return 0;
  case OpClass::Load:
  case OpClass::Atomic: return 40;
  case OpClass::MatrixLoad:
  case OpClass::Matrix: return 32;
  case OpClass::Shuffle:
  case OpClass::Conversion:
  case OpClass::Special: return 20;
  default: return 4;
  }
}

static std::vector<Node> connect(const Site &segment) {
  std::vector<Node> nodes(segment.ops.size());
  llvm::DenseMap<uint32_t, uint32_t> writer;                        // of a register, by number
  llvm::DenseMap<uint32_t, llvm::SmallVector<uint32_t, 4>> readers; // since
  llvm::SmallVector<uint32_t, 8> readsSince;                        // loads since the last store or fence
  std::optional<uint32_t> lastWrite, lastFence;
  auto link = [&](uint32_t from, uint32_t to) {
    if (from != to) {
      nodes[from].next.push_back(to);
      ++nodes[to].waits;
    }
  };
  for (uint32_t i = 0; i < segment.ops.size(); ++i) {
    const MicroOp &op = segment.ops[i];
    llvm::ArrayRef<uint32_t> all = llvm::ArrayRef(segment.registers).slice(op.first, op.reads + op.writes);
    for (uint32_t read : all.take_front(op.reads)) {
      if (auto found = writer.find(read); found != writer.end())
        link(found->second, i);
      readers[read].push_back(i);
    }
    for (uint32_t written : all.drop_front(op.reads)) {
      if (auto found = writer.find(written); found != writer.end())
        link(found->second, i);
      for (uint32_t reader : readers[written])
        link(reader, i);
      readers[written].clear();
      writer[written] = i;
    }
    Order order = orderOf(op.kind);
    if (lastFence)
      link(*lastFence, i);
    if (order == Order::Fence) {
      for (uint32_t before = lastFence.value_or(0); before < i; ++before)
        link(before, i);
      lastFence = i;
      lastWrite.reset();
      readsSince.clear();
    } else if (order != Order::Any) {
      // Shared and global memory are apart, but what a generic address is nobody knows: all take turns at stores.
      if (lastWrite)
        link(*lastWrite, i);
      if (order == Order::Writes) {
        for (uint32_t read : readsSince)
          link(read, i);
        readsSince.clear();
        lastWrite = i;
      } else {
        readsSince.push_back(i);
      }
    }
  }
  return nodes;
}

void orderOps(Site &segment) {
  std::vector<Node> nodes = connect(segment);
  uint32_t count = uint32_t(nodes.size());
  for (uint32_t i = count; i-- > 0;) {
    uint32_t behind = 0;
    for (uint32_t next : nodes[i].next)
      behind = std::max(behind, nodes[next].path);
    nodes[i].path = behind + clocksOf(segment.ops[i].kind);
  }
  std::vector<bool> isDone(count);
  segment.order.reserve(count);
  uint32_t first = 0, clock = 0;
  while (segment.order.size() < count) {
    while (isDone[first])
      ++first;
    uint32_t best = UINT32_MAX;
    auto isBetter = [&](uint32_t a, uint32_t b) {
      uint32_t startA = std::max(clock, nodes[a].ready), startB = std::max(clock, nodes[b].ready);
      return startA != startB ? startA < startB : nodes[a].path > nodes[b].path;
    };
    for (uint32_t i = first; i < count && i < first + window; ++i)
      if (!isDone[i] && !nodes[i].waits && (best == UINT32_MAX || isBetter(i, best)))
        best = i;
    const MicroOp &op = segment.ops[best];
    clock = std::max(clock, nodes[best].ready);
    for (uint32_t next : nodes[best].next) {
      --nodes[next].waits;
      nodes[next].ready = std::max(nodes[next].ready, clock + clocksOf(op.kind));
    }
    clock += op.kind == OpClass::Free ? 0 : op.slots;
    isDone[best] = true;
    segment.order.push_back(best);
  }
}

//===-- registers -------------------------------------------------------------------------------------------------===//

uint32_t countLiveRegisters(const FunctionOps &function) {
  constexpr uint32_t none = UINT32_MAX;
  struct Range {
    uint32_t begin = none, end = 0; // its first and last instruction
    bool isConstant = true;         // ptxas finds such values anew, or takes them from the parameters
  };
  std::vector<Range> ranges(function.numRegisters);
  uint32_t number = 0;
  for (const Site *segment : function.segments)
    for (const MicroOp &op : segment->ops) {
      for (uint32_t i = 0; i < uint32_t(op.reads + op.writes); ++i) {
        Range &range = ranges[segment->registers[op.first + i]];
        range.begin = std::min(range.begin, number);
        range.end = number;
        range.isConstant &= i < op.reads || (op.kind == OpClass::Free && !op.reads);
      }
      ++number;
    }
  // What comes into a loop from before it, and is used in it, lives until its end.
  bool isLonger = true;
  while (std::exchange(isLonger, false))
    for (auto [begin, end] : function.loops)
      for (Range &range : ranges)
        if (range.begin < begin && range.end >= begin && range.end < end) {
          range.end = end;
          isLonger = true;
        }
  std::vector<int64_t> changes(function.numOps + 1);
  for (auto [index, range] : llvm::enumerate(ranges)) {
    if (range.begin == none || range.isConstant)
      continue;
    changes[range.begin] += function.words[index];
    changes[range.end] -= function.words[index];
  }
  int64_t live = 0, most = 0;
  for (int64_t change : changes)
    most = std::max(most, live += change);
  constexpr int64_t addresses = 8; // of the stack, of constants, and what is between two instructions of the machine
  return uint32_t(most + addresses);
}

} // namespace dscc::sim
