// The first k elements of each row in descending order. What is compared are keys: unsigned integers of 32 or 64 bits
// that are ordered as the elements are. Every way is the same function: the order is total, since equal keys go by
// index.
//
//   CPU:  a heap of k elements with the last of them on top, made in the results themselves, then sorted in place:
//         about n + k log n comparisons if the row is in random order, n log k at worst, and no memory.
//   CUDA: rows of a known length, if they are short: a thread an element, which counts how many come before it: n for
//   each.
//         others: a block a row. The k-th key is found bit by bit, a count over the row for each (32 or 64 of them, and
//         log n more where elements are equal to it); what comes before it is collected in the results, and sorted
//         there by a bitonic network of about log^2 k / 2 steps of k / 512 exchanges a thread.

#include "passes/kernels/Emitters.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Shell.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace dscc::kernels {

/// Of a block that has a row.
static constexpr int64_t rowThreads = 256;
/// Comparisons that one CPU block should be worth.
static constexpr int64_t blockWork = 4096;

static Verdict acceptsTopK(dsc::GroupOp group, const Target &) {
  auto op = findOp<dsc::TopKOp>(group);
  return op ? isRootedIn(group, op) : Verdict::declined("there is no top_k");
}

static DimExpr lengthOf(dsc::TopKOp op) { return dsc::getDims(op.getInput())[op.getAxis()]; }

static Verdict allowsTopK(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  if (*schedule.lookup("ranks") && (target.device == Device::Cpu || !lengthOf(findOp<dsc::TopKOp>(group)).isConstant()))
    return Verdict::declined("only rows of a known length are ranked, by the threads of a GPU");
  return hasLanes(target, *schedule.lookup("width"));
}

static SmallVector<dsc::ScheduleAttr> topKCandidates(dsc::GroupOp group, const Target &target) {
  auto op = findOp<dsc::TopKOp>(group);
  int64_t width = chooseWidth(target, dsc::getDims(op.getInput()).back());
  SmallVector<dsc::ScheduleAttr> candidates;
  for (int64_t ranks : {0, 1})
    if (!ranks || (target.device == Device::Cuda && lengthOf(op).isConstant()))
      candidates.push_back(dsc::ScheduleAttr::get(group.getContext(), "top_k", {{"ranks", ranks}, {"width", width}}));
  return candidates;
}

/// On a GPU ranks are a comparison for each pair of a row; a search is a pass over the row for each bit and some more,
/// with barriers between, and at most as many rows at once as there are multiprocessors.
static double estimateTopK(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes) {
  auto op = findOp<dsc::TopKOp>(group);
  double elements = sizes.count(dsc::getDims(op.getInput())), length = std::max(1.0, sizes.of(lengthOf(op)));
  if (target.device == Device::Cpu)
    return elements * 4 / target.cpu->clock;
  double multiprocessors = target.gpu->multiprocessors, clock = target.gpu->clock;
  if (*schedule.lookup("ranks")) // 8 instructions a pair, 64 lanes a cycle and multiprocessor
    return std::max(elements * length * 8 / (multiprocessors * 64), length * 20) / clock;
  double passes = 34 * (length / rowThreads * 8 + 200), rows = elements / length;
  return std::ceil(rows / multiprocessors) * passes / clock;
}

namespace {
/// An element that is compared: its key, and its index in the row.
struct Item {
  Value key, index, value;
};

class TopKWriter {
public:
  TopKWriter(Kernel &kernel, dsc::TopKOp op)
      : kernel(kernel), k(kernel.k), code(k), m{k}, op(op), element(dsc::getElementType(op.getInput())),
        axis(op.getAxis()), dims(dsc::getDims(op.getInput())),
        strides(k.rowMajorStrides(dsc::getDims(op.getValues()))) {
    Type compute = getComputeType(element);
    keyType = k.b.getIntegerType(compute.getIntOrFloatBitWidth() > 32 ? 64 : 32);
    for (auto [index, yielded] : llvm::enumerate(kernel.group.getBody().front().getTerminator()->getOperands()))
      (yielded == op.getValues() ? values : indices) = kernel.results[index];
  }

  void writeHeaps();
  void writeRanks();
  void writeBlocks();

private:
  // Items.
  Value keyOf(Value value);
  Value comesBefore(const Item &a, const Item &b);
  Indices at(Value index) {
    Indices place = row;
    place[axis] = k.uniform(index);
    return place;
  }
  Item inputItem(Value index) {
    Value value = code.element(op.getInput(), at(index));
    return {keyOf(value), index, value};
  }

  // Places in the results.
  Value offset(Value place) { return k.add(base, k.mul(place, strides[axis])); }
  void write(Value place, const Item &item);
  Item read(Value place);
  void move(Value from, Value to);

  void openRow(ValueRange coordinates);
  SmallVector<Value> keptSizes() {
    SmallVector<Value> sizes;
    for (auto [index, dim] : llvm::enumerate(dims))
      if (index != axis)
        sizes.push_back(k.dim(dim));
    return sizes;
  }
  DimExpr countRows() {
    dsc::Dims kept = dims;
    kept.erase(kept.begin() + axis);
    return dsc::countElements(kept);
  }
  void openRowNumber(Value number) {
    SmallVector<Value> sizes = keptSizes();
    openRow(sizes.empty() ? SmallVector<Value>() : k.delinearize(number, sizes));
  }

  // CPU.
  void writeHeap();
  void offer(Value index);
  void siftDown(Value place, Value size, const Item &item);

  // CUDA.
  void writeBlockRow();
  void collect(Value threshold, Value bound);
  void sort();
  Value countWhere(function_ref<Value(const Item &)> holds, Value *own = nullptr);
  Value countBits(Value number);
  void exchange(Value a, Value b);
  void synchronize() { NVVM::Barrier0Op::create(k.b, k.loc); }

  Kernel &kernel;
  KernelBuilder &k;
  ElementCode code;
  LaneMath m;
  dsc::TopKOp op;
  Type element, keyType;
  size_t axis;
  dsc::Dims dims;
  SmallVector<Value> strides; // of the results
  Value values, indices;      // the results; null if nobody wants one
  Indices row;                // its coordinates; that along the axis does not count
  Value base;                 // its first place in the results
  Value size, wanted;         // how many elements it has, and how many of them come out
  Value sums, counts;         // CUDA: of each warp, and of each thread
};
} // namespace

/// The type with lanes where the value has some.
static Type like(KernelBuilder &k, Value value, Type scalar) { return k.isVector(value) ? k.laneType(scalar) : scalar; }

/// Ordered as the elements are, unsigned; the other way round if the smallest are wanted.
Value TopKWriter::keyOf(Value value) {
  Type type = getElementTypeOrSelf(value);
  unsigned bits = keyType.getIntOrFloatBitWidth();
  Value ones = k.constantInt(keyType, -1);
  Value sign = k.constantInt(keyType, bits == 32 ? int64_t(INT32_MIN) : INT64_MIN);
  Value key;
  if (isa<FloatType>(type)) {
    auto compare = [&](arith::CmpFPredicate predicate, Value other) {
      SmallVector<Value> both = {value, other};
      k.unify(both);
      return arith::CmpFOp::create(k.b, k.loc, predicate, both[0], both[1]);
    };
    Value isZero = compare(arith::CmpFPredicate::OEQ, k.constant(type, 0));
    Value isNan = compare(arith::CmpFPredicate::UNO, value);
    key = arith::BitcastOp::create(k.b, k.loc, like(k, value, keyType), value);
    key = m.select(isZero, k.constantInt(keyType, 0), key);
    Value isNegative = m.compare(arith::CmpIPredicate::slt, key, k.constantInt(keyType, 0));
    key = m.make<arith::XOrIOp>(key, m.select(isNegative, ones, sign));
    key = m.select(isNan, ones, key);
  } else {
    key = value;
    if (type.getIntOrFloatBitWidth() < bits)
      key = element.isUnsignedInteger() ? Value(arith::ExtUIOp::create(k.b, k.loc, like(k, value, keyType), value))
                                        : Value(arith::ExtSIOp::create(k.b, k.loc, like(k, value, keyType), value));
    if (!element.isUnsignedInteger())
      key = m.make<arith::XOrIOp>(key, sign);
  }
  return op.getSmallest() ? m.make<arith::XOrIOp>(key, ones) : key;
}

/// Where nobody wants indices, equal elements are interchangeable.
Value TopKWriter::comesBefore(const Item &a, const Item &b) {
  Value greater = m.compare(arith::CmpIPredicate::ugt, a.key, b.key);
  if (!a.index || !b.index)
    return greater;
  Value isEqual = m.compare(arith::CmpIPredicate::eq, a.key, b.key);
  Value isEarlier = m.compare(arith::CmpIPredicate::ult, a.index, b.index);
  return m.make<arith::OrIOp>(greater, m.make<arith::AndIOp>(isEqual, isEarlier));
}

void TopKWriter::write(Value place, const Item &item) {
  if (values)
    k.storeRaw(values, getStorageType(element), offset(place), k.toStorage(item.value, element));
  if (indices) {
    Type i64 = k.b.getI64Type();
    k.storeRaw(indices, i64, offset(place), arith::IndexCastOp::create(k.b, k.loc, i64, item.index));
  }
}

Item TopKWriter::read(Value place) {
  Item item;
  if (indices) {
    Value number = k.loadRaw(indices, k.b.getI64Type(), offset(place), 0);
    item.index = arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), number);
  }
  ElementCode::Scope scope(code);
  item.value = values ? k.toCompute(k.loadRaw(values, getStorageType(element), offset(place), 0), element)
                      : code.element(op.getInput(), at(item.index));
  item.key = keyOf(item.value);
  return item;
}

void TopKWriter::move(Value from, Value to) {
  for (auto [pointer, type] : {std::pair(values, getStorageType(element)), {indices, Type(k.b.getI64Type())}})
    if (pointer)
      k.storeRaw(pointer, type, offset(to), k.loadRaw(pointer, type, offset(from), 0));
}

void TopKWriter::openRow(ValueRange coordinates) {
  row.clear();
  base = k.index(0);
  size_t next = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    row.push_back(i == axis ? k.constantIndex(0) : k.uniform(coordinates[next++]));
    base = k.add(base, k.mul(row.back().base, strides[i]));
  }
  size = k.dim(dims[axis]);
  wanted = k.dim(op.getK().getDims()[0]);
}

//===-- CPU: a heap -----------------------------------------------------------------------------------------------===//

/// Puts `item` at `place` of a heap of `size`, or below it: children that come behind it move up. At each place of a
/// heap lies what comes behind both of its children.
void TopKWriter::siftDown(Value place, Value size, const Item &item) {
  Type index = k.b.getIndexType();
  Value last = k.sub(size, k.index(1));
  auto loop = scf::WhileOp::create(
      k.b, k.loc, TypeRange{index, index}, ValueRange{place},
      [&](OpBuilder &, Location, ValueRange carried) {
        ElementCode::Scope scope(code);
        Value left = k.add(k.mul(carried[0], k.index(2)), k.index(1));
        Value hasChild = m.compare(arith::CmpIPredicate::slt, left, size);
        // What there is not is read as something that there is.
        left = k.minimum(left, last);
        Value right = k.minimum(k.add(left, k.index(1)), last);
        Item first = read(left), second = read(right);
        Value takesRight = comesBefore(first, second);
        Item child = {m.select(takesRight, second.key, first.key), {}, {}};
        if (indices)
          child.index = m.select(takesRight, second.index, first.index);
        Value descends = m.make<arith::AndIOp>(hasChild, comesBefore(item, child));
        scf::ConditionOp::create(k.b, k.loc, descends, ValueRange{carried[0], m.select(takesRight, right, left)});
      },
      [&](OpBuilder &, Location, ValueRange carried) {
        move(carried[1], carried[0]);
        scf::YieldOp::create(k.b, k.loc, carried[1]);
      });
  write(loop.getResult(0), item);
}

/// An element that comes behind all that are in the heap by its index.
void TopKWriter::offer(Value index) {
  ElementCode::Scope scope(code);
  Item item = inputItem(index);
  Value top = read(k.index(0)).key;
  code.doIf(m.compare(arith::CmpIPredicate::ugt, item.key, top), [&] { siftDown(k.index(0), wanted, item); });
}

void TopKWriter::writeHeap() {
  k.loopDo(k.index(0), wanted, k.index(1), [&](Value index) {
    ElementCode::Scope scope(code);
    write(index, inputItem(index));
  });
  Value half = k.divide(wanted, k.index(2));
  k.loopDo(k.index(0), half, k.index(1), [&](Value number) {
    Value place = k.sub(k.sub(half, k.index(1)), number);
    siftDown(place, wanted, read(place));
  });
  // Without a place there is no top either.
  Value isEmpty = m.compare(arith::CmpIPredicate::eq, wanted, k.index(0));
  Value end = m.select(isEmpty, wanted, size), next = wanted;
  if (axis + 1 == dims.size() && k.width > 1) {
    // Most elements come behind the top: lanes look at several at once.
    Value width = k.index(k.width);
    next = k.add(wanted, k.mul(k.divide(k.sub(end, wanted), width), width));
    k.loopDo(wanted, next, width, [&](Value first) {
      ElementCode::Scope scope(code);
      Indices some = row;
      some[axis] = {Index::Contiguous, first, {}};
      Value keys = k.splat(keyOf(code.element(op.getInput(), some)));
      Value before = m.compare(arith::CmpIPredicate::ugt, keys, k.splat(read(k.index(0)).key));
      code.doIf(vector::ReductionOp::create(k.b, k.loc, vector::CombiningKind::OR, before),
                [&] { k.loopDo(first, k.add(first, width), k.index(1), [&](Value index) { offer(index); }); });
    });
  }
  k.loopDo(next, end, k.index(1), [&](Value index) { offer(index); });
  // The top comes last of what is left.
  k.loopDo(k.index(1), wanted, k.index(1), [&](Value number) {
    ElementCode::Scope scope(code);
    Value place = k.sub(wanted, number);
    Item item = read(place);
    move(k.index(0), place);
    siftDown(k.index(0), place, item);
  });
}

void TopKWriter::writeHeaps() {
  DimExpr rows = countRows(), rowsPerBlock = DimExpr::max(1, DimExpr::floorDiv(blockWork, DimExpr::max(1, dims[axis])));
  kernel.grid = DimExpr::ceilDiv(rows, rowsPerBlock);
  // A row whose length is beyond numbers or formulas is worth a block of its own.
  if (!kernel.grid.isValid())
    rowsPerBlock = 1, kernel.grid = rows;
  Value first = k.mul(kernel.block, k.dim(rowsPerBlock));
  k.loopDo(first, k.minimum(k.add(first, k.dim(rowsPerBlock)), k.dim(rows)), k.index(1), [&](Value number) {
    ElementCode::Scope scope(code);
    openRowNumber(number);
    writeHeap();
  });
}

//===-- CUDA: short rows ------------------------------------------------------------------------------------------===//

void TopKWriter::writeRanks() {
  forEachElement(kernel, dims, dims[axis].constant() * 4, [&](const Indices &place) {
    ElementCode::Scope scope(code);
    SmallVector<Value> kept;
    for (auto [index, coordinate] : llvm::enumerate(place))
      if (index != axis)
        kept.push_back(coordinate.base);
    openRow(kept);
    Item own = inputItem(place[axis].base);
    Value rank = k.loop(k.index(0), size, k.index(1), {k.index(0)}, [&](Value index, ValueRange carried) {
      ElementCode::Scope scope(code);
      Value isBefore = comesBefore(inputItem(index), own);
      Value one = arith::ExtUIOp::create(k.b, k.loc, k.b.getI64Type(), isBefore);
      return SmallVector<Value>{k.add(carried[0], arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), one))};
    })[0];
    code.doIf(m.compare(arith::CmpIPredicate::slt, rank, wanted), [&] { write(rank, own); });
  });
}

//===-- CUDA: a block a row ---------------------------------------------------------------------------------------===//

/// How many of the row's items fulfil `holds`; all threads get it. `own` is how many of this thread's.
Value TopKWriter::countWhere(function_ref<Value(const Item &)> holds, Value *own) {
  Type i32 = k.b.getI32Type();
  Value zero = k.constantInt(i32, 0), threads = k.index(rowThreads);
  Value count = k.loop(kernel.thread, size, threads, {zero}, [&](Value index, ValueRange carried) {
    ElementCode::Scope scope(code);
    Value one = arith::ExtUIOp::create(k.b, k.loc, i32, holds(inputItem(index)));
    return SmallVector<Value>{k.add(carried[0], one)};
  })[0];
  if (own)
    *own = count;
  int64_t warp = kernel.target.warpSize;
  Value all = k.constantInt(i32, -1), clamp = k.constantInt(i32, 31);
  for (int64_t distance = warp / 2; distance >= 1; distance /= 2)
    count = k.add(count, NVVM::ShflOp::create(k.b, k.loc, i32, all, count, k.constantInt(i32, distance), clamp,
                                              NVVM::ShflKind::bfly, UnitAttr()));
  Value lane = k.remainder(kernel.thread, k.index(warp)), ownWarp = k.divide(kernel.thread, k.index(warp));
  code.doIf(m.compare(arith::CmpIPredicate::eq, lane, k.index(0)), [&] { k.storeRaw(sums, i32, ownWarp, count); });
  synchronize();
  Value total = k.index(0);
  for (int64_t i = 0; i < rowThreads / warp; ++i)
    total =
        k.add(total, arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), k.loadRaw(sums, i32, k.index(i), 0)));
  // Nobody counts anew before all have read.
  synchronize();
  return total;
}

/// How many bits a number that is not negative needs. Counted in 64 bits, since nobody may shift an index by as many
/// bits as it has, which are 32 on a GPU.
Value TopKWriter::countBits(Value number) {
  Type i64 = k.b.getI64Type();
  Value wide = arith::IndexCastOp::create(k.b, k.loc, i64, number);
  return k.loop(k.index(0), k.index(62), k.index(1), {k.index(0)}, [&](Value bit, ValueRange carried) {
    Value rest = m.make<arith::ShRUIOp>(wide, arith::IndexCastOp::create(k.b, k.loc, i64, bit).getResult());
    Value isLonger = m.compare(arith::CmpIPredicate::ne, rest, k.constantInt(i64, 0));
    return SmallVector<Value>{m.select(isLonger, k.add(bit, k.index(1)), carried[0])};
  })[0];
}

/// Puts what has a larger key than `threshold`, or an equal one and an index below `bound`, into the results: each
/// thread behind the threads before it. These are as many as are wanted.
void TopKWriter::collect(Value threshold, Value bound) {
  Type i32 = k.b.getI32Type(), index = k.b.getIndexType();
  auto isTaken = [&](const Item &item) {
    Value isEqual = m.compare(arith::CmpIPredicate::eq, item.key, threshold);
    Value isInside = m.compare(arith::CmpIPredicate::slt, item.index, bound);
    return m.make<arith::OrIOp>(m.compare(arith::CmpIPredicate::ugt, item.key, threshold),
                                m.make<arith::AndIOp>(isEqual, isInside));
  };
  Value own;
  countWhere(isTaken, &own);
  k.storeRaw(counts, i32, kernel.thread, own);
  synchronize();
  Value first = k.loop(k.index(0), kernel.thread, k.index(1), {k.index(0)}, [&](Value before, ValueRange carried) {
    Value count = arith::IndexCastOp::create(k.b, k.loc, index, k.loadRaw(counts, i32, before, 0));
    return SmallVector<Value>{k.add(carried[0], count)};
  })[0];
  k.loop(kernel.thread, size, k.index(rowThreads), {first}, [&](Value place, ValueRange carried) {
    ElementCode::Scope scope(code);
    Item item = inputItem(place);
    Value taken = isTaken(item);
    code.doIf(taken, [&] { write(carried[0], item); });
    return SmallVector<Value>{m.select(taken, k.add(carried[0], k.index(1)), carried[0])};
  });
  synchronize();
}

/// Lets two places change what they hold if it stands the wrong way round; behind the end stands what comes last.
void TopKWriter::exchange(Value a, Value b) {
  code.doIf(m.compare(arith::CmpIPredicate::slt, b, wanted), [&] {
    Item first = read(a), second = read(b);
    code.doIf(comesBefore(second, first), [&] {
      write(a, second);
      write(b, first);
    });
  });
}

/// Batcher's bitonic network, in the form in which all exchanges have one direction: it takes any number of places.
void TopKWriter::sort() {
  Value threads = k.index(rowThreads), one = k.index(1), two = k.index(2);
  Value levels = countBits(k.maximum(k.sub(wanted, one), k.index(0)));
  k.loopDo(k.index(0), levels, one, [&](Value level) {
    Value half = m.make<arith::ShLIOp>(one, level), span = k.mul(half, two);
    Value pairs = k.mul(k.ceilDivide(wanted, span), half);
    // Mirrored: the first of one sorted half with the last of the next.
    k.loopDo(kernel.thread, pairs, threads, [&](Value pair) {
      Value start = k.mul(k.divide(pair, half), span), within = k.remainder(pair, half);
      exchange(k.add(start, within), k.sub(k.add(start, k.sub(span, one)), within));
    });
    synchronize();
    k.loopDo(k.index(0), level, one, [&](Value step) {
      Value distance = m.make<arith::ShRUIOp>(half, k.add(step, one));
      k.loopDo(kernel.thread, pairs, threads, [&](Value pair) {
        Value start = k.mul(k.divide(pair, distance), k.mul(distance, two));
        Value place = k.add(start, k.remainder(pair, distance));
        exchange(place, k.add(place, distance));
      });
      synchronize();
    });
  });
}

void TopKWriter::writeBlockRow() {
  int64_t bits = keyType.getIntOrFloatBitWidth();
  auto asKey = [&](Value number) { return arith::IndexCastOp::create(k.b, k.loc, keyType, number); };
  // The largest threshold that enough keys reach: the key of the last that comes out.
  Value zero = k.constantInt(keyType, 0), one = k.index(1);
  Value threshold = k.loop(k.index(0), k.index(bits), one, {zero}, [&](Value step, ValueRange carried) {
    Value bit = m.make<arith::ShLIOp>(k.constantInt(keyType, 1), asKey(k.sub(k.index(bits - 1), step)));
    Value higher = m.make<arith::OrIOp>(carried[0], bit);
    Value count = countWhere([&](const Item &item) { return m.compare(arith::CmpIPredicate::uge, item.key, higher); });
    return SmallVector<Value>{m.select(m.compare(arith::CmpIPredicate::sge, count, wanted), higher, carried[0])};
  })[0];
  Value above = countWhere([&](const Item &item) { return m.compare(arith::CmpIPredicate::ugt, item.key, threshold); });
  Value equal = countWhere([&](const Item &item) { return m.compare(arith::CmpIPredicate::eq, item.key, threshold); });
  // Of those equal to it come the first: as many as lie below the largest bound that is not too large. Mostly all.
  Value needed = k.sub(wanted, above), takesAll = m.compare(arith::CmpIPredicate::eq, equal, needed);
  Value length = countBits(size), steps = m.select(takesAll, k.index(0), length);
  Value bound =
      k.loop(k.index(0), steps, one, {m.select(takesAll, size, k.index(0))}, [&](Value step, ValueRange carried) {
        Value higher = m.make<arith::OrIOp>(carried[0], m.make<arith::ShLIOp>(one, k.sub(k.sub(length, one), step)));
        Value count = countWhere([&](const Item &item) {
          Value isEqual = m.compare(arith::CmpIPredicate::eq, item.key, threshold);
          return m.make<arith::AndIOp>(isEqual, m.compare(arith::CmpIPredicate::slt, item.index, higher));
        });
        return SmallVector<Value>{m.select(m.compare(arith::CmpIPredicate::sle, count, needed), higher, carried[0])};
      })[0];
  collect(threshold, bound);
  sort();
}

void TopKWriter::writeBlocks() {
  kernel.threads = rowThreads;
  kernel.grid = countRows();
  sums = declareShared(k, "sums", k.b.getI32Type(), rowThreads / kernel.target.warpSize);
  counts = declareShared(k, "counts", k.b.getI32Type(), rowThreads);
  openRowNumber(kernel.block);
  writeBlockRow();
}

static LogicalResult emitTopK(Kernel &kernel) {
  auto op = findOp<dsc::TopKOp>(kernel.group);
  assert(op && "top_k is scheduled for groups that have one");
  kernel.k.width = kernel.scheduled("width");
  TopKWriter writer(kernel, op);
  if (kernel.target.device == Device::Cpu)
    writer.writeHeaps();
  else if (kernel.scheduled("ranks"))
    writer.writeRanks();
  else
    writer.writeBlocks();
  return kernel.finish();
}

static constexpr Parameter topKParameters[] = {{"ranks", 0, 1}, {"width", 1, 64}};
const KernelEmitter topKEmitter = {"top_k",        topKParameters, acceptsTopK, allowsTopK,
                                   topKCandidates, estimateTopK,   emitTopK,    /*severalResults=*/true};

} // namespace dscc::kernels
