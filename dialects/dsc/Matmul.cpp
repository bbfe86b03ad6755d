#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                         Types &types) {
  Dims lhs = dsc::getDims(adaptor.getLhs()), rhs = dsc::getDims(adaptor.getRhs());
  // matmul (C1)
  if (lhs.size() < 2 || rhs.size() < 2)
    return emitOptionalError(location, "multiplies ", describeDims(lhs), " by ", describeDims(rhs),
                             ", but both must have rank 2 or more");
  if (getElementType(adaptor.getLhs()) != getElementType(adaptor.getRhs()))
    return emitOptionalError(location, "has operands of element types ", getElementType(adaptor.getLhs()), " and ",
                             getElementType(adaptor.getRhs()), ", which must be equal");
  if (adaptor.getTransposeLhs())
    std::swap(lhs[lhs.size() - 1], lhs[lhs.size() - 2]);
  if (adaptor.getTransposeRhs())
    std::swap(rhs[rhs.size() - 1], rhs[rhs.size() - 2]);
  // matmul (C2): numbers must agree now, expressions at run time.
  const DimExpr &inner = lhs.back(), &other = rhs[rhs.size() - 2];
  if (inner != other && inner.isConstant() && other.isConstant())
    return emitOptionalError(location, "multiplies ", describeDims(lhs), " by ", describeDims(rhs),
                             ": the inner sizes ", inner.str(), " and ", other.str(), " differ");
  // matmul (C3)
  std::optional<Dims> batch = broadcastDims(ArrayRef(lhs).drop_back(2), ArrayRef(rhs).drop_back(2));
  if (!batch)
    return emitOptionalError(location, "cannot broadcast the leading dims of ", describeDims(lhs), " and ",
                             describeDims(rhs));
  batch->push_back(lhs[lhs.size() - 2]);
  batch->push_back(rhs.back());
  // matmul (C4)
  Type element = adaptor.getAccumulator() ? *adaptor.getAccumulator() : getElementType(adaptor.getLhs());
  if (!isElementType(element))
    return emitOptionalError(location, "accumulates in ", element, ", which is no element type");
  return inferTensor(location, *batch, element, types);
}
