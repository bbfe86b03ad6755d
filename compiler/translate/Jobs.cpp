#include "compiler/translate/Jobs.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/StringSwitch.h"

namespace dscc {

using namespace mlir;

std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags().useLocalScope());
  return text;
}

/// dsc.kernel = {threads = [x, y, z], cluster = [x, y, z], shared = n, scratch = n, overlaps}; all are optional.
static KernelEntry readKernel(LLVM::LLVMFuncOp function) {
  KernelEntry kernel;
  kernel.name = function.getName().str();
  auto facts = function->getAttrOfType<DictionaryAttr>("dsc.kernel");
  auto readCounts = [&](StringRef name, std::array<uint32_t, 3> &counts) {
    if (auto list = facts.getAs<ArrayAttr>(name))
      for (auto [index, count] : llvm::enumerate(list.getAsRange<IntegerAttr>()))
        counts[std::min<size_t>(index, 2)] = count.getInt();
  };
  readCounts("threads", kernel.threads);
  readCounts("cluster", kernel.cluster);
  kernel.overlaps = facts.contains("overlaps");
  if (auto shared = facts.getAs<IntegerAttr>("shared"))
    kernel.sharedBytes = shared.getInt();
  if (auto scratch = facts.getAs<IntegerAttr>("scratch"))
    kernel.scratchBytes = scratch.getInt();
  return kernel;
}

/// Takes the facts of a launch off a kernel, so that generations which launch it in other ways have it alike. True if
/// it is to wait for the work before it by itself.
static bool takeLaunchFacts(LLVM::LLVMFuncOp kernel) {
  auto facts = cast<DictionaryAttr>(kernel->removeAttr("dsc.kernel"));
  return facts.contains("overlaps");
}

static SmallVector<LLVM::LLVMFuncOp> kernelsIn(Operation *scope) {
  return llvm::to_vector(
      llvm::make_filter_range(scope->getRegion(0).getOps<LLVM::LLVMFuncOp>(), [](LLVM::LLVMFuncOp function) {
        return bool(function->getAttrOfType<DictionaryAttr>("dsc.kernel"));
      }));
}

/// Moves a kernel to the end of `home`, with copies of what it refers to: shared arrays, declarations.
static void moveKernel(LLVM::LLVMFuncOp kernel, Block *home) {
  Operation *table = kernel->getParentOp();
  llvm::SetVector<Operation *> needed;
  if (auto uses = SymbolTable::getSymbolUses(kernel))
    for (const SymbolTable::SymbolUse &use : *uses)
      if (Operation *used = SymbolTable::lookupSymbolIn(table, use.getSymbolRef()); used && used != kernel)
        needed.insert(used);
  for (Operation *used : needed)
    home->push_back(used->clone());
  kernel->moveBefore(home, home->end());
}

namespace {
class Separation {
public:
  Separation(const CompileOptions &options, ModelEntry &model, Weights &weights, Jobs &jobs)
      : options(options), model(model), weights(weights), jobs(jobs) {}

  void takeProgram(ModuleOp nested, const Target &target);
  void takeModel(ModuleOp module);

private:
  void takeLaunches(ModuleOp nested, ProgramEntry &program);
  void takeServices(ModuleOp nested, ProgramEntry &program);
  void takeHostKernels(ModuleOp nested, ProgramEntry &program);
  void takeDeviceKernels(gpu::GPUModuleOp kernels, ProgramEntry &program);
  void addDeviceJob(gpu::GPUModuleOp kernels, ProgramEntry &program);
  DeviceJob &findDeviceJob(OwningOpRef<ModuleOp> module);
  void addHostJob(OwningOpRef<ModuleOp> host, const Twine &name, StringRef prefix, StringRef cpuName, int vectorBits,
                  unsigned kernels);

  const CompileOptions &options;
  ModelEntry &model;
  Weights &weights;
  Jobs &jobs;
  llvm::StringMap<DeviceJob *> known; // by their sources
};
} // namespace

void Separation::addHostJob(OwningOpRef<ModuleOp> host, const Twine &name, StringRef prefix, StringRef cpuName,
                            int vectorBits, unsigned kernels) {
  bool keepLlvm = options.emit == Emit::Llvm || options.saveTemps;
  HostJob &job = jobs.host.emplace_back();
  job.module = std::move(host);
  job.name = name.str();
  job.options = {prefix.str(), cpuName.str(), vectorBits, options.optLevel, keepLlvm};
  job.kernels = kernels;
}

/// dsc.launches = [{kernel = @k, nodes = "a;b"}, ..]
void Separation::takeLaunches(ModuleOp nested, ProgramEntry &program) {
  auto launches = nested->getAttrOfType<ArrayAttr>("dsc.launches");
  if (!launches)
    return;
  llvm::StringMap<uint32_t> index;
  for (auto [number, kernel] : llvm::enumerate(program.kernels))
    index[kernel.name] = number;
  for (auto launch : launches.getAsRange<DictionaryAttr>())
    program.launches.push_back({index.lookup(launch.getAs<FlatSymbolRefAttr>("kernel").getValue()),
                                launch.getAs<StringAttr>("nodes").getValue().str()});
  nested->removeAttr("dsc.launches");
}

/// dsc.services = ["launch", ..] and dsc.tensor_maps = [{element = f32, box = array<i64: 8, 64>, swizzle = 0}, ..],
/// some with pixels
void Separation::takeServices(ModuleOp nested, ProgramEntry &program) {
  if (auto services = nested->getAttrOfType<ArrayAttr>("dsc.services"))
    for (auto service : services.getAsRange<StringAttr>())
      program.services |= llvm::StringSwitch<uint32_t>(service.getValue())
                              .Case("launch", DSCC_SERVICE_LAUNCH)
                              .Case("copy", DSCC_SERVICE_COPY)
                              .Case("encode_tensor_map", DSCC_SERVICE_ENCODE_TENSOR_MAP);
  nested->removeAttr("dsc.services");
  if (auto maps = nested->getAttrOfType<ArrayAttr>("dsc.tensor_maps"))
    for (auto map : maps.getAsRange<DictionaryAttr>()) {
      Attribute pixels = map.get("pixels");
      program.tensorMaps.push_back({map.getAs<TypeAttr>("element").getValue(),
                                    llvm::SmallVector<int64_t>(map.getAs<DenseI64ArrayAttr>("box").asArrayRef()),
                                    map.getAs<IntegerAttr>("swizzle").getInt(),
                                    pixels ? *readMapPixels(pixels) : PixelAxes()});
    }
  nested->removeAttr("dsc.tensor_maps");
}

void Separation::takeHostKernels(ModuleOp nested, ProgramEntry &program) {
  const Target &target = *program.target;
  for (LLVM::LLVMFuncOp kernel : kernelsIn(nested)) {
    program.kernels.push_back(readKernel(kernel));
    OwningOpRef<ModuleOp> host = ModuleOp::create(nested.getLoc());
    addHostJob(std::move(host), "kernel " + kernel.getName() + " of " + target.name, program.prefix, target.cpuName,
               target.vectorBits, 1);
    moveKernel(kernel, jobs.host.back().module->getBody());
  }
}

/// The one with the same text, so that no code is made twice, or else a new one.
DeviceJob &Separation::findDeviceJob(OwningOpRef<ModuleOp> module) {
  std::string source = textOf(*module);
  DeviceJob *&job = known[source];
  if (!job) {
    job = &jobs.device.emplace_back();
    job->module = std::move(module);
    job->source = std::move(source);
  }
  return *job;
}

static DeviceVersion &findVersion(DeviceJob &job, std::vector<std::string> overlapping) {
  for (DeviceVersion &version : job.versions)
    if (version.overlapping == overlapping)
      return version;
  DeviceVersion &version = job.versions.emplace_back();
  version.overlapping = std::move(overlapping);
  return version;
}

void Separation::addDeviceJob(gpu::GPUModuleOp kernels, ProgramEntry &program) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(kernels.getLoc());
  kernels->moveBefore(module->getBody(), module->getBody()->end());
  auto inside = kernelsIn(kernels);
  std::string name = (inside.size() == 1 ? inside.front().getName() : StringRef("kernels")).str();
  size_t numKernels = inside.size();
  std::vector<std::string> overlapping;
  for (LLVM::LLVMFuncOp kernel : inside) {
    program.kernels.push_back(readKernel(kernel));
    program.kernels.back().module = program.modules.size();
    if (takeLaunchFacts(kernel))
      overlapping.push_back(kernel.getName().str());
  }
  DeviceJob &job = findDeviceJob(std::move(module));
  job.name = std::move(name);
  DeviceVersion &version = findVersion(job, std::move(overlapping));
  // The table of targets lists first what asks for more, so that the last one's code suits all.
  version.target = program.target;
  version.places.push_back({model.programs.size() - 1, program.modules.size()});
  job.kernels += numKernels;
  program.modules.emplace_back();
}

/// One module a kernel; all in one if the result is to be one file.
void Separation::takeDeviceKernels(gpu::GPUModuleOp kernels, ProgramEntry &program) {
  bool oneFile = options.emit == Emit::Ptx || options.emit == Emit::Cubin;
  auto inside = kernelsIn(kernels);
  if (oneFile || inside.size() == 1)
    return addDeviceJob(kernels, program);
  for (LLVM::LLVMFuncOp kernel : inside) {
    OpBuilder b(kernels);
    auto own = cast<gpu::GPUModuleOp>(b.cloneWithoutRegions(*kernels.getOperation()));
    own.getBodyRegion().emplaceBlock();
    moveKernel(kernel, own.getBody());
    addDeviceJob(own, program);
  }
  kernels.erase();
}

void Separation::takeProgram(ModuleOp nested, const Target &target) {
  uint32_t bit = 1u << model.programs.size();
  ProgramEntry &program = model.programs.emplace_back();
  program.target = &target;
  program.prefix = (target.name + ".").str();
  bool isCpu = target.device == Device::Cpu;
  if (auto arena = nested->getAttrOfType<StringAttr>("dsc.arena_bytes"))
    program.arenaFormula = arena.getValue().str();
  if (auto list = nested->getAttrOfType<ArrayAttr>("dsc.weights")) {
    program.firstWeight = weights.append(list, bit);
    nested->removeAttr("dsc.weights");
  }
  if (isCpu)
    takeHostKernels(nested, program);
  else
    for (auto kernels : llvm::make_early_inc_range(nested.getOps<gpu::GPUModuleOp>()))
      takeDeviceKernels(kernels, program);
  takeLaunches(nested, program);
  takeServices(nested, program);
  addHostJob(nested, "host code of " + target.name, program.prefix, anyCpu, 0, 0);
}

/// The functions of the top module: how many elements the outputs have is the same for all programs.
void Separation::takeModel(ModuleOp module) {
  if (module.lookupSymbol<LLVM::LLVMFuncOp>("sides"))
    model.sidesName = "model.sides";
  OwningOpRef<ModuleOp> top = ModuleOp::create(module.getLoc());
  for (auto function : llvm::make_early_inc_range(module.getOps<LLVM::LLVMFuncOp>()))
    function->moveBefore(top->getBody(), top->getBody()->end());
  model.dimsName = "model.dims";
  addHostJob(std::move(top), "host code of the model", "model.", anyCpu, 0, 0);
}

bool takeApart(ModuleOp module, const CompileOptions &options, ModelEntry &model, Weights &weights, Jobs &jobs,
               JobLog &log) {
  Separation separation(options, model, weights, jobs);
  // The table of targets lists the best first, as the artifact must.
  for (const Target &target : allTargets())
    for (auto nested : llvm::make_early_inc_range(module.getOps<ModuleOp>()))
      if (auto name = nested->getAttrOfType<StringAttr>("dsc.target"); name && name.getValue() == target.name) {
        nested->remove();
        separation.takeProgram(nested, target);
      }
  if (model.programs.empty())
    log.fail(ExitCode::Internal, "the module holds no program");
  separation.takeModel(module);
  return !log.failed();
}

} // namespace dscc
