"""Convolutions: strided, dilated, grouped, by channel, of points, of one and three dims; and transposed ones."""

import numpy as np

from cases import Family, Input, case, chain, few, node, same, some, weight
from families.windows import convolution, transposed_convolution
from tolerances import SUM


def conv(name, source, filters, bias=None, **attributes):
    operands = [source, weight(*filters)] + ([weight(filters[0], seed=2)] if bias else [])
    return case(name, "Conv", operands, convolution(**attributes), SUM, **attributes)


def transpose(name, source, filters, bias=None, **attributes):
    channels = filters[1] * attributes.get("group", 1)
    operands = [source, weight(*filters)] + ([weight(channels, seed=2)] if bias else [])
    return case(name, "ConvTranspose", operands, transposed_convolution(**attributes), SUM, **attributes)


def rectified(x, w, b):
    result, magnitude = convolution(pads=[1, 1, 1, 1])(x, w, b)
    return np.maximum(result, 0), magnitude


FAMILIES = [Family(
    "convolutions",
    {"x": Input(["n", 6, "h", "w"]), "deep": Input(["n", 17, "h", "w"]), "points": Input(["n", 33, "h", "few"]),
     "line": Input(["n", 3, "m"]), "block": Input([1, 2, "few", "h", 5])},
    {"n": few, "h": lambda size: 3 + size % 29, "w": lambda size: 4 + size % 31, "m": same, "few": few},
    [
        conv("plain", "x", (7, 6, 3, 3), bias=True, pads=[1, 1, 1, 1]),
        conv("strided", "x", (9, 6, 3, 4), strides=[2, 3], pads=[2, 0, 1, 3]),
        conv("dilated", "x", (5, 6, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3]),
        conv("grouped", "x", (9, 2, 3, 3), group=3, pads=[1, 1, 1, 1]),
        conv("by_channel", "deep", (17, 1, 5, 5), group=17, pads=[2, 2, 2, 2]),
        conv("by_channel_twice", "deep", (34, 1, 3, 3), bias=True, group=17, strides=[2, 2], pads=[1, 1, 1, 1]),
        conv("points", "points", (17, 33, 1, 1)),
        conv("points_strided", "points", (16, 33, 1, 1), bias=True, strides=[2, 2]),
        conv("of_a_line", "line", (5, 3, 5), pads=[2, 2]),
        conv("of_a_block", "block", (3, 2, 3, 3, 3), pads=[1] * 6),
        chain("fused", [node("Conv", ["x", weight(8, 6, 3, 3), weight(8, seed=2)], pads=[1, 1, 1, 1]), node("Relu", ["$0"])],
              rectified, SUM, types=("f32", "f64")),
        transpose("transposed", "x", (6, 5, 3, 3), strides=[2, 2], pads=[1, 0, 0, 1]),
        transpose("transposed_grouped", "x", (6, 2, 3, 2), bias=True, group=3, strides=[2, 1], pads=[1, 0, 1, 1],
                  output_padding=[1, 0]),
        transpose("transposed_line", "line", (3, 4, 5), bias=True, strides=[3], dilations=[2]),
    ], fixed_sizes=(33,))]
