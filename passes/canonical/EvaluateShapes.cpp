#include "passes/canonical/EvaluateShapes.h"

#include "passes/Passes.h"
#include "passes/canonical/Evaluate.h"
#include "passes/canonical/SmallTensor.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/Statistic.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_EVALUATESHAPES
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-evaluate-shapes"
ALWAYS_ENABLED_STATISTIC(numEvaluated, "Ops replaced by known sizes");

using DimTensor = SmallTensor<DimExpr>;
using NumberTensor = SmallTensor<double>;

static bool isSmall(RankedTensorType type) {
  return type.hasStaticShape() && type.getNumElements() <= maxKnownElements;
}

static std::optional<DimTensor> readDims(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !isSmall(type) || !isa<IntegerType>(type.getElementType()))
    return std::nullopt;
  SmallVector<int64_t> shape(type.getShape());
  if (llvm::is_contained(shape, 0)) // whoever makes it
    return DimTensor{shape, {}};
  if (auto dims = value.getDefiningOp<dsc::DimsOp>())
    return DimTensor{shape, dims.getDims().getDims()};
  auto constant = value.getDefiningOp<dsc::ConstantOp>();
  if (!constant)
    return std::nullopt;
  auto elements = dyn_cast<DenseIntElementsAttr>(constant.getValue());
  if (!elements)
    return std::nullopt;
  bool isUnsigned = type.getElementType().isUnsignedInteger() || type.getElementType().isInteger(1);
  DimTensor tensor{shape, {}};
  for (APInt element : elements.getValues<APInt>()) {
    if (isUnsigned ? element.getActiveBits() > 63 : element.getBitWidth() > 64)
      return std::nullopt;
    tensor.values.push_back(isUnsigned ? int64_t(element.getZExtValue()) : element.getSExtValue());
  }
  return tensor;
}

static std::optional<NumberTensor> readTensor(Value value) {
  if (std::optional<DimTensor> dims = readDims(value)) {
    NumberTensor numbers{dims->shape, {}};
    for (const DimExpr &dim : dims->values) {
      if (!dim.isConstant())
        return std::nullopt;
      numbers.values.push_back(dim.constant());
    }
    return numbers;
  }
  auto type = dyn_cast<RankedTensorType>(value.getType());
  auto constant = value.getDefiningOp<dsc::ConstantOp>();
  if (!constant || !isSmall(type))
    return std::nullopt;
  auto elements = dyn_cast<DenseFPElementsAttr>(constant.getValue());
  if (!elements)
    return std::nullopt;
  NumberTensor numbers{SmallVector<int64_t>(type.getShape()), {}};
  for (APFloat element : elements.getValues<APFloat>()) {
    bool losesInfo;
    element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
    numbers.values.push_back(element.convertToDouble());
  }
  return numbers;
}

std::optional<SmallVector<DimExpr>> knownContents(Value value) {
  std::optional<DimTensor> tensor = readDims(value);
  return tensor ? std::optional(tensor->values) : std::nullopt;
}

std::optional<SmallVector<double>> knownNumbers(Value value) {
  std::optional<NumberTensor> tensor = readTensor(value);
  return tensor ? std::optional(tensor->values) : std::nullopt;
}

/// The quotient, truncated towards zero.
static DimExpr divide(const DimExpr &a, const DimExpr &b) {
  if (b.isConstant(0))
    return DimExpr::invalid();
  if (a.isConstant() && b.isConstant())
    return b.constant() == -1 ? DimExpr(0) - a : DimExpr(a.constant() / b.constant());
  if (std::optional<DimExpr> exact = DimExpr::exactDiv(a, b))
    return *exact;
  // Where neither is negative, truncation is floor. Division by a dim of 0 has no meaning in the model either.
  bool isFloor = b.isNonNegative() && a.isNonNegative();
  return isFloor ? DimExpr::floorDiv(a, b) : DimExpr::invalid();
}

static DimExpr floorMod(const DimExpr &a, const DimExpr &b) {
  return DimExpr::isAtLeast(b, 1) ? DimExpr::mod(a, b) : DimExpr::invalid();
}

/// 0 or 1 where the answer is the same for every value of the named dims, else invalid.
static DimExpr isEqual(const DimExpr &a, const DimExpr &b) {
  if (a == b)
    return 1;
  bool differ = DimExpr::isAtLeast(a, b + 1) || DimExpr::isAtLeast(b, a + 1);
  return differ ? DimExpr(0) : DimExpr::invalid();
}

static DimExpr isLess(const DimExpr &a, const DimExpr &b) {
  if (DimExpr::isAtLeast(b, a + 1))
    return 1;
  return DimExpr::isAtLeast(a, b) ? DimExpr(0) : DimExpr::invalid();
}

static DimExpr isLessEqual(const DimExpr &a, const DimExpr &b) {
  if (DimExpr::isAtLeast(b, a))
    return 1;
  return DimExpr::isAtLeast(a, b + 1) ? DimExpr(0) : DimExpr::invalid();
}

static DimExpr choose(const DimExpr &condition, const DimExpr &ifTrue, const DimExpr &ifFalse) {
  if (ifTrue == ifFalse)
    return ifTrue;
  if (!condition.isConstant())
    return DimExpr::invalid();
  return condition.isConstant(0) ? ifFalse : ifTrue;
}

static DimExpr absolute(const DimExpr &a) {
  if (a.isNonNegative())
    return a;
  return a.isConstant() ? DimExpr(0) - a : DimExpr::invalid();
}

/// One result element from the operands' elements at its place: of what ScalarCode.cpp says, as much as holds for dims.
/// Where all are numbers, both agree.
static DimExpr evaluateElement(Operation *op, ArrayRef<DimExpr> e) {
  return llvm::TypeSwitch<Operation *, DimExpr>(op)
      .Case<dsc::AddOp>([&](auto) { return e[0] + e[1]; })
      .Case<dsc::SubOp>([&](auto) { return e[0] - e[1]; })
      .Case<dsc::MulOp>([&](auto) { return e[0] * e[1]; })
      .Case<dsc::DivOp>([&](auto) { return divide(e[0], e[1]); })
      .Case<dsc::FloorModOp>([&](auto) { return floorMod(e[0], e[1]); })
      .Case<dsc::MinOp>([&](auto) { return DimExpr::min(e[0], e[1]); })
      .Case<dsc::MaxOp>([&](auto) { return DimExpr::max(e[0], e[1]); })
      .Case<dsc::NegOp>([&](auto) { return DimExpr(0) - e[0]; })
      .Case<dsc::AbsOp>([&](auto) { return absolute(e[0]); })
      .Case<dsc::EqualOp>([&](auto) { return isEqual(e[0], e[1]); })
      .Case<dsc::LessOp>([&](auto) { return isLess(e[0], e[1]); })
      .Case<dsc::LessEqualOp>([&](auto) { return isLessEqual(e[0], e[1]); })
      .Case<dsc::WhereOp>([&](auto) { return choose(e[0], e[1], e[2]); })
      .Case<dsc::AndOp, dsc::OrOp, dsc::XorOp, dsc::NotOp>([&](auto logical) -> DimExpr {
        bool isBoolean = dsc::getElementType(op->getResult(0)).isInteger(1);
        if (!isBoolean || !llvm::all_of(e, [](const DimExpr &x) { return x.isConstant(); }))
          return DimExpr::invalid();
        bool a = e[0].constant(), b = e.size() > 1 && e[1].constant();
        if (isa<dsc::NotOp>(op))
          return !a;
        return isa<dsc::AndOp>(op) ? a && b : isa<dsc::OrOp>(op) ? a || b : a != b;
      })
      .Case<dsc::CastOp>([&](auto) {
        bool toBoolean = dsc::getElementType(op->getResult(0)).isInteger(1);
        return toBoolean ? choose(isEqual(e[0], 0), 0, 1) : e[0];
      })
      .Default([](auto) { return DimExpr::invalid(); });
}

static DimTensor evaluateElements(Operation *op, ArrayRef<DimTensor> operands, ArrayRef<int64_t> shape) {
  DimTensor result{llvm::to_vector(shape), {}};
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    SmallVector<DimExpr> elements;
    for (const DimTensor &operand : operands)
      elements.push_back(operand.values[broadcastPlace(operand.shape, index)]);
    result.values.push_back(evaluateElement(op, elements));
  });
  return result;
}

static std::optional<DimTensor> evaluateReduction(Operation *op, const DimTensor &input, ArrayRef<int64_t> shape) {
  using Fold = DimExpr (*)(const DimExpr &, const DimExpr &);
  Fold fold = llvm::TypeSwitch<Operation *, Fold>(op)
                  .Case<dsc::ReduceSumOp>([](auto) -> Fold { return [](auto &a, auto &b) { return a + b; }; })
                  .Case<dsc::ReduceProdOp>([](auto) -> Fold { return [](auto &a, auto &b) { return a * b; }; })
                  .Case<dsc::ReduceMaxOp>([](auto) -> Fold { return DimExpr::max; })
                  .Case<dsc::ReduceMinOp>([](auto) -> Fold { return DimExpr::min; })
                  .Default([](auto) -> Fold { return nullptr; });
  if (!fold)
    return std::nullopt;
  bool isExtremum = isa<dsc::ReduceMaxOp, dsc::ReduceMinOp>(op);
  if (input.values.empty() && isExtremum)
    return std::nullopt;
  size_t count = 1;
  for (int64_t size : shape)
    count *= size;
  DimTensor result{llvm::to_vector(shape), SmallVector<DimExpr>(count, isa<dsc::ReduceProdOp>(op) ? 1 : 0)};
  SmallVector<bool> seen(count);
  forEachIndex(input.shape, [&](ArrayRef<int64_t> index) {
    size_t place = broadcastPlace(shape, index), from = broadcastPlace(input.shape, index);
    DimExpr &sum = result.values[place];
    sum = isExtremum && !seen[place] ? input.values[from] : fold(sum, input.values[from]);
    seen[place] = true;
  });
  return result;
}

static std::optional<SmallTensor<int64_t>> asIndices(const DimTensor &tensor) {
  SmallTensor<int64_t> indices{tensor.shape, {}};
  for (const DimExpr &dim : tensor.values) {
    if (!dim.isConstant())
      return std::nullopt;
    indices.values.push_back(dim.constant());
  }
  return indices;
}

static std::optional<DimTensor> evaluateDims(Operation *op, ArrayRef<DimTensor> operands, ArrayRef<int64_t> shape) {
  if (auto iota = dyn_cast<dsc::IotaOp>(op)) {
    DimTensor result{llvm::to_vector(shape), {}};
    forEachIndex(shape, [&](ArrayRef<int64_t> index) { result.values.push_back(index[iota.getAxis()]); });
    return result;
  }
  if (std::optional<DimTensor> moved = moveTensor(op, operands, shape))
    return moved;
  if (auto gather = dyn_cast<dsc::GatherOp>(op)) {
    std::optional<SmallTensor<int64_t>> indices = asIndices(operands[1]);
    return indices ? gatherTensor(operands[0], *indices, gather.getAxis(), shape) : std::nullopt;
  }
  if (operands.size() == 1)
    if (std::optional<DimTensor> reduced = evaluateReduction(op, operands[0], shape))
      return reduced;
  if (!dsc::isElementwise(op))
    return std::nullopt;
  return evaluateElements(op, operands, shape);
}

static bool fits(const DimExpr &dim, IntegerType type) {
  if (!dim.isConstant())
    return type.getWidth() >= 32;
  if (type.getWidth() >= 64)
    return !type.isUnsigned() || dim.constant() >= 0;
  return type.isUnsigned() || type.getWidth() == 1 ? llvm::isUIntN(type.getWidth(), dim.constant())
                                                   : llvm::isIntN(type.getWidth(), dim.constant());
}

static Value makeKnown(OpBuilder &builder, Location location, RankedTensorType type, ArrayRef<DimExpr> dims) {
  auto element = dyn_cast<IntegerType>(type.getElementType());
  if (!element || int64_t(dims.size()) != type.getNumElements())
    return {};
  if (!llvm::all_of(dims, [&](const DimExpr &dim) { return dim.isValid() && fits(dim, element); }))
    return {};
  if (!llvm::all_of(dims, [](const DimExpr &dim) { return dim.isConstant(); })) {
    if (type.getRank() > 1)
      return {};
    return dsc::DimsOp::create(builder, location, dsc::DimsAttr::get(builder.getContext(), dims), TypeAttr::get(type));
  }
  SmallVector<APInt> values;
  for (const DimExpr &dim : dims)
    values.push_back(APInt(64, dim.constant(), true).trunc(element.getWidth()));
  return dsc::ConstantOp::create(builder, location, DenseElementsAttr::get(type, values));
}

static Value makeKnown(OpBuilder &builder, Location location, RankedTensorType type, ArrayRef<double> numbers) {
  if (!llvm::all_of(numbers, [](double number) { return std::isfinite(number); }))
    return {};
  if (isa<IntegerType>(type.getElementType())) {
    SmallVector<DimExpr> dims;
    for (double number : numbers) {
      // Doubles beyond 2^53 are not exact integers any more.
      if (std::fabs(number) > 9007199254740992.0)
        return {};
      dims.push_back(DimExpr(int64_t(number)));
    }
    return makeKnown(builder, location, type, dims);
  }
  // No size is computed in a narrower float, whose rounding is the kernels' business.
  auto element = cast<FloatType>(type.getElementType());
  if (element.getWidth() < 32)
    return {};
  SmallVector<APFloat> values;
  for (double number : numbers) {
    APFloat value(number);
    bool losesInfo;
    value.convert(element.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
    values.push_back(value);
  }
  return dsc::ConstantOp::create(builder, location, DenseElementsAttr::get(type, values));
}

static Value evaluateOnDims(OpBuilder &builder, Operation *op, RankedTensorType type) {
  if (!isa<IntegerType>(type.getElementType()))
    return {};
  SmallVector<DimTensor> operands;
  for (Value operand : op->getOperands()) {
    std::optional<DimTensor> known = readDims(operand);
    if (!known)
      return {};
    operands.push_back(*known);
  }
  std::optional<DimTensor> result = evaluateDims(op, operands, type.getShape());
  return result ? makeKnown(builder, op->getLoc(), type, result->values) : Value();
}

/// Sizes may pass through floats, as those that a scale gives do.
static Value evaluateOnNumbers(OpBuilder &builder, Operation *op, RankedTensorType type) {
  SmallVector<NumberTensor> operands;
  bool hasFloat = isa<FloatType>(type.getElementType());
  for (Value operand : op->getOperands()) {
    std::optional<NumberTensor> known = readTensor(operand);
    if (!known)
      return {};
    hasFloat |= isa<FloatType>(dsc::getElementType(operand));
    operands.push_back(*known);
  }
  if (!hasFloat || operands.empty() || !type.getElementType().isIntOrFloat())
    return {};
  if (dsc::isElementwise(op) && type.getNumElements() > 0) {
    ElementsAttr value = evaluateConstant(op);
    return value ? dsc::ConstantOp::create(builder, op->getLoc(), value) : Value();
  }
  std::optional<NumberTensor> result = moveTensor<double>(op, operands, type.getShape());
  if (auto gather = dyn_cast<dsc::GatherOp>(op)) {
    SmallTensor<int64_t> indices{operands[1].shape, {}};
    for (double number : operands[1].values)
      indices.values.push_back(int64_t(number));
    result = gatherTensor<double>(operands[0], indices, gather.getAxis(), type.getShape());
  }
  return result ? makeKnown(builder, op->getLoc(), type, result->values) : Value();
}

Value evaluateShapes(OpBuilder &builder, Operation *op) {
  if (op->getNumResults() != 1 || op->hasTrait<OpTrait::ConstantLike>())
    return {};
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !isSmall(type))
    return {};
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  if (Value known = evaluateOnDims(builder, op, type))
    return known;
  return evaluateOnNumbers(builder, op, type);
}

namespace {
struct EvaluateShapes : impl::EvaluateShapesBase<EvaluateShapes> {
  void runOnOperation() override {
    OpBuilder builder(&getContext());
    // In order, so that what an op makes known is known to its users. Operands that lose their last use stay.
    getOperation()->walk([&](Operation *op) {
      Value known = evaluateShapes(builder, op);
      if (!known)
        return;
      op->getResult(0).replaceAllUsesWith(known);
      op->erase();
      ++numEvaluated;
    });
  }
};
} // namespace

} // namespace dscc
