// Branches and the end of a thread.

#include "tools/simulator/translate/Translator.h"

#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

static void startDeadBlock(FunctionTranslator &t) { t.open(BasicBlock::Create(t.context, "dead")); }

static void translateBranch(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 1)
    return t.fail("`bra` takes a label");
  if (t.isBackward(s.operands[0].name))
    t.tick();
  t.b.CreateBr(t.label(s.operands[0].name));
  if (s.predicate.empty())
    startDeadBlock(t);
}

static void translateIndexedBranch(FunctionTranslator &t, const Statement &s) {
  const std::vector<std::string> *targets = s.operands.size() == 2 ? t.branchTargets(s.operands[1].name) : nullptr;
  if (!targets)
    return t.fail("`brx.idx` has no list of targets");
  if (any_of(*targets, [&](const std::string &name) { return t.isBackward(name); }))
    t.tick();
  BasicBlock *none = BasicBlock::Create(t.context, "none", t.target);
  Value *chosen = t.read(s.operands[0], 32);
  SwitchInst *choice = t.b.CreateSwitch(chosen, none, unsigned(targets->size()));
  for (auto [index, name] : enumerate(*targets))
    choice->addCase(t.b.getInt32(uint32_t(index)), t.label(name));
  t.b.SetInsertPoint(none);
  t.call("dscc_sim_no_target", t.b.getVoidTy(), {chosen, t.i32(int64_t(targets->size())), t.site()});
  t.b.CreateUnreachable();
  if (s.predicate.empty())
    startDeadBlock(t);
}

static void translateReturn(FunctionTranslator &t, const Statement &s) {
  t.storeResults();
  t.b.CreateRetVoid();
  if (s.predicate.empty())
    startDeadBlock(t);
}

/// exit in a function ends the thread, not only the call.
static void translateExit(FunctionTranslator &t, const Statement &s) {
  if (t.target->hasInternalLinkage()) {
    t.collective("dscc_sim_exit", t.b.getVoidTy(), {});
    t.b.CreateUnreachable();
    if (s.predicate.empty())
      startDeadBlock(t);
    return;
  }
  translateReturn(t, s);
}

static void translateTrap(FunctionTranslator &t, const Statement &s) {
  t.collective("dscc_sim_trap", t.b.getVoidTy(), {t.site()});
}

static void translateNanosleep(FunctionTranslator &t, const Statement &s) {
  t.collective("dscc_sim_yield", t.b.getVoidTy(), {});
}

static void translateNothing(FunctionTranslator &, const Statement &) {}

/// setmaxnreg.{inc,dec}.sync.aligned.u32 n: registers are not modelled, what may be asked for is.
static void translateSetMaxRegisters(FunctionTranslator &t, const Statement &s) {
  constexpr int64_t least = 24, most = 256, step = 8;
  bool isLegal = s.operands.size() == 1 && s.operands[0].kind == Operand::Kind::Integer &&
                 s.operands[0].integer >= least && s.operands[0].integer <= most && s.operands[0].integer % step == 0;
  if (!isLegal || s.has("inc") == s.has("dec"))
    t.fail("`" + s.text + "` takes a number of registers from 24 to 256, a multiple of 8");
}

ArrayRef<Instruction> controlInstructions() {
  static constexpr Instruction rows[] = {
      {"bra", translateBranch},
      {"brx", translateIndexedBranch},
      {"ret", translateReturn},
      {"exit", translateExit},
      {"trap", translateTrap},
      {"brkpt", translateTrap},
      {"nanosleep", translateNanosleep},
      {"pmevent", translateNothing},
      {"setmaxnreg", translateSetMaxRegisters},
      {"griddepcontrol", translateNothing},
  };
  return rows;
}

} // namespace dscc::sim
