#include "passes/layout/Phases.h"

#include "passes/canonical/Evaluate.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;

namespace dscc {

namespace {
/// The numbers of one transposed convolution.
struct Shape {
  explicit Shape(dsc::ConvTransposeOp op)
      : filter(cast<RankedTensorType>(op.getFilter().getType()).getShape()), window(filter.drop_front(2)),
        strides(dsc::getIntegers(op.getStrides())), pads(dsc::getIntegers(op.getPads())),
        extra(dsc::getIntegers(op.getOutputPadding())) {}

  ArrayRef<int64_t> filter, window; // filter: [C, M, window...]
  SmallVector<int64_t> strides, pads, extra;

  size_t rank() const { return strides.size(); }
  int64_t taken() const { return filter[0]; }
  int64_t made() const { return filter[1]; }
  /// Elements of the window that a phase sees along a dim, at most.
  int64_t taps(size_t i) const { return llvm::divideCeil(window[i], strides[i]); }
  /// By how many pixels there are more, along a dim, than in the image, so that all of the result is made; not less
  /// than 0.
  int64_t more(size_t i) const {
    int64_t beyond = window[i] - pads[rank() + i] + extra[i];
    return std::max<int64_t>(0, llvm::divideCeilSigned(beyond, strides[i]) - 1);
  }
};
} // namespace

Verdict hasPhases(dsc::ConvTransposeOp op) {
  ElementsAttr filter = getConstant(op.getFilter());
  if (!filter || filter.empty() || !getBytes(filter))
    return Verdict::declined("its filter is no constant whose bytes are at hand");
  if (op.getGroups() != 1)
    return Verdict::declined("it has groups");
  return Verdict::acceptedIf(
      llvm::all_of(dsc::getIntegers(op.getDilations()), [](int64_t dilation) { return dilation == 1; }),
      "it is dilated");
}

int64_t countPhases(dsc::ConvTransposeOp op) { return llvm::product_of(dsc::getIntegers(op.getStrides())); }

/// Calls `body` with each position in a box, row-major.
static void forEachPosition(ArrayRef<int64_t> sizes, function_ref<void(ArrayRef<int64_t>)> body) {
  SmallVector<int64_t> at(sizes.size(), 0);
  for (int64_t left = llvm::product_of(sizes); left > 0; --left) {
    body(at);
    for (size_t i = sizes.size(); i-- > 0 && ++at[i] == sizes[i];)
      at[i] = 0;
  }
}

ElementsAttr makePhaseFilter(dsc::ConvTransposeOp op) {
  Shape shape(op);
  ElementsAttr filter = getConstant(op.getFilter());
  size_t width = filter.getElementType().getIntOrFloatBitWidth() / 8;
  std::vector<char> from =
      broadcastBytes(*getBytes(filter), filter.isSplat() ? ArrayRef<int64_t>() : shape.filter, shape.filter, width);
  int64_t phases = countPhases(op), made = shape.made(), window = llvm::product_of(shape.window);
  SmallVector<int64_t> dims;
  for (size_t i = 0; i < shape.rank(); ++i)
    dims.push_back(shape.taps(i));
  std::vector<char> to(llvm::product_of(dims) * shape.taken() * phases * made * width, 0);
  char *place = to.data();
  // tap, then taken, then phase, then made.
  forEachPosition(dims, [&](ArrayRef<int64_t> tap) {
    for (int64_t taken = 0; taken < shape.taken(); ++taken)
      forEachPosition(shape.strides, [&](ArrayRef<int64_t> phase) {
        int64_t element = 0;
        bool exists = true;
        for (size_t i = 0; i < shape.rank(); ++i) {
          // The last tap is the pixel itself, those before it pixels before it.
          int64_t own = phase[i] + (dims[i] - 1 - tap[i]) * shape.strides[i];
          exists &= own < shape.window[i];
          element = element * shape.window[i] + own;
        }
        for (int64_t m = 0; m < made; ++m, place += width)
          if (exists)
            std::memcpy(place, from.data() + ((taken * made + m) * window + element) * width, width);
      });
  });
  dims.append({shape.taken(), phases * made});
  return makeFromBytes(RankedTensorType::get(dims, filter.getElementType()), to, "phases");
}

Value convolvePhases(OpBuilder &b, dsc::ConvTransposeOp op, Value image, Value filter) {
  Shape shape(op);
  SmallVector<int64_t> ones(shape.rank(), 1), pads;
  for (size_t i = 0; i < shape.rank(); ++i)
    pads.push_back(shape.taps(i) - 1);
  for (size_t i = 0; i < shape.rank(); ++i)
    pads.push_back(shape.more(i));
  return dsc::ConvOp::create(b, op.getLoc(), image, filter, b.getI64ArrayAttr(ones), b.getI64ArrayAttr(ones),
                             b.getI64ArrayAttr(pads), 1, /*channels_last=*/true);
}

ElementsAttr repeatForPhases(ElementsAttr constant, dsc::ConvTransposeOp op) {
  auto type = cast<RankedTensorType>(constant.getShapedType());
  std::optional<ArrayRef<char>> bytes = getBytes(constant);
  int64_t made = Shape(op).made(), phases = countPhases(op);
  if (constant.getNumElements() == 1)
    return reshapeConstant(constant, RankedTensorType::get({}, type.getElementType()));
  if (!bytes || constant.getNumElements() != made || type.getShape().back() != made)
    return {};
  SmallVector<int64_t> dims(type.getShape());
  dims.back() = phases * made;
  auto repeated = RankedTensorType::get(dims, type.getElementType());
  if (constant.isSplat())
    return DenseElementsAttr::getFromRawBuffer(repeated, *bytes);
  std::vector<char> all;
  for (int64_t phase = 0; phase < phases; ++phase)
    all.insert(all.end(), bytes->begin(), bytes->end());
  return makeFromBytes(repeated, all, "phases");
}

Value weavePhases(OpBuilder &b, dsc::ConvTransposeOp op, Value phases) {
  Shape shape(op);
  Location loc = op.getLoc();
  Type element = dsc::getElementType(phases);
  size_t rank = shape.rank();
  dsc::Dims pixels = dsc::getDims(phases), apart = {pixels[0]}, woven = {pixels[0]};
  SmallVector<int64_t> permutation = {0};
  for (size_t i = 0; i < rank; ++i) {
    apart.push_back(pixels[1 + i]);
    woven.push_back(pixels[1 + i] * shape.strides[i]);
    permutation.append({int64_t(1 + i), int64_t(1 + rank + i)});
  }
  for (int64_t stride : shape.strides)
    apart.push_back(stride);
  // A last dim of one channel would leave a lane for each element.
  if (shape.made() != 1) {
    apart.push_back(shape.made());
    permutation.push_back(1 + 2 * rank);
  }
  woven.push_back(shape.made());
  Value value = dsc::ReshapeOp::create(b, loc, dsc::makeTensor(apart, element), phases);
  value = b.createOrFold<dsc::TransposeOp>(loc, value, b.getI64ArrayAttr(permutation));
  value = dsc::ReshapeOp::create(b, loc, dsc::makeTensor(woven, element), value);
  dsc::Dims starts(rank + 2, DimExpr(0)), sizes = woven, result = dsc::getDims(op.getResult());
  for (size_t i = 0; i < rank; ++i) {
    starts[1 + i] = shape.pads[i];
    sizes[1 + i] = result[2 + i];
  }
  SmallVector<int64_t> steps(rank + 2, 1);
  return b.createOrFold<dsc::SliceOp>(loc, value, dsc::DimsAttr::get(b.getContext(), starts),
                                      dsc::DimsAttr::get(b.getContext(), sizes), b.getI64ArrayAttr(steps));
}

} // namespace dscc
