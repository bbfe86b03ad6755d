#include "compiler/import/Defaults.h"

#include "passes/canonical/EvaluateShapes.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace dscc {

Value Defaults::add(func::FuncOp function, StringRef name, Value constant, ElementsAttr elements) {
  Builder builder(function.getContext());
  auto attributes = builder.getDictionaryAttr(
      {builder.getNamedAttr("dsc.name", builder.getStringAttr(name)), builder.getNamedAttr("dsc.default", elements)});
  unsigned place = function.getNumArguments();
  (void)function.insertArgument(place, constant.getType(), attributes, constant.getLoc());
  BlockArgument argument = function.getArgument(place);
  known[argument].constant = constant;
  known[argument].sources.insert(defaults.size());
  defaults.push_back({name.str(), argument, constant});
  return argument;
}

Value Defaults::contentsOf(Value value) const {
  auto found = known.find(value);
  return found == known.end() ? value : found->second.constant;
}

void Defaults::dependOn(Value value) {
  if (auto found = known.find(value); found != known.end())
    for (size_t source : found->second.sources) {
      assert(source < defaults.size() && "sources are numbers of defaults");
      defaults[source].isFixed = true;
    }
}

void Defaults::evaluate(OpBuilder &builder, Operation *op) {
  Known result;
  IRMapping mapping;
  for (Value operand : op->getOperands())
    if (auto found = known.find(operand); found != known.end()) {
      mapping.map(operand, found->second.constant);
      result.sources.insert_range(found->second.sources);
    }
  if (result.sources.empty())
    return;
  Operation *copy = builder.clone(*op, mapping);
  result.constant = evaluateShapes(builder, copy);
  copy->erase();
  if (result.constant)
    known[op->getResult(0)] = std::move(result);
}

std::string Defaults::fix(func::FuncOp function) {
  std::string names;
  for (Default &row : llvm::reverse(defaults)) {
    if (!row.isFixed)
      continue;
    names = "'" + row.name + (names.empty() ? "'" : "', ") + names;
    row.argument.replaceAllUsesWith(row.constant);
    (void)function.eraseArgument(row.argument.getArgNumber());
  }
  return names;
}

} // namespace dscc
