#include "passes/kernels/Lay.h"

#include "dialects/dsc/Storage.h"
#include "dialects/dsc/Windows.h"
#include "passes/kernels/Emitters.h"

using namespace mlir;

namespace dscc::kernels {

bool isMultiple(const DimExpr &size, int64_t of) { return DimExpr::exactDiv(size, of).has_value(); }

bool beginsWithPiece(dsc::GroupOp group, size_t number) {
  size_t inputs = group.getNumOperands();
  Value tensor = number < inputs ? group.getOperand(number) : Value(group.getResult(number - inputs));
  std::optional<Window> window = readWindow(group, number);
  return !window || isMultiple(window->offset * getElementBytes(dsc::getElementType(tensor)), pieceBytes);
}

static std::optional<Lay> throughTranspose(Lay lay, dsc::TransposeOp op) {
  Lay turned = lay;
  for (auto [to, from] : llvm::enumerate(dsc::getIntegers(op.getPermutation()))) {
    turned.strides[to] = lay.strides[from];
    turned.repeats[to] = lay.repeats[from];
  }
  return turned;
}

static bool hasRepeats(const Lay &lay) {
  return llvm::any_of(lay.repeats, [](int64_t repeat) { return repeat != 1; });
}

static std::optional<Lay> throughSlice(Lay lay, dsc::SliceOp op) {
  if (hasRepeats(lay))
    return std::nullopt;
  dsc::Dims starts = op.getStarts().getDims();
  for (auto [stride, start, step] : llvm::zip_equal(lay.strides, starts, dsc::getIntegers(op.getSteps()))) {
    lay.offset = lay.offset + start * stride;
    stride = stride * step;
  }
  return lay;
}

static std::optional<Lay> throughExpand(Lay lay, dsc::ExpandOp op) {
  dsc::Dims from = dsc::getDims(op.getInput()), to = dsc::getDims(op.getResult());
  if (hasRepeats(lay))
    return std::nullopt;
  dsc::Dims strides(to.size(), DimExpr(0));
  for (size_t i = 0, missing = to.size() - from.size(); i < from.size(); ++i)
    if (from[i] == to[i + missing])
      strides[i + missing] = lay.strides[i];
  lay.strides = strides;
  lay.repeats.assign(to.size(), 1);
  return lay;
}

/// [.., 3, 3, ..] whose second 3 is an expansion, as [.., 9, ..]: each of the first three is there three times.
static std::optional<Lay> joinRepeats(Lay lay, ArrayRef<DimExpr> from, ArrayRef<DimExpr> to) {
  Lay joined = lay;
  joined.strides.clear();
  joined.repeats.clear();
  size_t at = 0;
  for (const DimExpr &dim : to) {
    if (at >= from.size())
      return std::nullopt;
    bool repeats = from[at] != dim;
    if (repeats && (at + 1 == from.size() || !lay.strides[at + 1].isConstant(0) || !from[at + 1].isConstant() ||
                    from[at] * from[at + 1] != dim))
      return std::nullopt;
    joined.strides.push_back(lay.strides[at]);
    joined.repeats.push_back(repeats ? from[at + 1].constant() : 1);
    at += repeats ? 2 : 1;
  }
  return at == from.size() ? std::optional(joined) : std::nullopt;
}

static std::optional<Lay> throughReshape(Lay lay, dsc::ReshapeOp op) {
  if (hasRepeats(lay))
    return std::nullopt;
  dsc::Dims from = dsc::getDims(op.getInput()), to = dsc::getDims(op.getResult());
  std::optional<dsc::Dims> strides = restride(from, lay.strides, to);
  if (!strides)
    return joinRepeats(lay, from, to);
  lay.strides = *strides;
  lay.repeats.assign(to.size(), 1);
  return lay;
}

static std::optional<Lay> throughUnpack(Lay lay, dsc::UnpackOp op) {
  lay.panelColumns = dsc::getDims(op.getInput()).back().constant();
  lay.panelStride = lay.strides[lay.strides.size() - 3];
  lay.strides.erase(lay.strides.end() - 3);
  lay.repeats.pop_back();
  return lay;
}

template <class Op> static std::optional<Lay> through(Op op, std::optional<Lay> (*turn)(Lay, Op)) {
  std::optional<Lay> lay = layOf(op.getInput());
  // What lies in panels is read as it is.
  if (!lay || lay->panelColumns)
    return std::nullopt;
  return turn(*lay, op);
}

static Lay layOfTensor(Value value) {
  Lay lay;
  lay.tensor = value;
  lay.strides = rowMajorStrides(dsc::getDims(value));
  lay.repeats.assign(lay.strides.size(), 1);
  auto argument = dyn_cast<BlockArgument>(value);
  auto group = argument ? dyn_cast<dsc::GroupOp>(argument.getOwner()->getParentOp()) : dsc::GroupOp();
  if (!group)
    return lay;
  lay.isAligned = beginsWithPiece(group, argument.getArgNumber());
  if (std::optional<Strided> inside = findStridedInside(group, argument.getArgNumber()))
    lay.strides = inside->strides;
  return lay;
}

std::optional<Lay> layOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto transpose = dyn_cast_or_null<dsc::TransposeOp>(op))
    return through(transpose, throughTranspose);
  if (auto slice = dyn_cast_or_null<dsc::SliceOp>(op))
    return through(slice, throughSlice);
  if (auto expand = dyn_cast_or_null<dsc::ExpandOp>(op))
    return through(expand, throughExpand);
  if (auto reshape = dyn_cast_or_null<dsc::ReshapeOp>(op))
    return through(reshape, throughReshape);
  if (auto unpack = dyn_cast_or_null<dsc::UnpackOp>(op))
    return through(unpack, throughUnpack);
  return layOfTensor(value);
}

std::optional<size_t> findPieceDim(const Lay &lay, ArrayRef<DimExpr> dims, int64_t count) {
  size_t rank = dims.size();
  if (rank < 2 || !lay.isAligned || !isMultiple(lay.offset, count))
    return std::nullopt;
  std::optional<size_t> along;
  for (size_t dim : {rank - 1, rank - 2})
    if (!along && lay.strides[dim].isConstant(1) && lay.repeats[dim] == 1 && isMultiple(dims[dim], count))
      along = dim;
  if (!along)
    return std::nullopt;
  for (size_t i = 0; i < rank; ++i)
    if (i != *along && !dims[i].isConstant(1) && !isMultiple(lay.strides[i], count))
      return std::nullopt;
  bool isSplit = lay.panelColumns % count || !isMultiple(lay.panelStride, count);
  return isSplit ? std::nullopt : along;
}

} // namespace dscc::kernels
