// Turns each target's list of launches into the host program that the runtime calls.
//
//     %y = dsc.launch @k(%x, %w)          run(args):   check the relations of the named dims
//     return %y                    ==>                 slots = {x, w, y}; launch(queue, k, grid, slots)
//                                                      return 0
//
// Launches are numbered; `dsc.launches` lists their kernels and the ONNX nodes that each stands for.
//
// The program touches no tensor: it computes addresses and sizes and hands them to the runtime's services. Kernel
// arguments lie in one set of slots that all launches share, because a service copies them before it returns.

#include "dialects/dsc/Dsc.h"
#include "dialects/dsc/Nodes.h"
#include "dialects/dsc/Storage.h"
#include "dialects/dsc/Targets.h"
#include "dialects/dsc/TensorMaps.h"
#include "dialects/dsc/Windows.h"
#include "passes/DimNames.h"
#include "passes/Passes.h"
#include "passes/memory/ArenaFormula.h"
#include "passes/stream/HostProgram.h"
#include "passes/stream/VerifyLaunches.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/Statistic.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <dscc/abi.h>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_BUILDPROGRAM
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-build-program"
ALWAYS_ENABLED_STATISTIC(numLaunches, "Kernels launched by a run");
ALWAYS_ENABLED_STATISTIC(numCopies, "Copies made by a run");

/// dscc_status of <dscc/dscc.h>: the inputs do not fit together.
constexpr int32_t badInput = 2;

/// The most elements of a tensor. Kernels with 32-bit indices round them up to whole blocks. With 64 bits it is more
/// than any machine holds, and few enough that no sum of sizes overflows.
static double getMaxElements(const Target &target) { return target.indexBits == 32 ? 0x1p31 - 0x1p16 : 0x1p44; }

#define POINTER_INDEX(type, field) (offsetof(type, field) / sizeof(void *))
#define SERVICE(field) #field, POINTER_INDEX(dscc_services, field)

namespace {
/// Writes @run of one target.
class ProgramWriter {
public:
  ProgramWriter(OpBuilder &builder, func::FuncOp main, ArrayRef<Place> places, ArrayAttr symbols)
      : main(main), places(places), f(builder, main.getLoc(), "run", {LLVM::LLVMPointerType::get(main.getContext())},
                                      builder.getI32Type(), symbols) {}

  void write(ArrayAttr relations, double maxElements);
  ArrayAttr getWeights() { return f.b.getArrayAttr(weights.getArrayRef()); }
  ArrayAttr getLaunches() { return f.b.getArrayAttr(launches); }
  ArrayAttr getMaps() { return f.b.getArrayAttr(maps); }
  ArrayAttr getServices() { return f.b.getArrayAttr(services.getArrayRef()); }
  unsigned numCopies = 0;

private:
  void readArguments();
  void checkRelation(DictionaryAttr relation);
  void checkCounts(double maxElements);
  Value isCountable(ArrayRef<DimExpr> dims, double maxElements);
  void launch(dsc::LaunchOp op);
  void launchIf(Value condition, dsc::LaunchOp op, DictionaryAttr entry);
  void encodeMaps(dsc::LaunchOp op, ArrayAttr maps, int64_t slot);
  void launchAll(Value condition, dsc::LaunchOp op, DictionaryAttr entry);
  void copyReturned(unsigned index, Value value);
  void call(StringRef name, unsigned service, ValueRange arguments);
  Value pointerTo(Value tensor);
  Value pointerToResult(Operation *op, unsigned index);
  Value pointerToWindow(dsc::LaunchOp op, unsigned number, Value tensor, Value begin);
  Value predicate(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(f.b, f.loc, predicate, a, b);
  }

  func::FuncOp main;
  ArrayRef<Place> places;
  HostFunction f;
  SmallVector<Value> offsets; // of the places
  Value servicePointers, queue, inputs, outputs, arena, weightPointers;
  Value gridSlots, values, pointers; // pointers[i] = &values[i]
  Value mapDims, mapStrides;         // of the tensor map that is being made
  llvm::SetVector<Attribute> weights;
  SmallVector<Attribute> launches, maps;
  llvm::SetVector<Attribute> services; // the names of those that are called
};
} // namespace

static int64_t countSlots(func::FuncOp main) {
  size_t most = 1, maps = 0;
  for (auto launch : main.getOps<dsc::LaunchOp>()) {
    most = std::max(most, launch.getInputs().size() + launch.getNumResults() + 1 + launch.getSymbols().size());
    // Of any of its kernels.
    launch->getAttrDictionary().walk([&](DictionaryAttr entry) {
      if (auto list = entry.getAs<ArrayAttr>(tensorMapsName))
        maps = std::max(maps, list.size());
    });
  }
  return most + maps;
}

/// Where each place begins, and last where the highest one ends. To be called in the entry block.
static SmallVector<Value> computeOffsets(HostFunction &f, ArrayRef<Place> places) {
  SmallVector<Value> offsets, ends;
  auto highest = [&](auto &&indices) {
    Value most;
    for (size_t index : indices)
      most = most ? arith::MaxSIOp::create(f.b, f.loc, most, ends[index]).getResult() : ends[index];
    return most ? most : f.number(0);
  };
  llvm::BitVector covered(places.size());
  for (const Place &place : places) {
    offsets.push_back(highest(place.above));
    Value bytes = f.dim(place.bytes);
    if (!place.bytes.isNonNegative())
      bytes = arith::MaxSIOp::create(f.b, f.loc, bytes, f.number(0));
    ends.push_back(arith::AddIOp::create(f.b, f.loc, offsets.back(), bytes));
    for (int64_t below : place.above)
      covered.set(below);
  }
  offsets.push_back(highest(llvm::make_filter_range(llvm::seq<size_t>(0, places.size()),
                                                    [&](size_t index) { return !covered.test(index); })));
  return offsets;
}

void ProgramWriter::readArguments() {
  Value args = f.argument(0);
  auto field = [&](size_t index) { return f.load(args, index, f.pointerType()); };
  servicePointers = field(POINTER_INDEX(dscc_run_args, services));
  queue = field(POINTER_INDEX(dscc_run_args, queue));
  f.setSymbols(field(POINTER_INDEX(dscc_run_args, symbols)));
  inputs = field(POINTER_INDEX(dscc_run_args, inputs));
  outputs = field(POINTER_INDEX(dscc_run_args, outputs));
  // Of the first segment, which is all that there is.
  arena = f.load(field(POINTER_INDEX(dscc_run_args, arena)), 0, f.pointerType());
  weightPointers = field(POINTER_INDEX(dscc_run_args, weights));
  offsets = computeOffsets(f, places);
  int64_t count = countSlots(main);
  gridSlots = f.slots(3);
  mapDims = f.slots(maxMapRank);
  mapStrides = f.slots(maxMapRank);
  values = f.slots(count);
  pointers = f.slots(count);
  for (int64_t i = 0; i < count; ++i)
    f.store(f.address(values, i), pointers, i);
}

/// `equal`: lhs = rhs. `broadcast`: lhs = rhs, or one of them is 1. `multiple`: rhs divides lhs.
void ProgramWriter::checkRelation(DictionaryAttr relation) {
  auto text = [&](StringRef key) { return relation.getAs<StringAttr>(key).getValue(); };
  DimExpr lhs = DimExpr::parse(text("lhs")), rhs = DimExpr::parse(text("rhs"));
  Value a = f.dim(lhs), b = f.dim(rhs);
  Value holds = predicate(arith::CmpIPredicate::eq, a, b);
  if (text("kind") == "broadcast") {
    Value one = f.number(1);
    for (Value side : {a, b})
      holds = arith::OrIOp::create(f.b, f.loc, holds, predicate(arith::CmpIPredicate::eq, side, one));
  }
  if (text("kind") == "multiple")
    holds = predicate(arith::CmpIPredicate::eq, f.dim(DimExpr::mod(lhs, rhs)), f.number(0));
  f.returnUnless(holds, f.status(badInput));
}

/// Where the place or output begins that holds the result of a launch or of a home.
Value ProgramWriter::pointerToResult(Operation *op, unsigned index) {
  auto placed = op->getAttrOfType<ArrayAttr>("outputs");
  int64_t output = placed ? cast<IntegerAttr>(placed[index]).getInt() : -1;
  if (output >= 0)
    return f.load(outputs, output, f.pointerType());
  return f.advance(arena, offsets[op->getAttrOfType<DenseI64ArrayAttr>("places")[index]]);
}

/// The first element of tensor `number` of a launch, inputs first, whose bytes begin at `begin` or are a part of what
/// does.
Value ProgramWriter::pointerToWindow(dsc::LaunchOp op, unsigned number, Value tensor, Value begin) {
  std::optional<Window> window = readWindow(op, number);
  if (!window || window->offset.isConstant(0))
    return begin;
  return f.advance(begin, f.dim(window->offset * getElementBytes(dsc::getElementType(tensor))));
}

Value ProgramWriter::pointerTo(Value tensor) {
  Value storage = getStorage(tensor);
  if (auto argument = dyn_cast<BlockArgument>(storage))
    return f.load(inputs, argument.getArgNumber(), f.pointerType());
  if (auto op = storage.getDefiningOp(); isa<dsc::LaunchOp>(op) || isHome(op))
    return pointerToResult(op, cast<OpResult>(storage).getResultNumber());
  auto constant = storage.getDefiningOp<dsc::ConstantOp>();
  assert(constant && "a placed tensor is an input, a constant or a launch's result");
  weights.insert(constant.getValueAttr());
  int64_t index = std::distance(weights.begin(), llvm::find(weights, constant.getValueAttr()));
  return f.load(weightPointers, index, f.pointerType());
}

/// Calls a function of dscc_services, whose name is `name`, and returns its status if that is not 0.
void ProgramWriter::call(StringRef name, unsigned service, ValueRange arguments) {
  services.insert(f.b.getStringAttr(name));
  Value function = f.load(servicePointers, service, f.pointerType());
  auto type = LLVM::LLVMFunctionType::get(f.i32(), llvm::to_vector(arguments.getTypes()));
  SmallVector<Value> operands = {function};
  llvm::append_range(operands, arguments);
  Value status = LLVM::CallOp::create(f.b, f.loc, type, operands).getResult();
  f.returnUnless(predicate(arith::CmpIPredicate::eq, status, f.status(0)), status);
}

/// What the artifact's table holds of a map: what no run changes.
static DictionaryAttr constantPartOf(DictionaryAttr map) {
  NamedAttrList parts;
  for (StringRef name : {"element", "box", "swizzle", "pixels"})
    if (Attribute part = map.get(name))
      parts.set(name, part);
  return parts.getDictionary(map.getContext());
}

/// Has the runtime make the maps that a kernel takes, and puts them into the slots from `slot` on.
void ProgramWriter::encodeMaps(dsc::LaunchOp op, ArrayAttr list, int64_t slot) {
  size_t tensors = op.getInputs().size() + op.getNumResults();
  for (Attribute attribute : list) {
    TensorMap map = *readTensorMap(attribute, tensors);
    int32_t number = maps.size();
    maps.push_back(constantPartOf(cast<DictionaryAttr>(attribute)));
    size_t rank = map.dims.size();
    for (size_t i = 0; i < rank; ++i)
      f.store(f.dim(map.dims[rank - 1 - i]), mapDims, i);
    for (size_t i = 0; i + 1 < rank; ++i)
      f.store(f.dim(map.strides[rank - 2 - i] * (map.element.getIntOrFloatBitWidth() / 8)), mapStrides, i);
    Value address = f.load(values, map.tensor, f.pointerType());
    call(SERVICE(encode_tensor_map),
         {queue, f.status(number), address, mapDims, mapStrides, f.address(pointers, slot++)});
  }
}

/// The kernel's blocks if there are any: a grid without blocks is no launch, drivers refuse it. `condition` may be
/// null.
void ProgramWriter::launchIf(Value condition, dsc::LaunchOp op, DictionaryAttr entry) {
  SmallVector<DimExpr> blocks = entry.getAs<dsc::DimsAttr>("grid").getDims();
  if (llvm::any_of(blocks, [](const DimExpr &count) { return count.isConstant(0); }))
    return;
  int32_t number = launches.size();
  launches.push_back(f.b.getDictionaryAttr(
      {f.b.getNamedAttr("kernel", entry.getAs<FlatSymbolRefAttr>("kernel")),
       f.b.getNamedAttr("nodes", f.b.getStringAttr(llvm::join(collectNodes(op.getLoc()), ";")))}));
  auto enqueue = [&] {
    int64_t slot = 0;
    for (auto [axis, count] : llvm::enumerate(blocks))
      f.store(f.dim(count), gridSlots, axis);
    for (Value input : op.getInputs()) {
      f.store(pointerToWindow(op, slot, input, pointerTo(input)), values, slot);
      ++slot;
    }
    for (OpResult result : op.getResults()) {
      f.store(pointerToWindow(op, slot, result, pointerToResult(op, result.getResultNumber())), values, slot);
      ++slot;
    }
    if (std::optional<uint64_t> place = op.getWorkspacePlace())
      f.store(f.advance(arena, offsets[*place]), values, slot++);
    for (auto symbol : op.getSymbols().getAsRange<StringAttr>())
      f.store(f.dim(DimExpr::symbol(symbol.getValue())), values, slot++);
    auto maps = entry.getAs<ArrayAttr>(tensorMapsName);
    if (maps)
      encodeMaps(op, maps, slot);
    call(SERVICE(launch), {queue, f.status(number), gridSlots, pointers});
    // Other launches have values there.
    for (size_t map = 0; maps && map < maps.size(); ++map)
      f.store(f.address(values, slot + map), pointers, slot + map);
  };
  Value holds = condition;
  for (const DimExpr &count : blocks) {
    if (count.isConstant())
      continue;
    Value positive = predicate(arith::CmpIPredicate::sgt, f.dim(count), f.number(0));
    holds = holds ? arith::AndIOp::create(f.b, f.loc, holds, positive).getResult() : positive;
  }
  if (!holds)
    return enqueue();
  f.onlyIf(holds, enqueue);
}

/// The kernel of a launch, or of an alternative of it, behind those that come before it.
void ProgramWriter::launchAll(Value condition, dsc::LaunchOp op, DictionaryAttr entry) {
  auto launchOne = [&](DictionaryAttr one) { launchIf(condition, op, one); };
  if (auto before = entry.getAs<ArrayAttr>("before"))
    llvm::for_each(before.getAsRange<DictionaryAttr>(), launchOne);
  launchOne(entry);
}

/// The first alternative whose condition holds, or else the launch's own kernel.
void ProgramWriter::launch(dsc::LaunchOp op) {
  Value others; // holds as long as no alternative is taken
  if (op.getAlternatives())
    for (auto entry : op.getAlternatives()->getAsRange<DictionaryAttr>()) {
      DimExpr dim = entry.getAs<dsc::DimsAttr>("dim").getDims()[0];
      Value most = f.number(entry.getAs<IntegerAttr>("most").getInt());
      Value small = predicate(arith::CmpIPredicate::sle, f.dim(dim), most);
      Value large = predicate(arith::CmpIPredicate::sgt, f.dim(dim), most);
      Value taken = others ? arith::AndIOp::create(f.b, f.loc, others, small).getResult() : small;
      launchAll(taken, op, entry);
      others = others ? arith::AndIOp::create(f.b, f.loc, others, large).getResult() : large;
    }
  launchAll(others, op, op->getAttrDictionary());
}

/// What no launch has written into its output is copied there: inputs, constants, and what is returned twice.
void ProgramWriter::copyReturned(unsigned index, Value value) {
  Value storage = getStorage(value);
  if (auto op = storage.getDefiningOp(); isa_and_nonnull<dsc::LaunchOp>(op) || isHome(op)) {
    auto placed = op->getAttrOfType<ArrayAttr>("outputs");
    unsigned result = cast<OpResult>(storage).getResultNumber();
    if (placed && cast<IntegerAttr>(placed[result]).getInt() == int64_t(index))
      return;
  }
  DimExpr bytes = countBytes(value.getType());
  if (bytes.isConstant(0))
    return;
  ++numCopies;
  call(SERVICE(copy), {queue, f.load(outputs, index, f.pointerType()), pointerTo(value), f.dim(bytes)});
}

/// In floating point, because the product of the dims may overflow any integer.
Value ProgramWriter::isCountable(ArrayRef<DimExpr> dims, double maxElements) {
  Type f64 = f.b.getF64Type();
  Value count = arith::ConstantOp::create(f.b, f.loc, f.b.getF64FloatAttr(1));
  for (const DimExpr &dim : dims)
    count = arith::MulFOp::create(f.b, f.loc, count, arith::SIToFPOp::create(f.b, f.loc, f64, f.dim(dim)));
  Value most = arith::ConstantOp::create(f.b, f.loc, f.b.getF64FloatAttr(maxElements));
  return arith::CmpFOp::create(f.b, f.loc, arith::CmpFPredicate::OLE, count, most);
}

/// No tensor that a kernel reads or writes has more elements than its indices can count.
void ProgramWriter::checkCounts(double maxElements) {
  llvm::StringSet<> seen;
  Value holds;
  auto check = [&](Value tensor) {
    dsc::Dims dims = dsc::getDims(tensor);
    std::string text;
    for (const DimExpr &dim : dims)
      text += dim.str() + ",";
    double known = 1;
    for (const DimExpr &dim : dims)
      known *= dim.isConstant() ? double(dim.constant()) : 1;
    bool isKnown = llvm::all_of(dims, [](const DimExpr &dim) { return dim.isConstant(); });
    if ((isKnown && known <= maxElements) || !seen.insert(text).second)
      return;
    Value countable = isCountable(dims, maxElements);
    holds = holds ? arith::AndIOp::create(f.b, f.loc, holds, countable).getResult() : countable;
  };
  // Those of which others see a part too: a kernel walks through the part with steps of the whole.
  for (Operation &op : main.getBody().front().without_terminator())
    if (isa<dsc::LaunchOp>(op) || isInPlace(&op)) {
      llvm::for_each(op.getOperands(), check);
      llvm::for_each(op.getResults(), check);
    }
  if (holds)
    f.returnUnless(holds, f.status(DSCC_RUN_TOO_LARGE));
}

void ProgramWriter::write(ArrayAttr relations, double maxElements) {
  readArguments();
  if (relations)
    for (auto relation : relations.getAsRange<DictionaryAttr>())
      checkRelation(relation);
  checkCounts(maxElements);
  for (auto op : main.getOps<dsc::LaunchOp>())
    launch(op);
  for (auto [index, value] : llvm::enumerate(main.getBody().front().getTerminator()->getOperands()))
    copyReturned(index, value);
  f.finish(f.status(0));
}

/// int64_t arena_bytes(uint32_t segment, const int64_t *symbols), of the one segment that there is.
static void writeArenaBytes(OpBuilder &builder, func::FuncOp main, ArrayRef<Place> places, ArrayAttr symbols) {
  HostFunction f(builder, main.getLoc(), "arena_bytes",
                 {builder.getI32Type(), LLVM::LLVMPointerType::get(main.getContext())}, builder.getI64Type(), symbols);
  f.setSymbols(f.argument(1));
  f.finish(computeOffsets(f, places).back());
}

/// void NAME(const int64_t *symbols, int64_t *values): the values of `expressions`, one after the other.
static void writeValues(ModuleOp top, StringRef name, ArrayRef<DimExpr> expressions, ArrayAttr symbols) {
  OpBuilder builder = OpBuilder::atBlockEnd(top.getBody());
  Type pointer = LLVM::LLVMPointerType::get(top.getContext());
  HostFunction f(builder, top.getLoc(), name, {pointer, pointer}, LLVM::LLVMVoidType::get(top.getContext()), symbols);
  f.setSymbols(f.argument(0));
  for (auto [slot, expression] : llvm::enumerate(expressions))
    f.store(f.dim(expression), f.argument(1), slot);
  f.finish({});
}

/// Of all inputs, then of all outputs.
static void writeDims(ModuleOp top, ArrayAttr symbols) {
  auto main = top.lookupSymbol<func::FuncOp>("main");
  SmallVector<DimExpr> dims;
  for (TypeRange types : {TypeRange(main.getArgumentTypes()), TypeRange(main.getResultTypes())})
    for (Type type : types)
      llvm::append_range(dims, dsc::getDims(type));
  writeValues(top, "dims", dims, symbols);
}

/// Of all relations, for the runtime's check and its message.
static void writeSides(ModuleOp top, ArrayAttr symbols, ArrayAttr relations) {
  SmallVector<DimExpr> sides;
  for (auto relation : relations.getAsRange<DictionaryAttr>())
    for (StringRef side : {"lhs", "rhs"})
      sides.push_back(DimExpr::parse(relation.getAs<StringAttr>(side).getValue()));
  writeValues(top, "sides", sides, symbols);
}

namespace {
struct BuildProgram : impl::BuildProgramBase<BuildProgram> {
  using BuildProgramBase::BuildProgramBase;

  void runOnOperation() override {
    ModuleOp top = getOperation();
    auto symbols = top->getAttrOfType<ArrayAttr>("dsc.symbols");
    auto relations = top->getAttrOfType<ArrayAttr>("dsc.relations");
    if (failed(verifyDimNames(top)))
      return signalPassFailure();
    for (auto nested : top.getOps<ModuleOp>()) {
      if (!nested->hasAttr("dsc.target"))
        continue;
      if (failed(verifyLaunches(nested)))
        return signalPassFailure();
      buildTarget(nested, symbols ? symbols : ArrayAttr::get(&getContext(), {}), relations);
    }
    writeDims(top, symbols ? symbols : ArrayAttr::get(&getContext(), {}));
    if (symbols && relations && !relations.empty())
      writeSides(top, symbols, relations);
  }

  void buildTarget(ModuleOp nested, ArrayAttr symbols, ArrayAttr relations) {
    auto main = nested.lookupSymbol<func::FuncOp>("main");
    FailureOr<std::vector<Place>> places = readPlaces(main);
    if (failed(places))
      return signalPassFailure();
    OpBuilder builder = OpBuilder::atBlockEnd(nested.getBody());
    ProgramWriter writer(builder, main, *places, symbols);
    writer.write(relations, getMaxElements(*findTarget(nested->getAttrOfType<StringAttr>("dsc.target").getValue())));
    writeArenaBytes(builder, main, *places, symbols);
    nested->setAttr("dsc.weights", writer.getWeights());
    nested->setAttr("dsc.arena_bytes", builder.getStringAttr(describeArena(*places)));
    nested->setAttr("dsc.launches", writer.getLaunches());
    nested->setAttr("dsc.services", writer.getServices());
    if (!writer.getMaps().empty())
      nested->setAttr("dsc.tensor_maps", writer.getMaps());
    numLaunches += writer.getLaunches().size();
    numCopies += writer.numCopies;
    main.erase();
  }
};
} // namespace

} // namespace dscc
