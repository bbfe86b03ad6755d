#include "passes/kernels/cuda/BulkStore.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/cuda/Lanes.h"
#include "passes/kernels/cuda/MatrixForm.h"
#include "passes/kernels/cuda/Wgmma.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

/// Neighbours of a row that a lane has in a fragment.
static constexpr int64_t pairLanes = 2;

Verdict BulkStore::accepts(dsc::GroupOp group, Operation *hero, int64_t columns) {
  Value root = rootOf(group);
  if (getStorageType(dsc::getElementType(root)).getIntOrFloatBitWidth() != 8 * elementBytes)
    return Verdict::declined("the result's elements do not have 16 bits");
  auto isHero = [&](Value value) { return value == hero->getResult(0); };
  if (Verdict whole = storesWholeLanes(group, 0, dsc::getDims(root).size() - 1, pairLanes, isHero); !whole)
    return whole;
  OperandMap map;
  return mapResult(group, hero, boxRows, boxColumns(columns), map);
}

BulkStore::BulkStore(Kernel &kernel, ElementCode &code, const MatrixView &view, Operation *hero, int64_t tileColumns,
                     int64_t blocks, Value memory, Value group)
    : k(kernel.k), code(code), view(view), hero(hero), root(rootOf(kernel.group)), columns(boxColumns(tileColumns)),
      tileBoxes(blocks * (tileColumns / columns)), memory(memory) {
  Verdict mapped = mapResult(kernel.group, hero, boxRows, columns, map);
  assert(mapped && "the schedule is allowed");
  (void)mapped;
  mapPointer = map.add(kernel);
  Type i32 = k.b.getI32Type();
  // Barrier 0 is all threads'.
  barrier = k.add(group, k.index(1));
  barrier = arith::IndexCastOp::create(k.b, k.loc, i32, barrier);
  Value thread = k.remainder(kernel.thread, k.index(threadsOfWarpgroup));
  isLeader = LaneMath{k}.compare(arith::CmpIPredicate::eq, thread, k.index(0));
  Value lane = k.remainder(thread, k.index(lanesOfWarp));
  Value warpRow = k.mul(k.divide(thread, k.index(lanesOfWarp)), k.index(MatrixForm::rows));
  ownRow = k.add(warpRow, k.divide(lane, k.index(4)));
  ownColumn = k.mul(k.remainder(lane, k.index(4)), k.index(pairLanes));
  // Lanes 8 i to 8 i + 7 hand the addresses of lines to the i-th of four matrices of 8 x 8: the upper rows, the lower
  // ones, and the same of the next eight columns.
  Value line = k.add(warpRow, k.remainder(lane, k.index(MatrixForm::rows)));
  ownChunk = k.divide(lane, k.index(MatrixForm::rows));
  lineStart = k.mul(line, k.index(map.lineBytes));
  key = k.remainder(k.divide(line, k.index(128 / map.lineBytes)), k.index(map.lineBytes / 16));
}

void BulkStore::meet() {
  NVVM::BarrierOp::create(k.b, k.loc, Type(), barrier, k.constantInt(k.b.getI32Type(), threadsOfWarpgroup),
                          NVVM::BarrierReductionAttr(), Value());
}

void BulkStore::byLeader(function_ref<void()> body) { code.doIf(isLeader, body); }

/// Two neighbours of the result, as 32 bits.
Value BulkStore::pairOf(ArrayRef<Value> outer, Value row, Value column, Value low, Value high) {
  Value pair, sums = LLVM::PoisonOp::create(k.b, k.loc, VectorType::get({pairLanes}, k.b.getF32Type()));
  for (auto [i, sum] : {std::pair(0, low), std::pair(1, high)})
    sums = LLVM::InsertElementOp::create(k.b, k.loc, sums, sum, k.constantInt(k.b.getI32Type(), i));
  k.withLanes(pairLanes, [&] {
    ElementCode::Scope scope(code);
    Indices at = view.resultAt(outer, row, laneIndex(column, pairLanes));
    code.bind(hero->getResult(0), sums);
    pair = k.toStorage(k.splat(code.element(root, at)), dsc::getElementType(root));
  });
  return LLVM::BitcastOp::create(k.b, k.loc, k.b.getI32Type(), pair);
}

void BulkStore::store(ArrayRef<Value> outer, Value row, Value column, ArrayRef<Value> sums) {
  // What other tensors have beyond the last row or column is not asked for: a copy of the last one's is.
  auto existing = [&](Value place, const DimExpr &size, int64_t tile, int64_t atOnce) {
    return DimExpr::exactDiv(size, tile) ? place : k.minimum(place, k.sub(k.dim(size), k.index(atOnce)));
  };
  Value rows[] = {existing(k.add(row, ownRow), view.rows, boxRows, 1),
                  existing(k.add(row, k.add(ownRow, k.index(8))), view.rows, boxRows, 1)};
  for (int64_t first = 0; first < int64_t(sums.size()) * 2; first += columns) {
    // All of a box's first, so that its loads are under way together.
    SmallVector<Value> pairs;
    for (int64_t form = first; form < first + columns; form += MatrixForm::columns) {
      Value place = existing(k.add(column, k.add(ownColumn, k.index(form))), view.columns, columns, pairLanes);
      for (int64_t half = 0; half < 2; ++half) {
        size_t sum = form / MatrixForm::columns * MatrixForm::perLane + half * pairLanes;
        pairs.push_back(pairOf(outer, rows[half], place, sums[sum], sums[sum + 1]));
      }
    }
    Value box =
        k.elementAddress(memory, k.b.getI8Type(), k.index(int64_t(number++ % numBoxes) * boxRows * map.lineBytes));
    // Whatever copied this box before has read it: the copy before the last one, or, where a tile has an odd number of
    // boxes, maybe the last one of the tile before.
    uint32_t pending = tileBoxes % numBoxes == 0 ? numBoxes - 1 : 0;
    byLeader([&] { NVVM::CpAsyncBulkWaitGroupOp::create(k.b, k.loc, pending, k.b.getUnitAttr()); });
    meet();
    for (int64_t two = 0; two < columns; two += 2 * MatrixForm::columns) {
      Value chunk = k.add(ownChunk, k.index(two * elementBytes / 16));
      chunk = k.b.createOrFold<arith::XOrIOp>(k.loc, chunk, key);
      Value place = k.elementAddress(box, k.b.getI8Type(), k.add(lineStart, k.mul(chunk, k.index(16))));
      NVVM::StMatrixOp::create(k.b, k.loc, place, ValueRange(pairs).slice(two / MatrixForm::columns * 2, 4),
                               NVVM::MMALayout::row, NVVM::LdStMatrixShapeAttr::get(k.b.getContext(), 8, 8),
                               NVVM::LdStMatrixEltType::B16);
    }
    NVVM::FenceProxyOp::create(k.b, k.loc, NVVM::ProxyKind::async_shared,
                               NVVM::SharedSpaceAttr::get(k.b.getContext(), NVVM::SharedSpace::shared_cta));
    meet();
    byLeader([&] {
      NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(
          k.b, k.loc, mapPointer, box,
          map.coordinates(k, {SmallVector<Value>(outer), row, k.add(column, k.index(first))}), Value(),
          NVVM::TMAStoreMode::TILE, Value());
      NVVM::CpAsyncBulkCommitGroupOp::create(k.b, k.loc);
    });
  }
}

void BulkStore::finish() {
  byLeader([&] { NVVM::CpAsyncBulkWaitGroupOp::create(k.b, k.loc, 0, UnitAttr()); });
}

} // namespace dscc::kernels
