// Loads, stores, atomics and fences.

#include "tools/simulator/exec/SharedChecks.h"
#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/translate/Translator.h"

#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

StringRef stateSpaceOf(const Statement &s) {
  for (StringRef part : s.parts) {
    if (part.starts_with("param")) // ::entry, ::func
      return "param";
    if (part == "global" || part == "local" || part == "const" || part.starts_with("shared"))
      return part;
  }
  return "";
}

/// What a fence orders, for the race checks: the threads of a cluster, and beyond it.
static void orderThreads(FunctionTranslator &t, const Statement &s, bool acquires, bool releases) {
  bool isWide = !s.has("cta") && !s.has("cluster");
  t.ordersUnits |= isWide && releases;
  if (settings().check == CheckLevel::All)
    t.call("dscc_sim_fence", t.b.getVoidTy(), {t.i32(acquires), t.i32(releases), t.i32(isWide)});
}

/// Looks at a strong access before it is made. A vector is aligned as a whole, and each of its elements tells for
/// itself.
static void checkStrong(FunctionTranslator &t, const Statement &s, Value *address, unsigned bytes,
                        unsigned elementBytes, Access access) {
  StrongAccess how{access, uint8_t(elementBytes), s.has("cta") || s.has("cluster")};
  if (settings().check != CheckLevel::None)
    t.call("dscc_sim_check_strong", t.b.getVoidTy(), {address, t.i32(bytes), t.site(), t.i32(how.pack())});
}

static void translateLoad(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() < 2)
    return t.fail("`" + s.text + "` has too few operands");
  PtxType type = t.typeOf(s);
  StringRef space = stateSpaceOf(s);
  const Operand &to = s.operands[0];
  unsigned count = to.kind == Operand::Kind::Vector ? unsigned(to.parts.size()) : 1, bytes = type.bits / 8 * count;
  Value *from =
      space == "param" ? t.parameterAddress(s.operands[1], bytes, /*isStore=*/false) : t.address(s.operands[1], space);
  bool isVolatile = s.has("volatile") || s.has("acquire") || s.has("relaxed");
  t.looksAgain |= isVolatile;
  if (isVolatile) {
    t.countAccess(from, t.i32(bytes), LoadAccess, "");
    checkStrong(t, s, from, bytes, type.bits / 8, Access::StrongLoad);
  } else if (space != "param")
    t.check(from, bytes, /*isStore=*/false);
  // Parameters lie where the caller has put them; all others are checked to be aligned, if anything is.
  Align align(space == "param" ? 1 : type.bits / 8);
  Type *loadedType = count == 1 ? t.integer(type.bits) : FixedVectorType::get(t.integer(type.bits), count);
  Value *loaded = t.b.CreateAlignedLoad(loadedType, from, align, isVolatile);
  if (s.has("acquire"))
    orderThreads(t, s, /*acquires=*/true, /*releases=*/false);
  if (count == 1)
    return t.write(to, loaded, type.isSigned());
  for (unsigned i = 0; i < count; ++i)
    t.write(to.parts[i], t.b.CreateExtractElement(loaded, uint64_t(i)), type.isSigned());
}

void translateStoreAsync(FunctionTranslator &t, const Statement &s); // Clusters.cpp

static void translateStore(FunctionTranslator &t, const Statement &s) {
  if (s.has("async"))
    return translateStoreAsync(t, s);
  if (s.has("bulk"))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  if (s.operands.size() < 2)
    return t.fail("`" + s.text + "` has too few operands");
  PtxType type = t.typeOf(s);
  StringRef space = stateSpaceOf(s);
  const Operand &from = s.operands[1];
  unsigned count = from.kind == Operand::Kind::Vector ? unsigned(from.parts.size()) : 1, bytes = type.bits / 8 * count;
  if (space == "const")
    return t.fail("`" + s.text + "`: .const is not written by kernels");
  Value *to =
      space == "param" ? t.parameterAddress(s.operands[0], bytes, /*isStore=*/true) : t.address(s.operands[0], space);
  bool isVolatile = s.has("volatile") || s.has("release") || s.has("relaxed");
  if (s.has("release"))
    orderThreads(t, s, /*acquires=*/false, /*releases=*/true);
  if (isVolatile) {
    t.countAccess(to, t.i32(bytes), StoreAccess, "");
    checkStrong(t, s, to, bytes, type.bits / 8, Access::StrongStore);
  } else if (space != "param")
    t.check(to, bytes, /*isStore=*/true);
  Align align(space == "param" ? 1 : type.bits / 8);
  if (count == 1) {
    t.b.CreateAlignedStore(t.read(from, type.bits), to, align, isVolatile);
    return;
  }
  Value *vector = PoisonValue::get(FixedVectorType::get(t.integer(type.bits), count));
  for (unsigned i = 0; i < count; ++i)
    vector = t.b.CreateInsertElement(vector, t.read(from.parts[i], type.bits), uint64_t(i));
  t.b.CreateAlignedStore(vector, to, align, isVolatile);
}

static std::optional<AtomicRMWInst::BinOp> atomicOf(const Statement &s, PtxType type) {
  static constexpr std::tuple<StringLiteral, AtomicRMWInst::BinOp, AtomicRMWInst::BinOp, AtomicRMWInst::BinOp> rows[] =
      {// unsigned or bits, signed, float
       {"add", AtomicRMWInst::Add, AtomicRMWInst::Add, AtomicRMWInst::FAdd},
       {"min", AtomicRMWInst::UMin, AtomicRMWInst::Min, AtomicRMWInst::FMin},
       {"max", AtomicRMWInst::UMax, AtomicRMWInst::Max, AtomicRMWInst::FMax},
       {"exch", AtomicRMWInst::Xchg, AtomicRMWInst::Xchg, AtomicRMWInst::Xchg},
       {"and", AtomicRMWInst::And, AtomicRMWInst::And, AtomicRMWInst::And},
       {"or", AtomicRMWInst::Or, AtomicRMWInst::Or, AtomicRMWInst::Or},
       {"xor", AtomicRMWInst::Xor, AtomicRMWInst::Xor, AtomicRMWInst::Xor},
       {"inc", AtomicRMWInst::UIncWrap, AtomicRMWInst::UIncWrap, AtomicRMWInst::UIncWrap},
       {"dec", AtomicRMWInst::UDecWrap, AtomicRMWInst::UDecWrap, AtomicRMWInst::UDecWrap}};
  for (auto &[name, plain, asSigned, asFloat] : rows)
    if (s.has(name))
      return type.isFloat() ? asFloat : type.isSigned() ? asSigned : plain;
  return std::nullopt;
}

/// red.async [a], value, [mbarrier]: as an atomic, whose bytes arrive at the mbarrier.
static void translateReduceAsync(FunctionTranslator &t, const Statement &s) {
  PtxType type = t.typeOf(s);
  std::optional<AtomicRMWInst::BinOp> kind = atomicOf(s, type);
  if (s.operands.size() != 3 || !kind || !s.has("mbarrier::complete_tx::bytes"))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  Value *place = t.address(s.operands[0], "shared::cluster");
  t.b.CreateAtomicRMW(*kind, place, t.read(s.operands[1], type), MaybeAlign(), AtomicOrdering::SequentiallyConsistent);
  Value *mbarrier = t.address(s.operands[2], "shared::cluster");
  t.countEvent(mbarrier, t.b.getInt64(uint64_t(-int64_t(type.width() / 8)) << 32));
  t.collective("dscc_sim_complete_async", t.b.getVoidTy(), {place, t.i32(type.width() / 8), mbarrier, t.site()});
}

/// {atom, red}.op.type [d,] [a], b [, c]; of a vector each element for itself.
static void translateAtomic(FunctionTranslator &t, const Statement &s) {
  if (s.has("async"))
    return translateReduceAsync(t, s);
  bool returns = s.parts[0] == "atom";
  size_t at = returns ? 1 : 0;
  if (s.operands.size() < at + (s.has("cas") ? 3 : 2))
    return t.fail("`" + s.text + "` has too few operands");
  PtxType type = t.typeOf(s);
  bool isVector = s.has("v2") || s.has("v4") || s.has("v8");
  ArrayRef<Operand> values = isVector ? ArrayRef(s.operands[at + 1].parts) : ArrayRef(s.operands[at + 1]);
  ArrayRef<Operand> results = !returns   ? ArrayRef<Operand>()
                              : isVector ? ArrayRef(s.operands[0].parts)
                                         : ArrayRef(s.operands[0]);
  std::optional<AtomicRMWInst::BinOp> kind = atomicOf(s, type);
  if ((returns && results.size() != values.size()) || (!kind && !s.has("cas")) || (isVector && s.has("cas")))
    return t.fail("the simulator does not know the atomic `" + s.text + "`");
  unsigned bytes = type.width() / 8;
  StringRef space = stateSpaceOf(s);
  Value *base = t.address(s.operands[at], space);
  bool isFlushed = kind == AtomicRMWInst::FAdd && type.kind == PtxType::Kind::Float && type.width() == 32 &&
                   !type.isPair && !space.starts_with("shared");
  if (s.has("release") || s.has("acq_rel"))
    orderThreads(t, s, /*acquires=*/false, /*releases=*/true);
  t.looksAgain |= returns;
  constexpr AtomicOrdering order = AtomicOrdering::SequentiallyConsistent;
  checkStrong(t, s, base, unsigned(values.size()) * bytes, bytes,
              s.has("exch") ? Access::Exchange
              : returns     ? Access::Atomic
                            : Access::Reduction);
  for (auto [index, value] : enumerate(values)) {
    Value *place = index ? t.b.CreateConstGEP1_64(t.b.getInt8Ty(), base, index * bytes) : base, *before;
    t.countAccess(place, t.i32(bytes), AtomicAccess, "");
    if (isFlushed)
      before = t.call("dscc_sim_atomic_add", t.integer(32), {place, t.read(value, 32), t.i32(space.empty())});
    else if (kind)
      before = t.b.CreateAtomicRMW(*kind, place, t.read(value, type), MaybeAlign(), order);
    else
      before = t.b.CreateExtractValue(t.b.CreateAtomicCmpXchg(place, t.read(value, type.bits),
                                                              t.read(s.operands[at + 2], type.bits), MaybeAlign(),
                                                              order, order),
                                      0);
    if (returns)
      t.write(results[index], before);
  }
  if (s.has("acquire") || s.has("acq_rel"))
    orderThreads(t, s, /*acquires=*/true, /*releases=*/false);
}

/// A fence may be restricted to what is acquired of the cluster's shared memory, or released of the block's own.
static bool isRestrictionKnown(const Statement &s) {
  bool ofCluster = s.has("sync_restrict::shared::cluster"), ofBlock = s.has("sync_restrict::shared::cta");
  if (!ofCluster && !ofBlock)
    return !s.has("async::generic");
  return ofCluster != ofBlock && s.has("cluster") && s.has(ofCluster ? "acquire" : "release");
}

/// Blocks run one after the other on a host thread, and the host is stricter than the GPU's memory model.
static void translateFence(FunctionTranslator &t, const Statement &s) {
  if (!isRestrictionKnown(s))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  if (s.has("proxy")) {
    // Of global memory it is not known who sees what.
    bool isAsync = any_of(s.parts, [](StringRef part) { return part.starts_with("async"); });
    if (isAsync && !s.has("global"))
      t.collective("dscc_sim_fence_proxy", t.b.getVoidTy(), {});
    if (s.has("async::generic")) // orders threads too, where the other has such a fence
      orderThreads(t, s, s.has("acquire"), s.has("release"));
    return;
  }
  // An mbarrier is known to all from its init on: a fence for those orders nothing else.
  if (!s.has("mbarrier_init"))
    orderThreads(t, s, !s.has("release"), !s.has("acquire"));
  t.b.CreateFence(AtomicOrdering::SequentiallyConsistent);
}

static void translateNothing(FunctionTranslator &, const Statement &) {}

/// createpolicy: how a cache behaves is not modelled, so the policy says nothing.
static void translatePolicy(FunctionTranslator &t, const Statement &s) {
  if (s.operands.empty())
    return t.fail("`createpolicy` takes a register");
  t.write(s.operands[0], t.b.getInt64(0));
}

/// Whether the address is one of a `.const` variable.
static Value *isConst(FunctionTranslator &t, Value *address) {
  Value *is = t.b.getInt1(false);
  for (GlobalVariable &variable : t.target->getParent()->globals()) {
    if (!variable.hasAttribute("const"))
      continue;
    uint64_t bytes = t.target->getParent()->getDataLayout().getTypeAllocSize(variable.getValueType());
    Value *offset = t.b.CreateSub(address, t.b.CreatePtrToInt(&variable, t.integer(64)));
    is = t.b.CreateOr(is, t.b.CreateICmpULT(offset, t.b.getInt64(bytes)));
  }
  return is;
}

/// isspacep.space p, address. Whatever is in none of the others is global.
static void translateIsSpace(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`isspacep` takes 2 operands");
  Value *address = t.read(s.operands[1], 64), *pointer = t.b.CreateIntToPtr(address, t.pointer());
  auto ask = [&](StringRef callee, ArrayRef<Value *> arguments) {
    return t.resize(t.call(callee, t.integer(32), arguments), 1);
  };
  auto isShared = [&](bool ofCluster) { return ask("dscc_sim_is_shared", {address, t.i32(ofCluster)}); };
  Value *is;
  if (s.has("const"))
    is = isConst(t, address);
  else if (s.has("local"))
    is = ask("dscc_sim_is_local", pointer);
  else if (stateSpaceOf(s).starts_with("param"))
    is = ask("dscc_sim_is_parameter", address);
  else if (s.has("global"))
    is = t.b.CreateNot(t.b.CreateOr(t.b.CreateOr(isShared(/*ofCluster=*/true), ask("dscc_sim_is_local", pointer)),
                                    isConst(t, address)));
  else
    is = isShared(s.has("shared::cluster"));
  t.write(s.operands[0], is);
}

/// Whether the operand is the one number of bytes that discard and applypriority take.
static bool takesLine(FunctionTranslator &t, const Statement &s) {
  bool isLine = s.operands.size() == 2 && s.operands[1].kind == Operand::Kind::Integer && s.operands[1].integer == 128;
  if (!isLine)
    t.fail("`" + s.text + "` takes an address and 128 bytes");
  return isLine;
}

static void translateDiscard(FunctionTranslator &t, const Statement &s) {
  if (takesLine(t, s))
    t.call("dscc_sim_discard", t.b.getVoidTy(), {t.address(s.operands[0], stateSpaceOf(s)), t.site()});
}

static void translatePriority(FunctionTranslator &t, const Statement &s) { takesLine(t, s); }

ArrayRef<Instruction> memoryInstructions() {
  static constexpr Instruction rows[] = {
      {"ld", translateLoad},           {"ldu", translateLoad},
      {"st", translateStore},          {"atom", translateAtomic},
      {"red", translateAtomic},        {"fence", translateFence},
      {"membar", translateFence},      {"prefetch", translateNothing},
      {"prefetchu", translateNothing}, {"createpolicy", translatePolicy},
      {"discard", translateDiscard},   {"applypriority", translatePriority},
      {"isspacep", translateIsSpace},
  };
  return rows;
}

} // namespace dscc::sim
