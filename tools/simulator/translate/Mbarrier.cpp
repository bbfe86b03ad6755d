// mbarrier.*: counts of arrivals and bytes in shared memory.

#include "tools/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

static StringRef sharedSpaceOf(const Statement &s) {
  for (StringRef part : s.parts)
    if (part.starts_with("shared"))
      return part;
  return "";
}

namespace {
/// Kinds of wait, as in Mbarriers.cpp.
enum Wait { TestState, TestParity, TryState, TryParity };
} // namespace

/// mbarrier.{test,try}_wait[.parity] p, [m], state or parity [, a hint for how long to sleep].
static void translateWait(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() < 3)
    return t.fail("`" + s.text + "` has too few operands");
  bool byParity = s.has("parity"), sleeps = s.has("try_wait");
  int kind = sleeps ? (byParity ? TryParity : TryState) : byParity ? TestParity : TestState;
  Value *phase = byParity ? t.b.CreateZExt(t.read(s.operands[2], 32), t.integer(64)) : t.read(s.operands[2], 64);
  Value *mbarrier = t.address(s.operands[1], sharedSpaceOf(s));
  Value *isDone = t.collective("dscc_sim_mbarrier_wait", t.integer(32), {mbarrier, phase, t.i32(kind), t.site()});
  if (t.countsAll) // a state is a phase above its pending count
    t.countEvent(mbarrier, t.b.CreateOr(t.b.CreateShl(t.b.CreateLShr(phase, byParity ? 0 : 20), uint64_t(2)),
                                        t.b.CreateOr(t.b.getInt64(byParity ? 2 : 0), t.resize(isDone, 64))));
  t.write(s.operands[0], t.resize(isDone, 1));
}

/// mbarrier.arrive[_drop][.expect_tx][.noComplete] [state,] [m] [, count or bytes].
static void translateArrive(FunctionTranslator &t, const Statement &s) {
  size_t at = !s.operands.empty() && s.operands[0].kind == Operand::Kind::Address ? 0 : 1;
  if (s.operands.size() <= at)
    return t.fail("`" + s.text + "` has too few operands");
  bool expects = s.has("expect_tx");
  Value *last = s.operands.size() > at + 1 ? t.read(s.operands[at + 1], 32) : nullptr;
  Value *count = last && !expects ? last : t.i32(1);
  Value *bytes = expects && last ? t.b.CreateZExt(last, t.integer(64)) : t.b.getInt64(0);
  bool drops = s.has("arrive_drop");
  Value *mbarrier = t.address(s.operands[at], sharedSpaceOf(s));
  if (t.countsAll)
    t.countEvent(mbarrier, t.b.CreateOr(t.resize(count, 64), t.b.CreateShl(bytes, uint64_t(32))));
  Value *state =
      t.collective("dscc_sim_mbarrier_arrive", t.integer(64), {mbarrier, count, bytes, t.i32(drops), t.site()});
  if (at)
    t.write(s.operands[0], state);
}

static void translateBytes(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`" + s.text + "` takes 2 operands");
  Value *bytes = t.b.CreateZExt(t.read(s.operands[1], 32), t.integer(64));
  Value *mbarrier = t.address(s.operands[0], sharedSpaceOf(s));
  bool expects = s.has("expect_tx");
  if (t.countsAll)
    t.countEvent(mbarrier, t.b.CreateShl(expects ? bytes : t.b.CreateNeg(bytes), uint64_t(32)));
  t.collective(expects ? "dscc_sim_mbarrier_expect" : "dscc_sim_mbarrier_complete", t.b.getVoidTy(),
               {mbarrier, bytes, t.site()});
}

static void translateMbarrier(FunctionTranslator &t, const Statement &s) {
  StringRef what = s.parts.size() > 1 ? s.parts[1] : "";
  if (what == "test_wait" || what == "try_wait")
    return translateWait(t, s);
  if (what == "arrive" || what == "arrive_drop")
    return translateArrive(t, s);
  if (what == "expect_tx" || what == "complete_tx")
    return translateBytes(t, s);
  if (what == "init" && s.operands.size() == 2) {
    Value *mbarrier = t.address(s.operands[0], sharedSpaceOf(s)), *count = t.read(s.operands[1], 32);
    t.countEvent(mbarrier, t.resize(count, 64));
    return void(t.collective("dscc_sim_mbarrier_init", t.b.getVoidTy(), {mbarrier, count, t.site()}));
  }
  if (what == "inval" && s.operands.size() == 1)
    return void(t.collective("dscc_sim_mbarrier_inval", t.b.getVoidTy(),
                             {t.address(s.operands[0], sharedSpaceOf(s)), t.site()}));
  if (what == "pending_count" && s.operands.size() == 2)
    return t.write(s.operands[0], t.call("dscc_sim_mbarrier_pending", t.integer(32), {t.read(s.operands[1], 64)}));
  t.fail("the simulator does not know the instruction `" + s.text + "`");
}

ArrayRef<Instruction> mbarrierInstructions() {
  static constexpr Instruction rows[] = {{"mbarrier", translateMbarrier}};
  return rows;
}

} // namespace dscc::sim
