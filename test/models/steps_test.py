"""Groups of several kernels, clusters and results against ONNX Runtime, at odd sizes, on the CPU and in the simulator.

Few tiles with a long inner dim and few long rows are what a GPU splits over several kernels or clusters of blocks: the
test sees to it that it does, and forces each way of sharing a row. A sum that goes on and is normalised too is one
kernel with two results.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnxruntime

from graph_builder import GraphBuilder

TOLERANCE = 2e-5  # of the largest number of an output


def product(build, rows, inner, columns):
    x = build.input("x", np.float32, [rows, inner])
    y = build.node("MatMul", x, build.weight((inner, columns)))
    y = build.node("Add", y, build.weight((columns,)))
    build.output(build.node("Relu", y), "y", None)


def convolution(build, channels, wanted, size):
    x = build.input("x", np.float32, [1, channels, size, size])
    build.output(build.node("Conv", x, build.weight((wanted, channels, 3, 3)), pads=[1, 1, 1, 1]), "y", None)


def rows(build, op, count, length, **attributes):
    x = build.input("x", np.float32, [count, length])
    build.output(build.node(op, x, **attributes), "y", None)


def norm(build, count, length):
    x = build.input("x", np.float32, [count, length])
    total = build.node("Add", x, build.weight((length,)))
    y = build.node("LayerNormalization", total, build.weight((length,)), build.weight((length,)), axis=-1)
    y = build.node("MatMul", y, build.weight((length, length)))
    build.output(build.node("Add", y, total), "y", None)


# name, what builds it, its arguments, values of "m", and how the GPU is expected to share the work at the first of these
CASES = [
    ("product", product, ("m", 1025, 33), (1, 3, 65), "steps"),
    ("product_fixed", product, (7, 2049, 127), (1,), "steps"),
    ("convolution", convolution, (257, 33, 7), (1,), "steps"),
    ("softmax", lambda b, *a: rows(b, "Softmax", *a, axis=-1), ("m", 30001), (1, 3), "steps"),
    ("log_softmax", lambda b, *a: rows(b, "LogSoftmax", *a, axis=-1), (3, 30001), (1,), "steps"),
    ("mean", lambda b, *a: rows(b, "ReduceMean", *a, axes=[0, 1]), (255, 257), (1,), "steps"),
    ("most", lambda b, *a: rows(b, "ReduceMax", *a, axes=[1]), ("m", 65537), (1, 2), "steps"),
    ("norm", norm, ("m", 257), (1, 7, 33), None),
]


def run(test, folder, artifact, device, x):
    command = ["dscc-run", artifact, "--input", f"x={folder / 'x.npy'}", "--output", folder / "out", f"--device={device}"]
    np.save(folder / "x.npy", x)
    done = subprocess.run(command + (["--sim-check=all"] if device == "sim" else []), capture_output=True, text=True)
    test.assertEqual(done.returncode, 0, f"{artifact} {x.shape} {device}: {done.stderr}")
    test.assertNotIn("dscc-sim:", done.stderr)
    return np.load(folder / "out" / "y.npy")


class Steps(unittest.TestCase):
    def check(self, folder, name, make, arguments, sizes, splits):
        build = GraphBuilder(opset=17, seed=len(name))
        make(build, *arguments)
        path = folder / f"{name}.onnx"
        build.save(path)
        artifact = path.with_suffix(".so")
        subprocess.run(["dscc", path, "-o", artifact, "--march=x86-64-v3", "--arch=sm_80"], check=True, capture_output=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for size in sizes:
            dims = [size if isinstance(dim, str) else dim for dim in session.get_inputs()[0].shape]
            x = np.random.default_rng(size).standard_normal(dims, np.float32)
            expected = session.run(None, {"x": x})[0]
            for device in ("cpu", "sim"):
                with self.subTest(case=name, size=size, device=device):
                    got = run(self, folder, artifact, device, x)
                    worst = np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-3)
                    self.assertLess(worst, TOLERANCE)
            if splits and size == sizes[0]:
                named = ["--dim", f"m={size}"] if "m" in session.get_inputs()[0].shape else []
                stats = subprocess.run(["dscc-run", artifact, "--device=sim", "--stats=json", *named],
                                       capture_output=True, text=True, check=True).stdout
                self.assertEqual(stats.count("_step1") > 0, splits == "steps", f"{name} {size}")

    def test_cases(self):
        with tempfile.TemporaryDirectory() as folder:
            for case in CASES:
                self.check(pathlib.Path(folder), *case)

    def check_forced(self, folder, build, ways, x):
        """Each of the ways, given by hand, for the model's one group."""
        path = pathlib.Path(folder) / "model.onnx"
        build.save(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        expected = session.run(None, {"x": x})[0]
        module = subprocess.run(["dscc", path, "--target=cuda", "--arch=sm_90a", "--until=scheduled", "-o", "-"],
                                capture_output=True, text=True, check=True).stdout
        for way in ways:
            with self.subTest(dims=x.shape, way=way):
                text, changed = re.subn(r"#dsc\.schedule<[^>]*>", f"#dsc.schedule<{way}>", module, count=1)
                self.assertEqual(changed, 1)
                forced, artifact = path.with_suffix(".mlir"), path.with_suffix(".so")
                forced.write_text(text)
                subprocess.run(["dscc", forced, "-o", artifact, "--target=cuda", "--arch=sm_90a"], check=True, capture_output=True)
                got = run(self, path.parent, artifact, "sim", x)
                self.assertLess(np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-3), TOLERANCE)

    def test_forced_rows(self):
        """Every way of sharing a row, at lengths around the numbers of threads; more parts than elements, too. Lanes of
        a thread are whole."""
        with tempfile.TemporaryDirectory() as folder:
            for length in (1, 3, 33, 255, 257, 1025, 4097, 8, 96, 264, 2052, 16384):
                ways = []
                for width in (width for width in (1, 2, 4, 8) if length % width == 0):
                    ways += [f"rows, accumulators = 4, width = {width}"]
                    ways += [f"split_rows, parts = {parts}, width = {width}" for parts in (2, 64)]
                    ways += [f"block_rows, blocks = {blocks}, warps = {warps}, width = {width}"
                             for blocks, warps in ((1, 1), (1, 2), (1, 8), (1, 16), (2, 4), (8, 8))]
                build = GraphBuilder(opset=17, seed=length)
                rows(build, "Softmax", 3, length, axis=-1)
                self.check_forced(folder, build, ways, np.random.default_rng(length).standard_normal((3, length), np.float32))

    def test_forced_tiles(self):
        ways = [f"split_tiles, columns = 64, parts = {parts}, rows = 64, slice = 16" for parts in (2, 3, 64)]
        with tempfile.TemporaryDirectory() as folder:
            for inner in (1, 3, 17, 33, 127, 1025):
                build = GraphBuilder(opset=17, seed=inner)
                # A text has no weights.
                x = build.input("x", np.float32, [65, inner])
                y = build.node("MatMul", x, build.node("Transpose", x))
                build.output(build.node("Relu", y), "y", None)
                self.check_forced(folder, build, ways, np.random.default_rng(inner).standard_normal((65, inner), np.float32))

    def test_second_result(self):
        """Three groups would be an addition, a norm and a product with its addition; the first two are one."""
        with tempfile.TemporaryDirectory() as folder:
            build = GraphBuilder(opset=17, seed=1)
            norm(build, "m", 257)
            path = pathlib.Path(folder) / "norm.onnx"
            build.save(path)
            module = subprocess.run(["dscc", path, "--target=cpu", "--march=x86-64-v3", "--until=grouped", "-o", "-"],
                                    capture_output=True, text=True, check=True).stdout
        self.assertEqual(module.count("dsc.group"), 2)


if __name__ == "__main__":
    unittest.main()
