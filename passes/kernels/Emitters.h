// The ways to turn a group into a kernel.

#ifndef DSCC_PASSES_KERNELS_EMITTERS_H
#define DSCC_PASSES_KERNELS_EMITTERS_H

#include "dialects/dsc/TensorMaps.h"
#include "passes/Journal.h"
#include "passes/kernels/ElementCode.h"

#include <functional>

namespace dscc::kernels {

/// A kernel while it is written. The emitter fills the body and says how it is launched.
struct Kernel {
  /// Whose kernel this is. Its body is read, never changed.
  dsc::GroupOp group;
  /// Stands in the kernel's body, with the group's tensors and named dims at hand.
  KernelBuilder &k;
  /// What the kernel is written for.
  const Target &target;
  /// How it is to be written. Emission reads nothing else about that.
  dsc::ScheduleAttr schedule;
  Value block;                   // this block's number along x, index-typed
  Value thread;                  // CUDA: this thread's number in its block, index-typed
  llvm::ArrayRef<Value> results; // pointers to the group's results
  Value workspace;               // a pointer to bytes that the group's kernels share; null if it has none
  Value scratchMemory;           // CPU: `scratch` bytes of this worker's own
  size_t step = 0;               // which of the schedule's kernels this is
  // Filled by the emitter.
  DimExpr grid = 1;                             // blocks along x
  int64_t gridY = 1;                            // CUDA: blocks along y, of which drivers take 65,535
  int64_t threads = 1;                          // CUDA: threads a block
  int64_t scratch = 0;                          // CPU: bytes of scratch a worker
  int64_t shared = 0;                           // CUDA: bytes of dynamic shared memory
  std::array<int64_t, 3> cluster = {1, 1, 1};   // CUDA: blocks of a cluster, which divide the grid
  llvm::SmallVector<TensorMap> tensorMaps = {}; // CUDA: in the order of their parameters
  /// Makes the maps, if they are not this kernel's own: what has others beside it leaves that to them.
  std::function<Value(const TensorMap &map)> makeTensorMap = nullptr;

  /// CUDA: one more parameter, a map of a tensor of the group; a pointer to it. (cuda/Shell.cpp)
  Value addTensorMap(TensorMap map);
  /// The strides of the group's result `number`, under the dims that it has inside now.
  llvm::SmallVector<Value> resultStrides(size_t number = 0);
  /// Where a group with one result puts it.
  Value result() const {
    assert(results.size() == 1 && "an emitter of one result is given no group with several");
    return results[0];
  }
  /// The schedule's parameter.
  int64_t scheduled(llvm::StringRef name) const;
  /// Ends an emitter. Fails at the group if some count of the kernel has no value: dims may be legal whose products,
  /// as an emitter forms them, are not.
  mlir::LogicalResult finish();
};

/// Values of the named dims that estimates are made for.
class Sizes {
public:
  /// Every dim is `usual`, or the bound that is nearest to it; the one named `own` is `ofOwn`.
  Sizes(mlir::Operation *op, int64_t usual, llvm::StringRef own = "", int64_t ofOwn = 0);
  /// The value; a number beyond counting is infinite.
  double of(const DimExpr &dim) const;
  /// Of all dims together.
  double count(llvm::ArrayRef<DimExpr> dims) const;

private:
  llvm::StringMap<int64_t> values;
  int64_t usual;
};

/// A number that an emitter is told by schedules, and what it may be.
struct Parameter {
  /// As schedules have it.
  llvm::StringLiteral name;
  int64_t least, most; // both included
};

/// How long two things take that go on at the same time on a CPU. Where both take about as long, some of either come
/// too late.
double together(double a, double b);

/// One way to write kernels. What its functions look at of a group is its body, as PrepareGroups leaves it, and which
/// of its inputs are constants.
struct KernelEmitter {
  /// As schedules have it.
  llvm::StringLiteral name;
  /// What each of its schedules has.
  llvm::ArrayRef<Parameter> parameters;
  /// Whether it can write the group at all. Changes nothing, as do all but `emit`.
  Verdict (*accepts)(dsc::GroupOp group, const Target &target);
  /// Whether it can write a group that it accepts in this way, whose parameters are in range. Null: always.
  Verdict (*allows)(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule);
  /// The ways that are worth a look, at least one, for a group that it accepts.
  llvm::SmallVector<dsc::ScheduleAttr> (*candidates)(dsc::GroupOp group, const Target &target);
  /// About how long the group would take, in seconds, on one core or one GPU. It ranks ways, and foretells no clock.
  double (*estimate)(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes);
  /// Writes the body of a group for which the schedule is allowed.
  mlir::LogicalResult (*emit)(Kernel &kernel);
  /// Whether it writes groups with several results.
  bool severalResults = false;
  /// How many kernels it writes for a group. They run one after the other, on the same tensors. Null: one.
  size_t (*kernels)(dsc::GroupOp group, dsc::ScheduleAttr schedule) = nullptr;
  /// The bytes that these kernels share beyond the group's tensors, for which memory is planned; an invalid expression
  /// is too long, or too large, for that. Null: none.
  DimExpr (*workspace)(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) = nullptr;
  /// CUDA: whether blocks of both schedules are alike, so many threads and clusters, so that groups written in these
  /// ways may share a launch (cuda/SideBySide.cpp). Null: never.
  bool (*besides)(dsc::ScheduleAttr a, dsc::ScheduleAttr b) = nullptr;

  size_t countKernels(dsc::GroupOp group, dsc::ScheduleAttr schedule) const {
    return kernels ? kernels(group, schedule) : 1;
  }
};

/// The target of the module that the op is, or is in; null if it is for none.
const Target *targetOf(mlir::Operation *op);
/// Every emitter. All that accept a group compete for it.
llvm::ArrayRef<KernelEmitter> allKernelEmitters();
/// KernelEmitter::besides where blocks are alike whatever the schedules.
bool alwaysBeside(dsc::ScheduleAttr a, dsc::ScheduleAttr b);
/// The same by equal schedules only.
bool besideEqual(dsc::ScheduleAttr a, dsc::ScheduleAttr b);
/// The emitter of this name; null if there is none.
const KernelEmitter *findKernelEmitter(llvm::StringRef name);
/// Whether the emitter can write the group at all, so many results included.
Verdict accepts(const KernelEmitter &emitter, dsc::GroupOp group, const Target &target);
/// The emitter that writes the group in this way; null and an error there if none would.
const KernelEmitter *readSchedule(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule);
/// Fails with an error at the group unless it has schedules, each of which some emitter can follow.
mlir::LogicalResult checkSchedules(dsc::GroupOp group, const Target &target);
/// The bytes of workspace that one schedule wants, in the runs for which it is.
DimExpr countWorkspace(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule);
/// The bytes of workspace that a group needs, whichever of its schedules a run takes.
DimExpr countWorkspace(dsc::GroupOp group, const Target &target);

extern const KernelEmitter attentionEmitter;      // FlashAttention.cpp: two products and a softmax on CUDA
extern const KernelEmitter bulkCopyEmitter;       // BulkCopy.cpp: moves boxes by tensor maps on CUDA
extern const KernelEmitter elementwiseEmitter;    // Elementwise.cpp: each element of the result on its own
extern const KernelEmitter recurrenceEmitter;     // Recurrent.cpp: some rows of the batch for a whole sequence
extern const KernelEmitter rowsEmitter;           // Rows.cpp: reductions, softmax and norms, a row at a time
extern const KernelEmitter sharedTilesEmitter;    // SharedTiles.cpp: products on CUDA, a block's tile at a time
extern const KernelEmitter blockRowsEmitter;      // SharedRows.cpp: on CUDA, a row to a block or to a cluster of them
extern const KernelEmitter sideBySideEmitter;     // SideBySide.cpp: groups on CUDA that do not wait for each other
extern const KernelEmitter splitRowsEmitter;      // SharedRows.cpp: on CUDA, parts of rows, joined by a kernel more
extern const KernelEmitter splitTilesEmitter;     // SharedTiles.cpp: the same, the inner dim shared by several blocks
extern const KernelEmitter tensorTilesEmitter;    // TensorTiles.cpp: products on CUDA by matrix instructions
extern const KernelEmitter topKEmitter;           // TopK.cpp: the first elements of each row in descending order
extern const KernelEmitter tilesEmitter;          // Tiles.cpp: products on a CPU, a register tile at a time
extern const KernelEmitter warpgroupTilesEmitter; // WarpgroupTiles.cpp: the same by those of four warps

/// Runs `body` for this worker's share of `dims`: coordinates whose last one has lanes. Used by emitters whose elements
/// do not depend on each other. `cost` is about how many instructions an element takes.
void forEachElement(Kernel &kernel, llvm::ArrayRef<DimExpr> dims, int64_t cost,
                    llvm::function_ref<void(const Indices &)> body);
/// How tensor `number` of the group lies, inputs first; nothing if it does so in row-major order.
std::optional<Strided> findStrided(dsc::GroupOp group, size_t number);
/// The same under the dims that the tensor has inside the group.
std::optional<Strided> findStridedInside(dsc::GroupOp group, size_t number);
/// Whether lanes along the last dim of the results load what is far apart: the group transposes.
bool gathersLanes(dsc::GroupOp group);
/// Lanes that suit a last dim of that size.
int64_t chooseWidth(const Target &target, const DimExpr &inner);
/// The product or convolution that tiles are for, or null if the group has none.
mlir::Operation *findContraction(dsc::GroupOp group);
/// Whether the group is one that tiles are for: a product with several columns, and what works on its elements in
/// place.
Verdict isTiled(dsc::GroupOp group);
/// The first op of a kind in the group's body; null if there is none.
template <class Op> Op findOp(dsc::GroupOp group) {
  auto found = group.getBody().front().getOps<Op>();
  return found.empty() ? Op() : *found.begin();
}
/// Whether all results are those of `hero`, and all else in the group is computed as the hero reads it.
Verdict isRootedIn(dsc::GroupOp group, mlir::Operation *hero);
/// Whether code of the target can have so many lanes: a power of 2 that a register of bytes has, or one on a GPU.
Verdict hasLanes(const Target &target, int64_t width);
/// Dots.cpp: the dims of the terms of a product that is better summed along rows than in tiles, the summed dim last;
/// none for any other op.
std::optional<dsc::Dims> dotTerms(mlir::Operation *op);
/// Such a product as a sum along the last dim of its terms, of the type that rows are computed in.
Value expandDot(OpBuilder &b, mlir::Operation *op);
/// Rows are computed in single precision at least; the last step rounds.
Value widenRow(OpBuilder &b, Location loc, Value input);
/// True if rows are what all row ops of the group agree on, so that it may be written with expandRowOps.
bool hasRows(dsc::GroupOp group);
/// What a group's kernel is called: its ops in order, as in "conv_add_relu".
std::string labelOf(dsc::GroupOp group);
/// The value inside a group that becomes its only result.
Value rootOf(dsc::GroupOp group);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_EMITTERS_H
