#include "passes/memory/VerifyPlacement.h"

#include "dialects/dsc/Storage.h"
#include "dialects/dsc/Windows.h"
#include "passes/memory/Places.h"

#include "llvm/ADT/BitVector.h"

using namespace mlir;

namespace dscc {

namespace {
/// Where a tensor lies, as its maker says or as a view of it follows.
struct Region {
  int64_t place = -1, output = -1; // neither: an input or a constant
  Window window;
};

/// What holds bytes of the arena: a group's result, a home of some of them, or a group's workspace.
struct Tenant {
  Value value; // null: a workspace
  Operation *maker;
  int64_t born, lastRead; // steps of the function
  int64_t place;
  DimExpr bytes;
};

class PlacementProof {
public:
  explicit PlacementProof(func::FuncOp main) : main(main) {}
  LogicalResult run();

private:
  LogicalResult collectRegions();
  LogicalResult addResults(Operation *op);
  LogicalResult addView(Operation *op);
  LogicalResult checkInputs(dsc::GroupOp group);
  LogicalResult checkParts(dsc::ConcatOp join);
  LogicalResult checkTransposed(dsc::TransposeOp home);
  LogicalResult addPart(Operation *home, OpOperand &part, const Window &expected);
  LogicalResult checkHolder(Value value, const Region &region);
  LogicalResult checkReturned();
  LogicalResult collectTenants();
  LogicalResult addWorkspace(dsc::GroupOp group, int64_t step);
  LogicalResult checkPair(const Tenant &older, const Tenant &younger);
  bool takesOver(const Tenant &older, const Tenant &younger);
  Value findHolder(Value value);

  func::FuncOp main;
  std::vector<Place> places;
  std::vector<llvm::BitVector> below; // for each place, all that lie below it
  llvm::DenseMap<Value, Region> regions;
  llvm::DenseMap<Value, Operation *> homes; // of the makers' results: the op whose bytes they are written into
  std::vector<Tenant> tenants;
};
} // namespace

/// Equal as far as elements are concerned: a dim of one place has no neighbours.
static bool sameWindow(ArrayRef<DimExpr> dims, const Window &a, const Window &b) {
  if (a.offset != b.offset || a.strides.size() != dims.size() || b.strides.size() != dims.size())
    return false;
  for (size_t i = 0; i < dims.size(); ++i)
    if (!dims[i].isConstant(1) && a.strides[i] != b.strides[i])
      return false;
  return true;
}

static std::string describe(const Window &window) {
  std::string text = "offset " + window.offset.str() + ", strides [";
  for (auto [i, stride] : llvm::enumerate(window.strides))
    text += (i ? ", " : "") + stride.str();
  return text + "]";
}

static Window wholeOf(Value value) { return {0, rowMajorStrides(dsc::getDims(value))}; }

/// What holds the bytes of `value` in the end: the home that is nobody's part, or who made it.
Value PlacementProof::findHolder(Value value) {
  for (;;) {
    if (Operation *op = value.getDefiningOp(); isView(op))
      value = op->getOperand(0);
    else if (auto home = homes.find(value); home != homes.end())
      value = home->second->getResult(0);
    else
      return value;
  }
}

/// The places that a group or a home claims for its results.
LogicalResult PlacementProof::addResults(Operation *op) {
  auto placed = op->getAttrOfType<DenseI64ArrayAttr>("places");
  auto outputs = op->getAttrOfType<ArrayAttr>("outputs");
  if (!placed || !outputs || placed.size() != op->getNumResults() || outputs.size() != op->getNumResults())
    return op->emitError("has no place for each of its results");
  size_t inputs = isa<dsc::GroupOp>(op) ? op->getNumOperands() : 0;
  for (OpResult result : op->getResults()) {
    Region region;
    auto output = dyn_cast<IntegerAttr>(outputs[result.getResultNumber()]);
    region.output = output ? output.getInt() : -1;
    if (region.output >= int64_t(main.getNumResults()))
      return op->emitError("lies in output ") << region.output << ", and there are " << main.getNumResults();
    if (region.output < 0) {
      region.place = placed[result.getResultNumber()];
      if (region.place < 0 || region.place >= int64_t(places.size()))
        return op->emitError("lies in place ") << region.place << ", and there are " << places.size();
    }
    region.window = readWindow(op, inputs + result.getResultNumber()).value_or(wholeOf(result));
    regions[result] = region;
  }
  return success();
}

/// A view lies where its input does.
LogicalResult PlacementProof::addView(Operation *op) {
  Value input = op->getOperand(0), result = op->getResult(0);
  Region region = regions.lookup(input);
  if (auto slice = dyn_cast<dsc::SliceOp>(op)) {
    if (llvm::any_of(dsc::getIntegers(slice.getSteps()), [](int64_t step) { return step != 1; }))
      return op->emitError("is in place, but its steps are not all 1");
    for (auto [start, stride] : llvm::zip_equal(slice.getStarts().getDims(), region.window.strides))
      region.window.offset = region.window.offset + start * stride;
  } else if (auto transpose = dyn_cast<dsc::TransposeOp>(op)) {
    region.window.strides = permute(transpose, region.window.strides);
  } else {
    std::optional<dsc::Dims> strides = restride(dsc::getDims(input), region.window.strides, dsc::getDims(result));
    if (!strides)
      return op->emitError("shows a window under other dims, which no strides describe: ") << describe(region.window);
    region.window.strides = *strides;
  }
  regions[result] = region;
  return success();
}

/// A kernel reads its inputs where they are.
LogicalResult PlacementProof::checkInputs(dsc::GroupOp group) {
  for (auto [index, input] : llvm::enumerate(group.getInputs())) {
    Window read = readWindow(group, index).value_or(wholeOf(input)), window = regions.lookup(input).window;
    if (!sameWindow(dsc::getDims(input), read, window))
      return group.emitError("reads input ")
             << index << " at " << describe(read) << ", but it lies at " << describe(window);
  }
  return success();
}

/// An operand of a home is written by its maker, for nobody else, and lies where the home has it.
LogicalResult PlacementProof::addPart(Operation *home, OpOperand &part, const Window &expected) {
  unsigned index = part.getOperandNumber();
  Value made = withoutReshapes(part.get());
  Operation *maker = made.getDefiningOp();
  if (!maker || !(isa<dsc::GroupOp>(maker) || isHome(maker)))
    return home->emitError("is in place, but nobody writes operand ") << index << " there";
  if (!homes.try_emplace(made, home).second)
    return home->emitError("is in place, but operand ") << index << " is a part already, of this op or another one";
  Region region = regions.lookup(part.get()), whole = regions.lookup(home->getResult(0));
  if (region.place != whole.place || region.output != whole.output)
    return home->emitError("is in place, but operand ") << index << " is not in its place or output";
  if (!sameWindow(dsc::getDims(part.get()), region.window, expected))
    return home->emitError("is in place, but operand ")
           << index << " lies at " << describe(region.window) << ", where its part is at " << describe(expected);
  return success();
}

/// What a transpose in place as a home reads lies at its own strides, in the order of the input.
LogicalResult PlacementProof::checkTransposed(dsc::TransposeOp home) {
  Window whole = regions.lookup(home.getResult()).window;
  return addPart(home, home->getOpOperand(0), {whole.offset, permuteBack(home, whole.strides)});
}

/// Each operand of a join lies in the part that is its own; parts follow each other along the axis, so that no two have
/// an element in common.
LogicalResult PlacementProof::checkParts(dsc::ConcatOp join) {
  Window whole = regions.lookup(join.getResult()).window;
  dsc::Dims dims = dsc::getDims(join.getResult());
  size_t axis = join.getAxis();
  DimExpr start = 0;
  for (OpOperand &part : join->getOpOperands()) {
    dsc::Dims own = dsc::getDims(part.get());
    for (size_t i = 0; i < dims.size(); ++i)
      if (i != axis && own[i] != dims[i])
        return join.emitError("is in place, but operand ") << part.getOperandNumber() << " has " << own[i].str()
                                                           << " for dim " << i << ", and the whole " << dims[i].str();
    if (failed(addPart(join, part, {whole.offset + start * whole.strides[axis], whole.strides})))
      return failure();
    start = start + own[axis];
  }
  assert(dims[axis] == start && "a concat is as long as its operands");
  return success();
}

LogicalResult PlacementProof::collectRegions() {
  for (BlockArgument argument : main.getArguments())
    regions[argument].window = wholeOf(argument);
  for (Operation &op : main.getBody().front()) {
    if (auto group = dyn_cast<dsc::GroupOp>(op)) {
      if (failed(checkInputs(group)) || failed(addResults(group)))
        return failure();
    } else if (auto join = dyn_cast<dsc::ConcatOp>(op)) {
      if (failed(verifyWindows(join, TypeRange(join->getResultTypes()))) || failed(addResults(join)) ||
          failed(checkParts(join)))
        return failure();
    } else if (isHome(&op)) {
      if (failed(verifyWindows(&op, TypeRange(op.getResultTypes()))) || failed(addResults(&op)) ||
          failed(checkTransposed(cast<dsc::TransposeOp>(op))))
        return failure();
    } else if (isa<dsc::ReshapeOp, dsc::SliceOp, dsc::TransposeOp>(op)) {
      if (failed(addView(&op)))
        return failure();
    } else {
      for (Value result : op.getResults())
        regions[result].window = wholeOf(result);
    }
  }
  return success();
}

/// Who holds bytes has all of an output, the one that returns it, or fits its place.
LogicalResult PlacementProof::checkHolder(Value value, const Region &region) {
  Operation *op = value.getDefiningOp();
  if (!sameWindow(dsc::getDims(value), region.window, wholeOf(value)))
    return op->emitError("lies at ") << describe(region.window) << ", and is a part of nothing";
  if (region.output >= 0) {
    Value returned = withoutReshapes(main.getBody().front().getTerminator()->getOperand(region.output));
    if (returned != value)
      return op->emitError("lies in output ") << region.output << ", which returns another value";
    return success();
  }
  DimExpr bytes = countBytes(value.getType());
  if (!DimExpr::isAtLeast(places[region.place].bytes, alignBytes(bytes)))
    return op->emitError("takes ") << bytes.str() << " bytes in a place of " << places[region.place].bytes.str();
  return success();
}

/// The runtime copies what is returned from elsewhere as one piece.
LogicalResult PlacementProof::checkReturned() {
  for (Value value : main.getBody().front().getTerminator()->getOperands())
    if (Window window = regions.lookup(value).window; !sameWindow(dsc::getDims(value), window, wholeOf(value)))
      return emitError(value.getLoc(), "returns what lies at ") << describe(window) << " of something else";
  return success();
}

/// A workspace is live while its group runs, and fits its place.
LogicalResult PlacementProof::addWorkspace(dsc::GroupOp group, int64_t step) {
  DimExpr bytes = group.getWorkspace();
  if (bytes.isConstant(0))
    return success();
  auto place = group->getAttrOfType<IntegerAttr>("workspace_place");
  if (!place)
    return group.emitError("has no place for its workspace");
  if (place.getInt() >= int64_t(places.size()))
    return group.emitError("has its workspace in place ") << place.getInt() << ", and there are " << places.size();
  if (!DimExpr::isAtLeast(places[place.getInt()].bytes, alignBytes(bytes)))
    return group.emitError("takes ") << bytes.str() << " bytes of workspace in a place of "
                                     << places[place.getInt()].bytes.str();
  tenants.push_back({Value(), group, step, step, place.getInt(), bytes});
  return success();
}

/// Which tensors hold bytes, since when, and until when something reads them or a part of them.
LogicalResult PlacementProof::collectTenants() {
  llvm::DenseMap<Value, size_t> tenantOf;
  for (auto [step, op] : llvm::enumerate(main.getBody().front())) {
    for (Value operand : op.getOperands())
      if (auto found = tenantOf.find(findHolder(operand)); found != tenantOf.end())
        tenants[found->second].lastRead = step;
    if (!isa<dsc::GroupOp>(op))
      continue;
    if (failed(addWorkspace(cast<dsc::GroupOp>(op), step)))
      return failure();
    for (Value result : op.getResults()) {
      Value holder = findHolder(result);
      const Region &region = regions[holder];
      if (!tenantOf.contains(holder) && failed(checkHolder(holder, region)))
        return failure();
      auto [tenant, isNew] = tenantOf.try_emplace(holder, tenants.size());
      if (region.output >= 0)
        tenantOf.erase(holder);
      else if (isNew)
        tenants.push_back(
            {holder, holder.getDefiningOp(), int64_t(step), int64_t(step), region.place, countBytes(holder.getType())});
      else
        tenants[tenant->second].lastRead = step;
    }
  }
  return success();
}

/// True if each element that the group computes depends on `argument` only at the element's own place.
static bool isReadAtOwnPlace(Value argument, dsc::Dims resultDims) {
  SmallVector<Value> pending = {argument};
  llvm::DenseSet<Value> seen;
  while (!pending.empty()) {
    Value value = pending.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    if (dsc::getDims(value) != resultDims)
      return false;
    for (Operation *user : value.getUsers()) {
      if (isa<dsc::YieldOp>(user))
        continue;
      if (!dsc::isElementwise(user))
        return false;
      pending.push_back(user->getResult(0));
    }
  }
  return true;
}

/// A result may lie on an input that nobody reads afterwards, if both have the same bytes in the same order.
bool PlacementProof::takesOver(const Tenant &older, const Tenant &younger) {
  if (!older.value || !younger.value)
    return false;
  auto group = younger.value.getDefiningOp<dsc::GroupOp>();
  if (!group || older.lastRead != younger.born || older.place != younger.place || older.bytes != younger.bytes ||
      group.getNumResults() != 1)
    return false;
  for (auto [input, argument] : llvm::zip_equal(group.getInputs(), group.getBody().getArguments())) {
    bool isWhole = sameWindow(dsc::getDims(input), regions[input].window, wholeOf(input));
    if (findHolder(input) == older.value &&
        !(isWhole && isReadAtOwnPlace(argument, dsc::getDims(group.getYielded()[0]))))
      return false;
  }
  return true;
}

LogicalResult PlacementProof::checkPair(const Tenant &older, const Tenant &younger) {
  if (younger.born > older.lastRead || takesOver(older, younger))
    return success();
  if (below[older.place].test(younger.place) || below[younger.place].test(older.place))
    return success();
  InFlightDiagnostic error = younger.maker->emitError("may share bytes with a tensor that is live: ");
  error << "its place " << younger.place << " and place " << older.place << " do not lie on one another";
  error.attachNote(older.maker->getLoc()) << "the other tensor, of " << older.bytes.str() << " bytes";
  if (!younger.value)
    error.attachNote(younger.maker->getLoc()) << "that place is for the workspace";
  return error;
}

LogicalResult PlacementProof::run() {
  FailureOr<std::vector<Place>> table = readPlaces(main);
  if (failed(table))
    return failure();
  places = std::move(*table);
  for (const Place &place : places) {
    llvm::BitVector &all = below.emplace_back(places.size());
    for (int64_t one : place.above) {
      all.set(one);
      all |= below[one];
    }
  }
  if (failed(collectRegions()) || failed(checkReturned()) || failed(collectTenants()))
    return failure();
  // Tenants are in the order of birth.
  for (size_t i = 0; i < tenants.size(); ++i)
    for (size_t j = i + 1; j < tenants.size() && tenants[j].born <= tenants[i].lastRead; ++j)
      if (failed(checkPair(tenants[i], tenants[j])))
        return failure();
  return success();
}

LogicalResult verifyPlacement(func::FuncOp main) { return PlacementProof(main).run(); }

} // namespace dscc
