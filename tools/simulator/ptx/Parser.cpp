// Words, operands, the bodies of functions, and what stands around them. Declarations are in Declarations.cpp.

#include "tools/simulator/ptx/Parser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace dscc::sim {

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
  if (take('[')) {
    operand = takeAddress(depth);
    if (skipBlanks(), text.substr(at).starts_with(".unified"))
      takeDirective();
    return operand;
  }
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

/// A vector's register as its parts, of %tid and its like with `.v4` alone; V.r and so on are other names of V.x.
void Parser::expandVectors(const Function &function, int scope, bool isFour, Operand &operand) {
  auto findVector = [&](llvm::StringRef name) -> unsigned {
    static constexpr llvm::StringLiteral specials[] = {
        "%tid", "%ntid", "%ctaid", "%nctaid", "%clusterid", "%nclusterid", "%cluster_ctaid", "%cluster_nctaid"};
    for (int at = scope; at >= 0; at = function.scopes[at].parent) {
      if (auto found = function.scopes[at].vectors.find(name); found != function.scopes[at].vectors.end())
        return found->second;
      if (function.scopes[at].findRegister(name))
        return 0;
    }
    return isFour && llvm::is_contained(specials, name) ? 4 : 0;
  };
  for (Operand &part : operand.parts)
    expandVectors(function, scope, isFour, part);
  if (operand.name.empty())
    return;
  auto [base, part] = llvm::StringRef(operand.name).rsplit('.');
  size_t index = llvm::StringRef("rgba").find(part);
  if (part.size() == 1 && index != llvm::StringRef::npos && findVector(base) > index)
    operand.name.back() = "xyzw"[index];
  unsigned lanes = operand.kind == Operand::Kind::Name ? findVector(operand.name) : 0;
  if (!lanes)
    return;
  Operand vector;
  vector.kind = Operand::Kind::Vector;
  for (unsigned i = 0; i < lanes; ++i)
    vector.parts.emplace_back().name = operand.name + "." + "xyzw"[i];
  operand = std::move(vector);
}

/// What stands behind a label, which names it.
void Parser::takeLabelled(Function &function, llvm::StringRef word) {
  if (function.statements.empty() || !function.statements.back().isLabel)
    return fail("`" + word + "` has no label");
  std::vector<std::string> &targets = function.branchTargets[function.statements.back().text];
  function.statements.pop_back();
  if (word != ".branchtargets") {
    skipTo(';');
    return expect(';');
  }
  do {
    std::string name = takeWord().str();
    if (!take('<')) {
      targets.push_back(name);
      continue;
    }
    constexpr int64_t mostTargets = 1 << 16;
    int64_t count = takeCount();
    expect('>');
    if (count < 0 || count > mostTargets)
      return fail("`.branchtargets` has " + llvm::Twine(count) + " labels");
    for (int64_t i = 0; i < count; ++i)
      targets.push_back(name + std::to_string(i));
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
  } else if (word == ".branchtargets" || word == ".callprototype" || word == ".calltargets") {
    takeLabelled(function, word);
  } else if (word == ".shared" || word == ".global" || word == ".const") {
    takeScoped(function, scope, word);
  } else if (word == ".local" || word == ".param") {
    takeBuffers(function.scopes[scope], word);
  } else if (word == ".pragma") {
    takePragma();
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
  for (Operand &operand : statement.operands)
    expandVectors(function, scope, statement.has("v4"), operand);
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

void Parser::takeModuleDirective(llvm::StringRef word) {
  static constexpr llvm::StringLiteral linkage[] = {".visible", ".weak", ".common"};
  isExtern = word == ".extern";
  if (isExtern || llvm::is_contained(linkage, word))
    word = takeDirective();
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
    isExtern = false;
    takeFunction(word == ".entry");
  } else if (word == ".pragma") {
    takePragma();
  } else if (word == ".alias") {
    std::string name = takeWord().str();
    expect(',');
    module.aliases[name] = takeWord().str();
    expect(';');
  } else {
    fail("the directive `" + word + "` is not known");
  }
}

std::string Parser::run() {
  while (!isAtEnd())
    takeModuleDirective(takeDirective());
  if (error.empty())
    replaceAliases();
  if (error.empty())
    mergeGlobals();
  if (error.empty() && module.target.empty())
    error = "PTX line 1: there is no .target";
  return error;
}

std::string parsePtx(llvm::StringRef text, PtxModule &module) { return Parser(text, module).run(); }

} // namespace dscc::sim
