// One element of the result (or `width` neighbours) at a time, each on its own.
//
//   CPU:   a block takes some rows, or a part of one long row; lanes run along the last dim, the tail is masked.
//   CUDA:  a thread takes one element, or up to eight where rows are made of whole vectors (cuda/Lanes.h).

#include "passes/kernels/Emitters.h"
#include "passes/kernels/cuda/Lanes.h"
#include "passes/kernels/cuda/SumTime.h"
#include "passes/loops/UnrollLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace dscc::kernels {

/// Instructions that one CPU block should be worth, so that starting it does not show.
static constexpr int64_t blockWork = 16384;
/// Elements of a row that one CPU block takes at most.
static constexpr int64_t rowPart = 16384;
static constexpr int64_t cudaThreads = 256;

int64_t chooseWidth(const Target &target, const DimExpr &inner) {
  if (target.device != Device::Cpu)
    return 1;
  int64_t lanes = target.vectorBits / 32;
  if (!inner.isConstant() || inner.constant() >= lanes)
    return lanes;
  return std::max<int64_t>(1, llvm::PowerOf2Ceil(std::max<int64_t>(1, inner.constant())));
}

static Value laneMask(KernelBuilder &k, Value remaining) {
  return arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, k.laneNumbers(), k.splat(remaining));
}

/// A row's elements [from, to): whole vectors, then one masked.
static void forRow(Kernel &kernel, Indices at, Value from, Value to, function_ref<void(const Indices &)> body) {
  KernelBuilder &k = kernel.k;
  if (k.width == 1) {
    k.loopDo(from, to, k.index(1), [&](Value i) {
      at.back() = k.uniform(i);
      body(at);
    });
    return;
  }
  Value width = k.index(k.width);
  Value whole = k.mul(k.divide(k.sub(to, from), width), width), end = k.add(from, whole);
  k.loopDo(from, end, width, [&](Value i) {
    at.back() = {Index::Contiguous, i, {}};
    body(at);
  });
  Value hasTail = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, end, to);
  auto tail = scf::IfOp::create(k.b, k.loc, hasTail, false);
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(tail.thenBlock()->getTerminator());
  k.mask = laneMask(k, k.sub(to, end));
  at.back() = {Index::Contiguous, end, {}};
  body(at);
  k.mask = {};
}

static void forEachOnCpu(Kernel &kernel, ArrayRef<DimExpr> dims, int64_t cost,
                         function_ref<void(const Indices &)> body) {
  KernelBuilder &k = kernel.k;
  DimExpr inner = dims.back(), rows = dsc::countElements(dims.drop_back());
  DimExpr perRow = DimExpr::max(1, inner * cost);
  DimExpr rowsPerBlock = DimExpr::max(1, DimExpr::floorDiv(blockWork, perRow));
  DimExpr parts = DimExpr::ceilDiv(inner, rowPart);
  kernel.grid = DimExpr::ceilDiv(rows, rowsPerBlock) * parts;
  Value partCount = k.maximum(k.dim(parts), k.index(1));
  Value firstRow = k.mul(k.divide(kernel.block, partCount), k.dim(rowsPerBlock));
  Value lastRow = k.minimum(k.add(firstRow, k.dim(rowsPerBlock)), k.dim(rows));
  Value from = k.mul(k.remainder(kernel.block, partCount), k.index(rowPart));
  Value to = k.minimum(k.add(from, k.index(rowPart)), k.dim(inner));
  k.loopDo(firstRow, lastRow, k.index(1), [&](Value row) {
    SmallVector<Value> sizes;
    for (const DimExpr &dim : dims.drop_back())
      sizes.push_back(k.dim(dim));
    Indices at;
    if (!sizes.empty())
      for (Value coordinate : k.delinearize(row, sizes))
        at.push_back(k.uniform(coordinate));
    at.push_back(k.constantIndex(0));
    forRow(kernel, at, from, to, body);
  });
}

static void forEachOnCuda(Kernel &kernel, ArrayRef<DimExpr> dims, function_ref<void(const Indices &)> body) {
  KernelBuilder &k = kernel.k;
  assert((k.width == 1 || DimExpr::exactDiv(dims.back(), k.width)) && "a thread's neighbours are of one row");
  DimExpr items = dsc::countElements(dims.drop_back()) * DimExpr::floorDiv(dims.back(), k.width);
  kernel.threads = cudaThreads;
  kernel.grid = DimExpr::ceilDiv(items, cudaThreads);
  Value item = k.add(k.mul(kernel.block, k.index(cudaThreads)), kernel.thread);
  Value exists = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, item, k.dim(items));
  auto guarded = scf::IfOp::create(k.b, k.loc, exists, false);
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(guarded.thenBlock()->getTerminator());
  SmallVector<Value> sizes;
  for (const DimExpr &dim : dims.drop_back())
    sizes.push_back(k.dim(dim));
  sizes.push_back(k.dim(DimExpr::floorDiv(dims.back(), k.width)));
  Indices at;
  for (Value coordinate : k.delinearize(item, sizes))
    at.push_back(k.uniform(coordinate));
  if (k.width > 1)
    at.back() = {Index::Contiguous, k.mul(at.back().base, k.index(k.width)), {}};
  body(at);
}

void forEachElement(Kernel &kernel, ArrayRef<DimExpr> dims, int64_t cost, function_ref<void(const Indices &)> body) {
  if (dims.empty()) {
    // A scalar is a row of one.
    SmallVector<DimExpr> one = {DimExpr(1)};
    return forEachElement(kernel, one, cost, [&](const Indices &) { body({}); });
  }
  if (kernel.target.device == Device::Cpu)
    return forEachOnCpu(kernel, dims, cost, body);
  forEachOnCuda(kernel, dims, body);
}

/// On a GPU no lane of a thread is masked.
static Verdict allowsElementwise(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  int64_t width = *schedule.lookup("width");
  if (target.device == Device::Cpu)
    return hasLanes(target, width);
  size_t rank = dsc::getDims(group.getYielded()[0]).size();
  if (width > 1 && rank == 0)
    return Verdict::declined("the result is a single element");
  for (size_t result = 0; width > 1 && result < group.getNumResults(); ++result)
    if (Verdict verdict = storesWholeLanes(group, result, rank - 1, width, [](Value) { return false; }); !verdict)
      return verdict;
  return Verdict::acceptedIf(llvm::is_contained(threadWidths, width), "a thread has 1, 2, 4 or 8 lanes");
}

static Verdict acceptsElementwise(dsc::GroupOp group, const Target &target) {
  if (!hasElementCode(group, nullptr))
    return Verdict::declined("an op has no code for one element");
  dsc::Dims dims = dsc::getDims(group.getYielded()[0]);
  return Verdict::acceptedIf(llvm::all_of(group.getYielded(), [&](Value value) { return dsc::getDims(value) == dims; }),
                             "the group has results of different dims");
}

bool gathersLanes(dsc::GroupOp group) {
  return llvm::any_of(group.getYielded(), [](Value value) {
    size_t rank = dsc::getDims(value).size();
    return rank > 0 && isGatheredAlong(value, rank - 1);
  });
}

static SmallVector<dsc::ScheduleAttr> elementwiseCandidates(dsc::GroupOp group, const Target &target) {
  dsc::Dims dims = dsc::getDims(group.getYielded()[0]);
  auto ofWidth = [&](int64_t width) {
    return dsc::ScheduleAttr::get(group.getContext(), "elementwise", {{"width", width}});
  };
  if (target.device == Device::Cpu) {
    int64_t width = chooseWidth(target, dims.empty() ? DimExpr(1) : dims.back());
    // Rows may turn out to be shorter than what is gathered for them.
    if (gathersLanes(group) && !dims.back().isConstant())
      return {ofWidth(width), ofWidth(1)};
    return {ofWidth(width)};
  }
  SmallVector<dsc::ScheduleAttr> candidates = llvm::map_to_vector(threadWidths, ofWidth);
  llvm::erase_if(candidates, [&](dsc::ScheduleAttr candidate) { return !allowsElementwise(group, target, candidate); });
  return candidates;
}

/// Whether a loop over rows within another one, both of them of that length, is written out on a GPU (UnrollLoops).
/// What a row has once is then computed once, since it is the same in all rounds.
static bool isWrittenOut(dsc::OpFacts facts, Operation &op, const Sizes &sizes) {
  constexpr double ofRound = 7; // ops
  std::optional<SmallVector<int64_t>> axes = facts.getRowAxes();
  if (!axes)
    return false;
  dsc::Dims domain = dsc::getDims(op.getOperand(0)), row;
  for (int64_t axis : *axes)
    row.push_back(domain[axis]);
  double rounds = sizes.count(row);
  return llvm::all_of(row, [](const DimExpr &dim) { return dim.isConstant(); }) &&
         rounds * rounds * ofRound <= mostUnrolledOps(Device::Cuda);
}

/// Lanes wait for each step of a loop inside an element, and nothing that such a loop loads is shared; beyond that, on
/// a CPU what is computed and what is moved add up, and on a GPU warps compute while others' data move.
static double estimateElementwise(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                  const Sizes &sizes) {
  double width = *schedule.lookup("width");
  double cycles = 0, bytes = 0, steps = 0; // of the sums that one element takes
  double sums = 0, ofSums = 0;             // seconds and bytes of products and convolutions, on a GPU
  bool hasLoops = false;                   // over rows
  double rowBytes = 0;                     // of the longest
  // How often each value is computed: once for each element that is stored, and once more for each step of a loop that
  // wants it. A softmax written so takes the third power of its rows.
  llvm::DenseMap<Value, double> times;
  for (Value value : group.getYielded())
    times[value] = sizes.count(dsc::getDims(value));
  double stored = times.lookup(group.getYielded()[0]);
  for (Operation &op : llvm::reverse(group.getBody().front().without_terminator())) {
    auto facts = cast<dsc::OpFacts>(op);
    bool accumulates = facts.getFacts().accumulates;
    double elements = std::max(1.0, sizes.count(dsc::getDims(op.getResult(0))));
    double flops = sizes.of(facts.getFlops()) / elements, own = 0;
    for (Value result : op.getResults())
      own = std::max(own, times.lookup(result));
    if (target.device == Device::Cuda && isWrittenOut(facts, op, sizes))
      own = std::min(own, stored);
    // A sum in one register is 4 cycles of latency a step; a product has two loads beside it. A GPU has no vectors for
    // the polynomials of functions.
    bool isFunction = target.device == Device::Cuda && !dsc::factsOf(&op).isCheap();
    bool isSum = target.device == Device::Cuda && isa<dsc::MatmulOp, dsc::ConvOp>(op);
    if (isSum) {
      sums += estimateOwnSums(&op, target, sizes) * std::max(1.0, own / elements);
      ofSums += bytesOfOperands(&op, sizes) + bytesOf(op.getResult(0), sizes);
    } else {
      cycles += own * flops * (dsc::isElementwise(&op) ? (isFunction ? 3 : 1) : accumulates ? 10 : 4);
    }
    // A step of a product is two FLOP, one of a sum one.
    bool isProduct = facts.getFacts().role == dsc::Role::Product;
    double loop = dsc::isElementwise(&op) ? 1 : std::max(1.0, isProduct ? flops / 2 : flops);
    for (Value operand : op.getOperands())
      times[operand] = std::max(times.lookup(operand), own * loop);
    // The loads of a short loop wait together, for it is written out; then an addition waits for the one before.
    constexpr double mostWrittenOut = 32, addition = 0.1;
    if (accumulates && !isSum)
      steps += loop <= mostWrittenOut ? loop * addition : loop;
    if (std::optional<SmallVector<int64_t>> axes = facts.getRowAxes()) {
      hasLoops = true;
      dsc::Dims domain = dsc::getDims(op.getOperand(0));
      double bits = dsc::getElementType(op.getOperand(0)).getIntOrFloatBitWidth();
      rowBytes = std::max(
          rowBytes, bits / 8 * sizes.count(llvm::map_to_vector(*axes, [&](int64_t axis) { return domain[axis]; })));
    }
  }
  double moved = 0; // on a GPU: bytes, each as often as it would be moved meanwhile by accesses of full width
  for (ValueRange tensors : {ValueRange(group.getOperands()), ValueRange(group.getResults())})
    for (Value value : tensors) {
      double own = sizes.count(dsc::getDims(value)) * dsc::getElementType(value).getIntOrFloatBitWidth() / 8;
      bytes += own;
      moved += own * slowdownOfAccess(value, width);
    }
  if (target.device == Device::Cpu) {
    dsc::Dims dims = dsc::getDims(group.getYielded()[0]);
    // A gather takes as long for the last lanes of a row as for whole vectors; alone, an element has an address too.
    if (gathersLanes(group))
      cycles += sizes.count(ArrayRef(dims).drop_back()) * std::ceil(sizes.of(dims.back()) / width) * width *
                (width > 1 ? width * target.cpu->cyclesPerGatheredLane : 2);
    return cycles / width / target.cpu->clock + bytes / target.cpu->memoryBytesPerSecond;
  }
  // Where threads walk rows of their own they reach hardly a quarter, unless a row is what memory hands out at once
  // anyway.
  constexpr double sectorBytes = 32;
  const Gpu &gpu = *target.gpu;
  // What an element takes are instructions, and each FLOP counts for half of one. Any multiprocessor issues those of
  // four warps a clock, however many FLOP one of them is. A thread finds its place first, and in each tensor.
  double threads = sizes.count(dsc::getDims(group.getYielded()[0])) / width;
  double blocks = std::max(1.0, std::ceil(threads / cudaThreads));
  double busy = std::min(blocks, double(gpu.multiprocessors));
  // Until the last one has ended, others idle.
  double working = std::isfinite(blocks) ? blocks / std::ceil(blocks / gpu.multiprocessors) : busy;
  constexpr double schedulers = 4;
  double perSecond = working * gpu.clock * schedulers * target.warpSize * 2;
  double bytesPerSecond = std::min(gpu.memoryBytesPerSecond, busy * gpu.l2BytesPerClock * gpu.clock);
  if (sums == 0)
    cycles += threads * 2 * (12.0 + 6.0 * (group.getNumOperands() + group.getNumResults()));
  double wasted = hasLoops ? std::clamp(rowBytes / sectorBytes, 1.0, 4.0) : moved / std::max(1.0, bytes);
  // However few elements there are, each step waits for a cache, and a thread for its load and its store.
  constexpr double wait = 40;
  double least = 1.5 * gpu.loadClocks / gpu.clock;
  if (sums > 0)
    return sums + cycles / perSecond + std::max(0.0, bytes - ofSums) / bytesPerSecond;
  double warps = std::ceil(blocks / gpu.multiprocessors) * cudaThreads / target.warpSize / schedulers;
  double computing = cycles / perSecond * clocksOfInstruction(gpu, warps);
  double moving = bytes / bytesPerSecond * wasted;
  computing = std::max(computing, steps * wait / gpu.clock);
  // Where only a run knows how many elements there are, ways are told apart by many of them: few are soon done anyway.
  bool isKnown = llvm::all_of(dsc::getDims(group.getYielded()[0]), [](const DimExpr &dim) { return dim.isConstant(); });
  return isKnown ? least + overlap(moving, computing, warps) : std::max(least, moving + computing);
}

static LogicalResult emitElementwise(Kernel &kernel) {
  KernelBuilder &k = kernel.k;
  dsc::Dims dims = dsc::getDims(kernel.group.getYielded()[0]);
  k.width = kernel.scheduled("width");
  k.wholeVectors = kernel.target.device == Device::Cuda && k.width > 1;
  ElementCode code(k);
  int64_t cost = std::max<int64_t>(1, kernel.group.getBody().front().getOperations().size());
  SmallVector<SmallVector<Value>> strides;
  for (size_t result = 0; result < kernel.results.size(); ++result)
    strides.push_back(kernel.resultStrides(result));
  forEachElement(kernel, dims, cost, [&](const Indices &at) {
    ElementCode::Scope scope(code);
    for (auto [value, result, own] : llvm::zip_equal(kernel.group.getYielded(), kernel.results, strides))
      k.storeElement(result, dsc::getElementType(value), own, at, code.element(value, at));
  });
  return kernel.finish();
}

static constexpr Parameter elementwiseParameters[] = {{"width", 1, 64}};
const KernelEmitter elementwiseEmitter = {
    "elementwise",         elementwiseParameters, acceptsElementwise,      allowsElementwise,   elementwiseCandidates,
    estimateElementwise,   emitElementwise,       /*severalResults=*/true, /*kernels=*/nullptr,
    /*workspace=*/nullptr, alwaysBeside};

} // namespace dscc::kernels
