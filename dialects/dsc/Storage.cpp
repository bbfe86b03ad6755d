#include "dialects/dsc/Storage.h"

using namespace mlir;

namespace dscc {

int64_t getElementBytes(Type elementType) { return std::max(1u, elementType.getIntOrFloatBitWidth() / 8); }

DimExpr countBytes(Type type) {
  return dsc::countElements(dsc::getDims(type)) * getElementBytes(cast<RankedTensorType>(type).getElementType());
}

DimExpr alignBytes(const DimExpr &bytes) { return DimExpr::ceilDiv(bytes, bufferAlignment) * bufferAlignment; }

Value getStorage(Value value) {
  while (auto view = value.getDefiningOp<dsc::ReshapeOp>())
    value = view.getInput();
  return value;
}

} // namespace dscc
