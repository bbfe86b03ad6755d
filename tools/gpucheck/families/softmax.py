"""Softmax and its kin along the last, the first and a middle axis."""

import numpy as np

from cases import Family, Input, case, few, same
from tolerances import Tolerance, ulps


def softmax(x, axis):
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def log_softmax(x, axis):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def hardmax(x, axis):
    return np.arange(x.shape[axis]) == x.argmax(axis)[:, None]


# The exponents cancel to a few ulps, the sum adds all of one sign.
NEAR = ulps(16)

FAMILIES = [Family(
    "softmax", {"x": Input(["n", "m"]), "tall": Input(["m", "n"]), "cube": Input(["n", "m", 3])}, {"n": few, "m": same},
    [
        case("last", "Softmax", ["x"], lambda x: softmax(x, -1), NEAR, axis=-1),
        case("first", "Softmax", ["tall"], lambda x: softmax(x, 0), NEAR, axis=0),
        case("middle", "Softmax", ["cube"], lambda x: softmax(x, 1), NEAR, axis=1),
        case("log_last", "LogSoftmax", ["x"], lambda x: log_softmax(x, -1), NEAR, axis=-1),
        case("log_first", "LogSoftmax", ["tall"], lambda x: log_softmax(x, 0), NEAR, axis=0),
        case("hardmax", "Hardmax", ["x"], lambda x: hardmax(x, 1).astype(x.dtype), axis=1),
    ])]
