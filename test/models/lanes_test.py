"""Threads of a GPU with several lanes, in the simulator with all its checks: every width by hand, and where it is refused.

A case is a graph that becomes one group, how wide its lanes may be, and its inputs. Results are compared with ONNX
Runtime's.
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

WIDTHS = (1, 2, 4, 8)
TOLERANCE = {np.float32: 2e-6, np.float16: 2e-3}


def floats(*dims):
    return dims, np.float32


def halves(*dims):
    return dims, np.float16


def places(most, *dims):
    return dims, np.int64, most


def joined(build, axis, *parts):
    return build.node("Relu", build.node("Concat", *parts, axis=axis))


def turned(build, x, z):
    return build.node("Add", build.node("Transpose", x, perm=[1, 0, 2]), z)


def sliced(build, x, first, last):
    return build.node("Neg", build.node("Slice", x, build.integers(first), build.integers(last), build.integers(-1)))


def padded(build, x, pads, mode):
    return build.node("Relu", build.node("Pad", x, build.integers(*pads), mode=mode))


def chosen(build, x, z, condition):
    return build.node("Where", build.node("Less", condition, x), x, z)


# The widest lanes that the case allows, what it computes, and its inputs.
CASES = {
    "add": (8, lambda b, x, z: b.node("Add", x, z), [floats(5, 8), floats(5, 8)]),
    "add half": (8, lambda b, x, z: b.node("Add", x, z), [halves(3, 264), halves(3, 264)]),
    "add dims that join": (4, lambda b, x, z: b.node("Add", x, z), [floats(6, 2), floats(6, 2)]),
    "add odd": (1, lambda b, x, z: b.node("Add", x, z), [floats(5, 7), floats(5, 7)]),
    "add row": (8, lambda b, x, z: b.node("Add", x, z), [floats(5, 24), floats(24)]),
    "add column": (4, lambda b, x, z: b.node("Add", x, z), [floats(5, 12), floats(5, 1)]),
    "add scalar": (2, lambda b, x, z: b.node("Add", x, z), [floats(7, 2), floats(1)]),
    "gelu half": (8, lambda b, x: b.node("Gelu", x), [halves(9, 40)]),
    "cast": (4, lambda b, x: b.node("Cast", x, to=11), [floats(4, 16)]),  # to double
    "compare": (8, chosen, [floats(4, 8), floats(4, 8), floats(4, 8)]),
    "turn": (8, turned, [floats(3, 5, 8), floats(5, 3, 8)]),
    "turn the last dim": (1, lambda b, x: b.node("Neg", b.node("Transpose", x, perm=[1, 0])), [floats(8, 8)]),
    "slice": (4, lambda b, x: sliced(b, x, 4, 20), [floats(3, 24)]),
    "slice between vectors": (1, lambda b, x: sliced(b, x, 3, 19), [floats(3, 24)]),
    "join rows": (8, lambda b, x, z: joined(b, 0, x, z), [floats(3, 8), floats(2, 8)]),
    "join columns": (4, lambda b, x, z: joined(b, 1, x, z), [floats(3, 12), floats(3, 4)]),
    "join odd columns": (1, lambda b, x, z: joined(b, 1, x, z), [floats(3, 5), floats(3, 3)]),
    "pad rows": (8, lambda b, x: padded(b, x, (1, 0, 2, 0), "constant"), [floats(3, 8)]),
    "pad by reflection": (8, lambda b, x: padded(b, x, (2, 0, 1, 0), "reflect"), [floats(4, 8)]),
    "pad columns": (1, lambda b, x: padded(b, x, (0, 1, 0, 3), "constant"), [floats(3, 12)]),
    "expand": (8, lambda b, x, z: b.node("Mul", b.node("Expand", x, b.integers(4, 3, 8)), z), [floats(3, 8), floats(4, 3, 8)]),
    "tile rows": (8, lambda b, x: b.node("Neg", b.node("Tile", x, b.integers(2, 1))), [floats(3, 8)]),
    "gather rows": (8, lambda b, x, i: b.node("Neg", b.node("Gather", x, i, axis=0)), [floats(6, 16), places(6, 5)]),
    "gather columns": (1, lambda b, x, i: b.node("Neg", b.node("Gather", x, i, axis=1)), [floats(6, 16), places(16, 8)]),
    "softmax": (8, lambda b, x: b.node("Softmax", x, axis=-1), [floats(5, 40)]),
    "softmax half": (8, lambda b, x: b.node("Softmax", x, axis=-1), [halves(9, 776)]),
    "softmax of columns": (8, lambda b, x: b.node("Softmax", x, axis=0), [floats(5, 24)]),
    "mean": (4, lambda b, x: b.node("ReduceMean", x, b.integers(1)), [floats(7, 100)]),
    "mean of columns": (8, lambda b, x: b.node("ReduceMean", x, b.integers(0)), [floats(33, 16)]),
    "sum of odd rows": (1, lambda b, x: b.node("ReduceSum", x, b.integers(1)), [floats(7, 101)]),
    "residual and maximum": (8, lambda b, x, z: b.node("ReduceMax", b.node("Add", x, z), b.integers(1)), [floats(3, 2048), floats(2048)]),
}


class Lanes(unittest.TestCase):
    def check(self, folder, name, widest, make, kinds):
        build = GraphBuilder(opset=20, seed=len(name))
        names = [build.input("xzc"[number] if kind[1] != np.int64 else "i", kind[1], kind[0]) for number, kind in enumerate(kinds)]
        random = np.random.default_rng(len(name))
        inputs = {}
        for given, (dims, dtype, *most) in zip(names, kinds):
            inputs[given] = random.integers(-most[0], most[0], dims) if most else random.standard_normal(dims).astype(dtype)
        result = make(build, *names)
        dtype = np.float64 if name == "cast" else kinds[0][1]
        build.output(result, "y", None, dtype)
        path = folder / "m.onnx"
        build.save(path)
        expected = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)[0]
        command = ["dscc", path, "--target=cuda", "--arch=sm_80"]
        text = subprocess.run([*command, "--until=scheduled", "-o", "-"], capture_output=True, text=True, check=True).stdout
        schedules = re.findall(r"#dsc\.schedule<(\w+),[^>]*>", text)
        self.assertEqual(len(schedules), 1, name)
        # Rows of every kind as warps have them: who else may share one is steps_test.py's.
        emitter = "elementwise" if schedules[0] == "elementwise" else "rows, accumulators = 4"
        for width in WIDTHS:
            forced = path.with_suffix(".mlir")
            forced.write_text(re.sub(r"#dsc\.schedule<[^>]*>", f"#dsc.schedule<{emitter}, width = {width}>", text))
            done = subprocess.run(["dscc", forced, "-o", path.with_suffix(".so"), *command[2:]], capture_output=True, text=True)
            if width > widest:
                self.assertNotEqual(done.returncode, 0, f"{name}: width {width} is obeyed")
                self.assertIn("cannot be followed", done.stderr)
                continue
            self.assertEqual(done.returncode, 0, f"{name}: width {width}: {done.stderr}")
            run = ["dscc-run", path.with_suffix(".so"), "--device=sim", "--sim-check=all", "--output", folder / "out"]
            for given, value in inputs.items():
                np.save(folder / f"{given}.npy", value)
                run += ["--input", f"{given}={folder / given}.npy"]
            done = subprocess.run(run, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{name}: width {width}: {done.stderr}")
            self.assertNotIn("dscc-sim:", done.stderr)
            got = np.load(folder / "out" / "y.npy")
            worst = np.abs(got.astype(np.float64) - expected.astype(np.float64)).max()
            self.assertLess(worst, TOLERANCE[kinds[0][1]] * max(1, np.abs(expected).max()), f"{name}: width {width}")

    def test_widths(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, case in CASES.items():
                with self.subTest(case=name):
                    self.check(pathlib.Path(folder), name, *case)


if __name__ == "__main__":
    unittest.main()
