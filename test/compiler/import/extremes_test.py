"""Places, steps, counts and offsets at the ends of 64 bits: right values, or a sentence; never a fault.

What a model holds may be any number. Each case is a node with its constants and inputs; NumPy or a line of Python says
what must come out. Where ONNX does not define a value, only the way the run ends is looked at.
"""

import itertools
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "runtime" / "python"))

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import dscc

LEAST, MOST = -2**63, 2**63 - 1
EDGES = (LEAST, LEAST + 1, -2**62 - 1, -2**31 - 1, -2**31, -5, -1, 0, 1, 3, 2**31 - 1, 2**31, 2**32 + 1, 2**62 + 1,
         MOST - 1, MOST)
MATRIX = np.arange(1, 13, dtype=np.float32).reshape(3, 4)


def int64(*values):
    return np.array(values, np.int64)


def scalar(value, dtype=np.int64):
    return np.array(value, dtype)


def value(name, array, is_dynamic=False):
    dims = [f"{name}_{axis}" for axis in range(array.ndim)] if is_dynamic else array.shape
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), dims)


class ExtremesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.count = 0

    def compile(self, operator, inputs, constants, attributes, outputs=1, is_dynamic=False, opset=24):
        """Inputs and constants are arrays by name, in the order of the node's inputs as a whole: `order`."""
        order = attributes.pop("order", [*inputs, *constants])
        names = [f"y{i}" for i in range(outputs)]
        node = helper.make_node(operator, order, names, name="node", **attributes)
        graph = helper.make_graph([node], "graph", [value(name, array, is_dynamic) for name, array in inputs.items()],
                                  [onnx.ValueInfoProto(name=name) for name in names],
                                  [numpy_helper.from_array(array, name) for name, array in constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
        path = self.folder / "model.onnx"
        path.write_bytes(model.SerializeToString())
        self.count += 1  # a file that is open keeps its name for itself
        command = ["dscc", path, "-o", self.artifact(), "--target=cpu", "--march=x86-64-v3", "-O1"]
        return subprocess.run(command, capture_output=True, text=True)

    def artifact(self):
        return self.folder / f"model{self.count}.so"

    def run_node(self, operator, inputs, constants=None, attributes=None, **options):
        """The first output."""
        return self.make(operator, inputs, constants, attributes, **options).run(inputs)["y0"]

    def make(self, operator, inputs, constants=None, attributes=None, **options):
        """The compiled node."""
        report = self.compile(operator, inputs, constants or {}, dict(attributes or {}), **options)
        self.assertEqual(report.returncode, 0, report.stderr)
        return dscc.Model(str(self.artifact()))

    def refuse(self, operator, inputs, constants=None, attributes=None, word="", **options):
        report = self.compile(operator, inputs, constants or {}, dict(attributes or {}), **options)
        self.assertIn(report.returncode, (1, 3), f"{operator}: {report.stderr}")
        self.assertIn("node 'node'", report.stderr)
        self.assertIn(word, report.stderr)

    def test_triangles(self):
        rows, columns = (place.flatten().tolist() for place in np.indices(MATRIX.shape))

        def triangle(k, upper):
            # Python's integers do not overflow, NumPy's do.
            keep = [c >= r + k if upper else c <= r + k for r, c in zip(rows, columns)]
            return np.where(np.reshape(keep, MATRIX.shape), MATRIX, 0)

        for upper, is_dynamic in itertools.product((0, 1), (False, True)):
            model = self.make("Trilu", {"x": MATRIX, "k": scalar(0)}, {}, {"upper": upper}, is_dynamic=is_dynamic)
            for k in EDGES:
                with self.subTest(k=k, upper=upper, is_dynamic=is_dynamic):
                    y = model.run({"x": MATRIX, "k": scalar(k)})["y0"]
                    np.testing.assert_array_equal(y, triangle(k, upper))
            for k in (LEAST, -1, MOST):
                with self.subTest(k=k, upper=upper, is_dynamic=is_dynamic, is_constant=True):
                    y = self.run_node("Trilu", {"x": MATRIX}, {"k": scalar(k)}, {"upper": upper}, is_dynamic=is_dynamic)
                    np.testing.assert_array_equal(y, triangle(k, upper))

    def test_diagonals(self):
        for k in (LEAST, -1, 0, 3, 2**62 + 1, MOST):
            with self.subTest(k=k):
                expected = [[float(column == row + k) for column in range(4)] for row in range(3)]
                np.testing.assert_array_equal(self.run_node("EyeLike", {"x": MATRIX}, {}, {"k": k}), expected)

    def test_slices(self):
        """ONNX clamps as Python does, but that a slice backwards begins at the first element, not before it."""
        x = np.arange(7, dtype=np.float32)
        dice = np.random.default_rng(0)
        for start, end, step in [(LEAST, MOST, 1), (MOST, LEAST, -1), (MOST, LEAST, LEAST), (0, MOST, MOST),
                                 (-1, LEAST, -3), (LEAST, LEAST, 1), (MOST, MOST, 1), (2, MOST - 1, 2**31 + 1),
                                 *(tuple(int(dice.choice(EDGES)) for _ in range(3)) for _ in range(6))]:
            constants = {"s": int64(start), "e": int64(end), "a": int64(0), "t": int64(step)}
            if step == 0:
                self.refuse("Slice", {"x": x}, constants, word="has a step of 0")
                continue
            for is_dynamic in (False, True):
                with self.subTest(start=start, end=end, step=step, is_dynamic=is_dynamic):
                    y = self.run_node("Slice", {"x": x}, constants, is_dynamic=is_dynamic)
                    first = 0 if step < 0 and start < -len(x) else start
                    np.testing.assert_array_equal(y, x[first:end:step])

    def test_shapes(self):
        x = np.zeros((2, 3, 4), np.float32)
        for start, end in itertools.product((LEAST, -1, 1, MOST), (LEAST, 2, MOST)):
            with self.subTest(start=start, end=end):
                y = self.run_node("Shape", {"x": x}, {}, {"start": start, "end": end})
                np.testing.assert_array_equal(y, x.shape[slice(start, end)])

    def test_one_hot(self):
        indices, values = np.array(EDGES, np.int64), np.array([2, 7], np.float32)
        expected = [[7.0 if index in (place, place - 5) else 2.0 for place in range(5)] for index in EDGES]
        y = self.run_node("OneHot", {"i": indices, "v": values}, {"d": scalar(5)}, {"order": ["i", "d", "v"]})
        np.testing.assert_array_equal(y, expected)
        # Without a sign there is nothing below zero.
        large = np.array([0, 4, 5, 2**63, 2**64 - 1], np.uint64)
        expected = [[7.0 if index == place else 2.0 for place in range(5)] for index in (0, 4, 5, 2**63, 2**64 - 1)]
        y = self.run_node("OneHot", {"i": large, "v": values}, {"d": scalar(5)}, {"order": ["i", "d", "v"]})
        np.testing.assert_array_equal(y, expected)
        self.refuse("OneHot", {"i": indices, "v": values}, {"d": scalar(MOST)}, {"order": ["i", "d", "v"]})
        self.refuse("OneHot", {"i": indices, "v": values}, {"d": scalar(-1)}, {"order": ["i", "d", "v"]}, "-1")

    def test_ranges(self):
        for start, limit, delta in [(0, 10, MOST), (10, 0, LEAST), (0, 10, LEAST), (LEAST, MOST, 2**61),
                                    (MOST, LEAST, -2**62), (MOST, MOST, 1), (LEAST, LEAST + 3, 1), (MOST - 3, MOST, 2)]:
            with self.subTest(start=start, limit=limit, delta=delta):
                constants = {"a": scalar(start), "b": scalar(limit), "c": scalar(delta)}
                np.testing.assert_array_equal(self.run_node("Range", {}, constants), list(range(start, limit, delta)))

    def test_windows(self):
        """Windows far larger than what they slide over: only what lies inside counts."""
        x, far = np.arange(1, 9, dtype=np.float32).reshape(1, 1, 8), 2**31
        # Two places, at -2^31 and 0; each sees itself and what lies 2^31 after it.
        wide = {"strides": [far], "dilations": [far], "pads": [far, far]}
        np.testing.assert_array_equal(
            self.run_node("MaxPool", {"x": x}, {}, {"kernel_shape": [2], **wide}).flatten(), [1, 1])
        np.testing.assert_array_equal(
            self.run_node("Conv", {"x": x}, {"w": np.array([[[10, 100]]], np.float32)}, wide).flatten(), [100, 10])

    def test_indices_that_lie_outside(self):
        """The value is not defined; the others are, and nothing faults, folded or not."""
        places, first = int64(1, *EDGES), int64([1, 1], *([index, index] for index in EDGES))
        for operator, attributes, indices, expected in (
                ("Gather", {"axis": 0}, places, MATRIX[1]), ("GatherElements", {"axis": 0}, first, MATRIX[1, :2]),
                ("GatherND", {}, first, MATRIX[1, 1])):
            for inputs, constants in (({"x": MATRIX, "i": indices}, {}), ({}, {"x": MATRIX, "i": indices})):
                with self.subTest(operator=operator, folded=not inputs):
                    y = self.run_node(operator, inputs, constants, attributes)
                    np.testing.assert_array_equal(y[0], expected)
        update = np.full((1 + len(EDGES), 4), -1, np.float32)
        outside = [edge for edge in EDGES if not -3 <= edge < 3]
        y = self.run_node("ScatterND", {"x": MATRIX, "i": int64([1], *([edge] for edge in outside)),
                                        "u": update[:1 + len(outside)]})
        np.testing.assert_array_equal(y[1], update[0])
        y = self.run_node("ScatterElements", {"x": MATRIX, "i": int64([1, 1], *([edge, edge] for edge in outside)),
                                              "u": update[:1 + len(outside), :2]})
        np.testing.assert_array_equal(y[1, :2], update[0, :2])

    def test_offsets_that_lie_outside(self):
        lengths = int64(1, 2, 3, 0)
        reverse = self.make("ReverseSequence", {"x": MATRIX, "n": lengths}, {}, {"time_axis": 0, "batch_axis": 1})
        sums = self.make("CumSum", {"x": MATRIX, "a": scalar(0)})
        cache, update = np.zeros((2, 4, 3), np.float32), np.ones((2, 2, 3), np.float32)
        for offset in EDGES:
            y = reverse.run({"x": MATRIX, "n": int64(1, 2, 3, offset)})["y0"]
            np.testing.assert_array_equal(y[:, 2], MATRIX[::-1, 2])
            y = sums.run({"x": MATRIX, "a": scalar(offset)})["y0"]
            if offset in (-2, -1, 0, 1):
                np.testing.assert_array_equal(y, np.cumsum(MATRIX, offset))
        for mode in ("linear", "circular"):
            inputs = {"c": cache, "u": update, "w": int64(1, 0)}
            scatter = self.make("TensorScatter", inputs, {}, {"mode": mode, "axis": 1})
            for offset in EDGES:
                y = scatter.run({**inputs, "w": int64(1, offset)})["y0"]
                np.testing.assert_array_equal(y[0, 1:3], update[0])

    def test_integers_without_a_quotient(self):
        for dtype in (np.int8, np.int32, np.int64):
            low = np.iinfo(dtype).min
            a, b = np.array([low, low, 7, 7, low], dtype), np.array([-1, 0, 0, -2, 3], dtype)
            for operator, attributes in (("Div", {}), ("Mod", {}), ("Mod", {"fmod": 1})):
                for inputs, constants in (({"a": a, "b": b}, {}), ({}, {"a": a, "b": b})):
                    with self.subTest(operator=operator, dtype=dtype.__name__, folded=not inputs):
                        y = self.run_node(operator, inputs, constants, attributes)
                        self.assertEqual(y[3], {"Div": -3, "Mod": 1 if attributes else -1}[operator])

    def test_axes(self):
        x, i = MATRIX, int64([0, 1, 1, 0])
        ones = np.ones(4, np.float32)
        for axis in (LEAST, -4, 3, MOST):
            for operator, inputs, attributes in [
                    ("Softmax", {"x": x}, {}), ("LogSoftmax", {"x": x}, {}), ("Hardmax", {"x": x}, {}),
                    ("Concat", {"x": x}, {}), ("Gather", {"x": x, "i": i}, {}),
                    ("GatherElements", {"x": x, "i": i}, {}),
                    ("ScatterElements", {"x": x, "i": i, "u": x[:1]}, {}), ("ArgMax", {"x": x}, {}),
                    ("ArgMin", {"x": x}, {}), ("Flatten", {"x": x}, {}), ("Split", {"x": x}, {"num_outputs": 1}),
                    ("LayerNormalization", {"x": x, "s": ones}, {}), ("RMSNormalization", {"x": x, "s": ones}, {}),
                    ("LpNormalization", {"x": x}, {}), ("QuantizeLinear", {"x": x, "s": ones}, {}),
                    ("DequantizeLinear", {"x": x.astype(np.int8), "s": ones}, {}),
                    ("TensorScatter", {"x": x, "u": x}, {})]:
                with self.subTest(operator=operator, axis=axis):
                    self.refuse(operator, inputs, {}, {"axis": axis, **attributes}, "axis")
            for operator in ("ReduceSum", "ReduceMax", "ReduceLogSumExp", "Squeeze", "CumSum"):
                with self.subTest(operator=operator, axis=axis):
                    constant = scalar(axis) if operator == "CumSum" else int64(axis)
                    self.refuse(operator, {"x": x}, {"a": constant}, {}, "axis")
            # One dim more than the others have.
            self.refuse("Unsqueeze", {"x": x}, {"a": int64({-4: -5, 3: 4}.get(axis, axis))}, {}, "axis")
            self.refuse("Pad", {"x": x}, {"p": int64(0, 1), "v": scalar(0, np.float32), "a": int64(axis)}, {}, "axis")
            self.refuse("Slice", {"x": x}, {"s": int64(0), "e": int64(1), "a": int64(axis)}, {}, "axis")
            self.refuse("MeanVarianceNormalization", {"x": x}, {}, {"axes": [axis]}, "axis")
            self.refuse("Resize", {"x": x}, {"s": int64(2)}, {"axes": [axis], "order": ["x", "", "", "s"]}, "axis")
            self.refuse("CenterCropPad", {"x": x}, {"s": int64(2)}, {"axes": [axis]}, "axis")


if __name__ == "__main__":
    unittest.main()
