"""MaxPool's second output against a search element by element: the first maximum's number in the whole tensor."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "compiler" / "import"))

import numpy as np
from onnx import TensorProto, helper

import run_models

# name: rank of the spatial dims, attributes.
POOLS = {
    "plain": (2, {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "padded": (2, {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "dilations": [1, 2]}),
    "columns": (2, {"kernel_shape": [2, 3], "pads": [0, 1, 0, 1], "strides": [1, 2], "storage_order": 1}),
    "ceiling": (2, {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    "line": (1, {"kernel_shape": [3], "pads": [2, 1], "dilations": [2]}),
    "volume": (3, {"kernel_shape": [2, 1, 2], "storage_order": 1}),
}
SIZES = {1: [(2, 3, 7), (1, 1, 33)], 2: [(2, 3, 5, 7), (1, 2, 17, 3), (1, 1, 6, 33)], 3: [(1, 2, 3, 4, 5)]}


def search(x, shape, attributes):
    """The values and places of the maxima; `shape` is that of the result."""
    rank = x.ndim - 2
    size, pads = attributes["kernel_shape"], attributes.get("pads", [0] * 2 * rank)
    strides, dilations = attributes.get("strides", [1] * rank), attributes.get("dilations", [1] * rank)
    steps = np.cumprod([1, *x.shape[2:4 + rank]])[:rank] if attributes.get("storage_order") else (
        np.cumprod([1, *x.shape[:2:-1]])[:rank][::-1])
    values, places = np.zeros(shape, x.dtype), np.zeros(shape, np.int64)
    for at in np.ndindex(*shape):
        best = None
        for element in np.ndindex(*size):
            where = [a * s + e * d - p for a, s, e, d, p in zip(at[2:], strides, element, dilations, pads)]
            if any(not 0 <= w < n for w, n in zip(where, x.shape[2:])):
                continue
            value = x[(*at[:2], *where)]
            if best is None or value > best[0] or (np.isnan(value) and not np.isnan(best[0])):
                best = value, int(np.dot(where, steps))
        channel = at[0] * x.shape[1] + at[1]
        values[at], places[at] = best[0], channel * int(np.prod(x.shape[2:])) + best[1]
    return values, places


class PlacesTest(unittest.TestCase):
    def check(self, name):
        rank, attributes = POOLS[name]
        model = run_models.make_model([helper.make_node("MaxPool", ["x"], ["y", "places"], **attributes)],
                                      {"x": (TensorProto.FLOAT, ["n", "c", *"dhw"[:rank]])},
                                      {"y": (TensorProto.FLOAT, None), "places": (TensorProto.INT64, None)}, 12)
        random = np.random.default_rng(2)
        inputs = []
        for size in SIZES[rank]:
            x = random.integers(-2, 3, size).astype(np.float32)
            x.flat[random.integers(0, x.size, x.size // 9)] = np.nan
            x.flat[: x.size // 5] = -np.inf
            inputs.append({"x": x})
        for way, index, outputs in run_models.run_model(model, inputs):
            with self.subTest(way=way, size=SIZES[rank][index]):
                values, places = search(inputs[index]["x"], outputs["y"].shape, attributes)
                np.testing.assert_array_equal(outputs["y"], values)
                np.testing.assert_array_equal(outputs["places"], places)


for pool in POOLS:
    setattr(PlacesTest, f"test_{pool}", lambda self, name=pool: self.check(name))

if __name__ == "__main__":
    unittest.main()
