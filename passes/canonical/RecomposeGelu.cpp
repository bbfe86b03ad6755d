// Recognises GELU, which exporters spell out in every order of factors there is.
//
//     gelu(x)      = x/2 * (1 + erf(x / sqrt 2))
//     gelu_tanh(x) = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
//
// Products are compared as monomials: a coefficient and powers of values. It declines where a piece has another user
// (then the piece is computed anyway), or a constant is off by more than the rounding of an f16.

#include "passes/Passes.h"
#include "passes/canonical/Match.h"

#include "llvm/ADT/Statistic.h"

#include <cmath>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_RECOMPOSEGELU
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-recompose-gelu"
ALWAYS_ENABLED_STATISTIC(numGelus, "GELUs recognised");

/// True if `value` is 0.044715 x^power.
static bool isCubicTerm(Value value, Value x, int64_t power) {
  Monomial term = factorize(value);
  return isNear(term.coefficient, 0.044715) && term.take(x) == power && term.factors.empty();
}

/// True if `value` is x + 0.044715 x^3, or 1 + 0.044715 x^2 where `x` is a factor beside it.
static bool isTanhSum(Value value, Value x, bool hasFactorX) {
  if (hasFactorX) {
    double one = 0;
    Value term = matchPlusSplat(value, one);
    return term && one == 1 && isCubicTerm(term, x, 2);
  }
  auto sum = value.getDefiningOp<dsc::AddOp>();
  return sum && ((sum.getLhs() == x && isCubicTerm(sum.getRhs(), x, 3)) ||
                 (sum.getRhs() == x && isCubicTerm(sum.getLhs(), x, 3)));
}

/// True if `value` is sqrt(2/pi) * (x + 0.044715 x^3).
static bool isTanhArgument(Value value, Value x) {
  Monomial argument = factorize(value);
  int64_t power = argument.take(x);
  return isNear(argument.coefficient, std::sqrt(2 / M_PI)) && power <= 1 && argument.factors.size() == 1 &&
         argument.factors.front().second == 1 && isTanhSum(argument.factors.front().first, x, power == 1);
}

static bool isErfArgument(Value value, Value x) {
  Monomial argument = factorize(value);
  return isNear(argument.coefficient, M_SQRT1_2) && argument.take(x) == 1 && argument.factors.empty();
}

namespace {
struct RecomposeGelu : impl::RecomposeGeluBase<RecomposeGelu> {
  using RecomposeGeluBase::RecomposeGeluBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    // From the end: the last product of a chain is the root.
    SmallVector<dsc::MulOp> products(getOperation().getOps<dsc::MulOp>());
    for (dsc::MulOp product : llvm::reverse(products))
      if (Value gelu = recompose(product)) {
        product.replaceAllUsesWith(gelu);
        ++numGelus;
      }
  }

  Value recompose(dsc::MulOp root) {
    Monomial product = factorize(root);
    if (!isNear(product.coefficient, 0.5) || product.factors.size() != 2)
      return {};
    SmallVector<std::pair<Value, int64_t>> factors(product.factors.begin(), product.factors.end());
    if (factors[0].second != 1 || factors[1].second != 1)
      return {};
    for (auto [x, bracket] :
         {std::pair(factors[0].first, factors[1].first), std::pair(factors[1].first, factors[0].first)})
      if (Value gelu = recompose(root, x, bracket))
        return gelu;
    return {};
  }

  /// `bracket` is 1 + erf(..) or 1 + tanh(..).
  Value recompose(dsc::MulOp root, Value x, Value bracket) {
    double one = 0;
    Value curve = matchPlusSplat(bracket, one);
    if (!curve || one != 1 || x.getType() != root.getType())
      return {};
    OpBuilder builder(root);
    auto erf = curve.getDefiningOp<dsc::ErfOp>();
    if (erf && isErfArgument(erf.getInput(), x))
      return dsc::GeluOp::create(builder, root.getLoc(), x);
    auto tanh = curve.getDefiningOp<dsc::TanhOp>();
    if (tanh && isTanhArgument(tanh.getInput(), x))
      return dsc::GeluTanhOp::create(builder, root.getLoc(), x);
    return {};
  }
};
} // namespace

} // namespace dscc
