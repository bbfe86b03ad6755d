// Products and convolutions on a CPU, a register tile at a time.
//
//              columns: `vectors` registers of lanes
//            +--------+--------+
//     rows   | sum 00 | sum 01 |     each step of the inner loop loads one vector for each column register, splats one
//            | sum 10 | sum 11 |     element for each row, and updates every sum
//            +--------+--------+
//
// The sums stay in registers for the whole inner loop: rows * vectors + vectors + 1 of them must fit (knowledge of the
// target's register count is in its table). The last columns are masked; rows past the end are computed again from the
// last row and not stored.

#include "passes/kernels/cpu/Tiles.h"

#include "passes/kernels/Emitters.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

/// Multiplications that one block should be worth.
static constexpr int64_t blockWork = 1 << 17;
/// Bytes of the row operand up to which it is better read again for each column tile than the other way round.
static constexpr int64_t smallOperand = 256 * 1024;

namespace {
struct TileShape {
  int64_t rows, vectors;
};
} // namespace

/// The tile that wastes least, and among those the one that loads least for each multiplication.
static TileShape chooseTile(const Target &target, const DimExpr &rows, const DimExpr &columns, int64_t width) {
  int64_t registers = target.vectorRegisters;
  int64_t vectorsNeeded = columns.isConstant() ? std::max<int64_t>(1, llvm::divideCeil(columns.constant(), width)) : 8;
  TileShape best{1, 1};
  double bestCost = 1e30;
  for (int64_t vectors = 1; vectors <= std::min<int64_t>(4, vectorsNeeded); ++vectors) {
    for (int64_t count = 1; count * vectors + vectors + 1 <= registers && count <= 14; ++count) {
      if (rows.isConstant() && count > std::max<int64_t>(1, rows.constant()))
        break;
      int64_t allRows = rows.isConstant() ? llvm::alignTo(rows.constant(), count) : count;
      int64_t allVectors = columns.isConstant() ? llvm::alignTo(vectorsNeeded, vectors) : vectors;
      double waste = rows.isConstant() ? double(allRows) / std::max<int64_t>(1, rows.constant()) : 1;
      waste *= columns.isConstant() ? double(allVectors) / vectorsNeeded : 1;
      // Loads are cheaper than multiplications; too few independent sums leave the multiplier idle.
      double loads = double(count + vectors) / (count * vectors);
      double idle = std::max(1.0, 8.0 / (count * vectors));
      double cost = waste * (1 + 0.5 * loads) * idle;
      if (cost < bestCost) {
        bestCost = cost;
        best = {count, vectors};
      }
    }
  }
  return best;
}

Proposal scheduleTiles(dsc::GroupOp group, const Target &target) {
  Operation *hero = findContraction(group);
  if (target.device != Device::Cpu)
    return Verdict::declined("the target is no CPU");
  if (!hero)
    return Verdict::declined("there is no product or convolution");
  if (!hasElementCode(group, nullptr))
    return Verdict::declined("an op has no code for one element");
  if (dotTerms(hero))
    return Verdict::declined("the product has one column, which is better summed as rows");
  if (dsc::getDims(group.getResult(0)) != dsc::getDims(hero->getResult(0)))
    return Verdict::declined("the group's result has other dims than the hero");
  // What follows the hero works on its elements in place.
  for (Operation &op : group.getBody().front().without_terminator())
    for (Operation *user : op.getUsers())
      if (&op == hero && !dsc::isElementwise(user) && !isa<dsc::YieldOp>(user))
        return Verdict::declined("what follows the hero is not elementwise");
  Builder b(group.getContext());
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  DimExpr rows = dims[dims.size() - 2];
  if (auto conv = dyn_cast<dsc::ConvOp>(hero))
    rows = dims[1].constant() / int64_t(conv.getGroups());
  int64_t width = chooseWidth(target, dims.back());
  TileShape tile = chooseTile(target, rows, dims.back(), width);
  return b.getDictionaryAttr({b.getNamedAttr("emitter", b.getStringAttr("tiles")),
                              b.getNamedAttr("rows", b.getI64IntegerAttr(tile.rows)),
                              b.getNamedAttr("vectors", b.getI64IntegerAttr(tile.vectors))});
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
        root(kernel.root()) {
    strides = k.rowMajorStrides(dsc::getDims(root));
    columnStep = tile.vectors * k.width;
  }

  void write() {
    int64_t bytes = 4;
    bool fewRows =
        c.rows.isConstant() && c.inner.isConstant() && c.rows.constant() * c.inner.constant() * bytes <= smallOperand;
    bool fewColumns = c.columns.isConstant() && c.inner.isConstant() &&
                      c.columns.constant() * c.inner.constant() * bytes <= 2 * smallOperand;
    bool columnsOutside = fewRows || !fewColumns;
    // The operand of the inside loop stays in the cache, so a block takes all of it.
    DimExpr rowTile = tile.rows, columnTile = columnStep;
    DimExpr insideRows = columnsOutside && c.rows.isConstant() ? c.rows : DimExpr(tile.rows * 16);
    DimExpr rowsPerBlock = insideRows, columnsPerBlock = c.columns;
    if (columnsOutside) {
      rowsPerBlock = DimExpr::ceilDiv(insideRows, rowTile) * rowTile;
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
      auto rowLoop = [&](function_ref<void(Value)> body) { k.loopDo(firstRow, lastRow, k.index(tile.rows), body); };
      if (columnsOutside)
        forColumns(firstColumn, lastColumn,
                   [&](ArrayRef<TileColumn> columns) { rowLoop([&](Value row) { writeTile(outer, row, columns); }); });
      else
        rowLoop([&](Value row) {
          forColumns(firstColumn, lastColumn, [&](ArrayRef<TileColumn> columns) { writeTile(outer, row, columns); });
        });
    });
  }

private:
  SmallVector<TileColumn> columnsAt(Value first, Value end) {
    SmallVector<TileColumn> columns;
    for (int64_t j = 0; j < tile.vectors; ++j) {
      Value start = k.add(first, k.index(j * k.width));
      if (k.width == 1) {
        columns.push_back({k.uniform(end ? k.minimum(start, k.sub(end, k.index(1))) : start), {}});
        continue;
      }
      TileColumn column{{Index::Contiguous, start, {}}, {}};
      if (end)
        column.mask =
            arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, k.laneNumbers(), k.splat(k.sub(end, start)));
      columns.push_back(column);
    }
    return columns;
  }

  /// Whole column tiles, then one that is masked.
  void forColumns(Value first, Value last, function_ref<void(ArrayRef<TileColumn>)> body) {
    Value step = k.index(columnStep);
    Value whole = k.mul(k.divide(k.maximum(k.sub(last, first), k.index(0)), step), step), end = k.add(first, whole);
    k.loopDo(first, end, step, [&](Value column) { body(columnsAt(column, {})); });
    Value hasTail = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, end, last);
    auto tail = scf::IfOp::create(k.b, k.loc, hasTail, false);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPoint(tail.thenBlock()->getTerminator());
    body(columnsAt(end, last));
  }

  bool rowsAreWhole() const { return c.rows.isConstant() && c.rows.constant() % tile.rows == 0; }

  void writeTile(ArrayRef<Index> outer, Value firstRow, ArrayRef<TileColumn> columns) {
    ElementCode::Scope scope(code);
    SmallVector<Index> rows;
    Value lastRow = rowsAreWhole() ? Value() : k.sub(k.dim(c.rows), k.index(1));
    for (int64_t i = 0; i < tile.rows; ++i) {
      Value row = k.add(firstRow, k.index(i));
      rows.push_back(k.uniform(i && lastRow ? k.minimum(row, lastRow) : row));
    }
    Value zero = zeroOf(k, dsc::getElementType(hero->getResult(0)));
    SmallVector<Value> sums(tile.rows * columns.size(), k.lift(zero));
    [[maybe_unused]] size_t count = sums.size();
    sums = c.accumulate(outer, rows, columns, std::move(sums));
    assert(sums.size() == count && "a contraction hands back the sums that it was given");
    for (int64_t i = 0; i < tile.rows; ++i) {
      if (i == 0 || !lastRow) {
        storeRow(outer, rows[i], columns, ArrayRef(sums).slice(i * columns.size(), columns.size()));
        continue;
      }
      Value row = k.add(firstRow, k.index(i));
      Value exists = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::sle, row, lastRow);
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

LogicalResult emitTiles(Kernel &kernel) {
  simplifySpatialDims(kernel.group);
  Operation *hero = findContraction(kernel.group);
  assert(hero && "tiles are scheduled for products and convolutions");
  KernelBuilder &k = kernel.k;
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  k.width = chooseWidth(kernel.target, dims.back());
  ElementCode code(k);
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  Contraction contraction = conv ? contractionOf(code, conv) : contractionOf(code, cast<dsc::MatmulOp>(hero));
  // The dims may have been joined since the schedule was made.
  TileShape tile = chooseTile(kernel.target, contraction.rows, contraction.columns, k.width);
  TileWriter(kernel, code, std::move(contraction), hero, tile).write();
  return kernel.finish();
}

} // namespace dscc::kernels
