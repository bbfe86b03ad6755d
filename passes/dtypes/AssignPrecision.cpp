// Turns f32 values into f16 or bf16 ones, where that does no harm.
//
//     input f32 ─► cast ─► narrow ops ─► cast ─► sensitive op (f32) ─► cast ─► narrow ops ─► cast ─► output f32
//
// Each op says itself (dialects/dsc/Facts.h) whether it is sensitive, as sums, powers, exponentials and roots are:
// these compute and answer in f32. An elementwise op beside them computes in f32 too; its result is narrow again if it
// scales a narrow tensor of the same dims, else it stays f32, so that a spelled-out variance or softmax keeps its
// digits from end to end. Products, convolutions, softmax and normalizations accumulate in f32 inside their kernels
// whatever their operands are, so they are narrow. The model's inputs and outputs keep their types.
//
// All targets' graphs are done in turn, so that a weight which several of them want in the same type becomes one
// constant, and is stored once.

#include "passes/Passes.h"
#include "passes/canonical/Evaluate.h"

#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_ASSIGNPRECISION
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-assign-precision"
ALWAYS_ENABLED_STATISTIC(numCasts, "Casts inserted at run time");

static dsc::Precision precisionOf(Operation *op) {
  // Counters and positions exceed what an f16 can count to.
  if (isa<dsc::CastOp>(op) && isa<IntegerType>(dsc::getElementType(op->getOperand(0))))
    return dsc::Precision::Sensitive;
  return dsc::factsOf(op).precision;
}

static bool isF32(Value value) { return dsc::getElementType(value).isF32(); }
static Type withElement(Value value, Type element) { return dsc::makeTensor(dsc::getDims(value), element); }

namespace {
struct AssignPrecision : impl::AssignPrecisionBase<AssignPrecision> {
  using AssignPrecisionBase::AssignPrecisionBase;

  void runOnOperation() override {
    if (precision == "fp32")
      return;
    if (precision != "fp16" && precision != "bf16") {
      getOperation().emitError() << "there is no precision '" << precision << "'";
      return signalPassFailure();
    }
    narrow = precision == "fp16" ? Type(Float16Type::get(&getContext())) : Type(BFloat16Type::get(&getContext()));
    constants.clear();
    getOperation().walk([&](func::FuncOp function) {
      if (!function.isExternal())
        assignAll(function);
    });
  }

  void assignAll(func::FuncOp function) {
    converted.clear();
    widened.clear();
    SmallVector<Operation *> ops = llvm::map_to_vector(function.getBody().front(), [](Operation &op) { return &op; });
    for (Operation *op : ops)
      assign(op);
  }

  void assign(Operation *op) {
    if (isa<func::ReturnOp>(op)) {
      for (OpOperand &operand : op->getOpOperands())
        if (Type wanted = op->getParentOfType<func::FuncOp>().getResultTypes()[operand.getOperandNumber()];
            operand.get().getType() != wanted)
          operand.set(convert(operand.get(), cast<RankedTensorType>(wanted).getElementType()));
      return;
    }
    // A constant is converted where it is used; a cast says itself what it makes.
    if (op->hasTrait<OpTrait::ConstantLike>())
      return;
    // What the model itself computes in another float type stays as it is.
    Type result = dsc::getElementType(op->getResult(0));
    if (isa<FloatType>(result) && !result.isF32())
      return;
    dsc::Precision kind = precisionOf(op);
    bool wide = kind == dsc::Precision::Sensitive || (kind == dsc::Precision::Follows && hasWideOperand(op));
    setOperands(op, wide);
    for (Value result : op->getResults())
      setResult(result, wide);
    if (wide && kind == dsc::Precision::Follows && scalesNarrow(op))
      narrowResult(op->getResult(0));
  }

  /// True if some sensitive op has left an operand in f32.
  bool hasWideOperand(Operation *op) {
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      return isF32(operand) && operand.getDefiningOp() && !getConstant(operand);
    });
  }

  /// True for an elementwise op with an operand of its own dims that was narrow.
  bool scalesNarrow(Operation *op) { return dsc::isElementwise(op) && widened.contains(op); }

  void setOperands(Operation *op, bool wide) {
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      Type element = dsc::getElementType(value);
      if (wide && element == narrow && !isa<dsc::CastOp>(op)) {
        if (op->getNumResults() == 1 && !getConstant(value) && dsc::getDims(value) == dsc::getDims(op->getResult(0)))
          widened.insert(op);
        operand.set(convert(value, Float32Type::get(&getContext())));
      } else if (!wide && element.isF32() && !isa<dsc::CastOp>(op)) {
        operand.set(convert(value, narrow));
      }
    }
  }

  void setResult(Value result, bool wide) {
    if (!wide && isF32(result))
      result.setType(withElement(result, narrow));
  }

  void narrowResult(Value result) {
    if (!isF32(result))
      return;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(result);
    auto cast = dsc::CastOp::create(builder, result.getLoc(), withElement(result, narrow), result, UnitAttr());
    result.replaceAllUsesExcept(cast, cast);
    ++numCasts;
  }

  /// `value` with another element type: one cast a value and type, right behind it.
  Value convert(Value value, Type element) {
    Value &known = converted[{value, element}];
    if (known)
      return known;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(value);
    if (Value constant = convertConstant(builder, value, element))
      return known = constant;
    ++numCasts;
    return known = dsc::CastOp::create(builder, value.getLoc(), withElement(value, element), value, UnitAttr());
  }

  /// Weights are converted now. A finite number stays finite: masks of -3.4e38 would turn rows into NaN otherwise.
  Value convertConstant(OpBuilder &builder, Value value, Type element) {
    ElementsAttr constant = getConstant(value);
    if (!constant)
      return {};
    auto [known, isNew] = constants.try_emplace({constant, element});
    if (isNew)
      known->second = convertNumbers(constant, element);
    return known->second ? dsc::ConstantOp::create(builder, value.getLoc(), known->second) : Value();
  }

  /// Null for what is no list of floats.
  static ElementsAttr convertNumbers(ElementsAttr constant, Type element) {
    if (!element.isF32())
      return narrowConstant(constant, cast<FloatType>(element), "narrowed");
    std::optional<Numbers> numbers = readNumbers(constant);
    if (!numbers || !numbers->isFloat || numbers->size() == 0)
      return {};
    numbers->type = RankedTensorType::get(numbers->type.getShape(), element);
    return makeConstant(*numbers, "widened");
  }

  Type narrow;
  llvm::DenseMap<std::pair<Value, Type>, Value> converted;            // of one graph
  llvm::DenseMap<std::pair<Attribute, Type>, ElementsAttr> constants; // of all graphs
  llvm::DenseSet<Operation *> widened; // ops in f32 that have a narrow operand of their own dims
};
} // namespace

} // namespace dscc
