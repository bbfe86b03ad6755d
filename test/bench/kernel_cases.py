"""The kernels that decide the speed of real models, each as a small ONNX model with what it has to do at least.

    LISTS["gemm"]["bert_base ffn1 m128"].write(path, dtype)

Inputs, outputs and weights have the type that is measured, as between two layers of a model in half precision; images
have their channels last, by a Transpose on either side that leaves nothing to do if the compiler keeps them so.
`bytes` are those that have to cross DRAM once: inputs, weights, outputs. `flop` are products and sums of the matrix
products; row kernels have none to speak of.
"""

import dataclasses
import math
import pathlib
import sys
import typing

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))

import numpy as np

from graph_builder import GraphBuilder

ELEMENT_BYTES = 2  # of fp16 and of bf16


@dataclasses.dataclass
class Case:
    """What one kernel computes: how to build it, and what it cannot do without."""

    build: typing.Callable  # (Graph): builds all but the output, and returns its name
    elements: int  # that cross DRAM
    flop: int = 0
    has_gaps: bool = False  # in what is read by several blocks each: a sample of blocks would not see them

    @property
    def bytes(self):
        return ELEMENT_BYTES * self.elements

    def write(self, path, dtype):
        graph = Graph(dtype)
        graph.output(self.build(graph), "y", None, graph.dtype)
        graph.save(path)


class Graph(GraphBuilder):
    """All of one type. Weights repeat a short random sequence: nobody looks at their values, and large ones take long."""

    def __init__(self, dtype):
        super().__init__(opset=23, seed=1)
        self.dtype = dtype

    def tensor(self, name, *dims):
        return self.input(name, self.dtype, list(dims))

    def weights(self, *dims):
        numbers = (self.random.standard_normal(min(math.prod(dims), 1000003), np.float32) * 0.05).astype(self.dtype)
        return self.constant(np.resize(numbers, dims), "weight")

    def scalar(self, value):
        return self.constant(np.array(value, self.dtype), "number")


def gelu(graph, x):
    return graph.node("Gelu", x)


def silu(graph, x):
    return graph.node("Mul", x, graph.node("Sigmoid", x))


def gemm(rows, inner, columns, bias=True, activation=None, residual=False, gate=False):
    """x w, then bias, an activation, times a gate, plus a residual, whichever are there."""

    def build(graph):
        y = graph.node("MatMul", graph.tensor("x", rows, inner), graph.weights(inner, columns))
        if bias:
            y = graph.node("Add", y, graph.weights(columns))
        if activation:
            y = activation(graph, y)
        if gate:
            y = graph.node("Mul", y, graph.tensor("gate", rows, columns))
        return graph.node("Add", y, graph.tensor("residual", rows, columns)) if residual else y

    results = 1 + residual + gate
    return Case(build, rows * inner + inner * columns + bias * columns + results * rows * columns,
                2 * rows * inner * columns)


def encoder(name, rows, width):
    """The products of a layer whose norms stand between them: heads side by side, then two layers of four widths."""
    return {f"{name} qkv m{rows}": gemm(rows, width, 3 * width),
            f"{name} out m{rows}": gemm(rows, width, width, residual=True),
            f"{name} ffn1 m{rows}": gemm(rows, width, 4 * width, activation=gelu),
            f"{name} ffn2 m{rows}": gemm(rows, 4 * width, width, residual=True)}


def llama(name, rows, width, heads, hidden):
    """Likewise of a decoder: no bias, and `hidden` times a gate."""
    return {f"{name} qkv m{rows}": gemm(rows, width, heads, bias=False),
            f"{name} out m{rows}": gemm(rows, width, width, bias=False, residual=True),
            f"{name} gate m{rows}": gemm(rows, width, hidden, bias=False, activation=silu, gate=True),
            f"{name} down m{rows}": gemm(rows, hidden, width, bias=False, residual=True)}


def square(size):
    return {f"square {size}": gemm(size, size, size, bias=False)}


GEMM = {**encoder("bert_base", 128, 768), **encoder("bert_large", 384, 1024), **encoder("vit_b", 197, 768),
        **encoder("vit_l", 577, 1024), **llama("llama_1b", 512, 2048, 3072, 8192), **llama("llama_1b", 1, 2048, 3072, 8192),
        **llama("llama_8b", 512, 4096, 6144, 14336), **llama("llama_8b", 1, 4096, 6144, 14336),
        "llama_1b words m1": gemm(1, 2048, 128256, bias=False), "vit_b classes m1": gemm(1, 768, 1000),
        **square(1024), **square(2048), **square(4096),
        "odd 1000x777x1100": gemm(1000, 777, 1100), "odd 333x1024x1111": gemm(333, 1024, 1111, activation=gelu),
        "odd 17x1023x3001": gemm(17, 1023, 3001, residual=True)}


def conv(batch, taken, size, made, window, stride=1, residual=False, relu=True):
    pad = window // 2
    out = (size + 2 * pad - window) // stride + 1

    def last(graph, x):
        return graph.node("Transpose", x, perm=[0, 3, 1, 2])

    def build(graph):
        x = last(graph, graph.tensor("x", batch, size, size, taken))
        y = graph.node("Conv", x, graph.weights(made, taken, window, window), graph.weights(made),
                       kernel_shape=[window] * 2, strides=[stride] * 2, pads=[pad] * 4)
        if residual:
            y = graph.node("Add", y, last(graph, graph.tensor("residual", batch, out, out, made)))
        return graph.node("Transpose", graph.node("Relu", y) if relu else y, perm=[0, 2, 3, 1])

    seen = size if window >= stride else out  # of a side of the image
    weights = made * taken * window ** 2
    return Case(build, batch * (seen * seen * taken + (1 + residual) * out * out * made) + weights + made,
                2 * batch * out * out * weights, has_gaps=window < stride)


# Of 53 layers those that differ most: channels taken, size of the image, channels made, window, stride.
LAYERS = {"7x7 s2 3->64 at 224": (3, 224, 64, 7, 2), "3x3 64 at 56": (64, 56, 64, 3),
          "1x1 64->256 at 56, residual": (64, 56, 256, 1, 1, True), "1x1 256->64 at 56": (256, 56, 64, 1),
          "3x3 s2 128 at 56": (128, 56, 128, 3, 2), "1x1 s2 256->512 at 56": (256, 56, 512, 1, 2, False, False),
          "3x3 128 at 28": (128, 28, 128, 3), "1x1 128->512 at 28, residual": (128, 28, 512, 1, 1, True),
          "3x3 256 at 14": (256, 14, 256, 3), "1x1 1024->256 at 14": (1024, 14, 256, 1),
          "3x3 512 at 7": (512, 7, 512, 3), "1x1 512->2048 at 7, residual": (512, 7, 2048, 1, 1, True)}
CONV = {f"b{batch} {name}": conv(batch, *layer) for batch in (1, 32) for name, layer in LAYERS.items()}


def attention(batch, heads, kv_heads, queries, keys, size, causal=False):
    """Heads side by side in a row of each token, as projections make them; of a decoder the keys of all before, too."""

    def build(graph):
        query = graph.tensor("q", batch, queries, heads * size)
        key, value = [graph.tensor(name, batch, keys, kv_heads * size) for name in "kv"]
        return graph.node("Attention", query, key, value, q_num_heads=heads, kv_num_heads=kv_heads,
                          is_causal=int(causal))

    pairs = queries * (queries + 1) // 2 if causal else queries * keys
    return Case(build, batch * size * (2 * queries * heads + 2 * keys * kv_heads), 4 * batch * heads * pairs * size)


def cache(heads, kv_heads, keys, size):
    """One token over a cache that has each head's rows together."""

    def build(graph):
        query = graph.tensor("q", 1, heads, 1, size)
        key, value = [graph.tensor(name, 1, kv_heads, keys, size) for name in "kv"]
        return graph.node("Attention", query, key, value)

    return Case(build, size * (2 * heads + 2 * keys * kv_heads), 4 * heads * keys * size)


def thousands(number):
    return f"{number // 1024}k" if number >= 1024 else str(number)


TOKENS = 4096  # of all batches, where one is shorter
ATTENTION = {f"hd{size} {thousands(length)}{' causal' if causal else ''}":
                 attention(max(1, TOKENS // length), 2048 // size, 2048 // size, length, length, size, causal)
             for size in (64, 128) for causal in (False, True)
             for length in (128, 256, 512, 1024, 2048, 4096, 8192, 16384)}
DECODE = {f"hd{size} {thousands(length)}": cache(32, 8, length, size)
          for size in (64, 128) for length in (1024, 2048, 4096, 8192, 16384, 32768, 65536)}

ROW_ELEMENTS = 1 << 24


def rows(kind, length, elements=ROW_ELEMENTS):
    count = elements // length

    def build(graph):
        x = graph.tensor("x", count, length)
        if kind == "softmax":
            return graph.node("Softmax", x, axis=-1)
        if kind == "layer_norm":
            return graph.node("LayerNormalization", x, graph.weights(length), graph.weights(length), axis=-1)
        if kind == "rms_norm":
            return graph.node("RMSNormalization", x, graph.weights(length), axis=-1)
        return graph.node("ReduceSum", x, graph.integers(-1), keepdims=1)

    written, weights = {"softmax": (length, 0), "layer_norm": (length, 2), "rms_norm": (length, 1), "sum": (1, 0)}[kind]
    return Case(build, count * (length + written) + weights * length)


ROWS = {f"{kind} {thousands(length)}": rows(kind, length) for kind in ("softmax", "layer_norm", "rms_norm", "sum")
        for length in (1024, 4096, 16384, 65536, 262144)}

LISTS = {"gemm": GEMM, "conv": CONV, "attention": ATTENTION, "decode": DECODE, "rows": ROWS}
