// Lets groups that do not wait for each other share a launch, where the target's launches cost time.
//
//     %q = dsc.group (%x, %a) {..}            %q, %k = dsc.group (%x, %a, %b) {schedule = #dsc.schedule<side_by_side
//     ..>} { %k = dsc.group (%x, %b) {..}    ==>       %1 = dsc.group (%x, %a) {..}
//                                               %2 = dsc.group (%x, %b) {..}
//                                               dsc.yield %1, %2 }
//
// From each group on, those that follow and have all that they read there are tried, the nearest first. Blocks of all
// of them must be alike (KernelEmitter::besides). Where their schedules differ, as those of a wide product and a narrow
// one do, all may take the schedules of one of them, if that is estimated to cost less than the launches that are
// saved.

#include "dialects/dsc/Windows.h"
#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/kernels/Emitters.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/Statistic.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_JOINLAUNCHES
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-join-launches"
ALWAYS_ENABLED_STATISTIC(numJoined, "Groups that share a launch with others");
ALWAYS_ENABLED_STATISTIC(numLaunches, "Launches that are shared");

using kernels::KernelEmitter;
using kernels::Sizes;
using Schedules = SmallVector<dsc::ScheduleAttr>;

/// Groups of one launch, and their tensors, at most: each is a branch, or a pointer to select, in its code.
static constexpr size_t mostParts = 8, mostTensors = 48;
/// Groups that are looked at behind one. What is computed far ahead of its users takes memory all the while.
static constexpr size_t mostAhead = 12;
/// Values of named dims for which schedules are compared.
static constexpr int64_t sampled[] = {1, 64, 512};

static bool besides(dsc::ScheduleAttr a, dsc::ScheduleAttr b) {
  const KernelEmitter *emitter = kernels::findKernelEmitter(a.getEmitter());
  return a.getEmitter() == b.getEmitter() && emitter->besides && emitter->besides(a, b) && a.getDim() == b.getDim() &&
         a.getMost() == b.getMost();
}

/// Whether blocks of both are alike, whichever schedules a run takes.
static bool areAlike(ArrayRef<dsc::ScheduleAttr> a, ArrayRef<dsc::ScheduleAttr> b) {
  return a.size() == b.size() &&
         llvm::all_of(llvm::zip_equal(a, b), [](auto pair) { return besides(std::get<0>(pair), std::get<1>(pair)); });
}

/// The time of a group at all sizes together.
static double estimate(dsc::GroupOp group, const Target &target, ArrayRef<dsc::ScheduleAttr> schedules) {
  double seconds = 0;
  for (int64_t sample : sampled) {
    Sizes sizes(group, sample);
    auto taken = llvm::find_if(schedules, [&](dsc::ScheduleAttr one) {
      std::optional<DimExpr> condition = one.getCondition();
      return !condition || sizes.of(*condition) <= double(one.getMost());
    });
    seconds += kernels::findKernelEmitter(taken->getEmitter())->estimate(group, target, *taken, sizes);
  }
  return seconds;
}

static bool canTake(dsc::GroupOp group, const Target &target, ArrayRef<dsc::ScheduleAttr> schedules) {
  return llvm::all_of(schedules, [&](dsc::ScheduleAttr schedule) {
    const KernelEmitter *emitter = kernels::findKernelEmitter(schedule.getEmitter());
    return bool(kernels::accepts(*emitter, group, target)) &&
           (!emitter->allows || bool(emitter->allows(group, target, schedule))) &&
           kernels::countWorkspace(group, target, schedule).isValid();
  });
}

/// Whether the group might have others beside it.
static bool isJoinable(dsc::GroupOp group) {
  Schedules schedules = group.getSchedules();
  return !schedules.empty() && llvm::all_of(schedules, [](dsc::ScheduleAttr schedule) {
    const KernelEmitter *emitter = kernels::findKernelEmitter(schedule.getEmitter());
    return emitter && emitter->besides;
  });
}

/// How many kernels each schedule has for the group.
static SmallVector<size_t> countKernels(dsc::GroupOp group, ArrayRef<dsc::ScheduleAttr> schedules) {
  return llvm::map_to_vector(schedules, [&](dsc::ScheduleAttr schedule) {
    return kernels::findKernelEmitter(schedule.getEmitter())->countKernels(group, schedule);
  });
}

namespace {
/// Groups that are to share a launch, and the schedules of each.
struct Draft {
  SmallVector<dsc::GroupOp> parts;
  SmallVector<Schedules> schedules;
};
} // namespace

/// Gives all parts schedules by which their blocks are alike.
static Verdict agree(Draft &draft, const Target &target) {
  SmallVector<Schedules> own = llvm::map_to_vector(draft.parts, [](dsc::GroupOp part) { return part.getSchedules(); });
  auto haveAsManyKernels = [&](ArrayRef<Schedules> all) {
    return llvm::all_of(llvm::zip_equal(draft.parts, all), [&](auto pair) {
      auto [part, schedules] = pair;
      return countKernels(part, schedules) == countKernels(draft.parts[0], all[0]);
    });
  };
  if (llvm::all_of(own, [&](const Schedules &one) { return areAlike(one, own[0]); })) {
    draft.schedules = own;
    return Verdict::acceptedIf(haveAsManyKernels(own), "they take different numbers of kernels");
  }
  double before = 0, least = INFINITY;
  for (auto [part, schedules] : llvm::zip_equal(draft.parts, own)) {
    // What multiplies matrices is not to be written as what adds vectors.
    if (schedules[0].getEmitter() != own[0][0].getEmitter())
      return Verdict::declined("they are written by different emitters");
    if (part->hasAttr("by_hand"))
      return Verdict::declined("their blocks are not alike, and a schedule was written by hand");
    before += estimate(part, target, schedules);
  }
  for (const Schedules &common : own) {
    SmallVector<Schedules> all(own.size(), common);
    if (!llvm::all_of(draft.parts, [&](dsc::GroupOp part) { return canTake(part, target, common); }) ||
        !haveAsManyKernels(all) || !areAlike(common, common))
      continue;
    double seconds = 0;
    for (dsc::GroupOp part : draft.parts)
      seconds += estimate(part, target, common);
    if (seconds >= least)
      continue;
    least = seconds;
    draft.schedules = all;
  }
  double saved = double(draft.parts.size() - 1) * std::size(sampled) * target.gpu->secondsPerLaunch;
  return Verdict::acceptedIf(least <= before + saved, "their blocks are not alike, and no schedule suits all of them");
}

/// Whether all that the op reads is there in front of `place`, or can be: weights and views compute nothing.
static bool isReadyAt(Operation *op, Operation *place) {
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    Operation *maker = operand.getDefiningOp();
    if (!maker || maker->isBeforeInBlock(place))
      return true;
    bool moves = maker->getNumOperands() == 0 || (isView(maker) && !isHome(maker));
    return maker != place && !isa<dsc::GroupOp>(maker) && moves && isReadyAt(maker, place);
  });
}

/// Moves weights and views that the op reads in front of `place`.
static void makeReady(Operation *op, Operation *place) {
  for (Value operand : op->getOperands())
    if (Operation *maker = operand.getDefiningOp(); maker && !maker->isBeforeInBlock(place)) {
      makeReady(maker, place);
      maker->moveBefore(place);
    }
}

static size_t countTensors(ArrayRef<dsc::GroupOp> parts) {
  llvm::SmallDenseSet<Value> tensors;
  size_t results = 0;
  for (dsc::GroupOp part : parts) {
    tensors.insert(part.getInputs().begin(), part.getInputs().end());
    results += part.getNumResults();
  }
  return tensors.size() + results;
}

/// "matmul_x3", or "matmul_and_add".
static std::string labelOf(ArrayRef<dsc::GroupOp> parts) {
  SmallVector<std::string> labels; // each once, in the order of the parts
  llvm::StringMap<unsigned> counts;
  for (dsc::GroupOp part : parts) {
    auto told = part->getAttrOfType<StringAttr>("label");
    std::string label = told ? told.str() : kernels::labelOf(part);
    if (++counts[label] == 1)
      labels.push_back(label);
  }
  for (std::string &label : labels)
    if (unsigned count = counts[label]; count > 1)
      label += "_x" + std::to_string(count);
  return llvm::join(labels, "_and_");
}

/// The entries of `windows` for the group's inputs, or for its results; units if it has no windows.
static SmallVector<Attribute> windowsOf(dsc::GroupOp group, size_t first, size_t count) {
  if (auto windows = group->getAttrOfType<ArrayAttr>(windowsName))
    return SmallVector<Attribute>(windows.getValue().slice(first, count));
  return SmallVector<Attribute>(count, UnitAttr::get(group.getContext()));
}

/// Puts the parts into one group, at the place of the first.
static void join(const Draft &draft) {
  dsc::GroupOp first = draft.parts[0];
  OpBuilder builder(first);
  SmallVector<Location> locations;
  SmallVector<Type> types;
  llvm::MapVector<Value, Attribute> inputs;
  SmallVector<Attribute> windows;
  for (dsc::GroupOp part : draft.parts) {
    if (part != first)
      makeReady(part, first);
    locations.push_back(part.getLoc());
    llvm::append_range(types, part.getResultTypes());
    size_t count = part.getNumOperands();
    for (auto [input, window] : llvm::zip_equal(part.getInputs(), windowsOf(part, 0, count)))
      inputs.insert({input, window});
    llvm::append_range(windows, windowsOf(part, count, part.getNumResults()));
  }
  SmallVector<Value> operands = llvm::map_to_vector(inputs, [](auto &entry) { return entry.first; });
  SmallVector<Attribute> allWindows = llvm::map_to_vector(inputs, [](auto &entry) { return entry.second; });
  llvm::append_range(allWindows, windows);
  std::string label = labelOf(draft.parts);
  auto joined = dsc::GroupOp::create(builder, builder.getFusedLoc(locations), types, operands);
  joined->setAttr("label", builder.getStringAttr(label));
  if (!llvm::all_of(allWindows, [](Attribute window) { return isa<UnitAttr>(window); }))
    joined->setAttr(windowsName, builder.getArrayAttr(allWindows));
  Block *body = builder.createBlock(&joined.getBody());
  for (Value operand : operands)
    body->addArgument(operand.getType(), operand.getLoc());
  SmallVector<Value> made;
  Schedules own;
  size_t result = 0;
  for (auto [part, schedules] : llvm::zip_equal(draft.parts, draft.schedules)) {
    dsc::GroupOp group = part;
    group.setSchedules(schedules);
    for (Value value : group.getResults())
      value.replaceAllUsesWith(joined.getResult(result++));
    group->moveBefore(body, body->end());
    for (OpOperand &operand : group->getOpOperands())
      operand.set(body->getArgument(llvm::find(operands, operand.get()) - operands.begin()));
    llvm::append_range(made, group.getResults());
  }
  builder.setInsertionPointToEnd(body);
  dsc::YieldOp::create(builder, joined.getLoc(), made);
  for (auto [way, schedule] : llvm::enumerate(draft.schedules[0])) {
    auto one = dsc::ScheduleAttr::get(builder.getContext(), "side_by_side", {{"way", int64_t(way)}});
    own.push_back(schedule.getDim() ? one.where(*schedule.getCondition(), schedule.getMost()) : one);
  }
  joined.setSchedules(own);
}

/// The group and those behind it that are to share its launch.
static Draft draftFrom(dsc::GroupOp first, const Target &target, const Journal &journal) {
  Draft draft{{first}, {first.getSchedules()}};
  size_t ahead = 0;
  for (Operation *op = first->getNextNode(); op && ahead < mostAhead && draft.parts.size() < mostParts;
       op = op->getNextNode()) {
    auto group = dyn_cast<dsc::GroupOp>(op);
    if (!group)
      continue;
    ++ahead;
    if (!isJoinable(group) || !isReadyAt(group, first))
      continue;
    Draft larger = draft;
    larger.parts.push_back(group);
    Verdict verdict = countTensors(larger.parts) > mostTensors
                          ? Verdict::declined("the kernel would have too many tensors")
                          : agree(larger, target);
    if (journal.wants(group))
      journal.tell(group) << (verdict ? "shares a launch with " : "shares no launch with ") << Journal::nameOf(first)
                          << (verdict ? "" : ": " + verdict.why());
    if (verdict)
      draft = std::move(larger);
  }
  return draft;
}

namespace {
struct JoinLaunches : impl::JoinLaunchesBase<JoinLaunches> {
  using JoinLaunchesBase::JoinLaunchesBase;

  void runOnOperation() override {
    const Target *target = kernels::targetOf(getOperation());
    if (!target || target->device != Device::Cuda || getOperation().isExternal())
      return;
    Journal journal(explained);
    Block &block = getOperation().getBody().front();
    for (Operation *op = &block.front(); op;) {
      auto group = dyn_cast<dsc::GroupOp>(op);
      Draft draft = group && isJoinable(group) ? draftFrom(group, *target, journal) : Draft();
      op = op->getNextNode();
      if (draft.parts.size() < 2)
        continue;
      // What follows may become a part.
      while (isa_and_nonnull<dsc::GroupOp>(op) && llvm::is_contained(draft.parts, cast<dsc::GroupOp>(op)))
        op = op->getNextNode();
      join(draft);
      numJoined += draft.parts.size();
      ++numLaunches;
    }
  }
};
} // namespace

} // namespace dscc
