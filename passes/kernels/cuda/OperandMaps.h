// Operands of matrix products as tensor maps: what hardware that copies boxes is told, so that slices lie in shared
// memory as wgmma reads them.
//
//     lines along the inner dim           lines along the places              panels of columns
//
//     place 0  | 64 steps, 128 B |        step 0  | up to 64 places |         panel 0, step 0  | 16 places |
//     place 1  |                 |        step 1  |                 |         panel 0, step 1  |           |
//     ..                                  .. then the next 64 places          .. then the next panel
//
// A line's chunks of 16 bytes change places by the hardware's swizzle of a line's length: eight lines' chunks at one
// place lie in different banks.

#ifndef DSCC_PASSES_KERNELS_CUDA_OPERANDMAPS_H
#define DSCC_PASSES_KERNELS_CUDA_OPERANDMAPS_H

#include "passes/kernels/Emitters.h"
#include "passes/kernels/Window.h"

namespace dscc::kernels {

/// Of a slice of a tile: where one copy begins. `outer` are coordinates of the view's outer dims, `tap` is which place
/// of a convolution's window the slice is of, and `step` counts within that; null where there are no taps.
struct BoxPlace {
  llvm::SmallVector<Value> outer; // see above
  Value place, step, tap = {};    // the first of the box
};

/// One dim of a map.
struct MapDim {
  /// What its coordinate counts.
  enum Role { Outer, Place, Step, Tap, Panel, Column } role;
  /// Of the tensor, in elements, and how many of them a copy moves.
  DimExpr size, stride;
  int64_t box = 1; // elements of a copy
  /// Outer: which of the view's outer dims.
  size_t number = 0;
  /// So many neighbours of what is counted are one here.
  int64_t repeats = 1;
  /// What the coordinate begins with.
  DimExpr first = 0;
};

/// How slices of one operand are copied, and lie in shared memory.
struct OperandMap {
  /// The group's tensor that it is, inputs first, and the type of its elements in memory.
  size_t number = 0;
  Type element; // in memory
  /// Outermost first.
  llvm::SmallVector<MapDim> dims;
  /// Where the places are pixels under a window, not a dim: their axes in the map, and the window.
  PixelAxes pixels; // empty: they are a dim
  Window window;    // with pixels only
  /// With pixels: the result's dims that are counted by places.
  dsc::Dims counted;
  /// Whether lines run along the inner dim, whose steps wgmma calls K.
  bool alongInner = true;
  /// Of a line in shared memory, and of the swizzle: 32, 64 or 128.
  int64_t lineBytes = 128;
  /// How many places a line has, or a group of lines for the same places.
  int64_t placesTogether = 0;
  /// Copies that bring a slice, each of `placesOfCopy`.
  int64_t copies = 1, placesOfCopy = 0;

  /// From a group of places to the next one, in bytes; where lines run along the inner dim that is of eight.
  int64_t groupBytes(int64_t slice) const { return alongInner ? 8 * lineBytes : slice * lineBytes; }
  /// From a place that is a multiple of 64 to the next one, in bytes.
  int64_t blockBytes(int64_t slice) const { return 64 / placesTogether * groupBytes(slice); }
  /// From a step to the one so many behind it, a multiple of 16; in bytes.
  int64_t stepsBytes(int64_t steps, int64_t elementBytes) const {
    return alongInner ? steps * elementBytes : steps * lineBytes;
  }

  /// Adds the map to the kernel; a pointer to it.
  Value add(Kernel &kernel) const;
  /// The coordinates of a box, innermost first, as the hardware counts them; i32.
  llvm::SmallVector<Value> coordinates(KernelBuilder &k, const BoxPlace &at) const;
  /// With pixels: how far the tap lies behind the window's first place, innermost first; i16. Else nothing.
  llvm::SmallVector<Value> offsets(KernelBuilder &k, const BoxPlace &at) const;

private:
  llvm::SmallVector<Value> pixelCoordinates(KernelBuilder &k, const BoxPlace &at) const;
};

/// The left or the right operand of a product, or of a convolution that is one, for tiles of so many places and slices
/// of so many steps; or why there is no map of it.
Verdict mapOperand(mlir::Operation *hero, bool isLhs, int64_t places, int64_t slice, OperandMap &map);
/// How many slices the inner dim has: of a convolution each place of the window has its own.
DimExpr countSlices(mlir::Operation *hero, int64_t slice);
/// How many slices each place of the window has; of a product, all.
DimExpr slicesOfTap(mlir::Operation *hero, int64_t slice);
/// The group's result, in boxes of so many rows and columns of the hero's matrix: a box's place is its row, its step a
/// column.
Verdict mapResult(dsc::GroupOp group, mlir::Operation *hero, int64_t rows, int64_t columns, OperandMap &map);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_OPERANDMAPS_H
