// Runs the code generators side by side and joins what they make.
//
//     cpu_v4 ─► objects, one a kernel ─┐
//     cpu_v3 ─► objects, one a kernel ─┤
//     cuda   ─► host object ───────────┼─► table ─► link ─► model.so
//       └─► PTX ─► cubin, one a kernel and chip
//
// Every job has a log and a place for its result of its own; only the order of the jobs decides what is told and
// linked, never which of them was first.

#include "compiler/translate/Translate.h"

#include "compiler/translate/BuildReport.h"
#include "compiler/translate/Jobs.h"
#include "compiler/translate/KernelCache.h"
#include "compiler/translate/Link.h"

#include "llvm/Support/Path.h"

#include <mutex>

namespace dscc {

using namespace mlir;

namespace {
class Translator {
public:
  Translator(ModuleOp module, const CompileOptions &options, llvm::ThreadPoolInterface &pool, CompileListener &listener,
             CompileReport &report)
      : module(module), options(options), pool(pool), listener(listener), report(report),
        cache(options.cacheDir, options.cacheBytes, options.compilerId) {}

  ExitCode run();

private:
  void openCache();
  void runJobs();
  std::string makeOnce(const std::string &key, const JobLog &made, llvm::function_ref<std::string()> make);
  void runHostJob(HostJob &job);
  void runDeviceJob(DeviceJob &job);
  void assembleFor(DeviceJob &job, ChipJob &chip);
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
  KernelCache cache;

  ModelEntry model;
  Weights weights;
  Jobs jobs;
  JobLog log;
  ExitCode worst = ExitCode::Ok;
  std::mutex progressLock;
  unsigned kernelsDone = 0;
};
} // namespace

void Translator::openCache() {
  if (!cache.isOn())
    return;
  std::string trouble = cache.open();
  if (!trouble.empty())
    log.warn("", trouble + "; compiling without it");
}

void Translator::advance(unsigned kernels) {
  std::lock_guard<std::mutex> guard(progressLock);
  kernelsDone += kernels;
  listener.progress(kernelsDone, report.kernels);
}

/// The text of a module as it is before it is lowered: all that decides about its code.
static std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags().useLocalScope());
  return text;
}

/// What the cache has under the key, or else what `make` makes, which is kept unless the log tells of a failure.
/// Without a key nothing is kept.
std::string Translator::makeOnce(const std::string &key, const JobLog &made, llvm::function_ref<std::string()> make) {
  if (key.empty())
    return make();
  if (std::optional<std::string> kept = cache.find(key))
    return std::move(*kept);
  std::string bytes = make();
  if (!made.failed())
    cache.keep(key, bytes);
  return bytes;
}

void Translator::runHostJob(HostJob &job) {
  std::string key;
  if (cache.isOn() && !job.options.keepLlvm) {
    const HostOptions &to = job.options;
    std::string how =
        to.prefix + " " + to.cpuName + " " + std::to_string(to.vectorBits) + " O" + std::to_string(to.optLevel);
    key = cache.keyOf({"object", how, textOf(*job.module)});
  }
  job.object.bytes = makeOnce(key, job.log, [&] {
    job.object = compileHost(*job.module, job.options, job.log);
    return std::move(job.object.bytes);
  });
  job.module = nullptr;
  advance(job.kernels);
}

void Translator::assembleFor(DeviceJob &job, ChipJob &chip) {
  std::string key;
  if (cache.isOn())
    key = cache.keyOf({"cubin", report.ptxasVersion, chip.chip->name, job.text.ptx});
  std::string packed =
      makeOnce(key, chip.log, [&] { return pack(assemble(options.ptxas, job.text.ptx, *chip.chip, chip.log)); });
  if (chip.log.failed())
    return;
  [[maybe_unused]] bool isWhole = unpack(packed, chip.assembly);
  assert(isWhole && "the cache gives what was packed, byte for byte");
}

void Translator::runDeviceJob(DeviceJob &job) {
  const Target &target = *model.programs[job.program].target;
  bool keepLlvm = options.emit == Emit::Llvm || options.saveTemps;
  std::string key;
  if (cache.isOn() && !keepLlvm)
    key = cache.keyOf({"ptx", target.name, textOf(*job.module)});
  job.text.ptx = makeOnce(key, job.log, [&] {
    job.text = compileDevice(*job.module, target, keepLlvm, job.log);
    return std::move(job.text.ptx);
  });
  job.module = nullptr;
  bool wantsCubins = options.emit == Emit::SharedObject || options.emit == Emit::Object || options.emit == Emit::Cubin;
  if (job.log.failed() || options.ptxas.empty() || !wantsCubins)
    return advance(job.kernels);
  for (const std::string &arch : options.archs) {
    ChipJob &chip = job.chips.emplace_back();
    chip.chip = findChip(arch);
    assert(chip.chip && "the reader of the command line lets only names of chips pass");
  }
  for (ChipJob &chip : job.chips)
    pool.async([&, last = &chip == &job.chips.back()] {
      assembleFor(job, chip);
      advance(last ? job.kernels : 0);
    });
}

void Translator::runJobs() {
  // Device code first: it has the longest way, and ptxas runs beside the host code.
  for (DeviceJob &job : jobs.device)
    pool.async([&] { runDeviceJob(job); });
  for (HostJob &job : jobs.host)
    pool.async([&] { runHostJob(job); });
  pool.wait();
  cache.trim();
  report.cacheHits = cache.hits();
  report.cacheMisses = cache.misses();
}

bool Translator::tell(const JobLog &job) {
  for (const Diagnostic &diagnostic : job.diagnostics)
    listener.diagnose(diagnostic);
  if (job.failed() && worst == ExitCode::Ok)
    worst = job.code;
  return !job.failed();
}

/// The nodes of a kernel's first launch.
static std::string nodesOf(const ProgramEntry &program, const KernelEntry &kernel) {
  for (const LaunchEntry &launch : program.launches)
    if (&program.kernels[launch.kernel] == &kernel)
      return launch.nodes;
  return "";
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
      warnings.warn(nodesOf(program, kernel), "kernel " + kernel.name + " spills " + llvm::Twine(bytes) +
                                                  " bytes of registers on " + job.chip->name);
  }
  for (const std::string &warning : job.assembly.warnings)
    warnings.warn("", "ptxas for " + job.chip->name + ": " + warning);
  tell(warnings);
}

void Translator::addImages(DeviceJob &job) {
  ProgramEntry &program = model.programs[job.program];
  std::vector<ImageEntry> &images = program.modules[job.index].images;
  for (ChipJob &chip : job.chips) {
    if (!tell(chip.log))
      continue;
    addResources(program, chip);
    std::string &cubin = chip.assembly.cubin;
    images.push_back(
        {uint32_t(chip.chip->sm), 1, options.stripPtx ? std::move(cubin) : attachPtx(std::move(cubin), job.text.ptx)});
  }
  images.push_back({uint32_t(program.target->level), 2, job.text.ptx});
}

void Translator::writeText(llvm::StringRef path, llvm::StringRef text) {
  if (path.empty() || path == "-")
    return listener.print(text);
  writeFile(path, text, log);
}

void Translator::writePtx() {
  if (jobs.device.empty())
    return log.fail(ExitCode::Usage, "--emit=ptx needs the target cuda");
  for (const DeviceJob &job : jobs.device)
    writeText(options.output, job.text.ptx);
}

/// One chip goes to the output itself, several go beside it: NAME.sm_90.cubin.
void Translator::writeCubins() {
  if (jobs.device.empty())
    return log.fail(ExitCode::Usage, "--emit=cubin needs the target cuda");
  if (options.ptxas.empty())
    return log.fail(ExitCode::Environment, "--emit=cubin needs ptxas, and none was found",
                    "name its toolkit with --cuda-path");
  // All kernels are in one module then.
  const DeviceJob &job = jobs.device.front();
  for (const ImageEntry &image : model.programs[job.program].modules.front().images) {
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
  for (const HostJob &job : jobs.host)
    text += "; " + job.name + "\n" + job.object.llvm + "\n";
  for (const DeviceJob &job : jobs.device)
    text += "; " + job.name + "\n" + job.text.llvm + "\n";
  writeText(options.output, text);
}

void Translator::saveTemps() {
  llvm::SmallString<128> stem(options.output);
  llvm::sys::path::replace_extension(stem, "");
  std::map<std::string, std::string> files; // many jobs share one
  for (const HostJob &job : jobs.host)
    files[job.options.prefix + "ll"] += "; " + job.name + "\n" + job.object.llvm + "\n";
  for (const DeviceJob &job : jobs.device) {
    files["kernels.ll"] += "; " + job.name + "\n" + job.text.llvm + "\n";
    files["ptx"] += "// " + job.name + "\n" + job.text.ptx + "\n";
  }
  for (auto &[name, text] : files)
    writeFile((stem + "." + name).str(), text, log);
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
  for (HostJob &job : jobs.host)
    objects.push_back(std::move(job.object.bytes));
  if (log.failed())
    return;
  report.artifactBytes =
      isObject ? linkObject(objects, options.output, log) : linkArtifact(objects, weights, options.output, log);
}

ExitCode Translator::run() {
  initializeCodeGenerators();
  if (!takeApart(module, options, model, weights, jobs, log)) {
    tell(log);
    return worst;
  }
  for (const ProgramEntry &program : model.programs) {
    report.kernels += program.kernels.size();
    report.launches += program.launches.size();
  }
  if (!jobs.device.empty() && !options.ptxas.empty())
    report.ptxasVersion = versionOfPtxas(options.ptxas);
  openCache();
  runJobs();
  for (HostJob &job : jobs.host)
    tell(job.log);
  for (DeviceJob &job : jobs.device)
    if (tell(job.log))
      addImages(job);
  if (worst != ExitCode::Ok)
    return worst;
  if (!jobs.device.empty() && options.ptxas.empty() && options.emit != Emit::Ptx)
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
  report.weightBytes = weights.bytes();
  report.json = describePrograms(model);
  return worst;
}

ExitCode translate(ModuleOp module, const CompileOptions &options, llvm::ThreadPoolInterface &pool,
                   CompileListener &listener, CompileReport &report) {
  return Translator(module, options, pool, listener, report).run();
}

} // namespace dscc
