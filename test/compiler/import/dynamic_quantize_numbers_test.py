"""DynamicQuantizeLinear of zeros alone has no range: its scale is 1, as in ONNX Runtime, and nothing divides 0 by 0."""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np
from onnx import TensorProto, helper

import run_models


class DynamicQuantizeTest(unittest.TestCase):
    def check(self, x, y, scale, zero_point):
        nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])]
        outputs = {"y": (TensorProto.UINT8, x.shape), "scale": (TensorProto.FLOAT, []), "zero": (TensorProto.UINT8, [])}
        model = run_models.make_model(nodes, {"x": (TensorProto.FLOAT, x.shape)}, outputs, 18)
        for way, _, found in run_models.run_model(model, [{"x": x}]):
            with self.subTest(way=way, dims=x.shape):
                np.testing.assert_array_equal(found["y"], y)
                np.testing.assert_allclose(found["scale"], scale, rtol=1e-6)
                self.assertEqual(found["zero"], zero_point)

    def test_silence(self):
        for size in (1, 3, 33, 255):
            zeros = np.zeros((1, size), np.float32)
            self.check(zeros, zeros.astype(np.uint8), 1, 0)
            self.check(-zeros, zeros.astype(np.uint8), 1, 0)

    def test_range(self):
        self.check(np.float32([0, 0.5, 2]), np.uint8([0, 64, 255]), 2 / 255, 0)
        self.check(np.float32([-0.5, 0.25, 1.5]), np.uint8([0, 96, 255]), 2 / 255, 64)


if __name__ == "__main__":
    unittest.main()
