#include "passes/memory/Planner.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

namespace dscc {

Planner::Planner(std::vector<Buffer> given) : buffers(std::move(given)), neighbours(buffers.size()) {
  assert(
      std::all_of(buffers.begin(), buffers.end(), [](const Buffer &b) { return b.first <= b.last && b.bytes >= 0; }) &&
      "a buffer ends no earlier than it begins, and takes no less than nothing");
  // Sweep over the steps: a buffer meets those that are live when it begins.
  std::vector<size_t> byFirst(buffers.size());
  std::iota(byFirst.begin(), byFirst.end(), 0);
  std::stable_sort(byFirst.begin(), byFirst.end(),
                   [&](size_t a, size_t b) { return buffers[a].first < buffers[b].first; });
  std::vector<size_t> live;
  for (size_t i : byFirst) {
    std::erase_if(live, [&](size_t j) { return buffers[j].last < buffers[i].first; });
    for (size_t j : live) {
      neighbours[i].push_back(j);
      neighbours[j].push_back(i);
    }
    live.push_back(i);
  }
}

int64_t Planner::maxLive() const {
  std::map<int64_t, int64_t> changes;
  for (const Buffer &buffer : buffers) {
    changes[buffer.first] += buffer.bytes;
    changes[buffer.last + 1] -= buffer.bytes;
  }
  int64_t live = 0, most = 0;
  for (auto [step, change] : changes)
    most = std::max(most, live += change);
  return most;
}

/// The lowest offset of the tightest gap between `taken` (sorted by begin) that holds `bytes`.
static int64_t findGap(const std::vector<std::pair<int64_t, int64_t>> &taken, int64_t bytes) {
  assert(std::is_sorted(taken.begin(), taken.end()) && "gaps are looked for from below");
  int64_t end = 0, tightest = std::numeric_limits<int64_t>::max();
  std::optional<int64_t> best;
  for (auto [from, to] : taken) {
    int64_t gap = from - end;
    if (gap >= bytes && gap < tightest) {
      tightest = gap;
      best = end;
    }
    end = std::max(end, to);
  }
  return best.value_or(end);
}

Planner::Plan Planner::place(const std::vector<size_t> &order) const {
  Plan plan;
  plan.offsets.assign(buffers.size(), -1);
  for (size_t i : order) {
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (size_t j : neighbours[i])
      if (plan.offsets[j] >= 0)
        taken.push_back({plan.offsets[j], plan.offsets[j] + buffers[j].bytes});
    std::sort(taken.begin(), taken.end());
    plan.offsets[i] = findGap(taken, buffers[i].bytes);
    plan.bytes = std::max(plan.bytes, plan.offsets[i] + buffers[i].bytes);
  }
  plan.fromBelow = order;
  std::stable_sort(plan.fromBelow.begin(), plan.fromBelow.end(),
                   [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; });
  return plan;
}

Planner::Plan Planner::plan() const {
  std::vector<int64_t> crowd(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    crowd[i] = buffers[i].bytes;
    for (size_t j : neighbours[i])
      crowd[i] += buffers[j].bytes;
  }
  auto length = [&](size_t i) { return buffers[i].last - buffers[i].first + 1; };
  using Before = std::function<bool(size_t, size_t)>;
  const Before orders[] = {
      [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; },
      [&](size_t a, size_t b) { return crowd[a] > crowd[b]; },
      [&](size_t a, size_t b) { return double(buffers[a].bytes) * length(a) > double(buffers[b].bytes) * length(b); },
      [&](size_t a, size_t b) { return length(a) > length(b); },
      [&](size_t a, size_t b) { return buffers[a].first < buffers[b].first; },
      [&](size_t a, size_t b) { return buffers[a].last > buffers[b].last; },
  };
  std::optional<Plan> best;
  int64_t bound = maxLive();
  for (const Before &before : orders) {
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), before);
    Plan candidate = place(order);
    if (!best || candidate.bytes < best->bytes)
      best = std::move(candidate);
    if (best->bytes == bound)
      break;
  }
  return *best;
}

} // namespace dscc
