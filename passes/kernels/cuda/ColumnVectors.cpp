#include "passes/kernels/cuda/ColumnVectors.h"

#include "dialects/dsc/Facts.h"
#include "dialects/dsc/Storage.h"
#include "passes/kernels/Lay.h"
#include "passes/kernels/cuda/Cluster.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

static int64_t bytesOfElement(Value vector) { return getElementBytes(dsc::getElementType(vector)); }

/// Whether all that is made of it in the group is made place by place: nothing turns its coordinates on the way.
static bool staysInPlace(Value value) {
  return llvm::all_of(value.getUsers(), [](Operation *user) {
    return isa<dsc::YieldOp>(user) || (dsc::isElementwise(user) && llvm::all_of(user->getResults(), staysInPlace));
  });
}

SmallVector<BlockArgument> findColumnVectors(dsc::GroupOp group) {
  SmallVector<BlockArgument> vectors;
  DimExpr columns = dsc::getDims(rootOf(group)).back();
  for (BlockArgument argument : group.getBody().getArguments()) {
    dsc::Dims dims = dsc::getDims(argument);
    bool isVector = !dims.empty() && dims.back() == columns && !columns.isConstant(1) &&
                    llvm::all_of(ArrayRef(dims).drop_back(), [](const DimExpr &dim) { return dim.isConstant(1); });
    bool isPlain = !findStrided(group, argument.getArgNumber()) && beginsWithPiece(group, argument.getArgNumber()) &&
                   isMultiple(columns * bytesOfElement(argument), pieceBytes);
    if (isVector && isPlain && staysInPlace(argument))
      vectors.push_back(argument);
  }
  return vectors;
}

int64_t ColumnVectors::bytesOf(ArrayRef<BlockArgument> vectors, int64_t columns) {
  int64_t bytes = 0;
  for (BlockArgument vector : vectors)
    bytes += columns * bytesOfElement(vector);
  return bytes;
}

ColumnVectors::ColumnVectors(Kernel &kernel, ArrayRef<BlockArgument> vectors, int64_t columns, int64_t tiles,
                             Value memory, Value barriers)
    : kernel(kernel), k(kernel.k), vectors(vectors), columns(columns),
      ring{k, bytesOf(vectors, columns), tiles, memory, barriers} {}

void ColumnVectors::copy(Value column, RingPlace at) const {
  // At the edge there are fewer.
  DimExpr all = dsc::getDims(rootOf(kernel.group)).back();
  Value count = k.index(columns);
  if (!DimExpr::exactDiv(all, columns))
    count = k.minimum(count, k.sub(k.dim(all), column));
  Type i32 = k.b.getI32Type();
  int64_t perColumn = ring.slotBytes / columns, offset = 0;
  auto bytes = [&](int64_t each) {
    return arith::IndexCastOp::create(k.b, k.loc, i32, k.mul(count, k.index(each))).getResult();
  };
  Value full = ring.fill(at, bytes(perColumn)), slot = ring.address(at.slot);
  for (BlockArgument vector : vectors) {
    Type storage = getStorageType(dsc::getElementType(vector));
    Value target = anywhereInCluster(k, k.elementAddress(slot, k.b.getI8Type(), k.index(offset)));
    Value source = k.elementAddress(k.pointers.lookup(vector), storage, column);
    NVVM::CpAsyncBulkGlobalToSharedClusterOp::create(k.b, k.loc, target, source, full, bytes(bytesOfElement(vector)),
                                                     Value(), Value());
    offset += columns * bytesOfElement(vector);
  }
}

void ColumnVectors::read(Value column, RingPlace at, function_ref<void()> body) const {
  ring.waitFull(at);
  auto before = k.pointers;
  Value slot = ring.address(at.slot);
  int64_t offset = 0;
  for (BlockArgument vector : vectors) {
    Value own = k.elementAddress(slot, k.b.getI8Type(), k.index(offset));
    // Coordinates are those of the whole vector.
    Type storage = getStorageType(dsc::getElementType(vector));
    k.pointers[vector] = k.elementAddress(own, storage, k.sub(k.index(0), column));
    offset += columns * bytesOfElement(vector);
  }
  body();
  k.pointers = before;
}

} // namespace dscc::kernels
