// Arithmetic of half2 and bfloat162, comparisons and conversions. A row of `out` an operation.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define ROW(expression) out[row++ * n + i] = expression

extern "C" __global__ void halves(const half2 *in, const half2 *second, half2 *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  half2 x = in[i], y = second[i];
  ROW(__hadd2(x, y));
  ROW(__hsub2(x, y));
  ROW(__hmul2(x, y));
  ROW(__hfma2(x, y, x));
  ROW(__h2div(x, y));
  ROW(__hmin2(x, y));
  ROW(__hmax2(x, y));
  ROW(__habs2(x));
  ROW(__hneg2(x));
  ROW(__hadd2_sat(x, y));
  ROW(__hgt2(x, y));
  ROW(h2sqrt(__habs2(x)));
  ROW(h2exp2(y));
  ROW(h2floor(x));
  ROW(__hfma2_relu(x, y, x));
  ROW(__lowhigh2highlow(x));
}

extern "C" __global__ void bfloats(const __nv_bfloat162 *in, const __nv_bfloat162 *second, __nv_bfloat162 *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  __nv_bfloat162 x = in[i], y = second[i];
  ROW(__hadd2(x, y));
  ROW(__hsub2(x, y));
  ROW(__hmul2(x, y));
  ROW(__hfma2(x, y, x));
  ROW(__hmin2(x, y));
  ROW(__hmax2(x, y));
  ROW(__habs2(x));
  ROW(__hneg2(x));
  ROW(__hge2(x, y));
  ROW(h2sqrt(__habs2(x)));
}

/// Single halves, and ways between the types.
extern "C" __global__ void convert(const float *in, half *halves, __nv_bfloat16 *bfloats, int *ints, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float x = in[i];
  half h = __float2half_rn(x);
  halves[i] = h;
  halves[n + i] = __float2half_rz(x);
  halves[2 * n + i] = __float2half_ru(x);
  halves[3 * n + i] = h * h + __int2half_rn(i);
  bfloats[i] = __float2bfloat16_rn(x);
  bfloats[n + i] = __float2bfloat16_rz(x);
  bfloats[2 * n + i] = __float2bfloat16_rn(x) * __float2bfloat16_rn(0.5f);
  bfloats[3 * n + i] = __hmax(__float2bfloat16_rn(x), __float2bfloat16_rn(-1.0f));
  ints[i] = __half2int_rd(h);
  ints[n + i] = __half2int_rn(h);
  ints[2 * n + i] = __float2int_ru(x);
  ints[3 * n + i] = int(__double2ll_rn(double(x) * 1e6));
  ints[4 * n + i] = __hisnan(h) || __hlt(h, __float2half_rn(0.0f));
  ints[5 * n + i] = __float_as_int(__int2float_rz(0x7fffffff - i));
}
