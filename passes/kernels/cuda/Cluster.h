// Clusters: blocks that see each other's shared memory, on chips that have them.

#ifndef DSCC_PASSES_KERNELS_CUDA_CLUSTER_H
#define DSCC_PASSES_KERNELS_CUDA_CLUSTER_H

#include "passes/Journal.h"
#include "passes/kernels/KernelBuilder.h"

namespace dscc::kernels {

/// The most blocks of a cluster that every chip runs.
inline constexpr int64_t mostClusterBlocks = 8;

/// Whether a cluster of the target can have so many blocks; one block needs none.
Verdict hasClusterOf(const Target &target, int64_t blocks);
/// Every block of the cluster has written what it wrote to its shared memory before, and none goes on before.
void crossCluster(KernelBuilder &k);
/// The address in block number `block`, an i32, of the cluster that `place` is in this one's shared memory.
Value inBlockOfCluster(KernelBuilder &k, Value place, Value block);
Value inBlockOfCluster(KernelBuilder &k, Value place, int64_t block);

/// A pointer to this block's shared memory as one to any block's of its cluster, which bulk copies want: PTX 8.0 has no
/// other form.
Value anywhereInCluster(KernelBuilder &k, Value place);
/// This block's number in its cluster; an i32.
Value blockOfCluster(KernelBuilder &k);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_CLUSTER_H
