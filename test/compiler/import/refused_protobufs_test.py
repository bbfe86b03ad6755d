"""Models that ONNX's text form cannot say, or that are no models: each is refused with one sentence."""

import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
from onnx import TensorProto, helper


def relu():
    """A model that is fine, to be spoilt."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [result])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def with_tensor(**fields):
    """The model and an initialiser of three numbers, some of whose fields are not what they should be."""
    model = relu()
    tensor = model.graph.initializer.add(name="c", data_type=TensorProto.FLOAT, dims=[3])
    if "raw_data" not in fields:
        tensor.raw_data = np.zeros(3, np.float32).tobytes()
    for name, value in fields.items():
        if isinstance(value, list):
            del getattr(tensor, name)[:]
            getattr(tensor, name).extend(value)
        else:
            setattr(tensor, name, value)
    return model


def sparse():
    values = helper.make_tensor("c", TensorProto.FLOAT, [1], [1.0])
    return helper.make_sparse_tensor(values, helper.make_tensor("i", TensorProto.INT64, [1], [0]), [3])


class RefusedProtobufsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def compile(self, path, *options):
        return subprocess.run(["dscc", path, "--until=imported", "-o", "-", *options], capture_output=True, text=True,
                              timeout=60)

    def refuse(self, model, code, sentence, hint=None, options=()):
        path = self.folder / "model.onnx"
        path.write_bytes(model.SerializeToString())
        run = self.compile(path, *options)
        wanted = f"dscc: error: {sentence}\n" + (f"  hint: {hint}\n" if hint else "")
        self.assertEqual((run.returncode, run.stderr), (code, wanted))

    def test_the_model_to_spoil_is_fine(self):
        path = self.folder / "model.onnx"
        path.write_bytes(relu().SerializeToString())
        self.assertEqual(self.compile(path).returncode, 0)

    def test_files(self):
        missing, text = self.folder / "missing.onnx", self.folder / "text.onnx"
        text.write_text("a letter, not a model")
        for path, sentence in ((missing, f"cannot read '{missing}': No such file or directory"),
                               (self.folder, f"cannot read '{self.folder}': it is not a regular file"),
                               (text, f"'{text}' is not an ONNX model: it is damaged, truncated, nested too deeply, or "
                                      "of another format")):
            run = self.compile(path)
            self.assertEqual((run.returncode, run.stderr), (1, f"dscc: error: {sentence}\n"))

    def test_versions(self):
        model = relu()
        model.ir_version = 99
        self.refuse(model, 3, "the model has IR version 99, newer than 13")

    def test_tensors(self):
        self.refuse(with_tensor(dims=[-3]), 1, "tensor 'c' has dims that are negative or too many")
        self.refuse(with_tensor(raw_data=b"12345678"), 1,
                    "tensor 'c' has 8 bytes of data, but 3 elements of type float need 12")
        self.refuse(with_tensor(data_type=TensorProto.STRING), 3, "tensor 'c' has elements of type string")
        self.refuse(with_tensor(data_type=99), 3, "tensor 'c' has elements of type number 99")
        model = with_tensor()
        model.graph.initializer[0].segment.begin = 1
        self.refuse(model, 3, "tensor 'c' is stored in segments")
        model = with_tensor()
        model.graph.initializer.add().CopyFrom(model.graph.initializer[0])
        self.refuse(model, 1, "the value 'c' is defined twice")

    def test_data_that_the_file_says_dscc_has_mapped(self):
        model = with_tensor()
        model.graph.initializer[0].external_data.add(key="mapped", value="7")
        self.refuse(model, 1, "tensor 'c' refers to data that is not there")

    def test_sparse_tensors(self):
        model = relu()
        model.graph.sparse_initializer.add().CopyFrom(sparse())
        self.refuse(model, 3, "the sparse initialiser 'c' is not supported", "store it as a dense tensor")
        model = relu()
        model.graph.node[0].CopyFrom(helper.make_node("Constant", [], ["y"], sparse_value=sparse()))
        self.refuse(model, 3, "node 'Constant_0' (Constant): holds a sparse tensor", "store it as a dense tensor")

    def test_outputs(self):
        model = relu()
        del model.graph.output[:]
        self.refuse(model, 1, "the graph has no outputs")
        model = relu()
        model.graph.node[0].CopyFrom(helper.make_node("Split", ["x"], []))
        self.refuse(model, 1, "node 'Split_0' (Split): has no outputs")

    def test_inputs(self):
        model = relu()
        model.graph.input[0].name = ""
        self.refuse(model, 1, "the graph has two inputs of the name '', or one without a name")
        model = relu()
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, [1] * 65))
        self.refuse(model, 3, "input 'x' has 65 dims")
        model = relu()
        model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n*m", "n", "m"]))
        self.refuse(model, 2, "input 'x', as the command line has it, would make dim 0 of 4611686018427387904 * 4, which does not fit 64 bits",
                    options=(f"--dim=n={2**62}", "--dim=m=4"))

    def test_functions(self):
        model = relu()
        model.opset_import.add(domain="mine", version=1)
        model.functions.add().CopyFrom(
            helper.make_function("mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                                 [helper.make_opsetid("", 17)]))
        model.graph.node[0].CopyFrom(helper.make_node("Twice", ["x", "x"], ["y"], domain="mine"))
        self.refuse(model, 1, "node 'Twice_0' (Twice): hands more values to the function 'Twice' than it has")

    def test_domains(self):
        model = relu()
        model.opset_import.add(domain="no.such", version=1)
        model.graph.node[0].domain = "no.such"
        self.refuse(model, 3, "node 'Relu_0' (Relu): operators of the domain 'no.such' are not supported",
                    "export the model with the operators of ONNX itself")


if __name__ == "__main__":
    unittest.main()
