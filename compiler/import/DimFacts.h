// What the import learns about named dims and only a run can check: equations between them, and bounds.

#ifndef DSCC_COMPILER_IMPORT_DIMFACTS_H
#define DSCC_COMPILER_IMPORT_DIMFACTS_H

#include "dialects/dsc/DimExpr.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace dscc {

/// Collects facts node by node; at the end they become attributes of the module.
class DimFacts {
public:
  /// Makes its attributes in `context`.
  explicit DimFacts(mlir::MLIRContext *context) : context(context) {}

  /// Demands that `a` and `b` stand in the relation `kind` (an entry of dsc.relations: "equal", "broadcast",
  /// "multiple") at every run, for the sake of `node`. The same demand is kept once, with the first node that makes it.
  void relate(llvm::StringRef kind, const DimExpr &a, const DimExpr &b, llvm::StringRef node);
  /// True if the two are the same, or have been demanded to be equal. What follows from several demands is not seen.
  bool areEqual(const DimExpr &a, const DimExpr &b) const;
  /// Bounds a named dim, for all runs; false if `dim` is another expression.
  bool limitDim(const DimExpr &dim, int64_t most);

  /// The value of dsc.relations.
  mlir::ArrayAttr relations() const;
  /// `symbols`, the value of dsc.symbols, with the bounds that limitDim was told.
  mlir::ArrayAttr limited(mlir::ArrayAttr symbols) const;

private:
  mlir::MLIRContext *context;
  llvm::SmallVector<mlir::Attribute> entries;
  llvm::StringSet<> texts;         // of the entries
  llvm::StringMap<int64_t> maxima; // of named dims
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_DIMFACTS_H
