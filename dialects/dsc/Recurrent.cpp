#include "dialects/dsc/Dsc.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

int64_t RecurrenceOp::countGates() { return getDims(getGates())[2].constant() / (getDirections() * getUnits()); }

int64_t RecurrenceOp::countParameters() {
  return getParameters() ? getDims(getParameters())[1].constant() / getUnits() : 0;
}

int64_t RecurrenceOp::countSums(size_t part) { return getDims(getWeights()[part])[2].constant() / getUnits(); }

Type RecurrenceOp::getCellElement() {
  Builder builder(getContext());
  return getElementType(getGates()).isF64() ? Type(builder.getF64Type()) : Type(builder.getF32Type());
}

/// True if the dim is a number of whole `units`, and not 0.
static bool isMultiple(const DimExpr &dim, int64_t units) {
  return dim.isConstant() && dim.constant() > 0 && dim.constant() % units == 0;
}

static LogicalResult verifyWeights(RecurrenceOp op) {
  // recurrence (C1)
  if (op.getWeights().empty() || op.getWeights().size() != op.getParts().size())
    return op.emitOpError("has ") << op.getWeights().size() << " weights for " << op.getParts().size() << " parts";
  for (Value weights : op.getWeights()) {
    Dims dims = getDims(weights), first = getDims(op.getWeights()[0]);
    if (dims.size() != 3 || !first[1].isConstant() || first[1].constant() < 1 || dims[1] != first[1] ||
        dims[0] != DimExpr(op.getDirections()) || !isMultiple(dims[2], first[1].constant()))
      return op.emitOpError("has weights of ")
             << describeDims(dims) << ", which are not [directions, units, sums * units]";
  }
  return success();
}

static LogicalResult verifyOperands(RecurrenceOp op) {
  int64_t directions = op.getDirections(), units = op.getUnits();
  // recurrence (C2)
  Dims gates = getDims(op.getGates());
  if (gates.size() != 3 || !isMultiple(gates[2], directions * units))
    return op.emitOpError("has gates of ")
           << describeDims(gates) << " for " << directions << " directions of " << units << " units";
  if (op.getParameters()) {
    Dims dims = getDims(op.getParameters());
    if (dims.size() != 2 || dims[0] != DimExpr(directions) || !isMultiple(dims[1], units))
      return op.emitOpError("has parameters of ") << describeDims(dims);
  }
  // recurrence (C3)
  Dims state = {directions, gates[1], units};
  if (op.getInitial().empty())
    return op.emitOpError("has no state");
  for (Value initial : op.getInitial())
    if (getDims(initial) != state)
      return op.emitOpError("begins with a state of ")
             << describeDims(getDims(initial)) << ", which must be " << describeDims(state);
  if (op.getLengths() &&
      (getDims(op.getLengths()) != Dims{gates[1]} || !getElementType(op.getLengths()).isSignlessInteger(32)))
    return op.emitOpError("has lengths of type ")
           << op.getLengths().getType() << ", which must be an i32 for each of " << gates[1].str() << " rows";
  // recurrence (C6)
  Dims outputs = {gates[0], directions, gates[1], units};
  Type element = getElementType(op.getGates());
  bool fits = op.getOutputs().getType() == makeTensor(outputs, element) &&
              op.getLast().size() == op.getInitial().size() &&
              llvm::all_of(op.getLast(), [&](Value last) { return last.getType() == makeTensor(state, element); });
  if (!fits)
    return op.emitOpError("makes ") << op.getResultTypes() << ", which must be outputs of " << describeDims(outputs)
                                    << " and a state of " << describeDims(state) << " for each of "
                                    << op.getInitial().size() << ", all of " << element;
  return success();
}

/// recurrence (C5)
static LogicalResult verifyParts(RecurrenceOp op) {
  Type own = RankedTensorType::get({op.getUnits()}, op.getCellElement());
  size_t states = op.getInitial().size();
  size_t before = op.countGates() + op.countParameters() + states;
  for (auto [index, part] : llvm::enumerate(op.getParts())) {
    Block &block = part.front();
    size_t wanted = before + op.countSums(index);
    auto isOwn = [&](Type type) { return type == own; };
    if (block.getNumArguments() != wanted || !llvm::all_of(block.getArgumentTypes(), isOwn))
      return op.emitOpError("has a part ")
             << index << " that takes " << block.getArgumentTypes() << ", which must be " << wanted << " of " << own;
    auto yield = dyn_cast<YieldOp>(block.getTerminator());
    bool isLast = index + 1 == op.getParts().size();
    if (!yield || !llvm::all_of(yield.getOperandTypes(), isOwn) || yield.getNumOperands() == 0 ||
        (isLast && yield.getNumOperands() != states))
      return op.emitOpError("has a part ")
             << index << " that does not end in dsc.yield of "
             << (isLast ? "a new value for each state" : "what the next part needs") << ", each of " << own;
    before += yield.getNumOperands();
  }
  return success();
}

DimExpr RecurrenceOp::countRecurrence() {
  DimExpr weights;
  for (Value part : getWeights())
    weights = weights + countElements(dsc::getDims(part));
  DimExpr inParts = countFlopsInside(getOperation()) * getDirections();
  return (weights * getFacts().weight + inParts) * getTime() * getBatch();
}

LogicalResult RecurrenceOp::verify() {
  // recurrence (C4)
  SmallVector<int64_t> reverse = getIntegers(getReverse());
  if (reverse.empty() || !llvm::all_of(reverse, [](int64_t flag) { return flag == 0 || flag == 1; }))
    return emitOpError("has the directions ") << getReverse() << ", which must be 0 or 1 each";
  if (failed(verifyWeights(*this)) || failed(verifyOperands(*this)))
    return failure();
  return verifyParts(*this);
}
