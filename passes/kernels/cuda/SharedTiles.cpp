// Products and convolutions on CUDA: a block computes a tile of the result, and its threads share what they load.
//
//        inner ->             all threads load the first slice of the inner dim into registers
//   rows +------+             for each slice:
//        | A    |   columns     they store it to shared memory
//        +------+  +------+     barrier
//                  | B    |     they load the next slice, which comes while
//                  +------+     each thread adds 4 x 4 products for each step of this one
//                               barrier
//
// Where a product has few tiles and a long inner dim, most of the GPU would idle: blocks along y then sum a part of the
// inner dim each, into a workspace, and a second kernel adds up the parts (split_tiles).
//
// What the operands are, cuda/MatrixView.h says.

#include "passes/kernels/Emitters.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Lanes.h"
#include "passes/kernels/cuda/MatrixView.h"
#include "passes/kernels/cuda/SumTime.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace dscc::kernels {

static constexpr int64_t tileRows = 64, tileColumns = 64, slice = 16, perThread = 4;
static constexpr int64_t threads = (tileRows / perThread) * (tileColumns / perThread);
/// Rows in shared memory are this far apart: a multiple of 16 bytes that spreads columns over the banks.
static constexpr int64_t pitch = tileColumns + 4;
static_assert(tileRows <= pitch && tileRows * slice % threads == 0 && tileColumns * slice % threads == 0,
              "a slice fits its rows, and each thread copies as much of it");

static Verdict acceptsSharedTiles(dsc::GroupOp group, const Target &target) {
  return target.device == Device::Cuda ? isTiled(group) : Verdict::declined("the target is no GPU");
}

/// Into how many parts the inner dim may be split, at most.
static constexpr int64_t mostParts = 64;

static SmallVector<dsc::ScheduleAttr> splitTilesCandidates(dsc::GroupOp group, const Target &) {
  SmallVector<dsc::ScheduleAttr> candidates;
  for (int64_t parts = 2; parts <= mostParts; parts *= 2)
    candidates.push_back(
        dsc::ScheduleAttr::get(group.getContext(), "split_tiles",
                               {{"columns", tileColumns}, {"parts", parts}, {"rows", tileRows}, {"slice", slice}}));
  return candidates;
}

/// The type of sums.
static Type sumTypeOf(dsc::GroupOp group) {
  return getComputeType(dsc::getElementType(findContraction(group)->getResult(0)));
}

DimExpr bytesOfParts(dsc::GroupOp group, int64_t parts) {
  DimExpr elements = dsc::countElements(dsc::getDims(findContraction(group)->getResult(0)));
  return elements * (parts * int64_t(sumTypeOf(group).getIntOrFloatBitWidth() / 8));
}

static DimExpr splitTilesWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  return bytesOfParts(group, *schedule.lookup("parts"));
}

/// The parts, then their sum.
static size_t countSplitTiles(dsc::GroupOp, dsc::ScheduleAttr) { return 2; }

static SmallVector<dsc::ScheduleAttr> sharedTilesCandidates(dsc::GroupOp group, const Target &) {
  return {dsc::ScheduleAttr::get(group.getContext(), "shared_tiles",
                                 {{"rows", tileRows}, {"columns", tileColumns}, {"slice", slice}})};
}

namespace {
/// Clocks of a multiprocessor for one slice of a tile.
struct SliceClocks {
  double sums;   // of the units that multiply
  double loads;  // of the units that say where elements lie, which ask for them
  double others; // likewise, to shared memory; and of two barriers and shared memory, for which all wait
};
} // namespace

static SliceClocks clocksOfSlice(Operation *hero, const Gpu &gpu, double rows) {
  // Instructions that an element of a slice costs, most of them for its place, on units that take two clocks for one.
  // A convolution's column is a pixel and a place in its window.
  constexpr double ofMatrix = 10, ofPixel = 12, ofPaddedPixel = 34, toShared = 3;
  constexpr double integerClocks = 2, schedulers = 4, waits = 200;
  double ofColumns = isPadded(hero) ? ofPaddedPixel : isa<dsc::ConvOp>(hero) ? ofPixel : ofMatrix;
  constexpr double warps = threads / 32.0, copied = double(tileColumns * slice) / threads;
  // Rows that no block has are neither copied nor summed up, as far as whole accesses and threads have none.
  double copiedRows = std::min(1.0, std::ceil(rows * slice / threads) / copied),
         summed = std::min(1.0, rows / perThread);
  constexpr double each = copied * warps * integerClocks / schedulers; // clocks for an instruction for each element
  return {summed * tileRows * tileColumns * slice * 2 / gpu.f32FlopPerClock, (copiedRows * ofMatrix + ofColumns) * each,
          (copiedRows + 1) * toShared * each + waits};
}

/// The blocks of a multiprocessor take turns at its units, and each waits for its first slice. `parts` share the inner
/// dim of each tile.
static double estimateTiles(dsc::GroupOp group, const Target &target, const Sizes &sizes, int64_t parts) {
  Operation *hero = findContraction(group);
  const Gpu &gpu = *target.gpu;
  MatrixSizes matrix = matrixSizesOf(hero);
  double rows = sizes.of(matrix.rows), columns = sizes.of(matrix.columns);
  double slices = std::max(1.0, std::ceil(std::ceil(sizes.of(matrix.inner) / slice) / double(parts)));
  double blocks =
      sizes.of(matrix.outer) * std::ceil(rows / tileRows) * std::ceil(columns / tileColumns) * double(parts);
  double each = std::ceil(blocks / gpu.multiprocessors), busy = std::min<double>(blocks, gpu.multiprocessors);
  double ownRows = std::min<double>(rows, tileRows), ownColumns = std::min<double>(columns, tileColumns);
  double bytes = dsc::getElementType(hero->getOperand(0)).getIntOrFloatBitWidth() / 8.0;
  double loaded = blocks * slices * slice * (ownRows + ownColumns) * bytes;
  double miss = clocksOfMiss(gpu, bytesOfOperands(hero, sizes) / std::max(1.0, loaded));
  SliceClocks work = clocksOfSlice(hero, gpu, rows);
  // While a block multiplies one slice the next one comes; in a loop also behind the last one, where it is not wanted.
  double loads = work.loads * (slices > 1 ? slices + 1 : 1);
  double loop = std::max(loads + slices * (work.others + std::max(work.sums, miss)),
                         each * (loads + slices * (work.others + work.sums)));
  // Threads store four neighbours at once, if rows are made of such.
  constexpr double apart = 2.5;
  bool isWhole =
      isMultiple(dsc::getDims(hero->getResult(0)).back(), perThread) && isMultiple(matrix.columns, perThread);
  double sums = sumTypeOf(group).getIntOrFloatBitWidth() / 8.0;
  double stored = each * ownRows * ownColumns * sums * (isWhole ? 1 : apart) / l2BytesPerClock(gpu, busy);
  double written = sizes.of(matrix.outer) * rows * columns * double(parts) * sums;
  constexpr double start = 400;
  double seconds = (start + miss + loop + std::max(stored, clocksOfMemory(gpu, written))) / gpu.clock;
  return std::isfinite(seconds) ? seconds : INFINITY;
}

static double estimateSharedTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr, const Sizes &sizes) {
  return estimateTiles(group, target, sizes, 1);
}

/// Each thread reads the parts of some elements, of which it waits for all at once if its loop can be written out, else
/// for eight.
double secondsOfSumOfParts(dsc::GroupOp group, const Gpu &gpu, int64_t parts, const Sizes &sizes) {
  double bytes = sizes.of(bytesOfParts(group, parts));
  double elements = sizes.count(dsc::getDims(findContraction(group)->getResult(0)));
  double busy = std::clamp(std::ceil(elements / (perThread * double(threads))), 1.0, double(gpu.multiprocessors));
  constexpr double start = 300, addition = 4, mostWrittenOut = 32;
  double rounds = double(parts) <= mostWrittenOut ? 1 : double(parts) / 8;
  double reading = std::max(bytes / (busy * l2BytesPerClock(gpu, busy)), clocksOfMemory(gpu, bytes));
  double join = start + rounds * clocksOfMiss(gpu, 1) + addition * double(parts) + reading;
  return gpu.secondsPerLaunch + join / gpu.clock;
}

/// The same work by more blocks, then a launch more, which reads what they have written.
static double estimateSplitTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                 const Sizes &sizes) {
  int64_t parts = *schedule.lookup("parts");
  return estimateTiles(group, target, sizes, parts) + secondsOfSumOfParts(group, *target.gpu, parts, sizes);
}

namespace {
class SharedTileWriter {
public:
  /// With more than one of `parts`, the sums of each go into the workspace.
  SharedTileWriter(Kernel &kernel, ElementCode &code, MatrixView view, Operation *hero, int64_t parts)
      : parts(parts), kernel(kernel), k(kernel.k), code(code), view(std::move(view)), hero(hero),
        root(rootOf(kernel.group)), type(getComputeType(dsc::getElementType(hero->getResult(0)))) {
    strides = kernel.resultStrides();
    lhsShared = declareShared(k, "lhs", type, slice * pitch);
    rhsShared = declareShared(k, "rhs", type, slice * pitch);
  }

  void write() {
    DimExpr rowTiles = DimExpr::ceilDiv(view.rows, tileRows), columnTiles = DimExpr::ceilDiv(view.columns, tileColumns);
    kernel.threads = threads;
    kernel.grid = dsc::countElements(view.outer) * rowTiles * columnTiles;
    SmallVector<Value> place = k.delinearize(kernel.block, {kernel.block, k.dim(rowTiles), k.dim(columnTiles)});
    SmallVector<Value> sizes = llvm::map_to_vector(view.outer, [&](const DimExpr &dim) { return k.dim(dim); });
    outer = sizes.empty() ? SmallVector<Value>{} : k.delinearize(place[0], sizes);
    firstRow = k.mul(place[1], k.index(tileRows));
    firstColumn = k.mul(place[2], k.index(tileColumns));
    ownRow = k.mul(k.divide(kernel.thread, k.index(tileColumns / perThread)), k.index(perThread));
    ownColumn = k.mul(k.remainder(kernel.thread, k.index(tileColumns / perThread)), k.index(perThread));
    Value zero = zeroOf(k, dsc::getElementType(hero->getResult(0)));
    SmallVector<Value> sums(perThread * perThread, zero);
    Value from = k.index(0), to = k.dim(view.inner);
    if (parts > 1) {
      kernel.gridY = parts;
      // Whole slices, so that no slice is of two parts.
      Value share = k.dim(DimExpr::ceilDiv(DimExpr::ceilDiv(view.inner, slice), parts) * slice);
      from = k.mul(blockAlongY(k), share);
      to = k.minimum(to, k.add(from, share));
    }
    SmallVector<Value> carried = loadFirst(from, to);
    if (hasOneSlice()) {
      storeSlice(carried);
      NVVM::Barrier0Op::create(k.b, k.loc);
      return storeTile(addSlice(sums));
    }
    size_t loaded = carried.size();
    llvm::append_range(carried, sums);
    carried = k.loop(from, to, k.index(slice), carried, [&](Value first, ValueRange carried) {
      storeSlice(carried.take_front(loaded));
      NVVM::Barrier0Op::create(k.b, k.loc);
      SmallVector<Value> next = loadSlice(k.add(first, k.index(slice)));
      llvm::append_range(next, addSlice(SmallVector<Value>(carried.drop_front(loaded))));
      NVVM::Barrier0Op::create(k.b, k.loc);
      return next;
    });
    storeTile(ArrayRef(carried).drop_front(loaded));
  }

private:
  Value sharedOffset(Value step, Value place) { return k.add(k.mul(step, k.index(pitch)), place); }

  void storeShared(Value array, Value step, Value place, Value value) {
    LLVM::StoreOp::create(k.b, k.loc, value, k.elementAddress(array, type, sharedOffset(step, place)));
  }

  /// `perThread` neighbours at once.
  SmallVector<Value> loadShared(Value array, Value step, Value place) {
    Type quad = VectorType::get({perThread}, type);
    unsigned alignment = std::min<unsigned>(16, perThread * type.getIntOrFloatBitWidth() / 8);
    Value loaded =
        LLVM::LoadOp::create(k.b, k.loc, quad, k.elementAddress(array, type, sharedOffset(step, place)), alignment);
    SmallVector<Value> values;
    for (int64_t i = 0; i < perThread; ++i)
      values.push_back(LLVM::ExtractElementOp::create(k.b, k.loc, loaded, k.constantInt(k.b.getI32Type(), i)));
    return values;
  }

  /// Whether that is all that any block sums up.
  bool hasOneSlice() const {
    return view.inner.isConstant() && llvm::divideCeil(view.inner.constant(), slice * parts) <= 1;
  }

  /// The element if it exists, else zero. Without a branch, so that the thread's loads wait together: what does not
  /// exist is loaded from where the last one lies.
  Value guarded(Value row, const DimExpr &rows, Value column, const DimExpr &columns,
                function_ref<Value(Value, Value)> load) {
    LaneMath m{k};
    Value rowExists = m.compare(arith::CmpIPredicate::slt, row, k.dim(rows));
    Value columnExists = m.compare(arith::CmpIPredicate::slt, column, k.dim(columns));
    Value exists = arith::AndIOp::create(k.b, k.loc, rowExists, columnExists);
    Value loaded = load(k.minimum(row, k.dim(rows - 1)), k.minimum(column, k.dim(columns - 1)));
    return arith::SelectOp::create(k.b, k.loc, exists, loaded, zeroOf(k, dsc::getElementType(hero->getResult(0))));
  }

  /// The element in the type of the sums.
  Value widened(const OperandView &operand, Value element) {
    return emitCast(k, element, getComputeType(dsc::getElementType(operand.operand)), type, false);
  }

  /// Calls `act` for each element of a slice of an operand that the thread copies: its step and place. Neighbouring
  /// threads copy neighbours in memory: along the inner dim for the left operand, along the columns for the right one.
  void forEachCopied(bool isLhs, function_ref<void(Value step, Value place)> act) {
    for (int64_t i = 0; i < (isLhs ? tileRows : tileColumns) * slice / threads; ++i) {
      Value item = k.add(kernel.thread, k.index(i * threads)), length = k.index(isLhs ? slice : tileColumns);
      Value fast = k.remainder(item, length), slow = k.divide(item, length);
      act(isLhs ? fast : slow, isLhs ? slow : fast);
    }
  }

  /// What the thread copies of the slice that begins there; the inner dim has at least one place.
  SmallVector<Value> loadSlice(Value first) {
    ElementCode::Scope scope(code);
    SmallVector<Value> values;
    forEachCopied(/*isLhs=*/true, [&](Value step, Value row) {
      values.push_back(guarded(k.add(firstRow, row), view.rows, k.add(first, step), view.inner,
                               [&](Value r, Value s) { return widened(view.lhs, view.lhs.element(outer, r, s)); }));
    });
    forEachCopied(/*isLhs=*/false, [&](Value step, Value column) {
      values.push_back(guarded(k.add(first, step), view.inner, k.add(firstColumn, column), view.columns,
                               [&](Value s, Value c) { return widened(view.rhs, view.rhs.element(outer, c, s)); }));
    });
    return values;
  }

  /// The first slice, of which there is none if only a run knows how long the inner dim is, and it is empty.
  SmallVector<Value> loadFirst(Value from, Value to) {
    Value zero = zeroOf(k, dsc::getElementType(hero->getResult(0)));
    SmallVector<Value> zeros((tileRows + tileColumns) * slice / threads, zero);
    if (view.inner.isConstant())
      return view.inner.isConstant(0) ? zeros : loadSlice(from);
    Value exists = LaneMath{k}.compare(arith::CmpIPredicate::slt, from, to);
    auto choice = scf::IfOp::create(k.b, k.loc, TypeRange(ValueRange(zeros)), exists, true, true);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPointToEnd(choice.thenBlock());
    scf::YieldOp::create(k.b, k.loc, loadSlice(from));
    k.b.setInsertionPointToEnd(choice.elseBlock());
    scf::YieldOp::create(k.b, k.loc, zeros);
    return SmallVector<Value>(choice.getResults());
  }

  void storeSlice(ValueRange values) {
    auto next = values.begin();
    for (bool isLhs : {true, false})
      forEachCopied(isLhs,
                    [&](Value step, Value place) { storeShared(isLhs ? lhsShared : rhsShared, step, place, *next++); });
  }

  SmallVector<Value> addSlice(SmallVector<Value> sums) {
    for (int64_t step = 0; step < slice; ++step) {
      SmallVector<Value> rows = loadShared(lhsShared, k.index(step), ownRow),
                         columns = loadShared(rhsShared, k.index(step), ownColumn);
      for (int64_t i = 0; i < perThread; ++i)
        for (int64_t j = 0; j < perThread; ++j) {
          Value &sum = sums[i * perThread + j];
          sum = emitMulAdd(k, rows[i], columns[j], sum);
        }
    }
    return sums;
  }

  /// How many neighbours of a row a thread stores at once: all that it has, if they are aligned as a whole in every
  /// tensor that has columns.
  int64_t countStored() {
    dsc::Dims dims = dsc::getDims(hero->getResult(0));
    auto isHero = [&](Value value) { return value == hero->getResult(0); };
    bool isWhole = isMultiple(view.columns, perThread) && isMultiple(dims.back(), perThread) &&
                   (parts > 1 || storesWholeLanes(kernel.group, 0, dims.size() - 1, perThread, isHero));
    return isWhole ? perThread : 1;
  }

  void storeTile(ArrayRef<Value> sums) {
    LaneMath m{k};
    dsc::Dims dims = dsc::getDims(hero->getResult(0));
    SmallVector<Value> heroStrides = parts > 1 ? k.rowMajorStrides(dims) : SmallVector<Value>();
    Value ownPart =
        parts > 1 ? k.advance(kernel.workspace, type, blockAlongY(k), k.dim(dsc::countElements(dims))) : Value();
    int64_t lanes = countStored();
    for (int64_t i = 0; i < perThread; ++i)
      for (int64_t j = 0; j < perThread; j += lanes) {
        Value row = k.add(k.add(firstRow, ownRow), k.index(i)),
              column = k.add(k.add(firstColumn, ownColumn), k.index(j));
        Value exists = arith::AndIOp::create(k.b, k.loc, m.compare(arith::CmpIPredicate::slt, row, k.dim(view.rows)),
                                             m.compare(arith::CmpIPredicate::slt, column, k.dim(view.columns)));
        auto store = [&] {
          Indices at = view.resultAt(outer, row, k.uniform(column));
          Value sum = sums[i * perThread + j];
          if (lanes > 1) {
            // Columns are the last dim, or the last dims.
            at.back() = {Index::Contiguous, at.back().base, {}, /*whole=*/true};
            sum = vector::FromElementsOp::create(k.b, k.loc, VectorType::get({lanes}, type),
                                                 sums.slice(i * perThread + j, lanes));
          }
          if (parts > 1)
            return k.storeElement(ownPart, type, heroStrides, at, sum);
          code.bind(hero->getResult(0), sum);
          k.storeElement(kernel.result(), dsc::getElementType(root), strides, at, code.element(root, at));
        };
        code.doIf(exists, [&] { k.withLanes(lanes, store); });
      }
  }

  int64_t parts; // of the inner dim
  Kernel &kernel;
  KernelBuilder &k;
  ElementCode &code;
  MatrixView view;
  Operation *hero;
  Value root;
  Type type;
  SmallVector<Value> strides, outer;
  Value lhsShared, rhsShared, firstRow, firstColumn, ownRow, ownColumn;
};
} // namespace

static LogicalResult emitTiles(Kernel &kernel, int64_t parts) {
  Operation *hero = findContraction(kernel.group);
  assert(hero && "tiles are scheduled for products and convolutions");
  ElementCode code(kernel.k);
  SharedTileWriter(kernel, code, matrixViewOf(code, hero), hero, parts).write();
  return kernel.finish();
}

static LogicalResult emitSharedTiles(Kernel &kernel) { return emitTiles(kernel, 1); }

LogicalResult emitSumOfParts(Kernel &kernel, int64_t parts) {
  KernelBuilder &k = kernel.k;
  ElementCode code(k);
  Operation *hero = findContraction(kernel.group);
  Value root = rootOf(kernel.group);
  Type type = sumTypeOf(kernel.group);
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  SmallVector<Value> strides = kernel.resultStrides(), heroStrides = k.rowMajorStrides(dims);
  Value count = k.dim(dsc::countElements(dims));
  auto isHero = [&](Value value) { return value == hero->getResult(0); };
  constexpr int64_t lanes = 4; // of a sum in single precision, an access
  bool isWhole = bool(storesWholeLanes(kernel.group, 0, dims.size() - 1, lanes, isHero));
  k.width = isWhole ? lanes : 1;
  k.wholeVectors = isWhole;
  forEachElement(kernel, dims, parts, [&](const Indices &at) {
    ElementCode::Scope scope(code);
    Value place = k.index(0), zero = k.lift(zeroOf(k, dsc::getElementType(hero->getResult(0))));
    for (auto [index, stride] : llvm::zip_equal(at, heroStrides))
      place = k.add(place, k.mul(index.base, stride));
    Value sum = k.loop(k.index(0), k.index(parts), k.index(1), zero, [&](Value part, ValueRange carried) {
      Value address = k.advance(kernel.workspace, type, part, count);
      return SmallVector<Value>{emitAdd(k, carried[0], k.loadRaw(address, type, place, isWhole ? lanes : 0))};
    })[0];
    code.bind(hero->getResult(0), sum);
    k.storeElement(kernel.result(), dsc::getElementType(root), strides, at, code.element(root, at));
  });
  return kernel.finish();
}

static LogicalResult emitSplitTiles(Kernel &kernel) {
  int64_t parts = kernel.scheduled("parts");
  return kernel.step == 0 ? emitTiles(kernel, parts) : emitSumOfParts(kernel, parts);
}

static constexpr Parameter sharedTilesParameters[] = {
    {"columns", tileColumns, tileColumns}, {"rows", tileRows, tileRows}, {"slice", slice, slice}};
const KernelEmitter sharedTilesEmitter = {"shared_tiles",           sharedTilesParameters,
                                          acceptsSharedTiles,
                                          /*allows=*/nullptr,       sharedTilesCandidates,
                                          estimateSharedTiles,      emitSharedTiles,
                                          /*severalResults=*/false, /*kernels=*/nullptr,
                                          /*workspace=*/nullptr,    besideEqual};

static constexpr Parameter splitTilesParameters[] = {{"columns", tileColumns, tileColumns},
                                                     {"parts", 2, mostParts},
                                                     {"rows", tileRows, tileRows},
                                                     {"slice", slice, slice}};
const KernelEmitter splitTilesEmitter = {"split_tiles",
                                         splitTilesParameters,
                                         acceptsSharedTiles,
                                         /*allows=*/nullptr,
                                         splitTilesCandidates,
                                         estimateSplitTiles,
                                         emitSplitTiles,
                                         /*severalResults=*/false,
                                         countSplitTiles,
                                         splitTilesWorkspace,
                                         besideEqual};

} // namespace dscc::kernels
