// 64 and 128 bits: high halves, carries, division.

using Wide = unsigned __int128;
using SignedWide = __int128;

#define ROW(expression) out[row++ * n + i] = (unsigned long long)(expression)
#define WIDE_ROW(expression)                                                                                            \
  do {                                                                                                                  \
    Wide value = Wide(expression);                                                                                      \
    ROW(value);                                                                                                         \
    ROW(value >> 64);                                                                                                   \
  } while (0)

extern "C" __global__ void longs(const long long *in, const long long *second, unsigned long long *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  long long x = in[i], y = second[i] | 1;
  unsigned long long ux = x, uy = y;
  ROW(__mul64hi(x, y));
  ROW(__umul64hi(ux, uy));
  ROW(x / y);
  ROW(x % y);
  ROW(ux / uy);
  ROW(ux % uy);
  ROW(x >> (uy & 63));
  ROW(ux << (uy & 63));
  ROW(x / 1000003);
  ROW(int(x) / 7 + int(y) % 10);
}

extern "C" __global__ void wides(const unsigned long long *in, const unsigned long long *second, unsigned long long *out,
                                 int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  unsigned long long x = in[i], y = second[i];
  Wide a = Wide(x) << 64 | y, b = Wide(y) << 32 | x;
  WIDE_ROW(a + b);
  WIDE_ROW(a - b);
  WIDE_ROW(a * b);
  WIDE_ROW(a << (x & 127));
  WIDE_ROW(a >> (y & 127));
  WIDE_ROW(SignedWide(a) >> (y & 127));
  ROW(a < b);
  ROW(SignedWide(a) < SignedWide(b));
}

extern "C" __global__ void divideWides(const unsigned long long *in, const unsigned long long *second,
                                       unsigned long long *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  Wide a = Wide(in[i]) << 64 | second[i], b = Wide(second[i] >> 40) << 64 | in[i] | 1;
  WIDE_ROW(a / b);
  WIDE_ROW(a % b);
}

/// 256-bit sums, differences and products by chains of carries.
extern "C" __global__ void chains(const unsigned *in, const unsigned *second, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned a[4], b[4], sum[5], difference[5], product[8] = {};
  for (int k = 0; k < 4; ++k)
    a[k] = in[4 * i + k], b[k] = second[4 * i + k];
  asm("add.cc.u32 %0, %5, %9;\n\taddc.cc.u32 %1, %6, %10;\n\taddc.cc.u32 %2, %7, %11;\n\taddc.cc.u32 %3, %8, %12;\n\t"
      "addc.u32 %4, 0, 0;"
      : "=r"(sum[0]), "=r"(sum[1]), "=r"(sum[2]), "=r"(sum[3]), "=r"(sum[4])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]));
  asm("sub.cc.u32 %0, %5, %9;\n\tsubc.cc.u32 %1, %6, %10;\n\tsubc.cc.u32 %2, %7, %11;\n\tsubc.cc.u32 %3, %8, %12;\n\t"
      "subc.u32 %4, 0, 0;"
      : "=r"(difference[0]), "=r"(difference[1]), "=r"(difference[2]), "=r"(difference[3]), "=r"(difference[4])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]));
  for (int k = 0; k < 4; ++k) {
    // Low halves into places k to k+3, then high halves one place up.
    asm("mad.lo.cc.u32 %0, %5, %9, %0;\n\tmadc.lo.cc.u32 %1, %6, %9, %1;\n\tmadc.lo.cc.u32 %2, %7, %9, %2;\n\t"
        "madc.lo.cc.u32 %3, %8, %9, %3;\n\taddc.u32 %4, %4, 0;"
        : "+r"(product[k]), "+r"(product[k + 1]), "+r"(product[k + 2]), "+r"(product[k + 3]), "+r"(product[k + 4])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[k]));
    asm("mad.hi.cc.u32 %0, %4, %8, %0;\n\tmadc.hi.cc.u32 %1, %5, %8, %1;\n\tmadc.hi.cc.u32 %2, %6, %8, %2;\n\t"
        "madc.hi.u32 %3, %7, %8, %3;"
        : "+r"(product[k + 1]), "+r"(product[k + 2]), "+r"(product[k + 3]), "+r"(product[k + 4])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[k]));
  }
  for (int k = 0; k < 5; ++k)
    out[18 * i + k] = sum[k], out[18 * i + 5 + k] = difference[k];
  for (int k = 0; k < 8; ++k)
    out[18 * i + 10 + k] = product[k];
}
