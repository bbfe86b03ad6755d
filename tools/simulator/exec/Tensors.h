// Boxes of tensors: which elements a bulk tensor copy moves, and where they lie in shared memory.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_TENSORS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_TENSORS_H

#include "tools/simulator/exec/UnitSync.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace dscc::sim {

/// A row of the box, along the tensor's innermost dim. Of its elements those from `first` to before `last` exist.
struct TensorRow {
  char *address;        // of its element 0, in global memory; only where some exist
  uint32_t number;      // among the box's rows
  uint32_t first, last; // elements of the tensor's row in global memory, from the box's beginning
};

/// Bytes of shared memory that a box takes, and that its copy completes.
uint32_t countBoxBytes(const TensorMap &map);
/// Visits the rows of a box in the order of their numbers, also those outside the tensor. The box begins at
/// `coordinates`, one for each dim; im2col reads `offsets` further, one for each spatial dim.
void forEachTensorRow(const TensorMap &map, const int32_t *coordinates, const uint16_t *offsets,
                      llvm::function_ref<void(const TensorRow &)> visit);
/// The bytes of shared memory that a tensor copy reads or writes for elements that exist, in pieces that lie together.
void forEachSharedPiece(const BulkCopy &copy, char *window, llvm::function_ref<void(char *, uint32_t)> visit);
/// Carries out a tensor copy or reduction; `window` is the shared memory that it reads or writes.
void copyTensor(const BulkCopy &copy, char *window);
/// Of a reduction; none if there are no reductions of such elements.
std::optional<BulkType> elementTypeOf(const TensorMap &map);
/// Where the results of a reduction go.
enum class BulkTarget { Global, Tensor, Shared };
/// Whether there is such a reduction.
bool isReduction(BulkOp op, BulkType type, BulkTarget target);
/// to = to op from, elementwise.
void reduceElements(char *to, const char *from, size_t bytes, BulkOp op, BulkType type);

/// Where byte `offset` of the shared window is, if rows are swizzled: chunks of 16 bytes change places within 128-byte
/// lines.
inline uint32_t swizzle(uint32_t offset, int mode) {
  static constexpr uint32_t masks[] = {0, 1, 3, 7};
  return offset ^ ((offset >> 7 & masks[mode]) << 4);
}

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_TENSORS_H
