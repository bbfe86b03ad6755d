// Attention in one kernel: a block has some rows, its warps 16 each, and goes over the keys a tile of columns at a
// time.
//
//     q fragments in registers, once
//     for each tile of keys:   k, v ──cp.async──► rings
//         s = q k              sums of matrix instructions
//         s = f(s)             the group's code, an element at a time
//         m' = max(m, s)       of each row: four lanes have parts of it
//         p = 2^(s - m'), l = l 2^(m - m') + p, o = o 2^(m - m')
//         o += p v             p goes from sums to fragments without leaving its lane
//     o / l                    by way of shared memory, as any product's tile
//
// A row of which all scores so far are -infinity has m' = -infinity, and is computed as if it were 0: what comes later
// finds l = 0. If nothing comes, 0 / 0 is the NaN that a softmax of such a row is, unless the group wants 0 there.

//
// Several blocks may have a part of the keys each (split-KV): each comes to an m, an l and an o of its own, unless it
// has no key. Whoever joins them scales all to the largest m.

#include "passes/kernels/cuda/FlashWriter.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Lay.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/Lanes.h"
#include "passes/kernels/cuda/MatrixView.h"
#include "passes/kernels/cuda/OperandRing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

/// By which a row's sums are multiplied, of which `all` is the sum of exponentials.
static Value shareOfWeights(KernelBuilder &k, Attention &attention, const DimExpr &columns, Value all) {
  Type f32 = k.b.getF32Type();
  Value share = arith::DivFOp::create(k.b, k.loc, k.constant(f32, 1), all), none = k.constant(f32, 0);
  if (attention.hiddenIsZero)
    share = arith::SelectOp::create(k.b, k.loc, arith::CmpFOp::create(k.b, k.loc, arith::CmpFPredicate::OEQ, all, none),
                                    none, share);
  // A sum of no products at all is 0.
  if (!columns.isConstant())
    share = arith::SelectOp::create(
        k.b, k.loc, LaneMath{k}.compare(arith::CmpIPredicate::eq, k.dim(columns), k.index(0)), none, share);
  return share;
}

namespace {
class FlashWriter {
public:
  FlashWriter(Kernel &kernel, ElementCode &code, Attention attention, FlashTile tile)
      : kernel(kernel), k(kernel.k), code(code), attention(std::move(attention)), tile(tile), m{k},
        scores(matrixViewOf(code, attention.scores)), mix(matrixViewOf(code, attention.mix)),
        form(*findMatrixForm(dsc::getElementType(attention.scores.getLhs()))), f32(k.b.getF32Type()) {}

  void write();

private:
  using Values = SmallVector<Value>;
  /// What a lane keeps of its two rows from one tile to the next.
  struct State {
    Values mixed;    // sums of the result
    Value most[2];   // the largest score so far, times log2(e)
    Value weight[2]; // the sum of this lane's exponentials

    Values pack() const;
    static State unpack(ValueRange values);
  };

  OperandView exchanged(const OperandView &view);
  Values loadQueries(Value memory);
  Values loop(ArrayRef<Value> queries, OperandRing &keys, OperandRing &values, Value from, Value to);
  void addTile(State &state, ArrayRef<Value> queries, OperandRing &keys, OperandRing &values, Value slot, Value step);
  Values scoresOfTile(ArrayRef<Value> queries, OperandRing &keys, Value slot, Value step);
  Value scoreOf(Value sum, Value row, Value column);
  void rescale(State &state, MutableArrayRef<Value> sums);
  Value acrossRow(Value value, function_ref<Value(Value, Value)> join);
  Value exp2(Value value) { return LLVM::Exp2Op::create(k.b, k.loc, f32, value); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(k.b, k.loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(k.b, k.loc, a, b); }
  Value plus(Value a, Value b) { return arith::AddFOp::create(k.b, k.loc, a, b); }
  Value pack(Value low, Value high);
  void store(State state);
  void joinCluster(State &state);
  void storePart(State &state);
  Value shareOf(Value all) { return shareOfWeights(k, attention, scores.columns, all); }
  int64_t lanesOfStores();
  void storeIfThere(Value row, Value column, int64_t lanes, Value sum);
  Value isBelow(Value a, const DimExpr &b) { return m.compare(arith::CmpIPredicate::slt, a, k.dim(b)); }
  Value advance(Value pointer, int64_t bytes) {
    return LLVM::GEPOp::create(k.b, k.loc, pointer.getType(), k.b.getI8Type(), pointer,
                               ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
  }

  Kernel &kernel;
  KernelBuilder &k;
  ElementCode &code;
  Attention attention;
  FlashTile tile;
  LaneMath m;
  MatrixView scores, mix;
  const MatrixForm &form;
  Type f32;
  Values outer;
  Value shared, firstRow, lane, warp, warpRow;
};
} // namespace

FlashWriter::Values FlashWriter::State::pack() const {
  Values all(mixed);
  all.append({most[0], most[1], weight[0], weight[1]});
  return all;
}

FlashWriter::State FlashWriter::State::unpack(ValueRange values) {
  size_t sums = values.size() - 4;
  return {Values(values.take_front(sums)), {values[sums], values[sums + 1]}, {values[sums + 2], values[sums + 3]}};
}

/// The view of an operand whose tiles follow each other along its places, not along the inner dim.
OperandView FlashWriter::exchanged(const OperandView &view) {
  OperandView other = view;
  other.alongInner = !view.alongInner;
  other.element = [element = view.element](ArrayRef<Value> outer, Value place, Value step) {
    return element(outer, step, place);
  };
  if (view.pieces) {
    Pieces pieces = *view.pieces;
    other.pieces = Pieces{[pieces](ArrayRef<Value>, Value place) { return pieces.atStep(place); },
                          [pieces, outer = outer](Value step) { return pieces.atPlace(outer, step); },
                          [pieces](ArrayRef<Value> place, ArrayRef<Value> step) { return pieces.address(step, place); },
                          nullptr,
                          pieces.stepStride,
                          pieces.placeStride};
    assert(!pieces.exists && "all of a product's operand is there");
  }
  return other;
}

void FlashWriter::write() {
  DimExpr rowTiles = DimExpr::ceilDiv(scores.rows, tile.rows);
  kernel.threads = tile.threads();
  kernel.grid = dsc::countElements(scores.outer) * rowTiles;
  Values place = k.delinearize(kernel.block, {kernel.block, k.dim(rowTiles)});
  Values sizes = llvm::map_to_vector(scores.outer, [&](const DimExpr &dim) { return k.dim(dim); });
  outer = sizes.empty() ? Values{} : k.delinearize(place[0], sizes);
  firstRow = k.mul(place[1], k.index(tile.rows));
  lane = k.remainder(kernel.thread, k.index(lanesOfWarp));
  warp = k.divide(kernel.thread, k.index(lanesOfWarp));
  warpRow = k.mul(warp, k.index(MatrixForm::rows));
  shared = declareShared(k, "tiles", k.b.getI8Type(), tile.sharedBytes(), 128);

  OperandView keyView = exchanged(scores.rhs);
  RingShape shape{tile.columns, tile.stages, tile.threads(),
                  tile.columns * (tile.head + tile.mixed) * FlashTile::bytes};
  Value zero = k.index(0), keyMemory = advance(shared, tile.queryBytes());
  OperandRing keys(kernel, keyView, {shape, tile.head, scores.inner, scores.columns}, outer, zero, keyMemory);
  OperandRing values(kernel, mix.rhs, {shape, tile.mixed, mix.columns, mix.inner}, outer, zero,
                     advance(keyMemory, keys.sliceBytes()));
  keys.readFrom(lane, zero, /*isLhs=*/false, scores.rhs.alongInner);
  values.readFrom(lane, zero, /*isLhs=*/false);
  Values queries = loadQueries(shared);
  Value to = k.dim(scores.columns);
  if (tile.parts == 1)
    return store(State::unpack(loop(queries, keys, values, zero, to)));
  kernel.gridY = tile.parts;
  if (tile.cluster)
    kernel.cluster[1] = tile.parts;
  // Whole tiles, so that no tile is of two parts.
  Value share = k.dim(DimExpr::ceilDiv(DimExpr::ceilDiv(scores.columns, tile.columns), tile.parts) * tile.columns);
  Value from = k.mul(blockAlongY(k), share);
  State state = State::unpack(loop(queries, keys, values, from, k.minimum(to, k.add(from, share))));
  if (tile.cluster)
    joinCluster(state);
  else
    storePart(state);
}

/// The fragments of this warp's rows, which stay in registers.
FlashWriter::Values FlashWriter::loadQueries(Value memory) {
  OperandRing queries(kernel, scores.lhs,
                      {{tile.head, 1, tile.threads(), tile.queryBytes()}, tile.rows, scores.rows, scores.inner}, outer,
                      firstRow, memory);
  queries.readFrom(lane, warpRow, /*isLhs=*/true);
  Value zero = k.index(0);
  queries.copy(queries.sourcesOf(zero), zero, zero);
  queries.store(queries.load(zero), zero);
  NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, 0u);
  NVVM::Barrier0Op::create(k.b, k.loc);
  Values fragments;
  for (int64_t step = 0; step < tile.head; step += MatrixForm::inner)
    llvm::append_range(fragments, queries.fragments(zero, 0, step));
  return fragments;
}

FlashWriter::Values FlashWriter::loop(ArrayRef<Value> queries, OperandRing &keys, OperandRing &values, Value from,
                                      Value to) {
  auto bring = [&](const Values &keySources, const Values &valueSources, Value step, Value slot) {
    code.doIf(m.compare(arith::CmpIPredicate::slt, step, to), [&] {
      keys.copy(keySources, step, slot);
      values.copy(valueSources, step, slot);
      for (OperandRing *ring : {&keys, &values})
        ring->store(ring->load(step), slot);
    });
    NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
  };
  const RingShape &shape = keys.shape();
  Values firstKeys = keys.sourcesOf(from), firstValues = values.sourcesOf(from);
  for (int64_t stage = 0; stage + 1 < tile.stages; ++stage)
    bring(keys.advance(firstKeys, stage), values.advance(firstValues, stage),
          k.add(from, k.index(stage * tile.columns)), k.index(shape.slotOf(stage)));
  State state;
  state.mixed.assign(tile.mixed / MatrixForm::columns * MatrixForm::perLane, k.constant(f32, 0));
  for (int64_t i = 0; i < 2; ++i) {
    state.most[i] = k.constant(f32, -INFINITY);
    state.weight[i] = k.constant(f32, 0);
  }
  // The state, the slot that is read and the one before it, and where the tile lies that is copied.
  Values carried = state.pack();
  size_t stateSize = carried.size();
  carried.append({k.index(0), k.index(shape.slotOf(tile.stages - 1))});
  llvm::append_range(carried, keys.advance(firstKeys, tile.stages - 1));
  llvm::append_range(carried, values.advance(firstValues, tile.stages - 1));
  carried = k.loop(from, to, k.index(tile.columns), carried, [&](Value step, ValueRange before) {
    ElementCode::Scope scope(code);
    State own = State::unpack(before.take_front(stateSize));
    // What was read before the barrier is written behind it.
    Value slot = before[stateSize], later = before[stateSize + 1];
    ValueRange sources = before.drop_front(stateSize + 2);
    Values keySources(sources.take_front(firstKeys.size())), valueSources(sources.drop_front(firstKeys.size()));
    NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, uint32_t(tile.stages - 2));
    NVVM::Barrier0Op::create(k.b, k.loc);
    bring(keySources, valueSources, k.add(step, k.index((tile.stages - 1) * tile.columns)), later);
    addTile(own, queries, keys, values, slot, step);
    Values next = own.pack();
    next.append({shape.next(k, slot), slot});
    llvm::append_range(next, keys.advance(keySources, 1));
    llvm::append_range(next, values.advance(valueSources, 1));
    return next;
  });
  carried.resize(stateSize);
  return carried;
}

/// The score of one element, times log2(e): what the group makes of the sum.
Value FlashWriter::scoreOf(Value sum, Value row, Value column) {
  ElementCode::Scope scope(code);
  code.bind(attention.scores.getResult(), sum);
  Value input = attention.softmax.getInput();
  Value score = code.element(input, scores.resultAt(outer, row, k.uniform(column)));
  constexpr double log2OfE = 1.4426950408889634;
  return mul(score, k.constant(f32, log2OfE));
}

FlashWriter::Values FlashWriter::scoresOfTile(ArrayRef<Value> queries, OperandRing &keys, Value slot, Value step) {
  Values sums(tile.columns / MatrixForm::columns * MatrixForm::perLane, k.constant(f32, 0));
  for (int64_t column = 0; column < tile.columns; column += 2 * MatrixForm::columns)
    for (int64_t inner = 0; inner < tile.head; inner += MatrixForm::inner) {
      Values two = keys.fragments(slot, column, inner);
      ArrayRef<Value> query = queries.slice(inner / MatrixForm::inner * 4, 4);
      for (int64_t i = 0; i < 2; ++i) {
        MutableArrayRef<Value> own(sums);
        multiplyForm(k, form, query, ArrayRef(two).slice(2 * i, 2),
                     own.slice((column / MatrixForm::columns + i) * MatrixForm::perLane, MatrixForm::perLane));
      }
    }
  // Rows and columns beyond the last one see the last one's: what they score is never used.
  Value group = k.divide(lane, k.index(4)), pair = k.mul(k.remainder(lane, k.index(4)), k.index(2));
  Value lastRow = k.sub(k.dim(scores.rows), k.index(1)), lastColumn = k.sub(k.dim(scores.columns), k.index(1));
  bool isWhole = DimExpr::exactDiv(scores.columns, tile.columns).has_value();
  Value rows[2];
  for (int64_t half = 0; half < 2; ++half)
    rows[half] = k.minimum(k.add(k.add(firstRow, warpRow), k.add(group, k.index(8 * half))), lastRow);
  for (auto [number, sum] : llvm::enumerate(sums)) {
    int64_t form = number / MatrixForm::perLane, place = number % MatrixForm::perLane;
    Value column = k.add(step, k.add(pair, k.index(form * MatrixForm::columns + place % 2)));
    Value score = scoreOf(sum, rows[place / 2], isWhole ? column : k.minimum(column, lastColumn));
    if (!isWhole)
      score = arith::SelectOp::create(k.b, k.loc, isBelow(column, scores.columns), score, k.constant(f32, -INFINITY));
    sum = score;
  }
  return sums;
}

/// Joins what the four lanes that share a row have.
Value FlashWriter::acrossRow(Value value, function_ref<Value(Value, Value)> join) {
  Type i32 = k.b.getI32Type();
  for (int64_t distance : {1, 2}) {
    Value other = NVVM::ShflOp::create(k.b, k.loc, f32, k.constantInt(i32, -1), value, k.constantInt(i32, distance),
                                       k.constantInt(i32, 31), NVVM::ShflKind::bfly, UnitAttr());
    value = join(value, other);
  }
  return value;
}

/// Takes the new scores' maximum into account, and makes exponentials of them.
void FlashWriter::rescale(State &state, MutableArrayRef<Value> sums) {
  auto larger = [&](Value a, Value b) -> Value { return arith::MaxNumFOp::create(k.b, k.loc, a, b); };
  for (int64_t half = 0; half < 2; ++half) {
    auto isOwn = [&](size_t number) { return int64_t(number % MatrixForm::perLane / 2) == half; };
    Value most = state.most[half];
    Value added = k.constant(f32, 0);
    Value highest;
    for (auto [number, sum] : llvm::enumerate(sums))
      if (isOwn(number))
        highest = highest ? larger(highest, sum) : sum;
    Value next = larger(most, acrossRow(highest, larger));
    Value isNone = arith::CmpFOp::create(k.b, k.loc, arith::CmpFPredicate::OEQ, next, k.constant(f32, -INFINITY));
    Value origin = arith::SelectOp::create(k.b, k.loc, isNone, k.constant(f32, 0), next);
    Value shrink = exp2(sub(most, origin));
    for (auto [number, sum] : llvm::enumerate(sums)) {
      if (!isOwn(number))
        continue;
      sum = exp2(sub(sum, origin));
      added = plus(added, sum);
    }
    state.most[half] = next;
    state.weight[half] = plus(mul(state.weight[half], shrink), added);
    for (auto [number, mixed] : llvm::enumerate(state.mixed))
      if (isOwn(number))
        mixed = mul(mixed, shrink);
  }
}

/// Two neighbours as the 32 bits of a fragment.
Value FlashWriter::pack(Value low, Value high) {
  Type half = dsc::getElementType(attention.scores.getLhs()), i32 = k.b.getI32Type();
  Value both = LLVM::PoisonOp::create(k.b, k.loc, VectorType::get({2}, half));
  for (auto [i, value] : llvm::enumerate(Values{low, high}))
    both = LLVM::InsertElementOp::create(k.b, k.loc, both, arith::TruncFOp::create(k.b, k.loc, half, value),
                                         k.constantInt(i32, i));
  return LLVM::BitcastOp::create(k.b, k.loc, i32, both);
}

void FlashWriter::addTile(State &state, ArrayRef<Value> queries, OperandRing &keys, OperandRing &values, Value slot,
                          Value step) {
  Values sums = scoresOfTile(queries, keys, slot, step);
  rescale(state, sums);
  for (int64_t inner = 0; inner < tile.columns; inner += MatrixForm::inner) {
    // Sums of two forms side by side are the fragment of 16 steps.
    ArrayRef<Value> own = ArrayRef(sums).slice(inner / MatrixForm::columns * MatrixForm::perLane, 8);
    Values weights = {pack(own[0], own[1]), pack(own[2], own[3]), pack(own[4], own[5]), pack(own[6], own[7])};
    for (int64_t column = 0; column < tile.mixed; column += 2 * MatrixForm::columns) {
      Values two = values.fragments(slot, column, inner);
      for (int64_t i = 0; i < 2; ++i) {
        MutableArrayRef<Value> mixed(state.mixed);
        multiplyForm(k, form, weights, ArrayRef(two).slice(2 * i, 2),
                     mixed.slice((column / MatrixForm::columns + i) * MatrixForm::perLane, MatrixForm::perLane));
      }
    }
  }
}

/// How many neighbours of a row are stored at once.
int64_t FlashWriter::lanesOfStores() {
  constexpr int64_t wholeLanes = 8;
  auto isMix = [&](Value value) { return value == attention.mix.getResult(); };
  size_t last = dsc::getDims(rootOf(kernel.group)).size() - 1;
  return storesWholeLanes(kernel.group, 0, last, wholeLanes, isMix) ? wholeLanes : 1;
}

/// Hands an element of the mix, or several neighbours, to the group's last ops.
static void storeMixed(Kernel &kernel, ElementCode &code, Attention &attention, Indices at, Value sum) {
  Value root = rootOf(kernel.group);
  if (auto transpose = root.getDefiningOp<dsc::TransposeOp>())
    at = llvm::map_to_vector<4>(dsc::getIntegers(transpose.getPermutation()), [&](int64_t from) { return at[from]; });
  code.bind(attention.mix.getResult(), sum);
  kernel.k.storeElement(kernel.result(), dsc::getElementType(root), kernel.resultStrides(), at, code.element(root, at));
}

void FlashWriter::storeIfThere(Value row, Value column, int64_t lanes, Value sum) {
  ElementCode::Scope scope(code);
  code.doIf(arith::AndIOp::create(k.b, k.loc, isBelow(row, mix.rows), isBelow(column, mix.columns)), [&] {
    k.withLanes(lanes,
                [&] { storeMixed(kernel, code, attention, mix.resultAt(outer, row, laneIndex(column, lanes)), sum); });
  });
}

/// Divides by the sum of exponentials, and stores.
void FlashWriter::store(State state) {
  for (int64_t half = 0; half < 2; ++half) {
    Value share = shareOf(acrossRow(state.weight[half], [&](Value a, Value b) { return plus(a, b); }));
    for (auto [number, mixed] : llvm::enumerate(state.mixed))
      if (int64_t(number % MatrixForm::perLane / 2) == half)
        mixed = mul(mixed, share);
  }
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, 0u);
  NVVM::Barrier0Op::create(k.b, k.loc);
  int64_t lanes = lanesOfStores();
  Value own = k.mul(warp, k.index(Slab::elements(tile.mixed)));
  forEachOfSlab(k, {shared, own, lane, tile.mixed, lanes}, state.mixed, [&](Value row, Value column, Value sum) {
    storeIfThere(k.add(k.add(firstRow, warpRow), row), column, lanes, sum);
  });
}

//===-- Parts --------------------------------------------------------------------------------------------------===//

/// The factor that scales what came to the maximum `most` to the larger one `all`.
static Value factorOf(KernelBuilder &k, Value most, Value all) {
  Type f32 = k.b.getF32Type();
  Value isNone = arith::CmpFOp::create(k.b, k.loc, arith::CmpFPredicate::OEQ, all, k.constant(f32, -INFINITY));
  Value origin = arith::SelectOp::create(k.b, k.loc, isNone, k.constant(f32, 0), all);
  return LLVM::Exp2Op::create(k.b, k.loc, f32, arith::SubFOp::create(k.b, k.loc, most, origin));
}

/// All that blocks have come to goes to their shared memory; each joins some of the elements, in the order of the
/// blocks.
void FlashWriter::joinCluster(State &state) {
  int64_t pitch = Slab::pitch(tile.mixed), lanes = lanesOfStores(), perRow = tile.mixed / lanes;
  auto numbersOf = [&](Value row, int64_t which) {
    return k.elementAddress(shared, f32, k.add(k.mul(row, k.index(2)), k.index(tile.sumElements() + which)));
  };
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, 0u);
  NVVM::Barrier0Op::create(k.b, k.loc);
  storeForms(k, shared, k.mul(warpRow, k.index(pitch)), lane, pitch, tile.mixed / MatrixForm::columns, state.mixed);
  for (int64_t half = 0; half < 2; ++half) {
    Value all = acrossRow(state.weight[half], [&](Value a, Value b) { return plus(a, b); });
    Value row = k.add(k.add(warpRow, k.divide(lane, k.index(4))), k.index(8 * half));
    // All four lanes of a row have the same.
    Value isFirst = m.compare(arith::CmpIPredicate::eq, k.remainder(lane, k.index(4)), k.index(0));
    k.doIf(isFirst, [&] {
      LLVM::StoreOp::create(k.b, k.loc, state.most[half], numbersOf(row, 0));
      LLVM::StoreOp::create(k.b, k.loc, all, numbersOf(row, 1));
    });
  }
  crossCluster(k);
  Type type = lanes == 1 ? f32 : Type(VectorType::get({lanes}, f32));
  auto loadFrom = [&](int64_t block, Value place, Type loaded) -> Value {
    return LLVM::LoadOp::create(k.b, k.loc, loaded, inBlockOfCluster(k, place, block), loaded == f32 ? 4u : 16u);
  };
  int64_t share = tile.rows * perRow / tile.parts;
  Value first = k.mul(blockAlongY(k), k.index(share));
  k.loopDo(k.add(first, kernel.thread), k.add(first, k.index(share)), k.index(tile.threads()), [&](Value number) {
    Value row = k.divide(number, k.index(perRow));
    Value column = k.mul(k.remainder(number, k.index(perRow)), k.index(lanes));
    Values most, weights;
    Value highest, all, sum;
    for (int64_t block = 0; block < tile.parts; ++block) {
      most.push_back(loadFrom(block, numbersOf(row, 0), f32));
      weights.push_back(loadFrom(block, numbersOf(row, 1), f32));
      highest = highest ? Value(arith::MaxNumFOp::create(k.b, k.loc, highest, most.back())) : most.back();
    }
    for (int64_t block = 0; block < tile.parts; ++block) {
      Value factor = factorOf(k, most[block], highest), weight = mul(weights[block], factor);
      Value place = k.elementAddress(shared, f32, k.add(k.mul(row, k.index(pitch)), column));
      Value part = loadFrom(block, place, type);
      k.withLanes(lanes, [&] { part = mul(part, k.lift(factor)); });
      all = all ? plus(all, weight) : weight;
      sum = sum ? plus(sum, part) : part;
    }
    Value inverse = shareOf(all);
    k.withLanes(lanes, [&] { sum = mul(sum, k.lift(inverse)); });
    storeIfThere(k.add(firstRow, row), column, lanes, sum);
  });
  // Nobody leaves while another one reads.
  crossCluster(k);
}

/// Where parts of the keys have what they came to: sums under the dims of the mix, part by part, and behind them a
/// maximum and a weight a row.
namespace {
struct PartPlaces {
  PartPlaces(KernelBuilder &k, Value workspace, Attention &attention, int64_t parts) : k(k), f32(k.b.getF32Type()) {
    dsc::Dims dims = dsc::getDims(attention.mix.getResult());
    strides = k.rowMajorStrides(dims);
    elements = k.dim(dsc::countElements(dims));
    rows = k.dim(dsc::countElements(ArrayRef(dims).drop_back()));
    length = k.dim(dims.back());
    sums = workspace;
    numbers = k.advance(workspace, f32, k.index(parts), elements);
  }

  Value sumsOf(Value part) { return k.advance(sums, f32, part, elements); }
  /// The first of the two numbers of a row.
  Value numbersOf(Value part, Value row) {
    Value own = k.advance(numbers, f32, part, k.mul(rows, k.index(2)));
    return k.elementAddress(own, f32, k.mul(row, k.index(2)));
  }
  /// Where an element is, and of which row.
  Value offsetOf(const Indices &at) {
    Value place = k.index(0);
    for (auto [index, stride] : llvm::zip_equal(at, strides))
      place = k.add(place, k.mul(index.base, stride));
    return place;
  }
  Value rowOf(Value offset) { return k.divide(offset, length); }

  KernelBuilder &k;
  Type f32;
  SmallVector<Value> strides;
  Value elements, rows, length, sums, numbers;
};
} // namespace

void FlashWriter::storePart(State &state) {
  PartPlaces places(k, kernel.workspace, attention, tile.parts);
  Value part = blockAlongY(k), sums = places.sumsOf(part);
  Values all;
  for (int64_t half = 0; half < 2; ++half)
    all.push_back(acrossRow(state.weight[half], [&](Value a, Value b) { return plus(a, b); }));
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, 0u);
  NVVM::Barrier0Op::create(k.b, k.loc);
  Value isFirst = m.compare(arith::CmpIPredicate::eq, k.remainder(lane, k.index(4)), k.index(0));
  for (int64_t half = 0; half < 2; ++half) {
    Value row = k.add(k.add(firstRow, warpRow), k.add(k.divide(lane, k.index(4)), k.index(8 * half)));
    k.doIf(arith::AndIOp::create(k.b, k.loc, isFirst, isBelow(row, mix.rows)), [&] {
      Value offset = places.offsetOf(mix.resultAt(outer, row, k.constantIndex(0)));
      Value address = places.numbersOf(part, places.rowOf(offset));
      Value both = LLVM::PoisonOp::create(k.b, k.loc, VectorType::get({2}, f32));
      for (auto [i, value] : llvm::enumerate(Values{state.most[half], all[half]}))
        both = LLVM::InsertElementOp::create(k.b, k.loc, both, value, k.constantInt(k.b.getI32Type(), i));
      LLVM::StoreOp::create(k.b, k.loc, both, address, 8u);
    });
  }
  int64_t lanes = mix.columns.isConstant() && mix.columns.constant() % 8 == 0 ? 8 : 1;
  Value own = k.mul(warp, k.index(Slab::elements(tile.mixed)));
  forEachOfSlab(k, {shared, own, lane, tile.mixed, lanes}, state.mixed, [&](Value row, Value column, Value sum) {
    row = k.add(k.add(firstRow, warpRow), row);
    k.doIf(arith::AndIOp::create(k.b, k.loc, isBelow(row, mix.rows), isBelow(column, mix.columns)), [&] {
      k.withLanes(lanes, [&] {
        k.storeElement(sums, f32, places.strides, mix.resultAt(outer, row, laneIndex(column, lanes)), sum);
      });
    });
  });
}

void writeFlash(Kernel &kernel, Attention attention, const FlashTile &tile) {
  ElementCode code(kernel.k);
  FlashWriter(kernel, code, std::move(attention), tile).write();
}

void joinFlashParts(Kernel &kernel, Attention attention, const FlashTile &tile) {
  KernelBuilder &k = kernel.k;
  ElementCode code(k);
  PartPlaces places(k, kernel.workspace, attention, tile.parts);
  dsc::Dims dims = dsc::getDims(attention.mix.getResult());
  Type f32 = k.b.getF32Type(), two = VectorType::get({2}, f32);
  constexpr int64_t lanes = 4; // of a sum in single precision, an access
  auto isMix = [&](Value value) { return value == attention.mix.getResult(); };
  size_t last = dsc::getDims(rootOf(kernel.group)).size() - 1;
  bool isWhole = bool(storesWholeLanes(kernel.group, 0, last, lanes, isMix));
  k.width = isWhole ? lanes : 1;
  k.wholeVectors = isWhole;
  forEachElement(kernel, dims, tile.parts, [&](const Indices &at) {
    ElementCode::Scope scope(code);
    Value offset = places.offsetOf(at), row = places.rowOf(offset), none = k.constant(f32, 0);
    SmallVector<Value> start = {k.constant(f32, -INFINITY), none, k.lift(none)};
    SmallVector<Value> joined = k.loop(
        k.index(0), k.index(tile.parts), k.index(1), start, [&](Value part, ValueRange carried) -> SmallVector<Value> {
          Value both = LLVM::LoadOp::create(k.b, k.loc, two, places.numbersOf(part, row), 8u);
          auto number = [&](int64_t i) -> Value {
            return LLVM::ExtractElementOp::create(k.b, k.loc, both, k.constantInt(k.b.getI32Type(), i));
          };
          Value most = number(0), weight = number(1);
          Value sum = k.loadRaw(places.sumsOf(part), f32, offset, isWhole ? lanes : 0);
          Value next = arith::MaxNumFOp::create(k.b, k.loc, carried[0], most);
          Value before = factorOf(k, carried[0], next), own = factorOf(k, most, next);
          auto scaledSum = [&](Value a, Value b, Value factorA, Value factorB) -> Value {
            return arith::AddFOp::create(k.b, k.loc, arith::MulFOp::create(k.b, k.loc, a, factorA),
                                         arith::MulFOp::create(k.b, k.loc, b, factorB));
          };
          return {next, scaledSum(carried[1], weight, before, own),
                  scaledSum(carried[2], sum, k.lift(before), k.lift(own))};
        });
    Value share = shareOfWeights(k, attention, matrixSizesOf(attention.scores).columns, joined[1]);
    storeMixed(kernel, code, attention, at, arith::MulFOp::create(k.b, k.loc, joined[2], k.lift(share)));
  });
}

} // namespace dscc::kernels
