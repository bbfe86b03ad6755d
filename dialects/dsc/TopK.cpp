#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

LogicalResult TopKOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor adaptor,
                                       Types &types) {
  Dims dims = dsc::getDims(adaptor.getInput());
  // top_k (C1)
  if (uint64_t(adaptor.getAxis()) >= dims.size())
    return emitOptionalError(location, "has axis ", int64_t(adaptor.getAxis()), ", which is outside [0, ", dims.size(),
                             ")");
  // top_k (C2)
  Dims k(adaptor.getK().getDims());
  if (k.size() != 1)
    return emitOptionalError(location, "has ", k.size(), " values of k, which must be one");
  DimExpr &size = dims[adaptor.getAxis()];
  if (k[0].isConstant() && size.isConstant() && k[0].constant() > size.constant())
    return emitOptionalError(location, "takes ", k[0].constant(), " elements of ", size.constant());
  size = k[0];
  if (failed(inferTensor(location, dims, getElementType(adaptor.getInput()), types)))
    return failure();
  return inferTensor(location, dims, IntegerType::get(context, 64), types);
}
