"""Dims with names so long that formulas of them are too long: they compile, or a sentence says why not."""

import pathlib
import subprocess
import tempfile
import unittest

from onnx import TensorProto, helper

TOO_LONG = "too long a formula of the named dims"


class LongNamesTest(unittest.TestCase):
    def compile(self, letters, operators, *options):
        """The exit code and what is said of a chain of operators on rows that are as long as a dim with such a name."""
        values = [helper.make_tensor_value_info("v0", TensorProto.FLOAT, ["rows", "n" * letters])]
        nodes = [helper.make_node(operator, [f"v{i}"], [f"v{i + 1}"]) for i, operator in enumerate(operators)]
        result = helper.make_tensor_value_info(f"v{len(operators)}", TensorProto.FLOAT, None)
        model = helper.make_model(helper.make_graph(nodes, "g", values, [result]),
                                  opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.onnx"
            path.write_bytes(model.SerializeToString())
            run = subprocess.run(["dscc", path, "-o", path.with_suffix(".so"), "--target=cpu", *options],
                                 capture_output=True, text=True, timeout=60)
        return run.returncode, run.stderr

    def refuse(self, sentence, *arguments):
        code, said = self.compile(*arguments)
        self.assertEqual(code, 3, said)
        self.assertIn(sentence, said)

    def test_what_formulas_hold(self):
        self.assertEqual(self.compile(1000, ["Exp", "Softmax"]), (0, ""))

    def test_loops(self):
        self.refuse(f"takes a number of steps that is too large, or {TOO_LONG}", 3000, ["Softmax"])

    def test_buffers(self):
        self.refuse(f"has a result whose size is too large, or {TOO_LONG}", 4080, ["Softmax", "Softmax"])

    def test_names(self):
        self.refuse("input 'v0' has a dim whose name is longer than 4096 letters", 4097, ["ReduceSum"])


if __name__ == "__main__":
    unittest.main()
