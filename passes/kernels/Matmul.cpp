// Elements of matrix products: a sum over the inner dim. The Tiles emitter shares loads among neighbours.

#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"
#include "passes/kernels/cpu/Tiles.h"

using namespace mlir;

namespace dscc::kernels {

static Value emitMatmul(ElementCode &code, Operation *op, const Indices &at) {
  auto matmul = cast<dsc::MatmulOp>(op);
  KernelBuilder &k = code.k;
  dsc::Dims lhs = dsc::getDims(matmul.getLhs()), rhs = dsc::getDims(matmul.getRhs());
  dsc::Dims result = dsc::getDims(matmul.getResult());
  Type element = dsc::getElementType(matmul.getLhs()), accumulator = dsc::getElementType(matmul.getResult());
  auto batchOf = [&](ArrayRef<DimExpr> dims) {
    Indices batch(at.begin(), at.end() - 2);
    return code.broadcastIndices(dims.drop_back(2), ArrayRef(result).drop_back(2), batch);
  };
  Indices lhsBatch = batchOf(lhs), rhsBatch = batchOf(rhs);
  DimExpr inner = matmul.getTransposeLhs() ? lhs[lhs.size() - 2] : lhs.back();
  Index row = at[at.size() - 2], column = at.back();
  Value zero = k.lift(zeroOf(k, accumulator));
  return loopOver(code, {inner}, {zero}, [&](ArrayRef<Value> position, ValueRange carried) {
    Index place = k.uniform(position[0]);
    Indices a = lhsBatch, b = rhsBatch;
    a.append(matmul.getTransposeLhs() ? Indices{place, row} : Indices{row, place});
    b.append(matmul.getTransposeRhs() ? Indices{column, place} : Indices{place, column});
    Value x =
        emitCast(k, code.element(matmul.getLhs(), a), getComputeType(element), getComputeType(accumulator), false);
    Value y =
        emitCast(k, code.element(matmul.getRhs(), b), getComputeType(element), getComputeType(accumulator), false);
    return SmallVector<Value>{k.lift(emitMulAdd(k, x, y, carried[0]))};
  })[0];
}

Contraction contractionOf(ElementCode &code, dsc::MatmulOp op) {
  KernelBuilder &k = code.k;
  dsc::Dims lhs = dsc::getDims(op.getLhs()), rhs = dsc::getDims(op.getRhs()), result = dsc::getDims(op.getResult());
  bool transposeLhs = op.getTransposeLhs(), transposeRhs = op.getTransposeRhs();
  Type from = dsc::getElementType(op.getLhs()), to = dsc::getElementType(op.getResult());
  Contraction c;
  c.outer.assign(result.begin(), result.end() - 2);
  c.rows = result[result.size() - 2];
  c.columns = result.back();
  c.inner = transposeLhs ? lhs[lhs.size() - 2] : lhs.back();
  c.resultAt = [](ArrayRef<Index> outer, const Index &row, const Index &column) {
    Indices at(outer.begin(), outer.end());
    at.push_back(row);
    at.push_back(column);
    return at;
  };
  auto widen = [&k, from, to](Value value) {
    return emitCast(k, value, getComputeType(from), getComputeType(to), false);
  };
  dsc::Dims batch(result.begin(), result.end() - 2);
  DimExpr inner = c.inner;
  c.accumulate = [=, &code, &k](ArrayRef<Index> outer, ArrayRef<Index> rows, ArrayRef<TileColumn> columns,
                                SmallVector<Value> sums) mutable {
    Indices place(outer.begin(), outer.end());
    Indices lhsBatch = code.broadcastIndices(ArrayRef(lhs).drop_back(2), batch, place);
    Indices rhsBatch = code.broadcastIndices(ArrayRef(rhs).drop_back(2), batch, place);
    return loopOver(code, {inner}, sums, [&](ArrayRef<Value> position, ValueRange carried) {
      Index step = k.uniform(position[0]);
      SmallVector<Value> next(carried.begin(), carried.end()), x, y;
      for (const TileColumn &column : columns) {
        Indices at = rhsBatch;
        at.append(transposeRhs ? Indices{column.index, step} : Indices{step, column.index});
        k.mask = column.mask;
        y.push_back(widen(code.element(op.getRhs(), at)));
        k.mask = {};
      }
      for (const Index &row : rows) {
        Indices at = lhsBatch;
        at.append(transposeLhs ? Indices{step, row} : Indices{row, step});
        x.push_back(widen(code.element(op.getLhs(), at)));
      }
      multiplyAdd(k, x, y, next);
      return next;
    });
  };
  return c;
}

ArrayRef<ElementEntry> matmulEntries() {
  static constexpr ElementEntry entries[] = {{"dsc.matmul", emitMatmul}};
  return entries;
}

} // namespace dscc::kernels
