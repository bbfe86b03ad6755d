// Reductions, softmax, norms and dots: everything that one row needs, before the next row.
//
//   softmax over the last dim:   pass 1: max     pass 2: sum of exp(x - max)     pass 3: store exp(x - max) / sum
//
// A row is one place of the kept dims. Where the last dim is reduced, lanes (CPU) or a warp's threads (CUDA) share the
// row and are joined at its end; else each lane or thread has a row of its own and they sit next to each other. For who
// else may share a row on CUDA see cuda/SharedRows.cpp; RowWriter.cpp has the code.

#include "passes/kernels/Rows.h"

#include "passes/kernels/cuda/Lanes.h"

using namespace mlir;

namespace dscc::kernels {

/// The axes of its domain that an op runs over, if it works on rows.
static std::optional<SmallVector<int64_t>> rowAxes(Operation *op) {
  if (std::optional<dsc::Dims> terms = dotTerms(op))
    return SmallVector<int64_t>{int64_t(terms->size()) - 1};
  auto facts = dyn_cast<dsc::OpFacts>(op);
  return facts ? facts.getRowAxes() : std::nullopt;
}

bool isRowReduction(Operation *op) { return cast<dsc::OpFacts>(op).getRowAxes() && hasElementCode(op); }

std::optional<RowPlan> planRows(dsc::GroupOp group) {
  std::optional<RowPlan> plan;
  Block &block = group.getBody().front();
  for (Operation &op : block.without_terminator()) {
    std::optional<SmallVector<int64_t>> axes = rowAxes(&op);
    if (!axes)
      continue;
    std::optional<dsc::Dims> terms = dotTerms(&op);
    dsc::Dims domain = terms ? *terms : dsc::getDims(op.getOperand(0));
    if (plan && (plan->domain != domain || plan->axes != *axes))
      return std::nullopt;
    plan = RowPlan{domain, *axes};
  }
  if (!plan || plan->domain.empty())
    return std::nullopt;
  for (Value result : group.getYielded())
    if (dsc::Dims dims = dsc::getDims(result); dims != plan->domain && dims != plan->rowDims())
      return std::nullopt;
  return plan;
}

bool hasRows(dsc::GroupOp group) {
  return planRows(group) && llvm::all_of(group.getBody().front().without_terminator(),
                                         [](Operation &op) { return rowAxes(&op) || hasElementCode(&op); });
}

Verdict acceptsRows(dsc::GroupOp group, const Target &) {
  if (!planRows(group))
    return Verdict::declined("there are no rows that all of the group, and its result, agree on");
  for (Operation &op : group.getBody().front().without_terminator())
    if (rowAxes(&op) && !isRowReduction(&op))
      return Verdict::declined("what it does with rows is not spelled out as reductions");
  return Verdict::acceptedIf(hasElementCode(group, nullptr), "an op has no code for one element");
}

/// Along which dim lanes run.
static DimExpr lanesAlong(const RowPlan &plan) {
  dsc::Dims kept = plan.kept();
  return plan.lastIsReduced() ? plan.domain.back() : kept.empty() ? DimExpr(1) : kept.back();
}

/// Whether all that is done along rows, and stored, can be done by so many lanes of a thread.
static Verdict hasRowLanes(dsc::GroupOp group, int64_t width) {
  if (!llvm::is_contained(threadWidths, width))
    return Verdict::declined("a thread has 1, 2, 4 or 8 lanes");
  RowPlan plan = *planRows(group);
  size_t last = plan.domain.size() - 1;
  auto isReduced = [](Value value) { return value.getDefiningOp() && isRowReduction(value.getDefiningOp()); };
  for (Operation &op : group.getBody().front().without_terminator())
    if (width > 1 && isRowReduction(&op))
      if (Verdict verdict = hasWholeLanes(group, op.getOperand(0), last, width, isReduced); !verdict)
        return verdict;
  for (auto [number, value] : llvm::enumerate(group.getYielded())) {
    // Of what a row has once, one thread stores one element, unless lanes have rows of their own.
    if (width == 1 || (plan.lastIsReduced() && dsc::getDims(value) != plan.domain))
      continue;
    if (Verdict verdict = storesWholeLanes(group, number, last, width, isReduced); !verdict)
      return verdict;
  }
  return Verdict::accepted();
}

Verdict allowsRowLanes(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  return hasRowLanes(group, *schedule.lookup("width"));
}

SmallVector<int64_t> widthsOfRows(dsc::GroupOp group) {
  return llvm::filter_to_vector(threadWidths, [&](int64_t width) { return bool(hasRowLanes(group, width)); });
}

static SmallVector<dsc::ScheduleAttr> rowsCandidates(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> candidates;
  auto add = [&](int64_t accumulators, int64_t width) {
    candidates.push_back(
        dsc::ScheduleAttr::get(group.getContext(), "rows", {{"accumulators", accumulators}, {"width", width}}));
  };
  if (target.device == Device::Cuda) {
    for (int64_t width : widthsOfRows(group))
      add(4, width);
    return candidates;
  }
  for (int64_t accumulators : {4, 2, 1, 8})
    add(accumulators, chooseWidth(target, lanesAlong(*planRows(group))));
  return candidates;
}

static Verdict allowsRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  return target.device == Device::Cuda ? allowsRowLanes(group, target, schedule)
                                       : hasLanes(target, *schedule.lookup("width"));
}

size_t countReductions(dsc::GroupOp group) {
  return llvm::count_if(group.getBody().front().without_terminator(),
                        [](Operation &op) { return isRowReduction(&op); });
}

/// Each reduction, and what is stored, is a pass over the row; with too few accumulators a long row waits for
/// additions, and what is left of a row behind whole rounds of them is done a vector at a time.
static double estimateRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes) {
  std::optional<RowPlan> plan = planRows(group);
  double elements = sizes.count(plan->domain), flops = 0, passes = 1 + countReductions(group);
  for (Operation &op : group.getBody().front().without_terminator())
    flops += sizes.of(cast<dsc::OpFacts>(op).getFlops());
  if (target.device == Device::Cuda)
    return estimateRowsOnGpu(group, *plan, {}, *schedule.lookup("width"), target, sizes);
  double width = *schedule.lookup("width"), accumulators = *schedule.lookup("accumulators");
  double lane = plan->lastIsReduced() ? sizes.of(plan->domain.back()) : 1;
  double rounds = std::floor(lane / (width * accumulators)), rest = std::ceil(lane / width) - rounds * accumulators;
  constexpr double latency = 4, tail = 5; // of an addition; of a masked vector with its selection
  // Processors look ahead some hundred instructions, of which about half are vectors': while a short row waits for its
  // additions the next rows are under way.
  constexpr double ahead = 128;
  double perRow = lane * latency, rows = elements / std::max(1.0, lane);
  if (plan->lastIsReduced()) {
    double issued = rounds * accumulators + rest * tail + 2 * accumulators + 10, waits = (rounds + rest) * latency;
    double atOnce = std::max(1.0, ahead / (issued * passes + flops / width / std::max(1.0, rows)));
    perRow = together(issued, waits / atOnce);
  } else {
    rows /= width;
  }
  return (rows * perRow * passes + flops / width) / target.cpu->clock;
}

static LogicalResult emitRows(Kernel &kernel) {
  std::optional<RowPlan> plan = planRows(kernel.group);
  assert(plan && "rows are scheduled for groups that have some");
  writeRows(kernel, *plan);
  return kernel.finish();
}

static constexpr Parameter rowsParameters[] = {{"accumulators", 1, 16}, {"width", 1, 64}};
const KernelEmitter rowsEmitter = {"rows",
                                   rowsParameters,
                                   acceptsRows,
                                   allowsRows,
                                   rowsCandidates,
                                   estimateRows,
                                   emitRows,
                                   /*severalResults=*/true,
                                   /*kernels=*/nullptr,
                                   /*workspace=*/nullptr,
                                   alwaysBeside};

} // namespace dscc::kernels
