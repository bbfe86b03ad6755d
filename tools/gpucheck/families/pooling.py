"""Pools over windows and over whole images."""

import numpy as np

import values
from cases import FLOATS, Family, Input, case, few, ints, same, some
from families.windows import average_pool, max_pool, max_pool_and_places, out_dims
from tolerances import SUM, VALUE, summed, count, Magnitude

WHOLE = ("i8", "u8")


def mean_of_image(x):
    total, magnitude = summed(x, (2, 3))
    n = count(x, (2, 3))
    return total / n, Magnitude(magnitude.total / n, n)


def sum_windows(x, sizes, kernel, strides, pads):
    """[n, c * kernel, places] to [n, c, *sizes]: each window is added where it was taken from."""
    sizes, kernel = sizes.tolist(), kernel.tolist()
    out = out_dims(sizes, kernel, strides, pads, [1, 1])
    parts = x.reshape(x.shape[0], -1, *kernel, *out)
    wide = [np.zeros((x.shape[0], parts.shape[1], *(s + pads[i] + pads[2 + i] for i, s in enumerate(sizes))), x.dtype) for _ in "ab"]
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            at = (slice(None), slice(None), slice(i, i + out[0] * strides[0], strides[0]), slice(j, j + out[1] * strides[1], strides[1]))
            wide[0][at] += parts[:, :, i, j]
            wide[1][at] += np.abs(parts[:, :, i, j])
    inner = (slice(None), slice(None), slice(pads[0], pads[0] + sizes[0]), slice(pads[1], pads[1] + sizes[1]))
    return wide[0][inner], Magnitude(wide[1][inner], kernel[0] * kernel[1])


FAMILIES = [Family(
    "pooling",
    {"x": Input(["n", 3, "h", "w"], values.infinite), "y": Input(["n", 3, "h", "w"]), "line": Input(["n", 2, "m"]),
     "columns": Input(["n", 3 * 6, 8 * 5])},
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
        case("sum_of_windows", "Col2Im", ["columns", ints(8, 9), ints(2, 3)],
             lambda x, sizes, kernel: sum_windows(x, sizes, kernel, [1, 2], [0, 1, 1, 1]), SUM, types=FLOATS,
             strides=[1, 2], pads=[0, 1, 1, 1]),
        case("mean_of_image", "GlobalAveragePool", ["y"], mean_of_image, SUM, types=FLOATS),
        case("max_of_image", "GlobalMaxPool", ["x"], lambda x: x.max(axis=(2, 3), keepdims=True), VALUE, types=FLOATS),
    ],
    types=FLOATS + WHOLE, fixed_sizes=(33,))]
