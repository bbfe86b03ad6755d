// Calls: through pointers, virtual, recursive; structs by value; assertions, printf, the heap.

#include <cassert>
#include <cstdio>

struct Segment {
  double begin, end;
  int parts;
  short tag;
};

using Function = float (*)(float, int);

__device__ __noinline__ float addTo(float x, int k) { return x + float(k); }
__device__ __noinline__ float timesBy(float x, int k) { return x * float(k); }
__device__ __noinline__ float powerOf(float x, int k) { return k ? x * powerOf(x, k - 1) : 1.0f; }
__device__ Function functions[3] = {addTo, timesBy, powerOf};

extern "C" __global__ void callThroughTable(const float *in, const int *which, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    out[i] = functions[which[i]](in[i], 3);
}

class Shape {
public:
  __device__ virtual float area() const = 0;
  __device__ virtual int corners() const { return 0; }
};
class Square : public Shape {
public:
  __device__ explicit Square(float side) : side(side) {}
  __device__ float area() const override { return side * side; }
  __device__ int corners() const override { return 4; }
  float side;
};
class Circle : public Shape {
public:
  __device__ explicit Circle(float radius) : radius(radius) {}
  __device__ float area() const override { return 3 * radius * radius; }
  float radius;
};

__device__ __noinline__ float describe(const Shape *shape) { return shape->area() + float(shape->corners()); }

extern "C" __global__ void callVirtual(const float *in, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  Square square(in[i]);
  Circle circle(in[i]);
  out[i] = i % 3 ? describe(&square) : describe(&circle);
}

/// As deep as `depth`, and without an end if that is negative.
extern "C" __global__ void descend(const float *in, float *out, int depth) {
  out[threadIdx.x] = powerOf(in[threadIdx.x], depth);
}

__device__ __noinline__ unsigned fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

__device__ __noinline__ int ackermann(int m, int n) {
  return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

extern "C" __global__ void recurse(const unsigned *in, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    out[2 * i] = fibonacci(in[i] % 15);
    out[2 * i + 1] = ackermann(2, in[i] % 6);
  }
}

__device__ __noinline__ Segment halve(Segment segment) {
  segment.end = (segment.begin + segment.end) / 2;
  segment.parts *= 2;
  segment.tag = short(segment.tag - 1);
  return segment;
}

extern "C" __global__ void passStructs(Segment first, const float3 offset, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  Segment segment = first;
  for (int k = 0; k < i % 5; ++k)
    segment = halve(segment);
  out[i] = float(segment.end - segment.begin) + segment.parts * offset.x + segment.tag * offset.y + offset.z;
}

/// A barrier and a shuffle behind a pointer: a thread needs a fiber to get there.
__device__ __noinline__ float swapInBlock(float x, int k) {
  __shared__ float values[64];
  values[threadIdx.x] = x;
  __syncthreads();
  return __shfl_xor_sync(0xffffffffu, values[63 - threadIdx.x], k);
}
__device__ Function exchange = swapInBlock;

extern "C" __global__ void callCollective(const float *in, float *out) {
  out[threadIdx.x] = exchange(in[threadIdx.x], 1);
}

extern "C" __global__ void assertBelow(const int *in, int *out, int bound) {
  assert(in[threadIdx.x] < bound);
  out[threadIdx.x] = in[threadIdx.x];
}

extern "C" __global__ void say(const int *in, long long wide, double real) {
  printf("%d of %s: %3d|%-4d|%04x, %lld, %.3f %c 100%%\n", int(threadIdx.x), "two", in[threadIdx.x], in[threadIdx.x],
         in[threadIdx.x], wide, real, 'x');
}

extern "C" __global__ void useHeap(int *out, int n) {
  int *values = new int[n];
  for (int i = 0; i < n; ++i)
    values[i] = i * int(threadIdx.x);
  int sum = 0;
  for (int i = 0; i < n; ++i)
    sum += values[i];
  delete[] values;
  out[threadIdx.x] = sum;
}

/// Thread 0 waits until all others have counted; nothing but the loop lets them.
extern "C" __global__ void waitInLoop(int *count, int *out) {
  if (threadIdx.x)
    atomicAdd(count, 1);
  else
    while (*(volatile int *)count < int(blockDim.x) - 1)
      ;
  out[threadIdx.x] = threadIdx.x ? -1 : *(volatile int *)count;
}
