// RNN, GRU and LSTM: what depends on the input alone becomes one product for the whole sequence, the rest a
// dsc.recurrence whose cell is written with the ops of its activations.
//
//     gates = X * W^T + Wb + Rb            one product for all steps and directions
//     outputs, states = recurrence(gates, R)
//
// com.microsoft's DynamicQuantizeLSTM has integer weights. Those of the input are dequantised here; the recurrent ones,
// which are read at each step, stay as small as they are, and the sums are scaled. Its activations stay floats, where
// ONNX Runtime rounds them to 8 bits before each product.

#include "compiler/import/Activations.h"
#include "compiler/import/Converters.h"
#include "compiler/import/Matmul.h"
#include "passes/canonical/Evaluate.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace dscc {

namespace {
/// An activation function as nodes name it.
struct Function {
  llvm::StringLiteral name;
  bool takesAlpha, takesBeta;
  double alpha, beta; // where the node does not say
  Value (*apply)(NodeImporter &node, Value x, double alpha, double beta);
};
} // namespace

static Value affine(NodeImporter &node, Value x, double alpha, double beta) {
  return node.add(node.mul(x, node.scalarLike(x, alpha)), node.scalarLike(x, beta));
}

static constexpr Function functions[] = {
    {"Tanh", false, false, 0, 0, [](NodeImporter &n, Value x, double, double) { return n.make<dsc::TanhOp>(x); }},
    {"Sigmoid", false, false, 0, 0, [](NodeImporter &n, Value x, double, double) { return n.make<dsc::SigmoidOp>(x); }},
    {"Relu", false, false, 0, 0, [](NodeImporter &n, Value x, double, double) { return n.make<dsc::ReluOp>(x); }},
    {"Affine", true, true, 1, 0, affine},
    {"LeakyRelu", true, false, 0.01, 0, [](NodeImporter &n, Value x, double a, double) { return leakyRelu(n, x, a); }},
    {"ThresholdedRelu", true, false, 1, 0,
     [](NodeImporter &n, Value x, double a, double) { return thresholdedRelu(n, x, a); }},
    {"ScaledTanh", true, true, 1, 1,
     [](NodeImporter &n, Value x, double a, double b) {
       return n.mul(n.make<dsc::TanhOp>(n.mul(x, n.scalarLike(x, b))), n.scalarLike(x, a));
     }},
    {"HardSigmoid", true, true, 0.2, 0.5,
     [](NodeImporter &n, Value x, double a, double b) { return hardSigmoid(n, x, a, b); }},
    {"Elu", true, false, 1, 0, [](NodeImporter &n, Value x, double a, double) { return elu(n, x, a); }},
    {"Softsign", false, false, 0, 0, [](NodeImporter &n, Value x, double, double) { return softsign(n, x); }},
    {"Softplus", false, false, 0, 0,
     [](NodeImporter &n, Value x, double, double) { return n.make<dsc::SoftplusOp>(x); }},
};

namespace {
/// A function with its numbers.
struct Activation {
  const Function *function;
  double alpha, beta;
  bool operator==(const Activation &) const = default;
};

/// What a node tells, its weights in the order of products: [directions, inputs, gates * units].
struct Layer {
  Value x, inputWeights, weights, bias, lengths, hidden, cell, peepholes;
  Value scales; // of the recurrent weights if they are integers, [directions, gates * units]; else null
  bool hasTimeFirst = true;
  SmallVector<int64_t> reverse;        // of each direction
  SmallVector<Activation> activations; // of one direction, then of the other
  double clip = 0;                     // 0: none
  DimExpr time, batch;
  int64_t units = 0;
};

/// The arguments of one part of a cell.
struct Part {
  ValueRange gates, parameters, states, earlier, sums;
};

/// One kind of layer.
struct Kind {
  int64_t gates;
  std::initializer_list<llvm::StringLiteral> activations; // of a direction, by default
  /// Makes the recurrence of `directions` neighbouring directions from `first` on.
  dsc::RecurrenceOp (*make)(NodeImporter &node, const Layer &layer, int64_t first, int64_t directions);
};

using WritePart = function_ref<SmallVector<Value>(const Part &part)>;
} // namespace

//===-- Pieces of operands --------------------------------------------------------------------------------------===//

/// `size` places from `start` on along one axis.
static Value cut(NodeImporter &node, Value value, int64_t axis, int64_t start, int64_t size) {
  if (!value)
    return {};
  dsc::Dims starts(rankOf(value), DimExpr(0)), sizes = dimsOf(value);
  starts[axis] = start;
  sizes[axis] = size;
  return node.slice(value, starts, sizes, Integers(rankOf(value), 1));
}

static Value join(NodeImporter &node, ArrayRef<Value> parts, int64_t axis) {
  if (llvm::is_contained(parts, Value()))
    return {};
  return parts.size() == 1 ? parts[0] : node.make<dsc::ConcatOp>(parts, node.builder.getI64IntegerAttr(axis));
}

/// [time, batch, directions * gates * units], with the biases that are added to it.
static Value makeGates(NodeImporter &node, const Layer &layer, Value weights, Value bias) {
  Value x = layer.hasTimeFirst ? layer.x : node.transpose(layer.x, {1, 0, 2});
  if (!x || !weights)
    return {};
  dsc::Dims dims = dimsOf(weights);
  int64_t columns = dims[0].constant() * dims[2].constant();
  Value flat = node.reshape(x, {layer.time * layer.batch, dimsOf(x)[2]});
  Value matrix = node.reshape(node.transpose(weights, {1, 0, 2}), {dims[1], columns});
  Value product = makeMatmul(node, flat, matrix);
  if (bias)
    product = node.add(product, node.reshape(bias, {columns}));
  return product ? node.reshape(product, {layer.time, layer.batch, columns}) : Value();
}

//===-- The op --------------------------------------------------------------------------------------------------===//

static void writePart(NodeImporter &node, dsc::RecurrenceOp op, size_t index, SmallVectorImpl<Value> &yielded,
                      WritePart write) {
  OpBuilder::InsertionGuard guard(node.builder);
  auto type = RankedTensorType::get({op.getUnits()}, op.getCellElement());
  size_t gates = op.countGates(), parameters = op.countParameters(), states = op.getInitial().size();
  size_t count = gates + parameters + states + yielded.size() + op.countSums(index);
  Block *block = node.builder.createBlock(&op.getParts()[index], {}, SmallVector<Type>(count, type),
                                          SmallVector<Location>(count, node.location));
  ValueRange rest = block->getArguments();
  auto take = [&](size_t size) {
    ValueRange taken = rest.take_front(size);
    rest = rest.drop_front(size);
    return taken;
  };
  Part part;
  part.gates = take(gates);
  part.parameters = take(parameters);
  part.states = take(states);
  part.earlier = take(yielded.size());
  part.sums = rest;
  SmallVector<Value> values = write(part);
  if (llvm::is_contained(values, Value()))
    return;
  dsc::YieldOp::create(node.builder, node.location, values);
  llvm::append_range(yielded, values);
}

/// Null if something is wrong. `parts` write the cell; the states are the layer's `hidden` and what follows it.
static dsc::RecurrenceOp makeRecurrence(NodeImporter &node, const Layer &layer, int64_t first, int64_t directions,
                                        Value gates, ValueRange weights, Value parameters, ValueRange initial,
                                        ArrayRef<WritePart> parts) {
  bool isComplete = gates && !llvm::is_contained(weights, Value()) && !llvm::is_contained(initial, Value());
  if (node.hasFailed() || !isComplete)
    return {};
  Type element = elementOf(gates);
  RankedTensorType outputs = node.tensorType({layer.time, directions, layer.batch, layer.units}, element);
  RankedTensorType state = node.tensorType({directions, layer.batch, layer.units}, element);
  if (!outputs || !state || !node.checkType(outputs) || !node.checkType(state))
    return {};
  ArrayRef<int64_t> reverse = ArrayRef(layer.reverse).slice(first, directions);
  auto op =
      dsc::RecurrenceOp::create(node.builder, node.location, outputs, SmallVector<Type>(initial.size(), state), gates,
                                weights, parameters, layer.lengths, initial, node.attribute(reverse), parts.size());
  SmallVector<Value> yielded;
  for (auto [index, part] : llvm::enumerate(parts))
    writePart(node, op, index, yielded, part);
  if (!node.hasFailed() && succeeded(verify(op)))
    return op;
  op.erase();
  return {};
}

//===-- The cells -----------------------------------------------------------------------------------------------===//

static Value clip(NodeImporter &node, Value x, double most) {
  if (most == 0)
    return x;
  return node.make<dsc::MaxOp>(node.make<dsc::MinOp>(x, node.scalarLike(x, most)), node.scalarLike(x, -most));
}

/// Function `index` of a direction's.
static Value apply(NodeImporter &node, const Layer &layer, int64_t first, size_t index, Value x) {
  assert(layer.activations.size() % layer.reverse.size() == 0 && "directions have as many functions each");
  size_t each = layer.activations.size() / layer.reverse.size();
  const Activation &activation = layer.activations[first * each + index];
  return activation.function->apply(node, x, activation.alpha, activation.beta);
}

/// The same for a gate, whose sum is clipped first. (An LSTM's cell, to which `h` is applied, is not: so do exporters'
/// frameworks and ONNX Runtime read the standard.)
static Value activate(NodeImporter &node, const Layer &layer, int64_t first, size_t index, Value x) {
  return apply(node, layer, first, index, clip(node, x, layer.clip));
}

/// What is needed of `value`, which has the directions in front, for some of them.
static Value forDirections(NodeImporter &node, Value value, int64_t first, int64_t directions) {
  return cut(node, value, 0, first, directions);
}

/// Wb + Rb, which add up to one bias in all but one gate of one cell.
static Value addBiases(NodeImporter &node, Value bias, int64_t columns) {
  return bias ? node.add(cut(node, bias, 1, 0, columns), cut(node, bias, 1, columns, columns)) : Value();
}

static dsc::RecurrenceOp makeRnn(NodeImporter &node, const Layer &layer, int64_t first, int64_t directions) {
  auto own = [&](Value value) { return forDirections(node, value, first, directions); };
  Value gates = makeGates(node, layer, own(layer.inputWeights), addBiases(node, own(layer.bias), layer.units));
  auto cell = [&](const Part &part) -> SmallVector<Value> {
    return {activate(node, layer, first, 0, node.add(part.gates[0], part.sums[0]))};
  };
  return makeRecurrence(node, layer, first, directions, gates, own(layer.weights), {}, own(layer.hidden), {cell});
}

/// H' = (1 - z) * h + z * H
static SmallVector<Value> blend(NodeImporter &node, Value z, Value candidate, Value hidden) {
  Value kept = node.mul(node.sub(node.scalarLike(z, 1), z), candidate);
  return {node.add(kept, node.mul(z, hidden))};
}

/// The reset gate scales the product: one part.
static dsc::RecurrenceOp makeGruResetAfter(NodeImporter &node, const Layer &layer, int64_t first, int64_t directions) {
  auto own = [&](Value value) { return forDirections(node, value, first, directions); };
  int64_t units = layer.units;
  Value bias = own(layer.bias), recurrentBias, both;
  if (bias) {
    // The candidate's own Rb is scaled with the product.
    recurrentBias = cut(node, bias, 1, 5 * units, units);
    Value zeros = node.splat({directions, units}, elementOf(bias), 0);
    both = node.add(cut(node, bias, 1, 0, 3 * units), join(node, {cut(node, bias, 1, 3 * units, 2 * units), zeros}, 1));
  }
  Value gates = makeGates(node, layer, own(layer.inputWeights), both);
  auto cell = [&](const Part &part) -> SmallVector<Value> {
    Value z = activate(node, layer, first, 0, node.add(part.gates[0], part.sums[0]));
    Value r = activate(node, layer, first, 0, node.add(part.gates[1], part.sums[1]));
    Value product = bias ? node.add(part.sums[2], part.parameters[0]) : part.sums[2];
    Value candidate = activate(node, layer, first, 1, node.add(part.gates[2], node.mul(r, product)));
    return blend(node, z, candidate, part.states[0]);
  };
  return makeRecurrence(node, layer, first, directions, gates, own(layer.weights), recurrentBias, own(layer.hidden),
                        {cell});
}

/// The reset gate scales the state before the product: two parts.
static dsc::RecurrenceOp makeGruResetBefore(NodeImporter &node, const Layer &layer, int64_t first, int64_t directions) {
  auto own = [&](Value value) { return forDirections(node, value, first, directions); };
  int64_t units = layer.units;
  Value gates = makeGates(node, layer, own(layer.inputWeights), addBiases(node, own(layer.bias), 3 * units));
  Value weights = own(layer.weights);
  Value both = cut(node, weights, 2, 0, 2 * units), candidates = cut(node, weights, 2, 2 * units, units);
  auto reset = [&](const Part &part) -> SmallVector<Value> {
    Value z = activate(node, layer, first, 0, node.add(part.gates[0], part.sums[0]));
    Value r = activate(node, layer, first, 0, node.add(part.gates[1], part.sums[1]));
    return {node.mul(r, part.states[0]), z};
  };
  auto update = [&](const Part &part) -> SmallVector<Value> {
    Value candidate = activate(node, layer, first, 1, node.add(part.gates[2], part.sums[0]));
    return blend(node, part.earlier[1], candidate, part.states[0]);
  };
  return makeRecurrence(node, layer, first, directions, gates, {both, candidates}, {}, own(layer.hidden),
                        {reset, update});
}

static dsc::RecurrenceOp makeGru(NodeImporter &node, const Layer &layer, int64_t first, int64_t directions) {
  return node.integer("linear_before_reset", 0) ? makeGruResetAfter(node, layer, first, directions)
                                                : makeGruResetBefore(node, layer, first, directions);
}

static dsc::RecurrenceOp makeLstm(NodeImporter &node, const Layer &layer, int64_t first, int64_t directions) {
  auto own = [&](Value value) { return forDirections(node, value, first, directions); };
  enum Gate { In, Out, Forget, Cell }; // as ONNX has them; peepholes have no fourth
  bool couples = node.integer("input_forget", 0);
  // What a unit has: three peepholes or none, then four scales or none.
  SmallVector<Value> parameters;
  for (Value some : {layer.peepholes, layer.scales})
    if (some)
      parameters.push_back(own(some));
  Value gates = makeGates(node, layer, own(layer.inputWeights), addBiases(node, own(layer.bias), 4 * layer.units));
  auto cell = [&](const Part &part) -> SmallVector<Value> {
    auto gate = [&](Gate which, Value state, size_t function) {
      Value sum = part.sums[which];
      if (layer.scales)
        sum = node.mul(sum, part.parameters.take_back(4)[which]);
      Value x = node.add(part.gates[which], sum);
      if (state && layer.peepholes)
        x = node.add(x, node.mul(part.parameters[which], state));
      return activate(node, layer, first, function, x);
    };
    Value before = part.states[1];
    Value in = gate(In, before, 0);
    Value forget = couples ? node.sub(node.scalarLike(in, 1), in) : gate(Forget, before, 0);
    Value after = node.add(node.mul(forget, before), node.mul(in, gate(Cell, {}, 1)));
    Value hidden = node.mul(gate(Out, after, 0), apply(node, layer, first, 2, after));
    return {hidden, after};
  };
  return makeRecurrence(node, layer, first, directions, gates, own(layer.weights),
                        parameters.empty() ? Value() : join(node, parameters, 1), {own(layer.hidden), own(layer.cell)},
                        {cell});
}

//===-- The nodes -----------------------------------------------------------------------------------------------===//

static LogicalResult readDirections(NodeImporter &node, Layer &layer) {
  std::string direction = node.text("direction", "forward");
  if (direction == "forward")
    layer.reverse = {0};
  else if (direction == "reverse")
    layer.reverse = {1};
  else if (direction == "bidirectional")
    layer.reverse = {0, 1};
  else
    return node.reject("has the unknown direction '" + direction + "'");
  return success();
}

/// The functions of all directions. Those that take numbers take them from the node's lists, in order.
static LogicalResult readActivations(NodeImporter &node, const Kind &kind, Layer &layer) {
  SmallVector<std::string> names;
  for (size_t i = 0; i < layer.reverse.size(); ++i)
    for (StringRef name : kind.activations)
      names.push_back(name.str());
  size_t wanted = names.size();
  if (auto given = node.texts("activations"); given && !given->empty())
    names = *given;
  if (names.size() != wanted)
    return node.reject("has " + Twine(names.size()) + " activations, but needs " + Twine(wanted));
  SmallVector<double> alphas = node.numbers("activation_alpha").value_or(SmallVector<double>()),
                      betas = node.numbers("activation_beta").value_or(SmallVector<double>());
  size_t nextAlpha = 0, nextBeta = 0;
  for (const std::string &name : names) {
    auto function = llvm::find_if(functions, [&](const Function &f) { return f.name.equals_insensitive(name); });
    if (function == std::end(functions))
      return node.reject("has the unknown activation '" + name + "'");
    Activation activation{function, function->alpha, function->beta};
    if (function->takesAlpha && nextAlpha < alphas.size())
      activation.alpha = alphas[nextAlpha++];
    if (function->takesBeta && nextBeta < betas.size())
      activation.beta = betas[nextBeta++];
    layer.activations.push_back(activation);
  }
  return success();
}

/// An operand of the node that must have these dims; one that depends on the run is checked then.
static Value requireDims(NodeImporter &node, Value value, ArrayRef<DimExpr> dims, StringRef what) {
  if (!value)
    return {};
  dsc::Dims own = dimsOf(value);
  if (own.size() != dims.size()) {
    (void)node.reject("has " + what + " of " + dsc::describeDims(own) + ", which must be " + dsc::describeDims(dims));
    return {};
  }
  for (auto [dim, wanted] : llvm::zip_equal(own, dims)) {
    if (dim.isConstant() && wanted.isConstant() && dim != wanted) {
      (void)node.reject("has " + what + " of " + dsc::describeDims(own) + ", which must be " + dsc::describeDims(dims));
      return {};
    }
    if (failed(node.requireEqual(dim, wanted, what)))
      return {};
  }
  return node.reshape(value, dims);
}

/// Dims of the layer, from its input and its recurrent weights, [directions, units, gates * units].
static LogicalResult readDims(NodeImporter &node, const Kind &kind, Layer &layer) {
  if (rankOf(layer.x) != 3)
    return node.reject("has an input of rank " + Twine(rankOf(layer.x)) + ", which must be 3");
  layer.hasTimeFirst = node.integer("layout", 0) == 0;
  dsc::Dims input = dimsOf(layer.x);
  layer.time = input[layer.hasTimeFirst ? 0 : 1];
  layer.batch = input[layer.hasTimeFirst ? 1 : 0];
  if (rankOf(layer.weights) != 3 || rankOf(layer.inputWeights) != 3)
    return node.reject("has weights that are not of rank 3");
  DimExpr known = dimsOf(layer.weights)[1];
  layer.units = node.integer("hidden_size", known.isConstant() ? known.constant() : 0);
  if (layer.units < 1)
    return known.isConstant() || node.hasAttribute("hidden_size")
               ? node.reject("has a hidden size of " + Twine(layer.units) + ", which must be positive")
               : node.unsupported("has a hidden size of " + known.str(), "fix it with --dim");
  if (known.isConstant() && known.constant() != layer.units)
    return node.reject("has a hidden_size of " + Twine(layer.units) + ", but recurrent weights for " + known.str());
  DimExpr units = layer.units;
  DimExpr directions = int64_t(layer.reverse.size()), columns = units * kind.gates;
  layer.weights = requireDims(node, layer.weights, {directions, units, columns}, "recurrent weights");
  layer.inputWeights = requireDims(node, layer.inputWeights, {directions, input[2], columns}, "input weights");
  return success(!node.hasFailed());
}

static LogicalResult readStates(NodeImporter &node, const Kind &kind, Layer &layer) {
  DimExpr directions = int64_t(layer.reverse.size());
  dsc::Dims state = {directions, layer.batch, layer.units};
  auto initial = [&](Value given, StringRef what) {
    if (!given)
      return node.splat(state, elementOf(layer.x), 0);
    return requireDims(node, layer.hasTimeFirst ? given : node.transpose(given, {1, 0, 2}), state, what);
  };
  for (auto [given, what] : {std::pair(layer.hidden, "an initial hidden state"), {layer.cell, "an initial cell"}})
    if (given && rankOf(given) != 3)
      return node.reject(Twine("has ") + what + " of rank " + Twine(rankOf(given)) + ", which must be 3");
  layer.hidden = initial(layer.hidden, "an initial hidden state");
  layer.cell = initial(layer.cell, "an initial cell");
  layer.bias = requireDims(node, layer.bias, {directions, 2 * kind.gates * layer.units}, "biases");
  layer.peepholes = requireDims(node, layer.peepholes, {directions, 3 * layer.units}, "peepholes");
  layer.scales = requireDims(node, layer.scales, {directions, kind.gates * layer.units}, "scales");
  layer.lengths = requireDims(node, layer.lengths, {layer.batch}, "sequence lengths");
  return success(!node.hasFailed());
}

/// True if one cell serves all directions.
static bool haveOneCell(const Layer &layer) {
  size_t each = layer.activations.size() / layer.reverse.size();
  ArrayRef<Activation> all = layer.activations;
  return all.take_front(each) == all.take_back(each);
}

static LogicalResult convertLayer(NodeImporter &node, const Kind &kind, Layer layer) {
  if (failed(readDirections(node, layer)) || failed(readActivations(node, kind, layer)) ||
      failed(readDims(node, kind, layer)) || failed(readStates(node, kind, layer)))
    return failure();
  layer.clip = node.number("clip", 0);
  if (layer.clip < 0)
    return node.reject("clips at " + std::to_string(layer.clip) + ", which must not be negative");
  int64_t directions = layer.reverse.size(), together = haveOneCell(layer) ? directions : 1;
  SmallVector<SmallVector<Value>> results;
  for (int64_t first = 0; first < directions; first += together) {
    dsc::RecurrenceOp op = kind.make(node, layer, first, together);
    if (!op)
      return failure();
    results.resize(op->getNumResults());
    for (auto [all, own] : llvm::zip_equal(results, op->getResults()))
      all.push_back(own);
  }
  for (size_t i = 1; i < results.size(); ++i) {
    Value last = join(node, results[i], 0);
    node.setResult(i, layer.hasTimeFirst ? last : node.transpose(last, {1, 0, 2}));
  }
  Value outputs = join(node, results[0], 1);
  return node.finish(layer.hasTimeFirst ? outputs : node.transpose(outputs, {2, 0, 1, 3}));
}

/// An operator of the standard: weights are [directions, gates * units, inputs].
static LogicalResult convertStandard(NodeImporter &node, const Kind &kind) {
  Layer layer;
  layer.x = node.input(0);
  if (rankOf(node.input(1)) != 3 || rankOf(node.input(2)) != 3)
    return node.reject("has weights that are not of rank 3");
  layer.inputWeights = node.transpose(node.input(1), {0, 2, 1});
  layer.weights = node.transpose(node.input(2), {0, 2, 1});
  layer.bias = node.input(3);
  layer.lengths = node.input(4);
  layer.hidden = node.input(5);
  layer.cell = node.input(6);
  layer.peepholes = node.input(7);
  return convertLayer(node, kind, layer);
}

static constexpr llvm::StringLiteral tanhName = "Tanh", sigmoidName = "Sigmoid";

static LogicalResult convertRnn(NodeImporter &node) { return convertStandard(node, {1, {tanhName}, makeRnn}); }

static LogicalResult convertGru(NodeImporter &node) {
  return convertStandard(node, {3, {sigmoidName, tanhName}, makeGru});
}

static LogicalResult convertLstm(NodeImporter &node) {
  return convertStandard(node, {4, {sigmoidName, tanhName, tanhName}, makeLstm});
}

/// A scale or zero point, one a direction, or one a direction and column, beside weights of [directions, rows,
/// columns].
static Value spread(NodeImporter &node, Value value) {
  dsc::Dims dims = dimsOf(value);
  if (dims.size() == 1)
    return node.reshape(value, {dims[0], 1, 1});
  if (dims.size() == 2)
    return node.reshape(value, {dims[0], 1, dims[1]});
  (void)node.reject("has a scale or zero point of rank " + Twine(dims.size()) + ", which must be 1 or 2");
  return {};
}

/// (q - zero point) * scale
static Value dequantize(NodeImporter &node, Value weights, Value scale, Value zeroPoint) {
  Type i32 = node.builder.getI32Type();
  Value shifted = node.sub(node.cast(weights, i32), node.cast(spread(node, zeroPoint), i32));
  return node.mul(node.cast(shifted, node.builder.getF32Type()), spread(node, scale));
}

static bool isKnownZero(Value value) {
  ElementsAttr constant = getConstant(value);
  std::optional<ArrayRef<char>> bytes = constant ? getBytes(constant) : std::nullopt;
  return bytes && llvm::all_of(*bytes, [](char byte) { return byte == 0; });
}

/// Weights are [directions, inputs, gates * units] here.
static LogicalResult convertDynamicQuantizeLstm(NodeImporter &node) {
  for (size_t i : {8, 9, 10, 11})
    if (!node.input(i))
      return node.reject("lacks its input " + Twine(i) + ", a scale or zero point");
  if (rankOf(node.input(1)) != 3 || rankOf(node.input(2)) != 3)
    return node.reject("has weights that are not of rank 3");
  Layer layer;
  layer.x = node.input(0);
  layer.inputWeights = dequantize(node, node.input(1), node.input(8), node.input(9));
  if (isKnownZero(node.input(11))) {
    layer.weights = node.input(2);
    dsc::Dims dims = dimsOf(layer.weights);
    if (Value scales = spread(node, node.input(10)))
      layer.scales = node.reshape(node.expand(scales, {dims[0], 1, dims[2]}), {dims[0], dims[2]});
  } else {
    layer.weights = dequantize(node, node.input(2), node.input(10), node.input(11));
  }
  if (node.hasFailed())
    return failure();
  layer.bias = node.input(3);
  layer.lengths = node.input(4);
  layer.hidden = node.input(5);
  layer.cell = node.input(6);
  layer.peepholes = node.input(7);
  return convertLayer(node, {4, {sigmoidName, tanhName, tanhName}, makeLstm}, layer);
}

ArrayRef<Converter> recurrentConverters() {
  static constexpr Converter entries[] = {
      {"", "RNN", 1, 3, 6, convertRnn, "T=floats, T, T, T, int32, T"},
      {"", "GRU", 1, 3, 6, convertGru, "T=floats, T, T, T, int32, T"},
      {"", "LSTM", 1, 3, 8, convertLstm, "T=floats, T, T, T, int32, T, T, T"},
      {"com.microsoft", "DynamicQuantizeLSTM", 1, 3, 12, convertDynamicQuantizeLstm,
       "float, W=int8+uint8, R=int8+uint8, float, int32, float, float, float, float, W, float, R"},
  };
  return entries;
}

} // namespace dscc
