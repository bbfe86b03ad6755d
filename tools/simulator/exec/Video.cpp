// The video instructions: arithmetic on the bytes and halves of a word.
//
//     parts of a and b ── sign or zero ──► 64 bits ── operation ──► saturate ──► into c, or joined with c

#include "tools/simulator/exec/Video.h"

#include "tools/simulator/exec/Runtime.h"

#include <algorithm>

namespace dscc::sim {

static int64_t extend(uint64_t value, unsigned bits, bool isSigned) {
  value &= (uint64_t(1) << bits) - 1;
  return isSigned && value >> (bits - 1) ? int64_t(value) - (int64_t(1) << bits) : int64_t(value);
}

static bool holds(VideoComparison comparison, int64_t a, int64_t b) {
  switch (comparison) {
  case CompareEq: return a == b;
  case CompareNe: return a != b;
  case CompareLt: return a < b;
  case CompareLe: return a <= b;
  case CompareGt: return a > b;
  case CompareGe: return a >= b;
  }
  return false;
}

/// Wider than any sum of a product.
using Wide = __int128;

static Wide compute(const VideoForm &form, int64_t a, int64_t b, int64_t c) {
  // Counts of 32 and more, clamped to 32, shift everything out.
  auto count = [&] { return form.isWrapping ? b & 31 : std::min<int64_t>(uint32_t(b), 32); };
  switch (form.operation) {
  case VideoAdd: return a + b;
  case VideoSubtract: return a - b;
  case VideoDifference: return a < b ? b - a : a - b;
  case VideoMin: return std::min(a, b);
  case VideoMax: return std::max(a, b);
  case VideoAverage: return (a + b + (a + b >= 0)) >> 1;
  case VideoShiftLeft: return Wide(a) * (Wide(1) << count());
  case VideoShiftRight: return a >> count();
  case VideoMultiplyAdd: {
    Wide product = Wide(a) * b, addend = c;
    return ((form.isProductNegated ? -product : product) + (form.isAddendNegated ? -addend : addend) +
            form.isPlusOne) >>
           form.shift;
  }
  case VideoCompare: return holds(form.comparison, a, b);
  }
  return 0;
}

static Wide saturate(Wide value, unsigned bits, bool isSigned) {
  Wide least = isSigned ? -(Wide(1) << (bits - 1)) : 0;
  return std::clamp(value, least, (Wide(1) << (isSigned ? bits - 1 : bits)) - 1);
}

static uint32_t merge(uint32_t into, int64_t value, unsigned part, unsigned bits) {
  uint64_t mask = ((uint64_t(1) << bits) - 1) << (part * bits);
  return uint32_t((into & ~mask) | ((uint64_t(value) << (part * bits)) & mask));
}

static uint32_t combine(VideoSecond second, int64_t value, uint32_t c, bool isSigned) {
  int64_t other = isSigned ? int64_t(int32_t(c)) : int64_t(c), own = extend(uint64_t(value), 32, isSigned);
  switch (second) {
  case SecondAdd: return uint32_t(value + other);
  case SecondMin: return uint32_t(std::min(own, other));
  case SecondMax: return uint32_t(std::max(own, other));
  case SecondNone: break;
  }
  return uint32_t(value);
}

static uint32_t video(Lane *, const VideoForm *form, uint32_t a, uint32_t b, uint32_t c) {
  uint64_t both = a | uint64_t(b) << 32;
  unsigned bits = 32 / form->lanes;
  uint32_t result = c;
  for (unsigned lane = 0; lane < form->lanes; ++lane) {
    if (!(form->mask >> lane & 1))
      continue;
    int64_t x = extend(both >> (form->a[lane] * form->widthA), form->widthA, form->isSignedA);
    int64_t y = extend(both >> (form->b[lane] * form->widthB), form->widthB, form->isSignedB);
    Wide exact = compute(*form, x, y, form->isSignedD ? int64_t(int32_t(c)) : int64_t(c));
    if (form->isSaturating)
      exact = saturate(exact, form->lanes == 1 ? form->targetBits : bits, form->isSignedD);
    int64_t value = int64_t(exact);
    if (form->second == SecondAdd && form->lanes > 1)
      result += uint32_t(value);
    else if (form->lanes > 1)
      result = merge(result, value, lane, bits);
    else if (form->targetBits < 32)
      result = merge(result, value, form->targetPart, form->targetBits);
    else
      result = combine(form->second, value, c, form->isSignedD);
  }
  return result;
}

llvm::ArrayRef<Callee> videoCallees() {
  static const Callee list[] = {{"dscc_sim_video", reinterpret_cast<void *>(video)}};
  return list;
}

} // namespace dscc::sim
