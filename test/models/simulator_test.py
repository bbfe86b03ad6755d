"""The trained models on simulated GPUs: the artifact for all targets, as a user would ship it.

The smallest size with all checks, in order and in a shuffled one; the others without checks. Seconds are printed.
"""

import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True

import numpy as np

import trained

RTOL, ATOL = 1e-3, 1e-6


class SimulatorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_at(self, model, size, *options):
        array = trained.make_input(model, size)
        np.save(self.folder / "input.npy", array)
        start = time.monotonic()
        command = ["dscc-run", self.folder / "model.so", "--device=sim", "--input",
                   f"{model.input_name}={self.folder / 'input.npy'}", "--output", self.folder / "out", *options]
        child = subprocess.run(command, capture_output=True, text=True)
        seconds = time.monotonic() - start
        self.assertEqual(child.returncode, 0, child.stderr)
        self.assertNotIn("dscc-sim:", child.stderr)
        for name, theirs in trained.run_onnxruntime(model.path, model.input_name, array).items():
            ours = np.load(self.folder / "out" / f"{name}.npy")
            np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=ATOL)
        print(f"{model.name} {'x'.join(map(str, size))} {' '.join(options)}: {seconds:.1f} s")

    def check(self, model):
        trained.compile_model(model.path, self.folder / "model.so")
        smallest = model.sizes[0]
        for chip in ("sm_80", "sm_90"):
            self.run_at(model, smallest, f"--sim-chip={chip}", "--sim-check=all")
            self.run_at(model, smallest, f"--sim-chip={chip}", "--sim-check=all", "--sim-seed=5")
            self.run_at(model, model.sizes[1], f"--sim-chip={chip}", "--sim-check=none")

    def test_magika(self):
        self.check(trained.magika())

    def test_pp_ocr_cls(self):
        self.check(trained.pp_ocr_cls())


if __name__ == "__main__":
    unittest.main()
