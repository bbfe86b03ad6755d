// Calls: by name, through a register, and of what CUDA's headers declare and the driver defines.

#include "runtime/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

namespace {
/// A function without a body in PTX, and the one of the execution that takes its place.
struct External {
  StringLiteral name, callee;
  unsigned arguments;
};
} // namespace

static constexpr External externals[] = {{"__assertfail", "dscc_sim_assert_fail", 5},
                                         {"vprintf", "dscc_sim_print", 3},
                                         {"malloc", "dscc_sim_malloc", 2},
                                         {"free", "dscc_sim_free", 1}};

static const External *findExternal(StringRef name) {
  const External *found = find_if(externals, [&](const External &row) { return row.name == name; });
  return found == std::end(externals) ? nullptr : found;
}

/// All functions of as many parameters, as a table: what a pointer may point to.
static std::pair<Value *, unsigned> tableOfFunctions(FunctionTranslator &t, size_t numArguments) {
  Module &module = *t.target->getParent();
  SmallVector<Constant *> functions;
  for (llvm::Function &function : module)
    if (function.hasInternalLinkage() && function.arg_size() == numArguments + 1)
      functions.push_back(&function);
  auto type = ArrayType::get(t.pointer(), functions.size());
  auto table = new GlobalVariable(module, type, /*isConstant=*/true, GlobalValue::PrivateLinkage,
                                  ConstantArray::get(type, functions), "functions");
  return {table, unsigned(functions.size())};
}

static void callThroughRegister(FunctionTranslator &t, const Operand &target, ArrayRef<Value *> arguments) {
  t.countCall();
  auto [table, count] = tableOfFunctions(t, arguments.size());
  Value *function = t.call("dscc_sim_find_function", t.pointer(), {t.read(target, 64), table, t.i32(count), t.site()});
  SmallVector<Value *> all = {t.lane};
  append_range(all, arguments);
  SmallVector<Type *> types(all.size(), t.pointer());
  CallInst *call = t.b.CreateCall(FunctionType::get(t.b.getVoidTy(), types, false), function, all);
  call->addFnAttr(Attribute::Convergent);
  call->addFnAttr(Attribute::NoUnwind);
  t.callees.insert(anyFunction.str());
}

/// call [(results),] target [, (parameters)] [, prototype];
static void translateCall(FunctionTranslator &t, const Statement &s) {
  SmallVector<Value *> arguments;
  size_t at = 0;
  auto take = [&] {
    if (at >= s.operands.size() || s.operands[at].kind != Operand::Kind::Vector)
      return;
    for (const Operand &part : s.operands[at].parts) {
      Value *buffer = t.parameterBuffer(part.name);
      if (!buffer)
        return t.fail("`" + part.name + "` is no parameter buffer");
      arguments.push_back(buffer);
    }
    ++at;
  };
  take();
  if (at >= s.operands.size())
    return t.fail("`call` has no target");
  const Operand &target = s.operands[at++];
  take();
  const llvm::Function *known = t.target->getParent()->getFunction(target.name);
  if (!known)
    return callThroughRegister(t, target, arguments);
  if (known->hasInternalLinkage() && known->arg_size() == arguments.size() + 1) {
    t.callees.insert(target.name);
    t.countCall();
    t.call(target.name, t.b.getVoidTy(), arguments);
    return;
  }
  const External *external = findExternal(target.name);
  if (!external || external->arguments != arguments.size())
    return t.fail("`" + target.name + "` has no definition with " + Twine(arguments.size()) +
                  " parameters and results; define it in the module");
  arguments.push_back(t.site());
  t.call(external->callee, t.b.getVoidTy(), arguments);
}

ArrayRef<Instruction> callInstructions() {
  static constexpr Instruction rows[] = {{"call", translateCall}};
  return rows;
}

} // namespace dscc::sim
