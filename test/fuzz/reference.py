"""Says what a graph computes, node by node, and how far rounding alone can carry each element.

Every value is computed several times: once as it is, and with noise of some units in the last place put on the result
of every node that rounds. Where the noisy copies agree, a right compiler agrees too; where they differ, by a flipped
comparison or by cancellation, nobody can be blamed. ONNX Runtime computes each node by itself, without optimisations;
where it refuses a node, ONNX's reference evaluator does.
"""

import dataclasses
import math

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# By type: the noise on each rounded result (relative), and what any two right results may differ by beyond the spread
# that the noise shows (relative to the element, or to the root mean square of its tensor).
NOISE = {np.dtype(np.float16): 1e-3, np.dtype(np.float32): 4e-6, np.dtype(np.float64): 1e-13}
ROUNDING = {np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-10}
# Attributes are float32: in a node of doubles 0.2 may mean 0.2 or what a float32 makes of it.
ATTRIBUTE_NOISE = 1e-7
# So may the constants of the functions that define these.
OF_CONSTANTS = {"Gelu", "HardSwish"}
# Doubles are computed in single precision in part: statistics, as the standard lets them be, or coordinates.
IN_SINGLES = set("""
    AveragePool Conv ConvTranspose GroupNormalization HardSwish LayerNormalization RMSNormalization Resize""".split())
SINGLE_NOISE = 1e-6
# Their first step takes a mean off, whose rounding they may enlarge without bound: their input is noisy as well.
MEAN_NOISE = {dtype: max(noise / 16, NOISE[np.dtype(np.float32)] / 16) for dtype, noise in NOISE.items()}
CENTRING = {"GroupNormalization", "InstanceNormalization", "LayerNormalization", "MeanVarianceNormalization"}
# How many spreads of the noise an element may be off.
SPREADS = 8
# The least share of the root mean square that an element's rounding error is measured by: sums of large terms may be
# small.
FLOOR = 0.05

# Operators whose results are elements of their inputs, unrounded.
EXACT = set("""
    Abs And ArgMax ArgMin BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Clip Concat Constant
    ConstantOfShape DepthToSpace Dropout Equal Expand EyeLike Flatten Gather GatherElements GatherND GlobalMaxPool
    Greater GreaterOrEqual Hardmax Identity IsInf IsNaN Less LessOrEqual Max MaxPool Min Neg Not OneHot Or Pad Range
    ReduceMax ReduceMin Relu Reshape ReverseSequence Scatter Shape Sign Size Slice SpaceToDepth Split Squeeze
    TensorScatter Tile Transpose Trilu Unsqueeze Where Xor""".split())


_erf = np.vectorize(math.erf, otypes=[np.float64])


def erf(x, opset):
    return _erf(x)


def gelu(x, opset, approximate=b"none"):
    if approximate == b"tanh":
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + _erf(x / math.sqrt(2)))


def global_max_pool(x, opset):
    return np.max(x, axis=tuple(range(2, x.ndim)), keepdims=True)


def hardmax(x, opset, axis=None):
    """Before opset 13 all axes from `axis` on are one."""
    axis = (axis if axis is not None else 1 if opset < 13 else -1) % max(x.ndim, 1)
    last = axis + 1 if opset >= 13 else x.ndim
    rows = np.moveaxis(x.reshape(*x.shape[:axis], -1, *x.shape[last:]), axis, -1)
    ones = np.arange(rows.shape[-1]) == rows.argmax(-1)[..., None]
    return np.moveaxis(ones.astype(x.dtype), -1, axis).reshape(x.shape)


# Where ONNX Runtime has no kernel for doubles, and the reference evaluator is of single precision, drops dims or knows
# only the newest meaning.
OWN = {
    "Erf": erf,
    "Gelu": gelu,
    "GlobalMaxPool": global_max_pool,
    "Hardmax": hardmax,
}


# Neither computes these of doubles as they should: the reference evaluator's groups are wrong. ONNX Runtime does it in
# single precision.
NARROWED = {"AveragePool", "Conv", "ConvTranspose"}


# Nodes that ONNX Runtime 1.32 computes otherwise than the standard says: operator, and attributes with their values.
OVERRULED = [
    ("GridSample", {"mode": (b"cubic", b"bicubic"), "padding_mode": (b"border",)}),  # clamps the point, not the taps
    ("Resize", {"coordinate_transformation_mode": (b"align_corners",)}),  # sizes that are whole, not scaled
]


class Refused(Exception):
    """Neither ONNX Runtime nor the reference evaluator computes the node."""


@dataclasses.dataclass
class Value:
    """`arrays[run][sample]`: sample 0 is exact, the others are noisy. All are the same array if nothing rounds."""

    name: str
    arrays: list
    constant: bool = False

    @property
    def dtype(self):
        return self.arrays[0][0].dtype

    @property
    def rank(self):
        return self.arrays[0][0].ndim

    @property
    def dims(self):
        """For each axis its size in every run."""
        return tuple(zip(*[samples[0].shape for samples in self.arrays])) if self.rank else ()

    def spread(self, run):
        """How far noise carries each element, for floats."""
        exact = self.arrays[run][0]
        with np.errstate(all="ignore"):
            return np.max([np.abs(noisy.astype(np.float64) - exact) for noisy in self.arrays[run]], axis=0)


def element_type(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def root_mean_square(array):
    array = np.asarray(array, np.float64)
    finite = array[np.isfinite(array)]
    return float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0


def quiet_options():
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def start_session(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), quiet_options(), providers=["CPUExecutionProvider"])


def single_node_model(node, opset, inputs):
    """The node alone; what is constant in the graph is constant here, and no dim has a size."""
    given, constants = {}, {}
    for name, value in zip(node.input, inputs):
        if name:
            (constants if value.constant else given)[name] = value
    graph = helper.make_graph(
        [node], "one", [helper.make_tensor_value_info(name, element_type(value.dtype), [None] * value.rank)
                        for name, value in given.items()],
        [helper.make_empty_tensor_value_info(name) for name in node.output if name],
        [numpy_helper.from_array(value.arrays[0][0], name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 10
    return model, list(given)


def attributes_of(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def is_overruled(node):
    given = attributes_of(node)
    return any(node.op_type == op and all(given.get(name) in values for name, values in wanted.items())
               for op, wanted in OVERRULED)


def for_evaluator(node):
    """The node as the reference evaluator understands it: to its Conv, VALID is the same as SAME_UPPER."""
    plain = onnx.NodeProto.FromString(node.SerializeToString())
    if node.op_type == "Conv":
        kept = [attribute for attribute in node.attribute if attribute.s != b"VALID"]
        del plain.attribute[:]
        plain.attribute.extend(kept)
    return plain


def make_narrowed(node, opset, inputs):
    """A runner that computes doubles as singles."""

    def narrow(array):
        return array.astype(np.float32) if array.dtype == np.float64 else array

    narrowed = [value and Value(value.name, [[narrow(array) for array in samples] for samples in value.arrays],
                                value.constant) for value in inputs]
    model, names = single_node_model(node, opset, narrowed)
    session = start_session(model)
    return lambda arrays: [result.astype(np.float64)
                           for result in session.run(None, {name: narrow(arrays[name]) for name in names})]


def make_runner(node, opset, inputs):
    """A function from arrays by name to the node's outputs."""
    model, names = single_node_model(node, opset, inputs)
    try:
        session = None if is_overruled(node) else start_session(model)
    except Exception:  # whatever ONNX Runtime throws at a node that it does not have
        if node.op_type in OWN and inputs[0].dtype == np.float64:
            return lambda arrays: [OWN[node.op_type](arrays[node.input[0]], opset, **attributes_of(node))]
        if node.op_type in NARROWED and inputs[0].dtype == np.float64:
            return make_narrowed(node, opset, inputs)
        session = None
    try:
        chosen = session or ReferenceEvaluator(single_node_model(for_evaluator(node), opset, inputs)[0])
    except Exception as reason:
        raise Refused(str(reason)) from None
    return lambda arrays: chosen.run(None, {name: arrays[name] for name in names})


class Evaluator:
    """Computes nodes one after another. `samples` counts the exact copy; the noise is seeded by the node's name."""

    def __init__(self, opset, runs, samples=4):
        self.opset, self.runs, self.samples = opset, runs, samples

    def given(self, name, arrays, constant=False):
        return Value(name, [[array] * self.samples for array in arrays], constant)

    def noise_of(self, node):
        """The relative noise on the node's results, by type."""
        if node.op_type in EXACT:
            return {}
        schema = onnx.defs.get_schema(node.op_type, self.opset)
        floats = (onnx.defs.OpSchema.AttrType.FLOAT, onnx.defs.OpSchema.AttrType.FLOATS)
        least = SINGLE_NOISE if node.op_type in IN_SINGLES else ATTRIBUTE_NOISE
        if node.op_type in IN_SINGLES | OF_CONSTANTS or any(each.type in floats for each in schema.attributes.values()):
            return {dtype: max(noise, least) for dtype, noise in NOISE.items()}
        return NOISE

    def add_noise(self, array, sample, seed, noises):
        noise = noises.get(array.dtype)
        if noise is None or sample == 0:
            return array
        signs = {1: 1.0, 2: -1.0}.get(sample)
        if signs is None:
            signs = np.random.default_rng([seed, sample]).uniform(-1, 1, array.shape)
        with np.errstate(all="ignore"):
            reach = np.maximum(np.abs(array.astype(np.float64)), FLOOR * root_mean_square(array))
            return np.where(np.isfinite(array), array + noise * signs * reach, array).astype(array.dtype)

    def compute(self, node, inputs):
        """The node's outputs as Values. `inputs` has None where the node has no input."""
        run_node = make_runner(node, self.opset, inputs)
        by_name = {name: value for name, value in zip(node.input, inputs) if name}
        seed, noises = sum(map(ord, node.output[0])), self.noise_of(node)
        outputs = [[[] for _ in range(self.runs)] for _ in node.output]
        for run in range(self.runs):
            same = None
            for sample in range(self.samples):
                arrays = {name: value.arrays[run][sample] for name, value in by_name.items()}
                if node.op_type in CENTRING:
                    first = node.input[0]
                    arrays[first] = self.add_noise(arrays[first], sample, seed, MEAN_NOISE)
                identity = [id(array) for array in arrays.values()]
                try:
                    results = same[1] if same and same[0] == identity else run_node(arrays)
                except Exception as reason:
                    raise Refused(str(reason)) from None
                same = (identity, results)
                for index, result in enumerate(results):
                    result = np.asarray(result)
                    outputs[index][run].append(self.add_noise(result, sample, seed, noises))
        return [Value(name, arrays) for name, arrays in zip(node.output, outputs)]


def check_stable(value):
    """A word on what makes the value unfit to be judged, or None."""
    for run in range(len(value.arrays)):
        exact = value.arrays[run][0]
        if exact.dtype.kind in "biu":
            if any(not np.array_equal(exact, noisy) for noisy in value.arrays[run]):
                return "rounding decides"
        elif exact.size:
            if not np.all(np.isfinite(exact)):
                return "not finite"
            limit = 50 * max(NOISE[exact.dtype], ATTRIBUTE_NOISE) * max(1.0, root_mean_square(exact))
            if np.max(value.spread(run)) > limit:
                return "ill-conditioned"
    return None


def evaluate(model, runs, samples=4):
    """All values of the model by name; `runs` is a list of inputs by name."""
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    evaluator = Evaluator(opset, len(runs), samples)
    values = {name: evaluator.given(name, [run[name] for run in runs]) for name in runs[0]}
    for tensor in model.graph.initializer:
        values[tensor.name] = evaluator.given(tensor.name, [numpy_helper.to_array(tensor)] * len(runs), True)
    for node in model.graph.node:
        inputs = [values[name] if name else None for name in node.input]
        for value in evaluator.compute(node, inputs):
            if node.op_type == "Constant":
                value.constant = True
            values[value.name] = value
    return values


def differing(got, value, run):
    """Which elements of `got` cannot be explained: a boolean array, or a sentence if type or shape is wrong."""
    exact = value.arrays[run][0]
    if got.dtype != exact.dtype or got.shape != exact.shape:
        return f"got {got.dtype}{list(got.shape)}, expected {exact.dtype}{list(exact.shape)}"
    samples = value.arrays[run]
    if exact.dtype.kind in "biu":
        unsure = np.any([noisy != exact for noisy in samples], axis=0)
        return (got != exact) & ~unsure
    with np.errstate(all="ignore"):
        wide, want = got.astype(np.float64), exact.astype(np.float64)
        spread = value.spread(run)
        reach = ROUNDING[exact.dtype] * np.maximum(np.abs(want), FLOOR * root_mean_square(want)) + SPREADS * spread
        close = np.abs(wide - want) <= reach
        same = close | (wide == want) | (np.isnan(wide) & np.isnan(want)) | np.isnan(spread)
    return ~same


def in_double_precision(model):
    """The model with every float32 and float16 turned into float64."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    narrow = (TensorProto.FLOAT, TensorProto.FLOAT16)

    def widen(tensor):
        if tensor.data_type in narrow:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))

    for tensor in model.graph.initializer:
        widen(tensor)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                widen(attribute.t)
            if attribute.name in ("to", "dtype") and attribute.i in narrow:
                attribute.i = TensorProto.DOUBLE
    del model.graph.value_info[:]
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type in narrow:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    return model


def run_in_double(model, inputs):
    """The outputs by name, by ONNX's reference evaluator, or None if it refuses."""
    wide = {name: array.astype(np.float64) if array.dtype in NOISE else array for name, array in inputs.items()}
    try:
        with np.errstate(all="ignore"):
            evaluator = ReferenceEvaluator(in_double_precision(model))
            return dict(zip(evaluator.output_names, evaluator.run(None, wide)))
    except Exception:  # it raises all kinds of things
        return None
