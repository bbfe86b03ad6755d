// Graphs as wholes: copied, and drawn for people.

#include "tools/simulator/driver/Entry.h"

#include "llvm/ADT/STLExtras.h"

#include <cstdio>

using namespace dscc::sim;

/// Nodes stand in the order of the others, those that none waits for too: an update pairs them by it.
DSCC_EXPORT CUresult cuGraphClone(CUgraph *clone, CUgraph graph) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(clone && state().graphs.has(graph), CUDA_ERROR_INVALID_VALUE);
  CUgraph made = state().graphs.add(std::make_unique<CUgraph_st>());
  for (auto [object, count] : graph->objects.counts) {
    object->references += count;
    made->objects.counts[object] = count;
  }
  for (const auto &node : graph->nodes)
    addNode(*made, node->operation, {})->original = node->number;
  for (size_t i = 0; i < graph->nodes.size(); ++i)
    for (CUgraphNode before : graph->nodes[i]->after)
      made->nodes[i]->after.push_back(made->nodes[indexOf(*before)].get());
  for (CUgraphNode sink : sinksOf(*graph))
    becomeSink(*made->nodes[indexOf(*sink)]);
  *clone = made;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphNodeFindInClone(CUgraphNode *node, CUgraphNode original, CUgraph clone) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(node && state().graphNodes.count(original) && state().graphs.has(clone), CUDA_ERROR_INVALID_VALUE);
  auto found = llvm::find_if(clone->nodes, [&](const auto &one) { return one->original == original->number; });
  DSCC_REQUIRE(found != clone->nodes.end(), CUDA_ERROR_INVALID_VALUE);
  *node = found->get();
  return CUDA_SUCCESS;
}

static std::string label(const CUgraphNode_st &node) {
  static constexpr const char *types[] = {"KERNEL", "MEMCPY", "MEMSET", "HOST", "GRAPH", "EMPTY"};
  std::string text = types[typeOf(node.operation)];
  if (auto *call = std::get_if<KernelCall>(&node.operation); call && isAlive(*call))
    text += "\\n" + call->function->kernel->name;
  return text;
}

/// The flags ask for more, which is not told.
DSCC_EXPORT CUresult cuGraphDebugDotPrint(CUgraph graph, const char *path, unsigned) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphs.has(graph) && path, CUDA_ERROR_INVALID_VALUE);
  std::FILE *file = std::fopen(path, "w");
  DSCC_REQUIRE(file, CUDA_ERROR_OPERATING_SYSTEM);
  std::fputs("digraph dot {\n", file);
  for (size_t i = 0; i < graph->nodes.size(); ++i)
    std::fprintf(file, "  node_%zu [label=\"%zu\\n%s\"];\n", i, i, label(*graph->nodes[i]).c_str());
  for (size_t i = 0; i < graph->nodes.size(); ++i)
    for (CUgraphNode before : graph->nodes[i]->after)
      std::fprintf(file, "  node_%zu -> node_%zu;\n", indexOf(*before), i);
  std::fputs("}\n", file);
  DSCC_REQUIRE(!std::fclose(file), CUDA_ERROR_OPERATING_SYSTEM);
  return CUDA_SUCCESS;
}
