// Calls: by name, through a register, and of what CUDA's headers declare and the driver defines.

#include "tools/simulator/translate/Translator.h"

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

static void callTarget(FunctionTranslator &t, const Operand &target, const Function *callee,
                       SmallVectorImpl<Value *> &arguments) {
  if (!callee)
    return callThroughRegister(t, target, arguments);
  if (callee->isDefined && !callee->isEntry) {
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

/// The largest register's.
static constexpr unsigned registerBytes = 16;

namespace {
/// What a call passes: pointers to buffers, those of the results first.
struct CallBuffers {
  SmallVector<Value *> places;
  SmallVector<std::pair<const Operand *, Value *>> results; // registers that take theirs behind the call
};
} // namespace

/// A buffer by its name; for a register or a constant one that is made here. `to` is null if the callee is not known.
static void passOperand(FunctionTranslator &t, const Operand &operand, const Variable *to, bool isResult,
                        CallBuffers &buffers) {
  bool isName = operand.kind == Operand::Kind::Name && !t.isRegister(operand.name);
  if (const ParameterPlace *named = isName ? t.findParameter(operand.name) : nullptr) {
    const Variable &variable = *named->variable;
    if (variable.space != ".param")
      return t.fail("`" + operand.name + "` is no parameter buffer");
    if (to && variable.bytes && variable.bytes < to->bytes)
      return t.fail("`" + operand.name + "` has " + Twine(variable.bytes) + " bytes, and `" + to->name + "` " +
                    Twine(to->bytes));
    buffers.places.push_back(named->place);
    return;
  }
  if (isName && operand.name != "_" && isResult)
    return t.fail("`" + operand.name + "` is no parameter buffer");
  if (to && to->bytes > registerBytes)
    return t.fail("`" + to->name + "` takes a parameter buffer");
  if (!to && operand.kind == Operand::Kind::Float)
    return t.fail("a float is passed to a function that is not known here");
  Value *place = t.buffer("argument " + std::to_string(buffers.places.size()) + " of ", registerBytes);
  buffers.places.push_back(place);
  Value *value = t.b.getIntN(8 * registerBytes, 0);
  if (!isResult)
    value = t.read(operand, to                                       ? 8 * unsigned(to->bytes)
                            : operand.kind == Operand::Kind::Integer ? 64
                                                                     : 8 * registerBytes);
  else if (operand.name != "_")
    buffers.results.emplace_back(&operand, place);
  t.b.CreateStore(value, place);
}

/// call [(results),] target [, (parameters)] [, prototype];
static void translateCall(FunctionTranslator &t, const Statement &s) {
  auto isList = [&](size_t at) { return at < s.operands.size() && s.operands[at].kind == Operand::Kind::Vector; };
  size_t at = isList(0) ? 1 : 0;
  if (at >= s.operands.size())
    return t.fail("`call` has no target");
  const Operand &target = s.operands[at];
  ArrayRef<Operand> results, parameters;
  if (at)
    results = s.operands[0].parts;
  if (isList(at + 1))
    parameters = s.operands[at + 1].parts;
  const Function *callee = t.isRegister(target.name) ? nullptr : t.findFunction(target.name);
  if (callee && (callee->results.size() != results.size() || callee->parameters.size() != parameters.size()))
    return t.fail("`" + target.name + "` has " + Twine(callee->results.size()) + " results and " +
                  Twine(callee->parameters.size()) + " parameters");
  CallBuffers buffers;
  for (auto [index, operand] : enumerate(results))
    passOperand(t, operand, callee ? &callee->results[index] : nullptr, /*isResult=*/true, buffers);
  for (auto [index, operand] : enumerate(parameters))
    passOperand(t, operand, callee ? &callee->parameters[index] : nullptr, /*isResult=*/false, buffers);
  if (buffers.places.size() != results.size() + parameters.size())
    return;
  callTarget(t, target, callee, buffers.places);
  for (auto [operand, place] : buffers.results)
    t.write(*operand, t.b.CreateLoad(t.integer(8 * registerBytes), place));
}

ArrayRef<Instruction> callInstructions() {
  static constexpr Instruction rows[] = {{"call", translateCall}};
  return rows;
}

} // namespace dscc::sim
