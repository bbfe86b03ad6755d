// Recursive descent over the text, without a separate lexer: PTX is a list of words.
//
// The first error ends the parse: it is kept, and the cursor moves to the end of the text, so that every loop ends.

#include "runtime/simulator/ptx/Constants.h"
#include "runtime/simulator/ptx/Ptx.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace dscc::sim {

/// Scopes and operands nested deeper than this are no compiler's output.
static constexpr int maxDepth = 64;
/// The largest variable: what a chip could hold.
static constexpr uint64_t maxVariableBytes = uint64_t(1) << 32;

bool Statement::has(llvm::StringRef part) const { return llvm::is_contained(parts, part); }

unsigned countTypeBytes(llvm::StringRef type) {
  if (type == "pred")
    return 1;
  unsigned lanes = type.consume_back("x2") ? 2 : 1;
  if (type == "e4m3" || type == "e5m2")
    return lanes;
  if (!type.consume_front("bf") && !type.consume_front("tf") &&
      (type.empty() || !llvm::StringRef("busf").contains(type.front())))
    return 0;
  unsigned bits = 0;
  if (type.drop_while(llvm::isAlpha).getAsInteger(10, bits) || bits % 8 || bits > 128)
    return 0;
  return bits / 8 * lanes;
}

namespace {
class Parser {
public:
  Parser(llvm::StringRef text, PtxModule &module) : text(text), module(module) {}
  std::string run();

private:
  // Characters and words.
  void fail(const llvm::Twine &what);
  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  void skipBlanks();
  void skipLine();
  void skipTo(char stop);
  bool take(char c);
  void expect(char c);
  llvm::StringRef takeWord();
  llvm::StringRef takeDirective();
  int64_t takeCount();
  int64_t takeInteger();
  Constant takeConstant();
  bool isAtEnd() { return skipBlanks(), at >= text.size(); }

  // Operands.
  Operand takeOperand(int depth = 0);
  Operand takeVector(char close, int depth);
  Operand takeAddress(int depth);

  // Declarations.
  Variable takeVariable(llvm::StringRef space);
  void takeReference(Variable &variable, unsigned elementBytes, std::string name, int64_t addend);
  int64_t convertFloat(const Operand &value, llvm::StringRef type);
  void takeMaskedReference(Variable &variable, int64_t &mask);
  void takeInitialValue(Variable &variable, unsigned elementBytes, llvm::StringRef type);
  void takeRegisters(Scope &scope);
  void takeParameters(std::vector<Variable> &parameters);
  void takeDirectives(Function &function);
  void takeFunction(bool isEntry);

  // Bodies.
  void takeBody(Function &function, int scope, int depth);
  void takeStatement(Function &function, int scope);
  bool takeDeclaration(Function &function, int scope, llvm::StringRef word);
  void takeModuleDirective(llvm::StringRef word);

  llvm::StringRef text;
  size_t at = 0;
  int line = 1;
  bool isCall = false; // of the statement that is being read
  std::string error;
  PtxModule &module;
};
} // namespace

void Parser::fail(const llvm::Twine &what) {
  if (error.empty())
    error = ("PTX line " + llvm::Twine(line) + ": " + what).str();
  at = text.size();
}

void Parser::skipLine() {
  while (at < text.size() && text[at] != '\n')
    ++at;
}

void Parser::skipTo(char stop) {
  for (; at < text.size() && text[at] != stop; ++at)
    line += text[at] == '\n';
}

void Parser::skipBlanks() {
  while (at < text.size()) {
    if (llvm::isSpace(peek())) {
      line += peek() == '\n';
      ++at;
    } else if (peek() == '/' && peek(1) == '/') {
      skipLine();
    } else if (peek() == '/' && peek(1) == '*') {
      size_t end = text.find("*/", at + 2);
      if (end == llvm::StringRef::npos)
        return fail("a comment does not end");
      line += text.slice(at, end).count('\n');
      at = end + 2;
    } else {
      return;
    }
  }
}

bool Parser::take(char c) {
  skipBlanks();
  if (peek() != c || at >= text.size())
    return false;
  ++at;
  return true;
}

void Parser::expect(char c) {
  if (!take(c))
    fail(llvm::Twine("`") + llvm::Twine(c) + "` is missing before `" + text.substr(at, 20).split('\n').first + "`");
}

/// Letters, digits, `_ $ % .`, and `::` within a word. Empty if something else stands there.
llvm::StringRef Parser::takeWord() {
  skipBlanks();
  size_t begin = at;
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_' || c == '$' || c == '%' || c == '.'; };
  while (at < text.size()) {
    if (isWord(peek()))
      ++at;
    else if (peek() == ':' && peek(1) == ':' && llvm::isAlnum(peek(2)))
      at += 2;
    else
      break;
  }
  return text.slice(begin, at);
}

/// The first of words that may follow each other without blanks, as in `.reg.b16`.
llvm::StringRef Parser::takeDirective() {
  llvm::StringRef word = takeWord();
  size_t next = word.find('.', 1);
  if (next == llvm::StringRef::npos)
    return word;
  at -= word.size() - next;
  return word.take_front(next);
}

/// A literal alone: behind `<` an expression would not end.
int64_t Parser::takeCount() {
  skipBlanks();
  Constant constant;
  if (!readLiteral(text, at, constant) || constant.isFloat())
    fail("`" + text.substr(at, 20).split('\n').first + "` is no integer");
  return int64_t(constant.bits);
}

Constant Parser::takeConstant() {
  skipBlanks();
  size_t begin = at;
  Constant constant;
  std::string wrong = readConstant(text, at, constant);
  line += int(text.slice(begin, at).count('\n'));
  if (!wrong.empty())
    fail(wrong);
  return constant;
}

int64_t Parser::takeInteger() {
  Constant constant = takeConstant();
  if (constant.isFloat())
    fail("a float stands where an integer is wanted");
  return int64_t(constant.bits);
}

Operand Parser::takeVector(char close, int depth) {
  Operand operand;
  operand.kind = Operand::Kind::Vector;
  if (take(close))
    return operand;
  do
    operand.parts.push_back(takeOperand(depth + 1));
  while (take(','));
  expect(close);
  return operand;
}

Operand Parser::takeAddress(int depth) {
  Operand operand;
  operand.kind = Operand::Kind::Address;
  skipBlanks();
  if (beginsConstant(text, at))
    operand.integer = takeInteger();
  else
    operand.name = takeWord().str();
  if (take('+') || peek() == '-')
    operand.integer += takeInteger();
  while (take(','))
    operand.parts.push_back(takeOperand(depth + 1));
  expect(']');
  return operand;
}

Operand Parser::takeOperand(int depth) {
  Operand operand;
  if (depth > maxDepth) {
    fail("operands are nested too deeply");
    return operand;
  }
  if (take('{'))
    return takeVector('}', depth);
  if (take('['))
    return takeAddress(depth);
  skipBlanks();
  // Behind `call`, parentheses are a list.
  if (peek() != '(' || !isCall) {
    if (beginsConstant(text, at)) {
      Constant constant = takeConstant();
      operand.kind = constant.isFloat() ? Operand::Kind::Float : Operand::Kind::Integer;
      operand.integer = int64_t(constant.bits);
      operand.floatBits = constant.kind == Constant::Kind::Single ? 32 : 64;
      return operand;
    }
  }
  if (take('('))
    return takeVector(')', depth);
  if (take('!')) {
    operand = takeOperand(depth + 1);
    operand.isNegated = true;
    return operand;
  }
  operand.isMinus = take('-');
  operand.name = takeWord().str();
  if (operand.name.empty())
    fail("an operand is missing before `" + text.substr(at, 20).split('\n').first + "`");
  if (take('|'))
    operand.second = takeWord().str();
  else if (take('+') || peek() == '-')
    operand.integer = takeInteger(); // of a variable's address
  return operand;
}

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

/// 0xFF(name), 0xFF00(name), ...: the bytes of an address one by one, from the lowest on.
void Parser::takeMaskedReference(Variable &variable, int64_t &mask) {
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

/// `type` is that of an element, or of a vector's part.
void Parser::takeInitialValue(Variable &variable, unsigned elementBytes, llvm::StringRef type) {
  auto put = [&] {
    Operand value = takeOperand();
    if (value.kind == Operand::Kind::Name)
      takeReference(variable, elementBytes, value.name, value.integer);
    else if (value.kind == Operand::Kind::Integer && take('('))
      takeMaskedReference(variable, value.integer);
    else if (value.kind == Operand::Kind::Float)
      value.integer = convertFloat(value, type);
    else if (value.kind != Operand::Kind::Integer)
      fail("an initial value of `" + variable.name + "` is no constant");
    for (unsigned i = 0; i < elementBytes; ++i)
      variable.initial.push_back(uint8_t(uint64_t(value.integer) >> (8 * i)));
  };
  if (take('{')) {
    do
      put();
    while (take(','));
    expect('}');
  } else {
    put();
  }
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

/// What follows the state space: [.align n] .type [.ptr ...] name [ '[' n ']' ] [= values].
Variable Parser::takeVariable(llvm::StringRef space) {
  Variable variable;
  variable.space = space.str();
  variable.line = line;
  unsigned elementBytes = 1;
  uint32_t align = 0;
  llvm::StringRef type;
  static constexpr llvm::StringLiteral ignored[] = {".ptr", ".global", ".shared", ".const", ".local"};
  while (skipBlanks(), peek() == '.') {
    llvm::StringRef word = takeDirective();
    if (word == ".align") {
      align = uint32_t(takeInteger());
    } else if (word == ".v2" || word == ".v4") {
      elementBytes *= word == ".v2" ? 2 : 4;
    } else if (!llvm::is_contained(ignored, word)) {
      unsigned bytes = countTypeBytes(word.drop_front());
      if (!bytes)
        fail("there is no type `" + word + "`");
      elementBytes *= bytes;
      type = word.drop_front();
    }
  }
  variable.name = takeWord().str();
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
    variable.bytes *= count;
  }
  if (take('='))
    takeInitialValue(variable, elementBytes, type);
  return variable;
}

void Parser::takeRegisters(Scope &scope) {
  llvm::StringRef type = takeDirective();
  unsigned bits = type == ".pred" ? 1 : 8 * countTypeBytes(type.ltrim('.'));
  if (!bits)
    return fail("there is no type `" + type + "`");
  do {
    llvm::StringRef name = takeWord();
    bool isRange = take('<');
    if (isRange) {
      takeCount();
      expect('>');
    }
    scope.registers[name] = {bits, isRange};
  } while (take(','));
  expect(';');
}

/// True if `word` began a declaration or a directive, which is read then.
bool Parser::takeDeclaration(Function &function, int scope, llvm::StringRef word) {
  if (word.front() != '.')
    return false;
  if (word == ".reg") {
    takeRegisters(function.scopes[scope]);
  } else if (word == ".loc" || word == ".file") {
    skipLine();
  } else if (word == ".branchtargets" || word == ".callprototype") {
    // Both stand behind a label, which names them.
    if (function.statements.empty() || !function.statements.back().isLabel) {
      fail("`" + word + "` has no label");
      return true;
    }
    std::vector<std::string> &targets = function.branchTargets[function.statements.back().text];
    function.statements.pop_back();
    if (word == ".callprototype") {
      skipTo(';');
    } else {
      do
        targets.push_back(takeWord().str());
      while (take(','));
    }
    expect(';');
  } else if (word == ".shared" || word == ".local" || word == ".global" || word == ".const" || word == ".param") {
    Variable variable = takeVariable(word);
    expect(';');
    std::vector<Variable> &list = word == ".shared"  ? module.shared
                                  : word == ".local" ? function.locals
                                  : word == ".param" ? function.scopes[scope].parameters
                                                     : module.globals;
    list.push_back(std::move(variable));
  } else if (word == ".pragma") {
    skipTo(';');
    expect(';');
  } else {
    fail("the directive `" + word + "` is not known");
  }
  return true;
}

void Parser::takeStatement(Function &function, int scope) {
  Statement statement;
  statement.line = line;
  statement.scope = scope;
  if (take('@')) {
    statement.isPredicateNegated = take('!');
    statement.predicate = takeWord().str();
  }
  skipBlanks();
  statement.line = line;
  llvm::StringRef word = peek() == '.' ? takeDirective() : takeWord();
  if (word.empty())
    return fail("an instruction is missing before `" + text.substr(at, 20).split('\n').first + "`");
  statement.text = word.str();
  if (take(':')) {
    statement.isLabel = true;
    function.statements.push_back(std::move(statement));
    return;
  }
  if (takeDeclaration(function, scope, word))
    return;
  word.split(statement.parts, '.');
  isCall = statement.parts[0] == "call";
  if (!take(';')) {
    do
      statement.operands.push_back(takeOperand());
    while (take(','));
    expect(';');
  }
  function.statements.push_back(std::move(statement));
}

void Parser::takeBody(Function &function, int scope, int depth) {
  if (depth > maxDepth)
    return fail("scopes are nested too deeply");
  while (!take('}')) {
    if (isAtEnd())
      return fail("the body of `" + function.name + "` does not end");
    if (take('{')) {
      function.scopes.emplace_back().parent = scope;
      takeBody(function, int(function.scopes.size()) - 1, depth + 1);
    } else {
      takeStatement(function, scope);
    }
  }
}

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

/// Limits between the head of a function and its body.
void Parser::takeDirectives(Function &function) {
  while (skipBlanks(), peek() == '.') {
    llvm::StringRef word = takeWord();
    uint32_t values[3] = {1, 1, 1};
    int count = 0;
    while (skipBlanks(), llvm::isDigit(peek()) && count < 3) {
      values[count++] = uint32_t(takeInteger());
      take(',');
    }
    uint32_t threads = values[0] * values[1] * values[2];
    if (word == ".maxntid" || word == ".reqntid")
      function.maxThreads = threads;
    if (word == ".reqntid")
      function.requiredThreads = threads;
    if (word == ".maxnreg")
      function.maxRegisters = values[0];
    if (word == ".reqnctapercluster")
      std::copy(values, values + 3, function.cluster);
  }
}

void Parser::takeFunction(bool isEntry) {
  Function function;
  function.isEntry = isEntry;
  function.line = line;
  skipBlanks();
  if (!isEntry && peek() == '(')
    takeParameters(function.results);
  function.name = takeWord().str();
  skipBlanks();
  if (peek() == '(')
    takeParameters(function.parameters);
  takeDirectives(function);
  if (!take(';')) {
    expect('{');
    function.isDefined = true;
    function.scopes.emplace_back();
    takeBody(function, 0, 0);
  }
  if (error.empty())
    module.functions.push_back(std::move(function));
}

void Parser::takeModuleDirective(llvm::StringRef word) {
  static constexpr llvm::StringLiteral linkage[] = {".visible", ".extern", ".weak", ".common"};
  if (llvm::is_contained(linkage, word))
    return;
  if (word == ".version" || word == ".address_size") {
    takeWord();
  } else if (word == ".target") {
    module.target = takeWord().str();
    while (take(','))
      takeWord();
  } else if (word == ".file" || word == ".loc") {
    skipLine();
  } else if (word == ".section") {
    skipTo('}');
    expect('}');
  } else if (word == ".shared" || word == ".global" || word == ".const") {
    (word == ".shared" ? module.shared : module.globals).push_back(takeVariable(word));
    expect(';');
  } else if (word == ".entry" || word == ".func") {
    takeFunction(word == ".entry");
  } else {
    fail("the directive `" + word + "` is not known");
  }
}

std::string Parser::run() {
  while (!isAtEnd())
    takeModuleDirective(takeDirective());
  if (error.empty() && module.target.empty())
    error = "PTX line 1: there is no .target";
  return error;
}

/// `// dscc.node k0_Gemm_0 Gemm@0` says which nodes of a model a kernel stands for; bytes that do not print are `\xx`.
static void readNodes(llvm::StringRef text, PtxModule &module) {
  constexpr llvm::StringLiteral mark = "\n// dscc.node ";
  for (size_t at = text.find(mark); at != llvm::StringRef::npos; at = text.find(mark, at)) {
    at += mark.size();
    auto [kernel, nodes] = text.slice(at, text.find('\n', at)).split(' ');
    module.nodes[kernel.str()] = nodes.str();
  }
}

std::string parsePtx(llvm::StringRef text, PtxModule &module) {
  readNodes(text, module);
  return Parser(text, module).run();
}

} // namespace dscc::sim
