// Copies by tensor maps: a box of the source into shared memory, and from there into the result, by one thread and
// without registers. Boxes at the edges may reach beyond both tensors: the hardware fills with zeros what it does not
// read, and writes nothing there.
//
//     source                 shared memory              result
//     +----------------+     +------+                   +---------------+
//     |    [columns]   | ──► | rows |  mbarrier ──────► |   [columns]   |     a block moves one box
//     +----------------+     +------+                   +---------------+

#include "dialects/dsc/TensorMaps.h"
#include "dialects/dsc/Windows.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/Shell.h"
#include "passes/kernels/cuda/Cluster.h"
#include "passes/kernels/cuda/CopyRing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace dscc::kernels {

/// Threads of a block: one warp, of which one thread works.
static constexpr int64_t copyThreads = 32;
/// What addresses and strides of a map are multiples of, in bytes.
static constexpr int64_t mapAlignment = 16;
/// A box in shared memory begins at a multiple of so many bytes, and one barrier lies behind it.
static constexpr int64_t boxAlignment = 128, barrierBytes = 8;
/// Bytes of a box that keep enough of them in flight.
static constexpr int64_t usualBoxBytes = 16384;
/// How long a box is under way beyond what its bytes take, in seconds.
static constexpr double boxLatency = 0.7e-6;

namespace {
/// What such a group does: result[i] = source[starts + i].
struct Movement {
  BlockArgument source;
  dsc::Dims starts;
};
} // namespace

static std::optional<Movement> findMovement(dsc::GroupOp group) {
  Value value = rootOf(group);
  dsc::Dims starts(dsc::getDims(value).size(), DimExpr(0));
  while (auto slice = value.getDefiningOp<dsc::SliceOp>()) {
    for (auto [axis, step] : llvm::enumerate(slice.getSteps().getAsRange<IntegerAttr>())) {
      if (step.getInt() != 1)
        return std::nullopt;
      starts[axis] = starts[axis] + slice.getStarts().getDims()[axis];
    }
    value = slice.getInput();
  }
  auto source = dyn_cast<BlockArgument>(value);
  return source ? std::optional<Movement>({source, starts}) : std::nullopt;
}

static int64_t elementBytes(Value value) {
  return getStorageType(dsc::getElementType(value)).getIntOrFloatBitWidth() / 8;
}

/// The strides of a tensor of the group under its dims inside.
static dsc::Dims stridesOf(dsc::GroupOp group, size_t tensor, Value inside) {
  std::optional<Strided> strided = findStridedInside(group, tensor);
  return strided ? strided->strides : rowMajorStrides(dsc::getDims(inside));
}

/// Whether a map can describe the tensor: rows of neighbours, everything else a multiple of 16 bytes apart.
static bool hasMap(dsc::GroupOp group, size_t tensor, Value inside) {
  int64_t bytes = elementBytes(inside);
  auto isAligned = [&](const DimExpr &elements) {
    DimExpr count = elements * bytes;
    return count.isValid() && DimExpr::exactDiv(count, mapAlignment).has_value();
  };
  std::optional<Window> window = readWindow(group, tensor);
  dsc::Dims strides = stridesOf(group, tensor, inside);
  return (!window || isAligned(window->offset)) && strides.back().isConstant(1) &&
         llvm::all_of(ArrayRef(strides).drop_back(), isAligned);
}

static Verdict acceptsBulkCopy(dsc::GroupOp group, const Target &target) {
  if (target.device != Device::Cuda || !target.gpu->hasTensorMaps)
    return Verdict::declined("the target has no tensor maps");
  Value root = rootOf(group);
  size_t rank = dsc::getDims(root).size();
  std::optional<Movement> movement = findMovement(group);
  if (!movement)
    return Verdict::declined("the group does more than move a regular part of one tensor");
  if (rank < 2 || rank > maxMapRank)
    return Verdict::declined("a map has from 2 to 5 dims");
  if (!llvm::is_contained({1, 2, 4, 8}, elementBytes(root)))
    return Verdict::declined("no map has elements of this size");
  return Verdict::acceptedIf(hasMap(group, movement->source.getArgNumber(), movement->source) &&
                                 hasMap(group, group.getNumOperands(), root),
                             "rows do not lie at multiples of 16 bytes");
}

static int64_t boxBytes(dsc::GroupOp group, dsc::ScheduleAttr schedule) {
  return *schedule.lookup("rows") * *schedule.lookup("columns") * elementBytes(rootOf(group));
}

static Verdict allowsBulkCopy(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule) {
  if (*schedule.lookup("columns") * elementBytes(rootOf(group)) % mapAlignment)
    return Verdict::declined("the columns of a box are no multiple of 16 bytes");
  return Verdict::acceptedIf(boxBytes(group, schedule) + boxAlignment + barrierBytes <= mostStaticShared,
                             "a box does not fit into shared memory");
}

static SmallVector<dsc::ScheduleAttr> bulkCopyCandidates(dsc::GroupOp group, const Target &target) {
  Value root = rootOf(group);
  int64_t bytes = elementBytes(root), quantum = mapAlignment / bytes;
  dsc::Dims dims = dsc::getDims(root);
  DimExpr inner = dims.back(), outer = dims[dims.size() - 2];
  int64_t mostRows = outer.isConstant() ? std::clamp<int64_t>(outer.constant(), 1, maxMapBox) : maxMapBox;
  SmallVector<dsc::ScheduleAttr> candidates;
  auto add = [&](int64_t columns) {
    columns = llvm::alignTo(std::min(columns, maxMapBox), quantum);
    int64_t rows = std::clamp<int64_t>(usualBoxBytes / (columns * bytes), 1, mostRows);
    candidates.push_back(
        dsc::ScheduleAttr::get(group.getContext(), "bulk_copy", {{"columns", columns}, {"rows", rows}}));
  };
  add(inner.isConstant() ? std::max<int64_t>(1, inner.constant()) : maxMapBox);
  if (!inner.isConstant())
    add(maxMapBox / 4);
  return candidates;
}

/// What a box has along each dim of the result.
static SmallVector<int64_t> boxOf(size_t rank, dsc::ScheduleAttr schedule) {
  SmallVector<int64_t> box(rank, 1);
  box[rank - 1] = *schedule.lookup("columns");
  box[rank - 2] = *schedule.lookup("rows");
  return box;
}

static dsc::Dims countBoxes(ArrayRef<DimExpr> dims, ArrayRef<int64_t> box) {
  dsc::Dims counts;
  for (auto [dim, size] : llvm::zip_equal(dims, box))
    counts.push_back(DimExpr::ceilDiv(dim, size));
  return counts;
}

/// Whole boxes are read and most of them written; each multiprocessor has as many under way as fit into it.
static double estimateBulkCopy(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule,
                               const Sizes &sizes) {
  const Gpu &gpu = *target.gpu;
  dsc::Dims dims = dsc::getDims(rootOf(group));
  double boxes = sizes.count(countBoxes(dims, boxOf(dims.size(), schedule))), bytes = boxBytes(group, schedule);
  double perMultiprocessor =
      std::max(1.0, std::min<double>(gpu.blocksPerMultiprocessor, gpu.sharedPerMultiprocessor / (bytes + 1024)));
  double waves = std::ceil(boxes / perMultiprocessor / gpu.multiprocessors);
  return 2 * boxes * bytes / gpu.memoryBytesPerSecond + waves * boxLatency;
}

/// One thread's work: the box comes, and goes.
static void moveBox(KernelBuilder &k, Value source, ValueRange from, Value target, ValueRange to, Value tile,
                    Value barrier, int64_t bytes) {
  Type i32 = k.b.getI32Type();
  auto number = [&](int64_t value) { return k.constantInt(i32, value); };
  auto coordinates = [&](ValueRange at) {
    SmallVector<Value> reversed; // the hardware counts dims from the innermost one
    for (Value coordinate : llvm::reverse(at))
      reversed.push_back(arith::IndexCastOp::create(k.b, k.loc, i32, coordinate));
    return reversed;
  };
  NVVM::MBarrierInitOp::create(k.b, k.loc, barrier, number(1), Value());
  // The barrier is there for the hardware that copies, too.
  NVVM::FenceMbarrierInitOp::create(k.b, k.loc);
  NVVM::MBarrierArriveExpectTxOp::create(k.b, k.loc, Type(), barrier, number(bytes), NVVM::MemScopeKind::CTA, false,
                                         Value());
  NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(
      k.b, k.loc, anywhereInCluster(k, tile), source, coordinates(from), barrier, ValueRange(), Value(), Value(),
      NVVM::TMALoadMode::TILE, false, NVVM::CTAGroupKindAttr(), Value());
  waitForPhase(k, barrier, k.index(0));
  NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp::create(k.b, k.loc, target, tile, coordinates(to), Value(),
                                                     NVVM::TMAStoreMode::TILE, Value());
  NVVM::CpAsyncBulkCommitGroupOp::create(k.b, k.loc);
  // Until it is written, so that whoever waits for this kernel finds it.
  NVVM::CpAsyncBulkWaitGroupOp::create(k.b, k.loc, 0, UnitAttr());
}

static LogicalResult emitBulkCopy(Kernel &kernel) {
  KernelBuilder &k = kernel.k;
  dsc::GroupOp group = kernel.group;
  Movement movement = *findMovement(group);
  Value root = rootOf(group);
  dsc::Dims dims = dsc::getDims(root);
  SmallVector<int64_t> box = boxOf(dims.size(), kernel.schedule);
  int64_t bytes = boxBytes(group, kernel.schedule);
  dsc::Dims boxes = countBoxes(dims, box);
  kernel.grid = dsc::countElements(boxes);
  kernel.threads = copyThreads;
  Type element = k.b.getIntegerType(elementBytes(root) * 8);
  auto mapOf = [&](size_t tensor, Value inside) {
    return kernel.addTensorMap(
        {int64_t(tensor), element, dsc::getDims(inside), stridesOf(group, tensor, inside), box, 0});
  };
  Value source = mapOf(movement.source.getArgNumber(), movement.source);
  Value target = mapOf(group.getNumOperands(), root);
  Value tile = declareShared(k, "box", k.b.getI8Type(), bytes, boxAlignment);
  Value barrier = declareShared(k, "arrived", k.b.getI64Type(), 1);

  Value isFirst = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::eq, kernel.thread, k.index(0));
  auto only = scf::IfOp::create(k.b, k.loc, isFirst, false);
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(only.thenBlock()->getTerminator());
  SmallVector<Value> sizes, from, to;
  for (const DimExpr &count : boxes)
    sizes.push_back(k.dim(count));
  for (auto [axis, number] : llvm::enumerate(k.delinearize(kernel.block, sizes))) {
    to.push_back(k.mul(number, k.index(box[axis])));
    from.push_back(k.add(to.back(), k.dim(movement.starts[axis])));
  }
  moveBox(k, source, from, target, to, tile, barrier, bytes);
  return kernel.finish();
}

static constexpr Parameter bulkCopyParameters[] = {{"columns", 1, maxMapBox}, {"rows", 1, maxMapBox}};
const KernelEmitter bulkCopyEmitter = {"bulk_copy",        bulkCopyParameters, acceptsBulkCopy, allowsBulkCopy,
                                       bulkCopyCandidates, estimateBulkCopy,   emitBulkCopy};

} // namespace dscc::kernels
