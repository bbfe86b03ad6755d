// How a compilation ends, and where it tells about itself on the way.

#ifndef DSCC_COMPILER_COMPILELISTENER_H
#define DSCC_COMPILER_COMPILELISTENER_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace dscc {

/// How a compilation ended; the process exit codes of `dscc`.
enum class ExitCode {
  Ok = 0,
  ModelRejected = 1,
  Usage = 2,
  Unsupported = 3,
  LimitHit = 4,
  Environment = 5,
  Internal = 70
};

/// One thing to tell the user. `node` is the ONNX node's name, or empty.
struct Diagnostic {
  /// Only errors make a compilation fail.
  enum class Severity { Error, Warning, Remark };
  Severity severity; // decides where it is shown
  /// Each may be empty but `message`. `hint` says what to do about it.
  std::string node, op, message, hint;
};

/// Where a compilation tells about itself. Called from one thread at a time.
struct CompileListener {
  virtual ~CompileListener() = default;
  /// Tells about one thing. A compilation that fails has told why before it returns.
  virtual void diagnose(const Diagnostic &diagnostic) = 0;
  /// `done` of `total` kernels are translated.
  virtual void progress(unsigned done, unsigned total) {}
  /// The module is valid and has reached this stage; nothing is in flight.
  virtual void reached(llvm::StringRef stage) {}
  /// Text for the user's standard output (--until, --emit=llvm, ...).
  virtual void print(llvm::StringRef text) = 0;
};

} // namespace dscc

#endif // DSCC_COMPILER_COMPILELISTENER_H
