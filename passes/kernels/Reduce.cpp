// Elements of reductions, and of the ops over rows: each element runs over its whole row. The Rows emitter shares a
// row's work among its elements and is chosen wherever it can be; this is what remains.

#include "passes/kernels/Reduce.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace dscc::kernels {

Value reductionStart(KernelBuilder &k, Operation *op) {
  Type element = dsc::getElementType(op->getOperand(0)), compute = getComputeType(element);
  if (isa<dsc::ReduceMaxOp>(op))
    return lowestOf(k, element);
  if (isa<dsc::ReduceMinOp>(op))
    return highestOf(k, element);
  if (isa<dsc::ReduceProdOp>(op))
    return isa<FloatType>(compute) ? k.constant(compute, 1) : k.constantInt(compute, 1);
  return zeroOf(k, element);
}

Value combineReduced(KernelBuilder &k, Operation *op, Value a, Value b) {
  Type element = dsc::getElementType(op->getOperand(0));
  if (isa<dsc::ReduceMaxOp>(op))
    return emitMax(k, a, b, element);
  if (isa<dsc::ReduceMinOp>(op))
    return emitMin(k, a, b, element);
  if (isa<dsc::ReduceProdOp>(op))
    return emitMul(k, a, b);
  return emitAdd(k, a, b);
}

Value finishReduction(KernelBuilder &k, Operation *op, Value total) {
  if (!isa<dsc::ReduceMeanOp>(op))
    return total;
  auto mean = cast<dsc::ReduceMeanOp>(op);
  dsc::Dims dims = dsc::getDims(mean.getInput());
  DimExpr count = 1;
  for (int64_t axis : dsc::getIntegers(mean.getAxes()))
    count = count * dims[axis];
  Type element = dsc::getElementType(mean.getInput()), compute = getComputeType(element);
  // The mean of nothing is NaN; of integers it is 0, for a division by 0 would end the program.
  DimExpr divisible = isa<FloatType>(compute) ? count : DimExpr::max(count, 1);
  Value number = arith::IndexCastOp::create(k.b, k.loc, k.b.getI64Type(), k.dim(divisible));
  Value divisor = emitCast(k, number, k.b.getI64Type(), compute, false);
  SmallVector<Value> v = {total, divisor};
  k.unify(v);
  if (isa<FloatType>(compute))
    return arith::DivFOp::create(k.b, k.loc, v[0], v[1]);
  if (element.isUnsignedInteger())
    return arith::DivUIOp::create(k.b, k.loc, v[0], v[1]);
  return arith::DivSIOp::create(k.b, k.loc, v[0], v[1]);
}

SmallVector<Value> loopOver(ElementCode &code, ArrayRef<DimExpr> sizes, ValueRange init,
                            function_ref<SmallVector<Value>(ArrayRef<Value>, ValueRange)> body) {
  KernelBuilder &k = code.k;
  SmallVector<Value> position;
  std::function<SmallVector<Value>(size_t, ValueRange)> nest = [&](size_t level, ValueRange carried) {
    if (level == sizes.size())
      return body(position, carried);
    return k.loop(k.index(0), k.dim(sizes[level]), k.index(1), carried, [&](Value i, ValueRange inner) {
      ElementCode::Scope scope(code);
      position.push_back(i);
      SmallVector<Value> next = nest(level + 1, inner);
      position.pop_back();
      return next;
    });
  };
  return nest(0, init);
}

/// Accumulators have lanes whenever the kernel has: the loop's types must be known before its body.
static Value emitReduce(ElementCode &code, Operation *op, const Indices &at) {
  KernelBuilder &k = code.k;
  SmallVector<int64_t> axes = dsc::getIntegers(op->getAttrOfType<ArrayAttr>("axes"));
  dsc::Dims dims = dsc::getDims(op->getOperand(0)), sizes;
  for (int64_t axis : axes)
    sizes.push_back(dims[axis]);
  Value start = k.lift(reductionStart(k, op));
  Value total = loopOver(code, sizes, {start}, [&](ArrayRef<Value> position, ValueRange carried) {
    Indices input = at;
    for (size_t i = 0; i < axes.size(); ++i)
      input[axes[i]] = k.uniform(position[i]);
    return SmallVector<Value>{combineReduced(k, op, carried[0], k.lift(code.element(op->getOperand(0), input)))};
  })[0];
  return finishReduction(k, op, total);
}

Value isBetter(KernelBuilder &k, Value value, Value best, Type element, bool isMax, bool last) {
  if (!isa<FloatType>(getElementTypeOrSelf(value))) {
    Value first = isMax ? best : value, second = isMax ? value : best;
    return last ? emitLessEqual(k, first, second, element) : emitLess(k, first, second, element);
  }
  auto compare = [&](arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(k.b, k.loc, predicate, a, b);
  };
  if (last) {
    Value isNan = compare(arith::CmpFPredicate::UNO, value, value);
    Value reaches = compare(isMax ? arith::CmpFPredicate::OGE : arith::CmpFPredicate::OLE, value, best);
    return arith::OrIOp::create(k.b, k.loc, reaches, isNan);
  }
  // Unordered, so that a NaN is better than a number; but nothing is better than a NaN.
  Value isNumber = compare(arith::CmpFPredicate::ORD, best, best);
  Value exceeds = compare(isMax ? arith::CmpFPredicate::UGT : arith::CmpFPredicate::ULT, value, best);
  return arith::AndIOp::create(k.b, k.loc, exceeds, isNumber);
}

/// Carries the best value and where it is. The first place needs no look: it holds unless something is better.
template <bool isMax> static Value emitArg(ElementCode &code, Operation *op, const Indices &at) {
  KernelBuilder &k = code.k;
  int64_t axis = op->getAttrOfType<IntegerAttr>("axis").getInt();
  bool last = op->hasAttr("select_last");
  Value input = op->getOperand(0);
  Type element = dsc::getElementType(input), i64 = k.b.getI64Type();
  Value best = k.lift(isMax ? lowestOf(k, element) : highestOf(k, element)), place = k.lift(k.constantInt(i64, 0));
  DimExpr size = dsc::getDims(input)[axis];
  SmallVector<Value> result = loopOver(code, {size}, {best, place}, [&](ArrayRef<Value> position, ValueRange carried) {
    Indices here = at;
    here[axis] = k.uniform(position[0]);
    Value value = k.lift(code.element(input, here));
    Value better = isBetter(k, value, carried[0], element, isMax, last);
    Value number = k.lift(arith::IndexCastOp::create(k.b, k.loc, i64, position[0]));
    return SmallVector<Value>{arith::SelectOp::create(k.b, k.loc, better, value, carried[0]),
                              arith::SelectOp::create(k.b, k.loc, better, number, carried[1])};
  });
  return result[1];
}

/// Folds the elements up to this one; a running fold would need one thread a row.
template <class Op> static Value emitCumulative(ElementCode &code, Operation *op, const Indices &at) {
  constexpr bool isProduct = std::is_same_v<Op, dsc::CumProdOp>;
  auto running = cast<Op>(op);
  KernelBuilder &k = code.k;
  LaneMath m{k};
  size_t axis = running.getAxis();
  Type element = dsc::getElementType(running.getInput()), compute = getComputeType(element);
  Value own = k.asValue(at[axis]);
  bool reverse = running.getReverse(), exclusive = running.getExclusive();
  auto predicate = reverse ? (exclusive ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::sge)
                           : (exclusive ? arith::CmpIPredicate::slt : arith::CmpIPredicate::sle);
  Value one = isa<FloatType>(compute) ? k.constant(compute, 1) : k.constantInt(compute, 1);
  Value neutral = k.lift(isProduct ? one : zeroOf(k, element));
  DimExpr size = dsc::getDims(running.getInput())[axis];
  return loopOver(code, {size}, {neutral}, [&](ArrayRef<Value> position, ValueRange carried) {
    Indices input = at;
    input[axis] = k.uniform(position[0]);
    Value counts = m.compare(predicate, position[0], own);
    Value value = k.lift(code.element(running.getInput(), input));
    Value next = arith::SelectOp::create(k.b, k.loc, counts, value, neutral);
    return SmallVector<Value>{isProduct ? emitMul(k, carried[0], next) : emitAdd(k, carried[0], next)};
  })[0];
}

ArrayRef<ElementEntry> reduceEntries() {
  static constexpr ElementEntry entries[] = {
      {"dsc.reduce_sum", emitReduce},
      {"dsc.reduce_prod", emitReduce},
      {"dsc.reduce_max", emitReduce},
      {"dsc.reduce_min", emitReduce},
      {"dsc.reduce_mean", emitReduce},
      {"dsc.arg_max", emitArg<true>},
      {"dsc.arg_min", emitArg<false>},
      {"dsc.cum_sum", emitCumulative<dsc::CumSumOp>},
      {"dsc.cum_prod", emitCumulative<dsc::CumProdOp>},
  };
  return entries;
}

} // namespace dscc::kernels
