// Inputs with an element for each column of a product, as biases are: copied into shared memory while the product is
// computed, so that nothing waits for memory once the sums are there.

#ifndef DSCC_PASSES_KERNELS_CUDA_COLUMNVECTORS_H
#define DSCC_PASSES_KERNELS_CUDA_COLUMNVECTORS_H

#include "passes/kernels/Emitters.h"
#include "passes/kernels/cuda/CopyRing.h"

namespace dscc::kernels {

/// Those of a group whose results' last dim the columns are.
llvm::SmallVector<mlir::BlockArgument> findColumnVectors(dsc::GroupOp group);

/// The vectors of one block, in a ring whose slots have the parts of one tile.
class ColumnVectors {
public:
  /// The part of each vector that a tile of so many columns has, in bytes.
  static int64_t bytesOf(llvm::ArrayRef<mlir::BlockArgument> vectors, int64_t columns);

  /// Of so many tiles at a time. `warps` of the block read them.
  ColumnVectors(Kernel &kernel, llvm::ArrayRef<mlir::BlockArgument> vectors, int64_t columns, int64_t tiles,
                Value memory, Value barriers);

  /// Makes its barriers; by one thread.
  void initialize(int64_t warps) const { ring.initialize(warps); }
  /// Where everybody begins, and goes on.
  RingPlace begin() const { return ring.begin(); }
  /// The place of the next tile.
  RingPlace next(RingPlace at) const { return ring.next(at); }
  /// Producer: asks for the parts of the tile that begins at `column`.
  void copy(Value column, RingPlace at) const;
  /// Whoever reads them: in `body` the group's inputs lie where they were copied to.
  void read(Value column, RingPlace at, llvm::function_ref<void()> body) const;
  /// Reader: the place is free again.
  void leave(RingPlace at, Value lane) const { ring.leave(at.slot, lane); }

private:
  Kernel &kernel;
  KernelBuilder &k;
  llvm::SmallVector<mlir::BlockArgument> vectors;
  int64_t columns;
  CopyRing ring;
};

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_COLUMNVECTORS_H
