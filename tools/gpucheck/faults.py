"""What goes wrong goes wrong in a sentence, with the right status, and the next run works.

Each row of FAULTS is a function of a Case; it raises Wrong, or returns. Each is a task of its own, because the worst
outcome, a fault that ends the process or the device's context, is just what is looked for.
"""

import ctypes
import threading
import time

import numpy as np

import smoke
from compiler import CompileError
from worker import Lost

BAD_FILE, BAD_INPUT, NO_DEVICE, OUT_OF_MEMORY = 1, 2, 4, 5  # of dscc_status
SECONDS = 120
RUNS_A_THREAD = 20


class Wrong(Exception):
    """What was expected, and what was found."""


class Scene:
    """The artifacts, the device, and what most rows do."""

    def __init__(self, task, settings):
        import dscc
        self.dscc, self.settings = dscc, settings
        self.small, self.products, self.cpu_only = task["small"], task["products"], task["cpu_only"]
        self.memory = task["memory"]

    def open(self, path=None, **more):
        return self.dscc.Model(path or self.small, **{**self.settings, **more})

    def expect(self, status, words, act):
        """An error with this status and these words in its sentence."""
        try:
            act()
        except self.dscc.Error as error:
            if error.status != status or words not in str(error):
                raise Wrong(f"status {status} and '{words}' were expected, not {error.status}: {error}") from None
            return
        raise Wrong(f"status {status} and '{words}' were expected, but nothing failed")

    def works(self, model):
        """The small model still computes."""
        self.check(model.run({"x": np.array([1, -2, 3], np.float32)})["y"], [2, 0, 6])

    @staticmethod
    def check(got, right):
        if not np.array_equal(got, np.asarray(right, got.dtype)):
            raise Wrong(f"{np.asarray(right).ravel()[:8].tolist()} is right, not {got.ravel()[:8].tolist()}")


def wrong_ordinal(scene):
    scene.expect(NO_DEVICE, "device 99", lambda: scene.open(device_ordinal=99))
    scene.works(scene.open())


def no_driver(scene):
    scene.expect(NO_DEVICE, "no CUDA driver", lambda: scene.open(cuda_driver="/no/such/driver.so"))


def no_code_for_the_device(scene):
    scene.expect(NO_DEVICE, "", lambda: scene.open(scene.cpu_only))


def damaged_artifact(scene):
    content = bytearray(open(scene.small, "rb").read())
    content[len(content) // 2] ^= 0x40
    path = scene.small.replace(".so", "-damaged.so")
    with open(path, "wb") as file:
        file.write(content)
    scene.expect(BAD_FILE, "", lambda: scene.open(path))


def wrong_type(scene):
    model = scene.open()
    scene.expect(BAD_INPUT, "x", lambda: model.run({"x": np.ones(3)}))
    scene.works(model)


def wrong_rank(scene):
    model = scene.open()
    scene.expect(BAD_INPUT, "x", lambda: model.run({"x": np.ones((3, 2), np.float32)}))
    scene.works(model)


def wrong_name(scene):
    model = scene.open()
    scene.expect(BAD_INPUT, "z", lambda: model.run({"z": np.ones(3, np.float32)}))
    scene.works(model)


def wrong_dims(scene):
    model = scene.open(scene.products)
    one = np.ones((2, 1), np.float32)
    scene.expect(BAD_INPUT, "n", lambda: model.run({"a": one, "b": np.ones((1, 3), np.float32), "c": one}))


def no_elements(scene):
    model = scene.open()
    scene.check(model.run({"x": np.zeros(0, np.float32)})["y"], [])
    scene.works(model)


def too_much_memory(scene):
    """A result between two products that takes four times the device's memory."""
    model, n = scene.open(scene.products), int(np.sqrt(scene.memory)) + 1
    operands = {"a": np.ones((n, 1), np.float32), "b": np.ones((1, n), np.float32), "c": np.ones((n, 1), np.float32)}
    scene.expect(OUT_OF_MEMORY, "", lambda: model.run(operands))
    small = {"a": [[1], [2]], "b": [[3, 4]], "c": [[1], [1]]}
    scene.check(model.run({name: np.array(value, np.float32) for name, value in small.items()})["y"], [[7], [14]])


class Shifted:
    """A tensor on the device that begins 4 bytes too late."""

    def __init__(self, tensor, count):
        self.tensor, self.count = tensor, count

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, *, stream=None, max_version=None, **_):
        from dscc import _dlpack, _dtypes
        return _dlpack.lend(self.tensor, self.tensor.pointer + 4, (self.count,), _dtypes.FLOAT, 32,
                            self.__dlpack_device__(), max_version)


def misaligned_pointer(scene):
    model = scene.open()
    tensor = model.upload(np.ones(8, np.float32))
    scene.expect(BAD_INPUT, "aligned", lambda: model.run({"x": Shifted(tensor, 7)}))
    scene.check(model.run({"x": tensor})["y"], np.full(8, 2))


def two_threads(scene):
    """One model, two contexts, different sizes, at once."""
    model, troubles = scene.open(), []

    def work(size):
        x = np.random.default_rng(size).standard_normal(size).astype(np.float32)
        try:
            for _ in range(RUNS_A_THREAD):
                scene.check(model.run({"x": x})["y"], np.maximum(x + x, 0))
        except Exception as error:  # to be raised where somebody sees it
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(size,)) for size in (1000, 70001)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]
    if model.num_contexts > 2:
        raise Wrong(f"two threads made {model.num_contexts} contexts")


def two_models(scene):
    first, second = scene.open(), scene.open()
    scene.works(first)
    scene.works(second)
    first.close()
    scene.works(second)


class Streams:
    """The driver's streams, beside the runtime's."""

    def __init__(self, settings):
        self.driver = ctypes.CDLL(settings.get("cuda_driver") or "libcuda.so.1")
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuInit", 0)
        self.call("cuDeviceGet", ctypes.byref(device), settings["device_ordinal"])
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxPushCurrent_v2", context)

    def call(self, name, *arguments):
        if code := getattr(self.driver, name)(*arguments):
            raise Wrong(f"{name} failed with {code}")

    def create(self):
        stream = ctypes.c_void_p()
        self.call("cuStreamCreate", ctypes.byref(stream), 1)
        return stream

    def wait(self, stream):
        self.call("cuStreamSynchronize", stream)


def callers_stream(scene):
    """Inputs and outputs on the device, several runs enqueued behind each other, one wait at the end."""
    model = scene.open()
    streams = Streams(scene.settings)
    stream = streams.create()
    x = np.arange(-500, 500, dtype=np.float32)
    first = model.upload(x)
    tensors = [first]
    for _ in range(5):
        tensors.append(model.run({"x": tensors[-1]}, on_device=True, stream=stream.value)["y"])
    streams.wait(stream)
    scene.check(tensors[-1].numpy(), np.maximum(x * 32, 0))


def repeated_runs(scene):
    """Runs with equal dims and addresses are replayed, and see new values; so do tensors larger than what is pinned."""
    model = scene.open()
    for size in (3, 1000, 3, 1_200_000, 1000):
        for factor in (1, -1, 2, 3):
            x = factor * (np.arange(size) % 1000 - 500).astype(np.float32)
            scene.check(model.run({"x": x})["y"], np.maximum(2 * x, 0))


FAULTS = {function.__name__: function for function in (
    wrong_ordinal, no_driver, no_code_for_the_device, damaged_artifact, wrong_type, wrong_rank, wrong_name, wrong_dims,
    no_elements, misaligned_pointer, two_models, two_threads, callers_stream,
    repeated_runs, too_much_memory)}


def run(task, emit, settings):
    try:
        FAULTS[task["fault"]](Scene(task, settings))
    except Exception as error:
        emit({"text": f"{'' if isinstance(error, Wrong) else type(error).__name__ + ': '}{error}"})
        return
    emit({"text": None})


def write_products(path):
    """(a b) c: the first product is as large as n is squared."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [helper.make_node("MatMul", ["a", "b"], ["ab"]), helper.make_node("MatMul", ["ab", "c"], ["y"])]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
              for name, dims in (("a", ["n", 1]), ("b", [1, "n"]), ("c", ["n", 1]), ("y", ["n", 1]))]
    graph = helper.make_graph(nodes, "products", values[:3], values[3:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def check(suite):
    start, passed, failed = time.monotonic(), 0, 0
    folder, compiler = suite.folder, suite.compiler
    smoke.write(folder / "small.onnx")
    write_products(folder / "products.onnx")
    try:
        made = {"small": compiler.compile(folder / "small.onnx", folder / "small.so"),
                "products": compiler.compile(folder / "products.onnx", folder / "products.so"),
                "cpu_only": compiler.compile(folder / "small.onnx", folder / "cpu.so", targets="cpu")}
    except CompileError as error:
        suite.report.fail("faults", str(error))
        return
    for name in FAULTS:
        task = {"fault": name, "memory": suite.device.memory_bytes, **{key: str(path) for key, path in made.items()}}
        try:
            (answer,) = list(suite.worker.run("fault", task, SECONDS))
        except Lost as lost:
            answer = {"text": str(lost)}
        if answer["text"]:
            failed += 1
            suite.report.fail(f"fault/{name}", answer["text"], [f"{suite.command} --section=faults"])
        else:
            passed += 1
    suite.report.section("faults", passed, failed, time.monotonic() - start)
