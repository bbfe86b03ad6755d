// Operations of one thread for which LLVM has no instruction with PTX's meaning.

#include "tools/simulator/exec/Rounding.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/SharedChecks.h"

#include "llvm/ADT/APFloat.h"

#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace dscc::sim {

static uint32_t permute(Lane *, uint32_t a, uint32_t b, uint32_t selector, int mode) {
  uint64_t bytes = a | uint64_t(b) << 32;
  uint32_t at = selector & 3, result = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    uint32_t pick, sign = 0;
    switch (mode) {
    case 1: pick = (at + i) & 7; break;           // f4e
    case 2: pick = (at - i) & 7; break;           // b4e
    case 3: pick = at; break;                     // rc8
    case 4: pick = std::max(i, at); break;        // ecl
    case 5: pick = std::min(i, at); break;        // ecr
    case 6: pick = (at & 1) * 2 + (i & 1); break; // rc16
    default:
      pick = selector >> (4 * i) & 7;
      sign = selector >> (4 * i) & 8;
      break;
    }
    uint32_t byte = bytes >> (8 * pick) & 255;
    if (sign)
      byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * i);
  }
  return result;
}

/// The n-th set bit of `mask` at or above `base`, or, for a negative n, at or below it; all ones if there is none.
static uint32_t findNthSet(Lane *, uint32_t mask, uint32_t base, int32_t n) {
  if (!n)
    return base < 32 && mask >> base & 1 ? base : ~0u;
  int32_t step = n < 0 ? -1 : 1, left = std::abs(n);
  for (int32_t at = int32_t(base & 31); at >= 0 && at < 32; at += step)
    if (mask >> at & 1 && !--left)
      return uint32_t(at);
  return ~0u;
}

static uint64_t extractUnsigned(Lane *, uint64_t value, uint32_t from, uint32_t length, uint32_t) {
  if (from >= 64 || !length)
    return 0;
  value >>= from;
  return length >= 64 ? value : value & ((uint64_t(1) << length) - 1);
}

/// Bits beyond the top are copies of the sign bit; so is what is above the field.
static uint64_t extractSigned(Lane *, uint64_t value, uint32_t from, uint32_t length, uint32_t bits) {
  if (!length)
    return 0;
  uint32_t top = std::min(from + length - 1, bits - 1);
  uint64_t sign = value >> top & 1 ? ~uint64_t(0) : 0;
  uint64_t field = from < bits ? value >> from : 0;
  uint32_t known = top >= from ? top - from + 1 : 0;
  uint64_t mask = known >= 64 ? ~uint64_t(0) : (uint64_t(1) << known) - 1;
  return (field & mask) | (sign & ~mask);
}

static uint64_t divideSigned(Lane *, int64_t x, int64_t y, uint32_t) {
  if (!y)
    return ~uint64_t(0);
  return y == -1 ? 0 - uint64_t(x) : uint64_t(x / y);
}
static uint64_t divideUnsigned(Lane *, uint64_t x, uint64_t y, uint32_t) { return y ? x / y : ~uint64_t(0); }
static uint64_t remainderSigned(Lane *, int64_t x, int64_t y, uint32_t) {
  if (!y)
    return uint64_t(x);
  return y == -1 ? 0 : uint64_t(x % y);
}
static uint64_t remainderUnsigned(Lane *, uint64_t x, uint64_t y, uint32_t) { return y ? x % y : x; }

static uint64_t saturateInteger(Lane *, uint64_t value, int isSigned, uint32_t bits, int toSigned) {
  __int128 wide = isSigned ? __int128(int64_t(value)) : __int128(value);
  __int128 least = toSigned ? -(__int128(1) << (bits - 1)) : 0,
           most = (__int128(1) << (toSigned ? bits - 1 : bits)) - 1;
  return uint64_t(int64_t(std::max(least, std::min(most, wide))));
}

/// Roundings: to zero (0), down (1), up (2), to nearest (3). Formats: f16 (0), bf16 (1), f32 (2), f64 (3).
static llvm::APFloat::roundingMode roundingOf(int mode) {
  static constexpr llvm::APFloat::roundingMode modes[] = {llvm::APFloat::rmTowardZero, llvm::APFloat::rmTowardNegative,
                                                          llvm::APFloat::rmTowardPositive,
                                                          llvm::APFloat::rmNearestTiesToEven};
  return modes[mode];
}
static const llvm::fltSemantics &formatOf(int format) {
  static const llvm::fltSemantics *const formats[] = {&llvm::APFloat::IEEEhalf(), &llvm::APFloat::BFloat(),
                                                      &llvm::APFloat::IEEEsingle(), &llvm::APFloat::IEEEdouble()};
  return *formats[format];
}

static uint32_t narrow(Lane *, double value, int format, int mode) {
  llvm::APFloat number(value);
  bool lost;
  number.convert(formatOf(format), roundingOf(mode), &lost);
  return uint32_t(number.bitcastToAPInt().getZExtValue());
}

static uint64_t roundInteger(Lane *, uint64_t value, int isSigned, int format, int mode) {
  llvm::APFloat number(formatOf(format));
  number.convertFromAPInt(llvm::APInt(64, value), isSigned, roundingOf(mode));
  return number.bitcastToAPInt().getZExtValue();
}

/// cvt.rn.satfinite: what is too large, infinity too, becomes the largest number; NaN stays.
static uint32_t encodeFloat8(float value, int format, int isRelu) {
  const llvm::fltSemantics &semantics = format == 0 ? llvm::APFloat::Float8E4M3FN() : llvm::APFloat::Float8E5M2();
  if (isRelu && value <= 0)
    value = 0; // -0 too
  if (std::isnan(value))
    return 0x7f;
  float largest = llvm::APFloat::getLargest(semantics).convertToFloat();
  if (std::fabs(value) >= largest)
    value = std::copysign(largest, value);
  llvm::APFloat number(value);
  bool lost;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &lost);
  if (!number.isFinite())
    number = llvm::APFloat::getLargest(semantics, std::signbit(value));
  return uint32_t(number.bitcastToAPInt().getZExtValue());
}

static uint32_t toFloat8(Lane *, float upper, float lower, int format, int isRelu) {
  return encodeFloat8(upper, format, isRelu) << 8 | encodeFloat8(lower, format, isRelu);
}

static uint32_t fromFloat8(Lane *, uint32_t pair, int format, int isRelu) {
  uint32_t result = 0;
  for (int i = 0; i < 2; ++i) {
    llvm::APFloat number(format == 0 ? llvm::APFloat::Float8E4M3FN() : llvm::APFloat::Float8E5M2(),
                         llvm::APInt(8, pair >> (8 * i) & 255));
    bool lost;
    number.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven, &lost);
    if (isRelu && number.isNegative() && !number.isNaN())
      number = llvm::APFloat::getZero(llvm::APFloat::IEEEhalf());
    uint32_t bits = number.isNaN() ? 0x7fff : uint32_t(number.bitcastToAPInt().getZExtValue());
    result |= bits << (16 * i);
  }
  return result;
}

/// Volatile, so that no arithmetic moves across the change of the rounding mode.
template <typename T, typename Compute> static T withRounding(int mode, T x, T y, T z, Compute compute) {
  volatile T a = x, b = y, c = z, result;
  {
    Rounding rounding(mode);
    result = compute(a, b, c);
  }
  return result;
}

#define DSCC_ROUNDED(name, expression)                                                                                 \
  static float name##F32(Lane *, float x, float y, float z, int mode) {                                                \
    return withRounding<float>(mode, x, y, z, [](float a, float b, float c) -> float {                                 \
      (void)b, (void)c;                                                                                                \
      return expression;                                                                                               \
    });                                                                                                                \
  }                                                                                                                    \
  static double name##F64(Lane *, double x, double y, double z, int mode) {                                            \
    return withRounding<double>(mode, x, y, z, [](double a, double b, double c) -> double {                            \
      (void)b, (void)c;                                                                                                \
      return expression;                                                                                               \
    });                                                                                                                \
  }
DSCC_ROUNDED(add, a + b)
DSCC_ROUNDED(sub, a - b)
DSCC_ROUNDED(mul, a *b)
DSCC_ROUNDED(div, a / b)
DSCC_ROUNDED(fma, std::fma(a, b, c))
DSCC_ROUNDED(sqrt, std::sqrt(a))
#undef DSCC_ROUNDED

// What LLVM calls where the processor has no instruction: compiler-rt's functions, which the process may lack. Of
// floats of 16 bits both come back in a vector register, and so does a _Float16.
static uint16_t narrowTo(double value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool lost;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &lost);
  return uint16_t(number.bitcastToAPInt().getZExtValue());
}
static _Float16 doubleToHalf(double value) {
  return std::bit_cast<_Float16>(narrowTo(value, llvm::APFloat::IEEEhalf()));
}
static _Float16 floatToHalf(float value) { return std::bit_cast<_Float16>(narrowTo(value, llvm::APFloat::IEEEhalf())); }
static _Float16 doubleToBfloat(double value) {
  return std::bit_cast<_Float16>(narrowTo(value, llvm::APFloat::BFloat()));
}
static _Float16 floatToBfloat(float value) { return std::bit_cast<_Float16>(narrowTo(value, llvm::APFloat::BFloat())); }

/// A subnormal number becomes a zero of its sign.
static uint32_t flush(uint32_t bits) { return bits << 1 >> 24 ? bits : bits & 1u << 31; }

/// add.f32 of atom and red, which keep subnormal numbers in shared memory only. The result is what was there.
static uint32_t addAtomically(Lane *lane, char *address, uint32_t value, int isGeneric) {
  bool keeps = isGeneric && findSharedOwner(*lane, address);
  auto seen = [&](uint32_t bits) { return keeps ? bits : flush(bits); };
  std::atomic_ref<uint32_t> word(*reinterpret_cast<uint32_t *>(address));
  uint32_t before = word.load(), after;
  do
    after = std::bit_cast<uint32_t>(std::bit_cast<float>(seen(before)) + std::bit_cast<float>(seen(value)));
  while (!word.compare_exchange_weak(before, seen(after)));
  return before;
}

llvm::ArrayRef<Callee> scalarCallees() {
#define DSCC_ROW(name, function)                                                                                       \
  {                                                                                                                    \
    name, reinterpret_cast<void *>(function)                                                                           \
  }
  static const Callee list[] = {
      DSCC_ROW("dscc_sim_fns", findNthSet),
      DSCC_ROW("dscc_sim_atomic_add", addAtomically),
      DSCC_ROW("dscc_sim_prmt", permute),
      DSCC_ROW("dscc_sim_bfe_u", extractUnsigned),
      DSCC_ROW("dscc_sim_bfe_s", extractSigned),
      DSCC_ROW("dscc_sim_div_s", divideSigned),
      DSCC_ROW("dscc_sim_div_u", divideUnsigned),
      DSCC_ROW("dscc_sim_rem_s", remainderSigned),
      DSCC_ROW("dscc_sim_rem_u", remainderUnsigned),
      DSCC_ROW("dscc_sim_saturate", saturateInteger),
      DSCC_ROW("dscc_sim_narrow", narrow),
      DSCC_ROW("dscc_sim_round_integer", roundInteger),
      DSCC_ROW("dscc_sim_to_float8", toFloat8),
      DSCC_ROW("dscc_sim_from_float8", fromFloat8),
      DSCC_ROW("dscc_sim_add_f32", addF32),
      DSCC_ROW("dscc_sim_add_f64", addF64),
      DSCC_ROW("dscc_sim_sub_f32", subF32),
      DSCC_ROW("dscc_sim_sub_f64", subF64),
      DSCC_ROW("dscc_sim_mul_f32", mulF32),
      DSCC_ROW("dscc_sim_mul_f64", mulF64),
      DSCC_ROW("dscc_sim_div_f32", divF32),
      DSCC_ROW("dscc_sim_div_f64", divF64),
      DSCC_ROW("dscc_sim_fma_f32", fmaF32),
      DSCC_ROW("dscc_sim_fma_f64", fmaF64),
      DSCC_ROW("dscc_sim_sqrt_f32", sqrtF32),
      DSCC_ROW("dscc_sim_sqrt_f64", sqrtF64),
      DSCC_ROW("__truncdfhf2", doubleToHalf),
      DSCC_ROW("__truncsfhf2", floatToHalf),
      DSCC_ROW("__truncdfbf2", doubleToBfloat),
      DSCC_ROW("__truncsfbf2", floatToBfloat),
  };
#undef DSCC_ROW
  return list;
}

} // namespace dscc::sim
