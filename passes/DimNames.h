// Whether every name in a dim has a value at run time.

#ifndef DSCC_PASSES_DIMNAMES_H
#define DSCC_PASSES_DIMNAMES_H

#include "mlir/IR/BuiltinOps.h"

namespace dscc {

/// An error unless each row of the module's dsc.symbols names the dim of @main's input that it says, and each name in
/// a tensor's type, an attribute of dims or a launch is one of them.
mlir::LogicalResult verifyDimNames(mlir::ModuleOp top);

} // namespace dscc

#endif // DSCC_PASSES_DIMNAMES_H
