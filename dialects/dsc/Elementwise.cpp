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
  // bitcast (C2)
  Type from = getElementType(getInput()), to = getElementType(getResult());
  if (from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return emitOpError("reads ") << from << " as " << to << ", which has another width";
  return success();
}

LogicalResult WhereOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                        Types &types) {
  // where (C1), (C2)
  if (!getElementType(adaptor.getCondition()).isInteger(1))
    return emitOptionalError(location, "has a condition of element type ", getElementType(adaptor.getCondition()),
                             ", which must be boolean");
  if (failed(checkOneElementType(location, {adaptor.getIfTrue(), adaptor.getIfFalse()})))
    return failure();
  // where (C3)
  return inferBroadcastTo(location, adaptor.getOperands(), getElementType(adaptor.getIfTrue()), types);
}
