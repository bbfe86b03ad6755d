"""Means of integers are truncated towards zero, do not overflow where their sum does, and are 0 of no elements."""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import run_models

TYPES = {TensorProto.INT32: np.int32, TensorProto.UINT32: np.uint32, TensorProto.INT64: np.int64,
         TensorProto.UINT64: np.uint64}
SIZES = (0, 1, 3, 33, 255)


class MeanTest(unittest.TestCase):
    def check(self, number, kind):
        model = run_models.make_model([helper.make_node("ReduceMean", ["x", "axes"], ["y"])], {"x": (number, ["n", "m"])},
                                      {"y": (number, None)}, 18, [numpy_helper.from_array(np.array([1]), "axes")])
        random, limits = np.random.default_rng(1), np.iinfo(kind)
        # Of 64 bits the sums must fit.
        low, high = (max(limits.min, -2**55), min(limits.max, 2**55))
        if kind == np.uint64:
            low, high = 2**55, 2**56
        inputs = [{"x": random.integers(low, high, (4, size), dtype=kind)} for size in SIZES]
        for way, index, outputs in run_models.run_model(model, inputs, ("cpu, O3", "sim")):
            sums = [sum(map(int, row)) for row in inputs[index]["x"]]
            count = SIZES[index]
            expected = [[abs(total) // count * (-1 if total < 0 else 1) if count else 0] for total in sums]
            with self.subTest(way=way, size=count):
                np.testing.assert_array_equal(outputs["y"], np.array(expected, dtype=kind))


for element, array_type in TYPES.items():
    setattr(MeanTest, f"test_{array_type.__name__}", lambda self, number=element, kind=array_type: self.check(number, kind))

if __name__ == "__main__":
    unittest.main()
