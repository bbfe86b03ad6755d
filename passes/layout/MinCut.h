// The cheapest way to part a graph in two.

#ifndef DSCC_PASSES_LAYOUT_MINCUT_H
#define DSCC_PASSES_LAYOUT_MINCUT_H

#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <vector>

namespace dscc {

/// A directed graph whose nodes belong to one of two sides. Node 0 is on the first side, node 1 on the second. An edge
/// costs its capacity if it leads from the first side to the second.
class MinCut {
public:
  /// What no sum of other capacities reaches: such an edge is never cut.
  static constexpr int64_t unlimited = int64_t(1) << 60;
  static constexpr unsigned first = 0, second = 1;

  static constexpr int mostRounds = 2000;

  MinCut() : edgesOf(2) {}

  /// One node more; its number.
  unsigned addNode();
  /// One edge more. Not less than 0; what is above `unlimited` is that.
  void addEdge(unsigned from, unsigned to, int64_t capacity);
  /// For each node whether it is on the first side of a cut of least cost: of several that with the fewest nodes there.
  /// To be called once. Of a graph that takes too long nothing but node 0 is: shortest paths have grown longer
  /// `mostRounds` times then.
  std::vector<bool> solve();

private:
  struct Edge {
    unsigned to;
    int64_t left; // of the capacity; the edge back is the next one, or the one before
  };
  bool findLevels();
  int64_t push(unsigned node, int64_t flow);

  std::vector<Edge> edges; // each followed by the one back
  std::vector<llvm::SmallVector<unsigned, 4>> edgesOf;
  std::vector<int> level;
  std::vector<unsigned> next; // which of a node's edges is to be tried
};

} // namespace dscc

#endif // DSCC_PASSES_LAYOUT_MINCUT_H
