// What the threads of a warp or of a block do together.

#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/translate/Translator.h"

#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

/// Its number, and above that how many threads meet.
static void countBarrier(FunctionTranslator &t, Value *id, Value *count) {
  if (t.countsAll)
    t.countEvent(ConstantPointerNull::get(t.pointer()),
                 t.b.CreateOr(t.resize(id, 64), t.b.CreateShl(t.resize(count, 64), uint64_t(32))));
}

/// bar, barrier: sync, arrive, red; of all threads, or of a named number of them.
static void translateBarrier(FunctionTranslator &t, const Statement &s) {
  if (s.has("warp"))
    return void(t.collective("dscc_sim_sync_warp", t.b.getVoidTy(), {t.read(s.operands[0], 32), t.site()}));
  if (s.has("cluster"))
    return void(t.collective(s.has("arrive") ? "dscc_sim_cluster_arrive" : "dscc_sim_cluster_wait", t.b.getVoidTy(),
                             {t.site()}));
  bool isReduction = s.has("red");
  size_t at = isReduction ? 1 : 0;
  if (s.operands.size() <= at)
    return t.fail("`" + s.text + "` has too few operands");
  Value *id = t.read(s.operands[at], 32);
  if (isReduction) {
    bool hasCount = s.operands.size() == 4;
    Value *count = hasCount ? t.read(s.operands[2], 32) : t.i32(0);
    if (s.operands.size() != (hasCount ? 4u : 3u))
      return t.fail("`" + s.text + "` has too few operands");
    countBarrier(t, id, count);
    Value *predicate = t.resize(t.read(s.operands[hasCount ? 3 : 2], 1), 32);
    int kind = s.has("popc") ? 0 : s.has("and") ? 1 : 2;
    Value *sum = t.collective("dscc_sim_barrier_reduce", t.integer(64), {id, count, t.i32(kind), predicate, t.site()});
    return t.write(s.operands[0], t.resize(sum, kind == 0 ? 32 : 1));
  }
  if (s.has("arrive") && s.operands.size() < 2)
    return t.fail("`" + s.text + "` needs a number of threads");
  Value *count = s.operands.size() > 1 ? t.read(s.operands[1], 32) : t.i32(0);
  countBarrier(t, id, count);
  t.collective(s.has("arrive") ? "dscc_sim_barrier_arrive" : "dscc_sim_barrier", t.b.getVoidTy(),
               {id, count, t.site()});
}

static void translateShuffle(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 5 || !s.has("sync"))
    return t.fail("`" + s.text + "` is not known; shfl.sync is");
  int kind = s.has("bfly") ? 0 : s.has("up") ? 1 : s.has("down") ? 2 : 3;
  Value *pair = t.collective("dscc_sim_shuffle", t.integer(64),
                             {t.read(s.operands[4], 32), t.read(s.operands[1], 32), t.read(s.operands[2], 32),
                              t.read(s.operands[3], 32), t.i32(kind), t.site()});
  if (!s.operands[0].second.empty())
    t.writePredicate(s.operands[0].second, t.resize(t.b.CreateLShr(pair, uint64_t(32)), 1));
  t.write(s.operands[0], t.resize(pair, 32));
}

/// Collectives of one value a lane. The numbers are those of Warp.cpp.
static Value *reduce(FunctionTranslator &t, int kind, Value *mask, Value *value) {
  return t.collective("dscc_sim_warp_reduce", t.integer(64), {mask, t.resize(value, 64), t.i32(kind), t.site()});
}

static void translateVote(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 3)
    return t.fail("`" + s.text + "` is not known; vote.sync is");
  int kind = s.has("ballot") ? 9 : s.has("all") ? 12 : s.has("any") ? 13 : 14;
  Value *votes = reduce(t, kind, t.read(s.operands[2], 32), t.read(s.operands[1], 1)), *ballot = t.resize(votes, 32);
  if (s.has("ballot"))
    return t.write(s.operands[0], ballot);
  // Lanes that have exited do not vote.
  Value *voters = t.resize(t.b.CreateLShr(votes, uint64_t(32)), 32);
  Value *all = t.b.CreateICmpEQ(ballot, voters), *none = t.b.CreateICmpEQ(ballot, t.b.getInt32(0));
  t.write(s.operands[0], s.has("all") ? all : s.has("any") ? t.b.CreateNot(none) : t.b.CreateOr(all, none));
}

static void translateMatch(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 3)
    return t.fail("`" + s.text + "` has too few operands");
  Value *value = t.read(s.operands[1], t.typeOf(s).bits), *mask = t.read(s.operands[2], 32);
  Value *result = reduce(t, s.has("any") ? 8 : 10, mask, value);
  if (!s.operands[0].second.empty())
    t.writePredicate(s.operands[0].second, t.b.CreateICmpNE(t.resize(result, 32), t.b.getInt32(0)));
  t.write(s.operands[0], t.resize(result, 32));
}

static void translateRedux(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 3)
    return t.fail("`" + s.text + "` has too few operands");
  if (t.typeOf(s).isFloat())
    return t.fail("`" + s.text + "` needs sm_100a");
  bool isSigned = t.typeOf(s).isSigned();
  int kind = s.has("add")   ? 0
             : s.has("min") ? (isSigned ? 1 : 2)
             : s.has("max") ? (isSigned ? 3 : 4)
             : s.has("and") ? 5
             : s.has("or")  ? 6
                            : 7;
  t.write(s.operands[0], t.resize(reduce(t, kind, t.read(s.operands[2], 32), t.read(s.operands[1], 32)), 32));
}

static void translateActiveMask(FunctionTranslator &t, const Statement &s) {
  t.write(s.operands[0], t.collective("dscc_sim_active_mask", t.integer(32), {t.site()}));
}

/// elect.sync d|p, mask: the lowest lane of the mask is chosen.
static void translateElect(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`elect` takes 2 operands");
  Value *leader = t.resize(reduce(t, 11, t.read(s.operands[1], 32), t.b.getInt1(true)), 32);
  t.write(s.operands[0], leader);
  Operand self;
  self.name = "%laneid";
  t.writePredicate(s.operands[0].second, t.b.CreateICmpEQ(leader, t.read(self, 32)));
}

ArrayRef<Instruction> collectiveInstructions() {
  static constexpr Instruction rows[] = {
      {"bar", translateBarrier},           {"barrier", translateBarrier},
      {"shfl", translateShuffle},          {"vote", translateVote},
      {"match", translateMatch},           {"redux", translateRedux},
      {"activemask", translateActiveMask}, {"elect", translateElect},
  };
  return rows;
}

} // namespace dscc::sim
