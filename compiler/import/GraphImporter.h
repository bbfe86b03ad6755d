// The nodes of one model in, @main out: looks up what each node reads, and lets its converter say what it means.

#ifndef DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
#define DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H

#include "compiler/import/ImportState.h"
#include "compiler/import/Signature.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"
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
  mlir::Value byDefault(mlir::Value value) const override;
  void dependOnDefault(mlir::Value value) override;
  void evaluateByDefault(mlir::Operation *op) override;
  /// How many nodes there were, with those of inlined functions.
  unsigned countNodes() const { return nodes; }

private:
  mlir::LogicalResult importInitializers(const onnx::GraphProto &graph, const NameScope &scope);
  mlir::Value addDefault(llvm::StringRef name, mlir::Value constant, mlir::ElementsAttr elements);
  mlir::LogicalResult importNodes(llvm::ArrayRef<FlatNode> nodes);
  mlir::LogicalResult importNode(const FlatNode &node);
  void makeFunction(const Signature &signature, const NameScope &scope);
  mlir::LogicalResult makeReturn(const NameScope &scope);
  void fixDefaults();
  bool isLate() const;

  /// An initialiser that is an input as well: an argument of @main, and the constant that stands in for it.
  struct Default {
    std::string name;
    mlir::BlockArgument argument;
    mlir::Value constant;
    bool decidesShapes = false; // or an axis, a branch: the import depends on the contents
  };
  /// A value that is known as long as these defaults are.
  struct Known {
    mlir::Value constant;
    llvm::SmallSetVector<size_t, 2> defaults;
  };

  mlir::ModuleOp module;
  const OnnxFile &file;
  Flattener flattener;
  mlir::func::FuncOp function;
  llvm::StringMap<mlir::Value> values; // by flat name
  llvm::StringSet<> unknown;           // results of nodes that could not be imported
  std::vector<Default> defaults;
  llvm::DenseMap<mlir::Value, Known> knownByDefault;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  unsigned nodes = 0;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
