// Histograms: counted in shared memory and added to global memory by atomics, or by global atomics alone.
//
// BUG 1: shared counts grow without atomics. BUG 2: nothing between zeroing and counting. BUG 3: blocks add up without
// atomics. BUG 4: nobody has zeroed the counts.

constexpr int kBins = 64;

extern "C" __global__ void countShared(const unsigned char *in, unsigned *bins, int n) {
  __shared__ unsigned counts[kBins];
#if BUG != 4
  for (int i = threadIdx.x; i < kBins; i += blockDim.x)
    counts[i] = 0;
#endif
#if BUG != 2
  __syncthreads();
#endif
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
#if BUG == 1
    counts[in[i] % kBins] += 1;
#else
    atomicAdd(&counts[in[i] % kBins], 1u);
#endif
  __syncthreads();
  for (int i = threadIdx.x; i < kBins; i += blockDim.x)
#if BUG == 3
    bins[i] += counts[i];
#else
    atomicAdd(&bins[i], counts[i]);
#endif
}

#ifndef BUG
extern "C" __global__ void countGlobal(const unsigned char *in, unsigned *bins, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&bins[in[i] % kBins], 1u);
}

/// Every kind of atomic: results are those of any order.
extern "C" __global__ void combine(const int *in, int *ints, unsigned *words, unsigned long long *wide, float *single,
                                   double *twice, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  int x = in[i];
  atomicAdd(&ints[0], x);
  atomicSub(&ints[1], x);
  atomicMin(&ints[2], x);
  atomicMax(&ints[3], x);
  atomicMin(&words[0], unsigned(x));
  atomicMax(&words[1], unsigned(x));
  atomicAnd(&words[2], unsigned(x));
  atomicOr(&words[3], unsigned(x));
  atomicXor(&words[4], unsigned(x));
  atomicInc(&words[5], 6);
  atomicDec(&words[6], 4);
  atomicAdd(&wide[0], (unsigned long long)(long long)x);
  atomicMax(&wide[1], (unsigned long long)unsigned(x));
  atomicXor(&wide[2], 0x100000001ull * unsigned(x));
  atomicMin((long long *)&wide[3], (long long)x << 20);
  atomicAdd(single, float(x));
  atomicAdd(twice, double(x));
  // A product by compare and swap.
  unsigned old = words[7], seen;
  do {
    seen = old;
    old = atomicCAS(&words[7], seen, seen * (2 * unsigned(x) + 1));
  } while (old != seen);
  unsigned long long last = wide[4], known;
  do {
    known = last;
    last = atomicCAS(&wide[4], known, known + unsigned(x) % 7);
  } while (last != known);
}
#endif
