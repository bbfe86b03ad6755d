#include "passes/memory/Places.h"

#include "dialects/dsc/Storage.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace dscc {

ArrayAttr encodePlaces(MLIRContext *context, ArrayRef<Place> places) {
  Builder b(context);
  SmallVector<Attribute> entries;
  for (const Place &place : places)
    entries.push_back(b.getDictionaryAttr({
        b.getNamedAttr("bytes", dsc::DimsAttr::get(context, ArrayRef<DimExpr>{place.bytes})),
        b.getNamedAttr("live", b.getDenseI64ArrayAttr({place.first, place.last})),
        b.getNamedAttr("above", b.getDenseI64ArrayAttr(place.above)),
    }));
  return b.getArrayAttr(entries);
}

/// True if `expr` is a multiple of `divisor` whatever the named dims are.
static bool isMultiple(const DimExpr &expr, int64_t divisor) {
  return llvm::all_of(expr.getTerms(), [&](const DimExpr::Term &term) { return term.coefficient % divisor == 0; });
}

FailureOr<std::vector<Place>> readPlaces(func::FuncOp function) {
  auto entries = function->getAttrOfType<ArrayAttr>(arenaName);
  if (!entries)
    return function.emitError("has no table ") << arenaName;
  std::vector<Place> places;
  for (auto [index, attribute] : llvm::enumerate(entries)) {
    auto entry = dyn_cast<DictionaryAttr>(attribute);
    auto bytes = entry ? entry.getAs<dsc::DimsAttr>("bytes") : nullptr;
    auto live = entry ? entry.getAs<DenseI64ArrayAttr>("live") : nullptr;
    auto above = entry ? entry.getAs<DenseI64ArrayAttr>("above") : nullptr;
    if (!bytes || bytes.size() != 1 || !live || live.size() != 2 || !above)
      return function.emitError("place ") << index << " of " << arenaName << " is not {bytes, live, above}";
    Place place{bytes.getDims()[0], live[0], live[1], SmallVector<int64_t>(above.asArrayRef())};
    if (!place.bytes.isValid() || !isMultiple(place.bytes, bufferAlignment))
      return function.emitError("place ")
             << index << " takes " << place.bytes.str() << " bytes, which is no multiple of " << bufferAlignment;
    for (int64_t below : place.above)
      if (below < 0 || below >= int64_t(index))
        return function.emitError("place ") << index << " lies on place " << below << ", which does not come before it";
    places.push_back(std::move(place));
  }
  return places;
}

} // namespace dscc
