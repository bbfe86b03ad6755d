// A schedule of warpgroup_tiles, and the kernel that follows it (WarpgroupTiles.cpp).

#ifndef DSCC_PASSES_KERNELS_CUDA_WARPGROUPWRITER_H
#define DSCC_PASSES_KERNELS_CUDA_WARPGROUPWRITER_H

#include "passes/kernels/Emitters.h"
#include "passes/kernels/cuda/BulkStore.h"
#include "passes/kernels/cuda/MatrixForm.h"
#include "passes/kernels/cuda/Wgmma.h"

namespace dscc::kernels {

/// The numbers of a schedule.
struct WarpgroupTile {
  int64_t rows, columns;  // of the result that a block computes at a time
  int64_t stages;         // slices in the ring
  int64_t warpgroups;     // that multiply
  int64_t parts;          // blocks that share the inner dim
  int64_t cluster = 0;    // whether the parts of a tile are joined in a cluster
  int64_t persistent = 0; // whether a block has one tile after the other, and there are as many as multiprocessors
  int64_t multicast = 1;  // blocks of a cluster whose tiles have the same columns, and which copy those together

  /// Rows of a warpgroup, and how many times 64 these are.
  int64_t rowsOfGroup() const { return rows / warpgroups; }
  int64_t blocksOfGroup() const { return rowsOfGroup() / WgmmaForm::rows; }
  /// Threads that multiply.
  int64_t consumers() const { return warpgroups * threadsOfWarpgroup; }
  /// All of a block: the producer is a warp of its own, of which one thread works.
  int64_t threads() const { return consumers() + lanesOfWarp; }
  /// Sums that a thread has in registers.
  int64_t sumsOfThread() const { return blocksOfGroup() * columns / 2; }
  /// Columns that a block copies for its cluster.
  int64_t columnsOfCopy() const { return columns / multicast; }
  /// Blocks of a cluster; 1 is none.
  int64_t blocksOfCluster() const { return multicast * (cluster ? parts : 1); }
  /// How many kernels it takes.
  int64_t kernels() const { return parts == 1 || cluster ? 1 : 2; }

  /// Columns of sums that a warp passes through shared memory at a time.
  int64_t slabColumns() const { return columns % 32 ? 16 : 32; }

  /// Bytes of a slot of the ring, and of all sums of a tile.
  int64_t slotBytes() const { return (rows + columns) * lineBytes; }
  int64_t sumBytes() const { return rows * Slab::pitch(columns) * int64_t(sizeof(float)); }

  /// A slice is as many steps as fit the longest line that there is.
  static constexpr int64_t lineBytes = 128;
};

/// Where what lies in shared memory: the ring first, where a cluster's sums come to lie later.
struct WarpgroupLayout {
  /// Of the group's kernel by such a schedule, in tiles that the emitter allows.
  WarpgroupLayout(dsc::GroupOp group, mlir::Operation *hero, const WarpgroupTile &tile);

  /// Whether results leave by bulk copies; else by slabs.
  bool isBulk;
  /// Inputs that are copied there for each tile, of so many tiles at a time.
  llvm::SmallVector<mlir::BlockArgument> vectors;
  int64_t vectorTiles; // at a time
  /// Where the parts begin, in bytes, and all of them.
  int64_t out, columnVectors, barriers, vectorBarriers, total;
};

/// Writes the kernel, or of several the first.
void writeWarpgroupTiles(Kernel &kernel, ElementCode &code, const WarpgroupTile &tile, mlir::Operation *hero);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_WARPGROUPWRITER_H
