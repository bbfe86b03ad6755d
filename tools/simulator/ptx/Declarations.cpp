// Variables and their initial values, registers, parameters, and what the head of a function says.

#include "tools/simulator/ptx/Parser.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

#include <set>

namespace dscc::sim {

/// The largest variable: what a chip could hold.
static constexpr uint64_t maxVariableBytes = uint64_t(1) << 32;
/// The most .const variables of a module, in bytes.
static constexpr uint64_t maxConstBytes = 64 << 10;
/// The most names that `name<n>` may declare, where each is kept for itself.
static constexpr int64_t maxCopies = 4096;

//===-- scopes ----------------------------------------------------------------------------------------------------===//

unsigned Scope::findRegister(llvm::StringRef name) const {
  if (auto found = registers.find(name); found != registers.end())
    return found->second;
  if (ranges.empty())
    return 0;
  // `%a1<4>` declares %a10 to %a13: the prefix may end in digits.
  for (size_t at = name.rtrim("0123456789").size(); at < name.size(); ++at) {
    llvm::StringRef digits = name.drop_front(at);
    unsigned number;
    if ((digits[0] == '0' && digits.size() > 1) || digits.getAsInteger(10, number))
      continue;
    auto found = ranges.find(name.take_front(at));
    if (found != ranges.end() && number < found->second.count)
      return found->second.bits;
  }
  return 0;
}

bool Scope::hasBuffer(llvm::StringRef name) const {
  return llvm::any_of(buffers, [&](const Variable &buffer) { return buffer.name == name; });
}

std::string Function::resolve(int scope, const std::string &name) const {
  for (; scope >= 0; scope = scopes[scope].parent) {
    if (auto found = scopes[scope].variables.find(name); found != scopes[scope].variables.end())
      return found->second;
    if (scopes[scope].hasBuffer(name))
      break;
  }
  return name;
}

//===-- initial values --------------------------------------------------------------------------------------------===//

/// name, name+n, generic(name)+n: an address of 8 bytes.
void Parser::takeReference(Variable &variable, unsigned elementBytes, std::string name, int64_t addend) {
  if (elementBytes != 8)
    return fail("an address in `" + variable.name + "` takes an element of 8 bytes");
  if (name == "generic") {
    expect('(');
    name = takeWord().str();
    expect(')');
  }
  if (take('+') || peek() == '-')
    addend += takeInteger();
  variable.references.push_back({variable.initial.size(), name, addend});
}

/// 0xFF(name), 0xFF00(name), ...: the bytes of an address one by one, from the lowest on. Of a number, a byte alone.
void Parser::takeMaskedReference(Variable &variable, int64_t &mask) {
  if (skipBlanks(), beginsConstant(text, at)) {
    uint64_t number = uint64_t(takeInteger()) & uint64_t(mask);
    mask = mask ? int64_t(number >> llvm::countr_zero(uint64_t(mask))) : 0;
    return expect(')');
  }
  Variable whole;
  whole.name = variable.name;
  takeReference(whole, 8, takeWord().str(), 0);
  expect(')');
  if (mask == 0xff && !whole.references.empty()) {
    whole.references[0].offset = variable.initial.size();
    variable.references.push_back(whole.references[0]);
  }
  mask = 0;
}

/// The bits of a float constant in an element of this type.
int64_t Parser::convertFloat(const Operand &value, llvm::StringRef type) {
  const llvm::fltSemantics *to = type == "f64"    ? &llvm::APFloat::IEEEdouble()
                                 : type == "f32"  ? &llvm::APFloat::IEEEsingle()
                                 : type == "f16"  ? &llvm::APFloat::IEEEhalf()
                                 : type == "bf16" ? &llvm::APFloat::BFloat()
                                                  : nullptr;
  if (!to) {
    fail("a float is the initial value of an element of type `" + type + "`");
    return 0;
  }
  llvm::APFloat number(value.floatBits == 64 ? llvm::APFloat::IEEEdouble() : llvm::APFloat::IEEEsingle(),
                       llvm::APInt(value.floatBits, uint64_t(value.integer)));
  bool isLossy;
  number.convert(*to, llvm::APFloat::rmNearestTiesToEven, &isLossy);
  return int64_t(number.bitcastToAPInt().getZExtValue());
}

/// Bytes of what one value at this level of braces stands for.
static uint64_t countStride(llvm::ArrayRef<uint64_t> counts, unsigned elementBytes) {
  uint64_t bytes = elementBytes;
  for (uint64_t count : counts)
    bytes *= count;
  return bytes;
}

void Parser::takeInitialElement(Variable &variable, const Shape &shape) {
  Operand value = takeOperand();
  if (value.kind == Operand::Kind::Name)
    takeReference(variable, shape.elementBytes, value.name, value.integer);
  else if (value.kind == Operand::Kind::Integer && take('('))
    takeMaskedReference(variable, value.integer);
  else if (value.kind == Operand::Kind::Float)
    value.integer = convertFloat(value, shape.type);
  else if (value.kind != Operand::Kind::Integer)
    fail("an initial value of `" + variable.name + "` is no constant");
  for (unsigned i = 0; i < shape.elementBytes; ++i)
    variable.initial.push_back(uint8_t(value.integer >> std::min(8 * i, 63u)));
}

/// What stands in braces; the rest of its dimension is 0.
void Parser::takeInitialList(Variable &variable, const Shape &shape, size_t level) {
  uint64_t begin = variable.initial.size();
  uint64_t stride = countStride(llvm::ArrayRef(shape.counts).drop_front(level + 1), shape.elementBytes);
  uint64_t most = shape.counts[level] ? shape.counts[level] * stride : maxVariableBytes;
  if (!take('}')) {
    do {
      if (!take('{'))
        takeInitialElement(variable, shape);
      else if (level + 1 < shape.counts.size() && (variable.initial.size() - begin) % stride == 0)
        takeInitialList(variable, shape, level + 1);
      else
        fail("the initial values of `" + variable.name + "` are nested as its dimensions are not");
      if (variable.initial.size() - begin > most)
        fail("`" + variable.name + "` has more initial values than elements");
    } while (take(','));
    expect('}');
  }
  uint64_t bytes = shape.counts[level] ? most : llvm::alignTo(variable.initial.size() - begin, stride);
  if (error.empty())
    variable.initial.resize(begin + bytes);
}

void Parser::takeInitialValue(Variable &variable, const Shape &shape) {
  if ((variable.space != ".global" && variable.space != ".const") || isExtern)
    return fail("`" + variable.name + "` has an initial value: only .global and .const variables that are defined do");
  Shape list = shape;
  if (list.counts.empty())
    list.counts.push_back(1);
  if (take('{'))
    takeInitialList(variable, list, 0);
  else
    takeInitialElement(variable, shape);
  if (!variable.bytes)
    variable.bytes = variable.initial.size();
  if (variable.initial.size() > variable.bytes)
    return fail("`" + variable.name + "` has more initial values than elements");
  variable.initial.resize(variable.bytes);
  uint64_t end = 0;
  for (const Variable::Reference &reference : variable.references) {
    if (reference.offset < end || reference.offset + 8 > variable.bytes)
      return fail("an address in `" + variable.name + "` takes 8 bytes of its own");
    end = reference.offset + 8;
  }
}

//===-- variables -------------------------------------------------------------------------------------------------===//

/// .attribute(.unified(uuid)): which variables of several modules are one. Memory that the host shares is not modelled.
void Parser::takeAttribute() {
  expect('(');
  do {
    llvm::StringRef word = takeDirective();
    if (word != ".unified")
      return fail("the attribute `" + word + "` is not known");
    expect('(');
    skipTo(')');
    expect(')');
  } while (take(','));
  expect(')');
}

/// What follows the state space: [.align n] .type [.ptr ...] name [ '[' n ']' ] [= values].
Variable Parser::takeVariable(llvm::StringRef space) {
  Variable variable;
  variable.space = space.str();
  variable.line = line;
  variable.isExtern = isExtern;
  Shape shape;
  unsigned lanes = 1;
  uint32_t align = 0;
  static constexpr llvm::StringLiteral ignored[] = {".global", ".shared", ".const", ".local"};
  bool isPointer = false;
  while (skipBlanks(), peek() == '.') {
    llvm::StringRef word = takeDirective();
    if (word == ".align") {
      uint32_t given = uint32_t(takeInteger());
      align = isPointer ? align : given; // behind .ptr it is that of what the parameter points to
    } else if (word == ".ptr") {
      isPointer = true;
    } else if (word == ".v2" || word == ".v4") {
      lanes = word == ".v2" ? 2 : 4;
    } else if (word == ".attribute") {
      takeAttribute();
    } else if (!llvm::is_contained(ignored, word)) {
      shape.elementBytes = countTypeBytes(word.drop_front());
      if (!shape.elementBytes)
        fail("there is no type `" + word + "`");
      shape.type = word.drop_front();
      variable.isPredicate = shape.type == "pred";
    }
  }
  variable.name = variable.plain = takeWord().str();
  unsigned elementBytes = std::max(1u, shape.elementBytes) * lanes;
  variable.bytes = elementBytes;
  variable.align = align ? align : elementBytes;
  if (!llvm::isPowerOf2_32(variable.align) || variable.align > 1024)
    fail("`" + variable.name + "` has an alignment of " + llvm::Twine(variable.align));
  while (take('[')) {
    uint64_t count = take(']') ? 0 : uint64_t(takeInteger());
    if (text[at - 1] != ']')
      expect(']');
    if (count > maxVariableBytes / elementBytes || variable.bytes * count > maxVariableBytes)
      fail("`" + variable.name + "` is too large");
    if (!count && !shape.counts.empty())
      fail("only the first dimension of `" + variable.name + "` may be open");
    shape.counts.push_back(count);
    variable.bytes *= count;
  }
  if (lanes > 1)
    shape.counts.push_back(lanes);
  if (take('='))
    takeInitialValue(variable, shape);
  return variable;
}

/// Those of a scope that each thread has: .local, and .param buffers. `x<3>` is x0 to x2.
void Parser::takeBuffers(Scope &scope, llvm::StringRef space) {
  Variable variable = takeVariable(space);
  int64_t count = 1;
  bool isRange = take('<');
  if (isRange) {
    count = takeCount();
    expect('>');
  }
  expect(';');
  if (count < 0 || count > maxCopies)
    return fail("`" + variable.name + "` is declared " + llvm::Twine(count) + " times");
  for (int64_t i = 0; i < count; ++i) {
    scope.buffers.push_back(variable);
    if (isRange)
      scope.buffers.back().name = scope.buffers.back().plain = variable.name + std::to_string(i);
  }
}

/// .shared, .global and .const within a function: the module's, by a name that nothing else has.
void Parser::takeScoped(Function &function, int scope, llvm::StringRef space) {
  Variable variable = takeVariable(space);
  expect(';');
  variable.name = function.name + "$" + std::to_string(scope) + "$" + variable.plain;
  for (Variable::Reference &reference : variable.references)
    reference.name = function.resolve(scope, reference.name);
  function.scopes[scope].variables[variable.plain] = variable.name;
  (space == ".shared" ? module.shared : module.globals).push_back(std::move(variable));
}

void Parser::takeRegisters(Scope &scope) {
  unsigned lanes = 1;
  llvm::StringRef type = takeDirective();
  for (; type == ".align" || type == ".v2" || type == ".v4"; type = takeDirective()) {
    if (type == ".align")
      takeInteger();
    else
      lanes = type == ".v2" ? 2 : 4;
  }
  unsigned bits = type == ".pred" ? 1 : 8 * countTypeBytes(type.ltrim('.'));
  if (!bits)
    return fail("there is no type `" + type + "`");
  auto declare = [&](const std::string &name) {
    if (lanes == 1)
      scope.registers[name] = bits;
    else
      scope.vectors[name] = lanes;
    for (unsigned i = 0; lanes > 1 && i < lanes; ++i)
      scope.registers[name + "." + "xyzw"[i]] = bits;
  };
  do {
    llvm::StringRef name = takeWord();
    if (!take('<')) {
      declare(name.str());
      continue;
    }
    int64_t count = takeCount();
    expect('>');
    if (count < 0 || count > UINT32_MAX || (lanes > 1 && count > maxCopies))
      return fail("`" + name + "` is declared " + llvm::Twine(count) + " times");
    if (lanes == 1)
      scope.ranges[name] = {bits, unsigned(count)};
    for (int64_t i = 0; lanes > 1 && i < count; ++i)
      declare(name.str() + std::to_string(i));
  } while (take(','));
  expect(';');
}

//===-- functions -------------------------------------------------------------------------------------------------===//

void Parser::takeParameters(std::vector<Variable> &parameters) {
  expect('(');
  if (take(')'))
    return;
  do {
    llvm::StringRef space = takeDirective();
    if (space != ".param" && space != ".reg")
      return fail("a parameter begins with `" + space + "`");
    parameters.push_back(takeVariable(space));
  } while (take(','));
  expect(')');
}

void Parser::takePragma() {
  skipTo(';');
  expect(';');
}

/// Limits between the head of a function and its body.
void Parser::takeFunctionDirectives(Function &function) {
  // And how many numbers they have at most.
  static constexpr std::pair<llvm::StringLiteral, int> known[] = {
      {".maxntid", 3},      {".reqntid", 3},         {".reqnctapercluster", 3}, {".maxnreg", 1},
      {".minnctapersm", 1}, {".maxnctapersm", 1},    {".maxclusterrank", 1},    {".abi_preserve", 1},
      {".noreturn", 0},     {".explicitcluster", 0}, {".blocksareclusters", 0}, {".abi_preserve_control", 1}};
  while (skipBlanks(), peek() == '.') {
    llvm::StringRef word = takeDirective();
    if (word == ".pragma") {
      takePragma();
      continue;
    }
    if (word == ".attribute") {
      takeAttribute();
      continue;
    }
    auto row = llvm::find_if(known, [&](auto &one) { return one.first == word; });
    if (row == std::end(known))
      return fail("the directive `" + word + "` of a function is not known");
    uint32_t values[3] = {1, 1, 1};
    for (int i = 0; i < row->second && (i == 0 || take(',')); ++i)
      values[i] = uint32_t(takeInteger());
    uint32_t threads = values[0] * values[1] * values[2];
    if (word == ".maxntid" || word == ".reqntid")
      function.maxThreads = threads;
    if (word == ".reqntid")
      std::copy(values, values + 3, function.requiredBlock);
    if (word == ".maxnreg")
      function.maxRegisters = values[0];
    if (word == ".reqnctapercluster")
      std::copy(values, values + 3, function.cluster);
    if (word == ".maxclusterrank")
      function.maxClusterBlocks = values[0];
    function.needsCluster |= word == ".explicitcluster";
    function.countsClusters |= word == ".blocksareclusters";
  }
  if (function.countsClusters && !(function.requiredBlock[0] && function.cluster[0]))
    fail("`.blocksareclusters` needs `.reqntid` and `.reqnctapercluster`");
}

void Parser::takeFunction(bool isEntry) {
  Function function;
  function.isEntry = isEntry;
  function.line = line;
  if (skipBlanks(), text.substr(at).starts_with(".attribute")) {
    takeDirective();
    takeAttribute();
  }
  skipBlanks();
  if (!isEntry && peek() == '(')
    takeParameters(function.results);
  function.name = takeWord().str();
  skipBlanks();
  if (peek() == '(')
    takeParameters(function.parameters);
  takeFunctionDirectives(function);
  if (!take(';')) {
    expect('{');
    function.isDefined = true;
    Scope &scope = function.scopes.emplace_back();
    for (std::vector<Variable> *list : {&function.results, &function.parameters})
      for (const Variable &parameter : *list)
        if (parameter.space == ".reg")
          scope.registers[parameter.name] = parameter.isPredicate ? 1 : unsigned(8 * parameter.bytes);
    takeBody(function, 0, 0);
  }
  if (error.empty())
    module.functions.push_back(std::move(function));
}

//===-- the module as a whole -------------------------------------------------------------------------------------===//

/// Of several declarations of a variable the definition stays.
void Parser::mergeGlobals() {
  std::vector<Variable> kept;
  llvm::StringMap<size_t> places;
  std::set<std::string> defined;
  uint64_t constBytes = 0;
  for (Variable &variable : module.globals) {
    line = variable.line;
    auto [place, isNew] = places.try_emplace(variable.name, kept.size());
    if (isNew)
      kept.push_back(std::move(variable));
    else if (kept[place->second].isExtern)
      kept[place->second] = std::move(variable);
    else if (!variable.isExtern)
      return fail("`" + variable.plain + "` is defined twice");
  }
  for (const Variable &variable : kept) {
    line = variable.line;
    if (variable.isExtern)
      return fail("`" + variable.name + "` is undefined: it is .extern, and no variable of this module");
    constBytes += variable.space == ".const" ? variable.bytes : 0;
    if (constBytes > maxConstBytes)
      return fail("the module's .const variables have more than 64 KB");
  }
  for (const Variable &variable : module.shared) {
    line = variable.line;
    if (places.count(variable.name) || (variable.bytes && !defined.insert(variable.name).second))
      return fail("`" + variable.plain + "` is defined twice");
  }
  for (const Function &function : module.functions) {
    line = function.line;
    if (places.count(function.name) || (function.isDefined && !defined.insert(function.name).second))
      return fail("`" + function.name + "` is defined twice");
  }
  module.globals = std::move(kept);
}

static void replaceName(Operand &operand, const std::map<std::string, std::string> &names) {
  if (auto found = names.find(operand.name); found != names.end())
    operand.name = found->second;
  for (Operand &part : operand.parts)
    replaceName(part, names);
}

/// Both names mean one function, so one is enough behind here.
void Parser::replaceAliases() {
  for (const auto &[name, target] : module.aliases) {
    auto found = llvm::find_if(module.functions, [&](const Function &f) { return f.name == target && f.isDefined; });
    if (found == module.functions.end() || found->isEntry)
      return fail("`.alias " + name + ", " + target + "`: there is no such function");
  }
  llvm::erase_if(module.functions, [&](const Function &f) { return module.aliases.count(f.name) && !f.isDefined; });
  for (Function &function : module.functions)
    for (Statement &s : function.statements)
      for (Operand &operand : s.operands)
        replaceName(operand, module.aliases);
  for (Variable &variable : module.globals)
    for (Variable::Reference &reference : variable.references)
      if (auto found = module.aliases.find(reference.name); found != module.aliases.end())
        reference.name = found->second;
}

} // namespace dscc::sim
