// Attention in one kernel, or in parts of the keys: its ways, and what they cost. FlashWriter.cpp writes it.

#include "passes/kernels/cuda/FlashWriter.h"

#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/MatrixView.h"

#include "passes/kernels/Shell.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

static constexpr int64_t mostParts = 64;
static constexpr Parameter attentionParameters[] = {
    {"cluster", 0, 1}, {"columns", 16, 128}, {"parts", 1, mostParts}, {"rows", 16, 128}, {"stages", 2, 4}};

/// Lines of shared memory are powers of 2 long, and matrix instructions take 16 steps.
static int64_t filledUp(int64_t size) { return std::max<int64_t>(16, llvm::PowerOf2Ceil(size)); }

static FlashTile tileOf(Attention attention, dsc::ScheduleAttr schedule) {
  MatrixSizes scores = matrixSizesOf(attention.scores), mix = matrixSizesOf(attention.mix);
  return {.rows = *schedule.lookup("rows"),
          .columns = *schedule.lookup("columns"),
          .stages = *schedule.lookup("stages"),
          .parts = *schedule.lookup("parts"),
          .cluster = *schedule.lookup("cluster"),
          .head = filledUp(scores.inner.constant()),
          .mixed = filledUp(mix.columns.constant())};
}

static Verdict acceptsAttention(dsc::GroupOp group, const Target &target) {
  Attention attention;
  if (Verdict verdict = findAttention(group, attention); !verdict)
    return verdict;
  return fitsMatrixInstructions(attention, target);
}

static Verdict allowsAttention(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  Attention attention;
  if (Verdict verdict = findAttention(group, attention); !verdict)
    return verdict;
  FlashTile tile = tileOf(attention, schedule);
  if (!llvm::isPowerOf2_64(tile.rows) || !llvm::isPowerOf2_64(tile.columns))
    return Verdict::declined("a side of the tile is no power of 2");
  if (std::min(tile.rows, tile.columns) * std::min(tile.head, tile.mixed) < tile.threads())
    return Verdict::declined("the tile has too many warps");
  if (tile.cluster && tile.parts == 1)
    return Verdict::declined("a cluster has several parts");
  if (Verdict verdict = hasClusterOf(target, tile.cluster ? tile.parts : 1); !verdict)
    return verdict;
  return Verdict::acceptedIf(tile.sharedBytes() <= mostStaticShared, "the rings do not fit shared memory");
}

/// Only where rows are few do blocks need to share keys.
static constexpr int64_t mostSharedRows = 32;

static SmallVector<dsc::ScheduleAttr> attentionCandidates(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> candidates;
  auto add = [&](int64_t rows, int64_t columns, int64_t stages, int64_t parts, int64_t cluster) {
    auto schedule = dsc::ScheduleAttr::get(
        group.getContext(), "attention",
        {{"cluster", cluster}, {"columns", columns}, {"parts", parts}, {"rows", rows}, {"stages", stages}});
    if (allowsAttention(group, target, schedule))
      candidates.push_back(schedule);
  };
  for (int64_t rows : {16, 32, 64, 128})
    for (int64_t columns : {16, 32, 64})
      for (int64_t stages : {2, 3}) {
        add(rows, columns, stages, 1, 0);
        for (int64_t parts = 2; rows <= mostSharedRows && columns > 16 && parts <= mostParts; parts *= 2)
          for (int64_t cluster : {0, 1})
            add(rows, columns, stages, parts, cluster);
      }
  return candidates;
}

/// Of each part, a sum for each element, and a maximum and a weight for each row.
static DimExpr attentionWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  Attention attention;
  [[maybe_unused]] Verdict verdict = findAttention(group, attention);
  assert(verdict && "schedules are made for what was accepted");
  FlashTile tile = tileOf(attention, schedule);
  if (tile.kernels() == 1)
    return 0;
  dsc::Dims dims = dsc::getDims(attention.mix.getResult());
  DimExpr rows = dsc::countElements(ArrayRef(dims).drop_back());
  return (dsc::countElements(dims) + rows * 2) * (tile.parts * int64_t(sizeof(float)));
}

/// The parts, then what joins them.
static size_t countAttention(dsc::GroupOp, dsc::ScheduleAttr schedule) {
  return *schedule.lookup("parts") == 1 || *schedule.lookup("cluster") ? 1 : 2;
}

static double estimateAttention(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                const Sizes &sizes) {
  Attention attention;
  [[maybe_unused]] Verdict verdict = findAttention(group, attention);
  assert(verdict && "schedules are made for what was accepted");
  const Gpu &gpu = *target.gpu;
  FlashTile tile = tileOf(attention, schedule);
  MatrixSizes scores = matrixSizesOf(attention.scores);
  double tiles = sizes.of(scores.outer) * std::ceil(sizes.of(scores.rows) / tile.rows);
  double blocks = std::ceil(tiles * tile.parts / gpu.multiprocessors);
  double rounds = std::ceil(std::ceil(sizes.of(scores.columns) / tile.columns) / tile.parts);
  double both = double(tile.head + tile.mixed);
  // What a round costs a multiprocessor: the busiest of its units.
  double matrix = 2.0 * tile.rows * tile.columns * both / (gpu.f16.flopPerClock * shareOfMatrixPeak(gpu));
  double shared = (tile.warps() + 1) * tile.columns * both * FlashTile::bytes / 128;
  double scoresOfTile = double(tile.rows) * tile.columns;
  double exponentials = scoresOfTile / gpu.specialFunctionsPerClock;
  double instructions = scoresOfTile * both / (MatrixForm::rows * MatrixForm::columns * MatrixForm::inner) +
                        (tile.warps() + 1) * tile.columns * both * FlashTile::bytes / 512 +
                        scoresOfTile * 8 / lanesOfWarp + double(tile.rows) * tile.mixed / lanesOfWarp +
                        60.0 * tile.warps();
  double global = tile.columns * both * FlashTile::bytes / gpu.l2BytesPerClock;
  double busy = std::max({matrix, shared, exponentials, instructions / 4, global});
  double resident =
      std::max(1.0, std::min<double>({double(gpu.sharedPerMultiprocessor / (tile.sharedBytes() + 1024)),
                                      double(gpu.registersPerMultiprocessor / (tile.threads() * 168)), blocks}));
  // The steps of a round follow each other: products, exchange among lanes, exponentials, products.
  constexpr double chain = 400;
  double waiting = std::max(double(gpu.loadClocks) / (tile.stages - 1), chain);
  double waves = std::ceil(blocks / resident);
  double clocks = waves * rounds * std::max(busy * std::min(blocks, resident), waiting) + waves * 3 * gpu.loadClocks;
  double seconds = clocks / gpu.clock;
  if (tile.parts == 1)
    return seconds;
  // Two barriers, and loads of what the others have.
  if (tile.cluster)
    return seconds + 4.0 * gpu.loadClocks / gpu.clock;
  double bytes = sizes.of(attentionWorkspace(group, target, schedule));
  return seconds + gpu.secondsPerLaunch + 2 * bytes / gpu.memoryBytesPerSecond +
         (2 + tile.parts / 4.0) * gpu.loadClocks / gpu.clock;
}

static LogicalResult emitAttention(Kernel &kernel) {
  Attention attention;
  [[maybe_unused]] Verdict verdict = findAttention(kernel.group, attention);
  assert(verdict && "schedules are read for what was accepted");
  FlashTile tile = tileOf(attention, kernel.schedule);
  (kernel.step == 0 ? writeFlash : joinFlashParts)(kernel, attention, tile);
  return kernel.finish();
}

const KernelEmitter attentionEmitter = {"attention",
                                        attentionParameters,
                                        acceptsAttention,
                                        allowsAttention,
                                        attentionCandidates,
                                        estimateAttention,
                                        emitAttention,
                                        /*severalResults=*/false,
                                        countAttention,
                                        attentionWorkspace};

} // namespace dscc::kernels
