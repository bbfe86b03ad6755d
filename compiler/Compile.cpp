// One compilation from end to end: import, the steps of the journey, translation.
//
// Between two steps nothing is in flight. There the module is verified, the time limit looked at, and the listener told
// how far it is.

#include "compiler/Compile.h"

#include "compiler/Diagnostics.h"
#include "compiler/Pipeline.h"
#include "compiler/Registration.h"
#include "compiler/import/Import.h"
#include "compiler/translate/Link.h"
#include "compiler/translate/Translate.h"
#include "dialects/dsc/Storage.h"
#include "passes/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"

#include <chrono>

namespace dscc {

using namespace mlir;
using Clock = std::chrono::steady_clock;

static constexpr llvm::StringLiteral stageAttribute = "dsc.stage";

namespace {
class Compilation {
public:
  Compilation(const CompileOptions &options, CompileListener &listener, CompileReport &report)
      : options(options), listener(listener), report(report),
        pool(options.jobs > 0 ? llvm::hardware_concurrency(options.jobs) : llvm::hardware_concurrency()) {
    DialectRegistry registry;
    registerDialects(registry);
    context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
    context->setThreadPool(pool);
    context->loadAllAvailableDialects();
    context->printOpOnDiagnostic(false);
    timing.setEnabled(options.timePasses);
    timing.setDisplayMode(DefaultTimingManager::DisplayMode::Tree);
    timing.setOutput(createOutputStrategy(DefaultTimingManager::OutputFormat::Text, times));
  }

  ExitCode run();

private:
  ExitCode load(TimingScope &scope);
  ExitCode loadText();
  ExitCode checkContents();
  ExitCode take(const Step &step, TimingScope &scope);
  ExitCode endStep(llvm::StringRef stage);
  ExitCode travel(TimingScope &scope);
  std::string print(llvm::StringRef stage);
  ExitCode fail(ExitCode code, const llvm::Twine &message, llvm::StringRef hint = "");

  const CompileOptions &options;
  CompileListener &listener;
  CompileReport &report;
  llvm::DefaultThreadPool pool;
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  std::string startStage = allStages().front().str();
  Clock::time_point start = Clock::now();
  std::string timesText;
  llvm::raw_string_ostream times{timesText};
  DefaultTimingManager timing;
};
} // namespace

ExitCode Compilation::fail(ExitCode code, const llvm::Twine &message, llvm::StringRef hint) {
  listener.diagnose({Diagnostic::Severity::Error, "", "", message.str(), hint.str()});
  return code;
}

/// A module that somebody wrote, or that --until printed.
ExitCode Compilation::loadText() {
  module = parseSourceFile<ModuleOp>(options.input, context.get());
  if (!module)
    return ExitCode::ModelRejected;
  if (auto stage = (*module)->getAttrOfType<StringAttr>(stageAttribute))
    startStage = stage.getValue().str();
  (*module)->removeAttr(stageAttribute);
  auto start = llvm::find(allStages(), startStage), last = llvm::find(allStages(), options.until);
  if (start == allStages().end())
    return fail(ExitCode::ModelRejected, "there is no stage `" + startStage + "`");
  // Somebody may have written it, so that a broken promise is the input's fault. What is code already is for
  // translation to check.
  PassManager check(context.get());
  check.addPass(createVerifyStage({startStage}));
  if (start < llvm::find(allStages(), "streamed") && failed(check.run(*module)))
    return fail(ExitCode::ModelRejected, "the module breaks a promise of stage `" + startStage + "`");
  if (!options.until.empty() && last < start)
    return fail(ExitCode::Usage, "the module is at stage `" + startStage + "`, past `" + options.until + "`");
  return options.until.empty() ? checkContents() : ExitCode::Ok;
}

/// Whether an attribute, or one inside it, names contents that are not there, or are fewer bytes than it has elements.
static bool lacksContents(Attribute attribute) {
  auto isShort = [](DenseResourceElementsAttr resource) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    uint64_t bytes = resource.getNumElements() * getElementBytes(resource.getElementType());
    return blob && blob->getData().size() >= bytes ? WalkResult::advance() : WalkResult::interrupt();
  };
  return attribute.walk(isShort).wasInterrupted();
}

/// What print() left out cannot become an artifact, whatever holds it: a constant, panels, a program's list of weights.
ExitCode Compilation::checkContents() {
  bool isWhole = true;
  module->walk([&](Operation *op) {
    if (!lacksContents(op->getAttrDictionary()))
      return;
    op->emitOpError("has contents that the text lacks");
    isWhole = false;
  });
  return isWhole ? ExitCode::Ok
                 : fail(ExitCode::ModelRejected, "the module lacks the contents of its weights",
                        "where a module is printed its weights are left out; make them inputs, or give the ONNX model");
}

ExitCode Compilation::load(TimingScope &scope) {
  TimingScope nested = scope.nest("import");
  if (llvm::StringRef(options.input).ends_with(".mlir"))
    return loadText();
  return importModel(options, *context, listener, report, module);
}

/// The module as text, without its large constants.
std::string Compilation::print(llvm::StringRef stage) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo(true, /*prettyForm=*/false);
  flags.elideLargeElementsAttrs(64);
  // Any other limit would write all weights out as hexadecimal text first, to measure its length.
  flags.elideLargeResourceString(0);
  (*module)->setAttr(stageAttribute, StringAttr::get(context.get(), stage));
  module->print(stream, flags);
  (*module)->removeAttr(stageAttribute);
  stream << "\n";
  return text;
}

ExitCode Compilation::endStep(llvm::StringRef stage) {
  if (failed(verify(*module)))
    return fail(ExitCode::Internal, "the module is invalid at stage `" + stage + "`");
  double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (seconds > options.budgets.seconds)
    return fail(ExitCode::LimitHit,
                "the compilation took more than " + llvm::Twine(int64_t(options.budgets.seconds)) + " seconds",
                "raise --max-seconds");
  listener.reached(stage);
  if (!options.saveTemps)
    return ExitCode::Ok;
  JobLog log;
  llvm::SmallString<128> path(options.output);
  llvm::sys::path::replace_extension(path, stage + ".mlir");
  writeFile(path, print(stage), log);
  return log.failed() ? fail(log.code, log.diagnostics.front().message) : ExitCode::Ok;
}

ExitCode Compilation::take(const Step &step, TimingScope &scope) {
  PassManager pm(context.get());
  // Our own check after the step tells a pass's refusal from a pass's mistake.
  pm.enableVerifier(false);
  step.build(pm, options);
  TimingScope nested = scope.nest(step.stage);
  pm.enableTiming(nested);
  DiagnosticForwarder forwarder(*context, listener);
  if (failed(pm.run(*module))) {
    if (forwarder.sawNode())
      return ExitCode::Unsupported;
    return fail(ExitCode::Internal, "the step to stage `" + step.stage + "` failed");
  }
  PassManager check(context.get());
  check.addPass(createVerifyStage({step.stage.str()}));
  if (failed(check.run(*module)))
    return fail(ExitCode::Internal, "the module breaks a promise of stage `" + step.stage + "`");
  return endStep(step.stage);
}

/// From the stage that was loaded to the last one that was asked for.
ExitCode Compilation::travel(TimingScope &scope) {
  bool begun = startStage == allStages().front();
  for (const Step &step : journey()) {
    if (!begun) {
      begun = step.stage == startStage;
      continue;
    }
    if (ExitCode code = take(step, scope); code != ExitCode::Ok)
      return code;
    if (step.stage == options.until)
      break;
  }
  return ExitCode::Ok;
}

ExitCode Compilation::run() {
  ExitCode code;
  {
    TimingScope scope = timing.getRootScope();
    DiagnosticForwarder forwarder(*context, listener);
    code = load(scope);
    if (code == ExitCode::Ok)
      code = endStep(startStage);
    if (code == ExitCode::Ok && options.until != startStage)
      code = travel(scope);
    bool stopsBefore = llvm::is_contained(allStages().drop_back(2), options.until);
    if (code == ExitCode::Ok && stopsBefore) {
      std::string text = print(options.until);
      JobLog log;
      if (options.output.empty() || options.output == "-")
        listener.print(text);
      else
        writeFile(options.output, text, log);
      if (log.failed())
        code = fail(log.code, log.diagnostics.front().message);
    } else if (code == ExitCode::Ok) {
      TimingScope nested = scope.nest("translate");
      code = translate(*module, options, pool, listener, report);
    }
  }
  if (options.timePasses) {
    timing.print();
    listener.print(timesText);
  }
  return code;
}

ExitCode compile(const CompileOptions &options, CompileListener &listener, CompileReport &report) {
  if (!options.until.empty() && !llvm::is_contained(allStages(), options.until)) {
    std::string stages = llvm::join(allStages(), ", ");
    listener.diagnose(
        {Diagnostic::Severity::Error, "", "", "there is no stage `" + options.until + "`", "the stages are " + stages});
    return ExitCode::Usage;
  }
  enablePassCounts();
  ExitCode code = Compilation(options, listener, report).run();
  report.counts = readPassCounts();
  return code;
}

} // namespace dscc
