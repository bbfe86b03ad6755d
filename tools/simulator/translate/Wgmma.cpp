// wgmma: accumulators are registers that change later, at a wait that does not name them.
//
//     wgmma.mma_async {d..}, ..   the registers go into a buffer unless they are there already, and become NaN
//     wgmma.wait_group n          whatever is complete comes back
//
// The sets of registers of a function are known before it is translated, so that each wait can ask for all of them. So
// are those that hold A, which have a state only.

#include "tools/simulator/exec/Products.h"
#include "tools/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

namespace {
/// As in the execution's Wgmma.h.
enum Flag { NegatesA = 1, NegatesB = 2, TransposesA = 4, TransposesB = 8, Saturates = 16 };
enum State { Idle = 0, Done = 2 };
} // namespace

/// Of D, operand 0, or of A, operand 1.
static std::string keyOf(const Statement &s, size_t operand) {
  std::string key = std::to_string(operand) + "," + std::to_string(s.scope);
  for (const Operand &part : s.operands[operand].parts)
    key += "," + part.name;
  return key;
}

std::vector<AccumulatorSet> findAccumulators(const Function &function) {
  std::vector<AccumulatorSet> sets;
  std::set<std::string> known;
  auto add = [&](const Statement &s, size_t operand) {
    std::string key = keyOf(s, operand);
    if (known.insert(key).second)
      sets.push_back({key, s.operands[operand], s.scope, operand == 1, nullptr, nullptr, {}});
  };
  for (const Statement &s : function.statements) {
    if (s.isLabel || s.parts[0] != "wgmma" || !s.has("mma_async") || s.operands.size() < 2)
      continue;
    add(s, 0);
    if (s.operands[1].kind == Operand::Kind::Vector)
      add(s, 1);
  }
  return sets;
}

/// The buffer's words, to and from registers.
static void save(FunctionTranslator &t, const AccumulatorSet &set) {
  for (auto [index, part] : enumerate(set.registers.parts))
    t.b.CreateStore(t.readQuietly(part, 32), t.b.CreateConstGEP1_64(t.b.getInt32Ty(), set.words, index));
}

static void poison(FunctionTranslator &t, const AccumulatorSet &set) {
  for (const Operand &part : set.registers.parts)
    t.writeIn(set.scope, part, t.b.getInt32(0xffffffff));
}

/// Runs `then` if the set's state is, or is not, `state`.
static void when(FunctionTranslator &t, const AccumulatorSet &set, int state, function_ref<void()> then) {
  BasicBlock *is = BasicBlock::Create(t.context, "is", t.target), *on = BasicBlock::Create(t.context, "on", t.target);
  Value *now = t.b.CreateLoad(t.b.getInt32Ty(), set.state);
  t.b.CreateCondBr(t.b.CreateICmpEQ(now, t.i32(state)), is, on);
  t.b.SetInsertPoint(is);
  then();
  t.b.CreateBr(on);
  t.b.SetInsertPoint(on);
}

/// Takes the accumulators back if they are complete.
static void fetch(FunctionTranslator &t, const AccumulatorSet &set) {
  when(t, set, Done, [&] {
    for (auto [index, part] : enumerate(set.registers.parts))
      t.writeIn(set.scope, part,
                t.b.CreateLoad(t.b.getInt32Ty(), t.b.CreateConstGEP1_64(t.b.getInt32Ty(), set.words, index)));
    t.b.CreateStore(t.i32(Idle), set.state);
  });
}

static int codeOf(StringRef name) {
  static constexpr StringLiteral types[] = {"f16", "bf16", "tf32", "f64", "f32", "s8", "u8", "s32", "e4m3", "e5m2"};
  auto found = find(types, name);
  return found == std::end(types) ? -1 : int(found - std::begin(types));
}

namespace {
/// What the name of a wgmma.mma_async says.
struct Form {
  int n = 0, k = 0;
  int d, a, b; // ElementCode

  bool isInteger() const { return a == S8 || a == U8; }
  bool isOf16Bits() const { return a == F16 || a == Bf16; }
  bool isKnown() const {
    if (n < 8 || n > 256 || n % 8 || (isInteger() && n > 24 && n % 16))
      return false;
    if (isOf16Bits())
      return a == b && k == 16 && (d == F32 || (d == F16 && a == F16));
    if (a == Tf32)
      return b == Tf32 && k == 8 && d == F32;
    if (isInteger())
      return (b == S8 || b == U8) && k == 32 && d == S32;
    return (a == E4m3 || a == E5m2) && (b == E4m3 || b == E5m2) && k == 32 && (d == F32 || d == F16);
  }
};
} // namespace

/// Types follow the shape; ptxas takes .satfinite between them and behind them.
static std::optional<Form> parseForm(const Statement &s) {
  Form form;
  SmallVector<int> types;
  for (StringRef part : s.parts) {
    if (!form.n && sscanf(part.str().c_str(), "m64n%dk%d", &form.n, &form.k) == 2)
      continue;
    if (form.n && part != "satfinite")
      types.push_back(codeOf(part));
  }
  if (types.size() != 3 || is_contained(types, -1))
    return std::nullopt;
  form.d = types[0], form.a = types[1], form.b = types[2];
  return form.isKnown() && (form.isInteger() || !s.has("satfinite")) && !s.has("sp") ? std::optional(form)
                                                                                     : std::nullopt;
}

/// Behind d, a, b and scale-d: factors of A and B unless they are integers; whether to transpose them, of 16 bits in
/// shared memory only.
static bool hasItsImmediates(const Form &form, const Statement &s, bool isAInRegisters) {
  size_t transposes = !form.isOf16Bits() ? 0 : isAInRegisters ? 1 : 2, factors = form.isInteger() ? 0 : 2;
  if (s.operands.size() != 4 + factors + transposes)
    return false;
  for (auto [index, operand] : enumerate(drop_begin(s.operands, 4))) {
    int64_t value = operand.integer;
    if (operand.kind != Operand::Kind::Integer || (index < 2 ? value != 1 && value != -1 : value != 0 && value != 1))
      return false;
  }
  return true;
}

/// wgmma.mma_async.sync.aligned.m64nNkK.D.A.B d, a, b, scale-d[, negate a, negate b[, transpose a], transpose b].
static void translateMma(FunctionTranslator &t, const Statement &s) {
  std::optional<Form> form = parseForm(s);
  bool isAInRegisters = s.operands.size() > 1 && s.operands[1].kind == Operand::Kind::Vector;
  if (!form || !hasItsImmediates(*form, s, isAInRegisters))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  size_t registers = size_t(form->d == F16 ? form->n / 4 : form->n / 2);
  if (s.operands[0].parts.size() != registers || (isAInRegisters && s.operands[1].parts.size() != 4))
    return t.fail("`" + s.text + "` takes " + std::to_string(registers) +
                  " accumulators, and 4 registers of A or a descriptor");
  auto isImmediate = [&](size_t index, int value) {
    return index < s.operands.size() && s.operands[index].integer == value;
  };
  size_t ofB = isAInRegisters ? 6 : 7;
  int flags = (isImmediate(4, -1) ? NegatesA : 0) | (isImmediate(5, -1) ? NegatesB : 0) |
              (!isAInRegisters && isImmediate(6, 1) ? TransposesA : 0) | (isImmediate(ofB, 1) ? TransposesB : 0) |
              (s.has("satfinite") ? Saturates : 0);
  const AccumulatorSet *set = t.findAccumulators(keyOf(s, 0));
  for (size_t other : set->overlapping) {
    t.collective("dscc_sim_wgmma_settle", t.b.getVoidTy(), {t.accumulators[other].state, t.site()});
    fetch(t, t.accumulators[other]);
  }
  when(t, *set, Idle, [&] { save(t, *set); });
  Value *aWords = ConstantPointerNull::get(t.pointer()), *aSet = aWords;
  if (isAInRegisters) {
    aWords = t.spread("wgmma_a", s.operands[1]);
    aSet = t.findAccumulators(keyOf(s, 1))->state;
  }
  Value *descriptorA = isAInRegisters ? t.b.getInt64(0) : t.read(s.operands[1], 64);
  t.collective("dscc_sim_wgmma", t.b.getVoidTy(),
               {t.i32(form->n | form->k << 16), t.i32(form->d << 8 | form->a << 4 | form->b), set->words, set->state,
                aWords, aSet, descriptorA, t.read(s.operands[2], 64), t.resize(t.read(s.operands[3], 1), 32),
                t.i32(flags), t.site()});
  poison(t, *set);
}

static void translateWait(FunctionTranslator &t, const Statement &s) {
  t.collective("dscc_sim_wgmma_wait", t.b.getVoidTy(), {t.read(s.operands[0], 32)});
  for (const AccumulatorSet &set : t.accumulators)
    if (!set.isInput)
      fetch(t, set);
}

static void translateWgmma(FunctionTranslator &t, const Statement &s) {
  if (s.has("mma_async"))
    return translateMma(t, s);
  if (s.has("wait_group") && s.operands.size() == 1)
    return translateWait(t, s);
  if (s.has("fence"))
    return void(t.collective("dscc_sim_wgmma_fence", t.b.getVoidTy(), {}));
  if (s.has("commit_group"))
    return void(t.collective("dscc_sim_wgmma_commit", t.b.getVoidTy(), {}));
  t.fail("the simulator does not know the instruction `" + s.text + "`");
}

ArrayRef<Instruction> wgmmaInstructions() {
  static constexpr Instruction rows[] = {{"wgmma", translateWgmma}};
  return rows;
}

} // namespace dscc::sim
