// An arena's size as one expression: sums along the stacks, without those that another always covers.

#include "llvm/ADT/ArrayRef.h"

#include "passes/memory/ArenaFormula.h"

#include <gtest/gtest.h>

namespace dscc {

static DimExpr parse(const char *text) { return DimExpr::parse(text); }

TEST(ArenaFormula, Nothing) { EXPECT_EQ(describeArena({}), "0"); }

TEST(ArenaFormula, Stack) {
  EXPECT_EQ(describeArena({{parse("64*n"), 0, 1, {}}, {parse("128"), 1, 2, {0}}}), "64*n + 128");
}

// Both lie on the first; one of them is always the larger.
TEST(ArenaFormula, WhatIsCoveredIsLeftOut) {
  EXPECT_EQ(describeArena({{parse("64"), 0, 3, {}}, {parse("64*n"), 1, 1, {0}}, {parse("128*n"), 2, 2, {0}}}),
            "128*n + 64");
}

TEST(ArenaFormula, TheLargerOfTwo) {
  EXPECT_EQ(describeArena({{parse("64*n"), 0, 1, {}}, {parse("64*m"), 2, 3, {}}}), "max(64*n, 64*m)");
  // What lies on both begins where the larger ends.
  EXPECT_EQ(describeArena({{parse("64*n"), 0, 1, {}}, {parse("64*m"), 0, 3, {}}, {parse("64"), 1, 3, {0, 1}}}),
            "max(64*n + 64, 64*m + 64)");
}

TEST(ArenaFormula, TooLongToRead) {
  std::vector<Place> places;
  for (const char *text : {"64*a", "64*b", "64*c", "64*d", "64*e", "64*f", "64*g"})
    places.push_back({parse(text), 0, 1, {}});
  EXPECT_EQ(describeArena(places), "");
  places.pop_back();
  EXPECT_EQ(describeArena(places), "max(64*a, 64*b, 64*c, 64*d, 64*e, 64*f)");
}

} // namespace dscc
