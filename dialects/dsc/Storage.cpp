#include "dialects/dsc/Storage.h"

#include "dialects/dsc/Windows.h"

using namespace mlir;

namespace dscc {

int64_t getElementBytes(Type elementType) { return std::max(1u, elementType.getIntOrFloatBitWidth() / 8); }

DimExpr countBytes(Type type) {
  return dsc::countElements(dsc::getDims(type)) * getElementBytes(cast<RankedTensorType>(type).getElementType());
}

DimExpr alignBytes(const DimExpr &bytes) { return DimExpr::ceilDiv(bytes, bufferAlignment) * bufferAlignment; }

Value getStorage(Value value) {
  for (;;) {
    if (!isView(value.getDefiningOp()))
      return value;
    value = value.getDefiningOp()->getOperand(0);
  }
}

} // namespace dscc
