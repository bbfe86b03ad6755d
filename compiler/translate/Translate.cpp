// Runs the code generators side by side and joins what they make.
//
//     cpu_v4 ─► object ─┐
//     cpu_v3 ─► object ─┤
//     cuda   ─► object ─┼─► table ─► link ─► model.so
//       └─► PTX ─► cubin, one a chip
//
// Every job has a log and a place for its result of its own; only the order of the jobs decides what is told and
// linked, never which of them was first.

#include "compiler/translate/Translate.h"

#include "compiler/translate/BuildReport.h"
#include "compiler/translate/DeviceCode.h"
#include "compiler/translate/HostCode.h"
#include "compiler/translate/Link.h"
#include "compiler/translate/ModelTable.h"
#include "compiler/translate/Ptxas.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/Path.h"

#include <deque>
#include <mutex>

namespace dscc {

using namespace mlir;

namespace {
struct HostJob {
  OwningOpRef<ModuleOp> module;
  HostOptions options;
  HostObject object;
  JobLog log;
};

struct ChipJob {
  const Chip *chip;
  Assembly assembly;
  JobLog log;
};

struct DeviceJob {
  OwningOpRef<ModuleOp> module;
  size_t program;
  DeviceText text;
  std::deque<ChipJob> chips;
  JobLog log;
};

class Translator {
public:
  Translator(ModuleOp module, const CompileOptions &options, llvm::ThreadPoolInterface &pool, CompileListener &listener,
             CompileReport &report)
      : module(module), options(options), pool(pool), listener(listener), report(report) {}

  ExitCode run();

private:
  bool takePrograms();
  void takeProgram(ModuleOp nested, const Target &target);
  void takeDims();
  void addHostJob(OwningOpRef<ModuleOp> host, llvm::StringRef prefix, llvm::StringRef cpuName, int vectorBits);
  void runJobs();
  void runDeviceJob(DeviceJob &job);
  void addImages(DeviceJob &job);
  void addResources(ProgramEntry &program, const ChipJob &job);
  void advance(unsigned kernels);
  bool tell(const JobLog &log);

  void writePtx();
  void writeCubins();
  void writeLlvm();
  void writeArtifact();
  void saveTemps();
  void writeText(llvm::StringRef path, llvm::StringRef text);

  ModuleOp module;
  const CompileOptions &options;
  llvm::ThreadPoolInterface &pool;
  CompileListener &listener;
  CompileReport &report;

  ModelEntry model;
  Weights weights;
  std::deque<HostJob> hostJobs; // of the programs, in their order; last that of the dims
  std::deque<DeviceJob> deviceJobs;
  JobLog log;
  ExitCode worst = ExitCode::Ok;
  std::mutex progressLock;
  unsigned kernelsDone = 0, kernelsTotal = 0;
};
} // namespace

/// dsc.kernel = {nodes = "..", threads = [x, y, z], shared = n, scratch = n}; all are optional.
static KernelEntry readKernel(LLVM::LLVMFuncOp function) {
  KernelEntry kernel;
  kernel.name = function.getName().str();
  auto facts = function->getAttrOfType<DictionaryAttr>("dsc.kernel");
  if (auto nodes = facts.getAs<StringAttr>("nodes"))
    kernel.nodes = nodes.getValue().str();
  if (auto threads = facts.getAs<ArrayAttr>("threads"))
    for (auto [index, count] : llvm::enumerate(threads.getAsRange<IntegerAttr>()))
      kernel.threads[std::min<size_t>(index, 2)] = count.getInt();
  if (auto shared = facts.getAs<IntegerAttr>("shared"))
    kernel.sharedBytes = shared.getInt();
  if (auto scratch = facts.getAs<IntegerAttr>("scratch"))
    kernel.scratchBytes = scratch.getInt();
  return kernel;
}

static std::vector<KernelEntry> readKernels(Operation *scope) {
  std::vector<KernelEntry> kernels;
  for (auto function : scope->getRegion(0).getOps<LLVM::LLVMFuncOp>())
    if (function->hasAttr("dsc.kernel"))
      kernels.push_back(readKernel(function));
  return kernels;
}

void Translator::addHostJob(OwningOpRef<ModuleOp> host, llvm::StringRef prefix, llvm::StringRef cpuName,
                            int vectorBits) {
  HostJob &job = hostJobs.emplace_back();
  job.module = std::move(host);
  job.options = {prefix.str(), cpuName.str(), vectorBits, options.optLevel,
                 options.emit == Emit::Llvm || options.saveTemps};
}

// Host code beside a GPU must run on any x86-64.
static constexpr llvm::StringLiteral anyCpu = "x86-64";

static uint32_t deviceBit(const Target &target) {
  return 1u << (target.device == Device::Cpu ? DSCC_DEVICE_CPU : DSCC_DEVICE_CUDA);
}

void Translator::takeProgram(ModuleOp nested, const Target &target) {
  ProgramEntry &program = model.programs.emplace_back();
  program.target = &target;
  program.prefix = (target.name + ".").str();
  if (auto arena = nested->getAttrOfType<StringAttr>("dsc.arena_bytes"))
    program.arenaFormula = arena.getValue().str();
  if (auto list = nested->getAttrOfType<ArrayAttr>("dsc.weights")) {
    program.firstWeight = weights.append(list, deviceBit(target));
    nested->removeAttr("dsc.weights");
  }
  if (target.device == Device::Cpu) {
    program.kernels = readKernels(nested);
    addHostJob(nested, program.prefix, target.cpuName, target.vectorBits);
  } else {
    for (auto kernels : llvm::make_early_inc_range(nested.getOps<gpu::GPUModuleOp>())) {
      program.kernels = readKernels(kernels);
      DeviceJob &job = deviceJobs.emplace_back();
      job.module = ModuleOp::create(nested.getLoc());
      job.program = model.programs.size() - 1;
      kernels->moveBefore(job.module->getBody(), job.module->getBody()->end());
    }
    addHostJob(nested, program.prefix, anyCpu, 0);
  }
  kernelsTotal += program.kernels.size();
}

/// The functions of the top module: how many elements the outputs have is the same for all programs.
void Translator::takeDims() {
  if (module.lookupSymbol<LLVM::LLVMFuncOp>("sides"))
    model.sidesName = "model.sides";
  OwningOpRef<ModuleOp> top = ModuleOp::create(module.getLoc());
  for (auto function : llvm::make_early_inc_range(module.getOps<LLVM::LLVMFuncOp>()))
    function->moveBefore(top->getBody(), top->getBody()->end());
  model.dimsName = "model.dims";
  addHostJob(std::move(top), "model.", anyCpu, 0);
}

bool Translator::takePrograms() {
  // The table of targets lists the best first, as the artifact must.
  for (const Target &target : allTargets())
    for (auto nested : llvm::make_early_inc_range(module.getOps<ModuleOp>()))
      if (auto name = nested->getAttrOfType<StringAttr>("dsc.target"); name && name.getValue() == target.name) {
        nested->remove();
        takeProgram(nested, target);
      }
  if (model.programs.empty())
    log.fail(ExitCode::Internal, "the module holds no program");
  takeDims();
  return !log.failed();
}

void Translator::advance(unsigned kernels) {
  std::lock_guard<std::mutex> guard(progressLock);
  kernelsDone += kernels;
  listener.progress(kernelsDone, kernelsTotal);
}

void Translator::runDeviceJob(DeviceJob &job) {
  const ProgramEntry &program = model.programs[job.program];
  bool keepLlvm = options.emit == Emit::Llvm || options.saveTemps;
  job.text = compileDevice(*job.module, *program.target, keepLlvm, job.log);
  job.module = nullptr;
  bool wantsCubins = options.emit == Emit::SharedObject || options.emit == Emit::Object || options.emit == Emit::Cubin;
  if (job.log.failed() || options.ptxas.empty() || !wantsCubins)
    return advance(program.kernels.size());
  for (const std::string &arch : options.archs) {
    ChipJob &chip = job.chips.emplace_back();
    chip.chip = findChip(arch);
    if (!chip.chip)
      chip.log.fail(ExitCode::Usage, "there is no table entry for the chip " + arch);
  }
  for (ChipJob &chip : job.chips)
    if (chip.chip)
      pool.async([&, last = &chip == &job.chips.back()] {
        chip.assembly = assemble(options.ptxas, job.text.ptx, *chip.chip, chip.log);
        advance(last ? program.kernels.size() : 0);
      });
}

void Translator::runJobs() {
  // Device code first: it has the longest way, and ptxas runs beside the host code.
  for (DeviceJob &job : deviceJobs)
    pool.async([&] { runDeviceJob(job); });
  for (auto [index, job] : llvm::enumerate(hostJobs))
    pool.async([&, index = index, job = &job] {
      job->object = compileHost(*job->module, job->options, job->log);
      job->module = nullptr;
      bool isCpu = index < model.programs.size() && model.programs[index].target->device == Device::Cpu;
      advance(isCpu ? model.programs[index].kernels.size() : 0);
    });
  pool.wait();
}

bool Translator::tell(const JobLog &job) {
  for (const Diagnostic &diagnostic : job.diagnostics)
    listener.diagnose(diagnostic);
  if (job.failed() && worst == ExitCode::Ok)
    worst = job.code;
  return !job.failed();
}

/// Notes what ptxas said of each kernel, and warns of what costs time.
void Translator::addResources(ProgramEntry &program, const ChipJob &job) {
  JobLog warnings;
  for (KernelEntry &kernel : program.kernels) {
    auto found = job.assembly.kernels.find(kernel.name);
    if (found == job.assembly.kernels.end())
      continue;
    kernel.resources.push_back(found->second);
    if (uint64_t bytes = found->second.spillBytes)
      warnings.warn(kernel.nodes, "kernel " + kernel.name + " spills " + llvm::Twine(bytes) +
                                      " bytes of registers on " + job.chip->name);
  }
  for (const std::string &warning : job.assembly.warnings)
    warnings.warn("", "ptxas for " + job.chip->name + ": " + warning);
  tell(warnings);
}

void Translator::addImages(DeviceJob &job) {
  ProgramEntry &program = model.programs[job.program];
  for (ChipJob &chip : job.chips) {
    if (!tell(chip.log))
      continue;
    addResources(program, chip);
    std::string &cubin = chip.assembly.cubin;
    program.images.push_back(
        {uint32_t(chip.chip->sm), 1, options.stripPtx ? std::move(cubin) : attachPtx(std::move(cubin), job.text.ptx)});
  }
  program.images.push_back({uint32_t(program.target->level), 2, job.text.ptx});
}

void Translator::writeText(llvm::StringRef path, llvm::StringRef text) {
  if (path.empty() || path == "-")
    return listener.print(text);
  writeFile(path, text, log);
}

void Translator::writePtx() {
  if (deviceJobs.empty())
    return log.fail(ExitCode::Usage, "--emit=ptx needs the target cuda");
  for (const DeviceJob &job : deviceJobs)
    writeText(options.output, job.text.ptx);
}

/// One chip goes to the output itself, several go beside it: NAME.sm_90.cubin.
void Translator::writeCubins() {
  if (deviceJobs.empty())
    return log.fail(ExitCode::Usage, "--emit=cubin needs the target cuda");
  if (options.ptxas.empty())
    return log.fail(ExitCode::Environment, "--emit=cubin needs ptxas, and none was found",
                    "name its toolkit with --cuda-path");
  for (const ImageEntry &image : model.programs[deviceJobs.front().program].images) {
    if (image.kind != 1)
      continue;
    llvm::SmallString<128> path(options.output);
    if (options.archs.size() > 1)
      llvm::sys::path::replace_extension(path, "sm_" + llvm::Twine(image.sm) + ".cubin");
    writeFile(path, image.data, log);
  }
}

void Translator::writeLlvm() {
  std::string text;
  for (auto [index, job] : llvm::enumerate(hostJobs))
    text += "; host code of " +
            (index < model.programs.size() ? model.programs[index].target->name.str() : std::string("the model")) +
            "\n" + job.object.llvm + "\n";
  for (const DeviceJob &job : deviceJobs)
    text += "; kernels of " + model.programs[job.program].target->name.str() + "\n" + job.text.llvm + "\n";
  writeText(options.output, text);
}

void Translator::saveTemps() {
  llvm::SmallString<128> stem(options.output);
  llvm::sys::path::replace_extension(stem, "");
  for (auto [index, job] : llvm::enumerate(hostJobs))
    writeFile((stem + "." + job.options.prefix + "ll").str(), job.object.llvm, log);
  for (const DeviceJob &job : deviceJobs) {
    writeFile((stem + ".kernels.ll").str(), job.text.llvm, log);
    writeFile((stem + ".ptx").str(), job.text.ptx, log);
  }
}

void Translator::writeArtifact() {
  bool isObject = options.emit == Emit::Object;
  uint32_t devices = 0;
  for (const ProgramEntry &program : model.programs)
    devices |= deviceBit(*program.target);
  model.defaults = weights.append(listDefaults(module), devices);
  model.weights = weights.table();
  model.weightBytes = weights.bytes();
  model.buildInfo = describeBuild(options, report.ptxasVersion);
  llvm::LLVMContext context;
  llvm::Module table("model", context);
  buildModelTable(module, model, table, log);
  if (isObject && !log.failed())
    fillWeights(weights, table, log);
  if (log.failed())
    return;
  HostOptions tableOptions{"model.", anyCpu.str(), 0, options.optLevel, false};
  HostObject tableObject = compileHost(table, tableOptions, log);
  std::vector<std::string> objects = {std::move(tableObject.bytes)};
  for (HostJob &job : hostJobs)
    objects.push_back(std::move(job.object.bytes));
  if (log.failed())
    return;
  report.artifactBytes =
      isObject ? linkObject(objects, options.output, log) : linkArtifact(objects, weights, options.output, log);
}

ExitCode Translator::run() {
  initializeCodeGenerators();
  if (!takePrograms()) {
    tell(log);
    return worst;
  }
  if (!deviceJobs.empty() && !options.ptxas.empty())
    report.ptxasVersion = versionOfPtxas(options.ptxas);
  runJobs();
  for (HostJob &job : hostJobs)
    tell(job.log);
  for (DeviceJob &job : deviceJobs)
    if (tell(job.log))
      addImages(job);
  if (worst != ExitCode::Ok)
    return worst;
  if (!deviceJobs.empty() && options.ptxas.empty() && options.emit != Emit::Ptx)
    log.remark("no ptxas was found: the artifact carries PTX only, which the driver compiles when it is loaded");

  if (options.saveTemps)
    saveTemps();
  switch (options.emit) {
  case Emit::Ptx: writePtx(); break;
  case Emit::Cubin: writeCubins(); break;
  case Emit::Llvm: writeLlvm(); break;
  default: writeArtifact(); break;
  }
  tell(log);
  report.kernels = kernelsTotal;
  report.weightBytes = weights.bytes();
  report.json = describePrograms(model);
  return worst;
}

ExitCode translate(ModuleOp module, const CompileOptions &options, llvm::ThreadPoolInterface &pool,
                   CompileListener &listener, CompileReport &report) {
  return Translator(module, options, pool, listener, report).run();
}

} // namespace dscc
