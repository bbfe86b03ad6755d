// Sums by shuffles: f32, f64, int; and by the warp's own reductions.

template <typename T> __device__ T sumWarp(T value) {
  for (int offset = 16; offset; offset /= 2)
    value += __shfl_xor_sync(0xffffffffu, value, offset);
  return value;
}

template <typename T> __device__ void sumBlock(const T *in, T *out, int n) {
  __shared__ T sums[32];
  T value = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    value += in[i];
  value = sumWarp(value);
  if (threadIdx.x % 32 == 0)
    sums[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x < 32) {
    value = sumWarp(threadIdx.x < (blockDim.x + 31) / 32 ? sums[threadIdx.x] : T(0));
    if (threadIdx.x == 0)
      out[blockIdx.x] = value;
  }
}

extern "C" __global__ void sumFloats(const float *in, float *out, int n) { sumBlock(in, out, n); }
extern "C" __global__ void sumDoubles(const double *in, double *out, int n) { sumBlock(in, out, n); }
extern "C" __global__ void sumInts(const int *in, int *out, int n) { sumBlock(in, out, n); }
extern "C" __global__ void sumLongs(const long long *in, long long *out, int n) { sumBlock(in, out, n); }

/// One warp a block; the tail of the last one has exited before.
extern "C" __global__ void reduceWarps(const int *in, int *out, int n) {
  int i = blockIdx.x * 32 + threadIdx.x;
  unsigned mask = __ballot_sync(0xffffffffu, i < n);
  if (i >= n)
    return;
  int value = in[i];
  unsigned word = unsigned(value);
  int results[8] = {__reduce_add_sync(mask, value),      __reduce_min_sync(mask, value),
                    __reduce_max_sync(mask, value),      int(__reduce_min_sync(mask, word)),
                    int(__reduce_max_sync(mask, word)),  int(__reduce_and_sync(mask, word)),
                    int(__reduce_or_sync(mask, word)),   int(__reduce_xor_sync(mask, word))};
  for (int k = 0; k < 8; ++k)
    if (threadIdx.x == 0)
      out[blockIdx.x * 8 + k] = results[k];
}

/// The other shuffles, in segments of `width` lanes.
extern "C" __global__ void shuffles(const int *in, int *out, int width) {
  int lane = threadIdx.x, value = in[lane];
  out[lane] = __shfl_sync(0xffffffffu, value, 3, 8);
  out[32 + lane] = __shfl_up_sync(0xffffffffu, value, 2, 16);
  out[64 + lane] = __shfl_down_sync(0xffffffffu, value, 5, width);
  out[96 + lane] = __shfl_sync(0xffffffffu, value, value & 31, width);
}
