// Dims as text, both ways.
//
//   sum     := ['-'] product (('+' | '-') product)*
//   product := factor ('*' factor)*
//   factor  := number | name | function '(' sum (',' sum)* ')' | '(' sum ')'
//
// A name may hold what ONNX exporters put into dim_param as long as it starts with a letter or '_' and goes on with
// letters, digits, '_', '.', ':' or '/'. The importer renames others.

#include "dialects/dsc/DimExpr.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

namespace dscc {

std::string DimExpr::str() const {
  if (problem)
    return "?";
  if (terms.empty())
    return "0";
  std::string text;
  for (const Term &term : terms) {
    bool negative = term.coefficient < 0;
    text += text.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
    uint64_t magnitude = negative ? 0 - uint64_t(term.coefficient) : uint64_t(term.coefficient);
    bool showNumber = magnitude != 1 || term.factors.empty();
    if (showNumber)
      text += std::to_string(magnitude);
    for (size_t i = 0; i < term.factors.size(); ++i)
      text += (i || showNumber ? "*" : "") + term.factors[i]->text;
  }
  return text;
}

namespace {
class Parser {
public:
  explicit Parser(llvm::StringRef text) : rest(text) {}

  DimExpr parseAll() {
    DimExpr expr = parseSum();
    skipBlanks();
    return rest.empty() ? expr : DimExpr::invalid();
  }

private:
  // Each call is a level, and so are parentheses. Keeps hostile text from eating the stack.
  static constexpr unsigned maxDepth = DimExpr::maxNesting + 8;

  void skipBlanks() { rest = rest.ltrim(" \t"); }

  bool consume(char c) {
    skipBlanks();
    return rest.consume_front(llvm::StringRef(&c, 1));
  }

  DimExpr parseSum() {
    if (++depth > maxDepth)
      return DimExpr::invalid();
    DimExpr sum = consume('-') ? DimExpr(0) - parseProduct() : parseProduct();
    while (sum.isValid()) {
      if (consume('+'))
        sum = sum + parseProduct();
      else if (consume('-'))
        sum = sum - parseProduct();
      else
        break;
    }
    --depth;
    return sum;
  }

  DimExpr parseProduct() {
    DimExpr product = parseFactor();
    while (product.isValid() && consume('*'))
      product = product * parseFactor();
    return product;
  }

  DimExpr parseFactor() {
    skipBlanks();
    if (consume('(')) {
      DimExpr inner = parseSum();
      return consume(')') ? inner : DimExpr::invalid();
    }
    if (!rest.empty() && llvm::isDigit(rest.front())) {
      int64_t number;
      llvm::StringRef digits = rest.take_while(llvm::isDigit);
      rest = rest.drop_front(digits.size());
      return digits.getAsInteger(10, number) ? DimExpr::invalid() : DimExpr(number);
    }
    return parseNameOrCall();
  }

  DimExpr parseNameOrCall() {
    if (rest.empty() || !(llvm::isAlpha(rest.front()) || rest.front() == '_'))
      return DimExpr::invalid();
    llvm::StringRef name =
        rest.take_while([](char c) { return llvm::isAlnum(c) || c == '_' || c == '.' || c == ':' || c == '/'; });
    rest = rest.drop_front(name.size());
    using Function = DimExpr (*)(const DimExpr &, const DimExpr &);
    auto function = llvm::StringSwitch<Function>(name)
                        .Case("floordiv", DimExpr::floorDiv)
                        .Case("ceildiv", DimExpr::ceilDiv)
                        .Case("mod", DimExpr::mod)
                        .Case("min", DimExpr::min)
                        .Case("max", DimExpr::max)
                        .Default(nullptr);
    if (!function || !consume('('))
      return DimExpr::symbol(name);
    DimExpr value = parseSum();
    int arguments = 1;
    for (; value.isValid() && consume(','); ++arguments)
      value = function(value, parseSum());
    return consume(')') && arguments >= 2 ? value : DimExpr::invalid();
  }

  llvm::StringRef rest;
  unsigned depth = 0;
};
} // namespace

DimExpr DimExpr::parse(llvm::StringRef text) { return Parser(text).parseAll(); }

} // namespace dscc
