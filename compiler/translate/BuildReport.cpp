#include "compiler/translate/BuildReport.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"

namespace dscc {

static llvm::StringRef nameOf(Precision precision) {
  switch (precision) {
  case Precision::Fp32: return "fp32";
  case Precision::Fp16: return "fp16";
  case Precision::Bf16: return "bf16";
  }
  return "";
}

std::string describeBuild(const CompileOptions &options, llvm::StringRef ptxasVersion) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream);
  json.object([&] {
    json.attribute("dscc", DSCC_VERSION);
    json.attribute("llvm", LLVM_VERSION_STRING);
    if (!ptxasVersion.empty())
      json.attribute("ptxas", ptxasVersion);
    json.attribute("precision", nameOf(options.precision));
    json.attribute("opt_level", options.optLevel);
    json.attributeArray("dims", [&] {
      for (const DimBinding &dim : options.dims)
        json.value(llvm::json::fixUTF8(dim.name) + "=" + std::to_string(dim.min) + ".." + std::to_string(dim.max));
    });
    json.attributeArray("disabled", [&] {
      for (const std::string &pass : options.disabledPasses)
        json.value(pass);
    });
  });
  return text;
}

/// `nodes` lists those of each launch.
static void describeKernel(llvm::json::OStream &json, const KernelEntry &kernel, llvm::ArrayRef<std::string> nodes) {
  json.object([&] {
    json.attribute("name", kernel.name);
    json.attribute("launches", static_cast<int64_t>(nodes.size()));
    json.attributeArray("nodes", [&] {
      for (const std::string &launch : nodes)
        json.value(llvm::json::fixUTF8(launch));
    });
    if (kernel.scratchBytes)
      json.attribute("scratch_bytes", static_cast<int64_t>(kernel.scratchBytes));
    json.attributeArray("chips", [&] {
      for (const KernelEntry::Resources &resources : kernel.resources)
        json.object([&] {
          json.attribute("chip", resources.chip);
          json.attribute("registers", resources.registers);
          json.attribute("spill_bytes", resources.spillBytes);
          json.attribute("shared_bytes", resources.sharedBytes);
        });
    });
  });
}

std::string describePrograms(const ModelEntry &model) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, 2);
  json.array([&] {
    for (const ProgramEntry &program : model.programs)
      json.object([&] {
        json.attribute("target", program.target->name);
        json.attribute("arena_bytes", llvm::json::fixUTF8(program.arenaFormula));
        std::vector<std::vector<std::string>> nodes(program.kernels.size());
        for (const LaunchEntry &launch : program.launches)
          nodes[launch.kernel].push_back(launch.nodes);
        json.attribute("launches", static_cast<int64_t>(program.launches.size()));
        json.attributeArray("kernels", [&] {
          for (auto [kernel, launches] : llvm::zip_equal(program.kernels, nodes))
            describeKernel(json, kernel, launches);
        });
      });
  });
  return text;
}

} // namespace dscc
