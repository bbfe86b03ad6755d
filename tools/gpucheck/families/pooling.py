"""Pools over windows and over whole images."""

import numpy as np

import values
from cases import FLOATS, Family, Input, case, few, same, some
from families.windows import average_pool, max_pool, max_pool_and_places
from tolerances import SUM, VALUE, summed, count, Magnitude

WHOLE = ("i8", "u8")


def mean_of_image(x):
    total, magnitude = summed(x, (2, 3))
    n = count(x, (2, 3))
    return total / n, Magnitude(magnitude.total / n, n)


FAMILIES = [Family(
    "pooling",
    {"x": Input(["n", 3, "h", "w"], values.infinite), "y": Input(["n", 3, "h", "w"]), "line": Input(["n", 2, "m"])},
    {"n": few, "h": lambda size: 2 + size % 30, "w": lambda size: 3 + size % 37, "m": lambda size: size + 2},
    [
        case("max", "MaxPool", ["x"], max_pool([3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), VALUE, types=FLOATS,
             kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        case("max_of_a_line", "MaxPool", ["line"], max_pool([3], dilations=[1]), VALUE, types=FLOATS + WHOLE, kernel_shape=[3]),
        case("max_and_places", "MaxPool", ["x"], max_pool_and_places([3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), VALUE,
             types=FLOATS, out=(None, "i64"), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        case("average", "AveragePool", ["y"], average_pool([2, 3], pads=[0, 1, 1, 1]), SUM, types=FLOATS, kernel_shape=[2, 3],
             pads=[0, 1, 1, 1]),
        case("average_with_pads", "AveragePool", ["y"], average_pool([2, 3], 1, strides=[1, 2], pads=[0, 1, 1, 1]), SUM,
             types=FLOATS, kernel_shape=[2, 3], strides=[1, 2], pads=[0, 1, 1, 1], count_include_pad=1),
        case("mean_of_image", "GlobalAveragePool", ["y"], mean_of_image, SUM, types=FLOATS),
        case("max_of_image", "GlobalMaxPool", ["x"], lambda x: x.max(axis=(2, 3), keepdims=True), VALUE, types=FLOATS),
    ],
    types=FLOATS + WHOLE, fixed_sizes=(33,))]
