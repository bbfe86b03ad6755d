#include "passes/kernels/cuda/TileStore.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/Lanes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

/// How many neighbours along a row a lane handles at once, if it can.
static constexpr int64_t wholeLanes = 8;

TileStore::TileStore(Kernel &kernel, ElementCode &code, const MatrixView &view, Operation *hero, bool toWorkspace)
    : kernel(kernel), k(kernel.k), code(code), view(view), hero(hero), toWorkspace(toWorkspace),
      root(rootOf(kernel.group)),
      strides(toWorkspace ? k.rowMajorStrides(dsc::getDims(hero->getResult(0))) : kernel.resultStrides()),
      lanes(hasWholeLanes() ? wholeLanes : 1) {}

/// Whether lanes along the columns are neighbours in memory, aligned as a whole, in every tensor that has columns.
bool TileStore::hasWholeLanes() {
  auto isHero = [&](Value value) { return value == hero->getResult(0); };
  return view.columnsAreLast && storesWholeLanes(kernel.group, 0, dsc::getDims(root).size() - 1, wholeLanes, isHero);
}

void TileStore::storeSlab(Value memory, Value first, Value lane, int64_t columns, ArrayRef<Value> sums, Value row,
                          Value column) {
  forEachOfSlab(k, {memory, first, lane, columns, lanes}, sums, [&](Value slabRow, Value slabColumn, Value sum) {
    storeIfThere(k.add(row, slabRow), k.add(column, slabColumn), sum);
  });
}

void TileStore::storeIfThere(Value row, Value column, Value sum) {
  auto below = [&](Value a, const DimExpr &b) { return LaneMath{k}.compare(arith::CmpIPredicate::slt, a, k.dim(b)); };
  ElementCode::Scope scope(code);
  code.doIf(arith::AndIOp::create(k.b, k.loc, below(row, view.rows), below(column, view.columns)),
            [&] { k.withLanes(lanes, [&] { storeLanes(row, laneIndex(column, lanes), sum); }); });
}

void TileStore::joinCluster(Value memory, int64_t rows, int64_t columns, Value firstRow, Value firstColumn) {
  Type f32 = k.b.getF32Type();
  int64_t pitch = Slab::pitch(columns), perRow = columns / lanes, parts = kernel.gridY;
  // Blocks along y that are at the same place along x.
  int64_t apart = kernel.cluster[0];
  Type i32 = k.b.getI32Type();
  Value firstBlock = k.constantInt(i32, 0);
  if (apart > 1)
    firstBlock = arith::RemUIOp::create(k.b, k.loc, blockOfCluster(k), k.constantInt(i32, apart));
  Type type = lanes == 1 ? f32 : Type(VectorType::get({lanes}, f32));
  Value firstOwn = k.mul(blockAlongY(k), k.index(rows / parts));
  k.loopDo(kernel.thread, k.index(rows / parts * perRow), k.index(kernel.threads), [&](Value number) {
    ElementCode::Scope scope(code);
    Value row = k.add(firstOwn, k.divide(number, k.index(perRow)));
    Value column = k.mul(k.remainder(number, k.index(perRow)), k.index(lanes));
    Value place = k.elementAddress(memory, f32, k.add(k.mul(row, k.index(pitch)), column)), sum;
    for (int64_t block = 0; block < parts; ++block) {
      Value part = LLVM::LoadOp::create(
          k.b, k.loc, type, inBlockOfCluster(k, place, k.add(firstBlock, k.constantInt(i32, block * apart))),
          lanes == 1 ? 4u : 16u);
      sum = sum ? Value(arith::AddFOp::create(k.b, k.loc, sum, part)) : part;
    }
    storeIfThere(k.add(firstRow, row), k.add(firstColumn, column), sum);
  });
}

void TileStore::storeLanes(Value row, const Index &column, Value sum) {
  Indices at = view.resultAt(outer, row, column);
  if (toWorkspace) {
    Value count = k.dim(dsc::countElements(dsc::getDims(hero->getResult(0))));
    Value ownPart = k.advance(kernel.workspace, k.b.getF32Type(), blockAlongY(k), count);
    k.storeElement(ownPart, k.b.getF32Type(), strides, at, sum);
    return;
  }
  code.bind(hero->getResult(0), sum);
  k.storeElement(kernel.result(), dsc::getElementType(root), strides, at, code.element(root, at));
}

} // namespace dscc::kernels
