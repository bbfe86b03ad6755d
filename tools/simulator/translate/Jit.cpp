// Compiles translated modules in this process.

#include "tools/simulator/Chips.h"
#include "tools/simulator/exec/Runtime.h"
#include "tools/simulator/translate/Translator.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

#include <mutex>

namespace dscc::sim {

using namespace llvm;

namespace {
class JitModule : public LoadedModule {
public:
  const Kernel *findKernel(StringRef name) const override {
    for (const Kernel &kernel : kernels)
      if (kernel.name == name)
        return &kernel;
    return nullptr;
  }
  ArrayRef<Kernel> listKernels() const override { return kernels; }
  std::optional<std::pair<void *, size_t>> findGlobal(StringRef name) const override {
    auto found = globals.find(name.str());
    return found == globals.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::pair<void *, size_t>> listGlobals() const override {
    auto places = make_second_range(globals);
    return {places.begin(), places.end()};
  }
  ~JitModule() override {
    for (auto &[name, place] : globals)
      memory::disown(place.first);
  }

  std::unique_ptr<orc::LLJIT> jit;
  std::vector<Kernel> kernels;
  std::map<std::string, std::pair<void *, size_t>> globals;
};
} // namespace

/// Takes registers out of memory and merges blocks; the rest of -O1 costs more than it brings.
static void optimize(Module &module, TargetMachine &machine) {
  PassBuilder builder(&machine);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O1).run(module, modules);
}

/// "sm_90a" fits sm_90 only; "sm_80" fits that and all later ones.
static bool fits(StringRef target, const Chip &chip) {
  StringRef number = target;
  bool isExact = target.ends_with("a");
  if (!number.consume_front("sm_"))
    number.consume_front("compute_");
  number.consume_back("a");
  int wanted = 0;
  if (number.getAsInteger(10, wanted))
    return false;
  int own = chip.major * 10 + chip.minor;
  return isExact ? wanted == own : wanted <= own;
}

static std::string say(Error error) { return toString(std::move(error)); }

std::unique_ptr<LoadedModule> LoadedModule::load(StringRef text, const Chip &chip, std::string &error) {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
  });
  PtxModule ptx;
  error = parsePtx(text, ptx);
  if (!error.empty())
    return nullptr;
  if (!fits(ptx.target, chip)) {
    error = "the PTX is for " + ptx.target + ", and the device is " + chip.name.str();
    return nullptr;
  }
  Expected<orc::JITTargetMachineBuilder> builder = orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return error = say(builder.takeError()), nullptr;
  builder->addFeatures({"-avx512bf16", "-avxneconvert"});     // their narrowing to bf16 flushes subnormals
  builder->getOptions().AllowFPOpFusion = FPOpFusion::Strict; // mul and add stay two roundings
  Expected<std::unique_ptr<TargetMachine>> machine = builder->createTargetMachine();
  if (!machine)
    return error = say(machine.takeError()), nullptr;

  auto context = std::make_unique<LLVMContext>();
  auto module = std::make_unique<Module>("ptx", *context);
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  TranslatedModule translated;
  error = translate(ptx, *module, settings().check, translated);
  if (!error.empty())
    return nullptr;
  optimize(*module, **machine);

  Expected<std::unique_ptr<orc::LLJIT>> jit = orc::LLJITBuilder().setJITTargetMachineBuilder(*builder).create();
  if (!jit)
    return error = say(jit.takeError()), nullptr;
  orc::SymbolMap symbols;
  for (ArrayRef<Callee> list :
       {warpCallees(), barrierCallees(), checkCallees(), clockCallees(), parameterCallees(), asyncCopyCallees(),
        mbarrierCallees(), bulkCopyCallees(), clusterCallees(), matrixCallees(), wmmaCallees(), wgmmaCallees(),
        scalarCallees(), videoCallees(), callCallees(), printingCallees(), statisticsCallees()})
    for (const Callee &callee : list)
      symbols[(*jit)->mangleAndIntern(callee.name)] = {orc::ExecutorAddr::fromPtr(callee.address),
                                                       JITSymbolFlags::Exported};
  if (Error failed = (*jit)->getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols))))
    return error = say(std::move(failed)), nullptr;
  // libm's functions, memcpy and the like.
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess((*jit)->getDataLayout().getGlobalPrefix());
  if (!process)
    return error = say(process.takeError()), nullptr;
  (*jit)->getMainJITDylib().addGenerator(std::move(*process));
  if (Error failed = (*jit)->addIRModule(orc::ThreadSafeModule(std::move(module), std::move(context))))
    return error = say(std::move(failed)), nullptr;

  auto loaded = std::make_unique<JitModule>();
  for (Kernel &kernel : translated.kernels) {
    Expected<orc::ExecutorAddr> address = (*jit)->lookup(kernel.name);
    if (!address)
      return error = say(address.takeError()), nullptr;
    kernel.entry = address->toPtr<void (*)(void *, void **)>();
    for (const SharedLayout::Range &range : translated.shared[kernel.name])
      kernel.sharedRanges.push_back({range.begin, range.bytes});
  }
  for (auto &[name, bytes] : translated.globals) {
    Expected<orc::ExecutorAddr> address = (*jit)->lookup(name);
    if (!address)
      return error = say(address.takeError()), nullptr;
    loaded->globals[name] = {address->toPtr<void *>(), bytes};
    memory::adopt(address->toPtr<void *>(), bytes, /*isWritten=*/true);
  }
  loaded->kernels = std::move(translated.kernels);
  loaded->jit = std::move(*jit);
  return loaded;
}

} // namespace dscc::sim
