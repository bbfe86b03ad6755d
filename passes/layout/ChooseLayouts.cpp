// Decides which values have their channels last, and puts them there.
//
//     %0 = conv %x, %w            [1, 64, 28, 28]        %t = transpose %x            [1, 28, 28, 64]
//     %1 = relu %0                                ==>    %0 = conv %t, %v {channels_last}
//     %2 = reduce_mean %1 {axes = [2, 3]}                %1 = relu %0
//                                                        %2 = reduce_mean %1 {axes = [1, 2]}
//
// Every op that can do with either order is a node of a graph; convolutions say how many bytes could be moved in the
// time that they save with their channels last. A value that is wanted in the order in which it is not made has to be
// moved, once whoever wants it. Inputs, outputs and all other ops keep the model's order. The cheapest cut between the
// two sides (MinCut.h) is what is done. Constants are moved here and now; transposes take either order, because two of
// them are one.

#include "dialects/dsc/Reorder.h"
#include "dialects/dsc/Storage.h"
#include "dialects/dsc/Targets.h"
#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/canonical/Evaluate.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/Window.h"
#include "passes/layout/MinCut.h"
#include "passes/layout/Phases.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_CHOOSELAYOUTS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-choose-layouts"
ALWAYS_ENABLED_STATISTIC(numConvolutions, "Convolutions with channels last");
ALWAYS_ENABLED_STATISTIC(numConversions, "Transposes between the orders");
ALWAYS_ENABLED_STATISTIC(numLeft, "Convolutions that stay as they were");

/// What named dims count as in estimates.
static constexpr int64_t usual = 64;

//===-- Orders --------------------------------------------------------------------------------------------------===//

/// Of the dims of a tensor those that become its dims with the channels last: [0, 2, 3, .., 1].
static SmallVector<int64_t> channelsToEnd(size_t rank) {
  SmallVector<int64_t> permutation = {0};
  llvm::append_range(permutation, llvm::seq<int64_t>(2, rank));
  permutation.push_back(1);
  return permutation;
}

/// The way back: [0, rank - 1, 1, 2, ..].
static SmallVector<int64_t> channelsToFront(size_t rank) {
  SmallVector<int64_t> permutation = {0, int64_t(rank) - 1};
  llvm::append_range(permutation, llvm::seq<int64_t>(1, rank - 1));
  return permutation;
}

/// A filter [M, C, window...] as [window..., C, M].
static SmallVector<int64_t> filterToEnd(size_t rank) {
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(2, rank));
  permutation.append({1, 0});
  return permutation;
}

/// Whether elements keep their order when the dims get another one.
static bool keepsOrder(ArrayRef<DimExpr> dims, ArrayRef<int64_t> permutation) {
  return llvm::is_sorted(
      llvm::to_vector(llvm::make_filter_range(permutation, [&](int64_t axis) { return !dims[axis].isConstant(1); })));
}

static Value move(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> permutation) {
  dsc::Dims dims = dsc::getDims(value);
  if (keepsOrder(dims, permutation))
    return b.createOrFold<dsc::ReshapeOp>(
        loc, dsc::makeTensor(dsc::reorder(dims, permutation), dsc::getElementType(value)), value);
  ++numConversions;
  return dsc::TransposeOp::create(b, loc, value, b.getI64ArrayAttr(permutation));
}

//===-- Ops -----------------------------------------------------------------------------------------------------===//

static bool isPool(Operation *op) { return isa<dsc::MaxPoolOp, dsc::AveragePoolOp>(op); }

/// True for a view that leaves images and channels, and joins or splits spatial dims.
static bool isSpatialReshape(Operation *op) {
  auto view = dyn_cast<dsc::ReshapeOp>(op);
  if (!view)
    return false;
  dsc::Dims from = dsc::getDims(view.getInput()), to = dsc::getDims(view.getResult());
  return from.size() >= 3 && to.size() >= 3 && from[0] == to[0] && from[1] == to[1] &&
         dsc::countElements(ArrayRef(from).drop_front(2)) == dsc::countElements(ArrayRef(to).drop_front(2));
}

/// Whether a convolution can have its channels last.
static Verdict canMove(dsc::ConvOp conv, const Target &target) {
  ElementsAttr filter = getConstant(conv.getFilter());
  if (conv.getChannelsLast())
    return Verdict::declined("its channels are last already");
  if (!filter || filter.empty() || !getBytes(filter))
    return Verdict::declined("its filter is no constant whose bytes are at hand");
  // Lanes run along the channels of one group.
  int64_t made = dsc::getDims(conv.getFilter())[0].constant() / int64_t(conv.getGroups());
  return Verdict::acceptedIf(conv.getGroups() == 1 || kernels::isDepthwise(conv) ||
                                 made % std::max(1, target.vectorBits / 32) == 0,
                             "its groups make fewer channels than a register has lanes");
}

/// True for both kinds of convolution, which alone save something.
static bool isConvolution(Operation *op) { return isa<dsc::ConvOp, dsc::ConvTransposeOp>(op); }

static Verdict canMoveConvolution(Operation *op, const Target &target) {
  auto conv = dyn_cast<dsc::ConvOp>(op);
  return conv ? canMove(conv, target) : hasPhases(cast<dsc::ConvTransposeOp>(op));
}

static bool canMove(Operation *op, const Target &target) {
  if (isConvolution(op))
    return bool(canMoveConvolution(op, target));
  if (!isa<dsc::DscDialect>(op->getDialect()) || op->getNumResults() != 1 || op->hasAttr(dsc::channelsLastName) ||
      dsc::getDims(op->getResult(0)).size() < 3)
    return false;
  return isPool(op) || isSpatialReshape(op) || dsc::isReorderable(op);
}

/// Whether the operand comes in the order that the op has: others are no images, or broadcast from fewer dims.
static bool isTied(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (isSpatialReshape(op))
    return true;
  size_t images = isPool(op) || isConvolution(op) ? 1 : dsc::countReordered(op);
  return operand.getOperandNumber() < images &&
         dsc::getDims(operand.get()).size() == dsc::getDims(op->getResult(0)).size();
}

/// The bytes that could be moved in the time that a convolution takes less with its channels last. By shares of the
/// time that it takes at the peak of multiplications (test/bench/layers.py): on a CPU of registers of 256 bits, which
/// is what all that have wider ones reach at least.
static double countSaved(Operation *op, const Target &target, const kernels::Sizes &sizes) {
  double perSecond, bandwidth;
  if (target.device == Device::Cpu) {
    perSecond = 2 * target.cpu->multipliesPerCycle * std::min(target.vectorBits, 256) / 32 * target.cpu->clock;
    bandwidth = target.cpu->memoryBytesPerSecond;
  } else {
    perSecond = double(target.gpu->multiprocessors) * target.gpu->f32FlopPerClock * target.gpu->clock;
    bandwidth = target.gpu->memoryBytesPerSecond;
  }
  auto conv = dyn_cast<dsc::ConvOp>(op);
  bool isStrided =
      conv && llvm::any_of(dsc::getIntegers(conv.getStrides()), [](int64_t stride) { return stride != 1; });
  double share = !conv ? 10 : isStrided ? 2 : kernels::isDepthwise(conv) ? 0.5 : 0.3;
  return share * sizes.of(cast<dsc::OpFacts>(op).getFlops()) / perSecond * bandwidth;
}

//===-- One graph -----------------------------------------------------------------------------------------------===//

namespace {
/// Constants that were moved, for all targets.
using MovedConstants = llvm::DenseMap<std::pair<Attribute, Attribute>, ElementsAttr>;

class Graph {
public:
  Graph(func::FuncOp function, const Target &target, const Journal &journal, MovedConstants &constants)
      : block(function.getBody().front()), target(target), journal(journal), constants(constants),
        sizes(function, usual) {}

  void choose();
  void rewrite();

private:
  int64_t costOf(Value value) const;
  void addValue(MinCut &cut, Value value);
  unsigned nodeOf(Operation *op) const { return op ? nodes.lookup_or(op, MinCut::second) : MinCut::second; }
  void explain(Operation *op);

  Value moveConstant(dsc::ConstantOp constant, ArrayRef<int64_t> permutation, size_t rank);
  Value findMoved(Value value, size_t rank);
  Operation *create(OpBuilder &b, Operation *op);
  void createPhases(OpBuilder &b, dsc::ConvTransposeOp op);

  Block &block;
  const Target &target;
  const Journal &journal;
  MovedConstants &constants;
  kernels::Sizes sizes;
  llvm::DenseMap<Operation *, unsigned> nodes;
  llvm::SetVector<Operation *> last;                         // ops whose channels become last
  llvm::DenseSet<Operation *> early;                         // ops of them that are done with the op before
  llvm::DenseMap<Value, Value> moved;                        // what they make, by what they made
  llvm::DenseMap<std::pair<Value, size_t>, Value> converted; // what others make, under so many dims
};
} // namespace

/// As an edge has it. At the sizes of an estimate a window may not fit its image: then there are less than no elements.
static int64_t capacityOf(double bytes) { return int64_t(std::clamp(bytes, 0.0, double(MinCut::unlimited))); }

/// The bytes that are read and written to move a value.
int64_t Graph::costOf(Value value) const {
  dsc::Dims dims = dsc::getDims(value);
  if (keepsOrder(dims, channelsToEnd(dims.size())))
    return 0;
  return capacityOf(2 * sizes.of(countBytes(value.getType())));
}

void Graph::addValue(MinCut &cut, Value value) {
  if (dsc::getDims(value).size() < 3 || getConstant(value))
    return;
  Operation *maker = value.getDefiningOp();
  bool isAnyOrder = isa_and_nonnull<dsc::TransposeOp>(maker);
  unsigned from = nodeOf(maker), leaving = MinCut::second, entering = MinCut::second;
  int64_t cost = isAnyOrder ? 0 : costOf(value);
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isa<dsc::TransposeOp>(user))
      continue;
    unsigned to = nodes.contains(user) && isTied(use) ? nodes.lookup(user) : MinCut::second;
    if (from != MinCut::second) {
      if (leaving == MinCut::second)
        cut.addEdge(from, leaving = cut.addNode(), cost);
      cut.addEdge(leaving, to, MinCut::unlimited);
      // What follows at once is computed before anything is stored.
      if (dsc::isElementwise(user) && value.hasOneUse())
        cut.addEdge(from, to, cost / 4);
    }
    if (to != MinCut::second) {
      if (entering == MinCut::second)
        cut.addEdge(entering = cut.addNode(), from, cost);
      cut.addEdge(to, entering, MinCut::unlimited);
    }
  }
}

void Graph::choose() {
  MinCut cut;
  for (Operation &op : block)
    if (canMove(&op, target))
      nodes[&op] = cut.addNode();
  for (BlockArgument argument : block.getArguments())
    addValue(cut, argument);
  for (Operation &op : block) {
    if (isConvolution(&op) && nodes.contains(&op))
      cut.addEdge(MinCut::first, nodes[&op], capacityOf(countSaved(&op, target, sizes)));
    for (Value result : op.getResults())
      addValue(cut, result);
  }
  std::vector<bool> isLast = cut.solve();
  for (Operation &op : block) {
    if (nodes.contains(&op) && isLast[nodes[&op]])
      last.insert(&op);
    if (!isConvolution(&op))
      continue;
    ++(last.contains(&op) ? numConvolutions : numLeft);
    if (journal.wants(&op))
      explain(&op);
  }
}

void Graph::explain(Operation *op) {
  InFlightDiagnostic note = journal.tell(op);
  if (last.contains(op)) {
    note << "has its channels last";
    return;
  }
  Verdict verdict = canMoveConvolution(op, target);
  note << "has its channels where the model has them: "
       << (verdict ? StringRef("moving what it reads and makes would take longer than it saves") : verdict.why());
}

/// The constant as one of `rank` dims, moved; before the constant. It may have fewer dims: it broadcasts.
Value Graph::moveConstant(dsc::ConstantOp constant, ArrayRef<int64_t> permutation, size_t rank) {
  OpBuilder b(constant);
  Location loc = constant.getLoc();
  ElementsAttr value = constant.getValue(), &known = constants[{value, b.getI64ArrayAttr(permutation)}];
  if (known)
    return dsc::ConstantOp::create(b, loc, known);
  SmallVector<int64_t> dims(cast<RankedTensorType>(value.getShapedType()).getShape());
  dims.insert(dims.begin(), rank - dims.size(), 1);
  auto type = RankedTensorType::get(dims, value.getElementType());
  auto whole = dsc::ConstantOp::create(b, loc, reshapeConstant(value, type));
  auto mover = dsc::TransposeOp::create(b, loc, whole, b.getI64ArrayAttr(permutation));
  known = evaluateConstant(mover);
  if (!known) {
    ++numConversions; // by a kernel
    return mover;
  }
  mover.erase();
  whole.erase();
  return dsc::ConstantOp::create(b, loc, known);
}

/// The value with its channels last, as one of `rank` dims.
Value Graph::findMoved(Value value, size_t rank) {
  dsc::Dims dims = dsc::getDims(value);
  if (Value known = moved.lookup(value); known && dims.size() == rank)
    return known;
  // A scalar broadcasts to any dims.
  if (dims.empty())
    return value;
  Value &known = converted[{value, rank}];
  if (known)
    return known;
  if (auto constant = value.getDefiningOp<dsc::ConstantOp>())
    return known = moveConstant(constant, channelsToEnd(rank), rank);
  OpBuilder b(value.getContext());
  if (Operation *maker = value.getDefiningOp())
    b.setInsertionPointAfter(maker);
  else
    b.setInsertionPointToStart(&block);
  Value whole = value;
  if (dims.size() < rank) {
    dims.insert(dims.begin(), rank - dims.size(), DimExpr(1));
    whole = dsc::ReshapeOp::create(b, value.getLoc(), dsc::makeTensor(dims, dsc::getElementType(value)), value);
  }
  return known = move(b, value.getLoc(), whole, channelsToEnd(rank));
}

/// Where a pixel has few channels, whole lines of the window are read at once, or none is asked for being outside: the
/// image, which is in the order that is said, gets its border. Else null.
static Value padLines(OpBuilder &b, dsc::ConvOp conv, Value image, dsc::ImageOrder order,
                      SmallVectorImpl<int64_t> &pads) {
  constexpr int64_t few = 8;
  kernels::Window window = kernels::windowOf(conv);
  size_t lastDim = window.rank() - 1;
  dsc::Dims dims = dsc::getDims(image);
  const DimExpr &channels = dims[order.channel()];
  bool isNarrow = channels.isConstant() && channels.constant() <= few && conv.getGroups() == 1;
  if (!isNarrow || window.size[lastDim] == 1 || window.dilations[lastDim] != 1 || window.alwaysInside(lastDim))
    return {};
  dsc::Dims lows(dims.size(), DimExpr(0)), highs(dims.size(), DimExpr(0));
  for (size_t i = 0; i < window.rank(); ++i) {
    lows[order.spatial(i)] = pads[i];
    highs[order.spatial(i)] = pads[window.rank() + i];
  }
  pads.assign(pads.size(), 0);
  auto type = RankedTensorType::get({}, dsc::getElementType(image));
  Value zero = dsc::ConstantOp::create(
      b, conv.getLoc(), cast<ElementsAttr>(DenseElementsAttr::get(type, b.getZeroAttr(type.getElementType()))));
  return dsc::PadOp::create(b, conv.getLoc(), image, zero, dsc::DimsAttr::get(b.getContext(), lows),
                            dsc::DimsAttr::get(b.getContext(), highs));
}

/// The op with its channels last.
Operation *Graph::create(OpBuilder &b, Operation *op) {
  Location loc = op->getLoc();
  size_t rank = dsc::getDims(op->getResult(0)).size();
  if (auto view = dyn_cast<dsc::ReshapeOp>(op)) {
    dsc::Dims dims = dsc::reorder(dsc::getDims(view.getResult()), channelsToEnd(rank));
    Value input = findMoved(view.getInput(), dsc::getDims(view.getInput()).size());
    return dsc::ReshapeOp::create(b, loc, dsc::makeTensor(dims, dsc::getElementType(view.getResult())), input);
  }
  if (auto conv = dyn_cast<dsc::ConvOp>(op)) {
    auto constant = conv.getFilter().getDefiningOp<dsc::ConstantOp>();
    Value filter = moveConstant(constant, filterToEnd(rank), rank);
    SmallVector<int64_t> pads = dsc::getIntegers(conv.getPads());
    // Before it is moved: rows of pixels are longer than rows of channels.
    bool isMoved = moved.contains(conv.getInput());
    Value image = isMoved ? moved.lookup(conv.getInput()) : conv.getInput();
    if (Value padded = padLines(b, conv, image, {isMoved, rank - 2}, pads))
      image = isMoved ? padded : move(b, loc, padded, channelsToEnd(rank));
    else
      image = findMoved(conv.getInput(), rank);
    return dsc::ConvOp::create(b, loc, image, filter, conv.getStrides(), conv.getDilations(), b.getI64ArrayAttr(pads),
                               conv.getGroups(), /*channels_last=*/true);
  }
  if (auto pool = dyn_cast<dsc::MaxPoolOp>(op))
    return dsc::MaxPoolOp::create(b, loc, findMoved(pool.getInput(), rank), pool.getWindow(), pool.getStrides(),
                                  pool.getDilations(), pool.getPads(), pool.getCeilMode(), /*channels_last=*/true);
  if (auto pool = dyn_cast<dsc::AveragePoolOp>(op))
    return dsc::AveragePoolOp::create(b, loc, findMoved(pool.getInput(), rank), pool.getWindow(), pool.getStrides(),
                                      pool.getDilations(), pool.getPads(), pool.getCeilMode(),
                                      pool.getCountIncludePad(), /*channels_last=*/true);
  SmallVector<Value> operands(op->getOperands());
  for (size_t i = 0; i < dsc::countReordered(op); ++i)
    operands[i] = findMoved(operands[i], rank);
  return dsc::createReordered(b, op, operands, channelsToEnd(rank));
}

/// A transposed convolution as one that makes all phases. What follows and does the same to each pixel is done before
/// the phases are woven, so that it stays with the convolution.
void Graph::createPhases(OpBuilder &b, dsc::ConvTransposeOp op) {
  ElementsAttr &known = constants[{getConstant(op.getFilter()), b.getArrayAttr({op.getStrides(), b.getUnitAttr()})}];
  if (!known)
    known = makePhaseFilter(op);
  size_t rank = dsc::getDims(op.getResult()).size();
  Value filter = dsc::ConstantOp::create(b, op.getFilter().getLoc(), known);
  Value phases = convolvePhases(b, op, findMoved(op.getInput(), rank), filter);
  Operation *end = op;
  for (;;) {
    Operation *user = end->hasOneUse() ? *end->user_begin() : nullptr;
    if (!user || !last.contains(user) || !dsc::isElementwise(user) ||
        dsc::getDims(user->getResult(0)) != dsc::getDims(op.getResult()))
      break;
    SmallVector<Value> operands;
    for (Value operand : user->getOperands()) {
      auto constant = operand.getDefiningOp<dsc::ConstantOp>();
      Value own = operand == end->getResult(0) ? phases : Value();
      if (constant)
        own = moveConstant(constant, channelsToEnd(rank), rank);
      if (constant = own ? own.getDefiningOp<dsc::ConstantOp>() : dsc::ConstantOp(); constant) {
        ElementsAttr repeated = repeatForPhases(constant.getValue(), op);
        own = repeated ? dsc::ConstantOp::create(b, constant.getLoc(), repeated).getResult() : Value();
      }
      operands.push_back(own);
    }
    if (llvm::is_contained(operands, Value()))
      break;
    dsc::Dims dims = dsc::getDims(phases);
    OperationState state(user->getLoc(), user->getName().getStringRef(), operands,
                         dsc::makeTensor(dims, dsc::getElementType(user->getResult(0))), user->getAttrs());
    phases = b.create(state)->getResult(0);
    early.insert(user);
    end = user;
  }
  ++numConversions;
  moved[end->getResult(0)] = weavePhases(b, op, phases);
}

void Graph::rewrite() {
  for (Operation *op : last) {
    OpBuilder b(op);
    Value own = op->getResult(0);
    if (auto transposed = dyn_cast<dsc::ConvTransposeOp>(op))
      createPhases(b, transposed);
    else if (!early.contains(op))
      moved[own] = create(b, op)->getResult(0);
    Value made = moved.lookup(own);
    if (!made)
      continue; // nobody wants it but what was done early as well
    auto wantsModel = [&](OpOperand &use) { return !last.contains(use.getOwner()) || !isTied(use); };
    if (!llvm::any_of(own.getUses(), wantsModel))
      continue;
    Value back = move(b, op->getLoc(), made, channelsToFront(dsc::getDims(own).size()));
    own.replaceUsesWithIf(back, wantsModel);
  }
  for (Operation *op : llvm::reverse(last))
    op->erase();
  for (auto constant : llvm::make_early_inc_range(block.getOps<dsc::ConstantOp>()))
    if (constant->use_empty())
      constant.erase();
}

namespace {
struct ChooseLayouts : impl::ChooseLayoutsBase<ChooseLayouts> {
  using ChooseLayoutsBase::ChooseLayoutsBase;

  void runOnOperation() override {
    MovedConstants constants;
    Journal journal(explained);
    getOperation().walk([&](func::FuncOp function) {
      const Target *target = kernels::targetOf(function);
      if (function.isExternal() || !target || !target->channelsLast)
        return;
      Graph graph(function, *target, journal, constants);
      graph.choose();
      graph.rewrite();
    });
  }
};
} // namespace

} // namespace dscc
