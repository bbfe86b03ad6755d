// Products and convolutions by matrix instructions (mma.sync): a block computes a tile of the result, each of its warps
// a part of that, and slices of both operands pass through a ring in shared memory.
//
//     memory ──cp.async──►  ring: slice s, s + 1, s + 2  ──ldmatrix──►  fragments ──mma──►  sums in registers
//            or, where an operand is computed or lies badly,
//            ──registers──►
//
//     for each slice:  start to copy a later one; multiply; store what came through registers
//                      before the last products: wait for the next slice; barrier; load its first fragments
//
// A slice lies line by line, in pieces of 16 bytes whose order within a line is permuted, so that the eight pieces that
// one step of ldmatrix reads lie in different banks. Sums leave by way of the same memory, so that lanes work on
// neighbours along a row, whatever the fragments' order.
//
// Where a product has few tiles and a long inner dim, blocks along y sum a part of the inner dim each. A second kernel
// adds up the parts; or, where there are clusters, the blocks of a tile are one, and each adds up some rows of it,
// which it reads in the others' shared memory.

#include "passes/kernels/Emitters.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/MatrixForm.h"
#include "passes/kernels/cuda/MatrixView.h"
#include "passes/kernels/cuda/OperandRing.h"
#include "passes/kernels/cuda/TileStore.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

namespace {
/// The numbers of a schedule.
struct Tile {
  int64_t rows, columns, slice, stages, warpRows, warpColumns, parts;
  int64_t cluster = 0; // whether the parts of a tile are joined in a cluster

  int64_t warps() const { return rows / warpRows * (columns / warpColumns); }
  int64_t threads() const { return warps() * lanesOfWarp; }
  int64_t ringBytes() const { return (rows + columns) * slice * stages * bytes; }
  int64_t slabBytes() const { return warps() * Slab::elements(warpColumns) * int64_t(sizeof(float)); }
  /// All sums of the tile, for the other blocks of its cluster.
  int64_t sumBytes() const { return rows * Slab::pitch(columns) * int64_t(sizeof(float)); }
  int64_t sharedBytes() const { return std::max(ringBytes(), cluster ? sumBytes() : slabBytes()); }
  int64_t kernels() const { return parts == 1 || cluster ? 1 : 2; }

  static constexpr int64_t bytes = 2;
};
} // namespace

//===-- The schedule -------------------------------------------------------------------------------------------===//

static constexpr int64_t mostParts = 64;
static constexpr Parameter tensorTilesParameters[] = {
    {"cluster", 0, 1}, {"columns", 16, 256}, {"parts", 1, mostParts},   {"rows", 16, 256},
    {"slice", 32, 64}, {"stages", 2, 6},     {"warp_columns", 16, 128}, {"warp_rows", 16, 128},
};

static Tile tileOf(dsc::ScheduleAttr schedule) {
  auto number = [&](StringRef name) { return *schedule.lookup(name); };
  return {number("rows"),      number("columns"),      number("slice"), number("stages"),
          number("warp_rows"), number("warp_columns"), number("parts"), number("cluster")};
}

static Verdict acceptsTensorTiles(dsc::GroupOp group, const Target &target) {
  if (target.device != Device::Cuda || target.gpu->f16.instruction == MatrixInstruction::None)
    return Verdict::declined("the target has no matrix instructions");
  if (Verdict tiled = isTiled(group); !tiled)
    return tiled;
  Operation *hero = findContraction(group);
  Type lhs = dsc::getElementType(hero->getOperand(0)), rhs = dsc::getElementType(hero->getOperand(1));
  if (lhs != rhs || !findMatrixForm(lhs))
    return Verdict::declined("there is no matrix instruction for the operands' type");
  return Verdict::acceptedIf(getComputeType(dsc::getElementType(hero->getResult(0))).isF32(),
                             "sums are not in single precision");
}

/// Elements of a slice that a thread may have in registers while it multiplies: more are spilled.
static constexpr int64_t mostLoaded = 16;

static Verdict allowsTensorTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  Tile tile = tileOf(schedule);
  if (tile.rows % tile.warpRows || tile.columns % tile.warpColumns || tile.warpRows % MatrixForm::rows ||
      tile.warpColumns % (2 * MatrixForm::columns))
    return Verdict::declined("warps do not share the tile evenly");
  if (tile.slice != 32 && tile.slice != 64)
    return Verdict::declined("a slice has 32 or 64 steps");
  // Permutations of pieces are by exclusive or.
  for (int64_t side : {tile.rows, tile.columns, tile.warpRows, tile.warpColumns})
    if (!llvm::isPowerOf2_64(side))
      return Verdict::declined("a side of a tile is no power of 2");
  if (tile.cluster && tile.parts == 1)
    return Verdict::declined("a cluster has several parts");
  if (Verdict verdict = hasClusterOf(target, tile.cluster ? tile.parts : 1); !verdict)
    return verdict;
  if (tile.threads() > target.maxThreads || std::min(tile.rows, tile.columns) * tile.slice < tile.threads())
    return Verdict::declined("the tile has too many warps");
  Operation *hero = findContraction(group);
  for (auto [isLhs, places] : {std::pair(true, tile.rows), std::pair(false, tile.columns)})
    if (places * tile.slice / tile.threads() > mostLoaded && !isCopiedInPieces(hero, isLhs))
      return Verdict::declined("an operand that is not copied in pieces would take too many registers");
  return Verdict::acceptedIf(tile.sharedBytes() <= target.gpu->sharedPerBlock, "the ring does not fit shared memory");
}

static dsc::ScheduleAttr makeSchedule(MLIRContext *context, const Tile &tile) {
  return dsc::ScheduleAttr::get(context, "tensor_tiles",
                                {{"cluster", tile.cluster},
                                 {"columns", tile.columns},
                                 {"parts", tile.parts},
                                 {"rows", tile.rows},
                                 {"slice", tile.slice},
                                 {"stages", tile.stages},
                                 {"warp_columns", tile.warpColumns},
                                 {"warp_rows", tile.warpRows}});
}

/// Tiles that are worth a look: large ones for much work, flat ones for few rows or columns; long slices for what is
/// copied in pieces, short ones for what passes through registers.
static constexpr Tile shapes[] = {
    {256, 128, 32, 4, 64, 64, 1}, {128, 256, 32, 4, 64, 64, 1}, {128, 128, 64, 3, 64, 64, 1},
    {128, 128, 32, 4, 64, 64, 1}, {128, 128, 32, 3, 64, 64, 1}, {128, 128, 32, 3, 64, 32, 1},
    {128, 64, 32, 4, 64, 32, 1},  {64, 128, 32, 4, 64, 32, 1},  {64, 64, 64, 3, 64, 32, 1},
    {64, 64, 32, 4, 64, 32, 1},   {128, 64, 32, 4, 32, 32, 1},  {64, 128, 32, 4, 32, 32, 1},
    {64, 64, 64, 3, 32, 32, 1},   {64, 64, 32, 4, 32, 32, 1},   {64, 32, 64, 3, 32, 16, 1},
    {64, 32, 32, 4, 32, 16, 1},   {32, 64, 64, 4, 16, 32, 1},   {32, 64, 32, 4, 16, 32, 1},
    {32, 128, 32, 4, 16, 64, 1},  {16, 128, 32, 4, 16, 32, 1},  {16, 64, 64, 4, 16, 16, 1},
    {16, 64, 32, 4, 16, 16, 1},   {32, 32, 64, 5, 16, 16, 1},   {32, 32, 32, 5, 16, 16, 1},
};

static SmallVector<dsc::ScheduleAttr> tensorTilesCandidates(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> candidates;
  for (Tile tile : shapes)
    for (tile.parts = 1; tile.parts <= mostParts; tile.parts *= 2)
      for (tile.cluster = 0; tile.cluster <= 1; ++tile.cluster) {
        dsc::ScheduleAttr schedule = makeSchedule(group.getContext(), tile);
        if (allowsTensorTiles(group, target, schedule))
          candidates.push_back(schedule);
      }
  return candidates;
}

/// A sum in single precision for each element and part.
static DimExpr tensorTilesWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  Tile tile = tileOf(schedule);
  if (tile.kernels() == 1)
    return 0;
  return bytesOfParts(group, tile.parts);
}

/// The parts, then their sum.
static size_t countTensorTiles(dsc::GroupOp, dsc::ScheduleAttr schedule) { return tileOf(schedule).kernels(); }

/// Registers that a thread takes: sums, fragments of two steps, and the rest.
static int64_t registersOf(const Tile &tile) {
  return (tile.warpRows * tile.warpColumns + 2 * (tile.warpRows + tile.warpColumns) * MatrixForm::inner / 2) /
             lanesOfWarp +
         40;
}

/// What one slice costs a multiprocessor that has so many blocks at a time, for each of them. Its units work side by
/// side as far as warps are at different places of the slice: the more blocks, the more. An operand that comes through
/// registers costs instructions for each element.
static double clocksOfSlice(const Tile &tile, const Gpu &gpu, double resident, bool copiesLhs, bool copiesRhs) {
  constexpr double perElement = 14; // instructions that compute an element's place, load it and store it
  constexpr double schedulers = 4;
  double elements = double(tile.rows + tile.columns) * tile.slice;
  double flopPerClock = gpu.f16.flopPerClock * shareOfMatrixPeak(gpu);
  // A scheduler has whole warps.
  double warpsInTurn = std::ceil(tile.warps() * resident / schedulers) / resident;
  double matrix = 2.0 * tile.warpRows * tile.warpColumns * tile.slice / (flopPerClock / schedulers) * warpsInTurn;
  double fragments = double(tile.warps()) * (tile.warpRows + tile.warpColumns) * tile.slice * Tile::bytes;
  // What is copied passes the unit twice: as it is loaded, and as it is stored.
  double shared = (fragments + 2 * elements * Tile::bytes) / 128;
  double global = elements * Tile::bytes / gpu.l2BytesPerClock;
  double computed = (copiesLhs ? 0.0 : double(tile.rows)) + (copiesRhs ? 0.0 : double(tile.columns));
  double matrices =
      double(tile.rows) * tile.columns * tile.slice / (MatrixForm::rows * MatrixForm::columns * MatrixForm::inner);
  double loads = fragments / (512); // ldmatrix of four
  double copies = (elements - computed * tile.slice) * Tile::bytes / pieceBytes / lanesOfWarp;
  double instructions =
      matrices + loads + copies + computed * tile.slice * perElement / lanesOfWarp + 24.0 * tile.warps();
  // Fitted to the simulator's model of time: one block's units take about the root of the sum of their squares.
  double power = 1.5 + resident / 2, sum = 0;
  for (double unit : {matrix, shared, global, instructions / schedulers})
    sum += std::pow(unit, power);
  return std::pow(sum, 1 / power);
}

static double estimateTensorTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                  const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  Tile tile = tileOf(schedule);
  Operation *hero = findContraction(group);
  MatrixSizes matrix = matrixSizesOf(hero);
  double slices = std::ceil(sizes.of(matrix.inner) / tile.slice / tile.parts);
  double tiles = sizes.of(matrix.outer) * std::ceil(sizes.of(matrix.rows) / tile.rows) *
                 std::ceil(sizes.of(matrix.columns) / tile.columns);
  // The blocks of the busiest multiprocessor take turns at its units; some of them are there at the same time.
  double blocks = std::ceil(tiles * tile.parts / gpu.multiprocessors);
  double resident =
      std::min<double>({double(gpu.sharedPerMultiprocessor / (tile.sharedBytes() + 1024)),
                        double(gpu.threadsPerMultiprocessor / tile.threads()),
                        double(gpu.registersPerMultiprocessor / (tile.threads() * registersOf(tile))), blocks});
  resident = std::max(1.0, std::floor(resident));
  // A slice is asked for so many slices before it is needed.
  double waiting = double(gpu.loadClocks) / (tile.stages - 1);
  auto clocksOfWave = [&](double together) {
    double busy =
        clocksOfSlice(tile, gpu, together, isCopiedInPieces(hero, true), isCopiedInPieces(hero, false)) * together;
    return slices * std::max(busy, waiting);
  };
  double waves = std::ceil(blocks / resident), full = std::floor(blocks / resident), rest = blocks - full * resident;
  double loop = full * clocksOfWave(resident) + (rest >= 1 ? clocksOfWave(rest) : 0);
  // First slices, and the way out: sums to shared memory, and from there to memory, 16 rows of a warp at a time.
  constexpr double clocksOfRows = 300; // until 32 columns of them have come through
  double exits = double(tile.warpRows) / MatrixForm::rows * std::max(1.0, tile.warpColumns / 32.0);
  double outside =
      waves * (2.0 * gpu.loadClocks + exits * clocksOfRows) + blocks * tile.rows * tile.columns * 2.0 / lanesOfWarp / 4;
  double seconds = (loop + outside) / gpu.clock;
  if (tile.parts == 1)
    return seconds;
  // Two barriers, and loads of what the others have.
  if (tile.cluster)
    return seconds + 3.0 * gpu.loadClocks / gpu.clock;
  return seconds + secondsOfSumOfParts(group, gpu, tile.parts, sizes);
}

//===-- The kernel ---------------------------------------------------------------------------------------------===//

namespace {
class TensorTileWriter {
public:
  TensorTileWriter(Kernel &kernel, ElementCode &code, Tile tile, Operation *hero)
      : kernel(kernel), k(kernel.k), code(code), tile(tile), hero(hero), view(matrixViewOf(code, hero)),
        form(*findMatrixForm(dsc::getElementType(hero->getOperand(0)))), f32(k.b.getF32Type()) {}

  void write();

private:
  using Values = SmallVector<Value>;
  /// From where both operands' slices are copied.
  struct Sources {
    Values lhs, rhs;

    void appendTo(Values &all) const {
      llvm::append_range(all, lhs);
      llvm::append_range(all, rhs);
    }
  };

  Values mainLoop(Value from, Value to);
  Values loadLater(OperandRing &lhs, OperandRing &rhs, const Sources &sources, Value step, Value slot, Value exists);
  bool waitsForItself();
  void waitForSlice();
  Values fragments(OperandRing &lhs, OperandRing &rhs, Value slot, int64_t step);
  Values firstFragments(OperandRing &lhs, OperandRing &rhs, Value slot, Value exists);
  void multiply(ArrayRef<Value> fragments, MutableArrayRef<Value> sums, bool isFirstHalf);
  void storeSums(ArrayRef<Value> sums);

  int64_t rowForms() const { return tile.warpRows / MatrixForm::rows; }
  int64_t columnForms() const { return tile.warpColumns / MatrixForm::columns; }
  size_t numFragments() const { return rowForms() * 4 + columnForms() * 2; }

  Kernel &kernel;
  KernelBuilder &k;
  ElementCode &code;
  Tile tile;
  Operation *hero;
  MatrixView view;
  const MatrixForm &form;
  Type f32;
  Values outer;
  Value shared, firstRow, firstColumn, lane, warp, warpRow, warpColumn;
};
} // namespace

void TensorTileWriter::write() {
  DimExpr rowTiles = DimExpr::ceilDiv(view.rows, tile.rows), columnTiles = DimExpr::ceilDiv(view.columns, tile.columns);
  kernel.threads = tile.threads();
  kernel.grid = dsc::countElements(view.outer) * rowTiles * columnTiles;
  // Blocks that follow each other share columns: of both operands the columns' one is the larger as a rule.
  Values place = k.delinearize(kernel.block, {kernel.block, k.dim(columnTiles), k.dim(rowTiles)});
  Values sizes = llvm::map_to_vector(view.outer, [&](const DimExpr &dim) { return k.dim(dim); });
  outer = sizes.empty() ? Values{} : k.delinearize(place[0], sizes);
  firstRow = k.mul(place[2], k.index(tile.rows));
  firstColumn = k.mul(place[1], k.index(tile.columns));
  lane = k.remainder(kernel.thread, k.index(lanesOfWarp));
  warp = k.divide(kernel.thread, k.index(lanesOfWarp));
  int64_t acrossColumns = tile.columns / tile.warpColumns;
  warpRow = k.mul(k.divide(warp, k.index(acrossColumns)), k.index(tile.warpRows));
  warpColumn = k.mul(k.remainder(warp, k.index(acrossColumns)), k.index(tile.warpColumns));
  if (tile.sharedBytes() <= mostStaticShared) {
    shared = declareShared(k, "ring", k.b.getI8Type(), tile.sharedBytes(), 128);
  } else {
    shared = askForShared(k);
    kernel.shared = tile.sharedBytes();
  }
  Value from = k.index(0), to = k.dim(view.inner);
  if (tile.parts > 1) {
    kernel.gridY = tile.parts;
    if (tile.cluster)
      kernel.cluster[1] = tile.parts;
    // Whole slices, so that no slice is of two parts.
    Value share = k.dim(DimExpr::ceilDiv(DimExpr::ceilDiv(view.inner, tile.slice), tile.parts) * tile.slice);
    from = k.mul(blockAlongY(k), share);
    to = k.minimum(to, k.add(from, share));
  }
  storeSums(mainLoop(from, to));
}

TensorTileWriter::Values TensorTileWriter::mainLoop(Value from, Value to) {
  RingShape shape{tile.slice, tile.stages, tile.threads(), (tile.rows + tile.columns) * tile.slice * Tile::bytes};
  OperandRing lhs(kernel, view.lhs, {shape, tile.rows, view.rows, view.inner}, outer, firstRow, shared);
  Value behind = LLVM::GEPOp::create(k.b, k.loc, shared.getType(), k.b.getI8Type(), shared,
                                     ArrayRef<LLVM::GEPArg>{int32_t(lhs.sliceBytes())});
  OperandRing rhs(kernel, view.rhs, {shape, tile.columns, view.columns, view.inner}, outer, firstColumn, behind);
  lhs.readFrom(lane, warpRow, /*isLhs=*/true);
  rhs.readFrom(lane, warpColumn, /*isLhs=*/false);
  auto isThere = [&](Value step) { return LaneMath{k}.compare(arith::CmpIPredicate::slt, step, to); };
  Sources sources = {lhs.sourcesOf(from), rhs.sourcesOf(from)};
  auto advance = [&](const Sources &before, int64_t slices) -> Sources {
    return {lhs.advance(before.lhs, slices), rhs.advance(before.rhs, slices)};
  };
  for (int64_t stage = 0; stage + 1 < tile.stages; ++stage) {
    Value step = k.add(from, k.index(stage * tile.slice)), slot = k.index(shape.slotOf(stage));
    Sources own = advance(sources, stage);
    code.doIf(isThere(step), [&] {
      lhs.copy(own.lhs, step, slot);
      rhs.copy(own.rhs, step, slot);
      for (OperandRing *ring : {&lhs, &rhs})
        ring->store(ring->load(step), slot);
    });
    NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
  }
  Value first = k.index(0);
  // Sums, fragments of the first steps of a slice, its slot and the one before it, and sources of the slice to copy.
  Values carried(tile.warpRows * tile.warpColumns / lanesOfWarp, k.constant(f32, 0));
  size_t numSums = carried.size(), fragmentCount = numFragments();
  waitForSlice();
  llvm::append_range(carried, firstFragments(lhs, rhs, first, isThere(from)));
  carried.append({first, k.index(shape.slotOf(tile.stages - 1))});
  advance(sources, tile.stages - 1).appendTo(carried);
  carried = k.loop(from, to, k.index(tile.slice), carried, [&](Value step, ValueRange values) {
    ElementCode::Scope scope(code);
    Values sums(values.take_front(numSums)), own(values.slice(numSums, fragmentCount));
    values = values.drop_front(numSums + fragmentCount);
    // What was read before the barrier is written behind it.
    Value slot = values[0], later = values[1], nextSlot = shape.next(k, slot);
    values = values.drop_front(2);
    Sources laterSources = {values.take_front(sources.lhs.size()), values.drop_front(sources.lhs.size())};
    Value laterStep = k.add(step, k.index((tile.stages - 1) * tile.slice)), exists = isThere(laterStep);
    Values loaded, next;
    auto storeLoaded = [&] {
      if (!loaded.empty())
        code.doIf(exists, [&] {
          lhs.store(ArrayRef(loaded).take_front(lhs.numLoaded()), later);
          rhs.store(ArrayRef(loaded).drop_front(lhs.numLoaded()), later);
        });
    };
    bool isSpread = lhs.numLoaded() + rhs.numLoaded() == 0 && waitsForItself();
    auto copyLater = [&](OperandRing &ring, const Values &ringSources) {
      code.doIf(exists, [&] { ring.copy(ringSources, laterStep, later); });
    };
    // Fragments are loaded while those before them are multiplied, the next slice's behind the barrier too. Copies of
    // one operand come before the first products, those of the other one in the midst of those before the barrier:
    // what all warps ask for at once, they wait for.
    int64_t turns = 2 * (tile.slice / MatrixForm::inner), turn = 0;
    for (; turn < turns; ++turn) {
      int64_t following = (turn / 2 + 1) * MatrixForm::inner;
      bool isFirstHalf = turn % 2 == 0;
      if (isFirstHalf && following < tile.slice) {
        next = fragments(lhs, rhs, slot, following);
      } else if (isFirstHalf) {
        if (tile.stages == 2)
          storeLoaded();
        waitForSlice();
        // Behind the last slice this one is as good as any.
        Value there = arith::SelectOp::create(k.b, k.loc, isThere(k.add(step, k.index(tile.slice))), nextSlot, slot);
        next = fragments(lhs, rhs, there, 0);
      }
      if (turn == 0 && !isSpread)
        loaded = loadLater(lhs, rhs, laterSources, laterStep, later, exists);
      if (turn == 0 && isSpread)
        copyLater(lhs, laterSources.lhs);
      if (turn == turns / 2 - 1) {
        if (isSpread)
          copyLater(rhs, laterSources.rhs);
        NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
      }
      multiply(own, sums, isFirstHalf);
      if (!isFirstHalf)
        own = next;
    }
    if (tile.stages > 2)
      storeLoaded();
    llvm::append_range(sums, own);
    sums.append({nextSlot, slot});
    advance(laterSources, 1).appendTo(sums);
    return sums;
  });
  carried.resize(numSums);
  return carried;
}

/// Whether it pays to ask twice whether the later slice exists, so that copies come apart: where there is much to
/// multiply between them, or no other block to go on meanwhile.
bool TensorTileWriter::waitsForItself() {
  return rowForms() * columnForms() >= 16 ||
         (kernel.grid.isConstant() && kernel.grid.constant() * tile.parts <= k.target.gpu->multiprocessors);
}

/// Until the slice whose fragments are loaded next is there, and nobody reads the one before it.
void TensorTileWriter::waitForSlice() {
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, uint32_t(tile.stages - 2));
  NVVM::Barrier0Op::create(k.b, k.loc);
}

/// Starts the copies of a later slice, and loads what goes through registers.
TensorTileWriter::Values TensorTileWriter::loadLater(OperandRing &lhs, OperandRing &rhs, const Sources &sources,
                                                     Value step, Value slot, Value exists) {
  auto all = [&] {
    lhs.copy(sources.lhs, step, slot);
    rhs.copy(sources.rhs, step, slot);
    Values loaded = lhs.load(step);
    llvm::append_range(loaded, rhs.load(step));
    return loaded;
  };
  if (lhs.numLoaded() + rhs.numLoaded() == 0) {
    code.doIf(exists, all);
    return {};
  }
  SmallVector<Type> types(lhs.numLoaded() + rhs.numLoaded(), lhs.storageType());
  auto choice = scf::IfOp::create(k.b, k.loc, types, exists, true, true);
  OpBuilder::InsertionGuard insertion(k.b);
  k.b.setInsertionPointToEnd(choice.thenBlock());
  {
    ElementCode::Scope scope(code);
    scf::YieldOp::create(k.b, k.loc, all());
  }
  k.b.setInsertionPointToEnd(choice.elseBlock());
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(lhs.storageType()));
  scf::YieldOp::create(k.b, k.loc, Values(types.size(), zero));
  return llvm::to_vector(llvm::map_range(choice.getResults(), [](OpResult result) -> Value { return result; }));
}

/// What a warp multiplies at a time: of each row of forms four registers, then of each column of forms two.
TensorTileWriter::Values TensorTileWriter::fragments(OperandRing &lhs, OperandRing &rhs, Value slot, int64_t step) {
  Values all;
  for (int64_t i = 0; i < rowForms(); ++i)
    llvm::append_range(all, lhs.fragments(slot, i * MatrixForm::rows, step));
  for (int64_t j = 0; j < columnForms(); j += 2)
    llvm::append_range(all, rhs.fragments(slot, j * MatrixForm::columns, step));
  return all;
}

/// Those of the first slice, unless there is none.
TensorTileWriter::Values TensorTileWriter::firstFragments(OperandRing &lhs, OperandRing &rhs, Value slot,
                                                          Value exists) {
  if (view.inner.isConstant() && view.inner.constant() > 0 && tile.parts == 1)
    return fragments(lhs, rhs, slot, 0);
  Type i32 = k.b.getI32Type();
  SmallVector<Type> types(numFragments(), i32);
  auto choice = scf::IfOp::create(k.b, k.loc, types, exists, true, true);
  OpBuilder::InsertionGuard insertion(k.b);
  k.b.setInsertionPointToEnd(choice.thenBlock());
  scf::YieldOp::create(k.b, k.loc, fragments(lhs, rhs, slot, 0));
  k.b.setInsertionPointToEnd(choice.elseBlock());
  scf::YieldOp::create(k.b, k.loc, Values(types.size(), k.constantInt(i32, 0)));
  return Values(choice.getResults());
}

/// Half of the forms, the first one or the second one.
void TensorTileWriter::multiply(ArrayRef<Value> fragments, MutableArrayRef<Value> sums, bool isFirstHalf) {
  int64_t all = rowForms() * columnForms(), half = all / 2;
  for (int64_t number = isFirstHalf ? 0 : half; number < (isFirstHalf ? half : all); ++number)
    multiplyForm(k, form, fragments.slice(number / columnForms() * 4, 4),
                 fragments.slice(rowForms() * 4 + number % columnForms() * 2, 2),
                 sums.slice(number * MatrixForm::perLane, MatrixForm::perLane));
}

//===-- The way out --------------------------------------------------------------------------------------------===//

/// Each warp passes 16 rows of sums at a time through memory of its own; or a cluster's blocks pass all of them.
void TensorTileWriter::storeSums(ArrayRef<Value> sums) {
  TileStore store(kernel, code, view, hero, tile.kernels() > 1);
  store.outer = outer;
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, 0u);
  NVVM::Barrier0Op::create(k.b, k.loc);
  if (tile.cluster) {
    int64_t pitch = Slab::pitch(tile.columns);
    storeForms(k, shared, k.add(k.mul(warpRow, k.index(pitch)), warpColumn), lane, pitch, columnForms(), sums);
    crossCluster(k);
    store.joinCluster(shared, tile.rows, tile.columns, firstRow, firstColumn);
    // Nobody leaves while another one reads.
    return crossCluster(k);
  }
  int64_t perSlab = sums.size() / rowForms();
  Value own = k.mul(warp, k.index(Slab::elements(tile.warpColumns))), column = k.add(firstColumn, warpColumn);
  for (int64_t i = 0; i < rowForms(); ++i)
    store.storeSlab(shared, own, lane, tile.warpColumns, sums.slice(i * perSlab, perSlab),
                    k.add(k.add(firstRow, warpRow), k.index(i * MatrixForm::rows)), column);
}

static LogicalResult emitTensorTiles(Kernel &kernel) {
  Tile tile = tileOf(kernel.schedule);
  if (kernel.step == 1)
    return emitSumOfParts(kernel, tile.parts);
  ElementCode code(kernel.k);
  TensorTileWriter(kernel, code, tile, findContraction(kernel.group)).write();
  return kernel.finish();
}

const KernelEmitter tensorTilesEmitter = {
    "tensor_tiles",           tensorTilesParameters, acceptsTensorTiles,   allowsTensorTiles,
    tensorTilesCandidates,    estimateTensorTiles,   emitTensorTiles,
    /*severalResults=*/false, countTensorTiles,      tensorTilesWorkspace, besideEqual};

} // namespace dscc::kernels
