#include "tools/DsccReport.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <array>

namespace dscc {

namespace json = llvm::json;

namespace {
/// A column of the table of kernels. What a kernel lacks is an empty cell, and a column of empty cells is left out.
struct Column {
  const char *title;
  std::string (*cell)(const json::Object &kernel);
  bool isNumber;
};
} // namespace

static std::string count(int64_t number, const char *thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

static std::string formatBytes(uint64_t bytes) {
  static constexpr std::array units = {"KiB", "MiB", "GiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit)
    value /= 1024;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.1f %s", value, units[unit]);
  return text;
}

static std::string nameOf(const json::Object &kernel) { return kernel.getString("name").value_or("").str(); }

static std::string countLaunches(const json::Object &kernel) {
  return std::to_string(kernel.getInteger("launches").value_or(1));
}

/// One number if it is that of all chips, else one a chip: "40/40/42/42".
static std::string perChip(const json::Object &kernel, llvm::StringRef key) {
  std::vector<std::string> numbers;
  if (const json::Array *chips = kernel.getArray("chips"))
    for (const json::Value &chip : *chips)
      numbers.push_back(std::to_string(chip.getAsObject()->getInteger(key).value_or(0)));
  if (!numbers.empty() && llvm::all_equal(numbers))
    numbers.resize(1);
  return llvm::join(numbers, "/");
}

static std::string registersOf(const json::Object &kernel) { return perChip(kernel, "registers"); }
static std::string spillsOf(const json::Object &kernel) { return perChip(kernel, "spill_bytes"); }
static std::string sharedOf(const json::Object &kernel) { return perChip(kernel, "shared_bytes"); }

static std::string scratchOf(const json::Object &kernel) {
  int64_t bytes = kernel.getInteger("scratch_bytes").value_or(0);
  return bytes ? std::to_string(bytes) : "";
}

/// The ONNX nodes of the first launch, and how many others there are.
static std::string nodesOf(const json::Object &kernel) {
  constexpr size_t maxLength = 80;
  const json::Array *launches = kernel.getArray("nodes");
  std::string text = kernel.getString("nodes").value_or("").str();
  if (launches && !launches->empty())
    text = launches->front().getAsString().value_or("").str();
  if (text.size() > maxLength)
    text = text.substr(0, maxLength - 3) + "...";
  if (launches && launches->size() > 1)
    text += " and in " + std::to_string(launches->size() - 1) + " more";
  return json::fixUTF8(text);
}

static constexpr Column columns[] = {
    {"kernel", nameOf, false},        {"launches", countLaunches, true}, {"registers", registersOf, true},
    {"shared bytes", sharedOf, true}, {"spilled bytes", spillsOf, true}, {"scratch bytes", scratchOf, true},
    {"nodes", nodesOf, false},
};

static void printKernels(const json::Array &kernels, llvm::raw_ostream &stream) {
  std::vector<std::vector<std::string>> cells(std::size(columns));
  std::vector<size_t> widths;
  for (size_t c = 0; c < std::size(columns); ++c) {
    size_t width = 0;
    for (const json::Value &kernel : kernels) {
      cells[c].push_back(columns[c].cell(*kernel.getAsObject()));
      width = std::max(width, cells[c].back().size());
    }
    // Nothing to tell: no column.
    widths.push_back(width ? std::max(width, llvm::StringRef(columns[c].title).size()) : 0);
  }
  auto printRow = [&](llvm::function_ref<llvm::StringRef(size_t)> cell) {
    std::string row = " ";
    for (size_t c = 0; c < std::size(columns); ++c) {
      if (!widths[c])
        continue;
      std::string padding(widths[c] - cell(c).size(), ' ');
      row += " " + (columns[c].isNumber ? padding + cell(c).str() : cell(c).str() + padding) + " ";
    }
    stream << llvm::StringRef(row).rtrim() << "\n";
  };
  printRow([](size_t c) { return llvm::StringRef(columns[c].title); });
  for (size_t k = 0; k < kernels.size(); ++k)
    printRow([&](size_t c) { return llvm::StringRef(cells[c][k]); });
}

static void printProgram(const json::Object &program, llvm::raw_ostream &stream) {
  const json::Array &kernels = *program.getArray("kernels");
  llvm::StringRef arena = program.getString("arena_bytes").value_or("");
  stream << program.getString("target").value_or("") << ": " << count(kernels.size(), "kernel");
  if (auto launches = program.getInteger("launches"))
    stream << " for " << *launches << (*launches == 1 ? " launch" : " launches");
  stream << ", arena of " << (arena.empty() ? "a size that only the program knows" : arena.str() + " bytes");
  if (!kernels.empty())
    if (const json::Array *chips = kernels.front().getAsObject()->getArray("chips"); chips && !chips->empty())
      stream << ", for "
             << llvm::join(llvm::map_range(*chips,
                                           [](const json::Value &chip) {
                                             return chip.getAsObject()->getString("chip").value_or("").str();
                                           }),
                           "/");
  stream << "\n";
  if (!kernels.empty())
    printKernels(kernels, stream);
}

static void printText(const CommandLine &line, const CompileReport &report, const json::Value &programs,
                      llvm::raw_ostream &stream) {
  stream << "dscc: " << line.compile.input << ": " << report.nodes << " nodes, " << report.kernels << " kernels for "
         << report.launches << " launches, " << report.weightBytes << " bytes of weights, " << report.artifactBytes
         << " bytes in all (" << formatBytes(report.artifactBytes) << ")\n";
  if (!report.ptxasVersion.empty())
    stream << "dscc: ptxas " << report.ptxasVersion << " (" << line.compile.ptxas << ")\n";
  if (report.cacheHits + report.cacheMisses)
    stream << "dscc: of " << report.cacheHits + report.cacheMisses << " pieces of code " << report.cacheHits
           << " were in " << line.compile.cacheDir << "\n";
  if (const json::Array *list = programs.getAsArray())
    for (const json::Value &program : *list)
      printProgram(*program.getAsObject(), stream);
  for (const PassCount &count : report.counts)
    stream << "dscc: " << count.pass << ": " << count.name << " " << count.value << "\n";
}

static void printJson(const CommandLine &line, const CompileReport &report, const json::Value &programs,
                      llvm::raw_ostream &stream) {
  json::OStream json(stream);
  json.object([&] {
    json.attributeObject("report", [&] {
      json.attribute("input", json::fixUTF8(line.compile.input));
      json.attribute("nodes", report.nodes);
      json.attribute("kernels", report.kernels);
      json.attribute("launches", report.launches);
      json.attribute("cache_hits", report.cacheHits);
      json.attribute("cache_misses", report.cacheMisses);
      json.attribute("weight_bytes", static_cast<int64_t>(report.weightBytes));
      json.attribute("artifact_bytes", static_cast<int64_t>(report.artifactBytes));
      json.attribute("ptxas", report.ptxasVersion);
      json.attribute("programs", programs);
      json.attributeArray("counts", [&] {
        for (const PassCount &count : report.counts)
          json.object([&] {
            json.attribute("pass", count.pass);
            json.attribute("name", count.name);
            json.attribute("value", static_cast<int64_t>(count.value));
          });
      });
    });
  });
  stream << "\n";
}

void printReport(const CommandLine &line, const CompileReport &report, llvm::raw_ostream &stream) {
  json::Value programs = nullptr;
  if (!report.json.empty())
    programs = llvm::cantFail(json::parse(report.json), "the compiler writes JSON");
  line.jsonDiagnostics ? printJson(line, report, programs, stream) : printText(line, report, programs, stream);
}

} // namespace dscc
