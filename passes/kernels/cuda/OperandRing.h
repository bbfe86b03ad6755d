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

/// What both operands' rings have in common. Their slices of one time lie together, in a slot, so that both go by the
/// same number: how many bytes the slot lies behind the first one.
struct RingShape {
  int64_t slice;     // steps of the inner dim in a slice
  int64_t stages;    // slots in the ring
  int64_t threads;   // of the block, all of which copy
  int64_t slotBytes; // of all operands' slices

  /// The slot of a slice that is so far behind the first one.
  int64_t slotOf(int64_t slice) const { return slice % stages * slotBytes; }
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
  /// `first` is the tile's first place; the operand's slice in the first slot begins at `memory`, a multiple of 128
  /// bytes. Stands before the loop, where what stays the same for all slices is computed: what is left of an address is
  /// a register, which takes an addition or an exclusive or a slice, and a number.
  OperandRing(Kernel &kernel, const OperandView &view, const RingOperand &operand, llvm::ArrayRef<Value> outer,
              Value first, Value memory);

  const RingShape &shape() const { return operand.ring; }
  int64_t sliceBytes() const { return operand.places * operand.ring.slice * bytes; }

  /// Where this thread's pieces of the slice that begins at `step` lie, if that is the same way from each slice to the
  /// next one: values that a loop carries. Else none.
  llvm::SmallVector<Value> sourcesOf(Value step);
  /// The same so many slices further.
  llvm::SmallVector<Value> advance(ValueRange sources, int64_t slices);
  /// Starts to copy the slice that begins at `step`, whose sources these are, into a slot, if the operand lies in
  /// pieces; else nothing.
  void copy(ValueRange sources, Value step, Value slot);
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

  /// One of the pieces of a slice that a thread copies.
  struct OwnPiece {
    Value target;             // in the first slot
    int64_t targetBehind = 0; // bytes behind that
    size_t source = 0;        // of sourcesOf
    int64_t sourceBehind = 0; // bytes behind that
    Value size;               // of what there is of it; unset: all of it
  };

  int64_t lines() const { return view.alongInner ? operand.places : operand.ring.slice; }
  int64_t lineLength() const { return view.alongInner ? operand.ring.slice : operand.places; }
  int64_t linePieces() const { return lineLength() / perPiece; }
  int64_t lineBytes() const { return lineLength() * bytes; }
  int64_t linesApart() const { return operand.ring.threads / linePieces(); }
  int64_t piecesPerThread() const { return std::max<int64_t>(1, lines() * linePieces() / operand.ring.threads); }
  /// Pieces of a line change places with others of so many.
  int64_t permutedPieces() const { return std::min<int64_t>(8, linePieces()); }
  /// So many lines share 128 bytes, or one line has them.
  int64_t linesTogether() const { return std::max<int64_t>(1, 8 / linePieces()); }
  /// Lines that are a multiple of this apart are permuted alike.
  int64_t linesAlike() const { return linesTogether() * permutedPieces(); }

  Value keyOf(Value line);
  Value pieceOffset(Value line, Value piece);
  Value elementOffset(int64_t number);
  Value existing(Value place, int64_t atOnce);
  Value inSlot(Value slot, Value offset) { return k.add(slot, offset); }
  Value sharedAddress(Value place, int64_t behind);
  Value isInside(Value step);
  Value stepOf(Value step, int64_t piece);
  void findOwnPieces();

  Kernel &kernel;
  KernelBuilder &k;
  const OperandView &view;
  RingOperand operand;
  llvm::SmallVector<Value> outer;
  Value first;
  Value memory; // as a number of bytes: what is computed with addresses of shared memory takes 32 bits
  Type storage;
  // For copies.
  Value ownLine, ownPiece;
  llvm::SmallVector<llvm::SmallVector<Value>> ownPlaces;
  llvm::SmallVector<OwnPiece> ownPieces;
  // For stores.
  Value firstElement;
  // For fragments.
  bool innerAlongLine = false;
  Value firstFragment;
};

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_OPERANDRING_H
