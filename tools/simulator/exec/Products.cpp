// How a product of fragments is computed, eight columns at a time:
//
//     registers of 32 lanes ──► rows of A, B and C as words ──► f32 or s32 ──► 16 rows of sums ──► registers
//
// The layout of A and B is the same for all types when it is told in registers, not in elements: in lane 4g + t,
// register w of A is at row g + 8 (w % 2), place t + 4 (w / 2) of the row, and register w of B at column g, place t + 4
// w.

#include "tools/simulator/exec/Products.h"

#include "llvm/ADT/APFloat.h"

#include <algorithm>
#include <cstring>
#include <immintrin.h>

namespace dscc::sim {

static constexpr int rows = 16, columns = 8, maxRegisters = 8, maxK = 32;

namespace {
/// The registers of all lanes, put together to matrices.
struct Words {
  alignas(32) uint32_t a[rows][maxRegisters], b[maxRegisters][columns];
};
/// Elements as the sums take them: float, or int32_t.
template <typename T> struct Elements {
  alignas(32) T a[rows][maxK], b[maxK][columns], sums[rows][columns];
};
struct Float8Table {
  explicit Float8Table(const llvm::fltSemantics &semantics) {
    for (unsigned i = 0; i < 256; ++i)
      values[i] = float(llvm::APFloat(semantics, llvm::APInt(8, i)).convertToDouble());
  }
  float values[256];
};
} // namespace

static void collect(ProductRegisters *const *lanes, int registersPerRow, Words &words) {
  for (int lane = 0; lane < 32; ++lane) {
    const ProductRegisters &own = *lanes[lane];
    int g = lane / 4, t = lane % 4;
    for (int half = 0; half < registersPerRow / 4; ++half) {
      words.a[g][t + 4 * half] = own.a[2 * half];
      words.a[g + 8][t + 4 * half] = own.a[2 * half + 1];
      words.b[t + 4 * half][g] = own.b[half];
    }
  }
}

static const float *float8Values(int type) {
  static const Float8Table e4m3(llvm::APFloat::Float8E4M3FN()), e5m2(llvm::APFloat::Float8E5M2());
  return type == E4m3 ? e4m3.values : e5m2.values;
}

static int elementsPerWord(int type) { return type == Tf32 ? 1 : type == F16 || type == Bf16 ? 2 : 4; }

/// Eight words to the elements in place `within` of each, as f32.
static __m256 pickFloats(__m256i words, int within, int type) {
  switch (type) {
  case Tf32: return _mm256_castsi256_ps(_mm256_and_si256(words, _mm256_set1_epi32(~0x1fff)));
  case Bf16:
    return _mm256_castsi256_ps(within ? _mm256_and_si256(words, _mm256_set1_epi32(int(0xffff0000)))
                                      : _mm256_slli_epi32(words, 16));
  case F16: {
    __m256i low = within ? _mm256_srli_epi32(words, 16) : _mm256_and_si256(words, _mm256_set1_epi32(0xffff));
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
    return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
  }
  default: {
    __m256i bytes = _mm256_and_si256(_mm256_srl_epi32(words, _mm_cvtsi32_si128(8 * within)), _mm256_set1_epi32(255));
    return _mm256_i32gather_ps(float8Values(type), bytes, 4);
  }
  }
}

static __m256i pickIntegers(__m256i words, int within, int type) {
  __m256i top = _mm256_sll_epi32(words, _mm_cvtsi32_si128(24 - 8 * within));
  return type == S8 ? _mm256_srai_epi32(top, 24) : _mm256_srli_epi32(top, 24);
}

static __m256i load(const void *words) { return _mm256_load_si256(static_cast<const __m256i *>(words)); }
static void store(void *to, __m256 value) { _mm256_store_ps(static_cast<float *>(to), value); }
static void store(void *to, __m256i value) { _mm256_store_si256(static_cast<__m256i *>(to), value); }

template <typename T> static auto pick(__m256i words, int within, int type) {
  if constexpr (std::is_same_v<T, float>)
    return pickFloats(words, within, type);
  else
    return pickIntegers(words, within, type);
}

/// A row of A holds its elements at `within * maxRegisters + place`, so that whole vectors are stored.
template <typename T>
static void expand(const Words &words, int registersPerRow, int aType, int bType, Elements<T> &elements) {
  int perWord = elementsPerWord(aType);
  for (int row = 0; row < rows; ++row)
    for (int within = 0; within < perWord; ++within)
      store(&elements.a[row][within * maxRegisters], pick<T>(load(words.a[row]), within, aType));
  for (int place = 0; place < registersPerRow; ++place)
    for (int within = 0; within < perWord; ++within)
      store(elements.b[place * perWord + within], pick<T>(load(words.b[place]), within, bType));
}

/// Rows [first, first + 8): as many sums as there are registers for.
template <typename T> static void multiplyRows(Elements<T> &elements, int first, int registersPerRow, int perWord) {
  constexpr int count = 8;
  if constexpr (std::is_same_v<T, float>) {
    __m256 sums[count];
    for (int row = 0; row < count; ++row)
      sums[row] = _mm256_load_ps(elements.sums[first + row]);
    for (int place = 0; place < registersPerRow; ++place)
      for (int within = 0; within < perWord; ++within) {
        __m256 b = _mm256_load_ps(elements.b[place * perWord + within]);
        for (int row = 0; row < count; ++row)
          sums[row] = _mm256_fmadd_ps(_mm256_broadcast_ss(&elements.a[first + row][within * maxRegisters + place]), b,
                                      sums[row]);
      }
    for (int row = 0; row < count; ++row)
      _mm256_store_ps(elements.sums[first + row], sums[row]);
  } else {
    __m256i sums[count];
    for (int row = 0; row < count; ++row)
      sums[row] = load(elements.sums[first + row]);
    for (int place = 0; place < registersPerRow; ++place)
      for (int within = 0; within < perWord; ++within) {
        __m256i b = load(elements.b[place * perWord + within]);
        for (int row = 0; row < count; ++row) {
          __m256i a = _mm256_set1_epi32(elements.a[first + row][within * maxRegisters + place]);
          sums[row] = _mm256_add_epi32(sums[row], _mm256_mullo_epi32(a, b));
        }
      }
    for (int row = 0; row < count; ++row)
      store(elements.sums[first + row], sums[row]);
  }
}

/// C and D: rows g and g + 8, columns 2t and 2t + 1; of f16 both in one register.
template <typename T> static void loadSums(ProductRegisters *const *lanes, int cType, Elements<T> &elements) {
  if (cType != F16) {
    for (int lane = 0; lane < 32; ++lane) {
      std::memcpy(&elements.sums[lane / 4][lane % 4 * 2], lanes[lane]->c, 8);
      std::memcpy(&elements.sums[lane / 4 + 8][lane % 4 * 2], lanes[lane]->c + 2, 8);
    }
    return;
  }
  alignas(16) uint32_t halves[rows][columns / 2];
  for (int lane = 0; lane < 32; ++lane) {
    halves[lane / 4][lane % 4] = lanes[lane]->c[0];
    halves[lane / 4 + 8][lane % 4] = lanes[lane]->c[1];
  }
  for (int row = 0; row < rows; ++row)
    store(elements.sums[row], _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i *>(halves[row]))));
}

template <typename T> static void storeSums(ProductRegisters *const *lanes, int dType, const Elements<T> &elements) {
  if (dType != F16) {
    for (int lane = 0; lane < 32; ++lane) {
      std::memcpy(lanes[lane]->d, &elements.sums[lane / 4][lane % 4 * 2], 8);
      std::memcpy(lanes[lane]->d + 2, &elements.sums[lane / 4 + 8][lane % 4 * 2], 8);
    }
    return;
  }
  alignas(16) uint32_t halves[rows][columns / 2];
  for (int row = 0; row < rows; ++row) {
    __m256 sums = _mm256_castsi256_ps(load(elements.sums[row]));
    _mm_store_si128(reinterpret_cast<__m128i *>(halves[row]), _mm256_cvtps_ph(sums, _MM_FROUND_TO_NEAREST_INT));
  }
  for (int lane = 0; lane < 32; ++lane) {
    lanes[lane]->d[0] = halves[lane / 4][lane % 4];
    lanes[lane]->d[1] = halves[lane / 4 + 8][lane % 4];
  }
}

template <typename T>
static void multiply(ProductRegisters *const *lanes, int registersPerRow, int dType, int aType, int bType, int cType) {
  Words words;
  Elements<T> elements;
  collect(lanes, registersPerRow, words);
  expand(words, registersPerRow, aType, bType, elements);
  loadSums(lanes, cType, elements);
  for (int first = 0; first < rows; first += 8)
    multiplyRows(elements, first, registersPerRow, elementsPerWord(aType));
  storeSums(lanes, dType, elements);
}

/// The sums of 32 products are far from overflow, so that only C can bring them there.
static void multiplySaturating(ProductRegisters *const *lanes, int registersPerRow, int aType, int bType) {
  Words words;
  Elements<int32_t> elements;
  collect(lanes, registersPerRow, words);
  expand(words, registersPerRow, aType, bType, elements);
  std::memset(elements.sums, 0, sizeof elements.sums);
  for (int first = 0; first < rows; first += 8)
    multiplyRows(elements, first, registersPerRow, elementsPerWord(aType));
  for (int lane = 0; lane < 32; ++lane)
    for (int e = 0; e < 4; ++e) {
      int64_t sum = int64_t(int32_t(lanes[lane]->c[e])) + elements.sums[lane / 4 + e / 2 * 8][lane % 4 * 2 + e % 2];
      lanes[lane]->d[e] = uint32_t(std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX));
    }
}

void multiplyFragments(ProductRegisters *const *lanes, int registersPerRow, int dType, int aType, int bType, int cType,
                       bool isSaturating) {
  if (isSaturating)
    return multiplySaturating(lanes, registersPerRow, aType, bType);
  if (dType == S32)
    return multiply<int32_t>(lanes, registersPerRow, dType, aType, bType, cType);
  multiply<float>(lanes, registersPerRow, dType, aType, bType, cType);
}

} // namespace dscc::sim
