#include "dialects/dsc/TensorMaps.h"
#include "dialects/dsc/Windows.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

/// group (C5), launch (C3): a window for each input, then for each result.
static LogicalResult verifyTensorWindows(Operation *op) {
  SmallVector<Type> tensors(op->getOperandTypes());
  llvm::append_range(tensors, op->getResultTypes());
  return verifyWindows(op, tensors);
}

/// group (C6), launch (C6)
static LogicalResult verifyWorkspace(Operation *op) {
  if (Attribute bytes = op->getAttr("workspace"))
    if (auto dims = dyn_cast<DimsAttr>(bytes); !dims || dims.size() != 1)
      return op->emitOpError("has the workspace ") << bytes << ", which is no single dim expression";
  if (Attribute place = op->getAttr("workspace_place"))
    if (auto number = dyn_cast<IntegerAttr>(place); !number || number.getInt() < 0)
      return op->emitOpError("has its workspace in place ") << place;
  return success();
}

/// group (C4), launch (C2): `places` and `outputs` have a number for each result.
static LogicalResult verifyPlaces(Operation *op) {
  size_t results = op->getNumResults();
  if (Attribute value = op->getAttr("places")) {
    auto places = dyn_cast<DenseI64ArrayAttr>(value);
    if (!places || size_t(places.size()) != results ||
        llvm::any_of(places.asArrayRef(), [](int64_t place) { return place < -1; }))
      return op->emitOpError("has the places ") << value << " for " << results << " results";
  }
  if (Attribute value = op->getAttr("outputs")) {
    auto outputs = dyn_cast<ArrayAttr>(value);
    auto isOutput = [](Attribute attribute) {
      auto number = dyn_cast<IntegerAttr>(attribute);
      return number && number.getType().isSignlessInteger(64) && number.getInt() >= -1;
    };
    if (!outputs || outputs.size() != results || !llvm::all_of(outputs, isOutput))
      return op->emitOpError("has the outputs ") << value << " for " << results << " results";
  }
  return success();
}

/// group (C1), (C2): the same elements in the same order, whatever the dims.
static bool areViews(TypeRange outside, TypeRange inside) {
  return outside.size() == inside.size() && llvm::all_of(llvm::zip_equal(outside, inside), [](auto pair) {
           auto [a, b] = pair;
           auto outer = dyn_cast<RankedTensorType>(a), inner = dyn_cast<RankedTensorType>(b);
           if (a == b || !outer || !inner || outer.getElementType() != inner.getElementType())
             return a == b;
           // Of what is beyond counting, nobody can say that it differs.
           dscc::DimExpr before = countElements(dscc::dsc::getDims(outer)),
                         after = countElements(dscc::dsc::getDims(inner));
           return !before.isValid() || !after.isValid() || before == after;
         });
}

/// group (C3)
static bool isSchedule(Attribute attribute) {
  if (auto schedule = dyn_cast<ScheduleAttr>(attribute))
    return !schedule.getDim();
  auto list = dyn_cast<ArrayAttr>(attribute);
  if (!list || list.empty() || !llvm::all_of(list, [](Attribute entry) { return isa<ScheduleAttr>(entry); }))
    return false;
  return !cast<ScheduleAttr>(list[list.size() - 1]).getDim() &&
         llvm::all_of(llvm::drop_end(list), [](Attribute entry) { return bool(cast<ScheduleAttr>(entry).getDim()); });
}

SmallVector<ScheduleAttr> GroupOp::getSchedules() {
  Attribute schedule = (*this)->getAttr("schedule");
  if (auto one = dyn_cast_or_null<ScheduleAttr>(schedule))
    return {one};
  SmallVector<ScheduleAttr> schedules;
  if (auto list = dyn_cast_or_null<ArrayAttr>(schedule))
    llvm::append_range(schedules, list.getAsRange<ScheduleAttr>());
  return schedules;
}

dscc::DimExpr GroupOp::getWorkspace() {
  auto bytes = (*this)->getAttrOfType<DimsAttr>("workspace");
  return bytes ? bytes.getDims()[0] : DimExpr(0);
}

SmallVector<GroupOp> dscc::dsc::partsOf(GroupOp group) {
  return llvm::to_vector(group.getBody().front().getOps<GroupOp>());
}

/// The entry of `windows` for tensor `number` of the group, inputs first; null if it has no windows.
static Attribute windowOf(GroupOp group, size_t number) {
  auto windows = group->getAttrOfType<ArrayAttr>(windowsName);
  Attribute window = windows ? windows[number] : Attribute();
  return isa_and_nonnull<UnitAttr>(window) ? Attribute() : window;
}

/// group (C7)
static LogicalResult verifyParts(GroupOp group) {
  SmallVector<GroupOp> parts = partsOf(group);
  if (parts.empty())
    return success();
  Block &block = group.getBody().front();
  if (parts.size() + 1 != block.getOperations().size())
    return group.emitOpError("has groups in its body, and other ops beside them");
  SmallVector<Value> made;
  for (GroupOp part : parts) {
    if (part.getSchedules().empty())
      return part.emitOpError("stands beside others and has no schedule");
    for (auto [number, input] : llvm::enumerate(part.getInputs())) {
      auto argument = dyn_cast<BlockArgument>(input);
      if (!argument)
        return part.emitOpError("reads what a group beside it makes");
      if (windowOf(part, number) != windowOf(group, argument.getArgNumber()))
        return part.emitOpError("has input ") << number << " in another window than the group that it is in";
    }
    for (size_t result = 0; result < part.getNumResults(); ++result)
      if (windowOf(part, part.getNumOperands() + result) !=
          windowOf(group, group.getNumOperands() + made.size() + result))
        return part.emitOpError("has result ") << result << " in another window than the group that it is in";
    llvm::append_range(made, part.getResults());
  }
  if (made != SmallVector<Value>(group.getYielded()))
    return group.emitOpError("does not yield what the groups in its body make, in order");
  return success();
}

void GroupOp::setSchedules(ArrayRef<ScheduleAttr> schedules) {
  assert(!schedules.empty() && !schedules.back().getDim() && "the last schedule is for all runs");
  Builder builder(getContext());
  SmallVector<Attribute> list(schedules.begin(), schedules.end());
  (*this)->setAttr("schedule", list.size() == 1 ? list[0] : builder.getArrayAttr(list));
}

LogicalResult GroupOp::verify() {
  Block &block = getBody().front();
  // group (C1)
  if (!areViews(getInputs().getTypes(), block.getArgumentTypes()))
    return emitOpError("has inputs ") << getInputs().getTypes() << " but a body that takes "
                                      << block.getArgumentTypes();
  // group (C2)
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError("must end in dsc.yield");
  if (!areViews(getResultTypes(), yield.getOperandTypes()))
    return emitOpError("yields ") << yield.getOperandTypes() << " but returns " << getResultTypes();
  // group (C3)
  if (Attribute schedule = (*this)->getAttr("schedule"); schedule && !isSchedule(schedule))
    return emitOpError("has the schedule ")
           << schedule << ", which is no #dsc.schedule for all runs, nor a list that ends in one";
  if (failed(verifyTensorWindows(*this)) || failed(verifyWorkspace(*this)) || failed(verifyParts(*this)))
    return failure();
  return verifyPlaces(*this);
}

/// launch (C7): the lists of all kernels.
static LogicalResult verifyTensorMaps(LaunchOp op) {
  size_t tensors = op.getInputs().size() + op.getNumResults();
  auto verify = [&](DictionaryAttr entry) -> LogicalResult {
    Attribute value = entry.get(dscc::tensorMapsName);
    auto maps = dyn_cast_or_null<ArrayAttr>(value);
    if (!value || (maps && llvm::all_of(maps, [&](Attribute map) { return dscc::readTensorMap(map, tensors); })))
      return success();
    return op.emitOpError("has the tensor maps ")
           << value << ", which are not {tensor, element, dims, strides, box, swizzle, pixels} of one of " << tensors
           << " tensors, as the hardware wants them";
  };
  auto verifyAll = [&](std::optional<ArrayAttr> entries) {
    return success(!entries || llvm::all_of(entries->getAsRange<DictionaryAttr>(),
                                            [&](DictionaryAttr entry) { return succeeded(verify(entry)); }));
  };
  if (failed(verify(op->getAttrDictionary())) || failed(verifyAll(op.getBefore())) ||
      failed(verifyAll(op.getAlternatives())))
    return failure();
  if (op.getAlternatives())
    for (auto entry : op.getAlternatives()->getAsRange<DictionaryAttr>())
      if (auto before = entry.getAs<ArrayAttr>("before"); before && failed(verifyAll(before)))
        return failure();
  return success();
}

/// The parts of an entry that say what is launched.
static bool hasKernelAndGrid(DictionaryAttr entry) {
  auto grid = entry.getAs<DimsAttr>("grid");
  return entry.getAs<FlatSymbolRefAttr>("kernel") && grid && grid.size() == 3;
}

/// How many of its parts an entry may do without.
static size_t countOptional(DictionaryAttr entry) {
  return entry.contains("before") + entry.contains(dscc::tensorMapsName);
}

/// launch (C5)
static bool isKernelBefore(Attribute attribute) {
  auto entry = dyn_cast<DictionaryAttr>(attribute);
  return entry && !entry.contains("before") && entry.size() == 2 + countOptional(entry) && hasKernelAndGrid(entry);
}

/// launch (C3)
static bool isAlternative(Attribute attribute) {
  auto entry = dyn_cast<DictionaryAttr>(attribute);
  if (!entry || !hasKernelAndGrid(entry))
    return false;
  auto dim = entry.getAs<DimsAttr>("dim");
  auto before = entry.getAs<ArrayAttr>("before");
  return entry.getAs<IntegerAttr>("most") && dim && dim.size() == 1 && entry.size() == 4 + countOptional(entry) &&
         (!before || llvm::all_of(before, isKernelBefore));
}

LogicalResult LaunchOp::verify() {
  // launch (C1)
  if (getGrid().size() != 3)
    return emitOpError("has a grid of ") << getGrid().size() << " counts, which must be 3";
  if (getAlternatives() && !llvm::all_of(*getAlternatives(), isAlternative))
    return emitOpError("has the alternatives ") << *getAlternatives() << ", which are not {kernel, grid, dim, most}";
  if (getBefore() && !llvm::all_of(*getBefore(), isKernelBefore))
    return emitOpError("has before it ") << *getBefore() << ", which are not {kernel, grid}";
  if (failed(verifyTensorMaps(*this)))
    return failure();
  if (failed(verifyTensorWindows(*this)) || failed(verifyWorkspace(*this)))
    return failure();
  return verifyPlaces(*this);
}
