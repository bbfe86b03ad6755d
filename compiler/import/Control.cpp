// If, as long as its condition is known.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

static LogicalResult convertIf(NodeImporter &node) {
  std::optional<dsc::Dims> condition = node.known(node.input(0));
  if (!condition || condition->size() != 1 || !(*condition)[0].isConstant())
    return node.unsupported("has a condition that is computed at run time",
                            "fix the dims that it depends on with --dim, or export one branch");
  StringRef name = (*condition)[0].isConstant(0) ? "else_branch" : "then_branch";
  const onnx::AttributeProto *branch = node.find(name);
  if (!branch || !branch->has_g())
    return node.reject("has no " + name);
  std::optional<SmallVector<Value>> results = node.shared.importSubgraph(branch->g(), node.flat(), name);
  if (!results)
    return failure();
  if (results->size() != node.outputCount())
    return node.reject("has " + Twine(node.outputCount()) + " outputs, but its " + name + " has " +
                       Twine(results->size()));
  for (auto [i, value] : llvm::enumerate(*results))
    node.setResult(i, value);
  return success();
}

ArrayRef<Converter> controlConverters() {
  static constexpr Converter entries[] = {{"", "If", 1, 1, 1, convertIf, "bool"}};
  return entries;
}

} // namespace dscc
