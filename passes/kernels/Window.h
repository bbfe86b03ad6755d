// Windows that slide over spatial dims: where a window's element lies in the input.

#ifndef DSCC_PASSES_KERNELS_WINDOW_H
#define DSCC_PASSES_KERNELS_WINDOW_H

#include "passes/kernels/ElementCode.h"

namespace dscc::kernels {

struct Window {
  llvm::SmallVector<int64_t> size, strides, dilations, pads; // pads: all low ones, then all high ones

  size_t rank() const { return size.size(); }
  /// The input's coordinate for place `at` and window element `element`; may be outside.
  Index position(KernelBuilder &k, size_t i, const Index &at, const Index &element) const;
  /// True if no place can lie outside along dim i.
  bool alwaysInside(size_t i) const { return pads[i] == 0 && pads[rank() + i] == 0; }
  llvm::SmallVector<DimExpr> sizeExprs() const;
};

Window windowOf(dsc::ConvOp op);
Window windowOf(dsc::ConvTransposeOp op);
Window windowOf(dsc::MaxPoolOp op);
Window windowOf(dsc::AveragePoolOp op);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_WINDOW_H
