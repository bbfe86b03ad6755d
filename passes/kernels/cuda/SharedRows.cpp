// Rows on CUDA that more than one warp shares, so that few and long ones occupy the GPU.
//
//   block_rows:  a block has a row, or a cluster of blocks; their warps join what they have in shared memory.
//   split_rows:  many warps, wherever they run, have a part each. Each pass that joins something is a kernel, which
//   leaves
//                one value a part in the workspace; the next one begins by joining them.

#include "passes/kernels/Rows.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

double estimateRowsOnGpu(dsc::GroupOp group, const RowPlan &plan, double warpsOfRow, const Target &target,
                         const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  constexpr double loadsAtOnce = 4; // of a warp, as loops are unrolled
  constexpr double schedulers = 4;  // of a multiprocessor; each issues an instruction of a warp a clock
  double flops = 0, passes = 1 + countReductions(group);
  for (Operation &op : group.getBody().front().without_terminator())
    flops += sizes.of(cast<dsc::OpFacts>(op).getFlops());
  double elements = sizes.count(plan.domain), length = plan.lastIsReduced() ? sizes.of(plan.domain.back()) : 1;
  double warps = plan.lastIsReduced() ? elements / std::max(1.0, length) * warpsOfRow : elements / target.warpSize;
  double busy = std::min<double>(gpu.multiprocessors, std::ceil(warps / rowWarps));
  double bytesPerSecond = std::min(gpu.memoryBytesPerSecond, busy * gpu.l2BytesPerClock * gpu.clock);
  // What is read again comes from caches.
  double streaming =
      (1 + 0.3 * (passes - 1)) * elements * 4 / bytesPerSecond + flops / (busy * gpu.clock * gpu.f32FlopPerClock);
  if (plan.lastIsReduced()) {
    // Of instructions it does not matter how many lanes take part: in a short row most idle. Loads, addresses and the
    // loop's end are 6 in each pass and step, a reduction's join 20, the row's place and its end 30.
    double steps = std::ceil(length / warpsOfRow / target.warpSize), perElement = flops / std::max(1.0, elements);
    double instructions = steps * (6 * passes + perElement) + 20 * (passes - 1) + 30;
    streaming = std::max(streaming, warps * instructions / (busy * schedulers * gpu.clock));
  }
  // No less than warps wait for their loads, as many at a time as there is room for.
  double waves = std::ceil(warps * target.warpSize / (double(gpu.multiprocessors) * gpu.threadsPerMultiprocessor));
  double rounds = std::ceil(length / warpsOfRow / target.warpSize / loadsAtOnce);
  return std::max(streaming, waves * passes * rounds * gpu.loadClocks / gpu.clock);
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
  for (int64_t parts = 4; parts <= mostParts; parts *= 4)
    candidates.push_back(dsc::ScheduleAttr::get(group.getContext(), "split_rows", {{"parts", parts}}));
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
  return estimateRowsOnGpu(group, *planRows(group), parts, target, sizes) + joins +
         reductions * target.gpu->secondsPerLaunch;
}

static LogicalResult emitSplitRows(Kernel &kernel) {
  writeRows(kernel, *planRows(kernel.group), {.parts = kernel.scheduled("parts")});
  return kernel.finish();
}

/// The most blocks of a cluster that every chip runs.
static constexpr int64_t mostBlocks = 8;

static Verdict allowsBlockRows(dsc::GroupOp, const Target &target, dsc::ScheduleAttr schedule) {
  int64_t blocks = *schedule.lookup("blocks");
  if (blocks > 1 && !target.gpu->hasClusters)
    return Verdict::declined("the target has no clusters of blocks");
  return Verdict::acceptedIf(llvm::isPowerOf2_64(blocks), "the number of blocks is no power of 2");
}

static SmallVector<dsc::ScheduleAttr> blockRowsCandidates(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> candidates;
  for (int64_t blocks = 1; blocks <= (target.gpu->hasClusters ? mostBlocks : 1); blocks *= 2)
    candidates.push_back(dsc::ScheduleAttr::get(group.getContext(), "block_rows", {{"blocks", blocks}}));
  return candidates;
}

/// A barrier of a block is soon passed; one of a cluster takes about as long as a load, and the values come after it.
static double estimateBlockRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                const Sizes &sizes) {
  double blocks = *schedule.lookup("blocks"), loads = blocks > 1 ? 1.5 : 0.25;
  double join = countReductions(group) * loads * target.gpu->loadClocks / target.gpu->clock;
  return estimateRowsOnGpu(group, *planRows(group), rowWarps * blocks, target, sizes) + join;
}

static LogicalResult emitBlockRows(Kernel &kernel) {
  writeRows(kernel, *planRows(kernel.group), {.blocks = kernel.scheduled("blocks")});
  return kernel.finish();
}

static constexpr Parameter splitRowsParameters[] = {{"parts", 2, mostParts}};
const KernelEmitter splitRowsEmitter = {"split_rows",
                                        splitRowsParameters,
                                        acceptsSharedRows,
                                        /*allows=*/nullptr,
                                        splitRowsCandidates,
                                        estimateSplitRows,
                                        emitSplitRows,
                                        /*severalResults=*/true,
                                        countSplitRows,
                                        splitRowsWorkspace};

static constexpr Parameter blockRowsParameters[] = {{"blocks", 1, mostBlocks}};
const KernelEmitter blockRowsEmitter = {"block_rows",    blockRowsParameters,    acceptsSharedRows,
                                        allowsBlockRows, blockRowsCandidates,    estimateBlockRows,
                                        emitBlockRows,   /*severalResults=*/true};

} // namespace dscc::kernels
