#include "runtime/simulator/driver/Graph.h"

#include "runtime/simulator/driver/State.h"

#include "llvm/ADT/STLExtras.h"

#include <set>

namespace dscc::sim {

CUgraphNode addNode(CUgraph_st &graph, Operation operation, const std::vector<CUgraphNode> &after) {
  std::set<CUgraphNode> seen;
  for (CUgraphNode node : after) {
    auto known = state().graphNodes.find(node);
    if (known == state().graphNodes.end() || known->second != &graph || !seen.insert(node).second)
      return nullptr;
  }
  graph.nodes.push_back(std::make_unique<CUgraphNode_st>(CUgraphNode_st{&graph, std::move(operation), after}));
  CUgraphNode node = graph.nodes.back().get();
  state().graphNodes[node] = &graph;
  return node;
}

size_t indexOf(const CUgraphNode_st &node) {
  auto &nodes = node.graph->nodes;
  return size_t(llvm::find_if(nodes, [&](const auto &one) { return one.get() == &node; }) - nodes.begin());
}

int typeOf(const Operation &operation) {
  // As Operation lists them: Nothing, KernelCall, Copy, Fill, HostCall. The others are never nodes.
  static constexpr int types[] = {5, 0, 1, 2, 3};
  assert(operation.index() < std::size(types) && "an operation that no graph holds");
  return types[operation.index()];
}

/// Takes nodes away that wait for nothing, until none is left or all that are left wait for each other.
static bool hasCircle(const std::vector<CUgraphExec_st::Node> &nodes) {
  std::vector<bool> isDone(nodes.size());
  for (bool hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (size_t i = 0; i < nodes.size(); ++i)
      if (!isDone[i] && llvm::all_of(nodes[i].after, [&](size_t before) { return isDone[before]; }))
        isDone[i] = hasChanged = true;
  }
  return llvm::is_contained(isDone, false);
}

std::unique_ptr<CUgraphExec_st> instantiate(const CUgraph_st &graph) {
  auto made = std::make_unique<CUgraphExec_st>();
  for (const auto &node : graph.nodes) {
    CUgraphExec_st::Node copy{node.get(), node->operation, {}};
    for (CUgraphNode before : node->after)
      copy.after.push_back(indexOf(*before));
    made->nodes.push_back(std::move(copy));
  }
  return hasCircle(made->nodes) ? nullptr : std::move(made);
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
  append(stream, end);
  tasks.push_back(end);
  graph.last = end;
  schedule(tasks);
  return CUDA_SUCCESS;
}

bool canBecome(const Operation &old, const Operation &other) {
  if (auto *copy = std::get_if<Copy>(&old)) {
    auto *wanted = std::get_if<Copy>(&other);
    return wanted && copy->toKind == wanted->toKind && copy->fromKind == wanted->fromKind;
  }
  if (auto *fill = std::get_if<Fill>(&old)) {
    auto *wanted = std::get_if<Fill>(&other);
    // One row may change its size, several may not.
    return wanted && (fill->height == 1 && wanted->height == 1
                          ? true
                          : fill->elementBytes == wanted->elementBytes && fill->pitch == wanted->pitch &&
                                fill->width == wanted->width && fill->height == wanted->height);
  }
  return old.index() == other.index();
}

} // namespace dscc::sim
