// Elements of pools: each runs over its window.

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/Window.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace dscc::kernels {

using Join = function_ref<Value(Value, Value)>;

/// Joins what lies under the window; outside counts as `outside`.
static Value overWindow(ElementCode &code, Operation *pool, const Window &window, const Indices &at, Value outside,
                        Join join) {
  KernelBuilder &k = code.k;
  Value input = pool->getOperand(0);
  dsc::ImageOrder order = dsc::orderOf(pool);
  dsc::Dims dims = dsc::getDims(input);
  assert(dims.size() == window.rank() + 2 && at.size() == dims.size() && "max_pool (C1): an image, a channel, a place");
  return loopOver(code, window.sizeExprs(), {k.lift(outside)}, [&](ArrayRef<Value> position, ValueRange carried) {
    Indices from = at;
    SmallVector<Value> limits(dims.size());
    for (size_t i = 0; i < window.rank(); ++i) {
      size_t dim = order.spatial(i);
      from[dim] = window.position(k, i, at[dim], k.uniform(position[i]));
      limits[dim] = k.dim(dims[dim]); // ceil_mode may reach past the end without any pad
    }
    return SmallVector<Value>{k.lift(join(carried[0], code.elementOr(input, from, limits, outside)))};
  })[0];
}

/// The same of a small window that lies inside of the image, joined two by two: no element waits for all before it.
static Value overInside(ElementCode &code, Operation *pool, const Window &window, const Indices &at, Join join) {
  KernelBuilder &k = code.k;
  dsc::ImageOrder order = dsc::orderOf(pool);
  SmallVector<Value> values;
  int64_t count = llvm::product_of(window.size);
  for (int64_t number = 0; number < count; ++number) {
    Indices from = at;
    int64_t left = number;
    for (size_t i = window.rank(); i-- > 0; left /= window.size[i])
      from[order.spatial(i)] = window.position(k, i, at[order.spatial(i)], k.constantIndex(left % window.size[i]));
    values.push_back(k.lift(code.element(pool->getOperand(0), from)));
  }
  while (values.size() > 1) {
    SmallVector<Value> joined;
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      joined.push_back(k.lift(join(values[i], values[i + 1])));
    if (values.size() % 2 == 1)
      joined.push_back(values.back());
    values = joined;
  }
  return values[0];
}

/// A maximum, where all lanes see the same window: most windows lie inside of the image, and of these nobody asks which
/// elements do.
static Value maxOverWindow(ElementCode &code, Operation *pool, const Window &window, const Indices &at, Value outside,
                           Join join) {
  constexpr int64_t fewElements = 16;
  KernelBuilder &k = code.k;
  dsc::ImageOrder order = dsc::orderOf(pool);
  dsc::Dims dims = dsc::getDims(pool->getOperand(0));
  bool isSame = llvm::all_of(llvm::seq<size_t>(0, window.rank()),
                             [&](size_t i) { return at[order.spatial(i)].kind == Index::Uniform; });
  if (!order.channelsLast || !isSame || llvm::product_of(window.size) > fewElements)
    return overWindow(code, pool, window, at, outside, join);
  Value inside;
  for (size_t i = 0; i < window.rank(); ++i) {
    size_t dim = order.spatial(i);
    for (int64_t element : {int64_t(0), window.size[i] - 1}) {
      Value place = window.position(k, i, at[dim], k.constantIndex(element)).base;
      Value fits = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::ult, place, k.dim(dims[dim]));
      inside = inside ? arith::AndIOp::create(k.b, k.loc, inside, fits).getResult() : fits;
    }
  }
  auto choice = scf::IfOp::create(k.b, k.loc, TypeRange{k.lift(outside).getType()}, inside, true, true);
  auto fill = [&](Block *block, function_ref<Value()> body) {
    OpBuilder::InsertionGuard guard(k.b);
    ElementCode::Scope scope(code);
    k.b.setInsertionPointToEnd(block);
    Value value = body();
    scf::YieldOp::create(k.b, k.loc, value);
  };
  fill(choice.thenBlock(), [&] { return overInside(code, pool, window, at, join); });
  fill(choice.elseBlock(), [&] { return overWindow(code, pool, window, at, outside, join); });
  return choice.getResult(0);
}

static Value emitMaxPool(ElementCode &code, Operation *op, const Indices &at) {
  auto pool = cast<dsc::MaxPoolOp>(op);
  Type element = dsc::getElementType(pool.getInput());
  return maxOverWindow(code, pool, windowOf(pool), at, lowestOf(code.k, element),
                       [&](Value a, Value b) { return emitMax(code.k, a, b, element); });
}

/// Carries the best value under the window and its place in the whole input, -1 before there is one.
static Value emitArgMaxPool(ElementCode &code, Operation *op, const Indices &at) {
  auto pool = cast<dsc::ArgMaxPoolOp>(op);
  KernelBuilder &k = code.k;
  LaneMath m{k};
  Window window = windowOf(pool);
  Type element = dsc::getElementType(pool.getInput()), i64 = k.b.getI64Type();
  dsc::Dims dims = dsc::getDims(pool.getInput());
  Value lowest = k.lift(lowestOf(k, element)), nowhere = k.lift(k.index(-1));
  Value channel = m.add(m.mul(k.asValue(at[0]), k.dim(dims[1])), k.asValue(at[1]));
  SmallVector<Value> best =
      loopOver(code, window.sizeExprs(), {lowest, nowhere}, [&](ArrayRef<Value> position, ValueRange carried) {
        Indices from = {at[0], at[1]};
        SmallVector<Value> limits(dims.size());
        Value here = channel, isInside;
        for (size_t i = 0; i < window.rank(); ++i) {
          from.push_back(window.position(k, i, at[i + 2], k.uniform(position[i])));
          Value size = limits[i + 2] = k.dim(dims[i + 2]), coordinate = k.asValue(from.back());
          here = m.add(m.mul(here, size), coordinate);
          // One unsigned comparison checks both bounds.
          Value fits = m.compare(arith::CmpIPredicate::ult, coordinate, size);
          isInside = isInside ? m.make<arith::AndIOp>(isInside, fits) : fits;
        }
        Value value = k.lift(code.elementOr(pool.getInput(), from, limits, lowestOf(k, element)));
        Value isFirst = m.compare(arith::CmpIPredicate::slt, carried[1], k.index(0));
        Value better = isBetter(k, value, carried[0], element, /*isMax=*/true, /*last=*/false);
        Value taken = k.lift(m.make<arith::AndIOp>(isInside, m.make<arith::OrIOp>(isFirst, better)));
        return SmallVector<Value>{m.select(taken, value, carried[0]), m.select(taken, k.lift(here), carried[1])};
      });
  Value place = arith::IndexCastOp::create(k.b, k.loc, k.isVector(best[1]) ? k.laneType(i64) : i64, best[1]);
  code.remember(pool.getPlaces(), at, place);
  return best[0];
}

/// How many window elements count along dim i: those in [0, size), or with pads those in [-low, size + high).
static Value countAlong(KernelBuilder &k, const Window &window, size_t i, const Index &at, Value size,
                        bool includePads) {
  LaneMath m{k};
  int64_t dilation = window.dilations[i];
  Value start = k.asValue(window.position(k, i, at, k.constantIndex(0)));
  Value end = includePads ? k.add(size, k.index(window.pads[window.rank() + i])) : size;
  auto ceilDivide = [&](Value x) { // x may be negative; then the answer is clamped to 0 by the caller
    return dilation == 1 ? x : m.divSigned(m.add(x, k.index(dilation - 1)), k.index(dilation));
  };
  Value last = m.min(ceilDivide(m.max(m.sub(end, start), k.index(0))), k.index(window.size[i]));
  if (includePads)
    return last;
  Value first = ceilDivide(m.max(m.sub(k.index(0), start), k.index(0)));
  return m.max(m.sub(last, first), k.index(0));
}

static Value emitAveragePool(ElementCode &code, Operation *op, const Indices &at) {
  auto pool = cast<dsc::AveragePoolOp>(op);
  KernelBuilder &k = code.k;
  dsc::ImageOrder order = dsc::orderOf(op);
  Window window = windowOf(pool);
  Type element = dsc::getElementType(pool.getInput()), compute = getComputeType(element);
  dsc::Dims dims = dsc::getDims(pool.getInput());
  Value sum =
      overWindow(code, pool, window, at, zeroOf(k, element), [&](Value a, Value b) { return emitAdd(k, a, b); });
  Value count = k.index(1);
  for (size_t i = 0; i < window.rank(); ++i) {
    size_t dim = order.spatial(i);
    count = LaneMath{k}.mul(count, countAlong(k, window, i, at[dim], k.dim(dims[dim]), pool.getCountIncludePad()));
  }
  Type i64 = k.b.getI64Type();
  Value number = arith::IndexCastOp::create(k.b, k.loc, k.isVector(count) ? k.laneType(i64) : i64, count);
  SmallVector<Value> v = {sum, emitCast(k, number, i64, compute, false)};
  k.unify(v);
  return arith::DivFOp::create(k.b, k.loc, v[0], v[1]);
}

/// Adds up the windows that have something of this place: for each element of the window, the one of which it is that.
static Value emitSumWindows(ElementCode &code, Operation *op, const Indices &at) {
  auto sum = cast<dsc::SumWindowsOp>(op);
  KernelBuilder &k = code.k;
  Window window = windowOf(sum);
  dsc::Dims dims = dsc::getDims(sum.getInput());
  Value zero = zeroOf(k, dsc::getElementType(sum.getInput()));
  SmallVector<DimExpr> sizes = window.sizeExprs();
  return loopOver(code, sizes, {k.lift(zero)}, [&](ArrayRef<Value> position, ValueRange carried) {
    Value number = k.index(0);
    for (auto [own, count] : llvm::zip_equal(position, window.size))
      number = k.add(k.mul(number, k.index(count)), own);
    Indices from = {at[0], k.addTo(k.scale(at[1], k.dim(dsc::countElements(sizes))), number)};
    SmallVector<Value> limits(dims.size());
    for (size_t i = 0; i < window.rank(); ++i) {
      from.push_back(window.placeOf(k, i, at[i + 2], position[i]));
      limits[i + 2] = k.dim(dims[i + 2]);
    }
    return SmallVector<Value>{k.lift(emitAdd(k, carried[0], code.elementOr(sum.getInput(), from, limits, zero)))};
  })[0];
}

ArrayRef<ElementEntry> poolEntries() {
  static constexpr ElementEntry entries[] = {
      {"dsc.max_pool", emitMaxPool},
      {"dsc.arg_max_pool", emitArgMaxPool},
      {"dsc.average_pool", emitAveragePool},
      {"dsc.sum_windows", emitSumWindows},
  };
  return entries;
}

} // namespace dscc::kernels
