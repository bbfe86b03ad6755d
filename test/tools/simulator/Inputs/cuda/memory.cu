// Ways to memory: read-only loads, volatile, constants, dynamic shared memory, local arrays, vectors, cache hints.

__constant__ float coefficients[8] = {0.5f, -1, 2, 0.25f, 3, -0.125f, 1, 4};
__constant__ int table[4][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
__device__ int counter = 5;
__device__ const int *pointers[2] = {&table[1][0], &counter};

/// A polynomial whose coefficients are constants, in a grid-stride loop.
extern "C" __global__ void polynomial(const float *__restrict__ in, float *__restrict__ out, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    float x = __ldg(&in[i]), sum = 0;
#pragma unroll 1
    for (int k = 7; k >= 0; --k)
      sum = fmaf(sum, x, coefficients[k]);
    out[i] = sum;
  }
}

extern "C" __global__ void lookUp(const int *in, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    out[i] = table[in[i] & 3][in[i] % 3] + *pointers[1] + pointers[0][2];
}

/// Sorts each block's values in dynamic shared memory: a power of two of them.
extern "C" __global__ void sortBlock(const int *in, int *out, int n) {
  extern __shared__ int values[];
  int own = threadIdx.x, i = blockIdx.x * blockDim.x + own;
  values[own] = i < n ? in[i] : 0x7fffffff;
  for (int size = 2; size <= blockDim.x; size *= 2)
    for (int stride = size / 2; stride; stride /= 2) {
      __syncthreads();
      int other = own ^ stride;
      if (other > own && (values[own] > values[other]) == !(own & size)) {
        int x = values[own];
        values[own] = values[other];
        values[other] = x;
      }
    }
  __syncthreads();
  if (i < n)
    out[i] = values[own];
}

/// An array that is indexed at run time lies in local memory.
extern "C" __global__ void digits(const unsigned *in, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned counts[10] = {};
  for (unsigned x = in[i]; x; x /= 10)
    ++counts[x % 10];
  unsigned code = 0;
#pragma unroll 1
  for (int k = 0; k < 10; ++k)
    code = code * 3 + counts[(k * 7 + i) % 10];
  out[i] = code;
}

/// Loads and stores of each width, with hints.
extern "C" __global__ void widths(const char *in, char *out, volatile int *last) {
  int i = threadIdx.x;
  ((int4 *)out)[i] = __ldcg((const int4 *)in + i);
  out += 16 * blockDim.x, in += 16 * blockDim.x;
  __stcs((double2 *)out + i, __ldcs((const double2 *)in + i));
  out += 16 * blockDim.x, in += 16 * blockDim.x;
  ((short4 *)out)[i] = __ldg((const short4 *)in + i);
  out += 8 * blockDim.x, in += 8 * blockDim.x;
  ((uchar4 *)out)[i] = ((const uchar4 *)in)[i];
  out += 4 * blockDim.x, in += 4 * blockDim.x;
  ((signed char *)out)[i] = (signed char)(in[i] >> 1);
  last[i] = last[i] + 1;
}

/// A switch that becomes a table of branches.
extern "C" __global__ void dispatch(const int *in, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  int x = in[i], y = i;
  switch (x % 8) {
  case 0: y = x * 3; break;
  case 1: y = x ^ i; break;
  case 2: y -= x; [[fallthrough]];
  case 3: y *= y; break;
  case 4: y = __popc(x); break;
  case 5: out[i] = -1; return;
  case 6: y = x / (i + 1); break;
  default: y = ~x;
  }
  out[i] = y;
}
