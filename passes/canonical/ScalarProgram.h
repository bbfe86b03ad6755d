// Computes with constants what a kernel would compute with data.
//
//   %y = dsc.cast ..  ── emitScalar ──►  arith and math ops  ── lowerMath ──►  arithmetic and calls  ──►  steps over
//   lanes
//
// What an elementwise op means is written once, in passes/kernels/ScalarCode.cpp, as code of a kernel. Kernels are that
// code, translated; here it is interpreted, many elements a step, each operation in its own type and with the same math
// library, so that folding a constant changes no bit (but for what a NaN carries). What the code leaves open, such as
// the integer that a NaN becomes, is not computed at all.

#ifndef DSCC_PASSES_CANONICAL_SCALARPROGRAM_H
#define DSCC_PASSES_CANONICAL_SCALARPROGRAM_H

#include "mlir/IR/Operation.h"

#include <functional>
#include <memory>
#include <vector>

namespace dscc {

/// One elementwise op, ready to be run on elements as they lie in memory; a boolean is a byte of 0 or 1.
class ScalarProgram {
public:
  /// Nothing for ops without scalar code and for types of which several elements share a byte. The dialects arith, func
  /// and math must be loaded.
  static std::unique_ptr<ScalarProgram> compile(mlir::Operation *op);

  /// The elements of one operand.
  struct Input {
    /// In the order of the result's elements.
    const char *bytes;
    /// One element stands for all.
    bool isSplat;
  };
  /// Computes `count` elements of the result. False if one of them is left open; `result` then holds nothing of use.
  bool run(llvm::ArrayRef<Input> inputs, char *result, size_t count);

  /// Of one element of the result.
  unsigned getResultBytes() const { return resultBytes; }

  /// Elements that one step computes.
  static constexpr size_t maxLanes = 256;
  /// Computes the first so many lanes of one value, from those of others.
  using Step = std::function<void(size_t)>;
  /// Room for the lanes of one value.
  struct alignas(64) Lanes {
    /// Elements of up to 64 bits.
    char bytes[maxLanes * 8];
  };

private:
  friend class ScalarAssembler;
  std::vector<std::unique_ptr<Lanes>> values; // the arguments first
  std::vector<unsigned> inputBytes;           // of an element
  std::vector<Step> steps;
  Lanes *result = nullptr, *undefined = nullptr; // the latter has a byte a lane: 1 where the result is left open
  unsigned resultBytes = 0;
};

} // namespace dscc

#endif // DSCC_PASSES_CANONICAL_SCALARPROGRAM_H
