// Numbers of 16 bits from and to float, by their bits: all weights of a model may go through here.

#ifndef DSCC_PASSES_CANONICAL_ROUNDFLOAT_H
#define DSCC_PASSES_CANONICAL_ROUNDFLOAT_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace dscc {

/// The float with these bits.
inline float toFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
/// The bits of a float.
inline uint32_t toBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// The nearest bfloat16, ties to even; a NaN keeps its sign and the head of its payload, and is quiet.
inline uint16_t roundToBf16(float value) {
  uint32_t bits = toBits(value);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return uint16_t((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded);
}

/// The nearest half, ties to even; a NaN as for bfloat16. All cases are computed, so that loops over it have no branch.
inline uint16_t roundToF16(float value) {
  uint32_t bits = toBits(value), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
  uint32_t rebased = size - ((127 - 15) << 23);
  uint32_t half = (rebased + 0xfff + (rebased >> 13 & 1)) >> 13;
  // Below 2^-14 halves are multiples of 2^-24, as floats around 1/2 are: the sum rounds.
  uint32_t subnormal = toBits(toFloat(size) + 0.5f) - toBits(0.5f);
  half = size < 0x38800000 ? subnormal : half;
  // 2^16; what is less and too large has become infinity by the carry above.
  half = size >= 0x47800000 ? 0x7c00 : half;
  half = size > 0x7f800000 ? 0x7e00 | (size >> 13 & 0x3ff) : half;
  return uint16_t(sign | half);
}

/// The value of a bfloat16; exact. A NaN becomes quiet.
inline float fromBf16(uint16_t bits) {
  float value = toFloat(uint32_t(bits) << 16);
  return std::isnan(value) ? toFloat(toBits(value) | 0x400000) : value;
}

/// The value of a half; exact. A NaN becomes quiet.
inline float fromF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, size = bits & 0x7fff;
  if (size >= 0x7c00)
    return toFloat(sign | 0x7f800000 | (size & 0x3ff) << 13 | (size > 0x7c00 ? 0x400000 : 0));
  // With the exponent taken for a float's the number is too small by 2^112; the product is exact for subnormals too.
  float value = toFloat(size << 13) * 0x1p112f;
  return toFloat(sign | toBits(value));
}

} // namespace dscc

#endif // DSCC_PASSES_CANONICAL_ROUNDFLOAT_H
