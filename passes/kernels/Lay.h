// How a value lies in memory that is a tensor seen under other coordinates.
//
//     %q = dsc.slice %x ; %t = dsc.transpose %q          element [b, d, n] of %t is element offset + 64 b + d + 192 n
//     of %x
//
// Kernels that copy operands in pieces, or by whole vectors, read the tensor itself where only coordinates are turned.

#ifndef DSCC_PASSES_KERNELS_LAY_H
#define DSCC_PASSES_KERNELS_LAY_H

#include "dialects/dsc/Dsc.h"

namespace dscc::kernels {

struct Lay {
  /// The tensor whose elements these are.
  mlir::Value tensor;
  /// Whether that begins at a multiple of `pieceBytes`.
  bool isAligned = true;
  /// Of the first element, in elements behind that.
  DimExpr offset = 0;
  /// How far apart neighbours along each dim of the value are, in elements; 0 where they are the same.
  dsc::Dims strides;
  /// How many neighbours along each dim are the same element before the next one follows: heads that share keys.
  llvm::SmallVector<int64_t> repeats;
  /// If the last dim lies in panels (dsc.unpack): how many columns a panel has, and how far panels are apart. Else 0.
  int64_t panelColumns = 0;
  DimExpr panelStride = 0;
};

/// Looks through transposes, slices, expansions, reshapes and panels to what makes the elements, and at the windows of
/// a group's inputs; nothing if there are no strides that say where they lie.
std::optional<Lay> layOf(mlir::Value value);

/// Bytes of the neighbours in memory that a GPU copies in one piece, past the registers.
inline constexpr int64_t pieceBytes = 16;

/// Whether tensor `number` of the group, inputs first, begins at a multiple of `pieceBytes`, although it may lie in a
/// window of another one.
bool beginsWithPiece(dsc::GroupOp group, size_t number);

/// Whether `size` is a multiple of `of` for every value of the named dims.
bool isMultiple(const DimExpr &size, int64_t of);

/// The dim of the value along which pieces of `count` neighbours can be copied, all aligned; nothing if there is none.
std::optional<size_t> findPieceDim(const Lay &lay, llvm::ArrayRef<DimExpr> dims, int64_t count);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_LAY_H
