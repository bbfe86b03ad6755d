// The window that conv and pooling slide over the spatial dims.

#ifndef DSCC_COMPILER_IMPORT_WINDOW_H
#define DSCC_COMPILER_IMPORT_WINDOW_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

struct Window {
  Integers size, strides, dilations;
  Integers pads; // all low ones, then all high ones
  /// Pads that depend on named dims (auto_pad with a stride), as `pads` is ordered; then `pads` is 0.
  dsc::Dims dynamicPads;
};

/// Reads strides, dilations, pads and auto_pad for a window of this size over the spatial dims of `input`.
std::optional<Window> readWindow(NodeImporter &node, mlir::Value input, Integers size);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_WINDOW_H
