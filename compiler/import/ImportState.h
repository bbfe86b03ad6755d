// What the nodes of one model share while they are imported. The graph's importer is one, and hands itself down to each
// node's importer, which knows no more of it than this.

#ifndef DSCC_COMPILER_IMPORT_IMPORTSTATE_H
#define DSCC_COMPILER_IMPORT_IMPORTSTATE_H

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

  /// What is known of `value` if no caller replaces the defaults of inputs that it is made from; else `value`.
  virtual mlir::Value byDefault(mlir::Value value) const = 0;
  /// Notes that the model depends on what byDefault says of `value`: no caller may replace those defaults.
  virtual void dependOnDefault(mlir::Value value) = 0;
  /// Tries to evaluate `op`, of which some operands are known by default. Its result stays and is known by default,
  /// too.
  virtual void evaluateByDefault(mlir::Operation *op) = 0;

  mlir::OpBuilder builder; // stands where the next op belongs
  /// Makes the constants.
  TensorData &tensors;
  /// What a node may ask for.
  const Budgets &budgets;
  /// Hears what is wrong, and decides whether the import goes on.
  Problems &problems;
  /// What only a run can check.
  DimFacts facts;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_IMPORTSTATE_H
