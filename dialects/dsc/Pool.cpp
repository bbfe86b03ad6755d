#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

static LogicalResult inferPool(std::optional<Location> location, Value input, ArrayAttr windowAttr,
                               ArrayAttr strideAttr, ArrayAttr dilationAttr, ArrayAttr padAttr, bool ceilMode,
                               bool channelsLast, Types &types) {
  Dims dims = dsc::getDims(input);
  SmallVector<int64_t> window = getIntegers(windowAttr), strides = getIntegers(strideAttr),
                       dilations = getIntegers(dilationAttr), pads = getIntegers(padAttr);
  size_t spatial = window.size();
  // max_pool (C1)
  if (dims.size() != spatial + 2 || strides.size() != spatial || dilations.size() != spatial ||
      pads.size() != 2 * spatial)
    return emitOptionalError(location, "has ", spatial, " window sizes, ", strides.size(), " strides, ",
                             dilations.size(), " dilations and ", pads.size(), " pads for an input of rank ",
                             dims.size());
  // max_pool (C2)
  ImageOrder order{channelsLast, spatial};
  for (size_t i = 0; i < spatial; ++i) {
    if (strides[i] <= 0 || dilations[i] <= 0 || window[i] <= 0)
      return emitOptionalError(location, "has a window, stride or dilation that is not positive");
    DimExpr &dim = dims[order.spatial(i)];
    dim = windowDim(dim, window[i], strides[i], dilations[i], pads[i], pads[spatial + i], ceilMode);
    if (dim.isConstant() && dim.constant() < 0)
      return emitOptionalError(location, "has a window of ", window[i], " that does not fit spatial dim ", i);
  }
  return inferTensor(location, dims, getElementType(input), types);
}

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                          Types &types) {
  return inferPool(location, adaptor.getInput(), adaptor.getWindow(), adaptor.getStrides(), adaptor.getDilations(),
                   adaptor.getPads(), adaptor.getCeilMode(), adaptor.getChannelsLast(), types);
}

LogicalResult ArgMaxPoolOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor adaptor,
                                             Types &types) {
  if (failed(inferPool(location, adaptor.getInput(), adaptor.getWindow(), adaptor.getStrides(), adaptor.getDilations(),
                       adaptor.getPads(), adaptor.getCeilMode(), /*channelsLast=*/false, types)))
    return failure();
  types.push_back(makeTensor(dsc::getDims(types.back()), IntegerType::get(context, 64)));
  return success();
}

LogicalResult AveragePoolOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                              Types &types) {
  return inferPool(location, adaptor.getInput(), adaptor.getWindow(), adaptor.getStrides(), adaptor.getDilations(),
                   adaptor.getPads(), adaptor.getCeilMode(), adaptor.getChannelsLast(), types);
}

LogicalResult SumWindowsOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                             Types &types) {
  Dims dims = dsc::getDims(adaptor.getInput());
  SmallVector<int64_t> window = getIntegers(adaptor.getWindow()), strides = getIntegers(adaptor.getStrides()),
                       dilations = getIntegers(adaptor.getDilations()), pads = getIntegers(adaptor.getPads()),
                       sizes = getIntegers(adaptor.getSizes());
  size_t spatial = window.size();
  // sum_windows (C1)
  if (dims.size() != spatial + 2 || strides.size() != spatial || dilations.size() != spatial ||
      pads.size() != 2 * spatial || sizes.size() != spatial)
    return emitOptionalError(location, "has ", spatial, " window sizes, ", strides.size(), " strides, ",
                             dilations.size(), " dilations, ", pads.size(), " pads and ", sizes.size(),
                             " sizes for an input of rank ", dims.size());
  // sum_windows (C2)
  int64_t elements = 1;
  for (size_t i = 0; i < spatial; ++i) {
    if (strides[i] <= 0 || dilations[i] <= 0 || window[i] <= 0)
      return emitOptionalError(location, "has a window, stride or dilation that is not positive");
    if (llvm::MulOverflow(elements, window[i], elements))
      return emitOptionalError(location, "has a window of more elements than 64 bits count");
  }
  std::optional<DimExpr> channels = DimExpr::exactDiv(dims[1], elements);
  if (!channels)
    return emitOptionalError(location, "has ", dims[1].str(), " channels, which are no multiple of the ", elements,
                             " elements of the window");
  Dims result = {dims[0], *channels};
  // sum_windows (C3)
  for (size_t i = 0; i < spatial; ++i) {
    DimExpr places =
        windowDim(sizes[i], window[i], strides[i], dilations[i], pads[i], pads[spatial + i], /*ceilMode=*/false);
    if (places != dims[i + 2])
      return emitOptionalError(location, "has ", dims[i + 2].str(), " places along spatial dim ", i, ", where ",
                               sizes[i], " elements have ", places.str(), " windows");
    result.push_back(sizes[i]);
  }
  return inferTensor(location, result, getElementType(adaptor.getInput()), types);
}
