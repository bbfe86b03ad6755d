// Sums over a cluster: the block of rank 0 reads what the others hold in shared memory.
//
// BUG 1: no cluster.sync before the others' memory is read. BUG 2: none after it, so that a block may have ended.

#include <cooperative_groups.h>

namespace cg = cooperative_groups;

constexpr int kThreads = 64;

extern "C" __global__ void __cluster_dims__(4, 1, 1) sumCluster(const float *in, float *out, int n) {
  __shared__ float sums[kThreads];
  cg::cluster_group cluster = cg::this_cluster();
  int i = blockIdx.x * kThreads + threadIdx.x;
  sums[threadIdx.x] = i < n ? in[i] : 0;
#if BUG != 1
  cluster.sync();
#endif
  if (cluster.block_rank() == 0) {
    float sum = 0;
    for (unsigned rank = 0; rank < cluster.num_blocks(); ++rank)
      sum += cluster.map_shared_rank(sums, rank)[threadIdx.x];
    out[blockIdx.x / 4 * kThreads + threadIdx.x] = sum;
  }
#if BUG != 2
  cluster.sync();
#endif
}

#ifndef BUG
/// Each block passes its values on to the next of the cluster, around, and counts in rank 0's memory.
extern "C" __global__ void __cluster_dims__(2, 1, 1) rotateCluster(const int *in, int *out, int *counts) {
  __shared__ int inbox[kThreads];
  __shared__ int count;
  cg::cluster_group cluster = cg::this_cluster();
  if (threadIdx.x == 0)
    count = 0;
  cluster.sync();
  unsigned next = (cluster.block_rank() + 1) % cluster.num_blocks();
  cluster.map_shared_rank(inbox, next)[threadIdx.x] = in[blockIdx.x * kThreads + threadIdx.x];
  if (in[blockIdx.x * kThreads + threadIdx.x] % 3 == 0)
    atomicAdd(cluster.map_shared_rank(&count, 0), 1);
  cluster.sync();
  out[blockIdx.x * kThreads + threadIdx.x] = inbox[threadIdx.x];
  if (cluster.block_rank() == 0 && threadIdx.x == 0)
    counts[blockIdx.x / 2] = count;
}
#endif
