// What the nodes of one model share while they are imported.

#ifndef DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
#define DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H

#include "compiler/import/FlatGraph.h"
#include "compiler/import/NodeImporter.h"
#include "compiler/import/Signature.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

#include <chrono>

namespace dscc {

class GraphImporter {
public:
  GraphImporter(mlir::ModuleOp module, const OnnxFile &file, TensorData &tensors, const CompileOptions &options,
                Problems &problems);

  mlir::LogicalResult importMain(const Signature &signature);
  /// Imports the nodes of a subgraph in place; its outputs, or nothing and a problem.
  std::optional<llvm::SmallVector<mlir::Value>> importSubgraph(const onnx::GraphProto &graph, const FlatNode &node,
                                                               llvm::StringRef what);
  /// Appends to dsc.relations.
  void relate(llvm::StringRef kind, const DimExpr &a, const DimExpr &b, llvm::StringRef node);
  /// What is known of `value` if no caller replaces the defaults of inputs that it is made from; else `value`.
  mlir::Value byDefault(mlir::Value value) const;
  /// Notes that the model depends on what byDefault says of `value`: no caller may replace those defaults.
  void dependOnDefault(mlir::Value value);
  /// Tries to evaluate `op`, of which some operands are known by default. Its result stays and is known by default,
  /// too.
  void evaluateByDefault(mlir::Operation *op);
  /// Bounds a named dim, for all runs; false if `dim` is another expression.
  bool limitDim(const DimExpr &dim, int64_t most);
  unsigned countNodes() const { return nodes; }

  mlir::ModuleOp module;
  TensorData &tensors;
  const CompileOptions &options;
  Problems &problems;
  mlir::OpBuilder builder;

private:
  mlir::LogicalResult importInitializers(const onnx::GraphProto &graph, const NameScope &scope);
  mlir::Value addDefault(llvm::StringRef name, mlir::Value constant, mlir::ElementsAttr elements);
  mlir::LogicalResult importNodes(llvm::ArrayRef<FlatNode> nodes);
  mlir::LogicalResult importNode(const FlatNode &node);
  void makeFunction(const Signature &signature, const NameScope &scope);
  mlir::LogicalResult makeReturn(const NameScope &scope);
  void fixDefaults();
  mlir::ArrayAttr limitedSymbols(mlir::ArrayAttr symbols);
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

  const OnnxFile &file;
  Flattener flattener;
  mlir::func::FuncOp function;
  llvm::StringMap<mlir::Value> values; // by flat name
  llvm::StringSet<> unknown;           // results of nodes that could not be imported
  llvm::SmallVector<mlir::Attribute> relations;
  llvm::StringSet<> relationTexts;
  std::vector<Default> defaults;
  llvm::DenseMap<mlir::Value, Known> knownByDefault;
  llvm::StringMap<int64_t> maxima; // of named dims, by limitDim
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  unsigned nodes = 0;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
