// Bits: counts, shifts of pairs, permutations of bytes, products of bytes, SIMD in a word. A row of `out` an operation.

#define ROW(expression) out[row++ * n + i] = unsigned(expression)

extern "C" __global__ void words(const unsigned *in, const unsigned *second, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  unsigned x = in[i], y = second[i];
  ROW(__brev(x));
  ROW(__popc(x));
  ROW(__ffs(x));
  ROW(__clz(x));
  ROW(__funnelshift_l(x, y, y & 63));
  ROW(__funnelshift_r(x, y, y & 63));
  ROW(__funnelshift_lc(x, y, y & 63));
  ROW(__funnelshift_rc(x, y, y & 63));
  ROW(__byte_perm(x, y, x >> 8 & 0x7777));
  ROW(__dp4a(int(x), int(y), 7));
  ROW(__dp4a(x, y, 7u));
  ROW(__dp2a_lo(int(x), int(y), 7));
  ROW(__dp2a_hi(x, y, 7u));
  ROW(__sad(int(x), int(y), 5));
  ROW(__usad(x, y, 5));
  ROW((x & y) ^ (~x | 0x0f0f0f0f));
  ROW(__mulhi(int(x), int(y)));
  ROW(__umulhi(x, y));
  ROW(__mul24(int(x), int(y)));
  ROW(__umul24(x, y));
  ROW(__hadd(int(x), int(y)));
  ROW(__rhadd(int(x), int(y)));
  ROW(__uhadd(x, y));
  ROW(__vadd4(x, y));
  ROW(__vabsdiffu4(x, y));
  ROW(__vmaxs2(x, y));
  ROW(__vcmpgtu4(x, y));
  ROW(__vavgu4(x, y));
  ROW(__fns(x | 1, 0, 2));
}

extern "C" __global__ void wideWords(const unsigned long long *in, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  unsigned long long x = in[i], reversed = __brevll(x);
  ROW(reversed);
  ROW(reversed >> 32);
  ROW(__popcll(x));
  ROW(__ffsll(x));
  ROW(__clzll(x));
}

/// What no function of C++ makes: by hand.
extern "C" __global__ void inlined(const unsigned *in, const unsigned *second, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, row = 0;
  if (i >= n)
    return;
  unsigned x = in[i], y = second[i], z;
  asm("bfe.u32 %0, %1, 5, 9;" : "=r"(z) : "r"(x));
  ROW(z);
  asm("bfe.s32 %0, %1, %2, 9;" : "=r"(z) : "r"(x), "r"(y & 31));
  ROW(z);
  asm("bfi.b32 %0, %1, %2, 4, 20;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("bfind.u32 %0, %1;" : "=r"(z) : "r"(x));
  ROW(z);
  asm("bfind.shiftamt.s32 %0, %1;" : "=r"(z) : "r"(x));
  ROW(z);
  asm("lop3.b32 %0, %1, %2, 0x12345678, 0xe8;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("prmt.b32.f4e %0, %1, %2, 3;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("prmt.b32.b4e %0, %1, %2, 1;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("prmt.b32.rc8 %0, %1, %2, 2;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("prmt.b32.ecl %0, %1, %2, 2;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("prmt.b32.ecr %0, %1, %2, 1;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("prmt.b32.rc16 %0, %1, %2, 1;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("szext.wrap.s32 %0, %1, %2;" : "=r"(z) : "r"(x), "r"(y & 31));
  ROW(z);
  asm("szext.clamp.u32 %0, %1, %2;" : "=r"(z) : "r"(x), "r"(y & 63));
  ROW(z);
  asm("bmsk.clamp.b32 %0, %1, %2;" : "=r"(z) : "r"(x & 31), "r"(y & 31));
  ROW(z);
  asm("cvt.pack.sat.s16.s32 %0, %1, %2;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("cvt.pack.sat.u8.s32.b32 %0, %1, %2, %3;" : "=r"(z) : "r"(x >> 20), "r"(int(y) >> 22), "r"(x));
  ROW(z);
  asm("vabsdiff.s32.u32.s32.sat %0, %1, %2;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("vadd.u32.u32.u32.add %0, %1.b0, %2.b3, %1;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("vmax.s32.s32.s32 %0, %1.h1, %2.h0;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("vshl.u32.u32.u32.wrap %0, %1, %2;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("vset.u32.s32.gt %0, %1, %2;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
  asm("vmad.s32.s32.s32 %0, %1.h0, %2.b1, %2;" : "=r"(z) : "r"(x), "r"(y));
  ROW(z);
}
