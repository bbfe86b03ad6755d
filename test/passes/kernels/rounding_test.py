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

SIZES = (3, 33, 1025)


node = helper.make_node
PRODUCT = node("Mul", ["x", "z"], ["xz"])
# A model for each: a product with two outputs would be stored, and so be rounded anyway.
MODELS = {
    "difference": ([PRODUCT, node("Sub", ["xz", "xz"], ["y"])], lambda x, z, v: 0 * x),
    "root": ([PRODUCT, node("Neg", ["xz"], ["minus"]), node("Add", ["minus", "xz"], ["sum"]),
              node("Sqrt", ["sum"], ["y"])], lambda x, z, v: 0 * x),
    "sum": ([PRODUCT, node("Add", ["xz", "v"], ["y"])], lambda x, z, v: x * z + v),
    "rest": ([PRODUCT, node("Sub", ["v", "xz"], ["y"])], lambda x, z, v: v - x * z),
}


class RoundingTest(unittest.TestCase):
    def check(self, size):
        rng = np.random.default_rng(size)
        arrays = {name: rng.standard_normal(size, np.float32) for name in "xzv"}
        for name, (nodes, compute) in MODELS.items():
            used = {key: array for key, array in arrays.items() if any(key in each.input for each in nodes)}
            model = run_models.make_model(nodes, {key: (TensorProto.FLOAT, [size]) for key in used},
                                          {"y": (TensorProto.FLOAT, [size])}, 18)
            for way, _, found in run_models.run_model(model, [used]):
                with self.subTest(way=way, name=name):
                    np.testing.assert_array_equal(found["y"], compute(**arrays))


for each in SIZES:
    setattr(RoundingTest, f"test_{each}", lambda self, size=each: self.check(size))

if __name__ == "__main__":
    unittest.main()
