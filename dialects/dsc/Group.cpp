#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc::dsc;

LogicalResult GroupOp::verify() {
  Block &block = getBody().front();
  // group (C1)
  if (block.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("has inputs ") << getInputs().getTypes() << " but a body that takes "
                                      << block.getArgumentTypes();
  // group (C2)
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError("must end in dsc.yield");
  if (yield.getOperandTypes() != getResultTypes())
    return emitOpError("yields ") << yield.getOperandTypes() << " but returns " << getResultTypes();
  return success();
}
