// Decides which transposes are nothing but another order of steps through memory: no kernel computes them.
//
//     view:   %t = dsc.transpose %x      whoever reads t walks through x with x's strides, permuted
//     home:   %t = dsc.transpose %x      whoever makes x writes it with t's strides, permuted back
//
// As the heads of attention are split, [batch, seq, heads, size] -> [batch, heads, seq, size], products read their rows
// where the projection has put them; as they are merged, the product writes its rows where the next one wants them.
// Both hold for every length, where a kernel would be a launch even for a length of 1.
//
// Both keep the last dim, so that lanes and threads still load and store neighbours: a product that stores its columns
// apart, each on a line of the cache that few other rows meet again, takes three times as long as one with a transpose
// behind it. What its only user computes as it reads it is left to that user's kernel.

#include "dialects/dsc/Windows.h"
#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/fusion/Rules.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_PLACETRANSPOSES
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-place-transposes"
ALWAYS_ENABLED_STATISTIC(numViews, "Transposes whose readers walk through the input");
ALWAYS_ENABLED_STATISTIC(numHomes, "Transposes that are written by those who make their input");
ALWAYS_ENABLED_STATISTIC(numDeclined, "Transposes that are left to kernels");

/// Of what has more users than this nobody asks all of them.
constexpr unsigned maxReaders = 1000;

/// True unless one kernel reads the value, and computes it on the way: products and the like want it in memory.
static bool isStored(Value value) {
  if (!value.hasOneUse())
    return true;
  Operation *user = *value.user_begin();
  if (isUnitReshape(user))
    return isStored(user->getResult(0));
  dsc::Role role = dsc::factsOf(user).role;
  return isHome(user) || !(isElementwise(user) || isMovement(user) || role == dsc::Role::Row);
}

/// Whether the innermost of the dims with several places stays that.
static bool keepsNeighbours(dsc::TransposeOp transpose) {
  dsc::Dims dims = dsc::getDims(transpose.getInput());
  auto innermost = [&](auto axes) {
    for (int64_t axis : axes)
      if (!dims[axis].isConstant(1))
        return axis;
    return int64_t(-1);
  };
  return innermost(llvm::reverse(dsc::getIntegers(transpose.getPermutation()))) ==
         innermost(llvm::reverse(llvm::seq<int64_t>(0, dims.size())));
}

/// True if what shows `value`, which lies at these strides, under other dims can do so.
static bool readersAllow(Value value, ArrayRef<DimExpr> strides) {
  if (value.hasNUsesOrMore(maxReaders + 1))
    return false;
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    Value shown = user->getNumResults() == 1 ? user->getResult(0) : Value();
    if (isa<dsc::SliceOp>(user) && isInPlace(user))
      return readersAllow(shown, strides);
    if (!isa<dsc::ReshapeOp>(user))
      return true;
    std::optional<dsc::Dims> other = restride(dsc::getDims(value), strides, dsc::getDims(shown));
    return other && readersAllow(shown, *other);
  });
}

namespace {
struct PlaceTransposes : impl::PlaceTransposesBase<PlaceTransposes> {
  using PlaceTransposesBase::PlaceTransposesBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Block &block = getOperation().getBody().front();
    Journal journal(explained);
    strides.clear();
    claimed.clear();
    returned.clear();
    for (Value value : block.getTerminator()->getOperands())
      returned.insert(withoutReshapes(value));
    for (Operation &op : block)
      if (isHome(&op))
        for (Value part : op.getOperands())
          claimed.insert(withoutReshapes(part));
    for (Operation &op : block) {
      if (auto transpose = dyn_cast<dsc::TransposeOp>(op))
        decide(transpose, journal);
      if (isView(&op))
        strides[op.getResult(0)] = stridesOfView(&op);
    }
    if (!haveFormulas(block))
      for (auto transpose : block.getOps<dsc::TransposeOp>())
        transpose->removeAttr(inPlaceName);
  }

private:
  /// Steps through many named dims may be longer than formulas get. The marks are gone then, and the graph means the
  /// same.
  static bool haveFormulas(Block &block) {
    Layouts layouts(block);
    return llvm::all_of(block, [&](Operation &op) {
      return llvm::all_of(op.getResults(), [&](Value result) { return layouts.find(result).has_value(); });
    });
  }

  /// At which strides a value lies; nothing if that is for a home to say.
  std::optional<dsc::Dims> stridesOf(Value value) {
    if (auto found = strides.find(value); found != strides.end())
      return found->second;
    if (claimed.contains(value))
      return std::nullopt;
    return rowMajorStrides(dsc::getDims(value));
  }

  std::optional<dsc::Dims> stridesOfView(Operation *view) {
    Value input = view->getOperand(0);
    std::optional<dsc::Dims> own = stridesOf(input);
    if (!own || isa<dsc::SliceOp>(view))
      return own;
    if (auto transpose = dyn_cast<dsc::TransposeOp>(view))
      return permute(transpose, *own);
    return restride(dsc::getDims(input), *own, dsc::getDims(view->getResult(0)));
  }

  Verdict canBeView(dsc::TransposeOp transpose) {
    if (returned.contains(transpose.getResult()))
      return Verdict::declined("it is returned");
    std::optional<dsc::Dims> own = stridesOf(transpose.getInput());
    if (!own)
      return Verdict::declined("its input is a part of a join");
    return Verdict::acceptedIf(readersAllow(transpose.getResult(), permute(transpose, *own)),
                               "it is shown under dims for which there are no strides");
  }

  Verdict canBeHome(dsc::TransposeOp transpose) {
    Value made = transpose.getInput();
    while (made.hasOneUse() && made.getDefiningOp<dsc::ReshapeOp>())
      made = made.getDefiningOp()->getOperand(0);
    Operation *maker = made.getDefiningOp();
    if (!dsc::factsOf(maker).needsKernel() || maker->getNumResults() > 1 || isDuplicable(maker) || isInPlace(maker) ||
        !followsHero(maker))
      return Verdict::declined("no kernel of its own makes its input");
    if (!made.hasOneUse() || claimed.contains(made))
      return Verdict::declined("others read its input, too");
    dsc::Dims input = dsc::getDims(transpose.getInput()), result = dsc::getDims(transpose.getResult());
    return Verdict::acceptedIf(
        restride(input, permuteBack(transpose, rowMajorStrides(result)), dsc::getDims(made)).has_value(),
        "its input is made under dims for which there are no strides");
  }

  void decide(dsc::TransposeOp transpose, const Journal &journal) {
    Verdict view = Verdict::declined("its only user computes it as it reads it"), home = view;
    if (claimed.contains(transpose.getResult())) {
      view = home = Verdict::declined("it is a part of a join");
    } else if (!keepsNeighbours(transpose)) {
      view = home = Verdict::declined("its last dim is another one than the input's");
    } else if (isStored(transpose.getResult())) {
      view = canBeView(transpose);
      home = canBeHome(transpose);
    }
    if (journal.wants(transpose)) {
      InFlightDiagnostic remark = journal.tell(transpose);
      remark << transpose->getName();
      if (view)
        remark << " is a view";
      else if (home)
        remark << " is written in place; no view: " << view.why();
      else if (view.why() == home.why())
        remark << " stays a kernel: " << view.why();
      else
        remark << " stays a kernel; no view: " << view.why() << "; not written in place: " << home.why();
    }
    Builder b(&getContext());
    if (view) {
      transpose->setAttr(inPlaceName, b.getUnitAttr());
      ++numViews;
    } else if (home) {
      transpose->setAttr(inPlaceName, b.getStringAttr(inPlaceAsHome));
      claimed.insert(withoutReshapes(transpose.getInput()));
      ++numHomes;
    } else {
      ++numDeclined;
    }
  }

  DenseMap<Value, std::optional<dsc::Dims>> strides; // of views; none where a home has them
  DenseSet<Value> claimed;                           // values that are written into a home
  DenseSet<Value> returned;                          // under whatever dims
};
} // namespace

} // namespace dscc
