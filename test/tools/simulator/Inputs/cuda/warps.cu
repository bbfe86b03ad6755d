// Votes, matches, barriers that count, and atomics that a warp makes as one.

/// One atomic for all lanes that came here; places are dense, their order is not said.
extern "C" __global__ void filterPositive(const int *in, int *out, int *count, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || in[i] <= 0)
    return;
  unsigned active = __activemask(), below;
  asm("mov.u32 %0, %%lanemask_lt;" : "=r"(below));
  int leader = __ffs(active) - 1, lane = threadIdx.x % 32, base = 0;
  if (lane == leader)
    base = atomicAdd(count, __popc(active));
  base = __shfl_sync(active, base, leader);
  out[base + __popc(active & below)] = in[i];
}

/// One atomic for all lanes with the same key.
extern "C" __global__ void countKeys(const int *keys, int *counts, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned mask = __ballot_sync(0xffffffffu, i < n);
  if (i >= n)
    return;
  int key = keys[i];
  unsigned same = __match_any_sync(mask, key);
  if (threadIdx.x % 32 == __ffs(same) - 1)
    atomicAdd(&counts[key], __popc(same));
}

/// Rows of out: any, all, uni-like by match_all, ballot, equal 64-bit values.
extern "C" __global__ void votes(const long long *in, unsigned *out) {
  int lane = threadIdx.x, isEqual;
  long long value = in[lane];
  out[lane] = __any_sync(0xffffffffu, value > 10);
  out[32 + lane] = __all_sync(0xffffffffu, value > 10);
  out[64 + lane] = __match_all_sync(0xffffffffu, int(value >> 32), &isEqual);
  out[96 + lane] = isEqual;
  out[128 + lane] = __ballot_sync(0xffffffffu, value & 1);
  out[160 + lane] = __match_any_sync(0xffffffffu, value);
  if (lane & 1)
    out[192 + lane] = __ballot_sync(0xaaaaaaaau, value & 2);
  else
    out[192 + lane] = __ballot_sync(0x55555555u, value & 2);
}

/// For each block: how many are even, whether all are positive, whether any is above 90.
extern "C" __global__ void countBlock(const int *in, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, value = i < n ? in[i] : 2;
  int even = __syncthreads_count(i < n && value % 2 == 0);
  int positive = __syncthreads_and(value > 0);
  int large = __syncthreads_or(value > 90);
  if (threadIdx.x == 0) {
    out[3 * blockIdx.x] = even;
    out[3 * blockIdx.x + 1] = positive != 0;
    out[3 * blockIdx.x + 2] = large != 0;
  }
}
