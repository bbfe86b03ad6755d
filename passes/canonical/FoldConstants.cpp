// Computes at compile time what depends on constants only.
//
// Two limits keep the artifact small: a constant that is larger than what it is made of is left to the kernels (a
// repeated row, say), and all folded constants together stay within a budget of bytes.

#include "dialects/dsc/Storage.h"
#include "passes/Passes.h"
#include "passes/canonical/Evaluate.h"

#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_FOLDCONSTANTS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-fold-constants"
ALWAYS_ENABLED_STATISTIC(numFolded, "Ops replaced by constants");
ALWAYS_ENABLED_STATISTIC(numBytes, "Bytes of new constants");

/// Growth up to this many bytes is not worth a thought.
constexpr int64_t smallBytes = 4096;

static int64_t bytesOf(Value value) { return countBytes(value.getType()).constant(); }

static bool grows(Operation *op) {
  int64_t result = bytesOf(op->getResult(0)), operands = 0;
  for (Value operand : op->getOperands())
    operands += getConstant(operand).isSplat() ? 0 : bytesOf(operand);
  return result > smallBytes && result > operands;
}

namespace {
struct FoldConstants : impl::FoldConstantsBase<FoldConstants> {
  using FoldConstantsBase::FoldConstantsBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    int64_t left = budget;
    for (Operation &op : llvm::make_early_inc_range(function.getBody().front()))
      left -= fold(&op, left);
  }

  /// Returns the bytes of the new constant.
  int64_t fold(Operation *op, int64_t left) {
    auto isKnown = [](Value operand) { return bool(getConstant(operand)); };
    if (!isa<dsc::DscDialect>(op->getDialect()) || op->getNumOperands() == 0 || op->getNumResults() != 1 ||
        !llvm::all_of(op->getOperands(), isKnown) || !countBytes(op->getResult(0).getType()).isConstant())
      return 0;
    // The splat of a large tensor is small, and a reshape shares its input's bytes.
    bool isFree = isa<dsc::ReshapeOp>(op) ||
                  llvm::all_of(op->getOperands(), [](Value operand) { return getConstant(operand).isSplat(); });
    int64_t bytes = isFree ? 0 : bytesOf(op->getResult(0));
    if (bytes > left || (!isFree && grows(op)))
      return 0;
    ElementsAttr value = evaluateConstant(op);
    if (!value)
      return 0;
    OpBuilder builder(op);
    Value constant = dsc::ConstantOp::create(builder, op->getLoc(), value);
    op->replaceAllUsesWith(ValueRange(constant));
    op->erase();
    ++numFolded;
    numBytes += bytes;
    return bytes;
  }
};
} // namespace

} // namespace dscc
