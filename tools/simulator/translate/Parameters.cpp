// Parameters of kernels and functions, and the buffers that calls pass.
//
// A kernel's lie where the launch has put them. A function gets pointers to its caller's buffers, copies what it is
// given, and keeps what is declared as a register in one.

#include "tools/simulator/translate/Translator.h"

#include <utility>

namespace dscc::sim {

using namespace llvm;

const ParameterPlace *FunctionTranslator::findParameter(const std::string &name) const {
  for (int at = scope; at >= 0; at = function.scopes[at].parent) {
    if (auto found = callBuffers[at].find(name); found != callBuffers[at].end())
      return &found->second;
    if (function.scopes[at].variables.count(name))
      return nullptr;
  }
  auto found = parameters.find(name);
  return found == parameters.end() ? nullptr : &found->second;
}

const Function *FunctionTranslator::findFunction(const std::string &name) const {
  const Function *found = nullptr;
  for (const Function &each : ptx.functions)
    if (each.name == name && (!found || each.isDefined))
      found = &each;
  return found;
}

void FunctionTranslator::bindParameters() {
  Type *byte = b.getInt8Ty();
  auto bind = [&](const Variable &parameter, Value *place, bool isInput) {
    if (parameter.space != ".reg") {
      // What has no size cannot be copied.
      if (isInput && parameter.bytes) {
        AllocaInst *copy = slot(ArrayType::get(byte, parameter.bytes), std::max(16u, parameter.align));
        b.CreateMemCpy(copy, copy->getAlign(), place, MaybeAlign(), parameter.bytes);
        place = copy;
      }
      parameters[parameter.name] = {place, &parameter, isInput};
      return;
    }
    AllocaInst *made = findRegister(parameter.name);
    if (made && isInput)
      b.CreateStore(resize(b.CreateAlignedLoad(integer(8 * unsigned(parameter.bytes)), place, MaybeAlign(1)),
                           made->getAllocatedType()->getIntegerBitWidth()),
                    made);
  };
  if (function.isEntry) {
    IRBuilder<> builder(entry);
    for (auto [index, parameter] : enumerate(function.parameters)) {
      LoadInst *place =
          builder.CreateLoad(pointer(), builder.CreateConstGEP1_64(builder.getPtrTy(), target->getArg(1), index));
      place->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(context, {}));
      parameters[parameter.name] = {place, &parameter, true};
    }
  } else {
    unsigned index = 1;
    for (const Variable &result : function.results)
      bind(result, target->getArg(index++), /*isInput=*/false);
    for (const Variable &parameter : function.parameters)
      bind(parameter, target->getArg(index++), /*isInput=*/true);
  }
  for (auto [index, one] : enumerate(function.scopes))
    for (const Variable &buffer : one.buffers)
      callBuffers[index][buffer.name] = {slot(ArrayType::get(byte, buffer.bytes), std::max(16u, buffer.align)), &buffer,
                                         false};
}

void FunctionTranslator::storeResults() {
  int own = std::exchange(scope, 0);
  for (auto [index, result] : enumerate(function.results)) {
    AllocaInst *from = result.space == ".reg" ? findRegister(result.name) : nullptr;
    if (from)
      b.CreateAlignedStore(resize(b.CreateLoad(from->getAllocatedType(), from), 8 * unsigned(result.bytes)),
                           target->getArg(unsigned(index) + 1), MaybeAlign(1));
  }
  scope = own;
}

Value *FunctionTranslator::parameterAddress(const Operand &operand, unsigned bytes, bool isStore) {
  bool isNamed = operand.kind == Operand::Kind::Address && !operand.name.empty() && !findRegister(operand.name);
  const ParameterPlace *named = isNamed ? findParameter(operand.name) : nullptr;
  if (!named) {
    Value *place = address(operand, "param");
    if (checks != CheckLevel::None)
      call("dscc_sim_check_parameter", b.getVoidTy(), {place, i32(bytes), i32(isStore), site()});
    return place;
  }
  const Variable &variable = *named->variable;
  uint64_t offset = uint64_t(operand.integer);
  if (variable.space != ".param")
    fail("`" + operand.name + "` is no parameter");
  else if (isStore && named->isInput)
    fail("`" + operand.name + "` is a parameter of this function, which does not write it");
  else if (operand.integer < 0 || (variable.bytes && (bytes > variable.bytes || offset > variable.bytes - bytes)))
    fail("an access of " + Twine(bytes) + " bytes at byte " + Twine(operand.integer) + " of `" + operand.name +
         "`, which has " + Twine(variable.bytes));
  else if (bytes && offset % bytes)
    fail("an access of " + Twine(bytes) + " bytes at byte " + Twine(operand.integer) + " of `" + operand.name +
         "` is not aligned");
  return address(operand, "param");
}

} // namespace dscc::sim
