#include "dialects/dsc/Windows.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace dscc {

Value withoutReshapes(Value value) {
  while (auto view = value.getDefiningOp<dsc::ReshapeOp>())
    value = view.getInput();
  return value;
}

bool isInPlace(Operation *op) {
  return op && isa<dsc::SliceOp, dsc::ConcatOp, dsc::TransposeOp>(op) && op->hasAttr(inPlaceName);
}

bool isHome(Operation *op) {
  if (!isInPlace(op))
    return false;
  auto how = op->getAttrOfType<StringAttr>(inPlaceName);
  return isa<dsc::ConcatOp>(op) || (isa<dsc::TransposeOp>(op) && how && how.getValue() == inPlaceAsHome);
}

bool isView(Operation *op) { return isa_and_nonnull<dsc::ReshapeOp>(op) || (isInPlace(op) && !isHome(op)); }

dsc::Dims rowMajorStrides(ArrayRef<DimExpr> dims) {
  dsc::Dims strides(dims.size());
  DimExpr stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride = stride * dims[i];
  }
  return strides;
}

namespace {
/// Dims of which each step further out is as long as all inside.
struct Run {
  DimExpr size, stride; // stride: of the innermost
};
} // namespace

/// From the innermost run on. Dims of one place have no say.
static SmallVector<Run> runsOf(ArrayRef<DimExpr> dims, ArrayRef<DimExpr> strides) {
  SmallVector<Run> runs;
  for (size_t i = dims.size(); i-- > 0;) {
    if (dims[i].isConstant(1))
      continue;
    if (!runs.empty() && strides[i] == runs.back().stride * runs.back().size)
      runs.back().size = runs.back().size * dims[i];
    else
      runs.push_back({dims[i], strides[i]});
  }
  return runs;
}

std::optional<dsc::Dims> restride(ArrayRef<DimExpr> dims, ArrayRef<DimExpr> strides, ArrayRef<DimExpr> other) {
  assert(dims.size() == strides.size() && "each dim has a stride");
  if (ArrayRef(dims) == other)
    return dsc::Dims(strides);
  if (dsc::countElements(dims).isConstant(0) || dsc::Dims(strides) == rowMajorStrides(dims))
    return rowMajorStrides(other);
  dsc::Dims result(other.size(), DimExpr(1));
  size_t next = other.size();
  for (const Run &run : runsOf(dims, strides)) {
    DimExpr covered = 1;
    while (covered != run.size || !covered.isValid()) {
      if (next == 0 || !covered.isValid())
        return std::nullopt;
      result[--next] = run.stride * covered;
      covered = covered * other[next];
    }
  }
  while (next > 0)
    if (!other[--next].isConstant(1))
      return std::nullopt;
  return result;
}

dsc::Dims permute(dsc::TransposeOp transpose, ArrayRef<DimExpr> strides) {
  dsc::Dims result;
  for (int64_t axis : dsc::getIntegers(transpose.getPermutation()))
    result.push_back(strides[axis]);
  return result;
}

dsc::Dims permuteBack(dsc::TransposeOp transpose, ArrayRef<DimExpr> strides) {
  dsc::Dims result(strides.size());
  for (auto [i, axis] : llvm::enumerate(dsc::getIntegers(transpose.getPermutation())))
    result[axis] = strides[i];
  return result;
}

DimExpr startOfPart(dsc::ConcatOp concat, size_t number) {
  DimExpr start = 0;
  for (Value before : concat.getInputs().take_front(number))
    start = start + dsc::getDims(before)[concat.getAxis()];
  return start;
}

/// Dims of one place have the strides that they would have without a window, so that equal windows read the same.
static dsc::Dims normalize(ArrayRef<DimExpr> dims, dsc::Dims strides) {
  dsc::Dims own = rowMajorStrides(dims);
  for (auto [dim, stride, dense] : llvm::zip_equal(dims, strides, own))
    stride = dim.isConstant(1) ? dense : stride;
  return strides;
}

Layouts::Layouts(Block &block) {
  for (Operation &op : block)
    if (isHome(&op))
      for (OpOperand &part : op.getOpOperands())
        homes.try_emplace(withoutReshapes(part.get()), &part);
}

std::optional<Layout> Layouts::find(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  std::optional<Layout> layout = compute(value);
  auto isValid = [](const DimExpr &expr) { return expr.isValid(); };
  if (layout && !(isValid(layout->window.offset) && llvm::all_of(layout->window.strides, isValid)))
    layout.reset();
  known[value] = layout;
  return layout;
}

Value Layouts::findStorage(Value value) {
  std::optional<Layout> layout = find(value);
  return layout ? layout->storage : value;
}

std::optional<Layout> Layouts::compute(Value value) {
  dsc::Dims dims = dsc::getDims(value);
  if (auto view = value.getDefiningOp<dsc::ReshapeOp>()) {
    std::optional<Layout> layout = find(view.getInput());
    if (!layout)
      return std::nullopt;
    std::optional<dsc::Dims> strides = restride(dsc::getDims(view.getInput()), layout->window.strides, dims);
    if (!strides)
      return std::nullopt;
    return Layout{layout->storage, {layout->window.offset, normalize(dims, *strides)}};
  }
  if (auto slice = value.getDefiningOp<dsc::SliceOp>(); slice && isInPlace(slice)) {
    std::optional<Layout> layout = find(slice.getInput());
    if (!layout)
      return std::nullopt;
    for (auto [start, stride] : llvm::zip_equal(slice.getStarts().getDims(), layout->window.strides))
      layout->window.offset = layout->window.offset + start * stride;
    layout->window.strides = normalize(dims, layout->window.strides);
    return layout;
  }
  if (auto transpose = value.getDefiningOp<dsc::TransposeOp>(); transpose && isView(transpose)) {
    std::optional<Layout> layout = find(transpose.getInput());
    if (layout)
      layout->window.strides = normalize(dims, permute(transpose, layout->window.strides));
    return layout;
  }
  OpOperand *home = homes.lookup(value);
  if (!home)
    return Layout{value, {0, rowMajorStrides(dims)}};
  std::optional<Layout> layout = find(home->getOwner()->getResult(0));
  if (!layout)
    return std::nullopt;
  DimExpr start = 0;
  if (auto join = dyn_cast<dsc::ConcatOp>(home->getOwner()))
    start = startOfPart(join, home->getOperandNumber()) * layout->window.strides[join.getAxis()];
  else
    layout->window.strides = permuteBack(cast<dsc::TransposeOp>(home->getOwner()), layout->window.strides);
  std::optional<dsc::Dims> strides = restride(dsc::getDims(home->get()), layout->window.strides, dims);
  if (!strides)
    return std::nullopt;
  return Layout{layout->storage, {layout->window.offset + start, normalize(dims, *strides)}};
}

ArrayAttr encodeWindows(MLIRContext *context, ValueRange tensors, ArrayRef<Window> windows) {
  Builder b(context);
  SmallVector<Attribute> entries;
  for (auto [tensor, window] : llvm::zip_equal(tensors, windows)) {
    if (window.offset.isConstant(0) && window.strides == rowMajorStrides(dsc::getDims(tensor))) {
      entries.push_back(b.getUnitAttr());
      continue;
    }
    entries.push_back(
        b.getDictionaryAttr({b.getNamedAttr("offset", dsc::DimsAttr::get(context, ArrayRef<DimExpr>{window.offset})),
                             b.getNamedAttr("strides", dsc::DimsAttr::get(context, window.strides))}));
  }
  return llvm::all_of(entries, [](Attribute entry) { return isa<UnitAttr>(entry); }) ? nullptr
                                                                                     : b.getArrayAttr(entries);
}

std::optional<Window> readWindow(Operation *op, size_t number) {
  auto windows = op->getAttrOfType<ArrayAttr>(windowsName);
  auto entry = windows ? dyn_cast<DictionaryAttr>(windows[number]) : DictionaryAttr();
  if (!entry)
    return std::nullopt;
  return Window{entry.getAs<dsc::DimsAttr>("offset").getDims()[0], entry.getAs<dsc::DimsAttr>("strides").getDims()};
}

std::optional<Window> readStrided(Operation *op, size_t number) {
  std::optional<Window> window = readWindow(op, number);
  size_t inputs = op->getNumOperands();
  Value tensor = number < inputs ? op->getOperand(number) : Value(op->getResult(number - inputs));
  if (window && window->strides == rowMajorStrides(dsc::getDims(tensor)))
    return std::nullopt;
  return window;
}

LogicalResult verifyWindows(Operation *op, TypeRange tensors) {
  Attribute value = op->getAttr(windowsName);
  if (!value)
    return success();
  auto windows = dyn_cast<ArrayAttr>(value);
  auto isWindow = [](Attribute attribute, Type type) {
    if (isa<UnitAttr>(attribute))
      return true;
    auto entry = dyn_cast<DictionaryAttr>(attribute);
    auto offset = entry ? entry.getAs<dsc::DimsAttr>("offset") : nullptr;
    auto strides = entry ? entry.getAs<dsc::DimsAttr>("strides") : nullptr;
    return offset && strides && offset.size() == 1 && strides.size() == dsc::getDims(type).size();
  };
  if (!windows || windows.size() != tensors.size() || !llvm::all_of(llvm::zip_equal(windows, tensors), [&](auto pair) {
        return isWindow(std::get<0>(pair), std::get<1>(pair));
      }))
    return op->emitOpError("has the windows ") << value << " for " << tensors.size() << " tensors";
  return success();
}

} // namespace dscc
