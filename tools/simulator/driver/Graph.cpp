#include "tools/simulator/driver/Graph.h"

#include "tools/simulator/driver/State.h"

#include "llvm/ADT/STLExtras.h"

#include <map>
#include <optional>
#include <set>

namespace dscc::sim {

CUgraphNode addNode(CUgraph_st &graph, Operation operation, const std::vector<CUgraphNode> &after) {
  std::set<CUgraphNode> seen;
  for (CUgraphNode node : after) {
    auto known = state().graphNodes.find(node);
    if (known == state().graphNodes.end() || known->second != &graph || !seen.insert(node).second)
      return nullptr;
  }
  static uint64_t numNodes = 0;
  auto made = std::make_unique<CUgraphNode_st>(CUgraphNode_st{&graph, ++numNodes, std::move(operation), after, 0});
  CUgraphNode node = made.get();
  graph.nodes.push_back(std::move(made));
  becomeSink(*node);
  state().graphNodes[node] = &graph;
  return node;
}

size_t indexOf(const CUgraphNode_st &node) {
  auto &nodes = node.graph->nodes;
  return size_t(llvm::find_if(nodes, [&](const auto &one) { return one.get() == &node; }) - nodes.begin());
}

// As Operation lists them: Nothing, KernelCall, Copy, Fill, HostCall. The others are never nodes.
static constexpr int types[] = {5, 0, 1, 2, 3};

bool isOfGraphs(const Operation &operation) { return operation.index() < std::size(types); }

int typeOf(const Operation &operation) {
  assert(isOfGraphs(operation) && "an operation that no graph holds");
  return types[operation.index()];
}

void becomeSink(CUgraphNode_st &node) {
  static uint64_t numSinks = 0;
  node.sinkNumber = ++numSinks;
}

std::vector<CUgraphNode> sinksOf(const CUgraph_st &graph) {
  std::set<CUgraphNode> waitedFor;
  for (const auto &node : graph.nodes)
    waitedFor.insert(node->after.begin(), node->after.end());
  std::vector<CUgraphNode> sinks;
  for (const auto &node : graph.nodes)
    if (!waitedFor.count(node.get()))
      sinks.push_back(node.get());
  llvm::sort(sinks, [](CUgraphNode left, CUgraphNode right) { return left->sinkNumber < right->sinkNumber; });
  return sinks;
}

/// Takes nodes away that wait for nothing, until none is left or all that are left wait for each other: then it goes
/// back from one of those until it must have met itself.
static std::optional<size_t> findCircle(const std::vector<CUgraphExec_st::Node> &nodes) {
  std::vector<bool> isDone(nodes.size());
  for (bool hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (size_t i = 0; i < nodes.size(); ++i)
      if (!isDone[i] && llvm::all_of(nodes[i].after, [&](size_t before) { return isDone[before]; }))
        isDone[i] = hasChanged = true;
  }
  size_t node = size_t(llvm::find(isDone, false) - isDone.begin());
  if (node == nodes.size())
    return std::nullopt;
  for (size_t step = 0; step < nodes.size(); ++step)
    node = *llvm::find_if(nodes[node].after, [&](size_t before) { return !isDone[before]; });
  return node;
}

std::unique_ptr<CUgraphExec_st> instantiate(const CUgraph_st &graph, CUgraphNode &wrong) {
  auto made = std::make_unique<CUgraphExec_st>();
  made->objects = std::make_shared<HeldObjects>(graph.objects);
  for (const auto &node : graph.nodes) {
    CUgraphExec_st::Node copy{node->number, node->operation, {}};
    for (CUgraphNode before : node->after)
      copy.after.push_back(indexOf(*before));
    made->nodes.push_back(std::move(copy));
  }
  if (std::optional<size_t> circle = findCircle(made->nodes)) {
    wrong = graph.nodes[*circle].get();
    return nullptr;
  }
  for (CUgraphNode sink : sinksOf(graph))
    made->sinks.push_back(indexOf(*sink));
  return made;
}

static bool isRunnable(const Operation &operation) {
  auto *call = std::get_if<KernelCall>(&operation);
  return !call || isAlive(*call);
}

CUresult launchGraph(CUgraphExec_st &graph, CUstream_st &stream) {
  for (const CUgraphExec_st::Node &node : graph.nodes)
    if (!isRunnable(node.operation))
      return CUDA_ERROR_INVALID_HANDLE;
  std::vector<TaskPtr> before = predecessors(stream), tasks;
  if (graph.last && !graph.last->isDone)
    before.push_back(graph.last);
  for (const CUgraphExec_st::Node &node : graph.nodes) {
    tasks.push_back(std::make_shared<Task>());
    tasks.back()->operation = node.isEnabled ? node.operation : Nothing();
    append(stream, tasks.back());
  }
  auto end = std::make_shared<Task>();
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (size_t index : graph.nodes[i].after)
      tasks[i]->after.push_back(tasks[index]);
    if (graph.nodes[i].after.empty())
      tasks[i]->after = before;
    end->after.push_back(tasks[i]);
  }
  end->after.insert(end->after.end(), before.begin(), before.end());
  end->keeps = graph.objects;
  append(stream, end);
  tasks.push_back(end);
  graph.last = end;
  schedule(tasks);
  return CUDA_SUCCESS;
}

static bool areSame(const Copy &left, const Copy &right) {
  return left.to == right.to && left.from == right.from && left.toPitch == right.toPitch &&
         left.fromPitch == right.fromPitch && left.width == right.width && left.height == right.height;
}

bool canBecome(const Operation &old, const Operation &other) {
  if (auto *copy = std::get_if<Copy>(&old)) {
    auto *wanted = std::get_if<Copy>(&other);
    if (!wanted || copy->toKind != wanted->toKind || copy->fromKind != wanted->fromKind)
      return false;
    return (copy->height == 1 && wanted->height == 1) || areSame(*copy, *wanted);
  }
  if (auto *fill = std::get_if<Fill>(&old)) {
    auto *wanted = std::get_if<Fill>(&other);
    // One row may change its size, several may not.
    return wanted && fill->kind == wanted->kind &&
           (fill->height == 1 && wanted->height == 1
                ? true
                : fill->elementBytes == wanted->elementBytes && fill->pitch == wanted->pitch &&
                      fill->width == wanted->width && fill->height == wanted->height);
  }
  return old.index() == other.index();
}

//===-- pairing ---------------------------------------------------------------------------------------------------===//

static constexpr int topologyChanged = 2; // CUgraphExecUpdateResult

Mismatch pairNodes(const CUgraphExec_st &exec, const CUgraph_st &graph, std::vector<CUgraphNode> &partners) {
  std::vector<CUgraphNode> sinks = sinksOf(graph);
  if (exec.nodes.size() != graph.nodes.size() || sinks.size() < exec.sinks.size())
    return {topologyChanged};
  if (sinks.size() > exec.sinks.size())
    return {topologyChanged, sinks[exec.sinks.size()]};
  partners.assign(exec.nodes.size(), nullptr);
  std::map<CUgraphNode, size_t> paired;
  std::vector<size_t> open = exec.sinks;
  for (size_t i = 0; i < sinks.size(); ++i) {
    partners[exec.sinks[i]] = sinks[i];
    paired[sinks[i]] = exec.sinks[i];
  }
  while (!open.empty()) {
    size_t index = open.back();
    open.pop_back();
    CUgraphNode node = partners[index];
    const std::vector<size_t> &after = exec.nodes[index].after;
    if (node->after.size() != after.size())
      return {topologyChanged, node};
    for (size_t edge = 0; edge < after.size(); ++edge) {
      CUgraphNode &partner = partners[after[edge]], wanted = node->after[edge];
      auto [known, isNew] = paired.insert({wanted, after[edge]});
      if (known->second != after[edge] || (partner && partner != wanted))
        return {topologyChanged, node, wanted};
      if (!isNew)
        continue;
      partner = wanted;
      open.push_back(after[edge]);
    }
  }
  // What no sink leads to is a circle, which nothing instantiated has.
  return {llvm::is_contained(partners, nullptr) ? topologyChanged : 0};
}

} // namespace dscc::sim
