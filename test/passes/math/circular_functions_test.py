"""The CPU's code of sin, cos, atan and fmod in float32, against double precision. GPUs' code is for tools/gpu-check."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "runtime" / "python"))

import numpy as np
import onnx
from onnx import TensorProto, helper

import dscc

COUNT = 20000
ULPS = 4


class CircularFunctionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        nodes = [helper.make_node(name, ["x"], [name]) for name in ("Sin", "Cos", "Atan")]
        nodes.append(helper.make_node("Mod", ["x", "z"], ["Mod"], fmod=1))
        values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "z", "Sin", "Cos", "Atan", "Mod")}
        graph = helper.make_graph(nodes, "angles", [values["x"], values["z"]], list(values.values())[2:])
        path = pathlib.Path(cls.folder.name) / "model.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
        subprocess.run(["dscc", path, "-o", path.with_suffix(".so"), "--target=cpu"], check=True)
        cls.model = dscc.Model(str(path.with_suffix(".so")), device="cpu")

    def run_on(self, x):
        return self.model.run({"x": x, "z": np.full_like(x, 1.7)})

    def test_all_sizes(self):
        random = np.random.default_rng(3)
        for least, most in ((-149, -20), (-20, 0), (0, 5), (5, 20), (20, 40)):
            x = (random.choice([-1, 1], COUNT) * 2.0 ** random.uniform(least, most, COUNT)).astype(np.float32)
            wide = x.astype(np.float64)
            got = self.run_on(x)
            for name, exact in (("Sin", np.sin(wide)), ("Cos", np.cos(wide)), ("Atan", np.arctan(wide))):
                with self.subTest(name=name, least=least):
                    error = np.abs(got[name] - exact) / np.spacing(np.abs(exact).astype(np.float32))
                    self.assertLessEqual(error.max(), ULPS, x[error.argmax()])
            np.testing.assert_array_equal(got["Mod"], np.fmod(x, np.float32(1.7)))

    def test_special(self):
        got = self.run_on(np.array([np.inf, -np.inf, np.nan, 0], np.float32))
        np.testing.assert_array_equal(got["Sin"], [np.nan, np.nan, np.nan, 0])
        np.testing.assert_array_equal(got["Cos"], [np.nan, np.nan, np.nan, 1])
        np.testing.assert_array_equal(got["Atan"], np.array([np.pi / 2, -np.pi / 2, np.nan, 0], np.float32))
        np.testing.assert_array_equal(got["Mod"], [np.nan, np.nan, np.nan, 0])

    def test_angles_beyond_reason(self):
        x = np.array([1e15, 1e20, -3e38], np.float32)
        for name in ("Sin", "Cos"):
            self.assertLessEqual(np.abs(self.run_on(x)[name]).max(), 1)


if __name__ == "__main__":
    unittest.main()
