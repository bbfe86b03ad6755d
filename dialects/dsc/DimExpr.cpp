// The algebra of dims. See DimExpr.h for the normal form.

#include "dialects/dsc/DimExpr.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <map>

namespace dscc {

using Factors = std::vector<std::shared_ptr<const DimAtom>>;

static bool sameFactors(const Factors &a, const Factors &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto &x, auto &y) { return x->text == y->text; });
}

/// More factors first, then by text, so that the constant is last.
static bool factorsBefore(const Factors &a, const Factors &b) {
  if (a.size() != b.size())
    return a.size() > b.size();
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](auto &x, auto &y) { return x->text < y->text; });
}

DimExpr::DimExpr(int64_t constant) {
  if (constant)
    terms.push_back({constant, {}});
}

DimExpr DimExpr::invalid(llvm::StringRef why) {
  DimExpr expr;
  expr.problem = std::make_shared<const std::string>(why);
  return expr;
}

/// For a sentence: the beginning, if it is long.
static std::string shortText(const DimExpr &expr) {
  constexpr size_t most = 80;
  std::string text = expr.str();
  if (text.size() > most)
    text = text.substr(0, most) + "...";
  return expr.getTerms().size() > 1 ? "(" + text + ")" : text;
}

static DimExpr tooLarge(const DimExpr &a, llvm::StringRef sign, const DimExpr &b) {
  return DimExpr::invalid(shortText(a) + " " + sign.str() + " " + shortText(b) + ", which does not fit 64 bits");
}

static constexpr llvm::StringLiteral longFormula = "a formula of the named dims that is too long";

static DimExpr tooLong() { return DimExpr::invalid(longFormula); }

bool DimExpr::isTooLong() const { return whyInvalid() == longFormula; }

DimExpr DimExpr::fromAtom(DimAtom atom) {
  assert((atom.kind == DimAtom::Kind::Symbol ? atom.operands.empty() : atom.operands.size() >= 2) &&
         "a name stands alone, a call has two operands or more");
  assert((atom.kind != DimAtom::Kind::FloorDiv || atom.operands.size() == 2) && "a quotient is of two");
  for (const DimExpr &operand : atom.operands)
    for (const Term &term : operand.terms)
      for (auto &factor : term.factors)
        atom.nesting = std::max(atom.nesting, factor->nesting + 1);
  if (atom.nesting > maxNesting || atom.text.size() > maxText)
    return tooLong();
  // As in ofTerms: not readable inside of a formula.
  if (llvm::any_of(atom.operands, [](const DimExpr &e) { return e.isConstant(std::numeric_limits<int64_t>::min()); }))
    return invalid(atom.text + ", which does not fit 64 bits");
  DimExpr expr;
  expr.terms.push_back({1, {std::make_shared<const DimAtom>(std::move(atom))}});
  return expr;
}

DimExpr DimExpr::symbol(llvm::StringRef name) {
  assert(!name.empty() && "a named dim has a name");
  return fromAtom({DimAtom::Kind::Symbol, name.str(), {}, name.str()});
}

/// The sum of `terms`, with like ones put together. What is wrong with an invalid one is left to the caller to say.
DimExpr DimExpr::ofTerms(std::vector<Term> terms) {
  llvm::stable_sort(terms, [](const Term &a, const Term &b) { return factorsBefore(a.factors, b.factors); });
  DimExpr expr;
  for (Term &term : terms) {
    if (!expr.terms.empty() && sameFactors(expr.terms.back().factors, term.factors)) {
      if (llvm::AddOverflow(expr.terms.back().coefficient, term.coefficient, expr.terms.back().coefficient))
        return invalid();
    } else {
      expr.terms.push_back(std::move(term));
    }
    if (expr.terms.back().coefficient == 0)
      expr.terms.pop_back();
  }
  if (expr.terms.size() > maxTerms)
    return tooLong();
  // The least number has no positive twin, so that a formula with it could not be written down and read back.
  bool isNumber = expr.terms.size() == 1 && expr.terms[0].factors.empty();
  if (!isNumber &&
      llvm::any_of(expr.terms, [](const Term &t) { return t.coefficient == std::numeric_limits<int64_t>::min(); }))
    return invalid();
  return expr;
}

bool DimExpr::isConstant() const {
  return !problem && (terms.empty() || (terms.size() == 1 && terms[0].factors.empty()));
}

int64_t DimExpr::constant() const {
  assert(isConstant() && "only a number has a value of its own");
  return terms.empty() ? 0 : terms[0].coefficient;
}

std::optional<std::string> DimExpr::asSymbol() const {
  if (problem || terms.size() != 1 || terms[0].coefficient != 1 || terms[0].factors.size() != 1 ||
      terms[0].factors[0]->kind != DimAtom::Kind::Symbol)
    return std::nullopt;
  return terms[0].factors[0]->name;
}

bool DimExpr::operator==(const DimExpr &other) const {
  if (problem || other.problem)
    return bool(problem) == bool(other.problem);
  return std::equal(
      terms.begin(), terms.end(), other.terms.begin(), other.terms.end(),
      [](const Term &a, const Term &b) { return a.coefficient == b.coefficient && sameFactors(a.factors, b.factors); });
}

/// `result`, or, if that is invalid for want of bits, what would have been computed.
static DimExpr orTooLarge(DimExpr result, const DimExpr &a, llvm::StringRef sign, const DimExpr &b) {
  return result.isValid() || result.isTooLong() ? result : tooLarge(a, sign, b);
}

DimExpr operator+(const DimExpr &a, const DimExpr &b) {
  if (a.problem || b.problem)
    return a.problem ? a : b;
  // Nearly all sums, differences, products and quotients are of numbers, and the estimates take many of them.
  if (int64_t sum; a.isConstant() && b.isConstant())
    return llvm::AddOverflow(a.constant(), b.constant(), sum) ? tooLarge(a, "+", b) : DimExpr(sum);
  std::vector<DimExpr::Term> terms = a.terms;
  llvm::append_range(terms, b.terms);
  return orTooLarge(DimExpr::ofTerms(std::move(terms)), a, "+", b);
}

DimExpr operator-(const DimExpr &a, const DimExpr &b) {
  if (a.problem || b.problem)
    return a.problem ? a : b;
  if (int64_t difference; a.isConstant() && b.isConstant()) // also where -b does not fit
    return llvm::SubOverflow(a.constant(), b.constant(), difference) ? tooLarge(a, "-", b) : DimExpr(difference);
  std::vector<DimExpr::Term> terms = a.terms;
  for (DimExpr::Term term : b.terms) {
    if (llvm::SubOverflow(int64_t(0), term.coefficient, term.coefficient))
      return tooLarge(a, "-", b);
    terms.push_back(std::move(term));
  }
  return orTooLarge(DimExpr::ofTerms(std::move(terms)), a, "-", b);
}

DimExpr operator*(const DimExpr &a, const DimExpr &b) {
  if (a.problem || b.problem)
    return a.problem ? a : b;
  if (int64_t product; a.isConstant() && b.isConstant())
    return llvm::MulOverflow(a.constant(), b.constant(), product) ? tooLarge(a, "*", b) : DimExpr(product);
  if (a.terms.size() * b.terms.size() > DimExpr::maxTerms)
    return tooLong();
  std::vector<DimExpr::Term> terms;
  for (const DimExpr::Term &x : a.terms) {
    for (const DimExpr::Term &y : b.terms) {
      DimExpr::Term product{0, x.factors};
      if (llvm::MulOverflow(x.coefficient, y.coefficient, product.coefficient))
        return tooLarge(a, "*", b);
      llvm::append_range(product.factors, y.factors);
      llvm::stable_sort(product.factors, [](auto &p, auto &q) { return p->text < q->text; });
      terms.push_back(std::move(product));
    }
  }
  return orTooLarge(DimExpr::ofTerms(std::move(terms)), a, "*", b);
}

/// `term` without the factors of `divisor`, or nothing if one is missing.
static std::optional<DimExpr::Term> divideTerm(const DimExpr::Term &term, const DimExpr::Term &divisor) {
  bool overflows = divisor.coefficient == -1 && term.coefficient == std::numeric_limits<int64_t>::min();
  if (divisor.coefficient == 0 || overflows || term.coefficient % divisor.coefficient != 0)
    return std::nullopt;
  DimExpr::Term quotient{term.coefficient / divisor.coefficient, term.factors};
  for (auto &factor : divisor.factors) {
    auto found = llvm::find_if(quotient.factors, [&](auto &f) { return f->text == factor->text; });
    if (found == quotient.factors.end())
      return std::nullopt;
    quotient.factors.erase(found);
  }
  return quotient;
}

std::optional<DimExpr> DimExpr::exactDiv(const DimExpr &a, const DimExpr &b) {
  if (a.problem || b.problem || b.terms.empty())
    return std::nullopt;
  if (a.isConstant() && b.isConstant()) {
    int64_t whole = a.constant(), part = b.constant();
    bool overflows = part == -1 && whole == std::numeric_limits<int64_t>::min();
    return overflows || whole % part != 0 ? std::nullopt : std::optional<DimExpr>(whole / part);
  }
  // Polynomial long division by the leading term; it ends because every step removes a's leading term.
  DimExpr rest = a, quotient;
  for (size_t step = 0; !rest.terms.empty(); ++step) {
    std::optional<Term> q = divideTerm(rest.terms[0], b.terms[0]);
    if (!q || step > maxTerms)
      return std::nullopt;
    DimExpr piece = ofTerms({*q});
    quotient = quotient + piece;
    rest = rest - piece * b;
    if (rest.problem || quotient.problem)
      return std::nullopt;
  }
  return quotient;
}

/// floordiv(floordiv(e, p) + c, q) = floordiv(e + p*c, p*q): what stacked strides and pools make. `a` is not empty.
static std::optional<DimExpr> mergeFloorDivs(const DimExpr &a, const DimExpr &b) {
  auto isPositive = [](const DimExpr &e) { return e.isConstant() && e.constant() > 0; };
  llvm::ArrayRef<DimExpr::Term> terms = a.getTerms();
  bool isSum = terms.size() == 1 || (terms.size() == 2 && terms[1].factors.empty());
  if (!isPositive(b) || !isSum || terms[0].coefficient != 1 || terms[0].factors.size() != 1)
    return std::nullopt;
  const DimAtom &inner = *terms[0].factors[0];
  if (inner.kind != DimAtom::Kind::FloorDiv || !isPositive(inner.operands[1]))
    return std::nullopt;
  int64_t added = terms.size() == 2 ? terms[1].coefficient : 0;
  return DimExpr::floorDiv(inner.operands[0] + inner.operands[1] * added, inner.operands[1] * b);
}

DimExpr DimExpr::floorDiv(const DimExpr &a, const DimExpr &b) {
  if (a.problem || b.problem)
    return a.problem ? a : b;
  if (b.isConstant(0))
    return invalid(shortText(a) + " / 0, which is no number");
  if (b.isConstant(-1))
    return DimExpr(0) - a;
  if (a.isConstant() && b.isConstant())
    return DimExpr(llvm::divideFloorSigned(a.constant(), b.constant()));
  if (std::optional<DimExpr> exact = exactDiv(a, b))
    return *exact;
  DimExpr whole, rest = a;
  if (b.isConstant() && b.constant() > 0) {
    // floordiv(b*q + r, b) = q + floordiv(r, b): take out of each term what b divides.
    std::vector<Term> wholes, rests;
    for (const Term &term : a.terms) {
      int64_t rest = term.coefficient % b.constant();
      wholes.push_back({llvm::divideFloorSigned(term.coefficient, b.constant()), term.factors});
      rests.push_back({rest < 0 ? rest + b.constant() : rest, term.factors});
    }
    whole = ofTerms(std::move(wholes));
    rest = ofTerms(std::move(rests));
    // A constant that is smaller than the common divisor of the other terms and b changes nothing only if b divides
    // them all; that case was exact above up to the constant.
    if (rest.isConstant())
      return whole + DimExpr(llvm::divideFloorSigned(rest.constant(), b.constant()));
  }
  if (std::optional<DimExpr> merged = mergeFloorDivs(rest, b); merged && merged->isValid())
    return whole + *merged;
  DimAtom atom{DimAtom::Kind::FloorDiv, "", {rest, b}, ""};
  atom.text = "floordiv(" + rest.str() + ", " + b.str() + ")";
  return whole + fromAtom(std::move(atom));
}

DimExpr DimExpr::ceilDiv(const DimExpr &a, const DimExpr &b) {
  // Of numbers the quotient fits where their sum may not.
  if (a.isConstant() && b.isConstant() && b.constant() > 0)
    return llvm::divideCeilSigned(a.constant(), b.constant());
  return floorDiv(a + b - 1, b);
}

DimExpr DimExpr::mod(const DimExpr &a, const DimExpr &b) { return a - b * floorDiv(a, b); }

static bool isNonNegativeAtom(const DimAtom &atom) {
  auto nonNegative = [](const DimExpr &e) { return e.isNonNegative(); };
  switch (atom.kind) {
  case DimAtom::Kind::Symbol: return true;
  case DimAtom::Kind::FloorDiv:
  case DimAtom::Kind::Min: return llvm::all_of(atom.operands, nonNegative);
  case DimAtom::Kind::Max: return llvm::any_of(atom.operands, nonNegative);
  }
  return false;
}

bool DimExpr::isNonNegative() const {
  return !problem && llvm::all_of(terms, [](const Term &term) {
    return term.coefficient >= 0 && llvm::all_of(term.factors, [](auto &factor) { return isNonNegativeAtom(*factor); });
  });
}

/// Proofs by cases over maxima are given up after this many tries: nested ones make exponentially many.
static constexpr unsigned maxProofTries = 64;

static bool proveAtLeast(const DimExpr &a, const DimExpr &b, unsigned &tries) {
  if (a.isConstant() && b.isConstant()) // whose difference may not fit
    return a.constant() >= b.constant();
  if ((a - b).isNonNegative())
    return true;
  // max(.., b, ..) + c >= b + d follows from any operand of the max.
  for (const DimExpr::Term &term : a.getTerms()) {
    if (term.coefficient != 1 || term.factors.size() != 1 || term.factors[0]->kind != DimAtom::Kind::Max)
      continue;
    const DimAtom &most = *term.factors[0];
    DimExpr rest = a - DimExpr::parse(most.text);
    for (const DimExpr &operand : most.operands)
      if (++tries <= maxProofTries && proveAtLeast(rest + operand, b, tries))
        return true;
  }
  return false;
}

bool DimExpr::isAtLeast(const DimExpr &a, const DimExpr &b) {
  unsigned tries = 0;
  return proveAtLeast(a, b, tries);
}

DimExpr DimExpr::extremum(bool isMax, const DimExpr &a, const DimExpr &b) {
  if (a.problem || b.problem)
    return a.problem ? a : b;
  DimAtom::Kind kind = isMax ? DimAtom::Kind::Max : DimAtom::Kind::Min;
  std::vector<DimExpr> operands;
  auto flatten = [&](const DimExpr &e) {
    bool same = e.terms.size() == 1 && e.terms[0].coefficient == 1 && e.terms[0].factors.size() == 1 &&
                e.terms[0].factors[0]->kind == kind;
    if (same)
      llvm::append_range(operands, e.terms[0].factors[0]->operands);
    else
      operands.push_back(e);
  };
  flatten(a);
  flatten(b);
  // Drop what another operand dominates.
  std::vector<DimExpr> kept;
  for (size_t i = 0; i < operands.size(); ++i) {
    bool dominated = false;
    for (size_t j = 0; j < operands.size() && !dominated; ++j) {
      if (i == j)
        continue;
      bool covers = isMax ? isAtLeast(operands[j], operands[i]) : isAtLeast(operands[i], operands[j]);
      dominated = covers && (j < i || operands[i] != operands[j]);
    }
    if (!dominated)
      kept.push_back(operands[i]);
  }
  assert(!kept.empty() && "of operands that dominate each other one is kept");
  if (kept.size() == 1)
    return kept[0];
  llvm::stable_sort(kept, [](const DimExpr &x, const DimExpr &y) { return x.str() < y.str(); });
  DimAtom atom{kind, "", kept, isMax ? "max(" : "min("};
  for (size_t i = 0; i < kept.size(); ++i)
    atom.text += (i ? ", " : "") + kept[i].str();
  atom.text += ")";
  return fromAtom(std::move(atom));
}

DimExpr DimExpr::min(const DimExpr &a, const DimExpr &b) { return extremum(false, a, b); }
DimExpr DimExpr::max(const DimExpr &a, const DimExpr &b) { return extremum(true, a, b); }

static std::optional<int64_t> evaluateAtom(const DimAtom &atom, DimExpr::Lookup valueOf) {
  if (atom.kind == DimAtom::Kind::Symbol)
    return valueOf(atom.name);
  std::optional<int64_t> result;
  for (const DimExpr &operand : atom.operands) {
    std::optional<int64_t> value = operand.evaluate(valueOf);
    if (!value)
      return std::nullopt;
    if (!result)
      result = value;
    else if (atom.kind == DimAtom::Kind::Min)
      result = std::min(*result, *value);
    else if (atom.kind == DimAtom::Kind::Max)
      result = std::max(*result, *value);
    else if (*value == 0 || (*value == -1 && *result == std::numeric_limits<int64_t>::min()))
      return std::nullopt;
    else
      result = llvm::divideFloorSigned(*result, *value);
  }
  return result;
}

std::optional<int64_t> DimExpr::evaluate(Lookup valueOf) const {
  if (problem)
    return std::nullopt;
  int64_t sum = 0;
  for (const Term &term : terms) {
    int64_t product = term.coefficient;
    for (auto &factor : term.factors) {
      std::optional<int64_t> value = evaluateAtom(*factor, valueOf);
      if (!value || llvm::MulOverflow(product, *value, product))
        return std::nullopt;
    }
    if (llvm::AddOverflow(sum, product, sum))
      return std::nullopt;
  }
  return sum;
}

DimExpr DimExpr::substitute(llvm::function_ref<std::optional<DimExpr>(llvm::StringRef)> valueOf) const {
  if (problem)
    return *this;
  DimExpr sum;
  for (const Term &term : terms) {
    DimExpr product = term.coefficient;
    for (auto &factor : term.factors) {
      std::vector<DimExpr> operands;
      for (const DimExpr &operand : factor->operands)
        operands.push_back(operand.substitute(valueOf));
      DimExpr value;
      switch (factor->kind) {
      case DimAtom::Kind::Symbol: value = valueOf(factor->name).value_or(symbol(factor->name)); break;
      case DimAtom::Kind::FloorDiv: value = floorDiv(operands[0], operands[1]); break;
      case DimAtom::Kind::Min:
      case DimAtom::Kind::Max:
        value = operands[0];
        for (const DimExpr &operand : llvm::drop_begin(operands))
          value = extremum(factor->kind == DimAtom::Kind::Max, value, operand);
        break;
      }
      product = product * value;
    }
    sum = sum + product;
  }
  return sum;
}

void DimExpr::collectSymbols(std::vector<std::string> &names) const {
  for (const Term &term : terms)
    for (auto &factor : term.factors) {
      if (factor->kind == DimAtom::Kind::Symbol && !llvm::is_contained(names, factor->name))
        names.push_back(factor->name);
      for (const DimExpr &operand : factor->operands)
        operand.collectSymbols(names);
    }
}

} // namespace dscc
