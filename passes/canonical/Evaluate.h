// Evaluates ops whose operands are constants.
//
// Elementwise ops are run as kernels would run them, one after the other (ScalarProgram.h). Ops that only move elements
// copy their bytes, whatever they mean.

#ifndef DSCC_PASSES_CANONICAL_EVALUATE_H
#define DSCC_PASSES_CANONICAL_EVALUATE_H

#include "dialects/dsc/Dsc.h"

#include <optional>
#include <vector>

namespace dscc {

/// Numbers read from a constant; one element if all are equal.
struct Numbers {
  /// Of the constant; static.
  mlir::RankedTensorType type;
  /// Says which of the two lists holds the numbers.
  bool isFloat = false;
  /// In row-major order.
  std::vector<double> floats;
  std::vector<int64_t> integers; // unsigned 64-bit ones as their bits
  /// How many numbers are held: one for a splat, whatever the type says.
  size_t size() const { return isFloat ? floats.size() : integers.size(); }
};

/// The elements of a constant; nothing for element types without numbers here (floats below 16 bits, integers below 8
/// bits other than booleans) and for resources that are not at hand.
std::optional<Numbers> readNumbers(mlir::ElementsAttr constant);
/// The constant with these elements, each rounded to its type. More than 64 elements become a resource.
mlir::ElementsAttr makeConstant(const Numbers &numbers, llvm::StringRef name);

/// The constant with each element rounded to f16 or bf16; a finite number stays finite. Null for what is no list of
/// floats.
mlir::ElementsAttr narrowConstant(mlir::ElementsAttr constant, mlir::FloatType element, llvm::StringRef name);

/// The value of `value` if a dsc.constant defines it, else null.
mlir::ElementsAttr getConstant(mlir::Value value);

/// The result of `op` on constant operands; null if an operand is not constant or the op is none that is evaluated.
mlir::ElementsAttr evaluateConstant(mlir::Operation *op);

// EvaluateMovement.cpp
/// The result of an op that only moves elements; null for any other op, and for constants whose bytes are not at hand.
mlir::ElementsAttr evaluateMovement(mlir::Operation *op, llvm::ArrayRef<mlir::ElementsAttr> operands);

/// The elements of `source`, a tensor `from`, as broadcasting shows them to a tensor of `shape`. They take `width`
/// bytes.
std::vector<char> broadcastBytes(llvm::ArrayRef<char> source, llvm::ArrayRef<int64_t> from,
                                 llvm::ArrayRef<int64_t> shape, size_t width);

// Evaluate.cpp
/// Bytes as they lie in memory; a single element for a splat. Nothing if they are packed or not at hand.
std::optional<llvm::ArrayRef<char>> getBytes(mlir::ElementsAttr constant);
/// A constant made of raw elements.
mlir::ElementsAttr makeFromBytes(mlir::RankedTensorType type, llvm::ArrayRef<char> bytes, llvm::StringRef name);
/// The same elements under other dims.
mlir::ElementsAttr reshapeConstant(mlir::ElementsAttr constant, mlir::RankedTensorType type);

} // namespace dscc

#endif // DSCC_PASSES_CANONICAL_EVALUATE_H
