// Elements of matrix products: a sum over the inner dim. The Tiles emitter shares loads among neighbours.

#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"

using namespace mlir;

namespace dscc::kernels {

static Value lift(KernelBuilder &k, Value value) { return k.width > 1 ? k.splat(value) : value; }

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
  Value zero = lift(k, zeroOf(k, accumulator));
  return loopOver(code, {inner}, {zero}, [&](ArrayRef<Value> position, ValueRange carried) {
    Index place = k.uniform(position[0]);
    Indices a = lhsBatch, b = rhsBatch;
    a.append(matmul.getTransposeLhs() ? Indices{place, row} : Indices{row, place});
    b.append(matmul.getTransposeRhs() ? Indices{column, place} : Indices{place, column});
    Value x = emitCast(k, code.element(matmul.getLhs(), a), getComputeType(element), getComputeType(accumulator), false);
    Value y = emitCast(k, code.element(matmul.getRhs(), b), getComputeType(element), getComputeType(accumulator), false);
    return SmallVector<Value>{lift(k, emitAdd(k, carried[0], emitMul(k, x, y)))};
  })[0];
}

ArrayRef<ElementRow> matmulRows() {
  static constexpr ElementRow rows[] = {{"dsc.matmul", emitMatmul}};
  return rows;
}

} // namespace dscc::kernels
