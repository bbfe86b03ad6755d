#include "dialects/dsc/TensorMaps.h"

using namespace mlir;

namespace dscc {

DictionaryAttr encodeTensorMap(MLIRContext *context, const TensorMap &map) {
  Builder b(context);
  return b.getDictionaryAttr({b.getNamedAttr("tensor", b.getI64IntegerAttr(map.tensor)),
                              b.getNamedAttr("element", TypeAttr::get(map.element)),
                              b.getNamedAttr("dims", dsc::DimsAttr::get(context, map.dims)),
                              b.getNamedAttr("strides", dsc::DimsAttr::get(context, map.strides)),
                              b.getNamedAttr("box", b.getDenseI64ArrayAttr(map.box)),
                              b.getNamedAttr("swizzle", b.getI64IntegerAttr(map.swizzle))});
}

/// What the hardware knows.
static bool isMap(const TensorMap &map, size_t numTensors) {
  size_t rank = map.box.size();
  if (map.tensor < 0 || size_t(map.tensor) >= numTensors || rank < 1 || rank > maxMapRank || map.dims.size() != rank ||
      map.strides.size() != rank || !map.element.isIntOrFloat())
    return false;
  int64_t bits = map.element.getIntOrFloatBitWidth();
  bool isBoxKnown = llvm::all_of(map.box, [](int64_t count) { return count >= 1 && count <= maxMapBox; });
  auto isAligned = [&](const DimExpr &stride) { return DimExpr::exactDiv(stride * (bits / 8), 16).has_value(); };
  return llvm::is_contained({8, 16, 32, 64}, bits) && isBoxKnown && map.box.back() * bits / 8 % 16 == 0 &&
         map.strides.back().isConstant(1) && llvm::all_of(ArrayRef(map.strides).drop_back(), isAligned) &&
         llvm::is_contained({0, 32, 64, 128}, map.swizzle) &&
         (!map.swizzle || map.box.back() * bits / 8 <= map.swizzle);
}

std::optional<TensorMap> readTensorMap(Attribute attribute, size_t numTensors) {
  auto entry = dyn_cast<DictionaryAttr>(attribute);
  if (!entry || entry.size() != 6)
    return std::nullopt;
  auto tensor = entry.getAs<IntegerAttr>("tensor"), swizzle = entry.getAs<IntegerAttr>("swizzle");
  auto dims = entry.getAs<dsc::DimsAttr>("dims"), strides = entry.getAs<dsc::DimsAttr>("strides");
  auto element = entry.getAs<TypeAttr>("element");
  auto box = entry.getAs<DenseI64ArrayAttr>("box");
  if (!tensor || !swizzle || !dims || !strides || !element || !box)
    return std::nullopt;
  TensorMap map = {tensor.getInt(),
                   element.getValue(),
                   dsc::Dims(dims.getDims()),
                   dsc::Dims(strides.getDims()),
                   llvm::SmallVector<int64_t>(box.asArrayRef()),
                   swizzle.getInt()};
  return isMap(map, numTensors) ? std::optional<TensorMap>(std::move(map)) : std::nullopt;
}

} // namespace dscc
