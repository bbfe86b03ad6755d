#include "passes/Statistics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Statistic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace dscc {

void enablePassCounts() { llvm::EnableStatistics(/*DoPrintOnExit=*/false); }

std::vector<PassCount> readPassCounts() {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::PrintStatisticsJSON(stream); // the only way to read whose statistic it is
  std::vector<PassCount> counts;
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return counts;
  }
  assert(parsed->getAsObject() && "LLVM writes its statistics as one object");
  for (auto &[key, value] : *parsed->getAsObject()) {
    auto [pass, name] = llvm::StringRef(key).split('.');
    if (pass.starts_with("dsc-"))
      counts.push_back({pass.str(), name.str(), uint64_t(value.getAsInteger().value_or(0))});
  }
  llvm::sort(counts, [](const PassCount &a, const PassCount &b) {
    return std::tie(a.pass, a.name) < std::tie(b.pass, b.name);
  });
  return counts;
}

} // namespace dscc
