// What the compiler's MLIR contexts know.

#ifndef DSCC_COMPILER_REGISTRATION_H
#define DSCC_COMPILER_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"

namespace dscc {

/// dsc, the dialects that it is lowered to, and their translations to LLVM IR.
void registerDialects(mlir::DialectRegistry &registry);

} // namespace dscc

#endif // DSCC_COMPILER_REGISTRATION_H
