// Calls: through pointers, virtual, recursive; structs by value; assertions.

#include <cassert>

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

extern "C" __global__ void callCollective(const float *in, float *out) { out[threadIdx.x] = exchange(in[threadIdx.x], 1); }

extern "C" __global__ void assertBelow(const int *in, int *out, int bound) {
  assert(in[threadIdx.x] < bound);
  out[threadIdx.x] = in[threadIdx.x];
}
