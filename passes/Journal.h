// Why something was done or left. Rules and emitters answer with a verdict, which holds its reason; passes that were
// asked to explain themselves (an option of theirs, a regular expression) tell it as remarks at the ONNX nodes.

#ifndef DSCC_PASSES_JOURNAL_H
#define DSCC_PASSES_JOURNAL_H

#include "mlir/IR/Operation.h"
#include "llvm/Support/Regex.h"

#include <optional>

namespace dscc {

/// A yes, or a no with its reason. Costs nothing to make: reasons are literals.
class Verdict {
public:
  /// Yes.
  static Verdict accepted() { return Verdict(""); }
  /// No, because of `reason`: a clause such as "the producer is another group's hero".
  static Verdict declined(llvm::StringLiteral reason) { return Verdict(reason); }
  /// Yes if the condition holds.
  static Verdict acceptedIf(bool condition, llvm::StringLiteral otherwise) {
    return condition ? accepted() : declined(otherwise);
  }

  /// True for a yes.
  explicit operator bool() const { return reason.empty(); }
  /// Why not; empty for a yes.
  llvm::StringRef why() const { return reason; }

private:
  explicit Verdict(llvm::StringRef reason) : reason(reason) {}
  llvm::StringRef reason;
};

/// What a pass tells about itself.
class Journal {
public:
  /// Wants what concerns nodes whose name `pattern` matches, anywhere in it; nothing if it is empty or no expression.
  explicit Journal(llvm::StringRef pattern);

  /// True if nothing is wanted, so that nobody need collect reasons.
  bool isClosed() const { return !pattern; }
  /// True if a node that the op comes from is wanted.
  bool wants(mlir::Operation *op) const;
  /// Tells at the op's nodes, with the target's name where there is one. The caller goes on with what is to be said.
  mlir::InFlightDiagnostic tell(mlir::Operation *op) const;
  /// What an op is called there: "dsc.conv 'node'".
  static std::string nameOf(mlir::Operation *op);

private:
  std::optional<llvm::Regex> pattern;
};

} // namespace dscc

#endif // DSCC_PASSES_JOURNAL_H
