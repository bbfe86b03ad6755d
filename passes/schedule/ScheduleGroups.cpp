// Chooses how each group becomes a kernel: of all ways of all emitters that accept it, the one with the least estimate.
//
//     a product of M x 512 x 512, M from 1 to 4096   ==>   tiles of 1 row where M <= 2, else tiles of 5 rows
//
// Where a product's rows or columns, or how long rows are that are summed up or gathered, is known at run time only,
// one way may be bad for few of them and another for many: the group then gets a list, and a run takes the first whose
// condition holds. Estimates are made for a few sizes; a way that is nearly as good as the best is kept, because each
// more is a kernel more.

#include "dialects/dsc/Storage.h"
#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/kernels/Attention.h"
#include "passes/kernels/Panels.h"
#include "passes/kernels/Rows.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/Statistic.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_SCHEDULEGROUPS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-schedule-groups"
ALWAYS_ENABLED_STATISTIC(numScheduled, "Groups scheduled");
ALWAYS_ENABLED_STATISTIC(numAlternatives, "Schedules that are for some sizes only");

using kernels::KernelEmitter;
using kernels::Sizes;

/// Values of named dims for which estimates are made, and the usual one among them.
static constexpr int64_t sampled[] = {1, 8, 64, 512, 4096}, usual = 64;
/// The bytes of workspace that a way may take in any case. What takes more is no way unless the group's own tensors are
/// as large: memory is planned for the greatest sizes, whichever way a run takes.
static constexpr int64_t smallWorkspace = int64_t(32) << 20;
/// How much worse than the best an estimate may be, so that a kernel is saved.
static constexpr double tolerance = 1.1;

namespace {
/// One way to write a group, and about how long it takes.
struct Choice {
  dsc::ScheduleAttr schedule;
  double seconds = INFINITY;
};

struct ScheduleGroups : impl::ScheduleGroupsBase<ScheduleGroups> {
  using ScheduleGroupsBase::ScheduleGroupsBase;

  void runOnOperation() override;

private:
  LogicalResult schedule(dsc::GroupOp group, const Target &target, const Journal &journal);
};
} // namespace

static double estimate(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes) {
  return kernels::findKernelEmitter(schedule.getEmitter())->estimate(group, target, schedule, sizes);
}

/// Whether memory can be spared for the schedule's workspace, whatever the sizes for which it is.
static bool sparesMemory(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  DimExpr bytes = kernels::countWorkspace(group, target, schedule);
  if (!bytes.isValid() || bytes.isConstant(0))
    return bytes.isValid();
  std::optional<DimExpr> condition = schedule.getCondition();
  std::optional<std::string> symbol = condition ? condition->asSymbol() : std::nullopt;
  DimExpr most = bytes.substitute(
      [&](StringRef name) { return symbol == name ? std::optional<DimExpr>(schedule.getMost()) : std::nullopt; });
  if (most.isConstant() && most.constant() <= smallWorkspace)
    return true;
  DimExpr own = 0;
  for (TypeRange types : {TypeRange(group.getOperandTypes()), TypeRange(group.getResultTypes())})
    for (Type type : types)
      own = own + countBytes(type);
  return own.isValid() && DimExpr::isAtLeast(own, bytes);
}

/// The least estimate; of equal ones the first in the table of emitters. No schedule if no emitter accepts the group.
static Choice choose(ArrayRef<dsc::ScheduleAttr> candidates, dsc::GroupOp group, const Target &target,
                     const Sizes &sizes) {
  Choice best;
  for (dsc::ScheduleAttr candidate : candidates)
    if (double seconds = estimate(group, target, candidate, sizes); !best.schedule || seconds < best.seconds)
      best = {candidate, seconds};
  return best;
}

/// Where rows of attention are few, as in a decoder's step, its keys are all that came before: at least so many.
static constexpr int64_t usualKeys = 1024;

/// The dim that counts the rows of attention, if it is one that only a run knows.
static std::optional<DimExpr> rowsOfAttention(dsc::GroupOp group) {
  kernels::Attention attention;
  if (!kernels::findAttention(group, attention))
    return std::nullopt;
  dsc::Dims dims = dsc::getDims(attention.scores.getResult());
  DimExpr rows = dims[dims.size() - 2];
  return rows.isValid() && rows.asSymbol() ? std::optional<DimExpr>(rows) : std::nullopt;
}

/// Sizes at which schedules are compared.
static Sizes sizesAt(dsc::GroupOp group, int64_t sample) {
  std::optional<DimExpr> rows = rowsOfAttention(group);
  if (!rows)
    return Sizes(group, sample);
  return Sizes(group, std::max(sample, usualKeys), *rows->asSymbol(), sample);
}

/// The dim on which it depends most how a product, or what runs along rows or gathers them, is best computed; nothing
/// where that is known, or where there is none of these.
static std::optional<DimExpr> decisiveDim(dsc::GroupOp group) {
  if (std::optional<DimExpr> rows = rowsOfAttention(group))
    return rows;
  Operation *hero = kernels::findContraction(group);
  if (!hero) {
    std::optional<kernels::RowPlan> rows = kernels::planRows(group);
    DimExpr length = 1;
    if (rows && rows->lastIsReduced())
      length = rows->domain.back();
    else if (!rows && kernels::gathersLanes(group))
      length = dsc::getDims(group.getYielded()[0]).back();
    if (!length.isValid() || length.isConstant())
      return std::nullopt;
    return length;
  }
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  // With channels last all spatial dims are rows.
  if (auto conv = dyn_cast<dsc::ConvOp>(hero); conv && conv.getChannelsLast())
    dims = dsc::orderOf(conv).spatialOf(dims);
  for (const DimExpr &dim : llvm::reverse(ArrayRef(dims).take_back(2)))
    if (dim.isValid() && !dim.isConstant())
      return dim;
  return std::nullopt;
}

/// A schedule for each range of the decisive dim, those for few first. All of them read the group's inputs as they lie
/// in memory, so they agree about what is packed.
static SmallVector<dsc::ScheduleAttr> chooseByDim(SmallVector<dsc::ScheduleAttr> candidates, dsc::GroupOp group,
                                                  const Target &target, const DimExpr &dim) {
  // Those that may be taken up to a size, or at all sizes.
  auto sparing = [&](std::optional<double> most) {
    return llvm::filter_to_vector(candidates, [&](dsc::ScheduleAttr schedule) {
      return sparesMemory(group, target, most ? schedule.where(dim, int64_t(*most)) : schedule);
    });
  };
  SmallVector<std::pair<double, int64_t>> samples; // of the dim, growing, and of all named dims
  for (int64_t sample : sampled)
    if (double value = sizesAt(group, sample).of(dim);
        std::isfinite(value) && (samples.empty() || value > samples.back().first))
      samples.push_back({value, sample});
  dsc::ScheduleAttr main = choose(sparing(std::nullopt), group, target, sizesAt(group, usual)).schedule;
  llvm::erase_if(candidates,
                 [&](dsc::ScheduleAttr other) { return kernels::isPacked(other) != kernels::isPacked(main); });
  // Elements on their own may be quick where rows are shortest, which is soon over either way: no kernel more for that.
  if (!kernels::findContraction(group) && main.getEmitter() != kernels::elementwiseEmitter.name)
    llvm::erase_if(candidates, [](dsc::ScheduleAttr other) {
      return other.getEmitter().getValue() == kernels::elementwiseEmitter.name;
    });
  // From the last on, so that what serves many may serve fewer too, if it is as good.
  SmallVector<dsc::ScheduleAttr> taken = {main};
  SmallVector<std::pair<double, dsc::ScheduleAttr>> bySize; // of the dim
  for (size_t i = samples.size(); i-- > 0;) {
    auto [value, sample] = samples[i];
    Sizes sizes = sizesAt(group, sample);
    bool isLast = i + 1 == samples.size();
    Choice best = choose(sparing(isLast ? std::optional<double>() : samples[i + 1].first), group, target, sizes);
    auto *known = llvm::find_if(taken, [&](dsc::ScheduleAttr schedule) {
      return estimate(group, target, schedule, sizes) <= tolerance * best.seconds;
    });
    if (known == taken.end())
      known = taken.insert(known, best.schedule);
    bySize.push_back({value, *known});
  }
  std::reverse(bySize.begin(), bySize.end());
  SmallVector<dsc::ScheduleAttr> list;
  for (size_t i = 0; i + 1 < bySize.size(); ++i)
    if (bySize[i].second != bySize[i + 1].second)
      list.push_back(bySize[i].second.where(dim, int64_t(std::sqrt(bySize[i].first * bySize[i + 1].first))));
  list.push_back(bySize.empty() ? main : bySize.back().second);
  return list;
}

LogicalResult ScheduleGroups::schedule(dsc::GroupOp group, const Target &target, const Journal &journal) {
  SmallVector<dsc::ScheduleAttr> candidates;
  std::string refusals;
  bool explains = journal.wants(group);
  for (const KernelEmitter &emitter : kernels::allKernelEmitters()) {
    Verdict verdict = kernels::accepts(emitter, group, target);
    if (verdict)
      llvm::append_range(candidates, emitter.candidates(group, target));
    else
      refusals += ("; " + emitter.name + ": " + verdict.why()).str();
  }
  if (!pack)
    llvm::erase_if(candidates, kernels::isPacked);
  if (candidates.empty()) {
    std::string reason;
    if (kernels::hasElementCode(group, &reason))
      reason = "no emitter writes " + std::to_string(group.getNumResults()) + " results of these ops at once";
    return group.emitOpError("cannot become a kernel: ") << reason << refusals;
  }
  std::optional<DimExpr> dim = decisiveDim(group);
  SmallVector<dsc::ScheduleAttr> everywhere = llvm::filter_to_vector(
      candidates, [&](dsc::ScheduleAttr schedule) { return sparesMemory(group, target, schedule); });
  assert(!everywhere.empty() && "an emitter of one kernel needs no workspace");
  Choice best = choose(everywhere, group, target, sizesAt(group, usual));
  SmallVector<dsc::ScheduleAttr> chosen = {best.schedule};
  if (dim)
    chosen = chooseByDim(candidates, group, target, *dim);
  group.setSchedules(chosen);
  numAlternatives += chosen.size() - 1;
  if (explains) {
    InFlightDiagnostic note = journal.tell(group);
    note << "has the schedule " << group->getAttr("schedule") << ", the best of " << candidates.size() << " ways";
    for (dsc::ScheduleAttr candidate : candidates)
      note << "; " << candidate << ": "
           << llvm::formatv("{0:f2}", 1e6 * estimate(group, target, candidate, sizesAt(group, usual))).str() << " us";
    note << refusals;
  }
  return success();
}

void ScheduleGroups::runOnOperation() {
  const Target *target = kernels::targetOf(getOperation());
  if (!target)
    return;
  Journal journal(explained);
  for (auto group : getOperation().getOps<dsc::GroupOp>()) {
    // One that was written by hand stays, and is not changed by later passes.
    if (group->hasAttr("schedule"))
      group->setAttr("by_hand", UnitAttr::get(&getContext()));
    else if (failed(schedule(group, *target, journal)))
      return signalPassFailure();
    ++numScheduled;
  }
}

} // namespace dscc
