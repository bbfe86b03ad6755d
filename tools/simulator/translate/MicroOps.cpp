// What each instruction of a segment keeps busy, and which registers it reads and writes: for the model of time.
//
//     fma.rn.f32 %f4, %f1, %f2, %f3   ==>   F32, reads 1 2 3, writes 4
//
// PTX is not machine code. An instruction that ptxas makes into several counts for as many; moves, parameters and
// constants become operands of others and count for none.

#include "tools/simulator/exec/MicroOps.h"

#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

namespace {
/// What a class of instructions keeps busy, unless a row of `special` says more.
struct ClassRow {
  uint8_t instructionClass;
  OpClass kind;
};
/// The first whose opcode, and words if any, an instruction has. `slots` 0: as it is.
struct SpecialRow {
  StringLiteral opcode, first, second;
  OpClass kind;
};
/// As many machine instructions as ptxas makes of one: read off its code for sm_80 and sm_90.
struct SlotRow {
  StringLiteral opcode, word;
  unsigned bits;
  uint8_t slots;
};
} // namespace

static constexpr ClassRow classes[] = {
    {IntegerClass, OpClass::Integer},
    {F32Class, OpClass::F32},
    {HalfClass, OpClass::Half},
    {F64Class, OpClass::F64},
    {ConversionClass, OpClass::Conversion},
    {SpecialClass, OpClass::Special},
    {CompareClass, OpClass::Integer},
    {MoveClass, OpClass::Free},
    {AtomicClass, OpClass::Atomic},
    {ControlClass, OpClass::Control},
    {CollectiveClass, OpClass::Vote},
    {MatrixClass, OpClass::Matrix},
    {loadClassOf(ConstantSpace), OpClass::Free},
};

static constexpr SpecialRow special[] = {
    {"selp", "", "", OpClass::Integer},
    {"ldmatrix", "", "", OpClass::MatrixLoad},
    {"shfl", "", "", OpClass::Shuffle},
    {"st", "async", "", OpClass::StoreAsync},
    {"red", "async", "", OpClass::StoreAsync},
    {"bar", "warp", "", OpClass::Other},
    {"barrier", "cluster", "arrive", OpClass::ClusterArrive},
    {"barrier", "cluster", "wait", OpClass::ClusterWait},
    {"bar", "arrive", "", OpClass::BarrierArrive},
    {"barrier", "arrive", "", OpClass::BarrierArrive},
    {"bar", "", "", OpClass::Barrier},
    {"barrier", "", "", OpClass::Barrier},
    {"mbarrier", "init", "", OpClass::MbarrierInit},
    {"mbarrier", "try_wait", "", OpClass::MbarrierWait},
    {"mbarrier", "test_wait", "", OpClass::MbarrierWait},
    {"mbarrier", "arrive", "", OpClass::MbarrierArrive},
    {"mbarrier", "arrive_drop", "", OpClass::MbarrierArrive},
    {"mbarrier", "expect_tx", "", OpClass::MbarrierArrive},
    {"mbarrier", "complete_tx", "", OpClass::MbarrierArrive},
    {"mbarrier", "", "", OpClass::Other},
    {"cp", "mbarrier", "", OpClass::MbarrierTrack},
    {"cp", "bulk", "commit_group", OpClass::BulkCommit},
    {"cp", "bulk", "wait_group", OpClass::BulkWait},
    {"cp", "bulk", "prefetch", OpClass::Other},
    {"cp", "bulk", "mbarrier::complete_tx::bytes", OpClass::BulkLoad},
    {"cp", "bulk", "", OpClass::BulkStore},
    {"cp", "commit_group", "", OpClass::CopyCommit},
    {"cp", "wait_group", "", OpClass::CopyWait},
    {"cp", "wait_all", "", OpClass::CopyWait},
    {"cp", "", "", OpClass::CopyAsync},
    {"wgmma", "mma_async", "", OpClass::Wgmma},
    {"wgmma", "commit_group", "", OpClass::WgmmaCommit},
    {"wgmma", "wait_group", "", OpClass::WgmmaWait},
    {"wgmma", "", "", OpClass::Other},
    {"movmatrix", "", "", OpClass::Shuffle},
};

static constexpr SlotRow slots[] = {
    {"div", "approx", 32, 2}, {"div", "full", 32, 3},   {"div", "", 32, 10},       {"div", "", 64, 40},
    {"rem", "", 32, 20},      {"rem", "", 64, 40},      {"sqrt", "approx", 32, 2}, {"sqrt", "", 32, 8},
    {"sqrt", "", 64, 20},     {"rcp", "approx", 32, 1}, {"rcp", "", 32, 6},        {"rcp", "", 64, 16},
    {"mul", "lo", 64, 3},     {"mad", "lo", 64, 3},     {"mul", "hi", 64, 8},      {"shl", "", 64, 2},
    {"shr", "", 64, 2},       {"and", "", 64, 2},       {"or", "", 64, 2},         {"xor", "", 64, 2},
    {"setp", "s64", 64, 2},   {"setp", "u64", 64, 2},   {"min", "s64", 64, 3},     {"max", "s64", 64, 3},
};

/// Narrow floats are packed and unpacked, and integers widened by their sign, by the units of arithmetic; the rest has
/// a slow one. An integer that is cut, or widened by zeros, is the same register, or half of a pair.
static OpClass kindOfConversion(const Statement &s) {
  SmallVector<PtxType, 2> types; // to, from
  for (StringRef part : drop_begin(s.parts))
    if (std::optional<PtxType> type = parseType(part))
      types.push_back(*type);
  if (types.size() != 2)
    return OpClass::Half; // types of 8 bits, which parseType does not know
  auto [to, from] = std::pair(types[0], types[1]);
  if (!to.isFloat() && !from.isFloat())
    return to.bits > from.bits && from.isSigned() ? OpClass::Integer : OpClass::Free;
  bool isWide = to.bits > 32 || from.bits > 32;
  return isWide || to.isFloat() != from.isFloat() ? OpClass::Conversion : OpClass::Half;
}

static OpClass kindOf(const Statement &s, InstructionClass instructionClass, PtxType type) {
  for (const SpecialRow &row : special)
    if (s.parts[0] == row.opcode && (row.first.empty() || s.has(row.first)) &&
        (row.second.empty() || s.has(row.second)))
      return row.kind;
  if (instructionClass == ConversionClass)
    return kindOfConversion(s);
  bool isMultiply = s.parts[0] == "mul" || s.parts[0] == "mad" || s.parts[0] == "dp4a" || s.parts[0] == "dp2a";
  if (isMultiply && instructionClass == IntegerClass)
    return OpClass::Multiply;
  for (const ClassRow &row : classes)
    if (instructionClass == row.instructionClass)
      return row.kind;
  if (instructionClass >= LoadClasses && instructionClass < StoreClasses)
    return OpClass::Load;
  return instructionClass >= StoreClasses && instructionClass < AtomicClass ? OpClass::Store : OpClass::Other;
}

static uint8_t slotsOf(const Statement &s, PtxType type) {
  for (const SlotRow &row : slots)
    if (s.parts[0] == row.opcode && (row.word.empty() || s.has(row.word)) && type.bits == row.bits)
      return row.slots;
  return 1;
}

/// Only these have a result in their first operand although it is none, or none although it looks like one.
static bool writesFirst(const Statement &s, OpClass kind) {
  if (s.operands.empty() || s.operands[0].kind == Operand::Kind::Address)
    return false;
  switch (kind) {
  case OpClass::Store:
  case OpClass::StoreAsync:
  case OpClass::Control:
  case OpClass::BarrierArrive:
  case OpClass::Wgmma: return false;
  case OpClass::Barrier: return s.has("red");
  default: return true;
  }
}

static uint32_t immediateOf(const Statement &s) {
  return s.operands.empty() || s.operands[0].kind != Operand::Kind::Integer ? 0 : uint32_t(s.operands[0].integer);
}

/// m, n and k of a product, and the unit that multiplies A and B.
static void describeProduct(const Statement &s, const Site &counts, MicroOp &op) {
  unsigned m = 0, n = 0, k = 0;
  for (StringRef part : s.parts)
    if (sscanf(part.str().c_str(), "m%un%uk%u", &m, &n, &k) == 3)
      break;
  for (unsigned unit = 0; unit < numFlopUnits; ++unit)
    if (counts.flop[unit]) {
      op.unit = uint8_t(unit);
      op.amount = counts.flop[unit] * 32; // of a warp
    }
  bool isWide = op.unit == TensorF16Flop || op.unit == TensorBf16Flop;
  unsigned elementBytes = isWide ? 2 : op.unit == TensorTf32Flop ? 4 : 1;
  bool isAInRegisters = s.operands.size() > 1 && s.operands[1].kind == Operand::Kind::Vector;
  if (op.kind == OpClass::Wgmma)
    op.sharedBytes = (n + (isAInRegisters ? 0 : m)) * k * elementBytes;
}

//===-- registers -------------------------------------------------------------------------------------------------===//

void FunctionTranslator::addRegisters(const Operand &operand, Site &site, uint8_t &count) {
  auto add = [&](const std::string &name) {
    const AllocaInst *slot = name.empty() || name == "_" ? nullptr : findRegister(name);
    if (!slot || count == UINT8_MAX)
      return;
    auto [found, isNew] = registerNumbers.try_emplace(slot, ops->numRegisters);
    ops->numRegisters += isNew;
    if (isNew)
      ops->words.push_back(uint8_t(slot->getAllocatedType()->getIntegerBitWidth() / 32 +
                                   (slot->getAllocatedType()->getIntegerBitWidth() == 16)));
    site.registers.push_back(found->second);
    ++count;
  };
  if (operand.kind == Operand::Kind::Name || operand.kind == Operand::Kind::Address) {
    add(operand.name);
    add(operand.second);
  }
  for (const Operand &part : operand.parts)
    addRegisters(part, site, count);
}

void FunctionTranslator::addOp(const Statement &s, InstructionClass instructionClass) {
  if (!ops)
    ops = new FunctionOps; // as long as the process, like the sites
  if (!segment->function) {
    segment->function = ops;
    ops->segments.push_back(segment);
  }
  PtxType type = typeOf(s);
  MicroOp op;
  op.kind = kindOf(s, instructionClass, type);
  op.slots = slotsOf(s, type);
  op.first = uint32_t(segment->registers.size());
  op.variant = s.has("cg") || s.has("read") || s.has("volatile") || s.has("relaxed") || s.has("acquire");
  if (op.kind == OpClass::CopyWait || op.kind == OpClass::BulkWait || op.kind == OpClass::WgmmaWait)
    op.amount = immediateOf(s);
  if (op.kind == OpClass::Matrix || op.kind == OpClass::Wgmma) {
    Site counts;
    countMatrixFlop(counts, s);
    describeProduct(s, counts, op);
  }
  bool hasResult = writesFirst(s, op.kind);
  if (!s.predicate.empty()) {
    Operand predicate;
    predicate.name = s.predicate;
    addRegisters(predicate, *segment, op.reads);
  }
  for (auto [index, operand] : enumerate(s.operands))
    if (index > 0 || (!hasResult && op.kind != OpClass::Wgmma))
      addRegisters(operand, *segment, op.reads);
  if (hasResult)
    addRegisters(s.operands[0], *segment, op.writes);
  if (s.parts[0] == "bra" && !s.operands.empty())
    if (auto label = labelPlaces.find(s.operands[0].name); label != labelPlaces.end())
      ops->loops.push_back({label->second, ops->numOps});
  ++ops->numOps;
  currentOp = uint32_t(segment->ops.size());
  segment->ops.push_back(op);
}

} // namespace dscc::sim
