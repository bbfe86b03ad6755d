// dscc-opt: runs passes on textual IR, for tests and for the curious. --dsc-journey=until=STAGE takes a module from
// stage `imported` as far as that.

#include "compiler/Pipeline.h"
#include "compiler/Registration.h"
#include "passes/Passes.h"
#include "passes/Statistics.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

namespace {
struct JourneyOptions : public mlir::PassPipelineOptions<JourneyOptions> {
  Option<std::string> until{*this, "until", llvm::cl::desc("the last stage to reach; default: streamed")};
  ListOption<std::string> disable{*this, "disable", llvm::cl::desc("passes to leave out")};
  Option<std::string> precision{*this, "precision", llvm::cl::desc("fp32, fp16 or bf16"), llvm::cl::init("fp32")};
};
} // namespace

static void buildJourney(mlir::OpPassManager &pm, const JourneyOptions &given) {
  dscc::CompileOptions options;
  options.until = given.until;
  options.disabledPasses.assign(given.disable.begin(), given.disable.end());
  if (given.precision != "fp32")
    options.precision = given.precision == "fp16" ? dscc::Precision::Fp16 : dscc::Precision::Bf16;
  if (failed(dscc::buildPipeline(pm, options)))
    llvm::report_fatal_error("there is no stage `" + llvm::Twine(given.until.getValue()) + "`", false);
}

/// As MlirOptMain does, but the process lives on: the passes' counts are still to be read.
static mlir::LogicalResult run(llvm::StringRef input, llvm::StringRef output, mlir::DialectRegistry &registry) {
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> buffer = mlir::openInputFile(input, &error);
  std::unique_ptr<llvm::ToolOutputFile> file = buffer ? mlir::openOutputFile(output, &error) : nullptr;
  if (!file) {
    llvm::errs() << error << "\n";
    return mlir::failure();
  }
  mlir::MlirOptMainConfig config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (failed(mlir::MlirOptMain(file->os(), std::move(buffer), registry, config)))
    return mlir::failure();
  file->keep();
  return mlir::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::registerAllPasses();
  dscc::registerDsccPasses();
  mlir::PassPipelineRegistration<JourneyOptions>("dsc-journey", "the journey of dscc, from stage imported",
                                                 buildJourney);
  mlir::DialectRegistry registry;
  dscc::registerDialects(registry);
  llvm::cl::opt<bool> statistics("dsc-statistics", llvm::cl::desc("tell on stderr what the passes have counted"));
  dscc::enablePassCounts();
  auto [input, output] = mlir::registerAndParseCLIOptions(argc, argv, "dscc's passes\n", registry);
  bool failed = mlir::failed(run(input, output, registry));
  if (statistics)
    for (const dscc::PassCount &count : dscc::readPassCounts())
      llvm::errs() << count.pass << ": " << count.name << " " << count.value << "\n";
  return failed;
}
