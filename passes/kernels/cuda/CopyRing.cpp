#include "passes/kernels/cuda/CopyRing.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/cuda/Cluster.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

Value CopyRing::barrier(Value slot, bool isEmpty) const {
  Value number = isEmpty ? k.add(slot, k.index(slots)) : slot;
  return k.elementAddress(barriers, k.b.getI64Type(), number);
}

void CopyRing::initialize(int64_t warps) const {
  Type i32 = k.b.getI32Type();
  for (int64_t slot = 0; slot < slots; ++slot) {
    NVVM::MBarrierInitOp::create(k.b, k.loc, barrier(k.index(slot), false), k.constantInt(i32, 1), Value());
    NVVM::MBarrierInitOp::create(k.b, k.loc, barrier(k.index(slot), true), k.constantInt(i32, warps * team.size),
                                 Value());
  }
  // They are there for the hardware that copies, too.
  NVVM::FenceMbarrierInitOp::create(k.b, k.loc);
}

RingPlace CopyRing::next(RingPlace at) const {
  Value isLast = LaneMath{k}.compare(arith::CmpIPredicate::eq, at.slot, k.index(slots - 1));
  return {arith::SelectOp::create(k.b, k.loc, isLast, k.index(0), k.add(at.slot, k.index(1))),
          arith::SelectOp::create(k.b, k.loc, isLast, k.sub(k.index(1), at.phase), at.phase)};
}

Value CopyRing::before(Value slot) const {
  Value isFirst = LaneMath{k}.compare(arith::CmpIPredicate::eq, slot, k.index(0));
  return arith::SelectOp::create(k.b, k.loc, isFirst, k.index(slots - 1), k.sub(slot, k.index(1)));
}

Value CopyRing::address(Value slot) const {
  return k.elementAddress(memory, k.b.getI8Type(), k.mul(slot, k.index(slotBytes)));
}

void waitForPhase(KernelBuilder &k, Value barrier, Value phase) {
  constexpr int64_t patience = 10000000; // after so many nanoseconds it is asked again
  Type i32 = k.b.getI32Type();
  NVVM::MBarrierTryWaitParityOp::create(k.b, k.loc, barrier, arith::IndexCastOp::create(k.b, k.loc, i32, phase),
                                        k.constantInt(i32, patience));
}

Value CopyRing::fill(RingPlace at, Value bytes) const {
  // The phase before the first one counts as complete: all slots are empty.
  waitForPhase(k, barrier(at.slot, true), k.sub(k.index(1), at.phase));
  Value full = barrier(at.slot, false);
  NVVM::MBarrierArriveExpectTxOp::create(k.b, k.loc, Type(), full,
                                         bytes ? bytes : k.constantInt(k.b.getI32Type(), slotBytes),
                                         NVVM::MemScopeKind::CTA, false, Value());
  return full;
}

void CopyRing::waitFull(RingPlace at) const { waitForPhase(k, barrier(at.slot, false), at.phase); }

void CopyRing::leave(Value slot, Value lane) const {
  // A lane for each block of the team.
  k.doIf(LaneMath{k}.compare(arith::CmpIPredicate::slt, lane, k.index(team.size)), [&] {
    Value own = barrier(slot, true);
    if (team.size == 1) {
      NVVM::MBarrierArriveOp::create(k.b, k.loc, k.b.getI64Type(), own, Value());
      return;
    }
    Type i32 = k.b.getI32Type();
    Value block = k.add(team.first, arith::IndexCastOp::create(k.b, k.loc, i32, lane));
    NVVM::MBarrierArriveOp::create(k.b, k.loc, Type(), inBlockOfCluster(k, own, block), Value(),
                                   NVVM::MemScopeKind::CLUSTER);
  });
}

} // namespace dscc::kernels
