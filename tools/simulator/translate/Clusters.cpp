// Blocks of a cluster: addresses in each other's shared memory, asynchronous stores there.

#include "tools/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

/// mapa[.shared::cluster].{u32,u64} d, a, rank.
static void translateMapa(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 3)
    return t.fail("`mapa` takes 3 operands");
  Value *rank = t.read(s.operands[2], 32);
  if (!s.has("shared::cluster"))
    return t.write(s.operands[0],
                   t.call("dscc_sim_map_generic", t.integer(64), {t.read(s.operands[1], 64), rank, t.site()}));
  Value *mapped = t.call("dscc_sim_map_shared", t.integer(32), {t.read(s.operands[1], 32), rank, t.site()});
  t.write(s.operands[0], t.resize(mapped, t.typeOf(s).bits));
}

static void translateRank(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`getctarank` takes 2 operands");
  bool isShared = s.has("shared::cluster");
  Value *address = t.read(s.operands[1], isShared ? 32 : 64);
  t.write(s.operands[0],
          t.call(isShared ? "dscc_sim_rank_shared" : "dscc_sim_rank_generic", t.integer(32), {address, t.site()}));
}

/// st.async...[.v2,.v4].type [a], value, [mbarrier].
void translateStoreAsync(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 3 || !s.has("mbarrier::complete_tx::bytes"))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  PtxType type = t.typeOf(s);
  const Operand &from = s.operands[1];
  unsigned count = from.kind == Operand::Kind::Vector ? unsigned(from.parts.size()) : 1, bytes = type.bits / 8 * count;
  AllocaInst *value = t.buffer("st_async");
  for (unsigned i = 0; i < count; ++i)
    t.b.CreateStore(t.read(from.kind == Operand::Kind::Vector ? from.parts[i] : from, type.bits),
                    t.b.CreateConstGEP1_64(t.integer(type.bits), value, i));
  Value *to = t.address(s.operands[0], "shared::cluster"), *mbarrier = t.address(s.operands[2], "shared::cluster");
  t.countEvent(mbarrier, t.b.getInt64(uint64_t(-int64_t(bytes)) << 32));
  t.collective("dscc_sim_store_async", t.b.getVoidTy(), {to, value, t.i32(bytes), mbarrier, t.site()});
}

ArrayRef<Instruction> clusterInstructions() {
  static constexpr Instruction rows[] = {{"mapa", translateMapa}, {"getctarank", translateRank}};
  return rows;
}

} // namespace dscc::sim
