#include "dialects/dsc/Reorder.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace dscc::dsc {

namespace {
/// What an attribute says about dims.
enum class AboutDims {
  EachDim,   // has an entry for each dim
  Axis,      // is the number of a dim
  SortedAxes // lists numbers of dims, in their order
};

/// An op that means the same under dims in another order if its attributes follow.
struct Reorderable {
  StringLiteral op;
  size_t images; // so many first operands have the dims of the result; all if 0
  SmallVector<std::pair<StringLiteral, AboutDims>> attributes;
};
} // namespace

/// Elementwise ops besides, whose attributes say nothing about dims.
static const Reorderable *findReorderable(Operation *op) {
  static const std::vector<Reorderable> all = [] {
    std::vector<Reorderable> entries = {
        {"dsc.concat", 0, {{"axis", AboutDims::Axis}}},
        {"dsc.slice",
         1,
         {{"starts", AboutDims::EachDim}, {"sizes", AboutDims::EachDim}, {"steps", AboutDims::EachDim}}},
        {"dsc.resize", 1, {{"scales", AboutDims::EachDim}}},
        {"dsc.softmax", 1, {{"axis", AboutDims::Axis}}},
        {"dsc.log_softmax", 1, {{"axis", AboutDims::Axis}}},
    };
    for (StringLiteral name : {StringLiteral("dsc.pad"), StringLiteral("dsc.pad_edge"),
                               StringLiteral("dsc.pad_reflect"), StringLiteral("dsc.pad_wrap")})
      entries.push_back({name, 1, {{"lows", AboutDims::EachDim}, {"highs", AboutDims::EachDim}}});
    for (StringLiteral name :
         {StringLiteral("dsc.reduce_sum"), StringLiteral("dsc.reduce_prod"), StringLiteral("dsc.reduce_mean"),
          StringLiteral("dsc.reduce_max"), StringLiteral("dsc.reduce_min")})
      entries.push_back({name, 1, {{"axes", AboutDims::SortedAxes}}});
    return entries;
  }();
  auto found = llvm::find_if(all, [&](const Reorderable &entry) { return op->getName().getStringRef() == entry.op; });
  return found == all.end() ? nullptr : &*found;
}

bool isReorderable(Operation *op) {
  return op->getNumResults() == 1 && (isElementwise(op) || findReorderable(op) != nullptr);
}

size_t countReordered(Operation *op) {
  const Reorderable *entry = findReorderable(op);
  return entry && entry->images != 0 ? entry->images : op->getNumOperands();
}

Dims reorder(ArrayRef<DimExpr> dims, ArrayRef<int64_t> permutation) {
  return llvm::map_to_vector<6>(permutation, [&](int64_t axis) { return dims[axis]; });
}

/// The attribute of an op whose dims have become those that the permutation says.
static Attribute reorder(Attribute attribute, AboutDims meaning, ArrayRef<int64_t> permutation) {
  Builder b(attribute.getContext());
  auto placeOf = [&](int64_t axis) { return int64_t(llvm::find(permutation, axis) - permutation.begin()); };
  switch (meaning) {
  case AboutDims::Axis: return b.getI64IntegerAttr(placeOf(cast<IntegerAttr>(attribute).getInt()));
  case AboutDims::SortedAxes: {
    SmallVector<int64_t> axes = llvm::map_to_vector(getIntegers(cast<ArrayAttr>(attribute)), placeOf);
    llvm::sort(axes);
    return b.getI64ArrayAttr(axes);
  }
  case AboutDims::EachDim: break;
  }
  if (auto dims = dyn_cast<DimsAttr>(attribute))
    return DimsAttr::get(b.getContext(), reorder(dims.getDims(), permutation));
  auto entries = cast<ArrayAttr>(attribute);
  return b.getArrayAttr(llvm::map_to_vector(permutation, [&](int64_t axis) { return entries[axis]; }));
}

Operation *createReordered(OpBuilder &b, Operation *op, ValueRange operands, ArrayRef<int64_t> permutation) {
  assert(isReorderable(op) && "others mean something else under other dims");
  OperationState state(op->getLoc(), op->getName().getStringRef());
  state.addOperands(operands);
  state.addTypes(makeTensor(reorder(getDims(op->getResult(0)), permutation), getElementType(op->getResult(0))));
  state.addAttributes(op->getAttrs());
  if (const Reorderable *entry = findReorderable(op))
    for (auto [name, meaning] : entry->attributes)
      state.attributes.set(name, reorder(op->getAttr(name), meaning, permutation));
  return b.create(state);
}

} // namespace dscc::dsc
