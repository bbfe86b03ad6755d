// Finds attention, and makes a group of each: two products with a softmax between them, where the target has a kernel
// for all of it (passes/kernels/Attention.h).
//
//     %t = transpose %k              group (%q, %k, %v) {
//     %a = mul %q, 0.125               %t = transpose ..        the group's own, if its elements lie in pieces
//     %s = matmul %a, %t        ==>    %s = matmul ..
//     %p = softmax %s                  %c = mul %s, 0.125       scales of operands become one of the scores
//     %o = matmul %p, %v               %p = softmax %c
//     %r = transpose %o                %o = matmul ..
//                                      %r = transpose %o }

#include "passes/kernels/Attention.h"

#include "passes/fusion/Outline.h"
#include "passes/fusion/Rules.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/Lay.h"

using namespace mlir;

namespace dscc {

using kernels::Attention;

/// Elements of 16 bits that are copied at once.
static constexpr int64_t perPiece = 8;

/// Whether the elements of the op's result are those of its operand under other coordinates, as far as kernels know.
static bool isMove(Operation *op) {
  if (!op || op->getNumOperands() != 1)
    return false;
  std::optional<kernels::Lay> lay = kernels::layOf(op->getResult(0));
  return lay && lay->tensor != op->getResult(0);
}

/// The number by which every element of the op's other operand is multiplied: the operand that is it, or null.
static Value findScale(dsc::MulOp op) {
  for (Value operand : op->getOperands())
    if (Operation *constant = operand.getDefiningOp();
        constant && isSplat(constant) && cast<dsc::ConstantOp>(constant).getValue().getNumElements() == 1)
      return operand;
  return {};
}

/// The value without the numbers that it is multiplied by, which are added to `scales`; moves between are made again.
static Value withoutScales(Value value, SmallVectorImpl<Value> &scales) {
  Operation *op = value.getDefiningOp();
  if (auto product = dyn_cast_or_null<dsc::MulOp>(op)) {
    Value scale = findScale(product);
    Value other = product->getOperand(product->getOperand(0) == scale ? 1 : 0);
    if (!scale || other.getType() != value.getType())
      return value;
    scales.push_back(scale);
    return withoutScales(other, scales);
  }
  if (!isMove(op))
    return value;
  size_t known = scales.size();
  Value below = withoutScales(op->getOperand(0), scales);
  if (below == op->getOperand(0))
    return value;
  OpBuilder b(op);
  Operation *moved = b.clone(*op);
  moved->setOperand(0, below);
  if (kernels::layOf(moved->getResult(0)))
    return moved->getResult(0);
  // What was scaled is turned already, so that no strides show it under these dims.
  moved->erase();
  scales.truncate(known);
  return value;
}

/// A copy of the moves between what lies in memory and `value`, in front of `user`, for the group alone; the value
/// itself if it does not lie so that pieces of it can be copied.
static Value ownMoves(Value value, Operation *user, SmallVectorImpl<Operation *> &ops) {
  std::optional<kernels::Lay> lay = kernels::layOf(value);
  if (!lay || !kernels::findPieceDim(*lay, dsc::getDims(value), perPiece))
    return value;
  SmallVector<Operation *> moves;
  for (Value at = value; at != lay->tensor; at = moves.back()->getOperand(0))
    moves.push_back(at.getDefiningOp());
  OpBuilder b(user);
  Value last = lay->tensor;
  for (Operation *move : llvm::reverse(moves)) {
    Operation *own = b.clone(*move);
    own->setOperand(0, last);
    last = own->getResult(0);
    ops.push_back(own);
  }
  return last;
}

/// Gives the op copies of its own of what is cheaper to compute again than to store: numbers, expanded masks.
static void ownDuplicables(Operation *op, ArrayRef<Operation *> members, SmallVectorImpl<Operation *> &ops) {
  for (OpOperand &operand : op->getOpOperands()) {
    Operation *producer = operand.get().getDefiningOp();
    if (!producer || !isDuplicable(producer) || llvm::is_contained(members, producer) ||
        llvm::is_contained(ops, producer))
      continue;
    Operation *own = OpBuilder(op).clone(*producer);
    operand.set(own->getResult(0));
    ops.push_back(own);
    ownDuplicables(own, members, ops);
  }
}

static void makeGroup(Attention attention) {
  dsc::MatmulOp scores = attention.scores;
  OpBuilder b(scores);
  SmallVector<Value> scales;
  scores.getLhsMutable().set(withoutScales(scores.getLhs(), scales));
  scores.getRhsMutable().set(withoutScales(scores.getRhs(), scales));
  SmallVector<Operation *> ops;
  scores.getLhsMutable().set(ownMoves(scores.getLhs(), scores, ops));
  scores.getRhsMutable().set(ownMoves(scores.getRhs(), scores, ops));
  b.setInsertionPointAfter(scores);
  Value scaled = scores.getResult();
  for (Value scale : scales) {
    Operation *own = b.clone(*scale.getDefiningOp());
    auto product = dsc::MulOp::create(b, scores.getLoc(), scaled, own->getResult(0));
    scaled.replaceAllUsesExcept(product.getResult(), product);
    scaled = product.getResult();
    ops.append({own, product});
  }
  dsc::MatmulOp mix = attention.mix;
  mix.getRhsMutable().set(ownMoves(mix.getRhs(), mix, ops));
  for (Operation *op : attention.ops)
    ownDuplicables(op, attention.ops, ops);
  llvm::append_range(ops, attention.ops);
  Operation *root = mix;
  if (mix->hasOneUse() && kernels::isWayOut(*mix->user_begin())) {
    root = *mix->user_begin();
    ops.push_back(root);
  }
  llvm::sort(ops, [](Operation *one, Operation *other) { return one->isBeforeInBlock(other); });
  outline(ops, nullptr)->setAttr("label", b.getStringAttr("attention"));
}

unsigned fuseAttention(Block &block, const Journal &journal) {
  unsigned count = 0;
  const Target *target = kernels::targetOf(block.getParentOp());
  for (auto softmax : llvm::to_vector(block.getOps<dsc::SoftmaxOp>())) {
    Attention attention;
    Verdict verdict = kernels::findAttention(softmax, attention);
    if (verdict)
      verdict = target ? kernels::fitsMatrixInstructions(attention, *target) : Verdict::declined("there is no target");
    if (!verdict) {
      if (journal.wants(softmax))
        journal.tell(softmax) << "is no attention: " << verdict.why();
      continue;
    }
    if (journal.wants(softmax))
      journal.tell(softmax) << "is attention, one group from " << Journal::nameOf(attention.scores) << " to "
                            << Journal::nameOf(attention.mix);
    makeGroup(attention);
    ++count;
  }
  return count;
}

} // namespace dscc
