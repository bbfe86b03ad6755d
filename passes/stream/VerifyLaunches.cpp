#include "passes/stream/VerifyLaunches.h"

#include "dialects/dsc/Windows.h"
#include "passes/memory/Places.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace dscc {

/// Where each result of a launch or a home lies: in an output of @main, or in a place of its arena.
static LogicalResult checkResults(Operation *launch, size_t numOutputs, size_t numPlaces) {
  auto outputs = launch->getAttrOfType<ArrayAttr>("outputs");
  auto places = launch->getAttrOfType<DenseI64ArrayAttr>("places");
  for (size_t result = 0; result < launch->getNumResults(); ++result) {
    int64_t output = outputs ? cast<IntegerAttr>(outputs[result]).getInt() : -1;
    if (output >= int64_t(numOutputs))
      return launch->emitOpError("writes into output ") << output << ", and there are " << numOutputs;
    if (output >= 0)
      continue;
    if (!places)
      return launch->emitOpError("has no places");
    if (places[result] < 0 || places[result] >= int64_t(numPlaces))
      return launch->emitOpError("writes into place ") << places[result] << ", and there are " << numPlaces;
  }
  return success();
}

/// Of a launch, or of an alternative of it.
static void collectKernels(DictionaryAttr entry, SmallVectorImpl<StringRef> &kernels) {
  if (auto before = entry.getAs<ArrayAttr>("before"))
    for (auto one : before.getAsRange<DictionaryAttr>())
      kernels.push_back(one.getAs<FlatSymbolRefAttr>("kernel").getValue());
  kernels.push_back(entry.getAs<FlatSymbolRefAttr>("kernel").getValue());
}

LogicalResult verifyLaunches(ModuleOp nested) {
  auto main = nested.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal() || !main.getBody().hasOneBlock())
    return nested.emitError("has no @main of one block");
  FailureOr<std::vector<Place>> places = readPlaces(main);
  if (failed(places))
    return failure();
  llvm::StringSet<> kernels;
  nested.walk([&](LLVM::LLVMFuncOp function) {
    if (function->hasAttr("dsc.kernel"))
      kernels.insert(function.getName());
  });
  for (Operation &op : main.getBody().front().without_terminator()) {
    if (isa<dsc::GroupOp>(op))
      return op.emitOpError("has not become a kernel");
    auto launch = dyn_cast<dsc::LaunchOp>(op);
    dsc::Role role = dsc::factsOf(&op).role;
    if (!launch && role != dsc::Role::Constant && role != dsc::Role::View && !isInPlace(&op))
      return op.emitOpError("is neither a launch, a constant nor a view");
    if ((launch || isHome(&op)) && failed(checkResults(&op, main.getNumResults(), places->size())))
      return failure();
    if (!launch)
      continue;
    if (std::optional<uint64_t> place = launch.getWorkspacePlace(); place && *place >= places->size())
      return launch.emitOpError("has its workspace in place ") << *place << ", and there are " << places->size();
    SmallVector<StringRef> launched;
    collectKernels(launch->getAttrDictionary(), launched);
    if (launch.getAlternatives())
      for (auto entry : launch.getAlternatives()->getAsRange<DictionaryAttr>())
        collectKernels(entry, launched);
    for (StringRef kernel : launched)
      if (!kernels.contains(kernel))
        return launch.emitOpError("launches @") << kernel << ", which is no kernel of this module";
  }
  return success();
}

} // namespace dscc
