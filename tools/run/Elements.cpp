#include "tools/run/Elements.h"

#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

using namespace dscc::run;

static constexpr size_t cacheLine = 64; // bytes

namespace {
/// What the codes of a float below 32 bits beyond its finite numbers mean.
enum class Specials {
  Ieee,         // the largest exponent: infinity and NaN
  OneNan,       // only the code of all ones is NaN, there is no infinity ("FN")
  NegativeZero, // the code of minus zero is NaN ("FNUZ")
  None,
};

/// Sign, exponent and mantissa of a small float: IEEE 754's layout with other widths.
struct SmallFloat {
  int exponentBits, mantissaBits, bias;
  Specials specials;
};

enum class Kind { Integer, Unsigned, Float, Bool, Small, Exponent };

struct ElementType {
  int dtype;
  const char *descriptor;
  bool inNumpy; // false: the descriptor is the raw integer
  Kind kind;
  SmallFloat format;
  int randomBelow; // random integers are 0 .. randomBelow-1
};
} // namespace

// IEEE 754-2019; OCP 8-bit Floating Point Specification 1.0; OCP Microscaling Formats 1.0.
static const ElementType elementTypes[] = {
    {DSCC_FLOAT, "<f4", true, Kind::Float, {}, 0},
    {DSCC_DOUBLE, "<f8", true, Kind::Float, {}, 0},
    {DSCC_BOOL, "|b1", true, Kind::Bool, {}, 2},
    {DSCC_INT8, "|i1", true, Kind::Integer, {}, 8},
    {DSCC_INT16, "<i2", true, Kind::Integer, {}, 8},
    {DSCC_INT32, "<i4", true, Kind::Integer, {}, 8},
    {DSCC_INT64, "<i8", true, Kind::Integer, {}, 8},
    {DSCC_UINT8, "|u1", true, Kind::Unsigned, {}, 8},
    {DSCC_UINT16, "<u2", true, Kind::Unsigned, {}, 8},
    {DSCC_UINT32, "<u4", true, Kind::Unsigned, {}, 8},
    {DSCC_UINT64, "<u8", true, Kind::Unsigned, {}, 8},
    {DSCC_FLOAT16, "<f2", true, Kind::Small, {5, 10, 15, Specials::Ieee}, 0},
    {DSCC_BFLOAT16, "<u2", false, Kind::Small, {8, 7, 127, Specials::Ieee}, 0},
    {DSCC_FLOAT8E4M3FN, "|u1", false, Kind::Small, {4, 3, 7, Specials::OneNan}, 0},
    {DSCC_FLOAT8E4M3FNUZ, "|u1", false, Kind::Small, {4, 3, 8, Specials::NegativeZero}, 0},
    {DSCC_FLOAT8E5M2, "|u1", false, Kind::Small, {5, 2, 15, Specials::Ieee}, 0},
    {DSCC_FLOAT8E5M2FNUZ, "|u1", false, Kind::Small, {5, 2, 16, Specials::NegativeZero}, 0},
    {DSCC_FLOAT8E8M0, "|u1", false, Kind::Exponent, {}, 0},
    {DSCC_FLOAT4E2M1, "|u1", false, Kind::Small, {2, 1, 1, Specials::None}, 0},
    {DSCC_UINT4, "|u1", false, Kind::Unsigned, {}, 8},
    {DSCC_INT4, "|i1", false, Kind::Integer, {}, 8},
    {DSCC_UINT2, "|u1", false, Kind::Unsigned, {}, 4},
    {DSCC_INT2, "|i1", false, Kind::Integer, {}, 2},
};

static const ElementType *findType(int dtype) {
  for (const ElementType &type : elementTypes)
    if (type.dtype == dtype)
      return &type;
  return nullptr;
}

Bytes::Bytes(size_t size) : count(size) {
  if (size > std::numeric_limits<size_t>::max() - cacheLine)
    throw std::bad_alloc();
  size_t rounded = (size + cacheLine) / cacheLine * cacheLine; // at least one line, so never NULL
  memory.reset(static_cast<char *>(std::aligned_alloc(cacheLine, rounded)));
  if (!memory)
    throw std::bad_alloc();
  std::memset(memory.get(), 0, rounded);
}

dscc_buffer HostTensor::buffer() const {
  return {name.c_str(), dtype, static_cast<int>(dims.size()), dims.data(), bytes.data(), bytes.size(), 0};
}

int64_t HostTensor::elements() const {
  int64_t product = 1;
  for (int64_t dim : dims)
    product *= dim;
  return product;
}

const char *dscc::run::numpyDescriptor(int dtype) {
  const ElementType *type = findType(dtype);
  return type ? type->descriptor : nullptr;
}

int dscc::run::dtypeOfDescriptor(const std::string &descriptor) {
  for (const ElementType &type : elementTypes)
    if (type.inNumpy && descriptor == type.descriptor)
      return type.dtype;
  return 0;
}

bool dscc::run::countBytes(int dtype, const std::vector<int64_t> &dims, size_t &bytes) {
  int64_t product = static_cast<int64_t>(dscc_dtype_bytes(dtype));
  bool isEmpty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return false;
    isEmpty |= dim == 0;
    // Zero dims aside: the other dims of an empty tensor must multiply without overflow as well.
    if (__builtin_mul_overflow(product, dim == 0 ? 1 : dim, &product))
      return false;
  }
  bytes = isEmpty ? 0 : static_cast<size_t>(product);
  return true;
}

static double decodeSmall(unsigned code, const SmallFloat &format) {
  unsigned mantissa = code & ((1u << format.mantissaBits) - 1);
  unsigned largest = (1u << format.exponentBits) - 1;
  unsigned exponent = (code >> format.mantissaBits) & largest;
  bool negative = (code >> (format.mantissaBits + format.exponentBits)) & 1;
  if (format.specials == Specials::Ieee && exponent == largest)
    return mantissa ? NAN : negative ? -INFINITY : INFINITY;
  if (format.specials == Specials::OneNan && exponent == largest && mantissa == (1u << format.mantissaBits) - 1)
    return NAN;
  if (format.specials == Specials::NegativeZero && negative && exponent == 0 && mantissa == 0)
    return NAN;
  // A subnormal has no hidden one, and the exponent of the smallest normal number.
  double significand = exponent ? mantissa + (1 << format.mantissaBits) : mantissa;
  double value = std::ldexp(significand, static_cast<int>(exponent ? exponent : 1) - format.bias - format.mantissaBits);
  return negative ? -value : value;
}

/// The code for a value that is far from the largest one, rounded to the nearest.
static unsigned encodeSmall(double value, const SmallFloat &format) {
  unsigned largest = (2u << (format.exponentBits + format.mantissaBits - 1)) - 1;
  double size = std::fabs(value);
  // Codes without sign grow with their values: the greatest one not above the value, by halving.
  assert(std::isfinite(value) && "a code is looked for between two others");
  unsigned low = 0, high = largest;
  while (low < high) {
    unsigned middle = (low + high + 1) / 2;
    double candidate = decodeSmall(middle, format);
    if (candidate <= size)
      low = middle;
    else
      high = middle - 1;
  }
  double above = low < largest ? decodeSmall(low + 1, format) : INFINITY;
  if (std::isfinite(above) && above - size < size - decodeSmall(low, format))
    ++low;
  bool keepsSign = value < 0 && low != 0;
  return keepsSign ? low | (largest + 1) : low;
}

static uint64_t nextRandom(uint64_t &state) {
  // SplitMix64: G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
  state += 0x9e3779b97f4a7c15u;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

/// Above 0, at most 1.
static double nextUniform(uint64_t &state) { return static_cast<double>((nextRandom(state) >> 11) + 1) * 0x1p-53; }

/// Standard normal, by the transform of Box and Muller (1958).
static double nextNormal(uint64_t &state) {
  double radius = std::sqrt(-2 * std::log(nextUniform(state)));
  return radius * std::cos(2 * 3.14159265358979323846 * nextUniform(state));
}

template <typename Value> static void store(char *target, Value value) { std::memcpy(target, &value, sizeof(Value)); }

static void storeRandom(const ElementType &type, size_t width, char *target, uint64_t &state) {
  if (type.kind == Kind::Float && width == sizeof(float))
    return store(target, static_cast<float>(nextNormal(state)));
  if (type.kind == Kind::Float)
    return store(target, nextNormal(state));
  uint64_t code;
  if (type.kind == Kind::Small)
    code = encodeSmall(nextNormal(state), type.format);
  else if (type.kind == Kind::Exponent)
    code = 124 + nextRandom(state) % 8; // 2^-3 .. 2^4
  else
    code = nextRandom(state) % type.randomBelow;
  std::memcpy(target, &code, width); // the low bytes come first on x86
}

void dscc::run::fillWithRandom(HostTensor &tensor, uint64_t seed) {
  const ElementType *type = findType(tensor.dtype);
  size_t width = dscc_dtype_bytes(tensor.dtype);
  assert(type && width && "every type of the runtime has a row here");
  for (size_t offset = 0; offset + width <= tensor.bytes.size(); offset += width)
    storeRandom(*type, width, tensor.bytes.data() + offset, seed);
}

static double loadElement(const ElementType &type, size_t width, const char *source) {
  uint64_t code = 0;
  assert(width <= sizeof(code) && "an element has 8 bytes at most");
  std::memcpy(&code, source, width);
  switch (type.kind) {
  case Kind::Float: {
    if (width == sizeof(double)) {
      double value;
      std::memcpy(&value, source, sizeof(value));
      return value;
    }
    float value;
    std::memcpy(&value, source, sizeof(value));
    return value;
  }
  case Kind::Integer: {
    // The sign is in the top bit of the width.
    int shift = 64 - 8 * static_cast<int>(width);
    return static_cast<double>(static_cast<int64_t>(code << shift) >> shift);
  }
  case Kind::Small: return decodeSmall(static_cast<unsigned>(code), type.format);
  case Kind::Exponent: return code == 255 ? NAN : std::ldexp(1.0, static_cast<int>(code) - 127);
  case Kind::Unsigned:
  case Kind::Bool: return static_cast<double>(code);
  }
  return NAN;
}

Statistics dscc::run::computeStatistics(const HostTensor &tensor) {
  Statistics statistics{INFINITY, -INFINITY, 0, 0};
  const ElementType *type = findType(tensor.dtype);
  size_t width = dscc_dtype_bytes(tensor.dtype);
  int64_t count = 0;
  double sum = 0;
  assert(type && width && "every type of the runtime has a row here");
  for (size_t offset = 0; offset + width <= tensor.bytes.size(); offset += width) {
    double value = loadElement(*type, width, tensor.bytes.data() + offset);
    if (std::isnan(value)) {
      ++statistics.nans;
      continue;
    }
    statistics.min = std::fmin(statistics.min, value);
    statistics.max = std::fmax(statistics.max, value);
    sum += value;
    ++count;
  }
  if (count == 0)
    return {NAN, NAN, NAN, statistics.nans};
  statistics.mean = sum / static_cast<double>(count);
  return statistics;
}
