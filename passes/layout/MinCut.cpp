// Dinic's algorithm: as much flow as fits along shortest paths, until there is none; what the source still reaches then
// is its side of the cut. (E. A. Dinic, 1970; the equality of flow and cut is by Ford and Fulkerson.)

#include "passes/layout/MinCut.h"

#include <algorithm>
#include <cassert>

namespace dscc {

unsigned MinCut::addNode() {
  edgesOf.emplace_back();
  return edgesOf.size() - 1;
}

void MinCut::addEdge(unsigned from, unsigned to, int64_t capacity) {
  assert(capacity >= 0 && from < edgesOf.size() && to < edgesOf.size() && "an edge joins nodes that are there");
  if (capacity == 0 || from == to)
    return;
  edgesOf[from].push_back(edges.size());
  edges.push_back({to, std::min(capacity, unlimited)});
  edgesOf[to].push_back(edges.size());
  edges.push_back({from, 0});
}

bool MinCut::findLevels() {
  level.assign(edgesOf.size(), -1);
  level[first] = 0;
  std::vector<unsigned> queue = {first};
  for (size_t i = 0; i < queue.size(); ++i)
    for (unsigned number : edgesOf[queue[i]])
      if (const Edge &edge = edges[number]; edge.left > 0 && level[edge.to] < 0) {
        level[edge.to] = level[queue[i]] + 1;
        queue.push_back(edge.to);
      }
  return level[second] >= 0;
}

/// Sends up to `flow` from the node on to the second side, a level at a time; how much arrived. A path is walked with a
/// list of its own: graphs of models are deep.
int64_t MinCut::push(unsigned node, int64_t flow) {
  llvm::SmallVector<unsigned> path; // edges from `node` on
  int64_t arrived = 0;
  for (unsigned at = node;;) {
    if (at == second) {
      int64_t least = flow;
      for (unsigned number : path)
        least = std::min(least, edges[number].left);
      for (unsigned number : path) {
        edges[number].left -= least;
        edges[number ^ 1].left += least;
      }
      arrived += least;
      path.clear();
      at = node;
      continue;
    }
    unsigned &tried = next[at];
    while (tried < edgesOf[at].size()) {
      const Edge &edge = edges[edgesOf[at][tried]];
      if (edge.left > 0 && level[edge.to] == level[at] + 1)
        break;
      ++tried;
    }
    if (tried < edgesOf[at].size()) {
      path.push_back(edgesOf[at][tried]);
      at = edges[path.back()].to;
      continue;
    }
    if (path.empty())
      return arrived;
    // A dead end: nobody need come here again.
    at = edges[path.pop_back_val() ^ 1].to;
    ++next[at];
  }
}

std::vector<bool> MinCut::solve() {
  for (int round = 0; findLevels(); ++round) {
    if (round == mostRounds) {
      std::vector<bool> none(edgesOf.size());
      none[first] = true;
      return none;
    }
    next.assign(edgesOf.size(), 0);
    while (push(first, unlimited) > 0) {
    }
  }
  std::vector<bool> isFirst(edgesOf.size());
  for (size_t i = 0; i < level.size(); ++i)
    isFirst[i] = level[i] >= 0;
  return isFirst;
}

} // namespace dscc
