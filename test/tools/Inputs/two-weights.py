"""Writes a model with a weight that is added and one that is multiplied by."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

weights = [numpy_helper.from_array(np.arange(64 * 64, dtype=np.float32).reshape(64, 64) + i, name) for i, name in enumerate("vw")]
nodes = [helper.make_node("MatMul", ["x", "v"], ["p"]), helper.make_node("Add", ["p", "w"], ["y"])]
tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [64, 64]) for name in "xy"]
graph = helper.make_graph(nodes, "g", tensors[:1], tensors[1:], weights)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), sys.argv[1])
