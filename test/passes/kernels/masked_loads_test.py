"""Dilated max pools with padding: the taps of the last columns lie outside of the row, so that whole halves of a vector
are masked off."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "compiler" / "import"))

import numpy as np
from onnx import TensorProto, helper

import run_models

# Columns, dilation, padding before and behind.
ROWS = ((7, 3, 0, 1), (8, 5, 1, 1), (9, 5, 0, 1), (15, 3, 0, 1), (17, 5, 0, 1), (33, 5, 0, 1), (255, 3, 1, 1))
TYPES = {"double": (TensorProto.DOUBLE, np.float64), "float": (TensorProto.FLOAT, np.float32)}


def pool(x, dilation, before, behind):
    framed = np.pad(x, ((0, 0), (0, 0), (1, 1), (before, behind)), constant_values=-np.inf)
    rows, columns = x.shape[2] + 1, x.shape[3] + before + behind - dilation
    taps = [framed[:, :, i:i + rows, j:j + columns] for i in (0, 1) for j in (0, dilation)]
    return np.max(taps, axis=0)


class MaskedLoadsTest(unittest.TestCase):
    def check(self, element, dtype):
        nodes, inputs, outputs, arrays, expected = [], {}, {}, {}, {}
        rng = np.random.default_rng(5)
        for columns, dilation, before, behind in ROWS:
            x, y = f"x{columns}", f"y{columns}"
            nodes.append(helper.make_node("MaxPool", [x], [y], kernel_shape=[2, 2], dilations=[1, dilation],
                                          pads=[1, before, 1, behind]))
            arrays[x] = rng.standard_normal((1, 3, 4, columns)).astype(dtype)
            inputs[x], outputs[y] = (element, arrays[x].shape), (element, None)
            expected[y] = pool(arrays[x], dilation, before, behind)
        model = run_models.make_model(nodes, inputs, outputs, 18)
        for way, _, found in run_models.run_model(model, [arrays]):
            for name, array in expected.items():
                with self.subTest(way=way, name=name):
                    np.testing.assert_array_equal(found[name], array)


for key, pair in TYPES.items():
    setattr(MaskedLoadsTest, f"test_{key}", lambda self, pair=pair: self.check(*pair))

if __name__ == "__main__":
    unittest.main()
