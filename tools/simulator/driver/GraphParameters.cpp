// Parameters of nodes: told, changed, and in the structure that holds those of any kind.

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/driver/GraphNodes.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>

using namespace dscc::sim;

//===-- nodes of any kind -----------------------------------------------------------------------------------------===//

static bool isNoneOrContext(CUcontext context) { return !context || isContext(context); }

namespace dscc::sim {
CUresult makeOperation(const CUDA_MEMCPY_NODE_PARAMS &request, Operation &operation) {
  bool isOk = !request.flags && !request.reserved && isNoneOrContext(request.context);
  return isOk ? makeOperation(request.copy, operation) : CUDA_ERROR_INVALID_VALUE;
}

CUresult makeOperation(const CUDA_MEMSET_NODE_PARAMS_v2 &request, Operation &operation) {
  const CUDA_MEMSET_NODE_PARAMS &fill = request;
  return isNoneOrContext(request.context) ? makeOperation(fill, operation) : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult makeOperation(const CUgraphNodeParams &request, Operation &operation) {
  static constexpr int graphInGraph = 4, lastType = 13; // CUgraphNodeType
  auto isNotZero = [](auto number) { return number != 0; };
  if (llvm::any_of(request.reserved, isNotZero) || request.reservedEnd)
    return CUDA_ERROR_INVALID_VALUE;
  if (request.type == typeOf(KernelCall()))
    return makeOperation(request.kernel, operation);
  if (request.type == typeOf(Copy()))
    return makeOperation(request.copy, operation);
  if (request.type == typeOf(Fill()))
    return makeOperation(request.fill, operation);
  if (request.type == typeOf(HostCall()))
    return makeOperation(request.host, operation);
  if (request.type == typeOf(Nothing())) {
    operation = Nothing();
    return CUDA_SUCCESS;
  }
  return request.type >= graphInGraph && request.type <= lastType ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE;
}

CUresult keepAttributes(const Operation &old, Operation &made) {
  auto *from = std::get_if<KernelCall>(&old);
  auto *to = std::get_if<KernelCall>(&made);
  if (!from || !to)
    return CUDA_SUCCESS;
  to->attributes = from->attributes;
  auto cluster = to->attributes.find(clusterDimension);
  return cluster == to->attributes.end() ? CUDA_SUCCESS : setCluster(*to, cluster->second.dims);
}
} // namespace dscc::sim

static CUresult addNodeOfAnyKind(CUgraphNode *node, CUgraph graph, const CUgraphNode *after,
                                 const CUgraphEdgeData *edges, size_t numAfter, const CUgraphNodeParams *request) {
  DSCC_REQUIRE(node && state().graphs.has(graph) && (after || !numAfter) && request, CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkEdges(edges, numAfter));
  Operation operation;
  DSCC_TRY(makeOperation(*request, operation));
  auto *fill = std::get_if<Fill>(&operation);
  DSCC_REQUIRE(!fill || !isOfPool(reinterpret_cast<CUdeviceptr>(fill->to)), CUDA_ERROR_INVALID_VALUE);
  CUgraphNode made = addNode(*graph, std::move(operation), std::vector<CUgraphNode>(after, after + numAfter));
  DSCC_REQUIRE(made, CUDA_ERROR_INVALID_VALUE);
  *node = made;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphAddNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *after, size_t numAfter,
                                    CUgraphNodeParams *request) {
  DSCC_ENTER(Context);
  return addNodeOfAnyKind(node, graph, after, nullptr, numAfter, request);
}

DSCC_EXPORT CUresult cuGraphAddNode_v2(CUgraphNode *node, CUgraph graph, const CUgraphNode *after,
                                       const CUgraphEdgeData *edges, size_t numAfter, CUgraphNodeParams *request) {
  DSCC_ENTER(Context);
  return addNodeOfAnyKind(node, graph, after, edges, numAfter, request);
}

//===-- telling ---------------------------------------------------------------------------------------------------===//

/// Null if the node is none, or another kind.
template <typename Kind> static const Kind *find(CUgraphNode node) {
  return state().graphNodes.count(node) ? std::get_if<Kind>(&node->operation) : nullptr;
}

/// The array of arguments is the node's, until its parameters change.
static void tell(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1 &parameters) {
  const KernelCall &call = *find<KernelCall>(node);
  node->told.clear();
  for (const std::vector<KernelCall::Chunk> &argument : call.arguments)
    node->told.push_back(const_cast<KernelCall::Chunk *>(argument.data()));
  parameters = {};
  parameters.function = call.function;
  std::memcpy(parameters.grid, call.shape.grid, sizeof(parameters.grid));
  std::memcpy(parameters.block, call.shape.block, sizeof(parameters.block));
  parameters.sharedBytes = call.shape.dynamicShared;
  parameters.arguments = node->told.data();
}

DSCC_EXPORT CUresult cuGraphKernelNodeGetParams(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1 *parameters) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(find<KernelCall>(node) && parameters, CUDA_ERROR_INVALID_VALUE);
  tell(node, *parameters);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v2 *parameters) {
  DSCC_ENTER(Driver);
  const KernelCall *call = find<KernelCall>(node);
  DSCC_REQUIRE(call && parameters, CUDA_ERROR_INVALID_VALUE);
  tell(node, *parameters);
  parameters->kernel = call->kernel;
  parameters->context = call->context;
  if (call->kernel)
    parameters->function = nullptr;
  return CUDA_SUCCESS;
}

/// A node of a capture is told as rows from address to address.
static CUDA_MEMCPY3D::Side describe(const char *place, MemoryKind kind, size_t pitch, size_t height) {
  CUDA_MEMCPY3D::Side side = {};
  side.type = kind == MemoryKind::Device ? MemoryDevice : MemoryHost;
  side.host = kind == MemoryKind::Device ? nullptr : place;
  side.device = kind == MemoryKind::Device ? reinterpret_cast<CUdeviceptr>(place) : 0;
  side.pitch = pitch;
  side.height = height;
  return side;
}

DSCC_EXPORT CUresult cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D *parameters) {
  DSCC_ENTER(Driver);
  const Copy *copy = find<Copy>(node);
  DSCC_REQUIRE(copy && parameters, CUDA_ERROR_INVALID_VALUE);
  if (copy->asked)
    *parameters = *copy->asked;
  else
    *parameters = {describe(copy->from, copy->fromKind, copy->fromPitch, copy->height),
                   describe(copy->to, copy->toKind, copy->toPitch, copy->height), copy->width, copy->height, 1};
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphMemsetNodeGetParams(CUgraphNode node, CUDA_MEMSET_NODE_PARAMS *parameters) {
  DSCC_ENTER(Driver);
  const Fill *fill = find<Fill>(node);
  DSCC_REQUIRE(fill && parameters, CUDA_ERROR_INVALID_VALUE);
  *parameters = {
      reinterpret_cast<CUdeviceptr>(fill->to), fill->pitch, fill->value, fill->elementBytes, fill->width, fill->height};
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphHostNodeGetParams(CUgraphNode node, CUDA_HOST_NODE_PARAMS *parameters) {
  DSCC_ENTER(Driver);
  const HostCall *call = find<HostCall>(node);
  DSCC_REQUIRE(call && parameters, CUDA_ERROR_INVALID_VALUE);
  *parameters = {call->function, call->data};
  return CUDA_SUCCESS;
}

//===-- changing --------------------------------------------------------------------------------------------------===//

/// The kind stays. What has been instantiated stays as it is.
template <typename Request> static CUresult change(CUgraphNode node, const Request *request) {
  DSCC_REQUIRE(state().graphNodes.count(node) && request, CUDA_ERROR_INVALID_VALUE);
  Operation operation;
  DSCC_TRY(makeOperation(*request, operation));
  DSCC_REQUIRE(operation.index() == node->operation.index(), CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(keepAttributes(node->operation, operation));
  node->operation = std::move(operation);
  return CUDA_SUCCESS;
}

#define DSCC_CHANGE(name, Request)                                                                                     \
  DSCC_EXPORT CUresult name(CUgraphNode node, Request *request) {                                                      \
    DSCC_ENTER(Context);                                                                                               \
    return change(node, request);                                                                                      \
  }

DSCC_CHANGE(cuGraphKernelNodeSetParams, const CUDA_KERNEL_NODE_PARAMS_v1)
DSCC_CHANGE(cuGraphKernelNodeSetParams_v2, const CUDA_KERNEL_NODE_PARAMS_v2)
DSCC_CHANGE(cuGraphMemcpyNodeSetParams, const CUDA_MEMCPY3D)
DSCC_CHANGE(cuGraphMemsetNodeSetParams, const CUDA_MEMSET_NODE_PARAMS)
DSCC_CHANGE(cuGraphHostNodeSetParams, const CUDA_HOST_NODE_PARAMS)
DSCC_CHANGE(cuGraphNodeSetParams, CUgraphNodeParams)

//===-- attributes of kernels -------------------------------------------------------------------------------------===//

namespace {
/// What a kernel's node may say, by CUlaunchAttributeID.
struct Attribute {
  int id;
  bool isRefusedIfSet;
};
} // namespace

static constexpr Attribute attributes[] = {
    {1, false},  // access policy window
    {2, true},   // cooperative
    {4, false},  // cluster dimension
    {5, false},  // cluster scheduling policy
    {8, false},  // priority
    {9, false},  // memory synchronization domain map
    {10, false}, // memory synchronization domain
    {11, true},  // preferred cluster dimension
    {13, true},  // that the device updates it
    {14, false}, // shared memory carveout
};

static const Attribute *findAttribute(int id) {
  auto found = llvm::find_if(attributes, [&](const Attribute &attribute) { return attribute.id == id; });
  return found == std::end(attributes) ? nullptr : found;
}

DSCC_EXPORT CUresult cuGraphKernelNodeGetAttribute(CUgraphNode node, int id, CUlaunchAttribute::Value *value) {
  DSCC_ENTER(Driver);
  const KernelCall *call = find<KernelCall>(node);
  DSCC_REQUIRE(call && value && findAttribute(id), CUDA_ERROR_INVALID_VALUE);
  auto found = call->attributes.find(id);
  std::memset(value, 0, sizeof(*value));
  if (found != call->attributes.end())
    *value = found->second;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphKernelNodeSetAttribute(CUgraphNode node, int id, const CUlaunchAttribute::Value *value) {
  DSCC_ENTER(Driver);
  const Attribute *known = findAttribute(id);
  DSCC_REQUIRE(find<KernelCall>(node) && value && known, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!known->isRefusedIfSet || !value->number, CUDA_ERROR_NOT_SUPPORTED);
  auto &call = std::get<KernelCall>(node->operation);
  if (id == clusterDimension)
    return setCluster(call, value->dims);
  call.attributes[id] = *value;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphKernelNodeCopyAttributes(CUgraphNode to, CUgraphNode from) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(find<KernelCall>(to) && find<KernelCall>(from), CUDA_ERROR_INVALID_VALUE);
  return keepAttributes(from->operation, to->operation);
}
