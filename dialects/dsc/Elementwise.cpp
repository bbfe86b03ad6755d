#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc::dsc;

LogicalResult CastOp::verify() {
  // cast (C1)
  if (dsc::getDims(getInput()) != dsc::getDims(getResult()))
    return emitOpError("turns ") << describeDims(dsc::getDims(getInput())) << " into "
                                 << describeDims(dsc::getDims(getResult())) << ", but a cast keeps the dims";
  return success();
}

/// A cast to the same type is its input.
OpFoldResult CastOp::fold(FoldAdaptor) { return getInput().getType() == getResult().getType() ? getInput() : Value(); }

LogicalResult BitcastOp::verify() {
  // bitcast (C1)
  if (dsc::getDims(getInput()) != dsc::getDims(getResult()))
    return emitOpError("changes the dims");
  Type from = getElementType(getInput()), to = getElementType(getResult());
  if (from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return emitOpError("reads ") << from << " as " << to << ", which has another width";
  return success();
}
