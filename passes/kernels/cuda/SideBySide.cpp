// Groups on CUDA that do not wait for each other, in one launch: each has blocks of its own.
//
//   blocks   0 1 2 3 4 5 | 6 7 | 8 9
//            product q   | k   | v       if (block < 6) { q } else { k or v, which are equal work: one code for both,
//                                                                 with the pointers of the part that the block is of }
//
// Blocks of all parts are alike (KernelEmitter::besides). Their code knows nothing of each other: it is written with
// the block's number within the part. No block needs the shared memory of two parts, so they have the same one.

#include "passes/kernels/Emitters.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/Work.h"

#include "dialects/dsc/Storage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

static const KernelEmitter &emitterOf(dsc::GroupOp part, dsc::ScheduleAttr schedule) {
  const KernelEmitter *emitter = findKernelEmitter(scheduleOfPart(part, schedule).getEmitter());
  assert(emitter && "schedules of parts are checked first");
  return *emitter;
}

static Verdict acceptsSideBySide(dsc::GroupOp group, const Target &target) {
  SmallVector<dsc::GroupOp> parts = dsc::partsOf(group);
  if (parts.empty())
    return Verdict::declined("there are no groups in it");
  if (target.device != Device::Cuda)
    return Verdict::declined("the target is no GPU");
  for (dsc::GroupOp part : parts)
    for (dsc::ScheduleAttr schedule : part.getSchedules()) {
      const KernelEmitter *emitter = findKernelEmitter(schedule.getEmitter());
      if (!emitter)
        return Verdict::declined("a group in it has a schedule that names no emitter");
      if (Verdict verdict = accepts(*emitter, part, target); !verdict)
        return verdict;
      if (!emitter->besides)
        return Verdict::declined("a group in it is written in a way that has no other beside it");
    }
  return Verdict::accepted();
}

static Verdict allowsSideBySide(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  SmallVector<dsc::GroupOp> parts = dsc::partsOf(group);
  for (dsc::GroupOp part : parts) {
    dsc::ScheduleAttr own = scheduleOfPart(part, schedule), first = scheduleOfPart(parts[0], schedule);
    const KernelEmitter &emitter = emitterOf(part, schedule);
    if (Verdict verdict = emitter.allows ? emitter.allows(part, target, own) : Verdict::accepted(); !verdict)
      return verdict;
    if (own.getEmitter() != first.getEmitter() || !emitter.besides(own, first) ||
        emitter.countKernels(part, own) != emitter.countKernels(parts[0], first))
      return Verdict::declined("the groups in it have blocks that are not alike");
  }
  return Verdict::accepted();
}

static SmallVector<dsc::ScheduleAttr> sideBySideCandidates(dsc::GroupOp group, const Target &) {
  return {dsc::ScheduleAttr::get(group.getContext(), "side_by_side", {{"way", 0}})};
}

/// As if one were written after the other.
static double estimateSideBySide(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                                 const Sizes &sizes) {
  double seconds = 0;
  for (dsc::GroupOp part : dsc::partsOf(group))
    seconds += emitterOf(part, schedule).estimate(part, target, scheduleOfPart(part, schedule), sizes);
  return seconds;
}

static size_t countSideBySide(dsc::GroupOp group, dsc::ScheduleAttr schedule) {
  dsc::GroupOp first = dsc::partsOf(group)[0];
  return emitterOf(first, schedule).countKernels(first, scheduleOfPart(first, schedule));
}

/// Of one part; they follow each other.
static DimExpr workspaceOf(dsc::GroupOp part, const Target &target, dsc::ScheduleAttr schedule) {
  const KernelEmitter &emitter = emitterOf(part, schedule);
  return emitter.workspace ? alignBytes(emitter.workspace(part, target, scheduleOfPart(part, schedule))) : DimExpr(0);
}

static DimExpr sideBySideWorkspace(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  DimExpr bytes = 0;
  for (dsc::GroupOp part : dsc::partsOf(group))
    bytes = bytes + workspaceOf(part, target, schedule);
  return bytes;
}

namespace {
/// A part, and what of the whole group's is its own.
struct Part {
  dsc::GroupOp group;
  size_t firstResult;
  DimExpr workspace; // where its own begins
};

class SideBySideWriter {
public:
  explicit SideBySideWriter(Kernel &kernel) : kernel(kernel), k(kernel.k) {}

  LogicalResult write();

private:
  using Kind = SmallVector<Part>; // parts of equal work

  void collectKinds();
  LogicalResult writeKind(const Kind &kind, Value block, DimExpr &grid);
  Value pointerOf(const Kind &kind, Value number, function_ref<Value(const Part &)> pointer);
  TensorMap mapOf(const Part &part, TensorMap map);
  Value placeholder(Type type);
  void shareMemory();

  Kernel &kernel;
  KernelBuilder &k;
  llvm::MapVector<StringRef, Kind> kinds;
  std::vector<std::string> works;
  // What all parts' arrays in shared memory begin with, none of which is there at the same time as another part's.
  Value sharedMemory;
  int64_t sharedBytes = 0;
};
} // namespace

void SideBySideWriter::collectKinds() {
  size_t result = 0;
  DimExpr workspace = 0;
  SmallVector<dsc::GroupOp> parts = dsc::partsOf(kernel.group);
  works.reserve(parts.size());
  for (dsc::GroupOp part : parts) {
    works.push_back(describeWork(part, scheduleOfPart(part, kernel.schedule)));
    kinds[works.back()].push_back({part, result, workspace});
    result += part.getNumResults();
    workspace = workspace + workspaceOf(part, kernel.target, kernel.schedule);
  }
}

/// Stands at the kernel's begin for what is known later.
Value SideBySideWriter::placeholder(Type type) {
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPointToStart(k.entry);
  return UnrealizedConversionCastOp::create(k.b, k.loc, type, ValueRange{}).getResult(0);
}

static void replacePlaceholder(Value placeholder, Value value) {
  placeholder.replaceAllUsesWith(value);
  placeholder.getDefiningOp()->erase();
}

/// The pointer of part `number`, which may be that of all of them.
Value SideBySideWriter::pointerOf(const Kind &kind, Value number, function_ref<Value(const Part &)> pointer) {
  Value selected = pointer(kind[0]);
  for (size_t i = 1; i < kind.size(); ++i) {
    Value own = pointer(kind[i]);
    if (own == selected)
      continue;
    Value isOwn = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, number, k.index(i));
    selected = arith::SelectOp::create(k.b, k.loc, isOwn, own, selected);
  }
  return selected;
}

/// The map of a part's tensor as one of the whole group's.
TensorMap SideBySideWriter::mapOf(const Part &part, TensorMap map) {
  int64_t inputs = part.group->getNumOperands();
  if (map.tensor >= inputs)
    map.tensor += int64_t(kernel.group.getNumOperands() + part.firstResult) - inputs;
  else
    map.tensor = cast<BlockArgument>(part.group->getOperand(map.tensor)).getArgNumber();
  return map;
}

/// Writes the code of equal parts, each of which has `grid` blocks.
LogicalResult SideBySideWriter::writeKind(const Kind &kind, Value block, DimExpr &grid) {
  dsc::GroupOp first = kind[0].group;
  dsc::ScheduleAttr schedule = scheduleOfPart(first, kernel.schedule);
  Value blocks, number;
  if (kind.size() > 1) {
    // How many blocks a part has is known once it is written.
    blocks = placeholder(k.b.getIndexType());
    number = arith::DivUIOp::create(k.b, k.loc, block, blocks);
    block = arith::RemUIOp::create(k.b, k.loc, block, blocks);
  }
  SmallVector<Value> inputs, results;
  for (size_t i = 0; i < first.getNumOperands(); ++i)
    inputs.push_back(
        pointerOf(kind, number, [&](const Part &part) { return k.pointers.lookup(part.group->getOperand(i)); }));
  for (size_t i = 0; i < first.getNumResults(); ++i)
    results.push_back(pointerOf(kind, number, [&](const Part &part) { return kernel.results[part.firstResult + i]; }));
  Value workspace;
  if (!workspaceOf(first, kernel.target, kernel.schedule).isConstant(0))
    workspace = pointerOf(kind, number, [&](const Part &part) {
      return part.workspace.isConstant(0) ? kernel.workspace
                                          : k.elementAddress(kernel.workspace, k.b.getI8Type(), k.dim(part.workspace));
    });
  KernelBuilder own(k.b, k.loc, k.target, 1);
  own.entry = k.entry;
  own.entryPoint = k.entryPoint;
  own.symbols = k.symbols;
  bindTensors(own, first, inputs);
  Kernel part{first,   own,       kernel.target,        schedule,   block, kernel.thread,
              results, workspace, kernel.scratchMemory, kernel.step};
  part.makeTensorMap = [&](const TensorMap &map) {
    return pointerOf(kind, number, [&](const Part &one) { return kernel.addTensorMap(mapOf(one, map)); });
  };
  if (failed(emitterOf(first, kernel.schedule).emit(part)))
    return failure();
  kernel.shared = std::max(kernel.shared, part.shared);
  kernel.threads = part.threads;
  kernel.gridY = part.gridY;
  kernel.cluster = part.cluster;
  k.lacksDim |= own.lacksDim;
  grid = part.grid;
  if (blocks) {
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPoint(k.entryPoint);
    replacePlaceholder(blocks, k.dim(grid));
  }
  shareMemory();
  return success();
}

/// Moves the arrays of the part that has just been written to where all parts have theirs.
void SideBySideWriter::shareMemory() {
  auto function = k.entry->getParent()->getParentOfType<LLVM::LLVMFuncOp>();
  int64_t end = 0;
  for (auto address : llvm::make_early_inc_range(k.entry->getOps<LLVM::AddressOfOp>())) {
    auto global = SymbolTable::lookupNearestSymbolFrom<LLVM::GlobalOp>(function, address.getGlobalNameAttr());
    // What the launch is asked for begins at the same place for all.
    if (!global || global.getAddrSpace() != 3 || global.getLinkage() == LLVM::Linkage::External)
      continue;
    auto array = cast<LLVM::LLVMArrayType>(global.getType());
    int64_t begin = llvm::alignTo(end, global.getAlignment().value_or(sharedAlignment));
    end = begin + array.getNumElements() * getElementBytes(array.getElementType());
    OpBuilder::InsertionGuard guard(k.b);
    if (!sharedMemory)
      sharedMemory = placeholder(address.getType());
    k.b.setInsertionPoint(address);
    Value moved = LLVM::GEPOp::create(k.b, k.loc, address.getType(), k.b.getI8Type(), sharedMemory,
                                      ArrayRef<LLVM::GEPArg>{int32_t(begin)});
    address.replaceAllUsesWith(moved);
    address.erase();
    global.erase();
  }
  sharedBytes = std::max(sharedBytes, end);
}

LogicalResult SideBySideWriter::write() {
  collectKinds();
  OpBuilder::InsertionGuard guard(k.b);
  Value block = kernel.block;
  DimExpr all = 0;
  for (auto [number, entry] : llvm::enumerate(kinds)) {
    const Kind &kind = entry.second;
    bool isLast = number + 1 == kinds.size();
    scf::IfOp choice;
    if (!isLast) {
      choice = scf::IfOp::create(k.b, k.loc, k.constantInt(k.b.getI1Type(), 1), /*withElseRegion=*/true);
      k.b.setInsertionPoint(choice.thenBlock()->getTerminator());
    }
    DimExpr grid;
    if (failed(writeKind(kind, block, grid)))
      return failure();
    DimExpr blocks = grid * int64_t(kind.size());
    all = all + blocks;
    if (isLast)
      break;
    k.b.setInsertionPoint(choice);
    Value end = k.dim(blocks);
    choice.getConditionMutable().assign(arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, block, end));
    k.b.setInsertionPoint(choice.elseBlock()->getTerminator());
    block = k.sub(block, end);
  }
  if (sharedMemory) {
    Value array = declareShared(k, "shared", k.b.getI8Type(), sharedBytes, sharedAlignment);
    // In front of all that begins there.
    array.getDefiningOp()->moveBefore(sharedMemory.getDefiningOp());
    replacePlaceholder(sharedMemory, array);
  }
  kernel.grid = all;
  return kernel.finish();
}

static LogicalResult emitSideBySide(Kernel &kernel) { return SideBySideWriter(kernel).write(); }

static constexpr Parameter sideBySideParameters[] = {{"way", 0, 15}};
const KernelEmitter sideBySideEmitter = {"side_by_side",          sideBySideParameters, acceptsSideBySide,
                                         allowsSideBySide,        sideBySideCandidates, estimateSideBySide,
                                         emitSideBySide,
                                         /*severalResults=*/true, countSideBySide,      sideBySideWorkspace};

} // namespace dscc::kernels
