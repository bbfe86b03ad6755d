// Slice and CenterCropPad. Starts and ends are brought into range here, as ONNX says, so that dsc.slice need not.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

static DimExpr clampBelow(const DimExpr &value, const DimExpr &low) {
  if (DimExpr::isAtLeast(value, low))
    return value;
  return DimExpr::isAtLeast(low, value) ? low : DimExpr::max(value, low);
}

static DimExpr clampAbove(const DimExpr &value, const DimExpr &high) {
  if (DimExpr::isAtLeast(high, value))
    return value;
  return DimExpr::isAtLeast(value, high) ? high : DimExpr::min(value, high);
}

/// Exporters write the largest numbers for "to the end", larger than any dim. Some write a billion: then the dim's
/// range is bounded by it, which keeps min(1000000000, n) out of every dim that follows.
static constexpr int64_t endless = int64_t(1) << 31, billion = 1'000'000'000;

/// The place that ONNX means by `place` of a dim with `size` elements, within [low, high].
static DimExpr placeIn(NodeImporter &node, const DimExpr &place, const DimExpr &size, const DimExpr &low,
                       const DimExpr &high) {
  if (place.isConstant() && size.isConstant()) // a negative place and a size have a sum that fits
    return std::clamp(place.constant() < 0 ? place.constant() + size.constant() : place.constant(), low.constant(),
                      std::max(low.constant(), high.constant()));
  if (place.isConstant() && place.constant() >= billion && node.shared.facts.limitDim(size, place.constant()))
    return high;
  if (place.isConstant() && place.constant() >= endless - 1)
    return high;
  if (place.isConstant() && place.constant() <= -endless)
    return low;
  bool isNegative = place.isConstant() ? place.constant() < 0 : (DimExpr(-1) - place).isNonNegative();
  return clampAbove(clampBelow(isNegative ? size + place : place, low), high);
}

struct Cut {
  DimExpr start, size;
};

static Cut cutDim(NodeImporter &node, const DimExpr &size, const DimExpr &from, const DimExpr &to, int64_t step) {
  bool forward = step > 0;
  DimExpr low = forward ? 0 : -1, high = forward ? size : size - 1;
  DimExpr start = placeIn(node, from, size, 0, high);
  if (!forward && size.isConstant(0))
    return {0, 0};
  // Beyond the end, a forward slice is empty wherever it starts: that keeps min(1, n) out of the dims.
  if (forward && !start.isConstant() && from.isConstant() && from.constant() >= 0)
    start = from;
  DimExpr end = placeIn(node, to, size, low, high);
  DimExpr count = DimExpr::ceilDiv(forward ? end - start : start - end, std::abs(step));
  return {start, clampBelow(count, 0)};
}

/// The sign of a dim expression decides how ONNX reads it.
static bool hasKnownSign(const DimExpr &place) {
  return place.isConstant() || place.isNonNegative() || (DimExpr(-1) - place).isNonNegative();
}

struct Bounds {
  dsc::Dims starts, ends;
  Integers axes, steps;
};

static LogicalResult sliceBy(NodeImporter &node, Bounds bounds) {
  Value x = node.input(0);
  dsc::Dims dims = dimsOf(x), starts(dims.size(), DimExpr(0)), sizes = dims;
  Integers steps(dims.size(), 1);
  if (bounds.ends.size() != bounds.starts.size() || bounds.axes.size() != bounds.starts.size() ||
      bounds.steps.size() != bounds.starts.size())
    return node.reject("has " + Twine(bounds.starts.size()) + " starts, " + Twine(bounds.ends.size()) + " ends, " +
                       Twine(bounds.axes.size()) + " axes and " + Twine(bounds.steps.size()) + " steps");
  SmallVector<bool> seen(dims.size());
  for (size_t i = 0; i < bounds.starts.size(); ++i) {
    std::optional<int64_t> axis = node.normalizeAxis(bounds.axes[i], dims.size());
    if (!axis)
      return failure();
    if (seen[*axis])
      return node.reject("names axis " + Twine(*axis) + " twice");
    seen[*axis] = true;
    // A step beyond any dim takes one element, as a step of 2^31 does. Of a dim that is a number the size is enough.
    int64_t most = dims[*axis].isConstant() ? std::max<int64_t>(dims[*axis].constant(), 1) : endless;
    int64_t step = std::clamp(bounds.steps[i], -most, most);
    if (step == 0)
      return node.reject("has a step of 0");
    if (!hasKnownSign(bounds.starts[i]) || !hasKnownSign(bounds.ends[i]))
      return node.unsupported("has a start or end that may be negative or not, as the dims will have it",
                              "fix the dims that it depends on with --dim");
    Cut cut = cutDim(node, dims[*axis], bounds.starts[i], bounds.ends[i], step);
    starts[*axis] = cut.start;
    sizes[*axis] = cut.size;
    steps[*axis] = step;
  }
  return node.finish(node.slice(x, starts, sizes, steps));
}

static Integers allAxes(size_t count) { return llvm::to_vector(llvm::seq<int64_t>(0, count)); }

static LogicalResult convertSliceByAttributes(NodeImporter &node) {
  Integers starts = node.integers("starts").value_or(Integers()), ends = node.integers("ends").value_or(Integers());
  Integers axes = node.integers("axes").value_or(allAxes(starts.size()));
  return sliceBy(node, {dsc::Dims(starts.begin(), starts.end()), dsc::Dims(ends.begin(), ends.end()), axes,
                        Integers(starts.size(), 1)});
}

static LogicalResult convertSlice(NodeImporter &node) {
  for (size_t i = 1; i < 5; ++i)
    if (mlir::failed(node.requireList(i)))
      return failure();
  std::optional<dsc::Dims> starts = node.known(node.input(1)), ends = node.known(node.input(2));
  std::optional<Integers> axes =
      node.input(3) ? node.knownIntegers(node.input(3)) : std::optional(allAxes(starts ? starts->size() : 0));
  std::optional<Integers> steps =
      node.input(4) ? node.knownIntegers(node.input(4)) : std::optional(Integers(starts ? starts->size() : 0, 1));
  if (!starts || !ends || !axes || !steps)
    return node.unsupported("has bounds that are computed at run time", "make starts, ends, axes and steps constants");
  return sliceBy(node, {*starts, *ends, *axes, *steps});
}

static LogicalResult convertCenterCropPad(NodeImporter &node) {
  Value x = node.input(0);
  dsc::Dims dims = dimsOf(x);
  std::optional<Integers> shape = node.knownIntegers(node.input(1));
  if (!shape)
    return node.unsupported("has a shape that is computed at run time", "make the shape a constant");
  Integers axes = node.integers("axes").value_or(allAxes(dims.size()));
  if (axes.size() != shape->size())
    return node.reject("has " + Twine(axes.size()) + " axes for " + Twine(shape->size()) + " sizes");
  dsc::Dims starts(dims.size(), DimExpr(0)), sizes = dims, lows(dims.size(), DimExpr(0)), highs = lows;
  for (size_t i = 0; i < axes.size(); ++i) {
    std::optional<int64_t> axis = node.normalizeAxis(axes[i], dims.size());
    if (!axis)
      return failure();
    DimExpr size = dims[*axis], wanted = (*shape)[i];
    if (!size.isConstant())
      return node.unsupported("crops or pads a dynamic dim", "fix the dim with --dim");
    if (DimExpr::isAtLeast(size, wanted)) {
      starts[*axis] = DimExpr::floorDiv(size - wanted, 2);
      sizes[*axis] = wanted;
    } else {
      lows[*axis] = DimExpr::floorDiv(wanted - size, 2);
      highs[*axis] = wanted - size - lows[*axis];
    }
  }
  Value part = node.slice(x, starts, sizes, Integers(dims.size(), 1));
  return node.finish(
      node.make<dsc::PadOp>(part, node.scalarLike(x, 0), node.dimsAttribute(lows), node.dimsAttribute(highs)));
}

ArrayRef<Converter> sliceConverters() {
  static constexpr Converter entries[] = {
      {"", "Slice", 1, 1, 1, convertSliceByAttributes, "ieee+integers+bool"},
      {"", "Slice", 10, 3, 5, convertSlice, "any, Tind=index, Tind, Tind, Tind"},
      {"", "CenterCropPad", 18, 2, 2, convertCenterCropPad, "any, index"},
  };
  return entries;
}

} // namespace dscc
