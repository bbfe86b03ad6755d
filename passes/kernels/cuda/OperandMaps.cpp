#include "passes/kernels/cuda/OperandMaps.h"

#include "dialects/dsc/Storage.h"
#include "dialects/dsc/TensorMaps.h"
#include "dialects/dsc/Windows.h"
#include "passes/kernels/Lay.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/cuda/MatrixView.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace dscc::kernels {

Value OperandMap::add(Kernel &kernel) const {
  TensorMap map;
  map.tensor = int64_t(number);
  map.element = element;
  for (const MapDim &dim : dims) {
    map.dims.push_back(dim.size);
    map.strides.push_back(dim.stride);
    map.box.push_back(dim.box);
  }
  map.swizzle = lineBytes;
  return kernel.addTensorMap(std::move(map));
}

SmallVector<Value> OperandMap::coordinates(KernelBuilder &k, const BoxPlace &at) const {
  auto counted = [&](const MapDim &dim) -> Value {
    switch (dim.role) {
    case MapDim::Outer: return at.outer[dim.number];
    case MapDim::Place:
    case MapDim::Panel: return at.place;
    case MapDim::Step: return at.step;
    case MapDim::Column: return k.index(0);
    }
    llvm_unreachable("all roles are there");
  };
  SmallVector<Value> reversed;
  for (const MapDim &dim : llvm::reverse(dims)) {
    Value coordinate = k.add(k.divide(counted(dim), k.index(dim.repeats)), k.dim(dim.first));
    reversed.push_back(arith::IndexCastOp::create(k.b, k.loc, k.b.getI32Type(), coordinate));
  }
  return reversed;
}

//===-- What a map may say -------------------------------------------------------------------------------------===//

/// The longest line that places share, of those that divide them.
static int64_t placesOfLine(int64_t places, int64_t elementBytes) {
  for (int64_t bytes : {128, 64, 32})
    if (places % (bytes / elementBytes) == 0)
      return bytes / elementBytes;
  return 0;
}

static Verdict checkDims(const OperandMap &map, int64_t elementBytes) {
  if (map.dims.size() > maxMapRank)
    return Verdict::declined("an operand has more dims than a map");
  for (const MapDim &dim : ArrayRef(map.dims).drop_back())
    if (!isMultiple(dim.stride * elementBytes, pieceBytes))
      return Verdict::declined("an operand's rows do not lie at multiples of 16 bytes");
  return Verdict::acceptedIf(llvm::all_of(map.dims, [](const MapDim &dim) { return dim.box <= maxMapBox; }),
                             "a tile has more places than a box");
}

/// Fills in the matrix's own dims, once those of places and steps are known, and what follows from how they lie.
static Verdict finish(OperandMap &map, MapDim place, MapDim step, int64_t places, int64_t slice, int64_t elementBytes) {
  map.alongInner = step.stride.isConstant(1);
  step.box = slice;
  if (map.alongInner) {
    place.box = map.placesOfCopy = places;
    map.lineBytes = slice * elementBytes;
    map.placesTogether = 8;
    map.dims.append({place, step});
  } else {
    int64_t width = placesOfLine(places, elementBytes);
    if (!width)
      return Verdict::declined("a tile has too few places for a line");
    place.box = map.placesOfCopy = map.placesTogether = width;
    map.lineBytes = width * elementBytes;
    map.copies = places / width;
    map.dims.append({step, place});
  }
  return checkDims(map, elementBytes);
}

/// The same where columns lie in panels.
static Verdict finishPanels(OperandMap &map, DimExpr columns, DimExpr terms, int64_t panelColumns, DimExpr panelStride,
                            int64_t places, int64_t slice, int64_t elementBytes) {
  if (places % panelColumns || panelColumns * elementBytes < 32)
    return Verdict::declined("a tile has parts of panels");
  map.alongInner = false;
  map.placesTogether = panelColumns;
  map.placesOfCopy = places;
  map.lineBytes = panelColumns * elementBytes;
  map.dims.push_back(
      {MapDim::Panel, DimExpr::ceilDiv(columns, panelColumns), panelStride, places / panelColumns, 0, panelColumns});
  map.dims.push_back({MapDim::Step, terms, panelColumns, slice});
  map.dims.push_back({MapDim::Column, panelColumns, 1, panelColumns});
  return checkDims(map, elementBytes);
}

//===-- Products -----------------------------------------------------------------------------------------------===//

static Verdict mapMatmul(dsc::MatmulOp op, bool isLhs, int64_t places, int64_t slice, OperandMap &map) {
  Value operand = isLhs ? op.getLhs() : op.getRhs();
  std::optional<Lay> lay = layOf(operand);
  auto tensor = lay ? dyn_cast<BlockArgument>(lay->tensor) : BlockArgument();
  if (!tensor)
    return Verdict::declined("an operand is computed");
  map.number = tensor.getArgNumber();
  map.element = getStorageType(dsc::getElementType(tensor));
  if (!lay->isAligned)
    return Verdict::declined("an operand does not begin at a multiple of 16 bytes");
  dsc::Dims dims = dsc::getDims(operand);
  size_t rank = dims.size(), first = rank - 2, second = rank - 1;
  bool isTurned = isLhs ? op.getTransposeLhs() : !op.getTransposeRhs();
  auto [placeDim, stepDim] = isTurned ? std::pair(second, first) : std::pair(first, second);
  int64_t elementBytes = getElementBytes(dsc::getElementType(operand));
  size_t missing = dsc::getDims(op.getResult()).size() - rank;
  for (size_t i = 0; i < first; ++i)
    if (!dims[i].isConstant(1) && !lay->strides[i].isConstant(0))
      map.dims.push_back({MapDim::Outer, DimExpr::ceilDiv(dims[i], lay->repeats[i]), lay->strides[i], 1, missing + i,
                          lay->repeats[i]});
  if (lay->panelColumns)
    return finishPanels(map, dims[placeDim], dims[stepDim], lay->panelColumns, lay->panelStride, places, slice,
                        elementBytes);
  if (lay->repeats[first] != 1 || lay->repeats[second] != 1)
    return Verdict::declined("a matrix repeats its rows");
  MapDim place{MapDim::Place, dims[placeDim], lay->strides[placeDim]};
  MapDim step{MapDim::Step, dims[stepDim], lay->strides[stepDim]};
  if (!place.stride.isConstant(1) && !step.stride.isConstant(1))
    return Verdict::declined("neighbours of an operand do not lie side by side");
  // What is cut off in front is stepped over along the dim whose elements are neighbours.
  MapDim &along = step.stride.isConstant(1) ? step : place;
  along.first = lay->offset;
  along.size = along.size + lay->offset;
  return finish(map, place, step, places, slice, elementBytes);
}

//===-- Convolutions -------------------------------------------------------------------------------------------===//

/// Dims that follow each other, all but the last one, as one: as many pixels in a row; nothing if there are gaps.
static std::optional<MapDim> joinPixels(ArrayRef<DimExpr> dims, ArrayRef<DimExpr> strides) {
  MapDim pixels{MapDim::Place, dsc::countElements(dims.drop_back()), 0};
  std::optional<DimExpr> expected;
  for (size_t i = dims.size() - 1; i-- > 0;) {
    if (dims[i].isConstant(1))
      continue;
    if (!expected)
      pixels.stride = strides[i];
    else if (*expected != strides[i])
      return std::nullopt;
    expected = strides[i] * dims[i];
  }
  // A single pixel is as far from the next one as its channels reach.
  if (!expected)
    pixels.stride = dims.back();
  return pixels;
}

/// Whether each pixel of the result is made of the pixel at its place.
static bool isOfOnePixel(dsc::ConvOp op) {
  Window window = windowOf(op);
  for (size_t i = 0; i < window.rank(); ++i)
    if (window.size[i] != 1 || window.strides[i] != 1 || !window.alwaysInside(i))
      return false;
  return true;
}

static Verdict mapImage(dsc::ConvOp op, int64_t places, int64_t slice, OperandMap &map) {
  std::optional<Lay> lay = layOf(op.getInput());
  auto tensor = lay ? dyn_cast<BlockArgument>(lay->tensor) : BlockArgument();
  if (!tensor || lay->panelColumns || llvm::any_of(lay->repeats, [](int64_t repeat) { return repeat != 1; }))
    return Verdict::declined("an operand is computed");
  if (!lay->isAligned)
    return Verdict::declined("an operand does not begin at a multiple of 16 bytes");
  if (!lay->strides.back().isConstant(1))
    return Verdict::declined("neighbours of an operand do not lie side by side");
  map.number = tensor.getArgNumber();
  map.element = getStorageType(dsc::getElementType(tensor));
  dsc::Dims dims = dsc::getDims(op.getInput());
  std::optional<MapDim> pixels = joinPixels(dims, lay->strides);
  if (!isOfOnePixel(op) || !pixels)
    return Verdict::declined("a convolution's pixels do not lie in a row");
  MapDim step{MapDim::Step, dims.back() + lay->offset, 1};
  step.first = lay->offset;
  return finish(map, *pixels, step, places, slice, getElementBytes(map.element));
}

static Verdict mapFilter(dsc::ConvOp op, int64_t places, int64_t slice, OperandMap &map) {
  FilterLay lay = filterLayOf(op);
  auto tensor = dyn_cast<BlockArgument>(lay.tensor);
  auto group = op->getParentOfType<dsc::GroupOp>();
  if (!tensor || findStrided(group, tensor.getArgNumber()) || !beginsWithPiece(group, tensor.getArgNumber()))
    return Verdict::declined("an operand is computed");
  map.number = tensor.getArgNumber();
  map.element = getStorageType(dsc::getElementType(tensor));
  DimExpr terms = dsc::orderOf(op).countTerms(op.getFilter()), made = matrixSizesOf(op).columns;
  int64_t elementBytes = getElementBytes(map.element);
  if (lay.panelColumns)
    return finishPanels(map, made, terms, lay.panelColumns, terms * lay.panelColumns, places, slice, elementBytes);
  return finish(map, {MapDim::Place, made, 1}, {MapDim::Step, terms, made}, places, slice, elementBytes);
}

Verdict mapOperand(Operation *hero, bool isLhs, int64_t places, int64_t slice, OperandMap &map) {
  if (auto matmul = dyn_cast<dsc::MatmulOp>(hero))
    return mapMatmul(matmul, isLhs, places, slice, map);
  if (auto conv = dyn_cast<dsc::ConvOp>(hero)) {
    if (!dsc::orderOf(conv).channelsLast || conv.getGroups() != 1)
      return Verdict::declined("a convolution has groups, or not its channels last");
    return isLhs ? mapImage(conv, places, slice, map) : mapFilter(conv, places, slice, map);
  }
  return Verdict::declined("the hero is no product");
}

//===-- Results ------------------------------------------------------------------------------------------------===//

Verdict mapResult(dsc::GroupOp group, Operation *hero, int64_t rows, int64_t columns, OperandMap &map) {
  Value root = rootOf(group);
  map.number = group.getNumOperands();
  map.element = getStorageType(dsc::getElementType(root));
  if (!beginsWithPiece(group, map.number))
    return Verdict::declined("the result does not begin at a multiple of 16 bytes");
  dsc::Dims dims = dsc::getDims(root);
  std::optional<Strided> strided = findStridedInside(group, map.number);
  dsc::Dims strides = strided ? strided->strides : rowMajorStrides(dims);
  size_t rank = dims.size();
  if (isa<dsc::ConvOp>(hero)) {
    std::optional<MapDim> pixels = joinPixels(dims, strides);
    if (!pixels)
      return Verdict::declined("the result's pixels do not lie in a row");
    pixels->box = rows;
    map.dims.push_back(*pixels);
  } else {
    for (size_t i = 0; i + 2 < rank; ++i)
      if (!dims[i].isConstant(1))
        map.dims.push_back({MapDim::Outer, dims[i], strides[i], 1, i});
    map.dims.push_back({MapDim::Place, dims[rank - 2], strides[rank - 2], rows});
  }
  map.dims.push_back({MapDim::Step, dims[rank - 1], strides[rank - 1], columns});
  int64_t elementBytes = getElementBytes(map.element);
  map.lineBytes = columns * elementBytes;
  if (!strides[rank - 1].isConstant(1))
    return Verdict::declined("neighbours of the result do not lie side by side");
  return checkDims(map, elementBytes);
}

} // namespace dscc::kernels
