"""Does any kernel run at all? Four numbers and a sum; most of what can be wrong with a set-up shows here."""

import numpy as np

MODEL = [("Add", ["x", "x"], ["double"]), ("Relu", ["double"], ["y"])]


def write(path):
    import onnx
    from onnx import TensorProto, helper

    nodes = [helper.make_node(*node) for node in MODEL]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    graph = helper.make_graph(nodes, "smoke", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def run(task, emit, settings):
    import dscc

    try:
        model = dscc.Model(task["artifact"], **settings)
        x = np.array([1, -2, 3.5, 0], np.float32)
        y = model.run({"x": x})["y"]
    except dscc.Error as error:
        emit({"error": str(error)})
        return
    right = np.maximum(x + x, 0)
    if not np.array_equal(y, right):
        emit({"error": f"2 * {x.tolist()}, at least 0, is {right.tolist()}, not {y.tolist()}"})
        return
    emit({"device": model.device, "runtime": dscc.version()})
    model.close()
