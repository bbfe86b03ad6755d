// The nodes of one model in, @main out: looks up what each node reads, and lets its converter say what it means.

#ifndef DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
#define DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H

#include "compiler/import/ImportState.h"
#include "compiler/import/Signature.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

#include <chrono>

namespace dscc {

/// Imports one model, once.
class GraphImporter : public ImportState {
public:
  /// Ops go into `module`, what is wrong with the model to `problems`.
  GraphImporter(mlir::ModuleOp module, const OnnxFile &file, TensorData &tensors, const CompileOptions &options,
                Problems &problems);

  /// Makes @main with `signature`, and the attributes that tell about its dims. Fails if there was any problem.
  mlir::LogicalResult importMain(const Signature &signature);
  std::optional<llvm::SmallVector<mlir::Value>> importSubgraph(const onnx::GraphProto &graph, const FlatNode &node,
                                                               llvm::StringRef what) override;
  /// How many nodes there were, with those of inlined functions.
  unsigned countNodes() const { return nodes; }

private:
  mlir::LogicalResult importInitializers(const onnx::GraphProto &graph, const NameScope &scope);
  mlir::LogicalResult importNodes(llvm::ArrayRef<FlatNode> nodes);
  mlir::LogicalResult importNode(const FlatNode &node);
  void makeFunction(const Signature &signature, const NameScope &scope);
  mlir::LogicalResult makeReturn(const NameScope &scope);
  bool isLate() const;

  mlir::ModuleOp module;
  const OnnxFile &file;
  Flattener flattener;
  mlir::func::FuncOp function;
  llvm::StringMap<mlir::Value> values; // by flat name
  llvm::StringSet<> unknown;           // results of nodes that could not be imported
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  unsigned nodes = 0;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
