// Tells the user of `dscc` what happens: diagnostics as text or JSON, progress on a terminal, and, if the compiler
// itself breaks down, where the reproducer is.

#ifndef DSCC_TOOLS_DSCCLISTENER_H
#define DSCC_TOOLS_DSCCLISTENER_H

#include "compiler/CompileListener.h"
#include "tools/Reproducer.h"

#include <mutex>

namespace dscc {

/// What `dscc` makes of what the compiler tells it.
class DsccListener : public CompileListener {
public:
  /// `reproducer` may be null; it must outlive this.
  DsccListener(bool json, Reproducer *reproducer);

  void diagnose(const Diagnostic &diagnostic) override;
  void progress(unsigned done, unsigned total) override;
  void reached(llvm::StringRef stage) override;
  void print(llvm::StringRef text) override;

  /// Ends a started line of progress.
  void clearProgress();
  /// Makes the reproducer and says where it is. Safe to call once, from a signal handler too.
  void reportBreakdown(llvm::StringRef reason);

private:
  bool json, isTerminal, isLineOpen = false;
  Reproducer *reproducer;
  std::mutex lock;
};

} // namespace dscc

#endif // DSCC_TOOLS_DSCCLISTENER_H
