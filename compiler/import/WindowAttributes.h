// What a node says of the window that it slides over the spatial dims: convolutions and pools.

#ifndef DSCC_COMPILER_IMPORT_WINDOWATTRIBUTES_H
#define DSCC_COMPILER_IMPORT_WINDOWATTRIBUTES_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

/// One entry a spatial dim; checked to be positive and to fit the input.
struct WindowAttributes {
  /// Each positive.
  Integers size, strides, dilations;
  Integers pads; // all low ones, then all high ones
  /// Pads that depend on named dims (auto_pad with a stride), as `pads` is ordered; then `pads` is 0.
  dsc::Dims dynamicPads;
};

/// Reads strides, dilations, pads and auto_pad for a window of this size over the spatial dims of `input`.
std::optional<WindowAttributes> readWindow(NodeImporter &node, mlir::Value input, Integers size);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_WINDOWATTRIBUTES_H
