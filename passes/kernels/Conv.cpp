// Elements of convolutions: a sum over channels and window.

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Window.h"

using namespace mlir;

namespace dscc::kernels {

Index Window::position(KernelBuilder &k, size_t i, const Index &at, const Index &element) const {
  Index start = k.addTo(k.scale(at, k.index(strides[i])), k.index(-pads[i]));
  Index offset = k.scale(element, k.index(dilations[i]));
  if (offset.kind == Index::Uniform)
    return k.addTo(start, offset.base);
  return k.fromValue(LaneMath{k}.add(k.asValue(start), k.asValue(offset)));
}

SmallVector<DimExpr> Window::sizeExprs() const {
  return llvm::map_to_vector(size, [](int64_t n) { return DimExpr(n); });
}

static Window makeWindow(ArrayRef<int64_t> size, ArrayAttr strides, ArrayAttr dilations, ArrayAttr pads) {
  return {SmallVector<int64_t>(size), dsc::getIntegers(strides), dsc::getIntegers(dilations), dsc::getIntegers(pads)};
}

static SmallVector<int64_t> filterWindow(Value filter) {
  return llvm::map_to_vector(ArrayRef(dsc::getDims(filter)).drop_front(2),
                             [](const DimExpr &dim) { return dim.constant(); });
}

Window windowOf(dsc::ConvOp op) {
  return makeWindow(filterWindow(op.getFilter()), op.getStrides(), op.getDilations(), op.getPads());
}
Window windowOf(dsc::ConvTransposeOp op) {
  return makeWindow(filterWindow(op.getFilter()), op.getStrides(), op.getDilations(), op.getPads());
}
Window windowOf(dsc::MaxPoolOp op) {
  return makeWindow(dsc::getIntegers(op.getWindow()), op.getStrides(), op.getDilations(), op.getPads());
}
Window windowOf(dsc::AveragePoolOp op) {
  return makeWindow(dsc::getIntegers(op.getWindow()), op.getStrides(), op.getDilations(), op.getPads());
}

static Value lift(KernelBuilder &k, Value value) { return k.width > 1 ? k.splat(value) : value; }

static Value emitConv(ElementCode &code, Operation *op, const Indices &at) {
  auto conv = cast<dsc::ConvOp>(op);
  KernelBuilder &k = code.k;
  LaneMath m{k};
  Window window = windowOf(conv);
  dsc::Dims input = dsc::getDims(conv.getInput()), filter = dsc::getDims(conv.getFilter());
  Type element = dsc::getElementType(conv.getInput());
  int64_t perGroup = filter[0].constant() / int64_t(conv.getGroups());
  Index group = k.fromValue(m.div(k.asValue(at[1]), k.index(perGroup)));
  SmallVector<DimExpr> sizes = {filter[1]};
  llvm::append_range(sizes, window.sizeExprs());
  Value zero = zeroOf(k, element);
  return loopOver(code, sizes, {lift(k, zero)}, [&](ArrayRef<Value> position, ValueRange carried) {
    Indices from = {at[0], k.addTo(k.scale(group, k.dim(filter[1])), position[0])}, weight = {at[1]};
    SmallVector<Value> limits(input.size());
    weight.push_back(k.uniform(position[0]));
    for (size_t i = 0; i < window.rank(); ++i) {
      weight.push_back(k.uniform(position[i + 1]));
      from.push_back(window.position(k, i, at[i + 2], weight.back()));
      limits[i + 2] = window.alwaysInside(i) ? Value() : k.dim(input[i + 2]);
    }
    Value x = code.elementOr(conv.getInput(), from, limits, zero);
    Value w = code.element(conv.getFilter(), weight);
    return SmallVector<Value>{lift(k, emitAdd(k, carried[0], emitMul(k, x, w)))};
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
  return loopOver(code, sizes, {lift(k, zero)}, [&](ArrayRef<Value> position, ValueRange carried) {
    Index channel = k.addTo(k.scale(group, k.index(channels)), position[0]);
    Indices from = {at[0], channel}, weight = {channel, filterOut};
    SmallVector<Value> limits(input.size());
    for (size_t i = 0; i < window.rank(); ++i) {
      weight.push_back(k.uniform(position[i + 1]));
      // The input place whose window element `position` falls here: (out + pad - position * dilation) / stride, if that
      // is whole.
      Value back = k.mul(position[i + 1], k.index(window.dilations[i]));
      Value target = m.sub(m.add(k.asValue(at[i + 2]), k.index(window.pads[i])), back);
      Value stride = k.index(window.strides[i]);
      Value whole = m.compare(arith::CmpIPredicate::eq, m.remSigned(target, stride), k.index(0));
      Value isBefore = m.compare(arith::CmpIPredicate::slt, target, k.index(0));
      Value place = m.select(isBefore, k.index(-1), m.divSigned(target, stride));
      from.push_back(k.fromValue(m.select(whole, place, k.index(-1))));
      limits[i + 2] = k.dim(input[i + 2]);
    }
    Value x = code.elementOr(conv.getInput(), from, limits, zero);
    Value w = code.element(conv.getFilter(), weight);
    return SmallVector<Value>{lift(k, emitAdd(k, carried[0], emitMul(k, x, w)))};
  })[0];
}

ArrayRef<ElementRow> convRows() {
  static constexpr ElementRow rows[] = {
      {"dsc.conv", emitConv},
      {"dsc.conv_transpose", emitConvTranspose},
  };
  return rows;
}

} // namespace dscc::kernels
