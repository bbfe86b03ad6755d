// Graphs of operations, and graphs made ready to run.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_GRAPH_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_GRAPH_H

#include "tools/simulator/driver/Queue.h"

#include <map>
#include <memory>
#include <vector>

/// An operation of a graph, and the nodes that come before it.
struct CUgraphNode_st {
  CUgraph graph;                  // that owns it
  uint64_t number;                // unique
  dscc::sim::Operation operation; // what it does; each instantiated graph has its own copy
  std::vector<CUgraphNode> after; // each once
  uint64_t sinkNumber;            // of when it became a node that none waits for: their order, while it is one
  uint64_t original = 0;          // the number of the node that this one was cloned from
  std::vector<void *> told = {};  // what its parameters have been told to be
};

/// Something of the program's with a count of references: cuUserObjectCreate.
struct CUuserObject_st {
  void *data;          // the program's, handed to `destroy`
  CUhostFn destroy;    // called once, in no stream, when no reference is left
  unsigned references; // the program's and those that graphs hold; 0 only as it dies
};

namespace dscc::sim {
/// References to objects of the program, given back when these go.
struct HeldObjects {
  HeldObjects() = default;
  /// Takes as many references of its own.
  HeldObjects(const HeldObjects &other);
  HeldObjects &operator=(const HeldObjects &) = delete;
  ~HeldObjects();
  std::map<CUuserObject, unsigned> counts; // how many references, by object; none is 0
};
/// The last reference calls the object's destructor, in its turn.
void release(CUuserObject object, unsigned count);
} // namespace dscc::sim

/// A graph that a program builds or captures.
struct CUgraph_st {
  dscc::sim::HeldObjects objects;                     // given back when the graph goes
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes; // in the order in which they were made
};

/// The nodes of the graph as they were, by the same index.
struct CUgraphExec_st {
  /// A node as it was instantiated, or updated since.
  struct Node {
    uint64_t original;              // its number: another node may have its address by now
    dscc::sim::Operation operation; // a copy, whose attributes and arguments are its own
    std::vector<size_t> after;      // the nodes before it, by their places in `nodes`
    bool isEnabled = true;          // if not, it only keeps the order
  };
  std::vector<Node> nodes;   // in the order of the graph's
  std::vector<size_t> sinks; // those that none waits for, by their places, in the order of sinksOf
  std::shared_ptr<dscc::sim::HeldObjects> objects; // launches under way hold them too
  uint64_t flags = 0;                              // CUgraphInstantiate_flags, as cuGraphExecGetFlags tells them
  dscc::sim::TaskPtr last;                         // of its last launch: it does not run twice at a time
};

namespace dscc::sim {

/// Null if a dependency is not of the graph, or stands there twice.
CUgraphNode addNode(CUgraph_st &graph, Operation operation, const std::vector<CUgraphNode> &after);
/// Where the node is in its graph.
size_t indexOf(const CUgraphNode_st &node);
/// True for what can be a node.
bool isOfGraphs(const Operation &operation);
/// CUgraphNodeType.
int typeOf(const Operation &operation);
/// The nodes that none waits for, in the order in which they became such.
std::vector<CUgraphNode> sinksOf(const CUgraph_st &graph);
/// The node, if none waits for it, is the last of those now.
void becomeSink(CUgraphNode_st &node);
/// Null if the dependencies form a circle: then `wrong` is one of it.
std::unique_ptr<CUgraphExec_st> instantiate(const CUgraph_st &graph, CUgraphNode &wrong);
/// Enqueues all nodes in the stream's turn, in an order that their dependencies allow.
CUresult launchGraph(CUgraphExec_st &graph, CUstream_st &stream);
/// Attributes of a kernel's node stay when its parameters change.
CUresult keepAttributes(const Operation &old, Operation &made);
/// True if the operation of an instantiated node may become the other one, by the rules of the driver.
bool canBecome(const Operation &old, const Operation &other);

/// The first contradiction between two graphs, by the numbers of CUgraphExecUpdateResult.
struct Mismatch {
  int result = 0; // 0: there is none
  /// Of the graph, as in CUgraphExecUpdateResultInfo.
  CUgraphNode node = nullptr, from = nullptr;
};
/// Which node of the graph stands for each of the instantiated one: the nodes that none waits for stand for each other
/// by their order, and from there on the nodes before them by the order of the edges.
Mismatch pairNodes(const CUgraphExec_st &exec, const CUgraph_st &graph, std::vector<CUgraphNode> &partners);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_GRAPH_H
