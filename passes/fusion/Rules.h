// The reasons to put a producer into the group of its consumers.
//
// A group computes one result, its root. It has at most one hero, the op that decides how the kernel is built:
//
//     prologue ─► hero ─► epilogue ─► root
//
// The epilogue works on the hero's elements in place: elementwise ops with the hero's own dims. Whatever else is in the
// group is computed inline, element by element, wherever it is needed.

#ifndef DSCC_PASSES_FUSION_RULES_H
#define DSCC_PASSES_FUSION_RULES_H

#include "dialects/dsc/Dsc.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace dscc {

/// A group while it grows from its root to its producers.
struct GroupDraft {
  llvm::SetVector<mlir::Operation *> ops; // the root first
  mlir::Operation *hero = nullptr;
  /// Members that only elementwise ops with the root's dims separate from the root.
  llvm::DenseSet<mlir::Operation *> epilogue;
  /// How many times a member's code stands in the kernel: once for each set of coordinates at which it is wanted.
  llvm::DenseMap<mlir::Operation *, unsigned> copies;
  /// Ops in the whole function that could be some hero's epilogue: they belong there rather than here.
  const llvm::DenseSet<mlir::Operation *> *anchored = nullptr;

  mlir::Operation *root() const { return ops.front(); }
};

/// One reason. The producer joins if each of its users is in the group and accepts it for some reason.
struct FusionRule {
  llvm::StringLiteral name;
  bool (*accepts)(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
};

/// Every rule, strongest first. To add one: write it in its family's file, name it in Rules.cpp.
llvm::ArrayRef<FusionRule> allFusionRules();

// What ops are.
bool isElementwise(mlir::Operation *op);
bool isMovement(mlir::Operation *op);
bool isHero(mlir::Operation *op);
/// A constant whose elements are all equal.
bool isSplat(mlir::Operation *op);
/// A reshape that only inserts or drops dims of size 1.
bool isUnitReshape(mlir::Operation *op);
/// Costs about as much to compute as to load.
bool isCheap(mlir::Operation *op);
/// Reads nothing, or repeats what it reads: cheaper to compute again in each group than to store.
bool isDuplicable(mlir::Operation *op);
bool sameDims(mlir::Value a, mlir::Value b);

// Elementwise.cpp
bool fusesIntoElementwise(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
// Movement.cpp
bool fusesIntoMovement(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
bool fusesAsDuplicable(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
// Heroes.cpp
bool fusesAsEpilogue(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
bool fusesAsPrologue(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
bool fusesCastIntoProduct(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);

} // namespace dscc

#endif // DSCC_PASSES_FUSION_RULES_H
