// Matrix instructions of a warp: ldmatrix, stmatrix, mma.sync.
//
// The fragments' layouts are those of the PTX manual's chapter on warp-level matrix instructions: in lane i, group g =
// i / 4 and place t = i % 4. Products of f16, bf16, tf32 and float8 are exact in f32; sums are made in f32, in order of
// k.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Products.h"
#include "tools/simulator/exec/Rounding.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/exec/SharedChecks.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <cstring>

namespace dscc::sim {

static constexpr size_t windowBytes = size_t(1) << 24; // what addresses of .shared can say

namespace {
/// A lane's part of stmatrix.
struct MatrixStore {
  char *row;
  const uint32_t *words;
};
/// 8 x 8 elements of 16 bits. A lane's register holds two neighbours: lane i those of row i / 4 from column i % 4 * 2
/// on.
struct Tile {
  uint16_t elements[8][8];
  uint16_t *ofLane(uint32_t i) { return &elements[i / 4][i % 4 * 2]; }
};
} // namespace

/// A generic address may be any: nothing may be read there before.
static void requireShared(Lane &lane, const char *address, int site) {
  if (size_t(address - lane.block->shared) < windowBytes)
    return;
  reports().add(lane, "illegal access",
                "a row of a matrix is at 0x" + llvm::utohexstr(reinterpret_cast<uintptr_t>(address)) +
                    ", outside the block's shared memory",
                site, illegalAddress);
  abandon(lane);
}

static void requireAligned(Lane &lane, const char *address, int site) {
  if (!((address - lane.block->shared) & 15))
    return;
  reports().add(lane, "misaligned access",
                "a row of a matrix begins at shared address " + std::to_string(address - lane.block->shared) +
                    ", no multiple of 16",
                site, misalignedAddress);
  abandon(lane);
}

/// All 32 lanes are needed: a lane that has exited has no operands.
static void requireWarp(Lane &lane, const char *what, uint32_t there, int site) {
  if (there == allLanes)
    return;
  reports().add(lane, "divergence at a collective", std::string(what) + " with lanes that have exited", site,
                illegalInstruction);
  abandon(lane);
}

static void transpose(Tile &tile) {
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < row; ++column)
      std::swap(tile.elements[row][column], tile.elements[column][row]);
}

static void checkRow(Lane &lane, char *row, uint32_t count, bool isStore, int site) {
  if (lane.index >= count * 8)
    return;
  const Block &block = *lane.block;
  requireShared(lane, row, site);
  requireAligned(lane, row, site);
  if (settings().check != CheckLevel::None)
    checkSharedAccess(lane, *lane.block, row, 16, isStore, site);
  else if (size_t(row - block.shared) + 16 > block.sharedBytes) // the host's memory ends somewhere too
    checkSharedBounds(lane, block, row, 16, isStore, site);
}

/// Load `index` of all lanes.
static void loadTiles(Lane *lanes, uint32_t index) {
  MatrixRow *all[lanesPerWarp];
  for (uint32_t i = 0; i < lanesPerWarp; ++i)
    all[i] = static_cast<MatrixRow *>(lanes[i].exchange) + index;
  uint32_t count = all[0]->countAndTransposed & 255;
  for (uint32_t q = 0; q < count; ++q) {
    Tile tile;
    for (uint32_t r = 0; r < 8; ++r)
      std::memcpy(tile.elements[r], all[q * 8 + r]->row, 16);
    if (all[0]->countAndTransposed >> 8)
      transpose(tile);
    for (uint32_t i = 0; i < lanesPerWarp; ++i)
      std::memcpy(&all[i]->words[q], tile.ofLane(i), 4);
  }
}

/// Several ldmatrix, with nothing between them that would touch memory.
static void loadMatrices(Lane *lane, uint32_t number, MatrixRow *loads, int site) {
  for (uint32_t index = 0; index < number; ++index)
    checkRow(*lane, loads[index].row, loads[index].countAndTransposed & 255, false, loads[index].site);
  rendezvous(*lane, "ldmatrix", allLanes, site, loads, [&](Lane *lanes, uint32_t there) {
    requireWarp(*lane, "ldmatrix", there, site);
    for (uint32_t index = 0; index < number; ++index)
      loadTiles(lanes, index);
  });
}

static void storeMatrix(Lane *lane, char *row, int count, int isTransposed, const uint32_t *words, int site) {
  MatrixStore own{row, words};
  checkRow(*lane, row, uint32_t(count), true, site);
  rendezvous(*lane, "stmatrix", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    requireWarp(*lane, "stmatrix", there, site);
    auto of = [&](uint32_t i) { return static_cast<MatrixStore *>(lanes[i].exchange); };
    for (int q = 0; q < count; ++q) {
      Tile tile;
      for (uint32_t i = 0; i < lanesPerWarp; ++i)
        std::memcpy(tile.ofLane(i), of(i)->words + q, 4);
      if (isTransposed)
        transpose(tile);
      for (uint32_t r = 0; r < 8; ++r)
        std::memcpy(of(uint32_t(q) * 8 + r)->row, tile.elements[r], 16);
    }
  });
}

namespace {
/// The matrices of an f64 product.
struct Doubles {
  double a[16][16], b[16][8], sums[16][8];
};
} // namespace

[[gnu::noinline]] static void addProducts(Doubles &matrices, uint32_t m, uint32_t depth) {
  for (uint32_t row = 0; row < m; ++row)
    for (uint32_t k = 0; k < depth; ++k)
      for (uint32_t column = 0; column < 8; ++column)
        matrices.sums[row][column] = std::fma(matrices.a[row][k], matrices.b[k][column], matrices.sums[row][column]);
}

/// D = A * B + C of f64: m x k by k x 8, where m is 8 or 16. A's elements alternate between rows g and g + 8, then go
/// on by 4 columns.
static void multiplyDoubles(Lane *lane, uint32_t m, uint32_t depth, int rounding, DoubleRegisters *registers,
                            int site) {
  rendezvous(*lane, "mma.sync", allLanes, site, registers, [&](Lane *lanes, uint32_t there) {
    requireWarp(*lane, "mma.sync", there, site);
    Doubles matrices;
    uint32_t halves = m / 8;
    auto of = [&](uint32_t i) { return static_cast<DoubleRegisters *>(lanes[i].exchange); };
    for (uint32_t i = 0; i < lanesPerWarp; ++i) {
      uint32_t g = i / 4, t = i % 4;
      for (uint32_t e = 0; e < halves * depth / 4; ++e)
        matrices.a[g + 8 * (e % halves)][t + e / halves * 4] = of(i)->a[e];
      for (uint32_t e = 0; e < depth / 4; ++e)
        matrices.b[t + 4 * e][g] = of(i)->b[e];
      for (uint32_t e = 0; e < 2 * halves; ++e)
        matrices.sums[g + 8 * (e / 2)][2 * t + e % 2] = of(i)->c[e];
    }
    {
      Rounding held(rounding);
      addProducts(matrices, m, depth);
    }
    for (uint32_t i = 0; i < lanesPerWarp; ++i)
      for (uint32_t e = 0; e < 2 * halves; ++e)
        of(i)->d[e] = matrices.sums[i / 4 + 8 * (e / 2)][i % 4 * 2 + e % 2];
  });
}

/// Several mma.sync of one kind: `key` has the types of D, A, B and C, above them the registers of A's rows, and
/// whether sums saturate.
static void multiplyMatrices(Lane *lane, uint32_t key, uint32_t number, ProductRegisters *products, int site) {
  rendezvous(*lane, "mma.sync", allLanes, site, products, [&](Lane *lanes, uint32_t there) {
    requireWarp(*lane, "mma.sync", there, site);
    int dType = key >> 12 & 15, aType = key >> 8 & 15, bType = key >> 4 & 15, cType = key & 15;
    ProductRegisters *all[lanesPerWarp];
    for (uint32_t i = 0; i < lanesPerWarp; ++i)
      all[i] = static_cast<ProductRegisters *>(lanes[i].exchange);
    for (uint32_t index = 0; index < number; ++index) {
      multiplyFragments(all, int(key >> 16 & 15), dType, aType, bType, cType, key >> 20);
      for (ProductRegisters *&next : all)
        ++next;
    }
  });
}

/// movmatrix: each lane's two elements of the transposed matrix.
static uint32_t transposeMatrix(Lane *lane, uint32_t word, int site) {
  std::pair<uint32_t, uint32_t> own{word, 0}; // given, and got
  rendezvous(*lane, "movmatrix", allLanes, site, &own, [&](Lane *lanes, uint32_t there) {
    requireWarp(*lane, "movmatrix", there, site);
    auto of = [&](uint32_t i) { return static_cast<std::pair<uint32_t, uint32_t> *>(lanes[i].exchange); };
    Tile tile;
    for (uint32_t i = 0; i < lanesPerWarp; ++i)
      std::memcpy(tile.ofLane(i), &of(i)->first, 4);
    transpose(tile);
    for (uint32_t i = 0; i < lanesPerWarp; ++i)
      std::memcpy(&of(i)->second, tile.ofLane(i), 4);
  });
  return own.second;
}

llvm::ArrayRef<Callee> matrixCallees() {
  static const Callee list[] = {{"dscc_sim_ldmatrix", reinterpret_cast<void *>(loadMatrices)},
                                {"dscc_sim_stmatrix", reinterpret_cast<void *>(storeMatrix)},
                                {"dscc_sim_mma", reinterpret_cast<void *>(multiplyMatrices)},
                                {"dscc_sim_movmatrix", reinterpret_cast<void *>(transposeMatrix)},
                                {"dscc_sim_mma_doubles", reinterpret_cast<void *>(multiplyDoubles)}};
  return list;
}

} // namespace dscc::sim
