"""TopK of all number types, along any axis, with NaN, infinities and ties, on every device, as ONNX Runtime has it."""

import itertools
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import run_models

KINDS = {np.float32: TensorProto.FLOAT, np.float16: TensorProto.FLOAT16, np.float64: TensorProto.DOUBLE,
         np.int8: TensorProto.INT8, np.int32: TensorProto.INT32, np.int64: TensorProto.INT64, np.uint8: TensorProto.UINT8,
         np.uint32: TensorProto.UINT32, np.uint64: TensorProto.UINT64, np.int16: TensorProto.INT16}


def expected_of(x, k, axis, largest):
    """A NaN is larger than any number, -0 equals 0, and equal elements go by index: a stable sort."""
    x = np.moveaxis(x, axis, -1)
    # Numbers by rank, so that the order can be turned round without ties turning round as well.
    _, ranks = np.unique(x + np.zeros((), x.dtype), return_inverse=True)
    ranks = ranks.reshape(x.shape)
    order = np.argsort(-ranks if largest else ranks, axis=-1, kind="stable")[..., :k]
    return np.moveaxis(np.take_along_axis(x, order, -1), -1, axis), np.moveaxis(order, -1, axis)


def make_model(dtype, dims, k, axis, largest, outputs=("v", "i")):
    node = helper.make_node("TopK", ["x", "k"], [name if name in outputs else "" for name in ("v", "i")], axis=axis,
                            largest=largest)
    result = [k if place == axis % len(dims) else dim for place, dim in enumerate(dims)]
    kinds = {"v": KINDS[dtype], "i": TensorProto.INT64}
    return run_models.make_model([node], {"x": (KINDS[dtype], dims)}, {name: (kinds[name], result) for name in outputs}, 24,
                                 [numpy_helper.from_array(np.array([k]), "k")])


class TopKTest(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(5)

    def numbers(self, dtype, shape):
        if np.dtype(dtype).kind == "f":
            x = self.random.normal(0, 1, shape).astype(dtype)
            special = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1, 1, -1, -1]
            places = self.random.permutation(x.size)[:x.size // 3]
            x.flat[places] = self.random.choice(special, places.size)
            return x
        limits = np.iinfo(dtype)
        x = self.random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        x.flat[::3] = self.random.integers(0, 4, x.flat[::3].shape)
        x.flat[::7] = self.random.choice(np.array([limits.min, limits.max], dtype), x.flat[::7].shape)
        return x

    def check(self, model, arrays, k, axis, largest):
        expected = [dict(zip(("v", "i"), expected_of(one["x"], k, axis, largest))) for one in arrays]
        for way, index, found in run_models.run_model(model, arrays):
            for name, value in found.items():
                with self.subTest(way=way, output=name, dims=arrays[index]["x"].shape, k=k, axis=axis, largest=largest,
                                  dtype=arrays[index]["x"].dtype):
                    np.testing.assert_array_equal(value, expected[index][name])

    def test_types(self):
        for number, dtype in enumerate(KINDS):
            # Known dims: on a GPU a thread an element. Unknown ones: a block a row.
            largest = number % 2
            x = {"x": self.numbers(dtype, (5, 37))}
            self.check(make_model(dtype, [5, 37], 9, 1, largest), [x], 9, 1, largest)
            self.check(make_model(dtype, ["n", "m"], 9, -1, 1 - largest), [x], 9, -1, 1 - largest)

    def test_axes(self):
        x = [{"x": self.numbers(np.float32, shape)} for shape in [(3, 7, 5), (4, 3, 6)]]
        for axis in range(3):
            self.check(make_model(np.float32, ["a", "b", "c"], 3, axis, 1), x, 3, axis, 1)
            self.check(make_model(np.float32, [3, 7, 5], 3, axis, 0), x[:1], 3, axis, 0)

    def test_long_rows(self):
        """Beyond what threads rank; all of a row, one of it, none of it; ties at the end of what is taken."""
        x = [{"x": self.numbers(np.float32, (2, 1100))}]
        for k in (0, 1, 2, 31, 256, 257, 1099, 1100):
            self.check(make_model(np.float32, [2, 1100], k, 1, k % 2), x, k, 1, k % 2)
        equal = [{"x": np.zeros((1, 700), np.int32)}, {"x": np.repeat(np.int32([[3, 5, 3, 4, 3]]), 70, 0).reshape(1, 350)}]
        self.check(make_model(np.int32, ["n", "m"], 300, 1, 1), equal, 300, 1, 1)

    def test_single_results(self):
        """Where one of the two is not wanted, the other is the same."""
        for outputs, dims in itertools.product((("v",), ("i",)), ([3, 41], ["n", "m"], [3, 600])):
            x = {"x": self.numbers(np.float32, [3, dims[1] if isinstance(dims[1], int) else 41])}
            self.check(make_model(np.float32, dims, 8, 1, 1, outputs), [x], 8, 1, 1)

    def test_k_of_a_dim(self):
        """As many as another tensor has rows."""
        nodes = [helper.make_node("Shape", ["y"], ["s"], start=0, end=1), helper.make_node("TopK", ["x", "s"], ["v", "i"])]
        model = run_models.make_model(nodes, {"x": (TensorProto.FLOAT, ["n", "m"]), "y": (TensorProto.FLOAT, ["k", 2])},
                                      {"v": (TensorProto.FLOAT, ["n", "k"]), "i": (TensorProto.INT64, ["n", "k"])}, 15)
        for k in (1, 4, 20):
            x = {"x": self.numbers(np.float32, (3, 20)), "y": np.zeros((k, 2), np.float32)}
            self.check(model, [x], k, 1, 1)


if __name__ == "__main__":
    unittest.main()
