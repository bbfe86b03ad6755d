#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

static LogicalResult checkIndexType(std::optional<Location> location, Value indices) {
  Type type = getElementType(indices);
  if (!type.isSignlessInteger(32) && !type.isSignlessInteger(64))
    return emitOptionalError(location, "has indices of element type ", type, ", which must be i32 or i64");
  return success();
}

static LogicalResult checkGather(std::optional<Location> location, Value data, Value indices, uint64_t axis) {
  // gather (C1), (C2)
  if (axis >= dsc::getDims(data).size())
    return emitOptionalError(location, "has axis ", int64_t(axis), " for data of rank ", dsc::getDims(data).size());
  return checkIndexType(location, indices);
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
  // gather_elements (C3)
  if (data.size() != indices.size())
    return emitOptionalError(location, "has data of rank ", data.size(), " and indices of rank ", indices.size());
  return inferTensor(location, indices, getElementType(adaptor.getData()), types);
}

LogicalResult GatherNdOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                           Types &types) {
  Dims data = dsc::getDims(adaptor.getData()), indices = dsc::getDims(adaptor.getIndices());
  size_t batch = adaptor.getBatchDims();
  // gather_nd (C3)
  if (failed(checkIndexType(location, adaptor.getIndices())))
    return failure();
  // gather_nd (C1)
  if (indices.empty() || !indices.back().isConstant())
    return emitOptionalError(location, "has indices ", describeDims(indices), ", whose last dim must be a number");
  size_t tuple = indices.back().constant();
  // gather_nd (C4)
  if (batch >= indices.size() || tuple > data.size() || batch > data.size() - tuple)
    return emitOptionalError(location, "indexes ", int64_t(tuple), " dims after ", int64_t(batch),
                             " batch dims of data with rank ", data.size());
  // gather_nd (C2): numbers must agree now, expressions at run time.
  for (size_t i = 0; i < batch; ++i)
    if (data[i] != indices[i] && data[i].isConstant() && indices[i].isConstant())
      return emitOptionalError(location, "has batch dim ", i, " of ", data[i].str(), " in the data and of ",
                               indices[i].str(), " in the indices");
  Dims dims(indices.begin(), indices.end() - 1);
  dims.append(data.begin() + batch + tuple, data.end());
  return inferTensor(location, dims, getElementType(adaptor.getData()), types);
}
