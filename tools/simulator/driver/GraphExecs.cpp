// Graphs made ready to run: instantiated, launched, and given other parameters.

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/driver/GraphNodes.h"

#include "llvm/ADT/STLExtras.h"

using namespace dscc::sim;

//===-- instantiating ---------------------------------------------------------------------------------------------===//

/// CUgraphInstantiate_flags: automatic frees and priorities change nothing here; the device cannot launch graphs.
enum InstantiateFlag : uint64_t { AutoFreeOnLaunch = 1, UploadNow = 2, DeviceLaunch = 4, UseNodePriority = 8 };

/// `wrong` becomes a node of a circle, if that is what is wrong.
static CUresult make(CUgraphExec *exec, CUgraph graph, uint64_t flags, uint64_t allowed, CUgraphNode &wrong) {
  wrong = nullptr;
  DSCC_REQUIRE(exec && state().graphs.has(graph) && !(flags & ~allowed), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!(flags & DeviceLaunch && flags & AutoFreeOnLaunch), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!(flags & DeviceLaunch), CUDA_ERROR_NOT_SUPPORTED);
  std::unique_ptr<CUgraphExec_st> made = instantiate(*graph, wrong);
  DSCC_REQUIRE(made, CUDA_ERROR_INVALID_VALUE);
  made->flags = flags & ~UploadNow; // which is done with the call
  *exec = state().graphExecs.add(std::move(made));
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long flags) {
  DSCC_ENTER(Device);
  CUgraphNode wrong;
  return make(exec, graph, flags, AutoFreeOnLaunch | DeviceLaunch | UseNodePriority, wrong);
}

/// The log says what a wrong graph's error is.
static CUresult makeWithLog(CUgraphExec *exec, CUgraph graph, CUgraphNode *errorNode, char *log, size_t logBytes) {
  CUgraphNode wrong;
  CUresult result = make(exec, graph, 0, 0, wrong);
  if (errorNode)
    *errorNode = wrong;
  if (log && logBytes)
    std::snprintf(log, logBytes, "%s", result ? "the graph is none, or its dependencies form a circle" : "");
  return result;
}

DSCC_EXPORT CUresult cuGraphInstantiate(CUgraphExec *exec, CUgraph graph, CUgraphNode *errorNode, char *log,
                                        size_t logBytes) {
  DSCC_ENTER(Device);
  return makeWithLog(exec, graph, errorNode, log, logBytes);
}

DSCC_EXPORT CUresult cuGraphInstantiate_v2(CUgraphExec *exec, CUgraph graph, CUgraphNode *errorNode, char *log,
                                           size_t logBytes) {
  DSCC_ENTER(Device);
  return makeWithLog(exec, graph, errorNode, log, logBytes);
}

/// CUgraphInstantiateResult.
enum InstantiateResult { Instantiated = 0, InstantiateError = 1, WrongStructure = 2 };

static CUresult makeAndUpload(CUgraphExec *exec, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS &parameters) {
  parameters.errorNode = nullptr;
  if (parameters.flags & UploadNow) {
    DSCC_TRY(checkContextOf(parameters.uploadStream));
    DSCC_REQUIRE(findStream(parameters.uploadStream), CUDA_ERROR_INVALID_HANDLE);
  }
  return make(exec, graph, parameters.flags, AutoFreeOnLaunch | UploadNow | DeviceLaunch | UseNodePriority,
              parameters.errorNode);
}

DSCC_EXPORT CUresult cuGraphInstantiateWithParams(CUgraphExec *exec, CUgraph graph,
                                                  CUDA_GRAPH_INSTANTIATE_PARAMS *parameters) {
  DSCC_ENTER(Device);
  DSCC_REQUIRE(parameters, CUDA_ERROR_INVALID_VALUE);
  CUresult result = makeAndUpload(exec, graph, *parameters);
  parameters->result = parameters->errorNode ? WrongStructure : result ? InstantiateError : Instantiated;
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
  DSCC_ENTER(Driver);
  DSCC_TRY(checkContextOf(stream));
  DSCC_TRY(checkLaunch(exec, stream));
  return launchGraph(*exec, *findStream(stream));
}

/// There is nothing to bring to the device.
DSCC_EXPORT CUresult cuGraphUpload(CUgraphExec exec, CUstream stream) {
  DSCC_ENTER(Driver);
  DSCC_TRY(checkContextOf(stream));
  return checkLaunch(exec, stream);
}

//===-- updating --------------------------------------------------------------------------------------------------===//

/// CUgraphExecUpdateResult.
enum UpdateResult { Updated = 0, UpdateError = 1, TopologyChanged = 2, NodeTypeChanged = 3, ParametersChanged = 5 };

/// The first node at which the graph cannot become what the other one is.
static Mismatch compare(const CUgraphExec_st &exec, const CUgraph_st &graph, std::vector<CUgraphNode> &partners) {
  Mismatch found = pairNodes(exec, graph, partners);
  if (found.result)
    return found;
  for (size_t i = 0; i < exec.nodes.size(); ++i)
    if (typeOf(partners[i]->operation) != typeOf(exec.nodes[i].operation))
      return {NodeTypeChanged, partners[i], nullptr};
  for (size_t i = 0; i < exec.nodes.size(); ++i)
    if (!canBecome(exec.nodes[i].operation, partners[i]->operation))
      return {ParametersChanged, partners[i], nullptr};
  return {};
}

static CUresult update(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo &info) {
  info = {UpdateError, nullptr, nullptr};
  DSCC_REQUIRE(state().graphExecs.has(exec) && state().graphs.has(graph), CUDA_ERROR_INVALID_VALUE);
  std::vector<CUgraphNode> partners;
  Mismatch found = compare(*exec, *graph, partners);
  info = {found.result, found.node, found.from};
  DSCC_REQUIRE(info.result == Updated, CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  for (size_t i = 0; i < exec->nodes.size(); ++i)
    exec->nodes[i].operation = partners[i]->operation;
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
  auto found = llvm::find_if(exec->nodes, [&](const auto &one) { return one.original == node->number; });
  return found == exec->nodes.end() ? nullptr : &*found;
}

/// Of several rows no copy may become another one, not even the same.
static bool isOfRows(const Operation &operation) {
  auto *copy = std::get_if<Copy>(&operation);
  return copy && copy->height != 1;
}

template <typename Request> static CUresult setParameters(CUgraphExec exec, CUgraphNode node, const Request &request) {
  CUgraphExec_st::Node *found = findNode(exec, node);
  DSCC_REQUIRE(found, CUDA_ERROR_INVALID_VALUE);
  Operation operation;
  DSCC_TRY(makeOperation(request, operation));
  DSCC_REQUIRE(canBecome(found->operation, operation) && !isOfRows(operation), CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(keepAttributes(found->operation, operation));
  found->operation = std::move(operation);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                    const CUDA_KERNEL_NODE_PARAMS_v1 *request) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

DSCC_EXPORT CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                                       const CUDA_KERNEL_NODE_PARAMS_v2 *request) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

DSCC_EXPORT CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D *request,
                                                    CUcontext context) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request && (!context || isContext(context)), CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

DSCC_EXPORT CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                    const CUDA_MEMSET_NODE_PARAMS *request, CUcontext context) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request && (!context || isContext(context)), CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

DSCC_EXPORT CUresult cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                  const CUDA_HOST_NODE_PARAMS *request) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(request, CUDA_ERROR_INVALID_VALUE);
  return setParameters(exec, node, *request);
}

DSCC_EXPORT CUresult cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode node, CUgraphNodeParams *request) {
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
