// Windows that slide over spatial dims: where a window's element lies in the input.

#ifndef DSCC_PASSES_KERNELS_WINDOW_H
#define DSCC_PASSES_KERNELS_WINDOW_H

#include "passes/kernels/ElementCode.h"

namespace dscc::kernels {

/// One entry a spatial dim.
struct Window {
  llvm::SmallVector<int64_t> size, strides, dilations, pads; // pads: all low ones, then all high ones

  /// How many spatial dims there are.
  size_t rank() const { return size.size(); }
  /// The input's coordinate for place `at` and window element `element`; may be outside.
  Index position(KernelBuilder &k, size_t i, const Index &at, const Index &element) const;
  /// The other way: the place whose window element `element` is coordinate `at` of the input; may be outside, and is
  /// where there is none.
  Index placeOf(KernelBuilder &k, size_t i, const Index &at, Value element) const;
  /// True if no place can lie outside along dim i.
  bool alwaysInside(size_t i) const { return pads[i] == 0 && pads[rank() + i] == 0; }
  /// `size` as the bounds of loops.
  llvm::SmallVector<DimExpr> sizeExprs() const;
};

/// The window that the op slides; for convolutions its size is the filter's.
Window windowOf(dsc::ConvOp op);
/// Whether the convolution makes each channel of one of its own.
bool isDepthwise(dsc::ConvOp op);
/// The same for a transposed convolution: it slides over the result.
Window windowOf(dsc::ConvTransposeOp op);
/// The same for a pool.
Window windowOf(dsc::MaxPoolOp op);
Window windowOf(dsc::ArgMaxPoolOp op);
Window windowOf(dsc::AveragePoolOp op);
/// The same for a sum of windows: it slides over the result.
Window windowOf(dsc::SumWindowsOp op);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_WINDOW_H
