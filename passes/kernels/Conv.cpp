// Elements of convolutions: a sum over channels and window.

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/cpu/Tiles.h"

using namespace mlir;

namespace dscc::kernels {

Index Window::position(KernelBuilder &k, size_t i, const Index &at, const Index &element) const {
  Index start = k.addTo(k.scale(at, k.index(strides[i])), k.index(-pads[i]));
  Index offset = k.scale(element, k.index(dilations[i]));
  if (offset.kind == Index::Uniform)
    return k.addTo(start, offset.base);
  return k.fromValue(LaneMath{k}.add(k.asValue(start), k.asValue(offset)));
}

Index Window::placeOf(KernelBuilder &k, size_t i, const Index &at, Value element) const {
  LaneMath m{k};
  // (at + pad - element * dilation) / stride, if that is whole.
  Value back = k.mul(element, k.index(dilations[i]));
  Value target = m.sub(m.add(k.asValue(at), k.index(pads[i])), back), stride = k.index(strides[i]);
  Value whole = m.compare(arith::CmpIPredicate::eq, m.remSigned(target, stride), k.index(0));
  Value isBefore = m.compare(arith::CmpIPredicate::slt, target, k.index(0));
  Value place = m.select(isBefore, k.index(-1), m.divSigned(target, stride));
  return k.fromValue(m.select(whole, place, k.index(-1)));
}

SmallVector<DimExpr> Window::sizeExprs() const {
  return llvm::map_to_vector(size, [](int64_t n) { return DimExpr(n); });
}

static Window makeWindow(ArrayRef<int64_t> size, ArrayAttr strides, ArrayAttr dilations, ArrayAttr pads) {
  assert(strides.size() == size.size() && dilations.size() == size.size() && pads.size() == 2 * size.size() &&
         "conv (C3), max_pool (C1): one entry a spatial dim, two for its pads");
  return {SmallVector<int64_t>(size), dsc::getIntegers(strides), dsc::getIntegers(dilations), dsc::getIntegers(pads)};
}

static SmallVector<int64_t> filterWindow(Operation *op, Value filter) {
  return llvm::map_to_vector(dsc::orderOf(op).windowOf(dsc::getDims(filter)),
                             [](const DimExpr &dim) { return dim.constant(); });
}

Window windowOf(dsc::ConvOp op) {
  return makeWindow(filterWindow(op, op.getFilter()), op.getStrides(), op.getDilations(), op.getPads());
}
bool isDepthwise(dsc::ConvOp op) {
  dsc::ImageOrder order = dsc::orderOf(op);
  dsc::Dims filter = dsc::getDims(op.getFilter());
  return op.getGroups() > 1 && filter[order.taken()].isConstant(1) &&
         filter[order.made()].isConstant(int64_t(op.getGroups()));
}

Window windowOf(dsc::ConvTransposeOp op) {
  return makeWindow(filterWindow(op, op.getFilter()), op.getStrides(), op.getDilations(), op.getPads());
}
Window windowOf(dsc::MaxPoolOp op) {
  return makeWindow(dsc::getIntegers(op.getWindow()), op.getStrides(), op.getDilations(), op.getPads());
}
Window windowOf(dsc::ArgMaxPoolOp op) {
  return makeWindow(dsc::getIntegers(op.getWindow()), op.getStrides(), op.getDilations(), op.getPads());
}
Window windowOf(dsc::AveragePoolOp op) {
  return makeWindow(dsc::getIntegers(op.getWindow()), op.getStrides(), op.getDilations(), op.getPads());
}
Window windowOf(dsc::SumWindowsOp op) {
  return makeWindow(dsc::getIntegers(op.getWindow()), op.getStrides(), op.getDilations(), op.getPads());
}

static Value emitConv(ElementCode &code, Operation *op, const Indices &at) {
  auto conv = cast<dsc::ConvOp>(op);
  KernelBuilder &k = code.k;
  LaneMath m{k};
  Window window = windowOf(conv);
  dsc::ImageOrder order = dsc::orderOf(op);
  dsc::Dims input = dsc::getDims(conv.getInput()), filter = dsc::getDims(conv.getFilter());
  const Index &made = at[order.channel()];
  const DimExpr &taken = filter[order.taken()];
  Type element = dsc::getElementType(conv.getInput());
  int64_t perGroup = filter[order.made()].constant() / int64_t(conv.getGroups());
  // Where each channel is a group of its own, lanes stay neighbours.
  Index group = perGroup == 1 ? made : k.fromValue(m.div(k.asValue(made), k.index(perGroup)));
  SmallVector<DimExpr> sizes = {taken};
  llvm::append_range(sizes, window.sizeExprs());
  Value zero = zeroOf(k, element);
  return loopOver(code, sizes, {k.lift(zero)}, [&](ArrayRef<Value> position, ValueRange carried) {
    Index channel = k.addTo(k.scale(group, k.dim(taken)), position[0]);
    SmallVector<Index> taps, places;
    SmallVector<Value> limits;
    for (size_t i = 0; i < window.rank(); ++i) {
      taps.push_back(k.uniform(position[i + 1]));
      places.push_back(window.position(k, i, at[order.spatial(i)], taps.back()));
      limits.push_back(window.alwaysInside(i) ? Value() : k.dim(input[order.spatial(i)]));
    }
    Value x = code.elementOr(conv.getInput(), order.arrange<Index>(at[0], channel, places),
                             order.arrange<Value>({}, {}, limits), zero);
    Value w = code.element(conv.getFilter(), order.arrangeFilter<Index>(made, k.uniform(position[0]), taps));
    return SmallVector<Value>{k.lift(emitMulAdd(k, x, w, carried[0]))};
  })[0];
}

static Value emitConvTranspose(ElementCode &code, Operation *op, const Indices &at) {
  auto conv = cast<dsc::ConvTransposeOp>(op);
  KernelBuilder &k = code.k;
  LaneMath m{k};
  Window window = windowOf(conv);
  dsc::Dims input = dsc::getDims(conv.getInput()), filter = dsc::getDims(conv.getFilter());
  Type element = dsc::getElementType(conv.getInput());
  int64_t channels = filter[0].constant() / int64_t(conv.getGroups());
  Value perGroup = k.dim(filter[1]), output = k.asValue(at[1]);
  Index group = k.fromValue(m.div(output, perGroup)), filterOut = k.fromValue(m.rem(output, perGroup));
  SmallVector<DimExpr> sizes = {channels};
  llvm::append_range(sizes, window.sizeExprs());
  Value zero = zeroOf(k, element);
  return loopOver(code, sizes, {k.lift(zero)}, [&](ArrayRef<Value> position, ValueRange carried) {
    Index channel = k.addTo(k.scale(group, k.index(channels)), position[0]);
    Indices from = {at[0], channel}, weight = {channel, filterOut};
    SmallVector<Value> limits(input.size());
    for (size_t i = 0; i < window.rank(); ++i) {
      weight.push_back(k.uniform(position[i + 1]));
      from.push_back(window.placeOf(k, i, at[i + 2], position[i + 1]));
      limits[i + 2] = k.dim(input[i + 2]);
    }
    Value x = code.elementOr(conv.getInput(), from, limits, zero);
    Value w = code.element(conv.getFilter(), weight);
    return SmallVector<Value>{k.lift(emitMulAdd(k, x, w, carried[0]))};
  })[0];
}

namespace {
/// The inner loops of a convolution's tile.
class ConvTile {
public:
  ConvTile(ElementCode &code, dsc::ConvOp conv)
      : code(code), k(code.k), conv(conv), window(windowOf(conv)), input(dsc::getDims(conv.getInput())),
        filter(dsc::getDims(conv.getFilter())), perGroup(filter[0].constant() / int64_t(conv.getGroups())) {}

  /// outer: image, group, all spatial dims but the last.
  SmallVector<Value> accumulate(ArrayRef<Index> outer, ArrayRef<Index> rows, ArrayRef<TileColumn> columns,
                                SmallVector<Value> sums) {
    // The last window dim is short: its steps are written out. The others are loops.
    SmallVector<DimExpr> sizes = {filter[1]};
    for (size_t i = 0; i + 1 < window.rank(); ++i)
      sizes.push_back(window.size[i]);
    return loopOver(code, sizes, sums, [&](ArrayRef<Value> position, ValueRange carried) {
      SmallVector<Value> next(carried.begin(), carried.end());
      int64_t last = window.size.back();
      if (last <= mostSteps) {
        for (int64_t step = 0; step < last; ++step)
          addStep(outer, rows, columns, position, k.index(step), next);
        return next;
      }
      return k.loop(k.index(0), k.index(last), k.index(1), next, [&](Value step, ValueRange inner) {
        ElementCode::Scope scope(code);
        SmallVector<Value> sums(inner.begin(), inner.end());
        addStep(outer, rows, columns, position, step, sums);
        return sums;
      });
    });
  }

  Index channel(const Index &group, const Index &row) {
    assert(group.kind == Index::Uniform && "a tile lies within one group of channels");
    return k.addTo(row, k.mul(group.base, k.index(perGroup)));
  }

private:
  static constexpr int64_t mostSteps = 7;

  void addStep(ArrayRef<Index> outer, ArrayRef<Index> rows, ArrayRef<TileColumn> columns, ArrayRef<Value> position,
               Value step, MutableArrayRef<Value> sums) {
    SmallVector<Value> x, y;
    Value zero = zeroOf(k, dsc::getElementType(conv.getInput()));
    for (const TileColumn &column : columns) {
      Indices at = {outer[0], k.addTo(k.scale(outer[1], k.dim(filter[1])), position[0])};
      SmallVector<Value> limits(input.size());
      for (size_t i = 0; i < window.rank(); ++i) {
        bool isLast = i + 1 == window.rank();
        Index place = isLast ? column.index : outer[2 + i], tap = k.uniform(isLast ? step : position[1 + i]);
        at.push_back(window.position(k, i, place, tap));
        limits[2 + i] = window.alwaysInside(i) ? Value() : k.dim(input[2 + i]);
      }
      k.mask = column.mask;
      y.push_back(code.elementOr(conv.getInput(), at, limits, zero));
      k.mask = {};
    }
    for (const Index &row : rows) {
      Indices at = {channel(outer[1], row), k.uniform(position[0])};
      for (size_t i = 0; i + 1 < window.rank(); ++i)
        at.push_back(k.uniform(position[1 + i]));
      at.push_back(k.uniform(step));
      x.push_back(code.element(conv.getFilter(), at));
    }
    multiplyAdd(k, x, y, sums);
  }

  ElementCode &code;
  KernelBuilder &k;
  dsc::ConvOp conv;
  Window window;
  dsc::Dims input, filter;
  int64_t perGroup;
};
} // namespace

Contraction contractionOf(ElementCode &code, dsc::ConvOp op) {
  assert(!op.getChannelsLast() && "channelsLastContraction knows those");
  dsc::Dims result = dsc::getDims(op.getResult()), filter = dsc::getDims(op.getFilter());
  auto tile = std::make_shared<ConvTile>(code, op);
  Contraction c;
  c.outer = {result[0], DimExpr(int64_t(op.getGroups()))};
  c.outer.append(result.begin() + 2, result.end() - 1);
  c.rows = filter[0].constant() / int64_t(op.getGroups());
  c.columns = result.back();
  c.inner = dsc::countElements(ArrayRef(filter).drop_front(1));
  c.resultAt = [tile](ArrayRef<Index> outer, const Index &row, const Index &column) {
    Indices at = {outer[0], tile->channel(outer[1], row)};
    at.append(outer.begin() + 2, outer.end());
    at.push_back(column);
    return at;
  };
  c.accumulate = [tile](ArrayRef<Index> outer, ArrayRef<Index> rows, ArrayRef<TileColumn> columns,
                        SmallVector<Value> sums) { return tile->accumulate(outer, rows, columns, std::move(sums)); };
  return c;
}

ArrayRef<ElementEntry> convEntries() {
  static constexpr ElementEntry entries[] = {
      {"dsc.conv", emitConv},
      {"dsc.conv_transpose", emitConvTranspose},
  };
  return entries;
}

} // namespace dscc::kernels
