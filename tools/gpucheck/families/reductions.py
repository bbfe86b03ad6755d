"""Sums, extremes and places of extremes along each axis; running sums."""

import numpy as np

import values
from cases import FLOATS, Family, Input, case, chain, few, ints, node, same
from tolerances import SUM, VALUE, Magnitude, count, summed, sums, ulps

WHOLE = ("i32", "i64")
BOTH = FLOATS + WHOLE


def mean(x, axis):
    total, magnitude = summed(x, axis)
    n = count(x, axis)
    return total / n, Magnitude(magnitude.total / n, n)


def total(axis):
    return lambda x, axes: summed(x, axis) if x.dtype.kind == "f" else x.sum(axis=axis, keepdims=True, dtype=x.dtype)


def running(x, axis):
    if x.dtype.kind != "f":
        return np.cumsum(x, axis=1, dtype=x.dtype)
    return np.cumsum(x, axis=1), Magnitude(np.cumsum(np.abs(x), axis=1), x.shape[1])


def squares(x, axes):
    return summed(x * x, 1)


def length(x, axes):
    value, magnitude = summed(x * x, 1)
    root = np.sqrt(value)
    return root, Magnitude(np.where(root > 0, magnitude.total / (2 * np.where(root > 0, root, 1)), 0), magnitude.count)


def log_of_exponentials(x, axes):
    highest = x.max(axis=1, keepdims=True)
    return highest + np.log(np.exp(x - highest).sum(axis=1, keepdims=True)), Magnitude(1 + np.abs(highest), x.shape[1])


def first_of_all(x):
    """A whole row in order: equal elements by index."""
    order = np.argsort(-x.astype(np.longdouble) if x.dtype.kind == "f" else -x.astype(object), axis=1, kind="stable")
    return np.take_along_axis(x, order, 1), order


def least(x, k):
    order = np.argsort(x, axis=0, kind="stable")[:1]
    return np.take_along_axis(x, order, 0), order


last, first = ints(1), ints(0)

FAMILIES = [Family(
    "reductions",
    {"x": Input(["n", "m"]), "tall": Input(["m", "n"]), "cube": Input(["n", 3, "m"]), "odd": Input(["n", "m"], values.infinite),
     "near": Input(["n", 5], lambda random, shape, element: values.positive(random, shape, element))},
    {"n": few, "m": same},
    [
        case("sum_last", "ReduceSum", ["x", last], total(1), SUM, types=BOTH),
        case("sum_first", "ReduceSum", ["tall", first], total(0), SUM, types=BOTH),
        case("sum_middle", "ReduceSum", ["cube", ints(1)], total(1), SUM, types=BOTH),
        case("sum_outer", "ReduceSum", ["cube", ints(0, 2)], total((0, 2)), SUM, types=BOTH),
        case("sum_all", "ReduceSum", ["cube", ints(0, 1, 2)], total((0, 1, 2)), SUM, types=BOTH),
        case("mean", "ReduceMean", ["x", last], lambda x, axes: mean(x, 1), SUM),
        case("mean_all", "ReduceMean", ["x", ints(0, 1)], lambda x, axes: mean(x, (0, 1)), SUM),
        case("max", "ReduceMax", ["odd", last], lambda x, axes: x.max(1, keepdims=True), VALUE, types=BOTH),
        case("min_first", "ReduceMin", ["odd", first], lambda x, axes: x.min(0, keepdims=True), VALUE, types=BOTH),
        case("prod", "ReduceProd", ["near", last], lambda x, axes: x.prod(1, keepdims=True, dtype=x.dtype), ulps(4),
             types=BOTH),
        case("sum_of_squares", "ReduceSumSquare", ["x", last], squares, SUM),
        case("sum_of_magnitudes", "ReduceL1", ["x", last], lambda x, axes: summed(np.abs(x), 1), SUM),
        case("length", "ReduceL2", ["x", last], length, sums(1)),
        case("log_of_exponentials", "ReduceLogSumExp", ["x", last], log_of_exponentials, sums(2)),
        case("place_of_max", "ArgMax", ["odd"], lambda x: x.argmax(1)[:, None], types=BOTH, out="i64", axis=1),
        case("place_of_min", "ArgMin", ["odd"], lambda x: x.argmin(0)[None], types=BOTH, out="i64", axis=0),
        case("last_place_of_max", "ArgMax", ["odd"], lambda x: x.shape[1] - 1 - x[:, ::-1].argmax(1)[:, None], out="i64",
             axis=1, select_last_index=1),
        chain("in_order", [node("Shape", ["odd"], start=1), node("TopK", ["odd", "$0"], 2)], first_of_all, types=BOTH,
              out=(None, "i64")),
        case("least_of_each", "TopK", ["odd", ints(1)], least, types=BOTH, out=(None, "i64"), axis=0, largest=0),
        case("running_sum", "CumSum", ["x", np.array(1)], running, SUM, types=BOTH),
    ],
    types=BOTH)]
