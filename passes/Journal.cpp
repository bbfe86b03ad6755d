#include "passes/Journal.h"

#include "dialects/dsc/Nodes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace dscc {

Journal::Journal(llvm::StringRef text) {
  if (!text.empty() && llvm::Regex(text).isValid())
    pattern.emplace(text);
}

bool Journal::wants(Operation *op) const {
  if (!pattern)
    return false;
  SmallVector<StringRef> nodes = collectNodes(op->getLoc());
  return nodes.empty() ? pattern->match("") : llvm::any_of(nodes, [&](StringRef node) { return pattern->match(node); });
}

InFlightDiagnostic Journal::tell(Operation *op) const {
  InFlightDiagnostic remark = mlir::emitRemark(op->getLoc());
  for (auto module = op->getParentOfType<ModuleOp>(); module; module = module->getParentOfType<ModuleOp>())
    if (auto target = module->getAttrOfType<StringAttr>("dsc.target"))
      remark << target.getValue() << ": ";
  return remark;
}

std::string Journal::nameOf(Operation *op) {
  SmallVector<StringRef> nodes = collectNodes(op->getLoc());
  std::string name = op->getName().getStringRef().str();
  return nodes.empty() ? name : name + " '" + llvm::join(nodes, ";") + "'";
}

} // namespace dscc
