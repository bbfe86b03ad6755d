// From the parameters of a node to its operation. CUDA_ERROR_INVALID_VALUE for what cannot be a node.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_GRAPHNODES_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_GRAPHNODES_H

#include "tools/simulator/driver/Operations.h"

namespace dscc::sim {

/// Makes the operation of a node of the request's kind; `operation` counts only if all is well.
CUresult makeOperation(const CUDA_KERNEL_NODE_PARAMS_v1 &request, Operation &operation);
/// The kernel and the context count only where the request names no function.
CUresult makeOperation(const CUDA_KERNEL_NODE_PARAMS_v2 &request, Operation &operation);
CUresult makeOperation(const CUDA_MEMCPY3D &request, Operation &operation);
CUresult makeOperation(const CUDA_MEMSET_NODE_PARAMS &request, Operation &operation);
CUresult makeOperation(const CUDA_HOST_NODE_PARAMS &request, Operation &operation);

CUresult makeOperation(const CUDA_MEMCPY_NODE_PARAMS &request, Operation &operation);
CUresult makeOperation(const CUDA_MEMSET_NODE_PARAMS_v2 &request, Operation &operation);
/// Of the kind that it names.
CUresult makeOperation(const CUgraphNodeParams &request, Operation &operation);

/// Refuses edges that are more than an order; null is as many plain ones.
CUresult checkEdges(const CUgraphEdgeData *edges, size_t count);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_GRAPHNODES_H
