"""Operators on single elements: unary ones, and those that broadcast."""

import numpy as np
from onnx import helper

from drawing import FLOATS, INTEGERS, Row, Unfit

NUMBERS = FLOATS + INTEGERS
UNSIGNED = (np.uint8, np.uint32, np.uint64)
BOOL = (np.bool_,)


def scalar(graph, value, dtype):
    return graph.constant(np.array(value, dtype))


# What an operator's domain asks for is made of whatever there is.
DOMAINS = {
    "any": lambda graph, x: x,
    "positive": lambda graph, x: graph.add("Add", [graph.add("Abs", [x]), scalar(graph, 0.5, x.dtype)]),
    "unit": lambda graph, x: graph.add("Sigmoid", [x]),
    "small": lambda graph, x: graph.add("Mul", [graph.add("Tanh", [x]), scalar(graph, 0.875, x.dtype)]),
    "above one": lambda graph, x: graph.add("Add", [graph.add("Sigmoid", [x]), scalar(graph, 1.25, x.dtype)]),
    "spread": lambda graph, x: graph.add("Mul", [x, scalar(graph, 3.7, x.dtype)]),
}


def unary(types=FLOATS, domain="any", **attributes):
    """`attributes`: to each its choices; None leaves it out."""
    def draw(graph, row):
        x = DOMAINS[domain](graph, graph.pick(types))
        graph.add(row.op, [x], **{key: graph.choose(choices) for key, choices in attributes.items()})
    return draw


def binary(types=FLOATS + (np.int32, np.int64), second=None, towards=False, **attributes):
    """`second`: the range of a fresh second operand, for those that not every number suits."""
    def draw(graph, row):
        x = graph.pick(types)
        y = graph.operand(x, *(second or ()), towards=towards)
        pair = [x, y] if towards or graph.chance(0.7) or second else [y, x]
        graph.add(row.op, pair, **{key: graph.choose(choices) for key, choices in attributes.items()})
    return draw


def variadic(types=FLOATS):
    def draw(graph, row):
        x = graph.pick(types)
        graph.add(row.op, [x] + [graph.operand(x) for _ in range(graph.integer(0, 3))])
    return draw


def divide(graph, row):
    x = graph.pick(FLOATS + (np.int32, np.int64))
    if x.dtype.kind == "f" and graph.chance(0.4):
        graph.add("Div", [x, DOMAINS["positive"](graph, graph.operand(x))])
    else:
        graph.add("Div", [x, graph.operand(x, *graph.choose(((1, 5), (-5, -1))))])


def power(graph, row):
    x = graph.pick(FLOATS + (np.int32, np.int64))
    if x.dtype.kind == "f" and graph.chance(0.6):
        x = DOMAINS["positive"](graph, x)
        graph.add("Pow", [x, graph.operand(x, -2, 2)])
    else:
        kind = x.dtype if graph.opset < 12 else graph.choose((x.dtype, np.dtype(np.int64), np.dtype(np.float32)))
        graph.add("Pow", [x, scalar(graph, graph.choose((0, 1, 2, 3)), kind)])


def where(graph, row):
    x = graph.pick(NUMBERS + BOOL)
    y = graph.operand(x)
    try:
        condition = graph.pick(BOOL, accept=lambda value: value.rank == x.rank and all(
            left == right or left == graph.fixed(1) for left, right in zip(value.dims, x.dims)), fresh=False)
    except Unfit:
        if x.dtype.kind != "b" and graph.chance(0.7):
            condition = graph.add("Less", [x, graph.operand(x)])
        else:
            condition = graph.fresh(x.dims, np.bool_)
    graph.add("Where", [condition, x, y])


def cast(graph, row):
    x = graph.pick(NUMBERS + BOOL)
    kinds = [graph.main, graph.main, np.float32, np.float16, np.float64, np.int32, np.int64, np.bool_]
    # A float that an 8-bit type cannot hold becomes anything.
    if x.dtype.kind != "f" or max(np.max(np.abs(samples[0])) for samples in x.arrays) < 100:
        kinds.append(np.int8)
    if min(np.min(samples[0].astype(float)) for samples in x.arrays) >= 0:
        kinds.append(np.uint8)
    to = graph.choose([kind for kind in kinds if np.dtype(kind) != x.dtype])
    if x.dtype.kind == "f" and np.dtype(to).kind in "iu":
        x = graph.add("Mul", [x, scalar(graph, 3.7, x.dtype)]) if graph.chance(0.5) else x
    graph.add("Cast", [x], to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


def cast_like(graph, row):
    x, like = graph.pick(FLOATS + (np.int32, np.int64)), graph.pick(FLOATS + (np.int32,))
    graph.add("CastLike", [x, like])


def clip(graph, row):
    x = graph.pick(FLOATS + (np.int32, np.int64, np.int8, np.uint8))
    if graph.opset < 11:
        graph.add("Clip", [x], min=-0.5, max=graph.choose((0.75, None)))
        return
    low = scalar(graph, 1 if x.dtype.kind == "u" else graph.choose((-1, 0)), x.dtype) if graph.chance(0.8) else None
    high = scalar(graph, 3 if x.dtype.kind in "iu" else 0.75, x.dtype) if graph.chance(0.8) else None
    graph.add("Clip", [x, low, high])


def shift(graph, row):
    x = graph.fresh(graph.draw_dims(graph.integer(1, 3)), graph.choose(UNSIGNED), 0, 9)
    graph.add("BitShift", [x, graph.operand(x, 0, 3)], direction=graph.choose(("LEFT", "RIGHT")))


def is_inf(graph, row):
    x = graph.pick((np.float32, np.float64))
    graph.add("IsInf", [x], detect_negative=graph.choose((None, 0, 1)), detect_positive=graph.choose((None, 0, 1)))


def float_mod(graph, row):
    x = DOMAINS["spread"](graph, graph.pick(FLOATS))
    graph.add("Mod", [x, graph.operand(x, *graph.choose(((1.25, 5), (-5, -1.25))))], fmod=1)


def integer_mod(graph, row):
    x = graph.pick(INTEGERS)
    low, high = (1, 5) if x.dtype.kind == "u" or graph.chance(0.5) else (-5, -1)
    graph.add("Mod", [x, graph.operand(x, low, high)], fmod=graph.choose((None, 0, 1)))


def silu(graph, row):
    """What exporters write for Swish."""
    x = graph.pick()
    graph.add("Mul", [x, graph.add("Sigmoid", [x])])


def gelu_by_erf(graph, row):
    """What exporters write for Gelu."""
    x = graph.pick((np.float32, np.float64))
    inner = graph.add("Erf", [graph.add("Div", [x, scalar(graph, 2**0.5, x.dtype)])])
    outer = graph.add("Mul", [x, graph.add("Add", [inner, scalar(graph, 1, x.dtype)])])
    graph.add("Mul", [outer, scalar(graph, 0.5, x.dtype)])


def squash(graph, row):
    """Brings large numbers back to about one."""
    x = graph.pick()
    graph.add(graph.choose(("Tanh", "Sigmoid", "Softsign")), [x])


ROWS = [
    Row("Abs", unary(NUMBERS)),
    Row("Neg", unary(FLOATS + (np.int32, np.int64, np.int8))),
    Row("Sign", unary(FLOATS + (np.int32, np.int64), ), 9),
    Row("Floor", unary(domain="spread"), weight=0.5),
    Row("Ceil", unary(domain="spread"), weight=0.5),
    Row("Round", unary(domain="spread"), 11, weight=0.5),
    Row("Sqrt", unary(domain="positive")),
    Row("Reciprocal", unary(domain="positive")),
    Row("Exp", unary()),
    Row("Log", unary(domain="positive")),
    Row("Sin", unary()),
    Row("Cos", unary()),
    Row("Tan", unary(domain="small")),
    Row("Asin", unary(domain="small")),
    Row("Acos", unary(domain="small")),
    Row("Atan", unary()),
    Row("Sinh", unary(), 9),
    Row("Cosh", unary(), 9),
    Row("Tanh", unary(), weight=2),
    Row("Asinh", unary(), 9),
    Row("Acosh", unary(domain="above one"), 9),
    Row("Atanh", unary(domain="small"), 9),
    Row("Erf", unary(), 9),
    Row("Sigmoid", unary(), weight=2),
    Row("Relu", unary(FLOATS + (np.int32, np.int8)), weight=2),
    Row("Softplus", unary()),
    Row("Softsign", unary()),
    Row("Elu", unary(alpha=(None, 0.5, 1.5))),
    Row("Selu", unary(alpha=(None, 1.25), gamma=(None, 0.75))),
    Row("Celu", unary(alpha=(None, 0.5)), 12),
    Row("HardSigmoid", unary(alpha=(None, 0.3), beta=(None, 0.4))),
    Row("HardSwish", unary(), 14),
    Row("LeakyRelu", unary(alpha=(None, 0.2, -0.5))),
    Row("ThresholdedRelu", unary(alpha=(None, 0.3)), 10, weight=0.5),
    Row("Mish", unary(), 18),
    Row("Swish", unary(alpha=(None, 1.5)), 24),
    Row("Shrink", unary(FLOATS, bias=(None, 0.25), lambd=(None, 0.5)), 9, weight=0.5),
    Row("Gelu", unary(approximate=(None, "none", "tanh")), 20, weight=2),
    Row("Silu", silu, weight=0.7),
    Row("GeluByErf", gelu_by_erf, weight=0.7),
    Row("Squash", squash, weight=2),
    Row("IsNaN", unary(), 9, weight=0.4),
    Row("IsInf", is_inf, 10, weight=0.4),
    Row("Not", unary(BOOL)),
    Row("BitwiseNot", unary(INTEGERS), 18),
    Row("Add", binary(), weight=5),
    Row("Sub", binary(), weight=3),
    Row("Mul", binary(), weight=4),
    Row("Div", divide, weight=2),
    Row("Pow", power, weight=1.5),
    Row("Mod", integer_mod, 10),
    Row("Mod", float_mod, 10, weight=0.4, label="Mod(floats)"),
    Row("PRelu", binary(FLOATS, towards=True)),
    Row("And", binary(BOOL)),
    Row("Or", binary(BOOL)),
    Row("Xor", binary(BOOL)),
    Row("BitwiseAnd", binary(INTEGERS), 18),
    Row("BitwiseOr", binary(INTEGERS), 18),
    Row("BitwiseXor", binary(INTEGERS), 18),
    Row("BitShift", shift, 11),
    Row("Equal", binary((np.int32, np.int64, np.bool_, np.float32))),
    Row("Less", binary(FLOATS + (np.int32, np.int64)), 9),
    Row("LessOrEqual", binary(FLOATS + (np.int32, np.int64)), 12),
    Row("Greater", binary(FLOATS + (np.int32, np.int64)), 9),
    Row("GreaterOrEqual", binary(FLOATS + (np.int32, np.int64)), 12),
    Row("Max", variadic(FLOATS + (np.int32, np.int64)), 8),
    Row("Min", variadic(FLOATS + (np.int32, np.int64)), 8),
    Row("Sum", variadic(), 8),
    Row("Mean", variadic(), 8),
    Row("Where", where, 9, weight=2),
    Row("Cast", cast, 9, weight=3),
    Row("CastLike", cast_like, 15),
    Row("Clip", clip, weight=1.5),
    Row("Identity", unary(NUMBERS + BOOL), weight=0.3),
    Row("Dropout", unary(), weight=0.3),
]
