#include "tools/simulator/translate/Translator.h"

#include "tools/simulator/exec/Block.h"
#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/exec/Wgmma.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/Verifier.h"

#include <cstddef>
#include <utility>

namespace dscc::sim {

using namespace llvm;

std::optional<PtxType> parseType(StringRef text) {
  using Kind = PtxType::Kind;
  if (text == "pred")
    return PtxType{Kind::Bits, 1, false};
  PtxType type;
  type.isPair = text.consume_back("x2");
  if (text.consume_front("bf"))
    type.kind = Kind::Bfloat;
  else if (text.consume_front("f"))
    type.kind = Kind::Float;
  else if (text.consume_front("s"))
    type.kind = Kind::Signed;
  else if (text.consume_front("u"))
    type.kind = Kind::Unsigned;
  else if (!text.consume_front("b"))
    return std::nullopt;
  if (text.getAsInteger(10, type.bits) ||
      (type.bits != 8 && type.bits != 16 && type.bits != 32 && type.bits != 64 && type.bits != 128))
    return std::nullopt;
  return type;
}

FunctionTranslator::FunctionTranslator(const Function &function, const PtxModule &ptx, Module &module, CheckLevel check,
                                       const std::map<std::string, uint64_t> &sharedOffsets, std::string &error)
    : context(module.getContext()), b(context), function(function), ptx(ptx), module(module), checks(check),
      sharedOffsets(sharedOffsets), error(error), registers(function.scopes.size()),
      callBuffers(function.scopes.size()), labels(function.scopes.size()) {}

void FunctionTranslator::fail(const Twine &what) {
  if (error.empty())
    error = ("PTX line " + Twine(line) + ": " + what).str();
}

//===-- types -----------------------------------------------------------------------------------------------------===//

Type *FunctionTranslator::typeOf(PtxType type) {
  Type *element = type.kind == PtxType::Kind::Bfloat ? b.getBFloatTy()
                  : type.bits == 16                  ? b.getHalfTy()
                  : type.bits == 32                  ? b.getFloatTy()
                                                     : b.getDoubleTy();
  return type.isPair ? FixedVectorType::get(element, 2) : element;
}

PtxType FunctionTranslator::typeOf(const Statement &s) {
  for (StringRef part : reverse(drop_begin(s.parts)))
    if (std::optional<PtxType> type = parseType(part))
      return *type;
  return {};
}

//===-- registers and operands ------------------------------------------------------------------------------------===//

AllocaInst *FunctionTranslator::slot(Type *type, unsigned align) {
  IRBuilder<> builder(entry, entry->begin());
  AllocaInst *made = builder.CreateAlloca(type);
  made->setAlignment(Align(align));
  return made;
}

/// The register's slot, or null.
AllocaInst *FunctionTranslator::findRegister(const std::string &name) {
  for (int at = scope; at >= 0; at = function.scopes[at].parent) {
    if (AllocaInst *known = registers[at].lookup(name))
      return known;
    const Scope &declared = function.scopes[at];
    if (unsigned bits = declared.findRegister(name))
      return registers[at][name] = slot(integer(bits), 8);
    if (declared.variables.count(name) || declared.hasBuffer(name))
      return nullptr;
  }
  return nullptr;
}

Value *FunctionTranslator::laneField(size_t offset) { return b.CreateConstGEP1_64(b.getInt8Ty(), lane, offset); }

/// Values that do not change while a kernel runs.
static LoadInst *markInvariant(LoadInst *load) {
  load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(load->getContext(), {}));
  return load;
}

Value *FunctionTranslator::special(uint32_t index) {
  return markInvariant(b.CreateLoad(b.getInt32Ty(), laneField(offsetof(Lane, special) + 4 * index)));
}

Value *FunctionTranslator::sharedBase() {
  return markInvariant(b.CreateLoad(pointer(), laneField(offsetof(Lane, shared))));
}

static std::optional<uint32_t> findSpecial(StringRef name) {
  static constexpr std::pair<StringLiteral, uint32_t> names[] = {{"%tid.x", TidX},
                                                                 {"%tid.y", TidY},
                                                                 {"%tid.z", TidZ},
                                                                 {"%ntid.x", NtidX},
                                                                 {"%ntid.y", NtidY},
                                                                 {"%ntid.z", NtidZ},
                                                                 {"%ctaid.x", CtaidX},
                                                                 {"%ctaid.y", CtaidY},
                                                                 {"%ctaid.z", CtaidZ},
                                                                 {"%nctaid.x", NctaidX},
                                                                 {"%nctaid.y", NctaidY},
                                                                 {"%nctaid.z", NctaidZ},
                                                                 {"%laneid", LaneId},
                                                                 {"WARP_SZ", WarpSize},
                                                                 {"%warpid", WarpId},
                                                                 {"%nwarpid", NwarpId},
                                                                 {"%smid", SmId},
                                                                 {"%nsmid", NsmId},
                                                                 {"%gridid", GridId},
                                                                 {"%cluster_ctarank", ClusterCtaRank},
                                                                 {"%cluster_nctarank", ClusterNctaRank},
                                                                 {"%cluster_ctaid.x", ClusterCtaidX},
                                                                 {"%cluster_ctaid.y", ClusterCtaidY},
                                                                 {"%cluster_ctaid.z", ClusterCtaidZ},
                                                                 {"%cluster_nctaid.x", ClusterNctaidX},
                                                                 {"%cluster_nctaid.y", ClusterNctaidY},
                                                                 {"%cluster_nctaid.z", ClusterNctaidZ},
                                                                 {"%clusterid.x", ClusterIdX},
                                                                 {"%clusterid.y", ClusterIdY},
                                                                 {"%clusterid.z", ClusterIdZ},
                                                                 {"%nclusterid.x", NclusterIdX},
                                                                 {"%nclusterid.y", NclusterIdY},
                                                                 {"%nclusterid.z", NclusterIdZ},
                                                                 {"%dynamic_smem_size", DynamicSharedBytes},
                                                                 {"%total_smem_size", TotalSharedBytes},
                                                                 {"%aggr_smem_size", AggregateSharedBytes},
                                                                 {"%is_explicit_cluster", IsExplicitCluster}};
  for (auto &[known, index] : names)
    if (name == known)
      return index;
  return std::nullopt;
}

Value *FunctionTranslator::resize(Value *value, unsigned bits, bool isSigned) {
  unsigned has = value->getType()->getIntegerBitWidth();
  if (has == bits)
    return value;
  if (has > bits)
    return b.CreateTrunc(value, integer(bits));
  return isSigned ? b.CreateSExt(value, integer(bits)) : b.CreateZExt(value, integer(bits));
}

/// What `mov` of a name gives: an offset for .shared, an address of the host for the rest.
Value *FunctionTranslator::symbolAddress(const std::string &plain) {
  if (const ParameterPlace *parameter = findParameter(plain))
    return b.CreatePtrToInt(parameter->place, integer(64));
  std::string name = function.resolve(scope, plain);
  if (auto found = sharedOffsets.find(name); found != sharedOffsets.end())
    return b.getInt64(found->second);
  if (GlobalVariable *variable = module.getNamedGlobal(name))
    return b.CreatePtrToInt(variable, integer(64));
  if (llvm::Function *known = module.getFunction(name))
    return b.CreatePtrToInt(known, integer(64));
  fail("`" + plain + "` is neither a register nor a variable");
  return b.getInt64(0);
}

static Value *readFloat(FunctionTranslator &t, const Operand &operand, unsigned bits,
                        const fltSemantics &narrow = APFloat::IEEEhalf()) {
  if (operand.floatBits == bits)
    return ConstantInt::get(t.context, APInt(bits, uint64_t(operand.integer)));
  APFloat value(operand.floatBits == 64 ? APFloat::IEEEdouble() : APFloat::IEEEsingle(),
                APInt(operand.floatBits, uint64_t(operand.integer)));
  bool lost;
  value.convert(bits == 64   ? APFloat::IEEEdouble()
                : bits == 32 ? APFloat::IEEEsingle()
                             : narrow,
                APFloat::rmNearestTiesToEven, &lost);
  return ConstantInt::get(t.context, value.bitcastToAPInt());
}

Value *FunctionTranslator::read(const Operand &operand, unsigned bits, bool isSigned) {
  switch (operand.kind) {
  case Operand::Kind::Integer:
    if (bits == 1) // a predicate
      return b.getInt1((operand.integer != 0) != operand.isNegated);
    return ConstantInt::get(context, APInt(64, uint64_t(operand.integer)).sextOrTrunc(bits));
  case Operand::Kind::Float: return readFloat(*this, operand, bits);
  case Operand::Kind::Vector: { // packed: the first part is the lowest
    if (operand.parts.empty() || bits % operand.parts.size())
      return fail("a vector of such a size cannot be packed"), ConstantInt::get(context, APInt(bits, 0));
    unsigned each = bits / unsigned(operand.parts.size());
    Value *packed = ConstantInt::get(context, APInt(bits, 0));
    for (auto [index, part] : enumerate(operand.parts))
      packed = b.CreateOr(packed, b.CreateShl(b.CreateZExt(read(part, each), integer(bits)), uint64_t(each * index)));
    return packed;
  }
  case Operand::Kind::Address:
    fail("an address stands where a value is wanted");
    return ConstantInt::get(context, APInt(bits, 0));
  case Operand::Kind::Name: break;
  }
  if (operand.isMinus)
    fail("`-" + operand.name + "`: only `vmad` takes a register behind a minus");
  Value *value;
  if (AllocaInst *slot = findRegister(operand.name)) {
    checkAccumulator(slot, /*isWrite=*/false);
    value = b.CreateLoad(slot->getAllocatedType(), slot);
    if (operand.integer)
      fail("a number is added to the register `" + operand.name + "`");
  } else if (std::optional<uint32_t> index = findSpecial(operand.name)) {
    value = special(*index);
  } else if (Value *known = readSpecial(operand.name)) {
    value = known;
  } else {
    value = b.CreateAdd(symbolAddress(operand.name), b.getInt64(uint64_t(operand.integer)));
  }
  value = resize(value, bits, isSigned);
  return operand.isNegated ? b.CreateNot(value) : value;
}

Value *FunctionTranslator::read(const Operand &operand, PtxType type) {
  if (type.isFloat() && operand.kind == Operand::Kind::Integer)
    fail("an integer stands where a float is wanted");
  bool isBfloat = operand.kind == Operand::Kind::Float && type.kind == PtxType::Kind::Bfloat && !type.isPair;
  Value *value =
      isBfloat ? readFloat(*this, operand, 16, APFloat::BFloat()) : read(operand, type.width(), type.isSigned());
  return type.isFloat() ? b.CreateBitCast(value, typeOf(type)) : value;
}

void FunctionTranslator::write(const Operand &operand, Value *value, bool isSigned) {
  if (!value->getType()->isIntegerTy())
    value = b.CreateBitCast(value, integer(unsigned(value->getType()->getPrimitiveSizeInBits())));
  if (operand.kind == Operand::Kind::Vector) {
    unsigned bits = value->getType()->getIntegerBitWidth();
    if (operand.parts.empty() || bits % operand.parts.size())
      return fail("a value of such a size cannot be unpacked");
    unsigned each = bits / unsigned(operand.parts.size());
    for (auto [index, part] : enumerate(operand.parts))
      write(part, b.CreateTrunc(b.CreateLShr(value, uint64_t(each * index)), integer(each)));
    return;
  }
  if (operand.name == "_")
    return;
  AllocaInst *slot = findRegister(operand.name);
  if (!slot)
    return fail("there is no register `" + operand.name + "`");
  checkAccumulator(slot, /*isWrite=*/true);
  b.CreateStore(resize(value, slot->getAllocatedType()->getIntegerBitWidth(), isSigned), slot);
}

void FunctionTranslator::writePredicate(const std::string &name, Value *value) {
  Operand operand;
  operand.name = name;
  write(operand, value);
}

bool FunctionTranslator::isPredicate(const Operand &operand) {
  const AllocaInst *slot = operand.kind == Operand::Kind::Name ? findRegister(operand.name) : nullptr;
  return slot && slot->getAllocatedType()->isIntegerTy(1);
}

Value *FunctionTranslator::readQuietly(const Operand &operand, unsigned bits) {
  isQuiet = true;
  Value *value = read(operand, bits);
  isQuiet = false;
  return value;
}

void FunctionTranslator::writeIn(int other, const Operand &operand, Value *value) {
  int own = std::exchange(scope, other);
  isQuiet = true;
  write(operand, value);
  isQuiet = false;
  scope = own;
}

void FunctionTranslator::prepareAccumulators() {
  std::map<std::pair<bool, std::vector<AllocaInst *>>, size_t> known;
  for (AccumulatorSet &set : dscc::sim::findAccumulators(function)) {
    scope = set.scope;
    std::vector<AllocaInst *> slots;
    for (const Operand &part : set.registers.parts)
      slots.push_back(findRegister(part.name));
    // Names in several scopes may mean the same registers.
    auto [found, isNew] = known.try_emplace({set.isInput, slots}, accumulators.size());
    accumulatorSets[set.key] = found->second;
    if (!isNew)
      continue;
    if (!set.isInput)
      set.words = slot(ArrayType::get(b.getInt32Ty(), slots.size()), 16);
    Type *state = ArrayType::get(b.getInt8Ty(), sizeof(WgmmaSet));
    set.state = slot(state, alignof(WgmmaSet));
    IRBuilder<>(entry).CreateStore(Constant::getNullValue(state), set.state);
    size_t own = accumulators.size();
    for (AllocaInst *each : slots) {
      if (!each)
        continue;
      for (size_t other : setsOfSlots[each])
        if (other != own && !set.isInput && !accumulators[other].isInput) {
          set.overlapping.insert(other);
          accumulators[other].overlapping.insert(own);
        }
      setsOfSlots[each].push_back(own);
    }
    accumulators.push_back(set);
  }
}

const AccumulatorSet *FunctionTranslator::findAccumulators(const std::string &key) const {
  auto found = accumulatorSets.find(key);
  return found == accumulatorSets.end() ? nullptr : &accumulators[found->second];
}

void FunctionTranslator::checkAccumulator(const AllocaInst *slot, bool isWrite) {
  auto found = setsOfSlots.find(slot);
  if (isQuiet || checks != CheckLevel::All || found == setsOfSlots.end())
    return;
  // A call, not a branch: there are hundreds, and blocks cost more than calls to compile.
  for (size_t index : found->second) {
    const AccumulatorSet &set = accumulators[index];
    if (!set.isInput)
      call("dscc_sim_wgmma_use", b.getVoidTy(), {set.state, i32(isWrite), site()});
    else if (isWrite)
      call("dscc_sim_wgmma_overwrite", b.getVoidTy(), {set.state, site()});
  }
}

Value *FunctionTranslator::address(const Operand &operand, StringRef space) {
  if (operand.kind != Operand::Kind::Address) {
    fail("an address is missing");
    return ConstantPointerNull::get(pointer());
  }
  AllocaInst *base = operand.name.empty() ? nullptr : findRegister(operand.name);
  Value *place;
  if (const ParameterPlace *named = base || operand.name.empty() ? nullptr : findParameter(operand.name)) {
    place = named->place;
  } else {
    Value *number = operand.name.empty() ? b.getInt64(0)
                    : base               ? resize(b.CreateLoad(base->getAllocatedType(), base), 64)
                                         : symbolAddress(operand.name);
    if (space.starts_with("shared::cluster"))
      place = call("dscc_sim_cluster_address", pointer(), {number, site()});
    else if (space.starts_with("shared"))
      place = b.CreateGEP(b.getInt8Ty(), sharedBase(), b.CreateAnd(number, 0xffffff));
    else
      place = b.CreateIntToPtr(number, pointer());
  }
  return operand.integer ? b.CreateGEP(b.getInt8Ty(), place, b.getInt64(uint64_t(operand.integer))) : place;
}

//===-- calls and buffers -----------------------------------------------------------------------------------------===//

Value *FunctionTranslator::call(StringRef name, Type *result, ArrayRef<Value *> arguments) {
  SmallVector<Value *> all = {lane};
  append_range(all, arguments);
  SmallVector<Type *> types;
  for (Value *value : all)
    types.push_back(value->getType());
  FunctionCallee callee = module.getOrInsertFunction(name, FunctionType::get(result, types, false));
  CallInst *made = b.CreateCall(callee, all);
  // A collective must not be moved to where fewer threads come by.
  made->addFnAttr(Attribute::Convergent);
  made->addFnAttr(Attribute::NoUnwind);
  return made;
}

Value *FunctionTranslator::collective(StringRef name, Type *result, ArrayRef<Value *> arguments) {
  hasCollectives = true;
  return call(name, result, arguments);
}

AllocaInst *FunctionTranslator::buffer(StringRef role, unsigned bytes) {
  AllocaInst *&made = buffers[(role + Twine(bytes)).str()];
  if (!made)
    made = slot(ArrayType::get(b.getInt8Ty(), bytes), 16);
  return made;
}

Value *FunctionTranslator::spread(StringRef role, const Operand &operand) {
  ArrayRef<Operand> parts = operand.kind == Operand::Kind::Vector ? ArrayRef(operand.parts) : ArrayRef(operand);
  AllocaInst *words = buffer(role, unsigned(alignTo(4 * parts.size(), 64)));
  for (auto [index, part] : enumerate(parts))
    b.CreateStore(read(part, 32), b.CreateConstGEP1_64(b.getInt32Ty(), words, index));
  return words;
}

void FunctionTranslator::gather(const Operand &operand, Value *buffer) {
  ArrayRef<Operand> parts = operand.kind == Operand::Kind::Vector ? ArrayRef(operand.parts) : ArrayRef(operand);
  for (auto [index, part] : enumerate(parts))
    write(part, b.CreateLoad(b.getInt32Ty(), b.CreateConstGEP1_64(b.getInt32Ty(), buffer, index)));
}

void FunctionTranslator::check(Value *address, unsigned bytes, bool isStore) {
  countAccess(address, i32(bytes), isStore ? StoreAccess : LoadAccess, "");
  if (checks != CheckLevel::None)
    call(isStore ? "dscc_sim_check_store" : "dscc_sim_check_load", b.getVoidTy(), {address, i32(bytes), site()});
}

//===-- control flow ----------------------------------------------------------------------------------------------===//

BasicBlock *FunctionTranslator::label(const std::string &name) {
  for (int at = scope; at >= 0; at = function.scopes[at].parent)
    if (BasicBlock *block = labels[at].lookup(name))
      return block;
  fail("there is no label `" + name + "`");
  return b.GetInsertBlock();
}

void FunctionTranslator::open(BasicBlock *block) {
  if (!block->getParent())
    block->insertInto(target);
  b.SetInsertPoint(block);
}

const std::vector<std::string> *FunctionTranslator::branchTargets(const std::string &label) {
  auto found = function.branchTargets.find(label);
  return found == function.branchTargets.end() ? nullptr : &found->second;
}

void FunctionTranslator::tick() {
  hasLoops = true;
  Value *fuel = laneField(offsetof(Lane, fuel));
  Value *left = b.CreateSub(b.CreateLoad(b.getInt64Ty(), fuel), b.getInt64(1));
  b.CreateStore(left, fuel);
  BasicBlock *empty = BasicBlock::Create(context, "empty", target), *on = BasicBlock::Create(context, "on", target);
  b.CreateCondBr(b.CreateICmpSLT(left, b.getInt64(0)), empty, on);
  b.SetInsertPoint(empty);
  call("dscc_sim_tick", b.getVoidTy(), {site()});
  b.CreateBr(on);
  b.SetInsertPoint(on);
}

//===-- functions -------------------------------------------------------------------------------------------------===//

static const Instruction *findInstruction(StringRef opcode) {
  static const StringMap<const Instruction *> table = [] {
    StringMap<const Instruction *> rows;
    for (ArrayRef<Instruction> family :
         {arithmeticInstructions(), bitInstructions(), conversionInstructions(), memoryInstructions(),
          collectiveInstructions(), matrixInstructions(), wmmaInstructions(), wgmmaInstructions(), asyncInstructions(),
          mbarrierInstructions(), clusterInstructions(), controlInstructions(), callInstructions(), carryInstructions(),
          videoInstructions()})
      for (const Instruction &row : family)
        rows[row.opcode] = &row;
    return rows;
  }();
  return table.lookup(opcode);
}

void FunctionTranslator::translate(const Statement &s) {
  if (s.scope != scope) { // registers of that name may be others there
    makeLoads();
    makeProducts();
  }
  line = s.line;
  scope = s.scope;
  if (s.isLabel) {
    makeMatricesBefore(s, nullptr);
    BasicBlock *block = label(s.text);
    segment = nullptr;
    labelPlaces[s.text] = ops ? ops->numOps : 0;
    b.CreateBr(block);
    open(block);
    openedLabels.insert(s.text);
    return;
  }
  const Instruction *instruction = findInstruction(s.parts[0]);
  if (!instruction)
    return fail("the simulator does not know the instruction `" + s.text + "`");
  for (StringRef word : drop_begin(s.parts))
    if (!isKnownWord(word))
      return fail("the simulator does not know `." + word + "` of the instruction `" + s.text + "`");
  if (std::string wrong = findFormError(s, ptx.target); !wrong.empty())
    return fail(wrong);
  makeMatricesBefore(s, instruction);
  countSegment(s);
  if (s.predicate.empty())
    return instruction->translate(*this, s);
  Operand predicate;
  predicate.name = s.predicate;
  BasicBlock *then = BasicBlock::Create(context, "then", target), *on = BasicBlock::Create(context, "", target);
  Value *holds = read(predicate, 1);
  b.CreateCondBr(holds, s.isPredicateNegated ? on : then, s.isPredicateNegated ? then : on);
  b.SetInsertPoint(then);
  countPredicated(s);
  instruction->translate(*this, s);
  if (!b.GetInsertBlock()->getTerminator())
    b.CreateBr(on);
  b.SetInsertPoint(on);
}

void FunctionTranslator::run(llvm::Function *made) {
  target = made;
  line = function.line;
  entry = BasicBlock::Create(context, "entry", target);
  BasicBlock *body = BasicBlock::Create(context, "body", target);
  b.SetInsertPoint(body);
  lane = target->getArg(0);
  bindParameters();
  prepareAccumulators();
  if (!function.isEntry)
    call("dscc_sim_enter_function", b.getVoidTy(), {site()});
  for (const Statement &s : function.statements)
    if (s.isLabel)
      labels[s.scope][s.text] = BasicBlock::Create(context, s.text, target);
  for (const Statement &s : function.statements) {
    if (!error.empty())
      return;
    translate(s);
  }
  if (!b.GetInsertBlock()->getTerminator()) {
    storeResults();
    b.CreateRetVoid();
  }
  // Who waits in a loop lets others run meanwhile.
  hasCollectives |= hasLoops && looksAgain;
  // Labels that nobody opened do not exist: parse order guarantees it; blocks behind a return stay empty.
  for (BasicBlock &block : *target)
    if (&block != entry && !block.getTerminator())
      IRBuilder<>(&block).CreateRetVoid();
  IRBuilder<>(entry).CreateBr(body);
  resolvePositions();
}

} // namespace dscc::sim
