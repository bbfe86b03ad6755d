/* What generated code may call. Built for x86-64-v3 into an object inside the compiler, from which the linker takes
 * what an artifact needs (Link.cpp), and for NVPTX into LLVM bitcode, linked likewise (DeviceCode.cpp). The compiler
 * computes constants with it as well, as C++ (MathFunctions.cpp).
 * Single-precision functions that models use in earnest are polynomials inside the kernels (LowerMath.cpp); these here
 * are for double precision and for the rare ones.
 *
 * Errors are a few units in the last place, but for pow, whose relative error grows with |y log x| up to 1e-13.
 */

#include <stddef.h>
#include <stdint.h>

/* Tests build this with visible symbols. */
#ifndef HIDDEN
#define HIDDEN __attribute__((visibility("hidden")))
#endif

#ifdef __x86_64__
/* No AVX here: the host code of CUDA programs calls these on any x86-64. */
HIDDEN void *memcpy(void *to, const void *from, size_t bytes) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
  return result;
}

HIDDEN void *memset(void *to, int value, size_t bytes) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return result;
}

HIDDEN void *memmove(void *to, const void *from, size_t bytes) {
  if ((uintptr_t)to - (uintptr_t)from >= bytes)
    return memcpy(to, from, bytes);
  char *last = (char *)to + bytes - 1;
  const char *source = (const char *)from + bytes - 1;
  __asm__ volatile("std; rep movsb; cld" : "+D"(last), "+S"(source), "+c"(bytes) : : "memory");
  return to;
}
#endif

/* ---- bits ---- */

static uint64_t bits(double x) { return __builtin_bit_cast(uint64_t, x); }
static double from_bits(uint64_t x) { return __builtin_bit_cast(double, x); }
static double magnitude(double x) { return from_bits(bits(x) & ~(1ull << 63)); }
static double with_sign(double x, double sign) { return from_bits(bits(magnitude(x)) | (bits(sign) & (1ull << 63))); }
static int is_nan(double x) { return x != x; }

static const double infinity = __builtin_inf();
static const double not_a_number = __builtin_nan("");

static double power_of_two(int k) { return from_bits((uint64_t)(1023 + k) << 52); }

/* x * 2^k, |k| < 3069, in steps of which only the last can round. */
static double scale(double x, int k) {
  int third = k / 3;
  return x * power_of_two(third) * power_of_two(third) * power_of_two(k - 2 * third);
}

/* The exponent of the highest bit; x is positive and finite. */
static int exponent_of(double x) {
  return x < 0x1p-1022 ? (int)(bits(x * 0x1p54) >> 52) - 1023 - 54 : (int)(bits(x) >> 52) - 1023;
}

/* ---- exponentials ---- */

static const double ln2_high = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;

/* exp(r) - 1 for |r| <= ln(2)/2: the Taylor series to r^14 / 14! < 1e-17. */
static double expm1_reduced(double r) {
  double sum = 1.0 / 87178291200;
  static const double inverse_factorials[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                                              1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                                              1.0 / 120,        1.0 / 24,        1.0 / 6,        1.0 / 2};
  for (int i = 0; i < 12; ++i)
    sum = __builtin_fma(sum, r, inverse_factorials[i]);
  return __builtin_fma(sum * r, r, r);
}

HIDDEN double exp(double x) {
  if (is_nan(x))
    return x;
  if (x > 710)
    return infinity;
  if (x < -746)
    return 0;
  double k = __builtin_rint(x * 0x1.71547652b82fep0);
  double r = __builtin_fma(-k, ln2_low, __builtin_fma(-k, ln2_high, x));
  return scale(1 + expm1_reduced(r), (int)k);
}

HIDDEN double exp2(double x) {
  if (is_nan(x))
    return x;
  if (x >= 1025)
    return infinity;
  if (x < -1080)
    return 0;
  double k = __builtin_rint(x);
  return scale(1 + expm1_reduced((x - k) * ln2_high), (int)k);
}

HIDDEN double expm1(double x) {
  if (magnitude(x) <= 0.34)
    return expm1_reduced(x);
  return exp(x) - 1;
}

/* ---- logarithms ---- */

/* x = 2^result * *mantissa, the mantissa in [sqrt(1/2), sqrt(2)). x is positive and finite. */
static int split(double x, double *mantissa) {
  int exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  uint64_t word = bits(x);
  exponent += (int)(word >> 52) - 1023;
  double m = from_bits((word & 0xfffffffffffffull) | 0x3ff0000000000000ull);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  *mantissa = m;
  return exponent;
}

/* log(m) = 2 atanh(f), f = (m - 1) / (m + 1), |f| < 0.172. */
static double log_mantissa(double m) {
  double f = (m - 1) / (m + 1), square = f * f, sum = 0;
  for (int n = 25; n >= 3; n -= 2)
    sum = __builtin_fma(sum, square, 1.0 / n);
  return 2 * __builtin_fma(sum * square, f, f);
}

static int log_special(double x, double *result) {
  if (x > 0 && x < infinity)
    return 0;
  *result = is_nan(x) || x == infinity ? x : x == 0 ? -infinity : not_a_number;
  return 1;
}

HIDDEN double log(double x) {
  double m, result;
  if (log_special(x, &result))
    return result;
  int e = split(x, &m);
  return __builtin_fma(e, ln2_high, __builtin_fma(e, ln2_low, log_mantissa(m)));
}

HIDDEN double log2(double x) {
  double m, result;
  if (log_special(x, &result))
    return result;
  int e = split(x, &m);
  return e + log_mantissa(m) * 1.4426950408889634;
}

HIDDEN double log10(double x) { return log(x) * 0.43429448190325183; }

/* Kahan: the rounding error of 1 + x is undone by the quotient. */
HIDDEN double log1p(double x) {
  double sum = 1 + x;
  if (sum == 1 || sum == infinity)
    return x;
  return log(sum) * (x / (sum - 1));
}

/* ---- powers ---- */

static double power_by_squaring(double x, unsigned n) {
  double result = 1;
  for (; n; n >>= 1, x *= x)
    if (n & 1)
      result *= x;
  return result;
}

HIDDEN double pow(double x, double y) {
  if (y == 0 || x == 1)
    return 1;
  if (is_nan(x) || is_nan(y))
    return x + y;
  double whole = __builtin_trunc(y);
  int is_integer = whole == y;
  int is_odd = is_integer && magnitude(y) < 0x1p53 && ((int64_t)y & 1);
  /* Exact where a product is: integers to small powers, powers of two. */
  if (is_integer && magnitude(y) <= 1024) {
    double power = power_by_squaring(x, (unsigned)magnitude(y));
    if (y > 0)
      return power;
    if (x == 0 || magnitude(power) < infinity)
      return 1 / power;
  }
  if (x < 0 && !is_integer && x != -infinity)
    return not_a_number;
  double base = magnitude(x), result;
  if (base == 1)
    result = 1;
  else if (magnitude(y) == infinity)
    result = (base > 1) == (y > 0) ? infinity : 0;
  else
    result = exp(y * log(base));
  return x < 0 && is_odd ? -result : result;
}

HIDDEN double cbrt(double x) {
  if (x == 0 || is_nan(x) || magnitude(x) == infinity)
    return x;
  double root = exp(log(magnitude(x)) / 3);
  root -= (root * root * root - magnitude(x)) / (3 * root * root);
  return with_sign(root, x);
}

/* ---- circular functions ---- */

/* 2/pi: 64 bits a word, the first of weight 1/2. */
static const uint64_t two_over_pi[] = {0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
                                       0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
                                       0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
                                       0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
                                       0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};

static uint64_t word_of_two_over_pi(int bit) {
  int index = bit >> 6, shift = bit & 63;
  uint64_t high = index >= 0 ? two_over_pi[index] : 0, low = index >= -1 ? two_over_pi[index + 1] : 0;
  return shift ? high << shift | low >> (64 - shift) : high;
}

/* The same for |x| >= 2^29, exactly (Payne and Hanek): x is m 2^e, and of m 2^e 2/pi only the bits below 4 count, which
 * are those of m times 192 bits of 2/pi from the one of weight 2^(1-e) on. */
static double reduce_large(double x, int *quadrant) {
  uint64_t word = bits(x), m = (word & 0xfffffffffffffull) | 1ull << 52;
  int first = (int)(word >> 52 & 0x7ff) - 1075 - 2;
  unsigned __int128 low = (unsigned __int128)m * word_of_two_over_pi(first + 128);
  unsigned __int128 middle = (unsigned __int128)m * word_of_two_over_pi(first + 64) + (uint64_t)(low >> 64);
  uint64_t high = m * word_of_two_over_pi(first) + (uint64_t)(middle >> 64), next = (uint64_t)middle;
  /* Two bits of turns, then the rest; from one half on it is counted back from the next quarter. */
  int quarter = (int)(high >> 62);
  int64_t rest = (int64_t)(high << 2 | next >> 62);
  quarter += rest < 0;
  double part = (double)rest * 0x1p-64 + (double)(next << 2 | (uint64_t)low >> 62) * 0x1p-128;
  double r = part * 0x1.921fb54442d18p0;
  *quadrant = (x < 0 ? -quarter : quarter) & 3;
  return x < 0 ? -r : r;
}

/* x - k pi/2, with k mod 4 in *quadrant. pi/2 in three parts, 159 bits in all. */
static double reduce(double x, int *quadrant) {
  if (magnitude(x) >= 0x1p29)
    return reduce_large(x, quadrant);
  double k = __builtin_rint(x * 0x1.45f306dc9c883p-1);
  *quadrant = (int)k & 3;
  double r = __builtin_fma(-k, 0x1.921fb54442d18p0, x);
  r = __builtin_fma(-k, 0x1.1a62633145c07p-54, r);
  return __builtin_fma(-k, -0x1.f1976b7ed8fbcp-110, r);
}

static double sin_reduced(double r) {
  double square = r * r, sum = 0;
  for (int n = 19; n >= 3; n -= 2)
    sum = (1 - sum) * square / (n * (n - 1));
  return r - r * sum;
}

static double cos_reduced(double r) {
  double square = r * r, sum = 0;
  for (int n = 18; n >= 2; n -= 2)
    sum = (1 - sum) * square / (n * (n - 1));
  return 1 - sum;
}

static double sin_of_quadrant(double r, int quadrant) {
  double value = quadrant & 1 ? cos_reduced(r) : sin_reduced(r);
  return quadrant & 2 ? -value : value;
}

HIDDEN double sin(double x) {
  if (!(magnitude(x) < infinity))
    return not_a_number;
  int quadrant;
  double r = reduce(x, &quadrant);
  return sin_of_quadrant(r, quadrant);
}

HIDDEN double cos(double x) {
  if (!(magnitude(x) < infinity))
    return not_a_number;
  int quadrant;
  double r = reduce(x, &quadrant);
  return sin_of_quadrant(r, quadrant + 1);
}

HIDDEN double tan(double x) { return sin(x) / cos(x); }

/* atan(x) = atan(k/8) + atan((x - k/8) / (1 + x k/8)) for 0 <= x <= 1; the last argument is below 1/16. */
static double atan_unit(double x) {
  static const double of_eighths[] = {0,
                                      0.12435499454676144,
                                      0.24497866312686414,
                                      0.35877067027057225,
                                      0.46364760900080615,
                                      0.5585993153435624,
                                      0.6435011087932844,
                                      0.7188299996216245,
                                      0.7853981633974483};
  int k = (int)(x * 8 + 0.5);
  double t = (x - k * 0.125) / (1 + x * (k * 0.125)), square = t * t, sum = 0;
  for (int n = 17; n >= 3; n -= 2)
    sum = (1.0 / n - sum) * square;
  return of_eighths[k] + (t - t * sum);
}

HIDDEN double atan(double x) {
  if (is_nan(x))
    return x;
  double size = magnitude(x);
  double angle = size > 1 ? 1.5707963267948966 - atan_unit(1 / size) : atan_unit(size);
  return with_sign(angle, x);
}

HIDDEN double asin(double x) { return atan(x / __builtin_sqrt((1 - x) * (1 + x))); }
HIDDEN double acos(double x) { return 2 * atan(__builtin_sqrt((1 - x) / (1 + x))); }

HIDDEN double atan2(double y, double x) {
  if (is_nan(x) || is_nan(y))
    return x + y;
  if (x == 0 && y == 0)
    return with_sign(bits(x) >> 63 ? 3.141592653589793 : 0, y);
  int both_infinite = magnitude(x) == infinity && magnitude(y) == infinity;
  double angle = atan(both_infinite ? 1 : magnitude(y / x));
  return with_sign(bits(x) >> 63 ? 3.141592653589793 - angle : angle, y);
}

/* ---- hyperbolic functions ---- */

HIDDEN double sinh(double x) {
  double size = magnitude(x);
  if (size > 700) {
    double root = exp(size / 2);
    return with_sign(root / 2 * root, x);
  }
  double e = expm1(size);
  return with_sign((e + e / (e + 1)) / 2, x);
}

HIDDEN double cosh(double x) {
  double root = exp(magnitude(x) / 2);
  return root / 2 * root + 0.5 / root / root;
}

HIDDEN double tanh(double x) {
  double size = magnitude(x);
  if (size > 20)
    return with_sign(1, x);
  double e = expm1(2 * size);
  return with_sign(e / (e + 2), x);
}

HIDDEN double asinh(double x) {
  double size = magnitude(x);
  if (size > 0x1p500)
    return with_sign(log(size) + ln2_high, x);
  return with_sign(log1p(size + size * size / (1 + __builtin_sqrt(size * size + 1))), x);
}

HIDDEN double acosh(double x) {
  double t = x - 1;
  if (t < 0)
    return not_a_number;
  if (x > 0x1p500)
    return log(x) + ln2_high;
  return log1p(t + __builtin_sqrt(2 * t + t * t));
}

HIDDEN double atanh(double x) { return with_sign(0.5 * log1p(2 * magnitude(x) / (1 - magnitude(x))), x); }

/* erf(x) = 2/sqrt(pi) exp(-x^2) (x + 2 x^3 / 3 + 4 x^5 / 15 + ...): all terms have one sign, nothing cancels. */
HIDDEN double erf(double x) {
  double size = magnitude(x);
  if (is_nan(x))
    return x;
  if (size > 6)
    return with_sign(1, x);
  double term = size, sum = size;
  for (int n = 3; term > 1e-17 * sum; n += 2) {
    term *= 2 * size * size / n;
    sum += term;
  }
  return with_sign(1.1283791670955126 * exp(-size * size) * sum, x);
}

/* ---- remainders and rounding ---- */

/* Exact: long division of the mantissas, one bit a step. */
HIDDEN double fmod(double x, double y) {
  double size = magnitude(x), divisor = magnitude(y);
  if (is_nan(x) || is_nan(y) || size == infinity || divisor == 0)
    return not_a_number;
  if (divisor == infinity || size < divisor)
    return x;
  for (int k = exponent_of(size) - exponent_of(divisor); k >= 0; --k) {
    double part = scale(divisor, k);
    if (part <= size)
      size -= part;
  }
  return with_sign(size, x);
}

#ifdef __x86_64__
/* To odd: the last bit tells that something was cut off, so that the second rounding is right. */
static float to_float_odd(double x) {
  float nearest = (float)x;
  if ((double)nearest == x || is_nan(x) || magnitude(x) > 0x1.fffffep127)
    return nearest;
  uint32_t word = __builtin_bit_cast(uint32_t, nearest);
  if (magnitude((double)nearest) > magnitude(x))
    --word;
  return __builtin_bit_cast(float, word | 1);
}

HIDDEN _Float16 __truncdfhf2(double x) { return (_Float16)to_float_odd(x); }
#endif

#define IN_SINGLE_PRECISION(name)                                                                                      \
  HIDDEN float name##f(float x) { return (float)name(x); }
IN_SINGLE_PRECISION(exp)
IN_SINGLE_PRECISION(exp2)
IN_SINGLE_PRECISION(expm1)
IN_SINGLE_PRECISION(log)
IN_SINGLE_PRECISION(log2)
IN_SINGLE_PRECISION(log10)
IN_SINGLE_PRECISION(log1p)
IN_SINGLE_PRECISION(cbrt)
IN_SINGLE_PRECISION(sin)
IN_SINGLE_PRECISION(cos)
IN_SINGLE_PRECISION(tan)
IN_SINGLE_PRECISION(asin)
IN_SINGLE_PRECISION(acos)
IN_SINGLE_PRECISION(atan)
IN_SINGLE_PRECISION(sinh)
IN_SINGLE_PRECISION(cosh)
IN_SINGLE_PRECISION(tanh)
IN_SINGLE_PRECISION(asinh)
IN_SINGLE_PRECISION(acosh)
IN_SINGLE_PRECISION(atanh)
IN_SINGLE_PRECISION(erf)
HIDDEN float powf(float x, float y) { return (float)pow(x, y); }
HIDDEN float atan2f(float y, float x) { return (float)atan2(y, x); }
HIDDEN float fmodf(float x, float y) { return (float)fmod(x, y); }
