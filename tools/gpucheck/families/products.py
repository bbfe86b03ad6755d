"""Matrix products: plain, batched, transposed, one row or column, with what is fused behind them."""

import numpy as np

import values
from cases import FLOATS, Family, Input, case, chain, few, node, same, scalar, some, weight
from tolerances import SUM, Magnitude, ulps

WHOLE = ("i32", "i64", "u32", "u64")


def product(a, b, *rest):
    """The product, and what bounds its error: floats only."""
    if a.dtype.kind in "iu":
        return a @ b
    return a @ b, Magnitude(np.abs(a) @ np.abs(b), a.shape[-1])


def gemm(a, b, c, alpha=1.0, beta=1.0):
    total = alpha * np.abs(a) @ np.abs(b) + np.abs(beta * c)
    return alpha * (a @ b) + beta * c, Magnitude(total, a.shape[-1] + 1)


def rectified(a, w, b):
    return np.maximum(a @ w + b, 0), Magnitude(np.abs(a) @ np.abs(w) + np.abs(b), a.shape[-1] + 1)


w33, b65, w127, column = weight(33, 65), weight(65, seed=2), weight(23, 127), weight(127, 1)

FAMILIES = [Family(
    "products",
    {"a": Input(["n", "k"]), "b": Input(["k", "p"]), "bt": Input(["p", "k"]), "x": Input(["m", 33]), "row": Input([1, "k"]),
     "vector": Input(["k"]), "batch": Input(["q", "n", "k"]), "stack": Input([3, "k", "p"]), "wide": Input(["n", 127])},
    {"n": some, "k": same, "p": lambda size: 1 + size % 41, "m": same, "q": few},
    [
        case("plain", "MatMul", ["a", "b"], product, SUM, types=FLOATS + WHOLE),
        case("weights", "MatMul", ["x", w33], product, SUM, types=FLOATS + WHOLE),
        case("one_row", "MatMul", ["row", "b"], product, SUM, types=FLOATS + WHOLE),
        case("vector", "MatMul", ["vector", "b"], product, SUM, types=FLOATS + WHOLE),
        case("by_vector", "MatMul", ["a", "vector"], product, SUM),
        case("one_column", "MatMul", ["wide", column], product, SUM),
        case("batch", "MatMul", ["batch", "b"], product, SUM),
        case("broadcast", "MatMul", ["a", "stack"], product, SUM, types=FLOATS + WHOLE),
        case("transposed_b", "Gemm", ["a", "bt"], lambda a, bt: product(a, bt.T), SUM, types=FLOATS, transB=1),
        case("transposed_both", "Gemm", ["b", "a", scalar([2.0])], lambda b, a, c: gemm(b.T, a.T, c, 0.5, 2.0), SUM,
             types=FLOATS, transA=1, transB=1, alpha=0.5, beta=2.0),
        case("biased", "Gemm", ["wide", w127, weight(23, seed=2)], lambda x, w, b: gemm(x, w.T, b), SUM, types=FLOATS, transB=1),
        chain("fused", [node("MatMul", ["x", w33]), node("Add", ["$0", b65]), node("Relu", ["$1"])], rectified, SUM,
              types=("f32", "f64")),
    ],
    types=FLOATS + WHOLE)]
