// Pad in all modes. Negative pads become slices.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

/// Splits the pads into those of each dim.
static LogicalResult readPads(NodeImporter &node, ArrayRef<DimExpr> pads, size_t axesInput, dsc::Dims &lows,
                              dsc::Dims &highs) {
  int64_t rank = rankOf(node.input(0));
  Integers axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (node.input(axesInput)) {
    std::optional<Integers> named = node.knownIntegers(node.input(axesInput));
    if (!named)
      return node.unsupported("has axes that are computed at run time", "make the axes a constant");
    axes = *named;
  }
  if (pads.size() != 2 * axes.size())
    return node.reject("has " + Twine(pads.size()) + " pads for " + Twine(axes.size()) + " axes");
  lows.assign(rank, DimExpr(0));
  highs.assign(rank, DimExpr(0));
  for (size_t i = 0; i < axes.size(); ++i) {
    std::optional<int64_t> axis = node.normalizeAxis(axes[i], rank);
    if (!axis)
      return failure();
    lows[*axis] = lows[*axis] + pads[i];
    highs[*axis] = highs[*axis] + pads[axes.size() + i];
  }
  return success();
}

/// Cuts off what negative pads take away, and sets them to 0.
static Value cutNegative(NodeImporter &node, Value x, dsc::Dims &lows, dsc::Dims &highs) {
  dsc::Dims dims = dimsOf(x), starts(dims.size(), DimExpr(0));
  if (!node.areValid(lows, "a pad") || !node.areValid(highs, "a pad"))
    return {};
  for (size_t i = 0; i < dims.size(); ++i) {
    for (DimExpr *pad : {&lows[i], &highs[i]}) {
      if (!pad->isConstant() && !pad->isNonNegative()) {
        (void)node.unsupported("has a pad that may be negative or not, as the dims will have it",
                               "fix the dims that it depends on with --dim");
        return {};
      }
      if (!pad->isConstant() || pad->constant() >= 0)
        continue;
      dims[i] = dims[i] + *pad;
      if (pad == &lows[i])
        starts[i] = DimExpr(0) - *pad;
      *pad = 0;
    }
  }
  return node.slice(x, starts, dims, Integers(dims.size(), 1));
}

static LogicalResult padBy(NodeImporter &node, ArrayRef<DimExpr> pads, Value value) {
  dsc::Dims lows, highs;
  if (mlir::failed(readPads(node, pads, 3, lows, highs)))
    return failure();
  Value x = cutNegative(node, node.input(0), lows, highs);
  auto low = node.dimsAttribute(lows), high = node.dimsAttribute(highs);
  std::string mode = node.text("mode", "constant");
  if (mode == "constant")
    return node.finish(node.make<dsc::PadOp>(x, value, low, high));
  if (mode == "edge")
    return node.finish(node.make<dsc::PadEdgeOp>(x, low, high));
  if (mode == "reflect")
    return node.finish(node.make<dsc::PadReflectOp>(x, low, high));
  if (mode == "wrap")
    return node.finish(node.make<dsc::PadWrapOp>(x, low, high));
  return node.reject("has the unknown mode '" + mode + "'");
}

static LogicalResult convertPadByAttributes(NodeImporter &node) {
  Integers pads = node.integers("pads").value_or(Integers());
  return padBy(node, dsc::Dims(pads.begin(), pads.end()), node.scalarLike(node.input(0), node.number("value", 0)));
}

static LogicalResult convertPad(NodeImporter &node) {
  std::optional<dsc::Dims> pads = node.known(node.input(1));
  if (!pads)
    return node.unsupported("has pads that are computed at run time", "make the pads a constant");
  Value value = node.input(2) ? node.reshape(node.input(2), {}) : node.scalarLike(node.input(0), 0);
  return padBy(node, *pads, value);
}

ArrayRef<Converter> padConverters() {
  static constexpr Converter entries[] = {
      {"", "Pad", 2, 1, 1, convertPadByAttributes, "ieee"},
      {"", "Pad", 11, 2, 4, convertPad, "T=all, int64, T, index"},
  };
  return entries;
}

} // namespace dscc
