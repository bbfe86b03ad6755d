"""Writes a model for the tests of dscc's flags: relu over x of [batch, 3, side], with an external weight if asked."""

import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

path, external = sys.argv[1], sys.argv[2:]
shape = ["batch", 3, "side"]
graph = helper.make_graph(
    [helper.make_node("Add", ["x", "w"], ["s"], name="add_w"), helper.make_node("Relu", ["s"], ["y"], name="relu_s")],
    "flags",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    [numpy_helper.from_array(numpy.full((3, 1), 0.5, numpy.float32), "w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
if external:
    onnx.save(model, path, save_as_external_data=True, location=external[0], size_threshold=0)
else:
    onnx.save(model, path)
