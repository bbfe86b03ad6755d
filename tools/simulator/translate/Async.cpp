// Copies that land later: cp.async, cp.async.bulk, cp.reduce.async.bulk.

#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/exec/Tensors.h"
#include "tools/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

static BulkOp reductionOf(const Statement &s) {
  static constexpr std::pair<StringLiteral, BulkOp> names[] = {
      {"add", BulkOp::Add}, {"min", BulkOp::Min}, {"max", BulkOp::Max}, {"inc", BulkOp::Inc},
      {"dec", BulkOp::Dec}, {"and", BulkOp::And}, {"or", BulkOp::Or},   {"xor", BulkOp::Xor}};
  for (auto &[name, op] : names)
    if (s.has(name))
      return op;
  return BulkOp::Copy;
}

static std::optional<BulkType> elementOf(const Statement &s) {
  static constexpr std::pair<StringLiteral, BulkType> names[] = {
      {"b32", BulkType::B32}, {"u32", BulkType::U32}, {"s32", BulkType::S32},   {"u64", BulkType::U64},
      {"s64", BulkType::S64}, {"f16", BulkType::F16}, {"bf16", BulkType::Bf16}, {"f32", BulkType::F32},
      {"f64", BulkType::F64}, {"b64", BulkType::B64}};
  for (auto &[name, type] : names)
    if (s.parts.back() == name)
      return type;
  return std::nullopt;
}

/// Whether a reduction without a tensor map exists. Sums of 16 bits say that nothing is flushed; nothing else does.
static bool isLinearReduction(const Statement &s, bool toShared) {
  BulkOp op = reductionOf(s);
  std::optional<BulkType> type = elementOf(s);
  bool isHalfSum = op == BulkOp::Add && (type == BulkType::F16 || type == BulkType::Bf16);
  return type && s.has("noftz") == isHalfSum &&
         isReduction(op, *type, toShared ? BulkTarget::Shared : BulkTarget::Global);
}

/// What follows the required operands: im2col offsets, a mask of blocks, a cache policy, each if the name says so.
namespace {
struct Extras {
  const Operand *offsets = nullptr, *blocks = nullptr;
};
} // namespace

static Extras extrasOf(const Statement &s, size_t at) {
  Extras extras;
  if (at < s.operands.size() && s.operands[at].kind == Operand::Kind::Vector)
    extras.offsets = &s.operands[at++];
  if (at < s.operands.size() && s.has("multicast::cluster"))
    extras.blocks = &s.operands[at];
  return extras;
}

/// A mask; -1 without one: the target's block.
static Value *blocksOf(FunctionTranslator &t, const Extras &extras) {
  return extras.blocks ? t.b.CreateZExt(t.read(*extras.blocks, 16), t.integer(32)) : t.i32(-1);
}

/// The coordinates in `[map, {x, y}]` as words in memory.
static Value *coordinatesOf(FunctionTranslator &t, const Operand &map) {
  if (map.parts.size() != 1 || map.parts[0].kind != Operand::Kind::Vector)
    return t.fail("a tensor map and coordinates are missing"), t.buffer("coordinates");
  return t.spread("coordinates", map.parts[0]);
}

static int rankOf(const Statement &s) {
  for (StringRef part : s.parts)
    if (part.size() == 2 && part[1] == 'd' && part[0] >= '1' && part[0] <= '5')
      return part[0] - '0';
  return 0;
}

static bool isIm2col(const Statement &s) { return s.has("im2col") || s.has("im2col_no_offs"); }

static StringRef sharedSpaceOf(const Statement &s, bool isTarget) {
  return s.has("shared::cluster") && isTarget ? "shared::cluster" : "shared";
}

/// An mbarrier's copy: the blocks that it is for, in 16 bits, above its bytes, which the execution adds.
static void countCopy(FunctionTranslator &t, Value *mbarrier, Value *blocks) {
  if (t.countsAll)
    t.countEvent(mbarrier, t.b.CreateShl(t.resize(blocks, 64), uint64_t(48)));
}

/// [shared], [map, {coordinates}], [mbarrier] or [map, {coordinates}], [shared].
static void translateTensor(FunctionTranslator &t, const Statement &s) {
  bool loads = s.has("mbarrier::complete_tx::bytes");
  if (s.operands.size() < (loads ? 3u : 2u) || s.has("im2col::w") || s.has("im2col::w::128") ||
      s.has("tile::gather4") || s.has("tile::scatter4") || (s.parts[1] == "reduce" && reductionOf(s) == BulkOp::Copy))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  const Operand &mapOperand = s.operands[loads ? 1 : 0];
  Operand base = mapOperand;
  base.parts.clear();
  Value *map = t.address(base, ""), *coordinates = coordinatesOf(t, mapOperand), *rank = t.i32(rankOf(s)),
        *im2col = t.i32(isIm2col(s));
  if (!loads) {
    t.countEvent(map, t.b.getInt64(0));
    return void(t.collective(
        "dscc_sim_tensor_store", t.b.getVoidTy(),
        {map, rank, im2col, coordinates, t.address(s.operands[1], "shared"), t.i32(int(reductionOf(s))), t.site()}));
  }
  Extras extras = extrasOf(s, 3);
  AllocaInst *offsets = t.buffer("im2col");
  t.b.CreateStore(t.b.getInt64(0), offsets);
  if (extras.offsets)
    for (auto [index, part] : enumerate(extras.offsets->parts))
      t.b.CreateStore(t.read(part, 16), t.b.CreateConstGEP1_64(t.b.getInt16Ty(), offsets, index));
  StringRef space = sharedSpaceOf(s, true);
  Value *mbarrier = t.address(s.operands[2], space), *blocks = blocksOf(t, extras);
  countCopy(t, mbarrier, blocks);
  t.collective("dscc_sim_tensor_load", t.b.getVoidTy(),
               {t.address(s.operands[0], space), map, rank, im2col, coordinates, mbarrier, offsets, blocks, t.site()});
}

/// [to], [from], bytes [, mbarrier].
static void translateLinear(FunctionTranslator &t, const Statement &s) {
  bool toShared = s.has("mbarrier::complete_tx::bytes"), reduces = s.parts[1] == "reduce";
  if (s.operands.size() < (toShared ? 4u : 3u) || s.has("cp_mask"))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  if (reduces && !isLinearReduction(s, toShared))
    return t.fail("the simulator does not know the reduction `" + s.text + "`");
  Value *bytes = t.read(s.operands[2], 32), *op = t.i32(reduces ? int(reductionOf(s)) : int(BulkOp::Copy)),
        *type = t.i32(reduces ? int(*elementOf(s)) : 0);
  if (!toShared) {
    Value *global = t.address(s.operands[0], "global");
    t.countEvent(global, t.b.getInt64(0));
    return void(t.collective("dscc_sim_bulk_store", t.b.getVoidTy(),
                             {global, t.address(s.operands[1], "shared"), bytes, op, type, t.site()}));
  }
  StringRef space = sharedSpaceOf(s, true);
  Value *to = t.address(s.operands[0], space), *mbarrier = t.address(s.operands[3], space);
  if (s.has("global")) {
    Value *blocks = blocksOf(t, extrasOf(s, 4));
    countCopy(t, mbarrier, blocks);
    return void(t.collective("dscc_sim_bulk_load", t.b.getVoidTy(),
                             {to, t.address(s.operands[1], "global"), bytes, mbarrier, blocks, t.site()}));
  }
  countCopy(t, mbarrier, t.i32(-1));
  t.collective("dscc_sim_bulk_send", t.b.getVoidTy(),
               {to, t.address(s.operands[1], "shared"), bytes, mbarrier, op, type, t.site()});
}

/// Does nothing; where it is linear it is looked at.
static void translatePrefetch(FunctionTranslator &t, const Statement &s) {
  if (s.has("tensor"))
    return;
  if (s.operands.size() < 2)
    return t.fail("`" + s.text + "` has too few operands");
  t.call("dscc_sim_bulk_prefetch", t.b.getVoidTy(),
         {t.address(s.operands[0], "global"), t.read(s.operands[1], 32), t.site()});
}

static void translateBulk(FunctionTranslator &t, const Statement &s) {
  if (s.has("commit_group"))
    return void(t.collective("dscc_sim_bulk_commit", t.b.getVoidTy(), {}));
  if (s.has("wait_group"))
    return void(t.collective("dscc_sim_bulk_wait", t.b.getVoidTy(), {t.read(s.operands[0], 32), t.i32(s.has("read"))}));
  if (s.has("prefetch"))
    return translatePrefetch(t, s);
  return s.has("tensor") ? translateTensor(t, s) : translateLinear(t, s);
}

/// cp.async.{ca,cg}.shared.global [to], [from], bytes[, source bytes, or a predicate: true for none][, policy].
static void translateCopy(FunctionTranslator &t, const Statement &s) {
  size_t count = s.operands.size(), last = 3 + s.has("L2::cache_hint");
  if (count < last || count > last + 1)
    return t.fail("`" + s.text + "` has too few operands, or too many");
  const Operand &size = s.operands[2];
  if (size.kind != Operand::Kind::Integer ||
      (size.integer != 16 && (s.has("cg") || (size.integer != 4 && size.integer != 8))))
    return t.fail("the simulator knows `cp.async` of 4, 8 and 16 bytes, with .cg of 16 only");
  Value *bytes = t.read(size, 32), *sourceBytes = bytes;
  if (count > last)
    sourceBytes = t.isPredicate(s.operands[3]) ? t.b.CreateSelect(t.read(s.operands[3], 1), t.i32(0), bytes)
                                               : t.read(s.operands[3], 32);
  Value *to = t.address(s.operands[0], "shared"), *from = t.address(s.operands[1], "global");
  t.countAccess(from, sourceBytes, LoadAccess, "global");
  t.countAccess(to, bytes, StoreAccess, "shared");
  t.call("dscc_sim_copy_async", t.b.getVoidTy(), {to, from, bytes, sourceBytes, t.site()});
}

/// cp.async, its groups, and arrival on an mbarrier.
static void translateCp(FunctionTranslator &t, const Statement &s) {
  if (s.has("bulk"))
    return translateBulk(t, s);
  if (s.parts.size() < 2 || s.parts[1] != "async")
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  if (s.has("mbarrier")) {
    Value *mbarrier = t.address(s.operands[0], "shared");
    t.countEvent(mbarrier, t.b.getInt64(s.has("noinc")));
    return void(t.collective("dscc_sim_track_copies", t.b.getVoidTy(), {mbarrier, t.i32(s.has("noinc")), t.site()}));
  }
  if (s.has("commit_group"))
    return void(t.call("dscc_sim_copy_commit", t.b.getVoidTy(), {}));
  if (s.has("wait_group") || s.has("wait_all")) {
    Value *left = s.has("wait_all") ? t.i32(-1) : t.read(s.operands[0], 32);
    return void(t.call("dscc_sim_copy_wait", t.b.getVoidTy(), {left}));
  }
  translateCopy(t, s);
}

ArrayRef<Instruction> asyncInstructions() {
  static constexpr Instruction rows[] = {{"cp", translateCp}};
  return rows;
}

} // namespace dscc::sim
