// Products and convolutions on CUDA: a block computes a tile of the result, and its threads share what they load.
//
//        inner ->             for each slice of the inner dim:
//   rows +------+               all threads copy one slice of both operands to shared memory
//        | A    |   columns     barrier
//        +------+  +------+     each thread adds 4 x 4 products for each step of the slice
//                  | B    |     barrier
//                  +------+
//
// Where a product has few tiles and a long inner dim, most of the GPU would idle: blocks along y then sum a part of the
// inner dim each, into a workspace, and a second kernel adds up the parts (split_tiles).
//
// A convolution is the same with the window unrolled into the inner dim: the coordinates of B are computed, nothing is
// materialised. What lies outside an operand counts as zero.

#include "passes/kernels/Emitters.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/Window.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace dscc::kernels {

static constexpr int64_t tileRows = 64, tileColumns = 64, slice = 16, perThread = 4;
static constexpr int64_t threads = (tileRows / perThread) * (tileColumns / perThread);
/// Rows in shared memory are this far apart: a multiple of 16 bytes that spreads columns over the banks.
static constexpr int64_t pitch = tileColumns + 4;
static_assert(tileRows <= pitch && tileRows * slice % threads == 0 && tileColumns * slice % threads == 0,
              "a slice fits its rows, and each thread copies as much of it");

namespace {
/// Two operands seen as matrices. Coordinates are scalars inside the matrices.
struct MatrixView {
  dsc::Dims outer;
  DimExpr rows, columns, inner;
  std::function<Value(ArrayRef<Value> outer, Value row, Value step)> lhs;
  std::function<Value(ArrayRef<Value> outer, Value step, Value column)> rhs;
  std::function<Indices(ArrayRef<Value> outer, Value row, Value column)> resultAt;
};
} // namespace

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

/// A sum for each element and part.
static DimExpr splitTilesWorkspace(dsc::GroupOp group, const Target &, dsc::ScheduleAttr schedule) {
  DimExpr elements = dsc::countElements(dsc::getDims(findContraction(group)->getResult(0)));
  return elements * (*schedule.lookup("parts") * int64_t(sumTypeOf(group).getIntOrFloatBitWidth() / 8));
}

/// The parts, then their sum.
static size_t countSplitTiles(dsc::GroupOp, dsc::ScheduleAttr) { return 2; }

static SmallVector<dsc::ScheduleAttr> sharedTilesCandidates(dsc::GroupOp group, const Target &) {
  return {dsc::ScheduleAttr::get(group.getContext(), "shared_tiles",
                                 {{"rows", tileRows}, {"columns", tileColumns}, {"slice", slice}})};
}

/// Whole tiles, whatever part of them is there, of which each multiprocessor has some; half of the peak at best,
/// because each multiplication needs half an access to shared memory. `parts` share the inner dim of each tile.
static double estimateTiles(dsc::GroupOp group, const Target &target, const Sizes &sizes, int64_t parts) {
  Operation *hero = findContraction(group);
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  DimExpr rows = dims[dims.size() - 2], columns = dims.back();
  DimExpr outer = dsc::countElements(ArrayRef(dims).drop_back(2));
  if (auto conv = dyn_cast<dsc::ConvOp>(hero)) {
    rows = dims[1].constant() / int64_t(conv.getGroups());
    columns = dsc::countElements(ArrayRef(dims).drop_front(2));
    outer = dims[0] * int64_t(conv.getGroups());
  }
  double flops = sizes.of(cast<dsc::OpFacts>(hero).getFlops());
  double results = std::max(1.0, sizes.count(dims)), inner = flops / results;
  double slices = std::ceil(inner / 2 / slice / parts); // a multiplication and an addition are two
  double tiles = sizes.of(outer) * std::ceil(sizes.of(rows) / tileRows) * std::ceil(sizes.of(columns) / tileColumns);
  const Gpu &gpu = *target.gpu;
  double each = std::ceil(tiles * parts / gpu.multiprocessors);
  double clocks = each * slices * tileRows * tileColumns * slice * 2 / (0.5 * gpu.f32FlopPerClock);
  // A block waits for each slice; the first one of a multiprocessor has nobody to wait behind.
  return (clocks + slices * gpu.loadClocks) / gpu.clock;
}

static double estimateSharedTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr, const Sizes &sizes) {
  return estimateTiles(group, target, sizes, 1);
}

/// The same work by more blocks, then a launch more, which reads what they have written: each thread the parts of one
/// element, of which it waits for four at once. They lie in L2, half as far as memory.
static double estimateSplitTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                 const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  double bytes = sizes.of(splitTilesWorkspace(group, target, schedule)), parts = *schedule.lookup("parts");
  return estimateTiles(group, target, sizes, *schedule.lookup("parts")) + gpu.secondsPerLaunch +
         2 * bytes / gpu.memoryBytesPerSecond + std::ceil(parts / 4) * gpu.loadClocks / 2 / gpu.clock;
}

static MatrixView viewOf(ElementCode &code, dsc::MatmulOp op) {
  KernelBuilder &k = code.k;
  dsc::Dims lhs = dsc::getDims(op.getLhs()), rhs = dsc::getDims(op.getRhs()), result = dsc::getDims(op.getResult());
  dsc::Dims batch(result.begin(), result.end() - 2);
  MatrixView view{
      batch, result[result.size() - 2], result.back(), op.getTransposeLhs() ? lhs[lhs.size() - 2] : lhs.back(), {}, {},
      {}};
  Type from = getComputeType(dsc::getElementType(op.getLhs())),
       to = getComputeType(dsc::getElementType(op.getResult()));
  auto place = [&k](ArrayRef<Value> outer) {
    return llvm::map_to_vector(outer, [&](Value v) { return k.uniform(v); });
  };
  auto operand = [=, &code, &k](Value tensor, ArrayRef<DimExpr> dims, ArrayRef<Value> outer, Value first, Value second,
                                bool transposed) {
    Indices batchPlace(llvm::map_range(outer, [&](Value v) { return k.uniform(v); }));
    Indices at = code.broadcastIndices(dims.drop_back(2), batch, batchPlace);
    at.push_back(k.uniform(transposed ? second : first));
    at.push_back(k.uniform(transposed ? first : second));
    return emitCast(k, code.element(tensor, at), from, to, false);
  };
  view.lhs = [=](ArrayRef<Value> outer, Value row, Value step) mutable {
    return operand(op.getLhs(), lhs, outer, row, step, op.getTransposeLhs());
  };
  view.rhs = [=](ArrayRef<Value> outer, Value step, Value column) mutable {
    return operand(op.getRhs(), rhs, outer, step, column, op.getTransposeRhs());
  };
  view.resultAt = [=, &k](ArrayRef<Value> outer, Value row, Value column) {
    Indices at(place(outer));
    at.push_back(k.uniform(row));
    at.push_back(k.uniform(column));
    return at;
  };
  return view;
}

static MatrixView viewOf(ElementCode &code, dsc::ConvOp op) {
  KernelBuilder &k = code.k;
  dsc::Dims input = dsc::getDims(op.getInput()), filter = dsc::getDims(op.getFilter()),
            result = dsc::getDims(op.getResult());
  int64_t perGroup = filter[0].constant() / int64_t(op.getGroups());
  dsc::Dims spatial(result.begin() + 2, result.end()), terms(filter.begin() + 1, filter.end());
  MatrixView view{{result[0], DimExpr(int64_t(op.getGroups()))},
                  perGroup,
                  dsc::countElements(spatial),
                  dsc::countElements(terms),
                  {},
                  {},
                  {}};
  auto sizes = [&k](ArrayRef<DimExpr> dims) {
    return llvm::map_to_vector(dims, [&](const DimExpr &dim) { return k.dim(dim); });
  };
  auto channel = [=, &k](Value group, Value row) { return k.add(k.mul(group, k.index(perGroup)), row); };
  view.lhs = [=, &code, &k](ArrayRef<Value> outer, Value row, Value step) mutable {
    Indices at = {k.uniform(channel(outer[1], row))};
    for (Value coordinate : k.delinearize(step, sizes(terms)))
      at.push_back(k.uniform(coordinate));
    return code.element(op.getFilter(), at);
  };
  view.rhs = [=, &code, &k](ArrayRef<Value> outer, Value step, Value column) mutable {
    Window window = windowOf(op);
    SmallVector<Value> term = k.delinearize(step, sizes(terms)), place = k.delinearize(column, sizes(spatial));
    Indices at = {k.uniform(outer[0]), k.uniform(k.add(k.mul(outer[1], k.dim(filter[1])), term[0]))};
    SmallVector<Value> limits(input.size());
    for (size_t i = 0; i < window.rank(); ++i) {
      at.push_back(window.position(k, i, k.uniform(place[i]), k.uniform(term[1 + i])));
      limits[2 + i] = window.alwaysInside(i) ? Value() : k.dim(input[2 + i]);
    }
    return code.elementOr(op.getInput(), at, limits, zeroOf(k, dsc::getElementType(op.getInput())));
  };
  view.resultAt = [=, &k](ArrayRef<Value> outer, Value row, Value column) {
    Indices at = {k.uniform(outer[0]), k.uniform(channel(outer[1], row))};
    for (Value coordinate : k.delinearize(column, sizes(spatial)))
      at.push_back(k.uniform(coordinate));
    return at;
  };
  return view;
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
    sums = k.loop(from, to, k.index(slice), sums, [&](Value first, ValueRange carried) {
      ElementCode::Scope scope(code);
      copySlice(first);
      NVVM::Barrier0Op::create(k.b, k.loc);
      SmallVector<Value> next = addSlice(SmallVector<Value>(carried));
      NVVM::Barrier0Op::create(k.b, k.loc);
      return next;
    });
    storeTile(sums);
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

  /// The element if it exists, else zero.
  Value guarded(Value row, const DimExpr &rows, Value column, const DimExpr &columns,
                function_ref<Value(Value, Value)> load) {
    LaneMath m{k};
    Value rowExists = m.compare(arith::CmpIPredicate::slt, row, k.dim(rows));
    Value columnExists = m.compare(arith::CmpIPredicate::slt, column, k.dim(columns));
    Value exists = arith::AndIOp::create(k.b, k.loc, rowExists, columnExists);
    auto choice = scf::IfOp::create(k.b, k.loc, TypeRange{type}, exists, true, true);
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPointToEnd(choice.thenBlock());
    {
      ElementCode::Scope scope(code);
      scf::YieldOp::create(k.b, k.loc, load(row, column));
    }
    k.b.setInsertionPointToEnd(choice.elseBlock());
    scf::YieldOp::create(k.b, k.loc, zeroOf(k, dsc::getElementType(hero->getResult(0))));
    return choice.getResult(0);
  }

  /// Neighbouring threads copy neighbours in memory: along the inner dim for the left operand, along the columns for
  /// the right one.
  void copySlice(Value first) {
    for (int64_t i = 0; i < tileRows * slice / threads; ++i) {
      Value item = k.add(kernel.thread, k.index(i * threads));
      Value step = k.remainder(item, k.index(slice)), row = k.divide(item, k.index(slice));
      Value value = guarded(k.add(firstRow, row), view.rows, k.add(first, step), view.inner,
                            [&](Value r, Value s) { return view.lhs(outer, r, s); });
      storeShared(lhsShared, step, row, value);
    }
    for (int64_t i = 0; i < tileColumns * slice / threads; ++i) {
      Value item = k.add(kernel.thread, k.index(i * threads));
      Value step = k.divide(item, k.index(tileColumns)), column = k.remainder(item, k.index(tileColumns));
      Value value = guarded(k.add(first, step), view.inner, k.add(firstColumn, column), view.columns,
                            [&](Value s, Value c) { return view.rhs(outer, s, c); });
      storeShared(rhsShared, step, column, value);
    }
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

  void storeTile(ArrayRef<Value> sums) {
    LaneMath m{k};
    dsc::Dims dims = dsc::getDims(hero->getResult(0));
    SmallVector<Value> heroStrides = parts > 1 ? k.rowMajorStrides(dims) : SmallVector<Value>();
    Value ownPart =
        parts > 1 ? k.advance(kernel.workspace, type, blockAlongY(k), k.dim(dsc::countElements(dims))) : Value();
    for (int64_t i = 0; i < perThread; ++i)
      for (int64_t j = 0; j < perThread; ++j) {
        Value row = k.add(k.add(firstRow, ownRow), k.index(i)),
              column = k.add(k.add(firstColumn, ownColumn), k.index(j));
        Value exists = arith::AndIOp::create(k.b, k.loc, m.compare(arith::CmpIPredicate::slt, row, k.dim(view.rows)),
                                             m.compare(arith::CmpIPredicate::slt, column, k.dim(view.columns)));
        auto guard = scf::IfOp::create(k.b, k.loc, exists, false);
        OpBuilder::InsertionGuard insertion(k.b);
        k.b.setInsertionPoint(guard.thenBlock()->getTerminator());
        ElementCode::Scope scope(code);
        Indices at = view.resultAt(outer, row, column);
        if (parts > 1) {
          k.storeElement(ownPart, type, heroStrides, at, sums[i * perThread + j]);
          continue;
        }
        code.bind(hero->getResult(0), sums[i * perThread + j]);
        k.storeElement(kernel.result(), dsc::getElementType(root), strides, at, code.element(root, at));
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
  auto conv = dyn_cast<dsc::ConvOp>(hero);
  MatrixView view = conv ? viewOf(code, conv) : viewOf(code, cast<dsc::MatmulOp>(hero));
  SharedTileWriter(kernel, code, std::move(view), hero, parts).write();
  return kernel.finish();
}

static LogicalResult emitSharedTiles(Kernel &kernel) { return emitTiles(kernel, 1); }

/// Adds up the parts of each element, in their order, and does with the sum what the group does with it.
static LogicalResult emitSumOfParts(Kernel &kernel, int64_t parts) {
  KernelBuilder &k = kernel.k;
  ElementCode code(k);
  Operation *hero = findContraction(kernel.group);
  Value root = rootOf(kernel.group);
  Type type = sumTypeOf(kernel.group);
  dsc::Dims dims = dsc::getDims(hero->getResult(0));
  SmallVector<Value> strides = kernel.resultStrides(), heroStrides = k.rowMajorStrides(dims);
  Value count = k.dim(dsc::countElements(dims));
  forEachElement(kernel, dims, parts, [&](const Indices &at) {
    ElementCode::Scope scope(code);
    Value place = k.index(0), zero = zeroOf(k, dsc::getElementType(hero->getResult(0)));
    for (auto [index, stride] : llvm::zip_equal(at, heroStrides))
      place = k.add(place, k.mul(index.base, stride));
    Value sum = k.loop(k.index(0), k.index(parts), k.index(1), zero, [&](Value part, ValueRange carried) {
      Value address = k.advance(kernel.workspace, type, part, count);
      return SmallVector<Value>{emitAdd(k, carried[0], k.loadRaw(address, type, place, 0))};
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
const KernelEmitter sharedTilesEmitter = {"shared_tiles",     sharedTilesParameters, acceptsSharedTiles,
                                          /*allows=*/nullptr, sharedTilesCandidates, estimateSharedTiles,
                                          emitSharedTiles};

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
                                         splitTilesWorkspace};

} // namespace dscc::kernels
