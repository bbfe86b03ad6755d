#include "compiler/import/NodeImporter.h"

#include "passes/canonical/EvaluateShapes.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace dscc {

NodeImporter::NodeImporter(ImportState &shared, const FlatNode &node, SmallVector<Value> inputs)
    : shared(shared), builder(shared.builder), location(NameLoc::get(builder.getStringAttr(node.name))), node(node),
      inputs(std::move(inputs)), results(node.outputs.size()) {}

// Attributes.

const onnx::AttributeProto *NodeImporter::find(StringRef name) const {
  for (const onnx::AttributeProto &attribute : node.node->attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

template <class T> T NodeImporter::typeProblem(StringRef name, StringRef wanted, T otherwise) {
  (void)reject("has an attribute '" + name + "' that is not " + wanted);
  return otherwise;
}

/// True if the attribute is of this type; models before IR version 3 leave the type out.
static bool isOfType(const onnx::AttributeProto &attribute, onnx::AttributeProto::AttributeType type, bool isSet) {
  return attribute.type() == type || (attribute.type() == onnx::AttributeProto::UNDEFINED && isSet);
}

int64_t NodeImporter::integer(StringRef name, int64_t otherwise) {
  const onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return otherwise;
  if (!isOfType(*attribute, onnx::AttributeProto::INT, attribute->has_i()))
    return typeProblem(name, "an integer", otherwise);
  return attribute->i();
}

double NodeImporter::number(StringRef name, double otherwise) {
  const onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return otherwise;
  if (!isOfType(*attribute, onnx::AttributeProto::FLOAT, attribute->has_f()))
    return typeProblem(name, "a float", otherwise);
  return attribute->f();
}

std::string NodeImporter::text(StringRef name, StringRef otherwise) {
  const onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return otherwise.str();
  if (!isOfType(*attribute, onnx::AttributeProto::STRING, attribute->has_s()))
    return typeProblem(name, "a string", otherwise.str());
  return attribute->s();
}

std::optional<Integers> NodeImporter::integers(StringRef name) {
  const onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return std::nullopt;
  if (!isOfType(*attribute, onnx::AttributeProto::INTS, true))
    return typeProblem(name, "a list of integers", std::optional<Integers>());
  return Integers(attribute->ints().begin(), attribute->ints().end());
}

std::optional<SmallVector<double>> NodeImporter::numbers(StringRef name) {
  const onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return std::nullopt;
  if (!isOfType(*attribute, onnx::AttributeProto::FLOATS, true))
    return typeProblem(name, "a list of floats", std::optional<SmallVector<double>>());
  return SmallVector<double>(attribute->floats().begin(), attribute->floats().end());
}

std::optional<SmallVector<std::string>> NodeImporter::texts(StringRef name) {
  const onnx::AttributeProto *attribute = find(name);
  if (!attribute)
    return std::nullopt;
  if (!isOfType(*attribute, onnx::AttributeProto::STRINGS, true))
    return typeProblem(name, "a list of strings", std::optional<SmallVector<std::string>>());
  return SmallVector<std::string>(attribute->strings().begin(), attribute->strings().end());
}

// Failure. Only the first problem of a node counts: the others may follow from it.

LogicalResult NodeImporter::reject(const Twine &message) {
  return std::exchange(failed, true) ? failure() : shared.problems.reject(message, node.name, opType());
}

LogicalResult NodeImporter::unsupported(const Twine &message, StringRef hint) {
  return std::exchange(failed, true) ? failure() : shared.problems.unsupported(message, node.name, opType(), hint);
}

LogicalResult NodeImporter::limit(const Twine &message, StringRef hint) {
  return std::exchange(failed, true) ? failure() : shared.problems.limit(message, node.name, opType(), hint);
}

// Results.

void NodeImporter::setResult(size_t i, Value value) {
  if (i < results.size())
    results[i] = value;
}

LogicalResult NodeImporter::finish(Value value) {
  setResult(0, value);
  return success(value && !failed);
}

// Ops.

static constexpr llvm::StringLiteral fixDims = "fix the dims that it depends on with --dim";

bool NodeImporter::areValid(ArrayRef<DimExpr> dims, StringRef what) {
  for (const DimExpr &dim : dims) {
    if (dim.isValid())
      continue;
    (void)(dim.isTooLong() ? unsupported("has " + what + " of " + dim.whyInvalid(), fixDims)
                           : reject("has " + what + " of " + dim.whyInvalid()));
    return false;
  }
  return true;
}

RankedTensorType NodeImporter::tensorType(ArrayRef<DimExpr> dims, Type element) {
  std::string problem = dsc::whyNoTensor(dims);
  if (problem.empty())
    return dsc::makeTensor(dims, element);
  (void)reject(problem);
  return {};
}

dsc::DimsAttr NodeImporter::dimsAttribute(ArrayRef<DimExpr> values) {
  return areValid(values, "a size, place or pad") ? dsc::DimsAttr::get(builder.getContext(), values) : dsc::DimsAttr();
}

bool NodeImporter::checkType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  // What is not a number has a formula, as inferTensor and tensorType see to it, unless that is too long.
  for (auto [axis, dim] : llvm::enumerate(dsc::getDims(type)))
    if (!dim.isValid()) {
      (void)unsupported("would make a dim " + Twine(axis) + " whose formula of the named dims is too long", fixDims);
      return false;
    }
  if (!tensor.hasStaticShape())
    return true;
  DimExpr count = dsc::countElements(dsc::getDims(type));
  uint64_t elementBytes = std::max(tensor.getElementType().getIntOrFloatBitWidth(), 8u) / 8;
  uint64_t most = shared.budgets.tensorBytes / elementBytes;
  if (count.isValid() && uint64_t(count.constant()) <= most)
    return true;
  (void)limit("would make a tensor of " + dsc::describeDims(dsc::getDims(type)) + " elements, more than the limit of " +
                  Twine(shared.budgets.tensorBytes) + " bytes",
              "raise it with --max-tensor-bytes");
  return false;
}

/// Two dims that differ as expressions must be equal at run time, or one of them 1.
void NodeImporter::relateBroadcast(ValueRange operands) {
  dsc::Dims joined = dsc::getDims(operands[0]);
  for (Value operand : operands.drop_front()) {
    dsc::Dims next = dsc::getDims(operand);
    for (size_t i = 1; i <= std::min(joined.size(), next.size()); ++i) {
      const DimExpr &a = joined[joined.size() - i], &b = next[next.size() - i];
      if (a != b && !a.isConstant(1) && !b.isConstant(1))
        relateDims(a, b);
    }
    if (std::optional<dsc::Dims> both = dsc::broadcastDims(joined, next))
      joined = *both;
  }
}

Value NodeImporter::infer(OperationState &state, Infer inferTypes) {
  if (failed || llvm::is_contained(state.operands, Value()))
    return {};
  SmallVector<Type> types;
  if (mlir::failed(inferTypes(builder.getContext(), location, state.operands,
                              state.attributes.getDictionary(builder.getContext()), state.getRawProperties(), {},
                              types))) {
    failed = true;
    return {};
  }
  state.types.assign(types.begin(), types.end());
  return create(state);
}

Value NodeImporter::create(OperationState &state) {
  assert(!state.types.empty() && "a converter makes ops that have a result");
  if (failed || llvm::is_contained(state.operands, Value()) ||
      !llvm::all_of(state.types, [&](Type type) { return type && checkType(type); }))
    return {};
  Operation *op = builder.create(state);
  if (!isa<InferTypeOpInterface>(op) && mlir::failed(mlir::verify(op))) {
    failed = true;
    op->erase();
    return {};
  }
  if (op->getNumOperands() > 1 && dsc::isElementwise(op))
    relateBroadcast(op->getOperands());
  Value known = evaluateShapes(builder, op);
  if (!known) {
    shared.defaults.evaluate(builder, op);
    return op->getResult(0);
  }
  op->erase();
  return known;
}

Value NodeImporter::constant(ElementsAttr elements) { return elements ? make<dsc::ConstantOp>(elements) : Value(); }

Value NodeImporter::constant(const onnx::TensorProto &tensor) {
  ElementsAttr elements = shared.tensors.read(tensor, tensor.name().empty() ? node.name : tensor.name());
  failed |= !elements;
  return constant(elements);
}

Value NodeImporter::scalar(Type type, double value) {
  auto tensor = RankedTensorType::get({}, type);
  if (auto integer = dyn_cast<IntegerType>(type))
    return constant(DenseElementsAttr::get(tensor, APInt(64, int64_t(value), true).trunc(integer.getWidth())));
  APFloat number(value);
  bool losesInfo;
  number.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return constant(DenseElementsAttr::get(tensor, number));
}

Value NodeImporter::scalarLike(Value like, double value) { return like ? scalar(elementOf(like), value) : Value(); }

Value NodeImporter::integerList(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, builder.getI64Type());
  return constant(DenseElementsAttr::get(type, values));
}

Value NodeImporter::dims(ArrayRef<DimExpr> dims, Type element, bool isScalar) {
  assert((!isScalar || dims.size() == 1) && "a scalar is one dim");
  auto type = isScalar ? RankedTensorType::get({}, element) : RankedTensorType::get({int64_t(dims.size())}, element);
  if (!llvm::all_of(dims, [](const DimExpr &dim) { return dim.isConstant(); }))
    return make<dsc::DimsOp>(dimsAttribute(dims), TypeAttr::get(type));
  unsigned width = cast<IntegerType>(element).getWidth();
  SmallVector<APInt> values;
  for (const DimExpr &dim : dims)
    values.push_back(APInt(64, dim.constant(), true).trunc(width));
  return constant(DenseElementsAttr::get(type, values));
}

Value NodeImporter::reshape(Value value, ArrayRef<DimExpr> dims) {
  if (!value)
    return {};
  RankedTensorType type = tensorType(dims, elementOf(value));
  if (!type || type == value.getType())
    return type ? value : Value();
  // A splat stays one.
  auto expand = value.getDefiningOp<dsc::ExpandOp>();
  DimExpr before = dsc::countElements(dimsOf(value)), after = dsc::countElements(dims);
  if (expand && rankOf(expand.getInput()) == 0 && before == after)
    return makeTyped<dsc::ExpandOp>(type, expand.getInput());
  if (before != after && !(before.isConstant() && after.isConstant()))
    relate("equal", before, after);
  return makeTyped<dsc::ReshapeOp>(type, value);
}

Value NodeImporter::expand(Value value, ArrayRef<DimExpr> dims) {
  if (!value)
    return {};
  RankedTensorType type = tensorType(dims, elementOf(value));
  return type == value.getType() ? value : makeTyped<dsc::ExpandOp>(type, value);
}

Value NodeImporter::cast(Value value, Type element, bool saturate) {
  if (!value || elementOf(value) == element)
    return value;
  UnitAttr flag =
      saturate && isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 8 ? builder.getUnitAttr() : UnitAttr();
  return makeTyped<dsc::CastOp>(dsc::makeTensor(dimsOf(value), element), value, flag);
}

Value NodeImporter::transpose(Value value, ArrayRef<int64_t> permutation) {
  if (!value || llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return value;
  assert(int64_t(permutation.size()) == rankOf(value) && "each dim has its place");
  return make<dsc::TransposeOp>(value, attribute(permutation));
}

Value NodeImporter::slice(Value value, ArrayRef<DimExpr> starts, ArrayRef<DimExpr> sizes, ArrayRef<int64_t> steps) {
  if (!value)
    return {};
  assert(int64_t(starts.size()) == rankOf(value) && sizes.size() == starts.size() && steps.size() == starts.size() &&
         "a slice has a start, a size and a step for each dim");
  bool isWhole = llvm::all_of(steps, [](int64_t step) { return step == 1; }) &&
                 llvm::all_of(starts, [](const DimExpr &start) { return start.isConstant(0); }) &&
                 llvm::equal(dimsOf(value), sizes);
  if (isWhole)
    return value;
  return make<dsc::SliceOp>(value, dimsAttribute(starts), dimsAttribute(sizes), attribute(steps));
}

Value NodeImporter::splat(ArrayRef<DimExpr> dims, Type element, double value) {
  return expand(scalar(element, value), dims);
}

// What is known about values.

template <class Read> static auto readKnown(ImportState &shared, Value value, Read read) {
  auto contents = value ? read(shared.defaults.contentsOf(value)) : std::nullopt;
  if (contents)
    shared.defaults.dependOn(value);
  return contents;
}

std::optional<dsc::Dims> NodeImporter::known(Value value) const { return readKnown(shared, value, knownContents); }

std::optional<SmallVector<double>> NodeImporter::knownFloats(Value value) const {
  return readKnown(shared, value, knownNumbers);
}

std::optional<Integers> NodeImporter::knownIntegers(Value value) const {
  std::optional<dsc::Dims> dims = known(value);
  if (!dims || !llvm::all_of(*dims, [](const DimExpr &dim) { return dim.isConstant(); }))
    return std::nullopt;
  return llvm::map_to_vector(*dims, [](const DimExpr &dim) { return dim.constant(); });
}

std::optional<Integers> NodeImporter::attributeOrInput(StringRef name, size_t i) {
  if (!input(i))
    return integers(name);
  std::optional<Integers> values = knownIntegers(input(i));
  if (!values)
    (void)unsupported("has '" + name + "' that are computed at run time",
                      "make '" + name.str() + "' a constant of the model");
  return values;
}

std::optional<int64_t> NodeImporter::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  (void)reject("has axis " + Twine(axis) + ", which is outside [" + Twine(-rank) + ", " + Twine(rank) + ")");
  return std::nullopt;
}

std::optional<Integers> NodeImporter::normalizeAxes(Integers axes, int64_t rank) {
  for (int64_t &axis : axes) {
    std::optional<int64_t> inRange = normalizeAxis(axis, rank);
    if (!inRange)
      return std::nullopt;
    axis = *inRange;
  }
  llvm::sort(axes);
  if (std::adjacent_find(axes.begin(), axes.end()) == axes.end())
    return axes;
  (void)reject("names an axis twice");
  return std::nullopt;
}

void NodeImporter::relate(StringRef kind, const DimExpr &a, const DimExpr &b) {
  if (areValid({a, b}, "a size"))
    shared.facts.relate(kind, a, b, node.name);
}

LogicalResult NodeImporter::requireEqual(const DimExpr &a, const DimExpr &b, StringRef what) {
  if (!areValid({a, b}, what))
    return failure();
  if (a == b)
    return success();
  if (a.isConstant() && b.isConstant())
    return reject("has " + what + " of " + a.str() + " and " + b.str() + ", which must be equal");
  relate("equal", a, b);
  return success();
}

LogicalResult NodeImporter::requireList(size_t i) {
  if (!input(i) || rankOf(input(i)) == 1)
    return success();
  return reject("has the input " + Twine(i) + " of rank " + Twine(rankOf(input(i))) +
                ", which must be a list, of rank 1");
}

LogicalResult NodeImporter::requireMultiple(const DimExpr &a, const DimExpr &b, StringRef what) {
  if (!areValid({a, b}, what))
    return failure();
  if (a == b || DimExpr::exactDiv(a, b))
    return success();
  if (a.isConstant() && b.isConstant())
    return reject("has " + what + " of " + a.str() + " and " + b.str() + ", which must be a multiple");
  relate("multiple", a, b);
  return success();
}

} // namespace dscc
