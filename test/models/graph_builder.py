"""Builds ONNX graphs as exporters write them, node by node, with weights from a seed.

    build = GraphBuilder(opset=18, seed=1)
    x = build.input("x", np.float32, ["batch", 64], sample=build.random.standard_normal((4, 64)))
    with build.scope("layer1"):
        x = build.node("Relu", build.node("MatMul", x, build.weight((64, 64))))
    build.output(x, "y", ["batch", 64])
    build.save(path)

An input may come with a sample. Then every node is run on it at once, by ONNX
Runtime, and `values` has what came out: statistics for batch norms are taken
from there. Without a sample nothing is run.
"""

import contextlib
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# A file of protobuf ends at 2 GiB; larger weights go into a file beside it.
EXTERNAL_BYTES = 1 << 30
IR_VERSION = 10


class GraphBuilder:
    def __init__(self, opset, seed=0):
        self.opset, self.random = opset, np.random.default_rng(seed)
        self.values = {}  # name of a tensor: its value on the sample
        self.arrays = {}  # name of a weight: its array
        self._nodes, self._inputs, self._outputs = [], [], []
        self._scopes, self._names = [], {}
        self._last = {}  # name of a tensor: the node that makes it

    @contextlib.contextmanager
    def scope(self, name):
        self._scopes.append(str(name))
        yield
        self._scopes.pop()

    def input(self, name, dtype, dims, sample=None):
        self._inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), dims))
        if sample is not None:
            self.values[name] = np.asarray(sample, dtype)
        return name

    def constant(self, array, name="weight"):
        """An initializer that holds an array."""
        name = self._unique(".".join([*self._scopes, name]))
        self.arrays[name] = np.asarray(array, order="C")
        return name

    def weight(self, dims, scale=None, name="weight", fan_in=None):
        """A random initializer. Without a scale a product or convolution by it keeps the variance."""
        if fan_in is None:
            fan_in = dims[0] if len(dims) == 2 else int(np.prod(dims[1:]))
        scale = fan_in ** -0.5 if scale is None else scale
        return self.constant(self.normal(dims, scale), name)

    def normal(self, dims, scale=1.0, mean=0.0):
        return np.float32(mean) + np.float32(scale) * self.random.standard_normal(dims, np.float32)

    def integers(self, *numbers):
        return self.constant(np.array(numbers, np.int64), "numbers")

    def number(self, value):
        return self.constant(np.array(value, np.float32), "number")

    def node(self, op, *inputs, outputs=1, **attributes):
        """Appends a node; returns the name of its output, or the list of them if there are several."""
        name = self._unique("/" + "/".join([*self._scopes, op]))
        results = [f"{name}_output_{index}" for index in range(outputs)]
        node = helper.make_node(op, list(inputs), results, name, **attributes)
        self._nodes.append(node)
        self._last.update((result, node) for result in results)
        self._run(node)
        return results[0] if outputs == 1 else results

    def output(self, value, name, dims, dtype=np.float32):
        """Makes a value an output under a name of its own."""
        node = self._last[value]
        node.output[list(node.output).index(value)] = name
        for user in self._nodes:
            for index, operand in enumerate(user.input):
                if operand == value:
                    user.input[index] = name
        self._last[name] = node
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._outputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def model(self):
        weights = [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]
        graph = helper.make_graph(self._nodes, "main", self._inputs, self._outputs, weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)],
                                 ir_version=IR_VERSION, producer_name="dscc tests")

    def save(self, path):
        """Writes the model; returns its path."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        external = sum(array.nbytes for array in self.arrays.values()) >= EXTERNAL_BYTES
        data = path.with_suffix(".data")
        data.unlink(missing_ok=True)  # onnx appends to what is there
        onnx.save(self.model(), path, save_as_external_data=external, location=data.name if external else None)
        return path

    def _unique(self, name):
        count = self._names[name] = self._names.get(name, -1) + 1
        return f"{name}_{count}" if count else name

    def _run(self, node):
        known = self.arrays | self.values
        if not all(operand in known for operand in node.input if operand) or not self.values:
            return
        feed = {operand: known[operand] for operand in node.input if operand}
        for name, value in zip(node.output, run_node(node, feed, self.opset)):
            self.values[name] = value


def run_node(node, feed, opset):
    """What ONNX Runtime makes of one node, on one thread so that it is always the same."""
    import onnxruntime

    def info(name, array):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)

    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output]
    graph = helper.make_graph([node], "node", [info(*item) for item in feed.items()], outputs)
    for output in graph.output:
        output.ClearField("type")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feed)
