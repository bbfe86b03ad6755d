// Gives each group's result a place in one arena, as an expression that holds for every value of the named dims.
//
// 1. Who holds bytes: a group's result does, unless it is written straight into an output of the function. Views share
//    the bytes of what they view. A result takes over the bytes of an input that dies in the same group, if each of
//    its elements is read just where the result's is written.
// 2. Which buffers are live at once follows from their first and last use, whatever the sizes.
// 3. The planner packs them for one nominal assignment of the named dims. From its plan only the ORDER is kept: who lies
//    below whom. Then offset(b) = max over a below b and live with it of offset(a) + size(a), which no value of the
//    dims can make overlap.
//
// What it refuses to do: reorder groups.

#include "dialects/dsc/Dsc.h"
#include "passes/Passes.h"
#include "passes/memory/Planner.h"
#include "passes/memory/Storage.h"

#include <map>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"

/// The nominal value of a named dim with wide bounds: a batch or a sequence of usual length.
constexpr int64_t nominalDim = 64;
/// An expression with more characters than this is replaced by a simpler one that is never less.
constexpr size_t maxFormulaLength = 240;

static DimExpr ofTerm(const DimExpr::Term &term, int64_t coefficient) {
  DimExpr product = coefficient;
  for (auto &factor : term.factors)
    product = product * DimExpr::parse(factor->text);
  return product;
}

static bool sameFactors(const DimExpr::Term &a, const DimExpr::Term &b) {
  return llvm::equal(a.factors, b.factors, [](auto &x, auto &y) { return x->text == y->text; });
}

/// Some value >= both `a` and `b`. What both have in common is taken out, common + max(a', b'), so that maxima stay
/// small; if they get too long all the same, it is a' plus those terms of b' that exceed it. Factors are never negative
/// in offsets and sizes.
static DimExpr upperBound(const DimExpr &a, const DimExpr &b) {
  DimExpr common;
  for (const DimExpr::Term &x : a.getTerms())
    for (const DimExpr::Term &y : b.getTerms())
      if (sameFactors(x, y) && x.coefficient > 0 && y.coefficient > 0)
        common = common + ofTerm(x, std::min(x.coefficient, y.coefficient));
  DimExpr most = DimExpr::max(a - common, b - common);
  if (most.isValid() && most.str().size() <= maxFormulaLength)
    return common + most;
  DimExpr bound = a, excess = b - a;
  for (const DimExpr::Term &term : excess.getTerms())
    if (term.coefficient > 0)
      bound = bound + ofTerm(term, term.coefficient);
  return bound;
}

namespace {
/// What takes bytes in the arena: one result, or several of which each takes over from the one before.
struct ArenaBuffer {
  DimExpr bytes;
  int64_t first, last;
  DimExpr offset;
};

struct FunctionPlan {
  std::vector<ArenaBuffer> buffers;
  llvm::MapVector<Value, size_t> bufferOf; // results of groups
  llvm::DenseMap<Value, int64_t> outputOf; // results of groups that are written straight into an output
  DimExpr arena;
  int64_t nominalArena = 0, nominalMaxLive = 0;
  unsigned numInPlace = 0;
};
} // namespace

/// The last step that reads the bytes of `value`, itself or through views.
static int64_t findLastUse(Value value, const llvm::DenseMap<Operation *, int64_t> &steps, int64_t defined) {
  int64_t last = defined;
  for (Operation *user : value.getUsers()) {
    last = std::max(last, steps.lookup(user));
    if (auto view = dyn_cast<dsc::ReshapeOp>(user))
      last = std::max(last, findLastUse(view.getResult(), steps, defined));
  }
  return last;
}

/// True if every way from `argument` to the group's result keeps the place of each element.
static bool readsInPlace(Value argument, ArrayRef<DimExpr> resultDims) {
  if (dsc::getDims(argument) != dsc::Dims(resultDims))
    return false;
  return llvm::all_of(argument.getUsers(), [&](Operation *user) {
    if (isa<dsc::YieldOp>(user))
      return true;
    return isa<dsc::ElementwiseOpInterface>(user) && readsInPlace(user->getResult(0), resultDims);
  });
}

/// True if `group` reads the bytes of `storage` only at the places where it writes the same bytes of its result.
static bool canTakeOver(dsc::GroupOp group, Value result, Value storage) {
  if (countBytes(result.getType()) != countBytes(storage.getType()))
    return false;
  for (auto [input, argument] : llvm::zip_equal(group.getInputs(), group.getBody().getArguments()))
    if (getStorage(input) == storage && (countBytes(input.getType()) != countBytes(result.getType()) ||
                                         dsc::getElementType(input).getIntOrFloatBitWidth() !=
                                             dsc::getElementType(result).getIntOrFloatBitWidth() ||
                                         !readsInPlace(argument, dsc::getDims(result))))
      return false;
  return true;
}

/// The buffer whose bytes `result` takes over, if there is one.
static std::optional<size_t> findDying(dsc::GroupOp group, Value result, const FunctionPlan &plan, int64_t step) {
  if (group.getNumResults() != 1)
    return std::nullopt;
  for (Value input : group.getInputs()) {
    Value storage = getStorage(input);
    auto found = plan.bufferOf.find(storage);
    if (found != plan.bufferOf.end() && plan.buffers[found->second].last == step &&
        canTakeOver(group, result, storage))
      return found->second;
  }
  return std::nullopt;
}

/// Results that are returned are written where the caller wants them; a second return of the same bytes is a copy.
static void assignOutputs(Operation *terminator, FunctionPlan &plan) {
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    Value storage = getStorage(value);
    if (storage.getDefiningOp<dsc::GroupOp>())
      plan.outputOf.try_emplace(storage, index);
  }
}

static void collectBuffers(Block &block, bool inPlace, FunctionPlan &plan) {
  llvm::DenseMap<Operation *, int64_t> steps;
  for (Operation &op : block)
    steps[&op] = steps.size();
  for (auto group : block.getOps<dsc::GroupOp>()) {
    int64_t step = steps[group];
    for (Value result : group.getResults()) {
      if (plan.outputOf.count(result))
        continue;
      int64_t last = findLastUse(result, steps, step);
      std::optional<size_t> dying = inPlace ? findDying(group, result, plan, step) : std::nullopt;
      if (dying) {
        plan.buffers[*dying].last = last;
        plan.bufferOf[result] = *dying;
        ++plan.numInPlace;
        continue;
      }
      plan.bufferOf[result] = plan.buffers.size();
      plan.buffers.push_back({alignBytes(countBytes(result.getType())), step, last, 0});
    }
  }
}

/// The sizes at the nominal assignment: what is fixed, or `nominalDim` within the bounds.
static std::map<std::string, int64_t> chooseNominalDims(Operation *function) {
  std::map<std::string, int64_t> values;
  for (Operation *op = function; op; op = op->getParentOp())
    if (auto symbols = op->getAttrOfType<ArrayAttr>("dsc.symbols"))
      for (auto symbol : symbols.getAsRange<DictionaryAttr>()) {
        int64_t min = symbol.getAs<IntegerAttr>("min").getInt(), max = symbol.getAs<IntegerAttr>("max").getInt();
        values[symbol.getAs<StringAttr>("name").str()] = std::min(max, std::max(min, nominalDim));
      }
  return values;
}

static void placeBuffers(FunctionPlan &plan, const std::map<std::string, int64_t> &nominal) {
  std::vector<Buffer> numbers;
  auto valueOf = [&](StringRef name) {
    auto found = nominal.find(name.str());
    return std::optional<int64_t>(found == nominal.end() ? nominalDim : found->second);
  };
  for (const ArenaBuffer &buffer : plan.buffers)
    numbers.push_back({buffer.first, buffer.last, std::max<int64_t>(0, buffer.bytes.evaluate(valueOf).value_or(0))});
  Planner planner(numbers);
  Planner::Plan packed = planner.plan();

  std::vector<size_t> height(plan.buffers.size());
  for (auto [rank, i] : llvm::enumerate(packed.fromBelow))
    height[i] = rank;
  for (size_t i : packed.fromBelow) {
    ArenaBuffer &buffer = plan.buffers[i];
    SmallVector<size_t> below = llvm::filter_to_vector(planner.conflicts(i), [&](size_t j) { return height[j] < height[i]; });
    llvm::DenseSet<size_t> covered; // lies below something that lies below this one
    for (size_t k : below)
      for (size_t j : planner.conflicts(k))
        if (height[j] < height[k])
          covered.insert(j);
    for (size_t j : below)
      if (!covered.contains(j))
        buffer.offset = upperBound(buffer.offset, plan.buffers[j].offset + plan.buffers[j].bytes);
    plan.arena = upperBound(plan.arena, buffer.offset + buffer.bytes);
  }
  plan.nominalArena = plan.arena.evaluate(valueOf).value_or(packed.bytes);
  plan.nominalMaxLive = planner.maxLive();
}

static LogicalResult annotate(func::FuncOp function, const FunctionPlan &plan) {
  Builder builder(function.getContext());
  for (auto group : function.getOps<dsc::GroupOp>()) {
    SmallVector<DimExpr> offsets;
    SmallVector<int64_t> outputs;
    for (Value result : group.getResults()) {
      auto found = plan.bufferOf.find(result);
      offsets.push_back(found == plan.bufferOf.end() ? DimExpr(0) : plan.buffers[found->second].offset);
      auto output = plan.outputOf.find(result);
      outputs.push_back(output == plan.outputOf.end() ? -1 : output->second);
      if (!offsets.back().isValid())
        return group.emitError("needs an offset that is too large, or too long a formula of the named dims");
    }
    group->setAttr("offsets", dsc::DimsAttr::get(function.getContext(), offsets));
    group->setAttr("outputs", builder.getI64ArrayAttr(outputs));
  }
  if (!plan.arena.isValid())
    return function.emitError("needs an arena whose size is too large, or too long a formula of the named dims");
  function->setAttr("dsc.arena", builder.getStringAttr(plan.arena.str()));
  function->setAttr("dsc.max_live", builder.getI64IntegerAttr(plan.nominalMaxLive));
  return success();
}

namespace {
struct PlanMemory : impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    Block &block = function.getBody().front();
    FunctionPlan plan;
    assignOutputs(block.getTerminator(), plan);
    collectBuffers(block, inPlace, plan);
    placeBuffers(plan, chooseNominalDims(function));
    numBuffers += plan.buffers.size();
    numInPlace += plan.numInPlace;
    numDirect += plan.outputOf.size();
    arenaBytes += plan.nominalArena;
    maxLiveBytes += plan.nominalMaxLive;
    if (failed(annotate(function, plan)))
      signalPassFailure();
  }
};
} // namespace

} // namespace dscc
