// The ways to turn a group into a kernel.

#ifndef DSCC_PASSES_KERNELS_EMITTERS_H
#define DSCC_PASSES_KERNELS_EMITTERS_H

#include "passes/Journal.h"
#include "passes/kernels/ElementCode.h"

namespace dscc::kernels {

/// A kernel while it is written. The emitter fills the body and says how it is launched.
struct Kernel {
  /// Whose kernel this is. The emitter may rewrite its body, but not its inputs and results.
  dsc::GroupOp group;
  /// Stands in the kernel's body, with the group's tensors and named dims at hand.
  KernelBuilder &k;
  /// What the kernel is written for.
  const Target &target;
  /// What the emitter's `schedule` returned.
  mlir::DictionaryAttr schedule;
  Value block;                   // this block's number along x, index-typed
  Value thread;                  // CUDA: this thread's number in its block, index-typed
  llvm::ArrayRef<Value> results; // pointers to the group's results
  Value scratchMemory;           // CPU: `scratch` bytes of this worker's own
  // Filled by the emitter.
  DimExpr grid = 1;    // blocks
  int64_t threads = 1; // CUDA: threads a block
  int64_t scratch = 0; // CPU: bytes of scratch a worker
  int64_t shared = 0;  // CUDA: bytes of dynamic shared memory

  /// Where a group with one result puts it.
  Value result() const {
    assert(results.size() == 1 && "an emitter of one result is given no group with several");
    return results[0];
  }
  /// The value inside the group that becomes its only result.
  Value root() {
    assert(group.getNumResults() == 1 && "an emitter of one result is given no group with several");
    return group.getBody().front().getTerminator()->getOperand(0);
  }
  /// The integer `name` of the schedule, or `otherwise` if it has none.
  int64_t scheduled(llvm::StringRef name, int64_t otherwise) const;
  /// Ends an emitter. Fails at the group if some count of the kernel has no value: dims may be legal whose products,
  /// as an emitter forms them, are not.
  mlir::LogicalResult finish();
};

/// What an emitter would do with a group, or why it does not take it.
struct Proposal {
  /// It takes the group, with these parameters.
  Proposal(mlir::DictionaryAttr schedule) : schedule(schedule), verdict(Verdict::accepted()) {}
  /// It does not.
  Proposal(Verdict verdict) : verdict(verdict) { assert(!verdict && "who takes a group says how"); }

  /// Null if it does not take the group.
  mlir::DictionaryAttr schedule;
  /// A no has its reason.
  Verdict verdict;
};

/// One way to write kernels.
struct KernelEmitter {
  /// As `schedule` has it in the IR.
  llvm::StringLiteral name;
  /// Its parameters for the group, or why it does not take it. Changes nothing.
  Proposal (*schedule)(dsc::GroupOp group, const Target &target);
  /// Writes the body of a group that it has scheduled.
  mlir::LogicalResult (*emit)(Kernel &kernel);
  /// Whether it writes groups with several results.
  bool severalResults = false;
};

/// Every emitter, fastest first. The first that takes a group writes it.
llvm::ArrayRef<KernelEmitter> allKernelEmitters();
/// The parameters of the first emitter that takes the group; null if none does. Adds to `refusals`, if it is not null,
/// "; emitter: why not" for each that was asked before.
mlir::DictionaryAttr proposeSchedule(dsc::GroupOp group, const Target &target, std::string *refusals);
/// The emitter of this name; null if there is none.
const KernelEmitter *findKernelEmitter(llvm::StringRef name);
/// The emitter that the group's schedule names; null and an error there if it would not write this group in this way.
const KernelEmitter *readSchedule(dsc::GroupOp group, const Target &target);

// Elementwise.cpp: each element of the result on its own.
/// Takes every group that has element code.
Proposal scheduleElementwise(dsc::GroupOp group, const Target &target);
/// Lanes run along the last dim of the result.
mlir::LogicalResult emitElementwise(Kernel &kernel);
// Recurrent.cpp: recurrent layers, a few rows of the batch for the whole sequence.
/// Takes groups with one recurrence and what feeds it.
Proposal scheduleRecurrence(dsc::GroupOp group, const Target &target);
/// The states stay in memory of the block's own from step to step.
mlir::LogicalResult emitRecurrence(Kernel &kernel);
// Rows.cpp: reductions, softmax and norms, a row at a time.
/// Takes groups whose reductions, softmaxes, norms and dots all run over the same rows.
Proposal scheduleRows(dsc::GroupOp group, const Target &target);
/// A worker or a warp has a row, or lanes have rows of their own where the last dim is kept.
mlir::LogicalResult emitRows(Kernel &kernel);
// SharedTiles.cpp: products and convolutions on CUDA, a block's tile at a time.
/// Takes groups for CUDA with one product or convolution and an epilogue in place.
Proposal scheduleSharedTiles(dsc::GroupOp group, const Target &target);
/// The threads of a block share slices of both operands.
mlir::LogicalResult emitSharedTiles(Kernel &kernel);
// Tiles.cpp: products and convolutions on a CPU, a register tile at a time.
/// Takes groups for a CPU with one product or convolution; the tile's shape depends on registers and dims.
Proposal scheduleTiles(dsc::GroupOp group, const Target &target);
/// The sums of a tile stay in registers for the whole inner loop.
mlir::LogicalResult emitTiles(Kernel &kernel);

/// Runs `body` for this worker's share of `dims`: coordinates whose last one has lanes. Used by emitters whose elements
/// do not depend on each other. `cost` is about how many instructions an element takes.
void forEachElement(Kernel &kernel, llvm::ArrayRef<DimExpr> dims, int64_t cost,
                    llvm::function_ref<void(const Indices &)> body);
/// Lanes that suit a last dim of that size.
int64_t chooseWidth(const Target &target, const DimExpr &inner);
/// Joins neighbouring dims of a group of elementwise ops and reductions where every tensor allows it. The group is
/// changed in place; its inputs and results outside keep their types.
void collapseDims(dsc::GroupOp group);
/// Drops spatial dims of size 1 around a convolution, and joins all of them where its window is a single element.
void simplifySpatialDims(dsc::GroupOp group);
/// The product or convolution that tiles are for, or null if the group has none.
mlir::Operation *findContraction(dsc::GroupOp group);
/// Dots.cpp: the dims of the terms of a product that is better summed along rows than in tiles, the summed dim last;
/// none for any other op.
std::optional<dsc::Dims> dotTerms(mlir::Operation *op);
/// Such a product as a sum along the last dim of its terms, of the type that rows are computed in.
Value expandDot(OpBuilder &b, mlir::Operation *op);
/// Rows are computed in single precision at least; the last step rounds.
Value widenRow(OpBuilder &b, Location loc, Value input);
/// Writes softmax, norms, dots and the like as the reductions and elementwise ops that they are.
void expandRowOps(dsc::GroupOp group);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_EMITTERS_H
