"""RNN, GRU and LSTM with random settings, sizes and lengths, against ONNX Runtime."""

import itertools
import pathlib
import random
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime

import trained

sys.path.insert(0, str(trained.ROOT / "runtime" / "python"))

import dscc

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
# Name, and how many of alpha and beta it takes.
ACTIVATIONS = [("Tanh", 0), ("Sigmoid", 0), ("Relu", 0), ("Affine", 2), ("LeakyRelu", 1), ("ThresholdedRelu", 1),
               ("ScaledTanh", 2), ("HardSigmoid", 2), ("Elu", 1), ("Softsign", 0), ("Softplus", 0)]
SIZES = [1, 2, 3, 7, 8, 15, 16, 17, 33]


def settings(draw, kind):
    """The attributes of one layer, and which of its inputs there are."""
    direction = draw.choice(["forward", "reverse", "bidirectional"])
    directions = 2 if direction == "bidirectional" else 1
    attributes = {"direction": direction}
    if draw.random() < 0.6:
        chosen = [draw.choice(ACTIVATIONS) for _ in range(FUNCTIONS[kind] * directions)]
        if draw.random() < 0.5:
            chosen = chosen[:FUNCTIONS[kind]] * directions
        attributes["activations"] = [name for name, _ in chosen]
        attributes["activation_alpha"] = [draw.uniform(0.1, 0.9) for _, count in chosen if count > 0]
        attributes["activation_beta"] = [draw.uniform(0.1, 0.9) for _, count in chosen if count > 1]
    if draw.random() < 0.3:
        attributes["clip"] = draw.uniform(0.3, 2)
    if kind == "GRU":
        attributes["linear_before_reset"] = draw.randrange(2)
    if kind == "LSTM":
        attributes["input_forget"] = draw.randrange(2) if draw.random() < 0.3 else 0
    has = {name: draw.random() < 0.5 for name in ("B", "lengths", "h", "c", "P")}
    return {name: value for name, value in attributes.items() if value != []}, directions, has


def write_layer(path, draw, kind, units, inputs, constant_weights):
    """One layer with symbolic time and batch; the values of its weights are returned by name."""
    attributes, directions, has = settings(draw, kind)
    attributes["hidden_size"] = units
    gates = GATES[kind]
    generator = np.random.default_rng(draw.getrandbits(32))
    make = lambda *shape: generator.normal(0, 1 / np.sqrt(units), shape).astype(np.float32)
    weights = {"W": make(directions, gates * units, inputs), "R": make(directions, gates * units, units)}
    if has["B"]:
        weights["B"] = make(directions, 2 * gates * units)
    if has["P"] and kind == "LSTM":
        weights["P"] = make(directions, 3 * units)
    runtime = {"X": ["time", "batch", inputs]}
    if has["lengths"]:
        runtime["lengths"] = ["batch"]
    if has["h"]:
        runtime["h"] = [directions, "batch", units]
    if has["c"] and kind == "LSTM":
        runtime["c"] = [directions, "batch", units]
    names = ["X", "W", "R", "B", "lengths", "h"] + (["c", "P"] if kind == "LSTM" else [])
    names = [name if name in weights or name in runtime else "" for name in names]
    while not names[-1]:
        names.pop()
    values = [helper.make_tensor_value_info(
        name, TensorProto.INT32 if name == "lengths" else TensorProto.FLOAT, dims) for name, dims in runtime.items()]
    if not constant_weights:
        values += [helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape)
                   for name, array in weights.items()]
    outputs = ["Y", "Yh"] + (["Yc"] if kind == "LSTM" else [])
    wanted = [name for name in outputs if draw.random() < 0.7] or ["Y"]
    node = helper.make_node(kind, names, [name if name in wanted else "" for name in outputs], name="layer",
                            **attributes)
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in wanted]
    graph = helper.make_graph(
        [node], "layer", values, results,
        [numpy_helper.from_array(array, name) for name, array in weights.items()] if constant_weights else [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return runtime, {} if constant_weights else weights, attributes


def feed(draw, runtime, time, batch):
    generator = np.random.default_rng(draw.getrandbits(32))
    sizes = {"time": time, "batch": batch}
    values = {}
    for name, dims in runtime.items():
        shape = [sizes.get(dim, dim) for dim in dims]
        values[name] = generator.integers(1, time + 1, shape).astype(np.int32) if name == "lengths" else \
            generator.normal(0, 1, shape).astype(np.float32)
    return values


class RecurrentTest(unittest.TestCase):
    COUNT, OPTIONS, DEVICE = 24, ["--target=cpu"], "cpu"

    def test_random_layers(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, kind in zip(range(self.COUNT), itertools.cycle(GATES)):
                with self.subTest(number=number, kind=kind):
                    self.check(pathlib.Path(folder) / f"{number}.onnx", random.Random(number), kind)

    def check(self, path, draw, kind):
        units, inputs = draw.choice(SIZES), draw.choice(SIZES)
        runtime, weights, attributes = write_layer(path, draw, kind, units, inputs, draw.random() < 0.7)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        trained.compile_model(path, path.with_suffix(".so"), *self.OPTIONS)
        model = dscc.Model(str(path.with_suffix(".so")), device=self.DEVICE)
        # Gates without bounds let states grow beyond all numbers.
        names_of_gates = attributes.get("activations", [])[::FUNCTIONS[kind]] if kind != "RNN" else []
        is_bounded = all(name in ("Sigmoid", "HardSigmoid") for name in names_of_gates)
        shapes = [(1, 1), (5, 3), (draw.choice(SIZES), draw.choice(SIZES))] if is_bounded else [(1, 1), (2, 5)]
        for time, batch in shapes:
            values = feed(draw, runtime, time, batch) | weights
            expected = dict(zip(names, session.run(None, values)))
            actual = model.run(values)
            for name in names:
                # ONNX Runtime's own activations are good to about 1e-5.
                largest = max(1, np.abs(expected[name]).max(initial=0))
                np.testing.assert_allclose(actual[name], expected[name], rtol=1e-3, atol=3e-5 * largest,
                                           err_msg=f"{name} of {kind} {attributes} at time {time}, batch {batch}, "
                                                   f"{units} units")


if __name__ == "__main__":
    unittest.main()
