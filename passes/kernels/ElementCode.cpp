#include "passes/kernels/ElementCode.h"

#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace dscc::kernels {

static const ElementEntry *findElementEntry(Operation *op) {
  static const llvm::StringMap<const ElementEntry *> table = [] {
    llvm::StringMap<const ElementEntry *> map;
    for (ArrayRef<ElementEntry> family : {movementEntries(), gatherEntries(), reduceEntries(), matmulEntries(),
                                          convEntries(), poolEntries(), resizeEntries(), scatterEntries()})
      for (const ElementEntry &entry : family) {
        assert(!map.contains(entry.op) && "an op has one entry");
        map[entry.op] = &entry;
      }
    return map;
  }();
  return table.lookup(op->getName().getStringRef());
}

bool hasElementCode(Operation *op) {
  return dsc::isElementwise(op) ? hasScalarCode(op) : findElementEntry(op) != nullptr;
}

bool hasElementCode(dsc::GroupOp group, std::string *reason) {
  for (Operation &op : group.getBody().front().without_terminator()) {
    if (hasElementCode(&op))
      continue;
    if (reason)
      *reason = "no kernel computes " + op.getName().getStringRef().str() + " yet";
    return false;
  }
  return true;
}

std::vector<const void *> ElementCode::memoKey(Value value, const Indices &at) const {
  std::vector<const void *> key = {value.getAsOpaquePointer(), k.mask.getAsOpaquePointer()};
  for (const Index &i : at) {
    key.push_back(reinterpret_cast<const void *>(uintptr_t(i.kind)));
    key.push_back(i.base.getAsOpaquePointer());
    key.push_back(i.lanes.getAsOpaquePointer());
  }
  return key;
}

Value ElementCode::element(Value value, const Indices &at) {
  std::vector<const void *> key = memoKey(value, at);
  for (ScopeData &scope : llvm::reverse(scopes)) {
    if (Value bound = scope.bound.lookup(value))
      return bound;
    if (auto known = scope.memo.find(key); known != scope.memo.end())
      return known->second;
  }
  Operation *op = value.getDefiningOp();
  Value result = op ? compute(op, at) : k.loadElement(value, at);
  if (!op || value == op->getResult(0))
    return scopes.back().memo[key] = result;
  remember(op->getResult(0), at, result);
  assert(scopes.back().memo.contains(key) && "an entry remembers all results of its op");
  return scopes.back().memo[key];
}

Value ElementCode::compute(Operation *op, const Indices &at) {
  assert(hasElementCode(op) && "an emitter takes only groups whose ops all have code");
  if (!dsc::isElementwise(op))
    return findElementEntry(op)->emit(*this, op, at);
  dsc::Dims dims = dsc::getDims(op->getResult(0));
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(element(operand, broadcastIndices(dsc::getDims(operand), dims, at)));
  return emitScalar(k, op, operands);
}

Indices ElementCode::broadcastIndices(ArrayRef<DimExpr> operand, ArrayRef<DimExpr> result, const Indices &at) {
  assert(operand.size() <= result.size() && at.size() == result.size() &&
         "an operand has no more dims than the result, which has a coordinate for each");
  Indices own;
  for (size_t i = 0; i < operand.size(); ++i) {
    size_t j = result.size() - operand.size() + i;
    if (operand[i].isConstant(1) && !result[j].isConstant(1)) {
      own.push_back(k.constantIndex(0));
    } else if (operand[i] == result[j] || operand[i].isConstant()) {
      own.push_back(at[j]);
    } else {
      // Known at run time only: size 1 repeats.
      Value isOne = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, k.dim(operand[i]), k.index(1));
      own.push_back(k.select(isOne, k.constantIndex(0), at[j]));
    }
  }
  return own;
}

Value ElementCode::elementOr(Value value, const Indices &at, ArrayRef<Value> limits, Value outside) {
  assert(limits.size() == at.size() && "each coordinate has a limit, or none");
  Value scalarInside, lanesInside;
  Indices clamped = at;
  auto join = [&](Value &all, Value condition) {
    all = all ? arith::AndIOp::create(k.b, k.loc, all, condition).getResult() : condition;
  };
  for (size_t i = 0; i < at.size(); ++i) {
    if (!limits[i])
      continue;
    // One unsigned comparison checks both bounds.
    Value position = k.asValue(at[i]);
    Value limit = k.isVector(position) ? k.splat(limits[i]) : limits[i];
    Value inside = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::ult, position, limit);
    join(k.isVector(inside) ? lanesInside : scalarInside, inside);
    if (at[i].kind == Index::Uniform)
      clamped[i] = k.uniform(arith::SelectOp::create(k.b, k.loc, inside, at[i].base, k.index(0)));
    else if (at[i].kind == Index::Gathered)
      clamped[i] = {Index::Gathered, {}, arith::SelectOp::create(k.b, k.loc, inside, at[i].lanes, k.splat(k.index(0)))};
  }
  Value condition = lanesInside;
  if (lanesInside && scalarInside)
    condition = arith::AndIOp::create(k.b, k.loc, lanesInside, k.splat(scalarInside));
  else if (!lanesInside)
    condition = scalarInside;
  if (!condition)
    return element(value, at);
  // An empty tensor has no element 0 to fall back on, so lanes outside are masked as well.
  Value previous = k.mask;
  SmallVector<Value> choice;
  {
    Scope scope(*this);
    if (lanesInside)
      k.mask = k.andMask(condition);
    choice = {element(value, clamped), outside};
  }
  k.mask = previous;
  if (k.isVector(condition))
    choice = {k.splat(choice[0]), k.splat(choice[1])};
  k.unify(choice);
  return arith::SelectOp::create(k.b, k.loc, condition, choice[0], choice[1]);
}

} // namespace dscc::kernels
