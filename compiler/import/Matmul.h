// Matrix products, as other families need them.

#ifndef DSCC_COMPILER_IMPORT_MATMUL_H
#define DSCC_COMPILER_IMPORT_MATMUL_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

/// dsc.matmul, with what must hold of its dims at run time.
mlir::Value makeMatmul(NodeImporter &node, mlir::Value a, mlir::Value b, bool transposeA = false,
                       bool transposeB = false);
/// The value as i32, less its zero point, if any: a scalar, or one for each row or column.
mlir::Value subtractZeroPoint(NodeImporter &node, mlir::Value value, mlir::Value zeroPoint, bool isRows);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_MATMUL_H
