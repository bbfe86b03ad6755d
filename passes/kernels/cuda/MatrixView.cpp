#include "passes/kernels/cuda/MatrixView.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace dscc::kernels {

MatrixSizes matrixSizesOf(Operation *hero) {
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  if (auto conv = dyn_cast<dsc::ConvOp>(hero)) {
    dsc::ImageOrder order = dsc::orderOf(conv);
    int64_t groups = conv.getGroups();
    DimExpr made = dims[order.channel()].constant() / groups, pixels = dsc::countElements(order.spatialOf(dims)),
            terms = order.countTerms(conv.getFilter());
    if (order.channelsLast)
      return {groups, dims[0] * pixels, made, terms};
    return {dims[0] * groups, made, pixels, terms};
  }
  auto matmul = cast<dsc::MatmulOp>(hero);
  dsc::Dims lhs = dsc::getDims(matmul.getLhs());
  return {dsc::countElements(ArrayRef(dims).drop_back(2)), dims[dims.size() - 2], dims.back(),
          lhs[lhs.size() - (matmul.getTransposeLhs() ? 2 : 1)]};
}

//===-- Operands that lie in pieces ---------------------------------------------------------------------------===//

/// How many elements of an operand are a piece.
static int64_t elementsOfPiece(Value operand) {
  return pieceBytes * 8 / getStorageType(dsc::getElementType(operand)).getIntOrFloatBitWidth();
}

/// Fills in how an operand of a product is copied in pieces, if it can be. Of its dims, `placeDim` and `innerDim` are
/// the matrix, those before the last two belong to each product of its own.
static void findPieces(KernelBuilder &k, OperandView &view, ArrayRef<DimExpr> batch, size_t placeDim, size_t innerDim) {
  Type storage = getStorageType(dsc::getElementType(view.operand));
  std::optional<Lay> found = layOf(view.operand);
  if (!found || !k.pointers.contains(found->tensor))
    return;
  Lay lay = *found;
  dsc::Dims dims = dsc::getDims(view.operand);
  size_t rank = dims.size();
  std::optional<size_t> along = findPieceDim(lay, dims, elementsOfPiece(view.operand));
  if (!along)
    return;
  view.alongInner = *along == innerDim;
  Value base = k.pointers.lookup(lay.tensor);
  // Of one place, or step, what lies beside it is nowhere, and has to be as aligned as what there is.
  for (size_t dim : {placeDim, innerDim})
    if (dims[dim].isConstant(1))
      lay.strides[dim] = 0;
  auto offsetOf = [=, &k](size_t dim, Value coordinate) {
    coordinate = k.divide(coordinate, k.index(lay.repeats[dim]));
    if (!lay.panelColumns || dim + 1 != rank)
      return k.mul(coordinate, k.dim(lay.strides[dim]));
    Value width = k.index(lay.panelColumns);
    return k.add(k.mul(k.divide(coordinate, width), k.dim(lay.panelStride)), k.remainder(coordinate, width));
  };
  dsc::Dims batchDims(batch);
  view.pieces = Pieces{[=, &k](ArrayRef<Value> outer, Value place) {
                         Value offset = k.add(k.dim(lay.offset), offsetOf(placeDim, place));
                         // Batch dims are aligned at the last one; those of size 1 are the same for all.
                         for (size_t i = 0; i + 2 < rank; ++i)
                           if (!dims[i].isConstant(1))
                             offset = k.add(offset, offsetOf(i, outer[batchDims.size() - (rank - 2) + i]));
                         return SmallVector<Value>{offset};
                       },
                       [=](Value step) { return SmallVector<Value>{offsetOf(innerDim, step)}; },
                       [=, &k](ArrayRef<Value> place, ArrayRef<Value> step) {
                         return k.elementAddress(base, storage, k.add(place[0], step[0]));
                       }};
  auto strideOf = [&](size_t dim) -> std::optional<DimExpr> {
    bool isEven = lay.repeats[dim] == 1 && (!lay.panelColumns || dim + 1 != rank);
    return isEven ? std::optional(lay.strides[dim]) : std::nullopt;
  };
  view.pieces->placeStride = strideOf(placeDim);
  view.pieces->stepStride = strideOf(innerDim);
}

//===-- Products ----------------------------------------------------------------------------------------------===//

static MatrixView viewOf(ElementCode &code, dsc::MatmulOp op) {
  KernelBuilder &k = code.k;
  dsc::Dims lhs = dsc::getDims(op.getLhs()), rhs = dsc::getDims(op.getRhs()), result = dsc::getDims(op.getResult());
  dsc::Dims batch(result.begin(), result.end() - 2);
  bool transposeLhs = op.getTransposeLhs(), transposeRhs = op.getTransposeRhs();
  MatrixView view;
  view.outer = batch;
  view.rows = result[result.size() - 2];
  view.columns = result.back();
  view.inner = lhs[lhs.size() - (transposeLhs ? 2 : 1)];
  auto element = [=, &code, &k](Value tensor, ArrayRef<DimExpr> dims, ArrayRef<Value> outer, Value first,
                                Value second) {
    Indices batchPlace(llvm::map_range(outer, [&](Value v) { return k.uniform(v); }));
    Indices at = code.broadcastIndices(dims.drop_back(2), batch, batchPlace);
    at.push_back(k.uniform(first));
    at.push_back(k.uniform(second));
    return code.element(tensor, at);
  };
  view.lhs.operand = op.getLhs();
  view.lhs.alongInner = !transposeLhs;
  view.lhs.element = [=](ArrayRef<Value> outer, Value row, Value step) mutable {
    return element(op.getLhs(), lhs, outer, transposeLhs ? step : row, transposeLhs ? row : step);
  };
  view.rhs.operand = op.getRhs();
  view.rhs.alongInner = transposeRhs;
  view.rhs.element = [=](ArrayRef<Value> outer, Value column, Value step) mutable {
    return element(op.getRhs(), rhs, outer, transposeRhs ? column : step, transposeRhs ? step : column);
  };
  findPieces(k, view.lhs, batch, lhs.size() - (transposeLhs ? 1 : 2), lhs.size() - (transposeLhs ? 2 : 1));
  findPieces(k, view.rhs, batch, rhs.size() - (transposeRhs ? 2 : 1), rhs.size() - (transposeRhs ? 1 : 2));
  view.resultAt = [&k](ArrayRef<Value> outer, Value row, const Index &column) {
    Indices at(llvm::map_range(outer, [&](Value v) { return k.uniform(v); }));
    at.push_back(k.uniform(row));
    at.push_back(column);
    return at;
  };
  return view;
}

//===-- Convolutions ------------------------------------------------------------------------------------------===//

/// Rows of a filter are long lines.
static bool hasFilterInPieces(dsc::ConvOp op) {
  dsc::Dims filter = dsc::getDims(op.getFilter());
  return isMultiple(dsc::countElements(ArrayRef(filter).drop_front()), elementsOfPiece(op.getFilter()));
}

/// Where the window is one element, and moves by one, columns are neighbours.
static bool hasInputInPieces(dsc::ConvOp op) {
  Window window = windowOf(op);
  for (size_t i = 0; i < window.rank(); ++i)
    if (window.size[i] != 1 || window.strides[i] != 1 || !window.alwaysInside(i))
      return false;
  dsc::Dims input = dsc::getDims(op.getInput());
  return isMultiple(dsc::countElements(ArrayRef(input).drop_front(2)), elementsOfPiece(op.getInput()));
}

/// Fills in how a filter and the input of a window of one element are copied in pieces, if they can be.
static void findPieces(KernelBuilder &k, dsc::ConvOp op, MatrixView &view) {
  Type storage = getStorageType(dsc::getElementType(op.getInput()));
  auto isPlain = [&](Value tensor) { return k.pointers.contains(tensor) && !k.windows.contains(tensor); };
  auto makePieces = [&](Value tensor, auto atPlace, DimExpr placeStride, DimExpr stepStride) {
    Value base = k.pointers.lookup(tensor);
    return Pieces{atPlace,
                  [=, &k](Value step) { return SmallVector<Value>{k.mul(step, k.dim(stepStride))}; },
                  [=, &k](ArrayRef<Value> place, ArrayRef<Value> step) {
                    return k.elementAddress(base, storage, k.add(place[0], step[0]));
                  },
                  nullptr,
                  placeStride,
                  stepStride};
  };
  DimExpr rows = view.rows, inner = view.inner, columns = view.columns;
  if (isPlain(op.getFilter()) && hasFilterInPieces(op))
    view.lhs.pieces = makePieces(
        op.getFilter(),
        [=, &k](ArrayRef<Value> outer, Value row) {
          Value channel = k.add(k.mul(outer[1], k.dim(rows)), row);
          return SmallVector<Value>{k.mul(channel, k.dim(inner))};
        },
        inner, 1);
  int64_t groups = op.getGroups();
  if (isPlain(op.getInput()) && hasInputInPieces(op))
    view.rhs.pieces = makePieces(
        op.getInput(),
        [=, &k](ArrayRef<Value> outer, Value column) {
          Value channels = k.mul(k.add(k.mul(outer[0], k.index(groups)), outer[1]), k.dim(inner));
          return SmallVector<Value>{k.add(k.mul(channels, k.dim(columns)), column)};
        },
        1, columns);
}

//===-- Convolutions with channels last ---------------------------------------------------------------------------===//

FilterLay filterLayOf(dsc::ConvOp op) {
  Value filter = op.getFilter();
  if (auto reshape = filter.getDefiningOp<dsc::ReshapeOp>())
    filter = reshape.getInput();
  if (auto unpack = filter.getDefiningOp<dsc::UnpackOp>())
    return {unpack.getInput(), dsc::getDims(unpack.getInput()).back().constant()};
  return {filter};
}

/// How many channels a group of a convolution makes.
static int64_t madeByGroup(dsc::ConvOp op) {
  return dsc::getDims(op.getFilter())[dsc::orderOf(op).made()].constant() / int64_t(op.getGroups());
}

static bool hasColumnsInPieces(dsc::ConvOp op) {
  int64_t count = elementsOfPiece(op.getFilter());
  return madeByGroup(op) % count == 0 && filterLayOf(op).panelColumns % count == 0;
}

/// How the image lies, if pieces of it, some channels of one pixel, can be copied; it may be a window of a join.
static std::optional<Lay> pixelsInPieces(dsc::ConvOp op) {
  int64_t count = elementsOfPiece(op.getInput());
  dsc::Dims dims = dsc::getDims(op.getInput());
  std::optional<Lay> lay = layOf(op.getInput());
  bool isPlain = lay && !lay->panelColumns && llvm::all_of(lay->repeats, [](int64_t repeat) { return repeat == 1; });
  if (!isPlain || !isMultiple(dsc::getDims(op.getFilter())[dsc::orderOf(op).taken()], count))
    return std::nullopt;
  std::optional<size_t> along = findPieceDim(*lay, dims, count);
  return along == dims.size() - 1 ? lay : std::nullopt;
}

static Pieces columnPieces(KernelBuilder &k, dsc::ConvOp op, DimExpr terms) {
  FilterLay lay = filterLayOf(op);
  Type storage = getStorageType(dsc::getElementType(op.getFilter()));
  int64_t made = madeByGroup(op), stride = lay.panelColumns ? lay.panelColumns : made * int64_t(op.getGroups());
  Value base = k.pointers.lookup(lay.tensor);
  return Pieces{[=, &k](ArrayRef<Value> outer, Value column) {
                  column = k.add(k.mul(outer[0], k.index(made)), column);
                  if (!lay.panelColumns)
                    return SmallVector<Value>{column};
                  Value width = k.index(lay.panelColumns);
                  Value panel = k.mul(k.divide(column, width), k.dim(terms * lay.panelColumns));
                  return SmallVector<Value>{k.add(panel, k.remainder(column, width))};
                },
                [=, &k](Value step) { return SmallVector<Value>{k.mul(step, k.index(stride))}; },
                [=, &k](ArrayRef<Value> place, ArrayRef<Value> step) {
                  return k.elementAddress(base, storage, k.add(place[0], step[0]));
                },
                nullptr,
                lay.panelColumns ? std::nullopt : std::optional(DimExpr(1)),
                DimExpr(stride)};
}

/// Of a pixel: the offset of its window's first element, and that element's coordinates. Of a step: how much further
/// its element lies, in all and along each dim.
static Pieces pixelPieces(KernelBuilder &k, dsc::ConvOp op, const Lay &lay) {
  dsc::ImageOrder order = dsc::orderOf(op);
  dsc::Dims input = dsc::getDims(op.getInput()), filter = dsc::getDims(op.getFilter()), strides = lay.strides;
  dsc::Dims pixels = dsc::getDims(op.getResult()), terms = order.windowOf(filter);
  pixels.pop_back();
  DimExpr taken = filter[order.taken()];
  terms.push_back(taken);
  Type storage = getStorageType(dsc::getElementType(op.getInput()));
  Value base = k.pointers.lookup(lay.tensor), start = k.dim(lay.offset);
  auto split = [&k](Value number, ArrayRef<DimExpr> dims) {
    return k.delinearize(number, llvm::map_to_vector(dims, [&](const DimExpr &dim) { return k.dim(dim); }));
  };
  Window window = windowOf(op);
  Pieces pieces;
  pieces.atPlace = [=, &k](ArrayRef<Value> outer, Value pixel) {
    SmallVector<Value> place = split(pixel, pixels);
    Value offset = k.add(k.mul(place[0], k.dim(strides[0])), k.mul(outer[0], k.dim(taken)));
    SmallVector<Value> state = {k.add(start, offset)};
    for (auto [i, coordinate] : llvm::enumerate(ArrayRef(place).drop_front())) {
      Value first = k.sub(k.mul(coordinate, k.index(window.strides[i])), k.index(window.pads[i]));
      state.push_back(first);
      state[0] = k.add(state[0], k.mul(first, k.dim(strides[order.spatial(i)])));
    }
    return state;
  };
  pieces.atStep = [=, &k](Value step) {
    SmallVector<Value> term = split(step, terms), state = {term.back()};
    for (size_t i = 0; i < window.rank(); ++i) {
      state.push_back(k.mul(term[i], k.index(window.dilations[i])));
      state[0] = k.add(state[0], k.mul(state.back(), k.dim(strides[order.spatial(i)])));
    }
    return state;
  };
  pieces.address = [=, &k](ArrayRef<Value> place, ArrayRef<Value> step) {
    return k.elementAddress(base, storage, k.add(place[0], step[0]));
  };
  if (llvm::all_of(llvm::seq<size_t>(0, window.rank()), [&](size_t i) { return window.size[i] == 1; }))
    pieces.stepStride = 1;
  if (llvm::all_of(llvm::seq<size_t>(0, window.rank()), [&](size_t i) { return window.alwaysInside(i); }))
    return pieces;
  pieces.exists = [=, &k](ArrayRef<Value> place, ArrayRef<Value> step) {
    Value all;
    for (size_t i = 0; i < window.rank(); ++i) {
      if (window.alwaysInside(i))
        continue;
      // Without a sign what lies before the image lies far behind it.
      Value inside = LaneMath{k}.compare(arith::CmpIPredicate::ult, k.add(place[1 + i], step[1 + i]),
                                         k.dim(input[order.spatial(i)]));
      all = all ? Value(arith::AndIOp::create(k.b, k.loc, all, inside)) : inside;
    }
    return all;
  };
  return pieces;
}

/// Rows are channels that are made and columns pixels of one image; with channels last the other way round, so that
/// what is stored together lies together, and pixels are those of all images. Terms are in the order in which they lie
/// in memory.
static MatrixView viewOf(ElementCode &code, dsc::ConvOp op) {
  KernelBuilder &k = code.k;
  dsc::ImageOrder order = dsc::orderOf(op);
  dsc::Dims input = dsc::getDims(op.getInput()), filter = dsc::getDims(op.getFilter()),
            result = dsc::getDims(op.getResult());
  int64_t perGroup = filter[order.made()].constant() / int64_t(op.getGroups());
  DimExpr taken = filter[order.taken()];
  dsc::Dims pixels = order.spatialOf(result), terms = order.windowOf(filter);
  if (order.channelsLast)
    pixels.insert(pixels.begin(), result[0]);
  terms.insert(order.channelsLast ? terms.end() : terms.begin(), taken);
  auto sizes = [&k](ArrayRef<DimExpr> dims) {
    return llvm::map_to_vector(dims, [&](const DimExpr &dim) { return k.dim(dim); });
  };
  auto uniform = [&k](ArrayRef<Value> values) {
    return llvm::map_to_vector(values, [&](Value value) { return k.uniform(value); });
  };
  auto channel = [=, &k](Value group, Value made) { return k.add(k.mul(group, k.index(perGroup)), made); };
  // The image, and the place in it.
  auto placeOf = [=, &k](ArrayRef<Value> outer, Value pixel) {
    SmallVector<Value> place = k.delinearize(pixel, sizes(pixels));
    if (!order.channelsLast)
      place.insert(place.begin(), outer[0]);
    return place;
  };
  // The channel that a term takes, and its place in the window.
  auto split = [=, &k](Value step) {
    SmallVector<Value> term = k.delinearize(step, sizes(terms));
    auto own = order.channelsLast ? std::prev(term.end()) : term.begin();
    Value first = *own;
    term.erase(own);
    return std::pair(first, uniform(term));
  };
  OperandView weights, image;
  weights.operand = op.getFilter();
  weights.alongInner = !order.channelsLast;
  weights.element = [=, &code, &k](ArrayRef<Value> outer, Value made, Value step) mutable {
    auto [first, taps] = split(step);
    Index to = k.uniform(channel(outer.back(), made));
    return code.element(op.getFilter(), order.arrangeFilter<Index>(to, k.uniform(first), taps));
  };
  image.operand = op.getInput();
  image.alongInner = order.channelsLast;
  image.element = [=, &code, &k](ArrayRef<Value> outer, Value pixel, Value step) mutable {
    Window window = windowOf(op);
    auto [first, taps] = split(step);
    SmallVector<Value> place = placeOf(outer, pixel), limits;
    SmallVector<Index> positions;
    for (size_t i = 0; i < window.rank(); ++i) {
      positions.push_back(window.position(k, i, k.uniform(place[1 + i]), taps[i]));
      limits.push_back(window.alwaysInside(i) ? Value() : k.dim(input[order.spatial(i)]));
    }
    Index own = k.uniform(k.add(k.mul(outer.back(), k.dim(taken)), first));
    return code.elementOr(op.getInput(), order.arrange<Index>(k.uniform(place[0]), own, positions),
                          order.arrange<Value>({}, {}, limits), zeroOf(k, dsc::getElementType(op.getInput())));
  };
  MatrixView view;
  view.outer = {DimExpr(int64_t(op.getGroups()))};
  if (!order.channelsLast)
    view.outer.insert(view.outer.begin(), result[0]);
  view.rows = perGroup;
  view.columns = dsc::countElements(pixels);
  view.inner = dsc::countElements(terms);
  view.columnsAreLast = order.channelsLast;
  view.lhs = weights;
  view.rhs = image;
  view.resultAt = [=, &k](ArrayRef<Value> outer, Value row, const Index &column) {
    Index made = k.uniform(row);
    Value pixel = column.base;
    if (order.channelsLast) {
      made = column;
      pixel = row;
    }
    made = k.addTo(made, k.mul(outer.back(), k.index(perGroup)));
    SmallVector<Value> place = placeOf(outer, pixel);
    return Indices(order.arrange<Index>(k.uniform(place[0]), made, uniform(ArrayRef(place).drop_front())));
  };
  if (!order.channelsLast) {
    findPieces(k, op, view);
    return view;
  }
  std::swap(view.rows, view.columns);
  std::swap(view.lhs, view.rhs);
  auto isPlain = [&](Value tensor) { return k.pointers.contains(tensor) && !k.windows.contains(tensor); };
  if (std::optional<Lay> lay = pixelsInPieces(op); lay && k.pointers.contains(lay->tensor))
    view.lhs.pieces = pixelPieces(k, op, *lay);
  if (isPlain(filterLayOf(op).tensor) && hasColumnsInPieces(op))
    view.rhs.pieces = columnPieces(k, op, view.inner);
  return view;
}

//===-- Both ------------------------------------------------------------------------------------------------------===//

bool isCopiedInPieces(Operation *hero, bool isLhs) {
  auto isInput = [](Value value) { return isa<BlockArgument>(value); };
  auto isPieced = [&](const std::optional<Lay> &lay) { return lay && isInput(lay->tensor); };
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  if (conv && dsc::orderOf(conv).channelsLast)
    return isLhs ? isPieced(pixelsInPieces(conv)) : isInput(filterLayOf(conv).tensor) && hasColumnsInPieces(conv);
  if (conv)
    return isLhs ? isInput(conv.getFilter()) && hasFilterInPieces(conv)
                 : isInput(conv.getInput()) && hasInputInPieces(conv);
  auto matmul = cast<dsc::MatmulOp>(hero);
  Value operand = isLhs ? matmul.getLhs() : matmul.getRhs();
  std::optional<Lay> lay = layOf(operand);
  return lay && isInput(lay->tensor) && findPieceDim(*lay, dsc::getDims(operand), elementsOfPiece(operand)).has_value();
}

MatrixView matrixViewOf(ElementCode &code, Operation *hero) {
  if (auto conv = dyn_cast<dsc::ConvOp>(hero))
    return viewOf(code, conv);
  return viewOf(code, cast<dsc::MatmulOp>(hero));
}

} // namespace dscc::kernels
