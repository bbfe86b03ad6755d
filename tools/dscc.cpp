// dscc: an ONNX model in, one shared object out.

#include "compiler/Compile.h"
#include "compiler/translate/Ptxas.h"
#include "tools/DsccListener.h"
#include "tools/DsccOptions.h"
#include "tools/DsccReport.h"
#include "tools/FindPtxas.h"
#include "tools/Identity.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <new>
#include <thread>
#include <unistd.h>

using namespace dscc;

// For the handlers of breakdowns, which get no useful argument.
static std::atomic<DsccListener *> currentListener = nullptr;

[[noreturn]] static void endWith(ExitCode code) { _exit(static_cast<int>(code)); }

[[noreturn]] static void onBreakdown(llvm::StringRef reason) {
  static thread_local bool isReporting = false;
  static std::atomic<bool> isReported = false;
  // Breaking down while reporting must not go round in circles; on another thread it waits for the end.
  if (std::exchange(isReporting, true))
    endWith(ExitCode::Internal);
  if (isReported.exchange(true))
    while (true)
      pause();
  llvm::sys::RunInterruptHandlers(); // removes temporary files
  if (DsccListener *listener = currentListener)
    listener->reportBreakdown(reason.split('\n').first);
  endWith(ExitCode::Internal);
}

static void onFatalSignal(int) { onBreakdown("the compiler broke down"); }

static void installHandlers() {
  // LLVM's handlers take themselves away at the first signal, so that another thread's, which may come while the first
  // is reported, would end the process. It keeps those for interrupts and makes the stack that handlers run on.
  llvm::sys::AddSignalHandler([](void *) { onBreakdown("the compiler broke down"); }, nullptr);
  struct sigaction action = {};
  action.sa_handler = onFatalSignal;
  action.sa_flags = SA_NODEFER | SA_ONSTACK;
  for (int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP})
    sigaction(signal, &action, nullptr);
  // Not LLVM's handler: a limit on the size of files is like a full disk: whoever writes is told, and says so.
  std::signal(SIGXFSZ, SIG_IGN);
  llvm::install_fatal_error_handler([](void *, const char *reason, bool) { onBreakdown(reason); });
  std::set_new_handler([] {
    static constexpr char message[] = "dscc: error: out of memory\n";
    (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
    llvm::sys::RunInterruptHandlers();
    endWith(ExitCode::Environment);
  });
}

static void printVersion(const CommandLine &line, const std::string &ptxas) {
  llvm::outs() << "dscc " << DSCC_VERSION << "\nLLVM " << LLVM_VERSION_STRING << "\nptxas ";
  if (ptxas.empty())
    llvm::outs() << "not found\n";
  else
    llvm::outs() << versionOfPtxas(ptxas) << " (" << ptxas << ")\n";
}

/// A path as a word of a make rule.
static std::string escapeForMake(llvm::StringRef path) {
  std::string escaped;
  for (char c : path) {
    if (c == ' ' || c == '#')
      escaped += '\\';
    escaped += c == '$' ? "$$" : std::string(1, c);
  }
  return escaped;
}

static bool writeDependencies(const CommandLine &line, const CompileReport &report) {
  std::error_code error;
  llvm::raw_fd_ostream stream(line.dependencyFile, error);
  if (error)
    return false;
  stream << escapeForMake(line.compile.output) << ": " << escapeForMake(line.compile.input);
  for (const std::string &file : report.dependencies)
    stream << " \\\n  " << escapeForMake(file);
  stream << "\n";
  stream.close();
  bool ok = !stream.has_error();
  stream.clear_error();
  return ok;
}

static ExitCode usageError(const CommandLine &line) {
  DsccListener listener(line.jsonDiagnostics, nullptr);
  for (const std::string &error : line.errors)
    listener.diagnose({Diagnostic::Severity::Error, "", "", error, ""});
  return ExitCode::Usage;
}

/// Ends the program when its time is up and the step that it is in does not come to an end: `compile` itself looks at
/// the clock between steps only. The thread ends with the process.
static void startWatchdog(double seconds, DsccListener &listener) {
  constexpr double graceSeconds = 2, tooFarAway = 1e9;
  if (seconds + graceSeconds > tooFarAway)
    return;
  std::thread([=, &listener] {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds + graceSeconds));
    listener.clearProgress();
    listener.diagnose({Diagnostic::Severity::Error, "", "",
                       "the compilation took more than " + std::to_string(static_cast<int64_t>(seconds)) + " seconds",
                       "raise --max-seconds"});
    llvm::sys::RunInterruptHandlers(); // removes temporary files
    endWith(ExitCode::LimitHit);
  }).detach();
}

static ExitCode compileWith(const CommandLine &line, llvm::ArrayRef<const char *> words) {
  const CompileOptions &options = line.compile;
  std::string stem =
      options.output.empty() || options.output == "-" ? llvm::sys::path::filename(options.input).str() : options.output;
  Reproducer reproducer(words, stem + ".reproducer.mlir");
  DsccListener listener(line.jsonDiagnostics, line.noReproducer ? nullptr : &reproducer);
  currentListener = &listener;
  startWatchdog(options.budgets.seconds, listener);
  CompileReport report;
  ExitCode code = compile(options, listener, report);
  listener.clearProgress();
  if (code == ExitCode::Internal)
    listener.reportBreakdown("see above");
  currentListener = nullptr;
  if (code != ExitCode::Ok)
    return code;
  if (line.dependencies && !writeDependencies(line, report)) {
    listener.diagnose({Diagnostic::Severity::Error, "", "", "cannot write " + line.dependencyFile, ""});
    return ExitCode::Environment;
  }
  if (options.verbose)
    printReport(line, report, llvm::errs());
  return ExitCode::Ok;
}

int main(int argc, char **argv) {
  installHandlers();
  CommandLine line = readCommandLine(llvm::ArrayRef<const char *>(argv + 1, argc - 1));
  if (line.help) {
    printHelp(llvm::outs());
    return 0;
  }
  std::string program = llvm::sys::fs::getMainExecutable(argv[0], reinterpret_cast<void *>(&main));
  std::string error;
  line.compile.ptxas = findPtxas(line.cudaPath, program, error);
  if (!line.compile.cacheDir.empty())
    line.compile.compilerId = identifyCompiler();
  if (line.errors.empty() && line.version) {
    printVersion(line, line.compile.ptxas);
    return 0;
  }
  if (!line.errors.empty())
    return static_cast<int>(usageError(line));
  if (!error.empty()) {
    llvm::errs() << "dscc: error: " << error << "\n";
    return static_cast<int>(ExitCode::Environment);
  }
  ExitCode code = compileWith(line, llvm::ArrayRef<const char *>(argv + 1, argc - 1));
  llvm::outs().flush();
  // Not by `return`: a whole model's IR need not be freed piece by piece.
  endWith(code);
}
