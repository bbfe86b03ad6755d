#include "tools/DsccOptions.h"

#include "compiler/Pipeline.h"
#include "dialects/dsc/Targets.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Option/Arg.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/StringSaver.h"

namespace dscc {

namespace {
// The generated table names things of this namespace.
using namespace llvm::opt;

enum OptionId {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "tools/DsccOptions.inc"
#undef OPTION
};

#define OPTTABLE_STR_TABLE_CODE
#include "tools/DsccOptions.inc"
#undef OPTTABLE_STR_TABLE_CODE

#define OPTTABLE_PREFIXES_TABLE_CODE
#include "tools/DsccOptions.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

constexpr llvm::opt::OptTable::Info optionTable[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "tools/DsccOptions.inc"
#undef OPTION
};

class DsccOptTable : public llvm::opt::GenericOptTable {
public:
  DsccOptTable() : GenericOptTable(OptionStrTable, OptionPrefixesTable, optionTable) {}
};

/// Turns parsed arguments into a CommandLine, noting all that is wrong with them.
class Reader {
public:
  Reader(const llvm::opt::InputArgList &arguments) : arguments(arguments) {}
  CommandLine read();

private:
  llvm::StringRef text(OptionId id) { return arguments.getLastArgValue(id); }
  std::vector<std::string> list(OptionId id);
  void error(const llvm::Twine &message) { line.errors.push_back(message.str()); }
  void readOutput();
  void readTargets();
  void readBindings();
  void readDim(llvm::StringRef value);
  void readShape(llvm::StringRef value);
  void readOptimization();
  void readExplain(llvm::StringRef request);
  void readLimits();
  void readSize(OptionId id, llvm::StringRef name, uint64_t &value);
  void chooseOutput();

  const llvm::opt::InputArgList &arguments;
  CommandLine line;
};
} // namespace

std::vector<std::string> Reader::list(OptionId id) {
  std::vector<std::string> values;
  for (const std::string &value : arguments.getAllArgValues(id))
    for (llvm::StringRef part : llvm::split(value, ','))
      if (!part.empty())
        values.push_back(part.str());
  return values;
}

void Reader::readOutput() {
  CompileOptions &o = line.compile;
  o.output = text(OPT_o).str();
  llvm::StringRef kind = text(OPT_emit);
  auto emit = llvm::StringSwitch<std::optional<Emit>>(kind)
                  .Cases({"", "so"}, Emit::SharedObject)
                  .Case("obj", Emit::Object)
                  .Case("ptx", Emit::Ptx)
                  .Case("cubin", Emit::Cubin)
                  .Case("llvm", Emit::Llvm)
                  .Default(std::nullopt);
  if (!emit)
    error("--emit knows so, obj, ptx, cubin and llvm, not `" + kind + "`");
  o.emit = emit.value_or(Emit::SharedObject);
  o.until = text(OPT_until).str();
  line.dependencies = arguments.hasArg(OPT_MD) || arguments.hasArg(OPT_MF);
  line.dependencyFile = text(OPT_MF).str();
}

void Reader::readTargets() {
  CompileOptions &o = line.compile;
  if (arguments.hasArg(OPT_target)) {
    o.cpu = o.cuda = false;
    for (const std::string &target : list(OPT_target)) {
      if (target != "cpu" && target != "cuda")
        error("--target knows cpu and cuda, not `" + target + "`");
      o.cpu |= target == "cpu";
      o.cuda |= target == "cuda";
    }
  }
  if (arguments.hasArg(OPT_arch))
    o.archs = list(OPT_arch);
  for (const std::string &arch : o.archs) {
    if (findChip(arch))
      continue;
    std::string known;
    for (const Chip &chip : allChips())
      known += (known.empty() ? "" : ", ") + chip.name.str();
    error("--arch knows " + known + ", not `" + arch + "`");
  }
  if (arguments.hasArg(OPT_march)) {
    o.cpuLevels.clear();
    for (const std::string &level : list(OPT_march)) {
      if (level != "x86-64-v3" && level != "x86-64-v4")
        error("--march knows x86-64-v3 and x86-64-v4, not `" + level + "`");
      o.cpuLevels.push_back(level == "x86-64-v4" ? 4 : 3);
    }
  }
  line.cudaPath = text(OPT_cuda_path).str();
}

void Reader::readDim(llvm::StringRef value) {
  auto [name, range] = value.rsplit('=');
  auto [low, high] = range.split("..");
  DimBinding binding{name.str(), 0, 0};
  bool isRange = range.contains("..");
  bool ok = !name.empty() && !low.getAsInteger(10, binding.min);
  if (ok && isRange)
    ok = !high.getAsInteger(10, binding.max);
  else
    binding.max = binding.min;
  if (!ok || binding.min < 0 || binding.max < binding.min)
    return error("--dim wants NAME=N or NAME=A..B with 0 <= A <= B, not `" + value + "`");
  line.compile.dims.push_back(binding);
}

void Reader::readShape(llvm::StringRef value) {
  auto [input, dims] = value.rsplit('=');
  ShapeBinding binding{input.str(), {}};
  bool ok = !input.empty();
  if (!dims.empty())
    for (llvm::StringRef dim : llvm::split(dims, 'x')) {
      int64_t number = -1;
      if (dim == "?") {
        binding.dims.push_back(std::nullopt);
        continue;
      }
      ok &= !dim.getAsInteger(10, number) && number >= 0;
      binding.dims.push_back(number);
    }
  if (!ok || !value.contains('='))
    return error("--shape wants INPUT=AxBxC with numbers or ?, not `" + value + "`");
  line.compile.shapes.push_back(binding);
}

void Reader::readBindings() {
  for (const std::string &value : arguments.getAllArgValues(OPT_dim))
    readDim(value);
  for (const std::string &value : arguments.getAllArgValues(OPT_shape))
    readShape(value);
  auto precision = llvm::StringSwitch<std::optional<Precision>>(text(OPT_precision))
                       .Cases({"", "fp32"}, Precision::Fp32)
                       .Case("fp16", Precision::Fp16)
                       .Case("bf16", Precision::Bf16)
                       .Default(std::nullopt);
  if (!precision)
    error("--precision knows fp32, fp16 and bf16, not `" + text(OPT_precision) + "`");
  line.compile.precision = precision.value_or(Precision::Fp32);
}

void Reader::readExplain(llvm::StringRef request) {
  auto [what, pattern] = request.split('=');
  std::string *wanted = llvm::StringSwitch<std::string *>(what)
                            .Case("layouts", &line.compile.explainLayouts)
                            .Case("fusion", &line.compile.explainFusion)
                            .Case("schedule", &line.compile.explainSchedule)
                            .Default(nullptr);
  std::string problem;
  if (!request.contains('='))
    pattern = ".*";
  if (!wanted)
    return error("--explain knows layouts, fusion and schedule, not `" + what + "`");
  if (!llvm::Regex(pattern).isValid(problem))
    return error("--explain=" + what + " wants a regular expression, and `" + pattern + "` is none: " + problem);
  *wanted = pattern.str();
}

void Reader::readOptimization() {
  CompileOptions &o = line.compile;
  if (arguments.hasArg(OPT_O)) {
    llvm::StringRef level = text(OPT_O);
    if (level.size() != 1 || level[0] < '0' || level[0] > '3')
      error("-O knows 0, 1, 2 and 3, not `" + level + "`");
    else
      o.optLevel = level[0] - '0';
  }
  o.disabledPasses = list(OPT_disable);
  for (const std::string &pass : o.disabledPasses)
    if (!llvm::is_contained(optionalPasses(), pass))
      error("--disable knows " + llvm::join(optionalPasses(), ", ") + ", not `" + pass + "`");
  for (llvm::StringRef request : arguments.getAllArgValues(OPT_explain))
    readExplain(request);
  if (arguments.hasArg(OPT_j) && (text(OPT_j).getAsInteger(10, o.jobs) || o.jobs < 1))
    error("-j wants a number of threads, not `" + text(OPT_j) + "`");
  o.verbose = arguments.hasArg(OPT_v);
  o.timePasses = arguments.hasArg(OPT_time_passes);
  o.stripPtx = arguments.hasArg(OPT_strip_ptx);
  o.saveTemps = arguments.hasArg(OPT_save_temps);
  llvm::StringRef form = text(OPT_diagnostics);
  if (!form.empty() && form != "text" && form != "json")
    error("--diagnostics knows text and json, not `" + form + "`");
  line.jsonDiagnostics = form == "json";
  line.noReproducer = arguments.hasArg(OPT_no_reproducer);
  o.cacheDir = text(OPT_cache_dir).str();
  readSize(OPT_cache_size, "--cache-size", o.cacheBytes);
}

void Reader::readSize(OptionId id, llvm::StringRef name, uint64_t &value) {
  if (!arguments.hasArg(id))
    return;
  llvm::StringRef number = text(id);
  unsigned shift = number.consume_back("KiB")   ? 10
                   : number.consume_back("MiB") ? 20
                   : number.consume_back("GiB") ? 30
                                                : 0;
  uint64_t count;
  if (number.getAsInteger(10, count) || count > (UINT64_MAX >> shift))
    return error(name + " wants a number, not `" + text(id) + "`");
  value = count << shift;
}

void Reader::readLimits() {
  Budgets &budgets = line.compile.budgets;
  readSize(OPT_max_model_bytes, "--max-model-bytes", budgets.modelBytes);
  readSize(OPT_max_nodes, "--max-nodes", budgets.nodes);
  readSize(OPT_max_tensor_bytes, "--max-tensor-bytes", budgets.tensorBytes);
  readSize(OPT_max_folded_bytes, "--max-folded-bytes", budgets.foldedBytes);
  if (arguments.hasArg(OPT_max_seconds) && (text(OPT_max_seconds).getAsDouble(budgets.seconds) || budgets.seconds < 0))
    error("--max-seconds wants a number, not `" + text(OPT_max_seconds) + "`");
}

/// Text goes to the standard output unless a file is named; files are called after the model.
void Reader::chooseOutput() {
  CompileOptions &o = line.compile;
  bool isText = o.emit == Emit::Llvm || (!o.until.empty() && o.until != "translated" && o.until != "linked");
  if (!o.output.empty() || isText)
    return;
  llvm::SmallString<128> name(llvm::sys::path::filename(o.input));
  static constexpr llvm::StringLiteral extensions[] = {"so", "o", "ptx", "cubin", "ll"};
  llvm::sys::path::replace_extension(name, extensions[static_cast<int>(o.emit)]);
  o.output = name.str().str();
}

CommandLine Reader::read() {
  line.help = arguments.hasArg(OPT_help);
  line.version = arguments.hasArg(OPT_version);
  std::vector<std::string> inputs = arguments.getAllArgValues(OPT_INPUT);
  if (!line.help && !line.version && inputs.size() != 1)
    error(inputs.empty() ? "no model was named; try --help"
                         : "one model at a time: `" + inputs[0] + "` and `" + inputs[1] + "` are two");
  if (!inputs.empty())
    line.compile.input = inputs.front();
  readOutput();
  readTargets();
  readBindings();
  readOptimization();
  readLimits();
  chooseOutput();
  if (line.dependencies && line.dependencyFile.empty())
    line.dependencyFile = line.compile.output + ".d";
  return line;
}

CommandLine readCommandLine(llvm::ArrayRef<const char *> words) {
  llvm::BumpPtrAllocator allocator;
  llvm::StringSaver saver(allocator);
  llvm::SmallVector<const char *> expanded(words);
  llvm::cl::ExpansionContext expansion(allocator, llvm::cl::TokenizeGNUCommandLine);
  CommandLine failed;
  if (llvm::Error error = expansion.expandResponseFiles(expanded)) {
    failed.errors.push_back(llvm::toString(std::move(error)));
    return failed;
  }

  DsccOptTable table;
  unsigned missingIndex = 0, missingCount = 0;
  llvm::opt::InputArgList arguments = table.ParseArgs(expanded, missingIndex, missingCount);
  CommandLine line = Reader(arguments).read();
  if (missingCount)
    line.errors.insert(line.errors.begin(), std::string(expanded[missingIndex]) + " wants a value");
  for (const llvm::opt::Arg *unknown : arguments.filtered(OPT_UNKNOWN)) {
    std::string word = unknown->getAsString(arguments), nearest;
    bool isNear = table.findNearest(word, nearest) <= 2;
    line.errors.insert(line.errors.begin(),
                       "there is no option `" + word + "`" + (isNear ? "; did you mean `" + nearest + "`?" : ""));
  }
  return line;
}

void printHelp(llvm::raw_ostream &stream) {
  DsccOptTable().printHelp(stream, "dscc [options] model.onnx",
                           "dscc compiles an ONNX model into one shared object with code for GPUs and CPUs.\n\n"
                           "  dscc model.onnx -o model.so      compile\n"
                           "  dscc-run model.so                look at it and run it");
  stream << "\nEXIT CODES: 0 done, 1 the model is not valid, 2 the command line is not, 3 an operator or feature is\n"
            "not supported, 4 a limit was reached, 5 the environment fails (no ptxas, disk full), 70 a bug in dscc\n";
}

} // namespace dscc
