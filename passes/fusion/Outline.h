// Groups made of ops that have been chosen.

#ifndef DSCC_PASSES_FUSION_OUTLINE_H
#define DSCC_PASSES_FUSION_OUTLINE_H

#include "dialects/dsc/Dsc.h"

namespace dscc {

/// Wraps `ops`, in the order of the block, whose last is the root, in a dsc.group at the root's place. Only the results
/// of the root and of `second`, which may be null, are used by others.
dsc::GroupOp outline(llvm::ArrayRef<mlir::Operation *> ops, mlir::Operation *second);

} // namespace dscc

#endif // DSCC_PASSES_FUSION_OUTLINE_H
