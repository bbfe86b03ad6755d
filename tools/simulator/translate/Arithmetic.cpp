// Integer and floating point arithmetic, comparisons, selections.

#include "tools/simulator/translate/Floats.h"

#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

static Value *unary(FunctionTranslator &t, Intrinsic::ID id, Value *value) {
  return t.b.CreateUnaryIntrinsic(id, value);
}
static Value *binary(FunctionTranslator &t, Intrinsic::ID id, Value *x, Value *y) {
  return t.b.CreateBinaryIntrinsic(id, x, y);
}

/// `.ftz` keeps subnormals out: as operands and as results they are zeros of their sign.
static Value *flush(FunctionTranslator &t, const Statement &s, Value *value) {
  return s.has("ftz") ? Floats(t).flush(value) : value;
}

static Value *finish(FunctionTranslator &t, const Statement &s, Value *value) {
  value = flush(t, s, value);
  if (s.has("relu"))
    value = Floats(t).clampNegative(value);
  return s.has("sat") ? Floats(t).saturate(value) : value;
}

static Value *operand(FunctionTranslator &t, const Statement &s, size_t index, PtxType type) {
  if (index >= s.operands.size()) {
    t.fail("`" + s.text + "` has too few operands");
    return PoisonValue::get(type.isFloat() ? t.typeOf(type) : t.integer(type.width()));
  }
  Value *value = t.read(s.operands[index], type);
  return type.isFloat() ? flush(t, s, value) : value;
}

/// Rounding other than to nearest: computed by a call, for f32 and f64.
static Value *rounded(FunctionTranslator &t, const Statement &s, StringRef what, ArrayRef<Value *> values) {
  static constexpr std::pair<StringLiteral, int> modes[] = {{"rz", 0}, {"rm", 1}, {"rp", 2}};
  Type *type = values[0]->getType();
  for (auto [mode, number] : modes) {
    if (!s.has(mode) || !(type->isFloatTy() || type->isDoubleTy()))
      continue;
    SmallVector<Value *> arguments(values);
    while (arguments.size() < 3)
      arguments.push_back(ConstantFP::get(type, 0));
    arguments.push_back(t.i32(number));
    return t.call(("dscc_sim_" + what + (type->isFloatTy() ? "_f32" : "_f64")).str(), type, arguments);
  }
  return nullptr;
}

/// min and max: of a number and NaN the number, but with .NaN NaN; with .xorsign.abs of magnitudes, signed as a
/// product.
static Value *extremum(FunctionTranslator &t, const Statement &s, Value *x, Value *y) {
  bool isMin = s.parts[0] == "min", isXor = s.has("xorsign");
  Value *sign = y;
  if (isXor) {
    Type *type = x->getType();
    Value *product = binary(t, Intrinsic::copysign, ConstantFP::get(type, 1), x);
    sign = t.b.CreateSelect(t.b.CreateFCmpOLT(product, ConstantFP::get(type, 0)), t.b.CreateFNeg(y), y);
    x = unary(t, Intrinsic::fabs, x), y = unary(t, Intrinsic::fabs, y);
  }
  Intrinsic::ID id = s.has("NaN") ? (isMin ? Intrinsic::minimum : Intrinsic::maximum)
                                  : (isMin ? Intrinsic::minimumnum : Intrinsic::maximumnum);
  Value *result = binary(t, id, x, y);
  if (isXor)
    result = binary(t, Intrinsic::copysign, result, sign);
  return Floats(t).canonicalize(result);
}

/// div.approx of a divisor beyond 2^126: 0, or NaN of an infinite dividend, as the manual says. Else exact.
static Value *divideApproximately(FunctionTranslator &t, Value *x, Value *y) {
  Type *type = x->getType();
  Value *magnitude = unary(t, Intrinsic::fabs, y), *quotient = t.b.CreateFDiv(x, y);
  Value *isLarge = t.b.CreateFCmpOGT(magnitude, ConstantFP::get(type, 0x1p126));
  isLarge = t.b.CreateAnd(isLarge, t.b.CreateFCmpONE(magnitude, ConstantFP::getInfinity(type)));
  Value *isFinite = t.b.CreateFCmpONE(unary(t, Intrinsic::fabs, x), ConstantFP::getInfinity(type));
  Value *zero = binary(t, Intrinsic::copysign, ConstantFP::get(type, 0), quotient);
  Value *special = t.b.CreateSelect(isFinite, zero, ConstantFP::getNaN(type));
  return t.b.CreateSelect(isLarge, special, quotient);
}

static Value *computePair(FunctionTranslator &t, const Statement &s, Value *x, Value *y) {
  StringRef op = s.parts[0];
  if (Value *result = rounded(t, s, op, {x, y}))
    return result;
  if (op == "div" && s.has("approx"))
    return divideApproximately(t, x, y);
  return op == "add"   ? t.b.CreateFAdd(x, y)
         : op == "sub" ? t.b.CreateFSub(x, y)
         : op == "mul" ? t.b.CreateFMul(x, y)
         : op == "div" ? t.b.CreateFDiv(x, y)
                       : extremum(t, s, x, y);
}

static void translateFloatPair(FunctionTranslator &t, const Statement &s, PtxType type) {
  Value *x = operand(t, s, 1, type), *y = operand(t, s, 2, type);
  if (type.bits != 16)
    return t.write(s.operands[0], finish(t, s, computePair(t, s, x, y)));
  // f32 has more than twice the mantissa, so that rounding again does no harm; but products of bf16 may be below its
  // range.
  Floats floats(t);
  bool isBfloatProduct = type.kind == PtxType::Kind::Bfloat && s.parts[0] == "mul";
  Value *result = computePair(t, s, floats.widen(x, isBfloatProduct), floats.widen(y, isBfloatProduct));
  t.write(s.operands[0], finish(t, s, floats.roundToNearest(result, type)));
}

/// .hi.sat.s32 alone saturates.
static Value *addProduct(FunctionTranslator &t, const Statement &s, Value *product, Value *addend) {
  if (s.has("sat") && !(s.has("hi") && s.has("s32")))
    t.fail("`" + s.text + "`: only `.hi.s32` saturates");
  return s.has("sat") ? binary(t, Intrinsic::sadd_sat, product, addend) : t.b.CreateAdd(product, addend);
}

static void translateMultiply(FunctionTranslator &t, const Statement &s, PtxType type) {
  unsigned bits = type.bits;
  Value *x = operand(t, s, 1, type), *y = operand(t, s, 2, type), *result;
  auto wide = [&](Value *value) { return t.resize(value, 2 * bits, type.isSigned()); };
  bool isSum = s.parts[0] == "mad";
  if (s.has("wide")) {
    result = t.b.CreateMul(wide(x), wide(y));
    bits *= 2;
  } else if (s.has("hi")) {
    result = t.b.CreateTrunc(t.b.CreateLShr(t.b.CreateMul(wide(x), wide(y)), uint64_t(bits)), t.integer(bits));
  } else {
    result = t.b.CreateMul(x, y);
  }
  if (isSum) {
    PtxType sum = type;
    sum.bits = bits;
    result = addProduct(t, s, result, operand(t, s, 3, sum));
  }
  t.write(s.operands[0], result);
}

/// mul24, mad24: of the lower 24 bits; .hi is the upper 32 of their product's 48.
static void translateMultiply24(FunctionTranslator &t, const Statement &s) {
  PtxType type = t.typeOf(s);
  bool isSum = s.parts[0] == "mad24";
  if (s.operands.size() != (isSum ? 4u : 3u) || type.bits != 32)
    return t.fail("`" + s.text + "` is not known");
  auto part = [&](size_t index) {
    Value *low = t.b.CreateTrunc(t.read(s.operands[index], 32), t.integer(24));
    return type.isSigned() ? t.b.CreateSExt(low, t.integer(64)) : t.b.CreateZExt(low, t.integer(64));
  };
  Value *product = t.b.CreateMul(part(1), part(2));
  Value *result = t.b.CreateTrunc(s.has("hi") ? t.b.CreateLShr(product, uint64_t(16)) : product, t.integer(32));
  t.write(s.operands[0], isSum ? addProduct(t, s, result, t.read(s.operands[3], 32)) : result);
}

static void translatePair(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 3)
    return t.fail("the simulator knows `" + s.text + "` of 3 operands only");
  if (s.has("cc"))
    return translateCarry(t, s);
  PtxType type = t.typeOf(s);
  StringRef op = s.parts[0];
  if (type.isFloat())
    return translateFloatPair(t, s, type);
  if (op == "mul")
    return translateMultiply(t, s, type);
  Value *x = operand(t, s, 1, type), *y = operand(t, s, 2, type), *result;
  bool isSigned = type.isSigned();
  if (type.isPair) {
    auto lanes = FixedVectorType::get(t.integer(type.bits), 2);
    x = t.b.CreateBitCast(x, lanes), y = t.b.CreateBitCast(y, lanes);
  }
  if (op == "add" && s.has("sat"))
    result = binary(t, Intrinsic::sadd_sat, x, y);
  else if (op == "sub" && s.has("sat"))
    result = binary(t, Intrinsic::ssub_sat, x, y);
  else if (op == "add")
    result = t.b.CreateAdd(x, y);
  else if (op == "sub")
    result = t.b.CreateSub(x, y);
  else if (op == "min")
    result = binary(t, isSigned ? Intrinsic::smin : Intrinsic::umin, x, y);
  else if (op == "max")
    result = binary(t, isSigned ? Intrinsic::smax : Intrinsic::umax, x, y);
  else // A division by zero traps on the host and gives some number on the GPU.
    result = t.call(("dscc_sim_" + op + (isSigned ? "_s" : "_u")).str(), t.integer(64),
                    {t.resize(x, 64, isSigned), t.resize(y, 64, isSigned), t.i32(type.bits)});
  if (op == "div" || op == "rem")
    result = t.resize(result, type.bits);
  if (s.has("relu"))
    result = binary(t, Intrinsic::smax, result, Constant::getNullValue(result->getType()));
  t.write(s.operands[0], result);
}

static void translateMad(FunctionTranslator &t, const Statement &s) {
  if (s.has("cc"))
    return translateCarry(t, s);
  PtxType type = t.typeOf(s);
  if (!type.isFloat())
    return translateMultiply(t, s, type);
  Value *x = operand(t, s, 1, type), *y = operand(t, s, 2, type), *z = operand(t, s, 3, type);
  Value *result = rounded(t, s, "fma", {x, y, z});
  if (!result && type.bits == 16)
    result = Floats(t).fuseNarrow(x, y, z, type);
  if (!result)
    result = t.b.CreateIntrinsic(Intrinsic::fma, {x->getType()}, {x, y, z});
  t.write(s.operands[0], finish(t, s, result));
}

static void translateSign(FunctionTranslator &t, const Statement &s) {
  PtxType type = t.typeOf(s);
  Value *x = operand(t, s, 1, type), *result;
  bool isNegation = s.parts[0] == "neg";
  if (type.isFloat())
    result = isNegation ? t.b.CreateFNeg(x) : unary(t, Intrinsic::fabs, x);
  else
    result = isNegation ? t.b.CreateNeg(x) : t.b.CreateIntrinsic(Intrinsic::abs, {x->getType()}, {x, t.b.getFalse()});
  t.write(s.operands[0], result);
}

/// The special functions. Exact here: within any bound that the PTX manual gives for the approximations.
static Value *computeSpecial(FunctionTranslator &t, const Statement &s, Value *x) {
  static constexpr std::pair<StringLiteral, Intrinsic::ID> functions[] = {
      {"sqrt", Intrinsic::sqrt}, {"ex2", Intrinsic::exp2}, {"lg2", Intrinsic::log2},
      {"sin", Intrinsic::sin},   {"cos", Intrinsic::cos},  {"tanh", Intrinsic::tanh}};
  for (auto [name, id] : functions) {
    if (s.parts[0] != name)
      continue;
    Value *result = rounded(t, s, name, {x});
    return result ? result : unary(t, id, x);
  }
  Value *divisor = s.parts[0] == "rsqrt" ? unary(t, Intrinsic::sqrt, x) : x;
  Value *one = ConstantFP::get(x->getType(), 1);
  Value *result = rounded(t, s, "div", {one, divisor});
  return result ? result : t.b.CreateFDiv(one, divisor);
}

static void translateSpecial(FunctionTranslator &t, const Statement &s) {
  PtxType type = t.typeOf(s);
  Value *x = operand(t, s, 1, type);
  Floats floats(t);
  if (type.bits == 16)
    return t.write(s.operands[0], finish(t, s, floats.roundToNearest(computeSpecial(t, s, floats.widen(x)), type)));
  // Of .approx.ftz.f64 only the upper word counts, of the operand and of the result.
  bool isHalved = type.bits == 64 && s.has("approx") && s.has("ftz");
  auto upperWord = [&](Value *value) {
    Value *bits = t.b.CreateBitCast(value, t.integer(64));
    return t.b.CreateBitCast(t.b.CreateAnd(bits, t.b.getInt64(0xffffffff00000000)), value->getType());
  };
  Value *result = finish(t, s, computeSpecial(t, s, isHalved ? upperWord(x) : x));
  t.write(s.operands[0], isHalved ? upperWord(floats.canonicalize(result)) : result);
}

static Value *compare(FunctionTranslator &t, StringRef how, PtxType type, Value *x, Value *y) {
  static constexpr std::tuple<StringLiteral, CmpInst::Predicate> floats[] = {
      {"eq", CmpInst::FCMP_OEQ},  {"ne", CmpInst::FCMP_ONE},  {"lt", CmpInst::FCMP_OLT},  {"le", CmpInst::FCMP_OLE},
      {"gt", CmpInst::FCMP_OGT},  {"ge", CmpInst::FCMP_OGE},  {"equ", CmpInst::FCMP_UEQ}, {"neu", CmpInst::FCMP_UNE},
      {"ltu", CmpInst::FCMP_ULT}, {"leu", CmpInst::FCMP_ULE}, {"gtu", CmpInst::FCMP_UGT}, {"geu", CmpInst::FCMP_UGE},
      {"num", CmpInst::FCMP_ORD}, {"nan", CmpInst::FCMP_UNO}};
  // lo, ls, hi and hs are the unsigned forms, whatever the type says.
  static constexpr std::tuple<StringLiteral, CmpInst::Predicate, CmpInst::Predicate> integers[] = {
      {"eq", CmpInst::ICMP_EQ, CmpInst::ICMP_EQ},   {"ne", CmpInst::ICMP_NE, CmpInst::ICMP_NE},
      {"lt", CmpInst::ICMP_SLT, CmpInst::ICMP_ULT}, {"le", CmpInst::ICMP_SLE, CmpInst::ICMP_ULE},
      {"gt", CmpInst::ICMP_SGT, CmpInst::ICMP_UGT}, {"ge", CmpInst::ICMP_SGE, CmpInst::ICMP_UGE},
      {"lo", CmpInst::ICMP_ULT, CmpInst::ICMP_ULT}, {"ls", CmpInst::ICMP_ULE, CmpInst::ICMP_ULE},
      {"hi", CmpInst::ICMP_UGT, CmpInst::ICMP_UGT}, {"hs", CmpInst::ICMP_UGE, CmpInst::ICMP_UGE}};
  if (type.isFloat()) {
    for (auto [name, predicate] : floats)
      if (how == name)
        return t.b.CreateFCmp(predicate, x, y);
  } else {
    for (auto [name, asSigned, asUnsigned] : integers)
      if (how == name)
        return t.b.CreateICmp(type.isSigned() ? asSigned : asUnsigned, x, y);
  }
  t.fail("there is no comparison `" + how + "`");
  return t.b.getFalse();
}

/// setp.CMP[.BOOL].type p|q, a, b[, c]: p = (a CMP b) BOOL c, q = !(a CMP b) BOOL c.
/// What .and, .or or .xor makes of two predicates.
static Value *joinPredicates(FunctionTranslator &t, const Statement &s, Value *a, Value *b) {
  return s.has("and") ? t.b.CreateAnd(a, b) : s.has("or") ? t.b.CreateOr(a, b) : t.b.CreateXor(a, b);
}

static void translateSetp(FunctionTranslator &t, const Statement &s) {
  PtxType type = t.typeOf(s);
  if (s.operands.size() < 3 || s.parts.size() < 3)
    return t.fail("`" + s.text + "` has too few operands");
  Value *x = operand(t, s, 1, type), *y = operand(t, s, 2, type), *holds = compare(t, s.parts[1], type, x, y);
  Value *fails = nullptr;
  if (type.isPair) { // two predicates, of the two lanes
    fails = t.b.CreateExtractElement(holds, uint64_t(1));
    holds = t.b.CreateExtractElement(holds, uint64_t(0));
  } else {
    fails = t.b.CreateNot(holds);
  }
  if (s.operands.size() > 3) {
    Value *third = t.read(s.operands[3], 1);
    holds = joinPredicates(t, s, holds, third), fails = joinPredicates(t, s, fails, third);
  }
  t.writePredicate(s.operands[0].name, holds);
  if (!s.operands[0].second.empty())
    t.writePredicate(s.operands[0].second, fails);
}

/// set.CMP[.BOOL].dtype.stype d, a, b[, p]: all ones or 1.0 where it holds.
static void translateSet(FunctionTranslator &t, const Statement &s) {
  std::optional<PtxType> from = parseType(s.parts.back()), to = parseType(s.parts[s.parts.size() - 2]);
  if (!from || !to || (s.operands.size() != 3 && s.operands.size() != 4))
    return t.fail("`" + s.text + "` is not known");
  Value *holds = compare(t, s.parts[1], *from, operand(t, s, 1, *from), operand(t, s, 2, *from));
  if (s.operands.size() == 4) {
    Value *third = t.read(s.operands[3], 1);
    holds = joinPredicates(t, s, holds, from->isPair ? t.b.CreateVectorSplat(2, third) : third);
  }
  if (from->isPair && !to->isFloat() && to->width() == 32) // a half of the word for each lane
    return t.write(s.operands[0], t.b.CreateSExt(holds, FixedVectorType::get(t.integer(16), 2)));
  if (from->isPair != to->isPair)
    return t.fail("`" + s.text + "` is not known");
  t.write(s.operands[0],
          to->isFloat() ? t.b.CreateUIToFP(holds, t.typeOf(*to)) : t.b.CreateSExt(holds, t.integer(to->bits)));
}

static void translateSelp(FunctionTranslator &t, const Statement &s) {
  unsigned bits = t.typeOf(s).width();
  if (s.operands.size() != 4)
    return t.fail("`selp` takes 4 operands");
  t.write(s.operands[0],
          t.b.CreateSelect(t.read(s.operands[3], 1), t.read(s.operands[1], bits), t.read(s.operands[2], bits)));
}

static void translateSlct(FunctionTranslator &t, const Statement &s) {
  std::optional<PtxType> of = parseType(s.parts.back()), type = parseType(s.parts[s.parts.size() - 2]);
  if (!of || !type || s.operands.size() != 4)
    return t.fail("`" + s.text + "` is not known");
  Value *selector = operand(t, s, 3, *of);
  Value *holds = of->isFloat() ? t.b.CreateFCmpOGE(selector, ConstantFP::get(selector->getType(), 0))
                               : t.b.CreateICmpSGE(selector, ConstantInt::get(selector->getType(), 0));
  t.write(s.operands[0],
          t.b.CreateSelect(holds, t.read(s.operands[1], type->width()), t.read(s.operands[2], type->width())));
}

static void translateCopysign(FunctionTranslator &t, const Statement &s) {
  PtxType type = t.typeOf(s);
  t.write(s.operands[0], binary(t, Intrinsic::copysign, operand(t, s, 2, type), operand(t, s, 1, type)));
}

static void translateTestp(FunctionTranslator &t, const Statement &s) {
  Value *x = operand(t, s, 1, t.typeOf(s));
  unsigned classes = s.has("finite")       ? fcFinite
                     : s.has("infinite")   ? fcInf
                     : s.has("number")     ? fcFinite | fcInf
                     : s.has("notanumber") ? fcNan
                     : s.has("normal")     ? fcNormal | fcZero
                     : s.has("subnormal")  ? fcSubnormal
                                           : fcNone;
  if (classes == fcNone)
    return t.fail("`" + s.text + "` names no property");
  t.write(s.operands[0], t.b.createIsFPClass(x, classes));
}

/// dp4a, dp2a: sums of products of bytes.
static void translateDotProduct(FunctionTranslator &t, const Statement &s) {
  bool isSigned[2] = {s.parts[s.parts.size() - 2] == "s32", s.parts.back() == "s32"};
  bool isFour = s.parts[0] == "dp4a";
  Value *sum = t.read(s.operands[3], 32), *x = t.read(s.operands[1], 32), *y = t.read(s.operands[2], 32);
  for (unsigned i = 0; i < (isFour ? 4u : 2u); ++i) {
    unsigned xBits = isFour ? 8 : 16, yShift = isFour ? 8 * i : 8 * i + (s.has("hi") ? 16 : 0);
    auto pick = [&](Value *from, unsigned shift, unsigned bits, bool sign) {
      return t.resize(t.b.CreateTrunc(t.b.CreateLShr(from, uint64_t(shift)), t.integer(bits)), 32, sign);
    };
    sum = t.b.CreateAdd(sum, t.b.CreateMul(pick(x, xBits * i, xBits, isSigned[0]), pick(y, yShift, 8, isSigned[1])));
  }
  t.write(s.operands[0], sum);
}

/// sad: |a - b| + c.
static void translateSad(FunctionTranslator &t, const Statement &s) {
  PtxType type = t.typeOf(s);
  Value *x = operand(t, s, 1, type), *y = operand(t, s, 2, type);
  Value *most = binary(t, type.isSigned() ? Intrinsic::smax : Intrinsic::umax, x, y);
  Value *least = binary(t, type.isSigned() ? Intrinsic::smin : Intrinsic::umin, x, y);
  t.write(s.operands[0], t.b.CreateAdd(t.b.CreateSub(most, least), operand(t, s, 3, type)));
}

ArrayRef<Instruction> arithmeticInstructions() {
  static constexpr Instruction rows[] = {
      {"add", translatePair},         {"sub", translatePair},          {"mul", translatePair},
      {"div", translatePair},         {"rem", translatePair},          {"min", translatePair},
      {"max", translatePair},         {"mad", translateMad},           {"fma", translateMad},
      {"mul24", translateMultiply24}, {"mad24", translateMultiply24},  {"neg", translateSign},
      {"abs", translateSign},         {"sqrt", translateSpecial},      {"rsqrt", translateSpecial},
      {"rcp", translateSpecial},      {"ex2", translateSpecial},       {"lg2", translateSpecial},
      {"sin", translateSpecial},      {"cos", translateSpecial},       {"tanh", translateSpecial},
      {"setp", translateSetp},        {"set", translateSet},           {"selp", translateSelp},
      {"slct", translateSlct},        {"copysign", translateCopysign}, {"testp", translateTestp},
      {"dp4a", translateDotProduct},  {"dp2a", translateDotProduct},   {"sad", translateSad},
  };
  return rows;
}

} // namespace dscc::sim
