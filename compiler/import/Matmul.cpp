// MatMul, Gemm and their integer forms.

#include "compiler/import/Matmul.h"

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

Value makeMatmul(NodeImporter &node, Value a, Value b, bool transposeA, bool transposeB) {
  if (!a || !b)
    return {};
  dsc::Dims lhs = dimsOf(a), rhs = dimsOf(b);
  if (lhs.size() < 2 || rhs.size() < 2)
    return node.make<dsc::MatmulOp>(a, b, UnitAttr(), UnitAttr(), TypeAttr()); // complains
  const DimExpr &inner = lhs[lhs.size() - (transposeA ? 2 : 1)], &other = rhs[rhs.size() - (transposeB ? 1 : 2)];
  if (failed(node.requireEqual(inner, other, "inner sizes")))
    return {};
  for (size_t i = 3; i <= std::min(lhs.size(), rhs.size()); ++i) {
    const DimExpr &x = lhs[lhs.size() - i], &y = rhs[rhs.size() - i];
    if (x != y && !x.isConstant(1) && !y.isConstant(1))
      node.relateDims(x, y);
  }
  auto flag = [&](bool isSet) { return isSet ? node.builder.getUnitAttr() : UnitAttr(); };
  return node.make<dsc::MatmulOp>(a, b, flag(transposeA), flag(transposeB), TypeAttr());
}

/// NumPy's matmul: an operand of rank 1 gets a dim of size 1 that the result does not have.
static Value matmulAnyRank(NodeImporter &node, Value a, Value b) {
  dsc::Dims lhs = dimsOf(a), rhs = dimsOf(b);
  if (lhs.empty() || rhs.empty()) {
    (void)node.reject("multiplies a scalar");
    return {};
  }
  Value left = lhs.size() == 1 ? node.reshape(a, {1, lhs[0]}) : a;
  Value right = rhs.size() == 1 ? node.reshape(b, {rhs[0], 1}) : b;
  Value product = makeMatmul(node, left, right);
  if (!product || (lhs.size() > 1 && rhs.size() > 1))
    return product;
  dsc::Dims dims = dimsOf(product);
  if (rhs.size() == 1)
    dims.pop_back();
  if (lhs.size() == 1)
    dims.erase(dims.end() - (rhs.size() == 1 ? 1 : 2));
  return node.reshape(product, dims);
}

static LogicalResult convertMatMul(NodeImporter &node) {
  return node.finish(matmulAnyRank(node, node.input(0), node.input(1)));
}

static LogicalResult convertGemm(NodeImporter &node) {
  Value a = node.input(0), b = node.input(1), c = node.input(2);
  if (rankOf(a) != 2 || rankOf(b) != 2)
    return node.reject("multiplies " + dsc::describeDims(dimsOf(a)) + " by " + dsc::describeDims(dimsOf(b)) +
                       ", but both must have rank 2");
  Value product = makeMatmul(node, a, b, node.integer("transA", 0), node.integer("transB", 0));
  double alpha = node.number("alpha", 1), beta = node.number("beta", 1);
  if (alpha != 1)
    product = node.mul(product, node.scalarLike(product, alpha));
  if (!c || beta == 0)
    return node.finish(product);
  return node.finish(node.add(product, beta == 1 ? c : node.mul(c, node.scalarLike(c, beta))));
}

Value subtractZeroPoint(NodeImporter &node, Value value, Value zeroPoint, bool isRows) {
  Type i32 = node.builder.getI32Type();
  Value wide = node.cast(value, i32);
  if (!zeroPoint || !value)
    return wide;
  Value zero = node.cast(zeroPoint, i32);
  // One zero point a row stands along the last dim but one.
  if (isRows && rankOf(zero) == 1 && rankOf(value) > 1 && !dimsOf(zero)[0].isConstant(1))
    zero = node.reshape(zero, {dimsOf(zero)[0], 1});
  return node.sub(wide, zero);
}

static LogicalResult convertMatMulInteger(NodeImporter &node) {
  Value a = subtractZeroPoint(node, node.input(0), node.input(2), /*isRows=*/true);
  Value b = subtractZeroPoint(node, node.input(1), node.input(3), /*isRows=*/false);
  return node.finish(a && b ? matmulAnyRank(node, a, b) : Value());
}

ArrayRef<Converter> matmulConverters() {
  static constexpr Converter entries[] = {
      {"", "MatMul", 1, 2, 2, convertMatMul, "T=floats+wide, T"},
      {"", "Gemm", 7, 2, 3, convertGemm, "T=floats+wide, T, T"},
      {"", "MatMulInteger", 10, 2, 4, convertMatMulInteger, "T1=int8+uint8, T2=int8+uint8, T1, T2"},
  };
  return entries;
}

} // namespace dscc
