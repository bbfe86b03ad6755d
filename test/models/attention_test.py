"""Attention in one kernel against ONNX Runtime, in the simulator with all its checks: every style that exporters write,
sizes around the edges of tiles, masks, heads of all sizes, and each schedule by hand."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnxruntime

from graph_builder import GraphBuilder

# Of each result, relative to the largest: operands are rounded to half.
TOLERANCE = {"fp16": 4e-3, "bf16": 3e-2}


def linear(build, x, width, wanted=None):
    return build.node("MatMul", x, build.weight((width, wanted or width)))


def split(build, x, heads, size, permutation):
    return build.node("Transpose", build.node("Reshape", x, build.integers(0, 0, heads, size)), perm=permutation)


def join(build, x, width):
    return build.node("Reshape", build.node("Transpose", x, perm=[0, 2, 1, 3]), build.integers(0, 0, width))


def attend(build, query, key, value, size, score=None, softmax=None):
    scores = build.node("Mul", build.node("MatMul", query, key), build.number(size ** -0.5))
    if score:
        scores = score(build, scores)
    return build.node("MatMul", build.node("Softmax", scores, axis=-1), value)


def heads_of(build, batch, length, heads, size, value_size=None, score=None):
    """The usual layer: three products, heads split and joined by transposes."""
    width = heads * size
    x = build.input("x", np.float32, [batch, length, width])
    query = split(build, linear(build, x, width), heads, size, [0, 2, 1, 3])
    key = split(build, linear(build, x, width), heads, size, [0, 2, 3, 1])
    value_size = value_size or size
    value = split(build, linear(build, x, width, heads * value_size), heads, value_size, [0, 2, 1, 3])
    mixed = attend(build, query, key, value, size, score)
    build.output(join(build, mixed, heads * value_size), "y", None)


def packed(build, batch, length, heads, size):
    """One product for all three, and the scale's root on both sides, as torch's attention function is exported."""
    width = heads * size
    x = build.input("x", np.float32, [batch, length, width])
    every = build.node("Reshape", linear(build, x, width, 3 * width), build.integers(0, 0, 3, heads, size))
    every = build.node("Transpose", every, perm=[2, 0, 3, 1, 4])
    query, key, value = (build.node("Gather", every, build.constant(np.array(i))) for i in range(3))
    root = build.number(size ** -0.25)
    query = build.node("Mul", query, root)
    key = build.node("Mul", build.node("Transpose", key, perm=[0, 1, 3, 2]), root)
    p = build.node("Softmax", build.node("MatMul", query, key), axis=-1)
    build.output(join(build, build.node("MatMul", p, value), width), "y", None)


def crossed(build, batch, length, other, size):
    """Without heads; queries and keys differ in number."""
    x, z = build.input("x", np.float32, [batch, length, size]), build.input("z", np.float32, [batch, other, size])
    key = build.node("Transpose", linear(build, z, size), perm=[0, 2, 1])
    build.output(attend(build, linear(build, x, size), key, linear(build, z, size), size), "y", None)


def shared_heads(build, batch, length, heads, groups, size):
    """Several heads share keys and values; a bool mask hides, and rows that it hides altogether become zeros."""
    width = heads * size
    x = build.input("x", np.float32, [batch, length, width])
    mask = np.tril(np.ones((33, 33), bool))
    mask[4] = False
    y = build.node("Attention", linear(build, x, width), linear(build, x, width, groups * size),
                   linear(build, x, width, groups * size), build.constant(mask), q_num_heads=heads, kv_num_heads=groups)
    build.output(build.node("Add", y, build.number(0.0)), "y", None)


def masked(build, scores):
    """What BERT's exporters add: 0 or a large negative number for each key."""
    mask = np.zeros((1, 1, 1, 33), np.float32)
    mask[..., 20:] = -10000.0
    return build.node("Add", scores, build.constant(mask))


def causal(build, scores):
    mask = np.tril(np.ones((65, 65), bool))
    return build.node("Where", build.constant(mask), scores, build.number(-np.inf))


def capped(build, scores):
    return build.node("Mul", build.node("Tanh", build.node("Div", scores, build.number(5.0))), build.number(5.0))


# name, what builds it, its arguments, values of "n"
CASES = [
    ("heads", heads_of, (2, "n", 3, 64), (1, 7, 64, 129)),
    ("packed", packed, (1, "n", 2, 64), (17, 197)),
    ("crossed", crossed, (2, 33, 127, 32), (0,)),
    ("crossed_few", crossed, (3, 1, 255, 64), (0,)),
    ("crossed_any", crossed, (2, 5, "m", 64), (17, 0)),
    ("bert", lambda b, *a: heads_of(b, *a, score=masked), (2, 33, 2, 64), (0,)),
    ("causal", lambda b, *a: heads_of(b, *a, score=causal), (1, 65, 2, 32), (0,)),
    ("capped", lambda b, *a: heads_of(b, *a, score=capped), (1, 40, 2, 64), (0,)),
    *((f"head_{size}", heads_of, (1, 33, 2, size), (0,)) for size in (8, 16, 24, 40, 80, 96, 128)),
    ("value_size", heads_of, (1, 33, 2, 64, 32), (0,)),
    ("shared_heads", shared_heads, (2, 33, 6, 2, 64), (0,)),
    ("odd_head", heads_of, (1, 33, 1, 17), (0,)),
]


class Attention(unittest.TestCase):
    def compile(self, source, artifact, *options):
        done = subprocess.run(["dscc", source, "-o", artifact, "--target=cuda", *options], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def run_artifact(self, folder, artifact, inputs, *options):
        """The output, and the names of the kernels that ran."""
        command = ["dscc-run", artifact, "--output", folder / "out", "--device=sim", "--sim-check=all", "--stats=json",
                   *options]
        for name, value in inputs.items():
            np.save(folder / f"{name}.npy", value)
            command += ["--input", f"{name}={folder / name}.npy"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("dscc-sim:", done.stderr)
        kernels = json.loads(done.stdout[done.stdout.index("{"):])["statistics"]["kernels"]
        return np.load(folder / "out" / "y.npy").astype(np.float64), [kernel["name"] for kernel in kernels]

    def check(self, folder, name, make, arguments, sizes, precision, arch):
        build = GraphBuilder(opset=23 if "shared" in name else 20, seed=len(name))
        make(build, *arguments)
        path = folder / f"{name}.onnx"
        build.save(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        artifact = path.with_suffix(".so")
        self.compile(path, artifact, f"--arch={arch}", f"--precision={precision}")
        for size in sizes:
            random = np.random.default_rng(size)
            inputs = {x.name: random.standard_normal([size if isinstance(dim, str) else dim for dim in x.shape], np.float32)
                      for x in session.get_inputs()}
            expected = session.run(None, inputs)[0].astype(np.float64)
            with self.subTest(case=name, size=size, precision=precision):
                got, kernels = self.run_artifact(folder, artifact, inputs)
                self.assertEqual(sum(kernel.startswith("attention_") for kernel in kernels), 1, kernels)
                # Heads of an odd size are not copied in pieces, and are brought into their order first.
                others = () if "odd" in name else ("softmax", "transpose")
                self.assertFalse([kernel for kernel in kernels if any(other in kernel for other in others)])
                self.assertTrue(np.isfinite(got).all())
                self.assertLess(np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-3), TOLERANCE[precision])

    def test_cases(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, case in enumerate(CASES):
                precision, arch = (("fp16", "sm_80"), ("bf16", "sm_90a"), ("fp16", "sm_90a"))[number % 3]
                self.check(pathlib.Path(folder), *case, precision, arch)

    def test_forced(self):
        """Each tile, at sizes that are no multiples of it. A row that a mask hides altogether is NaN, as ONNX has it."""
        text = """
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%q: tensor<2x37x64xf16> {dsc.name = "q"}, %k: tensor<2x64x75xf16> {dsc.name = "k"},
                  %v: tensor<2x75x48xf16> {dsc.name = "v"}, %m: tensor<37x75xf16> {dsc.name = "m"})
      -> (tensor<2x37x48xf16> {dsc.name = "y"}) {
    %0 = dsc.matmul %q, %k : (tensor<2x37x64xf16>, tensor<2x64x75xf16>) -> tensor<2x37x75xf16>
    %1 = dsc.add %0, %m : (tensor<2x37x75xf16>, tensor<37x75xf16>) -> tensor<2x37x75xf16>
    %2 = dsc.softmax %1 {axis = 2 : i64} : (tensor<2x37x75xf16>) -> tensor<2x37x75xf16>
    %3 = dsc.matmul %2, %v : (tensor<2x37x75xf16>, tensor<2x75x48xf16>) -> tensor<2x37x48xf16>
    return %3 : tensor<2x37x48xf16>
  }
}
"""
        random = np.random.default_rng(3)
        inputs = {name: random.standard_normal(dims).astype(np.float16) * 0.5
                  for name, dims in (("q", (2, 37, 64)), ("k", (2, 64, 75)), ("v", (2, 75, 48)), ("m", (37, 75)))}
        inputs["m"][5, :64] = -np.inf
        inputs["m"][6, 3:] = -np.inf
        inputs["m"][7, :] = -np.inf
        q, k, v, m = (inputs[name].astype(np.float64) for name in "qkvm")
        scores = q @ k + m
        with np.errstate(invalid="ignore"):
            p = np.exp(scores - scores.max(-1, keepdims=True))
        expected = p / p.sum(-1, keepdims=True) @ v
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            source, scheduled, artifact = folder / "m.mlir", folder / "s.mlir", folder / "m.so"
            source.write_text(text)
            for arch, shares in (("sm_80", [(1, 0), (3, 0), (5, 0)]), ("sm_90a", [(2, 1), (4, 1), (8, 1)])):
                self.compile(source, scheduled, f"--arch={arch}", "--until=scheduled")
                chosen = scheduled.read_text()
                for rows in (16, 32, 64, 128):
                    for (columns, stages), (parts, cluster) in zip(((16, 4), (32, 3), (64, 2)), shares):
                        with self.subTest(rows=rows, columns=columns, stages=stages, parts=parts, cluster=cluster):
                            way = (f"#dsc.schedule<attention, cluster = {cluster}, columns = {columns}, parts = {parts}, rows = {rows}, "
                                   f"stages = {stages}>")
                            # The best generation comes first.
                            forced, count = re.subn(r"#dsc\.schedule<attention[^>]*>", way, chosen, count=1)
                            self.assertEqual(count, 1)
                            scheduled.write_text(forced)
                            self.compile(scheduled, artifact, f"--arch={arch}")
                            got, kernels = self.run_artifact(folder, artifact, inputs, f"--sim-chip={arch.rstrip('a')}")
                            self.assertEqual(len(kernels), 2 if parts > 1 and not cluster else 1)
                            self.assertTrue((np.isnan(got) == np.isnan(expected)).all())
                            self.assertLess(np.nanmax(np.abs(got - expected)) / np.nanmax(np.abs(expected)), 2e-3)

    def test_few_rows(self):
        """One row, as in a decoder's step, has its keys shared by several blocks; how many keys there are, a run knows."""
        for arch in ("sm_80", "sm_90a"):
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                build = GraphBuilder(opset=20, seed=5)
                query, key, value = (build.input(name, np.float32, [1, 4, dim, 64]) for name, dim in
                                     (("q", 1), ("k", "n"), ("v", "n")))
                key = build.node("Transpose", key, perm=[0, 1, 3, 2])
                build.output(attend(build, query, key, value, 64), "y", None)
                build.save(folder / "m.onnx")
                told = self.compile(folder / "m.onnx", folder / "m.so", f"--arch={arch}", "--precision=fp16", "--explain=schedule=Softmax")
                self.assertRegex(told, rf"has the schedule [^;]*cluster = {int(arch == 'sm_90a')}, columns = \d+, parts = (?!1,)")
                session = onnxruntime.InferenceSession(folder / "m.onnx", providers=["CPUExecutionProvider"])
                for size in (1, 7, 65, 1025):
                    random = np.random.default_rng(size)
                    inputs = {x.name: random.standard_normal([size if isinstance(dim, str) else dim for dim in x.shape], np.float32)
                              for x in session.get_inputs()}
                    expected = session.run(None, inputs)[0].astype(np.float64)
                    with self.subTest(arch=arch, size=size):
                        got, _ = self.run_artifact(folder, folder / "m.so", inputs, f"--sim-chip={arch.rstrip('a')}")
                        self.assertLess(np.abs(got - expected).max() / np.abs(expected).max(), TOLERANCE["fp16"])

    def test_declines(self):
        """What is no attention stays several kernels, and the journal says why."""
        def wanted_elsewhere(build):
            x = build.input("x", np.float32, [2, 33, 32])
            scores = build.node("Softmax", build.node("MatMul", x, build.node("Transpose", x, perm=[0, 2, 1])), axis=-1)
            build.output(build.node("Neg", scores), "p", None)
            build.output(build.node("MatMul", scores, x), "y", None)

        def large_head(build):
            crossed(build, 1, 9, 9, 144)

        def other_axis(build):
            x = build.input("x", np.float32, [2, 32, 32])
            scores = build.node("Softmax", build.node("MatMul", x, x), axis=1)
            build.output(build.node("MatMul", scores, x), "y", None)

        cases = [(wanted_elsewhere, "fp16", "wanted elsewhere"), (large_head, "fp16", "more elements than registers hold"),
                 (other_axis, "fp16", "along the last dim"), (lambda b: crossed(b, 1, 9, 9, 32), "fp32", "operands' type")]
        with tempfile.TemporaryDirectory() as folder:
            for make, precision, why in cases:
                with self.subTest(why=why):
                    build = GraphBuilder(opset=20, seed=1)
                    make(build)
                    path = pathlib.Path(folder) / "model.onnx"
                    build.save(path)
                    told = self.compile(path, path.with_suffix(".so"), "--arch=sm_80", f"--precision={precision}",
                                        "--explain=fusion")
                    self.assertIn("is no attention", told)
                    self.assertIn(why, told)


if __name__ == "__main__":
    unittest.main()
