// Graphs of operations, and graphs made ready to run.

#ifndef DSCC_RUNTIME_SIMULATOR_DRIVER_GRAPH_H
#define DSCC_RUNTIME_SIMULATOR_DRIVER_GRAPH_H

#include "runtime/simulator/driver/Queue.h"

#include <memory>
#include <vector>

struct CUgraphNode_st {
  CUgraph graph;
  dscc::sim::Operation operation;
  std::vector<CUgraphNode> after; // each once
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes; // in the order in which they were made
};

/// The nodes of the graph as they were, by the same index.
struct CUgraphExec_st {
  struct Node {
    CUgraphNode original; // a name: it may be gone
    dscc::sim::Operation operation;
    std::vector<size_t> after;
    bool isEnabled = true;
  };
  std::vector<Node> nodes;
  uint64_t flags = 0;
  dscc::sim::TaskPtr last; // of its last launch: it does not run twice at a time
};

namespace dscc::sim {

/// Null if a dependency is not of the graph, or stands there twice.
CUgraphNode addNode(CUgraph_st &graph, Operation operation, const std::vector<CUgraphNode> &after);
/// Where the node is in its graph.
size_t indexOf(const CUgraphNode_st &node);
/// CUgraphNodeType.
int typeOf(const Operation &operation);
/// Null if the dependencies form a circle.
std::unique_ptr<CUgraphExec_st> instantiate(const CUgraph_st &graph);
/// Enqueues all nodes in the stream's turn, in an order that their dependencies allow.
CUresult launchGraph(CUgraphExec_st &graph, CUstream_st &stream);
/// True if the operation of an instantiated node may become the other one, by the rules of the driver.
bool canBecome(const Operation &old, const Operation &other);

} // namespace dscc::sim

#endif // DSCC_RUNTIME_SIMULATOR_DRIVER_GRAPH_H
