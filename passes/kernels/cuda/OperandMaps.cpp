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
  map.pixels = pixels;
  for (const MapDim &dim : dims) {
    map.dims.push_back(dim.size);
    map.strides.push_back(dim.stride);
    if (pixels.empty())
      map.box.push_back(dim.box);
  }
  if (!pixels.empty())
    map.box = {placesOfCopy, dims.back().box};
  map.swizzle = lineBytes;
  return kernel.addTensorMap(std::move(map));
}

/// A box of pixels begins at the one whose window begins there, padding included.
SmallVector<Value> OperandMap::pixelCoordinates(KernelBuilder &k, const BoxPlace &at) const {
  // Where there are no pixels any more, those of the last one are copied, and never used.
  Value last = k.sub(k.dim(dsc::countElements(counted)), k.index(1));
  SmallVector<Value> sizes = llvm::map_to_vector(counted, [&](const DimExpr &dim) { return k.dim(dim); });
  SmallVector<Value> place = k.delinearize(k.minimum(at.place, last), sizes), all = {place[0]};
  for (auto [coordinate, axis] : llvm::zip_equal(ArrayRef(place).drop_front(), pixels))
    all.push_back(k.add(k.mul(coordinate, k.index(axis.step)), k.index(axis.lower)));
  all.push_back(k.add(at.step, k.dim(dims.back().first)));
  std::reverse(all.begin(), all.end());
  for (Value &coordinate : all)
    coordinate = arith::IndexCastOp::create(k.b, k.loc, k.b.getI32Type(), coordinate);
  return all;
}

SmallVector<Value> OperandMap::offsets(KernelBuilder &k, const BoxPlace &at) const {
  if (pixels.empty())
    return {};
  SmallVector<Value> sizes = llvm::map_to_vector(window.size, [&](int64_t size) { return k.index(size); });
  SmallVector<Value> reversed;
  for (auto [tap, dilation] : llvm::reverse(llvm::zip_equal(k.delinearize(at.tap, sizes), window.dilations))) {
    Value offset = k.mul(tap, k.index(dilation));
    reversed.push_back(arith::IndexCastOp::create(k.b, k.loc, k.b.getIntegerType(16), offset));
  }
  return reversed;
}

SmallVector<Value> OperandMap::coordinates(KernelBuilder &k, const BoxPlace &at) const {
  if (!pixels.empty())
    return pixelCoordinates(k, at);
  auto counted = [&](const MapDim &dim) -> Value {
    switch (dim.role) {
    case MapDim::Outer: return at.outer[dim.number];
    case MapDim::Place:
    case MapDim::Panel: return at.place;
    case MapDim::Step: return at.step;
    case MapDim::Tap: return at.tap;
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

/// The axes along which windows slide, if hardware that copies pixels knows such.
static Verdict findAxes(dsc::ConvOp op, OperandMap &map) {
  map.window = windowOf(op);
  const Window &window = map.window;
  if (window.rank() < 1 || window.rank() > 3)
    return Verdict::declined("a map has from 1 to 3 axes of pixels");
  // Of corners and offsets, which get fewer bits the more axes there are.
  static constexpr int64_t mostCorner[] = {1 << 15, 1 << 7, 1 << 4}, mostOffset[] = {65535, 255, 31};
  size_t number = window.rank() - 1;
  for (size_t i = 0; i < window.rank(); ++i) {
    int64_t reach = (window.size[i] - 1) * window.dilations[i], upper = window.pads[window.rank() + i] - reach;
    if (window.pads[i] > mostCorner[number] || upper < -mostCorner[number] || upper >= mostCorner[number] ||
        reach > mostOffset[number] || window.strides[i] > maxMapStep)
      return Verdict::declined("a window reaches further than a map of pixels knows");
    map.pixels.push_back({-window.pads[i], upper, window.strides[i]});
    // Of an image without windows no map can be made, and whether one is, is known only for such dims.
    DimExpr count = dsc::getDims(op.getResult())[dsc::orderOf(op).spatial(i)];
    if (!count.isConstant() || count.constant() < 1)
      return Verdict::declined("how many pixels an image has is known only when it runs");
  }
  return Verdict::accepted();
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
  MapDim step{MapDim::Step, dims.back() + lay->offset, 1};
  step.first = lay->offset;
  int64_t elementBytes = getElementBytes(map.element);
  std::optional<MapDim> pixels = joinPixels(dims, lay->strides);
  if (isOfOnePixel(op) && pixels)
    return finish(map, *pixels, step, places, slice, elementBytes);
  if (Verdict known = findAxes(op, map); !known)
    return known;
  for (size_t i = 0; i + 1 < dims.size(); ++i)
    map.dims.push_back({MapDim::Place, dims[i], lay->strides[i]});
  step.box = slice;
  map.dims.push_back(step);
  map.counted = dsc::getDims(op.getResult());
  map.counted.pop_back();
  map.placesOfCopy = places;
  map.lineBytes = slice * elementBytes;
  map.placesTogether = 8;
  return checkDims(map, elementBytes);
}

static Verdict mapFilter(dsc::ConvOp op, int64_t places, int64_t slice, OperandMap &map) {
  FilterLay lay = filterLayOf(op);
  auto tensor = dyn_cast<BlockArgument>(lay.tensor);
  auto group = op->getParentOfType<dsc::GroupOp>();
  if (!tensor || findStrided(group, tensor.getArgNumber()) || !beginsWithPiece(group, tensor.getArgNumber()))
    return Verdict::declined("an operand is computed");
  map.number = tensor.getArgNumber();
  map.element = getStorageType(dsc::getElementType(tensor));
  dsc::ImageOrder order = dsc::orderOf(op);
  dsc::Dims filter = dsc::getDims(op.getFilter());
  DimExpr taps = dsc::countElements(order.windowOf(filter)), taken = filter[order.taken()], made = filter[order.made()];
  int64_t elementBytes = getElementBytes(map.element);
  if (!lay.panelColumns) {
    // Steps beyond the channels that are taken are zeros, not those of the next tap.
    if (!taps.isConstant(1))
      map.dims.push_back({MapDim::Tap, taps, taken * made});
    return finish(map, {MapDim::Place, made, 1}, {MapDim::Step, taken, made}, places, slice, elementBytes);
  }
  Verdict verdict =
      finishPanels(map, made, taken, lay.panelColumns, taps * taken * lay.panelColumns, places, slice, elementBytes);
  if (!taps.isConstant(1))
    map.dims.insert(map.dims.begin() + 1, {MapDim::Tap, taps, taken * lay.panelColumns});
  return verdict;
}

DimExpr slicesOfTap(Operation *hero, int64_t slice) {
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  if (!conv)
    return DimExpr::ceilDiv(matrixSizesOf(hero).inner, slice);
  return DimExpr::ceilDiv(dsc::getDims(conv.getFilter())[dsc::orderOf(conv).taken()], slice);
}

DimExpr countSlices(Operation *hero, int64_t slice) {
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  DimExpr taps = conv ? dsc::countElements(dsc::orderOf(conv).windowOf(dsc::getDims(conv.getFilter()))) : DimExpr(1);
  return taps * slicesOfTap(hero, slice);
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
