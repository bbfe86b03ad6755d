// Has compiled code report what it does: straight-line segments and accesses, each with its position, which is made of
// the iterations of the loops around it (exec/Statistics.h says why).
//
//     segment: ld.global, fma, setp      position = 0
//     loop:                              i = phi(0, i + 1), position = (position outside) * odd + i + 1
//     segment: ...
//
// Nothing of this is there unless statistics were wanted when the module was loaded.

#include "tools/simulator/exec/Statistics.h"

#include "tools/simulator/exec/Block.h"
#include "tools/simulator/translate/Translator.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/Dominators.h"

namespace dscc::sim {

using namespace llvm;

namespace {
/// The class of an opcode; ByType: of arithmetic, the type's. `flop`: of a floating-point type, an element.
struct OpcodeRow {
  StringLiteral opcode;
  uint8_t instructionClass;
  uint8_t flop = 0;
};
constexpr uint8_t ByType = numInstructionClasses, Load = ByType + 1, Store = ByType + 2;
} // namespace

static constexpr OpcodeRow opcodes[] = {
    {"add", ByType, 1},
    {"sub", ByType, 1},
    {"mul", ByType, 1},
    {"div", ByType, 1},
    {"mad", ByType, 2},
    {"fma", ByType, 2},
    {"rem", ByType},
    {"min", ByType},
    {"max", ByType},
    {"neg", ByType},
    {"abs", ByType},
    {"copysign", ByType},
    {"slct", ByType},
    {"dp4a", ByType},
    {"dp2a", ByType},
    {"sad", ByType},
    {"mul24", ByType},
    {"mad24", ByType},
    {"addc", ByType},
    {"subc", ByType},
    {"madc", ByType},
    {"and", ByType},
    {"or", ByType},
    {"xor", ByType},
    {"not", ByType},
    {"cnot", ByType},
    {"lop3", ByType},
    {"shl", ByType},
    {"shr", ByType},
    {"shf", ByType},
    {"bfe", ByType},
    {"bfi", ByType},
    {"prmt", ByType},
    {"popc", ByType},
    {"clz", ByType},
    {"brev", ByType},
    {"bfind", ByType},
    {"bmsk", ByType},
    {"fns", ByType},
    {"szext", ByType},
    {"sqrt", SpecialClass},
    {"rsqrt", SpecialClass},
    {"rcp", SpecialClass},
    {"ex2", SpecialClass},
    {"lg2", SpecialClass},
    {"sin", SpecialClass},
    {"cos", SpecialClass},
    {"tanh", SpecialClass},
    {"setp", CompareClass},
    {"set", CompareClass},
    {"testp", CompareClass},
    {"isspacep", CompareClass},
    {"mov", MoveClass},
    {"selp", MoveClass},
    {"cvta", MoveClass},
    {"mapa", MoveClass},
    {"cvt", ConversionClass},
    {"ld", Load},
    {"ldu", Load},
    {"ldmatrix", Load},
    {"st", Store},
    {"stmatrix", Store},
    {"atom", AtomicClass},
    {"red", AtomicClass},
    {"bra", ControlClass},
    {"brx", ControlClass},
    {"ret", ControlClass},
    {"exit", ControlClass},
    {"trap", ControlClass},
    {"brkpt", ControlClass},
    {"call", ControlClass},
    {"bar", BarrierClass},
    {"barrier", BarrierClass},
    {"mbarrier", BarrierClass},
    {"shfl", CollectiveClass},
    {"vote", CollectiveClass},
    {"match", CollectiveClass},
    {"redux", CollectiveClass},
    {"activemask", CollectiveClass},
    {"elect", CollectiveClass},
    {"mma", MatrixClass},
    {"wmma", MatrixClass},
    {"wgmma", MatrixClass},
    {"cp", AsyncCopyClass},
};

static OpcodeRow findOpcode(StringRef opcode) {
  static const StringMap<OpcodeRow> table = [] {
    StringMap<OpcodeRow> rows;
    for (const OpcodeRow &row : opcodes)
      rows.try_emplace(row.opcode, row);
    return rows;
  }();
  auto found = table.find(opcode);
  return found == table.end() ? OpcodeRow{"", OtherClass} : found->second;
}

static MemorySpace spaceOf(const Statement &s) {
  static constexpr std::pair<StringLiteral, MemorySpace> names[] = {{"global", GlobalSpace},
                                                                    {"shared", SharedSpace},
                                                                    {"local", LocalSpace},
                                                                    {"param", ConstantSpace},
                                                                    {"const", ConstantSpace}};
  for (StringRef part : s.parts)
    for (auto &[name, space] : names)
      if (part == name || part.starts_with((name + "::").str()))
        return space;
  return GenericSpace;
}

static InstructionClass classOf(const Statement &s, const OpcodeRow &row, PtxType type) {
  if (s.parts[0] == "bar" && s.has("warp"))
    return CollectiveClass;
  if (row.instructionClass == Load)
    return loadClassOf(spaceOf(s));
  if (row.instructionClass == Store)
    return storeClassOf(spaceOf(s));
  if (row.instructionClass != ByType)
    return InstructionClass(row.instructionClass);
  if (!type.isFloat())
    return type.bits == 1 ? CompareClass : IntegerClass;
  return type.bits == 16 ? HalfClass : type.bits == 32 ? F32Class : F64Class;
}

//===-- floating-point operations ---------------------------------------------------------------------------------===//

/// mma and wgmma: 2 m n k of a warp, or of four. The types of D, A and B follow the shape.
void countMatrixFlop(Site &site, const Statement &s) {
  static constexpr std::pair<StringLiteral, FlopUnit> units[] = {
      {"f16", TensorF16Flop}, {"bf16", TensorBf16Flop}, {"tf32", TensorTf32Flop}, {"f64", TensorF64Flop},
      {"e4m3", TensorF8Flop}, {"e5m2", TensorF8Flop},   {"s8", TensorInt8Flop},   {"u8", TensorInt8Flop},
      {"f32", numFlopUnits},  {"s32", numFlopUnits}}; // results only
  unsigned m = 0, n = 0, k = 0;
  SmallVector<FlopUnit> types;
  for (StringRef part : s.parts) {
    if (!k && sscanf(part.str().c_str(), "m%un%uk%u", &m, &n, &k) == 3)
      continue;
    for (auto &[name, unit] : units)
      if (k && part == name)
        types.push_back(unit);
  }
  unsigned threads = s.parts[0] == "wgmma" ? 4 * lanesPerWarp : lanesPerWarp;
  if (types.size() >= 2 && types[1] != numFlopUnits)
    site.flop[types[1]] += 2 * m * n * k / threads;
}

/// What only threads do whose predicate holds.
static bool addThreadCounts(Site &site, const Statement &s, const OpcodeRow &row, PtxType type) {
  bool isLoad = row.instructionClass == Load;
  if ((isLoad || row.instructionClass == Store) && spaceOf(s) == ConstantSpace) {
    const Operand *value = s.operands.size() < 2 ? nullptr : &s.operands[isLoad ? 0 : 1];
    size_t count = value && value->kind == Operand::Kind::Vector ? value->parts.size() : 1;
    Site::Constant &constants = site.constants[isLoad ? LoadAccess : StoreAccess];
    constants.accesses += 1;
    constants.bytes += uint32_t(type.bits / 8 * count);
    return true;
  }
  if (row.instructionClass == MatrixClass) {
    countMatrixFlop(site, s);
    return true;
  }
  if (!row.flop || !type.isFloat())
    return false;
  FlopUnit unit = type.bits == 16 ? HalfFlop : type.bits == 32 ? F32Flop : F64Flop;
  site.flop[unit] += row.flop * (type.isPair ? 2 : 1);
  return true;
}

//===-- reports ---------------------------------------------------------------------------------------------------===//

CallInst *FunctionTranslator::report(StringRef callee, Value *what, ArrayRef<Value *> more) {
  SmallVector<Value *> arguments = {what, b.getInt64(0)}; // the position: resolvePositions
  append_range(arguments, more);
  call(callee, b.getVoidTy(), arguments);
  reportCalls.push_back(cast<CallInst>(&b.GetInsertBlock()->back()));
  return reportCalls.back();
}

static Value *addressOf(FunctionTranslator &t, const Site *site) {
  return t.b.CreateIntToPtr(t.b.getInt64(reinterpret_cast<uintptr_t>(site)), t.pointer());
}

void FunctionTranslator::countSegment(const Statement &s) {
  if (!countsAll)
    return;
  current = &s;
  if (!segment) {
    segment = makeSite();
    report("dscc_sim_count_segment", addressOf(*this, segment));
  }
  OpcodeRow row = findOpcode(s.parts[0]);
  PtxType type = typeOf(s);
  InstructionClass instructionClass = classOf(s, row, type);
  ++segment->instructions[instructionClass];
  addOp(s, instructionClass);
  if (s.predicate.empty())
    addThreadCounts(*segment, s, row, type);
  // Behind a branch come fewer threads than before it, and behind a call what the callee has done.
  if (row.instructionClass == ControlClass)
    segment = nullptr;
}

void FunctionTranslator::countPredicated(const Statement &s) {
  if (!countsAll)
    return;
  Site counts;
  if (!addThreadCounts(counts, s, findOpcode(s.parts[0]), typeOf(s)))
    return;
  Site *site = makeSite();
  *site = counts;
  report("dscc_sim_count_segment", addressOf(*this, site));
}

void FunctionTranslator::countAccess(Value *address, Value *bytes, AccessKind kind, StringRef space) {
  if (!countsAll)
    return;
  MemorySpace where = space == "shared" ? SharedSpace : space == "global" ? GlobalSpace : spaceOf(*current);
  if (where == ConstantSpace)
    return;
  Site *site = makeSite();
  site->isAccess = true;
  site->kind = kind;
  site->space = where;
  site->segment = segment;
  site->op = currentOp;
  report("dscc_sim_count_access", addressOf(*this, site), {address, bytes});
}

void FunctionTranslator::countEvent(Value *address, Value *value) {
  if (!countsAll)
    return;
  Site *site = makeSite();
  site->isEvent = true;
  site->segment = segment;
  site->op = currentOp;
  report("dscc_sim_count_event", addressOf(*this, site), {address, value});
}

void FunctionTranslator::countCall() {
  if (countsAll)
    report("dscc_sim_count_call", b.getInt64(uint64_t(line)));
}

//===-- positions -------------------------------------------------------------------------------------------------===//

/// The position within `loop`, made in its header, which dominates all of it.
static Value *positionIn(Loop *loop, Value *outermost, DenseMap<Loop *, Value *> &known) {
  if (!loop)
    return outermost;
  if (Value *made = known.lookup(loop))
    return made;
  Value *outside = positionIn(loop->getParentLoop(), outermost, known);
  BasicBlock *header = loop->getHeader();
  IRBuilder<> builder(header, header->begin());
  PHINode *iteration = builder.CreatePHI(builder.getInt64Ty(), 2);
  builder.SetInsertPoint(header, header->getFirstInsertionPt());
  Value *next = builder.CreateAdd(iteration, builder.getInt64(1));
  for (BasicBlock *from : predecessors(header))
    iteration->addIncoming(loop->contains(from) ? next : builder.getInt64(0), from);
  return known[loop] = builder.CreateAdd(builder.CreateMul(outside, builder.getInt64(0x9e3779b97f4a7c15u)), next);
}

void FunctionTranslator::resolvePositions() {
  if (reportCalls.empty())
    return;
  DominatorTree dominators(*target);
  LoopInfo loops(dominators);
  IRBuilder<> builder(entry->getTerminator());
  Value *outermost = builder.getInt64(0);
  if (!function.isEntry)
    outermost = builder.CreateLoad(builder.getInt64Ty(),
                                   builder.CreateConstGEP1_64(builder.getInt8Ty(), lane, offsetof(Lane, position)));
  DenseMap<Loop *, Value *> known;
  for (CallInst *made : reportCalls)
    made->setArgOperand(2, positionIn(loops.getLoopFor(made->getParent()), outermost, known));
  for (Site *made : ops->segments)
    orderOps(*made);
  liveRegisters = countLiveRegisters(*ops);
}

} // namespace dscc::sim
