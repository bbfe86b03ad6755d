// What the nodes of one model share while they are imported.

#ifndef DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
#define DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H

#include "compiler/import/FlatGraph.h"
#include "compiler/import/NodeImporter.h"
#include "compiler/import/Signature.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

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
  mlir::LogicalResult importNodes(llvm::ArrayRef<FlatNode> nodes);
  mlir::LogicalResult importNode(const FlatNode &node);
  void makeFunction(const Signature &signature, const NameScope &scope);
  mlir::LogicalResult makeReturn(const NameScope &scope);
  mlir::ArrayAttr limitedSymbols(mlir::ArrayAttr symbols);
  bool isLate() const;

  const OnnxFile &file;
  Flattener flattener;
  mlir::func::FuncOp function;
  llvm::StringMap<mlir::Value> values; // by flat name
  llvm::StringSet<> unknown;           // results of nodes that could not be imported
  llvm::SmallVector<mlir::Attribute> relations;
  llvm::StringSet<> relationTexts;
  llvm::StringMap<int64_t> maxima; // of named dims, by limitDim
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  unsigned nodes = 0;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_GRAPHIMPORTER_H
