// A dim of a tensor: a number, or an expression over the model's named dims.
//
//   batch        past + seq        floordiv(h + 1, 2)        max(a, b)
//
// Every expression is kept in one normal form, a sum of products with sorted terms, so that two dims that are
// equal as polynomials are equal as objects and print the same text. floordiv, min and max are opaque factors
// once the obvious simplifications are made. Named dims are never negative.
//
// Arithmetic is checked: what overflows 64 bits, or becomes a formula too long to handle, is `invalid`, stays so, and
// knows why: whoever would build a type from it refuses the model with that.

#ifndef DSCC_DIALECTS_DSC_DIMEXPR_H
#define DSCC_DIALECTS_DSC_DIMEXPR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dscc {

struct DimAtom;

/// A dim in normal form, by value. Two that are equal as polynomials compare equal.
class DimExpr {
public:
  /// Factors of one term, sorted by text; a square appears twice.
  struct Term {
    /// Never 0.
    int64_t coefficient;
    /// None for the constant term.
    std::vector<std::shared_ptr<const DimAtom>> factors;
  };
  /// A sum of more terms is invalid: nobody could read it, and products of such sums outgrow memory.
  static constexpr size_t maxTerms = 64;
  /// How deep calls are nested, at most; real models have a few levels. What is deeper is invalid.
  static constexpr unsigned maxNesting = 56;
  /// How long the text of one name or call is, in bytes, at most. What is longer is invalid.
  static constexpr size_t maxText = 4096;

  /// The number `constant`.
  DimExpr(int64_t constant = 0);
  /// The named dim `name`, which is assumed never to be negative.
  static DimExpr symbol(llvm::StringRef name);
  /// What has no value; `why` is what it would be, as "2 - 3*9223372036854775807, which does not fit 64 bits".
  static DimExpr invalid(llvm::StringRef why = "an unknown size");
  /// Reads what str() writes, and the usual infix forms. Invalid if `text` is not an expression.
  static DimExpr parse(llvm::StringRef text);

  /// As parse() reads it; the same for equal expressions. "?" for what is invalid, which parse() does not take.
  std::string str() const;
  /// False for invalid(), whose value nobody knows.
  bool isValid() const { return !problem; }
  /// What an invalid expression would be, and what is wrong with that.
  llvm::StringRef whyInvalid() const { return problem ? llvm::StringRef(*problem) : ""; }
  /// True if only the formula is beyond what is handled here; the value may well fit.
  bool isTooLong() const;
  /// True for a number.
  bool isConstant() const;
  /// True for the number `value`.
  bool isConstant(int64_t value) const { return isConstant() && constant() == value; }
  /// The number; only if isConstant().
  int64_t constant() const;
  /// The name, if the expression is one bare named dim.
  std::optional<std::string> asSymbol() const;
  /// Whose sum this is, sorted; none for 0 and for what is invalid.
  llvm::ArrayRef<Term> getTerms() const { return terms; }

  friend DimExpr operator+(const DimExpr &a, const DimExpr &b);
  friend DimExpr operator-(const DimExpr &a, const DimExpr &b);
  friend DimExpr operator*(const DimExpr &a, const DimExpr &b);
  /// a / b rounded towards minus infinity.
  static DimExpr floorDiv(const DimExpr &a, const DimExpr &b);
  /// a / b rounded towards plus infinity.
  static DimExpr ceilDiv(const DimExpr &a, const DimExpr &b);
  /// What floorDiv leaves: a - floorDiv(a, b) * b.
  static DimExpr mod(const DimExpr &a, const DimExpr &b);
  /// The smaller one; one of the two where it is known which.
  static DimExpr min(const DimExpr &a, const DimExpr &b);
  /// The larger one; one of the two where it is known which.
  static DimExpr max(const DimExpr &a, const DimExpr &b);
  /// a / b if b divides a as a polynomial, for every value of the named dims.
  static std::optional<DimExpr> exactDiv(const DimExpr &a, const DimExpr &b);

  /// Equal for every value of the named dims, as far as the normal form knows. Invalid ones are equal to each other.
  bool operator==(const DimExpr &other) const;
  /// The opposite.
  bool operator!=(const DimExpr &other) const { return !(*this == other); }

  /// True if the value is >= 0 whatever the named dims are. False means "not known".
  bool isNonNegative() const;
  /// True if a >= b whatever the named dims are. False means "not known".
  static bool isAtLeast(const DimExpr &a, const DimExpr &b);

  /// How evaluate() learns the value of a name; nothing for one that is unknown.
  using Lookup = llvm::function_ref<std::optional<int64_t>(llvm::StringRef)>;
  /// The value under an assignment; nothing if a name is unknown, a division by zero or an overflow occurs.
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

  std::vector<Term> terms;                    // sorted; no zero coefficients; the constant, if any, last
  std::shared_ptr<const std::string> problem; // null if all is well
};

/// What a term multiplies.
struct DimAtom {
  enum class Kind { Symbol, FloorDiv, Min, Max };
  /// Says which of the other members are used.
  Kind kind;
  std::string name;              // Symbol
  std::vector<DimExpr> operands; // FloorDiv: two. Min, Max: two or more, sorted by text
  std::string text;              // as str() prints it; the sort key
  unsigned nesting = 0;          // of calls
};

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_DIMEXPR_H
