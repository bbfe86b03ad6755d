// Arithmetic on numbers wider than a register: the carry goes from `.cc` to the next instruction that takes it.
//
//     add.cc.u32  %r1, %a0, %b0;          i33 sum = a0 + b0;           carry = bit 32
//     addc.u32    %r2, %a1, %b1;   ==>    i33 sum = a1 + b1 + carry
//
// A difference is the sum a + ~b + 1, and its carry is set if nothing was borrowed: nvcc's division of 128 bits takes
// it so, by an addc behind a sub.cc, though the manual speaks of a borrow.

#include "tools/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

/// CC.CF of the thread. It does not outlive a call.
static Value *carrySlot(FunctionTranslator &t) { return t.buffer("carry"); }

/// The product's half that mad and madc add to.
static Value *half(FunctionTranslator &t, const Statement &s, PtxType type) {
  unsigned bits = type.bits;
  Value *x = t.resize(t.read(s.operands[1], bits), 2 * bits, type.isSigned());
  Value *y = t.resize(t.read(s.operands[2], bits), 2 * bits, type.isSigned());
  Value *product = t.b.CreateMul(x, y);
  return t.b.CreateTrunc(s.has("hi") ? t.b.CreateLShr(product, uint64_t(bits)) : product, t.integer(bits));
}

void translateCarry(FunctionTranslator &t, const Statement &s) {
  StringRef op = s.parts[0];
  bool isProduct = op.starts_with("mad"), takesCarry = op.ends_with("c"), isDifference = op.starts_with("sub");
  PtxType type = t.typeOf(s);
  if (s.operands.size() != (isProduct ? 4u : 3u) || type.bits > 64 || (isProduct && !s.has("hi") && !s.has("lo")))
    return t.fail("`" + s.text + "` is not known");
  unsigned bits = type.bits, wide = bits + 1;
  Value *x = isProduct ? half(t, s, type) : t.read(s.operands[1], bits);
  Value *y = t.read(s.operands[isProduct ? 3 : 2], bits);
  Value *carry = t.b.getInt1(isDifference);
  if (takesCarry)
    carry = t.b.CreateTrunc(t.b.CreateLoad(t.integer(32), carrySlot(t)), t.integer(1));
  Value *sum = t.b.CreateAdd(t.resize(x, wide), t.resize(isDifference ? t.b.CreateNot(y) : y, wide));
  sum = t.b.CreateAdd(sum, t.resize(carry, wide));
  t.write(s.operands[0], t.b.CreateTrunc(sum, t.integer(bits)));
  if (s.has("cc"))
    t.b.CreateStore(t.resize(t.b.CreateTrunc(t.b.CreateLShr(sum, uint64_t(bits)), t.integer(1)), 32), carrySlot(t));
}

ArrayRef<Instruction> carryInstructions() {
  static constexpr Instruction rows[] = {{"addc", translateCarry}, {"subc", translateCarry}, {"madc", translateCarry}};
  return rows;
}

} // namespace dscc::sim
