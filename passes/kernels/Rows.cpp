// Reductions, softmax, norms and dots: everything that one row needs, before the next row.
//
//   softmax over the last dim:   pass 1: max     pass 2: sum of exp(x - max)     pass 3: store exp(x - max) / sum
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
  if (group.getNumResults() != 1)
    return std::nullopt;
  dsc::Dims root = dsc::getDims(rootOf(group));
  if (root != plan->domain && root != plan->rowDims())
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

/// Each reduction, and what is stored, is a pass over the row; with too few accumulators it waits for additions, and
/// what is left of a row behind whole rounds of them is done a vector at a time.
static double estimateRows(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes) {
  std::optional<Plan> plan = planRows(group);
  double elements = sizes.count(plan->domain), width = *schedule.lookup("width");
  double accumulators = *schedule.lookup("accumulators");
  double flops = 0, passes = 1;
  for (Operation &op : group.getBody().front().without_terminator()) {
    flops += sizes.of(cast<dsc::OpFacts>(op).getFlops());
    passes += isReduction(&op);
  }
  if (target.device == Device::Cuda) {
    const Gpu &gpu = *target.gpu;
    // What is read again comes from caches.
    return (1 + 0.3 * (passes - 1)) * elements * 4 / gpu.memoryBytesPerSecond +
           flops / (gpu.multiprocessors * gpu.clock * gpu.f32FlopPerClock);
  }
  double lane = plan->lastIsReduced() ? sizes.of(plan->domain.back()) : 1;
  double rounds = std::floor(lane / (width * accumulators)), rest = std::ceil(lane / width) - rounds * accumulators;
  constexpr double latency = 4, tail = 5; // of an addition; of a masked vector with its selection
  double perRow = plan->lastIsReduced() ? rounds * std::max(accumulators, latency) + rest * tail + 2 * accumulators + 10
                                        : lane * latency;
  double rows = elements / std::max(1.0, lane) / (plan->lastIsReduced() ? 1 : width);
  return (rows * perRow * passes + flops / width) / target.cpu->clock;
}

namespace {
/// Writes the rows of one group.
class RowWriter {
public:
  RowWriter(Kernel &kernel, const Plan &plan)
      : kernel(kernel), plan(plan), k(kernel.k), code(k), root(rootOf(kernel.group)),
        storesRow(dsc::getDims(root) != plan.domain) {
    for (Operation &op : kernel.group.getBody().front().without_terminator())
      if (isReduction(&op))
        reductions.push_back(&op);
    rootStrides = kernel.resultStrides();
  }

  /// Lanes or threads have rows of their own.
  void writeSeparateRows() {
    int64_t cost = kernel.group.getBody().front().getOperations().size() * 16;
    forEachElement(kernel, plan.kept(), cost, [&](const Indices &kept) {
      ElementCode::Scope scope(code);
      Indices at = plan.place(kept, k.constantIndex(0));
      for (Operation *op : reductions)
        code.bind(op->getResult(0), reduceSeparate(op, at));
      if (storesRow)
        return store(at);
      loopOver(code, plan.reduced(), {}, [&](ArrayRef<Value> position, ValueRange) {
        store(withPosition(at, position));
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
    kernel.grid = DimExpr::ceilDiv(rows, warpsPerBlock);
    Value warp = k.divide(kernel.thread, k.index(kernel.target.warpSize));
    lane = k.remainder(kernel.thread, k.index(kernel.target.warpSize));
    Value row = k.add(k.mul(kernel.block, k.index(warpsPerBlock)), warp);
    Value exists = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, row, k.dim(rows));
    auto guarded = scf::IfOp::create(k.b, k.loc, exists, false);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPoint(guarded.thenBlock()->getTerminator());
    body(row);
  }

private:
  void store(const Indices &at) {
    Value value = code.element(root, at);
    k.storeElement(kernel.result(), dsc::getElementType(root), rootStrides, at, value);
  }

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

  void writeSharedRow(const Indices &at) {
    for (Operation *op : reductions)
      code.bind(op->getResult(0), reduceShared(op, at));
    if (!storesRow) {
      alongRow(at, {}, [&](const Indices &here, ValueRange) {
        store(here);
        return SmallVector<Value>{};
      });
      return;
    }
    int64_t width = std::exchange(k.width, 1);
    if (!lane) {
      store(at);
    } else {
      Value isFirst = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, lane, k.index(0));
      auto guarded = scf::IfOp::create(k.b, k.loc, isFirst, false);
      OpBuilder::InsertionGuard guard(k.b);
      k.b.setInsertionPoint(guarded.thenBlock()->getTerminator());
      ElementCode::Scope scope(code);
      store(at);
    }
    k.width = width;
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
    return k.loop(lane, k.dim(last), k.index(kernel.target.warpSize), carried, [&](Value i, ValueRange inner) {
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
    if (lane)
      total = joinThreads(op, total);
    return finishReduction(k, op, total);
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
  Value root;
  bool storesRow; // the result has one element a row
  SmallVector<Operation *> reductions;
  SmallVector<Value> rootStrides;
  Value lane;         // CUDA: this thread's number in its warp
  int64_t unroll = 1; // accumulators of the pass that is being written
};
} // namespace

static LogicalResult emitRows(Kernel &kernel) {
  std::optional<Plan> plan = planRows(kernel.group);
  assert(plan && "rows are scheduled for groups that have some");
  kernel.k.width = kernel.scheduled("width");
  RowWriter writer(kernel, *plan);
  if (plan->lastIsReduced())
    writer.writeSharedRows();
  else
    writer.writeSeparateRows();
  return kernel.finish();
}

static constexpr Parameter rowsParameters[] = {{"accumulators", 1, 16}, {"width", 1, 64}};
const KernelEmitter rowsEmitter = {"rows",         rowsParameters, acceptsRows, allowsRows,
                                   rowsCandidates, estimateRows,   emitRows};

} // namespace dscc::kernels
