#include "tools/DsccListener.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <unistd.h>

namespace dscc {

DsccListener::DsccListener(bool json, std::string commandLine, std::string reproducerFile)
    : json(json), isTerminal(isatty(STDERR_FILENO)), commandLine(std::move(commandLine)),
      reproducerFile(std::move(reproducerFile)) {}

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

void DsccListener::checkpoint(llvm::StringRef atStage, llvm::StringRef text) {
  std::lock_guard<std::mutex> guard(lock);
  stage = atStage.str();
  ir = text.str();
}

void DsccListener::print(llvm::StringRef text) {
  std::lock_guard<std::mutex> guard(lock);
  clearProgress();
  llvm::outs() << text;
  llvm::outs().flush();
}

static bool writeAll(int file, llvm::StringRef text) {
  while (!text.empty()) {
    ssize_t written = ::write(file, text.data(), text.size());
    if (written <= 0)
      return false;
    text = text.drop_front(written);
  }
  return true;
}

// Neither locks nor streams here: the thread that broke down may hold any of them.
void DsccListener::reportBreakdown(llvm::StringRef reason) {
  std::string message = "dscc: error: internal error: " + reason.str() + "\n";
  if (!ir.empty()) {
    int file = open(reproducerFile.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    std::string story = "// " + commandLine + "\n// After stage " + stage + ": " + reason.str() + "\n";
    bool ok = file >= 0 && writeAll(file, story) && writeAll(file, ir);
    if (file >= 0)
      close(file);
    message += ok ? "  hint: please report it, with the reproducer " + reproducerFile + "\n"
                  : "  hint: please report it; no reproducer could be written to " + reproducerFile + "\n";
  }
  (void)writeAll(STDERR_FILENO, message);
}

} // namespace dscc
