// wgmma: four warps multiply what lies in shared memory, asynchronously, and add to sums in their registers.
//
//     A 64 x 16, a descriptor        B 16 x n, a descriptor        sums 64 x n, n / 2 a thread
//
// Warp w of the four has rows 16 w to 16 w + 15, and of those each lane what mma.sync would give it (MatrixForm.h).

#ifndef DSCC_PASSES_KERNELS_CUDA_WGMMA_H
#define DSCC_PASSES_KERNELS_CUDA_WGMMA_H

#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/cuda/OperandMaps.h"

namespace dscc::kernels {

/// One kind of wgmma. Sums are f32.
struct WgmmaForm {
  /// Whether operands of this type are its own.
  bool (*takes)(Type element);
  /// As PTX names the operands.
  llvm::StringLiteral name;
  /// Of an element, in bytes, and steps of the inner dim that one instruction sums over.
  int64_t bytes, inner;

  /// Steps of a line of 128 bytes.
  int64_t slice() const { return 128 / bytes; }

  /// Of the left operand, and of the sums, of one instruction.
  static constexpr int64_t rows = 64;
};

/// That multiply together, four warps whose first one's number is a multiple of four.
inline constexpr int64_t threadsOfWarpgroup = 128;

/// The one for operands of this type; null if there is none.
const WgmmaForm *findWgmmaForm(Type element);

/// Where the operands of a warpgroup's products lie.
struct WgmmaOperands {
  /// How their slices lie.
  const OperandMap &lhs, &rhs;
  /// Descriptors of the first 64 rows and of all columns of a slice, i64.
  Value lhsDescriptor, rhsDescriptor;
};

/// A descriptor of what begins at `address`, a pointer to shared memory.
Value describeOperand(KernelBuilder &k, const OperandMap &map, int64_t slice, Value address);
/// The descriptor of what lies `bytes` further; an index.
Value advanceDescriptor(KernelBuilder &k, Value descriptor, Value bytes);

/// sums += a x b over a whole slice, for `sums.size() / (columns / 2)` times 64 rows. All sums but those of the last
/// `pending` slices are there when it returns, as are those slices' operands read.
void multiplySlice(KernelBuilder &k, const WgmmaForm &form, const WgmmaOperands &operands, int64_t columns,
                   int64_t pending, llvm::MutableArrayRef<Value> sums);
/// All sums are there.
void waitForProducts(KernelBuilder &k, llvm::MutableArrayRef<Value> sums);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_WGMMA_H
