#include "tools/DsccListener.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

namespace dscc {

DsccListener::DsccListener(bool json, Reproducer *reproducer)
    : json(json), isTerminal(isatty(STDERR_FILENO)), reproducer(reproducer) {}

static llvm::StringRef nameOf(Diagnostic::Severity severity) {
  switch (severity) {
  case Diagnostic::Severity::Error: return "error";
  case Diagnostic::Severity::Warning: return "warning";
  case Diagnostic::Severity::Remark: return "remark";
  }
  return "";
}

static void printJson(const Diagnostic &diagnostic) {
  llvm::json::OStream json(llvm::errs());
  json.object([&] {
    json.attribute("severity", nameOf(diagnostic.severity));
    json.attribute("node", llvm::json::fixUTF8(diagnostic.node));
    json.attribute("op", llvm::json::fixUTF8(diagnostic.op));
    json.attribute("message", llvm::json::fixUTF8(diagnostic.message));
    json.attribute("hint", llvm::json::fixUTF8(diagnostic.hint));
  });
  llvm::errs() << "\n";
}

static void printText(const Diagnostic &diagnostic) {
  llvm::raw_ostream &stream = llvm::errs();
  stream << "dscc: " << nameOf(diagnostic.severity) << ": ";
  if (!diagnostic.node.empty())
    stream << "node '" << diagnostic.node << "'" << (diagnostic.op.empty() ? "" : " (" + diagnostic.op + ")") << ": ";
  else if (!diagnostic.op.empty())
    stream << diagnostic.op << ": ";
  stream << diagnostic.message << "\n";
  if (!diagnostic.hint.empty())
    stream << "  hint: " << diagnostic.hint << "\n";
}

void DsccListener::diagnose(const Diagnostic &diagnostic) {
  std::lock_guard<std::mutex> guard(lock);
  clearProgress();
  json ? printJson(diagnostic) : printText(diagnostic);
}

void DsccListener::progress(unsigned done, unsigned total) {
  std::lock_guard<std::mutex> guard(lock);
  if (!isTerminal || json)
    return;
  llvm::errs() << "\r" << done << " of " << total << " kernels";
  isLineOpen = true;
}

void DsccListener::clearProgress() {
  if (isLineOpen)
    llvm::errs() << "\r\033[K";
  isLineOpen = false;
}

void DsccListener::reached(llvm::StringRef stage) {
  if (reproducer)
    reproducer->reach(stage);
}

void DsccListener::print(llvm::StringRef text) {
  std::lock_guard<std::mutex> guard(lock);
  clearProgress();
  llvm::outs() << text;
  llvm::outs().flush();
}

// Neither locks nor streams here: the thread that broke down may hold any of them.
void DsccListener::reportBreakdown(llvm::StringRef reason) {
  std::string message = "dscc: error: internal error: " + reason.str() + "\n";
  if (reproducer && reproducer->hasStage())
    message += reproducer->write(reason)
                   ? "  hint: please report it, with the reproducer " + reproducer->path() + "\n"
                   : "  hint: please report it; no reproducer could be written to " + reproducer->path() + "\n";
  (void)!::write(STDERR_FILENO, message.data(), message.size());
}

} // namespace dscc
