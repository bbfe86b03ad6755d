// Einsum, as transposes, reductions and matrix products of two operands at a time.
//
//     "bij,bjk->bik":  letters in both operands and the result are batches, in both only are summed up,
//                      in one only are rows or columns:   [batch, row, sum] x [batch, sum, column]
//
// A letter that one term names twice is the diagonal of those dims. An operand whose dim is 1 where another's is not
// does not vary along it: it loses the letter.

#include "compiler/import/Converters.h"
#include "compiler/import/Counting.h"
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
  LogicalResult readSize(char letter, const DimExpr &dim);
  void takeDiagonals(Labelled &operand);
  void broadcast(Labelled &operand);
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
  for (char letter : text)
    if (!llvm::isAlpha(letter) && letter != '.')
      return node.reject("has the term '" + text + "', which is not made of letters");
  operands.push_back({value, letters});
  takeDiagonals(operands.back());
  if (!operands.back().value)
    return failure();
  for (auto [letter, dim] : llvm::zip_equal(operands.back().letters, dimsOf(operands.back().value)))
    if (mlir::failed(readSize(letter, dim)))
      return failure();
  return success();
}

static bool isOfEllipsis(char letter) { return llvm::isDigit(letter); }

/// A size of 1 gives way to others. Two that only a run can tell are equal, or under "..." broadcast.
LogicalResult Contraction::readSize(char letter, const DimExpr &dim) {
  auto [known, isNew] = sizes.try_emplace(letter, dim);
  if (isNew || known->second == dim || dim.isConstant(1))
    return success();
  if (known->second.isConstant(1)) {
    known->second = dim;
    return success();
  }
  if (isOfEllipsis(letter))
    if (std::optional<DimExpr> both = dsc::broadcastDim(known->second, dim)) {
      node.relateDims(known->second, dim);
      known->second = *both;
      return success();
    }
  if (mlir::failed(node.requireEqual(known->second, dim, "dims '" + std::string(1, letter) + "'")))
    return failure();
  if (!known->second.isConstant())
    known->second = dim;
  return success();
}

/// Leaves each letter once: of two dims with one letter only the elements at equal places stay.
void Contraction::takeDiagonals(Labelled &operand) {
  for (size_t first = 0; first < operand.letters.size() && operand.value; ++first) {
    size_t second = operand.letters.find(operand.letters[first], first + 1);
    if (second == std::string::npos)
      continue;
    // Both go to the end and become one dim, [.., n, n] as [.., n * n], whose every (n + 1)th element is taken.
    dsc::Dims dims = dimsOf(operand.value);
    std::string twice(1, operand.letters[first]), name = "dims '" + twice + "' of one term";
    if (mlir::failed(node.requireEqual(dims[first], dims[second], name))) {
      operand.value = {};
      return;
    }
    Integers order;
    std::string letters;
    dsc::Dims kept;
    for (size_t axis = 0; axis < dims.size(); ++axis)
      if (axis != first && axis != second) {
        order.push_back(axis);
        letters += operand.letters[axis];
        kept.push_back(dims[axis]);
      }
    order.append({int64_t(first), int64_t(second)});
    DimExpr size = dims[first];
    kept.push_back(size * size);
    Type i64 = node.builder.getI64Type();
    Value flat = node.reshape(node.transpose(operand.value, order), kept);
    Value places = node.mul(countAlong(node, size, 0, 1, i64), node.dims({size + 1}, i64, /*isScalar=*/true));
    Value diagonal = node.make<dsc::GatherOp>(flat, places, node.builder.getI64IntegerAttr(kept.size() - 1));
    operand = {diagonal, letters + twice};
    first = size_t(-1); // the letters moved: look from the start
  }
}

/// Drops the letters along which the operand does not vary; repeats it where only a run can tell.
void Contraction::broadcast(Labelled &operand) {
  std::string letters;
  dsc::Dims kept, full;
  for (auto [letter, dim] : llvm::zip_equal(operand.letters, dimsOf(operand.value))) {
    const DimExpr &size = sizes.find(letter)->second;
    if (dim.isConstant(1) && !size.isConstant(1))
      continue;
    letters += letter;
    kept.push_back(dim);
    full.push_back(isOfEllipsis(letter) ? size : dim);
  }
  operand = {node.expand(node.reshape(operand.value, kept), full), letters};
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
  for (auto [i, term] : llvm::enumerate(terms)) {
    if (!node.input(i))
      return node.reject("lacks its input " + Twine(i));
    if (mlir::failed(readOperand(term, node.input(i))))
      return failure();
  }
  for (Labelled &operand : operands)
    broadcast(operand);
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
  for (char letter : order) {
    assert(operand.letters.find(letter) != std::string::npos && "some operand varies along each letter of the result");
    permutation.push_back(operand.letters.find(letter));
  }
  return node.transpose(operand.value, permutation);
}

DimExpr Contraction::sizeOf(StringRef letters) const {
  DimExpr size = 1;
  for (char letter : letters) {
    assert(sizes.count(letter) && "readSize has seen every letter");
    size = size * sizes.find(letter)->second;
  }
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
  assert(!operands.empty() && "an equation has a term for each input, and there is one");
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
  static constexpr Converter entries[] = {{"", "Einsum", 12, 1, anyCount, convertEinsum, "T=ieee+integers..."}};
  return entries;
}

} // namespace dscc
