// Matrix instructions of a warp: ldmatrix, stmatrix, mma.sync.
//
// The fragments' layouts are those of the PTX manual's chapter on warp-level matrix instructions: in lane i, group g =
// i / 4 and place t = i % 4. Products of f16, bf16, tf32 and float8 are exact in f32; sums are made in f32, in order of k.

#include "runtime/simulator/exec/Products.h"
#include "runtime/simulator/exec/Runtime.h"
#include "runtime/simulator/exec/SharedChecks.h"

#include <cmath>
#include <cstring>

namespace dscc::sim {

static constexpr int misalignedAddress = 716; // CUDA_ERROR_MISALIGNED_ADDRESS
static constexpr int illegalInstruction = 715;

namespace {
struct MatrixAccess {
  char *row;
  uint32_t *words;
};
/// Up to four matrices of 8 x 8 elements of 16 bits; row r of matrix q is at the address of lane 8q + r.
union Tile {
  uint16_t elements[8][8];
  uint32_t words[lanesPerWarp]; // a lane's register
};
} // namespace

static void requireAligned(Lane &lane, const char *address, int site) {
  if (!((address - lane.block->shared) & 15))
    return;
  reports().add(lane, "misaligned access", "a row of a matrix begins at shared address " +
                                               std::to_string(address - lane.block->shared) + ", no multiple of 16",
                site, misalignedAddress);
  abandon(lane);
}

/// All 32 lanes are needed: a lane that has exited has no operands.
static void requireWarp(Lane &lane, const char *what, uint32_t there, int site) {
  if (there == allLanes)
    return;
  reports().add(lane, "divergence at a collective", std::string(what) + " with lanes that have exited", site, illegalInstruction);
  abandon(lane);
}

static void transpose(Tile &tile) {
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < row; ++column)
      std::swap(tile.elements[row][column], tile.elements[column][row]);
}

static void loadMatrix(Lane *lane, char *row, int count, int isTransposed, uint32_t *words, int site) {
  MatrixAccess own{row, words};
  if (lane->index < uint32_t(count) * 8) {
    requireAligned(*lane, row, site);
    if (settings().check != CheckLevel::None)
      checkSharedAccess(*lane, *lane->block, row, 16, false, site);
  }
  rendezvous(*lane, "ldmatrix", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    requireWarp(*lane, "ldmatrix", there, site);
    for (int q = 0; q < count; ++q) {
      Tile tile;
      for (int r = 0; r < 8; ++r)
        std::memcpy(tile.elements[r], static_cast<MatrixAccess *>(lanes[q * 8 + r].exchange)->row, 16);
      if (isTransposed)
        transpose(tile);
      for (uint32_t i = 0; i < lanesPerWarp; ++i)
        static_cast<MatrixAccess *>(lanes[i].exchange)->words[q] = tile.words[i];
    }
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
    requireWarp(*lane, "stmatrix", there, site);
    for (int q = 0; q < count; ++q) {
      Tile tile;
      for (uint32_t i = 0; i < lanesPerWarp; ++i)
        tile.words[i] = static_cast<MatrixAccess *>(lanes[i].exchange)->words[q];
      if (isTransposed)
        transpose(tile);
      for (int r = 0; r < 8; ++r)
        std::memcpy(static_cast<MatrixAccess *>(lanes[q * 8 + r].exchange)->row, tile.elements[r], 16);
    }
  });
}

/// D = A * B + C of f64: 8 x 4 by 4 x 8.
static void multiplyDoubles(const Fragments *const *lanes) {
  constexpr int size = 8, depth = 4;
  double a[size][depth], b[depth][size], sums[size][size];
  for (uint32_t i = 0; i < lanesPerWarp; ++i) {
    uint32_t g = i / 4, t = i % 4;
    std::memcpy(&a[g][t], lanes[i]->a, 8);
    std::memcpy(&b[t][g], lanes[i]->b, 8);
    std::memcpy(&sums[g][2 * t], lanes[i]->c, 16);
  }
  for (int row = 0; row < size; ++row)
    for (int k = 0; k < depth; ++k)
      for (int column = 0; column < size; ++column)
        sums[row][column] = std::fma(a[row][k], b[k][column], sums[row][column]);
  for (uint32_t i = 0; i < lanesPerWarp; ++i)
    std::memcpy(lanes[i]->d, &sums[i / 4][i % 4 * 2], 16);
}

namespace {
/// Which types go together, and the bits of an element of A and B.
struct Family {
  int first, second, bits; // of A and B: either
  int sums, otherSums;     // of C and D: either
};
} // namespace

static const Family *findFamily(int dType, int aType, int bType, int cType) {
  static constexpr Family families[] = {{F16, F16, 16, F32, F16}, {Bf16, Bf16, 16, F32, F32}, {Tf32, Tf32, 32, F32, F32},
                                        {E4m3, E5m2, 8, F32, F16}, {S8, U8, 8, S32, S32},     {F64, F64, 64, F64, F64}};
  auto isOne = [](int type, int first, int second) { return type == first || type == second; };
  for (const Family &family : families)
    if (isOne(aType, family.first, family.second) && isOne(bType, family.first, family.second) &&
        isOne(dType, family.sums, family.otherSums) && isOne(cType, family.sums, family.otherSums))
      return &family;
  return nullptr;
}

static void matrixMultiply(Lane *lane, uint32_t shape, uint32_t types, const uint32_t *a, const uint32_t *b,
                           const uint32_t *c, uint32_t *d, int site) {
  Fragments own{a, b, c, d};
  int m = shape & 255, n = shape >> 8 & 255, k = shape >> 16 & 255;
  int dType = types >> 12 & 15, aType = types >> 8 & 15, bType = types >> 4 & 15, cType = types & 15;
  const Family *family = findFamily(dType, aType, bType, cType);
  int registersPerRow = family ? k * family->bits / 32 : 0;
  bool isOfDoubles = family && family->bits == 64;
  bool isKnown = n == 8 && registersPerRow % 4 == 0 && (isOfDoubles ? m == 8 && k == 4
                                                                    : m == 16 && (registersPerRow == 4 || registersPerRow == 8));
  if (!isKnown) {
    reports().add(*lane, "unknown instruction", "mma.sync of this shape and types", site, illegalInstruction);
    abandon(*lane);
  }
  rendezvous(*lane, "mma.sync", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    requireWarp(*lane, "mma.sync", there, site);
    const Fragments *all[lanesPerWarp];
    for (uint32_t i = 0; i < lanesPerWarp; ++i)
      all[i] = static_cast<Fragments *>(lanes[i].exchange);
    if (isOfDoubles)
      return multiplyDoubles(all);
    multiplyFragments(all, registersPerRow, dType, aType, bType, cType);
  });
}

llvm::ArrayRef<Callee> matrixCallees() {
  static const Callee list[] = {{"dscc_sim_ldmatrix", reinterpret_cast<void *>(loadMatrix)},
                                {"dscc_sim_stmatrix", reinterpret_cast<void *>(storeMatrix)},
                                {"dscc_sim_mma", reinterpret_cast<void *>(matrixMultiply)}};
  return list;
}

} // namespace dscc::sim
