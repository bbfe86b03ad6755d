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

static void describeKernel(llvm::json::OStream &json, const KernelEntry &kernel) {
  json.object([&] {
    json.attribute("name", kernel.name);
    json.attribute("nodes", llvm::json::fixUTF8(kernel.nodes));
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
        json.attributeArray("kernels", [&] {
          for (const KernelEntry &kernel : program.kernels)
            describeKernel(json, kernel);
        });
      });
  });
  return text;
}

} // namespace dscc
