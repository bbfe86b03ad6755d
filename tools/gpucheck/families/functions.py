"""Functions of one number over their whole range: [-1, 1], [-20, 20], all exponents; the short types: every number."""

import math

import numpy as np

import values
from cases import FLOATS, Family, Input, case, same
from tolerances import ROUNDED, ulps


def erf(x):
    return np.frompyfunc(lambda value: math.erf(float(value)), 1, 1)(x).astype(x.dtype)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def elu(x, alpha=1.0):
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def selu(x):
    alpha, gamma = 1.67326319217681884765625, 1.05070102214813232421875
    return gamma * elu(x, alpha)


def gelu(x):
    tail = np.frompyfunc(lambda value: math.erfc(float(value)), 1, 1)(-x / np.sqrt(x.dtype.type(2))).astype(x.dtype)
    return x * 0.5 * tail


# name: operator, function, tolerance
TABLE = [
    ("exp", "Exp", np.exp, ulps(2)), ("log", "Log", np.log, ulps(2)), ("sqrt", "Sqrt", np.sqrt, ROUNDED),
    ("reciprocal", "Reciprocal", lambda x: 1 / x, ROUNDED), ("sin", "Sin", np.sin, ulps(4)), ("cos", "Cos", np.cos, ulps(4)),
    ("tan", "Tan", np.tan, ulps(4)), ("asin", "Asin", np.arcsin, ulps(4)), ("acos", "Acos", np.arccos, ulps(4)),
    ("atan", "Atan", np.arctan, ulps(4)), ("sinh", "Sinh", np.sinh, ulps(4)), ("cosh", "Cosh", np.cosh, ulps(4)),
    ("tanh", "Tanh", np.tanh, ulps(4)), ("asinh", "Asinh", np.arcsinh, ulps(4)), ("acosh", "Acosh", np.arccosh, ulps(4)),
    ("atanh", "Atanh", np.arctanh, ulps(4)), ("erf", "Erf", erf, ulps(24)), ("sigmoid", "Sigmoid", sigmoid, ulps(4)),
    ("softplus", "Softplus", softplus, ulps(4)), ("elu", "Elu", elu, ulps(4, units=4)), ("selu", "Selu", selu, ulps(4, units=4)),
    ("gelu", "Gelu", gelu, ulps(4, units=16)), ("mish", "Mish", lambda x: x * np.tanh(softplus(x)), ulps(5, units=1)),
    ("hard_sigmoid", "HardSigmoid", lambda x: np.clip(0.2 * x + 0.5, 0, 1), ulps(2, units=2)),
    ("hard_swish", "HardSwish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), ulps(3, units=4)),
    ("softsign", "Softsign", lambda x: x / (1 + np.abs(x)), ulps(3)),
    ("leaky_relu", "LeakyRelu", lambda x: np.where(x < 0, 0.01 * x, x), ulps(2)),
]

FAMILIES = [Family(
    "functions", {"x": Input(["m"], values.every_half), "normal": Input(["m"], values.no_subnormals), "angle": Input(["m"], values.angles)},
    {"m": same},
    [case(name, operator, [{"log": "normal", "sin": "angle", "cos": "angle"}.get(name, "x")], function, tolerance,
          types=("f32", "f16", "bf16") if name == "gelu" else None)
     for name, operator, function, tolerance in TABLE]
    # erf errs by half its 24 ulps of 1, times x, where the sum with 1 cancels.
    + [case("gelu_of_doubles", "Gelu", ["x"], gelu, ulps(4, units=128), types=("f64",))],
    types=FLOATS, sizes=(65536,), fixed_sizes=())]
