#include "tools/simulator/ptx/Constants.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <bit>
#include <climits>
#include <functional>

namespace dscc::sim {

static constexpr uint64_t warpSize = 32;
static constexpr int maxDepth = 64;

static char charAt(llvm::StringRef text, size_t at) { return at < text.size() ? text[at] : '\0'; }

static size_t skipBlanks(llvm::StringRef text, size_t at) {
  while (at < text.size() && llvm::isSpace(text[at]))
    ++at;
  return at;
}

/// 0f3F800000 and 0d3FF0000000000000.
static bool readHexFloat(llvm::StringRef text, size_t &at, Constant &constant) {
  char kind = llvm::toLower(charAt(text, at + 1));
  if (charAt(text, at) != '0' || (kind != 'f' && kind != 'd'))
    return false;
  llvm::StringRef digits = text.substr(at + 2, kind == 'd' ? 16 : 8);
  if (digits.size() != (kind == 'd' ? 16 : 8) || digits.getAsInteger(16, constant.bits))
    return false;
  at += 2 + digits.size();
  constant.kind = kind == 'd' ? Constant::Kind::Double : Constant::Kind::Single;
  return !llvm::isAlnum(charAt(text, at));
}

/// 1.0, .5, 2.5e-3 and 1e3, which are doubles.
static bool readDecimalFloat(llvm::StringRef text, size_t &at, Constant &constant) {
  size_t end = at, numDigits = 0;
  auto skipDigits = [&] {
    for (; llvm::isDigit(charAt(text, end)); ++end)
      ++numDigits;
  };
  skipDigits();
  bool hasPoint = charAt(text, end) == '.';
  if (hasPoint)
    ++end, skipDigits();
  size_t exponent = end;
  if (llvm::toLower(charAt(text, end)) == 'e') {
    end += charAt(text, end + 1) == '-' || charAt(text, end + 1) == '+' ? 2 : 1;
    if (!llvm::isDigit(charAt(text, end)))
      end = exponent;
    skipDigits();
  }
  double value = 0;
  if (!numDigits || (!hasPoint && end == exponent) || text.slice(at, end).getAsDouble(value))
    return false;
  at = end;
  constant.kind = Constant::Kind::Double;
  constant.bits = std::bit_cast<uint64_t>(value);
  return true;
}

static bool readInteger(llvm::StringRef text, size_t &at, Constant &constant) {
  if (text.substr(at).starts_with("WARP_SZ") && !llvm::isAlnum(charAt(text, at + 7))) {
    at += 7;
    constant.bits = warpSize;
    return true;
  }
  size_t end = at;
  while (llvm::isAlnum(charAt(text, end)) || charAt(text, end) == '_')
    ++end;
  llvm::StringRef word = text.slice(at, end), digits = word;
  bool hasSuffix = digits.consume_back("U");
  unsigned radix = digits.consume_front_insensitive("0x")   ? 16
                   : digits.consume_front_insensitive("0b") ? 2
                   : digits.size() > 1 && digits[0] == '0'  ? 8
                                                            : 10;
  if (digits.getAsInteger(radix, constant.bits))
    return false;
  at = end;
  bool isUnsigned = hasSuffix || constant.bits > uint64_t(INT64_MAX);
  constant.kind = isUnsigned ? Constant::Kind::Unsigned : Constant::Kind::Signed;
  return true;
}

bool readLiteral(llvm::StringRef text, size_t &at, Constant &constant) {
  return readHexFloat(text, at, constant) || readDecimalFloat(text, at, constant) || readInteger(text, at, constant);
}

bool beginsConstant(llvm::StringRef text, size_t at) {
  while (true) {
    at = skipBlanks(text, at);
    char c = charAt(text, at);
    if (llvm::isDigit(c) || (c == '.' && llvm::isDigit(charAt(text, at + 1))))
      return true;
    if (text.substr(at).starts_with("WARP_SZ"))
      return true;
    if (text.substr(at).starts_with("(.s64)") || text.substr(at).starts_with("(.u64)"))
      return true;
    if (!c || !llvm::StringRef("+-~!(").contains(c))
      return false;
    ++at;
  }
}

namespace {
/// Precedence climbing; the first error ends it.
class Reader {
public:
  Reader(llvm::StringRef text, size_t at) : text(text), at(at) {}

  Constant takeExpression(int depth = 0);

  llvm::StringRef text;
  size_t at;
  std::string error;

private:
  Constant takeUnary(int depth);
  Constant takeBinary(int least, int depth);
  bool take(llvm::StringRef token);
  Constant fail(const char *what) {
    if (error.empty())
      error = what;
    return {};
  }
  Constant apply(llvm::StringRef op, Constant a, Constant b);
};

struct BinaryOperator {
  llvm::StringLiteral text;
  int precedence;
};
// Longer ones first, where one begins with another.
constexpr BinaryOperator binaryOperators[] = {{"||", 1}, {"&&", 2}, {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7},
                                              {"==", 6}, {"!=", 6}, {"|", 3},  {"^", 4},  {"&", 5},  {"<", 7},
                                              {">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10}};
} // namespace

static Constant ofBool(bool value) { return {Constant::Kind::Signed, value}; }
static Constant ofDouble(double value) { return {Constant::Kind::Double, std::bit_cast<uint64_t>(value)}; }

bool Reader::take(llvm::StringRef token) {
  size_t next = skipBlanks(text, at);
  if (!text.substr(next).starts_with(token))
    return false;
  at = next + token.size();
  return true;
}

template <typename T> static std::optional<bool> compare(llvm::StringRef op, T a, T b) {
  if (op == "<")
    return a < b;
  if (op == "<=")
    return a <= b;
  if (op == ">")
    return a > b;
  if (op == ">=")
    return a >= b;
  if (op == "==")
    return a == b;
  if (op == "!=")
    return a != b;
  return std::nullopt;
}

static std::optional<uint64_t> combine(llvm::StringRef op, uint64_t a, uint64_t b, bool isUnsigned) {
  switch (op[0]) {
  case '+': return a + b;
  case '-': return a - b;
  case '*': return a * b;
  case '&': return a & b;
  case '|': return a | b;
  case '^': return a ^ b;
  case '/':
    if (!b)
      return std::nullopt;
    if (isUnsigned)
      return a / b;
    return b == UINT64_MAX ? -a : uint64_t(int64_t(a) / int64_t(b)); // by -1: no overflow
  case '%': return b ? std::optional(a % b) : std::nullopt;
  }
  return std::nullopt;
}

Constant Reader::apply(llvm::StringRef op, Constant a, Constant b) {
  using Kind = Constant::Kind;
  if (a.kind == Kind::Single || b.kind == Kind::Single || a.isFloat() != b.isFloat())
    return fail("an expression mixes constants of several types");
  if (a.isFloat()) {
    double x = std::bit_cast<double>(a.bits), y = std::bit_cast<double>(b.bits);
    if (std::optional<bool> holds = compare(op, x, y))
      return ofBool(*holds);
    switch (op.size() == 1 ? op[0] : '\0') {
    case '+': return ofDouble(x + y);
    case '-': return ofDouble(x - y);
    case '*': return ofDouble(x * y);
    case '/': return ofDouble(x / y);
    }
    return fail("an operator of integers stands between floats");
  }
  if (op == "&&")
    return ofBool(a.bits && b.bits);
  if (op == "||")
    return ofBool(a.bits || b.bits);
  bool isUnsigned = a.kind == Kind::Unsigned || b.kind == Kind::Unsigned;
  if (std::optional<bool> holds =
          isUnsigned ? compare(op, a.bits, b.bits) : compare(op, int64_t(a.bits), int64_t(b.bits)))
    return ofBool(*holds);
  if (op == "<<")
    return {a.kind, b.bits < 64 ? a.bits << b.bits : 0};
  if (op == ">>") {
    uint64_t count = std::min<uint64_t>(b.bits, 63);
    if (a.kind == Kind::Signed)
      return {a.kind, uint64_t(int64_t(a.bits) >> count)};
    return {a.kind, b.bits < 64 ? a.bits >> b.bits : 0};
  }
  std::optional<uint64_t> result = combine(op, a.bits, b.bits, isUnsigned);
  if (!result)
    return fail("an expression divides by 0");
  if (op == "%")
    return {Kind::Signed, *result};
  bool isBits = op == "&" || op == "|" || op == "^";
  return {isUnsigned || isBits ? Kind::Unsigned : Kind::Signed, *result};
}

Constant Reader::takeUnary(int depth) {
  using Kind = Constant::Kind;
  if (depth > maxDepth)
    return fail("an expression is nested too deeply");
  if (take("+"))
    return takeUnary(depth + 1);
  if (take("-")) {
    Constant value = takeUnary(depth + 1);
    if (value.isFloat())
      return {value.kind, value.bits ^ (value.kind == Kind::Single ? uint64_t(1) << 31 : uint64_t(1) << 63)};
    return {value.kind, -value.bits};
  }
  for (llvm::StringRef op : {"!", "~"}) {
    if (!take(op))
      continue;
    Constant value = takeUnary(depth + 1);
    if (value.isFloat())
      return fail("an operator of integers stands before a float");
    return op == "!" ? ofBool(!value.bits) : Constant{Kind::Unsigned, ~value.bits};
  }
  for (auto [cast, kind] : {std::pair("(.s64)", Kind::Signed), std::pair("(.u64)", Kind::Unsigned)}) {
    if (!take(cast))
      continue;
    Constant value = takeUnary(depth + 1);
    return value.isFloat() ? fail("a float is cast to an integer") : Constant{kind, value.bits};
  }
  if (take("(")) {
    Constant value = takeExpression(depth + 1);
    return take(")") ? value : fail("a parenthesis of an expression does not close");
  }
  at = skipBlanks(text, at);
  Constant value;
  return readLiteral(text, at, value) ? value : fail("is no number");
}

Constant Reader::takeBinary(int least, int depth) {
  if (depth > maxDepth)
    return fail("an expression is nested too deeply");
  Constant left = takeUnary(depth + 1);
  while (error.empty()) {
    size_t before = at;
    const BinaryOperator *found = std::find_if(std::begin(binaryOperators), std::end(binaryOperators),
                                               [&](const BinaryOperator &op) { return take(op.text); });
    if (found == std::end(binaryOperators))
      break;
    if (found->precedence < least) {
      at = before;
      break;
    }
    left = apply(found->text, left, takeBinary(found->precedence + 1, depth + 1));
  }
  return left;
}

Constant Reader::takeExpression(int depth) {
  Constant first = takeBinary(1, depth);
  if (!error.empty() || !take("?"))
    return first;
  Constant holds = takeExpression(depth + 1);
  if (!take(":"))
    return fail("`:` is missing behind `?`");
  Constant fails = takeExpression(depth + 1);
  if (first.isFloat() || holds.isFloat() != fails.isFloat())
    return fail("an expression mixes constants of several types");
  Constant chosen = first.bits ? holds : fails;
  if (holds.kind == Constant::Kind::Unsigned || fails.kind == Constant::Kind::Unsigned)
    chosen.kind = Constant::Kind::Unsigned;
  return chosen;
}

std::string readConstant(llvm::StringRef text, size_t &at, Constant &constant) {
  Reader reader(text, at);
  constant = reader.takeExpression();
  if (reader.error == "is no number")
    reader.error = ("`" + text.substr(at, 20).split('\n').first + "` is no number").str();
  at = reader.at;
  return reader.error;
}

} // namespace dscc::sim
