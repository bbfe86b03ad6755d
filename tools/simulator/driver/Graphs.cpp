// Graphs that a program builds node by node. Running them is in GraphExecs.cpp.

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/driver/GraphNodes.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>

using namespace dscc::sim;

DSCC_EXPORT CUresult cuGraphCreate(CUgraph *graph, unsigned flags) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(graph && !flags, CUDA_ERROR_INVALID_VALUE);
  *graph = state().graphs.add(std::make_unique<CUgraph_st>());
  return CUDA_SUCCESS;
}

static bool isCaptured(CUgraph graph) {
  return llvm::any_of(state().captures, [&](const auto &capture) { return capture->graph == graph; });
}

DSCC_EXPORT CUresult cuGraphDestroy(CUgraph graph) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphs.has(graph) && !isCaptured(graph), CUDA_ERROR_INVALID_VALUE);
  for (const auto &node : graph->nodes)
    state().graphNodes.erase(node.get());
  state().graphs.take(graph);
  return CUDA_SUCCESS;
}

//===-- what nodes do ---------------------------------------------------------------------------------------------===//

namespace dscc::sim {
CUresult makeOperation(const CUDA_KERNEL_NODE_PARAMS_v2 &request, Operation &operation) {
  if (!request.function && request.context && !isContext(request.context))
    return CUDA_ERROR_INVALID_VALUE;
  CUfunction function = request.function ? request.function : reinterpret_cast<CUfunction>(request.kernel);
  LaunchShape shape;
  std::memcpy(shape.grid, request.grid, sizeof(shape.grid));
  std::memcpy(shape.block, request.block, sizeof(shape.block));
  shape.dynamicShared = request.sharedBytes;
  shape.nodes = takeNodes();
  KernelCall call;
  CUresult result = makeKernelCall(function, shape, nullptr, request.arguments, request.extra, call);
  if (!request.function) {
    call.kernel = request.kernel;
    call.context = request.context;
  }
  operation = std::move(call);
  return result == CUDA_ERROR_INVALID_HANDLE ? CUDA_ERROR_INVALID_VALUE : result;
}

CUresult makeOperation(const CUDA_KERNEL_NODE_PARAMS_v1 &request, Operation &operation) {
  return makeOperation(CUDA_KERNEL_NODE_PARAMS_v2{request, nullptr, nullptr}, operation);
}

CUresult makeOperation(const CUDA_MEMCPY3D &request, Operation &operation) {
  Copy copy;
  CUresult result = makeCopy(request, copy);
  copy.asked = std::make_shared<CUDA_MEMCPY3D>(request);
  operation = std::move(copy);
  return request.width && request.height && request.depth ? result : CUDA_ERROR_INVALID_VALUE;
}

CUresult makeOperation(const CUDA_MEMSET_NODE_PARAMS &request, Operation &operation) {
  Fill fill;
  CUresult result = makeFill(request, fill);
  operation = fill;
  return request.width && request.height ? result : CUDA_ERROR_INVALID_VALUE;
}

CUresult makeOperation(const CUDA_HOST_NODE_PARAMS &request, Operation &operation) {
  operation = HostCall{request.function, request.data};
  return request.function ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
} // namespace dscc::sim

//===-- adding nodes ----------------------------------------------------------------------------------------------===//

static CUresult add(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter, Operation operation) {
  CUgraphNode made = addNode(*graph, std::move(operation), std::vector<CUgraphNode>(after, after + numAfter));
  DSCC_REQUIRE(made, CUDA_ERROR_INVALID_VALUE);
  *node = made;
  return CUDA_SUCCESS;
}

static CUresult checkAdding(const CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter) {
  DSCC_REQUIRE(node && (after || !numAfter) && state().graphs.has(graph), CUDA_ERROR_INVALID_VALUE);
  return CUDA_SUCCESS;
}

template <typename Request>
static CUresult addRequest(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter,
                           const Request *request) {
  DSCC_TRY(checkAdding(node, graph, after, numAfter));
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  Operation operation;
  DSCC_TRY(makeOperation(*request, operation));
  return add(node, graph, after, numAfter, std::move(operation));
}

DSCC_EXPORT CUresult cuGraphAddKernelNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter,
                                          const CUDA_KERNEL_NODE_PARAMS_v1 *request) {
  DSCC_ENTER(Context);
  return addRequest(node, graph, after, numAfter, request);
}

DSCC_EXPORT CUresult cuGraphAddKernelNode_v2(CUgraphNode *node, CUgraph graph, const CUgraphNode *after,
                                             size_t numAfter, const CUDA_KERNEL_NODE_PARAMS_v2 *request) {
  DSCC_ENTER(Context);
  return addRequest(node, graph, after, numAfter, request);
}

DSCC_EXPORT CUresult cuGraphAddMemcpyNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter,
                                          const CUDA_MEMCPY3D *request, CUcontext context) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(!context || isContext(context), CUDA_ERROR_INVALID_VALUE);
  return addRequest(node, graph, after, numAfter, request);
}

/// A pool's memory can only be set in a capture.
DSCC_EXPORT CUresult cuGraphAddMemsetNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter,
                                          const CUDA_MEMSET_NODE_PARAMS *request, CUcontext context) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(!context || isContext(context), CUDA_ERROR_INVALID_CONTEXT);
  DSCC_REQUIRE(request && !isOfPool(request->target), CUDA_ERROR_INVALID_VALUE);
  return addRequest(node, graph, after, numAfter, request);
}

DSCC_EXPORT CUresult cuGraphAddHostNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter,
                                        const CUDA_HOST_NODE_PARAMS *request) {
  DSCC_ENTER(Device);
  return addRequest(node, graph, after, numAfter, request);
}

DSCC_EXPORT CUresult cuGraphAddEmptyNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter) {
  DSCC_ENTER(Device);
  DSCC_TRY(checkAdding(node, graph, after, numAfter));
  return add(node, graph, after, numAfter, Nothing());
}

//===-- dependencies ----------------------------------------------------------------------------------------------===//

namespace dscc::sim {
/// Edges that begin before a kernel's end are not simulated.
CUresult checkEdges(const CUgraphEdgeData *edges, size_t count) {
  for (size_t i = 0; edges && i < count; ++i) {
    bool isReservedZero = llvm::all_of(edges[i].reserved, [](unsigned char byte) { return !byte; });
    DSCC_REQUIRE(isReservedZero, CUDA_ERROR_INVALID_VALUE);
    DSCC_REQUIRE(!edges[i].fromPort && !edges[i].toPort && !edges[i].type, CUDA_ERROR_NOT_SUPPORTED);
  }
  return CUDA_SUCCESS;
}
} // namespace dscc::sim

/// An edge that lets a kernel begin before another one ends. Here it begins behind it, which is allowed too.
static bool isEarlyEdge(const CUgraphEdgeData &edge) {
  static constexpr unsigned char programmaticPort = 1, launchOrderPort = 2, programmaticType = 1;
  bool isReservedZero = llvm::all_of(edge.reserved, [](unsigned char byte) { return !byte; });
  return isReservedZero && edge.type == programmaticType && !edge.toPort &&
         (edge.fromPort == programmaticPort || edge.fromPort == launchOrderPort);
}

static bool isKernel(CUgraphNode node) { return std::holds_alternative<KernelCall>(node->operation); }

static bool isNodeOf(CUgraphNode node, CUgraph graph) {
  auto found = state().graphNodes.find(node);
  return found != state().graphNodes.end() && found->second == graph;
}

/// All or none. A circle is found when the graph is instantiated.
static CUresult addDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, size_t count) {
  DSCC_REQUIRE(state().graphs.has(graph) && (!count || (from && to)), CUDA_ERROR_INVALID_VALUE);
  std::set<std::pair<CUgraphNode, CUgraphNode>> seen;
  for (size_t i = 0; i < count; ++i) {
    DSCC_REQUIRE(isNodeOf(from[i], graph) && isNodeOf(to[i], graph) && from[i] != to[i], CUDA_ERROR_INVALID_VALUE);
    bool isNew = seen.insert({from[i], to[i]}).second && !llvm::is_contained(to[i]->after, from[i]);
    DSCC_REQUIRE(isNew, CUDA_ERROR_INVALID_VALUE);
  }
  for (size_t i = 0; i < count; ++i)
    to[i]->after.push_back(from[i]);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to,
                                            size_t count) {
  DSCC_ENTER(Driver);
  return addDependencies(graph, from, to, count);
}

DSCC_EXPORT CUresult cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to,
                                               const CUgraphEdgeData *edges, size_t count) {
  DSCC_ENTER(Driver);
  for (size_t i = 0; edges && i < count; ++i) {
    if (!isEarlyEdge(edges[i])) {
      DSCC_TRY(checkEdges(&edges[i], 1));
      continue;
    }
    bool areKernels =
        from && to && isNodeOf(from[i], graph) && isNodeOf(to[i], graph) && isKernel(from[i]) && isKernel(to[i]);
    DSCC_REQUIRE(areKernels, CUDA_ERROR_INVALID_VALUE);
  }
  return addDependencies(graph, from, to, count);
}

/// All or none.
static CUresult removeDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to, size_t count) {
  DSCC_REQUIRE(state().graphs.has(graph) && (!count || (from && to)), CUDA_ERROR_INVALID_VALUE);
  std::set<std::pair<CUgraphNode, CUgraphNode>> seen;
  for (size_t i = 0; i < count; ++i) {
    DSCC_REQUIRE(isNodeOf(from[i], graph) && isNodeOf(to[i], graph), CUDA_ERROR_INVALID_VALUE);
    bool isThere = llvm::is_contained(to[i]->after, from[i]) && seen.insert({from[i], to[i]}).second;
    DSCC_REQUIRE(isThere, CUDA_ERROR_INVALID_VALUE);
  }
  for (size_t i = 0; i < count; ++i) {
    llvm::erase(to[i]->after, from[i]);
    becomeSink(*from[i]);
  }
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to,
                                               size_t count) {
  DSCC_ENTER(Driver);
  return removeDependencies(graph, from, to, count);
}

/// Edges are told apart by their data too, and all are plain here.
DSCC_EXPORT CUresult cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode *from, const CUgraphNode *to,
                                                  const CUgraphEdgeData *edges, size_t count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(checkEdges(edges, count) == CUDA_SUCCESS, CUDA_ERROR_INVALID_VALUE);
  return removeDependencies(graph, from, to, count);
}

/// With its edges. What has been instantiated keeps it.
DSCC_EXPORT CUresult cuGraphDestroyNode(CUgraphNode node) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphNodes.count(node) && !isCaptured(node->graph), CUDA_ERROR_INVALID_VALUE);
  for (const auto &other : node->graph->nodes)
    llvm::erase(other->after, node);
  for (CUgraphNode before : node->after)
    becomeSink(*before);
  state().graphNodes.erase(node);
  llvm::erase_if(node->graph->nodes, [&](const auto &one) { return one.get() == node; });
  return CUDA_SUCCESS;
}

//===-- asking ----------------------------------------------------------------------------------------------------===//

/// Without an array: how many there are. Else as many as there is room for, and null in what is left.
static CUresult list(const std::vector<CUgraphNode> &all, CUgraphNode *nodes, size_t *count) {
  if (nodes)
    for (size_t i = 0; i < *count; ++i)
      nodes[i] = i < all.size() ? all[i] : nullptr;
  *count = nodes ? std::min(*count, all.size()) : all.size();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphGetNodes(CUgraph graph, CUgraphNode *nodes, size_t *count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphs.has(graph) && count, CUDA_ERROR_INVALID_VALUE);
  std::vector<CUgraphNode> all;
  for (const auto &node : graph->nodes)
    all.push_back(node.get());
  return list(all, nodes, count);
}

DSCC_EXPORT CUresult cuGraphGetRootNodes(CUgraph graph, CUgraphNode *nodes, size_t *count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphs.has(graph) && count, CUDA_ERROR_INVALID_VALUE);
  std::vector<CUgraphNode> roots;
  for (const auto &node : graph->nodes)
    if (node->after.empty())
      roots.push_back(node.get());
  return list(roots, nodes, count);
}

DSCC_EXPORT CUresult cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode *nodes, size_t *count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphNodes.count(node) && count, CUDA_ERROR_INVALID_VALUE);
  return list(node->after, nodes, count);
}

DSCC_EXPORT CUresult cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode *nodes, CUgraphEdgeData *edges,
                                                   size_t *count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphNodes.count(node) && count && (!edges || nodes), CUDA_ERROR_INVALID_VALUE);
  if (edges)
    std::memset(edges, 0, *count * sizeof(*edges));
  return list(node->after, nodes, count);
}

static std::vector<CUgraphNode> dependentsOf(CUgraphNode node) {
  std::vector<CUgraphNode> result;
  for (const auto &other : node->graph->nodes)
    if (llvm::is_contained(other->after, node))
      result.push_back(other.get());
  return result;
}

DSCC_EXPORT CUresult cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode *nodes, size_t *count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphNodes.count(node) && count, CUDA_ERROR_INVALID_VALUE);
  return list(dependentsOf(node), nodes, count);
}

DSCC_EXPORT CUresult cuGraphNodeGetDependentNodes_v2(CUgraphNode node, CUgraphNode *nodes, CUgraphEdgeData *edges,
                                                     size_t *count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphNodes.count(node) && count && (!edges || nodes), CUDA_ERROR_INVALID_VALUE);
  if (edges)
    std::memset(edges, 0, *count * sizeof(*edges));
  return list(dependentsOf(node), nodes, count);
}

static CUresult listEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *edges, size_t *count) {
  DSCC_REQUIRE(state().graphs.has(graph) && count && !from == !to && (!edges || from), CUDA_ERROR_INVALID_VALUE);
  std::vector<CUgraphNode> begins, ends;
  for (const auto &node : graph->nodes)
    for (CUgraphNode before : node->after) {
      begins.push_back(before);
      ends.push_back(node.get());
    }
  if (edges)
    std::memset(edges, 0, *count * sizeof(*edges));
  size_t room = *count;
  list(begins, from, &room);
  return list(ends, to, count);
}

DSCC_EXPORT CUresult cuGraphGetEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to, size_t *count) {
  DSCC_ENTER(Driver);
  return listEdges(graph, from, to, nullptr, count);
}

DSCC_EXPORT CUresult cuGraphGetEdges_v2(CUgraph graph, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *edges,
                                        size_t *count) {
  DSCC_ENTER(Driver);
  return listEdges(graph, from, to, edges, count);
}

DSCC_EXPORT CUresult cuGraphNodeGetType(CUgraphNode node, int *type) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphNodes.count(node) && type, CUDA_ERROR_INVALID_VALUE);
  *type = typeOf(node->operation);
  return CUDA_SUCCESS;
}
