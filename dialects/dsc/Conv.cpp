#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

/// conv (C1)
static LogicalResult checkOperands(std::optional<Location> location, Value input, Value filter) {
  if (getElementType(input) == getElementType(filter))
    return success();
  return emitOptionalError(location, "has an input of element type ", getElementType(input), " and a filter of ",
                           getElementType(filter), ", which must be equal");
}

/// conv (C1), (C3), (C4)
static LogicalResult checkWindow(std::optional<Location> location, ArrayRef<DimExpr> input, ArrayRef<DimExpr> filter,
                                 ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads,
                                 int64_t groups) {
  if (input.size() != filter.size() || input.size() < 3)
    return emitOptionalError(location, "has an input ", describeDims(input), " and a filter ", describeDims(filter),
                             ", which must have one rank, at least 3");
  size_t spatial = input.size() - 2;
  if (strides.size() != spatial || dilations.size() != spatial || pads.size() != 2 * spatial)
    return emitOptionalError(location, "has ", strides.size(), " strides, ", dilations.size(), " dilations and ",
                             pads.size(), " pads for ", spatial, " spatial dims");
  auto notPositive = [](int64_t v) { return v <= 0; };
  if (llvm::any_of(strides, notPositive) || llvm::any_of(dilations, notPositive) || groups <= 0)
    return emitOptionalError(location, "has a stride, dilation or group count that is not positive");
  for (const DimExpr &dim : filter)
    if (!dim.isConstant())
      return emitOptionalError(location, "has a filter with the dynamic dims ", describeDims(filter),
                               "; the filter's dims must be numbers");
  return success();
}

LogicalResult ConvOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor, Types &types) {
  Dims input = dsc::getDims(adaptor.getInput()), filter = dsc::getDims(adaptor.getFilter());
  SmallVector<int64_t> strides = getIntegers(adaptor.getStrides()), dilations = getIntegers(adaptor.getDilations()),
                       pads = getIntegers(adaptor.getPads());
  int64_t groups = adaptor.getGroups();
  if (failed(checkOperands(location, adaptor.getInput(), adaptor.getFilter())) ||
      failed(checkWindow(location, input, filter, strides, dilations, pads, groups)))
    return failure();
  // conv (C2)
  ImageOrder order{adaptor.getChannelsLast(), strides.size()};
  const DimExpr &taken = filter[order.taken()], &made = filter[order.made()], &own = input[order.channel()];
  DimExpr channels = taken * groups;
  if (own != channels && own.isConstant())
    return emitOptionalError(location, "has ", own.str(), " input channels, but ", groups, " groups of ", taken.str(),
                             " filter channels need ", channels.str());
  if (made.constant() % groups != 0)
    return emitOptionalError(location, "has ", made.str(), " filters, which ", groups, " groups do not divide");
  Dims places;
  for (size_t i = 0; i < order.rank; ++i) {
    const DimExpr &size = input[order.spatial(i)], &window = filter[order.window(i)];
    places.push_back(windowDim(size, window.constant(), strides[i], dilations[i], pads[i], pads[order.rank + i],
                               /*ceilMode=*/false));
    if (places.back().isConstant() && places.back().constant() < 0)
      return emitOptionalError(location, "has a window of ", window.str(), " that does not fit ", size.str(),
                               " elements of spatial dim ", i);
  }
  return inferTensor(location, order.arrange<DimExpr>(input[0], made, places), getElementType(adaptor.getInput()),
                     types);
}

LogicalResult ConvTransposeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                                Types &types) {
  Dims input = dsc::getDims(adaptor.getInput()), filter = dsc::getDims(adaptor.getFilter());
  SmallVector<int64_t> strides = getIntegers(adaptor.getStrides()), dilations = getIntegers(adaptor.getDilations()),
                       pads = getIntegers(adaptor.getPads()), extra = getIntegers(adaptor.getOutputPadding());
  int64_t groups = adaptor.getGroups();
  if (failed(checkOperands(location, adaptor.getInput(), adaptor.getFilter())) ||
      failed(checkWindow(location, input, filter, strides, dilations, pads, groups)))
    return failure();
  if (extra.size() != strides.size())
    return emitOptionalError(location, "has ", extra.size(), " output paddings for ", strides.size(), " spatial dims");
  // conv_transpose (C2)
  if (input[1] != filter[0] && input[1].isConstant())
    return emitOptionalError(location, "has ", input[1].str(), " input channels, but the filter takes ",
                             filter[0].str());
  if (filter[0].constant() % groups != 0)
    return emitOptionalError(location, "has ", filter[0].str(), " filters, which ", groups, " groups do not divide");
  Dims dims = {input[0], filter[1] * groups};
  size_t spatial = strides.size();
  for (size_t i = 0; i < spatial; ++i)
    dims.push_back((input[i + 2] - 1) * strides[i] + (filter[i + 2] - 1) * dilations[i] + 1 - pads[i] -
                   pads[spatial + i] + extra[i]);
  return inferTensor(location, dims, getElementType(adaptor.getInput()), types);
}
