"""Products and convolutions by matrix instructions against double precision, in the simulator with all its checks.

Every tile that the emitter offers is forced, at sizes around its edges and with operands that lie in every way; models
in half precision are compiled as they come, and must have multiplied by matrix instructions.
"""

import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnxruntime

from forced_tiles import ForcedTiles, TOLERANCE, product_text
from graph_builder import GraphBuilder

# Rows, columns and slice of a tile, stages, and rows and columns of a warp's part.
TILES = [(128, 128, 32, 3, 64, 32), (128, 64, 32, 4, 32, 32), (64, 128, 32, 4, 32, 32), (64, 64, 64, 3, 32, 32),
         (64, 32, 64, 3, 32, 16), (32, 64, 64, 4, 16, 32), (32, 128, 32, 4, 16, 64), (16, 128, 32, 4, 16, 32),
         (16, 64, 64, 4, 16, 16), (32, 32, 64, 5, 16, 16), (64, 64, 32, 2, 16, 64), (16, 16, 32, 2, 16, 16)]
# Rows, inner dim and columns: multiples of eight are copied in pieces, others go through registers.
SIZES = [(1, 8, 8), (7, 64, 24), (65, 72, 136), (63, 127, 129), (33, 17, 1025), (130, 1, 66), (16, 200, 63)]
def schedule(tile, parts, cluster):
    rows, columns, slice_, stages, warp_rows, warp_columns = tile
    return (f"tensor_tiles, cluster = {cluster}, columns = {columns}, parts = {parts}, rows = {rows}, slice = {slice_}, stages = {stages}, "
            f"warp_columns = {warp_columns}, warp_rows = {warp_rows}")


def slice_elements(tile):
    """Of a slice of the longer side, a thread."""
    rows, columns, slice_, _, warp_rows, warp_columns = tile
    return max(rows, columns) * slice_ // (rows // warp_rows * (columns // warp_columns) * 32)


class TensorTiles(ForcedTiles):
    def check_forced(self, folder, tile, parts, cluster, size, transposed):
        arch = "sm_90a" if cluster else "sm_80"
        _, _, text = product_text(*size, transposed)
        done = self.force(folder, text, schedule(tile, parts, cluster), arch)
        if slice_elements(tile) > 16 and any(side % 8 for side in size) and done.returncode:
            # A thread would hold too many elements of what is not copied in pieces.
            return self.assertIn("would take too many registers", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_product(folder, size, transposed, arch)

    def test_forced(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, tile in enumerate(TILES):
                for place, size in enumerate(SIZES):
                    transposed = ("", "A", "B", "AB")[(number + place) % 4]
                    parts, cluster = ((1, 0), (3, 0), (1, 0), (2, 1), (8, 1))[(number + place) % 5]
                    # All sums of a tile would not fit shared memory.
                    cluster &= tile[0] * (tile[1] + 8) * 4 <= 48 * 1024
                    with self.subTest(tile=tile, size=size, transposed=transposed, parts=parts, cluster=cluster):
                        self.check_forced(pathlib.Path(folder), tile, parts, cluster, size, transposed)

    def test_banks(self):
        """Copies write lines and ldmatrix reads columns of pieces, both without conflicts of banks, however operands lie."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for transposed in ("", "A", "B", "AB"):
                lhs, rhs, text = product_text(64, 512, 64, transposed)
                (folder / "m.mlir").write_text(text)
                self.dscc(folder / "m.mlir", folder / "m.so", "--arch=sm_80")
                inputs = {"x": np.ones(lhs, np.float16), "w": np.ones(rhs, np.float16), "b": np.ones(64, np.float16)}
                _, told = self.run_artifact(folder, folder / "m.so", inputs, "--sim-chip=sm_80", "--stats=json")
                shared = json.loads(told[told.index("{"):])["statistics"]["kernels"][0]["memory"]["shared"]
                for access in ("load", "store"):
                    with self.subTest(transposed=transposed, access=access):
                        self.assertLess(shared[access]["wavefronts"], 1.1 * shared[access]["ideal_wavefronts"])

    def check_model(self, folder, name, build, inputs, precision, arch):
        path = folder / f"{name}.onnx"
        build.save(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        expected = session.run(None, inputs)[0].astype(np.float64)
        artifact = path.with_suffix(".so")
        self.dscc(path, artifact, f"--arch={arch}", f"--precision={precision}")
        got, told = self.run_artifact(folder, artifact, inputs, f"--sim-chip={arch.rstrip('a')}", "--stats=json")
        self.assert_close(got, expected, TOLERANCE["bf16" if precision == "bf16" else "f16"] * 4)
        kernels = json.loads(told[told.index("{"):])["statistics"]["kernels"]
        unit = "tensor_bf16" if precision == "bf16" else "tensor_f16"
        self.assertGreater(sum(kernel["flop"].get(unit, 0) for kernel in kernels), 0, name)

    def test_models(self):
        random = np.random.default_rng(1)

        def product(build, dims, weight):
            x = build.input("x", np.float32, dims)
            y = build.node("MatMul", x, build.weight(weight))
            return build.node("Gelu", build.node("Add", y, build.weight(weight[1:])))

        def convolution(build, dims, weight, **attributes):
            x = build.input("x", np.float32, dims)
            return build.node("Relu", build.node("Conv", x, build.weight(weight), **attributes))

        def attention(build, dims):
            x = build.input("x", np.float32, dims)
            q, k, v = (build.node("MatMul", x, build.weight((dims[-1], dims[-1]))) for _ in range(3))
            scores = build.node("MatMul", q, build.node("Transpose", k, perm=[0, 2, 1]))
            scores = build.node("Softmax", build.node("Mul", scores, build.number(dims[-1] ** -0.5)), axis=-1)
            return build.node("MatMul", scores, v)

        def joined(build, dims, weight):
            """The last convolution reads what two others have written into one tensor, and the third its second half."""
            x = build.input("x", np.float32, dims)
            parts = [build.node("Relu", build.node("Conv", x, build.weight(weight), pads=[1, 1, 1, 1])) for _ in range(2)]
            both = build.node("Concat", *parts, axis=1)
            half = build.node("Conv", parts[1], build.weight(weight), pads=[1, 1, 1, 1])
            y = build.node("Conv", both, build.weight((32, 2 * weight[0], 3, 3)), strides=[2, 2], pads=[0, 1, 1, 0])
            return build.node("Concat", y, build.node("MaxPool", half, kernel_shape=[2, 2], strides=[2, 2]), axis=1)

        cases = [
            ("product", product, ("m", 768), (768, 200), {}),
            ("odd", product, (7, 127), (127, 33), {}),
            ("batch", product, (3, "m", 64), (64, 64), {}),
            ("conv3", convolution, (1, 64, 14, 14), (64, 64, 3, 3), {"pads": [1, 1, 1, 1]}),
            ("conv_first", convolution, (2, 3, 33, 33), (32, 3, 7, 7), {"strides": [2, 2], "pads": [3, 3, 3, 3]}),
            ("conv1", convolution, (1, 256, 7, 7), (128, 256, 1, 1), {}),
            ("conv1_groups", convolution, (2, 256, 8, 8), (256, 64, 1, 1), {"group": 4}),
            ("conv_groups", convolution, (1, 64, 9, 9), (64, 16, 3, 3), {"group": 4, "dilations": [2, 2]}),
            ("joined", joined, (2, 64, 10, 10), (64, 64, 3, 3), {}),
            ("attention", attention, (2, 65, 64), None, {}),
        ]
        with tempfile.TemporaryDirectory() as folder:
            for name, make, dims, weight, attributes in cases:
                build = GraphBuilder(opset=20, seed=len(name))
                build.output(make(build, dims, *([weight] if weight else []), **attributes), "y", None)
                x = random.standard_normal([17 if dim == "m" else dim for dim in dims], np.float32)
                for precision, arch in (("fp16", "sm_80"), ("bf16", "sm_90a")):
                    with self.subTest(case=name, precision=precision):
                        self.check_model(pathlib.Path(folder), f"{name}_{precision}", build, {"x": x}, precision, arch)


if __name__ == "__main__":
    unittest.main()
