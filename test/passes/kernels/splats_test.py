"""Rows and windows of a constant that has one value everywhere: no memory holds its elements, but they count."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "compiler" / "import"))

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import run_models

SHAPES = ((1, 1, 1), (2, 3, 5), (1, 4, 33))
# output: the op that makes it and its attributes; what NumPy makes of the constant.
KINDS = {
    "sum": ("ReduceSum", {"keepdims": 0}, np.sum),
    "product": ("ReduceProd", {"keepdims": 0}, np.prod),
    "mean": ("ReduceMean", {"keepdims": 0}, np.mean),
    "maximum": ("ReduceMax", {}, lambda x: x[:1, :1, :1]),
    "minimum": ("ReduceMin", {}, lambda x: x[:1, :1, :1]),
    "length": ("ReduceL2", {"keepdims": 0}, lambda x: np.sqrt(np.sum(x * x))),
    "exponents": ("ReduceLogSumExp", {"keepdims": 0}, lambda x: np.log(np.sum(np.exp(x)))),
    "softmax_0": ("Softmax", {"axis": 0}, lambda x: np.ones_like(x) / x.shape[0]),
    "softmax_1": ("Softmax", {"axis": 1}, lambda x: np.ones_like(x) / x.shape[1]),
    "softmax_2": ("Softmax", {"axis": 2}, lambda x: np.ones_like(x) / x.shape[2]),
    "logarithm": ("LogSoftmax", {"axis": 2}, lambda x: np.full_like(x, -np.log(x.shape[2]))),
    "first": ("ArgMin", {"axis": 1}, lambda x: np.zeros_like(x[:, :1], np.int64)),
    "last": ("ArgMax", {"axis": 2, "select_last_index": 1}, lambda x: np.full((*x.shape[:2], 1), x.shape[2] - 1)),
    "window": ("MaxPool", {"kernel_shape": [3], "pads": [1, 1]}, lambda x: x),
    "average": ("AveragePool", {"kernel_shape": [3], "pads": [1, 1]}, lambda x: x),
    "global": ("GlobalAveragePool", {}, lambda x: x[:, :, :1]),
    "unit": ("LpNormalization", {"axis": 2}, lambda x: np.ones_like(x) / np.sqrt(x.shape[2])),
}


class SplatsTest(unittest.TestCase):
    def check(self, shape):
        nodes = [helper.make_node("Shape", ["x"], ["shape"]),
                 helper.make_node("ConstantOfShape", ["shape"], ["c"], value=numpy_helper.from_array(np.float32([1.25])))]
        constant, expected = np.full(shape, 1.25, np.float32), {}
        for name, (op, attributes, compute) in KINDS.items():
            nodes.append(helper.make_node(op, ["c"], [name], **attributes))
            expected[name] = compute(constant)
        outputs = {name: (TensorProto.INT64 if array.dtype == np.int64 else TensorProto.FLOAT, None)
                   for name, array in expected.items()}
        model = run_models.make_model(nodes, {"x": (TensorProto.BOOL, shape)}, outputs, 18)
        for way, _, found in run_models.run_model(model, [{"x": np.zeros(shape, bool)}]):
            for name, array in expected.items():
                with self.subTest(way=way, name=name):
                    np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-6)


for dims in SHAPES:
    setattr(SplatsTest, f"test_{'x'.join(map(str, dims))}", lambda self, shape=dims: self.check(shape))

if __name__ == "__main__":
    unittest.main()
