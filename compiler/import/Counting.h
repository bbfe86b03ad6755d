// Tensors that count.

#ifndef DSCC_COMPILER_IMPORT_COUNTING_H
#define DSCC_COMPILER_IMPORT_COUNTING_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

/// 0 .. size-1 along `axis` of a tensor of rank `rank` whose other dims are 1.
mlir::Value countAlong(NodeImporter &node, const DimExpr &size, size_t axis, size_t rank, mlir::Type element);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_COUNTING_H
