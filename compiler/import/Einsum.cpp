// Einsum, as transposes, reductions and matrix products of two operands at a time.
//
//     "bij,bjk->bik":  letters in both operands and the result are batches, in both only are summed up,
//                      in one only are rows or columns:   [batch, row, sum] x [batch, sum, column]

#include "compiler/import/Converters.h"
#include "compiler/import/Matmul.h"

#include "llvm/ADT/StringExtras.h"

#include <map>

using namespace mlir;

namespace dscc {

namespace {

/// An operand and the letter of each of its dims. The dims of "..." get the letters '0', '1', ... from the right.
struct Labelled {
  Value value;
  std::string letters;
};

class Contraction {
public:
  explicit Contraction(NodeImporter &node) : node(node) {}

  LogicalResult readEquation(StringRef equation);
  Value compute();

private:
  LogicalResult readOperand(StringRef text, Value value);
  void sumUnused(Labelled &operand, StringRef needed);
  Value arrange(const Labelled &operand, StringRef order);
  Labelled multiply(Labelled a, Labelled b, StringRef needed);
  DimExpr sizeOf(StringRef letters) const;

  NodeImporter &node;
  std::vector<Labelled> operands;
  std::string result;
  size_t ellipsisRank = 0;
  std::map<char, DimExpr> sizes;
};

} // namespace

static std::string ellipsisLetters(size_t count) {
  std::string letters;
  for (size_t i = count; i > 0; --i)
    letters += char('0' + i - 1);
  return letters;
}

LogicalResult Contraction::readOperand(StringRef text, Value value) {
  std::string letters = text.str();
  size_t rank = rankOf(value), dots = letters.find("...");
  if (dots != std::string::npos) {
    size_t named = letters.size() - 3;
    if (rank < named || rank - named > 8)
      return node.reject("has the term '" + text + "' for an operand of rank " + Twine(rank));
    letters.replace(dots, 3, ellipsisLetters(rank - named));
    ellipsisRank = std::max(ellipsisRank, rank - named);
  }
  if (letters.size() != rank)
    return node.reject("has the term '" + text + "' for an operand of rank " + Twine(rank));
  for (auto [letter, dim] : llvm::zip_equal(letters, dimsOf(value))) {
    if (!llvm::isAlnum(letter))
      return node.reject("has the term '" + text + "', which is not made of letters");
    if (std::count(letters.begin(), letters.end(), letter) > 1)
      return node.unsupported("takes a diagonal: the term '" + text + "' names a dim twice", "use Gather before it");
    auto [known, isNew] = sizes.try_emplace(letter, dim);
    if (!isNew && mlir::failed(node.requireEqual(known->second, dim, "dims '" + std::string(1, letter) + "'")))
      return failure();
    if (!known->second.isConstant())
      known->second = dim;
  }
  operands.push_back({value, letters});
  return success();
}

LogicalResult Contraction::readEquation(StringRef equation) {
  std::string text;
  for (char c : equation)
    if (c != ' ')
      text += c;
  bool hasResult = StringRef(text).contains("->");
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != node.inputCount())
    return node.reject("has " + Twine(terms.size()) + " terms for " + Twine(node.inputCount()) + " operands");
  for (auto [i, term] : llvm::enumerate(terms))
    if (!node.input(i) || mlir::failed(readOperand(term, node.input(i))))
      return failure();
  result = right.str();
  if (size_t dots = result.find("..."); dots != std::string::npos)
    result.replace(dots, 3, ellipsisLetters(ellipsisRank));
  if (!hasResult) {
    // The letters that occur once, sorted, after the dims of "...".
    result = ellipsisLetters(ellipsisRank);
    for (auto [letter, dim] : sizes)
      if (llvm::isAlpha(letter) && std::count(left.begin(), left.end(), letter) == 1)
        result += letter;
  }
  for (char letter : result)
    if (!sizes.count(letter) || std::count(result.begin(), result.end(), letter) > 1)
      return node.reject("has a result '" + right + "' that its terms do not make");
  return success();
}

void Contraction::sumUnused(Labelled &operand, StringRef needed) {
  Integers axes;
  std::string kept;
  for (auto [axis, letter] : llvm::enumerate(operand.letters))
    if (needed.contains(letter))
      kept += letter;
    else
      axes.push_back(axis);
  if (axes.empty())
    return;
  Value sum = node.make<dsc::ReduceSumOp>(operand.value, node.attribute(axes));
  dsc::Dims dims;
  for (char letter : kept)
    dims.push_back(sizes.find(letter)->second);
  operand = {node.reshape(sum, dims), kept};
}

Value Contraction::arrange(const Labelled &operand, StringRef order) {
  Integers permutation;
  for (char letter : order)
    permutation.push_back(operand.letters.find(letter));
  return node.transpose(operand.value, permutation);
}

DimExpr Contraction::sizeOf(StringRef letters) const {
  DimExpr size = 1;
  for (char letter : letters)
    size = size * sizes.find(letter)->second;
  return size;
}

Labelled Contraction::multiply(Labelled a, Labelled b, StringRef needed) {
  sumUnused(a, (needed + b.letters).str());
  sumUnused(b, (needed + a.letters).str());
  std::string batch, row, column, sum;
  for (char letter : a.letters) {
    bool inBoth = StringRef(b.letters).contains(letter);
    (inBoth ? (needed.contains(letter) ? batch : sum) : row) += letter;
  }
  for (char letter : b.letters)
    if (!StringRef(a.letters).contains(letter))
      column += letter;
  Value lhs = node.reshape(arrange(a, batch + row + sum), {sizeOf(batch), sizeOf(row), sizeOf(sum)});
  Value rhs = node.reshape(arrange(b, batch + sum + column), {sizeOf(batch), sizeOf(sum), sizeOf(column)});
  Value product = makeMatmul(node, lhs, rhs);
  std::string letters = batch + row + column;
  dsc::Dims dims;
  for (char letter : letters)
    dims.push_back(sizes.find(letter)->second);
  return {node.reshape(product, dims), letters};
}

Value Contraction::compute() {
  Labelled sum = operands[0];
  for (size_t i = 1; i < operands.size() && sum.value; ++i) {
    std::string needed = result;
    for (size_t k = i + 1; k < operands.size(); ++k)
      needed += operands[k].letters;
    sum = multiply(sum, operands[i], needed);
  }
  if (!sum.value)
    return {};
  sumUnused(sum, result);
  return sum.value ? arrange(sum, result) : Value();
}

static LogicalResult convertEinsum(NodeImporter &node) {
  Contraction contraction(node);
  if (mlir::failed(contraction.readEquation(node.text("equation", ""))))
    return failure();
  return node.finish(contraction.compute());
}

ArrayRef<Converter> einsumConverters() {
  static constexpr Converter entries[] = {{"", "Einsum", 12, 1, anyCount, convertEinsum}};
  return entries;
}

} // namespace dscc
