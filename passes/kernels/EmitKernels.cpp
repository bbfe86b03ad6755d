// Turns each group into a kernel function and a launch of it.
//
//   %y = dsc.group (%x) {schedule = {emitter = "rows"}} ..   ==>   llvm.func @softmax_0(..) { .. }
//                                                                  %y = dsc.launch @softmax_0 (%x) {grid = ..}
//
// Here the two devices differ: how a kernel gets its arguments and its place in the grid. The bodies come from the
// emitter that ScheduleGroups chose.

#include "dialects/dsc/Nodes.h"
#include "passes/Passes.h"
#include "passes/kernels/Emitters.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_EMITKERNELS
#include "passes/Passes.h.inc"

using namespace kernels;

/// What assemblers and profilers accept, short enough to read.
static std::string symbolName(Location location, unsigned number) {
  SmallVector<StringRef> nodes = collectNodes(location);
  std::string name = "k" + std::to_string(number);
  if (nodes.empty())
    return name;
  name += "_";
  for (char c : nodes.front().take_back(40))
    name += llvm::isAlnum(c) ? c : '_';
  return name;
}

/// The named dims that anything inside depends on, as the body is before and after the emitter has rewritten it.
static std::vector<std::string> symbolsOf(dsc::GroupOp group) {
  std::vector<std::string> symbols;
  auto visitType = [&](Type type) {
    for (const DimExpr &dim : dsc::getDims(type))
      dim.collectSymbols(symbols);
  };
  group.getBody().walk([&](Operation *op) {
    for (Type type : op->getOperandTypes())
      visitType(type);
    for (Type type : op->getResultTypes())
      visitType(type);
    for (NamedAttribute attribute : op->getAttrs())
      if (auto dims = dyn_cast<dsc::DimsAttr>(attribute.getValue()))
        for (const DimExpr &dim : dims.getDims())
          dim.collectSymbols(symbols);
  });
  llvm::sort(symbols);
  return symbols;
}

namespace {
/// What the two devices do differently around a kernel's body.
struct Shell {
  LLVM::LLVMFuncOp function;
  Value block, thread;
  SmallVector<Value> pointers; // inputs, then results
  SmallVector<Value> symbols;  // i64
};

struct EmitKernels : impl::EmitKernelsBase<EmitKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    auto name = module->getAttrOfType<StringAttr>("dsc.target");
    const Target *target = name ? findTarget(name) : nullptr;
    if (!main || !target)
      return;
    OpBuilder b(module.getContext());
    Block *home = module.getBody();
    if (target->device == Device::Cuda) {
      b.setInsertionPointToEnd(home);
      auto gpu = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
      home = gpu.getBody();
    }
    unsigned number = 0;
    for (auto group : llvm::make_early_inc_range(main.getOps<dsc::GroupOp>()))
      if (failed(emit(group, *target, home, number++)))
        return signalPassFailure();
  }

  LogicalResult emit(dsc::GroupOp group, const Target &target, Block *home, unsigned number) {
    const KernelEmitter *emitter = readSchedule(group, target);
    if (!emitter)
      return failure();
    auto schedule = group->getAttrOfType<DictionaryAttr>("schedule");
    OpBuilder b(group.getContext());
    // The emitter may rewrite the body; the group itself is replaced by its launch.
    dsc::GroupOp work = group.clone();
    std::vector<std::string> symbols = symbolsOf(work);
    std::string name = symbolName(group.getLoc(), number);
    Shell shell =
        target.device == Device::Cpu ? openCpu(b, work, symbols, name, home) : openCuda(b, work, symbols, name, home);
    KernelBuilder k(b, group.getLoc(), target, 1);
    k.entry = &shell.function.getBody().front();
    Block &body = work.getBody().front();
    for (auto [argument, pointer] : llvm::zip(body.getArguments(), shell.pointers))
      k.pointers[argument] = pointer;
    for (auto [symbol, value] : llvm::zip_equal(symbols, shell.symbols))
      k.symbols[symbol] = arith::IndexCastOp::create(b, k.loc, b.getIndexType(), value);
    k.entryPoint = k.index(0).getDefiningOp();
    Kernel kernel{work, k, target, schedule, shell.block, shell.thread, shell.pointers.back()};
    LogicalResult written = emitter->emit(kernel);
    if (succeeded(written)) {
      describe(shell.function, kernel, group.getLoc());
      replaceByLaunch(group, kernel, symbols, name);
    }
    work->erase();
    return written;
  }

  Shell openCpu(OpBuilder &b, dsc::GroupOp group, ArrayRef<std::string> symbols, StringRef name, Block *home) {
    Location loc = group.getLoc();
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    Shell shell;
    b.setInsertionPointToEnd(home);
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer});
    shell.function = LLVM::LLVMFuncOp::create(b, loc, name, type);
    Block *entry = shell.function.addEntryBlock(b);
    b.setInsertionPointToEnd(entry);
    Value context = entry->getArgument(0), slots = entry->getArgument(1);
    Type i64 = b.getI64Type();
    // dscc_block.index is its first field; each slot points to an argument's value.
    Value index = LLVM::LoadOp::create(b, loc, i64, context);
    shell.block = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
    unsigned slot = 0;
    auto argument = [&](Type type) -> Value {
      Value address = LLVM::GEPOp::create(b, loc, pointer, pointer, slots, ArrayRef<LLVM::GEPArg>{int32_t(slot++)});
      Value place = LLVM::LoadOp::create(b, loc, pointer, address);
      return LLVM::LoadOp::create(b, loc, type, place);
    };
    for (size_t i = 0; i < group.getNumOperands() + group.getNumResults(); ++i)
      shell.pointers.push_back(argument(pointer));
    for (size_t i = 0; i < symbols.size(); ++i)
      shell.symbols.push_back(argument(i64));
    Operation *end = LLVM::ReturnOp::create(b, loc, ValueRange{});
    b.setInsertionPoint(end);
    return shell;
  }

  Shell openCuda(OpBuilder &b, dsc::GroupOp group, ArrayRef<std::string> symbols, StringRef name, Block *home) {
    Location loc = group.getLoc();
    MLIRContext *context = b.getContext();
    Type pointer = LLVM::LLVMPointerType::get(context, 1), i64 = b.getI64Type(), i32 = b.getI32Type();
    size_t tensors = group.getNumOperands() + group.getNumResults();
    SmallVector<Type> types(tensors, pointer);
    types.append(symbols.size(), i64);
    Shell shell;
    b.setInsertionPointToEnd(home);
    shell.function =
        LLVM::LLVMFuncOp::create(b, loc, name, LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), types));
    shell.function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
    Block *entry = shell.function.addEntryBlock(b);
    b.setInsertionPointToEnd(entry);
    for (size_t i = 0; i < tensors; ++i)
      shell.pointers.push_back(entry->getArgument(i));
    for (size_t i = 0; i < symbols.size(); ++i)
      shell.symbols.push_back(entry->getArgument(tensors + i));
    Value block = NVVM::BlockIdXOp::create(b, loc, i32), thread = NVVM::ThreadIdXOp::create(b, loc, i32);
    shell.block = arith::IndexCastOp::create(b, loc, b.getIndexType(), block);
    shell.thread = arith::IndexCastOp::create(b, loc, b.getIndexType(), thread);
    Operation *end = LLVM::ReturnOp::create(b, loc, ValueRange{});
    b.setInsertionPoint(end);
    return shell;
  }

  void describe(LLVM::LLVMFuncOp function, const Kernel &kernel, Location location) {
    Builder b(function.getContext());
    SmallVector<StringRef> nodes = collectNodes(location);
    SmallVector<NamedAttribute> facts = {b.getNamedAttr("nodes", b.getStringAttr(llvm::join(nodes, ";")))};
    if (kernel.target.device == Device::Cpu) {
      facts.push_back(b.getNamedAttr("scratch", b.getI64IntegerAttr(kernel.scratch)));
    } else {
      facts.push_back(b.getNamedAttr("threads", b.getI64ArrayAttr({kernel.threads, 1, 1})));
      facts.push_back(b.getNamedAttr("shared", b.getI64IntegerAttr(kernel.shared)));
      function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                        b.getDenseI32ArrayAttr({int32_t(kernel.threads), 1, 1}));
    }
    function->setAttr("dsc.kernel", b.getDictionaryAttr(facts));
  }

  void replaceByLaunch(dsc::GroupOp group, const Kernel &kernel, ArrayRef<std::string> symbols, StringRef name) {
    OpBuilder b(group);
    SmallVector<StringRef> names(symbols.begin(), symbols.end());
    auto launch = dsc::LaunchOp::create(b, group.getLoc(), group.getResultTypes(),
                                        FlatSymbolRefAttr::get(b.getContext(), name), group.getInputs(),
                                        dsc::DimsAttr::get(b.getContext(), ArrayRef<DimExpr>{kernel.grid, 1, 1}),
                                        b.getStrArrayAttr(names), group->getAttrOfType<DenseI64ArrayAttr>("places"));
    if (Attribute outputs = group->getAttr("outputs"))
      launch->setAttr("outputs", outputs);
    group.replaceAllUsesWith(launch.getResults());
    group.erase();
  }
};
} // namespace

} // namespace dscc
