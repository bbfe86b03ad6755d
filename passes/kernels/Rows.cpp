// Reductions, softmax, norms and dots: everything that one row needs, before the next row.
//
//   softmax over the last dim:   pass 1: max     pass 2: sum of exp(x - max)     pass 3: store exp(x - max) / sum
//
// A few long rows would leave most of a GPU idle: then several warps have a part of a row each (split_rows). Each pass
// that joins something is a kernel, which leaves one value a part in the workspace; the next one begins by joining
// them.
//
// A row is one place of the kept dims. Where the last dim is reduced, lanes (CPU) or a warp's threads (CUDA) share the
// row and are joined at its end; else each lane or thread has a row of its own and they sit next to each other.

#include "passes/kernels/Emitters.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace dscc::kernels {

static constexpr int64_t warpsPerBlock = 8;

/// The axes of its domain that an op runs over, if it works on rows.
static std::optional<SmallVector<int64_t>> rowAxes(Operation *op) {
  if (std::optional<dsc::Dims> terms = dotTerms(op))
    return SmallVector<int64_t>{int64_t(terms->size()) - 1};
  auto facts = dyn_cast<dsc::OpFacts>(op);
  return facts ? facts.getRowAxes() : std::nullopt;
}

/// True if one element is left of each row. Other row ops have no code of their own: expandRowOps makes them of these.
static bool isReduction(Operation *op) { return cast<dsc::OpFacts>(op).getRowAxes() && hasElementCode(op); }

namespace {
/// The rows of a group.
struct Plan {
  dsc::Dims domain;
  SmallVector<int64_t> axes;
  dsc::Dims kept() const {
    dsc::Dims dims;
    for (size_t i = 0; i < domain.size(); ++i)
      if (!llvm::is_contained(axes, i))
        dims.push_back(domain[i]);
    return dims;
  }
  dsc::Dims reduced() const {
    return llvm::map_to_vector(axes, [&](int64_t axis) {
      assert(axis < int64_t(domain.size()) && "rows run along axes of their domain");
      return domain[axis];
    });
  }
  bool lastIsReduced() const { return !axes.empty() && axes.back() == int64_t(domain.size()) - 1; }
  dsc::Dims rowDims() const {
    dsc::Dims dims = domain;
    for (int64_t axis : axes)
      dims[axis] = 1;
    return dims;
  }
  /// Coordinates in the domain from those of the kept dims; reduced ones are left at `zero`.
  Indices place(ArrayRef<Index> kept, const Index &zero) const {
    assert(kept.size() + axes.size() == domain.size() && "a row has a coordinate for each dim that is kept");
    Indices at;
    size_t next = 0;
    for (size_t i = 0; i < domain.size(); ++i)
      at.push_back(llvm::is_contained(axes, i) ? zero : kept[next++]);
    return at;
  }
};
} // namespace

/// The rows that all row ops of the group agree on.
static std::optional<Plan> planRows(dsc::GroupOp group) {
  std::optional<Plan> plan;
  Block &block = group.getBody().front();
  for (Operation &op : block.without_terminator()) {
    std::optional<SmallVector<int64_t>> axes = rowAxes(&op);
    if (!axes)
      continue;
    std::optional<dsc::Dims> terms = dotTerms(&op);
    dsc::Dims domain = terms ? *terms : dsc::getDims(op.getOperand(0));
    if (plan && (plan->domain != domain || plan->axes != *axes))
      return std::nullopt;
    plan = Plan{domain, *axes};
  }
  if (!plan || plan->domain.empty())
    return std::nullopt;
  for (Value result : group.getYielded())
    if (dsc::Dims dims = dsc::getDims(result); dims != plan->domain && dims != plan->rowDims())
      return std::nullopt;
  return plan;
}

bool hasRows(dsc::GroupOp group) {
  return planRows(group) && llvm::all_of(group.getBody().front().without_terminator(),
                                         [](Operation &op) { return rowAxes(&op) || hasElementCode(&op); });
}

static Verdict acceptsRows(dsc::GroupOp group, const Target &) {
  if (!planRows(group))
    return Verdict::declined("there are no rows that all of the group, and its result, agree on");
  for (Operation &op : group.getBody().front().without_terminator())
    if (rowAxes(&op) && !isReduction(&op))
      return Verdict::declined("what it does with rows is not spelled out as reductions");
  return Verdict::acceptedIf(hasElementCode(group, nullptr), "an op has no code for one element");
}

/// Along which dim lanes run.
static DimExpr lanesAlong(const Plan &plan) {
  dsc::Dims kept = plan.kept();
  return plan.lastIsReduced() ? plan.domain.back() : kept.empty() ? DimExpr(1) : kept.back();
}

static SmallVector<dsc::ScheduleAttr> rowsCandidates(dsc::GroupOp group, const Target &target) {
  int64_t width = chooseWidth(target, lanesAlong(*planRows(group)));
  SmallVector<dsc::ScheduleAttr> candidates;
  for (int64_t accumulators : {4, 2, 1, 8})
    if (accumulators == 4 || target.device == Device::Cpu)
      candidates.push_back(
          dsc::ScheduleAttr::get(group.getContext(), "rows", {{"accumulators", accumulators}, {"width", width}}));
  return candidates;
}

static Verdict allowsRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  return hasLanes(target, *schedule.lookup("width"));
}

static size_t countReductions(dsc::GroupOp group) {
  return llvm::count_if(group.getBody().front().without_terminator(), [](Operation &op) { return isReduction(&op); });
}

/// On a GPU, where `parts` warps share a row: the memory's time and the arithmetic's, by as many multiprocessors as get
/// a block, but no less than a warp waits for its loads.
static double estimateOnGpu(const Plan &plan, double passes, double flops, double parts, const Target &target,
                            const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  constexpr double loadsAtOnce = 4; // of a warp, as loops are unrolled
  double elements = sizes.count(plan.domain), lane = plan.lastIsReduced() ? sizes.of(plan.domain.back()) : 1;
  double rowsOfWarps = plan.lastIsReduced() ? elements / std::max(1.0, lane) * parts : elements / target.warpSize;
  double busy = std::min<double>(gpu.multiprocessors, std::ceil(rowsOfWarps / warpsPerBlock));
  double bytesPerSecond = std::min(gpu.memoryBytesPerSecond, busy * gpu.l2BytesPerClock * gpu.clock);
  double rounds = std::ceil(lane / parts / target.warpSize / loadsAtOnce);
  // What is read again comes from caches.
  double streaming =
      (1 + 0.3 * (passes - 1)) * elements * 4 / bytesPerSecond + flops / (busy * gpu.clock * gpu.f32FlopPerClock);
  return std::max(streaming, passes * rounds * gpu.loadClocks / gpu.clock);
}

/// Each reduction, and what is stored, is a pass over the row; with too few accumulators it waits for additions, and
/// what is left of a row behind whole rounds of them is done a vector at a time.
static double estimateRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes) {
  std::optional<Plan> plan = planRows(group);
  double elements = sizes.count(plan->domain), flops = 0, passes = 1 + countReductions(group);
  for (Operation &op : group.getBody().front().without_terminator())
    flops += sizes.of(cast<dsc::OpFacts>(op).getFlops());
  if (target.device == Device::Cuda)
    return estimateOnGpu(*plan, passes, flops, 1, target, sizes);
  double width = *schedule.lookup("width"), accumulators = *schedule.lookup("accumulators");
  double lane = plan->lastIsReduced() ? sizes.of(plan->domain.back()) : 1;
  double rounds = std::floor(lane / (width * accumulators)), rest = std::ceil(lane / width) - rounds * accumulators;
  constexpr double latency = 4, tail = 5; // of an addition; of a masked vector with its selection
  double perRow = plan->lastIsReduced() ? rounds * std::max(accumulators, latency) + rest * tail + 2 * accumulators + 10
                                        : lane * latency;
  double rows = elements / std::max(1.0, lane) / (plan->lastIsReduced() ? 1 : width);
  return (rows * perRow * passes + flops / width) / target.cpu->clock;
}

/// Into how many parts a row may be split, at most.
static constexpr int64_t mostParts = 1024;

static Verdict acceptsSplitRows(dsc::GroupOp group, const Target &target) {
  if (target.device != Device::Cuda)
    return Verdict::declined("the target is no GPU");
  if (Verdict verdict = acceptsRows(group, target); !verdict)
    return verdict;
  return Verdict::acceptedIf(planRows(group)->lastIsReduced(), "rows do not run along the last dim");
}

static SmallVector<dsc::ScheduleAttr> splitRowsCandidates(dsc::GroupOp group, const Target &) {
  SmallVector<dsc::ScheduleAttr> candidates;
  for (int64_t parts = 4; parts <= mostParts; parts *= 4)
    candidates.push_back(dsc::ScheduleAttr::get(group.getContext(), "split_rows", {{"parts", parts}}));
  return candidates;
}

/// One for each reduction, and one for the results.
static size_t countSplitRows(dsc::GroupOp group, dsc::ScheduleAttr) { return countReductions(group) + 1; }

/// A value for each reduction, part and row.
static DimExpr splitRowsWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  constexpr int64_t bytes = 8; // of the widest type
  return dsc::countElements(planRows(group)->kept()) *
         (int64_t(countReductions(group)) * *schedule.lookup("parts") * bytes);
}

static double estimateSplitRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                const Sizes &sizes) {
  std::optional<Plan> plan = planRows(group);
  double flops = 0, reductions = countReductions(group), parts = *schedule.lookup("parts");
  for (Operation &op : group.getBody().front().without_terminator())
    flops += sizes.of(cast<dsc::OpFacts>(op).getFlops());
  // Before each pass but the first, a warp waits for as many values as its row has parts.
  double joins = reductions * std::ceil(parts / target.warpSize) * target.gpu->loadClocks / target.gpu->clock;
  return estimateOnGpu(*plan, 1 + reductions, flops, parts, target, sizes) + joins +
         reductions * target.gpu->secondsPerLaunch;
}

namespace {
/// Writes the rows of one group.
class RowWriter {
public:
  /// `parts` warps have a part of each row.
  RowWriter(Kernel &kernel, const Plan &plan, int64_t parts)
      : kernel(kernel), plan(plan), k(kernel.k), code(k), parts(parts) {
    for (Operation &op : kernel.group.getBody().front().without_terminator())
      if (isReduction(&op))
        reductions.push_back(&op);
    for (auto [number, value] : llvm::enumerate(kernel.group.getYielded())) {
      bool isRow = dsc::getDims(value) != plan.domain;
      (isRow ? perRow : perElement).push_back({value, kernel.results[number], kernel.resultStrides(number)});
    }
  }

  /// Lanes or threads have rows of their own.
  void writeSeparateRows() {
    int64_t cost = kernel.group.getBody().front().getOperations().size() * 16;
    forEachElement(kernel, plan.kept(), cost, [&](const Indices &kept) {
      ElementCode::Scope scope(code);
      Indices at = plan.place(kept, k.constantIndex(0));
      for (Operation *op : reductions)
        code.bind(op->getResult(0), reduceSeparate(op, at));
      store(perRow, at);
      if (perElement.empty())
        return;
      loopOver(code, plan.reduced(), {}, [&](ArrayRef<Value> position, ValueRange) {
        store(perElement, withPosition(at, position));
        return SmallVector<Value>{};
      });
    });
  }

  void writeSharedRows() {
    dsc::Dims kept = plan.kept();
    DimExpr rows = dsc::countElements(kept);
    bool isCpu = kernel.target.device == Device::Cpu;
    auto body = [&](Value row) {
      ElementCode::Scope scope(code);
      SmallVector<Value> sizes = llvm::map_to_vector(kept, [&](const DimExpr &dim) { return k.dim(dim); });
      Indices coordinates;
      if (!sizes.empty())
        for (Value coordinate : k.delinearize(row, sizes))
          coordinates.push_back(k.uniform(coordinate));
      writeSharedRow(plan.place(coordinates, k.constantIndex(0)));
    };
    if (isCpu) {
      DimExpr perRow = DimExpr::max(1, dsc::countElements(plan.reduced()) * int64_t(reductions.size() + 1));
      DimExpr rowsPerBlock = DimExpr::max(1, DimExpr::floorDiv(4096, perRow));
      kernel.grid = DimExpr::ceilDiv(rows, rowsPerBlock);
      // A row whose length is beyond numbers or formulas is worth a block of its own.
      if (!kernel.grid.isValid())
        rowsPerBlock = 1, kernel.grid = rows;
      Value first = k.mul(kernel.block, k.dim(rowsPerBlock));
      k.loopDo(first, k.minimum(k.add(first, k.dim(rowsPerBlock)), k.dim(rows)), k.index(1), body);
      return;
    }
    kernel.threads = warpsPerBlock * kernel.target.warpSize;
    // What is left of whole rows is no work to be shared.
    int64_t sharers = isLastStep() && perElement.empty() ? 1 : parts;
    kernel.grid = DimExpr::ceilDiv(rows * sharers, warpsPerBlock);
    Value warp = k.divide(kernel.thread, k.index(kernel.target.warpSize));
    lane = k.remainder(kernel.thread, k.index(kernel.target.warpSize));
    Value number = k.add(k.mul(kernel.block, k.index(warpsPerBlock)), warp);
    row = k.divide(number, k.index(sharers));
    part = k.remainder(number, k.index(sharers));
    Value exists = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, row, k.dim(rows));
    auto guarded = scf::IfOp::create(k.b, k.loc, exists, false);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPoint(guarded.thenBlock()->getTerminator());
    body(row);
  }

private:
  /// A result of the group.
  struct Output {
    Value value, pointer;
    SmallVector<Value> strides;
  };

  void store(ArrayRef<Output> outputs, const Indices &at) {
    for (const Output &output : outputs)
      k.storeElement(output.pointer, dsc::getElementType(output.value), output.strides, at,
                     code.element(output.value, at));
  }

  bool isLastStep() const { return parts == 1 || kernel.step == reductions.size(); }

  Indices withPosition(Indices at, ArrayRef<Value> position) {
    for (size_t i = 0; i < position.size(); ++i)
      at[plan.axes[i]] = k.uniform(position[i]);
    return at;
  }

  Value reduceSeparate(Operation *op, const Indices &at) {
    Value start = k.lift(reductionStart(k, op));
    Value total = loopOver(code, plan.reduced(), {start}, [&](ArrayRef<Value> position, ValueRange carried) {
      Value element = code.element(op->getOperand(0), withPosition(at, position));
      return SmallVector<Value>{k.lift(combineReduced(k, op, carried[0], element))};
    })[0];
    return finishReduction(k, op, total);
  }

  /// Runs `body` once for the row, or once for each part of it.
  void byFirstThread(function_ref<void()> body) {
    if (!lane)
      return body();
    Value isFirst = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, lane, k.index(0));
    auto guarded = scf::IfOp::create(k.b, k.loc, isFirst, false);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPoint(guarded.thenBlock()->getTerminator());
    ElementCode::Scope scope(code);
    body();
  }

  void writeSharedRow(const Indices &at) {
    for (auto [number, op] : llvm::enumerate(reductions)) {
      if (parts == 1) {
        code.bind(op->getResult(0), finishReduction(k, op, reduceShared(op, at)));
      } else if (number < kernel.step) {
        code.bind(op->getResult(0), finishReduction(k, op, joinParts(op, number)));
      } else if (number == kernel.step) {
        Value joined = reduceShared(op, at);
        byFirstThread(
            [&] { k.storeRaw(addressOfPart(number, part, joined.getType()), joined.getType(), row, joined); });
        return;
      }
    }
    if (!perElement.empty())
      alongRow(at, {}, [&](const Indices &here, ValueRange) {
        store(perElement, here);
        return SmallVector<Value>{};
      });
    if (perRow.empty())
      return;
    int64_t width = std::exchange(k.width, 1);
    byFirstThread([&] { store(perRow, at); });
    k.width = width;
  }

  /// In the workspace: reduction by reduction, part by part, a value for each row.
  Value addressOfPart(size_t reduction, Value number, Type type) {
    Value rows = k.dim(dsc::countElements(plan.kept()));
    Value first = k.advance(kernel.workspace, k.b.getI64Type(), k.index(int64_t(reduction) * parts), rows);
    return k.advance(first, type, number, rows);
  }

  /// What the parts of the row came to in an earlier kernel.
  Value joinParts(Operation *op, size_t reduction) {
    Value start = reductionStart(k, op);
    Type type = start.getType();
    Value total =
        k.loop(lane, k.index(parts), k.index(kernel.target.warpSize), start, [&](Value i, ValueRange carried) {
          Value loaded = k.loadRaw(addressOfPart(reduction, i, type), type, row, 0);
          return SmallVector<Value>{combineReduced(k, op, carried[0], loaded)};
        })[0];
    return joinThreads(op, total);
  }

  using RowBody = function_ref<SmallVector<Value>(const Indices &, ValueRange)>;

  /// Runs over the reduced dims, the last one by lanes or by the warp's threads.
  SmallVector<Value> alongRow(const Indices &row, ValueRange init, RowBody body) {
    assert(plan.lastIsReduced() && "lanes and threads share rows along the last dim");
    dsc::Dims outer = plan.reduced();
    DimExpr last = outer.pop_back_val();
    return loopOver(code, outer, init, [&](ArrayRef<Value> position, ValueRange carried) {
      Indices at = withPosition(row, position);
      return lane ? alongLastByThreads(at, last, carried, body) : alongLastByLanes(at, last, carried, body);
    });
  }

  SmallVector<Value> alongLastByThreads(Indices at, const DimExpr &last, ValueRange carried, RowBody body) {
    Value from = lane, to = k.dim(last);
    if (parts > 1) {
      Value share = k.ceilDivide(to, k.index(parts)), begin = k.mul(part, share);
      from = k.add(begin, lane);
      to = k.minimum(to, k.add(begin, share));
    }
    return k.loop(from, to, k.index(kernel.target.warpSize), carried, [&](Value i, ValueRange inner) {
      ElementCode::Scope scope(code);
      at.back() = k.uniform(i);
      return body(at, inner);
    });
  }

  SmallVector<Value> alongLastByLanes(Indices at, const DimExpr &last, ValueRange carried, RowBody body) {
    if (k.width == 1)
      return k.loop(k.index(0), k.dim(last), k.index(1), carried, [&](Value i, ValueRange inner) {
        ElementCode::Scope scope(code);
        at.back() = k.uniform(i);
        return body(at, inner);
      });
    assert(carried.size() % unroll == 0 && "each accumulator carries as much as the others");
    Value size = k.dim(last), step = k.index(k.width * unroll);
    Value whole = k.mul(k.divide(size, step), step);
    SmallVector<Value> result = k.loop(k.index(0), whole, step, carried, [&](Value i, ValueRange inner) {
      SmallVector<Value> next;
      for (int64_t u = 0; u < unroll; ++u) {
        ElementCode::Scope scope(code);
        at.back() = {Index::Contiguous, k.add(i, k.index(u * k.width)), {}};
        // Each accumulator has its own share of the carried values.
        size_t share = inner.size() / unroll;
        llvm::append_range(next, body(at, inner.slice(u * share, share)));
      }
      return next;
    });
    // What is left, a masked vector at a time, into the first accumulator.
    size_t share = result.size() / unroll;
    ValueRange first = ValueRange(result).take_front(share);
    SmallVector<Value> rest = k.loop(whole, size, k.index(k.width), first, [&](Value i, ValueRange inner) {
      ElementCode::Scope scope(code);
      Value remaining = k.splat(k.sub(size, i));
      k.mask = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, k.laneNumbers(), remaining);
      at.back() = {Index::Contiguous, i, {}};
      SmallVector<Value> next = body(at, inner);
      for (auto [value, previous] : llvm::zip_equal(next, inner))
        value = arith::SelectOp::create(k.b, k.loc, k.mask, value, previous);
      k.mask = {};
      return next;
    });
    for (size_t i = share; i < result.size(); ++i)
      rest.push_back(result[i]);
    return rest;
  }

  /// All but the last step of the reduction.
  Value reduceShared(Operation *op, const Indices &at) {
    unroll = lane || k.width == 1 ? 1 : kernel.scheduled("accumulators");
    SmallVector<Value> init(unroll, k.lift(reductionStart(k, op)));
    SmallVector<Value> parts = alongRow(at, init, [&](const Indices &here, ValueRange carried) {
      Value element = code.element(op->getOperand(0), here);
      return SmallVector<Value>{k.lift(combineReduced(k, op, carried[0], element))};
    });
    unroll = 1;
    Value total = parts[0];
    for (Value part : llvm::drop_begin(parts))
      total = combineReduced(k, op, total, part);
    if (k.isVector(total))
      total = joinLanes(op, total);
    return lane ? joinThreads(op, total) : total;
  }

  Value joinLanes(Operation *op, Value lanes) {
    assert(llvm::isPowerOf2_64(k.width) && "halves of halves are joined");
    // Halves are joined pairwise: as accurate as it gets, and the same order on every machine.
    for (int64_t half = k.width / 2; half >= 1; half /= 2) {
      SmallVector<int64_t> low = llvm::to_vector(llvm::seq<int64_t>(0, half)),
                           high = llvm::to_vector(llvm::seq<int64_t>(half, 2 * half));
      Value a = vector::ShuffleOp::create(k.b, k.loc, lanes, lanes, low);
      Value b = vector::ShuffleOp::create(k.b, k.loc, lanes, lanes, high);
      lanes = combineReduced(k, op, a, b);
    }
    return vector::ExtractOp::create(k.b, k.loc, lanes, ArrayRef<int64_t>{0});
  }

  Value shuffleWord(Value word, int64_t distance) {
    Type i32 = k.b.getI32Type();
    Value all = k.constantInt(i32, -1), offset = k.constantInt(i32, distance), clamp = k.constantInt(i32, 31);
    return NVVM::ShflOp::create(k.b, k.loc, word.getType(), all, word, offset, clamp, NVVM::ShflKind::bfly, UnitAttr());
  }

  /// The value of the thread whose lane differs in one bit, for any type.
  Value shuffle(Value value, int64_t distance) {
    Type type = value.getType(), i32 = k.b.getI32Type(), i64 = k.b.getI64Type();
    unsigned bits = type.getIntOrFloatBitWidth();
    if (type.isF32() || type.isInteger(32))
      return shuffleWord(value, distance);
    if (bits < 32)
      return arith::TruncIOp::create(k.b, k.loc, type,
                                     shuffleWord(arith::ExtUIOp::create(k.b, k.loc, i32, value), distance));
    Value word = type == i64 ? value : arith::BitcastOp::create(k.b, k.loc, i64, value).getResult();
    Value shift = k.constantInt(i64, 32);
    Value low = shuffleWord(arith::TruncIOp::create(k.b, k.loc, i32, word), distance);
    Value high = arith::ShRUIOp::create(k.b, k.loc, word, shift);
    high = shuffleWord(arith::TruncIOp::create(k.b, k.loc, i32, high), distance);
    high = arith::ShLIOp::create(k.b, k.loc, arith::ExtUIOp::create(k.b, k.loc, i64, high), shift);
    word = arith::OrIOp::create(k.b, k.loc, high, arith::ExtUIOp::create(k.b, k.loc, i64, low));
    return type == i64 ? word : arith::BitcastOp::create(k.b, k.loc, type, word).getResult();
  }

  Value joinThreads(Operation *op, Value value) {
    for (int64_t distance = kernel.target.warpSize / 2; distance >= 1; distance /= 2)
      value = combineReduced(k, op, value, shuffle(value, distance));
    return value;
  }

  Kernel &kernel;
  const Plan &plan;
  KernelBuilder &k;
  ElementCode code;
  int64_t parts;
  SmallVector<Output> perRow, perElement; // results with an element for each row, for each element of the domain
  SmallVector<Operation *> reductions;
  Value lane;         // CUDA: this thread's number in its warp
  Value row, part;    // CUDA: which row, and which part of it, is this warp's
  int64_t unroll = 1; // accumulators of the pass that is being written
};
} // namespace

static LogicalResult emitRows(Kernel &kernel) {
  std::optional<Plan> plan = planRows(kernel.group);
  assert(plan && "rows are scheduled for groups that have some");
  kernel.k.width = kernel.scheduled("width");
  RowWriter writer(kernel, *plan, 1);
  if (plan->lastIsReduced())
    writer.writeSharedRows();
  else
    writer.writeSeparateRows();
  return kernel.finish();
}

static LogicalResult emitSplitRows(Kernel &kernel) {
  std::optional<Plan> plan = planRows(kernel.group);
  assert(plan && "rows are scheduled for groups that have some");
  RowWriter(kernel, *plan, kernel.scheduled("parts")).writeSharedRows();
  return kernel.finish();
}

static constexpr Parameter rowsParameters[] = {{"accumulators", 1, 16}, {"width", 1, 64}};
const KernelEmitter rowsEmitter = {"rows",         rowsParameters, acceptsRows, allowsRows,
                                   rowsCandidates, estimateRows,   emitRows,    /*severalResults=*/true};

static constexpr Parameter splitRowsParameters[] = {{"parts", 2, mostParts}};
const KernelEmitter splitRowsEmitter = {"split_rows",
                                        splitRowsParameters,
                                        acceptsSplitRows,
                                        /*allows=*/nullptr,
                                        splitRowsCandidates,
                                        estimateSplitRows,
                                        emitSplitRows,
                                        /*severalResults=*/true,
                                        countSplitRows,
                                        splitRowsWorkspace};

} // namespace dscc::kernels
