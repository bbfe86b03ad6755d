// Inclusive scans: of blocks, whose sums further launches add; and in one pass, where a block waits for the one before.
//
// BUG 1: no barrier between the warps' sums and their reader. BUG 2: the bound takes one element more.
// BUG 3: half a warp shuffles with the mask of a whole one. BUG 4: the other lanes of the warp do not take part.

constexpr int kThreads = 256;

__device__ int scanWarp(int value, int lane) {
  for (int offset = 1; offset < 32; offset *= 2) {
    int other = __shfl_up_sync(0xffffffffu, value, offset);
    if (lane >= offset)
      value += other;
  }
  return value;
}

/// Each thread's inclusive sum, and in `total` the block's.
__device__ int scanBlock(int value, int *total) {
  __shared__ int sums[kThreads / 32];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  value = scanWarp(value, lane);
  if (lane == 31)
    sums[warp] = value;
#if BUG != 1
  __syncthreads();
#endif
  if (warp == 0) {
    int sum = lane < kThreads / 32 ? sums[lane] : 0;
#if BUG == 3
    if (lane < 16)
      sum = scanWarp(sum, lane);
#elif BUG == 4
    if (lane < 8)
      sum += __shfl_xor_sync(0xffu, sum, 8);
#else
    sum = scanWarp(sum, lane);
#endif
    if (lane < kThreads / 32)
      sums[lane] = sum;
  }
  __syncthreads();
  *total = sums[kThreads / 32 - 1];
  return warp ? value + sums[warp - 1] : value;
}

extern "C" __global__ void scanBlocks(const int *in, int *out, int *totals, int n) {
  int i = blockIdx.x * kThreads + threadIdx.x, total;
#if BUG == 2
  int value = scanBlock(i <= n ? in[i] : 0, &total);
#else
  int value = scanBlock(i < n ? in[i] : 0, &total);
#endif
  if (i < n)
    out[i] = value;
  if (threadIdx.x == 0)
    totals[blockIdx.x] = total;
}

#ifndef BUG
/// One block: the sums of the blocks before each.
extern "C" __global__ void scanTotals(int *totals, int blocks) {
  int carry = 0;
  for (int begin = 0; begin < blocks; begin += kThreads) {
    int i = begin + threadIdx.x, total;
    int own = i < blocks ? totals[i] : 0, value = scanBlock(own, &total);
    if (i < blocks)
      totals[i] = carry + value - own;
    carry += total;
    __syncthreads();
  }
}

extern "C" __global__ void addTotals(int *out, const int *totals, int n) {
  int i = blockIdx.x * kThreads + threadIdx.x;
  if (i < n)
    out[i] += totals[blockIdx.x];
}

/// Block numbers are drawn in the order in which blocks begin, so that a block waits for running ones only.
extern "C" __global__ void scanChained(const int *in, int *out, volatile int *sums, int *flags, int *ticket, int n) {
  __shared__ int block, before;
  if (threadIdx.x == 0)
    block = atomicAdd(ticket, 1);
  __syncthreads();
  int i = block * kThreads + threadIdx.x, total;
  int value = scanBlock(i < n ? in[i] : 0, &total);
  if (threadIdx.x == 0) {
    int sum = 0;
    if (block) {
      while (atomicAdd(&flags[block - 1], 0) == 0)
        __nanosleep(20);
      __threadfence();
      sum = sums[block - 1];
    }
    sums[block] = sum + total;
    __threadfence();
    atomicExch(&flags[block], 1);
    before = sum;
  }
  __syncthreads();
  if (i < n)
    out[i] = value + before;
}
#endif
