// Matrix instructions of a warp: ldmatrix, stmatrix, mma.sync.
//
// The fragments' layouts are those of the PTX manual's chapter on warp-level matrix instructions: in lane i, group g =
// i / 4 and place t = i % 4. Products of f16, bf16, tf32 and float8 are exact in f32; sums are made in f32, in order of k.

#include "runtime/simulator/exec/Runtime.h"
#include "runtime/simulator/exec/SharedChecks.h"
#include "runtime/simulator/exec/Wgmma.h"

#include "llvm/ADT/APFloat.h"

#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace dscc::sim {

static constexpr int misalignedAddress = 716; // CUDA_ERROR_MISALIGNED_ADDRESS
static constexpr int illegalInstruction = 715;

namespace {
struct MatrixAccess {
  char *row;
  uint32_t *words;
};
struct Fragments {
  const uint32_t *a, *b, *c;
  uint32_t *d;
};
enum ElementCode { F16, Bf16, Tf32, F64, F32, S8, U8, S32, E4m3, E5m2 };
} // namespace

static void requireAligned(Lane &lane, const char *address, int site) {
  if (!((address - lane.block->shared) & 15))
    return;
  reports().add(lane, "misaligned access", "a row of a matrix begins at shared address " +
                                               std::to_string(address - lane.block->shared) + ", no multiple of 16",
                site, misalignedAddress);
  abandon(lane);
}

static void loadMatrix(Lane *lane, char *row, int count, int isTransposed, uint32_t *words, int site) {
  MatrixAccess own{row, words};
  if (lane->index < uint32_t(count) * 8) {
    requireAligned(*lane, row, site);
    if (settings().check != CheckLevel::None)
      checkSharedAccess(*lane, *lane->block, row, 16, false, site);
  }
  rendezvous(*lane, "ldmatrix", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    auto rowOf = [&](uint32_t i) { return static_cast<MatrixAccess *>(lanes[i].exchange)->row; };
    forEachLane(there, [&](uint32_t i) {
      for (int q = 0; q < count; ++q) {
        uint16_t pair[2];
        for (int e = 0; e < 2; ++e) {
          uint32_t r = isTransposed ? i % 4 * 2 + e : i / 4, c = isTransposed ? i / 4 : i % 4 * 2 + e;
          std::memcpy(&pair[e], rowOf(q * 8 + r) + 2 * c, 2);
        }
        std::memcpy(static_cast<MatrixAccess *>(lanes[i].exchange)->words + q, pair, 4);
      }
    });
  });
}

static void storeMatrix(Lane *lane, char *row, int count, int isTransposed, uint32_t *words, int site) {
  MatrixAccess own{row, words};
  if (lane->index < uint32_t(count) * 8) {
    requireAligned(*lane, row, site);
    if (settings().check != CheckLevel::None)
      checkSharedAccess(*lane, *lane->block, row, 16, true, site);
  }
  rendezvous(*lane, "stmatrix", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    auto rowOf = [&](uint32_t i) { return static_cast<MatrixAccess *>(lanes[i].exchange)->row; };
    forEachLane(there, [&](uint32_t i) {
      for (int q = 0; q < count; ++q) {
        uint16_t pair[2];
        std::memcpy(pair, static_cast<MatrixAccess *>(lanes[i].exchange)->words + q, 4);
        for (int e = 0; e < 2; ++e) {
          uint32_t r = isTransposed ? i % 4 * 2 + e : i / 4, c = isTransposed ? i / 4 : i % 4 * 2 + e;
          std::memcpy(rowOf(q * 8 + r) + 2 * c, &pair[e], 2);
        }
      }
    });
  });
}

static unsigned bitsOf(int code) {
  static constexpr unsigned bits[] = {16, 16, 32, 64, 32, 8, 8, 32, 8, 8};
  return bits[code];
}

static double decodeWith(const llvm::fltSemantics &semantics, uint64_t bits, unsigned width) {
  return llvm::APFloat(semantics, llvm::APInt(width, bits)).convertToDouble();
}

float decodeFloat8(uint8_t bits, bool isE5m2) {
  static const auto makeTable = [](const llvm::fltSemantics &semantics) {
    std::array<float, 256> values;
    for (unsigned i = 0; i < 256; ++i)
      values[i] = float(decodeWith(semantics, i, 8));
    return values;
  };
  static const std::array<float, 256> e4m3 = makeTable(llvm::APFloat::Float8E4M3FN()), e5m2 = makeTable(llvm::APFloat::Float8E5M2());
  return (isE5m2 ? e5m2 : e4m3)[bits];
}

/// Element `index` of a fragment's words.
static double decode(const uint32_t *words, unsigned index, int code) {
  unsigned bits = bitsOf(code);
  uint64_t raw = 0;
  std::memcpy(&raw, reinterpret_cast<const char *>(words) + index * bits / 8, bits / 8);
  switch (code) {
  case F16: return decodeWith(llvm::APFloat::IEEEhalf(), raw, 16);
  case Bf16: return std::bit_cast<float>(uint32_t(raw) << 16);
  case Tf32: return std::bit_cast<float>(uint32_t(raw) & ~0x1fffu);
  case F64: return std::bit_cast<double>(raw);
  case F32: return std::bit_cast<float>(uint32_t(raw));
  case S8: return int8_t(raw);
  case U8: return uint8_t(raw);
  case S32: return int32_t(raw);
  default: return decodeFloat8(uint8_t(raw), code == E5m2);
  }
}

static void encode(uint32_t *words, unsigned index, int code, double value) {
  char *place = reinterpret_cast<char *>(words) + index * bitsOf(code) / 8;
  if (code == F64) {
    std::memcpy(place, &value, 8);
  } else {
    llvm::APFloat narrow{float(value)};
    bool lost;
    narrow.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven, &lost);
    uint16_t bits = uint16_t(narrow.bitcastToAPInt().getZExtValue());
    std::memcpy(place, &bits, 2);
  }
}

namespace {
/// Row and column of each element that a lane holds, for operand matrices with elements of `bits` bits.
struct Place {
  unsigned row, column;
};
} // namespace

/// A is 16 x k (8 x 4 for f64): `perWord` neighbours of a row lie in a register; registers alternate between rows g and
/// g + 8, then go on by half of k.
static Place placeOfA(unsigned lane, unsigned element, unsigned bits, int rows) {
  unsigned g = lane / 4, t = lane % 4, perWord = bits >= 32 ? 1 : 32 / bits;
  if (rows == 8)
    return {g, t};
  unsigned word = element / perWord, within = element % perWord;
  return {g + 8 * (word & 1), t * perWord + within + 4 * perWord * (word >> 1)};
}

static Place placeOfB(unsigned lane, unsigned element, unsigned bits) {
  unsigned g = lane / 4, t = lane % 4, perWord = bits >= 32 ? 1 : 32 / bits;
  unsigned word = element / perWord, within = element % perWord;
  return {t * perWord + within + 4 * perWord * word, g};
}

static Place placeOfC(unsigned lane, unsigned element) {
  return {lane / 4 + 8 * (element >> 1), lane % 4 * 2 + (element & 1)};
}

namespace {
/// Where each element of each lane's fragments lies in the matrices, for elements of one width.
struct Places {
  uint16_t a[lanesPerWarp][32], b[lanesPerWarp][16], c[lanesPerWarp][4];
};
} // namespace

static constexpr unsigned maxK = 64, columns = 8;

static Places makePlaces(unsigned bits, int m) {
  Places places;
  for (uint32_t i = 0; i < lanesPerWarp; ++i) {
    for (unsigned e = 0; e < 32; ++e) {
      Place place = placeOfA(i, e, bits, m);
      places.a[i][e] = uint16_t(place.row * maxK + place.column);
    }
    for (unsigned e = 0; e < 16; ++e) {
      Place place = placeOfB(i, e, bits);
      places.b[i][e] = uint16_t(place.row * columns + place.column);
    }
    for (unsigned e = 0; e < 4; ++e) {
      Place place = placeOfC(i, e);
      places.c[i][e] = uint16_t(place.row * columns + place.column);
    }
  }
  return places;
}

static const Places &placesOf(unsigned bits, int m) {
  static const Places bytes = makePlaces(8, 16), halves = makePlaces(16, 16), words = makePlaces(32, 16),
                      doubles = makePlaces(64, 8);
  return m == 8 ? doubles : bits == 8 ? bytes : bits == 16 ? halves : words;
}

/// decode, without a library call for the types that matter.
template <typename T> static T decodeFast(const uint32_t *words, unsigned index, int code) {
  if (code == F16) {
    _Float16 value;
    std::memcpy(&value, reinterpret_cast<const char *>(words) + 2 * index, 2);
    return T(float(value));
  }
  if (code == F32 || code == Bf16 || code == Tf32) {
    uint32_t bits = code == Bf16 ? words[index / 2] >> (16 * (index % 2)) << 16 : words[index];
    return T(std::bit_cast<float>(code == Tf32 ? bits & ~0x1fffu : bits));
  }
  if (code == S8 || code == U8) {
    uint32_t byte = words[index / 4] >> (8 * (index % 4)) & 255;
    return T(code == S8 ? int32_t(int8_t(byte)) : int32_t(byte));
  }
  if (code == S32)
    return T(int32_t(words[index]));
  return T(decode(words, index, code));
}

/// D = A * B + C in sums of type T, in order of k.
template <typename T>
static void multiply(Lane *lanes, int m, int k, int dType, int aType, int bType, int cType) {
  alignas(64) static thread_local T a[16 * maxK], b[maxK * columns], d[16 * columns];
  const Places &places = placesOf(bitsOf(aType), m);
  unsigned aCount = unsigned(m * k / 32), bCount = unsigned(k * 8 / 32), dCount = unsigned(m * 8 / 32);
  for (uint32_t i = 0; i < lanesPerWarp; ++i) {
    const Fragments &own = *static_cast<Fragments *>(lanes[i].exchange);
    for (unsigned e = 0; e < aCount; ++e)
      a[places.a[i][e]] = decodeFast<T>(own.a, e, aType);
    for (unsigned e = 0; e < bCount; ++e)
      b[places.b[i][e]] = decodeFast<T>(own.b, e, bType);
    for (unsigned e = 0; e < dCount; ++e)
      d[places.c[i][e]] = decodeFast<T>(own.c, e, cType);
  }
  for (int row = 0; row < m; ++row)
    for (int inner = 0; inner < k; ++inner)
      for (unsigned column = 0; column < columns; ++column) {
        T &sum = d[row * columns + column];
        T x = a[row * maxK + inner], y = b[inner * columns + column];
        if constexpr (std::is_integral_v<T>)
          sum = T(uint32_t(sum) + uint32_t(x) * uint32_t(y));
        else
          sum = std::fma(x, y, sum);
      }
  for (uint32_t i = 0; i < lanesPerWarp; ++i) {
    uint32_t *out = static_cast<Fragments *>(lanes[i].exchange)->d;
    for (unsigned e = 0; e < dCount; ++e) {
      T value = d[places.c[i][e]];
      if (dType == F32 || dType == S32)
        std::memcpy(out + e, &value, 4);
      else
        encode(out, e, dType, double(value));
    }
  }
}

static void matrixMultiply(Lane *lane, uint32_t shape, uint32_t types, const uint32_t *a, const uint32_t *b,
                           const uint32_t *c, uint32_t *d, int site) {
  Fragments own{a, b, c, d};
  int m = shape & 255, n = shape >> 8 & 255, k = shape >> 16 & 255;
  int aType = types >> 8 & 15;
  bool isKnown = n == 8 && ((m == 16 && k * int(bitsOf(aType)) >= 128 && k * int(bitsOf(aType)) <= 256) || (m == 8 && k == 4 && aType == F64));
  if (!isKnown) {
    reports().add(*lane, "unknown instruction", "mma.sync of this shape and types", site, illegalInstruction);
    abandon(*lane);
  }
  rendezvous(*lane, "mma.sync", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    if (there != allLanes) {
      reports().add(*lane, "divergence at a collective", "mma.sync with lanes that have exited", site, illegalInstruction);
      abandon(*lane);
    }
    int dType = types >> 12 & 15, bType = types >> 4 & 15, cType = types & 15;
    if (dType == F64)
      multiply<double>(lanes, m, k, dType, aType, bType, cType);
    else if (dType == S32)
      multiply<int32_t>(lanes, m, k, dType, aType, bType, cType);
    else
      multiply<float>(lanes, m, k, dType, aType, bType, cType);
  });
}

llvm::ArrayRef<Callee> matrixCallees() {
  static const Callee list[] = {{"dscc_sim_ldmatrix", reinterpret_cast<void *>(loadMatrix)},
                                {"dscc_sim_stmatrix", reinterpret_cast<void *>(storeMatrix)},
                                {"dscc_sim_mma", reinterpret_cast<void *>(matrixMultiply)}};
  return list;
}

} // namespace dscc::sim
