#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

static LogicalResult checkGather(std::optional<Location> location, Value data, Value indices, uint64_t axis) {
  // gather (C1), (C2)
  if (axis >= dsc::getDims(data).size())
    return emitOptionalError(location, "has axis ", axis, " for data of rank ", dsc::getDims(data).size());
  Type type = getElementType(indices);
  if (!type.isSignlessInteger(32) && !type.isSignlessInteger(64))
    return emitOptionalError(location, "has indices of element type ", type, ", which must be i32 or i64");
  return success();
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                         Types &types) {
  if (failed(checkGather(location, adaptor.getData(), adaptor.getIndices(), adaptor.getAxis())))
    return failure();
  Dims data = dsc::getDims(adaptor.getData()), indices = dsc::getDims(adaptor.getIndices());
  Dims dims(data.begin(), data.begin() + adaptor.getAxis());
  dims.append(indices);
  dims.append(data.begin() + adaptor.getAxis() + 1, data.end());
  return inferTensor(location, dims, getElementType(adaptor.getData()), types);
}

LogicalResult GatherElementsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                                 Types &types) {
  if (failed(checkGather(location, adaptor.getData(), adaptor.getIndices(), adaptor.getAxis())))
    return failure();
  Dims data = dsc::getDims(adaptor.getData()), indices = dsc::getDims(adaptor.getIndices());
  if (data.size() != indices.size())
    return emitOptionalError(location, "has data of rank ", data.size(), " and indices of rank ", indices.size());
  return inferTensor(location, indices, getElementType(adaptor.getData()), types);
}

LogicalResult GatherNdOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                           Types &types) {
  Dims data = dsc::getDims(adaptor.getData()), indices = dsc::getDims(adaptor.getIndices());
  size_t batch = adaptor.getBatchDims();
  // gather_nd (C1)
  if (indices.empty() || !indices.back().isConstant())
    return emitOptionalError(location, "has indices ", describeDims(indices), ", whose last dim must be a number");
  size_t tuple = indices.back().constant();
  if (batch >= indices.size() || batch + tuple > data.size())
    return emitOptionalError(location, "indexes ", tuple, " dims after ", batch, " batch dims of data with rank ",
                             data.size());
  Dims dims(indices.begin(), indices.end() - 1);
  dims.append(data.begin() + batch + tuple, data.end());
  return inferTensor(location, dims, getElementType(adaptor.getData()), types);
}
