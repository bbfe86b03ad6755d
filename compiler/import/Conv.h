// Convolution, as other families need it.

#ifndef DSCC_COMPILER_IMPORT_CONV_H
#define DSCC_COMPILER_IMPORT_CONV_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

/// dsc.conv with the node's attributes.
mlir::Value makeConv(NodeImporter &node, mlir::Value x, mlir::Value filter);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_CONV_H
