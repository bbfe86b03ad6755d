// Products and convolutions, a register tile at a time.

#include "passes/kernels/Emitters.h"

using namespace mlir;

namespace dscc::kernels {

DictionaryAttr scheduleTiles(dsc::GroupOp group, const Target &target) { return {}; }

LogicalResult emitTiles(Kernel &kernel) { return failure(); }

} // namespace dscc::kernels
