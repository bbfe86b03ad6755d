#include "compiler/import/DimFacts.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace dscc {

static std::string keyOf(StringRef kind, StringRef lhs, StringRef rhs) {
  return (kind + "\n" + lhs + "\n" + rhs).str();
}

bool DimFacts::areEqual(const DimExpr &a, const DimExpr &b) const {
  std::string lhs = a.str(), rhs = b.str();
  return a == b || texts.contains(keyOf("equal", lhs, rhs)) || texts.contains(keyOf("equal", rhs, lhs));
}

void DimFacts::relate(StringRef kind, const DimExpr &a, const DimExpr &b, StringRef node) {
  assert(a.isValid() && b.isValid() && "a run can compare only what it can compute");
  std::string lhs = a.str(), rhs = b.str();
  if (!texts.insert(keyOf(kind, lhs, rhs)).second)
    return;
  Builder builder(context);
  auto text = [&](StringRef name, StringRef value) { return builder.getNamedAttr(name, builder.getStringAttr(value)); };
  entries.push_back(
      builder.getDictionaryAttr({text("kind", kind), text("lhs", lhs), text("rhs", rhs), text("node", node)}));
}

bool DimFacts::limitDim(const DimExpr &dim, int64_t most) {
  std::optional<std::string> name = dim.asSymbol();
  if (!name)
    return false;
  auto [entry, isNew] = maxima.try_emplace(*name, most);
  entry->second = std::min(entry->second, most);
  return true;
}

ArrayAttr DimFacts::relations() const { return ArrayAttr::get(context, entries); }

ArrayAttr DimFacts::limited(ArrayAttr symbols) const {
  Builder builder(context);
  return builder.getArrayAttr(llvm::map_to_vector(symbols, [&](Attribute entry) -> Attribute {
    NamedAttrList fields(cast<DictionaryAttr>(entry));
    auto limit = maxima.find(cast<StringAttr>(fields.get("name")).getValue());
    if (limit == maxima.end())
      return entry;
    int64_t max = std::min(limit->second, cast<IntegerAttr>(fields.get("max")).getInt());
    fields.set("max", builder.getI64IntegerAttr(max));
    return fields.getDictionary(context);
  }));
}

} // namespace dscc
