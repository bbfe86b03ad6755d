"""Products and convolutions by wgmma against double precision, in the simulator with all its checks.

Every kind of schedule is forced, at sizes around the tiles' edges and with operands that lie in every way. The counts of
what a kernel does are those of the problem: each product once, and no conflicts of banks.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnxruntime

from forced_tiles import ForcedTiles, TOLERANCE, product_text, shape
from graph_builder import GraphBuilder

NUMBERS = ("rows", "columns", "stages", "warpgroups", "parts", "cluster", "persistent", "multicast")
WAYS = [
    (64, 64, 4, 1, 1, 0, 0, 1),
    (128, 256, 3, 2, 1, 0, 0, 1),
    (128, 256, 3, 2, 1, 0, 0, 2),
    (128, 128, 4, 2, 1, 0, 1, 1),
    (64, 128, 3, 1, 1, 0, 1, 4),
    (256, 64, 2, 4, 1, 0, 0, 1),
    (128, 128, 3, 1, 1, 0, 0, 1),
    (64, 96, 3, 1, 3, 0, 0, 1),
    (128, 48, 2, 2, 8, 0, 0, 1),
    (128, 128, 4, 2, 4, 1, 0, 1),
    (64, 96, 3, 1, 8, 1, 0, 1),
    (64, 128, 3, 1, 2, 1, 0, 4),
]
# Rows, inner dim and columns; maps want rows of operands at multiples of 16 bytes.
SIZES = [(1, 8, 8), (63, 64, 24), (65, 72, 136), (129, 200, 264), (8, 136, 1032), (257, 328, 56)]


# Images, channels that are taken and made, spatial dims, window, strides, dilations and pads.
CONVOLUTIONS = [
    ((2, 64, 72), (9, 7), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((3, 72, 40), (10, 13), (3, 2), (2, 3), (1, 2), (2, 0, 1, 1)),
    ((1, 8, 136), (17, 5), (5, 5), (2, 2), (1, 1), (2, 2, 2, 2)),
    ((5, 200, 24), (3, 3), (1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
    ((2, 24, 64), (7, 6), (1, 1), (2, 2), (1, 1), (0, 0, 0, 0)),
    ((2, 40, 32), (33,), (7,), (2,), (1,), (3, 2)),
    ((2, 32, 32), (4, 5, 6), (3, 3, 3), (1, 2, 1), (1, 1, 1), (1, 1, 1, 1, 1, 1)),
]


def convolution_text(case):
    (images, taken, made), spatial, window, strides, dilations, pads = case
    result = tuple((size + low + high - (reach - 1) * dilation - 1) // stride + 1 for size, reach, stride, dilation, low, high
                   in zip(spatial, window, strides, dilations, pads, pads[len(spatial):]))
    x, w, y = (images, *spatial, taken), (*window, taken, made), (images, *result, made)
    types = [f"tensor<{shape(*dims)}>" for dims in (x, w, y)]
    attributes = (f"channels_last, strides = {list(strides)}, dilations = {list(dilations)}, pads = {list(pads)}, "
                  "groups = 1")
    return x, w, f"""
module attributes {{dsc.stage = "imported", dsc.symbols = [], dsc.relations = []}} {{
  func.func @main(%x: {types[0]} {{dsc.name = "x"}}, %w: {types[1]} {{dsc.name = "w"}}) -> ({types[2]} {{dsc.name = "y"}}) {{
    %0 = dsc.conv %x, %w {{{attributes}}} : ({types[0]}, {types[1]}) -> {types[2]}
    return %0 : {types[2]}
  }}
}}
"""


def convolve(x, w, case):
    """In double precision, one place of the window at a time."""
    _, spatial, window, strides, dilations, pads = case
    rank = len(spatial)
    x = np.pad(x, [(0, 0), *zip(pads[:rank], pads[rank:]), (0, 0)])
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(window, dilations)]
    counts = [(size - own) // stride + 1 for size, own, stride in zip(x.shape[1:], reach, strides)]
    result = 0
    for tap in np.ndindex(*window):
        own = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilations, counts, strides))
        result = result + x[(slice(None), *own)] @ w[tap]
    return result


def schedule(way):
    return "warpgroup_tiles, " + ", ".join(f"{name} = {number}" for name, number in sorted(zip(NUMBERS, way)))


class WarpgroupTiles(ForcedTiles):
    def check(self, folder, way, size, transposed, element="f16", result=None, options=()):
        _, _, text = product_text(*size, transposed, element, result or element)
        done = self.force(folder, text, schedule(way), "sm_90a")
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.check_product(folder, size, transposed, "sm_90a", element, options)

    def test_forced(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, way in enumerate(WAYS):
                for place, size in enumerate(SIZES):
                    # Rows of an operand that lies along its places are as long as the matrix, all others as K.
                    transposed = ("", "A", "B", "AB")[(number + place) % 4]
                    if "A" in transposed and size[0] % 8:
                        transposed = transposed.replace("A", "")
                    with self.subTest(way=way, size=size, transposed=transposed):
                        self.check(pathlib.Path(folder), way, size, transposed,
                                   options=[f"--sim-seed={number * len(SIZES) + place}"])

    def test_persistent(self):
        """Blocks that have several tiles each, which leave in one box, in two or in three."""
        with tempfile.TemporaryDirectory() as folder:
            for number, columns in enumerate((64, 128, 96)):
                for multicast in (1, 2):
                    if columns // multicast % 32:
                        continue
                    way = (64, columns, 3, 1, 1, 0, 1, multicast)
                    size = (1032, 72, 20 * columns - 24)
                    with self.subTest(way=way):
                        self.check(pathlib.Path(folder), way, size, ("", "B")[multicast - 1],
                                   options=[f"--sim-seed={number}"])

    def test_convolutions(self):
        """Pixels come by maps that know windows; what is beyond the channels of one tap is no other tap's."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for number, case in enumerate(CONVOLUTIONS):
                x, w, text = convolution_text(case)
                random = np.random.default_rng(number)
                inputs = {name: random.standard_normal(dims).astype(np.float16) for name, dims in (("x", x), ("w", w))}
                expected = convolve(inputs["x"].astype(np.float64), inputs["w"].astype(np.float64), case)
                for way in (WAYS[0], WAYS[2], WAYS[4], WAYS[7], WAYS[11]):
                    with self.subTest(case=case, way=way):
                        done = self.force(folder, text, schedule(way), "sm_90a")
                        self.assertEqual(done.returncode, 0, done.stderr)
                        got, _ = self.run_artifact(folder, folder / "m.so", inputs, "--sim-chip=sm_90")
                        self.assert_close(got, expected, TOLERANCE["f16"])

    def test_results(self):
        """Results of other types leave by slabs, and bf16 is a type of its own."""
        with tempfile.TemporaryDirectory() as folder:
            for way in (WAYS[0], WAYS[3], WAYS[9]):
                with self.subTest(way=way):
                    self.check(pathlib.Path(folder), way, (65, 72, 136), "", result="f32")
                    self.check(pathlib.Path(folder), way, (129, 72, 136), "B", element="bf16", result="f32")

    def test_others(self):
        """What else the group reads: a residual, a vector along the columns, and one that is turned to lie along rows."""
        size = rows, inner, columns = 136, 72, 136  # a square: both vectors are as long
        matrix, vector, column = (f"tensor<{shape(*dims)}>" for dims in ((rows, columns), (columns,), (rows, 1)))
        x, w = f"tensor<{shape(rows, inner)}>", f"tensor<{shape(inner, columns)}>"
        values = {"x": (rows, inner), "w": (inner, columns), "r": (rows, columns), "v": (columns,), "u": (rows,)}
        text = f"""
module attributes {{dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []}} {{
  func.func private @main({x} {{dsc.name = "x"}}, {w} {{dsc.name = "w"}}, {matrix} {{dsc.name = "r"}}, {vector} {{dsc.name = "v"}}, {vector} {{dsc.name = "u"}}) -> ({matrix} {{dsc.name = "y"}})
  module @cuda_sm90a attributes {{dsc.target = "cuda_sm90a"}} {{
    func.func @main(%x: {x} {{dsc.name = "x"}}, %w: {w} {{dsc.name = "w"}}, %r: {matrix} {{dsc.name = "r"}}, %v: {vector} {{dsc.name = "v"}}, %u: {vector} {{dsc.name = "u"}}) -> ({matrix} {{dsc.name = "y"}}) {{
      %0 = dsc.group(%x, %w, %r, %v, %u) {{schedule = #dsc.schedule<SCHEDULE>}} : ({x}, {w}, {matrix}, {vector}, {vector}) -> {matrix} {{
      ^bb0(%a: {x}, %b: {w}, %c: {matrix}, %d: {vector}, %e: {vector}):
        %1 = dsc.matmul %a, %b : ({x}, {w}) -> {matrix}
        %2 = dsc.add %1, %c : ({matrix}, {matrix}) -> {matrix}
        %3 = dsc.relu %d : ({vector}) -> {vector}
        %4 = dsc.add %2, %3 : ({matrix}, {vector}) -> {matrix}
        %5 = dsc.relu %e : ({vector}) -> {vector}
        %6 = dsc.reshape %5 : ({vector}) -> {column}
        %7 = dsc.add %4, %6 : ({matrix}, {column}) -> {matrix}
        dsc.yield %7 : {matrix}
      }}
      return %0 : {matrix}
    }}
  }}
}}
"""
        random = np.random.default_rng(sum(size))
        inputs = {name: random.standard_normal(dims).astype(np.float16) for name, dims in values.items()}
        x, w, r, v, u = (inputs[name].astype(np.float64) for name in "xwrvu")
        expected = x @ w + r + np.maximum(v, 0) + np.maximum(u, 0)[:, None]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for way in (WAYS[0], WAYS[2], WAYS[4], WAYS[9]):
                with self.subTest(way=way):
                    (folder / "s.mlir").write_text(text.replace("SCHEDULE", schedule(way)))
                    self.dscc(folder / "s.mlir", folder / "m.so", "--arch=sm_90a")
                    got, _ = self.run_artifact(folder, folder / "m.so", inputs, "--sim-chip=sm_90")
                    self.assert_close(got, expected, TOLERANCE["f16"])

    def test_panels(self):
        """Constants that lie in panels, which artifacts for CPUs and GPUs share."""
        def product(build, x, weight):
            return build.node("MatMul", x, build.weight(weight))

        def convolution(build, x, weight):
            return build.node("Conv", x, build.weight(weight), pads=[weight[2] // 2] * 4)

        cases = [(product, (300, 1024), (1024, 1000)), (product, (3, 300, 512), (3, 512, 520)),
                 (convolution, (2, 72, 30, 30), (136, 72, 3, 3)), (convolution, (4, 512, 15, 15), (264, 512, 1, 1))]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for number, (make, dims, weight) in enumerate(cases):
                build = GraphBuilder(opset=20, seed=number)
                # As halves in memory: a cast would be computed as the product reads it.
                x = build.node("Relu", build.input("x", np.float32, dims))
                build.output(make(build, x, weight), "y", None)
                build.save(folder / "m.onnx")
                inputs = {"x": np.random.default_rng(number).standard_normal(dims, np.float32)}
                session = onnxruntime.InferenceSession(folder / "m.onnx", providers=["CPUExecutionProvider"])
                options = ["--target=cpu,cuda", "--march=x86-64-v4", "--arch=sm_90a", "--precision=fp16"]
                subprocess.run(["dscc", folder / "m.onnx", "-o", folder / "m.so", *options], check=True)
                subprocess.run(["dscc", folder / "m.onnx", "-o", folder / "s.mlir", "--until=scheduled", *options], check=True)
                gpu = (folder / "s.mlir").read_text().partition("module @cuda_sm90a")[2]
                with self.subTest(make=make.__name__, dims=dims):
                    self.assertIn("warpgroup_tiles", gpu)
                    self.assertIn("dsc.unpack", gpu)
                    got, _ = self.run_artifact(folder, folder / "m.so", inputs, "--sim-chip=sm_90")
                    self.assert_close(got, session.run(None, inputs)[0].astype(np.float64), 4 * TOLERANCE["f16"])

    def test_beside(self):
        """Products that do not wait for each other share a launch, each with the maps of its own tensors."""
        weights = {"v": (1024, 512), "w": (1024, 512), "u": (1024, 256)}
        arguments = "".join(f', %{name}: tensor<{shape(*dims)}> {{dsc.name = "{name}"}}' for name, dims in weights.items())
        results = ", ".join(f'tensor<{shape(256, dims[1])}> {{dsc.name = "y{name}"}}' for name, dims in weights.items())
        products = "".join(f"    %{name}0 = dsc.matmul %x, %{name} : (tensor<{shape(256, 1024)}>, tensor<{shape(*dims)}>) -> "
                           f"tensor<{shape(256, dims[1])}>\n" for name, dims in weights.items())
        text = f"""
module attributes {{dsc.stage = "imported", dsc.symbols = [], dsc.relations = []}} {{
  func.func @main(%x: tensor<{shape(256, 1024)}> {{dsc.name = "x"}}{arguments}) -> ({results}) {{
{products}    return {", ".join(f"%{name}0" for name in weights)} : {", ".join(f"tensor<{shape(256, dims[1])}>" for dims in weights.values())}
  }}
}}
"""
        random = np.random.default_rng(5)
        inputs = {name: random.standard_normal(dims).astype(np.float16)
                  for name, dims in {"x": (256, 1024), **weights}.items()}
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "m.mlir").write_text(text)
            self.dscc(folder / "m.mlir", folder / "s.mlir", "--arch=sm_90a", "--until=scheduled")
            self.assertRegex((folder / "s.mlir").read_text(), "side_by_side(.|\n)*warpgroup_tiles")
            self.dscc(folder / "m.mlir", folder / "m.so", "--arch=sm_90a")
            command = ["dscc-run", folder / "m.so", "--output", folder / "out", "--device=sim", "--sim-chip=sm_90",
                       "--sim-check=all", "--stats=json"]
            for name, value in inputs.items():
                np.save(folder / f"{name}.npy", value)
                command += ["--input", f"{name}={folder / name}.npy"]
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            kernels = json.loads(done.stdout[done.stdout.index('{"statistics"'):])["statistics"]["kernels"]
            self.assertEqual(sum(kernel["launches"] for kernel in kernels), 1)
            for name in weights:
                expected = inputs["x"].astype(np.float64) @ inputs[name].astype(np.float64)
                self.assert_close(np.load(folder / "out" / f"y{name}.npy").astype(np.float64), expected, TOLERANCE["f16"])

    def test_counts(self):
        """Of ways whose results leave by bulk copies."""
        rows, inner, columns = size = (256, 512, 256)
        with tempfile.TemporaryDirectory() as folder:
            for way in (WAYS[0], WAYS[1], WAYS[3], WAYS[4]):
                for transposed in ("", "AB"):
                    told = self.check(pathlib.Path(folder), way, size, transposed,
                                      options=["--stats=json", "--sim-check=none"])
                    kernel = json.loads(told[told.index("{"):])["statistics"]["kernels"][0]
                    with self.subTest(way=way, transposed=transposed):
                        tiles = -(-columns // way[1]) * way[1] / columns
                        self.assertEqual(kernel["flop"]["tensor_f16"], 2 * rows * inner * columns * tiles)
                        shared = kernel["memory"]["shared"]
                        for access in ("load", "store"):
                            if access in shared:
                                self.assertLess(shared[access]["wavefronts"],
                                                1.1 * shared[access]["ideal_wavefronts"], access)


if __name__ == "__main__":
    unittest.main()
