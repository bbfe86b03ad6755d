// The reasons to put a producer into the group of its consumers.
//
// A group computes the results of its root. It has at most one hero, the op that decides how the kernel is built:
//
//     prologue ─► hero ─► epilogue ─► root
//
// The epilogue works on the hero's elements in place: elementwise ops with the hero's own dims. Whatever else is in the
// group is computed inline, element by element, wherever it is needed.

#ifndef DSCC_PASSES_FUSION_RULES_H
#define DSCC_PASSES_FUSION_RULES_H

#include "dialects/dsc/Dsc.h"
#include "passes/Journal.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace dscc {

/// A group while it grows from its root to its producers.
struct GroupDraft {
  llvm::SetVector<mlir::Operation *> ops; // the root first
  /// The member that is a hero; null as long as there is none.
  mlir::Operation *hero = nullptr;
  /// Members that only elementwise ops with the root's dims separate from the root.
  llvm::DenseSet<mlir::Operation *> epilogue;
  /// The member, besides the root, whose result leaves the group too; null as long as there is none.
  mlir::Operation *second = nullptr;
  /// How many times a member's code stands in the kernel: once for each set of coordinates at which it is wanted.
  llvm::DenseMap<mlir::Operation *, unsigned> copies;
  /// Ops in the whole function that could be some hero's epilogue: they belong there rather than here.
  const llvm::DenseSet<mlir::Operation *> *anchored = nullptr;

  /// The member whose result leaves the group.
  mlir::Operation *root() const {
    assert(!ops.empty() && "a draft begins with its root");
    return ops.front();
  }
};

/// One reason. The producer joins if each of its users is in the group and accepts it for some reason.
struct FusionRule {
  /// What the rule is for, in the table and where fusion is explained.
  llvm::StringLiteral name;
  /// Whether `consumer`, a member, would take `producer`. Changes nothing.
  Verdict (*accepts)(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
};

/// Every rule, strongest first. To add one: write it in its family's file, name it in Rules.cpp.
llvm::ArrayRef<FusionRule> allFusionRules();

// What ops are, by their facts (dialects/dsc/Facts.h) and by what surrounds them.
using dsc::isElementwise;
/// A movement, or a view that might as well be one: a reshape that only inserts or drops dims of size 1.
bool isMovement(mlir::Operation *op);
/// Decides how its kernel is built: a product, a window, a row or a recurrence.
bool isHero(mlir::Operation *op);
/// A constant whose elements are all equal.
bool isSplat(mlir::Operation *op);
/// A reshape that only inserts or drops dims of size 1.
bool isUnitReshape(mlir::Operation *op);
/// Costs about as much to compute as to load.
bool isCheap(mlir::Operation *op);
/// Cheaper to compute again in each group than to store.
bool isDuplicable(mlir::Operation *op);
/// Made by a hero's kernel: the hero itself, or elementwise ops that it could have as its epilogue.
bool followsHero(mlir::Operation *op);
/// Equal for every value of the named dims.
bool sameDims(mlir::Value a, mlir::Value b);

// Attention.cpp
/// Makes a group of each attention in the block that the target has a kernel for; how many there are.
unsigned fuseAttention(mlir::Block &block, const Journal &journal);

// Elementwise.cpp
/// Movements and elementwise ops are computed where an elementwise op reads them, unless that repeats costly work.
Verdict fusesIntoElementwise(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
// Movement.cpp
/// What is cheap, or read only once, is computed where a movement reads it.
Verdict fusesIntoMovement(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
/// What reads nothing is computed again in each group, but for those of products and convolutions.
Verdict fusesAsDuplicable(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
// Recurrent.cpp
/// What a recurrence reads once is computed as it is read.
Verdict fusesIntoRecurrence(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
// Heroes.cpp
/// A hero joins the elementwise ops that follow it, if they keep its dims.
Verdict fusesAsEpilogue(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
/// Chains that feed rows and windows are computed as these read them.
Verdict fusesAsPrologue(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
/// A first layer reads its image in the model's order.
Verdict fusesTransposeIntoConvolution(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);
/// A conversion, and nothing else, may stand between memory and a product.
Verdict fusesCastIntoProduct(mlir::Operation *producer, mlir::Operation *consumer, const GroupDraft &group);

} // namespace dscc

#endif // DSCC_PASSES_FUSION_RULES_H
