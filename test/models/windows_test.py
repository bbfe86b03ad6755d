"""Joins and splits in place against ONNX Runtime: blocks of vision models, and random graphs of joins, parts and reshapes.

    python windows_test.py             as the tests run it
    python windows_test.py 100 250     the random graphs of these seeds only

Each graph is compiled once, with its batch and height left open, and runs on the CPU and in the simulator, which checks
every access, at odd sizes.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnxruntime

import window_models
from graph_builder import GraphBuilder

SEEDS = range(12)
TOLERANCE = 2e-5  # of the largest number of an output
SIZES = [(1, 1), (2, 7), (3, 18)]


class RandomGraph:
    """Tensors of [batch, channels, height, width], each as (name, channels, height as a factor, width)."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.build = GraphBuilder(opset=17, seed=seed)
        width = int(self.random.integers(1, 9))
        self.values = [(self.build.input("x", np.float32, ["batch", 5, "height", width]), 5, 1, width)]
        self.build.output(self.build.node("Identity", "x"), "copy", None)
        for _ in range(int(self.random.integers(8, 24))):
            getattr(self, self.random.choice(["conv", "conv", "join", "join", "split", "elementwise", "reshape", "twice"]))()
        used = {name for node in self.build._nodes for name in node.input}
        for number, (name, *_) in enumerate(self.values[1:]):
            if name not in used or self.random.random() < 0.15:
                self.build.output(self.build.node("Relu", name) if self.random.random() < 0.3 else name, f"y{number}", None)

    def pick(self):
        return self.values[int(self.random.integers(max(0, len(self.values) - 6), len(self.values)))]

    def conv(self):
        x, channels, height, width = self.pick()
        size, wanted = int(self.random.choice([1, 3])), int(self.random.integers(1, 9))
        activation = self.random.choice(["Relu", "Silu", None])
        y = window_models.conv(self.build, x, channels, wanted, size, activation=activation)
        self.values.append((y, wanted, height, width))

    def join(self):
        x = self.pick()
        axis = int(self.random.choice([1, 1, 1, 2, 3]))
        alike = [y for y in self.values if all(y[i] == x[i] for i in (1, 2, 3) if i != axis)]
        parts = [alike[i] for i in self.random.integers(0, len(alike), int(self.random.integers(2, 5)))]
        joined = [sum(part[i] for part in parts) if i == axis else x[i] for i in (1, 2, 3)]
        y = self.build.node("Concat", *(part[0] for part in parts), axis=axis)
        if joined[0] * joined[1] * joined[2] < 2000:
            self.values.append((y, *joined))

    def split(self):
        x, channels, height, width = self.pick()
        axis = 1 if channels > 1 else 3
        whole = channels if axis == 1 else width
        if whole < 2:
            return
        first = int(self.random.integers(1, whole))
        parts = self.build.node("Split", x, self.build.integers(first, whole - first), outputs=2, axis=axis)
        for part, size in zip(parts, (first, whole - first)):
            self.values.append((part, size, height, width) if axis == 1 else (part, channels, height, size))

    def elementwise(self):
        x, *dims = self.pick()
        other = [y for y in self.values if list(y[1:]) == dims]
        if self.random.random() < 0.5:
            y = self.build.node("Add", x, other[int(self.random.integers(0, len(other)))][0])
        else:
            y = self.build.node(str(self.random.choice(["Sigmoid", "Tanh", "Relu", "Neg"])), x)
        self.values.append((y, *dims))

    def reshape(self):
        """To channels of another width, or with channels and rows moved together and apart again."""
        x, channels, height, width = self.pick()
        if self.random.random() < 0.5:
            y = self.build.node("Reshape", x, self.build.integers(0, channels, -1))
            y = self.build.node("Softmax", y, axis=1) if self.random.random() < 0.5 else y
            y = self.build.node("Reshape", y, self.build.integers(0, channels, -1, width))
            self.values.append((y, channels, height, width))
        else:
            y = self.build.node("Reshape", x, self.build.integers(0, channels * width, -1, 1))
            self.values.append((y, channels * width, height, 1))

    def twice(self):
        """What begins like another join, in part."""
        x = self.pick()
        parts = [y for y in self.values[1:] if y[2:] == x[2:]][-4:]
        for count in range(2, len(parts) + 1):
            if sum(part[1] for part in parts[:count]) < 60:
                y = self.build.node("Concat", *(part[0] for part in parts[:count]), axis=1)
                self.values.append((y, sum(part[1] for part in parts[:count]), *x[2:]))


def check_sizes(test, path, dims, seed, sizes, *options, tolerance=TOLERANCE):
    """On both devices, at all sizes: values of the two dims of the input x that are names, in their order."""
    artifact = path.with_suffix(".so")
    subprocess.run(["dscc", path, "-o", artifact, "--march=x86-64-v3", "--arch=sm_80", *options], check=True, capture_output=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    names_of_dims = [dim for dim in dims if isinstance(dim, str)]
    for values in sizes if names_of_dims else [(1, 1)]:
        known = dict(zip(names_of_dims, values))
        own = [known.get(dim, dim) for dim in dims]
        x = np.random.default_rng(seed + values[1]).standard_normal(own, np.float32)
        expected = session.run(None, {"x": x})
        np.save(path.parent / "x.npy", x)
        for device in ("cpu", "sim"):
            command = ["dscc-run", artifact, "--input", f"x={path.parent / 'x.npy'}", "--output", path.parent / "out",
                       f"--device={device}", *(["--sim-check=all"] if device == "sim" else [])]
            done = subprocess.run(command, capture_output=True, text=True)
            test.assertEqual(done.returncode, 0, f"{path.stem} {own} {device}: {done.stderr}")
            test.assertNotIn("dscc-sim:", done.stderr)
            for name, wanted in zip(names, expected):
                got = np.load(path.parent / "out" / f"{name}.npy")
                test.assertEqual(got.shape, wanted.shape)
                worst = np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-6)
                test.assertLess(worst, tolerance, f"{path.stem} {own} {device} {name}")


def check(test, path, dims, seed):
    check_sizes(test, path, dims, seed, SIZES)


class Windows(unittest.TestCase):
    def test_blocks(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in window_models.BLOCKS:
                for dims in (window_models.DIMS, (2, 6, 7, 11)):
                    with self.subTest(block=name, dims=dims):
                        path = pathlib.Path(folder) / f"{name}.onnx"
                        window_models.write_model(name, path, dims)
                        check(self, path, dims, 1)

    def test_random_graphs(self):
        joins = 0
        with tempfile.TemporaryDirectory() as folder:
            for seed in SEEDS:
                with self.subTest(seed=seed):
                    path = pathlib.Path(folder) / f"random{seed}.onnx"
                    graph = RandomGraph(seed)
                    graph.build.save(path)
                    check(self, path, ["batch", 5, "height", graph.values[0][3]], seed)
                    module = subprocess.run(["dscc", path, "--target=cpu", "--until=grouped", "-o", "-"],
                                            capture_output=True, text=True, check=True).stdout
                    joins += module.count("in_place")
        self.assertGreater(joins, len(SEEDS))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        SEEDS = range(int(sys.argv.pop(1)), int(sys.argv.pop(1)))
        unittest.main(defaultTest="Windows.test_random_graphs")
    unittest.main()
