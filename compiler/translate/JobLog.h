// What one job of the translator has to say. Jobs run side by side, so each keeps its own log; the translator tells
// them in the order of the jobs, whoever finished first.

#ifndef DSCC_COMPILER_TRANSLATE_JOBLOG_H
#define DSCC_COMPILER_TRANSLATE_JOBLOG_H

#include "compiler/CompileListener.h"

#include "llvm/ADT/Twine.h"

namespace dscc {

struct JobLog {
  std::vector<Diagnostic> diagnostics;
  ExitCode code = ExitCode::Ok;

  /// Ends the job: nothing that it made will be used.
  void fail(ExitCode why, const llvm::Twine &message, llvm::StringRef hint = "") {
    code = why;
    diagnostics.push_back({Diagnostic::Severity::Error, "", "", message.str(), hint.str()});
  }
  void warn(llvm::StringRef node, const llvm::Twine &message) {
    diagnostics.push_back({Diagnostic::Severity::Warning, node.str(), "", message.str(), ""});
  }
  void remark(const llvm::Twine &message) {
    diagnostics.push_back({Diagnostic::Severity::Remark, "", "", message.str(), ""});
  }
  bool failed() const { return code != ExitCode::Ok; }
};

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_JOBLOG_H
