#include "passes/memory/VerifyPlacement.h"

#include "dialects/dsc/Storage.h"
#include "passes/memory/Places.h"

#include "llvm/ADT/BitVector.h"

using namespace mlir;

namespace dscc {

namespace {
/// A tensor in the arena.
struct Tenant {
  Value value;
  int64_t born, lastRead; // steps of the function
  int64_t place;
  DimExpr bytes;
};

class PlacementProof {
public:
  explicit PlacementProof(func::FuncOp main) : main(main) {}
  LogicalResult run();

private:
  LogicalResult collectTenants();
  LogicalResult addResults(dsc::GroupOp group, int64_t step);
  LogicalResult checkPair(const Tenant &older, const Tenant &younger);

  func::FuncOp main;
  std::vector<Place> places;
  std::vector<llvm::BitVector> below; // for each place, all that lie below it
  llvm::DenseMap<Value, size_t> tenantOf;
  std::vector<Tenant> tenants;
};
} // namespace

LogicalResult PlacementProof::addResults(dsc::GroupOp group, int64_t step) {
  auto placed = group->getAttrOfType<DenseI64ArrayAttr>("places");
  auto outputs = group->getAttrOfType<ArrayAttr>("outputs");
  if (!placed || !outputs || placed.size() != group.getNumResults() || outputs.size() != group.getNumResults())
    return group.emitError("has no place for each of its results");
  for (auto [index, result] : llvm::enumerate(group.getResults())) {
    int64_t output = cast<IntegerAttr>(outputs[index]).getInt();
    if (output >= int64_t(main.getNumResults()))
      return group.emitError("lies in output ") << output << ", and there are " << main.getNumResults();
    if (output >= 0)
      continue;
    int64_t place = placed[index];
    if (place < 0 || place >= int64_t(places.size()))
      return group.emitError("lies in place ") << place << ", and there are " << places.size();
    DimExpr bytes = countBytes(result.getType());
    if (!DimExpr::isAtLeast(places[place].bytes, alignBytes(bytes)))
      return group.emitError("takes ") << bytes.str() << " bytes in a place of " << places[place].bytes.str();
    tenantOf[result] = tenants.size();
    tenants.push_back({result, step, step, place, bytes});
  }
  return success();
}

/// Which tensors of the function share the bytes of a group's result, and when they are read last.
LogicalResult PlacementProof::collectTenants() {
  for (auto [step, op] : llvm::enumerate(main.getBody().front())) {
    for (Value operand : op.getOperands())
      if (auto found = tenantOf.find(operand); found != tenantOf.end())
        tenants[found->second].lastRead = step;
    if (auto view = dyn_cast<dsc::ReshapeOp>(op))
      if (auto found = tenantOf.find(view.getInput()); found != tenantOf.end())
        tenantOf[view.getResult()] = found->second;
    if (auto group = dyn_cast<dsc::GroupOp>(op))
      if (failed(addResults(group, step)))
        return failure();
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
static bool takesOver(const Tenant &older, const Tenant &younger) {
  auto group = younger.value.getDefiningOp<dsc::GroupOp>();
  assert(group && "tenants are results of groups");
  if (older.lastRead != younger.born || older.place != younger.place || older.bytes != younger.bytes ||
      group.getNumResults() != 1)
    return false;
  for (auto [input, argument] : llvm::zip_equal(group.getInputs(), group.getBody().getArguments())) {
    Value storage = input;
    while (auto view = storage.getDefiningOp<dsc::ReshapeOp>())
      storage = view.getInput();
    if (storage == older.value && !isReadAtOwnPlace(argument, dsc::getDims(group.getYielded()[0])))
      return false;
  }
  return true;
}

LogicalResult PlacementProof::checkPair(const Tenant &older, const Tenant &younger) {
  if (younger.born > older.lastRead || takesOver(older, younger))
    return success();
  if (below[older.place].test(younger.place) || below[younger.place].test(older.place))
    return success();
  InFlightDiagnostic error = younger.value.getDefiningOp()->emitError("may share bytes with a tensor that is live: ");
  error << "its place " << younger.place << " and place " << older.place << " do not lie on one another";
  error.attachNote(older.value.getLoc()) << "the other tensor, of " << older.bytes.str() << " bytes";
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
  if (failed(collectTenants()))
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
