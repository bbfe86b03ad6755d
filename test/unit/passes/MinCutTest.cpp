#include "passes/layout/MinCut.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <random>

using namespace dscc;

namespace {
struct Edge {
  unsigned from, to;
  int64_t capacity;
};
} // namespace

static int64_t costOf(const std::vector<Edge> &edges, const std::vector<bool> &isFirst) {
  int64_t cost = 0;
  for (const Edge &edge : edges)
    cost += isFirst[edge.from] && !isFirst[edge.to] ? edge.capacity : 0;
  return cost;
}

static std::vector<bool> solve(unsigned nodes, const std::vector<Edge> &edges) {
  MinCut cut;
  for (unsigned i = 2; i < nodes; ++i)
    cut.addNode();
  for (const Edge &edge : edges)
    cut.addEdge(edge.from, edge.to, edge.capacity);
  return cut.solve();
}

TEST(MinCut, TakesTheCheapestEdgeOfAChain) {
  std::vector<bool> side = solve(5, {{0, 2, 9}, {2, 3, 4}, {3, 4, 7}, {4, 1, 8}});
  EXPECT_EQ(side, (std::vector<bool>{true, false, true, false, false}));
}

TEST(MinCut, LeavesToTheSecondSideWhatMayBeOnEither) {
  // All cuts cost 5; a node that no edge touches is on the second side.
  std::vector<bool> side = solve(5, {{0, 2, 5}, {2, 3, 5}, {3, 1, 5}});
  EXPECT_EQ(side, (std::vector<bool>{true, false, false, false, false}));
}

TEST(MinCut, NeverCutsWhatIsUnlimited) {
  std::vector<bool> side = solve(4, {{0, 2, 3}, {2, 3, MinCut::unlimited}, {3, 1, 100}});
  EXPECT_FALSE(side[2]);
  EXPECT_FALSE(side[3]);
}

TEST(MinCut, CostsNoMoreThanAnyOtherCut) {
  std::mt19937 random(1);
  for (int turn = 0; turn < 200; ++turn) {
    unsigned nodes = 3 + random() % 8;
    std::vector<Edge> edges;
    for (unsigned i = 0; i < 3 * nodes; ++i)
      edges.push_back({unsigned(random() % nodes), unsigned(random() % nodes), int64_t(random() % 10)});
    std::vector<bool> side = solve(nodes, edges);
    ASSERT_TRUE(side[0]);
    ASSERT_FALSE(side[1]);
    int64_t least = costOf(edges, side);
    for (unsigned other = 0; other < 1u << (nodes - 2); ++other) {
      std::vector<bool> sides = {true, false};
      for (unsigned i = 2; i < nodes; ++i)
        sides.push_back(other >> (i - 2) & 1);
      ASSERT_LE(least, costOf(edges, sides));
    }
  }
}

TEST(MinCut, EndsOnDeepGraphs) {
  constexpr unsigned nodes = 200000;
  std::vector<Edge> edges = {{0, 2, 10}, {nodes - 1, 1, 10}};
  for (unsigned i = 2; i + 1 < nodes; ++i)
    edges.push_back({i, i + 1, i == 100000 ? 3 : 10});
  std::vector<bool> side = solve(nodes, edges);
  EXPECT_TRUE(side[100000]);
  EXPECT_FALSE(side[100001]);
}

TEST(MinCut, GivesUpWherePathsGrowVeryLong) {
  // Each node of a chain has a little to send, and only the last one leads to the second side: n paths of n lengths.
  constexpr unsigned nodes = 20000;
  std::vector<Edge> edges = {{nodes - 1, 1, MinCut::unlimited}};
  for (unsigned i = 2; i < nodes; ++i) {
    edges.push_back({0, i, 1});
    if (i + 1 < nodes)
      edges.push_back({i, i + 1, MinCut::unlimited});
  }
  std::vector<bool> side = solve(nodes, edges);
  EXPECT_TRUE(side[0]);
  EXPECT_EQ(std::count(side.begin(), side.end(), true), 1);
}
