// Products by wgmma: of a block, one thread copies slices of both operands into a ring in shared memory, by tensor
// maps; groups of four warps multiply what has come.
//
//     producer      a0 b0   a1 b1   a2 b2  ...        runs ahead as far as the ring has slots
//     warpgroup 0          wgmma 0   wgmma 1  ...     rows 0 to 63, or to 127, of the tile
//     warpgroup 1          wgmma 0   wgmma 1  ...     the rows behind
//
// Where a block has several tiles, the producer goes on to the next one while sums of the last leave.
//
// Where a product has few tiles and a long inner dim, blocks along y sum some of the slices each, and a second kernel
// adds up the parts; or the blocks of a tile are a cluster, as in TensorTiles.cpp.

#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/MatrixView.h"
#include "passes/kernels/cuda/OperandMaps.h"
#include "passes/kernels/cuda/WarpgroupWriter.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

//===-- The schedule -------------------------------------------------------------------------------------------===//

static constexpr int64_t mostParts = 64, mostSums = 128;
static constexpr Parameter warpgroupTilesParameters[] = {
    {"cluster", 0, 1},       {"columns", 16, 256}, {"multicast", 1, mostClusterBlocks},
    {"parts", 1, mostParts}, {"persistent", 0, 1}, {"rows", 64, 256},
    {"stages", 2, 8},        {"warpgroups", 1, 4},
};

static WarpgroupTile tileOf(dsc::ScheduleAttr schedule) {
  auto number = [&](StringRef name) { return *schedule.lookup(name); };
  return {number("rows"),  number("columns"), number("stages"),     number("warpgroups"),
          number("parts"), number("cluster"), number("persistent"), number("multicast")};
}

static Verdict acceptsWarpgroupTiles(dsc::GroupOp group, const Target &target) {
  if (target.device != Device::Cuda || target.gpu->f16.instruction != MatrixInstruction::Wgmma ||
      !target.gpu->hasTensorMaps)
    return Verdict::declined("the target has no matrix instructions of four warps");
  if (Verdict tiled = isTiled(group); !tiled)
    return tiled;
  Operation *hero = findContraction(group);
  Type lhs = dsc::getElementType(hero->getOperand(0)), rhs = dsc::getElementType(hero->getOperand(1));
  const WgmmaForm *form = findWgmmaForm(lhs);
  if (lhs != rhs || !form)
    return Verdict::declined("there is no matrix instruction of four warps for the operands' type");
  if (!getComputeType(dsc::getElementType(hero->getResult(0))).isF32())
    return Verdict::declined("sums are not in single precision");
  for (bool isLhs : {true, false}) {
    OperandMap map;
    if (Verdict mapped = mapOperand(hero, isLhs, WgmmaForm::rows, form->slice(), map); !mapped)
      return mapped;
  }
  return Verdict::accepted();
}

static Verdict allowsWarpgroupTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  WarpgroupTile tile = tileOf(schedule);
  if (tile.rows % (tile.warpgroups * WgmmaForm::rows))
    return Verdict::declined("warpgroups do not share the tile evenly");
  if (tile.columns % 16)
    return Verdict::declined("the columns of a tile are no multiple of 16");
  if (tile.sumsOfThread() > mostSums)
    return Verdict::declined("a thread would have too many sums");
  if (tile.cluster && tile.parts == 1)
    return Verdict::declined("a cluster has several parts");
  if (tile.persistent && tile.parts != 1)
    return Verdict::declined("blocks with several tiles sum whole ones");
  if (tile.columns / 8 % tile.multicast)
    return Verdict::declined("the blocks of a cluster do not share the tile's columns evenly");
  if (tile.cluster && tile.rows % tile.parts)
    return Verdict::declined("the blocks of a cluster do not share the tile's rows evenly");
  if (Verdict verdict = hasClusterOf(target, tile.blocksOfCluster()); !verdict)
    return verdict;
  Operation *hero = findContraction(group);
  for (auto [isLhs, places] : {std::pair(true, tile.rows), std::pair(false, tile.columnsOfCopy())}) {
    OperandMap map;
    int64_t slice = findWgmmaForm(dsc::getElementType(hero->getOperand(0)))->slice();
    if (Verdict mapped = mapOperand(hero, isLhs, places, slice, map); !mapped)
      return mapped;
  }
  return Verdict::acceptedIf(WarpgroupLayout(group, hero, tile).total <= target.gpu->sharedPerBlock,
                             "the ring does not fit shared memory");
}

static dsc::ScheduleAttr makeSchedule(MLIRContext *context, const WarpgroupTile &tile) {
  return dsc::ScheduleAttr::get(context, "warpgroup_tiles",
                                {{"cluster", tile.cluster},
                                 {"columns", tile.columns},
                                 {"multicast", tile.multicast},
                                 {"parts", tile.parts},
                                 {"persistent", tile.persistent},
                                 {"rows", tile.rows},
                                 {"stages", tile.stages},
                                 {"warpgroups", tile.warpgroups}});
}

/// Tiles that are worth a look.
static constexpr WarpgroupTile shapes[] = {
    {128, 256, 4, 2, 1}, {256, 128, 4, 2, 1}, {128, 192, 4, 2, 1}, {128, 128, 6, 2, 1},
    {128, 96, 6, 2, 1},  {128, 64, 6, 2, 1},  {64, 256, 4, 1, 1},  {64, 128, 6, 1, 1},
    {64, 96, 6, 1, 1},   {64, 64, 6, 1, 1},   {64, 32, 8, 1, 1},   {128, 32, 8, 2, 1},
};

static SmallVector<dsc::ScheduleAttr> warpgroupTilesCandidates(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> candidates;
  auto add = [&](const WarpgroupTile &tile) {
    dsc::ScheduleAttr schedule = makeSchedule(group.getContext(), tile);
    if (allowsWarpgroupTiles(group, target, schedule))
      candidates.push_back(schedule);
  };
  for (WarpgroupTile tile : shapes)
    for (tile.multicast = 1; tile.multicast <= 4; tile.multicast *= 2) {
      for (tile.parts = 1; tile.parts <= mostParts; tile.parts *= 2)
        for (tile.cluster = 0; tile.cluster <= 1; ++tile.cluster)
          add(tile);
      tile.parts = tile.persistent = 1;
      tile.cluster = 0;
      add(tile);
    }
  return candidates;
}

/// A sum in single precision for each element and part.
static DimExpr warpgroupTilesWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  WarpgroupTile tile = tileOf(schedule);
  if (tile.kernels() == 1)
    return 0;
  return dsc::countElements(dsc::getDims(findContraction(group)->getResult(0))) * (tile.parts * int64_t(sizeof(float)));
}

/// The parts, then their sum.
static size_t countWarpgroupTiles(dsc::GroupOp, dsc::ScheduleAttr schedule) { return tileOf(schedule).kernels(); }

static double estimateWarpgroupTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                     const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  WarpgroupTile tile = tileOf(schedule);
  Operation *hero = findContraction(group);
  MatrixSizes matrix = matrixSizesOf(hero);
  const WgmmaForm &form = *findWgmmaForm(dsc::getElementType(hero->getOperand(0)));
  double slices = std::ceil(std::ceil(sizes.of(matrix.inner) / form.slice()) / tile.parts);
  double tiles = sizes.of(matrix.outer) * std::ceil(sizes.of(matrix.rows) / tile.rows) *
                 std::ceil(sizes.of(matrix.columns) / tile.columns);
  double blocks = std::ceil(tiles * tile.parts / gpu.multiprocessors);
  double resident = std::min<double>(
      {double(gpu.sharedPerMultiprocessor / (WarpgroupLayout(group, hero, tile).total + 1024)),
       double(gpu.threadsPerMultiprocessor / tile.threads()),
       double(gpu.registersPerMultiprocessor) / (tile.threads() * (tile.sumsOfThread() + 48)), blocks});
  resident = std::max(1.0, tile.persistent ? 1.0 : resident);
  // What a slice of one block costs a multiprocessor.
  constexpr double leastClocks = 32, copyClocks = 170; // of an instruction; of a copy, beside the load
  double instruction = std::max(leastClocks, 2.0 * WgmmaForm::rows * tile.columns * form.inner / gpu.f16.flopPerClock);
  double matrixClocks = double(form.slice()) / form.inner * tile.rows / WgmmaForm::rows * instruction;
  double busy = std::max(matrixClocks, double(tile.slotBytes()) / gpu.l2BytesPerClock);
  double waiting = (gpu.loadClocks + copyClocks) / (tile.stages - 1);
  double waves = std::ceil(blocks / resident);
  double loop = waves * slices * std::max(busy * std::min(blocks, resident), waiting);
  // First slices, and the way out: sums to shared memory, and from there to memory.
  double first = gpu.loadClocks + copyClocks + 150,
         out = double(tile.rows) * tile.columns * 3.0 / lanesOfWarp / 4 + 200;
  double outside = tile.persistent ? first + out : waves * first + std::max(waves, blocks / 2) * out;
  double seconds = (loop + outside) / gpu.clock;
  if (tile.parts == 1)
    return seconds;
  // Two barriers, and loads of what the others have.
  if (tile.cluster)
    return seconds + 3.0 * gpu.loadClocks / gpu.clock;
  double bytes = sizes.of(warpgroupTilesWorkspace(group, target, schedule));
  return seconds + gpu.secondsPerLaunch + 2 * bytes / gpu.memoryBytesPerSecond +
         std::ceil(tile.parts / 4.0) * gpu.loadClocks / 2 / gpu.clock;
}

static LogicalResult emitWarpgroupTiles(Kernel &kernel) {
  WarpgroupTile tile = tileOf(kernel.schedule);
  if (kernel.step == 1)
    return emitSumOfParts(kernel, tile.parts);
  ElementCode code(kernel.k);
  writeWarpgroupTiles(kernel, code, tile, findContraction(kernel.group));
  return kernel.finish();
}

const KernelEmitter warpgroupTilesEmitter = {
    "warpgroup_tiles",        warpgroupTilesParameters, acceptsWarpgroupTiles,  allowsWarpgroupTiles,
    warpgroupTilesCandidates, estimateWarpgroupTiles,   emitWarpgroupTiles,
    /*severalResults=*/false, countWarpgroupTiles,      warpgroupTilesWorkspace};

} // namespace dscc::kernels
