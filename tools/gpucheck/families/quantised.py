"""Quantised operators: whole sums are exact; what is scaled and rounded again may land on the neighbour."""

import numpy as np

from cases import Family, Input, case, few, same, some
from families.windows import convolve
from tolerances import EXACT, Tolerance
import values

NEIGHBOUR = Tolerance(absolute=1, text="the next number")
f32 = np.float32


def quantised(kind, axis=None):
    """The quotient is one of float32, rounded to the nearest even number."""
    limits = np.iinfo(kind)

    def reference(x, scale, zero):
        shape = [-1 if axis is not None and index == axis else 1 for index in range(x.ndim)]
        whole = np.rint(x.astype(f32) / scale.astype(f32).reshape(shape)) + zero.astype(f32).reshape(shape)
        return np.clip(whole, limits.min, limits.max).astype(kind)
    return reference


def product(a, b, a_zero, b_zero):
    return (a.astype(np.int32) - a_zero.astype(np.int32)) @ (b.astype(np.int32) - b_zero.astype(np.int32))


def requantised(whole, factor, zero, kind):
    limits = np.iinfo(kind)
    return np.clip(np.rint(whole * factor) + int(zero), limits.min, limits.max).astype(kind)


def scaled_product(a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero):
    return requantised(product(a, b, a_zero, b_zero), a_scale * b_scale / y_scale, y_zero, np.uint8)


def scaled_convolution(x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero):
    wide = (x.astype(np.float64) - int(x_zero)), (w.astype(np.float64) - int(w_zero))
    return requantised(convolve(*wide, {"pads": [1, 1, 1, 1]}), x_scale * w_scale / y_scale, y_zero, np.uint8)


def dynamic(x):
    low, high = min(0, x.min()), max(0, x.max())
    scale = f32(f32(high) - f32(low)) / f32(255)
    zero = np.uint8(np.clip(np.rint(f32(0) - f32(low) / scale), 0, 255))
    return np.clip(np.rint(x.astype(f32) / scale) + zero, 0, 255).astype(np.uint8), np.asarray(scale), np.asarray(zero)


def bytes_of(kind):
    return lambda random, shape, element: values.anything(random, shape, element)


half, third = np.array(0.5, f32), np.array(0.3, f32)
random = np.random.default_rng(1)
filters = random.integers(-128, 128, (4, 3, 3, 3)).astype(np.int8)
weights = random.integers(-128, 128, (17, 9)).astype(np.int8)
zero_u8, zero_i8 = np.array(128, np.uint8), np.array(-3, np.int8)

FAMILIES = [Family(
    "quantised",
    {"x": Input(["n", "m"]), "u": Input(["n", "m"], bytes_of("u8"), "u8"), "s": Input(["n", "m"], bytes_of("i8"), "i8"),
     "a": Input(["m", 17], bytes_of("u8"), "u8"), "b": Input(["m", "n"], bytes_of("i8"), "i8"),
     "image": Input(["n", 3, "h", 11], bytes_of("u8"), "u8"), "rows": Input([4, "m"])},
    {"n": few, "m": same, "h": some},
    [
        case("quantise_u8", "QuantizeLinear", ["x", np.array(0.0625, f32), zero_u8], quantised(np.uint8), out="u8"),
        case("quantise_i8", "QuantizeLinear", ["x", np.array(0.013, f32), zero_i8], quantised(np.int8), out="i8"),
        case("quantise_rows", "QuantizeLinear", ["rows", np.array([0.5, 0.1, 0.03, 2], f32), np.array([0, 1, -1, 5], np.int8)],
             quantised(np.int8, 0), out="i8", axis=0),
        case("dequantise_u8", "DequantizeLinear", ["u", half, zero_u8],
             lambda u, scale, zero: (u.astype(np.int32) - int(zero)) * scale),
        case("dequantise_i8", "DequantizeLinear", ["s", third, zero_i8],
             lambda s, scale, zero: ((s.astype(np.int32) - int(zero)).astype(f32) * f32(0.3)).astype(f32)),
        case("dynamic", "DynamicQuantizeLinear", ["x"], dynamic, Tolerance(ulps=1, absolute=1, text="1 ulp, the next number"),
             out=("u8", "f32", "u8")),
        case("product", "MatMulInteger", ["u", "b", np.array(7, np.uint8), zero_i8], product, out="i32"),
        case("product_of_weights", "MatMulInteger", ["a", weights, zero_u8, np.array(0, np.int8)], product, out="i32"),
        case("scaled_product", "QLinearMatMul", ["a", third, zero_u8, weights, half, np.array(0, np.int8),
                                                 np.array(40.0, f32), np.array(120, np.uint8)],
             scaled_product, NEIGHBOUR, out="u8"),
        case("convolution", "ConvInteger", ["image", filters, np.array(7, np.uint8)],
             lambda x, w, zero: convolve(x.astype(np.int64) - int(zero), w.astype(np.int64), {"pads": [1, 1, 1, 1]}),
             out="i32", pads=[1, 1, 1, 1]),
        case("scaled_convolution", "QLinearConv", ["image", half, np.array(120, np.uint8), filters, third,
                                                   np.array(1, np.int8), np.array(20.0, f32), zero_u8],
             scaled_convolution, NEIGHBOUR, out="u8", pads=[1, 1, 1, 1]),
    ], types=("f32",))]
