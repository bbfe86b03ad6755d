"""External data: what is read, and what is refused with a sentence."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper

COUNT = 1000
BYTES = 4 * COUNT


class ExternalDataTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.outside = pathlib.Path(folder.name)
        self.folder = self.outside / "model"
        self.folder.mkdir()
        for place in (self.folder, self.outside):
            (place / "weights.bin").write_bytes(np.arange(COUNT, dtype=np.float32).tobytes())

    def compile(self, location="weights.bin", **entries):
        """dscc's exit code and text for a model whose weight is stored there."""
        weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[COUNT],
                             data_location=TensorProto.EXTERNAL)
        for key, value in {"location": location, **entries}.items():
            weight.external_data.add(key=key, value=str(value))
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [COUNT])
        result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [COUNT])
        graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [value], [result], [weight])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        (self.folder / "model.onnx").write_bytes(model.SerializeToString())
        run = subprocess.run(["dscc", self.folder / "model.onnx", "--until=imported"], capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    def refuse(self, reason, location="weights.bin", **entries):
        code, text = self.compile(location, **entries)
        self.assertEqual(code, 1, text)
        self.assertIn(reason, text)

    def test_a_file_beside_the_model(self):
        code, text = self.compile()
        self.assertEqual(code, 0, text)
        self.assertIn("dense_resource<w>", text)
        self.assertEqual(self.compile(offset=0, length=BYTES)[0], 0)

    def test_a_folder_beside_the_model(self):
        (self.folder / "data").mkdir()
        (self.folder / "weights.bin").rename(self.folder / "data" / "weights.bin")
        self.assertEqual(self.compile("data/weights.bin")[0], 0)

    def test_paths_that_lead_elsewhere(self):
        self.refuse("tensor 'w' is stored at '../weights.bin', which is refused: it holds '..'", "../weights.bin")
        self.refuse("it holds a null character", "weights.bin\0.txt")
        self.refuse("it is absolute", str(self.outside / "weights.bin"))
        self.refuse("there is no such file", "missing.bin")
        self.refuse("it is empty", "")
        (self.folder / "data").mkdir()
        self.refuse("it is not a regular file", "data")

    def test_links_that_lead_elsewhere(self):
        os.symlink(self.outside / "weights.bin", self.folder / "symbolic.bin")
        self.refuse("it leads out of the model's folder", "symbolic.bin")
        os.symlink(self.outside, self.folder / "out")
        self.refuse("it leads out of the model's folder", "out/weights.bin")
        os.link(self.outside / "weights.bin", self.folder / "hard.bin")
        self.refuse("it is a hard link, so that the file may belong elsewhere", "hard.bin")

    def test_a_link_within_the_folder(self):
        os.symlink("weights.bin", self.folder / "symbolic.bin")
        self.assertEqual(self.compile("symbolic.bin")[0], 0)

    def test_ranges_outside_of_the_file(self):
        self.refuse("tensor 'w' needs 4000 bytes at offset 4 of 'weights.bin', which has 4000", offset=4, length=BYTES)
        self.refuse("needs 18446744073709551615 bytes", offset=4, length=2**64 - 1)
        self.refuse("at offset 18446744073709551612", offset=2**64 - 4, length=BYTES)
        self.refuse("tensor 'w' has the external offset '-4', which is not a number", offset=-4)
        self.refuse("tensor 'w' has 3996 bytes of data, but 1000 elements of type float need 4000", length=BYTES - 4)

    def test_a_pipe(self):
        os.mkfifo(self.folder / "pipe")
        self.refuse("it is not a regular file", "pipe")


if __name__ == "__main__":
    unittest.main()
