"""One rule for maxima and minima: a NaN wins, the first one's place is reported (with select_last_index the last one's),
and -0 is less than 0, though of places both are equal.

One model a float type holds every operator to which that applies, over inputs and over the same numbers as constants,
which the compiler folds where it can.
"""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "compiler" / "import"))

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import run_models

TYPES = {"float": (TensorProto.FLOAT, np.float32), "half": (TensorProto.FLOAT16, np.float16),
         "double": (TensorProto.DOUBLE, np.float64), "bfloat16": (TensorProto.BFLOAT16, np.uint16)}
ROWS = 6
SIZES = (1, 3, 7, 17, 33, 127, 255, 1025)
CONSTANT = 5


def make_numbers(size, random):
    """Rows of numbers, of numbers with a NaN or several, of NaN alone, of zeros of both signs, and of infinities."""
    x = random.integers(-8, 8, (ROWS, size)).astype(np.float64)
    x[1, random.integers(size)] = np.nan
    x[2, random.integers(0, size, 3)] = np.nan
    x[3] = np.nan
    x[4] = np.where(random.random(size) < 0.5, 0.0, -0.0)
    x[5] = np.where(random.random(size) < 0.5, np.inf, -np.inf)
    return x


def encode(x, name):
    if name != "bfloat16":
        return x.astype(TYPES[name][1])
    return (x.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def decode(x, name):
    return (x.astype(np.uint32) << 16).view(np.float32) if name == "bfloat16" and x.dtype == np.uint16 else x


def fold(x, axis, pick):
    """Along an axis: NaN if one is there, else the extreme number; of zeros the sign counts."""
    extreme = pick(x, axis=axis, keepdims=True)
    zeros = pick(np.where(x == 0, np.copysign(1, x), -np.inf if pick is np.max else np.inf), axis=axis, keepdims=True)
    return np.where(extreme == 0, np.copysign(0, zeros), extreme)


def place(x, axis, pick, last):
    found = pick(np.flip(x, axis) if last else x, axis=axis)
    return np.expand_dims(x.shape[axis] - 1 - found if last else found, axis)


def nodes_of(x, z):
    """Every node over the values `x` and `z`, and what it gives for arrays: (operator, inputs, attributes, reference)."""
    for axis in (0, 1):
        for operator, pick in (("ReduceMax", np.max), ("ReduceMin", np.min)):
            yield operator, [x, f"axis_{axis}"], {}, lambda a, b, axis=axis, pick=pick: fold(a, axis, pick)
        for operator, pick in (("ArgMax", np.argmax), ("ArgMin", np.argmin)):
            for last in (0, 1):
                yield (operator, [x], {"axis": axis, "select_last_index": last},
                       lambda a, b, axis=axis, pick=pick, last=last: place(a, axis, pick, last))
    for operator, pick in (("Max", np.max), ("Min", np.min)):
        yield operator, [x, z], {}, lambda a, b, pick=pick: fold(np.stack([a, b]), 0, pick)[0]
    yield "Relu", [x], {}, lambda a, b: fold(np.stack([a, 0 * np.ones_like(a)]), 0, np.max)[0]
    yield "Clip", [x, "low", "high"], {}, lambda a, b: np.clip(a, -2, 3)


def pools(x):
    """The same as images of one row."""
    yield ("MaxPool", [x], {"kernel_shape": [1, 3], "pads": [0, 1, 0, 1]},
           lambda a: fold(np.stack([np.pad(a, ((0, 0), (1, 1)), constant_values=-np.inf)[:, i:i + a.shape[1]]
                                    for i in range(3)]), 0, np.max).reshape(1, ROWS, 1, -1))
    yield "GlobalMaxPool", [x], {}, lambda a: fold(a, 1, np.max).reshape(1, ROWS, 1, 1)


def make_model(name, constants):
    number = TYPES[name][0]
    shape = numpy_helper.from_array(np.array([1, ROWS, 1, -1]), "shape")
    bounds = [helper.make_tensor(key, number, [], [value]) for key, value in (("low", -2.0), ("high", 3.0))]
    weights = [helper.make_tensor(key, number, array.shape, encode(array, name).tobytes(), raw=True)
               for key, array in constants.items()]
    axes = [numpy_helper.from_array(np.array([axis]), f"axis_{axis}") for axis in (0, 1)]
    nodes, outputs = [], {}
    for suffix in ("", "_constant"):
        rows = [row[:3] for row in nodes_of("x" + suffix, "z" + suffix)]
        nodes.append(helper.make_node("Reshape", ["x" + suffix, "shape"], ["image" + suffix]))
        rows += [row[:3] for row in pools("image" + suffix)]
        for index, (operator, inputs, attributes) in enumerate(rows):
            output = f"{operator}_{index}{suffix}"
            nodes.append(helper.make_node(operator, inputs, [output], **attributes))
            outputs[output] = (TensorProto.INT64 if operator.startswith("Arg") else number, None)
    return run_models.make_model(nodes, {"x": (number, [ROWS, "m"]), "z": (number, [ROWS, "m"])}, outputs, 22,
                                 [shape, *axes, *bounds, *weights])


class NanTest(unittest.TestCase):
    def compare(self, ours, expected, name):
        ours = decode(ours, name)
        np.testing.assert_array_equal(ours, expected)
        if ours.dtype.kind == "f":
            zeros = expected == 0
            np.testing.assert_array_equal(np.signbit(ours)[zeros], np.signbit(expected)[zeros])

    def check(self, name):
        random = np.random.default_rng(3)
        constants = {"x_constant": make_numbers(CONSTANT, random), "z_constant": make_numbers(CONSTANT, random)}
        inputs = [{"x": make_numbers(size, random), "z": make_numbers(size, random)} for size in SIZES]
        coded = [{key: encode(array, name) for key, array in arrays.items()} for arrays in inputs]
        for way, index, outputs in run_models.run_model(make_model(name, constants), coded):
            for suffix, a, b in (("", inputs[index]["x"], inputs[index]["z"]), ("_constant", *constants.values())):
                rows = [(row[0], lambda row=row: row[3](a, b)) for row in nodes_of("", "")]
                rows += [(row[0], lambda row=row: row[3](a)) for row in pools("")]
                for number, (operator, compute) in enumerate(rows):
                    output = f"{operator}_{number}{suffix}"
                    with self.subTest(way=way, size=a.shape[1], output=output):
                        self.compare(outputs[output], compute(), name)


for type_name in TYPES:
    setattr(NanTest, f"test_{type_name}", lambda self, name=type_name: self.check(name))

if __name__ == "__main__":
    unittest.main()
