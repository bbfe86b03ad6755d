"""How fast it is: a kernel of each family, and the models. Operands and results lie on the device.

What is timed is a graph of several runs, captured from the stream, so that the host's work for each run is not in it; that
is told by itself, as the time in which a run is enqueued. On the simulator the numbers mean nothing.
"""

import ctypes
import statistics
import time

import numpy as np
import onnx
from onnx import helper

import models
from compiler import CompileError
from elements import ELEMENTS
from worker import Lost

SECONDS = 120
SECONDS_OF_A_ROW = 0.5
# By whether it is simulated.
RUNS_IN_A_GRAPH = {False: 30, True: 1}
LEAST_ROUNDS = {False: 5, True: 1}


def nodes(operator, inputs="x z", **attributes):
    return [helper.make_node(operator, inputs.split(), ["y"], **attributes)]


def row(name, graph, kind, large, small, flop=None, out=None):
    """`large`, `small`: dims of the inputs, by name; `flop`: operations of the dims, in the inputs' order."""
    return {"name": name, "nodes": graph, "kind": kind, "dims": {False: large, True: small}, "flop": flop, "out": out or kind}


def product_flop(x, z):
    return 2 * int(np.prod(x)) * z[-1]


def attention_flop(q, k, v):
    return 4 * int(np.prod(q)) * k[-2]


wide = ({"x": [16384, 4096]}, {"x": [8, 128]})
pair = ({"x": [2**26], "z": [2**26]}, {"x": [4096], "z": [4096]})
square = ({"x": [2048, 2048], "z": [2048, 2048]}, {"x": [32, 32], "z": [32, 32]})
heads = ({name: [4, 16, 1024, 64] for name in "qkv"}, {name: [1, 2, 32, 16] for name in "qkv"})

ROWS = [
    row("launch", nodes("Relu", "x"), "f32", {"x": [1]}, {"x": [1]}),
    row("add", nodes("Add"), "f32", *pair), row("add", nodes("Add"), "f16", *pair),
    row("gelu", nodes("Gelu", "x"), "f16", *wide), row("sum of rows", nodes("ReduceSum", "x axes"), "f32", *wide),
    row("softmax", nodes("Softmax", "x", axis=-1), "f16", *wide),
    row("transpose", nodes("Transpose", "x", perm=[1, 0]), "f32", {"x": [8192, 8192]}, {"x": [64, 64]}),
    row("max pool", nodes("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2]), "f16", {"x": [32, 64, 112, 112]},
        {"x": [1, 4, 12, 12]}),
    row("product", nodes("MatMul"), "f32", *square, flop=product_flop),
    row("product", nodes("MatMul"), "f16", *square, flop=product_flop),
    row("product of one row", nodes("MatMul"), "f16", {"x": [1, 8192], "z": [8192, 8192]}, {"x": [1, 64], "z": [64, 64]},
        flop=product_flop),
    row("product of bytes", nodes("MatMulInteger"), "i8", *square, flop=product_flop, out="i32"),
    row("convolution", nodes("Conv", pads=[1, 1, 1, 1]), "f16", {"x": [16, 128, 56, 56], "z": [128, 128, 3, 3]},
        {"x": [1, 4, 8, 8], "z": [4, 4, 3, 3]}, flop=lambda x, z: 2 * x[0] * x[2] * x[3] * int(np.prod(z))),
    row("convolution by channel", nodes("Conv", pads=[1, 1, 1, 1], group=128), "f16",
        {"x": [16, 128, 56, 56], "z": [128, 1, 3, 3]}, {"x": [1, 128, 4, 4], "z": [128, 1, 3, 3]},
        flop=lambda x, z: 2 * int(np.prod(x)) * 9),
    row("attention", nodes("Attention", "q k v"), "f16", *heads, flop=attention_flop),
]


def write(one, dims, path):
    element = ELEMENTS[one["kind"]]
    inputs = [helper.make_tensor_value_info(name, element.onnx, shape) for name, shape in dims.items()]
    axes = onnx.numpy_helper.from_array(np.array([1]), "axes")
    graph = helper.make_graph(one["nodes"], "bench", inputs,
                              [helper.make_tensor_value_info("y", ELEMENTS[one["out"]].onnx, None)],
                              [axes] if "axes" in one["nodes"][0].input else [])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10), path)


class Runs:
    """Runs of a model on tensors that lie on the device, on a stream of its own."""

    def __init__(self, model, arrays, settings):
        from dscc import _native
        from faults import Streams

        self.streams = Streams(settings)
        self.stream = self.streams.create()
        self.inputs = {name: model.upload(array) for name, array in arrays.items()}
        self.outputs = model.run(self.inputs, on_device=True)
        self.bytes = sum(tensor.nbytes for tensor in [*self.inputs.values(), *self.outputs.values()])
        self.native, self.handle = _native, model._handle.value
        self.given, self.wanted = self.buffers(self.inputs), self.buffers(self.outputs)
        self.context = ctypes.c_void_p()
        _native.check(_native.library.dscc_context_create(self.handle, None, ctypes.byref(self.context)))

    @staticmethod
    def buffers(tensors):
        from dscc import _tensors
        return _tensors.make_buffers([_tensors.Bound(name, tensor._row.number, tensor.shape, tensor.pointer, tensor.nbytes,
                                                     True, tensor) for name, tensor in tensors.items()])

    def enqueue(self):
        self.native.check(self.native.library.dscc_run(self.context, self.given, len(self.given), self.wanted,
                                                       len(self.wanted), self.stream))

    def wait(self):
        self.streams.wait(self.stream)

    def capture(self, count):
        """A graph of so many runs."""
        graph, runnable = ctypes.c_void_p(), ctypes.c_void_p()
        self.streams.call("cuStreamBeginCapture_v2", self.stream, 2)  # relaxed
        for _ in range(count):
            self.enqueue()
        self.streams.call("cuStreamEndCapture", self.stream, ctypes.byref(graph))
        self.streams.call("cuGraphInstantiateWithFlags", ctypes.byref(runnable), graph, ctypes.c_ulonglong(0))
        return runnable

    def launch(self, graph):
        self.streams.call("cuGraphLaunch", graph, self.stream)

    def close(self):
        self.native.library.dscc_context_destroy(self.context)


def measure(runs, simulated):
    """Microseconds: the median of a run on the device, its spread, and of enqueueing one."""
    for _ in range(2):  # allocates; records
        runs.enqueue()
    runs.wait()
    count = RUNS_IN_A_GRAPH[simulated]
    start = time.perf_counter()
    for _ in range(count):
        runs.enqueue()
    enqueued = (time.perf_counter() - start) / count
    runs.wait()
    graph = runs.capture(count)
    runs.launch(graph)
    runs.wait()
    times, begin = [], time.perf_counter()
    while len(times) < LEAST_ROUNDS[simulated] or (time.perf_counter() - begin < SECONDS_OF_A_ROW and not simulated):
        start = time.perf_counter()
        runs.launch(graph)
        runs.wait()
        times.append((time.perf_counter() - start) / count)
    return {"us": 1e6 * statistics.median(times), "least_us": 1e6 * min(times), "enqueue_us": 1e6 * enqueued, "rounds": len(times)}


def make_arrays(task):
    if "model" in task:
        _, _, name, make, _ = models.MODELS[task["model"]]
        return {name: make(task["size"])}
    element, random = ELEMENTS[task["type"]], np.random.default_rng(0)
    if element.is_integer:
        return {name: random.integers(-9, 9, dims).astype(element.numpy) for name, dims in task["dims"].items()}
    return {name: random.standard_normal(dims, np.float32).astype(element.numpy) for name, dims in task["dims"].items()}


def run(task, emit, settings):
    """In a worker: one row."""
    import dscc

    with dscc.Model(task["artifact"], **settings) as model:
        runs = Runs(model, make_arrays(task), settings)
        result = measure(runs, task["simulated"])
        emit({**result, "bytes": runs.bytes})
        runs.close()


def peak_bandwidth(device):
    """In GB/s, of the data sheet; 0 where the driver does not tell."""
    return 2 * device.attributes["memory_clock_khz"] * device.attributes["memory_bus_bits"] / 8 / 1e6


def tasks(suite):
    """(name, model, options, task, operations)"""
    small = suite.device.simulated
    for one in ROWS:
        dims = one["dims"][small]
        name = f"{one['name']} {one['kind']}"
        path = suite.folder / f"bench-{name.replace(' ', '-')}.onnx"
        write(one, dims, path)
        flop = one["flop"](*dims.values()) if one["flop"] else 0
        yield name, path, (), {"type": one["kind"], "dims": dims}, flop
    for name, (_, find, _, _, sizes) in models.MODELS.items():
        if small and name == "magika":  # takes a minute there
            continue
        for precision in ("fp32",) if small else ("fp32", "fp16"):
            if path := find():
                size = sizes[0] if small else sizes[1]
                yield f"{name} {precision}", path, [f"--precision={precision}"], {"model": name, "size": size}, 0


def check(suite):
    report, start, passed, failed = suite.report, time.monotonic(), 0, 0
    todo = list(tasks(suite))
    if suite.options.quick:
        todo = todo[:2]
    futures = [suite.compiler.enqueue(path, suite.folder / f"bench{index}.so", options)
               for index, (_, path, options, _, _) in enumerate(todo)]
    for (name, path, options, task, flop), future in zip(todo, futures):
        if time.monotonic() > suite.until():
            future.cancel()
            report.leave_out(f"bench/{name}", "the time was up (--minutes)")
            continue
        try:
            task = {**task, "artifact": str(future.result()), "simulated": suite.device.simulated}
            (answer,) = list(suite.worker.run("bench", task, SECONDS))
        except (CompileError, Lost) as error:
            failed += 1
            folder = suite.failure_folder(f"bench-{name}")
            (folder / "model.onnx").write_bytes(path.read_bytes())
            report.fail(f"bench/{name}", str(error), [*suite.commands(folder, options, []), f"{suite.command} --section=bench"])
            continue
        passed += 1
        tell(report, suite.device, name, answer, flop)
    report.section("bench", passed, failed, time.monotonic() - start)


def tell(report, device, name, answer, flop):
    us = answer["us"]
    line = {"name": name, **answer, "gb_per_s": answer["bytes"] / us / 1e3, "gflop_per_s": flop / us / 1e3}
    report.data["bench"].append(line)
    peak = peak_bandwidth(device)
    share = f" ({100 * line['gb_per_s'] / peak:.0f} % of {peak:.0f})" if peak and not device.simulated else ""
    report.say(f"     {name:<28} {us:>12.1f} us {line['gb_per_s']:>9.1f} GB/s{share} {line['gflop_per_s']:>10.1f} GFLOP/s, "
               f"enqueued in {answer['enqueue_us']:.1f} us{', simulated' if device.simulated else ''}")
