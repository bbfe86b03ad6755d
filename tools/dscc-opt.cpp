// dscc-opt: runs passes on textual IR, for tests and for the curious. --dsc-journey=until=STAGE takes a module from
// stage `imported` as far as that.

#include "compiler/Pipeline.h"
#include "compiler/Registration.h"
#include "passes/Passes.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

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

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  dscc::registerDsccPasses();
  mlir::PassPipelineRegistration<JourneyOptions>("dsc-journey", "the journey of dscc, from stage imported",
                                                 buildJourney);
  mlir::DialectRegistry registry;
  dscc::registerDialects(registry);
  return mlir::failed(mlir::MlirOptMain(argc, argv, "dscc's passes\n", registry));
}
