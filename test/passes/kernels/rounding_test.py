"""Ops of the model round each for itself. Were a product contracted into the difference of two equal ones, its rounding
error would be the result."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "compiler" / "import"))

import numpy as np
from onnx import TensorProto, helper

import run_models

SIZES = (1, 3, 17, 33, 255, 1025)


class RoundingTest(unittest.TestCase):
    def check(self, size):
        node = helper.make_node
        nodes = [node("Mul", ["x", "z"], ["xz"]), node("Mul", ["z", "x"], ["zx"]),
                 node("Sub", ["xz", "zx"], ["difference"]), node("Sqrt", ["difference"], ["root"]),
                 node("Neg", ["xz"], ["minus"]), node("Add", ["minus", "zx"], ["sum"]),
                 node("Add", ["xz", "v"], ["shifted"])]
        dims = (TensorProto.FLOAT, [size])
        names = ("difference", "root", "sum", "shifted")
        model = run_models.make_model(nodes, dict.fromkeys(("x", "z", "v"), dims), dict.fromkeys(names, dims), 18)
        rng = np.random.default_rng(size)
        x, z, v = (rng.standard_normal(size, np.float32) for _ in range(3))
        zero = np.zeros(size, np.float32)
        expected = {"difference": zero, "root": zero, "sum": zero, "shifted": x * z + v}
        for way, _, found in run_models.run_model(model, [{"x": x, "z": z, "v": v}]):
            for name in names:
                with self.subTest(way=way, name=name):
                    np.testing.assert_array_equal(found[name], expected[name])


for each in SIZES:
    setattr(RoundingTest, f"test_{each}", lambda self, size=each: self.check(size))

if __name__ == "__main__":
    unittest.main()
