// What is wrong with a model, collected until the import ends.

#ifndef DSCC_COMPILER_IMPORT_PROBLEMS_H
#define DSCC_COMPILER_IMPORT_PROBLEMS_H

#include "compiler/CompileListener.h"
#include "compiler/CompileOptions.h"

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/Twine.h"

#include <chrono>

namespace dscc {

/// Tells the listener at once and remembers the exit code. A limit weighs more than a rejected model, that more than
/// an unsupported node: only the last lets the import go on, to find all such nodes.
class Problems {
public:
  /// `listener` must outlive it.
  explicit Problems(CompileListener &listener) : listener(listener) {}

  /// The model is wrong. Always fails, as the others do.
  mlir::LogicalResult reject(const llvm::Twine &message, llvm::StringRef node = "", llvm::StringRef op = "") {
    return add(ExitCode::ModelRejected, message, node, op, "");
  }
  /// The model may be right, but dscc cannot do it.
  mlir::LogicalResult unsupported(const llvm::Twine &message, llvm::StringRef node = "", llvm::StringRef op = "",
                                  llvm::StringRef hint = "") {
    return add(ExitCode::Unsupported, message, node, op, hint);
  }
  /// The model would take more than a budget allows.
  mlir::LogicalResult limit(const llvm::Twine &message, llvm::StringRef node = "", llvm::StringRef op = "",
                            llvm::StringRef hint = "") {
    return add(ExitCode::LimitHit, message, node, op, hint);
  }
  /// A flag does not fit the model.
  mlir::LogicalResult usage(const llvm::Twine &message, llvm::StringRef hint = "") {
    return add(ExitCode::Usage, message, "", "", hint);
  }
  /// Something worth knowing that is not wrong.
  void remark(const llvm::Twine &message, llvm::StringRef hint = "") {
    listener.diagnose({Diagnostic::Severity::Remark, "", "", message.str(), hint.str()});
  }
  /// Ok if nothing was wrong.
  ExitCode code() const { return worst; }
  /// True unless the import may go on to look for more.
  bool isFatal() const { return worst != ExitCode::Ok && worst != ExitCode::Unsupported; }

private:
  static int weight(ExitCode code) {
    switch (code) {
    case ExitCode::Ok: return 0;
    case ExitCode::Unsupported: return 1;
    case ExitCode::ModelRejected: return 2;
    default: return 3;
    }
  }
  mlir::LogicalResult add(ExitCode code, const llvm::Twine &message, llvm::StringRef node, llvm::StringRef op,
                          llvm::StringRef hint) {
    listener.diagnose({Diagnostic::Severity::Error, node.str(), op.str(), message.str(), hint.str()});
    if (weight(code) > weight(worst))
      worst = code;
    return mlir::failure();
  }

  CompileListener &listener;
  ExitCode worst = ExitCode::Ok;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_PROBLEMS_H
