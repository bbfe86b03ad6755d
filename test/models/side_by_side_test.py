"""Groups that share a launch against ONNX Runtime, in the simulator with all its checks.

Parts are of equal work or not, of one kernel or of several with a workspace, of products, rows and elements, with dims
that are known and others that only a run knows. The number of launches tells that they are shared.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnxruntime

from graph_builder import GraphBuilder

TOLERANCE = {"fp32": 2e-5, "fp16": 4e-3}


def products(rows, inner, columns, biased=True):
    """Projections of one input to so many columns each, with a bias and an activation of some of them."""
    build = GraphBuilder(opset=17, seed=inner)
    x = build.input("x", np.float32, [rows, inner])
    for number, count in enumerate(columns):
        y = build.node("MatMul", x, build.weight((inner, count)))
        if biased:
            y = build.node("Add", y, build.weight((count,)))
        if number == 1:
            y = build.node("Relu", y)
        build.output(y, f"y{number}", None)
    return build


def rows_and_elements(rows, length):
    """Two norms of different inputs share a launch, and so do two chains of elements."""
    build = GraphBuilder(opset=17, seed=length)
    x = build.input("x", np.float32, [rows, length])
    z = build.input("z", np.float32, [rows, length])
    for number, value in enumerate((x, z)):
        build.output(build.node("Softmax", value, axis=-1), f"s{number}", None)
    build.output(build.node("Sigmoid", build.node("Add", x, z)), "sum", None)
    build.output(build.node("Transpose", build.node("Relu", z), perm=[1, 0]), "turned", None)
    return build


def parts_of_a_join(rows, length):
    """Both parts of a join are written by one launch, into windows of it; what follows reads windows of a split."""
    build = GraphBuilder(opset=17, seed=length)
    x = build.input("x", np.float32, [rows, length])
    left, right = (build.node("MatMul", x, build.weight((length, count))) for count in (24, 40))
    joined = build.node("Relu", build.node("Concat", left, right, axis=1))
    first, second = build.node("Split", joined, build.integers(32, 32), outputs=2, axis=1)
    build.output(build.node("MatMul", first, build.weight((32, 16))), "y0", None)
    build.output(build.node("MatMul", second, build.weight((32, 16))), "y1", None)
    return build


class SideBySide(unittest.TestCase):
    def check(self, build, sizes, launches, precision="fp32", archs=("sm_80", "sm_90a")):
        """`launches`: at most so many. Without shared launches there are more."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            build.save(folder / "m.onnx")
            session = onnxruntime.InferenceSession(folder / "m.onnx", providers=["CPUExecutionProvider"])
            for arch in archs:
                self.compile(folder, "m.so", arch, precision)
                self.compile(folder, "apart.so", arch, precision, "--disable=join-launches")
                for size in sizes:
                    with self.subTest(arch=arch, size=size):
                        inputs = self.inputs(session, size)
                        expected = dict(zip([y.name for y in session.get_outputs()], session.run(None, inputs)))
                        got, count = self.run_artifact(folder, "m.so", arch, inputs)
                        alone, more = self.run_artifact(folder, "apart.so", arch, inputs)
                        self.assertLessEqual(count, launches)
                        self.assertGreater(more, count)
                        for name, value in expected.items():
                            scale = np.abs(value).max()
                            for mine in (got[name], alone[name]):
                                self.assertEqual(mine.shape, value.shape)
                                self.assertLess(np.abs(mine.astype(np.float64) - value).max() / scale, TOLERANCE[precision])

    def inputs(self, session, size):
        random = np.random.default_rng(7)
        return {x.name: random.standard_normal([size if isinstance(dim, str) else dim for dim in x.shape], np.float32)
                for x in session.get_inputs()}

    def compile(self, folder, artifact, arch, precision, *options):
        done = subprocess.run(["dscc", folder / "m.onnx", "-o", folder / artifact, "--target=cuda", f"--arch={arch}",
                               f"--precision={precision}", *options], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def run_artifact(self, folder, artifact, arch, inputs):
        command = ["dscc-run", folder / artifact, "--output", folder / "out", "--device=sim", "--sim-check=all",
                   f"--sim-chip={arch.rstrip('a')}", "--stats=json"]
        for name, value in inputs.items():
            np.save(folder / f"{name}.npy", value)
            command += ["--input", f"{name}={folder / name}.npy"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("dscc-sim:", done.stderr)
        kernels = json.loads(done.stdout[done.stdout.index('{"statistics"'):])["statistics"]["kernels"]
        return {file.stem: np.load(file) for file in (folder / "out").glob("*.npy")}, sum(k["launches"] for k in kernels)

    def test_equal_products(self):
        self.check(products(33, 48, [64, 64, 64]), [0], 3)  # two of which are unlike

    def test_unlike_products(self):
        self.check(products(17, 64, [192, 64, 63, 1000]), [0], 3)

    def test_products_of_one_row(self):
        """Their sums are split, so there is a workspace, which each part has some of."""
        self.check(products(1, 1024, [96, 96, 33]), [0], 4)

    def test_matrix_instructions(self):
        self.check(products(33, 64, [64, 64, 64], biased=False), [0], 3, "fp16")
        self.check(products(65, 128, [256, 64, 72]), [0], 3, "fp16")
        self.check(products(1, 1024, [96, 32, 40]), [0], 4, "fp16")

    def test_rows_that_a_run_knows(self):
        self.check(products("n", 64, [64, 40, 64]), [1, 7, 130], 4)
        self.check(products("n", 256, [64, 40, 64]), [1, 7, 130], 4, "fp16")

    def test_rows_and_elements(self):
        self.check(rows_and_elements(33, 127), [0], 2)
        self.check(rows_and_elements("n", 127), [1, 3, 255], 2)

    def test_windows(self):
        self.check(parts_of_a_join(17, 64), [0], 3)
        self.check(parts_of_a_join("n", 64), [1, 17], 4)


if __name__ == "__main__":
    unittest.main()
