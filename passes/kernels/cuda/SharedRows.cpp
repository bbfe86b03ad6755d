// Rows on CUDA that other than one of a block's warps share, so that few and long ones occupy the GPU.
//
//   block_rows:  a block has a row, or a cluster of blocks; their warps join what they have in shared memory. Few and
//                short rows have a block of one warp each.
//   split_rows:  many warps, wherever they run, have a part each. Each pass that joins something is a kernel, which
//                leaves one value a part in the workspace; the next one begins by joining them.

#include "passes/kernels/Rows.h"
#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/Lanes.h"
#include "passes/kernels/cuda/SumTime.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

/// The instructions of a warp that runs `perThread` times over vectors of rows. It does not matter how many lanes take
/// part: in a short row most idle.
static double countInstructions(dsc::GroupOp group, double elements, double rows, double perThread, double width,
                                bool isKept, const Sizes &sizes) {
  constexpr double ofFunction = 1.5; // for a FLOP: what chooses and converts is none
  constexpr double division = 12;    // of a sum by its count
  double passes = 1 + countReductions(group), perElement = 0, perRow = 0;
  for (Operation &op : group.getBody().front().without_terminator()) {
    double own = sizes.of(cast<dsc::OpFacts>(op).getFlops());
    bool isFunction = dsc::isElementwise(&op) && !dsc::factsOf(&op).isCheap();
    bool isOfRow = !isRowReduction(&op) && sizes.count(dsc::getDims(op.getResult(0))) < elements;
    (isOfRow ? perRow : perElement) += own * (isFunction ? ofFunction : 1) / std::max(1.0, isOfRow ? rows : elements);
    perRow += isa<dsc::ReduceMeanOp>(op) ? division : 0;
  }
  // Loads, addresses and the loop's end are 6 in each pass and step, or only in the first if the row is kept; a
  // reduction's join 10, the row's place and its end 12.
  double loads = 6 * (isKept ? 1 : passes);
  return perThread * (loads + perElement * width) + 10 * (passes - 1) + 12 + perRow;
}

double estimateRowsOnGpu(dsc::GroupOp group, const RowPlan &plan, const RowSharing &sharing, int64_t width,
                         const Target &target, const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  constexpr double loadsAtOnce = 4; // of a warp, as loops are unrolled
  constexpr double schedulers = 4;  // of a multiprocessor; each issues an instruction of a warp a clock
  double flops = 0, passes = 1 + countReductions(group), bytes = 0;
  for (Operation &op : group.getBody().front().without_terminator())
    flops += sizes.of(cast<dsc::OpFacts>(op).getFlops());
  double elements = sizes.count(plan.domain), length = plan.lastIsReduced() ? sizes.of(plan.domain.back()) : 1;
  double rows = std::max(1.0, plan.lastIsReduced() ? elements / std::max(1.0, length) : sizes.count(plan.kept()));
  int64_t rounds = countKeptRounds(plan, sharing, width, target);
  // What is read again comes from caches, unless it is in registers. Of tensors only those of whole rows count.
  double readAgain = rounds ? 0 : 0.3 * (passes - 1);
  auto countBytes = [&](Value value) {
    double own = sizes.count(dsc::getDims(value));
    return own < elements
               ? 0
               : own * dsc::getElementType(value).getIntOrFloatBitWidth() / 8 * slowdownOfAccess(value, width);
  };
  for (BlockArgument argument : group.getBody().getArguments())
    bytes += countBytes(argument) * (1 + readAgain);
  for (Value value : group.getYielded())
    bytes += countBytes(value);
  double warpsOfRow = double(sharing.blocks ? sharing.blocks * sharing.warps : sharing.parts);
  double lanes = double(target.warpSize) * width;
  double warps = plan.lastIsReduced() ? rows * warpsOfRow : std::ceil(rows / lanes);
  // Vectors of a row, or of as many rows as there are lanes.
  double perThread = plan.lastIsReduced() ? std::ceil(length / (warpsOfRow * lanes)) : elements / rows;
  double busy = std::min<double>(gpu.multiprocessors, std::ceil(warps / double(sharing.warps)));
  double bytesPerSecond = std::min(gpu.memoryBytesPerSecond, busy * gpu.l2BytesPerClock * gpu.clock);
  double moving = bytes / bytesPerSecond, streaming = moving + flops / (busy * gpu.clock * gpu.f32FlopPerClock);
  double waves = std::ceil(warps * target.warpSize / (double(gpu.multiprocessors) * gpu.threadsPerMultiprocessor));
  if (plan.lastIsReduced()) {
    double ofBlock = double(sharing.warps), blocks = std::ceil(warps / ofBlock);
    double warpsOfScheduler = std::ceil(std::ceil(blocks / gpu.multiprocessors) * ofBlock / schedulers);
    double instructions = countInstructions(group, elements, rows, perThread, width, rounds > 0, sizes);
    double issuing = warpsOfScheduler * instructions * clocksOfInstruction(gpu, warpsOfScheduler) / gpu.clock;
    streaming = std::max(streaming, overlap(moving, issuing, warpsOfScheduler));
  }
  // No less than warps wait for their loads, as many at a time as there is room for.
  double waits = rounds ? 1 : passes * std::ceil(perThread / loadsAtOnce), store = 0.5;
  double load = gpu.loadClocks / gpu.clock;
  return std::max(streaming + (1 + store) * load, (waves * waits + store) * load);
}

/// Into how many parts a row may be split, at most.
static constexpr int64_t mostParts = 1024;

static Verdict acceptsSharedRows(dsc::GroupOp group, const Target &target) {
  if (target.device != Device::Cuda)
    return Verdict::declined("the target is no GPU");
  if (Verdict verdict = acceptsRows(group, target); !verdict)
    return verdict;
  return Verdict::acceptedIf(planRows(group)->lastIsReduced(), "rows do not run along the last dim");
}

static SmallVector<dsc::ScheduleAttr> splitRowsCandidates(dsc::GroupOp group, const Target &) {
  SmallVector<dsc::ScheduleAttr> candidates;
  for (int64_t width : widthsOfRows(group))
    for (int64_t parts = 4; parts <= mostParts; parts *= 4)
      candidates.push_back(
          dsc::ScheduleAttr::get(group.getContext(), "split_rows", {{"parts", parts}, {"width", width}}));
  return candidates;
}

/// One for each reduction, and one for the results.
static size_t countSplitRows(dsc::GroupOp group, dsc::ScheduleAttr) { return countReductions(group) + 1; }

/// A value for each reduction, part and row.
static DimExpr splitRowsWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  constexpr int64_t bytes = 8; // of the widest type
  return dsc::countElements(planRows(group)->kept()) *
         (int64_t(countReductions(group)) * *schedule.lookup("parts") * bytes);
}

static double estimateSplitRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                const Sizes &sizes) {
  double reductions = countReductions(group), parts = *schedule.lookup("parts");
  // Before each pass but the first, a warp waits for as many values as its row has parts.
  double joins = reductions * std::ceil(parts / target.warpSize) * target.gpu->loadClocks / target.gpu->clock;
  RowSharing sharing{.parts = int64_t(parts)};
  return estimateRowsOnGpu(group, *planRows(group), sharing, *schedule.lookup("width"), target, sizes) + joins +
         reductions * target.gpu->secondsPerLaunch;
}

static LogicalResult emitSplitRows(Kernel &kernel) {
  writeRows(kernel, *planRows(kernel.group), {.parts = kernel.scheduled("parts")});
  return kernel.finish();
}

static Verdict allowsBlockRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  if (Verdict verdict = hasClusterOf(target, *schedule.lookup("blocks")); !verdict)
    return verdict;
  if (!llvm::isPowerOf2_64(*schedule.lookup("warps")))
    return Verdict::declined("the number of warps is no power of 2");
  return allowsRowLanes(group, target, schedule);
}

static SmallVector<dsc::ScheduleAttr> blockRowsCandidates(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> candidates;
  auto add = [&](int64_t blocks, int64_t warps, int64_t width) {
    candidates.push_back(dsc::ScheduleAttr::get(group.getContext(), "block_rows",
                                                {{"blocks", blocks}, {"warps", warps}, {"width", width}}));
  };
  for (int64_t width : widthsOfRows(group)) {
    for (int64_t blocks = 1; blocks <= (target.gpu->hasClusters ? mostClusterBlocks : 1); blocks *= 2)
      add(blocks, rowWarps, width);
    for (int64_t warps = 1; warps < rowWarps; warps *= 2)
      add(1, warps, width);
  }
  return candidates;
}

/// A barrier of a block is soon passed, but then each warp joins what all have; one of a cluster takes about as long as
/// a load, and the values come after it.
static double estimateBlockRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                const Sizes &sizes) {
  double blocks = *schedule.lookup("blocks"), warps = *schedule.lookup("warps");
  double loads = blocks > 1 ? 1.5 : warps > 1 ? 0.5 : 0;
  double join = countReductions(group) * loads * target.gpu->loadClocks / target.gpu->clock;
  RowSharing sharing{.blocks = int64_t(blocks), .warps = int64_t(warps)};
  return estimateRowsOnGpu(group, *planRows(group), sharing, *schedule.lookup("width"), target, sizes) + join;
}

static LogicalResult emitBlockRows(Kernel &kernel) {
  writeRows(kernel, *planRows(kernel.group),
            {.blocks = kernel.scheduled("blocks"), .warps = kernel.scheduled("warps")});
  return kernel.finish();
}

static constexpr Parameter splitRowsParameters[] = {{"parts", 2, mostParts}, {"width", 1, mostLanes}};
const KernelEmitter splitRowsEmitter = {"split_rows",
                                        splitRowsParameters,
                                        acceptsSharedRows,
                                        allowsRowLanes,
                                        splitRowsCandidates,
                                        estimateSplitRows,
                                        emitSplitRows,
                                        /*severalResults=*/true,
                                        countSplitRows,
                                        splitRowsWorkspace};

static constexpr Parameter blockRowsParameters[] = {
    {"blocks", 1, mostClusterBlocks}, {"warps", 1, 2 * rowWarps}, {"width", 1, mostLanes}};
const KernelEmitter blockRowsEmitter = {
    "block_rows",          blockRowsParameters, acceptsSharedRows,       allowsBlockRows,     blockRowsCandidates,
    estimateBlockRows,     emitBlockRows,       /*severalResults=*/true, /*kernels=*/nullptr,
    /*workspace=*/nullptr, besideEqual};

} // namespace dscc::kernels
