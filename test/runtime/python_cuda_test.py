"""Checks runtime/python/dscc with tensors on a GPU, which is a simulated one.

    python python_cuda_test.py SIMULATOR.so
"""

import gc
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "runtime" / "python"), str(ROOT / "test" / "tools" / "simulator")]
# Streams take turns by chance, so that what is not ordered shows.
os.environ.update(DSCC_SIM_SEED="3", DSCC_SIM_CHECK="memory")

import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402

import cuda  # noqa: E402
import dscc  # noqa: E402
from dscc import _dlpack, _dtypes  # noqa: E402

SIMULATOR = sys.argv.pop(1)
NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING
LEGACY = 1  # how DLPack and the driver call the default stream


class Foreign:
    """A tensor of another library's: memory that the driver gave, lent by DLPack."""

    def __init__(self, driver, array, device=(_dlpack.CUDA, 0), offset=0):
        self.driver, self.shape, self.dtype, self.device = driver, array.shape, array.dtype, device
        self.base = driver.allocate(array.nbytes + offset)
        self.pointer = self.base + offset
        self.asked = []
        driver.call("cuMemcpyHtoD_v2", cuda.ctypes.c_uint64(self.pointer), array.ctypes.data_as(cuda.ctypes.c_void_p),
                    cuda.ctypes.c_size_t(array.nbytes))
        # Small copies from memory that is not pinned may be under way when the call returns.
        driver.call("cuCtxSynchronize")

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, *, stream=None, max_version=None):
        self.asked.append(stream)
        row = _dtypes.of_numpy(self.dtype)
        return _dlpack.lend(self, self.pointer, self.shape, row.code, row.bits, self.device, max_version)

    def numpy(self):
        return self.driver.download(self.pointer, self.dtype, self.shape)

    def fill(self, value, stream):
        """Enqueues a store of the same float everywhere."""
        bits = np.float32(value).view(np.uint32)
        self.driver.call("cuMemsetD32Async", cuda.ctypes.c_uint64(self.pointer), cuda.ctypes.c_uint(int(bits)),
                         cuda.ctypes.c_size_t(int(np.prod(self.shape))), cuda.ctypes.c_void_p(stream))


def model_of(path, element=TensorProto.FLOAT):
    """y = x w, and z = y + y."""
    w = np.arange(12).reshape(3, 4) % 5
    weight = helper.make_tensor("w", element, w.shape, w.flatten().tolist())
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Add", ["y", "y"], ["z"])], "g",
        [helper.make_tensor_value_info("x", element, ["n", 3])],
        [helper.make_tensor_value_info(name, element, None) for name in ("y", "z")], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    subprocess.run(["dscc", path, "-o", path.with_suffix(".so"), "--target=cuda", "--arch=sm_90a"], check=True)
    return w.astype(np.float32), path.with_suffix(".so")


class OnDevice(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.w, cls.path = model_of(cls.folder / "float.onnx")
        cls.driver = cuda.Driver(SIMULATOR)

    def setUp(self):
        self.free = self.free_bytes()
        self.model = dscc.Model(self.path, device="cuda", cuda_driver=SIMULATOR)
        self.addCleanup(self.model.close)

    def free_bytes(self):
        free, total = cuda.ctypes.c_size_t(), cuda.ctypes.c_size_t()
        self.driver.call("cuMemGetInfo_v2", cuda.ctypes.byref(free), cuda.ctypes.byref(total))
        return free.value

    def x(self, rows=2, seed=0):
        return np.random.default_rng(seed).integers(-4, 5, (rows, 3)).astype(np.float32)

    def expect(self, outputs, x):
        for name, factor in (("y", 1), ("z", 2)):
            got = outputs[name]
            np.testing.assert_array_equal(got if isinstance(got, np.ndarray) else got.numpy(), factor * (x @ self.w))

    def refuse(self, error, sentence, call, *arguments, **keywords):
        with self.assertRaises(error) as caught:
            call(*arguments, **keywords)
        self.assertIn(sentence, str(caught.exception))

    def test_host(self):
        self.assertTrue(self.model.device.startswith("cuda (sm_90"))
        self.expect(self.model.run({"x": self.x()}), self.x())

    def test_inputs_in_place(self):
        x = Foreign(self.driver, self.x(5))
        self.expect(self.model.run({"x": x}), self.x(5))
        self.assertEqual(x.asked, [LEGACY])

    def test_outputs(self):
        x = self.x(4)
        target = Foreign(self.driver, np.zeros((4, 4), np.float32))
        on_host = np.zeros((4, 4), np.float32)
        outputs = self.model.run({"x": x}, {"y": target, "z": on_host})
        self.assertIs(outputs["y"], target)
        self.assertIs(outputs["z"], on_host)
        self.expect(outputs, x)
        # From the device to the device: what a run makes goes into the next one as it lies there.
        outputs = self.model.run({"x": self.model.upload(x)}, {"z": target}, on_device=True)
        self.assertEqual(repr(outputs["y"]), "<dscc.DeviceTensor float32 [4, 4] on cuda:0>")
        self.expect(outputs, x)

    def test_nothing_is_copied(self):
        """The run has the tensors' own addresses: it never asks the driver for a copy between host and device."""
        x, y, z = (Foreign(self.driver, np.zeros((3, width), np.float32)) for width in (3, 4, 4))
        self.model.run({"x": x}, {"y": y, "z": z})
        seen = {}
        run = dscc._native.library.dscc_run

        def look(context, given, num_given, wanted, num_wanted, stream):
            seen.update({one.name.decode(): (one.data, one.on_device) for one in [*given, *wanted]})
            return run(context, given, num_given, wanted, num_wanted, stream)

        dscc._native.library.dscc_run = look
        self.addCleanup(setattr, dscc._native.library, "dscc_run", run)
        self.model.run({"x": x}, {"y": y, "z": z})
        self.assertEqual(seen, {"x": (x.pointer, 1), "y": (y.pointer, 1), "z": (z.pointer, 1)})

    def test_what_was_enqueued_before_comes_first(self):
        x = Foreign(self.driver, self.x(64))
        for value in range(20):
            x.fill(value, LEGACY)
            self.expect(self.model.run({"x": x}), np.full((64, 3), value, np.float32))

    def test_stream_of_the_callers(self):
        stream = cuda.ctypes.c_void_p()
        self.driver.call("cuStreamCreate", cuda.ctypes.byref(stream), NON_BLOCKING)
        x = Foreign(self.driver, self.x(8))
        for value in range(20):
            x.fill(value, stream.value)
            outputs = self.model.run({"x": x}, on_device=True, stream=stream.value)
            self.expect(outputs, np.full((8, 3), value, np.float32))
        self.assertEqual(set(x.asked), {stream.value})
        # One context serves the stream; the model's own stream has another.
        self.assertEqual(self.model.num_contexts, 1)
        self.expect(self.model.run({"x": self.x()}), self.x())
        self.assertEqual(self.model.num_contexts, 2)
        # Who borrows a result for another stream gets it when it is there.
        x.fill(3, stream.value)
        y = self.model.run({"x": x}, on_device=True, stream=stream.value)["y"]
        capsule = y.__dlpack__(stream=LEGACY, max_version=(1, 0))
        np.testing.assert_array_equal(self.driver.download(y.pointer, np.float32, (8, 4)),
                                      np.full((8, 3), 3, np.float32) @ self.w)
        del capsule
        self.driver.call("cuStreamDestroy_v2", stream)

    def test_default_stream_by_torchs_number(self):
        x = Foreign(self.driver, self.x(8))
        for value in range(20):
            x.fill(value, LEGACY)
            self.expect(self.model.run({"x": x}, on_device=True, stream=0), np.full((8, 3), value, np.float32))
        self.assertEqual(set(x.asked), {LEGACY})

    def test_bounded_contexts_change_streams(self):
        model = dscc.Model(self.path, device="cuda", cuda_driver=SIMULATOR, max_contexts=1)
        self.addCleanup(model.close)
        x = Foreign(self.driver, self.x(8))
        for stream in (LEGACY, None, LEGACY):
            outputs = model.run({"x": x}, on_device=True, stream=stream)
            self.assertEqual(model.num_contexts, 1)
            self.expect(outputs, self.x(8))

    def test_threads(self):
        failures = []

        def work(seed):
            try:
                for rows in range(1, 9):
                    x = self.x(rows, seed)
                    self.expect(self.model.run({"x": self.model.upload(x)}, on_device=seed % 2 == 0), x)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_tensors_outlive_the_model_and_leave_nothing(self):
        y = self.model.run({"x": self.x()}, on_device=True)["y"]
        self.model.close()
        np.testing.assert_array_equal(y.numpy(), self.x() @ self.w)
        capsule = y.__dlpack__()
        del y
        gc.collect()
        self.assertLess(self.free_bytes(), self.free)
        del capsule
        gc.collect()
        self.assertEqual(self.free_bytes(), self.free)

    def test_bfloat16(self):
        w, path = model_of(self.folder / "bfloat16.onnx", TensorProto.BFLOAT16)
        x = self.x()
        with dscc.Model(path, device="cuda", cuda_driver=SIMULATOR) as model:
            tensor = model.upload(x.astype(ml_dtypes.bfloat16))
            self.assertEqual(tensor.dtype, "bfloat16")
            lent = _dlpack.borrow(tensor, LEGACY)
            self.assertEqual((lent.code, lent.bits, lent.shape), (_dtypes.BFLOAT, 16, (2, 3)))
            for given in (tensor, Foreign(self.driver, x.astype(ml_dtypes.bfloat16).view(np.uint16))):
                y = model.run({"x": given}, on_device=True)["y"]
                self.assertEqual(y.numpy().dtype, np.uint16)
                np.testing.assert_array_equal(y.numpy().view(ml_dtypes.bfloat16).astype(np.float32), x @ w)

    def test_refusals(self):
        x = self.x()
        self.refuse(ValueError, "input 'x' lies on CUDA device 1, but the model is on device 0; copy it there first",
                    self.model.run, {"x": Foreign(self.driver, x, (_dlpack.CUDA, 1))})
        self.refuse(dscc.Error, "the device buffer of 'x' is not aligned to 16 bytes", self.model.run,
                    {"x": Foreign(self.driver, x, offset=4)})
        self.refuse(dscc.Error, "axis 0 is given as 3", self.model.run, {"x": x},
                    {"y": Foreign(self.driver, np.zeros((3, 4), np.float32))})
        self.refuse(TypeError, "no model has tensors of NumPy's <U1", self.model.upload, np.array("a"))
        tensor = self.model.upload(x)
        self.refuse(BufferError, "is not moved to (1, 0)", tensor.__dlpack__, dl_device=(_dlpack.CPU, 0))
        self.refuse(BufferError, "not copied", tensor.__dlpack__, copy=True)
        # Whoever lends host memory that the driver pinned lends host memory.
        pinned = Foreign(self.driver, x)
        array, pinned.device = x, (_dlpack.CUDA_HOST, 0)
        pinned.pointer = array.ctypes.data
        self.expect(self.model.run({"x": pinned}), x)


if __name__ == "__main__":
    unittest.main()
