// The algebra of dims against plain integers: whatever it simplifies must keep its value, whatever it proves must hold.

#include "llvm/ADT/ArrayRef.h"

#include "dialects/dsc/DimExpr.h"

#include <gtest/gtest.h>

#include <limits>
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

static constexpr int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();

TEST(DimExpr, WhatDoesNotFitSaysWhatItWouldBe) {
  DimExpr n = DimExpr::symbol("n");
  EXPECT_EQ((DimExpr(most) + 1).whyInvalid(), "9223372036854775807 + 1, which does not fit 64 bits");
  EXPECT_EQ((DimExpr(0) - least).whyInvalid(), "0 - -9223372036854775808, which does not fit 64 bits");
  EXPECT_EQ((n * most * 2).whyInvalid(), "9223372036854775807*n * 2, which does not fit 64 bits");
  EXPECT_FALSE(((n + 1) * most * (n + 1)).isValid());
  EXPECT_EQ(DimExpr::floorDiv(n, 0).whyInvalid(), "n / 0, which is no number");
  EXPECT_FALSE(DimExpr::floorDiv(least, -1).isValid());
  EXPECT_FALSE(DimExpr::exactDiv(least, -1).has_value());
  // The first mishap stays.
  EXPECT_EQ(((DimExpr(most) + 1) * n - 5).whyInvalid(), "9223372036854775807 + 1, which does not fit 64 bits");
}

TEST(DimExpr, ReachesTheEndsOfTheNumbers) {
  DimExpr n = DimExpr::symbol("n");
  EXPECT_EQ(DimExpr(least) - least, DimExpr(0));
  EXPECT_EQ(DimExpr::max(least, most), DimExpr(most));
  EXPECT_EQ(DimExpr::min(most, least), DimExpr(least));
  EXPECT_TRUE(DimExpr::isAtLeast(most, least));
  EXPECT_FALSE(DimExpr::isAtLeast(least, most));
  EXPECT_EQ(DimExpr::ceilDiv(10, most), DimExpr(1));
  EXPECT_EQ(DimExpr::ceilDiv(most, most - 1), DimExpr(2));
  EXPECT_EQ(DimExpr::floorDiv(least, 3), DimExpr(least / 3 - 1));
  // -(2^63 - 1) n / 2 = -2^62 n + n / 2
  EXPECT_EQ(valueAt(DimExpr::floorDiv(DimExpr::symbol("a") * -most, 2), 1, 0), -(int64_t(1) << 62));
  // Numbers at which the quotient does not fit have no value.
  EXPECT_FALSE(DimExpr::floorDiv(n, DimExpr::symbol("m") - 1)
                   .evaluate([](llvm::StringRef name) { return std::optional<int64_t>(name == "n" ? least : 0); })
                   .has_value());
}

TEST(DimExpr, TextOfTheInvalidIsNoName) {
  EXPECT_EQ(DimExpr::invalid().str(), "?");
  EXPECT_FALSE(DimExpr::parse("?").isValid());
  EXPECT_EQ(DimExpr::parse("invalid"), DimExpr::symbol("invalid"));
  // The least number cannot be read back but alone, where an attribute holds it as a number.
  EXPECT_FALSE((DimExpr::symbol("n") * least).isValid());
  EXPECT_FALSE((DimExpr::symbol("n") + least).isValid());
  EXPECT_FALSE(DimExpr::max(DimExpr(0) - DimExpr::symbol("n"), least).isValid());
}

TEST(DimExpr, FormulasThatAreTooLongEndThere) {
  DimExpr n = DimExpr::symbol("n"), m = DimExpr::symbol("m"), nested = n, doubled = n;
  unsigned levels = 0;
  for (; nested.isValid() && levels < 1000; ++levels) {
    EXPECT_EQ(DimExpr::parse(nested.str()), nested);
    nested = DimExpr::floorDiv(nested, m) + 1;
  }
  EXPECT_GE(levels, 50u);
  EXPECT_LT(levels, 1000u);
  EXPECT_TRUE(nested.isTooLong());
  // Each level writes the one below twice: without an end that is 2^100 letters.
  for (int i = 0; i < 100; ++i)
    doubled = DimExpr::floorDiv(doubled, doubled + m);
  EXPECT_TRUE(doubled.isTooLong());
}
