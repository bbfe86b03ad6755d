"""Leaves out and replaces inputs that have defaults: y = (x * scale where mask, else x) + bias + shift.

The model is one for CPU and CUDA, which run from the same weights; on the device the defaults lie in its memory.
"""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "runtime" / "python"), str(ROOT / "test" / "compiler" / "import")]

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import dscc
import run_models

DEFAULTS = {"scale": np.array(3, np.float32), "mask": np.array([True, False, True]),
            "bias": np.array([[5, -6, 7]], np.int8), "shift": np.arange(1000, dtype=np.float16).reshape(1, 1000)[:, :3]}
OTHERS = {"scale": np.array(-0.5, np.float32), "mask": np.array([False, False, True]),
          "bias": np.array([[1, 2, -128]], np.int8), "shift": np.array([[0.5, 0.25, 8]], np.float16)}
TYPES = {"scale": TensorProto.FLOAT, "mask": TensorProto.BOOL, "bias": TensorProto.INT8, "shift": TensorProto.FLOAT16}


def make_model():
    nodes = [helper.make_node("Mul", ["x", "scale"], ["a"]), helper.make_node("Where", ["mask", "a", "x"], ["b"]),
             helper.make_node("Cast", ["bias"], ["c"], to=TensorProto.FLOAT), helper.make_node("Add", ["b", "c"], ["d"]),
             helper.make_node("Cast", ["shift"], ["e"], to=TensorProto.FLOAT), helper.make_node("Add", ["d", "e"], ["y"]),
             helper.make_node("Identity", ["bias"], ["same"])]
    # The defaults stand before the input that must be given, and come after it in the compiled model.
    inputs = {name: (TYPES[name], array.shape) for name, array in DEFAULTS.items()} | {"x": (TensorProto.FLOAT, ["n", 3])}
    return run_models.make_model(nodes, inputs, {"y": (TensorProto.FLOAT, None), "same": (TensorProto.INT8, None)}, 18,
                                 [numpy_helper.from_array(array, name) for name, array in DEFAULTS.items()])


def expected(x, given):
    now = DEFAULTS | given
    y = np.where(now["mask"], x * now["scale"], x) + now["bias"].astype(np.float32) + now["shift"].astype(np.float32)
    return {"y": y, "same": now["bias"]}


class DefaultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        onnx.save(make_model(), cls.folder / "model.onnx")
        run_models.call(["dscc", cls.folder / "model.onnx", "-o", cls.folder / "model.so"])

    def choices(self):
        x = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
        yield x, {}
        yield x, OTHERS
        for name, array in OTHERS.items():
            yield x, {name: array}

    def test_python(self):
        with dscc.Model(self.folder / "model.so", device="cpu", threads=1) as model:
            self.assertEqual([(one["name"], one.get("optional", False)) for one in model.signature["inputs"]],
                             [("x", False)] + [(name, True) for name in DEFAULTS])
            for x, given in self.choices():
                ours = model.run({"x": x, **given})
                for name, theirs in expected(x, given).items():
                    np.testing.assert_array_equal(ours[name], theirs)

    def test_other_dims_are_refused(self):
        x = np.zeros((2, 3), np.float32)
        with dscc.Model(self.folder / "model.so", device="cpu", threads=1) as model:
            with self.assertRaisesRegex(dscc.Error, "input 'mask' axis 0 is 4, but the model takes 3"):
                model.run({"x": x, "mask": np.ones(4, bool)})
            with self.assertRaisesRegex(dscc.Error, "input 'x' is missing"):
                model.run({"scale": np.array(1, np.float32)})

    def test_dscc_run(self):
        for way in ("--device=cpu", "--device=sim"):
            for x, given in self.choices():
                command = ["dscc-run", self.folder / "model.so", way, "--output", self.folder / "out"]
                for name, array in {"x": x, **given}.items():
                    np.save(self.folder / f"{name}.npy", array)
                    command += ["--input", f"{name}={self.folder / name}.npy"]
                run_models.call(command)
                for name, theirs in expected(x, given).items():
                    np.testing.assert_array_equal(np.load(self.folder / "out" / f"{name}.npy"), theirs)

    def test_random_inputs_leave_defaults_alone(self):
        command = ["dscc-run", self.folder / "model.so", "--device=cpu", "--output", self.folder / "out", "--dim=n=2"]
        run_models.call(command)
        np.testing.assert_array_equal(np.load(self.folder / "out" / "same.npy"), DEFAULTS["bias"])


if __name__ == "__main__":
    unittest.main()
