// What passes may ask of any op without knowing it by name. Each fact stands where the op is defined, as a field of its
// entry in its family's .td file (class DscOp in DscDialect.td lists the fields); the interface OpFacts hands them out
// (OpFacts.cpp).

#ifndef DSCC_DIALECTS_DSC_FACTS_H
#define DSCC_DIALECTS_DSC_FACTS_H

#include "dialects/dsc/TensorTypes.h"

#include "mlir/IR/Operation.h"

#include <optional>

namespace dscc::dsc {

/// How an op's result comes about.
enum class Role {
  Structure,   // holds or hands on what others compute: groups and their ends
  Constant,    // stands in the artifact, so nothing computes it
  Source,      // made of nothing but the named dims
  View,        // the operand's own bytes under other dims
  Movement,    // elements are moved, repeated, left out, or (resize) mixed from a few neighbours
  Elementwise, // each element depends on one element of each operand, after NumPy broadcasting
  Product,     // each element is a sum of products; operands are read many times
  Window,      // each element is made of a window, and windows overlap
  Recurrence,  // a step at a time, each made of the one before
  Row,         // elements along some axes are seen together: reductions, running sums, softmax, norms
  Opaque       // none of these: a kernel of its own
};

/// What 16-bit floats do to an op.
enum class Precision {
  Follows,  // it takes what its operands have
  Narrow,   // none: operands and result are narrow, whatever it accumulates in
  Sensitive // harm: it computes and answers in f32
};

/// What is known of every op of one name.
struct Facts {
  /// How the result comes about.
  Role role = Role::Opaque;
  /// What 16-bit floats do to it.
  Precision precision = Precision::Follows;
  /// Reads each element of its operands at most once.
  bool readsOnce = false;
  /// Reads nothing, or repeats what it reads: cheaper to compute again in each group than to store.
  bool duplicable = false;
  /// Adds up or multiplies many elements, so that the type it does it in matters.
  bool accumulates = false;
  /// FLOP for each element that is computed (of a row op: read), in units of an addition.
  int weight = 0;

  /// Decides how its kernel is built.
  bool isHero() const {
    return role == Role::Product || role == Role::Window || role == Role::Row || role == Role::Recurrence;
  }
  /// Costs about as much to compute as to load.
  bool isCheap() const { return role == Role::Elementwise && weight <= 1; }
  /// Some kernel must compute it.
  bool needsKernel() const { return role != Role::Structure && role != Role::Constant && role != Role::View; }
};

/// The facts of an op; those of none of ours, of a function's return or of null are Structure's.
Facts factsOf(mlir::Operation *op);
/// True for ops whose elements depend on the operands' elements at the same place, after NumPy broadcasting.
/// passes/kernels/ScalarCode.cpp says what each such op computes.
bool isElementwise(mlir::Operation *op);

// What the interface's methods answer where an op says nothing else.
/// The elements of the op's results times its weight.
DimExpr countFlops(mlir::Operation *op);
/// The same where each of them is made of `terms` others.
DimExpr countFlops(mlir::Operation *op, const DimExpr &terms);
/// The sum over the ops in the op's regions.
DimExpr countFlopsInside(mlir::Operation *op);
/// The bytes of all operands and results, each once.
DimExpr countOperandBytes(mlir::Operation *op);
/// The product of an array of integers, such as a window's sizes.
DimExpr countPlaces(mlir::ArrayAttr sizes);
/// The elements at one place of a tensor's first dim.
DimExpr countRest(mlir::Value tensor);
/// All axes of a tensor from `first` on.
llvm::SmallVector<int64_t> axesFrom(mlir::Value tensor, int64_t first);

} // namespace dscc::dsc

#endif // DSCC_DIALECTS_DSC_FACTS_H
