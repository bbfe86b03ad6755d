// The rows of a group: what all its row ops agree on, and the code that works on them. The emitters of rows differ in
// who shares a row.

#ifndef DSCC_PASSES_KERNELS_ROWS_H
#define DSCC_PASSES_KERNELS_ROWS_H

#include "passes/kernels/Emitters.h"

namespace dscc::kernels {

/// Warps of a block, on CUDA, unless a schedule says otherwise.
constexpr int64_t rowWarps = 8;

/// The rows of a group.
struct RowPlan {
  /// What all row ops read.
  dsc::Dims domain;
  /// Of the domain, those that a row runs along.
  llvm::SmallVector<int64_t> axes;
  /// Of which each place is a row.
  dsc::Dims kept() const {
    dsc::Dims dims;
    for (size_t i = 0; i < domain.size(); ++i)
      if (!llvm::is_contained(axes, i))
        dims.push_back(domain[i]);
    return dims;
  }
  /// Along which a row runs.
  dsc::Dims reduced() const {
    return llvm::map_to_vector(axes, [&](int64_t axis) {
      assert(axis < int64_t(domain.size()) && "rows run along axes of their domain");
      return domain[axis];
    });
  }
  /// Whether the elements of a row are neighbours.
  bool lastIsReduced() const { return !axes.empty() && axes.back() == int64_t(domain.size()) - 1; }
  /// Of what has one element for each row.
  dsc::Dims rowDims() const {
    dsc::Dims dims = domain;
    for (int64_t axis : axes)
      dims[axis] = 1;
    return dims;
  }
  /// Coordinates in the domain from those of the kept dims; reduced ones are left at `zero`.
  Indices place(llvm::ArrayRef<Index> kept, const Index &zero) const {
    assert(kept.size() + axes.size() == domain.size() && "a row has a coordinate for each dim that is kept");
    Indices at;
    size_t next = 0;
    for (size_t i = 0; i < domain.size(); ++i)
      at.push_back(llvm::is_contained(axes, i) ? zero : kept[next++]);
    return at;
  }
};

/// The rows that all row ops of the group agree on, and of which each result has all elements or one a row.
std::optional<RowPlan> planRows(dsc::GroupOp group);
/// Whether the group's rows are spelled out as reductions and elementwise ops.
Verdict acceptsRows(dsc::GroupOp group, const Target &target);
/// True if one element is left of each row. Other row ops have no code of their own: expandRowOps makes them of these.
bool isRowReduction(mlir::Operation *op);
/// How often the group reduces its rows; each time is a pass over them.
size_t countReductions(dsc::GroupOp group);

/// Who shares a row on CUDA, whose elements are neighbours. By default a warp has it.
struct RowSharing {
  /// As many warps have a part of it each, and join what they have in the workspace, by a kernel more for each
  /// reduction.
  int64_t parts = 1;
  /// As many blocks, a cluster if they are several, have it together, and join what they have in shared memory.
  int64_t blocks = 0;
  /// Of each of these blocks.
  int64_t warps = rowWarps;
};
/// Writes the kernel, or the step of it that is due.
void writeRows(Kernel &kernel, const RowPlan &plan, RowSharing sharing = {});

/// Into how many rounds of a thread a row is cut whose elements stay in registers from pass to pass; 0 if they do not.
int64_t countKeptRounds(const RowPlan &plan, const RowSharing &sharing, int64_t width, const Target &target);
/// CUDA: whether threads may have the lanes that the schedule's `width` says.
Verdict allowsRowLanes(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule);
/// CUDA: the widths that are allowed.
llvm::SmallVector<int64_t> widthsOfRows(dsc::GroupOp group);

/// About how many seconds a GPU takes where so many threads share a row, `width` lanes each, without what it takes to
/// join them.
double estimateRowsOnGpu(dsc::GroupOp group, const RowPlan &plan, const RowSharing &sharing, int64_t width,
                         const Target &target, const Sizes &sizes);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_ROWS_H
