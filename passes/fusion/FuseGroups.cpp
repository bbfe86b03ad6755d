// Cuts a flat graph into groups, each of which becomes one kernel.
//
//        a   b                 a   b
//         \ /                +-|---|-+
//         add       ==>      |  add  |
//          |                 |   |   |
//         relu               | relu  |
//          |                 +---|---+
//
// Walk the block from its end. An op that no group has claimed starts one and pulls in its producers, last first, for
// as long as a rule accepts them. A producer joins only if ALL its users are in the group; hence a group has the
// results of its root, those that are used, and no path can leave it and come back. Before that, ops that are cheaper
// to compute than to store are duplicated, one copy a user, and attention becomes groups of its own (Attention.cpp).
// What PlaceWindows and PlaceTransposes have marked needs no kernel: homes, and views that no group has a use for.
// Behind it, parts of one value that nobody has taken in, as of a Split, become one group with several results. Last,
// each group learns in which windows its tensors lie.

#include "dialects/dsc/Windows.h"
#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/fusion/Outline.h"
#include "passes/fusion/Rules.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/Statistic.h"

#include <queue>

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_FUSEGROUPS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-fuse-groups"
ALWAYS_ENABLED_STATISTIC(numGroups, "Groups formed");
ALWAYS_ENABLED_STATISTIC(numFused, "Ops that share a group with another");
ALWAYS_ENABLED_STATISTIC(numAttentions, "Groups that are attention as a whole");
ALWAYS_ENABLED_STATISTIC(numSeconds, "Groups that write a value that they read, too");
ALWAYS_ENABLED_STATISTIC(numParts, "Slices that share a group with another of the same value");

/// A kernel with more pointers and branches than this compiles slowly and keeps too much in registers.
constexpr size_t maxGroupInputs = 24;
/// Moves want the same producer at several places, each of which has code of its own. Chains of them would multiply.
constexpr unsigned maxCopies = 8;
/// Joins of more operands become trees.
constexpr size_t maxJoined = 16;

/// Parts of one value that share a kernel, at most: each is a pointer and a copy in its code.
constexpr size_t maxParts = 8;

static bool isDscOp(Operation *op) { return op && isa<dsc::DscDialect>(op->getDialect()); }

/// concat(a .. z) = concat(concat(a .. p), concat(q .. z)).
static void splitJoin(dsc::ConcatOp join) {
  while (join.getInputs().size() > maxJoined) {
    OpBuilder builder(join);
    SmallVector<Value> parts;
    ValueRange rest = join.getInputs();
    while (!rest.empty()) {
      ValueRange part = rest.take_front(maxJoined);
      parts.push_back(part.size() == 1 ? part[0]
                                       : dsc::ConcatOp::create(builder, join.getLoc(), part, join.getAxisAttr()));
      rest = rest.drop_front(part.size());
    }
    join.getInputsMutable().assign(parts);
  }
}

/// Gives each use of a duplicable op a copy of its own. From the end, so that copies of users come first.
static void duplicate(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (!isDscOp(&op) || !isDuplicable(&op) || op.use_empty())
      continue;
    // In the order of the users, whatever the order of the use list.
    SmallVector<OpOperand *> uses = llvm::map_to_vector(op.getUses(), [](OpOperand &use) { return &use; });
    llvm::stable_sort(uses, [](OpOperand *a, OpOperand *b) {
      if (a->getOwner() != b->getOwner())
        return a->getOwner()->isBeforeInBlock(b->getOwner());
      return a->getOperandNumber() < b->getOperandNumber();
    });
    assert(op.getNumResults() == 1 && "what is computed again is one value");
    OpBuilder builder(&op);
    for (OpOperand *use : llvm::drop_begin(uses))
      use->set(builder.clone(op)->getResult(0));
  }
}

/// As many ops as may lie between a value that has several users and the op in which they meet again.
constexpr size_t maxBetween = 8;

/// The elementwise ops of `dims` that follow `last`, up to the first that sees all that came of it: its only user, or
/// where several meet again, as in x * sigmoid(x). That one is the last; none if they do not meet.
static SmallVector<Operation *> findMeeting(Operation *last, const dsc::Dims &dims) {
  llvm::SetVector<Operation *> members(last->user_begin(), last->user_end());
  while (!members.empty() && members.size() <= maxBetween) {
    if (!llvm::all_of(members, [&](Operation *op) {
          return isDscOp(op) && isElementwise(op) && dsc::getDims(op->getResult(0)) == dims;
        }))
      return {};
    Operation *latest =
        *llvm::max_element(members, [](Operation *a, Operation *b) { return a != b && a->isBeforeInBlock(b); });
    // All but the latest may be used among themselves only.
    size_t before = members.size();
    for (Operation *op : SmallVector<Operation *>(members.getArrayRef()))
      if (op != latest)
        members.insert(op->user_begin(), op->user_end());
    if (members.size() != before)
      continue;
    SmallVector<Operation *> ordered = llvm::filter_to_vector(members, [&](Operation *op) { return op != latest; });
    ordered.push_back(latest);
    return ordered;
  }
  return {};
}

/// Marks what could be some hero's epilogue: elementwise ops after a hero, with its dims, that nobody else needs.
static DenseSet<Operation *> findAnchored(Block &block) {
  DenseSet<Operation *> anchored;
  for (Operation &hero : block) {
    if (!isDscOp(&hero) || !isHero(&hero) || hero.getNumResults() != 1)
      continue;
    dsc::Dims dims = dsc::getDims(hero.getResult(0));
    for (Operation *last = &hero;;) {
      SmallVector<Operation *> members = findMeeting(last, dims);
      if (members.empty())
        break;
      anchored.insert(members.begin(), members.end());
      last = members.back();
    }
  }
  return anchored;
}

/// The first rule that takes the producer for this user; null if none does.
static const FusionRule *findRule(Operation *producer, Operation *user, const GroupDraft &group) {
  auto accepts = [&](const FusionRule &rule) { return bool(rule.accepts(producer, user, group)); };
  auto rule = llvm::find_if(allFusionRules(), accepts);
  return rule == allFusionRules().end() ? nullptr : rule;
}

/// Whether the group may write the producer's value besides its own: a sum of which a row takes its norm, where the sum
/// goes on as it is, or a join that goes on in another type, too. Whoever else wants it comes behind the root, where
/// the group will be. A hero's epilogue stays there.
static Verdict mayBeSecond(Operation *producer, const GroupDraft &group) {
  Operation *root = group.root();
  if (group.second)
    return Verdict::declined("the producer is wanted outside of the group, too, and so is another one");
  Value value = producer->getResult(0);
  if (!sameDims(value, root->getResult(0)))
    return Verdict::declined("the producer is wanted outside of the group, too, and has other dims than the root");
  if (!group.hero) {
    // Whose elements a hero makes, that one had better write.
    if (!isElementwise(root) || dsc::factsOf(producer).role != dsc::Role::Movement)
      return Verdict::declined("the producer is wanted outside of the group, too, and is no move that elements follow");
  } else if (dsc::factsOf(group.hero).role != dsc::Role::Row) {
    return Verdict::declined("the producer is wanted outside of the group, too, and the group has no rows");
  } else if (!isElementwise(producer) || !isCheap(producer) || !sameDims(value, group.hero->getOperand(0))) {
    return Verdict::declined("the producer is wanted outside of the group, too, and is no cheap op of the rows' dims");
  }
  if (group.anchored->contains(producer))
    return Verdict::declined("the producer is wanted outside of the group, too, and is an epilogue elsewhere");
  return Verdict::acceptedIf(
      llvm::all_of(producer->getUsers(),
                   [&](Operation *user) { return group.ops.contains(user) || root->isBeforeInBlock(user); }),
      "the producer is wanted before the group's root");
}

/// Yes if a rule takes the producer for each of its users, all of which are in the group or may have its value from it.
static Verdict joins(Operation *producer, const GroupDraft &group) {
  for (Operation *user : producer->getUsers()) {
    if (!group.ops.contains(user)) {
      if (Verdict verdict = mayBeSecond(producer, group); !verdict)
        return verdict;
      continue;
    }
    if (!findRule(producer, user, group))
      return Verdict::declined("no rule takes the producer for one of its users in the group");
  }
  return Verdict::accepted();
}

/// Users that keep the coordinates share one copy; each other use is a copy more, an interpolation eight.
static unsigned countCopies(const GroupDraft &group, Operation *producer) {
  unsigned shared = 0, moved = 0;
  for (OpOperand &use : producer->getUses()) {
    Operation *user = use.getOwner();
    if (!group.ops.contains(user))
      continue; // reads the result of the group
    unsigned copies = group.copies.lookup(user);
    bool keeps = isElementwise(user) && sameDims(use.get(), user->getResult(0));
    if (keeps)
      shared = std::max(shared, copies);
    else
      moved += copies * (isa<dsc::ResizeOp>(user) ? 8 : 1);
  }
  return shared + moved;
}

static void add(GroupDraft &group, Operation *op) {
  group.copies[op] = group.ops.empty() ? 1 : countCopies(group, op);
  bool onTop =
      group.ops.empty() || llvm::all_of(op->getUsers(), [&](Operation *user) { return group.epilogue.contains(user); });
  group.ops.insert(op);
  if (isHero(op)) {
    assert(!group.hero && "a group has one hero");
    group.hero = op;
    return;
  }
  if (onTop && isElementwise(op) && sameDims(op->getResult(0), group.root()->getResult(0)))
    group.epilogue.insert(op);
}

static size_t countInputs(const GroupDraft &group, Operation *added) {
  llvm::SmallDenseSet<Value> inputs;
  auto count = [&](Operation *op) {
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (producer != added && !group.ops.contains(producer) && !(producer && isSplat(producer)))
        inputs.insert(operand);
    }
  };
  llvm::for_each(group.ops, count);
  count(added);
  return inputs.size();
}

/// Whether a producer of the group's members joins them.
static Verdict judge(Operation *producer, const GroupDraft &group, bool fuse) {
  // Even alone, an op does not read a splat from memory.
  if (!fuse && !isSplat(producer))
    return Verdict::declined("fusion is switched off");
  if (isa<dsc::GroupOp>(producer))
    return Verdict::declined("the producer is a group already");
  if (isHome(producer))
    return Verdict::declined("the producer is written by those who make its inputs");
  if (producer->getNumResults() != 1)
    return Verdict::declined("what makes several values is the root of its own group");
  if (group.second && !group.hero && isHero(producer))
    return Verdict::declined("the group writes two values, and its elements stand on their own");
  if (!isDuplicable(producer) && countInputs(group, producer) > maxGroupInputs)
    return Verdict::declined("the kernel would have too many inputs");
  if (Verdict verdict = joins(producer, group); !verdict)
    return verdict;
  return Verdict::acceptedIf(producer->getNumOperands() == 0 || countCopies(group, producer) <= maxCopies,
                             "the producer's code would stand in the kernel too many times");
}

/// Tells for each user in the group what took the producer for it, or why each rule declined.
static void explain(const Journal &journal, Operation *producer, const GroupDraft &group, Verdict verdict) {
  // No node computes a constant.
  if (journal.isClosed() || dsc::factsOf(producer).role == dsc::Role::Constant)
    return;
  llvm::SmallSetVector<Operation *, 4> users(producer->user_begin(), producer->user_end());
  for (Operation *user : group.ops) {
    if (!users.contains(user) || !(journal.wants(producer) || journal.wants(user)))
      continue;
    InFlightDiagnostic remark = journal.tell(producer);
    remark << producer->getName() << " into " << Journal::nameOf(user) << ": ";
    const FusionRule *rule = findRule(producer, user, group);
    if (rule && verdict)
      remark << "taken by " << rule->name;
    else if (rule)
      remark << "not fused; " << rule->name << " would take it, but " << verdict.why();
    else
      remark << "not fused";
    for (const FusionRule &declined : allFusionRules())
      if (!rule)
        remark << "; " << declined.name << ": " << declined.accepts(producer, user, group).why();
  }
}

/// The ops that run in one kernel with `root`, which computes their result.
static GroupDraft growGroup(Operation *root, const DenseSet<Operation *> &anchored, bool fuse, const Journal &journal) {
  GroupDraft group;
  group.anchored = &anchored;
  add(group, root);
  // Last first: once a producer is looked at, all its users have been.
  auto isBefore = [](Operation *a, Operation *b) { return a != b && a->isBeforeInBlock(b); };
  std::priority_queue<Operation *, std::vector<Operation *>, decltype(isBefore)> candidates(isBefore);
  DenseSet<Operation *> seen;
  auto lookBehind = [&](Operation *op) {
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp(); isDscOp(producer) && seen.insert(producer).second)
        candidates.push(producer);
  };
  for (lookBehind(root); !candidates.empty();) {
    Operation *producer = candidates.top();
    candidates.pop();
    Verdict verdict = judge(producer, group, fuse);
    explain(journal, producer, group, verdict);
    if (!verdict)
      continue;
    if (!llvm::all_of(producer->getUsers(), [&](Operation *user) { return group.ops.contains(user); }))
      group.second = producer;
    add(group, producer);
    lookBehind(producer);
  }
  return group;
}

/// Weights and views cost nothing, so they need no kernel.
static bool needsGroup(Operation *op) {
  return !isa<dsc::GroupOp>(op) && dsc::factsOf(op).needsKernel() && !isHome(op);
}

/// A group that would only copy what lies in memory anyway, or a part of it.
static bool onlyViews(ArrayRef<Operation *> ops) { return llvm::all_of(ops, isView); }

/// Says on each group, and on each home, in which windows its tensors lie.
static LogicalResult nameWindows(Block &block) {
  Layouts layouts(block);
  for (Operation &op : block) {
    if (!isa<dsc::GroupOp>(op) && !isHome(&op))
      continue;
    SmallVector<Value> tensors;
    if (isa<dsc::GroupOp>(op))
      llvm::append_range(tensors, op.getOperands());
    llvm::append_range(tensors, op.getResults());
    SmallVector<Window> windows;
    for (Value tensor : tensors) {
      std::optional<Layout> layout = layouts.find(tensor);
      if (!layout)
        return op.emitError("has a tensor of type ") << tensor.getType() << " in a window that no strides describe";
      windows.push_back(layout->window);
    }
    if (ArrayAttr encoded = encodeWindows(op.getContext(), tensors, windows))
      op.setAttr(windowsName, encoded);
  }
  return success();
}

/// The slice that is all of a group; null if it has anything else.
static dsc::SliceOp findOnlySlice(dsc::GroupOp group) {
  Block &body = group.getBody().front();
  auto slice = dyn_cast<dsc::SliceOp>(body.front());
  return slice && slice->getNextNode() == body.getTerminator() ? slice : dsc::SliceOp();
}

/// Makes one group of several that are slices of one value: at the place of the first of them, where the value is
/// there.
static void joinParts(ArrayRef<dsc::GroupOp> parts) {
  dsc::GroupOp first = parts[0];
  OpBuilder builder(first);
  SmallVector<Location> locations;
  SmallVector<Type> types;
  for (dsc::GroupOp part : parts) {
    locations.push_back(part.getLoc());
    llvm::append_range(types, part.getResultTypes());
  }
  Value whole = first.getInputs()[0];
  auto joined = dsc::GroupOp::create(builder, builder.getFusedLoc(locations), types, whole);
  Block *body = builder.createBlock(&joined.getBody());
  Value argument = body->addArgument(whole.getType(), whole.getLoc());
  SmallVector<Value> results;
  for (auto [part, result] : llvm::zip_equal(parts, joined.getResults())) {
    dsc::GroupOp own = part;
    dsc::SliceOp slice = findOnlySlice(own);
    slice->moveBefore(body, body->end());
    slice.getInputMutable().assign(argument);
    results.push_back(slice.getResult());
    own.getResult(0).replaceAllUsesWith(result);
    own.erase();
  }
  builder.setInsertionPointToEnd(body);
  dsc::YieldOp::create(builder, joined.getLoc(), results);
  numGroups -= parts.size() - 1;
  numParts += parts.size();
}

/// Joins groups that are slices of the same value and have equal dims, so that one kernel writes all of them.
static void joinSlices(Block &block) {
  llvm::MapVector<std::pair<Value, Type>, SmallVector<dsc::GroupOp>> partsOf;
  for (auto group : block.getOps<dsc::GroupOp>())
    if (findOnlySlice(group))
      partsOf[{group.getInputs()[0], group.getResult(0).getType()}].push_back(group);
  for (auto &[whole, parts] : partsOf)
    for (ArrayRef<dsc::GroupOp> rest = parts; rest.size() > 1; rest = rest.drop_front(std::min(maxParts, rest.size())))
      joinParts(rest.take_front(maxParts));
}

namespace {
struct FuseGroups : impl::FuseGroupsBase<FuseGroups> {
  using FuseGroupsBase::FuseGroupsBase;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    Block &block = getOperation().getBody().front();
    for (auto join : llvm::make_early_inc_range(block.getOps<dsc::ConcatOp>()))
      if (!isHome(join))
        splitJoin(join);
    duplicate(block);
    Journal journal(explained);
    if (fuse) {
      unsigned attentions = fuseAttention(block, journal);
      numGroups += attentions;
      numAttentions += attentions;
    }
    DenseSet<Operation *> anchored = findAnchored(block);
    // Roots are found from the end; what a group takes is no longer in the block.
    for (Operation *op = &block.back(); op;) {
      if (isOpTriviallyDead(op) || !needsGroup(op)) {
        Operation *dead = isOpTriviallyDead(op) ? op : nullptr;
        op = op->getPrevNode();
        if (dead)
          dead->erase();
        continue;
      }
      GroupDraft draft = growGroup(op, anchored, fuse, journal);
      SmallVector<Operation *> ops = draft.ops.takeVector();
      if (onlyViews(ops)) {
        op = op->getPrevNode();
        continue;
      }
      llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
      numSeconds += draft.second != nullptr;
      outline(ops, draft.second);
      ++numGroups;
      numFused += ops.size() - 1;
      op = op->getBlock()->getParentOp()->getPrevNode();
    }
    if (fuse)
      joinSlices(block);
    if (failed(nameWindows(block)))
      signalPassFailure();
  }
};
} // namespace

} // namespace dscc
