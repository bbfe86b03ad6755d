// What the nodes of one model share while they are imported. The graph's importer is one, and hands itself down to each
// node's importer, which knows no more of it than this.

#ifndef DSCC_COMPILER_IMPORT_IMPORTSTATE_H
#define DSCC_COMPILER_IMPORT_IMPORTSTATE_H

#include "compiler/import/Defaults.h"
#include "compiler/import/DimFacts.h"
#include "compiler/import/FlatGraph.h"
#include "compiler/import/TensorData.h"

#include "mlir/IR/Builders.h"

namespace dscc {

/// Lives as long as the import of one model. All that it refers to lives longer.
class ImportState {
public:
  /// Ops are made in `context`.
  ImportState(mlir::MLIRContext *context, TensorData &tensors, const Budgets &budgets, Problems &problems)
      : builder(context), tensors(tensors), budgets(budgets), problems(problems), facts(context) {}
  virtual ~ImportState() = default;

  /// Imports the nodes of a subgraph of `node`, which calls it `what`, in place. Its outputs, or nothing and a problem.
  virtual std::optional<llvm::SmallVector<mlir::Value>> importSubgraph(const onnx::GraphProto &graph,
                                                                       const FlatNode &node, llvm::StringRef what) = 0;

  mlir::OpBuilder builder; // stands where the next op belongs
  /// Makes the constants.
  TensorData &tensors;
  /// What a node may ask for.
  const Budgets &budgets;
  /// Hears what is wrong, and decides whether the import goes on.
  Problems &problems;
  /// What only a run can check.
  DimFacts facts;
  /// What a caller may replace.
  Defaults defaults;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_IMPORTSTATE_H
