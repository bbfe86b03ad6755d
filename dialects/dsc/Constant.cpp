#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc::dsc;

LogicalResult ConstantOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor, Types &types) {
  types.push_back(adaptor.getValue().getType());
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult DimsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor, Types &types) {
  // dims (C1)
  auto tensor = dyn_cast<RankedTensorType>(adaptor.getType());
  if (!tensor || tensor.getRank() > 1 || !tensor.hasStaticShape() || !isa<IntegerType>(tensor.getElementType()))
    return emitOptionalError(location, "has type ", adaptor.getType(),
                             ", which must be an integer tensor of rank 0 or 1");
  if (tensor.getNumElements() != int64_t(adaptor.getDims().size()))
    return emitOptionalError(location, "has ", adaptor.getDims().size(), " dims for ", tensor.getNumElements(),
                             " elements");
  types.push_back(tensor);
  return success();
}

OpFoldResult DimsOp::fold(FoldAdaptor) {
  SmallVector<DimExpr> dims = getDims().getDims();
  if (!llvm::all_of(dims, [](const DimExpr &dim) { return dim.isConstant(); }))
    return getDimsAttr();
  auto tensor = cast<RankedTensorType>(getResult().getType());
  auto element = cast<IntegerType>(tensor.getElementType());
  SmallVector<APInt> values;
  for (const DimExpr &dim : dims)
    values.push_back(APInt(64, dim.constant(), true).trunc(element.getWidth()));
  return DenseElementsAttr::get(tensor, values);
}

LogicalResult IotaOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor, Types &types) {
  // iota (C1)
  auto tensor = dyn_cast<RankedTensorType>(adaptor.getType());
  if (!tensor || adaptor.getAxis() >= uint64_t(tensor.getRank()))
    return emitOptionalError(location, "has axis ", int64_t(adaptor.getAxis()), " and type ", adaptor.getType());
  types.push_back(tensor);
  return success();
}
