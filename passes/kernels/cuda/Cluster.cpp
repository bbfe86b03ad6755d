#include "passes/kernels/cuda/Cluster.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

Verdict hasClusterOf(const Target &target, int64_t blocks) {
  if (blocks > 1 && !target.gpu->hasClusters)
    return Verdict::declined("the target has no clusters of blocks");
  return Verdict::acceptedIf(llvm::isPowerOf2_64(blocks) && blocks <= mostClusterBlocks,
                             "no cluster has so many blocks");
}

void crossCluster(KernelBuilder &k) {
  NVVM::ClusterArriveOp::create(k.b, k.loc, UnitAttr());
  NVVM::ClusterWaitOp::create(k.b, k.loc, UnitAttr());
}

Value inBlockOfCluster(KernelBuilder &k, Value place, Value block) {
  Type anywhere = LLVM::LLVMPointerType::get(k.b.getContext(), unsigned(NVVM::NVVMMemorySpace::SharedCluster));
  return NVVM::MapaOp::create(k.b, k.loc, anywhere, place, block);
}

Value inBlockOfCluster(KernelBuilder &k, Value place, int64_t block) {
  return inBlockOfCluster(k, place, k.constantInt(k.b.getI32Type(), block));
}

Value anywhereInCluster(KernelBuilder &k, Value place) {
  Type pointer = LLVM::LLVMPointerType::get(k.b.getContext(), unsigned(NVVM::NVVMMemorySpace::SharedCluster));
  Value word = LLVM::PtrToIntOp::create(k.b, k.loc, k.b.getI32Type(), place);
  return LLVM::IntToPtrOp::create(k.b, k.loc, pointer, word);
}

Value blockOfCluster(KernelBuilder &k) {
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(k.entryPoint);
  return NVVM::ClusterId::create(k.b, k.loc, k.b.getI32Type());
}

} // namespace dscc::kernels
