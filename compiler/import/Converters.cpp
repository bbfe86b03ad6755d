#include "compiler/import/Converters.h"

#include "llvm/ADT/StringMap.h"

#include <string>

namespace dscc {

using Entries = llvm::StringMap<llvm::SmallVector<const Converter *>>;

static std::string key(llvm::StringRef domain, llvm::StringRef opType) {
  return (domain == "ai.onnx" ? llvm::StringRef() : domain).str() + "\n" + opType.str();
}

static const Entries &allEntries() {
  static const Entries entries = [] {
    Entries made;
    for (llvm::ArrayRef<Converter> family :
         {activationConverters(), attentionConverters(), constantConverters(),    controlConverters(),
          convConverters(),       einsumConverters(),    elementwiseConverters(), gatherConverters(),
          gridSampleConverters(), lossConverters(),      matmulConverters(),      movementConverters(),
          normalizeConverters(),  padConverters(),       poolConverters(),        quantizeConverters(),
          recurrentConverters(),  reduceConverters(),    resizeConverters(),      scatterConverters(),
          shapeConverters(),      sliceConverters(),     topKConverters()})
      for (const Converter &entry : family) {
        llvm::SmallVector<const Converter *> &versions = made[key(entry.domain, entry.opType)];
        assert(llvm::none_of(versions, [&](const Converter *other) { return other->since == entry.since; }) &&
               "an operator has one converter for each opset");
        versions.push_back(&entry);
      }
    return made;
  }();
  return entries;
}

const Converter *findConverter(llvm::StringRef domain, llvm::StringRef opType, int64_t opset) {
  const Converter *best = nullptr;
  auto entries = allEntries().find(key(domain, opType));
  if (entries == allEntries().end())
    return nullptr;
  for (const Converter *entry : entries->second)
    if (entry->since <= opset && (!best || entry->since > best->since))
      best = entry;
  return best;
}

bool isKnownOperator(llvm::StringRef domain, llvm::StringRef opType) {
  return allEntries().contains(key(domain, opType));
}

namespace {
/// What to use instead of an operator that only exists elsewhere.
struct Advice {
  llvm::StringLiteral opType, hint;
};
} // namespace

static constexpr Advice advices[] = {
    {"NonZero", "its result has as many columns as there are nonzero elements, which is unknown until it runs; use "
                "Where with a mask instead"},
    {"Unique", "its result has a size that is unknown until it runs"},
    {"Compress", "use Gather with constant indices instead of a mask"},
    {"NonMaxSuppression", "cut the model before it and select the boxes in your program"},
    {"Loop", "unroll it when you export the model"},
    {"Scan", "unroll it when you export the model"},
    {"MaxUnpool", "use Resize"},
};

std::string nearestOperator(llvm::StringRef opType) {
  for (const Advice &advice : advices)
    if (advice.opType == opType)
      return advice.hint.str();
  std::string nearest;
  unsigned least = opType.size() / 3 + 1;
  for (const auto &entry : allEntries()) {
    llvm::StringRef name = entry.getKey().split('\n').second;
    unsigned distance = name.edit_distance(opType, /*AllowReplacements=*/true, least);
    if (distance < least || (distance == least && !nearest.empty() && name < llvm::StringRef(nearest))) {
      least = distance;
      nearest = name.str();
    }
  }
  return nearest.empty() ? "" : "did the exporter mean " + nearest + "?";
}

} // namespace dscc
