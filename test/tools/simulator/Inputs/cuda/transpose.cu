// A transpose by tiles of 32 x 32 in shared memory, with a column of padding.
//
// BUG 1: no barrier. BUG 2: the bound of rows takes one more. BUG 3: the tile has no room for its last row.

constexpr int kTile = 32, kRows = 8;

extern "C" __global__ void transpose(const float *in, float *out, int rows, int columns) {
#if BUG == 3
  __shared__ float tile[kTile - 1][kTile + 1];
#else
  __shared__ float tile[kTile][kTile + 1];
#endif
  int x = blockIdx.x * kTile + threadIdx.x, y = blockIdx.y * kTile + threadIdx.y;
#if BUG == 2
  int bound = rows + 1;
#else
  int bound = rows;
#endif
  for (int j = 0; j < kTile; j += kRows)
    if (x < columns && y + j < bound)
      tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * columns + x];
#if BUG != 1
  __syncthreads();
#endif
  x = blockIdx.y * kTile + threadIdx.x, y = blockIdx.x * kTile + threadIdx.y;
  for (int j = 0; j < kTile; j += kRows)
    if (x < rows && y + j < columns)
      out[(y + j) * rows + x] = tile[threadIdx.x][threadIdx.y + j];
}
