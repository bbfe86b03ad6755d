// Slices of a matrix operand in a ring in shared memory, for matrix instructions.
//
//     line 0   p0 p1 p2 p3         A slice lies line by line: a line is a row of the left operand, or a column of the
//     line 1   p1 p0 p3 p2         right one, where neighbours in memory are along the inner dim, else a step of it.
//     Its line 2   p2 p3 p0 p1         pieces of 16 bytes are permuted by its number, so that eight lines' pieces at
//     one place line 3   p3 p2 p1 p0         lie in different banks: copies write rows of this, ldmatrix reads columns.

#ifndef DSCC_PASSES_KERNELS_CUDA_OPERANDRING_H
#define DSCC_PASSES_KERNELS_CUDA_OPERANDRING_H

#include "passes/kernels/Emitters.h"
#include "passes/kernels/cuda/MatrixView.h"

namespace dscc::kernels {

/// What both operands' rings have in common.
struct RingShape {
  int64_t slice;   // steps of the inner dim in a slice
  int64_t stages;  // slices in the ring
  int64_t threads; // of the block, all of which copy

  /// The slot that comes behind `slot`.
  Value next(KernelBuilder &k, Value slot) const;
};

/// One operand's part of a block's tile.
struct RingOperand {
  RingShape ring;
  int64_t places;    // rows, or columns, of the tile
  DimExpr allPlaces; // of the whole matrix
  DimExpr inner;     // steps of the whole matrix
};

/// The ring of one operand, whose elements have 16 bits.
class OperandRing {
public:
  /// `first` is the tile's first place; the ring begins at `memory`. Stands before the loop, where what stays the same
  /// for all slices is computed.
  OperandRing(Kernel &kernel, const OperandView &view, const RingOperand &operand, llvm::ArrayRef<Value> outer,
              Value first, Value memory);

  const RingShape &shape() const { return operand.ring; }
  int64_t sliceBytes() const { return operand.places * operand.ring.slice * bytes; }
  int64_t ringBytes() const { return sliceBytes() * operand.ring.stages; }

  /// Starts to copy the slice that begins at `step` into a slot, if the operand lies in pieces; else nothing.
  void copy(Value step, Value slot);
  /// Loads this thread's elements of that slice, if the operand does not lie in pieces; else none.
  llvm::SmallVector<Value> load(Value step);
  /// Puts what was loaded into a slot.
  void store(llvm::ArrayRef<Value> elements, Value slot);
  /// How many elements `load` returns, and of which type.
  size_t numLoaded() const { return view.pieces ? 0 : operand.places * operand.ring.slice / operand.ring.threads; }
  Type storageType() const { return storage; }

  /// Says which part of the tile this lane's warp reads, from `warpPlace` on. The left operand's fragments go down the
  /// rows first, the right one's along the inner dim. `innerAlongLine`: whether lines run along the dim that the
  /// instruction sums over; they do as the operand lies, unless its view has places and steps exchanged.
  void readFrom(Value lane, Value warpPlace, bool isLhs, std::optional<bool> innerAlongLine = std::nullopt);
  /// The four registers of 16 places and 16 steps, so far behind the warp's first ones, of the slice in a slot.
  llvm::SmallVector<Value> fragments(Value slot, int64_t place, int64_t step);

private:
  static constexpr int64_t bytes = 2, perPiece = pieceBytes / bytes;

  int64_t lines() const { return view.alongInner ? operand.places : operand.ring.slice; }
  int64_t lineLength() const { return view.alongInner ? operand.ring.slice : operand.places; }
  int64_t linePieces() const { return lineLength() / perPiece; }
  int64_t linesApart() const { return operand.ring.threads / linePieces(); }
  int64_t piecesPerThread() const { return std::max<int64_t>(1, lines() * linePieces() / operand.ring.threads); }
  Value keyOf(Value line);
  Value pieceOffset(Value line, Value piece);
  Value existing(Value place, int64_t atOnce);
  Value slotAddress(Value slot, Value offset);
  Value isInside(Value step);

  Kernel &kernel;
  KernelBuilder &k;
  const OperandView &view;
  RingOperand operand;
  llvm::SmallVector<Value> outer;
  Value first, memory;
  Type storage;
  // For copies.
  Value ownLine, ownPiece;
  llvm::SmallVector<llvm::SmallVector<Value>> ownPlaces;
  // For fragments.
  bool innerAlongLine = false;
  Value lineStart, permuted;
};

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_OPERANDRING_H
