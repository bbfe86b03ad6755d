#include "compiler/import/Signature.h"

#include "compiler/import/ElementTypes.h"
#include "dialects/dsc/Dsc.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

#include <map>

using namespace mlir;

namespace dscc {

namespace {

/// Where a named dim is first read off, and its range.
struct Symbol {
  int64_t min = 0, max = std::numeric_limits<int64_t>::max();
  int64_t input, axis;
};

class SignatureReader {
public:
  SignatureReader(const onnx::GraphProto &graph, MLIRContext &context, const CompileOptions &options,
                  Problems &problems)
      : graph(graph), context(context), options(options), problems(problems) {}

  std::optional<Signature> read();

private:
  struct Input {
    std::string name;
    Type element;
    dsc::Dims dims;
  };

  LogicalResult readInputs();
  LogicalResult readInput(const onnx::ValueInfoProto &info);
  const ShapeBinding *findShape(StringRef input) const;
  DimExpr nameDim(const onnx::TensorShapeProto::Dimension &dim, StringRef input, size_t axis);
  std::string makeName(StringRef wish);
  void resolveExpressions();
  void collectSymbols();
  LogicalResult checkNames();
  LogicalResult bindDims();
  LogicalResult bindShapes();
  void fix(StringRef symbol, int64_t value);
  Signature finish();

  const onnx::GraphProto &graph;
  MLIRContext &context;
  const CompileOptions &options;
  Problems &problems;
  std::vector<Input> inputs;
  llvm::StringSet<> usedNames;          // of symbols
  llvm::StringMap<std::string> renamed; // a dim_param that is not a valid name, to the one it got
  std::map<std::string, Symbol> symbols;
};

bool isName(StringRef text) {
  std::optional<std::string> name = DimExpr::parse(text).asSymbol();
  return name && *name == text;
}

} // namespace

std::string SignatureReader::makeName(StringRef wish) {
  std::string name;
  for (char c : wish)
    name += llvm::isAlnum(c) || StringRef("_.:/").contains(c) ? c : '_';
  if (!isName(name))
    name = "_" + name;
  std::string unique = name;
  for (unsigned i = 2; !usedNames.insert(unique).second; ++i)
    unique = name + "_" + std::to_string(i);
  return unique;
}

DimExpr SignatureReader::nameDim(const onnx::TensorShapeProto::Dimension &dim, StringRef input, size_t axis) {
  if (dim.has_dim_value() && dim.dim_value() >= 0)
    return dim.dim_value();
  StringRef text = StringRef(dim.dim_param()).trim();
  bool isAnonymous = !dim.has_dim_param() || text.empty() || text == "?" || text == "-1" || text == "None";
  if (isAnonymous)
    return DimExpr::symbol(makeName((input + "_" + Twine(axis)).str()));
  if (isName(text)) {
    usedNames.insert(text);
    return DimExpr::symbol(text);
  }
  // Exporters write sums of names, too; resolveExpressions sees whether the names are there.
  DimExpr expression = DimExpr::parse(text);
  if (expression.isValid() && !expression.isConstant())
    return expression;
  std::string &name = renamed[text];
  if (name.empty())
    name = makeName(text);
  return DimExpr::symbol(name);
}

const ShapeBinding *SignatureReader::findShape(StringRef input) const {
  for (const ShapeBinding &shape : options.shapes)
    if (shape.input == input)
      return &shape;
  return nullptr;
}

LogicalResult SignatureReader::readInput(const onnx::ValueInfoProto &info) {
  if (!info.type().has_tensor_type())
    return problems.unsupported("input '" + info.name() + "' is not a tensor");
  const onnx::TypeProto::Tensor &tensor = info.type().tensor_type();
  Input input{info.name(), elementType(&context, tensor.elem_type()), {}};
  if (!input.element)
    return problems.unsupported("input '" + info.name() + "' has elements of type " + dataTypeName(tensor.elem_type()));
  const ShapeBinding *shape = findShape(info.name());
  if (!tensor.has_shape() && !shape)
    return problems.unsupported("input '" + info.name() + "' has no rank", "", "",
                                "name its dims with --shape " + info.name() + "=...");
  size_t rank = tensor.has_shape() ? tensor.shape().dim_size() : shape->dims.size();
  if (rank > 64)
    return problems.unsupported("input '" + info.name() + "' has " + Twine(rank) + " dims");
  for (size_t axis = 0; axis < rank; ++axis) {
    onnx::TensorShapeProto::Dimension dim;
    if (tensor.has_shape())
      dim = tensor.shape().dim(axis);
    input.dims.push_back(nameDim(dim, info.name(), axis));
  }
  inputs.push_back(std::move(input));
  return success();
}

LogicalResult SignatureReader::readInputs() {
  llvm::StringSet<> given, seen;
  for (const onnx::TensorProto &initializer : graph.initializer())
    given.insert(initializer.name());
  for (const onnx::ValueInfoProto &info : graph.input()) {
    if (info.name().empty() || !seen.insert(info.name()).second)
      return problems.reject("the graph has two inputs of the name '" + info.name() + "', or one without a name");
    if (!given.contains(info.name()) && failed(readInput(info)) && problems.isFatal())
      return failure();
  }
  return success(problems.code() == ExitCode::Ok);
}

void SignatureReader::collectSymbols() {
  symbols.clear();
  for (auto [i, input] : llvm::enumerate(inputs))
    for (auto [axis, dim] : llvm::enumerate(input.dims))
      if (std::optional<std::string> name = dim.asSymbol())
        symbols.insert({*name, Symbol{.input = int64_t(i), .axis = int64_t(axis)}});
}

/// A dim_param like "past + seq" stands if some input has the dim `past` and some has `seq`, else it is one new name.
void SignatureReader::resolveExpressions() {
  llvm::StringMap<std::string> names;
  for (Input &input : inputs)
    for (DimExpr &dim : input.dims) {
      std::vector<std::string> used;
      dim.collectSymbols(used);
      if (llvm::all_of(used, [&](const std::string &name) { return symbols.count(name); }))
        continue;
      std::string &name = names[dim.str()];
      if (name.empty())
        name = makeName(dim.str());
      dim = DimExpr::symbol(name);
    }
}

/// Whatever text a name was made of, it is a dim now; but none that formulas may have.
LogicalResult SignatureReader::checkNames() {
  for (const Input &input : inputs)
    if (llvm::any_of(input.dims, [](const DimExpr &dim) { return dim.isTooLong(); }))
      return problems.unsupported("input '" + input.name + "' has a dim whose name is longer than " +
                                  Twine(DimExpr::maxText) + " letters");
  return success();
}

void SignatureReader::fix(StringRef symbol, int64_t value) {
  for (Input &input : inputs)
    for (DimExpr &dim : input.dims)
      dim =
          dim.substitute([&](StringRef name) { return name == symbol ? std::optional(DimExpr(value)) : std::nullopt; });
}

/// "its inputs are: x, y; did you mean 'x'?", if one of them is near enough to `word` to be asked for.
static std::string listNames(const Twine &they, ArrayRef<std::string> names, StringRef word) {
  std::string text = (they + " are: " + llvm::join(names, ", ")).str();
  unsigned nearest = std::min<unsigned>(2, word.size() / 2) + 1; // letters to change
  StringRef meant;
  for (const std::string &name : names) {
    unsigned distance = word.edit_distance(name, /*AllowReplacements=*/true, /*MaxEditDistance=*/nearest);
    if (distance >= nearest)
      continue;
    nearest = distance;
    meant = name;
  }
  return meant.empty() ? text : text + "; did you mean '" + meant.str() + "'?";
}

LogicalResult SignatureReader::bindDims() {
  for (const DimBinding &binding : options.dims) {
    auto symbol = symbols.find(binding.name);
    if (symbol == symbols.end()) {
      auto known = llvm::to_vector(llvm::map_range(symbols, [](auto &entry) { return entry.first; }));
      return problems.usage("the model has no dim named '" + binding.name + "'",
                            known.empty() ? "all its dims are numbers"
                                          : listNames("its named dims", known, binding.name));
    }
    assert(0 <= binding.min && binding.min <= binding.max && "whoever reads an option checks the range that it names");
    symbol->second.min = binding.min;
    symbol->second.max = binding.max;
    if (binding.min == binding.max)
      fix(binding.name, binding.min);
  }
  return success();
}

LogicalResult SignatureReader::bindShapes() {
  for (const ShapeBinding &shape : options.shapes) {
    auto input = llvm::find_if(inputs, [&](const Input &candidate) { return candidate.name == shape.input; });
    if (input == inputs.end()) {
      auto known = llvm::to_vector(llvm::map_range(inputs, [](auto &candidate) { return candidate.name; }));
      return problems.usage("the model has no input named '" + shape.input + "'",
                            listNames("its inputs", known, shape.input));
    }
    if (input->dims.size() != shape.dims.size())
      return problems.usage("input '" + shape.input + "' has " + Twine(input->dims.size()) +
                            " dims, but --shape names " + Twine(shape.dims.size()));
    for (size_t axis = 0; axis < shape.dims.size(); ++axis) {
      if (!shape.dims[axis])
        continue;
      if (std::optional<std::string> name = input->dims[axis].asSymbol())
        fix(*name, *shape.dims[axis]);
      if (!input->dims[axis].isConstant(*shape.dims[axis]))
        return problems.usage("input '" + shape.input + "' has " + input->dims[axis].str() + " elements along axis " +
                              Twine(axis) + ", which --shape cannot make " + Twine(*shape.dims[axis]));
    }
  }
  return success();
}

Signature SignatureReader::finish() {
  Builder builder(&context);
  Signature signature;
  SmallVector<Attribute> entries;
  for (const Input &input : inputs)
    signature.inputs.push_back({input.name, dsc::makeTensor(input.dims, input.element)});
  llvm::StringSet<> done;
  for (auto [i, input] : llvm::enumerate(inputs))
    for (auto [axis, dim] : llvm::enumerate(input.dims)) {
      std::optional<std::string> name = dim.asSymbol();
      if (!name || !done.insert(*name).second)
        continue;
      auto found = symbols.find(*name);
      assert(found != symbols.end() && "collectSymbols has seen every bare name");
      const Symbol &symbol = found->second;
      entries.push_back(builder.getDictionaryAttr({builder.getNamedAttr("name", builder.getStringAttr(*name)),
                                                   builder.getNamedAttr("min", builder.getI64IntegerAttr(symbol.min)),
                                                   builder.getNamedAttr("max", builder.getI64IntegerAttr(symbol.max)),
                                                   builder.getNamedAttr("input", builder.getI64IntegerAttr(i)),
                                                   builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis))}));
    }
  signature.symbols = builder.getArrayAttr(entries);
  return signature;
}

std::optional<Signature> SignatureReader::read() {
  if (failed(readInputs()))
    return std::nullopt;
  collectSymbols();
  resolveExpressions();
  collectSymbols();
  if (failed(checkNames()) || failed(bindDims()) || failed(bindShapes()))
    return std::nullopt;
  for (const Input &input : inputs) {
    std::string problem = dsc::whyNoTensor(input.dims);
    DimExpr bytes = dsc::countElements(input.dims) * ((storedBits(input.element) + 7) / 8);
    if (problem.empty() && bytes.isConstant() && uint64_t(bytes.constant()) > options.budgets.tensorBytes) {
      (void)problems.limit("input '" + input.name + "' has " + dsc::describeDims(input.dims) +
                               " elements, more than the limit of " + Twine(options.budgets.tensorBytes) + " bytes",
                           "", "", "raise it with --max-tensor-bytes");
      return std::nullopt;
    }
    if (problem.empty())
      continue;
    bool isAsked = !options.dims.empty() || !options.shapes.empty();
    (void)(isAsked ? problems.usage("input '" + input.name + "', as the command line has it, " + problem)
                   : problems.reject("input '" + input.name + "' " + problem));
    return std::nullopt;
  }
  return finish();
}

std::optional<Signature> readSignature(const onnx::GraphProto &graph, MLIRContext &context,
                                       const CompileOptions &options, Problems &problems) {
  return SignatureReader(graph, context, options, problems).read();
}

} // namespace dscc
