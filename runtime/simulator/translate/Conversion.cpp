// cvt, and moves between registers.

#include "runtime/simulator/translate/Translator.h"

#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

/// Rounds to a whole number, in the same type.
static Value *roundWhole(FunctionTranslator &t, const Statement &s, Value *value) {
  static constexpr std::pair<StringLiteral, Intrinsic::ID> modes[] = {
      {"rni", Intrinsic::roundeven}, {"rzi", Intrinsic::trunc}, {"rmi", Intrinsic::floor}, {"rpi", Intrinsic::ceil}};
  for (auto [mode, id] : modes)
    if (s.has(mode))
      return t.b.CreateUnaryIntrinsic(id, value);
  return value;
}

static Value *saturate(FunctionTranslator &t, Value *value) {
  Value *positive = t.b.CreateBinaryIntrinsic(Intrinsic::maxnum, value, ConstantFP::get(value->getType(), 0));
  return t.b.CreateBinaryIntrinsic(Intrinsic::minnum, positive, ConstantFP::get(value->getType(), 1));
}

/// Narrowing of a float; to nearest by the host, other ways by a call.
static Value *narrow(FunctionTranslator &t, const Statement &s, Value *value, PtxType to) {
  Type *target = t.typeOf(PtxType{to.kind, to.bits, false});
  if (!s.has("rz") && !s.has("rm") && !s.has("rp"))
    return t.b.CreateFPTrunc(value, target);
  int mode = s.has("rz") ? 0 : s.has("rm") ? 1 : 2;
  int format = to.kind == PtxType::Kind::Bfloat ? 1 : to.bits == 16 ? 0 : 2; // f16, bf16, f32
  Value *bits = t.call("dscc_sim_narrow", t.integer(32),
                       {t.b.CreateFPExt(value, t.b.getDoubleTy()), t.i32(format), t.i32(mode)});
  return t.b.CreateBitCast(t.resize(bits, to.bits), target);
}

static Value *convertFloat(FunctionTranslator &t, const Statement &s, Value *value, PtxType from, PtxType to) {
  if (from.bits == to.bits && from.kind == to.kind)
    value = roundWhole(t, s, value);
  else if (to.bits > from.bits)
    value = t.b.CreateFPExt(value, t.typeOf(to));
  else if (to.bits < from.bits)
    value = narrow(t, s, value, to);
  else // f16 and bf16
    value = narrow(t, s, t.b.CreateFPExt(value, t.b.getFloatTy()), to);
  if (s.has("relu"))
    value = t.b.CreateBinaryIntrinsic(Intrinsic::maximum, value, ConstantFP::get(value->getType(), 0));
  return s.has("sat") ? saturate(t, value) : value;
}

/// Two floats to a pair: the first operand becomes the upper half.
static void translatePairConversion(FunctionTranslator &t, const Statement &s, PtxType from, PtxType to) {
  PtxType lane{to.kind, to.bits, false};
  Value *upper = convertFloat(t, s, t.read(s.operands[1], from), from, lane);
  Value *lower = convertFloat(t, s, t.read(s.operands[2], from), from, lane);
  Value *pair = t.b.CreateInsertElement(PoisonValue::get(t.typeOf(to)), lower, uint64_t(0));
  t.write(s.operands[0], t.b.CreateInsertElement(pair, upper, uint64_t(1)));
}

/// float8 pairs, as `e4m3x2` and `e5m2x2`: by calls.
static bool translateFloat8(FunctionTranslator &t, const Statement &s) {
  StringRef from = s.parts.back(), to = s.parts[s.parts.size() - 2];
  auto formatOf = [](StringRef name) { return name == "e4m3x2" ? 0 : name == "e5m2x2" ? 1 : -1; };
  if (int format = formatOf(to); format >= 0) {
    bool isPair = from == "f16x2";
    Value *upper, *lower;
    if (isPair) {
      Value *pair = t.read(s.operands[1], PtxType{PtxType::Kind::Float, 16, true});
      upper = t.b.CreateFPExt(t.b.CreateExtractElement(pair, uint64_t(1)), t.b.getFloatTy());
      lower = t.b.CreateFPExt(t.b.CreateExtractElement(pair, uint64_t(0)), t.b.getFloatTy());
    } else {
      upper = t.read(s.operands[1], PtxType{PtxType::Kind::Float, 32, false});
      lower = t.read(s.operands[2], PtxType{PtxType::Kind::Float, 32, false});
    }
    t.write(s.operands[0], t.resize(t.call("dscc_sim_to_float8", t.integer(32),
                                           {upper, lower, t.i32(format), t.i32(s.has("relu"))}), 16));
    return true;
  }
  if (int format = formatOf(from); format >= 0) {
    t.write(s.operands[0], t.call("dscc_sim_from_float8", t.integer(32),
                                  {t.resize(t.read(s.operands[1], 16), 32), t.i32(format), t.i32(s.has("relu"))}));
    return true;
  }
  return false;
}

/// f32 to tf32: the mantissa keeps 10 bits, rounded to nearest, ties away.
static void translateTf32(FunctionTranslator &t, const Statement &s) {
  Value *word = t.read(s.operands[1], 32);
  Value *half = t.b.CreateAdd(word, t.b.getInt32(0x1000));
  Value *isFinite = t.b.CreateICmpULT(t.b.CreateAnd(word, t.b.getInt32(0x7fffffff)), t.b.getInt32(0x7f800000));
  t.write(s.operands[0], t.b.CreateAnd(t.b.CreateSelect(isFinite, half, word), t.b.getInt32(~0x1fffu)));
}

/// cvt.pack.sat.TYPE.s32[.b32] d, a, b[, c]: a above b, each clamped to TYPE, above them the lower part of c.
static void translatePack(FunctionTranslator &t, const Statement &s) {
  StringRef name = s.parts.size() > 3 ? s.parts[3] : "";
  bool isSigned = name.consume_front("s");
  unsigned bits = 0;
  if ((!isSigned && !name.consume_front("u")) || name.getAsInteger(10, bits) || bits < 2 || bits > 16 || s.operands.size() < 3 ||
      (s.operands.size() == 3) != (bits == 16))
    return t.fail("`" + s.text + "` is not known");
  Value *least = t.i32(isSigned ? -(int64_t(1) << (bits - 1)) : 0);
  Value *most = t.i32((int64_t(1) << (isSigned ? bits - 1 : bits)) - 1);
  auto clamped = [&](const Operand &operand) {
    Value *value = t.b.CreateBinaryIntrinsic(Intrinsic::smax, t.read(operand, 32), least);
    value = t.b.CreateBinaryIntrinsic(Intrinsic::smin, value, most);
    return t.b.CreateAnd(value, (uint64_t(1) << bits) - 1);
  };
  Value *pair = t.b.CreateOr(t.b.CreateShl(clamped(s.operands[1]), uint64_t(bits)), clamped(s.operands[2]));
  if (bits < 16)
    pair = t.b.CreateOr(pair, t.b.CreateShl(t.read(s.operands[3], 32), uint64_t(2 * bits)));
  t.write(s.operands[0], pair);
}

static void translateCvt(FunctionTranslator &t, const Statement &s) {
  if (s.parts.size() < 3 || s.operands.size() < 2)
    return t.fail("`" + s.text + "` is not known");
  if (s.has("pack"))
    return translatePack(t, s);
  if (s.parts[s.parts.size() - 2] == "tf32")
    return translateTf32(t, s);
  if (translateFloat8(t, s))
    return;
  std::optional<PtxType> from = parseType(s.parts.back()), to = parseType(s.parts[s.parts.size() - 2]);
  if (!from || !to)
    return t.fail("`" + s.text + "` is not known");
  if (to->isPair && s.operands.size() == 3)
    return translatePairConversion(t, s, *from, *to);
  Value *value = t.read(s.operands[1], *from);
  if (from->isFloat() && to->isFloat())
    return t.write(s.operands[0], convertFloat(t, s, value, *from, *to));
  if (from->isFloat()) { // out of range saturates, NaN becomes 0
    Intrinsic::ID id = to->isSigned() ? Intrinsic::fptosi_sat : Intrinsic::fptoui_sat;
    value = roundWhole(t, s, value);
    return t.write(s.operands[0], t.b.CreateIntrinsic(id, {t.integer(to->bits), value->getType()}, {value}), to->isSigned());
  }
  if (to->isFloat()) {
    // A bfloat by way of f32 would round twice for wide integers; f64 holds those of 32 bits.
    Value *wide = value;
    bool isWide = to->kind == PtxType::Kind::Bfloat || s.has("rz") || s.has("rm") || s.has("rp");
    Type *target = isWide ? t.b.getDoubleTy() : t.typeOf(*to);
    wide = from->isSigned() ? t.b.CreateSIToFP(value, target) : t.b.CreateUIToFP(value, target);
    return t.write(s.operands[0], isWide ? narrow(t, s, wide, *to) : wide);
  }
  if (s.has("sat")) {
    value = t.call("dscc_sim_saturate", t.integer(64),
                   {t.resize(value, 64, from->isSigned()), t.i32(from->isSigned()), t.i32(to->bits), t.i32(to->isSigned())});
    return t.write(s.operands[0], t.resize(value, to->bits), to->isSigned());
  }
  t.write(s.operands[0], t.resize(value, to->bits, from->isSigned()), to->isSigned());
}

static void translateMov(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`mov` takes 2 operands");
  t.write(s.operands[0], t.read(s.operands[1], t.typeOf(s).width()));
}

/// cvta moves between a state space's addresses and generic ones; only .shared has addresses of its own here.
static void translateCvta(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`cvta` takes 2 operands");
  Value *value = t.read(s.operands[1], 64);
  bool isShared = any_of(s.parts, [](StringRef part) { return part.starts_with("shared"); });
  if (isShared) {
    Value *base = t.b.CreatePtrToInt(t.sharedBase(), t.integer(64));
    value = s.has("to") ? t.b.CreateSub(value, base) : t.b.CreateAdd(base, t.b.CreateAnd(value, 0xffffff));
  }
  t.write(s.operands[0], value);
}

ArrayRef<Instruction> conversionInstructions() {
  static constexpr Instruction rows[] = {{"cvt", translateCvt}, {"mov", translateMov}, {"cvta", translateCvta}};
  return rows;
}

} // namespace dscc::sim
