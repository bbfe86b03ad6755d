#include "tools/run/Dims.h"

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cstring>

using namespace dscc::run;

using Value = std::optional<int64_t>;

static bool isDigit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)); }

/// Whatever is no operator of an expression may be part of a name.
static bool isNameLetter(char letter) { return letter && !std::strchr("+-*(), ", letter); }

static Value add(Value a, Value b) {
  int64_t sum;
  return a && b && !__builtin_add_overflow(*a, *b, &sum) ? Value(sum) : std::nullopt;
}

static Value subtract(Value a, Value b) {
  int64_t difference;
  return a && b && !__builtin_sub_overflow(*a, *b, &difference) ? Value(difference) : std::nullopt;
}

static Value multiply(Value a, Value b) {
  int64_t product;
  return a && b && !__builtin_mul_overflow(*a, *b, &product) ? Value(product) : std::nullopt;
}

static Value floorDivide(Value a, Value b) {
  if (!a || !b || *b <= 0)
    return std::nullopt;
  return *a / *b - (*a % *b < 0);
}

static Value call(const std::string &function, Value a, Value b) {
  if (!a || !b)
    return std::nullopt;
  if (function == "floordiv")
    return floorDivide(a, b);
  if (function == "ceildiv")
    return floorDivide(add(a, subtract(b, 1)), b);
  if (function == "mod")
    return subtract(a, multiply(b, floorDivide(a, b)));
  if (function == "min")
    return std::min(*a, *b);
  if (function == "max")
    return std::max(*a, *b);
  return std::nullopt;
}

namespace {
/// A sum of products of numbers, names, calls and sums in brackets. Each function leaves `position` behind what
/// it read; an error is an empty value, which goes all the way up.
class Reader {
public:
  Reader(const std::string &text, const std::map<std::string, int64_t> &values) : text(text), values(values) {}

  Value readAll() {
    Value value = readSum();
    skipSpace();
    return position == text.size() ? value : std::nullopt;
  }

private:
  // A dim of an artifact is short; a text that nests deeper is no dim.
  static constexpr int maxDepth = 100;

  void skipSpace() {
    while (position < text.size() && text[position] == ' ')
      ++position;
  }
  bool take(char letter) {
    skipSpace();
    bool found = position < text.size() && text[position] == letter;
    position += found;
    return found;
  }
  Value readSum() {
    if (depth >= maxDepth)
      return std::nullopt;
    ++depth;
    Value sum = take('-') ? subtract(0, readProduct()) : readProduct();
    while (sum) {
      if (take('+'))
        sum = add(sum, readProduct());
      else if (take('-'))
        sum = subtract(sum, readProduct());
      else
        break;
    }
    --depth;
    assert(depth >= 0 && position <= text.size() && "what was opened is closed within the text");
    return sum;
  }
  Value readProduct() {
    Value product = readFactor();
    while (product && take('*'))
      product = multiply(product, readFactor());
    return product;
  }
  Value readFactor() {
    if (take('(')) {
      Value sum = readSum();
      return take(')') ? sum : std::nullopt;
    }
    skipSpace();
    size_t start = position;
    while (position < text.size() && isNameLetter(text[position]))
      ++position;
    std::string word = text.substr(start, position - start);
    if (word.empty())
      return std::nullopt;
    if (std::all_of(word.begin(), word.end(), isDigit))
      return readNumber(word);
    if (take('('))
      return readCall(word);
    auto found = values.find(word);
    return found == values.end() ? 1 : found->second;
  }
  static Value readNumber(const std::string &digits) {
    Value value = 0;
    for (char digit : digits)
      value = add(multiply(value, 10), digit - '0');
    return value;
  }
  /// min and max take any number of operands, the others two.
  Value readCall(const std::string &function) {
    Value value = readSum();
    while (take(','))
      value = call(function, value, readSum());
    return take(')') ? value : std::nullopt;
  }

  const std::string &text;
  const std::map<std::string, int64_t> &values;
  size_t position = 0;
  int depth = 0;
};
} // namespace

Value dscc::run::evaluateDim(const std::string &text, const std::map<std::string, int64_t> &values) {
  // A name from ONNX may hold any letter, a `+` too.
  if (auto found = values.find(text); found != values.end())
    return found->second;
  return Reader(text, values).readAll();
}

bool dscc::run::isNamedDim(const std::string &text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), isNameLetter) &&
         !std::all_of(text.begin(), text.end(), isDigit);
}

bool dscc::run::mentionsDim(const std::string &text, const std::string &name) {
  if (text == name)
    return true;
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    bool starts = at == 0 || !isNameLetter(text[at - 1]);
    size_t end = at + name.size();
    // An operand is followed by an operator; a function by a bracket.
    bool ends = end == text.size() || (!isNameLetter(text[end]) && text[end] != '(');
    if (starts && ends && isNamedDim(name))
      return true;
  }
  return false;
}
