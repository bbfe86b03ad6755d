#include "passes/kernels/Attention.h"

#include "passes/kernels/ElementCode.h"
#include "passes/kernels/cuda/MatrixForm.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

/// Heads of more elements do not fit the registers that sums are kept in.
static constexpr int64_t mostHeadSize = 128;

/// The product from which a value comes by way of elementwise ops of its dims, each of which has this one use. Those
/// are added to `path`. Null if there is none, or more than one. `isShared`: the value itself has another use.
static dsc::MatmulOp findProduct(Value value, SmallVectorImpl<Operation *> &path, bool isShared = false) {
  Operation *op = value.getDefiningOp();
  if (!op || (isShared ? !value.hasNUses(2) : !value.hasOneUse()))
    return {};
  if (auto product = dyn_cast<dsc::MatmulOp>(op)) {
    path.push_back(op);
    return product;
  }
  if (!dsc::isElementwise(op))
    return {};
  dsc::MatmulOp found;
  for (Value operand : op->getOperands()) {
    if (dsc::getDims(operand) != dsc::getDims(value))
      continue;
    SmallVector<Operation *> below;
    dsc::MatmulOp product = findProduct(operand, below);
    if (product && found)
      return {};
    if (!product)
      continue;
    found = product;
    path.append(below);
  }
  if (found)
    path.push_back(op);
  return found;
}

static bool isSplatOf(Value value, double number) {
  auto constant = value.getDefiningOp<dsc::ConstantOp>();
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!elements || !elements.isSplat() || !isa<FloatType>(elements.getElementType()))
    return false;
  APFloat found = elements.getSplatValue<APFloat>();
  bool losesInfo = false;
  found.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return found.convertToDouble() == number;
}

/// where(equal(scores, -infinity), 0, softmax(scores)): the two ops, or none.
static SmallVector<Operation *> findZeroing(dsc::SoftmaxOp softmax) {
  if (!softmax.getResult().hasOneUse())
    return {};
  auto where = dyn_cast<dsc::WhereOp>(*softmax->user_begin());
  if (!where || where->getOperand(2) != softmax.getResult() || !isSplatOf(where->getOperand(1), 0))
    return {};
  auto equal = where->getOperand(0).getDefiningOp<dsc::EqualOp>();
  if (!equal || !equal->hasOneUse() || equal->getOperand(0) != softmax.getInput() ||
      !isSplatOf(equal->getOperand(1), -INFINITY))
    return {};
  return {equal, where};
}

Verdict findAttention(dsc::SoftmaxOp softmax, Attention &attention) {
  Value input = softmax.getInput();
  size_t rank = dsc::getDims(input).size();
  if (rank < 2 || softmax.getAxis() + 1 != rank)
    return Verdict::declined("the softmax does not run along the last dim");
  attention.softmax = softmax;
  attention.ops.clear();
  SmallVector<Operation *> zeroing = findZeroing(softmax);
  attention.hiddenIsZero = !zeroing.empty();
  attention.scores = findProduct(input, attention.ops, attention.hiddenIsZero);
  if (!attention.scores)
    return Verdict::declined("what the softmax reads does not come of one product by way of elementwise ops");
  attention.ops.push_back(softmax);
  attention.ops.append(zeroing);
  Value result = zeroing.empty() ? Value(softmax.getResult()) : Value(zeroing.back()->getResult(0));
  while (result.hasOneUse() && isa<dsc::CastOp>(*result.user_begin())) {
    attention.ops.push_back(*result.user_begin());
    result = result.user_begin()->getResult(0);
  }
  attention.mix = result.hasOneUse() ? dyn_cast<dsc::MatmulOp>(*result.user_begin()) : dsc::MatmulOp();
  if (!attention.mix || attention.mix.getLhs() != result || attention.mix.getTransposeLhs())
    return Verdict::declined("the softmax goes into no product as its rows, or is wanted elsewhere, too");
  attention.ops.push_back(attention.mix);
  dsc::Dims scores = dsc::getDims(attention.scores.getResult()), mixed = dsc::getDims(attention.mix.getResult());
  scores.pop_back();
  mixed.pop_back();
  return Verdict::acceptedIf(scores == mixed, "the products have other dims before their last one");
}

/// The size of the dim that a product sums over, and the number of its columns.
static DimExpr innerOf(dsc::MatmulOp op) {
  dsc::Dims lhs = dsc::getDims(op.getLhs());
  return lhs[lhs.size() - (op.getTransposeLhs() ? 2 : 1)];
}

Verdict fitsMatrixInstructions(Attention attention, const Target &target) {
  if (!target.gpu || target.gpu->f16.instruction == MatrixInstruction::None)
    return Verdict::declined("the target has no matrix instructions");
  Type element = dsc::getElementType(attention.scores.getLhs());
  for (Value operand : {attention.scores.getRhs(), attention.mix.getLhs(), attention.mix.getRhs()})
    if (dsc::getElementType(operand) != element)
      return Verdict::declined("the products' operands have several types");
  if (!findMatrixForm(element))
    return Verdict::declined("there is no matrix instruction for the operands' type");
  for (Value result : {attention.scores.getResult(), attention.mix.getResult()})
    if (!getComputeType(dsc::getElementType(result)).isF32())
      return Verdict::declined("sums are not in single precision");
  auto isHead = [](const DimExpr &size) { return size.isConstant() && size.constant() <= mostHeadSize; };
  if (!isHead(innerOf(attention.scores)) || !isHead(dsc::getDims(attention.mix.getResult()).back()))
    return Verdict::declined("heads have more elements than registers hold, or an unknown number of them");
  return Verdict::accepted();
}

bool isWayOut(Operation *op) {
  auto transpose = dyn_cast<dsc::TransposeOp>(op);
  if (!transpose)
    return false;
  SmallVector<int64_t> permutation = dsc::getIntegers(transpose.getPermutation());
  return permutation.back() == int64_t(permutation.size()) - 1;
}

Verdict findAttention(dsc::GroupOp group, Attention &attention) {
  Block &body = group.getBody().front();
  auto softmaxes = body.getOps<dsc::SoftmaxOp>();
  if (softmaxes.empty())
    return Verdict::declined("there is no softmax");
  if (Verdict verdict = findAttention(*softmaxes.begin(), attention); !verdict)
    return verdict;
  Value result = attention.mix.getResult(), yielded = group.getYielded()[0];
  if (result != yielded &&
      (!result.hasOneUse() || !isWayOut(*result.user_begin()) || result.user_begin()->getResult(0) != yielded))
    return Verdict::declined("the group's result is more than a turned product");
  for (Operation &op : body.without_terminator())
    if (!llvm::is_contained(attention.ops, &op) && !hasElementCode(&op))
      return Verdict::declined("an op has no code for one element");
  return Verdict::accepted();
}

} // namespace dscc::kernels
