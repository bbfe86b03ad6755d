// Gives each group's result a place in one arena, by a table that holds for every value of the named dims.
//
// 1. Who holds bytes: a group's result does, unless it is written straight into an output of the function, or into its
//    home, a concat or transpose in place, which holds bytes then, from when its first part is written. Views share the
//    bytes of what they view. A result takes over the bytes of an input that dies in the same group, if each of its
//    elements is read just where the result's is written.
// 2. Which buffers are live at once follows from their first and last use, whatever the sizes.
// 3. The planner packs them for several values of the named dims. From each plan only the ORDER is kept: who lies below
//    whom. Then offset(b) = max over a below b and live with it of offset(a) + size(a), which no value of the dims can
//    make overlap. The order that is best over all the values wins.
//
// What it refuses to do: reorder groups.

#include "dialects/dsc/Storage.h"
#include "dialects/dsc/Windows.h"
#include "passes/Passes.h"
#include "passes/kernels/Emitters.h"
#include "passes/memory/Places.h"
#include "passes/memory/Planner.h"

#include "llvm/ADT/Statistic.h"

#include <map>
#include <random>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-plan-memory"
ALWAYS_ENABLED_STATISTIC(numBuffers, "Buffers in the arena");
ALWAYS_ENABLED_STATISTIC(numInPlace, "Results that take over an input's bytes");
ALWAYS_ENABLED_STATISTIC(numDirect, "Results written straight into an output");
ALWAYS_ENABLED_STATISTIC(arenaBytes, "Bytes of arena at the nominal dims");
ALWAYS_ENABLED_STATISTIC(maxLiveBytes, "Most bytes live at once at the nominal dims");

/// The value of named dims with wide bounds for which the statistics are given.
constexpr int64_t nominalDim = 64;

namespace {
/// What takes bytes in the arena: one result, or several of which each takes over from the one before, or what the
/// kernels of one group share.
struct ArenaBuffer {
  DimExpr bytes;
  int64_t first, last;
};

struct FunctionPlan {
  explicit FunctionPlan(Block &block) : layouts(block) {}

  Layouts layouts;
  std::vector<ArenaBuffer> buffers;
  // By what holds bytes: results of groups and homes.
  llvm::MapVector<Value, size_t> bufferOf;
  llvm::DenseMap<Operation *, size_t> workspaceOf; // of groups that have one
  llvm::DenseMap<Value, int64_t> outputOf;         // those that are written straight into an output
  llvm::DenseMap<Value, int64_t> lastUse;          // the last step that reads or writes their bytes, in whatever window
  std::vector<Place> places;
  std::vector<int64_t> placeOf; // of each buffer
  int64_t nominalArena = 0, nominalMaxLive = 0;
  unsigned numInPlace = 0;
};
} // namespace

/// True if every way from `argument` to the group's result keeps the place of each element.
static bool readsInPlace(Value argument, ArrayRef<DimExpr> resultDims) {
  if (dsc::getDims(argument) != dsc::Dims(resultDims))
    return false;
  return llvm::all_of(argument.getUsers(), [&](Operation *user) {
    if (isa<dsc::YieldOp>(user))
      return true;
    return dsc::isElementwise(user) && readsInPlace(user->getResult(0), resultDims);
  });
}

/// True if `group` reads the bytes of `storage` only at the places where it writes the same bytes of its result.
static bool canTakeOver(dsc::GroupOp group, Value result, Value storage, FunctionPlan &plan) {
  if (countBytes(result.getType()) != countBytes(storage.getType()))
    return false;
  for (auto [index, input, argument] : llvm::enumerate(group.getInputs(), group.getBody().getArguments()))
    if (plan.layouts.findStorage(input) == storage &&
        (readWindow(group, index) || countBytes(input.getType()) != countBytes(result.getType()) ||
         dsc::getElementType(input).getIntOrFloatBitWidth() != dsc::getElementType(result).getIntOrFloatBitWidth() ||
         !readsInPlace(argument, dsc::getDims(group.getYielded()[0]))))
      return false;
  return true;
}

/// The buffer whose bytes `result` takes over, if there is one.
static std::optional<size_t> findDying(dsc::GroupOp group, Value result, FunctionPlan &plan, int64_t step) {
  if (group.getNumResults() != 1)
    return std::nullopt;
  for (Value input : group.getInputs()) {
    Value storage = plan.layouts.findStorage(input);
    auto found = plan.bufferOf.find(storage);
    if (found != plan.bufferOf.end() && plan.buffers[found->second].last == step &&
        canTakeOver(group, result, storage, plan))
      return found->second;
  }
  return std::nullopt;
}

/// Results that are returned are written where the caller wants them; a second return of the same bytes is a copy.
static void assignOutputs(Operation *terminator, FunctionPlan &plan) {
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    Value storage = getStorage(value);
    bool isHeld = storage.getDefiningOp<dsc::GroupOp>() || isHome(storage.getDefiningOp());
    // What lies in a window cannot be an output as well.
    if (isHeld && plan.layouts.findStorage(value) == storage)
      plan.outputOf.try_emplace(storage, index);
  }
}

/// The first result of a join's parts makes room for all of it.
static void addResult(dsc::GroupOp group, Value result, int64_t step, bool inPlace, FunctionPlan &plan) {
  Value holder = plan.layouts.findStorage(result);
  if (plan.outputOf.count(holder) || plan.bufferOf.count(holder))
    return;
  int64_t last = plan.lastUse.lookup_or(holder, step);
  std::optional<size_t> dying = inPlace && holder == result ? findDying(group, result, plan, step) : std::nullopt;
  if (dying) {
    plan.buffers[*dying].last = last;
    plan.bufferOf[result] = *dying;
    ++plan.numInPlace;
    return;
  }
  plan.bufferOf[holder] = plan.buffers.size();
  plan.buffers.push_back({alignBytes(countBytes(holder.getType())), step, last});
}

/// The bytes that the kernels of the group's schedules share. They are an attribute from here on.
static DimExpr declareWorkspace(dsc::GroupOp group) {
  const Target *target = kernels::targetOf(group);
  if (!target || group.getSchedules().empty())
    return group.getWorkspace();
  DimExpr bytes = kernels::countWorkspace(group, *target);
  if (!bytes.isConstant(0))
    group->setAttr("workspace", dsc::DimsAttr::get(group.getContext(), bytes));
  return bytes;
}

static void collectBuffers(Block &block, bool inPlace, FunctionPlan &plan) {
  for (auto [step, op] : llvm::enumerate(block))
    for (ValueRange tensors : {ValueRange(op.getOperands()), ValueRange(op.getResults())})
      for (Value tensor : tensors)
        plan.lastUse[plan.layouts.findStorage(tensor)] = step;
  for (auto [step, op] : llvm::enumerate(block))
    if (auto group = dyn_cast<dsc::GroupOp>(op)) {
      for (Value result : group.getResults())
        addResult(group, result, step, inPlace, plan);
      if (DimExpr bytes = declareWorkspace(group); !bytes.isConstant(0)) {
        plan.workspaceOf[group] = plan.buffers.size();
        plan.buffers.push_back({alignBytes(bytes), int64_t(step), int64_t(step)});
      }
    }
}

using Sample = std::map<std::string, int64_t>;

/// Values of the named dims to plan for and to judge by: all small, middling, large; then each on its own scale. The
/// first is the nominal one.
static std::vector<Sample> chooseSamples(Operation *function) {
  std::vector<std::tuple<std::string, int64_t, int64_t>> ranges;
  for (Operation *op = function; op; op = op->getParentOp())
    if (auto symbols = op->getAttrOfType<ArrayAttr>("dsc.symbols"))
      for (auto symbol : symbols.getAsRange<DictionaryAttr>())
        ranges.push_back({symbol.getAs<StringAttr>("name").str(), symbol.getAs<IntegerAttr>("min").getInt(),
                          symbol.getAs<IntegerAttr>("max").getInt()});
  std::vector<Sample> samples;
  auto add = [&](function_ref<int64_t()> draw) {
    Sample &sample = samples.emplace_back();
    for (auto &[name, min, max] : ranges)
      sample[name] = std::min(max, std::max(min, draw()));
  };
  for (int64_t value : {nominalDim, int64_t(1), int64_t(8), int64_t(512)})
    add([&] { return value; });
  constexpr unsigned randomSamples = 8, maxLog2 = 10;
  std::mt19937_64 random(0x64736363);
  for (unsigned i = 0; i < randomSamples && ranges.size() > 1; ++i)
    add([&] {
      int64_t power = int64_t(1) << random() % maxLog2;
      return power + int64_t(random() % uint64_t(power));
    });
  if (ranges.empty())
    samples.resize(1);
  return samples;
}

namespace {
/// Who lies on whom, by buffer, and the buffers in an order in which what lies below comes first.
struct Stack {
  std::vector<size_t> fromBelow;
  std::vector<SmallVector<size_t>> above;
};
} // namespace

/// From a plan for some sizes only its order is kept, without what follows from the rest of the order.
static Stack stack(const Planner &planner, const Planner::Plan &packed) {
  Stack result{packed.fromBelow, std::vector<SmallVector<size_t>>(packed.fromBelow.size())};
  std::vector<size_t> height(packed.fromBelow.size());
  for (auto [rank, i] : llvm::enumerate(packed.fromBelow))
    height[i] = rank;
  for (size_t i : packed.fromBelow) {
    auto lower = [&](size_t k) {
      return llvm::make_filter_range(planner.conflicts(k), [&, k](size_t j) { return height[j] < height[k]; });
    };
    llvm::DenseSet<size_t> covered; // lies below something that lies below this one
    for (size_t k : lower(i))
      for (size_t j : lower(k))
        covered.insert(j);
    for (size_t j : lower(i))
      if (!covered.contains(j))
        result.above[i].push_back(j);
  }
  return result;
}

static int64_t measure(const Stack &stack, ArrayRef<Buffer> sizes) {
  std::vector<int64_t> end(sizes.size());
  int64_t arena = 0;
  for (size_t i : stack.fromBelow) {
    int64_t offset = 0;
    for (size_t j : stack.above[i])
      offset = std::max(offset, end[j]);
    end[i] = offset + sizes[i].bytes;
    arena = std::max(arena, end[i]);
  }
  return arena;
}

/// The sizes at a sample. One that overflows 64 bits is of no machine, and counts as empty.
static std::vector<Buffer> sizesAt(const Sample &sample, ArrayRef<ArenaBuffer> buffers) {
  std::vector<Buffer> sizes;
  auto valueOf = [&](StringRef name) {
    auto found = sample.find(name.str());
    return std::optional<int64_t>(found == sample.end() ? nominalDim : found->second);
  };
  for (const ArenaBuffer &buffer : buffers)
    sizes.push_back({buffer.first, buffer.last, std::max<int64_t>(0, buffer.bytes.evaluate(valueOf).value_or(0))});
  return sizes;
}

/// Of the stacks that are good at one sample each, the one whose worst ratio of arena to live bytes is least.
static Stack chooseStack(ArrayRef<std::vector<Buffer>> sizes) {
  assert(!sizes.empty() && "there is always the nominal sample");
  std::optional<Stack> best;
  double leastRatio = 0;
  std::vector<Planner> planners;
  for (const std::vector<Buffer> &sample : sizes)
    planners.emplace_back(sample);
  for (const Planner &planner : planners) {
    Stack candidate = stack(planner, planner.plan());
    double worstRatio = 1;
    for (auto [other, sample] : llvm::zip_equal(planners, sizes))
      worstRatio = std::max(worstRatio, double(measure(candidate, sample)) / std::max<int64_t>(1, other.maxLive()));
    if (best && worstRatio >= leastRatio)
      continue;
    best = std::move(candidate);
    leastRatio = worstRatio;
    if (leastRatio == 1)
      break;
  }
  return *best;
}

static void placeBuffers(FunctionPlan &plan, const std::vector<Sample> &samples) {
  std::vector<std::vector<Buffer>> sizes;
  for (const Sample &sample : samples)
    sizes.push_back(sizesAt(sample, plan.buffers));
  Stack stack = chooseStack(sizes);
  plan.placeOf.assign(plan.buffers.size(), -1);
  for (size_t i : stack.fromBelow) {
    plan.placeOf[i] = plan.places.size();
    Place &place =
        plan.places.emplace_back(Place{plan.buffers[i].bytes, plan.buffers[i].first, plan.buffers[i].last, {}});
    for (size_t j : stack.above[i]) {
      assert(plan.placeOf[j] >= 0 && "what lies below has its place before");
      place.above.push_back(plan.placeOf[j]);
    }
    llvm::sort(place.above);
  }
  plan.nominalArena = measure(stack, sizes[0]);
  plan.nominalMaxLive = Planner(sizes[0]).maxLive();
}

static LogicalResult annotate(func::FuncOp function, FunctionPlan &plan) {
  Builder builder(function.getContext());
  for (Operation &op : function.getBody().front()) {
    if (!isa<dsc::GroupOp>(op) && !isHome(&op))
      continue;
    SmallVector<int64_t> places, outputs;
    for (Value result : op.getResults()) {
      Value holder = plan.layouts.findStorage(result);
      auto found = plan.bufferOf.find(holder);
      places.push_back(found == plan.bufferOf.end() ? -1 : plan.placeOf[found->second]);
      auto output = plan.outputOf.find(holder);
      outputs.push_back(output == plan.outputOf.end() ? -1 : output->second);
      if (!alignBytes(countBytes(holder.getType())).isValid())
        return op.emitError("has a result whose size is too large, or too long a formula of the named dims");
    }
    if (auto workspace = plan.workspaceOf.find(&op); workspace != plan.workspaceOf.end())
      op.setAttr("workspace_place", builder.getI64IntegerAttr(plan.placeOf[workspace->second]));
    op.setAttr("places", builder.getDenseI64ArrayAttr(places));
    op.setAttr("outputs", builder.getI64ArrayAttr(outputs));
  }
  function->setAttr(arenaName, encodePlaces(function.getContext(), plan.places));
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
    FunctionPlan plan(block);
    assignOutputs(block.getTerminator(), plan);
    collectBuffers(block, inPlace, plan);
    if (!share)
      for (ArenaBuffer &buffer : plan.buffers)
        buffer.first = 0, buffer.last = int64_t(block.getOperations().size()) - 1;
    placeBuffers(plan, chooseSamples(function));
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
