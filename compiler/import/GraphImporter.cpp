#include "compiler/import/GraphImporter.h"

#include "compiler/import/Converters.h"
#include "compiler/import/ElementTypes.h"
#include "compiler/import/OperandTypes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace dscc {

static constexpr int64_t newestOpset = 27;

/// Before this version of the format every initialiser had to be listed as an input, which meant nothing.
static constexpr int64_t firstIrWithDefaults = 4;

GraphImporter::GraphImporter(ModuleOp module, const OnnxFile &file, TensorData &tensors, const CompileOptions &options,
                             Problems &problems)
    : ImportState(module.getContext(), tensors, options.budgets, problems), module(module), file(file),
      flattener(file.model, options.budgets, problems) {}

bool GraphImporter::isLate() const {
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() > budgets.seconds;
}

LogicalResult GraphImporter::importInitializers(const onnx::GraphProto &graph, const NameScope &scope) {
  if (graph.sparse_initializer_size())
    return problems.unsupported("the sparse initialiser '" + graph.sparse_initializer(0).values().name() +
                                    "' is not supported",
                                "", "", "store it as a dense tensor");
  llvm::StringSet<> inputs;
  if (&graph == &file.model.graph() && file.model.ir_version() >= firstIrWithDefaults)
    for (const onnx::ValueInfoProto &input : graph.input())
      inputs.insert(input.name());
  for (const onnx::TensorProto &tensor : graph.initializer()) {
    std::string name = scope.prefix + tensor.name();
    if (values.count(name))
      return problems.reject("the value '" + tensor.name() + "' is defined twice");
    ElementsAttr elements = tensors.read(tensor, tensor.name());
    if (!elements && problems.isFatal())
      return failure();
    if (!elements) {
      unknown.insert(name);
      continue;
    }
    values[name] = dsc::ConstantOp::create(builder, NameLoc::get(builder.getStringAttr(tensor.name())), elements);
    if (inputs.contains(tensor.name()))
      values[name] = defaults.add(function, tensor.name(), values[name], elements);
  }
  return success();
}

/// How to say what a node is that no entry converts.
static LogicalResult reportUnsupported(const FlatNode &node, Problems &problems) {
  StringRef domain = node.node->domain(), op = node.node->op_type();
  if (!domain.empty() && domain != "ai.onnx" && !isKnownOperator(domain, op))
    return problems.unsupported("operators of the domain '" + domain + "' are not supported", node.name, op,
                                "export the model with the operators of ONNX itself");
  if (isKnownOperator(domain, op))
    return problems.unsupported("opset " + Twine(node.opset()) + " is too old for this operator", node.name, op,
                                "convert the model to opset 13 or newer");
  return problems.unsupported("this operator is not supported", node.name, op, nearestOperator(op));
}

/// A verifier's complaint without the name of our op, which means nothing to the user.
static StringRef withoutOp(StringRef complaint) {
  return complaint.starts_with("'dsc.") ? complaint.split(" op ").second : complaint;
}

/// What the model calls the inputs.
static SmallVector<std::string> namesOf(const onnx::NodeProto &node) {
  return {node.input().begin(), node.input().end()};
}

LogicalResult GraphImporter::importNode(const FlatNode &node) {
  auto skip = [&] {
    for (const std::string &output : node.outputs)
      unknown.insert(output);
    return success(!problems.isFatal());
  };
  if (node.opset() < 1 ||
      (node.opset() > newestOpset && (node.node->domain().empty() || node.node->domain() == "ai.onnx"))) {
    (void)problems.unsupported(node.opset() < 1
                                   ? "the model does not say which opset the operator is of"
                                   : "opset " + Twine(node.opset()) + " is newer than " + Twine(newestOpset),
                               node.name, node.node->op_type());
    return skip();
  }
  const Converter *converter = findConverter(node.node->domain(), node.node->op_type(), node.opset());
  if (!converter) {
    (void)reportUnsupported(node, problems);
    return skip();
  }
  SmallVector<Value> inputs;
  for (const std::string &input : node.inputs) {
    if (unknown.contains(input))
      return skip();
    inputs.push_back(input.empty() ? Value() : values.lookup(input));
    if (!input.empty() && !inputs.back())
      return problems.reject("reads the value '" + input + "', which nothing defines", node.name, node.node->op_type());
  }
  NodeImporter importer(*this, node, inputs);
  for (unsigned i = 0; i < converter->minInputs; ++i)
    if (!importer.input(i))
      return importer.reject("lacks its input " + Twine(i));
  if (inputs.size() > converter->maxInputs)
    return importer.reject("has " + Twine(inputs.size()) + " inputs, but takes " + Twine(converter->maxInputs));
  SmallVector<Type> types = llvm::map_to_vector(inputs, [](Value input) { return input ? elementOf(input) : Type(); });
  if (std::string problem = whyNotOperands(converter->types, types, namesOf(*node.node)); !problem.empty())
    return importer.reject(problem);
  std::string complaint;
  ScopedDiagnosticHandler handler(builder.getContext(), [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && complaint.empty())
      complaint = diagnostic.str();
    return success();
  });
  bool done = succeeded(converter->convert(importer)) && !importer.hasFailed();
  if (!complaint.empty())
    (void)problems.reject(withoutOp(complaint), node.name, node.node->op_type());
  assert((done || problems.code() != ExitCode::Ok) && "a converter that fails says why");
  if (!done || !complaint.empty())
    return skip();
  for (auto [name, value] : llvm::zip_equal(node.outputs, importer.getResults())) {
    if (!name.empty() && !value) {
      (void)importer.unsupported("its output '" + name + "' is not supported");
      return skip();
    }
    if (!name.empty())
      values[name] = value;
  }
  return success();
}

LogicalResult GraphImporter::importNodes(ArrayRef<FlatNode> list) {
  for (const FlatNode &node : list) {
    ++nodes;
    if (isLate())
      return problems.limit("the import took longer than " + Twine(uint64_t(budgets.seconds)) + " seconds", node.name,
                            node.node->op_type(), "raise the limit with --max-seconds");
    if (failed(importNode(node)) && problems.isFatal())
      return failure();
  }
  return success();
}

std::optional<SmallVector<Value>> GraphImporter::importSubgraph(const onnx::GraphProto &graph, const FlatNode &node,
                                                                StringRef what) {
  std::shared_ptr<NameScope> scope = flattener.subgraphScope(node, what);
  std::vector<FlatNode> list;
  if (failed(flattener.flatten(graph, scope, list)) || failed(importInitializers(graph, *scope)) ||
      failed(importNodes(list)))
    return std::nullopt;
  SmallVector<Value> results;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    std::string name = scope->resolve(output.name()).value_or("");
    results.push_back(values.lookup(name));
    if (results.back())
      continue;
    // That a node could not be imported has been said where it stands.
    if (!unknown.contains(name))
      (void)problems.reject("never makes the output '" + output.name() + "' of its " + what, node.name,
                            node.node->op_type());
    return std::nullopt;
  }
  return results;
}

void GraphImporter::makeFunction(const Signature &signature, const NameScope &scope) {
  builder.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types;
  for (const Signature::Input &input : signature.inputs)
    types.push_back(input.type);
  function = func::FuncOp::create(builder, module.getLoc(), "main", builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(signature.inputs)) {
    function.setArgAttr(i, "dsc.name", builder.getStringAttr(input.name));
    values[scope.prefix + input.name] = body->getArgument(i);
  }
  builder.setInsertionPointToEnd(body);
}

LogicalResult GraphImporter::makeReturn(const NameScope &scope) {
  const onnx::GraphProto &graph = file.model.graph();
  if (graph.output().empty())
    return problems.reject("the graph has no outputs");
  SmallVector<Value> results;
  SmallVector<Attribute> names;
  llvm::StringSet<> seen;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    Value value = values.lookup(scope.resolve(output.name()).value_or(""));
    if (!value)
      return problems.reject("the output '" + output.name() + "' is never made");
    if (!seen.insert(output.name()).second) {
      problems.remark("the graph lists the output '" + output.name() + "' twice; the compiled model has it once");
      continue;
    }
    int32_t declared = output.type().tensor_type().elem_type();
    if (output.type().has_tensor_type() && declared != 0 &&
        elementType(builder.getContext(), declared) != elementOf(value))
      return problems.reject("the output '" + output.name() + "' is declared with elements of type " +
                             dataTypeName(declared) + ", but its node makes another type");
    results.push_back(value);
    names.push_back(builder.getStringAttr(output.name()));
  }
  func::ReturnOp::create(builder, module.getLoc(), results);
  function.setFunctionType(
      builder.getFunctionType(function.getFunctionType().getInputs(), TypeRange(ValueRange(results))));
  for (auto [i, name] : llvm::enumerate(names))
    function.setResultAttr(i, "dsc.name", name);
  return success();
}

/// Drops what was made on the way and is not used: shape arithmetic, mostly.
static void eraseUnused(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

LogicalResult GraphImporter::importMain(const Signature &signature) {
  const onnx::GraphProto &graph = file.model.graph();
  std::shared_ptr<NameScope> scope = flattener.mainScope();
  std::vector<FlatNode> list;
  if (failed(flattener.flatten(graph, scope, list)))
    return failure();
  makeFunction(signature, *scope);
  if (failed(importInitializers(graph, *scope)) || failed(importNodes(list)) || problems.code() != ExitCode::Ok ||
      failed(makeReturn(*scope)))
    return failure();
  if (std::string fixed = defaults.fix(function); !fixed.empty())
    problems.remark("initialisers that are inputs as well, but decide shapes, are constants: no caller can replace " +
                    fixed);
  eraseUnused(function.front());
  module->setAttr("dsc.symbols", facts.limited(signature.symbols));
  module->setAttr("dsc.relations", facts.relations());
  return success();
}

} // namespace dscc
