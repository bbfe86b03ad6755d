// Which ONNX nodes an op comes from. The importer locates each op at its node's name, and passes that make one op of
// several fuse their locations.

#ifndef DSCC_DIALECTS_DSC_NODES_H
#define DSCC_DIALECTS_DSC_NODES_H

#include "mlir/IR/Location.h"

namespace dscc {

/// The names of the ONNX nodes that a location carries, each once, in the order in which they were fused. Empty for
/// modules that were parsed without names. The names live as long as the context.
llvm::SmallVector<llvm::StringRef> collectNodes(mlir::Location location);

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_NODES_H
