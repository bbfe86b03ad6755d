"""Operators that sum over elements: reductions, norms, products, convolutions, pools, quantised ones, attention."""

import numpy as np
from onnx import helper

from drawing import FLOATS, Row, Unfit
from rows_elementwise import DOMAINS, scalar
from rows_movement import integers, some_axis, with_axes

BYTES = (np.int8, np.uint8)


# Reductions and norms.

def reduction(types=FLOATS, domain="any", axes_input_since=18):
    def draw(graph, row):
        x = DOMAINS[domain](graph, graph.pick(types, ranks=range(1, 5)))
        count = graph.integer(1, x.rank)
        axes = [int(axis) - x.rank * graph.chance(0.3) for axis in graph.random.choice(x.rank, count, replace=False)]
        every = graph.chance(0.15)
        noop = graph.choose((None, 0, 1)) if graph.opset >= axes_input_since and every else None
        with_axes(graph, row.op, [x], None if every else axes, axes_input_since, keepdims=graph.choose((None, 0, 1)),
                  noop_with_empty_axes=noop)
    return draw


def arg(graph, row):
    x = graph.pick(FLOATS + (np.int32,), ranks=range(1, 5))
    last = graph.choose((None, 0, 1)) if graph.opset >= 12 else None
    graph.add(row.op, [x], axis=some_axis(graph, x, graph.opset >= 11), keepdims=graph.choose((None, 0, 1)),
              select_last_index=last)


def top_k(graph, row):
    """Where rounding decides which numbers these are, the graph is without them."""
    x = graph.pick(FLOATS + (np.int64, np.int32) if graph.opset >= 11 else FLOATS, ranks=range(1, 5))
    axis = some_axis(graph, x)
    k = graph.integer(1, min(x.dims[axis]))
    attributes = {"largest": graph.choose((None, 0, 1))} if graph.opset >= 11 else {}
    if graph.opset < 10:
        graph.add("TopK", [x], 2, axis=axis, k=k)
    else:
        graph.add("TopK", [x, integers(graph, [k])], 2, axis=axis, **attributes)


def cumulative(graph, row):
    x = graph.pick(FLOATS + (np.int32, np.int64), ranks=range(1, 5))
    axis = graph.constant(np.array(some_axis(graph, x), graph.choose((np.int32, np.int64))))
    graph.add(row.op, [x, axis], exclusive=graph.choose((None, 0, 1)), reverse=graph.choose((None, 0, 1)))


def along_axis(ranks=range(1, 5), **attributes):
    def draw(graph, row):
        x = graph.pick(FLOATS, ranks=ranks)
        axis = some_axis(graph, x, graph.opset >= 11)
        default = None if x.rank > 1 or graph.opset >= 13 else axis  # it is 1 in the older ones
        graph.add(row.op, [x], axis=graph.choose((default, axis)),
                  **{key: graph.choose(choices) for key, choices in attributes.items()})
    return draw


def channels_of(graph, ranks, types=FLOATS, most=33):
    """A value whose axis 1 has a size that is known, and that size."""
    x = graph.pick(types, ranks=ranks, accept=lambda value: len(set(value.dims[1])) == 1 and value.dims[1][0] <= most)
    return x, x.dims[1][0]


def layer_norm(graph, row):
    x = graph.pick(FLOATS, ranks=range(1, 5))
    axis = some_axis(graph, x)
    dims = x.dims[axis % x.rank:]
    if min(dims[-1]) < 2:
        raise Unfit("nothing to normalise over")
    inputs = [x, graph.fresh(dims, x.dtype, weight=True)]
    if row.op == "LayerNormalization" and graph.chance(0.7):
        inputs.append(graph.fresh(dims, x.dtype, weight=True))
    graph.add(row.op, inputs, axis=axis, epsilon=graph.choose((None, 1e-3)))


def batch_norm(graph, row):
    x, channels = channels_of(graph, range(2, 5))
    scale, bias, mean = [graph.weight([channels], x.dtype) for _ in range(3)]
    variance = graph.fresh((graph.fixed(channels),), x.dtype, 0.5, 2, weight=True)
    graph.add("BatchNormalization", [x, scale, bias, mean, variance], epsilon=graph.choose((None, 1e-2)))


def instance_norm(graph, row):
    x, channels = channels_of(graph, range(3, 5))
    graph.add("InstanceNormalization", [x, graph.weight([channels], x.dtype), graph.weight([channels], x.dtype)],
              epsilon=1e-2)


def group_norm(graph, row):
    x, channels = channels_of(graph, range(3, 5))
    groups = graph.choose([count for count in range(1, channels + 1) if channels % count == 0])
    size = channels if graph.opset >= 21 else groups
    graph.add("GroupNormalization", [x, graph.weight([size], x.dtype), graph.weight([size], x.dtype)],
              num_groups=groups, epsilon=1e-2)


def mean_variance(graph, row):
    x = graph.pick(FLOATS, ranks=[4])
    graph.add(row.op, [x], axes=graph.choose((None, [0, 2, 3], [2, 3], [1])))


def lrn(graph, row):
    x, _ = channels_of(graph, [4], (np.float32,))
    graph.add("LRN", [x], size=graph.choose((1, 3, 5)), alpha=graph.choose((None, 0.1)), bias=graph.choose((None, 2.0)))


# Products.

def matmul(graph, row):
    x = graph.pick(FLOATS + (np.int32, np.int64), ranks=range(1, 5))
    inner = x.dims[-1]
    if graph.chance(0.3):
        y = graph.pick([x.dtype], ranks=range(1, 5), fresh=False, accept=lambda value: value.dims[-min(
            2, value.rank)] == inner and (value.rank < 3 or x.rank < 3 or value.dims[:-2] == x.dims[:-2]))
    else:
        columns = [] if graph.chance(0.1) else [graph.draw_dim(17)]
        batch = [graph.fixed(1) if graph.chance(0.3) else dim for dim in x.dims[:-2]] if columns else []
        batch = batch[graph.integer(0, len(batch)):]
        y = graph.fresh((*batch, inner, *columns), x.dtype, weight=graph.chance(0.6))
    scaled = graph.add("MatMul", [x, y])
    if x.dtype.kind == "f" and max(inner) > 4:
        graph.add("Mul", [scaled, scalar(graph, max(inner) ** -0.5, x.dtype)])


def gemm(graph, row):
    x = graph.pick(FLOATS, ranks=[2])
    flip, flip_weight = graph.choose((0, 0, 1)), graph.choose((0, 1))
    inner, rows = (x.dims[0], x.dims[1]) if flip else (x.dims[1], x.dims[0])
    columns = graph.draw_dim()
    y = graph.fresh((columns, inner) if flip_weight else (inner, columns), x.dtype, weight=graph.chance(0.6))
    biases = [(), (columns,), (graph.fixed(1), columns), (rows, graph.fixed(1)), (rows, columns)]
    bias = graph.fresh(graph.choose(biases), x.dtype, weight=graph.chance(0.6)) if graph.chance(0.7) else None
    if bias is None and graph.opset < 11:
        bias = graph.fresh((columns,), x.dtype)
    graph.add("Gemm", [x, y, bias], transA=flip or None, transB=flip_weight or None,
              alpha=max(inner) ** -0.5, beta=graph.choose((None, 0.5)))


# The first operand's rank, the equation, and the second operand's dims by the letters of the first's.
EINSUMS = (
    (2, "ij,jk->ik", "jk"), (2, "ij,ij->i", "ij"), (2, "ij->ji", None), (3, "bij,bjk->bik", "bjk"), (2, "ij,j->i", "j"),
    (3, "bij,bkj->bik", "bkj"), (3, "bij->bj", None), (4, "bhid,bhjd->bhij", "bhjd"), (3, "bij,kj->bik", "kj"),
    (2, "ij,k->ikj", "k"), (3, "abc,bc->a", "bc"), (1, "i,j->ij", "j"), (3, "...ij,jk->...ik", "jk"),
    (3, "abc,cad->bd", "cad"), (4, "bchw,cd->bdhw", "cd"))


def einsum(graph, row):
    rank, equation, other = graph.choose(EINSUMS)
    x = graph.pick((np.float32, np.float64), ranks=[rank])
    letters = dict(zip(equation.split("->")[0].split(",")[0].replace("...", "Z"), x.dims))
    inputs = [x]
    if other:
        dims = tuple(letters.get(letter) or graph.draw_dim(7) for letter in other)
        inputs.append(graph.fresh(dims, x.dtype, weight=graph.chance(0.5)))
    graph.add("Einsum", inputs, equation=equation)


def matmul_integer(graph, row):
    x = graph.pick(BYTES, ranks=range(2, 4))
    kind = graph.choose(BYTES)
    y = graph.fresh((x.dims[-1], graph.draw_dim(17)), kind, weight=graph.chance(0.6))
    zeros = []
    if graph.chance(0.6):
        zeros = [scalar(graph, 3, x.dtype), scalar(graph, 1, kind)]
    graph.add("MatMulInteger", [x, y, *zeros])


# Convolutions and pools.

def windows(graph, x, largest=3, strides=True, dilations=True):
    """Kernel, and attributes: those that leave something in every run."""
    spatial = x.rank - 2
    kernel = [graph.integer(1, largest) for _ in range(spatial)]
    spaces = [graph.choose((1, 1, 1, 2, 3)) for _ in range(spatial)] if dilations else [1] * spatial
    modes = ("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    # ONNX Runtime forgets the dilations of a pool with SAME.
    mode = graph.choose(modes if max(spaces) == 1 else ("NOTSET", "VALID"))
    pads = [graph.integer(0, size - 1) for size in kernel * 2] if mode == "NOTSET" else None
    for axis in range(spatial):
        reach = (kernel[axis] - 1) * spaces[axis] + 1
        room = min(x.dims[2 + axis]) + (pads[axis] + pads[spatial + axis] if pads else 0)
        if reach > room:
            kernel[axis] = 1
            if pads:
                pads[axis] = pads[spatial + axis] = 0
    attributes = {"auto_pad": None if mode == "NOTSET" else mode, "pads": pads if pads and any(pads) else None}
    if strides and graph.chance(0.5):
        attributes["strides"] = [graph.integer(1, 3) for _ in range(spatial)]
    if any(space > 1 for space in spaces):
        attributes["dilations"] = spaces
    return kernel, attributes


def conv(graph, row):
    x, channels = channels_of(graph, range(3, 6))
    kernel, attributes = windows(graph, x)
    groups = graph.choose([count for count in (1, 1, 2, 3, channels) if channels % count == 0])
    filters = groups * graph.choose((1, 2, 3, 5))
    if filters * channels > 600:
        raise Unfit("too many filters")
    scale = (channels // groups * int(np.prod(kernel))) ** -0.5
    inputs = [x, graph.weight([filters, channels // groups, *kernel], x.dtype, scale)]
    if graph.chance(0.6):
        inputs.append(graph.weight([filters], x.dtype))
    graph.add("Conv", inputs, group=groups if groups > 1 else None, **attributes)


def conv_transpose(graph, row):
    x, channels = channels_of(graph, range(3, 5), most=17)
    spatial = x.rank - 2
    kernel = [graph.integer(1, 3) for _ in range(spatial)]
    strides = [graph.integer(1, 3) for _ in range(spatial)]
    pads = [graph.integer(0, size // 2) for size in kernel * 2] if graph.chance(0.4) else None
    for axis in range(spatial):
        if pads and (min(x.dims[2 + axis]) - 1) * strides[axis] + kernel[axis] <= pads[axis] + pads[spatial + axis]:
            pads = None
    extra = [graph.integer(0, stride - 1) for stride in strides] if graph.chance(0.3) else None
    groups = graph.choose([count for count in (1, 1, 2, channels) if channels % count == 0])
    filters = graph.choose((1, 2, 3))
    inputs = [x, graph.weight([channels, filters, *kernel], x.dtype, (channels // groups) ** -0.5)]
    if graph.chance(0.5):
        inputs.append(graph.weight([filters * groups], x.dtype))
    graph.add("ConvTranspose", inputs, strides=strides, pads=pads, output_padding=extra,
              group=groups if groups > 1 else None)


def max_pool(graph, row):
    x = graph.pick(FLOATS, ranks=range(3, 6))
    kernel, attributes = windows(graph, x, dilations=graph.opset >= 10)
    ceil = graph.choose((None, None, 0, 1)) if graph.opset >= 10 and "auto_pad" not in attributes else None
    graph.add("MaxPool", [x], kernel_shape=kernel, ceil_mode=ceil, **attributes)


def average_pool(graph, row):
    x = graph.pick(FLOATS, ranks=range(3, 6))
    kernel, attributes = windows(graph, x, dilations=graph.opset >= 19)
    ceil = graph.choose((None, None, 0, 1)) if graph.opset >= 10 else None
    graph.add("AveragePool", [x], kernel_shape=kernel, ceil_mode=ceil, count_include_pad=graph.choose((None, 0, 1)),
              **attributes)


def lp_pool(graph, row):
    x = graph.pick((np.float32,), ranks=range(3, 5))
    kernel, attributes = windows(graph, x, dilations=graph.opset >= 18)
    graph.add("LpPool", [x], kernel_shape=kernel, p=graph.choose((None, 1, 3)), **attributes)


def over_all(**attributes):
    def draw(graph, row):
        x = graph.pick(FLOATS, ranks=range(3, 6))
        graph.add(row.op, [x], **{key: graph.choose(choices) for key, choices in attributes.items()})
    return draw


def squeeze_excite(graph, row):
    """A gate of each channel, as in many convolutional networks."""
    x, channels = channels_of(graph, [4])
    mean = graph.add("GlobalAveragePool", [x])
    filters = graph.weight([channels, channels, 1, 1], x.dtype, channels**-0.5)
    graph.add("Mul", [x, graph.add("Sigmoid", [graph.add("Conv", [mean, filters])])])


# Quantised ones.

def quantise(graph, x, dtype, axis=None):
    """Scale and zero point of one element, or along an axis."""
    shape = () if axis is None else (x.dims[axis][0],)
    scale = graph.constant(graph.random.uniform(0.03, 0.08, shape).astype(np.float32))
    middle = 128 if np.dtype(dtype) == np.uint8 else 0
    return scale, graph.constant(graph.random.integers(middle - 9, middle + 10, shape).astype(dtype))


def quantize(graph, row):
    x = graph.pick((np.float32,), ranks=range(1, 5))
    axes = [axis for axis in range(x.rank) if len(set(x.dims[axis])) == 1]
    axis = graph.choose(axes) if axes and graph.opset >= 13 and graph.chance(0.4) else None
    scale, zero = quantise(graph, x, graph.choose(BYTES), axis)
    y = graph.add("QuantizeLinear", [x, scale, zero], axis=axis)
    if graph.chance(0.7):
        graph.add("DequantizeLinear", [y, scale, zero], axis=axis)


def dequantize(graph, row):
    x = graph.pick(BYTES, ranks=range(1, 5))
    scale, zero = quantise(graph, x, x.dtype)
    graph.add("DequantizeLinear", [x, scale, zero if graph.chance(0.7) else None])


def dynamic_quantize(graph, row):
    x = graph.pick((np.float32,), ranks=range(1, 4))
    y, scale, zero = graph.add("DynamicQuantizeLinear", [x], 3)
    if graph.chance(0.6):
        wide = [graph.add("Cast", [each], to=1) for each in (y, zero)]
        graph.add("Mul", [graph.add("Sub", wide), scale])


def quantised_matmul(graph, row):
    x = graph.pick(BYTES, ranks=[2])
    y = graph.fresh((x.dims[1], graph.draw_dim(9)), x.dtype, weight=graph.chance(0.6))
    scales = [quantise(graph, x, x.dtype) for _ in range(2)]
    out = (scalar(graph, 0.1, np.float32), quantise(graph, x, x.dtype)[1])
    graph.add("QLinearMatMul", [x, *scales[0], y, *scales[1], *out])


def quantised_conv(graph, row):
    x, channels = channels_of(graph, [4], (np.uint8,), most=9)
    kernel, attributes = windows(graph, x)
    filters = graph.constant(graph.numbers(np.uint8, (graph.integer(1, 5), channels, *kernel), 0, 255))
    scales = [quantise(graph, x, np.uint8) for _ in range(2)]
    out = (scalar(graph, 0.2, np.float32), quantise(graph, x, np.uint8)[1])
    if row.op == "ConvInteger":
        graph.add("ConvInteger", [x, filters, scales[0][1], scales[1][1]], **attributes)
        return
    bias = [graph.constant(graph.numbers(np.int32, (filters.dims[0][0],)))] if graph.chance(0.5) else []
    graph.add("QLinearConv", [x, *scales[0], filters, *scales[1], *out, *bias], **attributes)


# Attention, rotary embedding, losses.

def attention(graph, row):
    batch, length, past = graph.draw_dim(3), graph.draw_dim(7), graph.draw_dim(7)
    kv_heads, repeat, depth = graph.choose((1, 2)), graph.choose((1, 1, 2)), graph.choose((4, 6, 8))
    heads, causal = kv_heads * repeat, graph.choose((None, 0, 1))
    dtype = graph.choose((np.float32, np.float32, graph.main))
    if causal and past != length:
        past = length
    more = {"is_causal": causal, "scale": graph.choose((None, 0.5)), "softcap": graph.choose((None, None, 2.0))}
    if graph.chance(0.5):
        shapes = [(batch, graph.fixed(count), size, graph.fixed(depth))
                  for count, size in ((heads, length), (kv_heads, past), (kv_heads, past))]
    else:
        more |= {"q_num_heads": heads, "kv_num_heads": kv_heads}
        shapes = [(batch, size, graph.fixed(count * depth))
                  for count, size in ((heads, length), (kv_heads, past), (kv_heads, past))]
    inputs = [graph.fresh(dims, dtype) for dims in shapes]
    if graph.chance(0.5) and not causal:
        inputs.append(graph.fresh(graph.choose(((length, past), (batch, graph.fixed(1), length, past))), dtype))
    graph.add("Attention", inputs, **more)


def attention_by_hand(graph, row):
    """What exporters write: scaled products around a Softmax, masked or not."""
    q = graph.pick((np.float32, graph.main), ranks=range(3, 5))
    k, v = graph.fresh(q.dims, q.dtype), graph.fresh(q.dims, q.dtype)
    flipped = graph.add("Transpose", [k], perm=[*range(q.rank - 2), q.rank - 1, q.rank - 2])
    scores = graph.add("MatMul", [q, flipped])
    scores = graph.add("Mul", [scores, scalar(graph, max(q.dims[-1]) ** -0.5, q.dtype)])
    if graph.chance(0.4):
        mask = graph.fresh((q.dims[-2], q.dims[-2]), np.bool_)
        scores = graph.add("Where", [mask, scores, scalar(graph, -30, q.dtype)])
    graph.add("MatMul", [graph.add("Softmax", [scores], axis=-1 if graph.opset >= 11 else q.rank - 1), v])


def rotary(graph, row):
    batch, heads, length = graph.draw_dim(3), graph.choose((1, 2, 3)), graph.draw_dim(5)
    depth, rows = graph.choose((4, 8)), 17
    x = graph.fresh((batch, graph.fixed(heads), length, graph.fixed(depth)), np.float32)
    caches = [graph.fresh((graph.fixed(rows), graph.fixed(depth // 2)), np.float32, weight=True) for _ in range(2)]
    places = graph.fresh((batch, length), np.int64, 0, rows - 1)
    graph.add("RotaryEmbedding", [x, *caches, places], interleaved=graph.choose((None, 0, 1)))


def recurrent(graph, row):
    """One layer: known inner sizes, any direction, with or without a bias, a first state and lengths."""
    x = graph.pick((np.float32,), ranks=[3], accept=lambda value: graph.is_fixed(value.dims[2:]))
    inputs, units, gates = max(x.dims[2]), graph.choose((1, 3, 8, 17)), {"RNN": 1, "GRU": 3, "LSTM": 4}[row.op]
    direction = graph.choose((None, "reverse", "bidirectional"))
    directions = 2 if direction == "bidirectional" else 1
    weights = [graph.weight([directions, gates * units, size], x.dtype, size**-0.5) for size in (inputs, units)]
    bias = graph.weight([directions, 2 * gates * units], x.dtype) if graph.chance(0.6) else None
    lengths = graph.fresh((x.dims[1],), np.int32, 1, min(x.dims[0])) if graph.chance(0.4) else None
    first = graph.fresh((graph.fixed(directions), x.dims[1], graph.fixed(units)), x.dtype) if graph.chance(0.4) else None
    reset = graph.choose((None, 0, 1)) if row.op == "GRU" else None
    graph.add(row.op, [x, *weights, bias, lengths, first], graph.integer(1, 2), hidden_size=units, direction=direction,
              linear_before_reset=reset)


def loss(graph, row):
    x, classes = channels_of(graph, range(2, 5), (np.float32,))
    if row.op == "NegativeLogLikelihoodLoss":
        x = graph.add("LogSoftmax", [x], axis=1)
    labels = graph.fresh((x.dims[0], *x.dims[2:]), graph.choose((np.int64, np.int32)), 0, classes - 1)
    weights = [graph.fresh((graph.fixed(classes),), x.dtype, 0.5, 1.5)] if graph.chance(0.5) else []
    graph.add(row.op, [x, labels, *weights], reduction=graph.choose((None, "mean", "sum", "none")))


def mlp(graph, row):
    """Products with biases and activations in between."""
    x = graph.pick(ranks=range(2, 4))
    for _ in range(graph.integer(1, 2)):
        inner, columns = max(x.dims[-1]), graph.choose((3, 8, 16))
        if len(set(x.dims[-1])) > 1:
            raise Unfit("the inner size is not known")
        product = graph.add("MatMul", [x, graph.weight([inner, columns], x.dtype, inner**-0.5)])
        biased = graph.add("Add", [product, graph.weight([columns], x.dtype)])
        x = graph.add(graph.choose(("Relu", "Tanh", "Sigmoid", "Softplus")), [biased])


SUMS = FLOATS + (np.int32, np.int64)
ROWS = [
    Row("ReduceSum", reduction(SUMS, axes_input_since=13), weight=2),
    Row("ReduceMean", reduction(FLOATS + (np.int32,)), weight=2),
    Row("ReduceMax", reduction(SUMS), weight=1.5),
    Row("ReduceMin", reduction(SUMS)),
    Row("ReduceProd", reduction(FLOATS, "unit")),
    Row("ReduceL1", reduction(SUMS)),
    Row("ReduceL2", reduction(FLOATS)),
    Row("ReduceSumSquare", reduction(SUMS)),
    Row("ReduceLogSum", reduction(FLOATS, "positive")),
    Row("ReduceLogSumExp", reduction(FLOATS)),
    Row("ArgMax", arg, weight=1.2),
    Row("ArgMin", arg),
    Row("TopK", top_k, weight=1.2),
    Row("CumSum", cumulative, 11, weight=1.5),
    Row("Softmax", along_axis(), weight=2.5),
    Row("LogSoftmax", along_axis(), weight=1.5),
    Row("Hardmax", along_axis(), weight=0.6),
    Row("LpNormalization", along_axis(p=(None, 1, 2))),
    Row("LayerNormalization", layer_norm, 17, weight=3),
    Row("RMSNormalization", layer_norm, 23, weight=2),
    Row("BatchNormalization", batch_norm, 9, weight=1.5),
    Row("InstanceNormalization", instance_norm, weight=1.2),
    Row("GroupNormalization", group_norm, 18, weight=1.5),
    Row("MeanVarianceNormalization", mean_variance, 9),
    Row("LRN", lrn),
    Row("MatMul", matmul, weight=5),
    Row("Gemm", gemm, weight=3),
    Row("Mlp", mlp, weight=2),
    Row("Einsum", einsum, 12, weight=2.5),
    Row("MatMulInteger", matmul_integer, 10),
    Row("Conv", conv, weight=5),
    Row("ConvTranspose", conv_transpose, weight=2),
    Row("MaxPool", max_pool, 8, weight=1.5),
    Row("AveragePool", average_pool, weight=1.5),
    Row("LpPool", lp_pool, weight=0.7),
    Row("GlobalAveragePool", over_all()),
    Row("GlobalMaxPool", over_all()),
    Row("GlobalLpPool", over_all(p=(None, 1, 3)), weight=0.7),
    Row("SqueezeExcite", squeeze_excite, weight=0.7),
    Row("QuantizeLinear", quantize, 10, weight=1.5),
    Row("DequantizeLinear", dequantize, 10),
    Row("DynamicQuantizeLinear", dynamic_quantize, 11),
    Row("QLinearMatMul", quantised_matmul, 10),
    Row("QLinearConv", quantised_conv, 10),
    Row("ConvInteger", quantised_conv, 10),
    Row("Attention", attention, 23, weight=4),
    Row("AttentionByHand", attention_by_hand, weight=1.5),
    Row("RotaryEmbedding", rotary, 23, weight=2),
    Row("RNN", recurrent),
    Row("GRU", recurrent),
    Row("LSTM", recurrent),
    Row("NegativeLogLikelihoodLoss", loss, 12, weight=0.6),
    Row("SoftmaxCrossEntropyLoss", loss, 12, weight=0.6),
]
