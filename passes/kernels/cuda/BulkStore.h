// The way out of warpgroups by bulk copies: sums, through what the group does with them, as the result's elements into
// shared memory, and from there a box at a time into the result, past the registers.
//
//     sums in fragments ── bias, relu, .. ──► pairs of 16 bits ── stmatrix ──► box of 64 rows ── copy ──► result
//
// What lies outside of the result the hardware leaves out.

#ifndef DSCC_PASSES_KERNELS_CUDA_BULKSTORE_H
#define DSCC_PASSES_KERNELS_CUDA_BULKSTORE_H

#include "passes/kernels/cuda/MatrixView.h"
#include "passes/kernels/cuda/OperandMaps.h"

namespace dscc::kernels {

/// One warpgroup's.
class BulkStore {
public:
  /// Whether results of the group can leave so, in tiles of so many columns.
  static Verdict accepts(dsc::GroupOp group, mlir::Operation *hero, int64_t columns);
  /// Bytes of shared memory that a warpgroup needs, which begin at a multiple of 1024.
  static int64_t sharedBytes(int64_t columns) { return numBoxes * boxRows * boxColumns(columns) * elementBytes; }

  /// For tiles of so many columns, of which the warpgroup has so many blocks of 64 rows. `memory` is the warpgroup's
  /// own, `group` its number in the block. Adds a map to the kernel.
  BulkStore(Kernel &kernel, ElementCode &code, const MatrixView &view, mlir::Operation *hero, int64_t columns,
            int64_t blocks, Value memory, Value group);

  /// Stores 64 rows of sums, from `row` and `column` of the matrix on, of the product at `outer`.
  void store(llvm::ArrayRef<Value> outer, Value row, Value column, llvm::ArrayRef<Value> sums);
  /// Waits until all is written, so that whoever waits for this kernel finds it.
  void finish();

private:
  // Boxes take turns: while one is copied, the next one is written.
  static constexpr int64_t numBoxes = 2, boxRows = 64, elementBytes = 2;
  static int64_t boxColumns(int64_t columns) { return columns % 64 == 0 ? 64 : columns % 32 == 0 ? 32 : 16; }

  void meet();
  void byLeader(llvm::function_ref<void()> body);
  Value pairOf(llvm::ArrayRef<Value> outer, Value row, Value column, Value low, Value high);

  KernelBuilder &k;
  ElementCode &code;
  const MatrixView &view;
  mlir::Operation *hero;
  Value root;
  int64_t columns;   // of a box
  int64_t tileBoxes; // that the warpgroup stores of a tile
  OperandMap map;
  Value mapPointer, memory, barrier, isLeader;
  Value ownRow, ownColumn;   // of this lane's first sum
  Value lineStart, ownChunk; // of this lane's line for stmatrix: its first byte, and which of two chunks
  Value key;                 // by which chunks of that line change places
  size_t number = 0;         // of boxes so far
};

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_BULKSTORE_H
