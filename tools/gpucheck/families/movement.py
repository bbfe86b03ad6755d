"""What moves elements: no bit may change, NaN and infinities included."""

import numpy as np

import values
from cases import Family, Input, case, few, ints, scalar, some
from tolerances import ulps

TYPES = ("f32", "f16", "f64", "i8", "i64", "bf16", "u16", "bool")


def gathered(x, i):
    return x[:, i % x.shape[1]] if x.shape[1] else x


def scattered(x, indices, updates):
    result = x.copy()
    np.put_along_axis(result, np.where(indices < 0, indices + x.shape[0], indices), updates, 0)
    return result


def replaced(x, indices, updates):
    result = x.copy()
    for index, update in zip(indices[:, 0], updates):
        result[index] = update
    return result


def padded(mode):
    return lambda x, pads, *value: np.pad(x, [(1, 0), (2, 3)], mode=mode, **({"constant_values": value[0]} if value else {}))


def lower(x):
    return np.where(np.tril(np.ones(x.shape, bool)), x, np.zeros((), x.dtype))


def linear(x, axis, factor):
    """Resized by a whole factor, half-pixel centres, edges held."""
    size = x.shape[axis]
    places = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    left = np.floor(places).astype(int)
    right = np.minimum(left + 1, size - 1)
    share = (places - left).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return np.take(x, left, axis) * (1 - share) + np.take(x, right, axis) * share


def flip_beginnings(x, lengths):
    result = x.copy()
    for row, length in zip(result, lengths):
        row[:length] = row[:length][::-1].copy()
    return result


scales = np.array([1, 1, 2, 3], np.float32)
whole = ("f32", "f16", "f64", "bf16")

FAMILIES = [Family(
    "movement",
    {"x": Input(["n", "m"], values.anything), "z": Input(["n", "k"], values.anything), "cube": Input(["n", 5, "m"], values.anything),
     "table": Input([13, "m"], values.anything), "part": Input([3, "m"], values.anything),
     "i": Input(["n", "k"], values.below(13), "i64"), "image": Input([1, 2, "k", "n"]), "eight": Input([8, "m"], values.anything),
     "where": Input([3, "m"], lambda random, shape, element: np.stack(
         [random.permutation(13)[:3] for _ in range(shape[1])], 1).astype(np.int64), "i64")},
    {"n": few, "m": lambda size: size + 2, "k": some},
    [
        case("transpose", "Transpose", ["x"], lambda x: x.T, perm=[1, 0]),
        case("transpose_cube", "Transpose", ["cube"], lambda x: x.transpose(2, 0, 1), perm=[2, 0, 1]),
        case("swap_first", "Transpose", ["cube"], lambda x: x.transpose(1, 0, 2), perm=[1, 0, 2]),
        case("slice", "Slice", ["x", ints(1), ints(2**31), ints(1), ints(2)], lambda x, *_: x[:, 1::2]),
        case("slice_back", "Slice", ["x", ints(-1), ints(-2**31), ints(1), ints(-1)], lambda x, *_: x[:, ::-1]),
        case("concat", "Concat", ["x", "z"], lambda x, z: np.concatenate([x, z], 1), axis=1),
        case("concat_first", "Concat", ["table", "part", "eight"], lambda *parts: np.concatenate(parts, 0), axis=0),
        case("split", "Split", ["eight", ints(3, 5)], lambda x, parts: (x[:3], x[3:]), out=(None, None), axis=0),
        case("pad", "Pad", ["x", ints(1, 2, 0, 3), scalar(1)], padded("constant")),
        case("pad_edge", "Pad", ["x", ints(1, 2, 0, 3)], padded("edge"), types=("f32", "i64", "i8"), mode="edge"),
        case("gather", "Gather", ["table", "i"], lambda table, i: table[i], axis=0),
        case("gather_columns", "Gather", ["cube", ints(4, 0, -2, 4)], lambda x, i: x[:, i], axis=1),
        case("gather_elements", "GatherElements", ["table", "where"], lambda x, i: np.take_along_axis(x, i, 0), axis=0),
        case("scatter_elements", "ScatterElements", ["table", "where", "part"], scattered, axis=0),
        case("scatter_rows", "ScatterND", ["table", np.array([[12], [0], [5]]), "part"], replaced),
        case("expand", "Expand", ["x", ints(4, 1, 1)], lambda x, dims: np.broadcast_to(x, (4, *x.shape))),
        case("tile", "Tile", ["x", ints(2, 3)], lambda x, times: np.tile(x, (2, 3))),
        case("lower_triangle", "Trilu", ["x"], lower, types=("f32", "f16", "i64", "bool"), upper=0),
        case("reverse", "ReverseSequence", ["eight", ints(1, 2, 0, 3, 1, 2, 3, 1)], flip_beginnings,
             types=tuple(element for element in TYPES if element != "bf16"), batch_axis=0, time_axis=1),
        case("depth_to_space", "DepthToSpace", ["fours"], lambda x: x.reshape(x.shape[0], 2, 2, 2, *x.shape[2:]).transpose(
            0, 3, 4, 1, 5, 2).reshape(x.shape[0], 2, 2 * x.shape[2], 2 * x.shape[3]), types=("f32", "f16"), blocksize=2),
        case("resize_nearest", "Resize", ["image", None, scales], lambda x, _: x.repeat(2, 2).repeat(3, 3), types=whole,
             mode="nearest"),
        case("resize_linear", "Resize", ["image", None, scales], lambda x, _: linear(linear(x, 2, 2), 3, 3),
             ulps(3, units=16), types=("f16", "f32"), mode="linear"),
    ],
    types=TYPES)]
FAMILIES[0].inputs["fours"] = Input(["n", 8, 3, "k"])
