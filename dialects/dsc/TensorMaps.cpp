#include "dialects/dsc/TensorMaps.h"

using namespace mlir;

namespace dscc {

DictionaryAttr encodeTensorMap(MLIRContext *context, const TensorMap &map) {
  Builder b(context);
  SmallVector<NamedAttribute> parts = {b.getNamedAttr("tensor", b.getI64IntegerAttr(map.tensor)),
                                       b.getNamedAttr("element", TypeAttr::get(map.element)),
                                       b.getNamedAttr("dims", dsc::DimsAttr::get(context, map.dims)),
                                       b.getNamedAttr("strides", dsc::DimsAttr::get(context, map.strides)),
                                       b.getNamedAttr("box", b.getDenseI64ArrayAttr(map.box)),
                                       b.getNamedAttr("swizzle", b.getI64IntegerAttr(map.swizzle))};
  if (!map.pixels.empty()) {
    auto numbers = [&](StringRef name, int64_t PixelAxis::*field) {
      auto values = llvm::map_to_vector(map.pixels, [&](const PixelAxis &axis) { return axis.*field; });
      return b.getNamedAttr(name, b.getDenseI64ArrayAttr(values));
    };
    parts.push_back(b.getNamedAttr(
        "pixels", b.getDictionaryAttr({numbers("lower", &PixelAxis::lower), numbers("upper", &PixelAxis::upper),
                                       numbers("steps", &PixelAxis::step)})));
  }
  return b.getDictionaryAttr(parts);
}

/// Whether the hardware can count `number`, of an element of a box or a step.
static bool isCount(int64_t number, int64_t most) { return number >= 1 && number <= most; }

/// The more spatial dims, the fewer bits it has for each corner.
static bool arePixels(ArrayRef<PixelAxis> axes) {
  static constexpr int64_t cornerEnds[] = {1 << 15, 1 << 7, 1 << 4};
  if (axes.empty() || axes.size() > std::size(cornerEnds))
    return false;
  int64_t end = cornerEnds[axes.size() - 1];
  return llvm::all_of(axes, [&](const PixelAxis &axis) {
    return axis.lower >= -end && axis.lower < end && axis.upper >= -end && axis.upper < end &&
           isCount(axis.step, maxMapStep);
  });
}

std::optional<PixelAxes> readMapPixels(Attribute attribute) {
  auto parts = dyn_cast<DictionaryAttr>(attribute);
  if (!parts || parts.size() != 3)
    return std::nullopt;
  auto lower = parts.getAs<DenseI64ArrayAttr>("lower"), upper = parts.getAs<DenseI64ArrayAttr>("upper"),
       steps = parts.getAs<DenseI64ArrayAttr>("steps");
  if (!lower || !upper || !steps || lower.size() != upper.size() || lower.size() != steps.size())
    return std::nullopt;
  PixelAxes axes;
  for (auto [first, last, step] : llvm::zip(lower.asArrayRef(), upper.asArrayRef(), steps.asArrayRef()))
    axes.push_back({first, last, step});
  return arePixels(axes) ? std::optional<PixelAxes>(std::move(axes)) : std::nullopt;
}

/// Whether one copy may move the box.
static bool isBox(const TensorMap &map) {
  if (map.pixels.empty())
    return map.box.size() == map.dims.size() &&
           llvm::all_of(map.box, [](int64_t size) { return isCount(size, maxMapBox); });
  return map.box.size() == 2 && isCount(map.box[0], maxMapPixels) && isCount(map.box[1], maxMapBox) &&
         map.dims.size() == map.pixels.size() + numOtherPixelDims;
}

/// What the hardware knows.
static bool isMap(const TensorMap &map, size_t numTensors) {
  size_t rank = map.dims.size();
  if (map.tensor < 0 || size_t(map.tensor) >= numTensors || rank < 1 || rank > maxMapRank ||
      map.strides.size() != rank || !map.element.isIntOrFloat() || !isBox(map))
    return false;
  int64_t bits = map.element.getIntOrFloatBitWidth();
  auto isAligned = [&](const DimExpr &stride) { return DimExpr::exactDiv(stride * (bits / 8), 16).has_value(); };
  return llvm::is_contained({8, 16, 32, 64}, bits) && map.box.back() * bits / 8 % 16 == 0 &&
         map.strides.back().isConstant(1) && llvm::all_of(ArrayRef(map.strides).drop_back(), isAligned) &&
         llvm::is_contained({0, 32, 64, 128}, map.swizzle) &&
         (!map.swizzle || map.box.back() * bits / 8 <= map.swizzle);
}

std::optional<TensorMap> readTensorMap(Attribute attribute, size_t numTensors) {
  auto entry = dyn_cast<DictionaryAttr>(attribute);
  Attribute pixels = entry ? entry.get("pixels") : Attribute();
  if (!entry || entry.size() != (pixels ? 7 : 6))
    return std::nullopt;
  auto tensor = entry.getAs<IntegerAttr>("tensor"), swizzle = entry.getAs<IntegerAttr>("swizzle");
  auto dims = entry.getAs<dsc::DimsAttr>("dims"), strides = entry.getAs<dsc::DimsAttr>("strides");
  auto element = entry.getAs<TypeAttr>("element");
  auto box = entry.getAs<DenseI64ArrayAttr>("box");
  std::optional<PixelAxes> axes = pixels ? readMapPixels(pixels) : std::nullopt;
  if (!tensor || !swizzle || !dims || !strides || !element || !box || (pixels && !axes))
    return std::nullopt;
  TensorMap map = {tensor.getInt(),
                   element.getValue(),
                   dsc::Dims(dims.getDims()),
                   dsc::Dims(strides.getDims()),
                   llvm::SmallVector<int64_t>(box.asArrayRef()),
                   swizzle.getInt(),
                   axes ? std::move(*axes) : PixelAxes()};
  return isMap(map, numTensors) ? std::optional<TensorMap>(std::move(map)) : std::nullopt;
}

} // namespace dscc
