"""Gelu of every number of 16 bits on a GPU, in the simulator, against double precision."""

import math
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np

TEXT = """
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<65536xTYPE> {dsc.name = "x"}) -> (tensor<65536xf32> {dsc.name = "y"}) {
    %0 = dsc.gelu %x : (tensor<65536xTYPE>) -> tensor<65536xTYPE>
    %1 = dsc.cast %0 : (tensor<65536xTYPE>) -> tensor<65536xf32>
    return %1 : tensor<65536xf32>
  }
}
"""


def reference(x):
    """x times the share of a normal distribution below x: by erfc, which does not cancel."""
    return np.array([value * 0.5 * math.erfc(-value / math.sqrt(2)) for value in x])


class GeluHalves(unittest.TestCase):
    def run_all(self, element, bits):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "m.mlir").write_text(TEXT.replace("TYPE", element))
            np.save(folder / "x.npy", bits)
            subprocess.run(["dscc", folder / "m.mlir", "-o", folder / "m.so", "--target=cuda", "--arch=sm_80"], check=True)
            subprocess.run(["dscc-run", folder / "m.so", "--device=sim", "--sim-chip=sm_80", "--output", folder / "out",
                            "--input", f"x={folder / 'x.npy'}"], check=True, capture_output=True)
            return np.load(folder / "out" / "y.npy").astype(np.float64)

    def check(self, got, x, step, least):
        """At most a step between neighbours off, and at the least numbers one of those."""
        finite = np.isfinite(x)
        expected = reference(x[finite])
        self.assertTrue((np.abs(got[finite] - expected) <= step * np.abs(expected) + least).all())
        self.assertTrue(np.isnan(got[np.isnan(x)]).all())
        self.assertTrue((got[x == np.inf] == np.inf).all())

    def test_f16(self):
        bits = np.arange(65536, dtype=np.uint16)
        x = bits.view(np.float16)
        self.check(self.run_all("f16", x), x.astype(np.float64), 2.0**-11 + 1e-4, 2.0**-24)

    def test_bf16(self):
        bits = np.arange(65536, dtype=np.uint16)
        x = (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        # Beyond the least number of single precision's exponential nothing is left.
        self.check(self.run_all("bf16", bits), x, 2.0**-8 + 1e-3, 2.0**-120)


if __name__ == "__main__":
    unittest.main()
