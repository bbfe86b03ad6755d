#include "passes/kernels/cuda/WarpgroupWriter.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/ColumnVectors.h"
#include "passes/kernels/cuda/CopyRing.h"
#include "passes/kernels/cuda/MatrixView.h"
#include "passes/kernels/cuda/OperandMaps.h"
#include "passes/kernels/cuda/TileStore.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

WarpgroupLayout::WarpgroupLayout(dsc::GroupOp group, Operation *hero, const WarpgroupTile &tile) {
  int64_t ring = std::max(tile.stages * tile.slotBytes(), tile.cluster ? tile.sumBytes() : 0);
  isBulk = tile.parts == 1 && BulkStore::accepts(group, hero, tile.columns);
  int64_t slabs = tile.consumers() / lanesOfWarp * Slab::elements(tile.slabColumns()) * int64_t(sizeof(float));
  int64_t ways = tile.cluster ? 0 : isBulk ? tile.warpgroups * BulkStore::sharedBytes(tile.columns) : slabs;
  // Sums of parts leave as they are, or go to other blocks first.
  if (tile.parts == 1)
    vectors = findColumnVectors(group);
  vectorTiles = tile.persistent ? 2 : 1;
  out = ring;
  columnVectors = out + ways;
  barriers = columnVectors + vectorTiles * ColumnVectors::bytesOf(vectors, tile.columns);
  vectorBarriers = barriers + CopyRing::bytesOfBarriers(tile.stages);
  total = vectorBarriers + (vectors.empty() ? 0 : CopyRing::bytesOfBarriers(vectorTiles));
}

namespace {
class WarpgroupTileWriter {
public:
  WarpgroupTileWriter(Kernel &kernel, ElementCode &code, WarpgroupTile tile, Operation *hero)
      : kernel(kernel), k(kernel.k), code(code), tile(tile), hero(hero), layout(kernel.group, hero, tile),
        view(matrixViewOf(code, hero)), form(*findWgmmaForm(dsc::getElementType(hero->getOperand(0)))) {}

  void write();

private:
  using Values = SmallVector<Value>;
  /// Where a tile begins.
  struct TilePlace {
    Values outer;
    Value row, column;
  };

  /// Where a thread is in the rings of slices and of vectors.
  struct Places {
    RingPlace slices, vectors;
  };

  void mapOperands();
  void shareMemory();
  void shareSlices();
  TilePlace placeOf(Value number);
  void forEachTile(function_ref<Places(const TilePlace &, Places)> body);
  Places copyTile(const TilePlace &place, Places at);
  RingPlace copySlices(const TilePlace &place, RingPlace at);
  Places multiplyTile(const TilePlace &place, Places at);
  RingPlace multiplySlices(RingPlace at, Values &sums);
  Value teamMask();
  void storeSums(const TilePlace &place, ArrayRef<Value> sums);
  void shareSums(ArrayRef<Value> sums);
  void joinCluster();
  Value at(int64_t offset) { return k.elementAddress(memory, k.b.getI8Type(), k.index(offset)); }
  Value firstRowOfWarp();

  Kernel &kernel;
  KernelBuilder &k;
  ElementCode &code;
  WarpgroupTile tile;
  Operation *hero;
  WarpgroupLayout layout;
  MatrixView view;
  const WgmmaForm &form;
  OperandMap maps[2];
  Value mapPointers[2];
  std::optional<CopyRing> ring;
  std::optional<BulkStore> bulkStore;
  std::optional<ColumnVectors> vectors;
  Value memory, lane, warp, group, from, to;
  Value inTeam; // this block's number among those that copy columns together; an i32
  DimExpr rowTiles, columnTiles, tiles;
};
} // namespace

void WarpgroupTileWriter::mapOperands() {
  for (auto [i, places] : {std::pair(0, tile.rows), std::pair(1, tile.columnsOfCopy())}) {
    Verdict mapped = mapOperand(hero, i == 0, places, form.slice(), maps[i]);
    assert(mapped && "the schedule is allowed");
    (void)mapped;
    mapPointers[i] = maps[i].add(kernel);
  }
}

void WarpgroupTileWriter::shareMemory() {
  memory = askForShared(k);
  if (layout.isBulk) {
    Value own = k.add(k.index(layout.out), k.mul(group, k.index(BulkStore::sharedBytes(tile.columns))));
    bulkStore.emplace(kernel, code, view, hero, tile.columns, tile.blocksOfGroup(),
                      k.elementAddress(memory, k.b.getI8Type(), own), group);
  }
  if (!layout.vectors.empty())
    vectors.emplace(kernel, layout.vectors, tile.columns, layout.vectorTiles, at(layout.columnVectors),
                    at(layout.vectorBarriers));
  ring.emplace(CopyRing{k, tile.slotBytes(), tile.stages, memory, at(layout.barriers)});
  if (tile.multicast == 1)
    return;
  Value number = blockOfCluster(k);
  inTeam = arith::RemUIOp::create(k.b, k.loc, number, k.constantInt(k.b.getI32Type(), tile.multicast));
  ring->team = {tile.multicast, k.sub(number, inTeam)};
}

/// Which slices are this block's.
void WarpgroupTileWriter::shareSlices() {
  DimExpr slices = countSlices(hero, form.slice());
  from = k.index(0);
  to = k.dim(slices);
  if (tile.parts == 1)
    return;
  Value share = k.dim(DimExpr::ceilDiv(slices, tile.parts));
  from = k.minimum(to, k.mul(blockAlongY(k), share));
  to = k.minimum(to, k.add(from, share));
}

void WarpgroupTileWriter::write() {
  // Whole clusters: a block whose rows do not exist copies columns for the others.
  rowTiles = DimExpr::ceilDiv(view.rows, tile.rows * tile.multicast) * tile.multicast;
  columnTiles = DimExpr::ceilDiv(view.columns, tile.columns);
  tiles = dsc::countElements(view.outer) * rowTiles * columnTiles;
  int64_t most = kernel.target.gpu->multiprocessors / tile.multicast * tile.multicast;
  kernel.grid = tile.persistent ? DimExpr::min(tiles, most) : tiles;
  kernel.gridY = tile.parts;
  kernel.cluster = {tile.multicast, tile.cluster ? tile.parts : 1, 1};
  kernel.threads = tile.threads();
  kernel.shared = layout.total;
  lane = k.remainder(kernel.thread, k.index(lanesOfWarp));
  warp = k.divide(kernel.thread, k.index(lanesOfWarp));
  group = k.divide(kernel.thread, k.index(threadsOfWarpgroup));
  mapOperands();
  shareMemory();
  shareSlices();
  auto is = [&](arith::CmpIPredicate predicate, int64_t thread) {
    return LaneMath{k}.compare(predicate, kernel.thread, k.index(thread));
  };
  bool isCluster = tile.blocksOfCluster() > 1;
  k.doIf(is(arith::CmpIPredicate::eq, 0), [&] {
    int64_t warps = tile.consumers() / lanesOfWarp;
    ring->initialize(warps);
    if (vectors)
      vectors->initialize(warps);
  });
  // Others arrive at this block's barriers only where they copy together.
  if (tile.multicast > 1)
    crossCluster(k);
  else
    NVVM::Barrier0Op::create(k.b, k.loc);
  code.doIf(is(arith::CmpIPredicate::uge, tile.consumers()), [&] {
    code.doIf(is(arith::CmpIPredicate::eq, tile.consumers()),
              [&] { forEachTile([&](const TilePlace &place, Places at) { return copyTile(place, at); }); });
    // The others of its warp stay with it, whatever comes next.
    NVVM::SyncWarpOp::create(k.b, k.loc, k.constantInt(k.b.getI32Type(), -1));
  });
  code.doIf(is(arith::CmpIPredicate::ult, tile.consumers()), [&] {
    forEachTile([&](const TilePlace &place, Places at) { return multiplyTile(place, at); });
    if (bulkStore)
      bulkStore->finish();
  });
  if (tile.cluster)
    joinCluster();
  // Nobody leaves while another one reads its memory, or arrives at its barriers.
  if (isCluster)
    crossCluster(k);
}

WarpgroupTileWriter::TilePlace WarpgroupTileWriter::placeOf(Value number) {
  // Blocks that follow each other share columns: of both operands the columns' one is the larger as a rule.
  Values place = k.delinearize(number, {number, k.dim(columnTiles), k.dim(rowTiles)});
  Values sizes = llvm::map_to_vector(view.outer, [&](const DimExpr &dim) { return k.dim(dim); });
  return {sizes.empty() ? Values{} : k.delinearize(place[0], sizes), k.mul(place[2], k.index(tile.rows)),
          k.mul(place[1], k.index(tile.columns))};
}

/// Calls `body` for this block's tiles, from one place in the rings to the next.
void WarpgroupTileWriter::forEachTile(function_ref<Places(const TilePlace &, Places)> body) {
  Places begin = {ring->begin(), ring->begin()};
  if (!tile.persistent) {
    body(placeOf(kernel.block), begin);
    return;
  }
  k.loop(kernel.block, k.dim(tiles), k.dim(kernel.grid),
         {begin.slices.slot, begin.slices.phase, begin.vectors.slot, begin.vectors.phase},
         [&](Value number, ValueRange carried) {
           ElementCode::Scope scope(code);
           Places end = body(placeOf(number), {{carried[0], carried[1]}, {carried[2], carried[3]}});
           return Values{end.slices.slot, end.slices.phase, end.vectors.slot, end.vectors.phase};
         });
}

//===-- The producer -------------------------------------------------------------------------------------------===//

/// A bit for each block of the cluster that copies with this one.
Value WarpgroupTileWriter::teamMask() {
  Type i16 = k.b.getIntegerType(16);
  Value all = k.constantInt(i16, (1 << tile.multicast) - 1);
  if (!tile.cluster)
    return all;
  return arith::ShLIOp::create(k.b, k.loc, all, arith::TruncIOp::create(k.b, k.loc, i16, ring->team.first));
}

WarpgroupTileWriter::Places WarpgroupTileWriter::copyTile(const TilePlace &place, Places at) {
  if (!vectors)
    return {copySlices(place, at.slices), at.vectors};
  vectors->copy(place.column, at.vectors);
  return {copySlices(place, at.slices), vectors->next(at.vectors)};
}

RingPlace WarpgroupTileWriter::copySlices(const TilePlace &place, RingPlace at) {
  Values end = k.loop(from, to, k.index(1), {at.slot, at.phase}, [&](Value slice, ValueRange carried) {
    RingPlace here{carried[0], carried[1]};
    Value full = ring->fill(here), address = ring->address(here.slot), tap, channels = slice;
    if (isa<dsc::ConvOp>(hero)) {
      Value perTap = k.dim(slicesOfTap(hero, form.slice()));
      tap = k.divide(slice, perTap);
      channels = k.remainder(slice, perTap);
    }
    Value step = k.mul(channels, k.index(form.slice()));
    int64_t offset = 0;
    for (auto [i, map] : llvm::enumerate(maps))
      for (int64_t copy = 0; copy < map.copies; ++copy) {
        bool isTogether = i == 1 && tile.multicast > 1;
        Value first = k.add(i == 0 ? place.row : place.column, k.index(copy * map.placesOfCopy)),
              begin = k.index(offset);
        if (isTogether) {
          Value own = arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), inTeam);
          own = k.mul(own, k.index(tile.columnsOfCopy()));
          first = k.add(first, own);
          begin = k.add(begin, k.mul(own, k.index(WarpgroupTile::lineBytes)));
        }
        Value target = anywhereInCluster(k, k.elementAddress(address, k.b.getI8Type(), begin));
        BoxPlace box{place.outer, first, step, tap};
        auto mode = map.pixels.empty() ? NVVM::TMALoadMode::TILE : NVVM::TMALoadMode::IM2COL;
        NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
            k.b, k.loc, target, mapPointers[i], map.coordinates(k, box), full, map.offsets(k, box),
            isTogether ? teamMask() : Value(), Value(), mode, false, NVVM::CTAGroupKindAttr(), Value());
        offset += map.placesOfCopy * WarpgroupTile::lineBytes;
      }
    RingPlace next = ring->next(here);
    return Values{next.slot, next.phase};
  });
  return {end[0], end[1]};
}

//===-- The consumers ------------------------------------------------------------------------------------------===//

WarpgroupTileWriter::Places WarpgroupTileWriter::multiplyTile(const TilePlace &place, Places at) {
  Values sums;
  RingPlace slices = multiplySlices(at.slices, sums);
  // Of the last slice, if there is one and somebody waits for its slot.
  if (tile.persistent)
    code.doIf(LaneMath{k}.compare(arith::CmpIPredicate::slt, from, to),
              [&] { ring->leave(ring->before(slices.slot), lane); });
  if (tile.cluster) {
    shareSums(sums);
    return {slices, at.vectors};
  }
  if (!vectors) {
    storeSums(place, sums);
    return {slices, at.vectors};
  }
  vectors->read(place.column, at.vectors, [&] { storeSums(place, sums); });
  if (tile.persistent)
    vectors->leave(at.vectors, lane);
  return {slices, vectors->next(at.vectors)};
}

RingPlace WarpgroupTileWriter::multiplySlices(RingPlace begin, Values &sums) {
  int64_t slice = form.slice(), count = tile.sumsOfThread();
  Value own = k.mul(group, k.index(tile.blocksOfGroup() * maps[0].blockBytes(slice)));
  Value lhs = advanceDescriptor(k, describeOperand(k, maps[0], slice, memory), own);
  Value rhs = describeOperand(k, maps[1], slice, at(tile.rows * WarpgroupTile::lineBytes));
  Values carried(count, k.constant(k.b.getF32Type(), 0));
  carried.append({begin.slot, begin.phase});
  carried = k.loop(from, to, k.index(1), carried, [&](Value number, ValueRange values) {
    Values sums(values.take_front(count));
    RingPlace here{values[count], values[count + 1]};
    ring->waitFull(here);
    Value offset = k.mul(here.slot, k.index(tile.slotBytes()));
    multiplySlice(k, form, {maps[0], maps[1], advanceDescriptor(k, lhs, offset), advanceDescriptor(k, rhs, offset)},
                  tile.columns, /*pending=*/1, sums);
    // The products of the slice before are done.
    code.doIf(LaneMath{k}.compare(arith::CmpIPredicate::ne, number, from),
              [&] { ring->leave(ring->before(here.slot), lane); });
    RingPlace next = ring->next(here);
    sums.append({next.slot, next.phase});
    return sums;
  });
  sums.assign(carried.begin(), carried.begin() + count);
  waitForProducts(k, sums);
  return {carried[count], carried[count + 1]};
}

//===-- The way out --------------------------------------------------------------------------------------------===//

/// Of the first 64 rows that its warpgroup has, counted from the tile's first.
Value WarpgroupTileWriter::firstRowOfWarp() {
  Value row = k.mul(warp, k.index(MatrixForm::rows));
  if (tile.blocksOfGroup() == 1)
    return row;
  return k.add(k.mul(group, k.index(tile.rowsOfGroup())), k.remainder(row, k.index(WgmmaForm::rows)));
}

void WarpgroupTileWriter::storeSums(const TilePlace &place, ArrayRef<Value> sums) {
  int64_t perBlock = tile.columns / 2;
  if (bulkStore) {
    Value row = k.add(place.row, k.mul(group, k.index(tile.rowsOfGroup())));
    for (int64_t block = 0; block < tile.blocksOfGroup(); ++block)
      bulkStore->store(place.outer, k.add(row, k.index(block * WgmmaForm::rows)), place.column,
                       sums.slice(block * perBlock, perBlock));
    return;
  }
  TileStore store(kernel, code, view, hero, tile.kernels() > 1);
  store.outer = place.outer;
  int64_t columns = tile.slabColumns(), perSlab = columns / 2;
  Value slabs = at(layout.out), own = k.mul(warp, k.index(Slab::elements(columns)));
  Value row = k.add(place.row, firstRowOfWarp());
  for (int64_t block = 0; block < tile.blocksOfGroup(); ++block)
    for (int64_t column = 0; column < tile.columns; column += columns)
      store.storeSlab(slabs, own, lane, columns, sums.slice(block * perBlock + column / 2, perSlab),
                      k.add(row, k.index(block * WgmmaForm::rows)), k.add(place.column, k.index(column)));
}

/// Puts the sums where slices have been, for the other blocks of the cluster.
void WarpgroupTileWriter::shareSums(ArrayRef<Value> sums) {
  // Other warpgroups may still read slices.
  Type i32 = k.b.getI32Type();
  NVVM::BarrierOp::create(k.b, k.loc, Type(), k.constantInt(i32, 1), k.constantInt(i32, tile.consumers()),
                          NVVM::BarrierReductionAttr(), Value());
  int64_t perBlock = tile.columns / 2, pitch = Slab::pitch(tile.columns);
  for (int64_t block = 0; block < tile.blocksOfGroup(); ++block)
    storeForms(k, memory, k.mul(k.add(firstRowOfWarp(), k.index(block * WgmmaForm::rows)), k.index(pitch)), lane, pitch,
               tile.columns / MatrixForm::columns, sums.slice(block * perBlock, perBlock));
}

/// All threads of all blocks of the cluster add up some rows each.
void WarpgroupTileWriter::joinCluster() {
  crossCluster(k);
  TilePlace place = placeOf(kernel.block);
  TileStore store(kernel, code, view, hero, /*toWorkspace=*/false);
  store.outer = place.outer;
  store.joinCluster(memory, tile.rows, tile.columns, place.row, place.column);
}

void writeWarpgroupTiles(Kernel &kernel, ElementCode &code, const WarpgroupTile &tile, Operation *hero) {
  WarpgroupTileWriter(kernel, code, tile, hero).write();
}

} // namespace dscc::kernels
