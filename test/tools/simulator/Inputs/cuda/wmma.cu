// Products of matrices by nvcuda::wmma: a warp a tile, in each shape, type and layout.
//
// BUG 1: the warp does not meet between its stores to shared memory and wmma's loads.

#include <mma.h>

using namespace nvcuda;

/// C = A * B + C with whole tiles: `columnA` and `columnB` say which are stored by columns.
template <int M, int N, int K, typename In, typename Sum, typename Stored, bool columnA, bool columnB>
__device__ void multiply(const Stored *a, const Stored *b, Sum *c, int m, int n, int k) {
  using LayoutA = typename std::conditional<columnA, wmma::col_major, wmma::row_major>::type;
  using LayoutB = typename std::conditional<columnB, wmma::col_major, wmma::row_major>::type;
  wmma::fragment<wmma::matrix_a, M, N, K, In, LayoutA> partA;
  wmma::fragment<wmma::matrix_b, M, N, K, In, LayoutB> partB;
  wmma::fragment<wmma::accumulator, M, N, K, Sum> sum, start;
  int row = blockIdx.y * M, column = blockIdx.x * N;
  wmma::fill_fragment(sum, Sum(0));
#pragma unroll 1
  for (int i = 0; i < k; i += K) {
    wmma::load_matrix_sync(partA, columnA ? a + i * m + row : a + row * k + i, columnA ? m : k);
    wmma::load_matrix_sync(partB, columnB ? b + column * k + i : b + i * n + column, columnB ? k : n);
    wmma::mma_sync(sum, partA, partB, sum);
  }
  wmma::load_matrix_sync(start, c + row * n + column, n, wmma::mem_row_major);
  for (int i = 0; i < sum.num_elements; ++i)
    sum.x[i] += start.x[i];
  wmma::store_matrix_sync(c + row * n + column, sum, n, wmma::mem_row_major);
}

#define KERNEL(name, M, N, K, In, Sum, Stored, columnA, columnB)                                                        \
  extern "C" __global__ void name(const Stored *a, const Stored *b, Sum *c, int m, int n, int k) {                      \
    multiply<M, N, K, In, Sum, Stored, columnA, columnB>(a, b, c, m, n, k);                                             \
  }

#ifndef BUG
KERNEL(halfRowCol, 16, 16, 16, half, float, half, false, true)
KERNEL(halfRowRow, 16, 16, 16, half, float, half, false, false)
KERNEL(halfColCol, 16, 16, 16, half, float, half, true, true)
KERNEL(halfTall, 32, 8, 16, half, float, half, false, true)
KERNEL(halfWide, 8, 32, 16, half, float, half, true, false)
KERNEL(halfSum, 16, 16, 16, half, half, half, false, true)
KERNEL(bfloatRowCol, 16, 16, 16, __nv_bfloat16, float, __nv_bfloat16, false, true)
KERNEL(bfloatColRow, 8, 32, 16, __nv_bfloat16, float, __nv_bfloat16, true, false)
KERNEL(signedBytes, 16, 16, 16, signed char, int, signed char, false, true)
KERNEL(bytes, 32, 8, 16, unsigned char, int, unsigned char, true, true)
KERNEL(doubles, 8, 8, 4, double, double, double, false, true)
KERNEL(tensorFloats, 16, 16, 8, wmma::precision::tf32, float, float, false, true)

/// C = A * B + C at the ends of the range, without and with saturation.
extern "C" __global__ void saturated(const signed char *a, const signed char *b, const int *c, int *wrapped, int *clamped) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> partA;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::row_major> partB;
  wmma::fragment<wmma::accumulator, 16, 16, 16, int> start, sum;
  wmma::load_matrix_sync(partA, a, 16);
  wmma::load_matrix_sync(partB, b, 16);
  wmma::load_matrix_sync(start, c, 16, wmma::mem_row_major);
  wmma::mma_sync(sum, partA, partB, start);
  wmma::store_matrix_sync(wrapped, sum, 16, wmma::mem_row_major);
  wmma::mma_sync(sum, partA, partB, start, true);
  wmma::store_matrix_sync(clamped, sum, 16, wmma::mem_row_major);
}
#endif

/// A tile by way of shared memory, with its sums stored by columns.
extern "C" __global__ void throughShared(const half *a, const half *b, float *c, int n) {
  __shared__ __align__(32) half tileA[16 * 24], tileB[16 * 24];
  __shared__ __align__(32) float tileC[16 * 20];
  for (int i = threadIdx.x; i < 256; i += 32) {
    tileA[i / 16 * 24 + i % 16] = a[i / 16 * n + i % 16];
    tileB[i / 16 * 24 + i % 16] = b[i / 16 * n + i % 16];
  }
#if BUG != 1
  __syncwarp();
#endif
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> partA;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> partB;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(sum, 1.0f);
  wmma::load_matrix_sync(partA, tileA, 24);
  wmma::load_matrix_sync(partB, tileB, 24);
  wmma::mma_sync(sum, partA, partB, sum);
  wmma::store_matrix_sync(tileC, sum, 20, wmma::mem_col_major);
  __syncwarp();
  for (int i = threadIdx.x; i < 256; i += 32)
    c[i / 16 * n + i % 16] = tileC[i % 16 * 20 + i / 16];
}
