"""Loads and runs a small model while one driver call fails, for every call in turn.

    python faults_test.py --model m.onnx      writes the model
    python faults_test.py m.so                runs what the compiler has made of it

A run must end with exit code 5 and the driver's name of the error, or, if the call's failure does no harm (as while the
driver is shut down), with the right result. A sanitizer that has found something, a leak too, ends it with another code.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnx
from onnx import TensorProto, helper

MAX_CALLS = 200


def write_model(path):
    weight = onnx.numpy_helper.from_array(np.ones((8, 8), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Softmax", ["a"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class FaultsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_with(self, **variables):
        (self.folder / "out" / "y.npy").unlink(missing_ok=True)
        command = ["dscc-run", ARTIFACT, "--device=sim", "--dim", "n=3", "--output", self.folder / "out"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **variables})

    def result(self):
        return np.load(self.folder / "out" / "y.npy")

    def test_every_call(self):
        self.assertEqual(self.run_with().returncode, 0)
        expected = self.result()
        for error, word in (("OUT_OF_MEMORY", "CUDA_ERROR_OUT_OF_MEMORY"), ("ILLEGAL_ADDRESS", "CUDA_ERROR_ILLEGAL_ADDRESS")):
            failed = 0
            for k in range(1, MAX_CALLS):
                child = self.run_with(DSCC_SIM_FAIL=f"any:{k}:{error}", DSCC_SIM_THREADS="1")
                if "injected into" not in child.stderr:
                    self.assertEqual(child.returncode, 0, child.stderr)
                    break
                self.assertIn(child.returncode, (0, 5), f"call {k}: {child.stderr}")
                if child.returncode == 0:
                    np.testing.assert_array_equal(self.result(), expected)
                else:
                    failed += 1
                    said = child.stderr.split("dscc-run: error:", 1)
                    self.assertEqual(len(said), 2, child.stderr)
                    # Before a device is there, whatever fails means that there is none.
                    self.assertTrue(word in said[1] or "no CUDA" in said[1] or "device" in said[1], child.stderr)
            else:
                self.fail(f"more than {MAX_CALLS} driver calls in a run")
            self.assertGreater(failed, 10)
            print(f"{error}: {k - 1} calls, {failed} of them fatal, 0 crashes")

    def test_no_device_and_old_driver(self):
        for name, value in (("DSCC_SIM_DEVICES", "0"), ("DSCC_SIM_DRIVER_VERSION", "11000")):
            child = self.run_with(**{name: value})
            self.assertEqual(child.returncode, 5, child.stderr)
            self.assertIn("error:", child.stderr)

    def test_little_memory(self):
        child = self.run_with(DSCC_SIM_MEMORY="100")
        self.assertEqual(child.returncode, 5, child.stderr)
        self.assertIn("CUDA_ERROR_OUT_OF_MEMORY", child.stderr)


if __name__ == "__main__":
    if sys.argv[1] == "--model":
        write_model(sys.argv[2])
        sys.exit()
    ARTIFACT = sys.argv.pop(1)
    unittest.main()
