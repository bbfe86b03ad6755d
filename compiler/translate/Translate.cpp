// Runs the code generators side by side and joins what they make.
//
//     cpu_v4     ─► objects, one a kernel ─┐
//     cpu_v3     ─► objects, one a kernel ─┤
//     cuda_sm90a ─► host object ───────────┤
//     cuda_sm80  ─► host object ───────────┼─► table ─► link ─► model.so
//        └─► PTX ─► cubin, one a kernel and chip
//
// Every job has a log and a place for its result of its own; only the order of the jobs decides what is told and
// linked, never which of them was first.

#include "compiler/translate/Translate.h"

#include "compiler/translate/BuildReport.h"
#include "compiler/translate/Jobs.h"
#include "compiler/translate/KernelCache.h"
#include "compiler/translate/Link.h"

#include "llvm/ADT/StringExtras.h"
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
  void writeTexts(DeviceJob &job);
  void assembleFor(const DeviceVersion &version, ChipJob &chip);
  void addCubins(DeviceVersion &version);
  void addPtx(const DeviceVersion &version);
  void addResources(ProgramEntry &program, const ChipJob &job);
  std::vector<const Chip *> chipsOf(const Target &target);
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
  Lowerings lowerings;
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
    job.object = compileHost(*job.module, job.options, lowerings, job.log);
    return std::move(job.object.bytes);
  });
  job.module = nullptr;
  advance(job.kernels);
}

void Translator::assembleFor(const DeviceVersion &version, ChipJob &chip) {
  std::string key;
  if (cache.isOn())
    key = cache.keyOf({"cubin", report.ptxasVersion, chip.chip->name, version.text.ptx});
  std::string packed =
      makeOnce(key, chip.log, [&] { return pack(assemble(options.ptxas, version.text.ptx, *chip.chip, chip.log)); });
  if (chip.log.failed())
    return;
  [[maybe_unused]] bool isWhole = unpack(packed, chip.assembly);
  assert(isWhole && "the cache gives what was packed, byte for byte");
}

/// Those of the generation that were asked for.
std::vector<const Chip *> Translator::chipsOf(const Target &target) {
  std::vector<const Chip *> chips;
  for (const std::string &arch : options.archs) {
    const Chip *chip = findChip(arch);
    assert(chip && "the reader of the command line lets only names of chips pass");
    if (chip->target == target.name)
      chips.push_back(chip);
  }
  return chips;
}

/// The PTX of all versions, which are made together unless the cache has them all.
void Translator::writeTexts(DeviceJob &job) {
  bool keepLlvm = options.emit == Emit::Llvm || options.saveTemps;
  std::vector<std::string> keys(job.versions.size());
  bool isKnown = cache.isOn() && !keepLlvm;
  if (isKnown)
    for (auto [key, version] : llvm::zip_equal(keys, job.versions)) {
      key = cache.keyOf({"ptx", version.target->name, llvm::join(version.overlapping, " "), job.source});
      std::optional<std::string> kept = cache.find(key);
      isKnown &= kept.has_value();
      if (kept)
        version.text.ptx = std::move(*kept);
    }
  if (isKnown)
    return;
  std::vector<DeviceForm> forms;
  for (const DeviceVersion &version : job.versions)
    forms.push_back({version.target, version.overlapping});
  std::vector<DeviceText> texts = compileDevice(*job.module, forms, keepLlvm, lowerings, job.log);
  if (job.log.failed())
    return;
  for (auto [key, version, text] : llvm::zip_equal(keys, job.versions, texts)) {
    version.text = std::move(text);
    if (!key.empty())
      cache.keep(key, version.text.ptx);
  }
}

void Translator::runDeviceJob(DeviceJob &job) {
  writeTexts(job);
  job.module = nullptr;
  job.source = std::string();
  bool wantsCubins = options.emit == Emit::SharedObject || options.emit == Emit::Object || options.emit == Emit::Cubin;
  if (job.log.failed() || options.ptxas.empty() || !wantsCubins)
    return advance(job.kernels);
  const ChipJob *last = nullptr;
  for (DeviceVersion &version : job.versions)
    for (const ModulePlace &place : version.places)
      for (const Chip *chip : chipsOf(*model.programs[place.program].target)) {
        version.chips.emplace_back().chip = chip;
        last = &version.chips.back();
      }
  if (!last)
    return advance(job.kernels);
  for (DeviceVersion &version : job.versions)
    for (ChipJob &chip : version.chips)
      pool.async([&, isLast = &chip == last] {
        assembleFor(version, chip);
        advance(isLast ? job.kernels : 0);
      });
}

/// The largest first, so that at the end no thread is left alone with a large one.
template <class Job> static llvm::SmallVector<Job *> bySize(std::deque<Job> &jobs) {
  std::vector<std::pair<size_t, Job *>> sized;
  for (Job &job : jobs) {
    size_t ops = 0;
    job.module->walk([&](Operation *) { ++ops; });
    sized.push_back({ops, &job});
  }
  llvm::stable_sort(sized, [](const auto &a, const auto &b) { return a.first > b.first; });
  return llvm::map_to_vector(sized, [](const auto &entry) { return entry.second; });
}

void Translator::runJobs() {
  // Device code first: it has the longest way, and ptxas runs beside the host code.
  llvm::SmallVector<DeviceJob *> device = bySize(jobs.device);
  llvm::SmallVector<HostJob *> host = bySize(jobs.host);
  for (DeviceJob *job : device)
    pool.async([this, job] { runDeviceJob(*job); });
  for (HostJob *job : host)
    pool.async([this, job] { runHostJob(*job); });
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

/// Each to the program of its chip's generation.
void Translator::addCubins(DeviceVersion &version) {
  for (ChipJob &chip : version.chips) {
    if (!tell(chip.log))
      continue;
    std::string &cubin = chip.assembly.cubin;
    model.codes.push_back(options.stripPtx ? std::move(cubin) : attachPtx(std::move(cubin), version.text.ptx));
    uint32_t sm = chip.chip->sm, lastSm = chip.chip->lastSm;
    for (const ModulePlace &place : version.places) {
      ProgramEntry &program = model.programs[place.program];
      if (chip.chip->target != program.target->name)
        continue;
      addResources(program, chip);
      program.modules[place.index].images.push_back({sm, lastSm, 1, model.codes.size() - 1, chip.chip});
    }
  }
}

/// For the chips after those that have cubins; without ptxas for these too.
void Translator::addPtx(const DeviceVersion &version) {
  bool isNeeded = false;
  for (const ModulePlace &place : version.places) {
    const Target &target = *model.programs[place.program].target;
    std::vector<ImageEntry> &images = model.programs[place.program].modules[place.index].images;
    size_t code = model.codes.size();
    if (target.servesLaterChips)
      images.push_back({uint32_t(target.level), UINT32_MAX, 2, code, nullptr});
    else if (version.chips.empty())
      for (const Chip *chip : chipsOf(target))
        images.push_back({uint32_t(chip->sm), uint32_t(chip->lastSm), 2, code, nullptr});
    isNeeded |= !images.empty() && images.back().kind == 2;
  }
  if (isNeeded)
    model.codes.push_back(version.text.ptx);
}

void Translator::writeText(llvm::StringRef path, llvm::StringRef text) {
  if (path.empty() || path == "-")
    return listener.print(text);
  writeFile(path, text, log);
}

/// Generations that have the same kernels share a file, which goes to the output itself; several files go beside it:
/// NAME.cuda_sm80.ptx.
void Translator::writePtx() {
  if (jobs.device.empty())
    return log.fail(ExitCode::Usage, "--emit=ptx needs the target cuda");
  std::vector<const DeviceVersion *> versions;
  for (const DeviceJob &job : jobs.device)
    for (const DeviceVersion &version : job.versions)
      versions.push_back(&version);
  for (const DeviceVersion *version : versions) {
    llvm::SmallString<128> path(options.output);
    if (versions.size() > 1 && !path.empty() && path != "-")
      llvm::sys::path::replace_extension(path, version->target->name + ".ptx");
    writeText(path, version->text.ptx);
  }
}

/// One chip goes to the output itself, several go beside it: NAME.sm_90a.cubin.
void Translator::writeCubins() {
  if (jobs.device.empty())
    return log.fail(ExitCode::Usage, "--emit=cubin needs the target cuda");
  if (options.ptxas.empty())
    return log.fail(ExitCode::Environment, "--emit=cubin needs ptxas, and none was found",
                    "name its toolkit with --cuda-path");
  auto hasChips = [](const DeviceVersion &version) { return !version.chips.empty(); };
  if (llvm::none_of(jobs.device, [&](const DeviceJob &job) { return llvm::any_of(job.versions, hasChips); }))
    return log.fail(ExitCode::Usage, "--emit=cubin needs a program for one of the chips that --arch names");
  for (const ProgramEntry &program : model.programs) {
    if (program.modules.empty())
      continue;
    // All kernels are in one module then.
    for (const ImageEntry &image : program.modules.front().images) {
      if (!image.chip)
        continue;
      llvm::SmallString<128> path(options.output);
      if (options.archs.size() > 1)
        llvm::sys::path::replace_extension(path, image.chip->name + ".cubin");
      writeFile(path, model.codes[image.code], log);
    }
  }
}

void Translator::writeLlvm() {
  std::string text;
  for (const HostJob &job : jobs.host)
    text += "; " + job.name + "\n" + job.object.llvm + "\n";
  for (const DeviceJob &job : jobs.device)
    for (const DeviceVersion &version : job.versions)
      text += "; " + job.name + "\n" + version.text.llvm + "\n";
  writeText(options.output, text);
}

void Translator::saveTemps() {
  llvm::SmallString<128> stem(options.output);
  llvm::sys::path::replace_extension(stem, "");
  std::map<std::string, std::string> files; // many jobs share one
  for (const HostJob &job : jobs.host)
    files[job.options.prefix + "ll"] += "; " + job.name + "\n" + job.object.llvm + "\n";
  for (const DeviceJob &job : jobs.device)
    for (const DeviceVersion &version : job.versions) {
      files["kernels.ll"] += "; " + job.name + "\n" + version.text.llvm + "\n";
      files["ptx"] += "// " + job.name + "\n" + version.text.ptx + "\n";
    }
  for (auto &[name, text] : files)
    writeFile((stem + "." + name).str(), text, log);
}

void Translator::writeArtifact() {
  bool isObject = options.emit == Emit::Object;
  model.defaults = weights.append(listDefaults(module), (uint64_t(1) << model.programs.size()) - 1);
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
      for (DeviceVersion &version : job.versions) {
        addCubins(version);
        addPtx(version);
      }
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
