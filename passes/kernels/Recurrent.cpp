// Recurrent layers: a block walks some rows of the batch, in one direction, through the whole sequence.
//
//     for each step:
//       for each part of the cell:       sums = state x weights      lanes (CPU) or threads (CUDA) run along the units,
//                                        cell(gates, states, sums)   each of which does `rows` rows at once
//
// The states lie in memory of the block's own, scratch or shared: read by all units in a product, written by the unit
// that they belong to. The hidden state has two places that take turns, so that no unit reads what another has already
// renewed; any other value is read in a product only by a later part, or by its own unit alone.

#include "passes/kernels/Emitters.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Shell.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

/// Rows that share what is loaded of the weights, at most.
static constexpr int64_t mostRows = 4;
static constexpr int64_t mostThreads = 512;

/// The most sums that a part has.
static int64_t mostSums(dsc::RecurrenceOp op) {
  int64_t most = 1;
  for (size_t part = 0; part < op.getParts().size(); ++part)
    most = std::max(most, op.countSums(part));
  return most;
}

/// Values that a row keeps from one part or step to the next: the hidden state counts twice.
static int64_t countKept(dsc::RecurrenceOp op) {
  int64_t count = 1 + op.getInitial().size();
  for (Region &part : llvm::drop_end(op.getParts()))
    count += part.front().getTerminator()->getNumOperands();
  return count;
}

static int64_t paddedUnits(dsc::RecurrenceOp op, int64_t width) { return llvm::alignTo(op.getUnits(), width); }

static Verdict acceptsRecurrence(dsc::GroupOp group, const Target &target) {
  auto op = findOp<dsc::RecurrenceOp>(group);
  if (!op)
    return Verdict::declined("there is no recurrence");
  if (Verdict verdict = isRootedIn(group, op); !verdict)
    return verdict;
  int64_t bytes = op.getCellElement().getIntOrFloatBitWidth() / 8;
  if (target.device == Device::Cuda && countKept(op) * op.getUnits() * bytes > mostStaticShared)
    return Verdict::declined("the states of a row do not fit shared memory");
  return Verdict::accepted();
}

static Verdict allowsRecurrence(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  int64_t rows = *schedule.lookup("rows"), vectors = *schedule.lookup("vectors"), threads = *schedule.lookup("threads");
  auto op = findOp<dsc::RecurrenceOp>(group);
  if (!llvm::isPowerOf2_64(rows))
    return Verdict::declined("the rows are no power of 2");
  if (Verdict verdict = hasLanes(target, *schedule.lookup("width")); !verdict)
    return verdict;
  if (target.device == Device::Cpu)
    return Verdict::acceptedIf(threads == 1, "a block of a CPU is one thread");
  int64_t bytes = op.getCellElement().getIntOrFloatBitWidth() / 8;
  if (countKept(op) * op.getUnits() * rows * bytes > mostStaticShared)
    return Verdict::declined("the states of so many rows do not fit shared memory");
  return Verdict::acceptedIf(vectors == 1 && threads % target.warpSize == 0 && threads <= target.maxThreads,
                             "a block is made of whole warps, without lanes");
}

static SmallVector<dsc::ScheduleAttr> recurrenceCandidates(dsc::GroupOp group, const Target &target) {
  auto op = findOp<dsc::RecurrenceOp>(group);
  SmallVector<dsc::ScheduleAttr> candidates;
  int64_t width = chooseWidth(target, op.getUnits());
  auto add = [&](int64_t rows, int64_t threads, int64_t vectors) {
    candidates.push_back(
        dsc::ScheduleAttr::get(group.getContext(), "recurrence",
                               {{"rows", rows}, {"threads", threads}, {"vectors", vectors}, {"width", width}}));
  };
  if (target.device == Device::Cuda) {
    add(1, std::min<int64_t>(llvm::alignTo(op.getUnits(), target.warpSize), mostThreads), 1);
    return candidates;
  }
  int64_t sums = mostSums(op);
  for (int64_t rows = mostRows; rows >= 1; rows /= 2)
    for (int64_t vectors = 1; vectors <= 4; vectors *= 2) {
      bool fits = rows * sums * vectors + sums * vectors + 1 <= target.vectorRegisters;
      bool isMore = op.getBatch().isConstant() && rows > std::max<int64_t>(1, op.getBatch().constant());
      if ((fits && !isMore) || (rows == 1 && vectors == 1))
        add(rows, 1, vectors);
    }
  return candidates;
}

/// Weights are read anew at each step, once for the rows of a tile: that is what takes long, unless there are many
/// rows.
static double estimateRecurrence(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                 const Sizes &sizes) {
  auto op = findOp<dsc::RecurrenceOp>(group);
  double rows = *schedule.lookup("rows"), vectors = *schedule.lookup("vectors");
  double batch = sizes.of(op.getBatch()), steps = sizes.of(op.getTime()) * op.getDirections();
  double terms = 0, sums = mostSums(op);
  for (size_t part = 0; part < op.getParts().size(); ++part)
    terms += double(op.getUnits()) * op.getUnits() * op.countSums(part);
  if (target.device == Device::Cuda)
    return steps * batch * terms / (target.gpu->multiprocessors * target.gpu->clock);
  double width = *schedule.lookup("width"), tiles = std::floor(batch / rows);
  double left = batch - tiles * rows, passes = tiles + std::ceil(left / std::max(1.0, rows / 2));
  // A load a vector of weights, a multiplication a row of it; sums wait for the ones before them.
  double chains = rows * sums * vectors, perVector = std::max({2.0, rows, rows * 4 / chains});
  double perChunk = 30 * rows; // activations
  return steps * passes * (terms / width * perVector + op.getUnits() / width * perChunk) / target.cpu->clock;
}

namespace {
/// Some neighbouring units: a vector, or one.
struct Unit {
  Index index;
  Value mask; // null: all lanes exist
};

/// Where a row of the batch is in its sequence.
struct Row {
  Value batch; // its number
  Value steps; // null: all of them
  Value place; // in time, at this step
  Value isAlive;
};

class RecurrenceWriter {
public:
  RecurrenceWriter(Kernel &kernel, dsc::RecurrenceOp op)
      : kernel(kernel), k(kernel.k), code(k), op(op), cell(op.getCellElement()), units(op.getUnits()),
        isCpu(kernel.target.device == Device::Cpu), padded(paddedUnits(op, k.width)),
        vectors(kernel.scheduled("vectors")), threads(kernel.scheduled("threads")) {}

  void write();

private:
  void writeTiles(Value first, Value end, int64_t count);
  void writeRows(Value first, int64_t count);
  void begin(ArrayRef<Row> rows);
  void step(Value time, SmallVector<Row> rows);
  void finish(ArrayRef<Row> rows);
  SmallVector<Value> sumProducts(size_t part, Value state, ArrayRef<Unit> some, int64_t rows);
  void applyCell(size_t part, Value time, const Row &row, int64_t number, const Unit &unit, ArrayRef<Value> sums,
                 int64_t rows);
  void place(Row &row, Value time);

  void forUnits(function_ref<void(ArrayRef<Unit>)> body);
  void synchronize() {
    if (!isCpu)
      NVVM::Barrier0Op::create(k.b, k.loc);
  }

  // Kept values: the hidden state's two places, then the other states, then what earlier parts yield.
  Value hiddenAt(Value time) { return k.remainder(time, k.index(2)); }
  Value stateAt(size_t state, Value time) { return state == 0 ? hiddenAt(time) : k.index(int64_t(state) + 1); }
  size_t yieldedBefore(size_t part) {
    size_t count = 0;
    for (size_t i = 0; i < part; ++i)
      count += op.getParts()[i].front().getTerminator()->getNumOperands();
    return count;
  }
  Value yieldedAt(size_t number) { return k.index(int64_t(1 + op.getInitial().size() + number)); }
  Value keptOffset(Value kept, int64_t row, int64_t rows, Value unit) {
    Value line = k.add(k.mul(kept, k.index(rows)), k.index(row));
    return k.add(k.mul(line, k.index(padded)), unit);
  }
  Value loadKept(Value kept, int64_t row, int64_t rows, const Unit &unit) {
    int64_t lanes = unit.index.kind == Index::Contiguous ? k.width : 0;
    return k.loadRaw(memory, cell, keptOffset(kept, row, rows, unit.index.base), lanes);
  }
  void storeKept(Value kept, int64_t row, int64_t rows, const Unit &unit, Value value) {
    if (unit.index.kind == Index::Contiguous)
      value = k.splat(value);
    k.storeRaw(memory, cell, keptOffset(kept, row, rows, unit.index.base), value);
  }

  /// An element of one of the op's operands, as the cell computes.
  Value element(Value tensor, const Indices &at) {
    Value value = code.element(tensor, at);
    Type type = dsc::getElementType(tensor);
    return getElementTypeOrSelf(value) == cell ? value : emitCast(k, value, type, cell, false);
  }
  /// A column of a tensor whose last dim is [directions * ] things * units.
  Index column(const Unit &unit, int64_t thing) { return k.addTo(unit.index, k.index(thing * units)); }
  void storeResult(Value result, const Indices &at, Value value);

  Kernel &kernel;
  KernelBuilder &k;
  ElementCode code;
  dsc::RecurrenceOp op;
  Type cell;
  int64_t units;
  bool isCpu;
  int64_t padded, vectors, threads;
  Value memory, direction, isReverse;
};
} // namespace

void RecurrenceWriter::forUnits(function_ref<void(ArrayRef<Unit>)> body) {
  if (!isCpu) {
    k.loopDo(kernel.thread, k.index(units), k.index(threads), [&](Value unit) {
      ElementCode::Scope scope(code);
      body(Unit{k.uniform(unit), {}});
    });
    return;
  }
  auto some = [&](Value first, int64_t left) {
    SmallVector<Unit> list;
    for (int64_t i = 0; i < vectors && left > 0; ++i, left -= k.width) {
      Value start = k.add(first, k.index(i * k.width));
      Unit unit = {k.width == 1 ? k.uniform(start) : Index{Index::Contiguous, start, {}}, {}};
      if (left < k.width)
        unit.mask =
            arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, k.laneNumbers(), k.splat(k.index(left)));
      list.push_back(unit);
    }
    ElementCode::Scope scope(code);
    body(list);
  };
  int64_t step = vectors * k.width, whole = units / step * step;
  if (whole > 0)
    k.loopDo(k.index(0), k.index(whole), k.index(step), [&](Value first) { some(first, step); });
  if (whole < units)
    some(k.index(whole), units - whole);
}

void RecurrenceWriter::storeResult(Value result, const Indices &at, Value value) {
  Operation *yield = kernel.group.getBody().front().getTerminator();
  // One that nobody wants has no place.
  for (auto [index, yielded] : llvm::enumerate(yield->getOperands()))
    if (yielded == result)
      k.storeElement(kernel.results[index], dsc::getElementType(result), kernel.resultStrides(index), at, value);
}

/// Where the row is at step `time`: walking backwards it begins at its own end, and behind its end it waits there.
void RecurrenceWriter::place(Row &row, Value time) {
  Value end = row.steps ? row.steps : k.dim(op.getTime());
  row.isAlive = row.steps ? arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, time, end) : Value();
  Value backwards = k.sub(k.sub(end, k.index(1)), time);
  if (row.isAlive)
    backwards = arith::SelectOp::create(k.b, k.loc, row.isAlive, backwards, time);
  row.place = k.b.createOrFold<arith::SelectOp>(k.loc, isReverse, backwards, time);
}

void RecurrenceWriter::begin(ArrayRef<Row> rows) {
  forUnits([&](ArrayRef<Unit> some) {
    for (auto [number, row] : llvm::enumerate(rows))
      for (const Unit &unit : some)
        for (auto [state, initial] : llvm::enumerate(op.getInitial())) {
          k.mask = unit.mask;
          Value value = element(initial, {k.uniform(direction), k.uniform(row.batch), unit.index});
          k.mask = {};
          storeKept(stateAt(state, k.index(0)), number, rows.size(), unit, value);
        }
  });
  synchronize();
}

/// state x weights, by row, sum and unit.
SmallVector<Value> RecurrenceWriter::sumProducts(size_t part, Value state, ArrayRef<Unit> some, int64_t rows) {
  int64_t count = op.countSums(part);
  Value weights = op.getWeights()[part];
  SmallVector<Value> sums(rows * count * some.size(), k.lift(zeroOf(k, cell)));
  return k.loop(k.index(0), k.index(units), k.index(1), sums, [&](Value inner, ValueRange carried) {
    ElementCode::Scope scope(code);
    SmallVector<Value> columns, next;
    for (int64_t sum = 0; sum < count; ++sum)
      for (const Unit &unit : some) {
        k.mask = unit.mask;
        columns.push_back(element(weights, {k.uniform(direction), k.uniform(inner), column(unit, sum)}));
        k.mask = {};
      }
    for (int64_t row = 0; row < rows; ++row) {
      Value value = k.lift(k.loadRaw(memory, cell, keptOffset(state, row, rows, inner), 0));
      for (auto [index, weight] : llvm::enumerate(columns))
        next.push_back(k.lift(emitMulAdd(k, value, weight, carried[row * columns.size() + index])));
    }
    return next;
  });
}

/// One row's units through one part of the cell; `sums` are theirs.
void RecurrenceWriter::applyCell(size_t part, Value time, const Row &row, int64_t number, const Unit &unit,
                                 ArrayRef<Value> sums, int64_t rows) {
  ElementCode::Scope scope(code);
  k.mask = unit.mask;
  Block &block = op.getParts()[part].front();
  size_t next = 0;
  auto bind = [&](Value value) { code.bind(block.getArgument(next++), value); };
  int64_t gates = op.countGates();
  Value first = k.mul(direction, k.index(gates * units));
  for (int64_t gate = 0; gate < gates; ++gate)
    bind(element(op.getGates(), {k.uniform(row.place), k.uniform(row.batch), k.addTo(column(unit, gate), first)}));
  for (int64_t parameter = 0; parameter < op.countParameters(); ++parameter)
    bind(element(op.getParameters(), {k.uniform(direction), column(unit, parameter)}));
  SmallVector<Value> states;
  for (size_t state = 0; state < op.getInitial().size(); ++state)
    bind(states.emplace_back(loadKept(stateAt(state, time), number, rows, unit)));
  size_t before = yieldedBefore(part);
  for (size_t earlier = 0; earlier < before; ++earlier)
    bind(loadKept(yieldedAt(earlier), number, rows, unit));
  for (Value sum : sums)
    bind(sum);
  assert(next == block.getNumArguments() && "a part takes what its op says");
  bool isLast = part + 1 == op.getParts().size();
  SmallVector<Value> values;
  for (Value yielded : block.getTerminator()->getOperands())
    values.push_back(code.element(yielded, {unit.index}));
  for (auto [index, value] : llvm::enumerate(values)) {
    if (!isLast) {
      storeKept(yieldedAt(before + index), number, rows, unit, value);
      continue;
    }
    Value kept = value;
    if (row.isAlive) {
      SmallVector<Value> both = {value, states[index]};
      k.unify(both);
      kept = arith::SelectOp::create(k.b, k.loc, row.isAlive, both[0], both[1]);
    }
    storeKept(stateAt(index, k.add(time, k.index(1))), number, rows, unit, kept);
  }
  if (isLast) {
    Value output = values[0];
    if (row.isAlive) {
      SmallVector<Value> both = {output, zeroOf(k, cell)};
      k.unify(both);
      output = arith::SelectOp::create(k.b, k.loc, row.isAlive, both[0], both[1]);
    }
    storeResult(op.getOutputs(), {k.uniform(row.place), k.uniform(direction), k.uniform(row.batch), unit.index},
                output);
  }
  k.mask = {};
}

void RecurrenceWriter::step(Value time, SmallVector<Row> rows) {
  for (Row &row : rows)
    place(row, time);
  for (size_t part = 0; part < op.getParts().size(); ++part) {
    Value state = part == 0 ? hiddenAt(time) : yieldedAt(yieldedBefore(part - 1));
    forUnits([&](ArrayRef<Unit> some) {
      SmallVector<Value> sums = sumProducts(part, state, some, rows.size());
      size_t count = op.countSums(part);
      for (auto [number, row] : llvm::enumerate(rows))
        for (auto [index, unit] : llvm::enumerate(some)) {
          SmallVector<Value> own;
          for (size_t sum = 0; sum < count; ++sum)
            own.push_back(sums[(number * count + sum) * some.size() + index]);
          applyCell(part, time, row, number, unit, own, rows.size());
        }
    });
    synchronize();
  }
}

void RecurrenceWriter::finish(ArrayRef<Row> rows) {
  Value end = k.dim(op.getTime());
  forUnits([&](ArrayRef<Unit> some) {
    for (auto [number, row] : llvm::enumerate(rows))
      for (const Unit &unit : some)
        for (auto [state, last] : llvm::enumerate(op.getLast())) {
          k.mask = unit.mask;
          Value value = loadKept(stateAt(state, end), number, rows.size(), unit);
          storeResult(last, {k.uniform(direction), k.uniform(row.batch), unit.index}, value);
          k.mask = {};
        }
  });
  synchronize();
}

void RecurrenceWriter::writeRows(Value first, int64_t count) {
  ElementCode::Scope scope(code);
  SmallVector<Row> rows;
  Value time = k.dim(op.getTime());
  for (int64_t i = 0; i < count; ++i) {
    Row row = {k.add(first, k.index(i)), {}, {}, {}};
    if (op.getLengths()) {
      // A length that is out of range is the nearest that is not: nothing outside the sequence is ever touched.
      Value length = code.element(op.getLengths(), {k.uniform(row.batch)});
      length = arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), length);
      row.steps = k.minimum(k.maximum(length, k.index(0)), time);
    }
    rows.push_back(row);
  }
  begin(rows);
  k.loopDo(k.index(0), time, k.index(1), [&](Value now) {
    ElementCode::Scope scope(code);
    step(now, rows);
  });
  finish(rows);
}

void RecurrenceWriter::write() {
  int64_t rows = kernel.scheduled("rows"), directions = op.getDirections();
  int64_t count = countKept(op) * rows * padded;
  if (isCpu) {
    kernel.scratch = count * cell.getIntOrFloatBitWidth() / 8;
    memory = kernel.scratchMemory;
  } else {
    kernel.threads = threads;
    memory = declareShared(k, "states", cell, count);
  }
  DimExpr batch = op.getBatch(), tiles = DimExpr::ceilDiv(batch, rows);
  kernel.grid = tiles * directions;
  // Directions side by side: their rows take equally long.
  direction = directions == 1 ? k.index(0) : k.remainder(kernel.block, k.index(directions));
  Value tile = directions == 1 ? kernel.block : k.divide(kernel.block, k.index(directions));
  SmallVector<int64_t> reverse = dsc::getIntegers(op.getReverse());
  isReverse = k.constantInt(k.b.getI1Type(), reverse[0]);
  if (directions > 1) {
    Value isFirst = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, direction, k.index(0));
    Value second = k.constantInt(k.b.getI1Type(), reverse[1]);
    isReverse = k.b.createOrFold<arith::SelectOp>(k.loc, isFirst, isReverse, second);
  }
  Value first = k.mul(tile, k.index(rows));
  if (rows == 1 || (batch.isConstant() && batch.constant() % rows == 0))
    return writeRows(first, rows);
  writeTiles(first, k.minimum(k.add(first, k.index(rows)), k.dim(batch)), rows);
}

/// Rows [first, end), which are at most `count`: all at once, or in halves of what does not fit.
void RecurrenceWriter::writeTiles(Value first, Value end, int64_t count) {
  if (count == 1)
    return k.loopDo(first, end, k.index(1), [&](Value row) { writeRows(row, 1); });
  Value next = k.add(first, k.index(count));
  Value fits = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::sle, next, end);
  auto choice = scf::IfOp::create(k.b, k.loc, k.b.getIndexType(), fits, true);
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPointToEnd(choice.thenBlock());
  writeRows(first, count);
  scf::YieldOp::create(k.b, k.loc, next);
  k.b.setInsertionPointToEnd(choice.elseBlock());
  scf::YieldOp::create(k.b, k.loc, first);
  k.b.setInsertionPointAfter(choice);
  writeTiles(choice.getResult(0), end, count / 2);
}

static LogicalResult emitRecurrence(Kernel &kernel) {
  auto op = findOp<dsc::RecurrenceOp>(kernel.group);
  assert(op && "a recurrence is scheduled for groups that have one");
  kernel.k.width = kernel.scheduled("width");
  RecurrenceWriter(kernel, op).write();
  return kernel.finish();
}

static constexpr Parameter recurrenceParameters[] = {
    {"rows", 1, 16}, {"threads", 1, 1024}, {"vectors", 1, 8}, {"width", 1, 64}};
const KernelEmitter recurrenceEmitter = {"recurrence",     recurrenceParameters,   acceptsRecurrence,
                                         allowsRecurrence, recurrenceCandidates,   estimateRecurrence,
                                         emitRecurrence,   /*severalResults=*/true};

} // namespace dscc::kernels
