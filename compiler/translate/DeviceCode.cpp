// Lowers kernels for NVIDIA chips to PTX text.
//
//     scf arith math llvm nvvm  ==>  llvm nvvm  ==>  LLVM IR  ==>  PTX, of each generation
//
// LLVM optimises little on purpose: its loop passes cost registers (hoisted addresses), which on a GPU is occupancy.

#include "compiler/translate/DeviceCode.h"

#include "compiler/translate/MathLibrary.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/LoopUtils.h"

namespace dscc {

using namespace mlir;

static constexpr llvm::StringLiteral deviceTriple = "nvptx64-nvidia-cuda";
// The combiner makes one round; whether another would find something is no matter of correctness.
static constexpr llvm::StringLiteral llvmPasses =
    "function(sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg)";

static void lowerToLlvmDialect(OpPassManager &pm, unsigned indexBits) {
  ArithToLLVMConversionPassOptions arith;
  ConvertControlFlowToLLVMPassOptions branches;
  ConvertIndexToLLVMPassOptions index;
  UBToLLVMConversionPassOptions poison;
  // 64-bit integers take two registers and several instructions.
  arith.indexBitwidth = branches.indexBitwidth = index.indexBitwidth = poison.indexBitwidth = indexBits;
  pm.addPass(createLowerMathPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass(branches));
  pm.addPass(createArithToLLVMConversionPass(arith));
  pm.addPass(createConvertIndexToLLVMPass(index));
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertNVVMToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass(poison));
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static std::unique_ptr<llvm::TargetMachine> createDeviceMachine(const Target &generation, JobLog &log) {
  std::string error;
  llvm::Triple triple(deviceTriple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    log.fail(ExitCode::Internal, error);
    return nullptr;
  }
  llvm::TargetOptions settings;
  settings.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, generation.cpuName, generation.ptxFeature, settings, llvm::Reloc::PIC_,
                                  std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

static bool optimize(llvm::Module &module, llvm::TargetMachine &machine, JobLog &log) {
  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, llvmPasses)) {
    log.fail(ExitCode::Internal, llvm::toString(std::move(error)));
    return false;
  }
  passes.run(module, modules);
  return true;
}

/// ptxas would unroll loops as it likes, past the register budget for which UnrollLoops has chosen a factor.
static void forbidUnrolling(llvm::Module &module) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    llvm::DominatorTree dominators(function);
    llvm::LoopInfo loops(dominators);
    for (llvm::Loop *loop : loops.getLoopsInPreorder())
      llvm::addStringMetadataToLoop(loop, "llvm.loop.unroll.disable");
  }
}

static bool hasUndefinedFunctions(const llvm::Module &module) {
  return llvm::any_of(module, [](const llvm::Function &function) {
    return function.isDeclaration() && !function.isIntrinsic() && !function.use_empty();
  });
}

/// Adds the functions of our math library that the kernels call.
static bool linkMathLibrary(llvm::Module &module, JobLog &log) {
  if (!hasUndefinedFunctions(module))
    return true;
  auto library = llvm::parseBitcodeFile(llvm::MemoryBufferRef(deviceMathLibrary(), "math"), module.getContext());
  if (!library) {
    log.fail(ExitCode::Internal, llvm::toString(library.takeError()));
    return false;
  }
  (*library)->setDataLayout(module.getDataLayout());
  (*library)->setTargetTriple(module.getTargetTriple());
  auto internalize = [](llvm::Module &linked, const llvm::StringSet<> &added) {
    llvm::internalizeModule(linked, [&](const llvm::GlobalValue &value) { return !added.contains(value.getName()); });
  };
  [[maybe_unused]] bool broken =
      llvm::Linker::linkModules(module, std::move(*library), llvm::Linker::LinkOnlyNeeded, internalize);
  assert(!broken && "the math library has the layout of the module, and only what the module lacks");
  return true;
}

/// What NVPTX cannot call makes LLVM end the process; we say it before.
static bool callsNothingUnknown(const llvm::Module &module, JobLog &log) {
  for (const llvm::Function &function : module) {
    if (!function.isDeclaration() || function.isIntrinsic() || function.use_empty())
      continue;
    log.fail(ExitCode::Internal, "a kernel calls `" + function.getName() + "`, which no GPU code provides");
    return false;
  }
  return true;
}

/// Every thread waits before it touches memory, so whatever earlier kernels wrote is there, and what they still read is
/// not written. Then the next kernel may be launched: its blocks come where this one leaves room, and wait as well. A
/// kernel ends after all before it, because its own wait did. One that waits at a place of its own choice is left
/// alone.
static void overlapNeighbours(llvm::Function &kernel) {
  using namespace llvm::Intrinsic;
  bool waits = llvm::any_of(llvm::instructions(kernel), [](const llvm::Instruction &one) {
    auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&one);
    return call && call->getIntrinsicID() == nvvm_griddepcontrol_wait;
  });
  if (waits)
    return;
  llvm::IRBuilder<> b(&kernel.getEntryBlock(), kernel.getEntryBlock().getFirstInsertionPt());
  b.CreateIntrinsic(nvvm_griddepcontrol_wait, {});
  b.CreateIntrinsic(nvvm_griddepcontrol_launch_dependents, {});
}

static DeviceText writeForm(llvm::Module &module, const DeviceForm &form, bool keepLlvm, JobLog &log) {
  DeviceText text;
  std::unique_ptr<llvm::TargetMachine> machine = createDeviceMachine(*form.target, log);
  if (!machine)
    return text;
  for (const std::string &name : form.overlapping)
    overlapNeighbours(*module.getFunction(name));
  if (keepLlvm) {
    llvm::raw_string_ostream stream(text.llvm);
    module.print(stream, nullptr);
  }
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  [[maybe_unused]] bool cannot =
      machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile);
  assert(!cannot && "the target NVPTX writes assembly");
  passes.run(module);
  text.ptx.assign(bytes.begin(), bytes.end());
  return text;
}

std::vector<DeviceText> compileDevice(ModuleOp module, llvm::ArrayRef<DeviceForm> forms, bool keepLlvm,
                                      Lowerings &lowerings, JobLog &log) {
  auto kernels = llvm::to_vector(module.getOps<gpu::GPUModuleOp>());
  assert(kernels.size() == 1 && "each gpu.module is translated by itself");
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated;
  // The last one asks for least.
  const Target &target = *forms.back().target;
  if (succeeded(lowerings.run(module, lowerToLlvmDialect, target.indexBits)))
    translated = translateModuleToLLVMIR(kernels.front(), context, "kernels", /*disableVerification=*/true);
  std::unique_ptr<llvm::TargetMachine> machine = createDeviceMachine(target, log);
  if (!translated || !machine) {
    log.fail(ExitCode::Internal, "cannot translate the kernels of " + target.name + " to LLVM IR");
    return {};
  }
  translated->setTargetTriple(llvm::Triple(deviceTriple));
  translated->setDataLayout(machine->createDataLayout());
  std::string trouble;
  llvm::raw_string_ostream troubleText(trouble);
  if (llvm::verifyModule(*translated, &troubleText)) {
    log.fail(ExitCode::Internal, "the LLVM IR of the kernels is invalid: " + trouble);
    return {};
  }
  if (!linkMathLibrary(*translated, log) || !optimize(*translated, *machine, log) ||
      !callsNothingUnknown(*translated, log))
    return {};
  forbidUnrolling(*translated);
  std::vector<DeviceText> texts;
  for (const DeviceForm &form : forms) {
    // Writing changes the module; the last form may have it.
    std::unique_ptr<llvm::Module> own = &form == &forms.back() ? std::move(translated) : llvm::CloneModule(*translated);
    texts.push_back(writeForm(*own, form, keepLlvm, log));
  }
  return texts;
}

} // namespace dscc
