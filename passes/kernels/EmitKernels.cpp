// Turns each group into a launch, and equal groups into launches of one kernel.
//
//   %y = dsc.group (%x, %w) {schedule = #dsc.schedule<rows>} ==>  llvm.func @add_softmax_1f0c22d9(..) { .. }
//   %z = dsc.group (%y, %v) {schedule = #dsc.schedule<rows>}     %y = dsc.launch @add_softmax_1f0c22d9 (%x, %w)
//   {..}
//                                                                    %z = dsc.launch @add_softmax_1f0c22d9 (%y, %v)
//                                                                    {..}
//
// Groups are equal if their bodies, schedules and strides read the same: what differs by layer, weights and places, are
// operands. A kernel's name says what it computes and which text it came from, never which node it serves, so the same
// work has the same name in every model; the nodes are the locations of its launches. The bodies come from the emitter
// that ScheduleGroups chose.

#include "dialects/dsc/Windows.h"
#include "passes/Passes.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/Work.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/Statistic.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_EMITKERNELS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-emit-kernels"
ALWAYS_ENABLED_STATISTIC(numKernels, "Kernels written");
ALWAYS_ENABLED_STATISTIC(numShared, "Groups that share a kernel with an equal one");

using namespace kernels;

namespace {
/// A kernel that is written, and over which grid it is launched.
struct WrittenKernel {
  std::string name;
  DimExpr grid[3];
  SmallVector<Attribute> tensorMaps = {};
};

/// All kernels of a schedule, in the order of their launches.
struct Written {
  SmallVector<WrittenKernel, 1> kernels;
  std::vector<std::string> symbols; // that they take behind their tensors
};

struct EmitKernels : impl::EmitKernelsBase<EmitKernels> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    const Target *target = targetOf(module);
    if (!main || !target)
      return;
    // One pass serves the modules of several targets in turn.
    kernels.clear();
    names.clear();
    OpBuilder b(module.getContext());
    Block *home = module.getBody();
    if (target->device == Device::Cuda) {
      b.setInsertionPointToEnd(home);
      auto gpu = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
      home = gpu.getBody();
    }
    for (auto group : llvm::make_early_inc_range(main.getOps<dsc::GroupOp>())) {
      if (failed(checkSchedules(group, *target)) || failed(checkWorkspace(group, *target)))
        return signalPassFailure();
      SmallVector<const Written *> written;
      for (dsc::ScheduleAttr schedule : group.getSchedules()) {
        auto [known, isNew] = kernels.try_emplace(describeWork(group, schedule.everywhere()));
        if (isNew && failed(emit(group, schedule, *target, home, known->first(), known->second)))
          return signalPassFailure();
        (isNew ? numKernels : numShared) += known->second.kernels.size();
        written.push_back(&known->second);
      }
      replaceByLaunch(group, written);
    }
  }

  /// Memory was planned for what these schedules want.
  static LogicalResult checkWorkspace(dsc::GroupOp group, const Target &target) {
    DimExpr wanted = countWorkspace(group, target), planned = group.getWorkspace();
    if (wanted == planned)
      return success();
    return group.emitOpError("has ") << planned.str() << " bytes of workspace, where its schedules want "
                                     << wanted.str();
  }

  /// A label and a hash of the work, with as many digits as it takes to be the only one.
  std::string nameOf(dsc::GroupOp group, StringRef work) {
    auto told = group->getAttrOfType<StringAttr>("label");
    std::string digits = llvm::utohexstr(llvm::xxh3_64bits(work), /*LowerCase=*/true, /*Width=*/16);
    std::string label = told ? told.str() : labelOf(group), name;
    for (size_t count = 8; count <= digits.size(); count += 8)
      if (names.insert(name = label + "_" + digits.substr(0, count)).second)
        return name;
    for (unsigned number = 2;; ++number)
      if (std::string other = name + "_" + std::to_string(number); names.insert(other).second)
        return other;
  }

  LogicalResult emit(dsc::GroupOp group, dsc::ScheduleAttr schedule, const Target &target, Block *home, StringRef work,
                     Written &written) {
    const KernelEmitter *emitter = findKernelEmitter(schedule.getEmitter());
    assert(emitter && "schedules are checked first");
    written.symbols = symbolsOf(group);
    std::string name = nameOf(group, work);
    size_t count = emitter->countKernels(group, schedule);
    for (size_t step = 0; step < count; ++step) {
      // The last one is named like the work, since it makes the results.
      std::string own = step + 1 == count ? name : name + "_step" + std::to_string(step + 1);
      WrittenKernel &kernel = written.kernels.emplace_back(WrittenKernel{own, {1, 1, 1}});
      if (failed(emitStep(group, schedule, target, home, written.symbols, step, *emitter, kernel)))
        return failure();
    }
    return success();
  }

  LogicalResult emitStep(dsc::GroupOp group, dsc::ScheduleAttr schedule, const Target &target, Block *home,
                         ArrayRef<std::string> symbols, size_t step, const KernelEmitter &emitter,
                         WrittenKernel &written) {
    OpBuilder b(group.getContext());
    bool hasWorkspace = !group.getWorkspace().isConstant(0);
    Arguments arguments = {group.getNumOperands() + group.getNumResults() + hasWorkspace, symbols.size()};
    Shell shell = target.device == Device::Cpu ? openCpuShell(b, written.name, arguments, home)
                                               : openCudaShell(b, written.name, arguments, home, target);
    KernelBuilder k(b, b.getUnknownLoc(), target, 1);
    k.entry = &shell.function.getBody().front();
    ArrayRef<Value> pointers = shell.pointers;
    Value workspace = hasWorkspace ? pointers.back() : Value();
    pointers = pointers.drop_back(hasWorkspace);
    bindTensors(k, group, pointers);
    for (auto [symbol, value] : llvm::zip_equal(symbols, shell.symbolValues))
      k.symbols[symbol] = arith::IndexCastOp::create(b, k.loc, b.getIndexType(), value);
    k.entryPoint = k.index(0).getDefiningOp();
    Kernel kernel{group,
                  k,
                  target,
                  schedule,
                  shell.block,
                  shell.thread,
                  pointers.take_back(group.getNumResults()),
                  workspace,
                  shell.scratch,
                  step};
    if (failed(emitter.emit(kernel)))
      return failure();
    describe(shell, kernel);
    written.grid[0] = kernel.grid;
    written.grid[1] = kernel.gridY;
    for (const TensorMap &map : kernel.tensorMaps)
      written.tensorMaps.push_back(encodeTensorMap(b.getContext(), map));
    return success();
  }

  void describe(Shell &shell, const Kernel &kernel) {
    Builder b(shell.function.getContext());
    SmallVector<NamedAttribute> facts;
    if (kernel.target.device == Device::Cpu)
      facts.push_back(b.getNamedAttr("scratch", b.getI64IntegerAttr(kernel.scratch)));
    else
      describeOnCuda(shell, kernel, b, facts);
    shell.function->setAttr("dsc.kernel", b.getDictionaryAttr(facts));
  }

  static void describeOnCuda(Shell &shell, const Kernel &kernel, Builder &b, SmallVectorImpl<NamedAttribute> &facts) {
    facts.push_back(b.getNamedAttr("threads", b.getI64ArrayAttr({kernel.threads, 1, 1})));
    facts.push_back(b.getNamedAttr("shared", b.getI64IntegerAttr(kernel.shared)));
    shell.function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                            b.getDenseI32ArrayAttr({int32_t(kernel.threads), 1, 1}));
    if (shell.overlaps)
      facts.push_back(b.getNamedAttr("overlaps", b.getUnitAttr()));
    auto [x, y, z] = kernel.cluster;
    if (x * y * z == 1)
      return;
    assert(kernel.target.gpu->hasClusters && "an emitter asks for what its target has");
    facts.push_back(b.getNamedAttr("cluster", b.getI64ArrayAttr(kernel.cluster)));
    shell.function->setAttr(NVVM::NVVMDialect::getClusterDimAttrName(),
                            b.getDenseI32ArrayAttr({int32_t(x), int32_t(y), int32_t(z)}));
  }

  /// A launch of the kernels of the last schedule, with those of the others as its alternatives.
  void replaceByLaunch(dsc::GroupOp group, ArrayRef<const Written *> written) {
    OpBuilder b(group);
    auto kernelOf = [&](const WrittenKernel &kernel) { return FlatSymbolRefAttr::get(b.getContext(), kernel.name); };
    auto gridOf = [&](const WrittenKernel &kernel) { return dsc::DimsAttr::get(b.getContext(), kernel.grid); };
    auto entryOf = [&](const WrittenKernel &kernel) {
      SmallVector<NamedAttribute> entry = {b.getNamedAttr("kernel", kernelOf(kernel)),
                                           b.getNamedAttr("grid", gridOf(kernel))};
      if (!kernel.tensorMaps.empty())
        entry.push_back(b.getNamedAttr(tensorMapsName, b.getArrayAttr(kernel.tensorMaps)));
      return entry;
    };
    // All but the last kernel of a schedule; null if there are none.
    auto beforeOf = [&](const Written &one) {
      SmallVector<Attribute> before;
      for (const WrittenKernel &kernel : ArrayRef(one.kernels).drop_back())
        before.push_back(b.getDictionaryAttr(entryOf(kernel)));
      return before.empty() ? ArrayAttr() : b.getArrayAttr(before);
    };
    const Written &main = *written.back();
    SmallVector<StringRef> names(main.symbols.begin(), main.symbols.end());
    SmallVector<dsc::ScheduleAttr> schedules = group.getSchedules();
    SmallVector<Attribute> alternatives;
    for (auto [schedule, other] : llvm::zip_equal(ArrayRef(schedules).drop_back(), written.drop_back())) {
      SmallVector<NamedAttribute> entry = entryOf(other->kernels.back());
      entry.push_back(
          b.getNamedAttr("dim", dsc::DimsAttr::get(b.getContext(), ArrayRef<DimExpr>{*schedule.getCondition()})));
      entry.push_back(b.getNamedAttr("most", b.getI64IntegerAttr(schedule.getMost())));
      if (ArrayAttr before = beforeOf(*other))
        entry.push_back(b.getNamedAttr("before", before));
      alternatives.push_back(b.getDictionaryAttr(entry));
    }
    auto launch = dsc::LaunchOp::create(b, group.getLoc(), group.getResultTypes(), kernelOf(main.kernels.back()),
                                        group.getInputs(), gridOf(main.kernels.back()), b.getStrArrayAttr(names),
                                        group->getAttrOfType<DenseI64ArrayAttr>("places"),
                                        alternatives.empty() ? ArrayAttr() : b.getArrayAttr(alternatives),
                                        beforeOf(main), group->getAttrOfType<IntegerAttr>("workspace_place"));
    if (ArrayRef<Attribute> maps = main.kernels.back().tensorMaps; !maps.empty())
      launch->setAttr(tensorMapsName, b.getArrayAttr(maps));
    if (Attribute outputs = group->getAttr("outputs"))
      launch->setAttr("outputs", outputs);
    if (Attribute windows = group->getAttr(windowsName))
      launch->setAttr(windowsName, windows);
    group.replaceAllUsesWith(launch.getResults());
    group.erase();
  }

  llvm::StringMap<Written> kernels; // by their work
  llvm::StringSet<> names;
};
} // namespace

} // namespace dscc
