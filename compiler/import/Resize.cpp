// Resize and its older form, Upsample.

#include "compiler/import/Converters.h"
#include "passes/canonical/EvaluateShapes.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;

namespace dscc {

namespace {
/// What the result is to be.
struct ResizedShape {
  dsc::Dims dims;
  SmallVector<double> scales; // NaN: follows from the dims
};
} // namespace

/// A whole number as a dim.
static DimExpr dimOf(double number) {
  if (number < 0x1p63)
    return DimExpr(int64_t(number));
  return DimExpr::invalid(llvm::formatv("{0:e}, which does not fit 64 bits", number).str());
}

/// size * scale, rounded down; nothing if that cannot be written as a dim.
static std::optional<DimExpr> scaleDim(const DimExpr &size, double scale) {
  if (!(scale > 0) || scale > 1e9)
    return std::nullopt;
  if (size.isConstant())
    return dimOf(std::floor(double(size.constant()) * scale));
  if (scale == std::floor(scale))
    return size * int64_t(scale);
  // A fraction like 0.5 or 1.5: the smallest denominator that makes it whole.
  for (int64_t denominator = 2; denominator <= 64; ++denominator)
    if (scale * denominator == std::floor(scale * denominator))
      return DimExpr::floorDiv(size * int64_t(scale * denominator), denominator);
  return std::nullopt;
}

/// Axes named by the node, or all.
static std::optional<Integers> readAxes(NodeImporter &node, int64_t rank) {
  std::optional<Integers> axes = node.integers("axes");
  if (!axes)
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  for (int64_t &axis : *axes) {
    std::optional<int64_t> inRange = node.normalizeAxis(axis, rank);
    if (!inRange)
      return std::nullopt;
    axis = *inRange;
  }
  return axes;
}

static LogicalResult resizeByScales(NodeImporter &node, ArrayRef<double> scales, ArrayRef<int64_t> axes,
                                    ResizedShape &resized) {
  if (scales.size() != axes.size())
    return node.reject("has " + Twine(scales.size()) + " scales for " + Twine(axes.size()) + " axes");
  for (auto [scale, axis] : llvm::zip_equal(scales, axes)) {
    std::optional<DimExpr> dim = scaleDim(resized.dims[axis], scale);
    if (!dim)
      return scale > 0 && scale <= 1e9
                 ? node.unsupported("scales a dynamic dim by " + std::to_string(scale), "fix the dim with --dim")
                 : node.reject("has a scale that is not positive");
    resized.dims[axis] = *dim;
    resized.scales[axis] = scale;
  }
  return success();
}

static LogicalResult resizeBySizes(NodeImporter &node, ArrayRef<DimExpr> sizes, ArrayRef<int64_t> axes,
                                   ResizedShape &resized) {
  if (sizes.size() != axes.size())
    return node.reject("has " + Twine(sizes.size()) + " sizes for " + Twine(axes.size()) + " axes");
  std::string policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch") {
    for (auto [size, axis] : llvm::zip_equal(sizes, axes))
      resized.dims[axis] = size;
    return success();
  }
  if (policy != "not_larger" && policy != "not_smaller")
    return node.reject("has the unknown policy '" + policy + "'");
  // One scale for all axes: the smallest or the largest that a size asks for.
  double common = policy == "not_larger" ? HUGE_VAL : 0;
  for (auto [size, axis] : llvm::zip_equal(sizes, axes)) {
    const DimExpr &dim = resized.dims[axis];
    if (size.isConstant() && size.constant() < 0)
      return node.reject("has a size of " + size.str());
    if (!size.isConstant() || !dim.isConstant() || dim.isConstant(0))
      return node.unsupported("keeps the aspect ratio of dynamic dims", "fix the dims with --dim");
    double scale = double(size.constant()) / double(dim.constant());
    common = policy == "not_larger" ? std::min(common, scale) : std::max(common, scale);
  }
  for (int64_t axis : axes) {
    // Halves round up, as ONNX's definition has it.
    resized.dims[axis] = dimOf(std::floor(double(resized.dims[axis].constant()) * common + 0.5));
    resized.scales[axis] = common;
  }
  return success();
}

static LogicalResult makeResize(NodeImporter &node, const ResizedShape &resized, StringRef coordinates,
                                StringRef rounding) {
  std::string mode = node.text("mode", "nearest");
  mode = mode == "bilinear" ? "linear" : mode; // Upsample's first name for it
  if (node.integer("antialias", 0))
    return node.unsupported("filters against aliasing", "Resize without antialias is supported");
  Value x = node.input(0);
  RankedTensorType type = node.tensorType(resized.dims, elementOf(x));
  UnitAttr outside = node.integer("exclude_outside", 0) ? node.builder.getUnitAttr() : UnitAttr();
  if (type == x.getType() && llvm::all_of(resized.scales, [](double s) { return std::isnan(s) || s == 1; }))
    return node.finish(x);
  return node.finish(
      node.makeTyped<dsc::ResizeOp>(type, x, node.builder.getStringAttr(mode), node.builder.getStringAttr(coordinates),
                                    node.builder.getStringAttr(rounding), node.builder.getF64ArrayAttr(resized.scales),
                                    node.builder.getF64FloatAttr(node.number("cubic_coeff_a", -0.75)), outside));
}

static bool isGiven(Value value) { return value && !dsc::countElements(dimsOf(value)).isConstant(0); }

static LogicalResult convertResize(NodeImporter &node) {
  Value x = node.input(0), scales = node.input(2), sizes = node.input(3);
  ResizedShape resized{dimsOf(x), SmallVector<double>(rankOf(x), std::nan(""))};
  std::string coordinates = node.text("coordinate_transformation_mode", "half_pixel");
  if (coordinates == "tf_crop_and_resize")
    return node.unsupported("crops while it resizes", "use Slice before Resize");
  std::optional<Integers> axes = readAxes(node, resized.dims.size());
  if (!axes)
    return failure();
  LogicalResult found = failure();
  if (isGiven(sizes)) {
    std::optional<dsc::Dims> known = node.known(sizes);
    if (!known)
      return node.unsupported("has sizes that are computed at run time", "compute the sizes from Shape of an input");
    found = resizeBySizes(node, *known, *axes, resized);
  } else {
    std::optional<SmallVector<double>> known = isGiven(scales) ? node.knownFloats(scales) : std::nullopt;
    if (!known)
      return node.unsupported("has scales that are computed at run time, or none", "make the scales a constant");
    found = resizeByScales(node, *known, *axes, resized);
  }
  if (mlir::failed(found))
    return failure();
  return makeResize(node, resized, coordinates, node.text("nearest_mode", "round_prefer_floor"));
}

/// Upsample, and Resize as it was in opset 10.
static LogicalResult convertUpsample(NodeImporter &node) {
  Value x = node.input(0);
  ResizedShape resized{dimsOf(x), SmallVector<double>(rankOf(x), std::nan(""))};
  std::optional<SmallVector<double>> scales =
      node.inputCount() > 1 && node.input(1) ? node.knownFloats(node.input(1)) : node.numbers("scales");
  if (!scales)
    return node.unsupported("has scales that are computed at run time, or none", "make the scales a constant");
  if (mlir::failed(resizeByScales(node, *scales, llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x))), resized)))
    return failure();
  return makeResize(node, resized, "asymmetric", "floor");
}

ArrayRef<Converter> resizeConverters() {
  static constexpr Converter entries[] = {
      {"", "Resize", 10, 2, 2, convertUpsample, "ieee+integers+bool, float"},
      {"", "Resize", 11, 1, 4, convertResize, "any, ieee, float, int64"},
      {"", "Upsample", 7, 1, 2, convertUpsample, "ieee+integers+bool, float"},
  };
  return entries;
}

} // namespace dscc
