// dscc-run: opens a compiled model, runs it on files or on random input, and tells what came out and how fast.
//
//   model.so ──► open ──► inputs (.npy or random) ──► run ──► outputs (.npy or statistics)
//                                                      └──► again and again for --bench
//
// A user of the runtime like any other: it sees <dscc/dscc.h>, and the compiler is far away.

#include "tools/run/Dims.h"
#include "tools/run/KernelStatistics.h"
#include "tools/run/Npy.h"
#include "tools/run/Options.h"
#include "tools/run/Profile.h"
#include "tools/run/Report.h"
#include "tools/run/Suggest.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <sys/stat.h>

using namespace dscc::run;

using Clock = std::chrono::steady_clock;

namespace {
struct CloseModel {
  void operator()(dscc_model *model) const { dscc_model_close(model); }
};
struct DestroyContext {
  void operator()(dscc_context *context) const { dscc_context_destroy(context); }
};
using Model = std::unique_ptr<dscc_model, CloseModel>;
using Context = std::unique_ptr<dscc_context, DestroyContext>;
} // namespace

static double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

static ExitCode fail(ExitCode code, const std::string &sentence) {
  fprintf(stderr, "dscc-run: error: %s\n", sentence.c_str());
  return code;
}

static ExitCode exitCodeOf(dscc_status status) {
  switch (status) {
  case DSCC_OK: return Ok;
  case DSCC_BAD_FILE:
  case DSCC_BAD_INPUT: return Rejected;
  case DSCC_NO_DEVICE:
  case DSCC_OUT_OF_MEMORY:
  case DSCC_DEVICE_FAILED: return Environment;
  case DSCC_BAD_CALL:
  case DSCC_TOO_SMALL: break;
  }
  return Internal;
}

static ExitCode failWithLastError(dscc_status status, const std::string &where) {
  return fail(exitCodeOf(status), where + dscc_last_error());
}

static std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// The index of the input that `NAME=FILE` names, the longest name if several fit; the number of inputs if none does.
static size_t findInput(const dscc_model *model, const std::string &text, std::string &file) {
  size_t count = dscc_num_inputs(model), found = count, longest = 0;
  for (size_t index = 0; index < count; ++index) {
    std::string start = std::string(dscc_input(model, index)->name) + "=";
    if (text.compare(0, start.size(), start) != 0 || start.size() <= longest)
      continue;
    found = index;
    longest = start.size();
    file = text.substr(start.size());
  }
  return found;
}

static ExitCode readFiles(const dscc_model *model, const Options &options, std::vector<HostTensor> &inputs) {
  for (const std::string &text : options.inputs) {
    std::string file, error;
    size_t index = findInput(model, text, file);
    if (index == inputs.size()) {
      std::vector<std::string> names, quoted;
      for (const HostTensor &input : inputs) {
        names.push_back(input.name);
        quoted.push_back("`" + input.name + "`");
      }
      return fail(Rejected, "--input " + text + ": the model has no such input; it has " +
                                (names.empty() ? "none" : joined(quoted)) +
                                didYouMean(text.substr(0, text.find('=')), names));
    }
    HostTensor &input = inputs[index];
    if (!input.file.empty())
      return fail(Usage, "input `" + input.name + "` was given twice: " + input.file + " and " + file);
    input.file = file;
    if (!readNpy(file, input.dtype, input, error))
      return fail(Rejected, error + " (input `" + input.name + "`)");
  }
  return Ok;
}

/// What to give for the named dims of random inputs that do not fit, as the end of a sentence.
static std::string adviseDims(const dscc_model *model, const std::vector<HostTensor> &inputs,
                              const std::map<std::string, int64_t> &values, const std::string &sentence) {
  std::string words = suggestDims(model, inputs, values, sentence);
  return words.empty() ? "" : "; give " + words;
}

/// The values of named dims: those of the command line, and those that the files show.
static ExitCode collectDims(const dscc_model *model, const Options &options, const std::vector<HostTensor> &inputs,
                            std::map<std::string, int64_t> &values) {
  values = options.dims;
  for (const auto &[name, value] : options.dims) {
    bool isKnown = false;
    for (size_t index = 0; index < inputs.size(); ++index)
      for (int axis = 0; axis < dscc_input(model, index)->rank; ++axis)
        isKnown |= mentionsDim(dscc_input(model, index)->dims[axis], name);
    if (isKnown)
      continue;
    std::vector<std::string> names = listNamedDims(model);
    return fail(Usage, "--dim " + name + "=" + std::to_string(value) + ": no input has a dim of that name; " +
                           (names.empty() ? "all dims are numbers" : "the named dims are " + joined(names)) +
                           didYouMean(name, names));
  }
  for (size_t index = 0; index < inputs.size(); ++index) {
    const dscc_tensor *declared = dscc_input(model, index);
    const HostTensor &input = inputs[index];
    // A file of another rank is refused by the run.
    if (input.file.empty() || input.dims.size() != static_cast<size_t>(declared->rank))
      continue;
    for (int axis = 0; axis < declared->rank; ++axis) {
      std::string text = declared->dims[axis];
      if (!isNamedDim(text))
        continue;
      auto given = options.dims.find(text);
      if (given != options.dims.end() && given->second != input.dims[axis])
        return fail(Usage, "--dim " + text + "=" + std::to_string(given->second) + ", but " + input.file + " has " +
                               std::to_string(input.dims[axis]) + " there (input `" + input.name + "`)");
      values.emplace(text, input.dims[axis]);
    }
  }
  return Ok;
}

/// Fills in dims. If one has no value, `text` is what stands for it in the signature.
static bool evaluateDims(const dscc_tensor &declared, const std::map<std::string, int64_t> &values, HostTensor &input,
                         std::string &text) {
  for (int axis = 0; axis < declared.rank; ++axis) {
    text = declared.dims[axis];
    std::optional<int64_t> dim = evaluateDim(text, values);
    if (!dim || *dim < 0)
      return false;
    input.dims.push_back(*dim);
  }
  return true;
}

static ExitCode makeRandom(uint64_t seed, HostTensor &input) {
  size_t bytes = 0;
  if (!countBytes(input.dtype, input.dims, bytes))
    return fail(Usage, "input `" + input.name + "`: dims " + formatDims(input.dims) + " are too large");
  input.bytes = Bytes(bytes);
  fillWithRandom(input, seed);
  return Ok;
}

static ExitCode makeInputs(const dscc_model *model, const Options &options, std::map<std::string, int64_t> &values,
                           std::vector<HostTensor> &inputs) {
  inputs.resize(dscc_num_inputs(model));
  for (size_t index = 0; index < inputs.size(); ++index) {
    inputs[index].name = dscc_input(model, index)->name;
    inputs[index].dtype = dscc_input(model, index)->dtype;
  }
  if (ExitCode code = readFiles(model, options, inputs); code != Ok)
    return code;
  if (ExitCode code = collectDims(model, options, inputs, values); code != Ok)
    return code;
  for (size_t index = 0; index < inputs.size(); ++index) {
    if (!inputs[index].file.empty() || dscc_input(model, index)->default_weight)
      continue;
    // Each input has a stream of its own, far from its neighbours': they differ by a large odd number.
    uint64_t seed = (options.seed + 1) * 0xd1342543de82ef95u + index * 0xda942042e4dd58b5u;
    std::string text;
    if (!evaluateDims(*dscc_input(model, index), values, inputs[index], text))
      return fail(Usage, "input `" + inputs[index].name + "`: no value for dim `" + text +
                             "`; give other --dim values, or a file" + adviseDims(model, inputs, values, text));
    if (ExitCode code = makeRandom(seed, inputs[index]); code != Ok)
      return code;
  }
  // Defaults stand in for the inputs that may be left out.
  for (size_t index = inputs.size(); index-- > 0;)
    if (inputs[index].file.empty() && dscc_input(model, index)->default_weight)
      inputs.erase(inputs.begin() + index);
  return Ok;
}

static std::vector<dscc_buffer> buffersOf(const std::vector<HostTensor> &tensors) {
  std::vector<dscc_buffer> buffers;
  for (const HostTensor &tensor : tensors)
    buffers.push_back(tensor.buffer());
  return buffers;
}

/// Where a file is to blame for a refusal, its name: of the input that the sentence names, the longest if several are.
static std::string fileToBlame(const std::vector<HostTensor> &inputs, const std::string &sentence) {
  const HostTensor *blamed = nullptr;
  for (const HostTensor &input : inputs) {
    bool isNamed = sentence.find("`" + input.name + "`") != std::string::npos ||
                   sentence.find("'" + input.name + "'") != std::string::npos ||
                   sentence.find("\"" + input.name + "\"") != std::string::npos ||
                   sentence.find("input " + input.name) != std::string::npos;
    if (isNamed && !input.file.empty() && (!blamed || blamed->name.size() < input.name.size()))
      blamed = &input;
  }
  return blamed ? blamed->file + ": " : "";
}

static ExitCode makeOutputs(const dscc_model *model, const std::vector<HostTensor> &inputs,
                            const std::map<std::string, int64_t> &values, const std::vector<dscc_buffer> &inputBuffers,
                            std::vector<HostTensor> &outputs) {
  outputs.resize(dscc_num_outputs(model));
  for (size_t index = 0; index < outputs.size(); ++index) {
    const dscc_tensor *declared = dscc_output(model, index);
    HostTensor &output = outputs[index];
    int64_t dims[DSCC_MAX_RANK];
    dscc_status status = dscc_output_dims(model, inputBuffers.data(), inputBuffers.size(), index, dims);
    if (status != DSCC_OK) {
      std::string sentence = dscc_last_error();
      return fail(exitCodeOf(status),
                  fileToBlame(inputs, sentence) + sentence + adviseDims(model, inputs, values, sentence));
    }
    output.name = declared->name;
    output.dtype = declared->dtype;
    output.dims.assign(dims, dims + declared->rank);
    size_t bytes = 0;
    if (!countBytes(output.dtype, output.dims, bytes))
      return fail(Environment, "output `" + output.name + "`: dims " + formatDims(output.dims) + " are too large");
    output.bytes = Bytes(bytes);
  }
  return Ok;
}

/// Sorted times in milliseconds; nearest rank, so that every figure is a time that was measured.
static double percentile(const std::vector<double> &sorted, double percent) {
  assert(!sorted.empty() && std::is_sorted(sorted.begin(), sorted.end()) && "ranks are of sorted times");
  size_t rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

/// Runs for a tenth of the time to warm caches, clocks and branch predictors, then measures.
template <typename Run> static dscc_status bench(double seconds, Run run, BenchReport &report) {
  constexpr size_t minRuns = 10, maxRuns = 10'000'000;
  Clock::time_point start = Clock::now();
  for (size_t runs = 0; runs < 3 || millisecondsSince(start) < 100 * seconds; ++runs)
    if (dscc_status status = run(); status != DSCC_OK)
      return status;
  std::vector<double> times;
  times.reserve(1 << 16); // 512 KiB, so that the first thousands of runs do not wait for memory
  start = Clock::now();
  while (times.size() < minRuns || (millisecondsSince(start) < 1000 * seconds && times.size() < maxRuns)) {
    Clock::time_point before = Clock::now();
    if (dscc_status status = run(); status != DSCC_OK)
      return status;
    times.push_back(millisecondsSince(before));
  }
  report.throughput = 1000 * static_cast<double>(times.size()) / millisecondsSince(start);
  std::sort(times.begin(), times.end());
  report.runs = times.size();
  report.min = times.front();
  report.median = percentile(times, 50);
  report.p90 = percentile(times, 90);
  report.p99 = percentile(times, 99);
  report.max = times.back();
  return DSCC_OK;
}

/// Makes the folder and those above it.
static bool makeFolder(const std::string &path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    if (mkdir(path.substr(0, slash).c_str(), 0777) != 0 && errno != EEXIST)
      return false;
    if (slash == std::string::npos)
      break;
  }
  struct stat status;
  if (stat(path.c_str(), &status) != 0)
    return false;
  errno = ENOTDIR;
  return S_ISDIR(status.st_mode);
}

static ExitCode writeOutputs(const std::string &folder, const std::vector<HostTensor> &outputs,
                             std::vector<std::string> &written) {
  if (!makeFolder(folder))
    return fail(Environment, folder + ": cannot be made: " + std::strerror(errno));
  for (const HostTensor &output : outputs) {
    std::string name = output.name, error;
    std::replace_if(name.begin(), name.end(), [](char letter) { return letter == '/' || letter == ':'; }, '_');
    std::string path = folder + "/" + name + ".npy";
    if (std::find(written.begin(), written.end(), path) != written.end())
      return fail(Environment, path + ": two outputs would get this name");
    if (!writeNpy(path, output, error))
      return fail(Environment, error);
    written.push_back(path);
  }
  return Ok;
}

static Context makeContext(dscc_model *model, const Options &options, int profile, dscc_status &status) {
  dscc_context_options made = {};
  made.struct_bytes = sizeof(made);
  made.profile = profile;
  made.no_replay = options.noReplay;
  dscc_context *created = nullptr;
  status = dscc_context_create(model, &made, &created);
  return Context(created);
}

/// Measures each launch in a context of its own, so that other times are not those of measured runs.
static ExitCode profile(dscc_model *model, const Options &options, const std::vector<dscc_buffer> &inputs,
                        const std::vector<dscc_buffer> &outputs, ProfileReport &report) {
  dscc_status status;
  Context context = makeContext(model, options, 1, status);
  auto run = [&] {
    return dscc_run(context.get(), inputs.data(), inputs.size(), outputs.data(), outputs.size(), nullptr);
  };
  // The first run makes what later ones find.
  if (status == DSCC_OK)
    status = run();
  if (status == DSCC_OK)
    status = takeProfile(context.get(), run, report);
  if (status != DSCC_OK)
    return failWithLastError(status, "");
  std::string error;
  if (!options.traceFile.empty() && !writeTrace(options.traceFile, dscc_device_name(model), report, error))
    return fail(Environment, error);
  return Ok;
}

static ExitCode runModel(dscc_model *model, const Options &options, const std::string &driver, Report &report) {
  std::map<std::string, int64_t> values;
  std::vector<HostTensor> inputs, outputs;
  if (ExitCode code = makeInputs(model, options, values, inputs); code != Ok)
    return code;
  std::vector<dscc_buffer> inputBuffers = buffersOf(inputs);
  if (ExitCode code = makeOutputs(model, inputs, values, inputBuffers, outputs); code != Ok)
    return code;
  std::vector<dscc_buffer> outputBuffers = buffersOf(outputs);

  if (dscc_status status = dscc_workspace_size(model, inputBuffers.data(), inputBuffers.size(), &report.workspaceBytes);
      status != DSCC_OK)
    return failWithLastError(status, "");
  dscc_status created;
  Context context = makeContext(model, options, 0, created);
  if (created != DSCC_OK)
    return failWithLastError(created, "");
  auto run = [&] {
    return dscc_run(context.get(), inputBuffers.data(), inputBuffers.size(), outputBuffers.data(), outputBuffers.size(),
                    nullptr);
  };
  Clock::time_point start = Clock::now();
  if (dscc_status status = run(); status != DSCC_OK)
    return failWithLastError(status, fileToBlame(inputs, dscc_last_error()));
  report.firstRunMs = millisecondsSince(start);

  BenchReport benchReport;
  if (options.benchSeconds > 0) {
    if (dscc_status status = bench(options.benchSeconds, run, benchReport); status != DSCC_OK)
      return failWithLastError(status, "");
    report.bench = &benchReport;
  }
  ProfileReport profileReport;
  if (options.profile) {
    if (ExitCode code = profile(model, options, inputBuffers, outputBuffers, profileReport); code != Ok)
      return code;
    report.profile = &profileReport;
    if (!options.traceFile.empty())
      report.written.push_back(options.traceFile);
  }
  if (!options.outputFolder.empty())
    if (ExitCode code = writeOutputs(options.outputFolder, outputs, report.written); code != Ok)
      return code;
  if (!options.statistics.empty() && !readKernelStatistics(driver, options.statistics, report.statistics))
    return fail(Environment, report.statistics);
  if (!options.simSample.empty())
    fprintf(stderr, "dscc-run: note: a sample of blocks ran of each launch that has more, so outputs are incomplete\n");
  report.outputs = &outputs;
  options.json ? printJson(report) : printText(report);
  if (fflush(stdout) != 0 || ferror(stdout))
    return fail(Environment, std::string("cannot write the report: ") + std::strerror(errno));
  return Ok;
}

/// The simulator takes its settings from the environment; its library lies beside this program's folder, in lib.
static std::string setUpSimulator(const Options &options) {
  const std::pair<const char *, const std::string &> settings[] = {{"DSCC_SIM_CHIP", options.simChip},
                                                                   {"DSCC_SIM_CHECK", options.simCheck},
                                                                   {"DSCC_SIM_SEED", options.simSeed},
                                                                   {"DSCC_SIM_SAMPLE", options.simSample},
                                                                   {"DSCC_SIM_STATS", options.statistics}};
  for (auto &[name, value] : settings)
    if (!value.empty())
      setenv(name, value.c_str(), 1);
  if (!options.cudaDriver.empty())
    return options.cudaDriver;
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / "libdscc_cuda_sim.so").string();
}

static ExitCode openAndRun(const Options &options) {
  dscc_open_options open = {};
  open.struct_bytes = sizeof(open);
  open.device = options.device;
  open.threads = options.threads;
  std::string driver = options.isSimulated ? setUpSimulator(options) : options.cudaDriver;
  open.cuda_driver = driver.empty() ? nullptr : driver.c_str();

  Report report;
  dscc_model *opened = nullptr;
  Clock::time_point start = Clock::now();
  if (dscc_status status = dscc_model_open(options.artifact.c_str(), &open, &opened); status != DSCC_OK)
    return failWithLastError(status, "");
  report.openMs = millisecondsSince(start);
  Model model(opened);
  report.model = opened;
  report.artifact = options.artifact;
  if (!options.json)
    printSignature(opened, options.artifact);
  return runModel(opened, options, driver, report);
}

int main(int argc, char **argv) {
  Options options = readOptions({argv + 1, argv + argc});
  for (const std::string &error : options.errors)
    fail(Usage, error);
  if (!options.errors.empty())
    return Usage;
  if (options.help) {
    fputs(helpText, stdout);
    return Ok;
  }
  if (options.version) {
    printf("dscc-run %s\nABI %u\n", dscc_version(), static_cast<unsigned>(dscc_abi_version()));
    return Ok;
  }
  try {
    return openAndRun(options);
  } catch (const std::bad_alloc &) {
    return fail(Environment, "out of memory");
  }
}
