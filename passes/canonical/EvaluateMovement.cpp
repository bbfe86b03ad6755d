// Moves the bytes of constants: a moved tensor is a walk over its source with a start and a step in each dim.

#include "passes/canonical/Evaluate.h"

#include <cstring>
#include <numeric>

using namespace mlir;

namespace dscc {

namespace {
/// Reads `source` with these steps, in elements, to fill a tensor of `shape`.
struct Walk {
  int64_t start = 0;
  SmallVector<int64_t> steps;
};
} // namespace

static SmallVector<int64_t> rowMajorSteps(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> steps(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    steps[i - 1] = steps[i] * shape[i];
  return steps;
}

/// Along dims that broadcasting adds or repeats, the walk stays where it is.
static Walk expandWalk(ArrayRef<int64_t> inputShape, size_t rank) {
  Walk walk{0, SmallVector<int64_t>(rank - inputShape.size(), 0)};
  for (auto [size, step] : llvm::zip_equal(inputShape, rowMajorSteps(inputShape)))
    walk.steps.push_back(size == 1 ? 0 : step);
  return walk;
}

static std::optional<Walk> findWalk(Operation *op, ArrayRef<int64_t> inputShape) {
  SmallVector<int64_t> steps = rowMajorSteps(inputShape);
  if (auto transpose = dyn_cast<dsc::TransposeOp>(op)) {
    Walk walk;
    for (int64_t axis : dsc::getIntegers(transpose.getPermutation()))
      walk.steps.push_back(steps[axis]);
    return walk;
  }
  if (auto slice = dyn_cast<dsc::SliceOp>(op)) {
    Walk walk{0, steps};
    for (auto [i, start] : llvm::enumerate(slice.getStarts().getDims())) {
      if (!start.isConstant())
        return std::nullopt;
      walk.start += start.constant() * steps[i];
      walk.steps[i] *= dsc::getIntegers(slice.getSteps())[i];
    }
    return walk;
  }
  if (isa<dsc::ExpandOp>(op))
    return expandWalk(inputShape, cast<RankedTensorType>(op->getResult(0).getType()).getRank());
  return std::nullopt;
}

/// Copies elements of `width` bytes from places `rowStep` and `columnStep` bytes apart, row by row. Square by square:
/// of a transposed matrix each line of the cache is then read once.
template <size_t width>
static void copyPlane(const char *from, char *to, int64_t rows, int64_t columns, int64_t rowStep, int64_t columnStep) {
  constexpr int64_t side = 32;
  for (int64_t top = 0; top < rows; top += side)
    for (int64_t left = 0; left < columns; left += side)
      for (int64_t row = top; row < std::min(rows, top + side); ++row)
        for (int64_t column = left; column < std::min(columns, left + side); ++column)
          std::memcpy(to + (row * columns + column) * width, from + row * rowStep + column * columnStep, width);
}

static void copyPlane(size_t width, const char *from, char *to, int64_t rows, int64_t columns, int64_t rowStep,
                      int64_t columnStep) {
  switch (width) {
  case 1: return copyPlane<1>(from, to, rows, columns, rowStep, columnStep);
  case 2: return copyPlane<2>(from, to, rows, columns, rowStep, columnStep);
  case 4: return copyPlane<4>(from, to, rows, columns, rowStep, columnStep);
  case 8: return copyPlane<8>(from, to, rows, columns, rowStep, columnStep);
  default: llvm_unreachable("no other width has bytes, see getBytes");
  }
}

/// The elements of a non-empty tensor of `shape`.
static std::vector<char> follow(const Walk &walk, ArrayRef<int64_t> shape, ArrayRef<char> source, size_t width) {
  assert(walk.steps.size() == shape.size() && "a walk has a step for each dim of what it fills");
  assert(!llvm::is_contained(shape, 0) && "constants without elements are not evaluated");
  SmallVector<int64_t> sizes(shape), steps(walk.steps);
  while (sizes.size() < 2) {
    sizes.insert(sizes.begin(), 1);
    steps.insert(steps.begin(), 0);
  }
  size_t outer = sizes.size() - 2;
  int64_t rows = sizes[outer], columns = sizes[outer + 1];
  int64_t planes = std::accumulate(sizes.begin(), sizes.begin() + outer, int64_t(1), std::multiplies<int64_t>());
  std::vector<char> bytes(planes * rows * columns * width);
  SmallVector<int64_t> index(outer);
  int64_t place = walk.start;
  for (int64_t plane = 0; plane < planes; ++plane) {
    copyPlane(width, source.data() + place * int64_t(width), bytes.data() + plane * rows * columns * width, rows,
              columns, steps[outer] * int64_t(width), steps[outer + 1] * int64_t(width));
    for (size_t axis = outer; axis-- > 0;) {
      place += steps[axis];
      if (++index[axis] < sizes[axis])
        break;
      place -= steps[axis] * sizes[axis];
      index[axis] = 0;
    }
  }
  return bytes;
}

std::vector<char> broadcastBytes(ArrayRef<char> source, ArrayRef<int64_t> from, ArrayRef<int64_t> shape, size_t width) {
  return follow(expandWalk(from, shape.size()), shape, source, width);
}

/// Tensors one after the other, in pieces as long as all dims from `axis` on.
static std::optional<std::vector<char>> join(dsc::ConcatOp op, ArrayRef<ElementsAttr> operands, size_t width) {
  auto pieceBytes = [&](ElementsAttr operand) {
    ArrayRef<int64_t> inner = cast<RankedTensorType>(operand.getType()).getShape().drop_front(op.getAxis());
    return std::accumulate(inner.begin(), inner.end(), int64_t(width), std::multiplies<int64_t>());
  };
  ArrayRef<int64_t> outer = cast<RankedTensorType>(op.getType()).getShape().take_front(op.getAxis());
  int64_t pieces = std::accumulate(outer.begin(), outer.end(), int64_t(1), std::multiplies<int64_t>());
  std::vector<char> bytes;
  for (int64_t piece = 0; piece < pieces; ++piece)
    for (ElementsAttr operand : operands) {
      std::optional<ArrayRef<char>> source = getBytes(operand);
      int64_t length = pieceBytes(operand);
      if (!source || (operand.isSplat() && length * pieces != int64_t(source->size())))
        return std::nullopt;
      assert(int64_t(source->size()) == length * pieces && "the pieces are the whole operand");
      bytes.insert(bytes.end(), source->data() + piece * length, source->data() + (piece + 1) * length);
    }
  return bytes;
}

ElementsAttr evaluateMovement(Operation *op, ArrayRef<ElementsAttr> operands) {
  assert(!operands.empty() && "what reads nothing moves nothing");
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  ElementsAttr input = operands[0];
  dsc::Facts facts = dsc::factsOf(op);
  bool computes = (facts.role != dsc::Role::Movement && facts.role != dsc::Role::View) || facts.weight > 0;
  if (computes)
    return {};
  if (operands.size() == 1 && input.isSplat())
    return cast<DenseElementsAttr>(input).resizeSplat(type);
  if (isa<dsc::ReshapeOp>(op))
    return reshapeConstant(input, type);
  size_t width = type.getElementType().getIntOrFloatBitWidth() / 8;
  std::optional<ArrayRef<char>> source = getBytes(input);
  if (!source)
    return {};
  if (auto concat = dyn_cast<dsc::ConcatOp>(op)) {
    std::optional<std::vector<char>> joined = join(concat, operands, width);
    return joined ? makeFromBytes(type, *joined, "folded") : ElementsAttr();
  }
  std::optional<Walk> walk = findWalk(op, cast<RankedTensorType>(input.getType()).getShape());
  if (!walk)
    return {};
  return makeFromBytes(type, follow(*walk, type.getShape(), *source, width), "folded");
}

} // namespace dscc
