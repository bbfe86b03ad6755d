// A graph's nodes in an order in which each reads only what was made before, with model-local functions replaced by
// their bodies.
//
//     y = F(x)  where F(a) { b = Relu(a); return Abs(b) }      ==>      F/b = Relu(x);  y = Abs(F/b)

#ifndef DSCC_COMPILER_IMPORT_FLATGRAPH_H
#define DSCC_COMPILER_IMPORT_FLATGRAPH_H

#include "compiler/import/Problems.h"
#include "compiler/import/onnx-ml.pb.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <memory>
#include <optional>
#include <vector>

namespace dscc {

/// Versions by domain; the standard's is "".
using Opsets = llvm::StringMap<int64_t>;

/// What the names in a piece of the model mean: each is mapped to the name of a value of the flat graph.
struct NameScope {
  std::shared_ptr<const NameScope> outer; // of the graph around a subgraph; null for a function's body
  /// From a name here to the flat one; what is missing is looked up in `outer`.
  llvm::StringMap<std::string> names;
  std::string prefix; // of the flat names
  std::string title;  // of the nodes' names
  /// That the nodes here were written for.
  std::shared_ptr<const Opsets> opsets;

  /// The flat name, empty for an input that a call leaves out; nothing if nothing defines `name`.
  std::optional<std::string> resolve(llvm::StringRef name) const;
};

/// A node of the flat graph: one call of an operator that no function of the model defines.
struct FlatNode {
  std::shared_ptr<const onnx::NodeProto> node;    // references to a function's attributes are resolved
  std::string name;                               // for the user
  llvm::SmallVector<std::string> inputs, outputs; // flat names; empty: left out
  std::shared_ptr<const NameScope> scope;         // for the node's subgraphs

  int64_t opset() const; // of the node's domain; 0 if it is not imported
};

/// Flattens graphs of one model. Counts nodes against the budget over all calls.
class Flattener {
public:
  /// All of them must outlive it.
  Flattener(const onnx::ModelProto &model, const Budgets &budgets, Problems &problems);

  /// The scope of the main graph.
  std::shared_ptr<NameScope> mainScope();
  /// A scope for a subgraph of `node`.
  std::shared_ptr<NameScope> subgraphScope(const FlatNode &node, llvm::StringRef what);
  /// Names what `graph` defines in `scope`, then appends its nodes, sorted.
  mlir::LogicalResult flatten(const onnx::GraphProto &graph, const std::shared_ptr<NameScope> &scope,
                              std::vector<FlatNode> &nodes);

private:
  mlir::LogicalResult addNodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                               const std::shared_ptr<NameScope> &scope, unsigned depth, std::vector<FlatNode> &out);
  mlir::LogicalResult inlineCall(const FlatNode &call, const onnx::FunctionProto &function, unsigned depth,
                                 std::vector<FlatNode> &out);
  mlir::LogicalResult sort(std::vector<FlatNode> &nodes);

  const Budgets &budgets;
  Problems &problems;
  std::shared_ptr<const Opsets> opsets;
  llvm::StringMap<const onnx::FunctionProto *> functions; // by domain, name and overload
  uint64_t nodeCount = 0;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_FLATGRAPH_H
