// What one job of the translator has to say. Jobs run side by side, so each keeps its own log; the translator tells
// them in the order of the jobs, whoever finished first.

#ifndef DSCC_COMPILER_TRANSLATE_JOBLOG_H
#define DSCC_COMPILER_TRANSLATE_JOBLOG_H

#include "compiler/CompileListener.h"

#include "llvm/ADT/Twine.h"

namespace dscc {

/// Used by one thread at a time.
struct JobLog {
  /// In the order in which they were made.
  std::vector<Diagnostic> diagnostics;
  /// Other than Ok: the job has failed, and so does the compilation.
  ExitCode code = ExitCode::Ok;

  /// Ends the job: nothing that it made will be used.
  void fail(ExitCode why, const llvm::Twine &message, llvm::StringRef hint = "") {
    code = why;
    diagnostics.push_back({Diagnostic::Severity::Error, "", "", message.str(), hint.str()});
  }
  /// Something about `node` that the user may want to change; the job goes on.
  void warn(llvm::StringRef node, const llvm::Twine &message) {
    diagnostics.push_back({Diagnostic::Severity::Warning, node.str(), "", message.str(), ""});
  }
  /// Something that only -v shows.
  void remark(const llvm::Twine &message) {
    diagnostics.push_back({Diagnostic::Severity::Remark, "", "", message.str(), ""});
  }
  /// True once fail() was called: what the job made is of no use.
  bool failed() const { return code != ExitCode::Ok; }
};

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_JOBLOG_H
