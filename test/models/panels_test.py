"""Products by constants in panels, at sizes that fill no panel, tile or vector: against NumPy in double precision.

One model has a product for each pair of sizes, as it is, and as Gemm with a transposed constant, a batch of matrices,
and a tied embedding, whose rows are looked up as well. Each level of CPUs runs it with several numbers of rows; with
narrow types, and in the simulator, where CUDA kernels read the panels of the CPUs, it runs at fewer.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnx
from onnx import TensorProto, helper

import trained

SIZES = [1, 3, 7, 17, 33, 127, 255, 1025]
WIDE = [16, 31, 47, 64, 127, 255, 1000, 1025]  # columns for each of SIZES, most of which lie in panels
ROWS = [1, 3, 17, 65]
WORDS, HIDDEN = 1030, 33


def random_numbers(seed, *dims):
    return np.random.default_rng(seed).standard_normal(dims, np.float32)


def weight(seed, *dims, inner):
    return random_numbers(seed, *dims) / np.float32(inner**0.5)


class Model:
    """The graph as it grows, with what each output should be as a function of the inputs."""

    def __init__(self):
        self.nodes, self.constants, self.expected = [], [], {}

    def add(self, operator, inputs, output, expect, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        self.expected[output] = expect

    def constant(self, name, values):
        self.constants.append(onnx.numpy_helper.from_array(values, name))
        return values.astype(np.float64)


def make_model():
    model = Model()
    for inner, columns in zip(SIZES, WIDE):
        w = model.constant(f"w{inner}", weight(1, inner, columns, inner=inner))
        t = model.constant(f"t{inner}", weight(2, columns, inner, inner=inner))
        b = model.constant(f"b{inner}", random_numbers(3, columns))
        model.add("MatMul", [f"x{inner}", f"w{inner}"], f"matmul_{inner}",
                  lambda feed, inner=inner, w=w: feed[f"x{inner}"] @ w)
        model.add("Gemm", [f"x{inner}", f"t{inner}", f"b{inner}"], f"gemm_{inner}",
                  lambda feed, inner=inner, t=t, b=b: feed[f"x{inner}"] @ t.T + b, transB=1)
    batch = model.constant("batch", weight(4, 3, 17, 33, inner=17))
    model.add("MatMul", ["x17", "batch"], "batched", lambda feed: feed["x17"] @ batch)
    table = model.constant("table", weight(5, WORDS, HIDDEN, inner=HIDDEN))
    model.add("Gather", ["table", "words"], "looked_up", lambda feed: table[feed["words"]], axis=0)
    model.add("Gemm", ["looked_up", "table"], "scores", lambda feed: table[feed["words"]] @ table.T, transB=1)
    values = [helper.make_tensor_value_info(f"x{inner}", TensorProto.FLOAT, ["n", inner]) for inner in SIZES]
    values.append(helper.make_tensor_value_info("words", TensorProto.INT64, ["n"]))
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in model.expected]
    graph = helper.make_graph(model.nodes, "panels", values, outputs, model.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model.expected


def run(artifact, feed, device):
    """The outputs by name."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        command = ["dscc-run", artifact, f"--device={device}", "--output", folder / "out"]
        for name, array in feed.items():
            np.save(folder / f"{name}.npy", array)
            command += ["--input", f"{name}={folder / name}.npy"]
        child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if child.returncode != 0:
            raise AssertionError(f"exit {child.returncode}: {child.stderr}")
        return {path.stem: np.load(path) for path in (folder / "out").glob("*.npy")}


class PanelsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name) / "panels.onnx"
        model, cls.expected = make_model()
        onnx.save(model, cls.path)

    def check(self, device, rows, *options, tolerance=1e-5):
        artifact = self.path.with_name(f"{self.id()}.so")
        trained.compile_model(self.path, artifact, *options)
        for count in rows:
            feed = {f"x{inner}": random_numbers(count, count, inner) for inner in SIZES}
            feed["words"] = np.random.default_rng(count).integers(0, WORDS, count)
            results = run(artifact, feed, device)
            for name, expect in self.expected.items():
                with self.subTest(rows=count, output=name):
                    exact = expect({key: value.astype(np.float64) if value.dtype == np.float32 else value
                                    for key, value in feed.items()})
                    self.assertEqual(results[name].shape, exact.shape)
                    np.testing.assert_allclose(results[name], exact, rtol=0, atol=tolerance * max(1, np.abs(exact).max()))

    def test_v4(self):
        self.check("cpu", ROWS, "--target=cpu", "--march=x86-64-v4")

    def test_v3(self):
        self.check("cpu", ROWS, "--target=cpu", "--march=x86-64-v3")

    def test_fp16(self):
        self.check("cpu", ROWS[:2], "--target=cpu", "--precision=fp16", tolerance=5e-3)

    def test_bf16(self):
        self.check("cpu", ROWS[:2], "--target=cpu", "--precision=bf16", tolerance=4e-2)

    def test_simulator(self):
        self.check("sim", [3], "--arch=sm_80", "--march=x86-64-v4")


if __name__ == "__main__":
    unittest.main()
