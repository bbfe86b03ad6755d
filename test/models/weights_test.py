"""A model with 400 MB of weights, made here: they are mapped, never copied about.

    x[n, 3200] ─► matmul w0 ─► matmul w1 ─► ... ─► matmul w9      10 x 3200 x 3200 x 4 B = 409.6 MB

Once with the weights inside the file, once beside it as external data.
"""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
from onnx import TensorProto, helper

import measure
import trained

LAYERS, WIDTH = 10, 3200
GIB = 1 << 30


def weight(layer):
    """Numbers of a size that keeps the products near 1 through all layers."""
    return np.random.default_rng(layer).standard_normal((WIDTH, WIDTH), np.float32) / np.float32(WIDTH**0.5)


def save_model(path, external):
    """One layer's weights after another, so that this process stays small as well."""
    nodes, initialisers, offset = [], [], 0
    with open(path.with_suffix(".data"), "wb") as data:
        for layer in range(LAYERS):
            nodes.append(helper.make_node("MatMul", [f"v{layer}", f"w{layer}"], [f"v{layer + 1}"], name=f"m{layer}"))
            tensor = TensorProto(name=f"w{layer}", data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH])
            content = weight(layer).tobytes()
            if external:
                data.write(content)
                tensor.data_location = TensorProto.EXTERNAL
                for key, text in (("location", data.name), ("offset", offset), ("length", len(content))):
                    tensor.external_data.add(key=key, value=pathlib.Path(text).name if key == "location" else str(text))
                offset += len(content)
            else:
                tensor.raw_data = content
            initialisers.append(tensor)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDTH]) for name in ("v0", f"v{LAYERS}")]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())


class WeightsTest(unittest.TestCase):
    def check(self, external):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model, artifact = folder / "model.onnx", folder / "model.so"
            save_model(model, external)
            report = measure.measure(["dscc", model, "-o", artifact, "--target=cpu"])
            self.assertEqual(report["exit"], 0, report["text"])
            print(f"external={external}: {report['seconds']} s, peak {report['peak_bytes'] / 1e6:.0f} MB, "
                  f"artifact {artifact.stat().st_size / 1e6:.0f} MB")
            self.assertLess(report["peak_bytes"], GIB)
            self.assertLess(artifact.stat().st_size, 1.1 * model.stat().st_size
                            + 1.1 * model.with_suffix(".data").stat().st_size)

            array = np.random.default_rng(99).standard_normal((2, WIDTH), np.float32)
            output = trained.run_artifact(artifact, "v0", array, folder / "run")[f"v{LAYERS}"]
            expected = array.astype(np.float64)
            for layer in range(LAYERS):
                expected = expected @ weight(layer)
            np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-4)

    def test_weights_in_the_file(self):
        self.check(external=False)

    def test_weights_beside_the_file(self):
        self.check(external=True)


if __name__ == "__main__":
    unittest.main()
