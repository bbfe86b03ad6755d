// Matrix instructions with opaque fragments: wmma.load, wmma.mma, wmma.store.
//
//     lane i, element e  ◄──►  place e * 32 + (i ^ key) of the matrix, by rows
//
// PTX does not say which lane holds what, so that any consistent layout will do. The key, which is never 0, is taken
// from the seed: a program that has guessed a layout, or that loads what another lane has just stored, gives itself
// away. Fragments with more elements than the matrix has for a lane hold copies, as those of f16 do, and products read
// the first.

#include "tools/simulator/exec/Wmma.h"

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Rounding.h"
#include "tools/simulator/exec/Runtime.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace dscc::sim {

static uint32_t bytesOf(WmmaElement element) {
  static constexpr uint8_t bytes[] = {2, 2, 4, 8, 4, 1, 1, 4};
  return bytes[element];
}

static uint32_t placeOf(uint32_t lane, uint32_t element, uint32_t perLane) {
  uint32_t key = 1 + uint32_t(settings().seed % (lanesPerWarp - 1));
  return element % perLane * lanesPerWarp + (lane ^ key);
}

/// Calls visit(address of the element in memory, its place in the registers) for all that the lane holds.
template <typename Visit>
static void forEachElement(Lane &lane, const WmmaAccess &form, char *base, uint32_t stride, char *registers,
                           Visit visit) {
  uint32_t bytes = bytesOf(form.element), perLane = form.rows * form.columns / lanesPerWarp;
  for (uint32_t e = 0; e < form.held; ++e) {
    uint32_t place = placeOf(lane.index, e, perLane), row = place / form.columns, column = place % form.columns;
    size_t at = form.isByColumns ? size_t(column) * stride + row : size_t(row) * stride + column;
    visit(base + at * bytes, registers + e * bytes, e < perLane);
  }
}

/// Rows begin at multiples of the fragment's size, as far as an access of one lane goes.
static void requireAligned(Lane &lane, const WmmaAccess &form, const char *base, uint32_t stride, int site) {
  uint32_t bytes = bytesOf(form.element), unit = std::min(form.held * bytes, 16u);
  uint64_t strideBytes = uint64_t(stride) * bytes, lost = reinterpret_cast<uintptr_t>(base) % unit;
  if (!lost && !(strideBytes % unit))
    return;
  reports().add(lane, "misaligned access",
                "a matrix of wmma begins at a multiple of " + std::to_string(unit) +
                    " bytes, and so do its rows; the address is " + std::to_string(lost) + " past one, the rows are " +
                    std::to_string(strideBytes) + " bytes apart",
                site, misalignedAddress);
  abandon(lane);
}

namespace {
/// Where a lane says that the matrix is.
struct Place {
  const char *base;
  uint32_t stride;
};
} // namespace

/// Ends a load or a store: all lanes have to have said the same of the matrix.
static void meet(Lane *lane, const char *what, const WmmaAccess &form, const char *base, uint32_t stride, int site) {
  Place own{base, stride};
  rendezvous(*lane, what, allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    forEachLane(there, [&](uint32_t i) {
      const Place &other = *static_cast<Place *>(lanes[i].exchange);
      if (other.base == base && other.stride == stride)
        return;
      bool isBase = other.base != base;
      reports().add(*lane, "divergence at a collective",
                    std::string(what) + " with " + (isBase ? "an address" : "a stride") +
                        " that is another in thread " + std::to_string(lanes[i].thread),
                    site, illegalInstruction);
      abandon(*lane);
    });
    uint32_t least = form.isByColumns ? form.rows : form.columns;
    if (stride < least && settings().check != CheckLevel::None)
      reports().add(*lane, "stride too small",
                    std::string(what) + " with a stride of " + std::to_string(stride) + " elements, where a row has " +
                        std::to_string(least),
                    site);
  });
}

/// Reads before the lanes meet, so that what another lane has just written is a race: the instruction orders no memory.
static void load(Lane *lane, const WmmaAccess *form, char *base, uint32_t stride, char *registers, int site) {
  requireAligned(*lane, *form, base, stride, site);
  uint32_t bytes = bytesOf(form->element);
  forEachElement(*lane, *form, base, stride, registers, [&](const char *element, char *own, bool isFirst) {
    if (isFirst && settings().check != CheckLevel::None)
      checkAccess(*lane, element, bytes, /*isStore=*/false, site);
    std::memcpy(own, element, bytes);
  });
  meet(lane, "wmma.load", *form, base, stride, site);
}

static void store(Lane *lane, const WmmaAccess *form, char *base, uint32_t stride, char *registers, int site) {
  requireAligned(*lane, *form, base, stride, site);
  uint32_t bytes = bytesOf(form->element);
  forEachElement(*lane, *form, base, stride, registers, [&](char *element, const char *own, bool isFirst) {
    if (!isFirst)
      return;
    if (settings().check != CheckLevel::None)
      checkAccess(*lane, element, bytes, /*isStore=*/true, site);
    std::memcpy(element, own, bytes);
  });
  meet(lane, "wmma.store", *form, base, stride, site);
}

template <typename Stored> static Stored get(const char *from, uint32_t index) {
  Stored value;
  std::memcpy(&value, from + index * sizeof(Stored), sizeof(Stored));
  return value;
}

template <typename T> static T decode(const char *from, uint32_t index, WmmaElement element) {
  switch (element) {
  case WmmaF16: return T(float(get<_Float16>(from, index)));
  case WmmaBf16: return T(std::bit_cast<float>(uint32_t(get<uint16_t>(from, index)) << 16));
  case WmmaTf32: return T(std::bit_cast<float>(get<uint32_t>(from, index) & ~0x1fffu));
  case WmmaF64: return T(get<double>(from, index));
  case WmmaF32: return T(get<float>(from, index));
  case WmmaS8: return T(get<int8_t>(from, index));
  case WmmaU8: return T(get<uint8_t>(from, index));
  case WmmaS32: return T(get<int32_t>(from, index));
  }
  return T();
}

template <typename T> static void encode(char *to, uint32_t index, WmmaElement element, T value) {
  if (element == WmmaF16) {
    auto narrow = _Float16(float(value));
    std::memcpy(to + 2 * index, &narrow, 2);
  } else {
    std::memcpy(to + sizeof(T) * index, &value, sizeof(T));
  }
}

namespace {
struct Fragments {
  const char *a, *b, *c;
  char *d;
};
} // namespace

template <typename T>
static void collect(Lane *lanes, const char *Fragments::*part, WmmaElement element, uint32_t size, T *matrix) {
  for (uint32_t i = 0; i < lanesPerWarp; ++i)
    for (uint32_t e = 0; e < size / lanesPerWarp; ++e)
      matrix[placeOf(i, e, size / lanesPerWarp)] =
          decode<T>(static_cast<Fragments *>(lanes[i].exchange)->*part, e, element);
}

/// Integers wrap, or stop at the ends of their range; floats are summed in order of k.
template <typename T>
static T dotProduct(const T *row, const T *column, uint32_t k, uint32_t step, T sum, bool isSaturating) {
  if constexpr (std::is_integral_v<T>) {
    int64_t wide = sum;
    for (uint32_t i = 0; i < k; ++i)
      wide += int64_t(row[i]) * column[i * step];
    if (isSaturating)
      wide = std::clamp<int64_t>(wide, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    return T(uint32_t(wide));
  } else {
    for (uint32_t i = 0; i < k; ++i)
      sum = std::fma(row[i], column[i * step], sum);
    return sum;
  }
}

template <typename T> static void multiply(Lane *lanes, const WmmaProduct &form) {
  static constexpr uint32_t largest = 32 * 16; // elements
  alignas(64) static thread_local T a[largest], b[largest], c[largest];
  uint32_t m = form.m, n = form.n, k = form.k, perLane = m * n / lanesPerWarp;
  collect(lanes, &Fragments::a, form.a, m * k, a);
  collect(lanes, &Fragments::b, form.b, k * n, b);
  collect(lanes, &Fragments::c, form.c, m * n, c);
  for (uint32_t i = 0; i < lanesPerWarp; ++i)
    for (uint32_t e = 0; e < perLane; ++e) {
      uint32_t place = placeOf(i, e, perLane), row = place / n, column = place % n;
      encode(static_cast<Fragments *>(lanes[i].exchange)->d, e, form.d,
             dotProduct(a + row * k, b + column, k, n, c[place], form.isSaturating));
    }
}

[[gnu::noinline]] static void multiplyAsRounded(Lane *lanes, const WmmaProduct &form) { multiply<double>(lanes, form); }

static void multiplyDoubles(Lane *lanes, const WmmaProduct &form) {
  Rounding held(form.rounding);
  multiplyAsRounded(lanes, form);
}

static void multiplyMatrices(Lane *lane, const WmmaProduct *form, const char *a, const char *b, const char *c, char *d,
                             int site) {
  Fragments own{a, b, c, d};
  rendezvous(*lane, "wmma.mma", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    if (there != allLanes) {
      reports().add(*lane, "divergence at a collective", "wmma.mma with lanes that have exited", site,
                    illegalInstruction);
      abandon(*lane);
    }
    if (form->d == WmmaF64)
      multiplyDoubles(lanes, *form);
    else if (form->d == WmmaS32)
      multiply<int32_t>(lanes, *form);
    else
      multiply<float>(lanes, *form);
  });
}

llvm::ArrayRef<Callee> wmmaCallees() {
  static const Callee list[] = {{"dscc_sim_wmma_load", reinterpret_cast<void *>(load)},
                                {"dscc_sim_wmma_store", reinterpret_cast<void *>(store)},
                                {"dscc_sim_wmma_mma", reinterpret_cast<void *>(multiplyMatrices)}};
  return list;
}

} // namespace dscc::sim
