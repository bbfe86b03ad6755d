"""Encoders of the BERT kind as ONNX graphs, as exporters write them, with random weights.

Token numbers and a mask in, hidden states out; norms come last in each half of a layer, and the mask is added to the
scores as 0 or a large negative number. Norms keep activations at a deviation of 1, whatever the weights.
"""

import dataclasses

import numpy as np

from graph_builder import GraphBuilder


@dataclasses.dataclass
class Size:
    width: int
    layers: int
    heads: int
    hidden: int
    words: int


SIZES = {"tiny": Size(64, 2, 2, 256, 128), "base": Size(768, 12, 12, 3072, 30522)}


def linear(build, x, rows, columns):
    return build.node("Add", build.node("MatMul", x, build.weight((rows, columns))), build.weight((columns,), 0.1))


def norm(build, x, width):
    ones, zeros = build.constant(np.ones(width, np.float32)), build.constant(np.zeros(width, np.float32))
    return build.node("LayerNormalization", x, ones, zeros, axis=-1, epsilon=1e-12)


def attention(build, x, size, mask):
    head = size.width // size.heads

    def split(permutation):
        parts = build.node("Reshape", linear(build, x, size.width, size.width), build.integers(0, 0, size.heads, head))
        return build.node("Transpose", parts, perm=permutation)

    query, key, value = split([0, 2, 1, 3]), split([0, 2, 3, 1]), split([0, 2, 1, 3])
    scores = build.node("Div", build.node("MatMul", query, key), build.number(head**0.5))
    weights = build.node("Softmax", build.node("Add", scores, mask), axis=-1)
    mixed = build.node("Transpose", build.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    joined = build.node("Reshape", mixed, build.integers(0, 0, size.width))
    return linear(build, joined, size.width, size.width)


def write_model(path, name="base", batch=1, length=128, seed=1):
    size = SIZES[name]
    build = GraphBuilder(20, seed)
    words = build.input("input_ids", np.int64, [batch, length])
    seen = build.input("attention_mask", np.int64, [batch, length])
    x = build.node("Gather", build.weight((size.words, size.width), 1.0), words)
    x = norm(build, build.node("Add", x, build.weight((1, length, size.width), 1.0)), size.width)
    hidden = build.node("Sub", build.number(1.0), build.node("Cast", seen, to=1))
    mask = build.node("Mul", build.node("Unsqueeze", hidden, build.integers(1, 2)), build.number(-10000.0))
    for _ in range(size.layers):
        x = norm(build, build.node("Add", attention(build, x, size, mask), x), size.width)
        inner = build.node("Gelu", linear(build, x, size.width, size.hidden))
        x = norm(build, build.node("Add", linear(build, inner, size.hidden, size.width), x), size.width)
    build.output(x, "last_hidden_state", [batch, length, size.width])
    return build.save(path)
