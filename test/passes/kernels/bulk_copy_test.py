"""Copies by tensor maps, forced: parts of tensors of odd sizes, in boxes that fit and that do not, against NumPy. Each
model runs several times: launched, recorded, replayed."""

import pathlib
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "compiler" / "import"))

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import run_models

ROWS = (1, 3, 7, 17, 33, 127, 255, 1025)
TYPES = {"f32": (np.float32, TensorProto.FLOAT), "f16": (np.float16, TensorProto.FLOAT16),
         "i64": (np.int64, TensorProto.INT64), "i8": (np.int8, TensorProto.INT8)}


def numbers(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def slice_model(dims, axis, start, end, kind):
    """y = a part of x along an axis."""
    model = run_models.make_model([helper.make_node("Slice", ["x", "s", "e", "a"], ["y"])], {"x": (kind, dims)},
                                  {"y": (kind, None)}, 17, [numbers("s", start), numbers("e", end), numbers("a", axis)])
    return model


def force(text, box):
    """Every group of cuda_sm90a that only moves a part of a tensor gets the schedule; how many did."""
    begin = text.index("module @cuda_sm90a")
    head, body = text[:begin], text[begin:]
    following = body.find("module @", 10)
    body, tail = (body, "") if following < 0 else (body[:following], body[following:])
    count = 0

    def change(found):
        nonlocal count
        if set(re.findall(r"= dsc\.(\w+) ", found[0][len("dsc.group"):])) - {"slice"}:
            return found[0]
        count += 1
        return re.sub(r"#dsc\.schedule<elementwise[^>]*>", f"#dsc.schedule<bulk_copy, columns = {box[1]}, rows = {box[0]}>",
                      found[0])

    body = re.sub(r"dsc\.group.*?dsc\.yield", change, body, flags=re.DOTALL)
    return head + body + tail, count


class BulkCopyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def compile(self, model, box, expected=1):
        (self.folder / "model.onnx").write_bytes(model.SerializeToString())
        run_models.call(["dscc", self.folder / "model.onnx", "--target=cuda", "--arch=sm_90a", "--disable=join-launches",
                         "--until=scheduled", "-o", self.folder / "scheduled.mlir"])
        text, count = force((self.folder / "scheduled.mlir").read_text(), box)
        self.assertEqual(count, expected, "groups that only move")
        (self.folder / "scheduled.mlir").write_text(text)
        run_models.call(["dscc", self.folder / "scheduled.mlir", "-o", self.folder / "model.so"])

    def run_on(self, **arrays):
        words = []
        for name, array in arrays.items():
            np.save(self.folder / f"{name}.npy", array)
            words += ["--input", f"{name}={self.folder / name}.npy"]
        run_models.call(["dscc-run", self.folder / "model.so", "--device=sim", "--sim-chip=sm_90", "--sim-check=all",
                         "--bench=0.001", "--output", self.folder / "out", *words])
        return np.load(self.folder / "out" / "y.npy")

    def values(self, shape, kind=np.float32):
        random = np.random.default_rng(5)
        if np.issubdtype(kind, np.integer):
            return random.integers(-100, 100, shape).astype(kind)
        values = random.standard_normal(shape).astype(kind)
        values.flat[:: 7] = np.nan
        return values

    def test_columns(self):
        # Parts that begin anywhere, and end where no box does.
        for columns, start, end, box in ((4 * 33, 5, 49, (8, 32)), (1024, 3, 4 * 255 + 3, (17, 256)), (8, 1, 5, (255, 4))):
            self.compile(slice_model(["n", columns], 1, start, end, TensorProto.FLOAT), box)
            for rows in ROWS:
                x = self.values((rows, columns))
                with self.subTest(columns=columns, rows=rows):
                    np.testing.assert_array_equal(self.run_on(x=x), x[:, start:end])

    def test_types(self):
        for name, (kind, proto) in TYPES.items():
            lanes = 16 // np.dtype(kind).itemsize
            self.compile(slice_model([129, "n", 5 * lanes], 2, 1, 1 + 3 * lanes, proto), (7, 2 * lanes))
            for rows in (1, 17, 33):
                x = self.values((129, rows, 5 * lanes), kind)
                with self.subTest(type=name, rows=rows):
                    np.testing.assert_array_equal(self.run_on(x=x), x[:, :, 1:1 + 3 * lanes])

    def test_parts_of_joins(self):
        # What cannot be made in its part of a join is copied there: the result is a window.
        w = np.eye(12, dtype=np.float32)[::-1]
        model = run_models.make_model([helper.make_node("MatMul", ["x", "w"], ["r"]),
                                       helper.make_node("Concat", ["r", "z"], ["y"], axis=1)],
                                      {"x": (TensorProto.FLOAT, ["n", 12]), "w": (TensorProto.FLOAT, [12, 12]),
                                       "z": (TensorProto.FLOAT, ["n", 20])}, {"y": (TensorProto.FLOAT, None)}, 17)
        self.compile(model, (16, 16))
        for rows in ROWS:
            x, z = self.values((rows, 12), np.int64).astype(np.float32), self.values((rows, 20))
            with self.subTest(rows=rows):
                np.testing.assert_array_equal(self.run_on(x=x, w=w, z=z), np.concatenate([x[:, ::-1], z], 1))

    def test_it_is_chosen(self):
        # Where much is moved, and from where lanes of threads would not begin with whole accesses; else threads are as
        # fast. Not on chips without tensor maps.
        for columns, start, chosen in ((64, 3, False), (1 << 14, 8, False), (1 << 14, 3, True)):
            model = slice_model([1 << 12, columns], 1, start, start + columns - 16, TensorProto.FLOAT)
            (self.folder / "model.onnx").write_bytes(model.SerializeToString())
            run_models.call(["dscc", self.folder / "model.onnx", "--target=cuda", "--until=scheduled", "-o",
                             self.folder / "scheduled.mlir"])
            text = (self.folder / "scheduled.mlir").read_text()
            self.assertEqual(text.count("bulk_copy"), int(chosen), (columns, start))


if __name__ == "__main__":
    unittest.main()
