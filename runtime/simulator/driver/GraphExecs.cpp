// Graphs made ready to run: instantiated, launched, and given other parameters.

#include "runtime/simulator/driver/Entry.h"
#include "runtime/simulator/driver/GraphNodes.h"

#include "llvm/ADT/STLExtras.h"

using namespace dscc::sim;

//===-- instantiating ---------------------------------------------------------------------------------------------===//

/// CUgraphInstantiate_flags: automatic frees and priorities change nothing here; the device cannot launch graphs.
enum InstantiateFlag : uint64_t { AutoFreeOnLaunch = 1, UploadNow = 2, DeviceLaunch = 4, UseNodePriority = 8 };

static CUresult make(CUgraphExec *exec, CUgraph graph, uint64_t flags, uint64_t allowed) {
  DSCC_REQUIRE(exec && state().graphs.has(graph) && !(flags & ~allowed), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!(flags & DeviceLaunch), CUDA_ERROR_NOT_SUPPORTED);
  std::unique_ptr<CUgraphExec_st> made = instantiate(*graph);
  DSCC_REQUIRE(made, CUDA_ERROR_INVALID_VALUE);
  made->flags = flags;
  *exec = state().graphExecs.add(std::move(made));
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long flags) {
  DSCC_ENTER(Context);
  return make(exec, graph, flags, AutoFreeOnLaunch | DeviceLaunch | UseNodePriority);
}

/// The log says what a wrong graph's error is.
static CUresult makeWithLog(CUgraphExec *exec, CUgraph graph, CUgraphNode *errorNode, char *log, size_t logBytes) {
  CUresult result = make(exec, graph, 0, 0);
  if (errorNode)
    *errorNode = nullptr;
  if (log && logBytes)
    std::snprintf(log, logBytes, "%s", result ? "the graph is none, or its dependencies form a circle" : "");
  return result;
}

DSCC_EXPORT CUresult cuGraphInstantiate(CUgraphExec *exec, CUgraph graph, CUgraphNode *errorNode, char *log,
                                        size_t logBytes) {
  DSCC_ENTER(Context);
  return makeWithLog(exec, graph, errorNode, log, logBytes);
}

DSCC_EXPORT CUresult cuGraphInstantiate_v2(CUgraphExec *exec, CUgraph graph, CUgraphNode *errorNode, char *log,
                                           size_t logBytes) {
  DSCC_ENTER(Context);
  return makeWithLog(exec, graph, errorNode, log, logBytes);
}

DSCC_EXPORT CUresult cuGraphInstantiateWithParams(CUgraphExec *exec, CUgraph graph,
                                                  CUDA_GRAPH_INSTANTIATE_PARAMS *parameters) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(parameters, CUDA_ERROR_INVALID_VALUE);
  parameters->errorNode = nullptr;
  CUresult result = make(exec, graph, parameters->flags, AutoFreeOnLaunch | UploadNow | DeviceLaunch | UseNodePriority);
  parameters->result = result != CUDA_SUCCESS; // CUDA_GRAPH_INSTANTIATE_ERROR
  return result;
}

DSCC_EXPORT CUresult cuGraphExecGetFlags(CUgraphExec exec, uint64_t *flags) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphExecs.has(exec) && flags, CUDA_ERROR_INVALID_VALUE);
  *flags = exec->flags;
  return CUDA_SUCCESS;
}

/// A launch under way goes on: its tasks have what they need.
DSCC_EXPORT CUresult cuGraphExecDestroy(CUgraphExec exec) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphExecs.take(exec), CUDA_ERROR_INVALID_VALUE);
  return CUDA_SUCCESS;
}

//===-- launching -------------------------------------------------------------------------------------------------===//

static CUresult checkLaunch(CUgraphExec exec, CUstream handle) {
  DSCC_REQUIRE(state().graphExecs.has(exec), CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  // It would be a graph in a graph.
  DSCC_REQUIRE(!stream->capture, invalidate(stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED));
  return checkImplicit(*stream);
}

DSCC_EXPORT CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  DSCC_ENTER(Context);
  DSCC_TRY(checkLaunch(exec, stream));
  return launchGraph(*exec, *findStream(stream));
}

/// There is nothing to bring to the device.
DSCC_EXPORT CUresult cuGraphUpload(CUgraphExec exec, CUstream stream) {
  DSCC_ENTER(Context);
  return checkLaunch(exec, stream);
}

//===-- updating --------------------------------------------------------------------------------------------------===//

/// CUgraphExecUpdateResult.
enum UpdateResult { Updated = 0, UpdateError = 1, TopologyChanged = 2, NodeTypeChanged = 3, ParametersChanged = 5 };

/// The first node at which the graph cannot become what the other one is.
static CUgraphExecUpdateResultInfo compare(const CUgraphExec_st &exec, const CUgraph_st &graph) {
  if (exec.nodes.size() != graph.nodes.size())
    return {TopologyChanged, nullptr, nullptr};
  for (size_t i = 0; i < exec.nodes.size(); ++i) {
    CUgraphNode node = graph.nodes[i].get();
    const CUgraphExec_st::Node &old = exec.nodes[i];
    if (node->after.size() != old.after.size())
      return {TopologyChanged, node, nullptr};
    for (size_t edge = 0; edge < old.after.size(); ++edge)
      if (indexOf(*node->after[edge]) != old.after[edge])
        return {TopologyChanged, node, node->after[edge]};
    if (typeOf(node->operation) != typeOf(old.operation))
      return {NodeTypeChanged, node, nullptr};
    if (!canBecome(old.operation, node->operation))
      return {ParametersChanged, node, nullptr};
  }
  return {Updated, nullptr, nullptr};
}

static CUresult update(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo &info) {
  info = {UpdateError, nullptr, nullptr};
  DSCC_REQUIRE(state().graphExecs.has(exec) && state().graphs.has(graph), CUDA_ERROR_INVALID_VALUE);
  info = compare(*exec, *graph);
  DSCC_REQUIRE(info.result == Updated, CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  for (size_t i = 0; i < exec->nodes.size(); ++i)
    exec->nodes[i].operation = graph->nodes[i]->operation;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo *info) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(info, CUDA_ERROR_INVALID_VALUE);
  return update(exec, graph, *info);
}

DSCC_EXPORT CUresult cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphNode *errorNode, int *result) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(result, CUDA_ERROR_INVALID_VALUE);
  CUgraphExecUpdateResultInfo info;
  CUresult error = update(exec, graph, info);
  *result = info.result;
  if (errorNode)
    *errorNode = info.node;
  return error;
}

/// The instantiated form of a node of the graph that this was made from; null if it has none.
static CUgraphExec_st::Node *findNode(CUgraphExec exec, CUgraphNode node) {
  if (!state().graphExecs.has(exec) || !state().graphNodes.count(node))
    return nullptr;
  auto found = llvm::find_if(exec->nodes, [&](const auto &one) { return one.original == node; });
  return found == exec->nodes.end() ? nullptr : &*found;
}

template <typename... Request> static CUresult setParameters(CUgraphExec exec, CUgraphNode node, Request &&...request) {
  CUgraphExec_st::Node *found = findNode(exec, node);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_VALUE);
  Operation operation;
  DSCC_TRY(makeOperation(request..., operation));
  DSCC_REQUIRE(canBecome(found->operation, operation), CUDA_ERROR_INVALID_VALUE);
  found->operation = std::move(operation);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                    const CUDA_KERNEL_NODE_PARAMS_v1 *request) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request, CUkernel(nullptr));
}

DSCC_EXPORT CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                                       const CUDA_KERNEL_NODE_PARAMS_v2 *request) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request && !(request->function && request->kernel), CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, static_cast<const CUDA_KERNEL_NODE_PARAMS_v1 &>(*request), request->kernel);
}

DSCC_EXPORT CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D *request,
                                                    CUcontext) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

DSCC_EXPORT CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                    const CUDA_MEMSET_NODE_PARAMS *request, CUcontext) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

DSCC_EXPORT CUresult cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                  const CUDA_HOST_NODE_PARAMS *request) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

/// Kernels, copies and fills; a disabled node only keeps the order.
DSCC_EXPORT CUresult cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode node, unsigned isEnabled) {
  DSCC_ENTER(Context);
  CUgraphExec_st::Node *found = findNode(exec, node);
  DSCC_REQUIRE(found && typeOf(found->operation) <= typeOf(Fill()), CUDA_ERROR_INVALID_VALUE);
  found->isEnabled = isEnabled;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode node, unsigned *isEnabled) {
  DSCC_ENTER(Context);
  CUgraphExec_st::Node *found = findNode(exec, node);
  DSCC_REQUIRE(found && isEnabled && typeOf(found->operation) <= typeOf(Fill()), CUDA_ERROR_INVALID_VALUE);
  *isEnabled = found->isEnabled;
  return CUDA_SUCCESS;
}
