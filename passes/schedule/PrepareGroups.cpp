// Brings each group's body into the shape in which emitters see it, before anything is chosen.
//
// 1. Row ops (softmax, norms, products with one column) become the reductions and elementwise ops that they are.
// 2. Neighbouring dims are joined where every tensor allows it, so that loops are long and few.
// 3. Dims of size 1 around a convolution are dropped, and all spatial dims joined where its window is one element. With
//    channels last such a convolution is a product of pixels and filter; any other one sees its filter as a matrix.
//
// The group's inputs and results keep their types outside: inside, the same elements are seen under other dims.

#include "dialects/dsc/Windows.h"
#include "passes/Passes.h"
#include "passes/kernels/Attention.h"
#include "passes/kernels/Emitters.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_PREPAREGROUPS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-prepare-groups"
ALWAYS_ENABLED_STATISTIC(numExpanded, "Row ops written as reductions");
ALWAYS_ENABLED_STATISTIC(numJoined, "Groups whose dims were joined or dropped");

using namespace kernels;

//===-- Row ops -------------------------------------------------------------------------------------------------===//

static Value splatOf(OpBuilder &b, Location loc, Value like, double value) {
  auto type = RankedTensorType::get({}, dsc::getElementType(like));
  return dsc::ConstantOp::create(b, loc, DenseElementsAttr::get(type, b.getFloatAttr(type.getElementType(), value)));
}

Value kernels::widenRow(OpBuilder &b, Location loc, Value input) {
  Type element = dsc::getElementType(input);
  if (element.isF32() || element.isF64())
    return input;
  return dsc::CastOp::create(b, loc, dsc::makeTensor(dsc::getDims(input), b.getF32Type()), input, false);
}

static Value narrow(OpBuilder &b, Location loc, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return dsc::CastOp::create(b, loc, type, value, false);
}

static ArrayAttr axesFrom(Builder &b, int64_t axis, int64_t end) {
  return b.getI64ArrayAttr(llvm::to_vector(llvm::seq<int64_t>(axis, end)));
}

static Value expandSoftmax(OpBuilder &b, Location loc, Value input, int64_t axis, bool isLog) {
  Value x = widenRow(b, loc, input);
  ArrayAttr axes = b.getI64ArrayAttr({axis});
  Value shifted = dsc::SubOp::create(b, loc, x, dsc::ReduceMaxOp::create(b, loc, x, axes));
  Value exponential = dsc::ExpOp::create(b, loc, shifted);
  Value sum = dsc::ReduceSumOp::create(b, loc, exponential, axes);
  Value result = isLog ? dsc::SubOp::create(b, loc, shifted, dsc::LogOp::create(b, loc, sum)).getResult()
                       : dsc::MulOp::create(b, loc, exponential, dsc::ReciprocalOp::create(b, loc, sum)).getResult();
  return narrow(b, loc, result, input.getType());
}

static Value expandNorm(OpBuilder &b, Location loc, Value input, int64_t axis, double epsilon, bool center) {
  Value x = widenRow(b, loc, input);
  ArrayAttr axes = axesFrom(b, axis, dsc::getDims(input).size());
  if (center)
    x = dsc::SubOp::create(b, loc, x, dsc::ReduceMeanOp::create(b, loc, x, axes));
  Value variance = dsc::ReduceMeanOp::create(b, loc, dsc::MulOp::create(b, loc, x, x), axes);
  Value shifted = dsc::AddOp::create(b, loc, variance, splatOf(b, loc, x, epsilon));
  Value result = dsc::MulOp::create(b, loc, x, dsc::RsqrtOp::create(b, loc, shifted));
  return narrow(b, loc, result, input.getType());
}

static unsigned expandRowOps(dsc::GroupOp group) {
  unsigned count = 0;
  for (Operation &op : llvm::make_early_inc_range(group.getBody().front().without_terminator())) {
    OpBuilder b(&op);
    Location loc = op.getLoc();
    Value expanded;
    if (auto softmax = dyn_cast<dsc::SoftmaxOp>(op))
      expanded = expandSoftmax(b, loc, softmax.getInput(), softmax.getAxis(), false);
    else if (auto softmax = dyn_cast<dsc::LogSoftmaxOp>(op))
      expanded = expandSoftmax(b, loc, softmax.getInput(), softmax.getAxis(), true);
    else if (auto norm = dyn_cast<dsc::LayerNormOp>(op))
      expanded = expandNorm(b, loc, norm.getInput(), norm.getAxis(), norm.getEpsilon().convertToDouble(), true);
    else if (auto norm = dyn_cast<dsc::RmsNormOp>(op))
      expanded = expandNorm(b, loc, norm.getInput(), norm.getAxis(), norm.getEpsilon().convertToDouble(), false);
    else if (dotTerms(&op))
      expanded = narrow(b, loc, expandDot(b, &op), op.getResult(0).getType());
    if (!expanded)
      continue;
    op.getResult(0).replaceAllUsesWith(expanded);
    op.erase();
    ++count;
  }
  return count;
}

//===-- Joined dims ---------------------------------------------------------------------------------------------===//

/// The largest dims that occur: those of the values before any reduction.
static dsc::Dims domainOf(dsc::GroupOp group) {
  dsc::Dims domain;
  auto visit = [&](Value value) {
    if (std::optional<dsc::Dims> joined = dsc::broadcastDims(domain, dsc::getDims(value)))
      domain = *joined;
  };
  for (BlockArgument argument : group.getBody().front().getArguments())
    visit(argument);
  for (Operation &op : group.getBody().front().without_terminator())
    visit(op.getResult(0));
  return domain;
}

/// What a tensor shows along an axis of the domain. Where the domain itself has one place, both hold.
enum class Span { Either, Full, Repeated, Neither };

static Span spanOf(ArrayRef<DimExpr> dims, ArrayRef<DimExpr> domain, size_t axis) {
  assert(dims.size() <= domain.size() && "the domain has the most dims");
  size_t missing = domain.size() - dims.size();
  DimExpr dim = axis < missing ? DimExpr(1) : dims[axis - missing];
  if (domain[axis].isConstant(1))
    return dim.isConstant(1) ? Span::Either : Span::Neither;
  if (dim == domain[axis])
    return Span::Full;
  return dim.isConstant(1) ? Span::Repeated : Span::Neither;
}

/// True if the axes from `begin` to before `end` can be one axis for a tensor of these dims: it has all of them, or
/// none.
static bool allowsJoin(ArrayRef<DimExpr> dims, ArrayRef<DimExpr> domain, size_t begin, size_t end) {
  Span all = Span::Either;
  for (size_t axis = begin; axis < end; ++axis) {
    Span span = spanOf(dims, domain, axis);
    if (span == Span::Neither || (span != Span::Either && all != Span::Either && span != all))
      return false;
    all = span == Span::Either ? all : span;
  }
  return true;
}

static SmallVector<Strided> findAllStrided(dsc::GroupOp group) {
  SmallVector<Strided> all;
  for (size_t tensor = 0; tensor < group.getNumOperands() + group.getNumResults(); ++tensor)
    if (std::optional<Strided> window = findStridedInside(group, tensor))
      all.push_back(*window);
  return all;
}

/// True if what the window has of the axes from `begin` to before `end`, of `rank` in all, are neighbours as one axis.
static bool hasNoGap(const Strided &window, size_t rank, size_t begin, size_t end) {
  size_t missing = rank - window.dims.size();
  size_t first = std::max(begin, missing) - missing, count = std::max(end, missing) - missing - first;
  ArrayRef<DimExpr> dims = ArrayRef(window.dims).slice(first, count);
  return restride(dims, ArrayRef(window.strides).slice(first, count), {dsc::countElements(dims)}).has_value();
}

static dsc::Dims joinDims(ArrayRef<DimExpr> dims, size_t rank, ArrayRef<size_t> runOf, size_t runs) {
  size_t missing = rank - dims.size();
  dsc::Dims joined(runs, DimExpr(1));
  for (size_t i = 0; i < dims.size(); ++i)
    joined[runOf[i + missing]] = joined[runOf[i + missing]] * dims[i];
  return joined;
}

/// Gives a value of the body other dims. A constant is a splat, so its contents follow.
static void setDims(Value value, const dsc::Dims &dims) {
  RankedTensorType type = dsc::makeTensor(dims, dsc::getElementType(value));
  if (auto constant = value.getDefiningOp<dsc::ConstantOp>()) {
    assert(constant.getValue().isSplat() && "only constants of one value live inside groups");
    constant.setValueAttr(cast<DenseElementsAttr>(constant.getValue()).resizeSplat(type));
  }
  value.setType(type);
}

/// Elementwise ops broadcast: to them a splat may have any dims, and as a scalar it hinders no join, as long as the
/// result has its dims from others. Any other op, a reduction above all, runs over the dims that its operand has.
static void makeSplatsScalar(Block &block) {
  auto spares = [](Operation *user, Value splat) {
    if (!dsc::isElementwise(user))
      return false;
    std::optional<dsc::Dims> joined = dsc::Dims();
    for (Value operand : user->getOperands())
      if (operand != splat && joined)
        joined = dsc::broadcastDims(*joined, dsc::getDims(operand));
    return joined && *joined == dsc::getDims(user->getResult(0));
  };
  for (auto constant : block.getOps<dsc::ConstantOp>())
    if (llvm::all_of(constant->getUsers(), [&](Operation *user) { return spares(user, constant.getResult()); }))
      setDims(constant.getResult(), {});
}

/// Where each dim of the domain goes: a new place, or nowhere if its size is 1 everywhere.
using DimMap = SmallVector<std::optional<size_t>>;

static void remapDims(Block &block, const DimMap &map, size_t newRank) {
  auto retype = [&](Value value) {
    dsc::Dims dims = dsc::getDims(value);
    size_t missing = map.size() - dims.size();
    // Leading dims that a value lacks stay lacking, as far as they are whole new dims.
    dsc::Dims joined(newRank, DimExpr(1));
    for (size_t i = 0; i < dims.size(); ++i)
      if (map[i + missing])
        joined[*map[i + missing]] = joined[*map[i + missing]] * dims[i];
    if (!dims.empty())
      setDims(value, joined);
  };
  for (BlockArgument argument : block.getArguments())
    retype(argument);
  for (Operation &op : block.without_terminator())
    retype(op.getResult(0));
}

static bool simplifySpatialDims(dsc::GroupOp group) {
  Block &block = group.getBody().front();
  dsc::ConvOp conv;
  for (Operation &op : block.without_terminator()) {
    if (auto found = dyn_cast<dsc::ConvOp>(op))
      conv = found;
    else if (!dsc::isElementwise(&op) && !isa<dsc::ConstantOp>(op))
      return false;
  }
  if (!conv || conv.getChannelsLast())
    return false;
  dsc::Dims domain = dsc::getDims(conv.getResult()), input = dsc::getDims(conv.getInput()),
            filter = dsc::getDims(conv.getFilter());
  SmallVector<int64_t> strides = dsc::getIntegers(conv.getStrides()), pads = dsc::getIntegers(conv.getPads());
  size_t spatial = strides.size();
  auto isSingle = [&](size_t i) { return filter[i + 2].isConstant(1) && pads[i] == 0 && pads[spatial + i] == 0; };
  // Dims of size 1, as long as one spatial dim stays.
  DimMap map = {0, 1};
  size_t next = 2, left = spatial;
  bool joinAll = llvm::all_of(llvm::seq<size_t>(0, spatial), [&](size_t i) { return isSingle(i) && strides[i] == 1; });
  for (Value value : block.getArguments())
    if (value != conv.getFilter() && value != conv.getInput())
      joinAll &= allowsJoin(dsc::getDims(value), domain, 2, domain.size());
  for (const Strided &window : findAllStrided(group))
    joinAll &= hasNoGap(window, domain.size(), 2, domain.size());
  SmallVector<size_t> kept;
  for (size_t i = 0; i < spatial; ++i) {
    bool drops = isSingle(i) && input[i + 2].isConstant(1) && domain[i + 2].isConstant(1) && left > 1;
    if (drops) {
      map.push_back(std::nullopt);
      --left;
      continue;
    }
    map.push_back(joinAll ? 2 : next++);
    if (!joinAll || kept.empty())
      kept.push_back(i);
  }
  if (kept.size() == spatial)
    return false;
  makeSplatsScalar(block);
  remapDims(block, map, 2 + kept.size());
  Builder b(group.getContext());
  auto pick = [&](ArrayAttr values, size_t offset) {
    return llvm::map_to_vector(kept, [&](size_t i) { return cast<IntegerAttr>(values[offset + i]).getInt(); });
  };
  SmallVector<int64_t> low = pick(conv.getPads(), 0), high = pick(conv.getPads(), spatial);
  low.append(high);
  conv.setStridesAttr(b.getI64ArrayAttr(pick(conv.getStrides(), 0)));
  conv.setDilationsAttr(b.getI64ArrayAttr(pick(conv.getDilations(), 0)));
  conv.setPadsAttr(b.getI64ArrayAttr(low));
  return true;
}

//===-- Convolutions with channels last -------------------------------------------------------------------------===//

/// The input of the group that is the filter, by way of casts, if nothing else reads it and it has no gaps.
static BlockArgument findFilter(dsc::GroupOp group, dsc::ConvOp conv) {
  Value value = conv.getFilter();
  while (value.hasOneUse() && isa_and_nonnull<dsc::CastOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.hasOneUse() && !findStrided(group, argument.getArgNumber()) ? argument : BlockArgument();
}

/// A convolution whose window is one element, at each pixel, is a product of pixels and filter. All pixels are rows of
/// one matrix where every tensor allows that, else those of an image.
static bool multiplyPixels(dsc::GroupOp group, dsc::ConvOp conv) {
  Block &block = group.getBody().front();
  dsc::ImageOrder order = dsc::orderOf(conv);
  dsc::Dims domain = dsc::getDims(conv.getResult()), window = order.windowOf(dsc::getDims(conv.getFilter()));
  auto isOne = [](int64_t number) { return number == 1; };
  auto isZero = [](int64_t number) { return number == 0; };
  if (conv.getGroups() != 1 || !llvm::all_of(window, [](const DimExpr &size) { return size.isConstant(1); }) ||
      !llvm::all_of(dsc::getIntegers(conv.getStrides()), isOne) ||
      !llvm::all_of(dsc::getIntegers(conv.getPads()), isZero))
    return false;
  for (Operation &op : block.without_terminator())
    if (&op != conv && !dsc::isElementwise(&op) && !isa<dsc::ConstantOp>(op))
      return false;
  makeSplatsScalar(block);
  size_t last = order.channel();
  BlockArgument filter = findFilter(group, conv);
  auto allows = [&](size_t begin) {
    auto isJoinable = [&](BlockArgument argument) {
      dsc::Dims dims = dsc::getDims(argument);
      if (argument == filter)
        return true;
      // What the convolution reads has other channels.
      if (dims.size() == domain.size())
        dims.back() = domain.back();
      return allowsJoin(dims, domain, begin, last);
    };
    return dsc::countElements(ArrayRef(domain).slice(begin, last - begin)).isValid() &&
           llvm::all_of(block.getArguments(), isJoinable) &&
           llvm::all_of(findAllStrided(group),
                        [&](const Strided &strided) { return hasNoGap(strided, domain.size(), begin, last); });
  };
  if (!filter || !(allows(0) || allows(1)))
    return false;
  DimMap map;
  size_t begin = allows(0) ? 0 : 1;
  for (size_t i = 0; i <= last; ++i)
    map.push_back(std::min(i, begin) + (i == last));
  if (!group->hasAttr("label"))
    group->setAttr("label", StringAttr::get(group.getContext(), labelOf(group)));
  remapDims(block, map, begin + 2);
  OpBuilder b(conv);
  Value product =
      dsc::MatmulOp::create(b, conv.getLoc(), conv.getInput(), conv.getFilter(), UnitAttr(), UnitAttr(), TypeAttr());
  conv.replaceAllUsesWith(product);
  conv.erase();
  return true;
}

/// Shows the filter as the matrix that it is: what one element of the result is the sum of, by channels that are made.
static bool showMatrix(dsc::GroupOp group, dsc::ConvOp conv) {
  BlockArgument filter = findFilter(group, conv);
  if (!filter)
    return false;
  if (!group->hasAttr("label"))
    group->setAttr("label", StringAttr::get(group.getContext(), labelOf(group)));
  auto whole = cast<RankedTensorType>(filter.getType());
  dsc::Dims dims = dsc::getDims(filter);
  OpBuilder b = OpBuilder::atBlockBegin(&group.getBody().front());
  filter.setType(
      dsc::makeTensor({dsc::countElements(ArrayRef(dims).drop_back()), dims.back()}, whole.getElementType()));
  OpOperand &use = *filter.use_begin();
  use.set(dsc::ReshapeOp::create(b, conv.getLoc(), whole, filter));
  return true;
}

static bool simplifyChannelsLast(dsc::GroupOp group) {
  auto conv = findOp<dsc::ConvOp>(group);
  if (!conv || !conv.getChannelsLast())
    return false;
  return multiplyPixels(group, conv) || showMatrix(group, conv);
}

//===-- Joined dims of whole groups -----------------------------------------------------------------------------===//

static bool collapseDims(dsc::GroupOp group) {
  Block &block = group.getBody().front();
  makeSplatsScalar(block);
  dsc::Dims domain = domainOf(group);
  size_t rank = domain.size();
  if (rank < 2)
    return false;
  SmallVector<bool> joins(rank - 1, true);
  SmallVector<dsc::Dims> tensors;
  for (BlockArgument argument : block.getArguments())
    tensors.push_back(dsc::getDims(argument));
  for (Operation &op : block.without_terminator()) {
    tensors.push_back(dsc::getDims(op.getResult(0)));
    auto axes = op.getAttrOfType<ArrayAttr>("axes");
    if (!axes)
      continue;
    if (dsc::getDims(op.getOperand(0)).size() != rank)
      return false;
    SmallVector<int64_t> reduced = dsc::getIntegers(axes);
    for (size_t i = 0; i + 1 < rank; ++i)
      joins[i] = joins[i] && llvm::is_contained(reduced, i) == llvm::is_contained(reduced, i + 1);
  }
  SmallVector<Strided> windows = findAllStrided(group);
  SmallVector<size_t> runOf = {0};
  for (size_t begin = 0, i = 1; i < rank; ++i) {
    // A product of dims may be more than 64 bits hold, or too long a formula.
    bool join = joins[i - 1] && dsc::countElements(ArrayRef(domain).slice(begin, i + 1 - begin)).isValid() &&
                llvm::all_of(tensors, [&](const dsc::Dims &dims) { return allowsJoin(dims, domain, begin, i + 1); }) &&
                llvm::all_of(windows, [&](const Strided &window) { return hasNoGap(window, rank, begin, i + 1); });
    if (!join)
      begin = i;
    runOf.push_back(runOf.back() + !join);
  }
  size_t runs = runOf.back() + 1;
  if (runs == rank)
    return false;
  auto retype = [&](Value value) { setDims(value, joinDims(dsc::getDims(value), rank, runOf, runs)); };
  for (BlockArgument argument : block.getArguments())
    retype(argument);
  Builder b(group.getContext());
  for (Operation &op : block.without_terminator()) {
    retype(op.getResult(0));
    if (auto axes = op.getAttrOfType<ArrayAttr>("axes")) {
      SmallVector<int64_t> joined;
      for (int64_t axis : dsc::getIntegers(axes))
        if (joined.empty() || joined.back() != int64_t(runOf[axis]))
          joined.push_back(runOf[axis]);
      op.setAttr("axes", b.getI64ArrayAttr(joined));
    }
  }
  return true;
}

//===-- The pass ------------------------------------------------------------------------------------------------===//

/// Elementwise ops, and sums and the like along rows that all agree on, may see their dims joined.
static bool isJoinable(dsc::GroupOp group) {
  bool rows = hasRows(group);
  auto isLikeTheFirst = [&](Value value) { return dsc::getDims(value) == dsc::getDims(group.getYielded()[0]); };
  if (!llvm::all_of(group.getYielded(), isLikeTheFirst))
    return false;
  return llvm::all_of(group.getBody().front().without_terminator(), [&](Operation &op) {
    bool isRowOp = cast<dsc::OpFacts>(op).getRowAxes().has_value();
    return dsc::isElementwise(&op) || isa<dsc::ConstantOp>(op) || (rows && isRowOp);
  });
}

namespace {
struct PrepareGroups : impl::PrepareGroupsBase<PrepareGroups> {
  void runOnOperation() override {
    for (auto group : getOperation().getOps<dsc::GroupOp>())
      prepare(group);
  }

  void prepare(dsc::GroupOp group) {
    // Its emitter knows the softmax as what it is.
    if (Attention attention; findAttention(group, attention))
      return;
    if (hasRows(group)) {
      // A kernel is called after what the model has, not after what becomes of it.
      std::string label = labelOf(group);
      unsigned expanded = expandRowOps(group);
      numExpanded += expanded;
      if (expanded > 0)
        group->setAttr("label", StringAttr::get(&getContext(), label));
    }
    if (isJoinable(group) ? collapseDims(group) : simplifyChannelsLast(group) || simplifySpatialDims(group))
      ++numJoined;
  }
};
} // namespace

} // namespace dscc
