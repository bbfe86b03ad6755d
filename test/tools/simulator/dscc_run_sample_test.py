"""dscc-run --sim-sample: what some blocks of a model's kernels say of all, at three sizes each, beside full runs."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import numpy as np

import kernel_cases

SAMPLE = 32
RATIOS = {"instructions": lambda total: total["warp_instructions"]["total"],
          "tensor": lambda total: sum(count for unit, count in total["flop"].items() if unit.startswith("tensor")),
          "sectors": lambda total: total["memory"]["global"]["load"]["sectors"],
          "dram read": lambda total: total["dram_read_bytes"], "dram written": lambda total: total["dram_written_bytes"],
          "bound": lambda total: total["roofline"]["bound_us"], "model": lambda total: total["time"]["modelled_us"]}


class SampleTest(unittest.TestCase):
    def run_case(self, case, arch):
        """The totals of a sample and of a full run."""
        with tempfile.TemporaryDirectory() as folder:
            model, artifact = pathlib.Path(folder) / "m.onnx", pathlib.Path(folder) / "m.so"
            case.write(model, np.float16)
            subprocess.run(["dscc", model, "-o", artifact, "--target=cuda", f"--arch={arch}"], check=True)
            totals = []
            for option in ([f"--sim-sample={SAMPLE}"], []):
                child = subprocess.run(["dscc-run", artifact, "--device=sim", f"--sim-chip={arch.rstrip('a')}",
                                        "--sim-check=none", "--stats=json", *option], capture_output=True, text=True,
                                       check=True)
                totals.append(json.loads(child.stdout)["statistics"]["total"])
                self.assertEqual("outputs are incomplete" in child.stderr, bool(option))
            return totals

    def check(self, case, arch="sm_90a"):
        sampled, full = self.run_case(case, arch)
        self.assertEqual(full["blocks_run"], full["blocks"])
        self.assertEqual(sampled["blocks"], full["blocks"])
        self.assertLess(sampled["blocks_run"], full["blocks"])
        for name, read in RATIOS.items():
            with self.subTest(count=name):
                self.assertAlmostEqual(read(sampled) / max(read(full), 1e-9), 1 if read(full) else 0, delta=0.02)

    # Of sm_80: on sm_90 large products have no more blocks than the chip multiprocessors, which all run.
    def test_products(self):
        for rows, inner, columns in ((1024, 128, 4096), (777, 64, 8192), (2048, 64, 4096)):
            self.check(kernel_cases.gemm(rows, inner, columns), "sm_80")

    def test_attention(self):
        for batch, length in ((5, 128), (4, 333), (3, 512)):
            self.check(kernel_cases.attention(batch, 16, 16, length, length, 64))

    def test_rows(self):
        for length in (1000, 4096, 16384):
            self.check(kernel_cases.rows("layer_norm", length, 1 << 22))


if __name__ == "__main__":
    unittest.main()
