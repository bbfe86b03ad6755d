// Numbers of 16 bits, against LLVM's APFloat.

#include "passes/canonical/RoundFloat.h"

#include "llvm/ADT/APFloat.h"

#include <gtest/gtest.h>

using llvm::APFloat;
using llvm::APInt;

static uint16_t rounded(float value, const llvm::fltSemantics &semantics) {
  APFloat number(value);
  bool lost;
  number.convert(semantics, APFloat::rmNearestTiesToEven, &lost);
  return uint16_t(number.bitcastToAPInt().getZExtValue());
}

/// Each upper half of a float's bits with lower halves at and beside the ties of both types.
TEST(RoundFloat, RoundsLikeApFloat) {
  for (uint32_t upper = 0; upper < 0x10000; ++upper)
    for (uint32_t lower : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      uint32_t bits = upper << 16 | lower;
      float value = dscc::toFloat(bits);
      ASSERT_EQ(dscc::roundToF16(value), rounded(value, APFloat::IEEEhalf())) << std::hex << bits;
      ASSERT_EQ(dscc::roundToBf16(value), rounded(value, APFloat::BFloat())) << std::hex << bits;
    }
}

/// Subnormal halves: their ties lie at other bits for each exponent.
TEST(RoundFloat, RoundsSmallNumbersLikeApFloat) {
  for (uint32_t multiple = 0; multiple < 1u << 12; ++multiple)
    for (int beside : {-1, 0, 1}) {
      uint32_t bits = dscc::toBits(float(multiple) * 0x1p-26f) + (multiple ? beside : 0);
      float value = dscc::toFloat(bits);
      ASSERT_EQ(dscc::roundToF16(value), rounded(value, APFloat::IEEEhalf())) << std::hex << bits;
    }
}

TEST(RoundFloat, ReadsLikeApFloat) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    double half = APFloat(APFloat::IEEEhalf(), APInt(16, bits)).convertToDouble();
    double brain = APFloat(APFloat::BFloat(), APInt(16, bits)).convertToDouble();
    double ours[] = {dscc::fromF16(uint16_t(bits)), dscc::fromBf16(uint16_t(bits))};
    ASSERT_EQ(std::memcmp(&ours[0], &half, sizeof(half)), 0) << std::hex << bits;
    ASSERT_EQ(std::memcmp(&ours[1], &brain, sizeof(brain)), 0) << std::hex << bits;
  }
}
