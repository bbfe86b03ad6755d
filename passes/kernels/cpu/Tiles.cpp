// Products and convolutions on a CPU, a register tile at a time.
//
//              columns: `vectors` registers of lanes
//            +--------+--------+
//     rows   | sum 00 | sum 01 |     each step of the inner loop loads one vector for each column register, splats one
//            | sum 10 | sum 11 |     element for each row, and updates every sum
//            +--------+--------+
//
// The sums stay in registers for the whole inner loop: rows * vectors + vectors + 1 of them must fit (knowledge of the
// target's register count is in its table). The last columns are masked; the last rows have a tile of their own.
//
// A constant may lie in panels, each of which is one stream for the loop (passes/kernels/Panels.h).

#include "passes/kernels/cpu/Tiles.h"

#include "passes/kernels/Emitters.h"
#include "passes/kernels/Panels.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

/// Bytes of the row operand up to which it is better read again for each column tile than the other way round.
static constexpr int64_t smallOperand = 256 * 1024;

namespace {
struct TileShape {
  int64_t rows, vectors;
};

} // namespace

static bool fitsRegisters(const Target &target, int64_t rows, int64_t vectors) {
  return countRegisters(rows, vectors) <= target.vectorRegisters;
}

static Verdict acceptsTiles(dsc::GroupOp group, const Target &target) {
  return target.device == Device::Cpu ? isTiled(group) : Verdict::declined("the target is no CPU");
}

static Verdict allowsTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  if (!fitsRegisters(target, *schedule.lookup("rows"), *schedule.lookup("vectors")))
    return Verdict::declined("so many sums do not fit the registers");
  if (*schedule.lookup("packed") != int64_t(bool(findUnpack(group))))
    return Verdict::declined("'packed' does not tell whether columns are read from panels");
  return hasLanes(target, *schedule.lookup("width"));
}

/// Which operand stays in the cache while the loop inside walks the other.
static bool putsColumnsOutside(const Extent &extent) {
  constexpr int64_t bytes = 4;
  auto isSmall = [&](const DimExpr &dim, int64_t most) {
    return dim.isConstant() && extent.inner.isConstant() && dim.constant() * extent.inner.constant() * bytes <= most;
  };
  return isSmall(extent.rows, smallOperand) || !isSmall(extent.columns, 2 * smallOperand);
}

/// Whether the columns' operand may lie in panels, or in none.
static SmallVector<bool> waysToLie(dsc::GroupOp group) {
  if (findUnpack(group))
    return {true};
  ColumnOperand operand;
  if (!findColumnOperand(group, operand) || !isPackable(group, operand))
    return {false};
  return {false, true};
}

/// Whether so many pixels of a depthwise convolution's tile are found quickly: in one line they are neighbours, and
/// else they are found all at once, in lanes of their own, which LLVM sees for powers of 2.
static bool suitsLines(Operation *hero, int64_t rows) {
  DimExpr line = dsc::orderOf(hero).spatialOf(dsc::getDims(hero->getResult(0))).back();
  return llvm::isPowerOf2_64(rows) || (line.isConstant() && line.constant() % rows == 0);
}

static SmallVector<dsc::ScheduleAttr> tilesCandidates(dsc::GroupOp group, const Target &target) {
  Extent extent = extentOf(findContraction(group));
  bool isLanewise = kernels::isLanewise(findContraction(group));
  int64_t width = chooseWidth(target, extent.columns);
  // A window's lines are near each other in the cache, and so are the next pixel's: few channels at a time.
  bool columnsOutside = isLanewise || putsColumnsOutside(extent);
  int64_t mostVectors =
      extent.columns.isConstant() ? std::max<int64_t>(1, llvm::divideCeil(extent.columns.constant(), width)) : 4;
  SmallVector<dsc::ScheduleAttr> candidates;
  for (bool packed : waysToLie(group))
    for (int64_t vectors = 1; vectors <= std::min<int64_t>(4, mostVectors); ++vectors)
      for (int64_t rows = 1; rows <= 14 && fitsRegisters(target, rows, vectors); ++rows) {
        if (extent.rows.isConstant() && rows > std::max<int64_t>(1, extent.rows.constant()))
          break;
        if (isLanewise && !suitsLines(findContraction(group), rows))
          continue;
        // With columns outside, a block takes all rows, or some tiles of them where their number is not known.
        int64_t rowTiles = extent.rows.isConstant() ? llvm::divideCeil(extent.rows.constant(), rows) : 16;
        candidates.push_back(dsc::ScheduleAttr::get(group.getContext(), "tiles",
                                                    {{"columns_outside", columnsOutside},
                                                     {"packed", packed},
                                                     {"row_tiles", std::max<int64_t>(1, rowTiles)},
                                                     {"rows", rows},
                                                     {"vectors", vectors},
                                                     {"width", width}}));
      }
  return candidates;
}

void multiplyAdd(KernelBuilder &k, ArrayRef<Value> rows, ArrayRef<Value> columns, MutableArrayRef<Value> sums) {
  assert(sums.size() == rows.size() * columns.size() && "a tile has a sum for each row and column");
  for (size_t i = 0; i < rows.size(); ++i) {
    Value row = k.lift(rows[i]);
    for (size_t j = 0; j < columns.size(); ++j) {
      Value &sum = sums[i * columns.size() + j];
      sum = emitMulAdd(k, row, columns[j], sum);
    }
  }
}

namespace {
class TileWriter {
public:
  TileWriter(Kernel &kernel, ElementCode &code, Contraction contraction, Operation *hero, TileShape tile)
      : kernel(kernel), k(kernel.k), code(code), c(std::move(contraction)), hero(hero), tile(tile),
        root(rootOf(kernel.group)) {
    strides = kernel.resultStrides();
    columnStep = tile.vectors * k.width;
  }

  void write() {
    // The operand of the inside loop stays in the cache, so a block takes all of it.
    bool columnsOutside = kernel.scheduled("columns_outside");
    DimExpr rowTile = tile.rows, columnTile = columnStep;
    DimExpr rowsPerBlock = tile.rows * kernel.scheduled("row_tiles"), columnsPerBlock = c.columns;
    if (columnsOutside) {
      DimExpr tileWork = DimExpr::max(1, rowsPerBlock * c.inner * columnStep);
      columnsPerBlock = columnTile * DimExpr::max(1, DimExpr::floorDiv(blockWork, tileWork));
    } else {
      DimExpr tileWork = DimExpr::max(1, c.columns * c.inner * tile.rows);
      rowsPerBlock = rowTile * DimExpr::max(1, DimExpr::floorDiv(blockWork, tileWork));
      columnsPerBlock = DimExpr::max(1, c.columns);
    }
    DimExpr rowBlocks = DimExpr::ceilDiv(c.rows, rowsPerBlock),
            columnBlocks = DimExpr::ceilDiv(c.columns, columnsPerBlock);
    DimExpr outerCount = dsc::countElements(c.outer);
    DimExpr work = DimExpr::max(1, c.rows * c.columns * c.inner);
    DimExpr outerPerBlock = DimExpr::max(1, DimExpr::floorDiv(blockWork, work));
    kernel.grid = DimExpr::ceilDiv(outerCount, outerPerBlock) * rowBlocks * columnBlocks;

    Value rowBlockCount = k.maximum(k.dim(rowBlocks), k.index(1)),
          columnBlockCount = k.maximum(k.dim(columnBlocks), k.index(1));
    SmallVector<Value> place = k.delinearize(kernel.block, {kernel.block, rowBlockCount, columnBlockCount});
    Value firstRow = k.mul(place[1], k.dim(rowsPerBlock)), firstColumn = k.mul(place[2], k.dim(columnsPerBlock));
    Value lastRow = k.minimum(k.add(firstRow, k.dim(rowsPerBlock)), k.dim(c.rows));
    Value lastColumn = k.minimum(k.add(firstColumn, k.dim(columnsPerBlock)), k.dim(c.columns));
    Value firstOuter = k.mul(place[0], k.dim(outerPerBlock));
    Value lastOuter = k.minimum(k.add(firstOuter, k.dim(outerPerBlock)), k.dim(outerCount));
    k.loopDo(firstOuter, lastOuter, k.index(1), [&](Value item) {
      SmallVector<Value> sizes = llvm::map_to_vector(c.outer, [&](const DimExpr &dim) { return k.dim(dim); });
      Indices outer;
      if (!sizes.empty())
        for (Value coordinate : k.delinearize(item, sizes))
          outer.push_back(k.uniform(coordinate));
      if (columnsOutside)
        forColumns(firstColumn, lastColumn, [&](ArrayRef<TileColumn> columns) {
          forRows(firstRow, lastRow, [&](const TileRows &rows) { writeTile(outer, rows, columns); });
        });
      else
        forRows(firstRow, lastRow, [&](const TileRows &rows) {
          forColumns(firstColumn, lastColumn, [&](ArrayRef<TileColumn> columns) { writeTile(outer, rows, columns); });
        });
    });
  }

private:
  /// The rows of one tile.
  struct TileRows {
    Value first;
    int64_t count;
    Value last; // the last that exists, where fewer may exist than `count`; else null
  };

  /// Whole tiles, whose rows are at fixed distances, then what is left: so many rows as there are, or, where only a run
  /// knows how many, a tile in which the last row is computed again for each that does not exist.
  void forRows(Value first, Value last, function_ref<void(const TileRows &)> body) {
    DimExpr wholeRows = DimExpr::floorDiv(c.rows, tile.rows) * tile.rows;
    Value end = k.minimum(last, k.dim(wholeRows));
    k.loopDo(first, end, k.index(tile.rows), [&](Value row) { body({row, tile.rows, {}}); });
    int64_t left = c.rows.isConstant() ? c.rows.constant() % tile.rows : tile.rows;
    if (left == 0)
      return;
    Value start = k.maximum(first, end);
    Value hasTail = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, start, last);
    auto tail = scf::IfOp::create(k.b, k.loc, hasTail, false);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPoint(tail.thenBlock()->getTerminator());
    body({start, left, c.rows.isConstant() ? Value() : k.sub(k.dim(c.rows), k.index(1))});
  }

  /// So many registers of columns from `first` on, of which those from `end` on do not exist; null: all do.
  SmallVector<TileColumn> columnsAt(Value first, int64_t vectors, Value end) {
    SmallVector<TileColumn> columns;
    for (int64_t j = 0; j < vectors; ++j) {
      Value start = k.add(first, k.index(j * k.width));
      if (k.width == 1) {
        columns.push_back({k.uniform(end ? k.minimum(start, k.sub(end, k.index(1))) : start), {}});
        continue;
      }
      // Blocks and tiles begin at multiples of a register.
      TileColumn column{{Index::Contiguous, start, {}, /*whole=*/true}, {}};
      if (end)
        column.mask =
            arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, k.laneNumbers(), k.splat(k.sub(end, start)));
      columns.push_back(column);
    }
    return columns;
  }

  /// Whole column tiles, then what is left: as many registers as there are columns for, the last of them masked, or,
  /// where only a run knows how many, a tile in which all are.
  void forColumns(Value first, Value last, function_ref<void(ArrayRef<TileColumn>)> body) {
    Value step = k.index(columnStep);
    Value whole = k.mul(k.divide(k.maximum(k.sub(last, first), k.index(0)), step), step), end = k.add(first, whole);
    k.loopDo(first, end, step, [&](Value column) { body(columnsAt(column, tile.vectors, {})); });
    int64_t left = c.columns.isConstant() ? c.columns.constant() % columnStep : columnStep;
    if (left == 0)
      return;
    Value hasTail = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, end, last);
    auto tail = scf::IfOp::create(k.b, k.loc, hasTail, false);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPoint(tail.thenBlock()->getTerminator());
    if (!c.columns.isConstant())
      return body(columnsAt(end, tile.vectors, last));
    int64_t full = left / k.width * k.width;
    SmallVector<TileColumn> columns = columnsAt(end, full / k.width, {});
    if (full < left)
      llvm::append_range(columns, columnsAt(k.add(end, k.index(full)), 1, last));
    body(columns);
  }

  void writeTile(ArrayRef<Index> outer, const TileRows &tileRows, ArrayRef<TileColumn> columns) {
    ElementCode::Scope scope(code);
    SmallVector<Index> rows;
    for (int64_t i = 0; i < tileRows.count; ++i) {
      Value row = k.add(tileRows.first, k.index(i));
      rows.push_back(k.uniform(i && tileRows.last ? k.minimum(row, tileRows.last) : row));
    }
    Value zero = zeroOf(k, dsc::getElementType(hero->getResult(0)));
    SmallVector<Value> sums(tileRows.count * columns.size(), k.lift(zero));
    [[maybe_unused]] size_t count = sums.size();
    sums = c.accumulate(outer, rows, columns, std::move(sums));
    assert(sums.size() == count && "a contraction hands back the sums that it was given");
    for (int64_t i = 0; i < tileRows.count; ++i) {
      if (i == 0 || !tileRows.last) {
        storeRow(outer, rows[i], columns, ArrayRef(sums).slice(i * columns.size(), columns.size()));
        continue;
      }
      Value row = k.add(tileRows.first, k.index(i));
      Value exists = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::sle, row, tileRows.last);
      auto guarded = scf::IfOp::create(k.b, k.loc, exists, false);
      OpBuilder::InsertionGuard guard(k.b);
      k.b.setInsertionPoint(guarded.thenBlock()->getTerminator());
      storeRow(outer, rows[i], columns, ArrayRef(sums).slice(i * columns.size(), columns.size()));
    }
  }

  void storeRow(ArrayRef<Index> outer, const Index &row, ArrayRef<TileColumn> columns, ArrayRef<Value> sums) {
    for (size_t j = 0; j < columns.size(); ++j) {
      ElementCode::Scope scope(code);
      k.mask = columns[j].mask;
      code.bind(hero->getResult(0), sums[j]);
      Indices at = c.resultAt(outer, row, columns[j].index);
      k.storeElement(kernel.result(), dsc::getElementType(root), strides, at, code.element(root, at));
      k.mask = {};
    }
  }

  Kernel &kernel;
  KernelBuilder &k;
  ElementCode &code;
  Contraction c;
  Operation *hero;
  TileShape tile;
  Value root;
  SmallVector<Value> strides;
  int64_t columnStep;
};
} // namespace

static LogicalResult emitTiles(Kernel &kernel) {
  Operation *hero = findContraction(kernel.group);
  assert(hero && "tiles are scheduled for products and convolutions");
  KernelBuilder &k = kernel.k;
  k.width = kernel.scheduled("width");
  ElementCode code(k);
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  Contraction contraction = !conv                    ? contractionOf(code, cast<dsc::MatmulOp>(hero))
                            : conv.getChannelsLast() ? channelsLastContraction(kernel, code, conv)
                                                     : contractionOf(code, conv);
  TileShape tile = {kernel.scheduled("rows"), kernel.scheduled("vectors")};
  TileWriter(kernel, code, std::move(contraction), hero, tile).write();
  return kernel.finish();
}

static constexpr Parameter tilesParameters[] = {
    {"columns_outside", 0, 1}, {"packed", 0, 1},   {"row_tiles", 1, int64_t(1) << 32},
    {"rows", 1, 32},           {"vectors", 1, 16}, {"width", 1, 64}};
const KernelEmitter tilesEmitter = {"tiles",         tilesParameters, acceptsTiles, allowsTiles,
                                    tilesCandidates, estimateTiles,   emitTiles};

} // namespace dscc::kernels
