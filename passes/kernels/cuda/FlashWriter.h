// The tile of attention in one kernel, and the code that works on it. FlashAttention.cpp chooses tiles.

#ifndef DSCC_PASSES_KERNELS_CUDA_FLASHWRITER_H
#define DSCC_PASSES_KERNELS_CUDA_FLASHWRITER_H

#include "passes/kernels/Attention.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/cuda/MatrixForm.h"

namespace dscc::kernels {

/// The numbers of a schedule.
struct FlashTile {
  int64_t rows, columns, stages; // queries of a block, keys of a step, and steps that are under way
  int64_t parts = 1;             // as many blocks share the keys of each row
  int64_t cluster = 0;           // whether they are a cluster, which joins what they have in shared memory
  int64_t head, mixed;           // elements of a query and of a result, filled up to powers of 2

  /// Each has 16 rows.
  int64_t warps() const { return rows / MatrixForm::rows; }
  /// Of a block.
  int64_t threads() const { return warps() * lanesOfWarp; }
  /// Shared memory that queries take at first, rings of keys and values behind them, and the way out instead of both.
  int64_t queryBytes() const { return rows * head * bytes; }
  /// Of keys and values.
  int64_t ringBytes() const { return columns * (head + mixed) * stages * bytes; }
  /// Of sums on their way out.
  int64_t slabBytes() const { return warps() * Slab::elements(mixed) * int64_t(sizeof(float)); }
  /// Elements of f32 that the blocks of a cluster show each other: sums, and behind them a maximum and a weight a row.
  int64_t sumElements() const { return rows * Slab::pitch(mixed); }
  /// The same in bytes.
  int64_t sumBytes() const { return (sumElements() + 2 * rows) * int64_t(sizeof(float)); }
  /// All that a block has.
  int64_t sharedBytes() const { return std::max(queryBytes() + ringBytes(), cluster ? sumBytes() : slabBytes()); }
  /// The second one joins parts.
  int64_t kernels() const { return parts == 1 || cluster ? 1 : 2; }

  static constexpr int64_t bytes = 2; // of an element of an operand
};

/// Writes the attention, or what each of several parts of the keys comes to.
void writeFlash(Kernel &kernel, Attention attention, const FlashTile &tile);
/// Writes the kernel that joins what the parts have come to.
void joinFlashParts(Kernel &kernel, Attention attention, const FlashTile &tile);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_FLASHWRITER_H
