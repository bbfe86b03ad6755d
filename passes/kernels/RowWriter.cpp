// The code of rows: who runs along them, and how their parts are joined.

#include "passes/kernels/Reduce.h"
#include "passes/kernels/Rows.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Cluster.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace dscc::kernels {

/// As many threads share a row, or a part of it.
static int64_t countMembers(const RowSharing &sharing, const Target &target) {
  return (sharing.blocks ? sharing.blocks * sharing.warps : 1) * int64_t(target.warpSize);
}

int64_t countKeptRounds(const RowPlan &plan, const RowSharing &sharing, int64_t width, const Target &target) {
  constexpr int64_t mostRounds = 8, mostElements = 32; // of a thread
  if (target.device != Device::Cuda || sharing.parts > 1 || plan.axes.size() != 1 || !plan.lastIsReduced() ||
      !plan.domain.back().isConstant())
    return 0;
  int64_t rounds = llvm::divideCeil(plan.domain.back().constant() / width, countMembers(sharing, target));
  return rounds <= mostRounds && rounds * width <= mostElements ? rounds : 0;
}

namespace {
/// Writes the rows of one group.
class RowWriter {
public:
  RowWriter(Kernel &kernel, const RowPlan &plan, RowSharing sharing)
      : kernel(kernel), plan(plan), sharing(sharing), k(kernel.k), code(k) {
    for (Operation &op : kernel.group.getBody().front().without_terminator())
      if (isRowReduction(&op))
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

  /// CPU: a worker has rows, whose elements are lanes.
  void writeByLanes() {
    DimExpr rows = dsc::countElements(plan.kept());
    DimExpr perRow = DimExpr::max(1, dsc::countElements(plan.reduced()) * int64_t(reductions.size() + 1));
    DimExpr rowsPerBlock = DimExpr::max(1, DimExpr::floorDiv(4096, perRow));
    kernel.grid = DimExpr::ceilDiv(rows, rowsPerBlock);
    // A row whose length is beyond numbers or formulas is worth a block of its own.
    if (!kernel.grid.isValid())
      rowsPerBlock = 1, kernel.grid = rows;
    Value first = k.mul(kernel.block, k.dim(rowsPerBlock));
    k.loopDo(first, k.minimum(k.add(first, k.dim(rowsPerBlock)), k.dim(rows)), k.index(1),
             [&](Value number) { writeRowNumber(number); });
  }

  /// CUDA: a warp has a row, or a part of one.
  void writeByWarps() {
    DimExpr rows = dsc::countElements(plan.kept());
    openBlock();
    // What is left of whole rows is no work to be shared.
    int64_t sharers = isLastStep() && perElement.empty() ? 1 : sharing.parts;
    kernel.grid = DimExpr::ceilDiv(rows * sharers, rowWarps);
    Value number = k.add(k.mul(kernel.block, k.index(rowWarps)), warp);
    row = k.divide(number, k.index(sharers));
    part = k.remainder(number, k.index(sharers));
    member = lane;
    Value exists = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, row, k.dim(rows));
    k.doIf(exists, [&] { writeRowNumber(row); });
  }

  /// CUDA: some blocks have a row.
  void writeByBlocks() {
    openBlock();
    kernel.grid = dsc::countElements(plan.kept()) * sharing.blocks;
    kernel.cluster[0] = sharing.blocks;
    row = k.divide(kernel.block, k.index(sharing.blocks));
    part = k.remainder(kernel.block, k.index(sharing.blocks));
    member = k.add(k.mul(part, k.index(kernel.threads)), kernel.thread);
    // A block may be written to once it has begun.
    if (sharing.blocks > 1)
      NVVM::ClusterArriveOp::create(k.b, k.loc, UnitAttr());
    writeRowNumber(row);
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

  bool isLastStep() const { return sharing.parts == 1 || kernel.step == reductions.size(); }

  void openBlock() {
    kernel.threads = sharing.warps * kernel.target.warpSize;
    warp = k.divide(kernel.thread, k.index(kernel.target.warpSize));
    lane = k.remainder(kernel.thread, k.index(kernel.target.warpSize));
  }

  void writeRowNumber(Value number) {
    ElementCode::Scope scope(code);
    SmallVector<Value> sizes = llvm::map_to_vector(plan.kept(), [&](const DimExpr &dim) { return k.dim(dim); });
    Indices coordinates;
    if (!sizes.empty())
      for (Value coordinate : k.delinearize(number, sizes))
        coordinates.push_back(k.uniform(coordinate));
    writeSharedRow(plan.place(coordinates, k.constantIndex(0)));
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

  /// Runs `body` once for the row, or once for each part of it.
  void byFirstThread(function_ref<void()> body) {
    if (!member)
      return body();
    onlyIfFirst(member, body);
  }

  void onlyIfFirst(Value number, function_ref<void()> body) {
    Value isFirst = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, number, k.index(0));
    code.doIf(isFirst, body);
  }

  void writeSharedRow(const Indices &at) {
    for (auto [number, op] : llvm::enumerate(reductions)) {
      if (sharing.parts == 1) {
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
    Value first = k.advance(kernel.workspace, k.b.getI64Type(), k.index(int64_t(reduction) * sharing.parts), rows);
    return k.advance(first, type, number, rows);
  }

  /// What the parts of the row came to in an earlier kernel.
  Value joinParts(Operation *op, size_t reduction) {
    Value start = reductionStart(k, op);
    Type type = start.getType();
    Value total =
        k.loop(lane, k.index(sharing.parts), k.index(kernel.target.warpSize), start, [&](Value i, ValueRange carried) {
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
      if (countKeptRounds(plan, sharing, k.width, kernel.target))
        return alongKeptRounds(at, last, carried, body);
      return lane ? alongLastByThreads(at, last, carried, body) : alongLastByLanes(at, last, carried, body);
    });
  }

  /// The coordinate of a thread's elements: vector `number` of the row.
  Index indexOfVector(Value number) {
    if (k.width == 1)
      return k.uniform(number);
    return {Index::Contiguous, k.mul(number, k.index(k.width)), {}, /*whole=*/true};
  }

  /// A few rounds, whose code is written out and whose coordinates are the same in each pass: what one pass has loaded
  /// or computed is in registers for the next. Threads that have none in the last round see the last element there.
  SmallVector<Value> alongKeptRounds(Indices at, const DimExpr &last, ValueRange carried, RowBody body) {
    int64_t vectors = last.constant() / k.width, members = countMembers(sharing, kernel.target);
    SmallVector<Value> values(carried);
    for (int64_t round = 0; round * members < vectors; ++round) {
      if (round == int64_t(keptRounds.size())) {
        Value number = k.add(member, k.index(round * members)), exists;
        if ((round + 1) * members > vectors) {
          exists = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, number, k.index(vectors));
          number = k.minimum(number, k.index(vectors - 1));
        }
        keptRounds.push_back({indexOfVector(number), exists});
      }
      auto [index, exists] = keptRounds[round];
      at.back() = index;
      if (exists && values.empty()) {
        code.doIf(exists, [&] { body(at, {}); });
        continue;
      }
      SmallVector<Value> next = body(at, values);
      for (auto [value, previous] : llvm::zip_equal(next, values))
        previous = exists ? arith::SelectOp::create(k.b, k.loc, exists, value, previous).getResult() : value;
    }
    return values;
  }

  SmallVector<Value> alongLastByThreads(Indices at, const DimExpr &last, ValueRange carried, RowBody body) {
    Value from = member, to = k.dim(DimExpr::floorDiv(last, k.width));
    if (sharing.parts > 1) {
      Value share = k.ceilDivide(to, k.index(sharing.parts)), begin = k.mul(part, share);
      from = k.add(begin, lane); // perhaps behind the end
      to = k.minimum(to, k.add(begin, share));
    }
    Value members = k.index(countMembers(sharing, kernel.target));
    return k.loop(from, to, members, carried, [&](Value i, ValueRange inner) {
      ElementCode::Scope scope(code);
      at.back() = indexOfVector(i);
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
    if (!lane)
      return total;
    total = joinThreads(op, total);
    return sharing.blocks * sharing.warps > 1 ? joinWarps(op, total) : total;
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

  /// The joined value of all warps of all blocks that have the row. Each warp writes what it has into every one of the
  /// blocks, into an array of this reduction's own; then each block reads what it has got.
  Value joinWarps(Operation *op, Value value) {
    bool isCluster = sharing.blocks > 1;
    int64_t count = sharing.blocks * sharing.warps;
    Type type = value.getType();
    if (isCluster && numJoined == 0)
      NVVM::ClusterWaitOp::create(k.b, k.loc, UnitAttr());
    Value array = declareShared(k, "joined" + std::to_string(numJoined++), type, count);
    Value place = k.elementAddress(array, type, k.add(k.mul(part, k.index(sharing.warps)), warp));
    onlyIfFirst(lane, [&] {
      for (int64_t block = 0; block < sharing.blocks; ++block) {
        Value there = isCluster ? inBlockOfCluster(k, place, block) : place;
        LLVM::StoreOp::create(k.b, k.loc, value, there);
      }
    });
    if (isCluster) {
      crossCluster(k);
    } else {
      NVVM::Barrier0Op::create(k.b, k.loc);
    }
    Value start = reductionStart(k, op);
    Value total =
        k.loop(lane, k.index(count), k.index(kernel.target.warpSize), start, [&](Value i, ValueRange carried) {
          return SmallVector<Value>{combineReduced(k, op, carried[0], k.loadRaw(array, type, i, 0))};
        })[0];
    return joinThreads(op, total);
  }

  Kernel &kernel;
  const RowPlan &plan;
  RowSharing sharing;
  KernelBuilder &k;
  ElementCode code;
  SmallVector<Output> perRow, perElement; // results with an element for each row, for each element of the domain
  SmallVector<Operation *> reductions;
  // CUDA:
  Value warp, lane;  // this thread's warp, and its number in it
  Value row, part;   // which row, and which part or block of it
  Value member;      // this thread's number among those that have the row, or the part; null on a CPU
  int numJoined = 0; // reductions that were joined in shared memory
  SmallVector<std::pair<Index, Value>> keptRounds; // the coordinate in each; whether it is there, where only some are
  // CPU:
  int64_t unroll = 1; // accumulators of the pass that is being written
};
} // namespace

void writeRows(Kernel &kernel, const RowPlan &plan, RowSharing sharing) {
  kernel.k.width = kernel.scheduled("width");
  kernel.k.wholeVectors = kernel.target.device == Device::Cuda && kernel.k.width > 1;
  RowWriter writer(kernel, plan, sharing);
  if (!plan.lastIsReduced())
    writer.writeSeparateRows();
  else if (kernel.target.device == Device::Cpu)
    writer.writeByLanes();
  else if (sharing.blocks)
    writer.writeByBlocks();
  else
    writer.writeByWarps();
}

} // namespace dscc::kernels
