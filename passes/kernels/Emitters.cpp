#include "passes/kernels/Emitters.h"

#include "dialects/dsc/Windows.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

//===-- Sizes ---------------------------------------------------------------------------------------------------===//

Sizes::Sizes(Operation *op, int64_t usual, StringRef own, int64_t ofOwn) : usual(usual) {
  for (; op; op = op->getParentOp())
    if (auto symbols = op->getAttrOfType<ArrayAttr>("dsc.symbols"))
      for (auto symbol : symbols.getAsRange<DictionaryAttr>()) {
        auto number = [&](StringRef name) { return symbol.getAs<IntegerAttr>(name).getInt(); };
        auto name = symbol.getAs<StringAttr>("name");
        values[name] = std::min(number("max"), std::max(number("min"), name.getValue() == own ? ofOwn : usual));
      }
}

double Sizes::of(const DimExpr &dim) const {
  auto valueOf = [&](StringRef name) {
    auto found = values.find(name);
    return std::optional<int64_t>(found == values.end() ? usual : found->second);
  };
  std::optional<int64_t> value = dim.isValid() ? dim.evaluate(valueOf) : std::nullopt;
  return value ? double(*value) : INFINITY;
}

double Sizes::count(ArrayRef<DimExpr> dims) const {
  double product = 1;
  for (const DimExpr &dim : dims)
    product *= of(dim);
  return product;
}

double together(double a, double b) {
  constexpr double sharpness = 6;
  return std::pow(std::pow(a, sharpness) + std::pow(b, sharpness), 1 / sharpness);
}

//===-- Kernels -------------------------------------------------------------------------------------------------===//

int64_t Kernel::scheduled(StringRef name) const {
  std::optional<int64_t> value = schedule.lookup(name);
  assert(value && "a schedule that was read has all parameters of its emitter");
  return *value;
}

std::optional<Strided> findStrided(dsc::GroupOp group, size_t number) {
  std::optional<Window> window = readStrided(group, number);
  if (!window)
    return std::nullopt;
  size_t inputs = group.getNumOperands();
  Value tensor = number < inputs ? group.getOperand(number) : Value(group.getResult(number - inputs));
  return Strided{dsc::getDims(tensor), window->strides};
}

std::optional<Strided> findStridedInside(dsc::GroupOp group, size_t number) {
  std::optional<Strided> window = findStrided(group, number);
  if (!window)
    return std::nullopt;
  size_t inputs = group.getNumOperands();
  Value inside = number < inputs ? Value(group.getBody().getArgument(number)) : group.getYielded()[number - inputs];
  std::optional<dsc::Dims> strides = restride(window->dims, window->strides, dsc::getDims(inside));
  assert(strides && "dims are joined only where a window has no gap");
  return Strided{dsc::getDims(inside), *strides};
}

SmallVector<Value> Kernel::resultStrides(size_t number) {
  std::optional<Strided> window = findStrided(group, group.getNumOperands() + number);
  return k.stridesOf(dsc::getDims(group.getBody().front().getTerminator()->getOperand(number)),
                     window ? &*window : nullptr);
}

LogicalResult Kernel::finish() {
  if (grid.isValid() && !k.lacksDim)
    return success();
  return group.emitOpError("takes a number of steps that is too large, or too long a formula of the named dims");
}

Operation *findContraction(dsc::GroupOp group) {
  for (Operation &op : group.getBody().front().without_terminator())
    if (isa<dsc::MatmulOp, dsc::ConvOp>(op))
      return &op;
  return nullptr;
}

Verdict isTiled(dsc::GroupOp group) {
  Operation *hero = findContraction(group);
  if (!hero)
    return Verdict::declined("there is no product or convolution");
  if (!hasElementCode(group, nullptr))
    return Verdict::declined("an op has no code for one element");
  if (dotTerms(hero))
    return Verdict::declined("the product has one column, which is better summed as rows");
  if (dsc::getDims(rootOf(group)) != dsc::getDims(hero->getResult(0)))
    return Verdict::declined("the group's result has other dims than the hero");
  for (Operation *user : hero->getUsers())
    if (!dsc::isElementwise(user) && !isa<dsc::YieldOp>(user))
      return Verdict::declined("what follows the hero is not elementwise");
  return Verdict::accepted();
}

Verdict isRootedIn(dsc::GroupOp group, Operation *hero) {
  for (Operation &op : group.getBody().front().without_terminator())
    if (&op != hero && !hasElementCode(&op))
      return Verdict::declined("an op has no code for one element");
  for (Value value : group.getYielded())
    if (value.getDefiningOp() != hero)
      return Verdict::declined("a result of the group is not the hero's");
  return Verdict::accepted();
}

Verdict hasLanes(const Target &target, int64_t width) {
  if (target.device == Device::Cuda)
    return Verdict::acceptedIf(width == 1, "a thread has no lanes");
  return Verdict::acceptedIf(llvm::isPowerOf2_64(width) && width <= target.vectorBits / 8,
                             "the width is no power of 2 that a register has");
}

/// The longest part of a kernel's name that says what it does.
static constexpr size_t maxLabel = 40;

/// The group's ops in order, as in "conv_add_relu".
std::string labelOf(dsc::GroupOp group) {
  std::string label;
  StringRef last;
  for (Operation &op : group.getBody().front().without_terminator()) {
    StringRef name = op.getName().stripDialect();
    if (name == last || isa<dsc::ConstantOp>(op) || label.size() + name.size() >= maxLabel)
      continue;
    label += (label.empty() ? "" : "_") + name.str();
    last = name;
  }
  return label.empty() ? "copy" : label;
}

Value rootOf(dsc::GroupOp group) {
  assert(group.getNumResults() == 1 && "an emitter of one result is given no group with several");
  return group.getYielded()[0];
}

//===-- Emitters ------------------------------------------------------------------------------------------------===//

const Target *targetOf(Operation *op) {
  auto module = isa<ModuleOp>(op) ? cast<ModuleOp>(op) : op->getParentOfType<ModuleOp>();
  auto name = module ? module->getAttrOfType<StringAttr>("dsc.target") : StringAttr();
  return name ? findTarget(name) : nullptr;
}

ArrayRef<KernelEmitter> allKernelEmitters() {
  static const KernelEmitter emitters[] = {
      attentionEmitter,   recurrenceEmitter, topKEmitter,        tensorTilesEmitter, warpgroupTilesEmitter,
      sharedTilesEmitter, splitTilesEmitter, tilesEmitter,       rowsEmitter,        splitRowsEmitter,
      blockRowsEmitter,   bulkCopyEmitter,   elementwiseEmitter, sideBySideEmitter};
  return emitters;
}

bool alwaysBeside(dsc::ScheduleAttr, dsc::ScheduleAttr) { return true; }

bool besideEqual(dsc::ScheduleAttr a, dsc::ScheduleAttr b) { return a.everywhere() == b.everywhere(); }

const KernelEmitter *findKernelEmitter(StringRef name) {
  for (const KernelEmitter &emitter : allKernelEmitters())
    if (emitter.name == name)
      return &emitter;
  return nullptr;
}

Verdict accepts(const KernelEmitter &emitter, dsc::GroupOp group, const Target &target) {
  if (group.getNumResults() != 1 && !emitter.severalResults)
    return Verdict::declined("the group has several results");
  return emitter.accepts(group, target);
}

/// What is wrong with the parameters of a schedule; empty if nothing is.
static std::string whyNotParameters(const KernelEmitter &emitter, dsc::ScheduleAttr schedule) {
  for (const Parameter &parameter : emitter.parameters) {
    std::optional<int64_t> value = schedule.lookup(parameter.name);
    if (!value)
      return ("lacks '" + parameter.name + "'").str();
    if (*value < parameter.least || *value > parameter.most)
      return ("has '" + parameter.name + "' outside of [" + Twine(parameter.least) + ", " + Twine(parameter.most) + "]")
          .str();
  }
  for (NamedAttribute entry : schedule.getParameters())
    if (llvm::none_of(emitter.parameters, [&](const Parameter &p) { return p.name == entry.getName().getValue(); }))
      return ("has '" + entry.getName().getValue() + "', which its emitter does not know").str();
  return "";
}

const KernelEmitter *readSchedule(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  const KernelEmitter *emitter = findKernelEmitter(schedule.getEmitter());
  auto complain = [&](const Twine &problem) {
    group.emitOpError("has the schedule ") << schedule << ", which " << problem;
    return nullptr;
  };
  if (!emitter)
    return complain("names no emitter");
  if (Verdict verdict = accepts(*emitter, group, target); !verdict)
    return complain("does not fit the group: " + verdict.why());
  if (std::string problem = whyNotParameters(*emitter, schedule); !problem.empty())
    return complain(problem);
  if (!emitter->allows)
    return emitter;
  if (Verdict verdict = emitter->allows(group, target, schedule); !verdict)
    return complain("cannot be followed: " + verdict.why());
  return emitter;
}

DimExpr countWorkspace(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  const KernelEmitter *emitter = findKernelEmitter(schedule.getEmitter());
  DimExpr bytes = emitter && emitter->workspace ? emitter->workspace(group, target, schedule) : DimExpr(0);
  std::optional<DimExpr> condition = schedule.getCondition();
  std::optional<std::string> symbol = condition ? condition->asSymbol() : std::nullopt;
  if (!symbol)
    return bytes;
  return bytes.substitute([&](StringRef name) -> std::optional<DimExpr> {
    if (name != *symbol)
      return std::nullopt;
    return DimExpr::min(*condition, schedule.getMost());
  });
}

DimExpr countWorkspace(dsc::GroupOp group, const Target &target) {
  DimExpr most = 0;
  for (dsc::ScheduleAttr schedule : group.getSchedules())
    most = DimExpr::max(most, countWorkspace(group, target, schedule));
  return most;
}

LogicalResult checkSchedules(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::ScheduleAttr> schedules = group.getSchedules();
  if (schedules.empty())
    return group.emitOpError("has no schedule");
  if (!llvm::all_of(schedules, [&](dsc::ScheduleAttr one) { return bool(readSchedule(group, target, one)); }))
    return failure();
  if (!countWorkspace(group, target).isValid())
    return group.emitOpError("wants a workspace that is too large, or too long a formula of the named dims");
  return success();
}

} // namespace dscc::kernels
