"""Checks replays and staging on the simulated GPU: how many calls a run makes, and that its results are right.

    python replay_test.py SIMULATOR.so Replays
    python replay_test.py SIMULATOR.so Faults     in a process that has not loaded the simulator: it forks
"""

import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "runtime" / "python"), str(ROOT / "test" / "tools" / "simulator")]

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402

import cuda  # noqa: E402
from session import NUM_COLUMNS as WIDTH, Session  # noqa: E402

SIMULATOR = sys.argv.pop(1)
NON_BLOCKING, LEGACY = 1, 1
LAYERS = 2
NO_CALLS = 400  # more than any run of these tests makes


def write_model(path):
    """A product and a softmax, again and again: neither takes the other in."""
    weight = np.arange(WIDTH * WIDTH, dtype=np.float32).reshape(WIDTH, WIDTH) % 5 - 2
    nodes = []
    for i in range(LAYERS):
        nodes += [helper.make_node("MatMul", [f"t{i}", "w"], [f"p{i}"]), helper.make_node("Softmax", [f"p{i}"], [f"t{i + 1}"])]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("t0", TensorProto.FLOAT, ["n", WIDTH])],
        [helper.make_tensor_value_info(f"t{LAYERS}", TensorProto.FLOAT, None)], [onnx.numpy_helper.from_array(weight, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return weight


def expected(x, weight):
    for _ in range(LAYERS):
        powers = np.exp(x @ weight - (x @ weight).max(axis=1, keepdims=True))
        x = powers / powers.sum(axis=1, keepdims=True)
    return x


def sample(rows, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, WIDTH)).astype(np.float32)


class Replays(unittest.TestCase):
    def setUp(self):
        self.sessions = []

    def tearDown(self):
        for session in self.sessions:
            session.close()

    def session(self, **options):
        self.sessions.append(Session(ARTIFACT, SIMULATOR, **options))
        return self.sessions[-1]

    def right(self, session, rows, seed=0):
        x = sample(rows, seed)
        np.testing.assert_allclose(session.run(x), expected(x, WEIGHT), rtol=1e-4, atol=1e-6)

    def launches(self, session, rows, seed=0):
        """Of kernels, and of graphs, in one run."""
        count = lambda: (session.count("cuLaunchKernel", "cuLaunchKernelEx"), session.count("cuGraphLaunch"))
        kernels, graphs = count()
        self.right(session, rows, seed)
        return count()[0] - kernels, count()[1] - graphs

    def test_launches_become_one(self):
        session = self.session()
        self.assertEqual(self.launches(session, 3), (2 * LAYERS, 0))
        self.assertEqual(self.launches(session, 3), (0, 1))  # made, and launched
        for seed in range(5):
            self.assertEqual(self.launches(session, 3, seed), (0, 1))
        # All that such a run asks of the driver.
        names = ("cuCtxPushCurrent_v2", "cuMemcpyHtoDAsync_v2", "cuGraphLaunch", "cuMemcpyDtoHAsync_v2",
                 "cuStreamSynchronize", "cuCtxPopCurrent_v2")
        before = [session.count(name) for name in names]
        self.right(session, 3)
        self.assertEqual([session.count(name) - count for name, count in zip(names, before)], [1] * len(names))

    def test_without(self):
        for options in ({"no_replay": 1}, {"profile": 1}):
            session = self.session(**options)
            for _ in range(4):
                self.assertEqual(self.launches(session, 3), (2 * LAYERS, 0))

    def test_dims_in_turn(self):
        session = self.session()
        self.right(session, 64)  # so that the buffers have their last size
        for turn in range(4):
            for rows in (1, 5, 64, 17):
                kernels, graphs = self.launches(session, rows, turn)
                is_replayed = turn > 0 or rows == 64
                self.assertEqual((kernels, graphs), (0, 1) if is_replayed else (2 * LAYERS, 0), (turn, rows))
        self.right(session, 200)  # they grow, and the old graphs are of no use
        for turn in range(3):
            for rows in (5, 200):
                self.right(session, rows, turn)

    def test_large_tensors(self):
        session = self.session()
        for rows in (70_000, 140_000, 3):  # 32 bytes each; two chunks have 4 MiB
            self.right(session, rows)

    def test_device_buffers_on_streams(self):
        session = self.session()
        driver = cuda.Driver(SIMULATOR)
        stream = ctypes.c_void_p()
        driver.call("cuStreamCreate", ctypes.byref(stream), NON_BLOCKING)
        target = driver.allocate(4 * WIDTH * 3)
        for handle in (stream, ctypes.c_void_p(LEGACY), None):
            source = driver.upload(sample(3))
            driver.call("cuCtxSynchronize")
            for seed in range(4):
                x = sample(3, seed)
                driver.call("cuMemcpyHtoD_v2", ctypes.c_uint64(source), x.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(x.nbytes))
                driver.call("cuCtxSynchronize")
                session.enqueue(3, source, target, handle)
                driver.call("cuCtxSynchronize")
                np.testing.assert_allclose(driver.download(target, np.float32, (3, WIDTH)), expected(x, WEIGHT), rtol=1e-4, atol=1e-6)
        self.assertGreater(session.count("cuGraphLaunch"), 0)

    def test_beside_a_capture(self):
        """The caller is recording on one stream while we record and replay on another: neither disturbs the other."""
        session = self.session()
        driver = cuda.Driver(SIMULATOR)
        stream, other, graph = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        for one in (stream, other):
            driver.call("cuStreamCreate", ctypes.byref(one), NON_BLOCKING)
        source, target = driver.upload(sample(3)), driver.allocate(4 * WIDTH * 3)
        driver.call("cuCtxSynchronize")
        session.enqueue(3, source, target, stream)
        driver.call("cuStreamSynchronize", stream)
        graphs = session.count("cuGraphLaunch")
        driver.call("cuStreamBeginCapture_v2", other, 0)
        for _ in range(2):
            session.enqueue(3, source, target, stream)
        driver.call("cuStreamEndCapture", other, ctypes.byref(graph))
        driver.call("cuStreamSynchronize", stream)
        self.assertEqual(session.count("cuGraphLaunch"), graphs + 2)
        np.testing.assert_allclose(driver.download(target, np.float32, (3, WIDTH)), expected(sample(3), WEIGHT), rtol=1e-4, atol=1e-6)

    def test_from_the_command_line(self):
        """Where no graph may be launched, dscc-run fails to do it, and runs all the same; or it does not try."""
        for words, launches in (([], True), (["--no-replay"], False), (["--profile"], True)):
            child = subprocess.run(
                ["dscc-run", ARTIFACT, "--device=sim", "--dim", "n=3", "--bench=0.02", *words], capture_output=True, text=True,
                env={**os.environ, "DSCC_SIM_FAIL": "cuGraphLaunch:1:UNKNOWN", "DSCC_SIM_LOG": "1"})
            self.assertEqual(child.returncode, 0, child.stderr)
            self.assertEqual("injected into cuGraphLaunch" in child.stderr, launches, words)

    def test_nodes_are_named(self):
        """The simulator tells of a replayed kernel which nodes it computes."""
        child = subprocess.run(["dscc-run", ARTIFACT, "--device=sim", "--dim", "n=3", "--bench=0.02", "--stats=json"],
                               capture_output=True, text=True, check=True)
        kernels = json.loads(child.stdout)["statistics"]["kernels"]
        self.assertEqual(len({kernel["nodes"] for kernel in kernels}), 2 * LAYERS)
        self.assertGreater(min(kernel["launches"] for kernel in kernels), 2)

    def test_callers_capture(self):
        session = self.session()
        driver = cuda.Driver(SIMULATOR)
        stream, graph, ready = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        driver.call("cuStreamCreate", ctypes.byref(stream), NON_BLOCKING)
        source, target = driver.upload(sample(3)), driver.allocate(4 * WIDTH * 3)
        driver.call("cuCtxSynchronize")
        for mode in (0, 1, 2):  # global, of the thread, relaxed
            for _ in range(3):  # the last one is a replay, outside of a capture
                session.enqueue(3, source, target, stream)
            driver.call("cuStreamSynchronize", stream)
            graphs = session.count("cuGraphLaunch")
            driver.call("cuStreamBeginCapture_v2", stream, mode)
            session.enqueue(3, source, target, stream)
            with self.assertRaisesRegex(session.native.Error, "the stream is being captured"):
                session.enqueue(3, sample(3).ctypes.data, target, stream, on_device=False)
            driver.call("cuStreamEndCapture", stream, ctypes.byref(graph))
            self.assertEqual(session.count("cuGraphLaunch"), graphs)
            driver.call("cuGraphInstantiateWithFlags", ctypes.byref(ready), graph, ctypes.c_uint64(0))
            for seed in range(3):
                x = sample(3, seed)
                driver.call("cuMemcpyHtoD_v2", ctypes.c_uint64(source), x.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(x.nbytes))
                driver.call("cuCtxSynchronize")
                driver.call("cuGraphLaunch", ready, stream)
                driver.call("cuStreamSynchronize", stream)
                np.testing.assert_allclose(driver.download(target, np.float32, (3, WIDTH)), expected(x, WEIGHT), rtol=1e-4, atol=1e-6)
        self.right(session, 3)


def live_with_fault(call, options):
    """A life in which a call of the driver fails, in a process of its own. Its exit code: 0: nothing failed visibly; 1: a
    call of the runtime did, and the next run was right; 2: something is wrong; 3: there are not so many calls."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.environ.update(DSCC_SIM_FAIL=f"any:{call}:LAUNCH_FAILED", DSCC_SIM_LOG="0", DSCC_SIM_THREADS="1")
    code = 2
    try:
        code = live(call, options)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def live(call, options):
    driver = ctypes.CDLL(SIMULATOR)
    driver.dsccSimCalls.restype = ctypes.c_uint64
    failures, session = 0, None
    from dscc import _native
    while session is None:
        try:
            session = Session(ARTIFACT, SIMULATOR, **options)
        except _native.Error:
            failures += 1
    for rows in (5, 3, 3) if options else (5, 3, 3, 5, 5, 3, 7, 3):
        x = sample(rows)
        try:
            y = session.run(x)
        except _native.Error:
            failures += 1
            y = session.run(x)
        np.testing.assert_allclose(y, expected(x, WEIGHT), rtol=1e-4, atol=1e-6)
    session.close()
    assert failures <= 1, "one call failed, so one call of the runtime may"
    # What is left when all is closed: nothing.
    context, free, total = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t()
    if driver.dsccSimCalls(b"any") <= call:  # the first one, cuInit, reads what is to fail
        return 3
    assert not driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) and not driver.cuCtxPushCurrent_v2(context)
    assert not driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
    assert free.value == total.value, "memory of the device has not been given back"
    return int(failures > 0)


class Faults(unittest.TestCase):
    def test_every_call(self):
        for options in ({}, {"profile": 1}):
            seen = []
            for call in range(1, NO_CALLS):
                code = live_with_fault(call, options)
                if code == 3:
                    break
                self.assertIn(code, (0, 1), f"call {call} with {options}")
                seen.append(code)
            self.assertLess(len(seen), NO_CALLS - 1)
            self.assertGreater(sum(seen), 20)
            print(f"{options}: {len(seen)} calls, {sum(seen)} of them a failure of the runtime's")


def setUpModule():
    global ARTIFACT, WEIGHT
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    path = pathlib.Path(folder.name) / "model.onnx"
    WEIGHT = write_model(path)
    ARTIFACT = path.with_suffix(".so")
    subprocess.run(["dscc", path, "-o", ARTIFACT, "--target=cuda", "--arch=sm_90a"], check=True)


if __name__ == "__main__":
    unittest.main()
