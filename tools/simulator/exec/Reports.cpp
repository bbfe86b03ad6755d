#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"

#include "llvm/ADT/Twine.h"

#include <algorithm>

namespace dscc::sim {

// Reports of a launch that are kept: in all, and of one kind at one line. The rest is counted.
static constexpr size_t maxReports = 32, maxAlike = 3;

Settings &settings() {
  static Settings values;
  return values;
}

Reports &reports() {
  static Reports &all = *new Reports;
  return all;
}

void Reports::begin() {
  std::lock_guard guard(lock);
  list.clear();
  dropped = 0;
  faulted = false;
}

void Reports::append(Report report) {
  std::lock_guard guard(lock);
  faulted = faulted || report.isFault;
  size_t alike = size_t(std::count_if(list.begin(), list.end(), [&](const Report &other) {
    return other.kind == report.kind && other.site == report.site;
  }));
  if (report.isFault || (list.size() < maxReports && alike < maxAlike))
    list.push_back(std::move(report));
  else
    ++dropped;
}

void Reports::add(const Lane &lane, llvm::StringRef kind, const std::string &what, int site, int driverError) {
  const Block &block = *lane.block;
  auto triple = [](const uint32_t *values) {
    return "(" + std::to_string(values[0]) + ", " + std::to_string(values[1]) + ", " + std::to_string(values[2]) + ")";
  };
  const std::string &nodes = block.shape->nodes;
  std::string node = nodes.empty() ? "" : " of node '" + nodes + "'";
  std::string sentence = (kind + " in kernel " + block.kernel->name + node + " at PTX line " + llvm::Twine(site) +
                          ", block " + triple(block.index) + ", thread " + triple(lane.special + TidX) + ": " + what)
                             .str();
  append({kind.str(), std::move(sentence), driverError != 0, driverError, site});
}

void Reports::addFailure(llvm::StringRef what, int driverError) { append({"failure", what.str(), true, driverError}); }

std::vector<Report> Reports::take() {
  std::lock_guard guard(lock);
  if (dropped)
    list.push_back({"more", std::to_string(dropped) + " more reports of this launch are left out", false, 0});
  return std::move(list);
}

void fault(Lane &lane, llvm::StringRef kind, const std::string &what, int site, int error) {
  reports().add(lane, kind, what, site, error);
  abandon(lane);
}

std::string describeAccess(uint32_t bytes, bool isStore) {
  return std::string(isStore ? "store" : "load") + " of " + std::to_string(bytes) + " bytes";
}

} // namespace dscc::sim
