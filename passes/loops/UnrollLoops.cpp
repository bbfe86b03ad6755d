// Repeats the bodies of the kernels' innermost loops, so that one test and one branch serve several rounds and the
// loads of the next round need not wait for the end of this one.
//
//     for i = 0 to n: f(i)      ==>      for i = 0 to n - n % 4 by 4: f(i) f(i + 1) f(i + 2) f(i + 3)
//                                        for i = n - n % 4 to n: f(i)
//
// The factor is the largest power of two for which the values that are live at once fit the target's registers, and the
// code stays small. The rounds stay in order, so no result changes, not even that of a floating point sum. A loop whose
// few rounds are known disappears, and on a GPU the one around it may be next; there so does the second one above, if
// it is known how many rounds that has. It declines where threads meet: a barrier in a loop paces it anyway.

#include "passes/loops/UnrollLoops.h"

#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_UNROLLLOOPS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-unroll-loops"
ALWAYS_ENABLED_STATISTIC(numUnrolled, "Loops unrolled by a factor");
ALWAYS_ENABLED_STATISTIC(numRemoved, "Loops unrolled completely");
ALWAYS_ENABLED_STATISTIC(numDeclined, "Loops that registers or size do not allow to unroll");

/// Registers that a value takes: vector registers on a CPU, 32-bit ones on CUDA. Scalars of a CPU have others.
static int64_t countRegisters(Type type, const Target &target) {
  auto vector = dyn_cast<VectorType>(type);
  int64_t lanes = vector ? vector.getNumElements() : 1;
  Type element = getElementTypeOrSelf(type);
  int64_t bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : target.indexBits;
  if (target.device == Device::Cuda)
    return lanes * llvm::divideCeil(bits, 32);
  bool isVector = vector || isa<FloatType>(element);
  return isVector ? llvm::divideCeil(lanes * bits, target.vectorBits) : 0;
}

namespace {
struct Pressure {
  int64_t carried = 0; // registers that live from round to round
  int64_t peak = 0;    // most registers that are live at once within a round, carried ones included
  int64_t ops = 0;
};
} // namespace

/// An integer division by what is no constant: a GPU has no instruction for it, and some CPUs take as long as this.
static constexpr int64_t divisionOps = 32;

static bool isDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp>(
             op) &&
         !matchPattern(op->getOperand(1), m_Constant());
}

/// One walk backwards over the body: a value is live from its op to the last op that uses it, regions included.
static Pressure measure(scf::ForOp loop, const Target &target) {
  Pressure pressure;
  for (Value value : loop.getRegionIterArgs())
    pressure.carried += countRegisters(value.getType(), target);
  llvm::DenseSet<Value> live;
  int64_t now = pressure.carried;
  pressure.peak = now;
  for (Operation &op : llvm::reverse(loop.getBody()->without_terminator())) {
    for (Value result : op.getResults())
      if (live.erase(result))
        now -= countRegisters(result.getType(), target);
    op.walk([&](Operation *inner) {
      pressure.ops += isDivision(inner) ? divisionOps : 1;
      for (Value operand : inner->getOperands())
        if (operand.getParentBlock() == loop.getBody() && operand.getDefiningOp() && live.insert(operand).second)
          now += countRegisters(operand.getType(), target);
    });
    pressure.peak = std::max(pressure.peak, now);
  }
  return pressure;
}

static int64_t chooseFactor(const Pressure &pressure, const Target &target, bool removesRest) {
  int64_t factor = 1, most = removesRest ? mostKnownRounds : mostUnrolledRounds;
  while (factor < most && 2 * factor * pressure.ops <= mostUnrolledOps(target.device) &&
         pressure.carried + 2 * factor * (pressure.peak - pressure.carried) <= target.registersPerThread)
    factor *= 2;
  return factor;
}

/// True for loops whose rounds may follow each other at once: no loop, barrier or call within.
static bool isUnrollable(scf::ForOp loop) {
  WalkResult result = loop.getBody()->walk([](Operation *op) {
    bool isPaced = isa<LoopLikeOpInterface, CallOpInterface>(op) || op->getName().getStringRef().contains("barrier");
    return isPaced ? WalkResult::interrupt() : WalkResult::advance();
  });
  return !result.wasInterrupted();
}

/// A loop that ends before it begins has no rounds. MLIR's unrolling counts them without a sign, so that there would be
/// very many. Loops from 0 on need no care: sizes are not negative.
static void endBehindBegin(scf::ForOp loop) {
  if (matchPattern(loop.getLowerBound(), m_Zero()))
    return;
  OpBuilder b(loop);
  loop.setUpperBound(arith::MaxSIOp::create(b, loop.getLoc(), loop.getUpperBound(), loop.getLowerBound()));
}

/// Whether the loop has disappeared.
static bool unroll(scf::ForOp loop, const Target &target) {
  Pressure pressure = measure(loop, target);
  std::optional<APInt> rounds = loop.getStaticTripCount();
  if (rounds && rounds->getActiveBits() < 32 &&
      rounds->getSExtValue() * pressure.ops <= mostUnrolledOps(target.device)) {
    bool isGone = succeeded(loopUnrollFull(loop));
    numRemoved += isGone;
    return isGone;
  }
  bool removesRest = rounds && target.device == Device::Cuda;
  int64_t factor = chooseFactor(pressure, target, removesRest);
  FailureOr<UnrolledLoopInfo> unrolled = failure();
  if (factor > 1) {
    endBehindBegin(loop);
    unrolled = loopUnrollByFactor(loop, factor);
  }
  if (failed(unrolled)) {
    ++numDeclined;
    return false;
  }
  ++numUnrolled;
  if (removesRest && unrolled->epilogueLoopOp)
    (void)loopUnrollFull(*unrolled->epilogueLoopOp);
  return false;
}

namespace {
struct UnrollLoops : impl::UnrollLoopsBase<UnrollLoops> {
  using UnrollLoopsBase::UnrollLoopsBase;

  void runOnOperation() override {
    auto name = getOperation()->getAttrOfType<StringAttr>("dsc.target");
    const Target *target = name ? findTarget(name) : nullptr;
    if (!target)
      return;
    // First all of them, because unrolling makes new ones.
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (isUnrollable(loop))
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops) {
      // On a GPU a thread waits for all loads of a window together: the loop around one that is gone is next.
      auto outer = loop->getParentOfType<scf::ForOp>();
      while (unroll(loop, *target) && target->device == Device::Cuda && outer && isUnrollable(outer)) {
        loop = outer;
        outer = loop->getParentOfType<scf::ForOp>();
      }
    }
  }
};
} // namespace

} // namespace dscc
