"""Compiles a model made by a test and runs it: on the CPU at two levels of optimisation and for an older one, and
on the simulated GPU."""

import pathlib
import re
import subprocess
import tempfile

import numpy as np
import onnx

# What to compile for and with, and how to run it.
WAYS = {
    "cpu, O0": (["--target=cpu", "-O0"], ["--device=cpu"]),
    "cpu, O3": (["--target=cpu", "-O3"], ["--device=cpu"]),
    "cpu, v3": (["--target=cpu", "--march=x86-64-v3"], ["--device=cpu"]),
    "sim": (["--target=cuda", "--arch=sm_80"], ["--device=sim", "--sim-chip=sm_80", "--sim-check=all"]),
}


def call(command):
    """The child process; the test fails with its own words if it fails, or if the simulator has something to report."""
    child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if child.returncode != 0 or "dscc-sim:" in child.stderr:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {child.returncode}\n{child.stderr}")


def run_model(model, inputs, ways=WAYS):
    """The outputs by name for each way, for each dict of arrays in `inputs`: yields (way, index, outputs)."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        for way in ways:
            compile_options, run_options = WAYS[way]
            call(["dscc", folder / "model.onnx", "-o", folder / "model.so", *compile_options])
            for index, arrays in enumerate(inputs):
                command = ["dscc-run", folder / "model.so", "--output", folder / "out", *run_options]
                for key, array in arrays.items():
                    path = folder / f"{re.sub('[/:]', '_', key)}.npy"
                    np.save(path, array)
                    command += ["--input", f"{key}={path}"]
                call(command)
                yield way, index, {output.name: np.load(folder / "out" / f"{re.sub('[/:]', '_', output.name)}.npy")
                                   for output in model.graph.output}


def make_model(nodes, inputs, outputs, opset, constants=(), ir_version=10):
    """A model of these nodes; inputs and outputs are {name: (element type, dims)}, where dims may be None."""
    def infos(values):
        return [onnx.helper.make_tensor_value_info(key, *value) for key, value in values.items()]

    graph = onnx.helper.make_graph(nodes, "g", infos(inputs), infos(outputs), list(constants))
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=ir_version)
