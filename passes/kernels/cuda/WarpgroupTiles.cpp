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
#include "passes/kernels/cuda/SumTime.h"
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

namespace {
struct Shape {
  int64_t rows, columns, warpgroups;
};
} // namespace

/// Tiles that are worth a look.
static constexpr Shape shapes[] = {{128, 256, 2}, {256, 128, 2}, {128, 192, 2}, {128, 128, 2},
                                   {128, 96, 2},  {128, 64, 2},  {64, 256, 1},  {64, 128, 1},
                                   {64, 96, 1},   {64, 64, 1},   {64, 32, 1},   {128, 32, 2}};

namespace {
/// How the blocks of such tiles share work: parts, in a cluster or not; one after the other; by copies for several.
struct Sharing {
  int64_t parts = 1, cluster = 0, persistent = 0, multicast = 1;
};
} // namespace
static constexpr Sharing sharings[] = {
    {1},    {1, 0, 0, 2}, {1, 0, 0, 4}, {1, 0, 1}, {1, 0, 1, 2}, {2, 1},  {4, 1},
    {8, 1}, {2, 1, 0, 2}, {4, 1, 0, 2}, {4, 0},    {8, 0},       {16, 0}, {32, 0},
};

/// How many slices a part has, if that is known.
static int64_t slicesOfPart(Operation *hero, int64_t parts) {
  DimExpr slices = countSlices(hero, findWgmmaForm(dsc::getElementType(hero->getOperand(0)))->slice());
  return slices.isConstant() ? llvm::divideCeil(slices.constant(), parts) : INT64_MAX;
}

/// For each a ring as long as fits, and one that lets two blocks be there at the same time.
static SmallVector<dsc::ScheduleAttr> warpgroupTilesCandidates(dsc::GroupOp group, const Target &target) {
  const Gpu &gpu = *target.gpu;
  Operation *hero = findContraction(group);
  SmallVector<dsc::ScheduleAttr> candidates;
  for (const Shape &shape : shapes)
    for (const Sharing &sharing : sharings) {
      WarpgroupTile tile{.rows = shape.rows,
                         .columns = shape.columns,
                         .stages = 0,
                         .warpgroups = shape.warpgroups,
                         .parts = sharing.parts,
                         .cluster = sharing.cluster,
                         .persistent = sharing.persistent,
                         .multicast = sharing.multicast};
      int64_t most = tile.persistent ? 8 : std::clamp<int64_t>(slicesOfPart(hero, tile.parts), 2, 8), before = 0;
      for (int64_t room : {int64_t(gpu.sharedPerBlock), int64_t(gpu.sharedPerMultiprocessor / 2 - 1024)}) {
        tile.stages = most;
        while (tile.stages >= 2 && WarpgroupLayout(group, hero, tile).total > room)
          --tile.stages;
        dsc::ScheduleAttr schedule = makeSchedule(group.getContext(), tile);
        if (tile.stages >= 2 && tile.stages != before && allowsWarpgroupTiles(group, target, schedule))
          candidates.push_back(schedule);
        before = tile.stages;
      }
    }
  return candidates;
}

/// A sum in single precision for each element and part.
static DimExpr warpgroupTilesWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  WarpgroupTile tile = tileOf(schedule);
  if (tile.kernels() == 1)
    return 0;
  return bytesOfParts(group, tile.parts);
}

/// The parts, then their sum.
static size_t countWarpgroupTiles(dsc::GroupOp, dsc::ScheduleAttr schedule) { return tileOf(schedule).kernels(); }

/// Clocks that a slice of one block keeps a multiprocessor busy, of which so many have one.
static double clocksOfSlice(const WarpgroupTile &tile, const WgmmaForm &form, const Gpu &gpu, double busyProcessors) {
  constexpr double leastClocks = 32; // of an instruction
  double instruction = std::max(leastClocks, 2.0 * WgmmaForm::rows * tile.columns * form.inner / gpu.f16.flopPerClock);
  double matrix = double(form.slice()) / form.inner * tile.rows / WgmmaForm::rows * instruction;
  double bytes = double(tile.rows + tile.columnsOfCopy()) * WarpgroupTile::lineBytes;
  return std::max(matrix, bytes / l2BytesPerClock(gpu, busyProcessors));
}

/// The clocks from a tile's last product until it is stored, as the simulator's model of time has them.
static double clocksOfWayOut(const WarpgroupTile &tile, const WarpgroupLayout &layout) {
  double elements = double(tile.rows) * tile.columns;
  if (tile.cluster)
    return 250 + elements * (0.1 + 0.1 / tile.parts);
  if (layout.isBulk)
    return tile.columns * (2.8 + 2.6 * tile.warpgroups) * tile.blocksOfGroup();
  return elements * 0.175;
}

static double estimateWarpgroupTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                     const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  WarpgroupTile tile = tileOf(schedule);
  Operation *hero = findContraction(group);
  WarpgroupLayout layout(group, hero, tile);
  MatrixSizes matrix = matrixSizesOf(hero);
  const WgmmaForm &form = *findWgmmaForm(dsc::getElementType(hero->getOperand(0)));
  double slices = std::ceil(sizes.of(countSlices(hero, form.slice())) / tile.parts);
  double rowTiles = std::ceil(sizes.of(matrix.rows) / (tile.rows * tile.multicast)) * tile.multicast;
  double tiles = sizes.of(matrix.outer) * rowTiles * std::ceil(sizes.of(matrix.columns) / tile.columns) * tile.parts;
  double blocks = std::ceil(tiles / gpu.multiprocessors);
  double registers = tile.threads() * (tile.sumsOfThread() + 64.0);
  double resident = std::min<double>({double(gpu.sharedPerMultiprocessor / (layout.total + 1024)),
                                      double(gpu.threadsPerMultiprocessor / tile.threads()),
                                      gpu.registersPerMultiprocessor / registers, blocks});
  resident = tile.persistent ? 1 : std::max(1.0, std::floor(resident));
  double busy = clocksOfSlice(tile, form, gpu, std::min<double>(tiles, gpu.multiprocessors));
  constexpr double copyClocks = 170, setupClocks = 700; // of a copy, beside the load; before the first one, and after
  double first = setupClocks + gpu.loadClocks + copyClocks + double(tile.slotBytes()) / gpu.l2BytesPerClock;
  // Blocks that copy together meet before the first copy and behind the last one.
  constexpr double meetingClocks = 350;
  if (tile.multicast > 1)
    first += meetingClocks;
  // A slot is free again once the products behind its own are under way.
  double waiting = (gpu.loadClocks + copyClocks + busy) / (tile.stages - 1);
  double waves = std::ceil(blocks / resident);
  double loop = slices * std::max(busy * std::min(blocks, resident), waiting), out = clocksOfWayOut(tile, layout);
  double clocks = tile.persistent ? first + waves * (loop + out) : waves * (first + loop + out);
  double seconds = clocks / gpu.clock;
  return tile.kernels() == 1 ? seconds : seconds + secondsOfSumOfParts(group, gpu, tile.parts, sizes);
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
    "warpgroup_tiles",        warpgroupTilesParameters, acceptsWarpgroupTiles,   allowsWarpgroupTiles,
    warpgroupTilesCandidates, estimateWarpgroupTiles,   emitWarpgroupTiles,
    /*severalResults=*/false, countWarpgroupTiles,      warpgroupTilesWorkspace, besideEqual};

} // namespace dscc::kernels
