// A whole module: where its variables lie, then each function.

#include "tools/simulator/translate/Translator.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

namespace dscc::sim {

using namespace llvm;

/// Bytes between shared variables, so that an access beyond one does not hit the next.
static constexpr uint32_t redZone = 16;

/// The functions that each function calls.
using CallGraph = std::map<std::string, std::set<std::string>>;

/// A variable's type: its bytes, or pieces of bytes with an address between each.
static StructType *typeOf(const Variable &variable, LLVMContext &context) {
  SmallVector<Type *> pieces;
  uint64_t at = 0;
  for (const Variable::Reference &reference : variable.references) {
    pieces.push_back(ArrayType::get(Type::getInt8Ty(context), reference.offset - at));
    pieces.push_back(PointerType::get(context, 0));
    at = reference.offset + 8;
  }
  pieces.push_back(ArrayType::get(Type::getInt8Ty(context), variable.bytes - at));
  return StructType::get(context, pieces, /*isPacked=*/true);
}

static void declareGlobals(const PtxModule &ptx, Module &module, TranslatedModule &result) {
  for (const Variable &variable : ptx.globals) {
    StructType *type = typeOf(variable, module.getContext());
    auto made = new GlobalVariable(module, type, /*isConstant=*/false, GlobalValue::ExternalLinkage,
                                   Constant::getNullValue(type), variable.name);
    made->setAlignment(Align(std::max(16u, variable.align)));
    if (variable.space == ".const")
      made->addAttribute("const"); // isspacep asks for it
    result.globals[variable.name] = variable.bytes;
  }
}

/// After all variables and functions are declared: initial values may name them. Empty, or what is not declared.
static std::string initialiseGlobals(const PtxModule &ptx, Module &module) {
  LLVMContext &context = module.getContext();
  for (const Variable &variable : ptx.globals) {
    if (variable.initial.empty())
      continue;
    ArrayRef<uint8_t> bytes = variable.initial;
    SmallVector<Constant *> pieces;
    uint64_t at = 0;
    for (const Variable::Reference &reference : variable.references) {
      Constant *named = module.getNamedValue(reference.name);
      if (!named)
        return "PTX line " + std::to_string(variable.line) + ": `" + reference.name + "` is not declared";
      pieces.push_back(ConstantDataArray::get(context, bytes.slice(at, reference.offset - at)));
      pieces.push_back(ConstantExpr::getGetElementPtr(
          Type::getInt8Ty(context), named, ConstantInt::get(Type::getInt64Ty(context), uint64_t(reference.addend))));
      at = reference.offset + 8;
    }
    pieces.push_back(ConstantDataArray::get(context, bytes.drop_front(at)));
    GlobalVariable *made = module.getNamedGlobal(variable.name);
    made->setInitializer(ConstantStruct::get(cast<StructType>(made->getValueType()), pieces));
  }
  return "";
}

static FunctionType *typeOf(const Function &function, LLVMContext &context) {
  Type *pointer = PointerType::get(context, 0);
  size_t count = function.isEntry ? 2 : 1 + function.results.size() + function.parameters.size();
  return FunctionType::get(Type::getVoidTy(context), SmallVector<Type *>(count, pointer), false);
}

/// Functions that have a body somewhere are the module's own; entries are what the host looks up.
static void declareFunctions(const PtxModule &ptx, Module &module) {
  std::set<std::string> defined;
  for (const Function &function : ptx.functions)
    if (function.isDefined)
      defined.insert(function.name);
  for (const Function &function : ptx.functions)
    if (!module.getFunction(function.name))
      llvm::Function::Create(typeOf(function, module.getContext()),
                             function.isEntry || !defined.count(function.name) ? GlobalValue::ExternalLinkage
                                                                               : GlobalValue::InternalLinkage,
                             function.name, module)
          ->addFnAttr(Attribute::NoUnwind);
}

static void collectNames(const Function &function, int scope, const Operand &operand, std::set<std::string> &names) {
  if (!operand.name.empty())
    names.insert(function.resolve(scope, operand.name));
  for (const Operand &part : operand.parts)
    collectNames(function, scope, part, names);
}

/// What a function's statements name: variables and functions among them.
static std::set<std::string> namesIn(const Function &function) {
  std::set<std::string> names;
  for (const Statement &s : function.statements)
    for (const Operand &operand : s.operands)
      collectNames(function, s.scope, operand, names);
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
    ranges.push_back({bytes, uint32_t(variable.bytes), variable.plain});
    bytes += uint32_t(variable.bytes);
  }
};
} // namespace

static void translateFunction(const Function &function, const PtxModule &ptx,
                              const std::map<std::string, uint64_t> &offsets, Module &module, CheckLevel check,
                              std::string &error, std::map<std::string, bool> &needsFibers,
                              std::map<std::string, bool> &ordersUnits, CallGraph &calls,
                              std::map<std::string, uint32_t> &liveRegisters) {
  FunctionTranslator translator(function, ptx, module, check, offsets, error);
  translator.run(module.getFunction(function.name));
  needsFibers[function.name] = translator.hasCollectives;
  ordersUnits[function.name] = translator.ordersUnits;
  calls[function.name] = translator.callees;
  liveRegisters[function.name] = translator.liveRegisters;
}

/// The function and all that its calls lead to.
static std::set<std::string> reachedFrom(const std::string &name, const CallGraph &calls) {
  std::set<std::string> reached = {name};
  std::vector<std::string> open = {name};
  while (!open.empty()) {
    auto callees = calls.find(open.back());
    open.pop_back();
    if (callees == calls.end())
      continue;
    for (const std::string &callee : callees->second)
      if (reached.insert(callee).second)
        open.push_back(callee);
  }
  return reached;
}

static bool reaches(const std::string &name, const CallGraph &calls, const std::map<std::string, bool> &property) {
  return any_of(reachedFrom(name, calls), [&](const std::string &reached) {
    auto own = property.find(reached);
    return own != property.end() && own->second;
  });
}

static uint32_t countLocalBytes(const Function &function) {
  uint32_t bytes = 0;
  for (const Scope &scope : function.scopes)
    for (const Variable &buffer : scope.buffers)
      bytes += buffer.space == ".local" ? uint32_t(buffer.bytes) : 0;
  return bytes;
}

static Kernel describe(const Function &function, uint32_t sharedBytes) {
  Kernel kernel;
  kernel.name = function.name;
  uint32_t end = 0;
  for (const Variable &parameter : function.parameters) {
    kernel.parameterOffsets.push_back(uint32_t(alignTo(end, parameter.align)));
    kernel.parameterBytes.push_back(uint32_t(parameter.bytes));
    end = kernel.parameterOffsets.back() + kernel.parameterBytes.back();
  }
  kernel.staticShared = sharedBytes;
  kernel.maxThreads = function.maxThreads;
  std::copy(function.requiredBlock, function.requiredBlock + 3, kernel.requiredBlock);
  std::copy(function.cluster, function.cluster + 3, kernel.cluster);
  kernel.maxClusterBlocks = function.maxClusterBlocks;
  kernel.needsCluster = function.needsCluster && !function.cluster[0];
  kernel.countsClusters = function.countsClusters;
  uint64_t registers = 0;
  for (const Scope &scope : function.scopes)
    registers += scope.registers.size() + scope.ranges.size();
  kernel.registers = function.maxRegisters ? function.maxRegisters : uint32_t(std::min<uint64_t>(255, 16 + registers));
  return kernel;
}

std::string translate(const PtxModule &ptx, Module &module, CheckLevel check, TranslatedModule &result) {
  std::string error;
  declareGlobals(ptx, module, result);
  declareFunctions(ptx, module);
  error = initialiseGlobals(ptx, module);
  if (!error.empty())
    return error;
  std::set<std::string> ofFunctions;
  for (const Function &function : ptx.functions)
    if (!function.isEntry)
      for (const std::string &name : namesIn(function))
        ofFunctions.insert(name);
  Layout layout;
  for (const Variable &variable : ptx.shared)
    if (variable.bytes && ofFunctions.count(variable.name))
      layout.place(variable, layout.common, layout.commonRanges, layout.commonBytes);

  uint32_t dynamicAlign = 128;
  for (const Variable &variable : ptx.shared)
    if (!variable.bytes)
      dynamicAlign = std::max(dynamicAlign, variable.align);

  std::map<std::string, bool> needsFibers, ordersUnits;
  std::map<std::string, uint32_t> localBytes, liveRegisters;
  CallGraph calls;
  for (const Function &function : ptx.functions) {
    if (!function.isDefined)
      continue;
    localBytes[function.name] = countLocalBytes(function);
    std::map<std::string, uint64_t> offsets = layout.common;
    std::vector<SharedLayout::Range> ranges = layout.commonRanges;
    uint32_t bytes = layout.commonBytes;
    std::set<std::string> names = namesIn(function);
    for (const Variable &variable : ptx.shared)
      if (function.isEntry && variable.bytes && names.count(variable.name) && !offsets.count(variable.name))
        layout.place(variable, offsets, ranges, bytes);
    // Dynamic shared memory begins behind all static variables; every name for it is the same place.
    bytes = uint32_t(alignTo(bytes ? bytes + redZone : 0, dynamicAlign));
    for (const Variable &variable : ptx.shared)
      if (!variable.bytes)
        offsets[variable.name] = bytes;
    translateFunction(function, ptx, offsets, module, check, error, needsFibers, ordersUnits, calls, liveRegisters);
    if (!error.empty())
      return error;
    if (function.isEntry) {
      result.kernels.push_back(describe(function, bytes));
      for (const Variable &variable : ptx.globals)
        result.kernels.back().constantBytes += variable.space == ".const" ? uint32_t(variable.bytes) : 0;
      result.shared[function.name] = ranges;
    }
  }
  for (const Function &function : ptx.functions)
    if (!function.isEntry)
      calls[anyFunction.str()].insert(function.name);
  for (Kernel &kernel : result.kernels) {
    kernel.hasCollectives = reaches(kernel.name, calls, needsFibers);
    kernel.ordersUnits = reaches(kernel.name, calls, ordersUnits);
    kernel.callsFunctions = !calls[kernel.name].empty();
    for (const std::string &callee : reachedFrom(kernel.name, calls)) {
      kernel.localBytes += localBytes[callee];
      kernel.liveRegisters = std::max(kernel.liveRegisters, liveRegisters[callee]);
    }
  }
  std::string trouble;
  raw_string_ostream stream(trouble);
  if (verifyModule(module, &stream))
    return "the translation is not valid: " + trouble;
  return "";
}

} // namespace dscc::sim
