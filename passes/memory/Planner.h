// Packs buffers with lifetimes into as few bytes as it can.
//
//      bytes
//        ^   +-----------+
//        |   |     B     |      Buffers that are live at once must not overlap. The problem is dynamic storage
//        |   +--+----+---+      allocation (Garey & Johnson, SR2); placing them greedily, in each of several orders
//        |   |A |    | C |      at the lowest gap that fits best, is near the bound on graphs of tensors.
//        +---+--+----+---+--> time
//
// No MLIR here, and no dims: the sizes are numbers. PlanMemory turns the result into expressions.

#ifndef DSCC_PASSES_MEMORY_PLANNER_H
#define DSCC_PASSES_MEMORY_PLANNER_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dscc {

/// Live from step `first` to step `last`, both included.
struct Buffer {
  /// Steps of the program, 0 the first.
  int64_t first, last;
  /// May be 0: such a buffer is in nobody's way.
  int64_t bytes;
};

/// True if there is a step in which both are live: then they must not share bytes.
inline bool liveAtOnce(const Buffer &a, const Buffer &b) { return a.first <= b.last && b.first <= a.last; }

/// Plans for one set of buffers.
class Planner {
public:
  /// The plans name buffers by their place in this list.
  explicit Planner(std::vector<Buffer> buffers);

  /// Where each buffer lies. No two that are live at once share a byte.
  struct Plan {
    std::vector<int64_t> offsets; // one a buffer
    int64_t bytes = 0;            // the highest end
    /// The buffers in the order of their offsets; ties, as with empty buffers, in the order of placement.
    std::vector<size_t> fromBelow;
  };
  /// The best of several orders. The same input gives the same plan.
  Plan plan() const;

  /// The most bytes that are live at any one step: no plan takes fewer.
  int64_t maxLive() const;

  /// Buffers that are live together with buffer `i`.
  const std::vector<size_t> &conflicts(size_t i) const { return neighbours[i]; }

private:
  Plan place(const std::vector<size_t> &order) const;

  std::vector<Buffer> buffers;
  std::vector<std::vector<size_t>> neighbours;
};

} // namespace dscc

#endif // DSCC_PASSES_MEMORY_PLANNER_H
