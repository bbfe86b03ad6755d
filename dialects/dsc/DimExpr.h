// A dim of a tensor: a number, or an expression over the model's named dims.
//
//   batch        past + seq        floordiv(h + 1, 2)        max(a, b)
//
// Every expression is kept in one normal form, a sum of products with sorted terms, so that two dims that are
// equal as polynomials are equal as objects and print the same text. floordiv, min and max are opaque factors
// once the obvious simplifications are made. Named dims are never negative.
//
// Arithmetic is checked: what overflows 64 bits, or grows past maxTerms, becomes `invalid`, and stays so.

#ifndef DSCC_DIALECTS_DSC_DIMEXPR_H
#define DSCC_DIALECTS_DSC_DIMEXPR_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dscc {

struct DimAtom;

class DimExpr {
public:
  /// Factors of one term, sorted by text; a square appears twice.
  struct Term {
    int64_t coefficient;
    std::vector<std::shared_ptr<const DimAtom>> factors;
  };
  static constexpr size_t maxTerms = 64;

  DimExpr(int64_t constant = 0);
  static DimExpr symbol(llvm::StringRef name);
  static DimExpr invalid();
  /// Reads what str() writes, and the usual infix forms. Invalid if `text` is not an expression.
  static DimExpr parse(llvm::StringRef text);

  std::string str() const;
  bool isValid() const { return valid; }
  bool isConstant() const;
  bool isConstant(int64_t value) const { return isConstant() && constant() == value; }
  int64_t constant() const;
  /// The name, if the expression is one bare named dim.
  std::optional<std::string> asSymbol() const;
  llvm::ArrayRef<Term> getTerms() const { return terms; }

  friend DimExpr operator+(const DimExpr &a, const DimExpr &b);
  friend DimExpr operator-(const DimExpr &a, const DimExpr &b);
  friend DimExpr operator*(const DimExpr &a, const DimExpr &b);
  static DimExpr floorDiv(const DimExpr &a, const DimExpr &b);
  static DimExpr ceilDiv(const DimExpr &a, const DimExpr &b);
  static DimExpr mod(const DimExpr &a, const DimExpr &b);
  static DimExpr min(const DimExpr &a, const DimExpr &b);
  static DimExpr max(const DimExpr &a, const DimExpr &b);
  /// a / b if b divides a as a polynomial, for every value of the named dims.
  static std::optional<DimExpr> exactDiv(const DimExpr &a, const DimExpr &b);

  bool operator==(const DimExpr &other) const;
  bool operator!=(const DimExpr &other) const { return !(*this == other); }

  /// True if the value is >= 0 whatever the named dims are. False means "not known".
  bool isNonNegative() const;
  /// True if a >= b whatever the named dims are. False means "not known".
  static bool isAtLeast(const DimExpr &a, const DimExpr &b);

  /// The value under an assignment; nothing if a name is unknown, a division by zero or an overflow occurs.
  using Lookup = llvm::function_ref<std::optional<int64_t>(llvm::StringRef)>;
  std::optional<int64_t> evaluate(Lookup valueOf) const;
  /// The expression with names replaced. Names without a replacement stay.
  DimExpr substitute(llvm::function_ref<std::optional<DimExpr>(llvm::StringRef)> valueOf) const;
  /// Adds each name that occurs, in order of first occurrence.
  void collectSymbols(std::vector<std::string> &names) const;

private:
  friend struct DimAtom;
  static DimExpr fromAtom(DimAtom atom);
  static DimExpr ofTerms(std::vector<Term> terms);
  static DimExpr extremum(bool isMax, const DimExpr &a, const DimExpr &b);

  std::vector<Term> terms; // sorted; no zero coefficients; the constant, if any, last
  bool valid = true;
};

/// What a term multiplies.
struct DimAtom {
  enum class Kind { Symbol, FloorDiv, Min, Max };
  Kind kind;
  std::string name;              // Symbol
  std::vector<DimExpr> operands; // FloorDiv: two. Min, Max: two or more, sorted by text
  std::string text;              // as str() prints it; the sort key
};

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_DIMEXPR_H
