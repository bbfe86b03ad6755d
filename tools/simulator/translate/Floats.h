// Steps that instructions on floats share: widening, rounding, and what their modifiers ask for.
//
//     f16, bf16 ── widen ──► f32 ── the operation ──► round once ──► flush ──► clamp
//
// The host's own narrowing is not used for bf16: some processors flush its subnormals, and to reach it from f64 LLVM
// rounds twice.

#ifndef DSCC_TOOLS_SIMULATOR_TRANSLATE_FLOATS_H
#define DSCC_TOOLS_SIMULATOR_TRANSLATE_FLOATS_H

#include "tools/simulator/translate/Translator.h"

namespace dscc::sim {

/// All values may be pairs.
struct Floats {
  /// Its code goes where `t` writes.
  explicit Floats(FunctionTranslator &t) : t(t), b(t.b) {}

  /// f16 and bf16 to f32, or to f64.
  llvm::Value *widen(llvm::Value *value, bool toDouble = false);
  /// f32 or f64 to `kind` of 16 bits, or f64 to f32; to nearest, in one rounding.
  llvm::Value *roundToNearest(llvm::Value *value, PtxType to);
  /// f64 to f32 so that a further rounding, to at most 22 bits of mantissa, is as if there had been no first one (Boldo
  /// and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
  llvm::Value *roundToOdd(llvm::Value *value);
  /// x * y + z of f16 or bf16, rounded once.
  llvm::Value *fuseNarrow(llvm::Value *x, llvm::Value *y, llvm::Value *z, PtxType type);

  /// .ftz: subnormals become zeros of their sign.
  llvm::Value *flush(llvm::Value *value);
  /// .sat: to [0, 1], and NaN to 0.
  llvm::Value *saturate(llvm::Value *value);
  /// .relu: what is not positive becomes 0, NaN the canonical one.
  llvm::Value *clampNegative(llvm::Value *value);
  /// .satfinite: infinity becomes the largest number.
  llvm::Value *clampInfinity(llvm::Value *value);
  /// All NaN become the canonical one, all ones but for the sign.
  llvm::Value *canonicalize(llvm::Value *value);

private:
  llvm::Type *integerFor(llvm::Type *type);
  llvm::Value *bitsOf(llvm::Value *value) { return b.CreateBitCast(value, integerFor(value->getType())); }
  llvm::Value *adjustToOdd(llvm::Value *bits, llvm::Value *isInexact, llvm::Value *isTooLarge);

  FunctionTranslator &t;
  llvm::IRBuilder<> &b;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_TRANSLATE_FLOATS_H
