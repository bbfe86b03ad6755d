// Convolutions whose images have their channels last, a register tile at a time.
//
//              columns: channels that are made, in lanes
//            +--------+--------+
//     rows   | sum 00 | sum 01 |     for each element of the window:
//    pixels  | sum 10 | sum 11 |       find where each pixel's channels begin there; outside of the image that is a row
//    of
//            +--------+--------+       zeros
//                                      for each channel that is taken: a step as of a product
//
// Rows are pixels of the whole result, so that small images fill tiles with parts of several lines. What tells a pixel
// within the image from one outside is asked once for each element of the window, and never in the inner loop. Where
// neighbours along a line need no such question, a line of the window is one row of channels: a first layer takes
// 7 * 3 steps and not 7 times 3. An image that lies with its channels in the model's order is read where it lies.
//
// A depthwise convolution takes each channel by itself: lanes of the image meet lanes of the filter. There finding
// pixels would take as long as multiplying. Where rows of a tile are known to be of one line, they go by the window's
// lines that lie inside of the image, and ask only tiles at the ends of a line which pixels do.

#include "passes/kernels/Lay.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/cpu/Tiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

namespace {
/// The code of one tile.
class PixelTile {
public:
  PixelTile(Kernel &kernel, ElementCode &code, dsc::ConvOp conv);

  SmallVector<Value> accumulate(ArrayRef<Index> outer, ArrayRef<Index> rows, ArrayRef<TileColumn> columns,
                                SmallVector<Value> sums);
  Indices resultAt(ArrayRef<Index> outer, const Index &row, const Index &column);

private:
  /// A row of the tile.
  struct Pixel {
    Value row;                                               // its number
    SmallVector<Index> place;                                // in the result
    SmallVector<Value> start;                                // in the image, where the window begins; may be outside
    Value offset;                                            // of the image's element there, in elements
    std::optional<std::pair<int64_t, int64_t>> columns = {}; // the least and the most of the last of `place`, if known
  };

  Value findImage();
  bool isAlwaysInside() const;
  void makeZeros(Kernel &kernel);
  bool isOneLine(size_t rows) const;
  void locate(ArrayRef<Index> outer, ArrayRef<Index> rows);
  enum class Where { Inside, Outside, Unknown };
  Where findAlongLine(const Pixel &pixel, Value tap) const;
  Value lineAt(const Pixel &pixel, ArrayRef<Value> tap, Value tapOffset);
  SmallVector<Value> linesAt(ArrayRef<Value> tap);
  Index channelOf(ArrayRef<Index> outer, const Index &column, int64_t perGroup);
  Value loadFilter(ArrayRef<Value> tap, Value taken, const Index &made, Value mask);
  Value loadImage(ArrayRef<Index> outer, const Pixel &pixel, Value line, ArrayRef<Value> tap, const Index &channel,
                  Value mask);
  using Sums = SmallVector<Value>;
  Sums addLines(ArrayRef<Index> outer, ArrayRef<TileColumn> columns, SmallVector<Value> tap, ValueRange sums);
  Sums addLine(ArrayRef<Index> outer, ArrayRef<TileColumn> columns, SmallVector<Value> tap, ValueRange sums);
  void addStep(ArrayRef<Index> outer, ArrayRef<Value> lines, ArrayRef<TileColumn> columns, ArrayRef<Value> tap,
               Value channel, MutableArrayRef<Value> sums);
  void addChannels(ArrayRef<Index> outer, ArrayRef<Value> lines, ArrayRef<TileColumn> columns, ArrayRef<Value> tap,
                   MutableArrayRef<Value> sums);

  ElementCode &code;
  KernelBuilder &k;
  dsc::ConvOp conv;
  dsc::ImageOrder order;
  Window window;
  dsc::Dims input, filter, result;
  bool isDepthwise;
  int64_t taken, made;   // channels of a group
  bool liesLast = false; // whether the image's pixels and channels are neighbours in memory
  DimExpr first = 0;     // where in the image's tensor its first element is
  SmallVector<Value> strides;
  Value image;    // the tensor in memory that the convolution reads by way of casts; null if there is none
  Value matrix;   // the filter as one matrix, if it is seen so
  bool joinsLine; // whether a line of the window is one row of channels
  Value zeros;    // a row of them
  /// Along which dims pixels may lie outside of the image, as far as is not known better.
  SmallVector<bool> mayBeOutside;
  SmallVector<Pixel> pixels;
};
} // namespace

/// What the casts above `value` are made of.
static Value belowCasts(Value value) {
  while (auto cast = value.getDefiningOp<dsc::CastOp>())
    value = cast.getInput();
  return value;
}

/// What becomes of an element on its way through the casts above.
static Value castAs(KernelBuilder &k, Value value, Value element) {
  auto cast = value.getDefiningOp<dsc::CastOp>();
  return cast ? emitScalar(k, cast, castAs(k, cast.getInput(), element)) : element;
}

PixelTile::PixelTile(Kernel &kernel, ElementCode &code, dsc::ConvOp conv)
    : code(code), k(code.k), conv(conv), order(dsc::orderOf(conv)), window(windowOf(conv)),
      input(dsc::getDims(conv.getInput())), filter(dsc::getDims(conv.getFilter())),
      result(dsc::getDims(conv.getResult())), isDepthwise(kernels::isDepthwise(conv)),
      taken(filter[order.taken()].constant()), made(filter[order.made()].constant() / int64_t(conv.getGroups())),
      image(findImage()) {
  if (auto view = belowCasts(conv.getFilter()).getDefiningOp<dsc::ReshapeOp>();
      view && dsc::getDims(view.getInput()).size() == 2)
    matrix = view.getInput();
  for (size_t i = 0; i < order.rank; ++i)
    mayBeOutside.push_back(!window.alwaysInside(i));
  size_t last = order.rank - 1;
  joinsLine = matrix && liesLast && conv.getGroups() == 1 && window.size[last] > 1 && window.dilations[last] == 1 &&
              window.alwaysInside(last);
  if (!image)
    return;
  if (!isAlwaysInside())
    makeZeros(kernel);
}

/// The tensor of which the convolution's input is a part, or all, by strides; sets those, and whether pixels are
/// neighbours in memory. Where vectors of channels are read, or rows of zeros, channels must be neighbours.
Value PixelTile::findImage() {
  Value tensor = belowCasts(conv.getInput());
  std::optional<Lay> lay = layOf(tensor);
  if (!lay || !k.pointers.contains(lay->tensor) || lay->panelColumns != 0 ||
      llvm::any_of(lay->repeats, [](int64_t repeat) { return repeat != 1; }))
    return {};
  auto window = k.windows.find(lay->tensor);
  if (window != k.windows.end()) {
    if (lay->tensor != tensor)
      return {};
    strides = k.stridesOf(input, &window->second);
    return tensor;
  }
  bool areNeighbours = lay->strides[order.channel()].isConstant(1);
  if (!areNeighbours && (isDepthwise || !isAlwaysInside()))
    return {};
  liesLast = areNeighbours && lay->strides[order.spatial(order.rank - 1)] == input[order.channel()];
  first = lay->offset;
  strides = llvm::map_to_vector(lay->strides, [&](const DimExpr &stride) { return k.dim(stride); });
  return lay->tensor;
}

bool PixelTile::isAlwaysInside() const {
  return llvm::all_of(llvm::seq<size_t>(0, order.rank), [&](size_t i) { return window.alwaysInside(i); });
}

/// Fills the scratch of the worker with a row of channels that are zero.
void PixelTile::makeZeros(Kernel &kernel) {
  Type storage = getStorageType(dsc::getElementType(image));
  int64_t count = isDepthwise ? int64_t(conv.getGroups()) : joinsLine ? taken * window.size.back() : taken;
  count = llvm::alignTo(count, k.width);
  kernel.scratch = count * std::max<int64_t>(1, storage.getIntOrFloatBitWidth() / 8);
  zeros = kernel.scratchMemory;
  Type type = k.width > 1 ? k.laneType(storage) : storage;
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(type));
  k.loopDo(k.index(0), k.index(count), k.index(k.width), [&](Value at) { k.storeRaw(zeros, storage, at, zero); });
}

/// Whether a tile of so many rows is known to lie in one line of the result.
bool PixelTile::isOneLine(size_t rows) const {
  const DimExpr &line = result[order.spatial(order.rank - 1)];
  return rows == 1 || (line.isConstant() && line.constant() % int64_t(rows) == 0);
}

/// Finds the pixels of a tile's rows: by division the first, and each other from the one before, which is its neighbour
/// or, where rows are repeated, the same.
void PixelTile::locate(ArrayRef<Index> outer, ArrayRef<Index> rows) {
  pixels.clear();
  dsc::Dims spatial = order.spatialOf(result);
  SmallVector<Value> sizes = llvm::map_to_vector(spatial, [&](const DimExpr &dim) { return k.dim(dim); });
  SmallVector<Value> place;
  for (auto [number, row] : llvm::enumerate(rows)) {
    if (number == 0) {
      place = k.delinearize(row.base, sizes);
      if (rows.size() > 1 && spatial.back().isConstant(int64_t(rows.size())))
        place.back() = k.index(0);
    } else if (isOneLine(rows.size())) {
      place.back() = k.add(place.back(), k.index(1));
    } else {
      Value step = k.sub(row.base, rows[number - 1].base);
      for (size_t i = order.rank; i-- > 0;) {
        place[i] = k.add(place[i], step);
        if (i == 0)
          break;
        Value wraps = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, place[i], sizes[i]);
        place[i] = arith::SelectOp::create(k.b, k.loc, wraps, k.index(0), place[i]);
        step = arith::SelectOp::create(k.b, k.loc, wraps, k.index(1), k.index(0));
      }
    }
    Pixel pixel;
    pixel.row = row.base;
    // Tiles begin at multiples of their size.
    int64_t count = rows.size();
    if (isOneLine(count) && spatial.back().isConstant())
      pixel.columns = {int64_t(number), spatial.back().constant() - count + int64_t(number)};
    for (size_t i = 0; i < order.rank; ++i) {
      pixel.place.push_back(k.uniform(place[i]));
      pixel.start.push_back(window.position(k, i, pixel.place.back(), k.constantIndex(0)).base);
    }
    if (image) {
      pixel.offset = k.add(k.dim(first), k.mul(outer[0].base, strides[0]));
      for (size_t i = 0; i < order.rank; ++i)
        pixel.offset = k.add(pixel.offset, k.mul(pixel.start[i], strides[order.spatial(i)]));
      if (outer.size() > 1)
        pixel.offset = k.add(pixel.offset, k.mul(k.mul(outer[1].base, k.index(taken)), strides[order.channel()]));
    }
    pixels.push_back(std::move(pixel));
  }
}

/// Where the channels begin that a pixel takes at one element of the window.
Value PixelTile::lineAt(const Pixel &pixel, ArrayRef<Value> tap, Value tapOffset) {
  Value inside;
  for (size_t i = 0; i < order.rank; ++i) {
    if (!mayBeOutside[i] || (i + 1 == order.rank && findAlongLine(pixel, tap[i]) == Where::Inside))
      continue;
    Value position = k.add(pixel.start[i], k.mul(tap[i], k.index(window.dilations[i])));
    // One unsigned comparison checks both bounds.
    Value fits = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::ult, position, k.dim(input[order.spatial(i)]));
    inside = inside ? arith::AndIOp::create(k.b, k.loc, inside, fits) : fits;
  }
  Value line = k.elementAddress(k.pointers.lookup(image), getStorageType(dsc::getElementType(image)),
                                k.add(pixel.offset, tapOffset));
  return inside ? arith::SelectOp::create(k.b, k.loc, inside, line, zeros) : line;
}

Index PixelTile::channelOf(ArrayRef<Index> outer, const Index &column, int64_t perGroup) {
  if (outer.size() == 1)
    return column;
  Index channel = k.addTo(column, k.mul(outer[1].base, k.index(perGroup)));
  channel.whole = column.whole && perGroup % k.width == 0;
  return channel;
}

Value PixelTile::loadFilter(ArrayRef<Value> tap, Value channel, const Index &to, Value mask) {
  k.mask = mask;
  Value element;
  if (matrix) {
    Value row = k.index(0);
    for (auto [place, size] : llvm::zip_equal(tap, window.size))
      row = k.add(k.mul(row, k.index(size)), place);
    row = k.add(k.mul(row, k.index(taken)), channel);
    element = castAs(k, conv.getFilter(), code.element(matrix, {k.uniform(row), to}));
  } else {
    Indices at = llvm::map_to_vector<6>(tap, [&](Value place) { return k.uniform(place); });
    element = code.element(conv.getFilter(), order.arrangeFilter<Index>(to, k.uniform(channel), at));
  }
  k.mask = {};
  return element;
}

/// One channel, or the neighbours of a column, of a pixel at one element of the window. `channel` counts from the first
/// that the pixel takes.
Value PixelTile::loadImage(ArrayRef<Index> outer, const Pixel &pixel, Value line, ArrayRef<Value> tap,
                           const Index &channel, Value mask) {
  bool manyLanes = channel.kind != Index::Uniform && k.width > 1;
  if (!image) {
    Index own = channel;
    if (outer.size() > 1)
      own = k.addTo(own, k.mul(outer[1].base, k.index(taken)));
    SmallVector<Index> positions;
    SmallVector<Value> limits(order.rank);
    for (size_t i = 0; i < order.rank; ++i) {
      positions.push_back(window.position(k, i, pixel.place[i], k.uniform(tap[i])));
      limits[i] = window.alwaysInside(i) ? Value() : k.dim(input[order.spatial(i)]);
    }
    k.mask = mask;
    Value element =
        code.elementOr(conv.getInput(), order.arrange<Index>(outer[0], own, positions),
                       order.arrange<Value>({}, {}, limits), zeroOf(k, dsc::getElementType(conv.getInput())));
    k.mask = {};
    return element;
  }
  Type own = dsc::getElementType(image), storage = getStorageType(own);
  Value stored;
  if (manyLanes && mask) {
    k.mask = mask;
    stored = k.loadMasked(line, storage, channel.base);
    k.mask = {};
  } else {
    stored = k.loadRaw(line, storage, k.mul(channel.base, strides[order.channel()]), manyLanes ? k.width : 0);
  }
  return castAs(k, conv.getInput(), k.toCompute(stored, own));
}

/// Adds what one channel is worth.
void PixelTile::addStep(ArrayRef<Index> outer, ArrayRef<Value> lines, ArrayRef<TileColumn> columns, ArrayRef<Value> tap,
                        Value channel, MutableArrayRef<Value> sums) {
  SmallVector<Value> x, y;
  for (const TileColumn &column : columns)
    y.push_back(loadFilter(tap, channel, channelOf(outer, column.index, made), column.mask));
  for (auto [pixel, line] : llvm::zip_equal(pixels, lines))
    x.push_back(loadImage(outer, pixel, line, tap, k.uniform(channel), {}));
  multiplyAdd(k, x, y, sums);
}

/// Where that element of the window lies along a line of the image, as far as is known.
PixelTile::Where PixelTile::findAlongLine(const Pixel &pixel, Value tap) const {
  size_t last = order.rank - 1;
  std::optional<int64_t> element = getConstantIntValue(tap);
  const DimExpr &size = input[order.spatial(last)];
  if (!pixel.columns || !element || !size.isConstant())
    return Where::Unknown;
  auto positionOf = [&](int64_t place) {
    return place * window.strides[last] - window.pads[last] + *element * window.dilations[last];
  };
  int64_t least = positionOf(pixel.columns->first), most = positionOf(pixel.columns->second);
  if (least >= 0 && most < size.constant())
    return Where::Inside;
  return most < 0 || least >= size.constant() ? Where::Outside : Where::Unknown;
}

/// Adds one element of the window, each channel to its own sum.
void PixelTile::addChannels(ArrayRef<Index> outer, ArrayRef<Value> lines, ArrayRef<TileColumn> columns,
                            ArrayRef<Value> tap, MutableArrayRef<Value> sums) {
  for (auto [number, column] : llvm::enumerate(columns)) {
    Value y = loadFilter(tap, k.index(0), column.index, column.mask);
    for (size_t i = 0; i < pixels.size(); ++i) {
      if (findAlongLine(pixels[i], tap.back()) == Where::Outside)
        continue;
      Value x = loadImage(outer, pixels[i], lines[i], tap, column.index, column.mask);
      Value &sum = sums[i * columns.size() + number];
      sum = emitMulAdd(k, k.lift(x), k.lift(y), sum);
    }
  }
}

/// Where the channels begin that each pixel takes at one element of the window; null if they are not in memory, or
/// known to be nowhere.
SmallVector<Value> PixelTile::linesAt(ArrayRef<Value> tap) {
  SmallVector<Value> lines(pixels.size());
  if (!image)
    return lines;
  Value tapOffset = k.index(0);
  for (size_t i = 0; i < order.rank; ++i)
    tapOffset = k.add(tapOffset, k.mul(k.mul(tap[i], k.index(window.dilations[i])), strides[order.spatial(i)]));
  for (auto [line, pixel] : llvm::zip_equal(lines, pixels))
    if (!isDepthwise || findAlongLine(pixel, tap.back()) != Where::Outside)
      line = lineAt(pixel, tap, tapOffset);
  return lines;
}

/// Adds the elements of one line of the window.
PixelTile::Sums PixelTile::addLine(ArrayRef<Index> outer, ArrayRef<TileColumn> columns, SmallVector<Value> tap,
                                   ValueRange sums) {
  Sums next(sums.begin(), sums.end());
  for (int64_t step = 0; step < window.size.back(); ++step) {
    tap.back() = k.index(step);
    addChannels(outer, linesAt(tap), columns, tap, next);
  }
  return next;
}

/// Adds the elements of all lines of the window that lie inside of the image, for a tile of one line, where `tap` is
/// known for the outermost dims.
PixelTile::Sums PixelTile::addLines(ArrayRef<Index> outer, ArrayRef<TileColumn> columns, SmallVector<Value> tap,
                                    ValueRange sums) {
  size_t dim = tap.size(), last = order.rank - 1;
  Value zero = k.index(0), start = pixels.front().start[dim], size = k.dim(input[order.spatial(dim)]);
  Value dilation = k.index(window.dilations[dim]);
  bool mayBe = mayBeOutside[dim];
  if (dim < last) {
    tap.push_back(zero);
    if (!mayBe && window.size[dim] == 1)
      return addLines(outer, columns, tap, sums);
    Value from = zero, to = k.index(window.size[dim]);
    if (mayBe) {
      from = k.ceilDivide(k.maximum(zero, k.sub(zero, start)), dilation);
      to = k.minimum(to, k.ceilDivide(k.maximum(zero, k.sub(size, start)), dilation));
    }
    mayBeOutside[dim] = false;
    Sums all = k.loop(from, to, k.index(1), sums, [&](Value at, ValueRange carried) {
      ElementCode::Scope scope(code);
      tap.back() = at;
      return addLines(outer, columns, tap, carried);
    });
    mayBeOutside[dim] = mayBe;
    return all;
  }
  tap.push_back(zero);
  // Of a tile that is a whole line it is known what is outside.
  if (!mayBe || result[order.spatial(last)].isConstant(int64_t(pixels.size())))
    return addLine(outer, columns, tap, sums);
  Value reach = k.index((window.size[last] - 1) * window.dilations[last]);
  Value end = k.add(pixels.back().start[last], reach);
  Value isInside =
      arith::AndIOp::create(k.b, k.loc, arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::sge, start, zero),
                            arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, end, size));
  auto branch = scf::IfOp::create(k.b, k.loc, sums.getTypes(), isInside, true);
  for (bool inside : {true, false}) {
    OpBuilder::InsertionGuard guard(k.b);
    ElementCode::Scope scope(code);
    k.b.setInsertionPointToEnd(inside ? branch.thenBlock() : branch.elseBlock());
    mayBeOutside[last] = !inside;
    scf::YieldOp::create(k.b, k.loc, addLine(outer, columns, tap, sums));
  }
  mayBeOutside[last] = mayBe;
  return Sums(branch.getResults());
}

SmallVector<Value> PixelTile::accumulate(ArrayRef<Index> outer, ArrayRef<Index> rows, ArrayRef<TileColumn> columns,
                                         SmallVector<Value> sums) {
  locate(outer, rows);
  // Few steps are written out: of channels, and along a line of the window.
  constexpr int64_t few = 7;
  size_t last = order.rank - 1;
  bool writesOut = isDepthwise && window.size[last] <= few;
  if (writesOut && image && isOneLine(rows.size()))
    return addLines(outer, columns, SmallVector<Value>(), sums);
  // Loops over what has more than one element, in the window's order.
  SmallVector<size_t> looped;
  for (size_t i = 0; i < order.rank; ++i)
    if (window.size[i] > 1 && !(i == last && (joinsLine || writesOut)))
      looped.push_back(i);
  SmallVector<DimExpr> sizes = llvm::map_to_vector(looped, [&](size_t i) { return DimExpr(window.size[i]); });
  int64_t run = joinsLine ? taken * window.size.back() : taken;
  return loopOver(code, sizes, sums, [&](ArrayRef<Value> position, ValueRange carried) {
    SmallVector<Value> tap(order.rank, k.index(0)), next(carried.begin(), carried.end());
    for (auto [i, at] : llvm::zip_equal(looped, position))
      tap[i] = at;
    if (writesOut)
      return addLine(outer, columns, tap, carried);
    if (isDepthwise) {
      addChannels(outer, linesAt(tap), columns, tap, next);
      return next;
    }
    SmallVector<Value> lines = linesAt(tap);
    if (run <= few) {
      for (int64_t channel = 0; channel < run; ++channel)
        addStep(outer, lines, columns, tap, k.index(channel), next);
      return next;
    }
    return loopOver(code, DimExpr(run), carried, [&](ArrayRef<Value> channel, ValueRange inner) {
      SmallVector<Value> next(inner.begin(), inner.end());
      addStep(outer, lines, columns, tap, channel[0], next);
      return next;
    });
  });
}

Indices PixelTile::resultAt(ArrayRef<Index> outer, const Index &row, const Index &column) {
  for (const Pixel &pixel : pixels)
    if (pixel.row == row.base)
      return order.arrange<Index>(outer[0], channelOf(outer, column, made), pixel.place);
  llvm_unreachable("a tile is stored after its sums were made");
}

Contraction channelsLastContraction(Kernel &kernel, ElementCode &code, dsc::ConvOp op) {
  dsc::ImageOrder order = dsc::orderOf(op);
  assert(order.channelsLast && "other convolutions are seen in another way");
  dsc::Dims result = dsc::getDims(op.getResult());
  auto tile = std::make_shared<PixelTile>(kernel, code, op);
  Contraction c;
  bool isDepthwise = kernels::isDepthwise(op);
  c.outer = {result[0]};
  if (op.getGroups() != 1 && !isDepthwise)
    c.outer.push_back(int64_t(op.getGroups()));
  c.rows = dsc::countElements(order.spatialOf(result));
  c.columns = result[order.channel()].constant() / (isDepthwise ? 1 : int64_t(op.getGroups()));
  c.inner = order.countTerms(op.getFilter());
  c.resultAt = [tile](ArrayRef<Index> outer, const Index &row, const Index &column) {
    return tile->resultAt(outer, row, column);
  };
  c.accumulate = [tile](ArrayRef<Index> outer, ArrayRef<Index> rows, ArrayRef<TileColumn> columns,
                        SmallVector<Value> sums) { return tile->accumulate(outer, rows, columns, std::move(sums)); };
  return c;
}

} // namespace dscc::kernels
