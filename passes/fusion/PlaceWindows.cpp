// Decides which joins and parts of tensors are nothing but places: no kernel copies them.
//
//     %a = dsc.conv ..           a writes into            %c  +--------------+
//     %b = dsc.conv ..    ==>    c's upper part,              | a            |   whoever reads a, b, c or a slice of
//     %c = dsc.concat %a, %b     b into its lower one         +--------------+   them does so through strides
//                                                             | b            |
//                                                             +--------------+
//
// A join is in place if something is won by it: an operand that would be written and then copied. What cannot be
// written into its part, because it is an input, a constant, an output, at home elsewhere or twice in the join, is
// copied there by a group of its own; neighbours of that kind, and what a join would compute as it goes along, share
// one.
//
// Before that joins are seen through: parts of one tensor that meet again are that tensor, and a join that continues
// another one (as in a dense block) has it as its operand.

#include "dialects/dsc/Windows.h"
#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/fusion/Rules.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_PLACEWINDOWS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-place-windows"
ALWAYS_ENABLED_STATISTIC(numJoins, "Joins that are written by those who make their parts");
ALWAYS_ENABLED_STATISTIC(numParts, "Results that are written straight into a join");
ALWAYS_ENABLED_STATISTIC(numCopied, "Parts of such joins that are copied or computed there");
ALWAYS_ENABLED_STATISTIC(numDeclined, "Joins that stay kernels");

/// How deep joins in place are nested: whoever looks for a window walks up all of them.
constexpr unsigned maxNesting = 64;
/// Of what has more users than this nobody asks all of them.
constexpr unsigned maxReaders = 1000;
/// Among how many joins with the same first operand one is looked for that another one continues.
constexpr size_t maxAlike = 64;

/// A window leaves a gap before each step along the dim before `axis`. The axis of `other` before which the gap is
/// then, if it is between two dims there as well.
static std::optional<size_t> moveGap(ArrayRef<DimExpr> dims, size_t axis, ArrayRef<DimExpr> other) {
  DimExpr outside = dsc::countElements(dims.take_front(axis)), inside = dsc::countElements(dims.drop_front(axis));
  for (size_t i = 0; i <= other.size() && outside.isValid() && inside.isValid(); ++i)
    if (dsc::countElements(other.take_front(i)) == outside && dsc::countElements(other.drop_front(i)) == inside)
      return i;
  return std::nullopt;
}

/// True if all views of `value` stay views when it has a gap before `axis`.
static bool readersAllow(Value value, size_t axis) {
  if (value.hasNUsesOrMore(maxReaders + 1))
    return false;
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (auto view = dyn_cast<dsc::ReshapeOp>(user)) {
      std::optional<size_t> moved = moveGap(dsc::getDims(value), axis, dsc::getDims(view.getResult()));
      return moved && readersAllow(view.getResult(), *moved);
    }
    return !isa<dsc::SliceOp>(user) || !isInPlace(user) || readersAllow(user->getResult(0), axis);
  });
}

/// True if whatever makes `value`, and all that reads it or a part of it, can do with a gap before `axis`.
static bool allowGap(Value value, size_t axis) {
  Value made = withoutReshapes(value);
  std::optional<size_t> moved = moveGap(dsc::getDims(value), axis, dsc::getDims(made));
  if (!moved || !readersAllow(made, *moved))
    return false;
  auto join = made.getDefiningOp<dsc::ConcatOp>();
  return !join || !isInPlace(join) ||
         llvm::all_of(join.getInputs(), [&](Value part) { return allowGap(part, *moved); });
}

/// True if the slice takes whole neighbours, so that its elements lie at the strides of its input.
static bool canBeView(dsc::SliceOp slice) {
  if (llvm::any_of(dsc::getIntegers(slice.getSteps()), [](int64_t step) { return step != 1; }))
    return false;
  dsc::Dims input = dsc::getDims(slice.getInput()), result = dsc::getDims(slice.getResult());
  for (size_t axis = 0; axis < input.size(); ++axis)
    if (input[axis] != result[axis] && !readersAllow(slice.getResult(), axis))
      return false;
  return true;
}

/// True if `second` goes on along `axis` where `first` ends.
static bool continues(dsc::SliceOp first, dsc::SliceOp second, size_t axis) {
  if (!first || !second || first.getInput() != second.getInput())
    return false;
  dsc::Dims starts = first.getStarts().getDims(), sizes = first.getSizes().getDims();
  dsc::Dims next = second.getStarts().getDims(), nextSizes = second.getSizes().getDims();
  auto isOne = [](int64_t step) { return step == 1; };
  if (!llvm::all_of(dsc::getIntegers(first.getSteps()), isOne) ||
      !llvm::all_of(dsc::getIntegers(second.getSteps()), isOne))
    return false;
  for (size_t i = 0; i < starts.size(); ++i)
    if (i == axis ? next[i] != starts[i] + sizes[i] : (next[i] != starts[i] || nextSizes[i] != sizes[i]))
      return false;
  return true;
}

namespace {
/// A join in place as the model has it: what repeats its operands goes on where it ends.
struct Join {
  dsc::ConcatOp op;
  SmallVector<Value> operands;
};

/// What an operand of a join in place is.
enum class Part {
  Placed,   // has bytes of its own anyhow, which become those of the join
  Computed, // would be computed by the join's kernel; a kernel of its own can write it where it belongs
  Copied    // lies elsewhere
};

struct PlaceWindows : impl::PlaceWindowsBase<PlaceWindows> {
  using PlaceWindowsBase::PlaceWindowsBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Block &block = getOperation().getBody().front();
    Journal journal(explained);
    returned.clear();
    claimed.clear();
    nesting.clear();
    joins.clear();
    for (Value value : block.getTerminator()->getOperands())
      returned.insert(withoutReshapes(value));
    for (auto slice : block.getOps<dsc::SliceOp>())
      if (!returned.contains(slice.getResult()) && canBeView(slice))
        slice->setAttr(inPlaceName, UnitAttr::get(&getContext()));
    for (auto join : llvm::make_early_inc_range(block.getOps<dsc::ConcatOp>()))
      mergeSlices(join);
    for (auto slice : llvm::make_early_inc_range(block.getOps<dsc::SliceOp>()))
      if (slice.use_empty())
        slice.erase();
    for (auto join : llvm::make_early_inc_range(block.getOps<dsc::ConcatOp>()))
      decide(join, journal);
    if (!haveFormulas(block))
      for (Operation &op : block)
        op.removeAttr(inPlaceName);
  }

private:
  /// Sums of many named dims may be longer than formulas get. The marks are gone then, and the graph means the same.
  static bool haveFormulas(Block &block) {
    Layouts layouts(block);
    return llvm::all_of(block, [&](Operation &op) {
      return llvm::all_of(op.getResults(), [&](Value result) { return layouts.find(result).has_value(); });
    });
  }

  /// Neighbouring slices of one value are one slice, or the value itself.
  void mergeSlices(dsc::ConcatOp join) {
    SmallVector<Value> parts;
    size_t axis = join.getAxis();
    for (Value input : join.getInputs()) {
      auto second = input.getDefiningOp<dsc::SliceOp>();
      auto first = parts.empty() ? dsc::SliceOp() : parts.back().getDefiningOp<dsc::SliceOp>();
      if (!continues(first, second, axis)) {
        parts.push_back(input);
        continue;
      }
      OpBuilder b(join);
      dsc::Dims sizes = first.getSizes().getDims();
      sizes[axis] = sizes[axis] + second.getSizes().getDims()[axis];
      parts.back() = b.createOrFold<dsc::SliceOp>(join.getLoc(), first.getInput(), first.getStartsAttr(),
                                                  dsc::DimsAttr::get(&getContext(), sizes), first.getStepsAttr());
    }
    if (parts.size() == join.getInputs().size())
      return;
    join.getInputsMutable().assign(parts);
    if (parts.size() > 1 || parts[0].getType() != join.getType())
      return;
    join.replaceAllUsesWith(parts[0]);
    join.erase();
  }

  /// Whether the part has the dims of the whole, but for the axis, by their formulas: not only if the inputs fit.
  static bool fits(Value part, Value whole, size_t axis) {
    dsc::Dims own = dsc::getDims(part), dims = dsc::getDims(whole);
    for (size_t i = 0; i < own.size(); ++i)
      if (i != axis && own[i] != dims[i])
        return false;
    return true;
  }

  /// Whether `value` becomes operand of a join along `axis` without being copied.
  bool canBePlaced(Value value, size_t axis, const DenseMap<Value, unsigned> &uses) {
    Value made = withoutReshapes(value);
    Operation *maker = made.getDefiningOp();
    if (!dsc::factsOf(maker).needsKernel() || maker->getNumResults() > 1 || isDuplicable(maker) ||
        claimed.contains(made) || returned.contains(made) || (isa<dsc::SliceOp>(maker) && isInPlace(maker)))
      return false;
    if (uses.lookup(made) != 1)
      return false;
    return nesting.lookup(maker) < maxNesting && allowGap(value, axis);
  }

  Part classify(Value value, size_t axis, const DenseMap<Value, unsigned> &uses) {
    if (!canBePlaced(value, axis, uses))
      return Part::Copied;
    Operation *maker = withoutReshapes(value).getDefiningOp();
    bool isOwnKernel = followsHero(maker) || isa<dsc::ConcatOp>(maker) || !maker->hasOneUse() ||
                       !(isElementwise(maker) || isMovement(maker));
    return isOwnKernel ? Part::Placed : Part::Computed;
  }

  /// The operands, with the longest row of them that an earlier join in place has as well replaced by that.
  SmallVector<Value> withEarlierJoin(dsc::ConcatOp join) {
    SmallVector<Value> parts(join.getInputs());
    Join *longest = nullptr;
    size_t where = 0;
    for (auto [i, part] : llvm::enumerate(parts)) {
      auto found = joins.find(part);
      if (found == joins.end())
        continue;
      for (Join &earlier : found->second) {
        ArrayRef<Value> operands = earlier.operands;
        bool isLonger = !longest || operands.size() > longest->operands.size();
        if (isLonger && earlier.op.getAxis() == join.getAxis() && !claimed.contains(earlier.op.getResult()) &&
            operands.size() < parts.size() && operands.size() <= parts.size() - i &&
            operands == ArrayRef(parts).slice(i, operands.size())) {
          longest = &earlier;
          where = i;
        }
      }
    }
    if (longest) {
      parts.erase(parts.begin() + where + 1, parts.begin() + where + longest->operands.size());
      parts[where] = longest->op.getResult();
    }
    return parts;
  }

  /// True if the join is computed by its only user as it reads it, so that its result never is in memory.
  static bool isNeverStored(dsc::ConcatOp join) {
    if (!join->hasOneUse())
      return false;
    Operation *user = *join->user_begin();
    dsc::Role role = dsc::factsOf(user).role;
    bool readsMemory = role == dsc::Role::Product || role == dsc::Role::Recurrence || isa<dsc::ConcatOp>(user);
    return !readsMemory && (isElementwise(user) || isMovement(user) || isHero(user));
  }

  void decide(dsc::ConcatOp join, const Journal &journal) {
    size_t axis = join.getAxis();
    SmallVector<Value> parts = withEarlierJoin(join);
    DenseMap<Value, unsigned> uses;
    for (Value part : parts)
      ++uses[withoutReshapes(part)];
    SmallVector<Part> kinds;
    for (Value part : parts)
      kinds.push_back(classify(part, axis, uses));
    size_t placed = llvm::count(kinds, Part::Placed), others = 0;
    for (size_t i = 0; i < kinds.size(); ++i)
      others += kinds[i] != Part::Placed && (i == 0 || kinds[i - 1] == Part::Placed);
    bool allFit = llvm::all_of(parts, [&](Value part) { return fits(part, join.getResult(), axis); });
    Verdict verdict = allFit ? judge(join, placed, others)
                             : Verdict::declined("only inputs that fit make an operand's dims those of the whole");
    if (journal.wants(join))
      journal.tell(join) << join->getName() << (verdict ? " is in place" : " stays a kernel: ") << verdict.why();
    if (verdict)
      place(join, parts, kinds);
    else
      ++numDeclined;
  }

  /// Whether a join is worth it of which so many operands are `placed` and `others` rows are not.
  static Verdict judge(dsc::ConcatOp join, size_t placed, size_t others) {
    if (placed == 0)
      return Verdict::declined("no operand has bytes of its own that could be the join's");
    if (others > placed)
      return Verdict::declined("more copies would be left than operands are written in place");
    return Verdict::acceptedIf(others == 0 || !isNeverStored(join), "its only user computes it as it reads it");
  }

  void place(dsc::ConcatOp join, ArrayRef<Value> parts, ArrayRef<Part> kinds) {
    OpBuilder b(join);
    SmallVector<Value> operands;
    for (size_t i = 0; i < parts.size();) {
      size_t end = i + 1;
      if (kinds[i] != Part::Placed)
        while (end < parts.size() && kinds[end] != Part::Placed)
          ++end;
      ArrayRef<Value> row = parts.slice(i, end - i);
      bool isCopy = row.size() > 1 || kinds[i] == Part::Copied;
      operands.push_back(isCopy ? gather(b, join, row) : row[0]);
      numParts += kinds[i] == Part::Placed;
      numCopied += kinds[i] == Part::Placed ? 0 : row.size();
      i = end;
    }
    SmallVector<Join> &alike = joins[join.getInputs()[0]];
    if (alike.size() < maxAlike)
      alike.push_back({join, SmallVector<Value>(join.getInputs())});
    join.getInputsMutable().assign(operands);
    join->setAttr(inPlaceName, b.getUnitAttr());
    unsigned depth = 0;
    for (Value operand : operands) {
      Value made = withoutReshapes(operand);
      claimed.insert(made);
      depth = std::max(depth, nesting.lookup(made.getDefiningOp()));
    }
    nesting[join] = depth + 1;
    ++numJoins;
  }

  /// What is not written in place as one value with bytes of its own, to be made where it belongs.
  static Value gather(OpBuilder &b, dsc::ConcatOp join, ArrayRef<Value> row) {
    if (row.size() > 1)
      return dsc::ConcatOp::create(b, join.getLoc(), row, join.getAxisAttr());
    dsc::Dims sizes = dsc::getDims(row[0]), starts(sizes.size(), DimExpr(0));
    SmallVector<int64_t> steps(sizes.size(), 1);
    return dsc::SliceOp::create(b, join.getLoc(), row[0], dsc::DimsAttr::get(b.getContext(), starts),
                                dsc::DimsAttr::get(b.getContext(), sizes), b.getI64ArrayAttr(steps));
  }

  DenseSet<Value> returned;                 // under whatever dims
  DenseSet<Value> claimed;                  // values that are at home in a join
  DenseMap<Operation *, unsigned> nesting;  // how many joins in place are within one, itself included
  DenseMap<Value, SmallVector<Join>> joins; // by their first operand
};
} // namespace

} // namespace dscc
