#include "tools/run/Options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

using namespace dscc::run;

const char *const dscc::run::helpText =
    R"(dscc-run: look at a compiled model, and run it

  dscc-run model.so                                  its signature, and one run on random input
  dscc-run model.so --input x=x.npy --output out     one run on a file; writes out/NAME.npy
  dscc-run model.so --dim batch=8 --bench --json     how fast is it?

USAGE: dscc-run [options] model.so

WHERE:
  --device=auto|cpu|cuda   auto (default): CUDA if a device and code for it are there, else the CPU
  --device=sim             the CUDA code on a simulated GPU: no GPU is needed, and accesses are checked
  --threads=N              CPU threads (default: one a physical core)
  --cuda-driver=LIB        library to load in place of libcuda.so.1
  --no-replay              on a GPU make each launch of each run; else a run that comes again is one graph
  --sim-chip=CHIP          sm_80, sm_86, sm_89 or sm_90 (default)
  --sim-check=LEVEL        none, memory (default) or all: races in shared memory too
  --sim-seed=S             order of streams, blocks, warps and lanes; 0 (default): in order
  --sim-sample=N           with --stats and --sim-check=none: run only some N blocks of each launch, spread over its
                           grid, and count each as often as it stands for others; outputs are garbage
  --stats[=text|json]      what each kernel did on the simulated GPU, and how fast it could be at best; json: as
                           a part of the report, which is JSON then

ON WHAT:
  --input NAME=FILE.npy    an input's values; the other inputs get random ones
  --dim NAME=N             value of a named dim of random inputs (default 1)
  --seed=S                 seed of the random values (default 0)

WHAT FOR:
  --output DIR             write each output to DIR/NAME.npy; '/' and ':' in names become '_'
  --bench[=SECONDS]        run again and again, for 3 seconds if not said, and tell the times
  --profile[=TRACE.json]   how long each launch took, with the ONNX nodes that it computes; the file is for
                           Perfetto or chrome://tracing
  --json                   the report as one line of JSON
  --help, --version

Types that NumPy lacks travel as raw integers of their width: bfloat16 as uint16, float8 as uint8, and types
of 4 and 2 bits as one value a byte in int8 or uint8.

EXIT CODES: 0 done, 1 artifact or input rejected, 2 usage, 5 environment or device, 70 a fault of dscc's own
)";

static constexpr double defaultBenchSeconds = 3;

/// The whole text as a number from `low` on.
template <typename Number> static bool parseNumber(const std::string &text, Number low, Number &number) {
  Number value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= low))
    return false;
  number = value;
  return true;
}

static std::string quoted(const std::string &text) { return "`" + text + "`"; }

static void readDevice(Options &options, const std::string &value) {
  options.isSimulated = value == "sim";
  if (value == "auto")
    options.device = DSCC_AUTO;
  else if (value == "cpu")
    options.device = DSCC_CPU;
  else if (value == "cuda" || value == "sim")
    options.device = DSCC_CUDA;
  else
    options.errors.push_back("--device knows auto, cpu, cuda and sim, not " + quoted(value));
}

static void readOneOf(Options &options, const char *option, const std::vector<std::string> &known,
                      const std::string &value, std::string &result) {
  if (std::find(known.begin(), known.end(), value) != known.end()) {
    result = value;
    return;
  }
  std::string list;
  for (const std::string &one : known)
    list += (list.empty() ? "" : ", ") + one;
  options.errors.push_back(std::string(option) + " knows " + list + ", not " + quoted(value));
}

static void readSimChip(Options &options, const std::string &value) {
  readOneOf(options, "--sim-chip", {"sm_80", "sm_86", "sm_89", "sm_90"}, value, options.simChip);
}

static void readSimCheck(Options &options, const std::string &value) {
  readOneOf(options, "--sim-check", {"none", "memory", "all"}, value, options.simCheck);
}

static void readSimSample(Options &options, const std::string &value) {
  uint64_t blocks;
  if (!parseNumber<uint64_t>(value, 1, blocks))
    options.errors.push_back("--sim-sample wants a number of blocks from 1 on, not " + quoted(value));
  options.simSample = value;
}

static void readStats(Options &options, const std::string &value) {
  readOneOf(options, "--stats", {"text", "json"}, value, options.statistics);
}

static void readProfile(Options &options, const std::string &value) {
  options.profile = true;
  options.traceFile = value;
  if (value.empty())
    options.errors.push_back("--profile= wants the name of a file; without one leave out the =");
}

static void readDim(Options &options, const std::string &value) {
  size_t equals = value.rfind('=');
  int64_t number = 0;
  if (equals == std::string::npos || equals == 0 || !parseNumber<int64_t>(value.substr(equals + 1), 0, number))
    options.errors.push_back("--dim wants NAME=N with N >= 0, not " + quoted(value));
  else
    options.dims[value.substr(0, equals)] = number;
}

static void readInput(Options &options, const std::string &value) {
  size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == value.size())
    options.errors.push_back("--input wants NAME=FILE.npy, not " + quoted(value));
  else
    options.inputs.push_back(value);
}

static void readThreads(Options &options, const std::string &value) {
  if (!parseNumber(value, 1, options.threads))
    options.errors.push_back("--threads wants a number from 1 on, not " + quoted(value));
}

static void readSeed(Options &options, const std::string &value) {
  if (!parseNumber<uint64_t>(value, 0, options.seed))
    options.errors.push_back("--seed wants a number, not " + quoted(value));
}

static void readBench(Options &options, const std::string &value) {
  if (!parseNumber(value, std::numeric_limits<double>::min(), options.benchSeconds) ||
      !std::isfinite(options.benchSeconds))
    options.errors.push_back("--bench wants a number of seconds above 0, not " + quoted(value));
}

namespace {
/// An option with a value: `--name=value` or `--name value`.
struct ValueOption {
  const char *name;
  void (*read)(Options &options, const std::string &value);
};

struct Switch {
  const char *name;
  void (*set)(Options &options);
};
} // namespace

static const ValueOption valueOptions[] = {
    {"--device", readDevice},
    {"--threads", readThreads},
    {"--seed", readSeed},
    {"--dim", readDim},
    {"--input", readInput},
    {"--output", [](Options &options, const std::string &value) { options.outputFolder = value; }},
    {"--sim-chip", readSimChip},
    {"--sim-check", readSimCheck},
    {"--sim-seed", [](Options &options, const std::string &value) { options.simSeed = value; }},
    {"--sim-sample", readSimSample},
    {"--cuda-driver", [](Options &options, const std::string &value) { options.cudaDriver = value; }},
};

static const Switch switches[] = {
    {"--no-replay", [](Options &options) { options.noReplay = true; }},
    {"--json", [](Options &options) { options.json = true; }},
    {"--help", [](Options &options) { options.help = true; }},
    {"-h", [](Options &options) { options.help = true; }},
    {"--version", [](Options &options) { options.version = true; }},
    {"--stats", [](Options &options) { options.statistics = "text"; }},
    {"--profile", [](Options &options) { options.profile = true; }},
    {"--bench", [](Options &options) { options.benchSeconds = defaultBenchSeconds; }},
};

/// Reads words[index], and the word after it where the option takes its value from there.
static void readOption(Options &options, const std::vector<std::string> &words, size_t &index) {
  const std::string &word = words[index];
  for (const Switch &entry : switches)
    if (word == entry.name)
      return entry.set(options);
  // The options whose value may be left out, so they never take the next word.
  if (word.rfind("--bench=", 0) == 0)
    return readBench(options, word.substr(8));
  if (word.rfind("--profile=", 0) == 0)
    return readProfile(options, word.substr(10));
  if (word.rfind("--stats=", 0) == 0)
    return readStats(options, word.substr(8));
  size_t equals = word.find('=');
  for (const ValueOption &entry : valueOptions) {
    if (word.substr(0, equals) != entry.name)
      continue;
    if (equals != std::string::npos)
      return entry.read(options, word.substr(equals + 1));
    if (index + 1 < words.size())
      return entry.read(options, words[++index]);
    return options.errors.push_back(word + " wants a value");
  }
  options.errors.push_back("there is no option " + quoted(word) + "; try --help");
}

Options dscc::run::readOptions(const std::vector<std::string> &words) {
  Options options;
  for (size_t index = 0; index < words.size(); ++index) {
    const std::string &word = words[index];
    if (word.size() > 1 && word[0] == '-')
      readOption(options, words, index);
    else if (!options.artifact.empty())
      options.errors.push_back("one model at a time: " + quoted(options.artifact) + " and " + quoted(word) +
                               " are two");
    else
      options.artifact = word;
  }
  if (options.artifact.empty() && options.errors.empty() && !options.help && !options.version)
    options.errors.push_back("no model was named; try --help");
  if (!options.simSample.empty() && (options.statistics.empty() || options.simCheck != "none"))
    options.errors.push_back("--sim-sample leaves out blocks, which is for counting alone; give --stats and "
                             "--sim-check=none too");
  if (!options.simSample.empty() && !options.outputFolder.empty())
    options.errors.push_back("--sim-sample leaves out blocks, so outputs are not complete; leave out --output");
  if (!options.statistics.empty() && !options.isSimulated)
    options.errors.push_back("--stats counts on a simulated GPU; give --device=sim too");
  // One document, whichever option asks for it.
  options.json |= options.statistics == "json";
  if (options.json && !options.statistics.empty())
    options.statistics = "json";
  return options;
}
