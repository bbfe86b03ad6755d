#include "tools/simulator/exec/Tensors.h"

#include "llvm/ADT/APFloat.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace dscc::sim {

namespace {
/// CUtensorMapDataType.
enum DataType { U8, U16, U32, S32, U64, S64, F16, F32, F64, Bf16, F32Ftz, Tf32, Tf32Ftz };
} // namespace

static uint32_t ceilDivide(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

static uint32_t stepOf(const TensorMap &map, int dim) { return map.elementStrides[dim] ? map.elementStrides[dim] : 1; }

/// Elements of a row of the box, after strides.
static uint32_t rowElements(const TensorMap &map) {
  if (map.isIm2col)
    return map.channelsPerPixel ? map.channelsPerPixel : 256;
  return ceilDivide(map.box[0], stepOf(map, 0));
}

static uint32_t countRows(const TensorMap &map) {
  if (map.isIm2col)
    return map.pixelsPerColumn ? map.pixelsPerColumn : 1024;
  uint32_t rows = 1;
  for (int dim = 1; dim < map.rank; ++dim)
    rows *= ceilDivide(map.box[dim], stepOf(map, dim));
  return rows;
}

uint32_t countBoxBytes(const TensorMap &map) { return rowElements(map) * countRows(map) * map.elementBytes; }

/// Which elements of a row that begins at coordinate `begin` exist.
static void clip(const TensorMap &map, int64_t begin, uint32_t extent, TensorRow &row) {
  int64_t size = int64_t(map.dims[0]) + 1, first = std::max<int64_t>(0, -begin),
          last = std::min<int64_t>(extent, size - begin);
  row.first = uint32_t(std::min<int64_t>(first, extent));
  row.last = last > first ? uint32_t(last) : row.first;
}

static char *addressOf(const TensorMap &map, const int64_t *at) {
  // A row that begins before the tensor has an address before it, of which nobody reads: arithmetic on numbers, not
  // pointers.
  uint64_t address = map.address + uint64_t(at[0] * map.elementBytes);
  for (int dim = 1; dim < map.rank; ++dim)
    address += uint64_t(at[dim] * int64_t(map.strides[dim - 1]));
  return reinterpret_cast<char *>(address);
}

static bool isInside(const TensorMap &map, const int64_t *at) {
  for (int dim = 1; dim < map.rank; ++dim)
    if (at[dim] < 0 || at[dim] > int64_t(map.dims[dim]))
      return false;
  return true;
}

static void visitRow(const TensorMap &map, const int64_t *at, uint32_t number, uint32_t extent,
                     llvm::function_ref<void(const TensorRow &)> visit) {
  TensorRow row{addressOf(map, at), number, 0, 0};
  if (isInside(map, at))
    clip(map, at[0], extent, row);
  visit(row);
}

static void forEachTiledRow(const TensorMap &map, const int32_t *coordinates,
                            llvm::function_ref<void(const TensorRow &)> visit) {
  uint32_t rows = countRows(map);
  for (uint32_t number = 0; number < rows; ++number) {
    int64_t at[5] = {coordinates[0]};
    uint32_t rest = number;
    for (int dim = 1; dim < map.rank; ++dim) {
      uint32_t size = ceilDivide(map.box[dim], stepOf(map, dim));
      at[dim] = coordinates[dim] + int64_t(rest % size) * stepOf(map, dim);
      rest /= size;
    }
    visitRow(map, at, number, map.box[0], visit);
  }
}

/// Dims are channels, then one to three spatial dims, then images. Pixels go on through the box of each image,
/// innermost first; what is read lies `offsets` further.
static void forEachIm2colRow(const TensorMap &map, const int32_t *coordinates, const uint16_t *offsets,
                             llvm::function_ref<void(const TensorRow &)> visit) {
  int spatial = map.rank - 2;
  int64_t pixel[4];
  for (int i = 0; i <= spatial; ++i)
    pixel[i] = coordinates[i + 1];
  uint32_t rows = countRows(map);
  for (uint32_t number = 0; number < rows; ++number) {
    int64_t at[5] = {coordinates[0]};
    for (int i = 0; i < spatial; ++i)
      at[i + 1] = pixel[i] + offsets[i];
    at[spatial + 1] = pixel[spatial];
    visitRow(map, at, number, rowElements(map), visit);
    for (int i = 0; i <= spatial; ++i) {
      if (i == spatial) {
        ++pixel[i];
        break;
      }
      pixel[i] += stepOf(map, i + 1);
      if (pixel[i] <= int64_t(map.dims[i + 1]) + map.corners.upper[i])
        break;
      pixel[i] = map.corners.lower[i];
    }
  }
}

void forEachTensorRow(const TensorMap &map, const int32_t *coordinates, const uint16_t *offsets,
                      llvm::function_ref<void(const TensorRow &)> visit) {
  if (map.isIm2col)
    return forEachIm2colRow(map, coordinates, offsets, visit);
  forEachTiledRow(map, coordinates, visit);
}

/// What stands where the tensor has no element.
static void fill(char *place, const TensorMap &map) {
  static constexpr uint16_t nan16 = 0x7fff;
  static constexpr uint32_t nan32 = 0x7fffffff;
  static constexpr uint64_t nan64 = 0x7fffffffffffffff;
  std::memset(place, 0, map.elementBytes);
  if (!map.fillsNan)
    return;
  if (map.elementBytes == 2)
    std::memcpy(place, &nan16, 2);
  else if (map.elementBytes == 4)
    std::memcpy(place, &nan32, 4);
  else if (map.elementBytes == 8)
    std::memcpy(place, &nan64, 8);
}

/// What a load makes of elements that are there: some maps flush f32 on the way, or round it to tf32.
static void convert(char *place, uint32_t bytes, const TensorMap &map) {
  constexpr uint32_t exponent = 0x7f800000, sign = 0x80000000, lost = 0x1fff;
  bool isFlushed = map.type == F32Ftz || map.type == Tf32Ftz, isRounded = map.type == Tf32 || map.type == Tf32Ftz;
  if (!isFlushed && !isRounded)
    return;
  for (uint32_t at = 0, bits; at < bytes; at += sizeof bits) {
    std::memcpy(&bits, place + at, sizeof bits);
    if (isFlushed && !(bits & exponent))
      bits &= sign;
    if (isRounded && (bits & exponent) != exponent) // to nearest, ties to even
      bits = (bits + (lost >> 1) + (bits >> 13 & 1)) & ~lost;
    std::memcpy(place + at, &bits, sizeof bits);
  }
}

void copyTensor(const BulkCopy &copy, char *window) {
  const TensorMap &map = copy.map;
  uint32_t begin = uint32_t((copy.target ? copy.to : copy.from) - window), elements = rowElements(map),
           size = map.elementBytes;
  uint32_t step = map.isIm2col ? 1 : stepOf(map, 0);
  constexpr uint32_t chunkBytes = 16; // what stays together, however rows are swizzled
  uint32_t rowBytes = elements * size;
  bool hasChunks = copy.op == BulkOp::Copy && step == 1 && rowBytes % chunkBytes == 0;
  forEachTensorRow(map, copy.coordinates, copy.offsets, [&](const TensorRow &row) {
    if (hasChunks && row.first == 0 && row.last == elements) {
      for (uint32_t at = 0; at < rowBytes; at += chunkBytes) {
        char *shared = window + swizzle(begin + row.number * rowBytes + at, map.swizzle), *global = row.address + at;
        copy.target ? std::memcpy(shared, global, chunkBytes) : std::memcpy(global, shared, chunkBytes);
        if (copy.target)
          convert(shared, chunkBytes, map);
      }
      if (!copy.target)
        memory::noteWritten(row.address, rowBytes);
      return;
    }
    for (uint32_t i = 0; i < elements; ++i) {
      uint32_t offset = begin + (row.number * elements + i) * size;
      char *shared = window + swizzle(offset, map.swizzle), *global = row.address + size_t(i) * step * size;
      bool exists = i * step >= row.first && i * step < row.last;
      if (copy.target) {
        if (exists) {
          std::memcpy(shared, global, size);
          convert(shared, size, map);
        } else {
          fill(shared, map);
        }
      } else if (exists) {
        if (copy.op == BulkOp::Copy)
          std::memcpy(global, shared, size);
        else
          reduceElements(global, shared, size, copy.op, copy.type);
        memory::noteWritten(global, size);
      }
    }
  });
}

void forEachSharedPiece(const BulkCopy &copy, char *window, llvm::function_ref<void(char *, uint32_t)> visit) {
  constexpr uint32_t lineBytes = 128, chunkBytes = 16; // of what swizzles
  const TensorMap &map = copy.map;
  uint32_t box = uint32_t((copy.target ? copy.to : copy.from) - window), elements = rowElements(map),
           step = map.isIm2col ? 1 : stepOf(map, 0), begin = box, end = box; // of rows that follow each other
  auto flush = [&] {
    bool isLinear = !map.swizzle || (begin % lineBytes == 0 && end % lineBytes == 0);
    for (uint32_t at = begin, bytes; at < end; at += bytes) {
      bytes = isLinear ? end - begin : std::min(chunkBytes - at % chunkBytes, end - at);
      visit(window + (isLinear ? at : swizzle(at, map.swizzle)), bytes);
    }
  };
  forEachTensorRow(map, copy.coordinates, copy.offsets, [&](const TensorRow &row) {
    uint32_t first = box + (row.number * elements + ceilDivide(row.first, step)) * map.elementBytes,
             last = box + (row.number * elements + ceilDivide(row.last, step)) * map.elementBytes;
    if (first != end && first != last) {
      flush();
      begin = first;
    }
    if (first != last)
      end = last;
  });
  flush();
}

std::optional<BulkType> elementTypeOf(const TensorMap &map) {
  static constexpr std::optional<BulkType> types[] = {
      std::nullopt,  std::nullopt,  BulkType::U32,  BulkType::S32, BulkType::U64, BulkType::S64, BulkType::F16,
      BulkType::F32, BulkType::F64, BulkType::Bf16, BulkType::F32, BulkType::F32, BulkType::F32};
  return map.type < std::size(types) ? types[map.type] : std::nullopt;
}

static constexpr uint32_t setOf(std::initializer_list<BulkType> types) {
  uint32_t set = 0;
  for (BulkType type : types)
    set |= 1u << uint32_t(type);
  return set;
}

bool isReduction(BulkOp op, BulkType type, BulkTarget target) {
  using enum BulkType;
  struct Row {
    BulkOp first, last; // of the operations that it holds for
    uint32_t sets[3];   // of types, by target
  };
  // A tensor's bits are those of its integers.
  static constexpr Row rows[] = {
      {BulkOp::Add,
       BulkOp::Add,
       {setOf({U32, S32, U64, F32, F64, F16, Bf16}), setOf({U32, S32, U64, F32, F16, Bf16}), setOf({U32, S32, U64})}},
      {BulkOp::Min,
       BulkOp::Max,
       {setOf({U32, S32, U64, S64, F16, Bf16}), setOf({U32, S32, U64, S64, F16, Bf16}), setOf({U32, S32})}},
      {BulkOp::Inc, BulkOp::Dec, {setOf({U32}), setOf({U32}), setOf({U32})}},
      {BulkOp::And, BulkOp::Xor, {setOf({B32, B64}), setOf({U32, S32, U64, S64}), setOf({B32})}}};
  for (const Row &row : rows)
    if (op >= row.first && op <= row.last)
      return row.sets[int(target)] >> uint32_t(type) & 1;
  return false;
}

template <typename T> static T combine(T a, T b, BulkOp op) {
  switch (op) {
  case BulkOp::Add: return T(a + b);
  case BulkOp::Min: return std::min(a, b);
  case BulkOp::Max: return std::max(a, b);
  case BulkOp::And: return T(a & b);
  case BulkOp::Or: return T(a | b);
  case BulkOp::Xor: return T(a ^ b);
  case BulkOp::Inc: return a >= b ? T(0) : T(a + 1);
  case BulkOp::Dec: return a == 0 || a > b ? b : T(a - 1);
  case BulkOp::Copy: break;
  }
  return b;
}

/// Numbers below the smallest normal one become 0, as the bulk addition of f32 has it.
static float flush(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

/// Atomic with other blocks' reductions: those of 4 and 8 bytes by compare and exchange, narrow ones in pairs' words.
template <typename T, typename Combine> static void update(char *to, const char *from, Combine combineBits) {
  T value, before = __atomic_load_n(reinterpret_cast<T *>(to), __ATOMIC_RELAXED);
  std::memcpy(&value, from, sizeof value);
  while (!__atomic_compare_exchange_n(reinterpret_cast<T *>(to), &before, combineBits(before, value), true,
                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
  }
}

static uint16_t combineHalves(uint16_t a, uint16_t b, BulkOp op, bool isBfloat) {
  const llvm::fltSemantics &semantics = isBfloat ? llvm::APFloat::BFloat() : llvm::APFloat::IEEEhalf();
  llvm::APFloat x(semantics, llvm::APInt(16, a)), y(semantics, llvm::APInt(16, b));
  llvm::APFloat result = x;
  if (op == BulkOp::Add)
    result.add(y, llvm::APFloat::rmNearestTiesToEven);
  else
    result = op == BulkOp::Min ? llvm::minnum(x, y) : llvm::maxnum(x, y);
  return uint16_t(result.bitcastToAPInt().getZExtValue());
}

static void reduceOne(char *to, const char *from, BulkOp op, BulkType type) {
  switch (type) {
  case BulkType::S32:
    return update<int32_t>(to, from, [&](int32_t a, int32_t b) {
      return op == BulkOp::Add ? int32_t(uint32_t(a) + uint32_t(b)) : combine(a, b, op);
    });
  case BulkType::S64:
    return update<int64_t>(to, from, [&](int64_t a, int64_t b) {
      return op == BulkOp::Add ? int64_t(uint64_t(a) + uint64_t(b)) : combine(a, b, op);
    });
  case BulkType::U64:
  case BulkType::B64: return update<uint64_t>(to, from, [&](uint64_t a, uint64_t b) { return combine(a, b, op); });
  case BulkType::F32:
    return update<uint32_t>(to, from, [](uint32_t a, uint32_t b) {
      return std::bit_cast<uint32_t>(flush(flush(std::bit_cast<float>(a)) + flush(std::bit_cast<float>(b))));
    });
  case BulkType::F64:
    return update<uint64_t>(to, from, [](uint64_t a, uint64_t b) {
      return std::bit_cast<uint64_t>(std::bit_cast<double>(a) + std::bit_cast<double>(b));
    });
  case BulkType::F16:
  case BulkType::Bf16:
    return update<uint16_t>(to, from,
                            [&](uint16_t a, uint16_t b) { return combineHalves(a, b, op, type == BulkType::Bf16); });
  case BulkType::B32:
  case BulkType::U32: return update<uint32_t>(to, from, [&](uint32_t a, uint32_t b) { return combine(a, b, op); });
  }
}

static size_t bytesOf(BulkType type) {
  switch (type) {
  case BulkType::U64:
  case BulkType::S64:
  case BulkType::F64:
  case BulkType::B64: return 8;
  case BulkType::F16:
  case BulkType::Bf16: return 2;
  default: return 4;
  }
}

void reduceElements(char *to, const char *from, size_t bytes, BulkOp op, BulkType type) {
  size_t each = bytesOf(type);
  for (size_t at = 0; at + each <= bytes; at += each)
    reduceOne(to + at, from + at, op, type);
}

} // namespace dscc::sim
