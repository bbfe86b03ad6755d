"""Recurrent layers in all ways that run_models knows: what every kernel computes, and that none leaves its tensors."""

import itertools
import pathlib
import random
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "models"))

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
import onnxruntime

import recurrent_test
import run_models

GATES = recurrent_test.GATES


def run_onnxruntime(model, arrays):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, arrays)))


def make_layer(kind, values, outputs, element=TensorProto.FLOAT, domain="", **attributes):
    """One node. `values`: {name: array or dims or None} in the operator's order; arrays are constants, dims inputs."""
    constants = [numpy_helper.from_array(value, name) for name, value in values.items() if isinstance(value, np.ndarray)]
    inputs = {name: (TensorProto.INT32 if name == "lengths" else element, value) for name, value in values.items()
              if isinstance(value, list)}
    node = helper.make_node(kind, ["" if value is None else name for name, value in values.items()], list(outputs),
                            name="layer", domain=domain, **attributes)
    model = run_models.make_model([node], inputs, {name: (element, dims) for name, dims in outputs.items()}, 14,
                                  constants, 8)
    if domain:
        model.opset_import.append(helper.make_opsetid(domain, 1))
    return model


class RecurrentNumbersTest(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(11)

    def weights(self, kind, units, inputs, directions=1, dtype=np.float32):
        shapes = {"W": (directions, GATES[kind] * units, inputs), "R": (directions, GATES[kind] * units, units),
                  "B": (directions, 2 * GATES[kind] * units)}
        return {name: self.random.normal(0, 0.4, shape).astype(dtype) for name, shape in shapes.items()}

    def check(self, model, arrays, expected, rtol=1e-3, atol=3e-5):
        for way, index, found in run_models.run_model(model, arrays):
            for name, value in expected[index].items():
                with self.subTest(way=way, index=index, output=name):
                    np.testing.assert_allclose(found[name].astype(np.float64), value, rtol=rtol, atol=atol)

    def test_random_layers(self):
        """Some like those of the models' test; at two steps even gates without bounds do not grow beyond all numbers."""
        with tempfile.TemporaryDirectory() as folder:
            for number, kind in zip(range(40, 46), itertools.cycle(GATES)):
                draw = random.Random(number)
                path = pathlib.Path(folder) / f"{number}.onnx"
                units, inputs = draw.choice(recurrent_test.SIZES), draw.choice(recurrent_test.SIZES)
                runtime, weights, attributes = recurrent_test.write_layer(path, draw, kind, units, inputs, number % 2)
                arrays = [recurrent_test.feed(draw, runtime, time, batch) | weights for time, batch in [(1, 1), (2, 5)]]
                model = onnx.load(path)
                expected = [run_onnxruntime(model, one) for one in arrays]
                with self.subTest(number=number, kind=kind, attributes=attributes):
                    largest = max(1, *(np.abs(value).max() for one in expected for value in one.values()))
                    self.check(model, arrays, expected, atol=3e-5 * largest)

    def test_halves(self):
        """States are carried in single precision: only the gates' product and the results are rounded to halves."""
        for kind in GATES:
            weights = self.weights(kind, 17, 5, 2, np.float16)
            values = {"X": ["t", "n", 5]} | weights
            outputs = {"Y": ["t", 2, "n", 17], "Yh": [2, "n", 17]}
            x = [self.random.normal(0, 1, (6, 3, 5)).astype(np.float16)]
            wide = make_layer(kind, values | {name: array.astype(np.float32) for name, array in weights.items()}, outputs,
                              hidden_size=17, direction="bidirectional")
            expected = [run_onnxruntime(wide, {"X": one.astype(np.float32)}) for one in x]
            model = make_layer(kind, values, outputs, TensorProto.FLOAT16, hidden_size=17, direction="bidirectional")
            self.check(model, [{"X": one} for one in x], expected, rtol=4e-3, atol=4e-3)

    def test_doubles(self):
        """All the way: to about 1e-15, which no single product of floats would be."""
        for kind in GATES:
            values = {"X": ["t", "n", 5]} | self.weights(kind, 9, 5, dtype=np.float64)
            outputs = {"Y": ["t", 1, "n", 9], "Yh": [1, "n", 9]}
            model = make_layer(kind, values, outputs, TensorProto.DOUBLE, hidden_size=9,
                               **({"linear_before_reset": 1} if kind == "GRU" else {}))
            x = self.random.normal(0, 1, (6, 3, 5))
            expected = dict(zip(outputs, ReferenceEvaluator(model).run(None, {"X": x})))
            self.check(model, [{"X": x}], [expected], rtol=1e-12, atol=1e-12)

    def test_lengths(self):
        """Rows without steps are zeros and end in their first state; beyond the time, and below 0, nothing is read."""
        lengths = np.int32([0, 6, 7, 2**31 - 1, -1, -(2**31), 3])
        for kind, direction in itertools.product(GATES, ("forward", "reverse", "bidirectional")):
            directions = 2 if direction == "bidirectional" else 1
            values = {"X": ["t", "n", 4]} | self.weights(kind, 5, 4, directions)
            values |= {"lengths": ["n"], "h": [directions, "n", 5]} | ({"c": [directions, "n", 5]} if kind == "LSTM" else {})
            outputs = {"Y": ["t", directions, "n", 5], "Yh": [directions, "n", 5]}
            outputs |= {"Yc": [directions, "n", 5]} if kind == "LSTM" else {}
            model = make_layer(kind, values, outputs, hidden_size=5, direction=direction)
            arrays = {"X": self.random.normal(0, 1, (6, 7, 4)).astype(np.float32), "lengths": lengths}
            arrays |= {name: self.random.normal(0, 1, (directions, 7, 5)).astype(np.float32) for name in ("h", "c")
                       if name in values}
            # ONNX Runtime takes 1 to 6 only.
            expected = run_onnxruntime(model, arrays | {"lengths": np.clip(lengths, 1, 6)})
            for row in np.flatnonzero(lengths < 1):
                expected["Y"][:, :, row] = 0
                for name in ("h", "c"):
                    if name in arrays:
                        expected[f"Y{name}"][:, row] = arrays[name][:, row]
            with self.subTest(kind=kind, direction=direction):
                self.check(model, [arrays], [expected])

    def check_quantized(self, dtype, zero_points, per_column, peepholes):
        units, inputs, directions = 7, 5, 2
        quantized = {"W": (directions, inputs, 4 * units), "R": (directions, units, 4 * units)}
        values = {"X": ["t", "n", inputs]}
        low = np.iinfo(dtype).min
        values |= {name: self.random.integers(low, low + 256, shape).astype(dtype) for name, shape in quantized.items()}
        values |= {"B": self.random.normal(0, 0.4, (directions, 8 * units)).astype(np.float32), "lengths": None, "h": None,
                   "c": None, "P": None}
        if peepholes:
            values["P"] = self.random.normal(0, 0.4, (directions, 3 * units)).astype(np.float32)
        shape = (directions, 4 * units) if per_column else (directions,)
        for name in quantized:
            values[f"{name}_scale"] = self.random.uniform(0.002, 0.006, shape).astype(np.float32)
            values[f"{name}_zero"] = np.full(shape, 0, dtype)
            if zero_points:
                values[f"{name}_zero"] = self.random.integers(low + 100, low + 156, shape).astype(dtype)
        outputs = {"Y": ["t", directions, "n", units], "Yh": [directions, "n", units], "Yc": [directions, "n", units]}
        attributes = {"hidden_size": units, "direction": "bidirectional"}
        model = make_layer("DynamicQuantizeLSTM", values, outputs, domain="com.microsoft", **attributes)

        floats = dict(list(values.items())[:8])
        for name in quantized:
            spread = [values[f"{name}_{what}"].reshape(directions, 1, -1).astype(np.float32) for what in ("scale", "zero")]
            floats[name] = ((values[name].astype(np.float32) - spread[1]) * spread[0]).transpose(0, 2, 1).copy()
        x = self.random.normal(0, 1, (6, 3, inputs)).astype(np.float32)
        expected = run_onnxruntime(make_layer("LSTM", floats, outputs, **attributes), {"X": x})
        self.check(model, [{"X": x}], [expected])

    def test_quantized_weights(self):
        for dtype, zero_points, per_column, peepholes in [(np.int8, False, False, False), (np.int8, True, True, False),
                                                          (np.uint8, True, False, True), (np.int8, False, True, True),
                                                          (np.uint8, False, True, False)]:
            with self.subTest(dtype=dtype, zero_points=zero_points, per_column=per_column, peepholes=peepholes):
                self.check_quantized(dtype, zero_points, per_column, peepholes)


if __name__ == "__main__":
    unittest.main()
