// cvt, and moves between registers.

#include "tools/simulator/translate/Floats.h"

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

/// How APFloat's formats and roundings are numbered in the calls of Scalars.cpp.
static int formatOf(PtxType type) {
  return type.kind == PtxType::Kind::Bfloat ? 1 : type.bits == 16 ? 0 : type.bits == 32 ? 2 : 3;
}
static int roundingOf(const Statement &s) { return s.has("rz") ? 0 : s.has("rm") ? 1 : s.has("rp") ? 2 : 3; }
static constexpr int toNearest = 3;

/// Narrowing of a float; to nearest by the host, other ways by a call.
static Value *narrow(FunctionTranslator &t, const Statement &s, Value *value, PtxType to) {
  int mode = roundingOf(s);
  if (mode == toNearest)
    return Floats(t).roundToNearest(value, to);
  Value *bits = t.call("dscc_sim_narrow", t.integer(32),
                       {t.b.CreateFPExt(value, t.b.getDoubleTy()), t.i32(formatOf(to)), t.i32(mode)});
  return t.b.CreateBitCast(t.resize(bits, to.bits), t.typeOf(to));
}

/// What the modifiers ask of a result.
static Value *finish(FunctionTranslator &t, const Statement &s, Value *value) {
  Floats floats(t);
  if (s.has("ftz") && value->getType()->isFloatTy())
    value = floats.flush(value);
  if (s.has("satfinite"))
    value = floats.clampInfinity(value);
  if (s.has("relu"))
    value = floats.clampNegative(value);
  return s.has("sat") ? floats.saturate(value) : value;
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
  return finish(t, s, value);
}

/// A float operand; with .ftz subnormals of f32 are zeros.
static Value *readFloat(FunctionTranslator &t, const Statement &s, size_t index, PtxType from) {
  Value *value = t.read(s.operands[index], from);
  return s.has("ftz") && value->getType()->isFloatTy() ? Floats(t).flush(value) : value;
}

/// What is out of range saturates. NaN becomes 0, where neither side has 64 bits; else only the highest bit is set.
static Value *convertToInteger(FunctionTranslator &t, const Statement &s, Value *value, PtxType from, PtxType to) {
  // Of a bf16 there is no rounding to whole numbers on the host.
  value = roundWhole(t, s, from.bits == 16 ? Floats(t).widen(value) : value);
  Intrinsic::ID id = to.isSigned() ? Intrinsic::fptosi_sat : Intrinsic::fptoui_sat;
  Value *result = t.b.CreateIntrinsic(id, {t.integer(to.bits), value->getType()}, {value});
  if (from.bits != 64 && to.bits != 64)
    return result;
  return t.b.CreateSelect(t.b.CreateFCmpUNO(value, value), ConstantInt::get(t.context, APInt::getSignMask(to.bits)),
                          result);
}

static Value *convertFromInteger(FunctionTranslator &t, const Statement &s, Value *value, PtxType from, PtxType to) {
  int mode = roundingOf(s);
  Type *target = t.typeOf(to);
  if (mode == toNearest && to.kind != PtxType::Kind::Bfloat)
    value = from.isSigned() ? t.b.CreateSIToFP(value, target) : t.b.CreateUIToFP(value, target);
  else
    value = t.b.CreateBitCast(t.resize(t.call("dscc_sim_round_integer", t.integer(64),
                                              {t.resize(value, 64, from.isSigned()), t.i32(from.isSigned()),
                                               t.i32(formatOf(to)), t.i32(mode)}),
                                       to.bits),
                              target);
  return finish(t, s, value);
}

/// Two floats to a pair: the first operand becomes the upper half.
static void translatePairConversion(FunctionTranslator &t, const Statement &s, PtxType from, PtxType to) {
  PtxType lane{to.kind, to.bits, false};
  Value *upper = convertFloat(t, s, readFloat(t, s, 1, from), from, lane);
  Value *lower = convertFloat(t, s, readFloat(t, s, 2, from), from, lane);
  Value *pair = t.b.CreateInsertElement(PoisonValue::get(t.typeOf(to)), lower, uint64_t(0));
  t.write(s.operands[0], t.b.CreateInsertElement(pair, upper, uint64_t(1)));
}

/// float8 pairs, as `e4m3x2` and `e5m2x2`: by calls.
static bool translateFloat8(FunctionTranslator &t, const Statement &s) {
  StringRef from = s.parts.back(), to = s.parts[s.parts.size() - 2];
  auto formatOf = [](StringRef name) { return name == "e4m3x2" ? 0 : name == "e5m2x2" ? 1 : -1; };
  if (int format = formatOf(to); format >= 0) {
    bool isPair = from == "f16x2";
    if (s.operands.size() != (isPair ? 2u : 3u) || (!isPair && from != "f32"))
      return t.fail("`" + s.text + "` is not known with such operands"), true;
    Value *upper, *lower;
    if (isPair) {
      Value *pair = t.read(s.operands[1], PtxType{PtxType::Kind::Float, 16, true});
      upper = t.b.CreateFPExt(t.b.CreateExtractElement(pair, uint64_t(1)), t.b.getFloatTy());
      lower = t.b.CreateFPExt(t.b.CreateExtractElement(pair, uint64_t(0)), t.b.getFloatTy());
    } else {
      upper = t.read(s.operands[1], PtxType{PtxType::Kind::Float, 32, false});
      lower = t.read(s.operands[2], PtxType{PtxType::Kind::Float, 32, false});
    }
    t.write(
        s.operands[0],
        t.resize(t.call("dscc_sim_to_float8", t.integer(32), {upper, lower, t.i32(format), t.i32(s.has("relu"))}), 16));
    return true;
  }
  if (int format = formatOf(from); format >= 0) {
    t.write(s.operands[0], t.call("dscc_sim_from_float8", t.integer(32),
                                  {t.resize(t.read(s.operands[1], 16), 32), t.i32(format), t.i32(s.has("relu"))}));
    return true;
  }
  return false;
}

/// f32 to tf32: the mantissa keeps 10 bits.
static void translateTf32(FunctionTranslator &t, const Statement &s) {
  IRBuilder<> &b = t.b;
  Value *word = t.read(s.operands[1], 32), *rounded = word;
  if (s.has("rna"))
    rounded = b.CreateAdd(word, b.getInt32(0x1000));
  else if (s.has("rn"))
    rounded = b.CreateAdd(word, b.CreateAdd(b.getInt32(0xfff), b.CreateAnd(b.CreateLShr(word, uint64_t(13)), 1)));
  rounded = b.CreateAnd(rounded, b.getInt32(~0x1fffu));
  Value *isNegative = b.CreateICmpSLT(word, b.getInt32(0));
  if (s.has("satfinite")) {
    Value *isInfinite = b.CreateICmpEQ(b.CreateAnd(rounded, b.getInt32(0x7fffffff)), b.getInt32(0x7f800000));
    Value *largest = b.CreateSelect(isNegative, b.getInt32(0xff7fe000), b.getInt32(0x7f7fe000));
    rounded = b.CreateSelect(isInfinite, largest, rounded);
  }
  if (s.has("relu"))
    rounded = b.CreateSelect(isNegative, b.getInt32(0), rounded);
  Value *isNan = b.CreateICmpUGT(b.CreateAnd(word, b.getInt32(0x7fffffff)), b.getInt32(0x7f800000));
  t.write(s.operands[0], b.CreateSelect(isNan, b.getInt32(0x7fffffff), rounded));
}

/// cvt.pack.sat.TYPE.s32[.b32] d, a, b[, c]: a above b, each clamped to TYPE, above them the lower part of c.
static void translatePack(FunctionTranslator &t, const Statement &s) {
  StringRef name = s.parts.size() > 3 ? s.parts[3] : "";
  bool isSigned = name.consume_front("s");
  unsigned bits = 0;
  if ((!isSigned && !name.consume_front("u")) || name.getAsInteger(10, bits) || bits < 2 || bits > 16 ||
      s.operands.size() < 3 || (s.operands.size() == 3) != (bits == 16))
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
  if (from->isFloat()) {
    Value *value = readFloat(t, s, 1, *from);
    return to->isFloat() ? t.write(s.operands[0], convertFloat(t, s, value, *from, *to))
                         : t.write(s.operands[0], convertToInteger(t, s, value, *from, *to), to->isSigned());
  }
  Value *value = t.read(s.operands[1], *from);
  if (to->isFloat())
    return t.write(s.operands[0], convertFromInteger(t, s, value, *from, *to));
  if (s.has("sat")) {
    value = t.call(
        "dscc_sim_saturate", t.integer(64),
        {t.resize(value, 64, from->isSigned()), t.i32(from->isSigned()), t.i32(to->bits), t.i32(to->isSigned())});
    return t.write(s.operands[0], t.resize(value, to->bits), to->isSigned());
  }
  t.write(s.operands[0], t.resize(value, to->bits, from->isSigned()), to->isSigned());
}

static void translateMov(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`mov` takes 2 operands");
  if (unsigned lanes = s.has("v2") ? 2 : s.has("v4") ? 4 : 0) {
    ArrayRef<Operand> to = s.operands[0].parts, from = s.operands[1].parts;
    if (to.size() != lanes || from.size() != lanes)
      return t.fail("`" + s.text + "` takes vectors of " + Twine(lanes) + " parts");
    SmallVector<Value *> values; // all are read first
    for (const Operand &part : from)
      values.push_back(t.read(part, t.typeOf(s).width()));
    for (auto [part, value] : zip(to, values))
      t.write(part, value);
    return;
  }
  t.write(s.operands[0], t.read(s.operands[1], t.typeOf(s).width()));
}

/// cvta moves between a state space's addresses and generic ones; only .shared has addresses of its own here.
static void translateCvta(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`cvta` takes 2 operands");
  Value *value = t.read(s.operands[1], 64);
  if (s.has("shared::cluster")) { // of any block of the cluster
    value = s.has("to")
                ? t.call("dscc_sim_cluster_offset", t.integer(64), {value, t.site()})
                : t.b.CreatePtrToInt(t.call("dscc_sim_cluster_address", t.pointer(), {value, t.site()}), t.integer(64));
    return t.write(s.operands[0], value);
  }
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
