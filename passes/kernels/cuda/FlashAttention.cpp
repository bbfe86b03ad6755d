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

#include "passes/kernels/Attention.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Lay.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Lanes.h"
#include "passes/kernels/cuda/MatrixForm.h"
#include "passes/kernels/cuda/MatrixView.h"
#include "passes/kernels/cuda/OperandRing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

//===-- The schedule -------------------------------------------------------------------------------------------===//

namespace {
struct FlashTile {
  int64_t rows, columns, stages;
  int64_t head, mixed; // elements of a query and of a result, filled up to powers of 2

  int64_t warps() const { return rows / MatrixForm::rows; }
  int64_t threads() const { return warps() * lanesOfWarp; }
  int64_t queryBytes() const { return rows * head * bytes; }
  int64_t ringBytes() const { return columns * (head + mixed) * stages * bytes; }
  int64_t slabBytes() const { return warps() * Slab::elements(mixed) * int64_t(sizeof(float)); }
  int64_t sharedBytes() const { return std::max(queryBytes() + ringBytes(), slabBytes()); }

  static constexpr int64_t bytes = 2;
};
} // namespace

static constexpr Parameter attentionParameters[] = {{"columns", 16, 128}, {"rows", 16, 128}, {"stages", 2, 4}};

/// Lines of shared memory are powers of 2 long, and matrix instructions take 16 steps.
static int64_t filledUp(int64_t size) { return std::max<int64_t>(16, llvm::PowerOf2Ceil(size)); }

static FlashTile tileOf(Attention attention, dsc::ScheduleAttr schedule) {
  MatrixSizes scores = matrixSizesOf(attention.scores), mix = matrixSizesOf(attention.mix);
  return {*schedule.lookup("rows"), *schedule.lookup("columns"), *schedule.lookup("stages"),
          filledUp(scores.inner.constant()), filledUp(mix.columns.constant())};
}

static Verdict acceptsAttention(dsc::GroupOp group, const Target &target) {
  Attention attention;
  if (Verdict verdict = findAttention(group, attention); !verdict)
    return verdict;
  return fitsMatrixInstructions(attention, target);
}

static Verdict allowsAttention(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  Attention attention;
  if (Verdict verdict = findAttention(group, attention); !verdict)
    return verdict;
  FlashTile tile = tileOf(attention, schedule);
  if (!llvm::isPowerOf2_64(tile.rows) || !llvm::isPowerOf2_64(tile.columns))
    return Verdict::declined("a side of the tile is no power of 2");
  if (std::min(tile.rows, tile.columns) * std::min(tile.head, tile.mixed) < tile.threads())
    return Verdict::declined("the tile has too many warps");
  return Verdict::acceptedIf(tile.sharedBytes() <= mostStaticShared, "the rings do not fit shared memory");
}

static SmallVector<dsc::ScheduleAttr> attentionCandidates(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> candidates;
  for (int64_t rows : {16, 32, 64, 128})
    for (int64_t columns : {16, 32, 64})
      for (int64_t stages : {2, 3}) {
        auto schedule = dsc::ScheduleAttr::get(group.getContext(), "attention",
                                               {{"columns", columns}, {"rows", rows}, {"stages", stages}});
        if (allowsAttention(group, target, schedule))
          candidates.push_back(schedule);
      }
  return candidates;
}

static double estimateAttention(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                const Sizes &sizes) {
  Attention attention;
  [[maybe_unused]] Verdict verdict = findAttention(group, attention);
  assert(verdict && "schedules are made for what was accepted");
  const Gpu &gpu = *target.gpu;
  FlashTile tile = tileOf(attention, schedule);
  MatrixSizes scores = matrixSizesOf(attention.scores);
  double blocks =
      std::ceil(sizes.of(scores.outer) * std::ceil(sizes.of(scores.rows) / tile.rows) / gpu.multiprocessors);
  double rounds = std::ceil(sizes.of(scores.columns) / tile.columns);
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
  return clocks / gpu.clock;
}

//===-- The kernel ---------------------------------------------------------------------------------------------===//

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
  Values loop(ArrayRef<Value> queries, OperandRing &keys, OperandRing &values);
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
    other.pieces =
        Pieces{[pieces](ArrayRef<Value>, Value place) { return pieces.atStep(place); },
               [pieces, outer = outer](Value step) { return pieces.atPlace(outer, step); },
               [pieces](ArrayRef<Value> place, ArrayRef<Value> step) { return pieces.address(step, place); }};
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
  RingShape shape{tile.columns, tile.stages, tile.threads()};
  Value zero = k.index(0), keyMemory = advance(shared, tile.queryBytes());
  OperandRing keys(kernel, keyView, {shape, tile.head, scores.inner, scores.columns}, outer, zero, keyMemory);
  OperandRing values(kernel, mix.rhs, {shape, tile.mixed, mix.columns, mix.inner}, outer, zero,
                     advance(keyMemory, keys.ringBytes()));
  keys.readFrom(lane, zero, /*isLhs=*/false, scores.rhs.alongInner);
  values.readFrom(lane, zero, /*isLhs=*/false);
  Values queries = loadQueries(shared);
  store(State::unpack(loop(queries, keys, values)));
}

/// The fragments of this warp's rows, which stay in registers.
FlashWriter::Values FlashWriter::loadQueries(Value memory) {
  OperandRing queries(kernel, scores.lhs, {{tile.head, 1, tile.threads()}, tile.rows, scores.rows, scores.inner}, outer,
                      firstRow, memory);
  queries.readFrom(lane, warpRow, /*isLhs=*/true);
  Value zero = k.index(0);
  queries.copy(zero, zero);
  queries.store(queries.load(zero), zero);
  NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, 0u);
  NVVM::Barrier0Op::create(k.b, k.loc);
  Values fragments;
  for (int64_t step = 0; step < tile.head; step += MatrixForm::inner)
    llvm::append_range(fragments, queries.fragments(zero, 0, step));
  return fragments;
}

FlashWriter::Values FlashWriter::loop(ArrayRef<Value> queries, OperandRing &keys, OperandRing &values) {
  Value all = k.dim(scores.columns);
  auto bring = [&](Value step, Value slot) {
    code.doIf(m.compare(arith::CmpIPredicate::slt, step, all), [&] {
      for (OperandRing *ring : {&keys, &values}) {
        ring->copy(step, slot);
        ring->store(ring->load(step), slot);
      }
    });
    NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
  };
  for (int64_t stage = 0; stage + 1 < tile.stages; ++stage)
    bring(k.index(stage * tile.columns), k.index(stage));
  State state;
  state.mixed.assign(tile.mixed / MatrixForm::columns * MatrixForm::perLane, k.constant(f32, 0));
  for (int64_t i = 0; i < 2; ++i) {
    state.most[i] = k.constant(f32, -INFINITY);
    state.weight[i] = k.constant(f32, 0);
  }
  Values carried = state.pack();
  carried.push_back(k.index(0));               // the slot that is read
  carried.push_back(k.index(tile.stages - 1)); // the slot that is written
  carried = k.loop(k.index(0), all, k.index(tile.columns), carried, [&](Value step, ValueRange before) {
    ElementCode::Scope scope(code);
    State own = State::unpack(before.drop_back(2));
    Value slot = before[before.size() - 2], later = before.back();
    NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, uint32_t(tile.stages - 2));
    NVVM::Barrier0Op::create(k.b, k.loc);
    bring(k.add(step, k.index((tile.stages - 1) * tile.columns)), later);
    addTile(own, queries, keys, values, slot, step);
    Values next = own.pack();
    next.push_back(keys.shape().next(k, slot));
    next.push_back(keys.shape().next(k, later));
    return next;
  });
  carried.resize(carried.size() - 2);
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

/// Divides by the sum of exponentials, and hands each element to the group's last ops.
void FlashWriter::store(State state) {
  Value root = rootOf(kernel.group);
  auto transpose = root.getDefiningOp<dsc::TransposeOp>();
  SmallVector<Value> strides = kernel.resultStrides();
  for (int64_t half = 0; half < 2; ++half) {
    Value all = acrossRow(state.weight[half], [&](Value a, Value b) { return plus(a, b); });
    Value share = arith::DivFOp::create(k.b, k.loc, k.constant(f32, 1), all), none = k.constant(f32, 0);
    if (attention.hiddenIsZero)
      share = arith::SelectOp::create(
          k.b, k.loc, arith::CmpFOp::create(k.b, k.loc, arith::CmpFPredicate::OEQ, all, none), none, share);
    // A sum of no products at all is 0.
    if (!scores.columns.isConstant())
      share = arith::SelectOp::create(
          k.b, k.loc, m.compare(arith::CmpIPredicate::eq, k.dim(scores.columns), k.index(0)), none, share);
    for (auto [number, mixed] : llvm::enumerate(state.mixed))
      if (int64_t(number % MatrixForm::perLane / 2) == half)
        mixed = mul(mixed, share);
  }
  NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, 0u);
  NVVM::Barrier0Op::create(k.b, k.loc);
  constexpr int64_t wholeLanes = 8;
  auto isMix = [&](Value value) { return value == attention.mix.getResult(); };
  bool isWhole = bool(storesWholeLanes(kernel.group, 0, dsc::getDims(root).size() - 1, wholeLanes, isMix));
  int64_t lanes = isWhole ? wholeLanes : 1;
  Value own = k.mul(warp, k.index(Slab::elements(tile.mixed)));
  forEachOfSlab(k, {shared, own, lane, tile.mixed, lanes}, state.mixed, [&](Value row, Value column, Value sum) {
    ElementCode::Scope scope(code);
    row = k.add(k.add(firstRow, warpRow), row);
    code.doIf(arith::AndIOp::create(k.b, k.loc, isBelow(row, mix.rows), isBelow(column, mix.columns)), [&] {
      Indices at = mix.resultAt(outer, row, laneIndex(column, lanes));
      if (transpose)
        at = llvm::map_to_vector<4>(dsc::getIntegers(transpose.getPermutation()),
                                    [&](int64_t from) { return at[from]; });
      k.withLanes(lanes, [&] {
        code.bind(attention.mix.getResult(), sum);
        k.storeElement(kernel.result(), dsc::getElementType(root), strides, at, code.element(root, at));
      });
    });
  });
}

static LogicalResult emitAttention(Kernel &kernel) {
  Attention attention;
  [[maybe_unused]] Verdict verdict = findAttention(kernel.group, attention);
  assert(verdict && "schedules are read for what was accepted");
  ElementCode code(kernel.k);
  FlashWriter(kernel, code, attention, tileOf(attention, kernel.schedule)).write();
  return kernel.finish();
}

const KernelEmitter attentionEmitter = {"attention",         attentionParameters, acceptsAttention, allowsAttention,
                                        attentionCandidates, estimateAttention,   emitAttention};

} // namespace dscc::kernels
