"""What tests of kernels that multiply in tiles have in common: a product whose schedule is forced, in the simulator with
all its checks, against double precision."""

import pathlib
import re
import subprocess
import unittest

import numpy as np

# Of each result, relative to the largest: sums are in single precision, results are rounded to half.
TOLERANCE = {"f16": 1e-3, "bf16": 8e-3}


def shape(*dims, element="f16"):
    return "x".join(map(str, dims)) + "x" + element


def product_text(rows, inner, columns, transposed, element="f16", result="f16"):
    """A product with a bias and an activation; which operands are transposed, "AB" says."""
    lhs = (inner, rows) if "A" in transposed else (rows, inner)
    rhs = (columns, inner) if "B" in transposed else (inner, columns)
    flags = ", ".join(name for name, letter in (("transpose_lhs", "A"), ("transpose_rhs", "B")) if letter in transposed)

    def tensor(*dims, of=element):
        return f"tensor<{shape(*dims, element=of)}>"

    product, bias, out = tensor(rows, columns), tensor(columns), tensor(rows, columns, of=result)
    last = "%2" if result == element else "%3"
    cast = "" if result == element else f"    %3 = dsc.cast %2 : ({product}) -> {out}\n"
    return lhs, rhs, f"""
module attributes {{dsc.stage = "imported", dsc.symbols = [], dsc.relations = []}} {{
  func.func @main(%x: {tensor(*lhs)} {{dsc.name = "x"}}, %w: {tensor(*rhs)} {{dsc.name = "w"}},
                  %b: {bias} {{dsc.name = "b"}}) -> ({out} {{dsc.name = "y"}}) {{
    %0 = dsc.matmul %x, %w {{{flags}}} : ({tensor(*lhs)}, {tensor(*rhs)}) -> {product}
    %1 = dsc.add %0, %b : ({product}, {bias}) -> {product}
    %2 = dsc.relu %1 : ({product}) -> {product}
{cast}    return {last} : {out}
  }}
}}
"""


class ForcedTiles(unittest.TestCase):
    def dscc(self, source, artifact, *options):
        done = subprocess.run(["dscc", source, "-o", artifact, "--target=cuda", *options], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def run_artifact(self, folder, artifact, inputs, *options):
        command = ["dscc-run", artifact, "--output", folder / "out", "--device=sim", "--sim-check=all", *options]
        for name, value in inputs.items():
            np.save(folder / f"{name}.npy", value)
            command += ["--input", f"{name}={folder / name}.npy"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        # What the simulator reports, a race or a fence that is missing, does not end the run.
        self.assertEqual(done.stderr, "")
        return np.load(folder / "out" / "y.npy").astype(np.float64), done.stdout

    def assert_close(self, got, expected, tolerance):
        self.assertEqual(got.shape, expected.shape)
        self.assertTrue(np.isfinite(got).all())
        self.assertLess(np.abs(got - expected).max() / np.abs(expected).max(), tolerance)

    def force(self, folder, text, schedule, arch):
        """Compiles the text with its first schedule replaced, and returns the process."""
        source, scheduled, artifact = folder / "m.mlir", folder / "s.mlir", folder / "m.so"
        source.write_text(text)
        self.dscc(source, scheduled, f"--arch={arch}", "--until=scheduled")
        # The best generation comes first.
        forced, count = re.subn(r"#dsc\.schedule<[^>]*>", f"#dsc.schedule<{schedule}>", scheduled.read_text(), count=1)
        self.assertEqual(count, 1)
        scheduled.write_text(forced)
        return subprocess.run(["dscc", scheduled, "-o", artifact, "--target=cuda", f"--arch={arch}"],
                              capture_output=True, text=True)

    def check_product(self, folder, size, transposed, arch, element="f16", options=()):
        """Runs what was compiled, beside double precision."""
        lhs, rhs, _ = product_text(*size, transposed)
        random = np.random.default_rng(sum(size))
        inputs = {name: random.standard_normal(dims).astype(np.float16)
                  for name, dims in (("x", lhs), ("w", rhs), ("b", size[2:]))}
        if element == "bf16":
            # As bits: numpy has no such numbers. What is cut off is lost for both.
            inputs = {name: value.astype(np.float32).view(np.uint32) & 0xffff0000 for name, value in inputs.items()}
            x, w, b = (inputs[name].view(np.float32).astype(np.float64) for name in "xwb")
            inputs = {name: (value >> 16).astype(np.uint16) for name, value in inputs.items()}
        else:
            x, w, b = (inputs[name].astype(np.float64) for name in "xwb")
        got, told = self.run_artifact(folder, folder / "m.so", inputs, f"--sim-chip={arch.rstrip('a')}", *options)
        expected = (x.T if "A" in transposed else x) @ (w.T if "B" in transposed else w) + b
        self.assert_close(got, np.maximum(expected, 0), TOLERANCE[element])
        return told
