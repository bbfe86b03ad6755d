"""Elementwise operators with two and three operands, and their broadcasts."""

import numpy as np

import values
from cases import FLOATS, SIZES, Family, Input, case, chain, few, node, same, scalar
from elements import INTEGERS
from tolerances import ROUNDED, VALUE, ulps

SIGNED = ("i8", "i16", "i32", "i64")
UNSIGNED = ("u8", "u16", "u32", "u64")
NUMBERS = FLOATS + INTEGERS


def divide(x, z):
    """Integers: towards zero."""
    if x.dtype.kind not in "iu":
        return x / z
    quotient = x // z
    return quotient + ((quotient * z != x) & ((x < 0) != (z < 0))).astype(x.dtype)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def shift_left(x, k):
    return np.where(k < 8 * x.itemsize, x << k % (8 * x.itemsize), 0)


def shift_right(x, k):
    return np.where(k < 8 * x.itemsize, x >> k % (8 * x.itemsize), 0)


FAMILIES = [Family(
    "elementwise",
    {"x": Input(["n", "m"], values.anything), "z": Input(["n", "m"], values.nonzero), "row": Input(["m"], values.anything),
     "column": Input(["n", 1], values.anything), "large": Input(["n", "m"], values.large_quotients), "c": Input(["n", "m"], values.mask, "bool"),
     "shift": Input(["n", "m"], lambda random, shape, element: (random.integers(0, 8, shape)).astype(element.numpy))},
    {"n": few, "m": same},
    [
        case("add", "Add", ["x", "z"], lambda x, z: x + z, ROUNDED, types=NUMBERS),
        case("add_row", "Add", ["x", "row"], lambda x, row: x + row, ROUNDED, types=NUMBERS),
        case("sub_column", "Sub", ["x", "column"], lambda x, column: x - column, ROUNDED, types=NUMBERS),
        case("mul", "Mul", ["x", "z"], lambda x, z: x * z, ROUNDED, types=NUMBERS),
        case("mul_outer", "Mul", ["column", "row"], lambda column, row: column * row, ROUNDED, types=NUMBERS),
        case("add_scalar", "Add", ["x", scalar(3)], lambda x, one: x + one, ROUNDED, types=NUMBERS),
        case("div", "Div", ["x", "z"], divide, ROUNDED, types=NUMBERS),
        case("mod", "Mod", ["x", "z"], lambda x, z: x % z, types=INTEGERS),
        case("fmod", "Mod", ["large", "z"], np.fmod, VALUE, types=NUMBERS, fmod=1),
        case("max", "Max", ["x", "z"], np.maximum, VALUE, types=NUMBERS),
        case("min_of_three", "Min", ["x", "z", "row"], lambda x, z, row: np.minimum(np.minimum(x, z), row), VALUE,
             types=NUMBERS),
        case("abs", "Abs", ["x"], np.abs, types=NUMBERS),
        case("neg", "Neg", ["x"], lambda x: -x, types=FLOATS + SIGNED),
        case("sign", "Sign", ["x"], np.sign, VALUE, types=NUMBERS),
        case("clip", "Clip", ["x", scalar(2), scalar(9)], np.clip, VALUE, types=NUMBERS),
        case("relu", "Relu", ["x"], lambda x: np.maximum(x, 0), VALUE, types=FLOATS + SIGNED),
        case("floor", "Floor", ["x"], np.floor, VALUE, types=FLOATS), case("ceil", "Ceil", ["x"], np.ceil, VALUE, types=FLOATS),
        case("round", "Round", ["x"], np.rint, VALUE, types=FLOATS),
        case("is_nan", "IsNaN", ["x"], np.isnan, types=FLOATS, out="bool"),
        case("is_inf", "IsInf", ["x"], np.isinf, types=FLOATS, out="bool"),
        case("equal", "Equal", ["x", "z"], lambda x, z: x == z, out="bool"),
        case("less", "Less", ["x", "row"], lambda x, row: x < row, types=NUMBERS, out="bool"),
        case("greater_equal", "GreaterOrEqual", ["x", "z"], lambda x, z: x >= z, types=NUMBERS, out="bool"),
        case("where", "Where", ["c", "x", "z"], np.where),
        case("where_row", "Where", ["c", "row", "x"], np.where),
        case("bit_and", "BitwiseAnd", ["x", "z"], lambda x, z: x & z, types=INTEGERS),
        case("bit_xor", "BitwiseXor", ["x", "z"], lambda x, z: x ^ z, types=INTEGERS),
        case("bit_not", "BitwiseNot", ["x"], lambda x: ~x, types=INTEGERS),
        case("shift_left", "BitShift", ["x", "shift"], shift_left, types=UNSIGNED, direction="LEFT"),
        case("shift_right", "BitShift", ["x", "shift"], shift_right, types=UNSIGNED, direction="RIGHT"),
        case("and", "And", ["x", "z"], lambda x, z: x & z, types=("bool",)),
        case("or_row", "Or", ["x", "row"], lambda x, row: x | row, types=("bool",)),
        case("xor", "Xor", ["x", "z"], lambda x, z: x ^ z, types=("bool",)),
        case("not", "Not", ["x"], lambda x: ~x, types=("bool",)),
        # What is fused is computed in float32 and rounded at the end, or after each step: an ulp or so for each.
        chain("fused", [node("Sigmoid", ["x"]), node("Mul", ["$0", "x"]), node("Clip", ["$1", scalar(-1), scalar(50)]),
                        node("Sub", ["$2", "row"])],
              lambda x, low, high, row: np.clip(x * sigmoid(x), low, high) - row,
              ulps(4, units=2**9), types=("f32", "f64")),
    ],
    types=NUMBERS + ("bool",), sizes=SIZES)]
