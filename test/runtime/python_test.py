"""Checks runtime/python/dscc.py on artifacts that are made by hand.

    python python_test.py CLANG
"""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import artifact  # noqa: E402

sys.path.insert(0, str(artifact.ROOT / "runtime" / "python"))

import numpy as np  # noqa: E402

import dscc  # noqa: E402

ROW = np.array([10, 20, 30, 40], np.float32)
CLANG = sys.argv.pop(1)


class Wrapper(unittest.TestCase):
    def make(self, source, *defines):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "model.so"
        artifact.make(CLANG, artifact.INPUTS / source, path, defines)
        return dscc.Model(path, device="cpu", threads=2)

    def test_run(self):
        with self.make("added_row.c") as model:
            self.assertEqual([one["name"] for one in model.signature["inputs"]], ["x"])
            self.assertEqual(model.threads, 2)
            for rows in (1, 9):
                x = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
                outputs = model.run({"x": x})
                self.assertEqual(list(outputs), ["sum/y:0"])
                np.testing.assert_array_equal(outputs["sum/y:0"], x + ROW)

    def test_strides(self):
        x = np.arange(8, dtype=np.float32).reshape(4, 2).T
        np.testing.assert_array_equal(self.make("added_row.c").run({"x": x})["sum/y:0"], x + ROW)

    def test_raw_types(self):
        model = self.make("copied.c", "-DDTYPE=16", "-DWIDTH=2")
        x = np.array([1, 2, 0x3F80], np.uint16)
        np.testing.assert_array_equal(model.run({"x": x})["y"], x)

    def test_refusals(self):
        model = self.make("added_row.c")
        for inputs in ({"x": np.ones((1, 5), np.float32)}, {"x": np.ones((1, 4))}, {"z": np.ones((1, 4), np.float32)},
                       {"x": np.ones(4, np.float32)}, {}):
            with self.assertRaises(dscc.Error) as caught:
                model.run(inputs)
            self.assertEqual(caught.exception.status, 2, inputs)
        with self.assertRaises(TypeError):
            model.run({"x": np.array(["a"])})
        with self.assertRaises(dscc.Error):
            dscc.Model("/nonexistent/model.so")

    def test_closed(self):
        model = self.make("added_row.c")
        model.close()
        model.close()
        with self.assertRaises(ValueError):
            model.run({"x": np.ones((1, 4), np.float32)})


if __name__ == "__main__":
    unittest.main()
