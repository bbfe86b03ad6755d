// A whole module: where its variables lie, then each function.

#include "runtime/simulator/translate/Translator.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

namespace dscc::sim {

using namespace llvm;

/// Bytes between shared variables, so that an access beyond one does not hit the next.
static constexpr uint32_t redZone = 16;

static void declareGlobals(const PtxModule &ptx, Module &module, TranslatedModule &result) {
  for (const Variable &variable : ptx.globals) {
    auto type = ArrayType::get(Type::getInt8Ty(module.getContext()), variable.bytes);
    Constant *initial = variable.initial.empty()
                            ? Constant::getNullValue(type)
                            : ConstantDataArray::get(module.getContext(), ArrayRef<uint8_t>(variable.initial));
    auto made = new GlobalVariable(module, type, /*isConstant=*/false, GlobalValue::ExternalLinkage, initial, variable.name);
    made->setAlignment(Align(std::max(16u, variable.align)));
    result.globals[variable.name] = variable.bytes;
  }
}

static FunctionType *typeOf(const Function &function, LLVMContext &context) {
  Type *pointer = PointerType::get(context, 0);
  size_t count = function.isEntry ? 2 : 1 + function.results.size() + function.parameters.size();
  return FunctionType::get(Type::getVoidTy(context), SmallVector<Type *>(count, pointer), false);
}

static void collectNames(const Operand &operand, std::set<std::string> &names) {
  if (!operand.name.empty())
    names.insert(operand.name);
  for (const Operand &part : operand.parts)
    collectNames(part, names);
}

/// What a function's statements name: variables and functions among them.
static std::set<std::string> namesIn(const Function &function) {
  std::set<std::string> names;
  for (const Statement &s : function.statements)
    for (const Operand &operand : s.operands)
      collectNames(operand, names);
  return names;
}

namespace {
/// Offsets in the window. Variables that device functions use come first, at the same place for all kernels.
struct Layout {
  std::map<std::string, uint64_t> common;
  std::vector<SharedLayout::Range> commonRanges;
  uint32_t commonBytes = 0;

  void place(const Variable &variable, std::map<std::string, uint64_t> &offsets,
             std::vector<SharedLayout::Range> &ranges, uint32_t &bytes) {
    bytes = uint32_t(alignTo(bytes ? bytes + redZone : 0, std::max(variable.align, 16u)));
    offsets[variable.name] = bytes;
    ranges.push_back({bytes, uint32_t(variable.bytes), variable.name});
    bytes += uint32_t(variable.bytes);
  }
};
} // namespace

static void translateFunction(const Function &function, const std::map<std::string, uint64_t> &offsets, Module &module,
                              CheckLevel check, std::string &error, std::map<std::string, bool> &needsFibers,
                              std::map<std::string, bool> &ordersBlocks,
                              std::map<std::string, std::set<std::string>> &calls) {
  FunctionTranslator translator(function, module, check, offsets, error);
  translator.run(module.getFunction(function.name));
  needsFibers[function.name] = translator.hasCollectives;
  ordersBlocks[function.name] = translator.ordersBlocks;
  calls[function.name] = translator.callees;
}

static bool reaches(const std::string &name, const std::map<std::string, std::set<std::string>> &calls,
                    const std::map<std::string, bool> &needsFibers, std::set<std::string> &seen) {
  if (!seen.insert(name).second)
    return false;
  auto own = needsFibers.find(name);
  if (own != needsFibers.end() && own->second)
    return true;
  auto callees = calls.find(name);
  return callees != calls.end() && any_of(callees->second, [&](const std::string &callee) {
           return reaches(callee, calls, needsFibers, seen);
         });
}

static Kernel describe(const Function &function, uint32_t sharedBytes) {
  Kernel kernel;
  kernel.name = function.name;
  for (const Variable &parameter : function.parameters)
    kernel.parameterBytes.push_back(uint32_t(parameter.bytes));
  kernel.staticShared = sharedBytes;
  kernel.maxThreads = function.maxThreads;
  kernel.requiredThreads = function.requiredThreads;
  std::copy(function.cluster, function.cluster + 3, kernel.cluster);
  for (const Variable &local : function.locals)
    kernel.localBytes += uint32_t(local.bytes);
  uint64_t registers = 0;
  for (const Scope &scope : function.scopes)
    registers += scope.registers.size();
  kernel.registers = function.maxRegisters ? function.maxRegisters : uint32_t(std::min<uint64_t>(255, 16 + registers));
  return kernel;
}

std::string translate(const PtxModule &ptx, Module &module, CheckLevel check, TranslatedModule &result) {
  std::string error;
  LLVMContext &context = module.getContext();
  declareGlobals(ptx, module, result);
  for (const Function &function : ptx.functions)
    if (!module.getFunction(function.name))
      llvm::Function::Create(typeOf(function, context),
                             function.isEntry || !function.isDefined ? GlobalValue::ExternalLinkage : GlobalValue::InternalLinkage,
                             function.name, module)->addFnAttr(Attribute::NoUnwind);
  std::set<std::string> ofFunctions;
  for (const Function &function : ptx.functions)
    if (!function.isEntry)
      for (const std::string &name : namesIn(function))
        ofFunctions.insert(name);
  Layout layout;
  for (const Variable &variable : ptx.shared)
    if (variable.bytes && ofFunctions.count(variable.name))
      layout.place(variable, layout.common, layout.commonRanges, layout.commonBytes);

  std::map<std::string, bool> needsFibers, ordersBlocks;
  std::map<std::string, std::set<std::string>> calls;
  for (const Function &function : ptx.functions) {
    if (!function.isDefined)
      continue;
    std::map<std::string, uint64_t> offsets = layout.common;
    std::vector<SharedLayout::Range> ranges = layout.commonRanges;
    uint32_t bytes = layout.commonBytes;
    std::set<std::string> names = namesIn(function);
    for (const Variable &variable : ptx.shared)
      if (function.isEntry && variable.bytes && names.count(variable.name) && !offsets.count(variable.name))
        layout.place(variable, offsets, ranges, bytes);
    // Dynamic shared memory begins behind all static variables; every name for it is the same place.
    bytes = uint32_t(alignTo(bytes ? bytes + redZone : 0, 128));
    for (const Variable &variable : ptx.shared)
      if (!variable.bytes)
        offsets[variable.name] = bytes;
    translateFunction(function, offsets, module, check, error, needsFibers, ordersBlocks, calls);
    if (!error.empty())
      return error;
    if (function.isEntry) {
      result.kernels.push_back(describe(function, bytes));
      result.shared[function.name] = ranges;
    }
  }
  for (Kernel &kernel : result.kernels) {
    std::set<std::string> seen;
    kernel.hasCollectives = reaches(kernel.name, calls, needsFibers, seen);
    seen.clear();
    kernel.ordersBlocks = reaches(kernel.name, calls, ordersBlocks, seen);
  }
  std::string trouble;
  raw_string_ostream stream(trouble);
  if (verifyModule(module, &stream))
    return "the translation is not valid: " + trouble;
  return "";
}

} // namespace dscc::sim
