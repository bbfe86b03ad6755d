// The algebra of dims against plain integers: whatever it simplifies must keep its value, whatever it proves must hold.

#include "llvm/ADT/ArrayRef.h"

#include "dialects/dsc/DimExpr.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

using namespace dscc;

static int64_t valueAt(const DimExpr &expr, int64_t a, int64_t b) {
  auto valueOf = [&](llvm::StringRef name) { return std::optional<int64_t>(name == "a" ? a : b); };
  std::optional<int64_t> value = expr.evaluate(valueOf);
  EXPECT_TRUE(value.has_value()) << expr.str();
  return value.value_or(0);
}

namespace {
/// A random expression beside the same computation on numbers.
struct Twin {
  DimExpr expr;
  int64_t value;
};

class TwinMaker {
public:
  TwinMaker(unsigned seed, int64_t a, int64_t b) : random(seed), a(a), b(b) {}
  Twin make(int depth) {
    switch (depth == 0 ? random() % 3 : 3 + random() % 6) {
    case 0: return {DimExpr::symbol("a"), a};
    case 1: return {DimExpr::symbol("b"), b};
    case 2: {
      int64_t number = random() % 7;
      return {DimExpr(number), number};
    }
    }
    Twin x = make(depth - 1), y = make(depth - 1);
    int64_t divisor = 1 + random() % 5;
    switch (random() % 6) {
    case 0: return {x.expr + y.expr, x.value + y.value};
    case 1: return {x.expr - y.expr, x.value - y.value};
    case 2: return {x.expr * y.expr, x.value * y.value};
    case 3: return {DimExpr::max(x.expr, y.expr), std::max(x.value, y.value)};
    case 4: return {DimExpr::min(x.expr, y.expr), std::min(x.value, y.value)};
    }
    int64_t quotient = x.value / divisor - (x.value % divisor < 0);
    return {DimExpr::floorDiv(x.expr, divisor), quotient};
  }

private:
  std::mt19937 random;
  int64_t a, b;
};
} // namespace

TEST(DimExpr, SimplifyingKeepsTheValue) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    int64_t a = seed % 13, b = (seed / 13) % 11;
    Twin twin = TwinMaker(seed, a, b).make(3);
    if (twin.expr.isValid())
      EXPECT_EQ(valueAt(twin.expr, a, b), twin.value) << twin.expr.str() << " for a = " << a << ", b = " << b;
  }
}

TEST(DimExpr, TextIsReadBack) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    DimExpr expr = TwinMaker(seed, 3, 5).make(3).expr;
    if (expr.isValid())
      EXPECT_EQ(DimExpr::parse(expr.str()), expr) << expr.str();
  }
}

TEST(DimExpr, WhatIsProvenHolds) {
  unsigned proven = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    DimExpr x = TwinMaker(seed, 0, 0).make(2).expr, y = TwinMaker(seed + 10000, 0, 0).make(2).expr;
    if (!x.isValid() || !y.isValid() || !DimExpr::isAtLeast(x, y))
      continue;
    ++proven;
    for (int64_t a : {0, 1, 2, 7, 100})
      for (int64_t b : {0, 1, 3, 64})
        EXPECT_GE(valueAt(x, a, b), valueAt(y, a, b)) << x.str() << " >= " << y.str();
  }
  EXPECT_GT(proven, 50u);
}

TEST(DimExpr, KnowsASumOfRoundedSizes) {
  DimExpr n = DimExpr::symbol("n");
  // A buffer of n floats behind one of 2 n floats.
  EXPECT_TRUE(DimExpr::isAtLeast(DimExpr::max(n * 8, n * 4) + 64, n * 8));
  EXPECT_FALSE(DimExpr::isAtLeast(n * 4, n * 8));
}
