// Logic, shifts, bit fields, permutations.

#include "tools/simulator/translate/Translator.h"

#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

enum class Shift { Left, Logical, Arithmetic };

/// PTX shifts by as much as is said: all bits go if that is the width or more.
static Value *shift(FunctionTranslator &t, Value *value, Value *count, Shift kind) {
  unsigned bits = value->getType()->getIntegerBitWidth();
  Value *isAll = t.b.CreateICmpUGE(count, t.b.getInt32(bits));
  Value *within = t.resize(t.b.CreateAnd(count, t.b.getInt32(bits - 1)), bits);
  Value *rest =
      kind == Shift::Arithmetic ? t.b.CreateAShr(value, uint64_t(bits - 1)) : ConstantInt::get(value->getType(), 0);
  Value *shifted = kind == Shift::Left      ? t.b.CreateShl(value, within)
                   : kind == Shift::Logical ? t.b.CreateLShr(value, within)
                                            : t.b.CreateAShr(value, within);
  return t.b.CreateSelect(isAll, rest, shifted);
}

static bool hasOperands(FunctionTranslator &t, const Statement &s, size_t count) {
  if (s.operands.size() >= count)
    return true;
  t.fail("`" + s.text + "` has too few operands");
  return false;
}

static void translateLogic(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 3))
    return;
  unsigned bits = t.typeOf(s).bits;
  Value *x = t.read(s.operands[1], bits), *y = t.read(s.operands[2], bits);
  StringRef op = s.parts[0];
  t.write(s.operands[0], op == "and" ? t.b.CreateAnd(x, y) : op == "or" ? t.b.CreateOr(x, y) : t.b.CreateXor(x, y));
}

static void translateNot(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 2))
    return;
  unsigned bits = t.typeOf(s).bits;
  Value *x = t.read(s.operands[1], bits);
  t.write(s.operands[0], s.parts[0] == "not" ? t.b.CreateNot(x)
                                             : t.resize(t.b.CreateICmpEQ(x, ConstantInt::get(x->getType(), 0)), bits));
}

/// lop3: the truth table of three inputs as a byte.
static void translateLop3(FunctionTranslator &t, const Statement &s) {
  // .and and .or: d|p, a, b, c, table, q: p = (d != 0) and q.
  bool joins = s.has("and") || s.has("or");
  if (!hasOperands(t, s, joins ? 6 : 5) || s.operands[4].kind != Operand::Kind::Integer)
    return t.fail("`lop3` takes its table as a number");
  Value *x = t.read(s.operands[1], 32), *y = t.read(s.operands[2], 32), *z = t.read(s.operands[3], 32);
  Value *result = t.b.getInt32(0);
  for (unsigned row = 0; row < 8; ++row)
    if (s.operands[4].integer >> row & 1) {
      auto pick = [&](Value *value, unsigned bit) { return row >> bit & 1 ? value : t.b.CreateNot(value); };
      result = t.b.CreateOr(result, t.b.CreateAnd(t.b.CreateAnd(pick(x, 2), pick(y, 1)), pick(z, 0)));
    }
  if (joins) {
    Value *isSet = t.b.CreateICmpNE(result, t.b.getInt32(0)), *other = t.read(s.operands[5], 1);
    t.writePredicate(s.operands[0].second, s.has("and") ? t.b.CreateAnd(isSet, other) : t.b.CreateOr(isSet, other));
  }
  t.write(s.operands[0], result);
}

static void translateShift(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 3))
    return;
  PtxType type = t.typeOf(s);
  Shift kind = s.parts[0] == "shl" ? Shift::Left : type.isSigned() ? Shift::Arithmetic : Shift::Logical;
  t.write(s.operands[0], shift(t, t.read(s.operands[1], type.bits), t.read(s.operands[2], 32), kind));
}

/// shf.l, shf.r: 32 bits of a 64-bit pair.
static void translateFunnel(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 4))
    return;
  Value *count = t.read(s.operands[3], 32);
  if (s.has("clamp"))
    count = t.b.CreateBinaryIntrinsic(Intrinsic::umin, count, t.b.getInt32(32));
  else
    count = t.b.CreateAnd(count, t.b.getInt32(31));
  Value *low = t.resize(t.read(s.operands[1], 32), 64), *high = t.resize(t.read(s.operands[2], 32), 64);
  Value *pair = t.b.CreateOr(t.b.CreateShl(high, uint64_t(32)), low), *wide = t.resize(count, 64);
  t.write(s.operands[0], s.has("l")
                             ? t.b.CreateTrunc(t.b.CreateLShr(t.b.CreateShl(pair, wide), uint64_t(32)), t.integer(32))
                             : t.b.CreateTrunc(t.b.CreateLShr(pair, wide), t.integer(32)));
}

static void translateExtract(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 4))
    return;
  PtxType type = t.typeOf(s);
  Value *value = t.read(s.operands[1], type.bits);
  Value *from = t.b.CreateAnd(t.read(s.operands[2], 32), t.b.getInt32(255));
  Value *length = t.b.CreateAnd(t.read(s.operands[3], 32), t.b.getInt32(255));
  t.write(s.operands[0], t.resize(t.call(type.isSigned() ? "dscc_sim_bfe_s" : "dscc_sim_bfe_u", t.integer(64),
                                         {t.resize(value, 64, type.isSigned()), from, length, t.i32(type.bits)}),
                                  type.bits));
}

static Value *maskOf(FunctionTranslator &t, Value *length, unsigned bits) {
  Value *one = ConstantInt::get(t.integer(bits), 1);
  return t.b.CreateSub(shift(t, one, length, Shift::Left), one);
}

static void translateInsert(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 5))
    return;
  unsigned bits = t.typeOf(s).bits;
  Value *field = t.read(s.operands[1], bits), *base = t.read(s.operands[2], bits);
  Value *from = t.b.CreateAnd(t.read(s.operands[3], 32), t.b.getInt32(255));
  Value *length = t.b.CreateAnd(t.read(s.operands[4], 32), t.b.getInt32(255));
  Value *mask = shift(t, maskOf(t, length, bits), from, Shift::Left);
  t.write(s.operands[0], t.b.CreateOr(t.b.CreateAnd(shift(t, field, from, Shift::Left), mask),
                                      t.b.CreateAnd(base, t.b.CreateNot(mask))));
}

static void translatePermute(FunctionTranslator &t, const Statement &s) {
  static constexpr std::pair<StringLiteral, int> modes[] = {{"f4e", 1}, {"b4e", 2}, {"rc8", 3},
                                                            {"ecl", 4}, {"ecr", 5}, {"rc16", 6}};
  if (!hasOperands(t, s, 4))
    return;
  int mode = 0;
  for (auto [name, number] : modes)
    mode = s.has(name) ? number : mode;
  t.write(s.operands[0],
          t.call("dscc_sim_prmt", t.integer(32),
                 {t.read(s.operands[1], 32), t.read(s.operands[2], 32), t.read(s.operands[3], 32), t.i32(mode)}));
}

static void translateCount(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 2))
    return;
  unsigned bits = t.typeOf(s).bits;
  Value *x = t.read(s.operands[1], bits);
  if (s.parts[0] == "brev")
    return t.write(s.operands[0], t.b.CreateUnaryIntrinsic(Intrinsic::bitreverse, x));
  Value *count = s.parts[0] == "popc" ? t.b.CreateUnaryIntrinsic(Intrinsic::ctpop, x)
                                      : t.b.CreateIntrinsic(Intrinsic::ctlz, {x->getType()}, {x, t.b.getFalse()});
  t.write(s.operands[0], t.resize(count, 32));
}

/// bfind: the place of the highest bit that differs from the sign, or all ones.
static void translateFind(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 2))
    return;
  PtxType type = t.typeOf(s);
  Value *x = t.read(s.operands[1], type.bits);
  if (type.isSigned())
    x = t.b.CreateXor(x, t.b.CreateAShr(x, uint64_t(type.bits - 1)));
  Value *zeros = t.resize(t.b.CreateIntrinsic(Intrinsic::ctlz, {x->getType()}, {x, t.b.getFalse()}), 32);
  Value *place = s.has("shiftamt") ? zeros : t.b.CreateSub(t.b.getInt32(type.bits - 1), zeros);
  t.write(s.operands[0],
          t.b.CreateSelect(t.b.CreateICmpEQ(x, ConstantInt::get(x->getType(), 0)), t.b.getInt32(~0u), place));
}

static void translateMask(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 3))
    return;
  Value *from = t.read(s.operands[1], 32), *length = t.read(s.operands[2], 32);
  if (s.has("wrap"))
    from = t.b.CreateAnd(from, t.b.getInt32(31)), length = t.b.CreateAnd(length, t.b.getInt32(31));
  t.write(s.operands[0], shift(t, maskOf(t, length, 32), from, Shift::Left));
}

/// szext: the lowest `length` bits as a number of 32.
static void translateExtend(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 3))
    return;
  Value *length = t.read(s.operands[2], 32);
  if (s.has("wrap"))
    length = t.b.CreateAnd(length, t.b.getInt32(31));
  Value *spare = t.b.CreateSub(t.b.getInt32(32), t.b.CreateBinaryIntrinsic(Intrinsic::umin, length, t.b.getInt32(32)));
  Value *raised = shift(t, t.read(s.operands[1], 32), spare, Shift::Left);
  Value *extended = shift(t, raised, spare, t.typeOf(s).isSigned() ? Shift::Arithmetic : Shift::Logical);
  Value *isNothing = t.b.CreateICmpEQ(length, t.b.getInt32(0));
  t.write(s.operands[0], t.b.CreateSelect(isNothing, t.b.getInt32(0), extended));
}

/// fns: the place of the n-th set bit from `base` on.
static void translateFindNth(FunctionTranslator &t, const Statement &s) {
  if (!hasOperands(t, s, 4))
    return;
  t.write(s.operands[0], t.call("dscc_sim_fns", t.integer(32),
                                {t.read(s.operands[1], 32), t.read(s.operands[2], 32), t.read(s.operands[3], 32)}));
}

ArrayRef<Instruction> bitInstructions() {
  static constexpr Instruction rows[] = {
      {"and", translateLogic},  {"or", translateLogic},     {"xor", translateLogic},   {"not", translateNot},
      {"cnot", translateNot},   {"lop3", translateLop3},    {"shl", translateShift},   {"shr", translateShift},
      {"shf", translateFunnel}, {"bfe", translateExtract},  {"bfi", translateInsert},  {"prmt", translatePermute},
      {"popc", translateCount}, {"clz", translateCount},    {"brev", translateCount},  {"bfind", translateFind},
      {"bmsk", translateMask},  {"szext", translateExtend}, {"fns", translateFindNth},
  };
  return rows;
}

} // namespace dscc::sim
