"""From cases to a model: one graph whose outputs are the results of many cases, in one type."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from elements import ELEMENTS


def _constant(value, element):
    """(array, ONNX's number of its type)"""
    if isinstance(value, np.ndarray):
        return value, helper.np_dtype_to_tensor_dtype(value.dtype)
    return value.make(element), element.onnx


def _initializer(array, onnx_type, name):
    if array.dtype.isbuiltin == 1:
        return numpy_helper.from_array(np.ascontiguousarray(array), name)
    # Types of ml_dtypes: their bytes as they are.
    return TensorProto(name=name, data_type=onnx_type, dims=array.shape, raw_data=array.tobytes())


class GraphWriter:
    def __init__(self, family, element):
        self.family, self.element = family, element
        self.nodes, self.constants, self.outputs, self.used = [], [], [], []

    def operand(self, value, case, inner):
        if value is None:
            return ""
        if not isinstance(value, str):
            array, onnx_type = _constant(value, self.element)
            name = f"constant_{len(self.constants)}"
            self.constants.append(_initializer(array, onnx_type, name))
            return name
        if value.startswith("$"):
            return inner[int(value[1:])]
        if value not in self.used:
            self.used.append(value)
        return value

    def add(self, case):
        inner = []
        for index, node in enumerate(case.nodes):
            is_last = index == len(case.nodes) - 1
            results = output_names(case) if is_last else [f"{case.name}/{index}"]
            inputs = [self.operand(value, case, inner) for value in node.inputs]
            self.nodes.append(helper.make_node(node.operator, inputs, results, name=f"{case.name}/{index}", **node.attributes))
            inner.append(results[0])
        for name, kind in zip(output_names(case), case.out):
            element = ELEMENTS[kind] if kind else self.element
            self.outputs.append(helper.make_tensor_value_info(name, element.onnx, None))

    def finish(self):
        inputs = [helper.make_tensor_value_info(name, self.family.element(self.element.name, one.kind).onnx, one.dims)
                  for name, one in self.family.inputs.items() if name in self.used]
        graph = helper.make_graph(self.nodes, f"{self.family.name}-{self.element.name}", inputs, self.outputs,
                                  self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.family.opset)], ir_version=10)


def output_names(case):
    """Of a case's results, in order: other names than those of the family's inputs."""
    return [f"y_{case.name}"] if len(case.out) == 1 else [f"y{index}_{case.name}" for index in range(len(case.out))]


def write_model(family, kind, cases, path):
    """The names of the inputs that the model has, in the family's order."""
    writer = GraphWriter(family, ELEMENTS[kind])
    for case in cases:
        writer.add(case)
    onnx.save(writer.finish(), path)
    return [name for name in family.inputs if name in writer.used]
