// Lowers host code to the LLVM dialect, to LLVM IR, to an object.
//
//     scf arith math vector llvm  ==>  llvm  ==>  LLVM IR  ==>  x86-64 ELF object
//
// An artifact has no undefined names. What LLVM may still call (memcpy, double-precision math, fmod) is in the
// compiler's own math library, linked in when needed (passes/math/Math.c).

#include "compiler/translate/HostCode.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

namespace dscc {

using namespace mlir;

static constexpr llvm::StringLiteral hostTriple = "x86_64-unknown-linux-gnu";

void initializeCodeGenerators() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
}

static void lowerToLlvmDialect(OpPassManager &pm, unsigned indexBits) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLowerMathPass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(createSCFToControlFlowPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.reassociateFPReductions = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static std::unique_ptr<llvm::TargetMachine> createHostMachine(const HostOptions &options, JobLog &log) {
  std::string error;
  llvm::Triple triple(hostTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    log.fail(ExitCode::Internal, error);
    return nullptr;
  }
  llvm::TargetOptions settings;
  // Only what the emitters marked `contract` is fused.
  settings.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  auto level = options.optLevel == 0 ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Aggressive;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, options.cpuName, "", settings, llvm::Reloc::PIC_, llvm::CodeModel::Small, level));
}

static void setAttributes(llvm::Module &module, const HostOptions &options) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", options.cpuName);
    if (options.vectorBits)
      function.addFnAttr("prefer-vector-width", std::to_string(options.vectorBits));
    // Loops that copy stay loops: short ones are the rule, and there is no libc to call.
    function.addFnAttr("no-builtins");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    function.removeFnAttr(llvm::Attribute::UWTable);
  }
}

/// Makes each name of a program its own in the artifact.
static void prefixNames(llvm::Module &module, llvm::StringRef prefix) {
  for (llvm::GlobalValue &value : module.global_values()) {
    if (value.isDeclaration() || value.hasLocalLinkage())
      continue;
    value.setName(prefix + value.getName());
    value.setVisibility(llvm::GlobalValue::HiddenVisibility);
    value.setDSOLocal(true);
  }
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine, int optLevel) {
  // Unrolling and vectorising are the schedules' business.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = tuning.LoopInterleaving = tuning.LoopVectorization = tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  const llvm::OptimizationLevel levels[] = {llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
                                            llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  llvm::OptimizationLevel level = levels[std::clamp(optLevel, 0, 3)];
  llvm::ModulePassManager passes = level == llvm::OptimizationLevel::O0 ? builder.buildO0DefaultPipeline(level)
                                                                        : builder.buildPerModuleDefaultPipeline(level);
  passes.run(module, modules);
}

HostObject compileHost(llvm::Module &module, const HostOptions &options, JobLog &log) {
  std::unique_ptr<llvm::TargetMachine> machine = createHostMachine(options, log);
  if (!machine)
    return {};
  module.setTargetTriple(llvm::Triple(hostTriple));
  module.setDataLayout(machine->createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  setAttributes(module, options);
  std::string trouble;
  llvm::raw_string_ostream troubleText(trouble);
  if (llvm::verifyModule(module, &troubleText)) {
    log.fail(ExitCode::Internal, "the LLVM IR of " + options.prefix + "* is invalid: " + trouble);
    return {};
  }
  optimize(module, *machine, options.optLevel);

  HostObject object;
  if (options.keepLlvm) {
    llvm::raw_string_ostream text(object.llvm);
    module.print(text, nullptr);
  }
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  [[maybe_unused]] bool cannot =
      machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
  assert(!cannot && "the target X86 writes objects");
  passes.run(module);
  object.bytes.assign(bytes.begin(), bytes.end());
  return object;
}

HostObject compileHost(ModuleOp module, const HostOptions &options, Lowerings &lowerings, JobLog &log) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated;
  if (succeeded(lowerings.run(module, lowerToLlvmDialect, 64)))
    translated = translateModuleToLLVMIR(module, context, options.prefix, /*disableVerification=*/true);
  if (!translated) {
    log.fail(ExitCode::Internal, "cannot translate the host code of " + options.prefix + "* to LLVM IR");
    return {};
  }
  prefixNames(*translated, options.prefix);
  return compileHost(*translated, options, log);
}

} // namespace dscc
