#include "passes/DimNames.h"

#include "dialects/dsc/Dsc.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace dscc {

namespace {
class NameCheck {
public:
  explicit NameCheck(ModuleOp top) : top(top) {}
  LogicalResult run();

private:
  LogicalResult checkSymbols(func::FuncOp main);
  LogicalResult checkOp(Operation *op);
  LogicalResult checkTypes(Operation *op, TypeRange types);
  LogicalResult checkDims(Operation *op, ArrayRef<DimExpr> dims);

  ModuleOp top;
  llvm::StringSet<> names;
  llvm::DenseSet<Type> seen; // their names are known
};
} // namespace

LogicalResult NameCheck::checkDims(Operation *op, ArrayRef<DimExpr> dims) {
  std::vector<std::string> used;
  for (const DimExpr &dim : dims)
    dim.collectSymbols(used);
  for (const std::string &name : used)
    if (!names.contains(name))
      return op->emitError("depends on the dim '") << name << "', which dsc.symbols does not name";
  return success();
}

LogicalResult NameCheck::checkTypes(Operation *op, TypeRange types) {
  for (Type type : types)
    if (isa<RankedTensorType>(type) && seen.insert(type).second && failed(checkDims(op, dsc::getDims(type))))
      return failure();
  return success();
}

LogicalResult NameCheck::checkOp(Operation *op) {
  if (auto function = dyn_cast<func::FuncOp>(op))
    if (failed(checkTypes(op, function.getArgumentTypes())) || failed(checkTypes(op, function.getResultTypes())))
      return failure();
  if (auto launch = dyn_cast<dsc::LaunchOp>(op))
    for (auto name : launch.getSymbols().getAsRange<StringAttr>())
      if (!names.contains(name.getValue()))
        return op->emitError("hands on the dim '") << name.getValue() << "', which dsc.symbols does not name";
  if (isa<dsc::DscDialect>(op->getDialect()))
    for (NamedAttribute attribute : op->getAttrs()) {
      WalkResult walked = attribute.getValue().walk([&](dsc::DimsAttr dims) {
        return failed(checkDims(op, dims.getDims())) ? WalkResult::interrupt() : WalkResult::advance();
      });
      if (walked.wasInterrupted())
        return failure();
    }
  return checkTypes(op, op->getResultTypes());
}

LogicalResult NameCheck::checkSymbols(func::FuncOp main) {
  auto symbols = top->getAttrOfType<ArrayAttr>("dsc.symbols");
  if (!symbols)
    return success();
  for (auto row : symbols.getAsRange<DictionaryAttr>()) {
    StringRef name = row.getAs<StringAttr>("name").getValue();
    size_t input = row.getAs<IntegerAttr>("input").getInt(), axis = row.getAs<IntegerAttr>("axis").getInt();
    ArrayRef<Type> inputs = main.getArgumentTypes();
    auto type = input < inputs.size() ? dyn_cast<RankedTensorType>(inputs[input]) : RankedTensorType();
    if (!type || axis >= size_t(type.getRank()) || dsc::getDims(type)[axis].asSymbol() != name.str())
      return main.emitError("has no dim '")
             << name << "' at axis " << axis << " of input " << input << ", where dsc.symbols has it";
    names.insert(name);
  }
  return success();
}

LogicalResult NameCheck::run() {
  auto main = top.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return top.emitError("has no @main");
  if (failed(checkSymbols(main)))
    return failure();
  return failure(top->walk([&](Operation *op) -> WalkResult { return checkOp(op); }).wasInterrupted());
}

LogicalResult verifyDimNames(ModuleOp top) { return NameCheck(top).run(); }

} // namespace dscc
