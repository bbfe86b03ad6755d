// The way out of kernels whose warps have a tile's sums in registers: through shared memory, so that lanes work on
// neighbours along a row whatever the order of the fragments; then through what the group does with the sums.

#ifndef DSCC_PASSES_KERNELS_CUDA_TILESTORE_H
#define DSCC_PASSES_KERNELS_CUDA_TILESTORE_H

#include "passes/kernels/Emitters.h"
#include "passes/kernels/cuda/MatrixForm.h"
#include "passes/kernels/cuda/MatrixView.h"

namespace dscc::kernels {

/// Stores sums of one kernel.
class TileStore {
public:
  /// `toWorkspace`: sums of a part are stored as they are, for a second kernel (emitSumOfParts).
  TileStore(Kernel &kernel, ElementCode &code, const MatrixView &view, mlir::Operation *hero, bool toWorkspace);

  /// Of the product that the tile is of.
  llvm::SmallVector<Value> outer;

  /// Stores 16 rows of sums, a warp's, from `row` and `column` of the matrix on. `memory` is the warp's own from
  /// element `first` on, see Slab.
  void storeSlab(Value memory, Value first, Value lane, int64_t columns, llvm::ArrayRef<Value> sums, Value row,
                 Value column);
  /// Where all sums of a tile lie in `memory` in each block of a cluster along y, rows Slab::pitch apart: adds up some
  /// of the rows, in the order of the blocks, and stores them. All threads of a block call it, once the kernel's
  /// threads and cluster are set.
  void joinCluster(Value memory, int64_t rows, int64_t columns, Value firstRow, Value firstColumn);

private:
  bool hasWholeLanes();
  void storeIfThere(Value row, Value column, Value sum);
  void storeLanes(Value row, const Index &column, Value sum);

  Kernel &kernel;
  KernelBuilder &k;
  ElementCode &code;
  const MatrixView &view;
  mlir::Operation *hero;
  bool toWorkspace;
  Value root;
  llvm::SmallVector<Value> strides;
  int64_t lanes;
};

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_TILESTORE_H
