// A pipeline of asynchronous copies with two buffers: the sum of neighbours in tiles.
//
// BUG 1: nobody waits for the copies. BUG 2: no barrier after the wait. BUG 3: the buffer is overwritten while others
// still read it.

#include <cuda_pipeline.h>

constexpr int kThreads = 128, kDepth = 2;

/// out[i] = in[i] + in of the mirrored place of i's tile; n is a multiple of the tile's size.
extern "C" __global__ void addMirrored(const float4 *in, float4 *out, int tiles) {
  __shared__ float4 buffers[kDepth][kThreads];
  int own = threadIdx.x;
  auto fetch = [&](int tile) {
    if (tile < tiles)
      __pipeline_memcpy_async(&buffers[tile % kDepth][own], &in[tile * kThreads + own], sizeof(float4));
    __pipeline_commit();
  };
  fetch(0);
  for (int tile = 0; tile < tiles; ++tile) {
    fetch(tile + 1);
#if BUG != 1
    __pipeline_wait_prior(1);
#endif
#if BUG != 2
    __syncthreads();
#endif
    float4 x = buffers[tile % kDepth][own], y = buffers[tile % kDepth][kThreads - 1 - own];
    out[tile * kThreads + own] = make_float4(x.x + y.w, x.y + y.z, x.z + y.y, x.w + y.x);
#if BUG != 3
    __syncthreads();
#endif
  }
}

#ifndef BUG
/// Copies of 4 and 8 bytes, and zeros beyond `n`.
extern "C" __global__ void copyPadded(const float *in, float *out, int n) {
  __shared__ float single[kThreads];
  __shared__ __align__(16) float quads[4 * kThreads];
  int own = threadIdx.x;
  __pipeline_memcpy_async(&single[own], &in[own < n ? own : 0], 4, own < n ? 0 : 4);
  int first = 4 * own, left = n - first, valid = left < 0 ? 0 : left > 4 ? 4 : left;
  __pipeline_memcpy_async(&quads[first], &in[valid ? first : 0], 16, 16 - 4 * valid);
  __pipeline_commit();
  __pipeline_wait_prior(0);
  __syncthreads();
  out[own] = single[kThreads - 1 - own];
  for (int i = 0; i < 4; ++i)
    out[kThreads + i * kThreads + own] = quads[i * kThreads + own];
}
#endif
