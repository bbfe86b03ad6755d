"""Models that are damaged, wrong or greedy get a sentence and an exit code, never a signal.

The exit codes that dscc promises for a model's own fault: 1 rejected,
3 unsupported, 4 a limit hit; and 0, should the damage leave a valid model.
"""

import pathlib
import random
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnx
from onnx import TensorProto, helper

import magika_files
import measure

ALLOWED = (0, 1, 3, 4)
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
MIB = 1 << 20


def make_model(nodes, inputs, outputs, initialisers=(), opset=17):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(initialisers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


def value(name, *dims, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, list(dims))


def weights(name, *dims):
    return onnx.numpy_helper.from_array(np.linspace(-1, 1, int(np.prod(dims)), dtype=np.float32).reshape(dims), name)


def small_model():
    """A few families of operators in under 2 KB: cheap to damage often."""
    return make_model(
        [helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
         helper.make_node("Relu", ["c"], ["r"], name="relu"),
         helper.make_node("Reshape", ["r", "shape"], ["f"], name="reshape"),
         helper.make_node("MatMul", ["f", "m"], ["p"], name="matmul"),
         helper.make_node("Softmax", ["p"], ["y"], name="softmax", axis=-1)],
        [value("x", "n", 2, 4, 4)], [value("y", "n", 5)],
        [weights("w", 3, 2, 3, 3), weights("m", 48, 5),
         onnx.numpy_helper.from_array(np.array([-1, 48], np.int64), "shape")])


class HostileTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def compile_bytes(self, content, what, *options):
        """dscc's report on a file with this content; fails unless it ended as promised."""
        path, artifact = self.folder / "model.onnx", self.folder / "model.so"
        path.write_bytes(content)
        artifact.unlink(missing_ok=True)
        report = measure.measure(["dscc", path, "-o", artifact, "--target=cpu", *options], timeout=60)
        self.assertIn(report["exit"], ALLOWED, f"{what}: {report['text']}")
        if report["exit"] != 0:
            self.assertIn("error", report["text"], what)
            self.assertFalse(artifact.exists(), f"{what}: an artifact was left behind")
        return report

    def refuse(self, model, what, codes=(1, 3, 4)):
        report = self.compile_bytes(model.SerializeToString(), what)
        self.assertIn(report["exit"], codes, f"{what}: {report['text']}")
        return report

    def test_the_small_model_itself_compiles(self):
        self.assertEqual(self.compile_bytes(small_model().SerializeToString(), "whole")["exit"], 0)

    def test_truncated(self):
        content = small_model().SerializeToString()
        for size in range(0, len(content), max(1, len(content) // 40)):
            self.compile_bytes(content[:size], f"cut to {size} bytes")

    def test_truncated_magika(self):
        content = (magika_files.model_folder() / "model.onnx").read_bytes()
        for size in (1, 100, 10_000, len(content) // 2, len(content) - 1):
            report = self.compile_bytes(content[:size], f"cut to {size} bytes")
            self.assertNotEqual(report["exit"], 0)

    def test_flipped_bytes(self):
        content = small_model().SerializeToString()
        for seed in range(80):
            dice = random.Random(seed)
            damaged = bytearray(content)
            for _ in range(dice.choice((1, 1, 2, 8))):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            self.compile_bytes(bytes(damaged), f"seed {seed}")

    def test_noise_and_emptiness(self):
        for seed in range(5):
            report = self.compile_bytes(random.Random(seed).randbytes(1 << (4 * seed)), f"noise {seed}")
            self.assertNotEqual(report["exit"], 0)
        self.assertNotEqual(self.compile_bytes(b"", "empty")["exit"], 0)

    def test_a_constant_of_two_to_the_forty_elements(self):
        """133 bytes that ask for four terabytes: 2^40 numbers of 4 bytes."""
        shape = helper.make_tensor("s", INT64, [1], [1 << 40])
        model = make_model([helper.make_node("ConstantOfShape", ["s"], ["y"])], [], [value("y", None)], [shape])
        report = self.refuse(model, "2^40 elements")
        self.assertLess(report["seconds"], 2)
        self.assertLess(report["peak_bytes"], 256 * MIB)

    def test_a_cycle(self):
        self.refuse(make_model([helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])],
                               [value("x", 2)], [value("b", 2)]), "cycle", codes=(1,))

    def test_a_node_that_reads_itself(self):
        self.refuse(make_model([helper.make_node("Add", ["x", "y"], ["y"])], [value("x", 2)], [value("y", 2)]),
                    "self-reference", codes=(1,))

    def test_a_value_that_nobody_defines(self):
        report = self.refuse(make_model([helper.make_node("Relu", ["ghost"], ["y"], name="haunted")],
                                        [value("x", 2)], [value("y", 2)]), "undefined", codes=(1,))
        self.assertIn("ghost", report["text"])

    def test_a_value_defined_twice(self):
        self.refuse(make_model([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Abs", ["x"], ["y"])],
                               [value("x", 2)], [value("y", 2)]), "defined twice", codes=(1,))

    def test_mistyped_operands(self):
        self.refuse(make_model([helper.make_node("Add", ["x", "i"], ["y"])],
                               [value("x", 2), value("i", 2, dtype=INT64)], [value("y", 2)]), "mistyped", codes=(1,))

    def test_sizes_that_do_not_agree(self):
        self.refuse(make_model([helper.make_node("MatMul", ["x", "w"], ["y"])],
                               [value("x", 2, 3)], [value("y", 2, 5)], [weights("w", 4, 5)]), "sizes", codes=(1,))

    def test_a_tensor_shorter_than_its_dims(self):
        short = weights("w", 4, 5)
        short.raw_data = short.raw_data[:-4]
        self.refuse(make_model([helper.make_node("MatMul", ["x", "w"], ["y"])],
                               [value("x", 2, 4)], [value("y", 2, 5)], [short]), "short tensor", codes=(1,))

    def test_dims_whose_product_wraps_around(self):
        wide = TensorProto(name="w", data_type=FLOAT, dims=[1 << 32, 1 << 32, 4])
        self.refuse(make_model([helper.make_node("Relu", ["w"], ["y"])], [], [value("y", None, None, None)], [wide]),
                    "overflow", codes=(1, 4))

    def test_absurdly_nested(self):
        """`If` inside of `If`, deeper than any stack of calls should follow."""
        condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])
        leaf = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "leaf", [], [value("y", 2)])
        graph = leaf
        for _ in range(20):
            node = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=leaf)
            graph = helper.make_graph([node], "level", [], [value("y", 2)])
        model = make_model(list(graph.node), [value("x", 2)], [value("y", 2)], [condition])
        self.compile_bytes(model.SerializeToString(), "nested 20 deep")

        # Deeper than ONNX's own builder can go: each wrap is a message inside of a message.
        content = b""
        for _ in range(2000):
            content = b"\x32" + varint(len(content)) + content  # AttributeProto.g of a NodeProto.attribute
            content = b"\x2a" + varint(len(content)) + content
            content = b"\x0a" + varint(len(content)) + content
        content = b"\x08\x08" + b"\x3a" + varint(len(content)) + content
        report = self.compile_bytes(content, "nested 2,000 deep")
        self.assertNotEqual(report["exit"], 0)

    def test_an_opset_from_the_future(self):
        model = make_model([helper.make_node("Relu", ["x"], ["y"])], [value("x", 2)], [value("y", 2)])
        model.opset_import[0].version = 9999
        self.refuse(model, "opset 9999")

    def test_all_unsupported_nodes_at_once(self):
        model = make_model([helper.make_node("Frobnicate", ["x"], ["a"], name="first", domain="no.such"),
                            helper.make_node("Defenestrate", ["a"], ["y"], name="second", domain="no.such")],
                           [value("x", 2)], [value("y", 2)])
        model.opset_import.append(helper.make_opsetid("no.such", 1))
        report = self.refuse(model, "unsupported", codes=(3,))
        self.assertIn("Frobnicate", report["text"])
        self.assertIn("Defenestrate", report["text"])


def varint(number):
    """A protobuf varint."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


if __name__ == "__main__":
    unittest.main()
