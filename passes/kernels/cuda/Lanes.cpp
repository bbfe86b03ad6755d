// Follows lanes from a value to the tensors that are read for it: each op says along which dim of its operands they
// run.

#include "passes/kernels/cuda/Lanes.h"

#include "dialects/dsc/Windows.h"
#include "passes/kernels/Lay.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

/// Whether lanes along one dim of a tensor, that of the group with this number, are neighbours and aligned.
static Verdict liesInVectors(dsc::GroupOp group, size_t number, Value inside, size_t dim, int64_t width) {
  dsc::Dims dims = dsc::getDims(inside);
  std::optional<Strided> strided = findStridedInside(group, number);
  dsc::Dims strides = strided ? strided->strides : rowMajorStrides(dims);
  if (!strides[dim].isConstant(1))
    return Verdict::declined("neighbours of the result are no neighbours in an input");
  constexpr int64_t mostBits = 256; // two accesses of 16 bytes
  if (width * dsc::getElementType(inside).getIntOrFloatBitWidth() > mostBits)
    return Verdict::declined("so many elements of a tensor are more than two accesses");
  std::optional<Window> window = readWindow(group, number);
  if (window && !isMultiple(window->offset, width))
    return Verdict::declined("a part of another tensor begins between two vectors");
  for (size_t i = 0; i < dims.size(); ++i)
    if (i != dim && !dims[i].isConstant(1) && !isMultiple(strides[i], width))
      return Verdict::declined("rows of a tensor are not made of whole vectors");
  return Verdict::accepted();
}

namespace {
/// One walk from a value to what is read for it.
class Lanes {
public:
  Lanes(dsc::GroupOp group, int64_t width, function_ref<bool(Value)> isKnown)
      : group(group), width(width), isKnown(isKnown) {}

  Verdict follow(Value value, size_t dim) {
    if (isKnown(value) || !seen.insert({value, dim}).second)
      return Verdict::accepted();
    if (auto argument = dyn_cast<BlockArgument>(value))
      return liesInVectors(group, argument.getArgNumber(), argument, dim, width);
    Operation *op = value.getDefiningOp();
    if (dsc::isElementwise(op))
      return followAll(op->getOperands(), value, dim);
    for (const Entry &entry : entries())
      if (op->getName().getStringRef() == entry.op)
        return entry.follow(*this, op, dim);
    return Verdict::declined("an op looks at its lanes one by one");
  }

private:
  struct Entry {
    StringLiteral op;
    Verdict (*follow)(Lanes &lanes, Operation *op, size_t dim);
  };
  static ArrayRef<Entry> entries();

  /// Operands that broadcast to `value`.
  Verdict followAll(ValueRange operands, Value value, size_t dim) {
    dsc::Dims dims = dsc::getDims(value);
    for (Value operand : operands) {
      dsc::Dims own = dsc::getDims(operand);
      size_t missing = dims.size() - own.size();
      if (dim < missing || own[dim - missing].isConstant(1))
        continue; // one element for all lanes
      if (own[dim - missing] != dims[dim])
        return Verdict::declined("only a run knows whether an input is the same for all lanes");
      if (Verdict verdict = follow(operand, dim - missing); !verdict)
        return verdict;
    }
    return Verdict::accepted();
  }

  static Verdict anywhere(Lanes &, Operation *, size_t) { return Verdict::accepted(); }
  static Verdict transpose(Lanes &lanes, Operation *op, size_t dim) {
    auto transpose = cast<dsc::TransposeOp>(op);
    return lanes.follow(transpose.getInput(), dsc::getIntegers(transpose.getPermutation())[dim]);
  }
  static Verdict slice(Lanes &lanes, Operation *op, size_t dim) {
    auto slice = cast<dsc::SliceOp>(op);
    if (dsc::getIntegers(slice.getSteps())[dim] != 1 || !isMultiple(slice.getStarts().getDims()[dim], lanes.width))
      return Verdict::declined("a slice begins between two vectors, or skips");
    return lanes.follow(slice.getInput(), dim);
  }
  static Verdict expand(Lanes &lanes, Operation *op, size_t dim) {
    return lanes.followAll(op->getOperands(), op->getResult(0), dim);
  }
  /// One that only drops or adds dims of one place.
  static Verdict reshape(Lanes &lanes, Operation *op, size_t dim) {
    auto reshape = cast<dsc::ReshapeOp>(op);
    dsc::Dims from = dsc::getDims(reshape.getInput()), to = dsc::getDims(reshape.getResult());
    auto places = [](ArrayRef<DimExpr> dims) {
      SmallVector<size_t> found;
      for (size_t i = 0; i < dims.size(); ++i)
        if (!dims[i].isConstant(1))
          found.push_back(i);
      return found;
    };
    SmallVector<size_t> inner = places(from), outer = places(to);
    bool isUnit = inner.size() == outer.size() && llvm::all_of(llvm::zip_equal(inner, outer), [&](auto pair) {
                    return from[std::get<0>(pair)] == to[std::get<1>(pair)];
                  });
    if (!isUnit)
      return Verdict::declined("a reshape moves lanes apart");
    size_t place = llvm::find(outer, dim) - outer.begin();
    return lanes.follow(reshape.getInput(), inner[place]);
  }
  /// Along the axis every part begins with a vector, so that no vector is of two.
  static Verdict concat(Lanes &lanes, Operation *op, size_t dim) {
    auto concat = cast<dsc::ConcatOp>(op);
    for (Value part : concat.getInputs()) {
      if (dim == concat.getAxis() && !isMultiple(dsc::getDims(part)[dim], lanes.width))
        return Verdict::declined("a vector has elements of two parts of a join");
      if (Verdict verdict = lanes.follow(part, dim); !verdict)
        return verdict;
    }
    return Verdict::accepted();
  }
  static Verdict pad(Lanes &lanes, Operation *op, size_t dim) {
    dsc::Dims lows = op->getAttrOfType<dsc::DimsAttr>("lows").getDims(),
              highs = op->getAttrOfType<dsc::DimsAttr>("highs").getDims();
    if (!lows[dim].isConstant(0) || !highs[dim].isConstant(0))
      return Verdict::declined("a vector may reach beyond a border");
    return lanes.follow(op->getOperand(0), dim);
  }
  static Verdict tile(Lanes &lanes, Operation *op, size_t dim) {
    auto tile = cast<dsc::TileOp>(op);
    if (!tile.getRepeats().getDims()[dim].isConstant(1))
      return Verdict::declined("a row is repeated in the middle of a vector");
    return lanes.follow(tile.getInput(), dim);
  }
  /// Whole rows of the data.
  static Verdict gather(Lanes &lanes, Operation *op, size_t dim) {
    auto gather = cast<dsc::GatherOp>(op);
    size_t axis = gather.getAxis(), rank = dsc::getDims(gather.getIndices()).size();
    if (dim >= axis && dim < axis + rank)
      return Verdict::declined("each lane has an index of its own");
    return lanes.follow(gather.getData(), dim < axis ? dim : dim - rank + 1);
  }

  /// Each lane has a row of its own.
  static Verdict reduce(Lanes &lanes, Operation *op, size_t dim) {
    if (llvm::is_contained(dsc::getIntegers(op->getAttrOfType<ArrayAttr>("axes")), int64_t(dim)))
      return Verdict::declined("lanes would share a row");
    return lanes.follow(op->getOperand(0), dim);
  }

  dsc::GroupOp group;
  int64_t width;
  function_ref<bool(Value)> isKnown;
  llvm::DenseSet<std::pair<Value, size_t>> seen;
};
} // namespace

ArrayRef<Lanes::Entry> Lanes::entries() {
  static constexpr Entry table[] = {
      {"dsc.constant", anywhere}, {"dsc.iota", anywhere},      {"dsc.transpose", transpose}, {"dsc.slice", slice},
      {"dsc.expand", expand},     {"dsc.reshape", reshape},    {"dsc.concat", concat},       {"dsc.pad", pad},
      {"dsc.pad_edge", pad},      {"dsc.pad_reflect", pad},    {"dsc.pad_wrap", pad},        {"dsc.tile", tile},
      {"dsc.gather", gather},     {"dsc.reduce_sum", reduce},  {"dsc.reduce_mean", reduce},  {"dsc.reduce_max", reduce},
      {"dsc.reduce_min", reduce}, {"dsc.reduce_prod", reduce},
  };
  return table;
}

Verdict hasWholeLanes(dsc::GroupOp group, Value value, size_t dim, int64_t width, function_ref<bool(Value)> isKnown) {
  if (!llvm::isPowerOf2_64(width) || width > mostLanes)
    return Verdict::declined("a thread has 1, 2, 4 or 8 lanes");
  if (width == 1)
    return Verdict::accepted();
  if (!isMultiple(dsc::getDims(value)[dim], width))
    return Verdict::declined("rows are not made of whole vectors");
  return Lanes(group, width, isKnown).follow(value, dim);
}

Verdict storesWholeLanes(dsc::GroupOp group, size_t number, size_t dim, int64_t width,
                         function_ref<bool(Value)> isKnown) {
  Value value = group.getYielded()[number];
  if (Verdict verdict = hasWholeLanes(group, value, dim, width, isKnown); !verdict || width == 1)
    return verdict;
  return liesInVectors(group, group.getNumOperands() + number, value, dim, width);
}

double slowdownOfAccess(Value tensor, double width) {
  // Fewer bytes are under way at a time; of two accesses each leaves out every other 16 bytes.
  double bytes = width * dsc::getElementType(tensor).getIntOrFloatBitWidth() / 8;
  return bytes > 16 ? 1.3 : bytes == 16 ? 1 : bytes >= 8 ? 1.03 : bytes >= 4 ? 1.15 : 1.3;
}

} // namespace dscc::kernels
