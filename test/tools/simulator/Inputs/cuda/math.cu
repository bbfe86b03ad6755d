// Functions of <math.h>, in f32 and f64. A row of `out` a function. Built twice: as they are, and with -use_fast_math.

#define ROW(expression) out[row++ * n + i] = expression

extern "C" __global__ void floats(const float *in, const float *second, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  float x = in[i], y = second[i], magnitude = fabsf(x);
  ROW(sinf(x));
  ROW(cosf(x));
  ROW(expf(x));
  ROW(logf(magnitude));
  ROW(powf(magnitude, y));
  ROW(tanhf(x));
  ROW(erff(x));
  ROW(sqrtf(magnitude));
  ROW(rsqrtf(magnitude));
  ROW(x / y);
  ROW(__fdividef(x, y));
  ROW(fmodf(x, y));
  ROW(atan2f(x, y));
  ROW(floorf(x) + truncf(y));
  ROW(__saturatef(x));
  ROW(fmaf(x, y, x));
  ROW(log1pf(magnitude));
  ROW(exp10f(y));
  ROW(cbrtf(x));
  ROW(rintf(x));
}

#ifndef FAST
extern "C" __global__ void doubles(const double *in, const double *second, double *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  double x = in[i], y = second[i], magnitude = fabs(x);
  ROW(sin(x));
  ROW(cos(x));
  ROW(exp(y));
  ROW(log(magnitude));
  ROW(sqrt(magnitude));
  ROW(fma(x, y, x));
  ROW(x / y);
  ROW(1 / x);
  ROW(rsqrt(magnitude));
  ROW(erf(y));
  ROW(tanh(y));
  ROW(pow(magnitude, y / 4));
  ROW(__dadd_rd(x, y));
  ROW(__dmul_ru(x, y));
  ROW(__ddiv_rz(x, y));
  ROW(__dsqrt_ru(magnitude));
}
#endif
