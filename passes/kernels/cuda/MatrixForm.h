// Matrix instructions of warps (mma.sync), and what lanes hold of their operands and results.
//
//     A 16 x 16, four registers        B 16 x 8, two registers        sums 16 x 8, four a lane
//
//     lane 4 r + c has of the sums:  row r, columns 2 c and 2 c + 1;  row r + 8, the same columns

#ifndef DSCC_PASSES_KERNELS_CUDA_MATRIXFORM_H
#define DSCC_PASSES_KERNELS_CUDA_MATRIXFORM_H

#include "passes/kernels/KernelBuilder.h"

namespace dscc::kernels {

/// One kind of matrix instruction. A and B are of one type of 16 bits, sums are f32.
struct MatrixForm {
  /// Whether operands of this type are its own.
  bool (*takes)(Type element);
  /// LLVM's name of the instruction.
  llvm::StringLiteral intrinsic;
  /// Its operands are vectors of two halves; else they are 32 bits as they are.
  bool asHalves;

  static constexpr int64_t rows = 16, columns = 8, inner = 16;
  /// Sums that a lane has.
  static constexpr int64_t perLane = 4;
};

inline constexpr int64_t lanesOfWarp = 32;

/// The one for operands of this type; null if there is none.
const MatrixForm *findMatrixForm(Type element);

/// What mma.sync reaches of the target's peak, which is another instruction's where there is wgmma.
double shareOfMatrixPeak(const Gpu &gpu);

/// sums += a x b
void multiplyForm(KernelBuilder &k, const MatrixForm &form, llvm::ArrayRef<Value> a, llvm::ArrayRef<Value> b,
                  llvm::MutableArrayRef<Value> sums);

/// Where a warp passes 16 rows of sums through shared memory, so that lanes work on neighbours along a row.
struct Slab {
  /// A pointer to shared memory, and the first element, of f32, that is this warp's own.
  Value memory, first;
  /// This lane's number.
  Value lane;
  /// How many columns there are: a multiple of 16.
  int64_t columns;
  /// How many neighbours a lane handles at once: 1 or 8.
  int64_t lanes;

  /// Rows are so far apart that what a warp stores at once lies in different banks.
  static int64_t pitch(int64_t columns) { return columns + 8; }
  /// Elements that a warp needs.
  static int64_t elements(int64_t columns) { return MatrixForm::rows * pitch(columns); }
};

/// Stores the sums of `rows` x `columns` forms, row by row, as a matrix of f32 whose rows are `pitch` apart, `first`
/// elements behind `memory`, where the forms' first element is to be. As many rows as there are sums for.
void storeForms(KernelBuilder &k, Value memory, Value first, Value lane, int64_t pitch, int64_t columns,
                llvm::ArrayRef<Value> sums);

/// The coordinate of so many neighbours from `first` on; of 1 it is a scalar.
inline Index laneIndex(Value first, int64_t lanes) {
  return {lanes == 1 ? Index::Uniform : Index::Contiguous, first, {}, /*whole=*/lanes > 1};
}

/// Calls `body` for each group of neighbours with its row (0 to 15), its first column, and the sums, one or a vector.
/// `sums` are those of a row of forms.
void forEachOfSlab(KernelBuilder &k, const Slab &slab, llvm::ArrayRef<Value> sums,
                   llvm::function_ref<void(Value row, Value column, Value sum)> body);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_MATRIXFORM_H
