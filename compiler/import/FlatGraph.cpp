#include "compiler/import/FlatGraph.h"

#include "llvm/ADT/STLExtras.h"

#include <queue>

using namespace mlir;

namespace dscc {

static constexpr unsigned maxCallDepth = 64;

static StringRef canonicalDomain(StringRef domain) { return domain == "ai.onnx" ? StringRef() : domain; }

static std::string functionKey(StringRef domain, StringRef name, StringRef overload) {
  return (canonicalDomain(domain) + "\n" + name + "\n" + overload).str();
}

template <class Imports> static std::shared_ptr<const Opsets> readOpsets(const Imports &imports) {
  auto opsets = std::make_shared<Opsets>();
  for (const onnx::OperatorSetIdProto &import : imports)
    (*opsets)[canonicalDomain(import.domain())] = import.version();
  return opsets;
}

std::optional<std::string> NameScope::resolve(StringRef name) const {
  for (const NameScope *scope = this; scope; scope = scope->outer.get())
    if (auto known = scope->names.find(name); known != scope->names.end())
      return known->second;
  return std::nullopt;
}

int64_t FlatNode::opset() const {
  assert(scope && scope->opsets && "a node is of some graph or function, which imports opsets");
  auto version = scope->opsets->find(canonicalDomain(node->domain()));
  return version == scope->opsets->end() ? 0 : version->second;
}

Flattener::Flattener(const onnx::ModelProto &model, const Budgets &budgets, Problems &problems)
    : budgets(budgets), problems(problems), opsets(readOpsets(model.opset_import())) {
  for (const onnx::FunctionProto &function : model.functions())
    functions[functionKey(function.domain(), function.name(), function.overload())] = &function;
}

std::shared_ptr<NameScope> Flattener::mainScope() {
  auto scope = std::make_shared<NameScope>();
  scope->opsets = opsets;
  return scope;
}

std::shared_ptr<NameScope> Flattener::subgraphScope(const FlatNode &node, StringRef what) {
  auto scope = std::make_shared<NameScope>();
  scope->outer = node.scope;
  scope->title = node.name + "/";
  scope->prefix = node.name + "/" + what.str() + std::to_string(nodeCount) + "/";
  scope->opsets = node.scope->opsets;
  return scope;
}

/// True if the attributes below `node` refer to attributes of the function around them.
static bool hasReferences(const onnx::NodeProto &node) {
  return llvm::any_of(node.attribute(), [](const onnx::AttributeProto &attribute) {
    auto nested = [](const onnx::GraphProto &graph) { return llvm::any_of(graph.node(), hasReferences); };
    return !attribute.ref_attr_name().empty() || (attribute.has_g() && nested(attribute.g())) ||
           llvm::any_of(attribute.graphs(), nested);
  });
}

using Attributes = llvm::StringMap<const onnx::AttributeProto *>;

/// Replaces each reference by the caller's attribute; one that the caller leaves out is left out.
static void resolveReferences(onnx::NodeProto &node, const Attributes &given) {
  google::protobuf::RepeatedPtrField<onnx::AttributeProto> resolved;
  for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.ref_attr_name().empty()) {
      *resolved.Add() = attribute;
    } else if (const onnx::AttributeProto *value = given.lookup(attribute.ref_attr_name())) {
      onnx::AttributeProto *copy = resolved.Add();
      *copy = *value;
      copy->set_name(attribute.name());
    }
  }
  for (onnx::AttributeProto &attribute : resolved) {
    if (attribute.has_g())
      for (onnx::NodeProto &inner : *attribute.mutable_g()->mutable_node())
        resolveReferences(inner, given);
    for (onnx::GraphProto &graph : *attribute.mutable_graphs())
      for (onnx::NodeProto &inner : *graph.mutable_node())
        resolveReferences(inner, given);
  }
  node.mutable_attribute()->Swap(&resolved);
}

static std::shared_ptr<const onnx::NodeProto> borrow(const onnx::NodeProto &node) {
  return {std::shared_ptr<const onnx::NodeProto>(), &node};
}

static std::string nameOf(const onnx::NodeProto &node, size_t position) {
  return node.name().empty() ? node.op_type() + "_" + std::to_string(position) : node.name();
}

LogicalResult Flattener::addNodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                                  const std::shared_ptr<NameScope> &scope, unsigned depth, std::vector<FlatNode> &out) {
  // All names first: the nodes need not be sorted.
  for (auto [position, node] : llvm::enumerate(nodes))
    for (const std::string &output : node.output())
      if (!output.empty() && !scope->names.try_emplace(output, scope->prefix + output).second &&
          scope->names[output] == scope->prefix + output)
        return problems.reject("the value '" + output + "' is defined twice", scope->title + nameOf(node, position),
                               node.op_type());
  for (auto [position, node] : llvm::enumerate(nodes)) {
    if (++nodeCount > budgets.nodes)
      return problems.limit("the model has more than " + Twine(budgets.nodes) + " nodes, functions inlined", "", "",
                            "raise the limit with --max-nodes");
    FlatNode flat{borrow(node), scope->title + nameOf(node, position), {}, {}, scope};
    for (const std::string &input : node.input()) {
      std::optional<std::string> flatName = input.empty() ? "" : scope->resolve(input);
      if (!flatName)
        return problems.reject("reads the value '" + input + "', which nothing defines", flat.name, node.op_type());
      flat.inputs.push_back(*flatName);
    }
    for (const std::string &output : node.output())
      flat.outputs.push_back(output.empty() ? "" : scope->names[output]);
    const onnx::FunctionProto *function = functions.lookup(functionKey(node.domain(), node.op_type(), node.overload()));
    if (!function) {
      out.push_back(std::move(flat));
      continue;
    }
    if (failed(inlineCall(flat, *function, depth + 1, out)))
      return failure();
  }
  return success();
}

LogicalResult Flattener::inlineCall(const FlatNode &call, const onnx::FunctionProto &function, unsigned depth,
                                    std::vector<FlatNode> &out) {
  if (depth > maxCallDepth)
    return problems.reject("calls functions more than " + Twine(maxCallDepth) +
                               " deep; functions must not call themselves",
                           call.name, call.node->op_type());
  if (call.inputs.size() > size_t(function.input_size()) || call.outputs.size() > size_t(function.output_size()))
    return problems.reject("hands more values to the function '" + function.name() + "' than it has", call.name,
                           call.node->op_type());
  Attributes given;
  for (const onnx::AttributeProto &attribute : function.attribute_proto())
    given[attribute.name()] = &attribute;
  for (const onnx::AttributeProto &attribute : call.node->attribute())
    given[attribute.name()] = &attribute;

  auto scope = std::make_shared<NameScope>();
  scope->title = call.name + "/";
  // Two calls may have one name; their values must not.
  scope->prefix = call.name + "/" + std::to_string(nodeCount) + "/";
  scope->opsets = readOpsets(function.opset_import());
  for (auto [i, input] : llvm::enumerate(function.input()))
    scope->names[input] = i < call.inputs.size() ? call.inputs[i] : "";
  for (auto [i, output] : llvm::enumerate(function.output()))
    if (i < call.outputs.size() && !call.outputs[i].empty() && !scope->names.count(output))
      scope->names[output] = call.outputs[i];

  // The copies live as long as the nodes that point into them.
  auto body = std::make_shared<google::protobuf::RepeatedPtrField<onnx::NodeProto>>();
  const auto *nodes = &function.node();
  if (llvm::any_of(function.node(), hasReferences)) {
    *body = function.node();
    for (onnx::NodeProto &node : *body)
      resolveReferences(node, given);
    nodes = body.get();
  }
  size_t first = out.size();
  if (failed(addNodes(*nodes, scope, depth, out)))
    return failure();
  if (nodes == body.get())
    for (size_t i = first; i < out.size(); ++i)
      if (!out[i].node.use_count())
        out[i].node = std::shared_ptr<const onnx::NodeProto>(body, out[i].node.get());
  // An output that is an input needs a node of its own.
  for (auto [i, output] : llvm::enumerate(function.output())) {
    std::optional<std::string> inner = scope->resolve(output);
    if (i >= call.outputs.size() || call.outputs[i].empty() || inner == call.outputs[i])
      continue;
    auto identity = std::make_shared<onnx::NodeProto>();
    identity->set_op_type("Identity");
    out.push_back({identity, call.name, {inner.value_or("")}, {call.outputs[i]}, call.scope});
  }
  return success();
}

/// Calls `visit` with each name that the subgraphs of `node` take from around them. What a subgraph defines itself, or
/// one between it and `node`, hides an outer value of that name: the result of `node`, for one.
static void collectCaptures(const onnx::NodeProto &node, const llvm::StringSet<> &hidden,
                            llvm::function_ref<void(StringRef)> visit) {
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (!attribute.has_g())
      continue;
    const onnx::GraphProto &graph = attribute.g();
    llvm::StringSet<> own = hidden;
    for (const onnx::ValueInfoProto &input : graph.input())
      own.insert(input.name());
    for (const onnx::TensorProto &initializer : graph.initializer())
      own.insert(initializer.name());
    for (const onnx::NodeProto &inner : graph.node())
      own.insert(inner.output().begin(), inner.output().end());
    auto read = [&](StringRef name) {
      if (!own.contains(name))
        visit(name);
    };
    for (const onnx::NodeProto &inner : graph.node()) {
      llvm::for_each(inner.input(), read);
      collectCaptures(inner, own, visit);
    }
    // A branch may also hand an outer value straight on.
    for (const onnx::ValueInfoProto &output : graph.output())
      read(output.name());
  }
}

LogicalResult Flattener::sort(std::vector<FlatNode> &nodes) {
  llvm::StringMap<size_t> producers;
  for (auto [i, node] : llvm::enumerate(nodes))
    for (const std::string &output : node.outputs)
      if (!output.empty() && !producers.try_emplace(output, i).second)
        return problems.reject("the value '" + output + "' is defined twice", node.name, node.node->op_type());
  std::vector<std::vector<size_t>> users(nodes.size());
  std::vector<size_t> waitsFor(nodes.size());
  for (auto [i, node] : llvm::enumerate(nodes)) {
    auto wait = [&, user = i](StringRef name) {
      auto producer = producers.find(name);
      if (producer == producers.end())
        return;
      users[producer->second].push_back(user);
      ++waitsFor[user];
    };
    for (const std::string &input : node.inputs)
      wait(input);
    collectCaptures(*node.node, {}, [&](StringRef name) { wait(node.scope->resolve(name).value_or("")); });
  }
  // The first node that waits for nothing comes next, so that sorted nodes keep their order.
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (waitsFor[i] == 0)
      ready.push(i);
  std::vector<FlatNode> sorted;
  sorted.reserve(nodes.size());
  for (; !ready.empty();) {
    size_t next = ready.top();
    ready.pop();
    sorted.push_back(nodes[next]);
    for (size_t user : users[next]) {
      assert(waitsFor[user] > 0 && "a node waits for each use that it makes of others");
      if (--waitsFor[user] == 0)
        ready.push(user);
    }
  }
  if (sorted.size() < nodes.size()) {
    size_t stuck = llvm::find_if(waitsFor, [](size_t count) { return count > 0; }) - waitsFor.begin();
    return problems.reject("is part of a cycle: it needs its own result", nodes[stuck].name,
                           nodes[stuck].node->op_type());
  }
  nodes = std::move(sorted);
  return success();
}

LogicalResult Flattener::flatten(const onnx::GraphProto &graph, const std::shared_ptr<NameScope> &scope,
                                 std::vector<FlatNode> &nodes) {
  for (const onnx::TensorProto &initializer : graph.initializer())
    scope->names[initializer.name()] = scope->prefix + initializer.name();
  for (const onnx::ValueInfoProto &input : graph.input())
    scope->names[input.name()] = scope->prefix + input.name();
  if (failed(addNodes(graph.node(), scope, 0, nodes)))
    return failure();
  return sort(nodes);
}

} // namespace dscc
