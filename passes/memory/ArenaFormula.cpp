#include "passes/memory/ArenaFormula.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace dscc {

/// How many sums, of which the arena is the largest, a reader may be asked to look at.
static constexpr size_t maxSums = 6;

/// Adds a sum, unless another one is always as large; those that it makes needless go.
static void addSum(std::vector<DimExpr> &sums, const DimExpr &sum) {
  if (llvm::any_of(sums, [&](const DimExpr &other) { return DimExpr::isAtLeast(other, sum); }))
    return;
  llvm::erase_if(sums, [&](const DimExpr &other) { return DimExpr::isAtLeast(sum, other); });
  sums.push_back(sum);
}

std::string describeArena(llvm::ArrayRef<Place> places) {
  // Where each place may end: its bytes on top of whatever it lies on.
  std::vector<std::vector<DimExpr>> ends(places.size());
  std::vector<DimExpr> arena;
  for (auto [index, place] : llvm::enumerate(places)) {
    std::vector<DimExpr> below;
    for (int64_t other : place.above) {
      assert(other >= 0 && other < int64_t(index) && "a place lies on places that come before it");
      for (const DimExpr &end : ends[other])
        addSum(below, end);
    }
    if (below.empty())
      below.push_back(DimExpr(0));
    for (const DimExpr &end : below) {
      DimExpr sum = end + place.bytes;
      if (!sum.isValid())
        return "";
      addSum(ends[index], sum);
      addSum(arena, sum);
    }
    if (ends[index].size() > maxSums || arena.size() > maxSums)
      return "";
  }
  if (arena.empty())
    return "0";
  auto texts = llvm::map_range(arena, [](const DimExpr &sum) { return sum.str(); });
  return arena.size() == 1 ? arena.front().str() : "max(" + llvm::join(texts, ", ") + ")";
}

} // namespace dscc
