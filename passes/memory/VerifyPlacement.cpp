#include "passes/memory/VerifyPlacement.h"

#include "dialects/dsc/Dsc.h"
#include "passes/memory/Storage.h"

#include <map>
#include <random>

using namespace mlir;

namespace dscc {

namespace {
using Assignment = std::map<std::string, int64_t>;

/// A tensor in the arena.
struct Tenant {
  Value value;
  int64_t born, lastRead; // steps of the function
  DimExpr offset, bytes;
};

class PlacementProof {
public:
  PlacementProof(func::FuncOp main, ArrayAttr symbols) : main(main) { chooseSamples(symbols); }
  LogicalResult run();

private:
  void chooseSamples(ArrayAttr symbols);
  LogicalResult collectTenants();
  LogicalResult checkAlone(const Tenant &tenant);
  LogicalResult checkPair(const Tenant &older, const Tenant &younger);
  /// The first sample for which `a >= b` does not hold, if the algebra does not prove that it always does.
  std::optional<Assignment> refute(const DimExpr &a, const DimExpr &b);

  func::FuncOp main;
  DimExpr arena;
  std::vector<Tenant> tenants;
  std::vector<Assignment> samples;
};
} // namespace

static constexpr int64_t largestSample = 1 << 12;

void PlacementProof::chooseSamples(ArrayAttr symbols) {
  std::mt19937_64 random(0x64736363);
  SmallVector<std::tuple<std::string, int64_t, int64_t>> ranges;
  if (symbols)
    for (auto symbol : symbols.getAsRange<DictionaryAttr>()) {
      int64_t min = symbol.getAs<IntegerAttr>("min").getInt(), max = symbol.getAs<IntegerAttr>("max").getInt();
      ranges.push_back({symbol.getAs<StringAttr>("name").str(), min, std::max(min, std::min(max, largestSample))});
    }
  constexpr unsigned maxCorners = 64, randomPoints = 64;
  unsigned corners = ranges.size() < 6 ? 1u << ranges.size() : maxCorners;
  for (unsigned point = 0; point < corners + randomPoints; ++point) {
    Assignment sample;
    for (auto [index, range] : llvm::enumerate(ranges)) {
      auto [name, min, max] = range;
      bool isCorner = point < corners;
      // Small values matter most: there the terms of a formula change places.
      int64_t span = random() % 2 ? std::min<int64_t>(max - min, 64) : max - min;
      int64_t drawn = min + int64_t(random() % uint64_t(span + 1));
      sample[name] = isCorner ? (index < 6 && (point >> index) % 2 ? max : min) : drawn;
    }
    samples.push_back(std::move(sample));
  }
}

static std::optional<int64_t> evaluate(const DimExpr &expr, const Assignment &values) {
  return expr.evaluate([&](StringRef name) -> std::optional<int64_t> {
    auto found = values.find(name.str());
    return found == values.end() ? std::nullopt : std::optional(found->second);
  });
}

static std::string describe(const Assignment &values) {
  std::string text;
  for (auto &[name, value] : values)
    text += (text.empty() ? " for " : ", ") + name + " = " + std::to_string(value);
  return text;
}

std::optional<Assignment> PlacementProof::refute(const DimExpr &a, const DimExpr &b) {
  if (DimExpr::isAtLeast(a, b))
    return std::nullopt;
  for (const Assignment &sample : samples) {
    std::optional<int64_t> left = evaluate(a, sample), right = evaluate(b, sample);
    // A sample whose bytes overflow 64 bits says nothing: no machine runs it.
    if (left && right && *left < *right)
      return sample;
  }
  return std::nullopt;
}

/// Which tensors of the function share the bytes of a group's result, and when they are read last.
LogicalResult PlacementProof::collectTenants() {
  llvm::DenseMap<Value, size_t> tenantOf;
  int64_t step = 0;
  for (Operation &op : main.getBody().front()) {
    ++step;
    for (Value operand : op.getOperands())
      if (auto found = tenantOf.find(operand); found != tenantOf.end())
        tenants[found->second].lastRead = step;
    if (auto view = dyn_cast<dsc::ReshapeOp>(op))
      if (auto found = tenantOf.find(view.getInput()); found != tenantOf.end())
        tenantOf[view.getResult()] = found->second;
    auto group = dyn_cast<dsc::GroupOp>(op);
    if (!group)
      continue;
    auto offsets = group->getAttrOfType<dsc::DimsAttr>("offsets");
    auto outputs = group->getAttrOfType<ArrayAttr>("outputs");
    if (!offsets || !outputs || offsets.size() != group.getNumResults() || outputs.size() != group.getNumResults())
      return group.emitError("has no place for each of its results");
    for (auto [index, result] : llvm::enumerate(group.getResults())) {
      if (cast<IntegerAttr>(outputs[index]).getInt() >= 0)
        continue;
      tenantOf[result] = tenants.size();
      tenants.push_back({result, step, step, offsets.getDims()[index], countBytes(result.getType())});
    }
  }
  return success();
}

/// True if `expr` is a multiple of `divisor` whatever the named dims are.
static bool isMultiple(const DimExpr &expr, int64_t divisor) {
  return llvm::all_of(expr.getTerms(), [&](const DimExpr::Term &term) {
    return term.coefficient % divisor == 0 || llvm::any_of(term.factors, [&](auto &factor) {
             bool isExtremum = factor->kind == DimAtom::Kind::Max || factor->kind == DimAtom::Kind::Min;
             return isExtremum && llvm::all_of(factor->operands,
                                               [&](const DimExpr &operand) { return isMultiple(operand, divisor); });
           });
  });
}

LogicalResult PlacementProof::checkAlone(const Tenant &tenant) {
  Operation *op = tenant.value.getDefiningOp();
  if (!isMultiple(tenant.offset, bufferAlignment))
    return op->emitError("begins at ") << tenant.offset.str() << ", which is no multiple of " << bufferAlignment;
  if (auto sample = refute(tenant.offset, 0))
    return op->emitError("begins at ") << tenant.offset.str() << ", which is negative" << describe(*sample);
  if (std::optional<Assignment> sample = refute(arena, tenant.offset + tenant.bytes))
    return op->emitError("ends at ") << (tenant.offset + tenant.bytes).str() << ", outside the arena of "
                                     << arena.str() << " bytes" << describe(*sample);
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
      if (!isa<dsc::ElementwiseOpInterface>(user))
        return false;
      pending.push_back(user->getResult(0));
    }
  }
  return true;
}

/// A result may lie on an input that nobody reads afterwards, if both have the same bytes in the same order.
static bool takesOver(const Tenant &older, const Tenant &younger) {
  auto group = younger.value.getDefiningOp<dsc::GroupOp>();
  if (older.lastRead != younger.born || older.offset != younger.offset || older.bytes != younger.bytes ||
      group.getNumResults() != 1)
    return false;
  for (auto [input, argument] : llvm::zip_equal(group.getInputs(), group.getBody().getArguments())) {
    Value storage = input;
    while (auto view = storage.getDefiningOp<dsc::ReshapeOp>())
      storage = view.getInput();
    if (storage == older.value && !isReadAtOwnPlace(argument, dsc::getDims(younger.value)))
      return false;
  }
  return true;
}

LogicalResult PlacementProof::checkPair(const Tenant &older, const Tenant &younger) {
  if (younger.born > older.lastRead || takesOver(older, younger))
    return success();
  // Rounded sizes first: that is what offsets are made of, so the algebra sees it.
  DimExpr olderEnd = older.offset + alignBytes(older.bytes), youngerEnd = younger.offset + alignBytes(younger.bytes);
  if (DimExpr::isAtLeast(younger.offset, olderEnd) || DimExpr::isAtLeast(older.offset, youngerEnd))
    return success();
  for (const Assignment &sample : samples) {
    std::optional<int64_t> a = evaluate(older.offset, sample), aBytes = evaluate(older.bytes, sample);
    std::optional<int64_t> b = evaluate(younger.offset, sample), bBytes = evaluate(younger.bytes, sample);
    bool fits = a && b && aBytes && bBytes;
    if (!fits || *b >= *a + *aBytes || *a >= *b + *bBytes)
      continue;
    InFlightDiagnostic error = younger.value.getDefiningOp()->emitError("shares bytes with a tensor that is live");
    error << ", at " << younger.offset.str() << " and " << older.offset.str() << describe(sample);
    error.attachNote(older.value.getLoc()) << "the other tensor, of " << older.bytes.str() << " bytes";
    return error;
  }
  return success();
}

LogicalResult PlacementProof::run() {
  auto formula = main->getAttrOfType<StringAttr>("dsc.arena");
  if (!formula || !(arena = DimExpr::parse(formula.getValue())).isValid())
    return main.emitError("has no dsc.arena");
  if (failed(collectTenants()))
    return failure();
  for (const Tenant &tenant : tenants)
    if (failed(checkAlone(tenant)))
      return failure();
  // Tenants are in the order of birth.
  for (size_t i = 0; i < tenants.size(); ++i)
    for (size_t j = i + 1; j < tenants.size() && tenants[j].born <= tenants[i].lastRead; ++j)
      if (failed(checkPair(tenants[i], tenants[j])))
        return failure();
  return success();
}

LogicalResult verifyPlacement(func::FuncOp main, ArrayAttr symbols) { return PlacementProof(main, symbols).run(); }

} // namespace dscc
