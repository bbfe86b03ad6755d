// Convolutions, and the window that pooling shares with them.

#include "compiler/import/Conv.h"

#include "compiler/import/Converters.h"
#include "compiler/import/Matmul.h"
#include "compiler/import/WindowAttributes.h"

using namespace mlir;

namespace dscc {

/// Pads that make the result as large as the input over the stride, rounded up.
static void padToSame(WindowAttributes &window, ArrayRef<DimExpr> spatialDims, bool upper) {
  size_t spatial = spatialDims.size();
  dsc::Dims pads(2 * spatial, DimExpr(0));
  for (size_t i = 0; i < spatial; ++i) {
    DimExpr reach = (window.size[i] - 1) * window.dilations[i] + 1;
    DimExpr total =
        (DimExpr::ceilDiv(spatialDims[i], window.strides[i]) - 1) * window.strides[i] + reach - spatialDims[i];
    if (!total.isNonNegative())
      total = DimExpr::max(0, total);
    DimExpr less = DimExpr::floorDiv(total, 2);
    pads[i] = upper ? less : total - less;
    pads[spatial + i] = upper ? total - less : less;
  }
  if (llvm::all_of(pads, [](const DimExpr &pad) { return pad.isConstant(); }))
    window.pads = llvm::map_to_vector(pads, [](const DimExpr &pad) { return pad.constant(); });
  else
    window.dynamicPads = pads;
}

std::optional<WindowAttributes> readWindow(NodeImporter &node, Value input, Integers size) {
  size_t spatial = size.size();
  dsc::Dims dims = dimsOf(input);
  auto complain = [&](const Twine &message) -> std::optional<WindowAttributes> {
    (void)node.reject(message);
    return std::nullopt;
  };
  if (dims.size() != spatial + 2)
    return complain("has a window of " + Twine(spatial) + " dims for an input of rank " + Twine(dims.size()));
  WindowAttributes window{size,
                          node.integers("strides").value_or(Integers(spatial, 1)),
                          node.integers("dilations").value_or(Integers(spatial, 1)),
                          node.integers("pads").value_or(Integers(2 * spatial, 0)),
                          {}};
  if (window.strides.size() != spatial || window.dilations.size() != spatial || window.pads.size() != 2 * spatial)
    return complain("has " + Twine(window.strides.size()) + " strides, " + Twine(window.dilations.size()) +
                    " dilations and " + Twine(window.pads.size()) + " pads for " + Twine(spatial) + " spatial dims");
  auto outOfRange = [](int64_t value) { return value < 1 || value > (int64_t(1) << 31); };
  if (llvm::any_of(llvm::concat<int64_t>(window.size, window.strides, window.dilations), outOfRange))
    return complain("has a window, stride or dilation that is not positive");
  if (llvm::any_of(window.pads, [](int64_t pad) { return pad < 0 || pad > (int64_t(1) << 31); }))
    return complain("has a pad that is negative or too large");
  std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
    padToSame(window, ArrayRef(dims).drop_front(2), mode == "SAME_UPPER");
  else if (mode == "VALID")
    window.pads.assign(2 * spatial, 0);
  else if (mode != "NOTSET" && !mode.empty())
    return complain("has the unknown auto_pad '" + mode + "'");
  if (!window.dynamicPads.empty())
    window.pads.assign(2 * spatial, 0);
  return window;
}

/// The spatial dims of a filter, or nothing and a problem: they must be numbers.
static std::optional<Integers> filterWindow(NodeImporter &node, Value filter) {
  dsc::Dims dims = dimsOf(filter);
  if (dims.size() < 3) {
    (void)node.reject("has a filter of rank " + Twine(dims.size()) + ", which must be 3 or more");
    return std::nullopt;
  }
  if (!llvm::all_of(dims, [](const DimExpr &dim) { return dim.isConstant(); })) {
    (void)node.unsupported("has a filter with dynamic dims " + dsc::describeDims(dims),
                           "fix the filter's dims with --shape, or make it an initialiser");
    return std::nullopt;
  }
  Integers size = llvm::map_to_vector(ArrayRef(dims).drop_front(2), [](const DimExpr &dim) { return dim.constant(); });
  std::optional<Integers> declared = node.integers("kernel_shape");
  if (declared && *declared != size) {
    (void)node.reject("has a kernel_shape that is not the filter's");
    return std::nullopt;
  }
  return size;
}

static Value addBias(NodeImporter &node, Value result, Value bias) {
  if (!bias || !result)
    return result;
  if (rankOf(bias) != 1) {
    (void)node.reject("has a bias of rank " + Twine(rankOf(bias)) + ", which must be 1");
    return {};
  }
  dsc::Dims dims(rankOf(result) - 1, DimExpr(1));
  dims[0] = dimsOf(bias)[0];
  if (mlir::failed(node.requireEqual(dims[0], dimsOf(result)[1], "bias and result channels")))
    return {};
  return node.add(result, node.reshape(bias, dims));
}

static Value padBorders(NodeImporter &node, Value x, ArrayRef<DimExpr> pads) {
  size_t spatial = pads.size() / 2;
  dsc::Dims lows(2, DimExpr(0)), highs(2, DimExpr(0));
  lows.append(pads.begin(), pads.begin() + spatial);
  highs.append(pads.begin() + spatial, pads.end());
  return node.make<dsc::PadOp>(x, node.scalarLike(x, 0), node.dimsAttribute(lows), node.dimsAttribute(highs));
}

Value makeConv(NodeImporter &node, Value x, Value filter) {
  if (!x || !filter)
    return {};
  std::optional<Integers> size = filterWindow(node, filter);
  std::optional<WindowAttributes> window = size ? readWindow(node, x, *size) : std::nullopt;
  int64_t groups = node.integer("group", 1);
  if (!window)
    return {};
  if (groups < 1 || groups > (int64_t(1) << 31)) {
    (void)node.reject("has " + Twine(groups) + " groups");
    return {};
  }
  if (mlir::failed(node.requireEqual(dimsOf(x)[1], dimsOf(filter)[1] * groups, "channels")))
    return {};
  if (!window->dynamicPads.empty())
    x = padBorders(node, x, window->dynamicPads);
  return node.make<dsc::ConvOp>(x, filter, node.attribute(window->strides), node.attribute(window->dilations),
                                node.attribute(window->pads), groups);
}

static LogicalResult convertConv(NodeImporter &node) {
  return node.finish(addBias(node, makeConv(node, node.input(0), node.input(1)), node.input(2)));
}

static LogicalResult convertConvInteger(NodeImporter &node) {
  Value x = subtractZeroPoint(node, node.input(0), node.input(2), /*isRows=*/false);
  Value filter = node.input(1), zero = node.input(3);
  // A zero point for each output channel stands along the filter's first dim.
  if (zero && rankOf(zero) == 1 && !dimsOf(zero)[0].isConstant(1)) {
    dsc::Dims dims(rankOf(filter), DimExpr(1));
    dims[0] = dimsOf(zero)[0];
    zero = node.reshape(zero, dims);
  }
  return node.finish(makeConv(node, x, subtractZeroPoint(node, filter, zero, /*isRows=*/false)));
}

/// Pads and output padding of a transposed convolution from auto_pad and output_shape.
static LogicalResult fitTransposed(NodeImporter &node, ArrayRef<DimExpr> dims, WindowAttributes &window,
                                   Integers &extra) {
  std::string mode = node.text("auto_pad", "NOTSET");
  bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  std::optional<Integers> shape = node.integers("output_shape");
  size_t spatial = window.size.size();
  if (!same && !shape)
    return success();
  if (shape && shape->size() == spatial + 2)
    shape->erase(shape->begin(), shape->begin() + 2);
  if (shape && shape->size() != spatial)
    return node.reject("has an output_shape of " + Twine(shape->size()) + " dims");
  for (size_t i = 0; i < spatial; ++i) {
    if (shape && (*shape)[i] < 0)
      return node.reject("has an output_shape of " + Twine((*shape)[i]) + " elements");
    DimExpr wanted = shape ? DimExpr((*shape)[i]) : dims[i + 2] * window.strides[i];
    DimExpr total =
        (dims[i + 2] - 1) * window.strides[i] + extra[i] + (window.size[i] - 1) * window.dilations[i] + 1 - wanted;
    if (!node.areValid(total, "pads"))
      return failure();
    if (!total.isConstant())
      return node.unsupported("has an output_shape for an input with dynamic dims", "give it pads instead");
    int64_t pads = std::max<int64_t>(0, total.constant());
    // What is missing for the size wanted is added at the end.
    DimExpr missing = pads + (DimExpr(extra[i]) - total);
    if (!node.areValid(missing, "an output padding"))
      return failure();
    extra[i] = missing.constant();
    int64_t less = pads / 2;
    window.pads[i] = mode == "SAME_UPPER" ? less : pads - less;
    window.pads[spatial + i] = pads - window.pads[i];
  }
  return success();
}

static LogicalResult convertConvTranspose(NodeImporter &node) {
  Value x = node.input(0), filter = node.input(1);
  std::optional<Integers> size = filterWindow(node, filter);
  std::optional<WindowAttributes> window = size ? readWindow(node, x, *size) : std::nullopt;
  if (!window)
    return failure();
  size_t spatial = size->size();
  Integers extra = node.integers("output_padding").value_or(Integers(spatial, 0));
  if (extra.size() != spatial)
    return node.reject("has " + Twine(extra.size()) + " output paddings for " + Twine(spatial) + " spatial dims");
  if (llvm::any_of(extra, [](int64_t e) { return e < 0 || e > (int64_t(1) << 31); }))
    return node.reject("has an output padding that is negative or too large");
  if (std::string mode = node.text("auto_pad", "NOTSET"); mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    window->dynamicPads.clear();
    window->pads.assign(2 * spatial, 0);
  }
  int64_t groups = node.integer("group", 1);
  if (groups < 1 || groups > (int64_t(1) << 31))
    return node.reject("has " + Twine(groups) + " groups");
  if (mlir::failed(fitTransposed(node, dimsOf(x), *window, extra)) ||
      mlir::failed(node.requireEqual(dimsOf(x)[1], dimsOf(filter)[0], "channels")))
    return failure();
  Value result =
      node.make<dsc::ConvTransposeOp>(x, filter, node.attribute(window->strides), node.attribute(window->dilations),
                                      node.attribute(window->pads), node.attribute(extra), groups);
  return node.finish(addBias(node, result, node.input(2)));
}

ArrayRef<Converter> convConverters() {
  static constexpr Converter entries[] = {
      {"", "Conv", 1, 2, 3, convertConv, "T=floats, T, T"},
      {"", "ConvInteger", 10, 2, 4, convertConvInteger, "T1=int8+uint8, T2=int8+uint8, T1, T2"},
      {"", "ConvTranspose", 1, 2, 3, convertConvTranspose, "T=floats, T, T"},
  };
  return entries;
}

} // namespace dscc
