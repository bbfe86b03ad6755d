// Products with a single column, as sums along rows: a matrix times a vector, a convolution of single points.
//
//   %y = dsc.matmul %a, %v : (MxK, Kx1) -> Mx1        ==>   %y = reduce_sum(%a * %v^T) {axes = [1]}
//
// A tile would have one lane; along the terms there are many, and the Rows emitter knows how to join them.

#include "passes/kernels/Emitters.h"

using namespace mlir;

namespace dscc::kernels {

static bool isOne(const DimExpr &dim) { return dim.isConstant(1); }

static std::optional<dsc::Dims> termsOf(dsc::MatmulOp op) {
  dsc::Dims result = dsc::getDims(op.getResult());
  // Where the left side is transposed, terms do not lie next to each other.
  if (!isOne(result.back()) || op.getTransposeLhs() || !isa<FloatType>(dsc::getElementType(op.getLhs())))
    return std::nullopt;
  result.back() = dsc::getDims(op.getLhs()).back();
  return result;
}

static std::optional<dsc::Dims> termsOf(dsc::ConvOp op) {
  dsc::Dims input = dsc::getDims(op.getInput()), filter = dsc::getDims(op.getFilter()),
            result = dsc::getDims(op.getResult());
  bool isPoints = llvm::all_of(llvm::drop_begin(input, 2), isOne) && llvm::all_of(llvm::drop_begin(filter, 2), isOne) &&
                  llvm::all_of(llvm::drop_begin(result, 2), isOne);
  if (op.getChannelsLast() || !isPoints || op.getGroups() != 1 || !isa<FloatType>(dsc::getElementType(op.getInput())) ||
      llvm::any_of(dsc::getIntegers(op.getPads()), [](int64_t pad) { return pad != 0; }))
    return std::nullopt;
  result.back() = input[1];
  return result;
}

std::optional<dsc::Dims> dotTerms(Operation *op) {
  if (auto matmul = dyn_cast<dsc::MatmulOp>(op))
    return termsOf(matmul);
  if (auto conv = dyn_cast<dsc::ConvOp>(op))
    return termsOf(conv);
  return std::nullopt;
}

static Value moveDims(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> permutation) {
  return dsc::TransposeOp::create(b, loc, value, b.getI64ArrayAttr(permutation));
}

Value expandDot(OpBuilder &b, Operation *op) {
  assert(dotTerms(op) && "the product is one that is summed along rows");
  Location loc = op->getLoc();
  Value rows = op->getOperand(0), terms = op->getOperand(1);
  int64_t rank = dsc::getDims(terms).size();
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (auto matmul = dyn_cast<dsc::MatmulOp>(op)) {
    std::swap(permutation[rank - 1], permutation[rank - 2]);
    if (!matmul.getTransposeRhs())
      terms = moveDims(b, loc, terms, permutation);
  } else {
    // Input [N, C, 1..] as [N, 1.., C] and filter [M, C, 1..] as [1, M, 1.., C].
    permutation.erase(permutation.begin() + 1);
    permutation.push_back(1);
    rows = moveDims(b, loc, rows, permutation);
    std::swap(permutation[0], permutation[1]);
    terms = moveDims(b, loc, terms, permutation);
  }
  Value product = dsc::MulOp::create(b, loc, widenRow(b, loc, rows), widenRow(b, loc, terms));
  int64_t last = dsc::getDims(product).size() - 1;
  return dsc::ReduceSumOp::create(b, loc, product, b.getI64ArrayAttr({last}));
}

} // namespace dscc::kernels
