#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

/// scatter_elements and scatter_nd (C2), (C3), and the types of (C4)
static LogicalResult checkScatter(std::optional<Location> location, Value data, Value indices, Value updates,
                                  StringRef reduction) {
  Type type = getElementType(indices);
  if (!type.isSignlessInteger(32) && !type.isSignlessInteger(64))
    return emitOptionalError(location, "has indices of element type ", type, ", which must be i32 or i64");
  if (!llvm::is_contained({"none", "add", "mul", "max", "min"}, reduction))
    return emitOptionalError(location, "has the unknown reduction '", reduction, "'");
  if (getElementType(data) != getElementType(updates))
    return emitOptionalError(location, "has data of element type ", getElementType(data), " and updates of ",
                             getElementType(updates));
  return success();
}

LogicalResult ScatterElementsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                                  Types &types) {
  Value data = adaptor.getData(), indices = adaptor.getIndices(), updates = adaptor.getUpdates();
  if (failed(checkScatter(location, data, indices, updates, adaptor.getReduction())))
    return failure();
  // scatter_elements (C1), (C4)
  size_t rank = dsc::getDims(data).size();
  if (uint64_t(adaptor.getAxis()) >= rank)
    return emitOptionalError(location, "has axis ", int64_t(adaptor.getAxis()), " for data of rank ", rank);
  if (dsc::getDims(indices).size() != rank || dsc::getDims(updates).size() != rank)
    return emitOptionalError(location, "has data of rank ", rank, ", indices of rank ", dsc::getDims(indices).size(),
                             " and updates of rank ", dsc::getDims(updates).size());
  types.push_back(data.getType());
  return success();
}

LogicalResult ScatterNdOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                            Types &types) {
  Value data = adaptor.getData();
  Dims dims = dsc::getDims(data), indices = dsc::getDims(adaptor.getIndices()),
       updates = dsc::getDims(adaptor.getUpdates());
  if (failed(checkScatter(location, data, adaptor.getIndices(), adaptor.getUpdates(), adaptor.getReduction())))
    return failure();
  // scatter_nd (C1), (C4)
  if (indices.empty() || !indices.back().isConstant())
    return emitOptionalError(location, "has indices ", describeDims(indices), ", whose last dim must be a number");
  size_t tuple = indices.back().constant();
  Dims expected(ArrayRef(indices).drop_back());
  if (tuple <= dims.size())
    expected.append(dims.begin() + tuple, dims.end());
  // Numbers must agree now, expressions at run time.
  auto differ = [](const DimExpr &a, const DimExpr &b) { return a != b && a.isConstant() && b.isConstant(); };
  if (tuple > dims.size() || updates.size() != expected.size() ||
      llvm::any_of(llvm::zip_equal(updates, expected), [&](auto pair) { return std::apply(differ, pair); }))
    return emitOptionalError(location, "has updates ", describeDims(updates), " for data ", describeDims(dims),
                             " and indices ", describeDims(indices));
  types.push_back(data.getType());
  return success();
}
