"""Dims of which formulas are too long, be it for names or for terms: they compile, or a sentence says why not."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
from onnx import TensorProto, helper

import run_models

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
        self.assertEqual(self.compile(1000, ["Exp", "Transpose", "Softmax"]), (0, ""))
        self.assertEqual(self.compile(3000, ["Softmax", "ReduceSum"]), (0, ""))

    def test_products(self):
        # 9 x 9 terms are too many for one axis, but two axes can be summed as well.
        names = "abcdefghi"
        inputs = {"x": (TensorProto.FLOAT, ["+".join(names)] * 2), **{name: (TensorProto.FLOAT, [name]) for name in names}}
        nodes = [helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0), helper.make_node("Concat", names, ["y"], axis=0)]
        model = run_models.make_model(nodes, inputs, {"sum": (TensorProto.FLOAT, []), "y": (TensorProto.FLOAT, None)}, 18)
        arrays = {"x": np.ones((45, 45), np.float32)}
        arrays.update((name, np.ones(size, np.float32)) for size, name in enumerate(names, 1))
        for way, _, outputs in run_models.run_model(model, [arrays], ("cpu, O0", "cpu, O3")):
            self.assertEqual(outputs["sum"], 45 * 45, way)

    def test_loops(self):
        self.refuse(f"takes a number of steps that is too large, or {TOO_LONG}", 4060, ["Transpose"])

    def test_buffers(self):
        self.refuse(f"has a result whose size is too large, or {TOO_LONG}", 4080, ["Softmax", "Softmax"])

    def test_names(self):
        self.refuse("input 'v0' has a dim whose name is longer than 4096 letters", 4097, ["ReduceSum"])


if __name__ == "__main__":
    unittest.main()
