"""One artifact for every length beside artifacts for one length each: what does it cost not to know?

    python test/bench/symbolic.py                    a two-layer encoder at 1, 64 and 512 tokens, CPU, 1 thread
    python test/bench/symbolic.py --old OLDBUILD     the same with another build's symbolic artifact beside it

Sides take turns, round by round; a side's time is the median over the rounds of each round's best. A ratio above 1
means that the symbolic artifact is slower.
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bench import last_json

sys.path.insert(0, str(HERE.parent / "models"))
import trained

LENGTHS = (1, 64, 512)
WIDTH, HEADS, HIDDEN, LAYERS = 256, 4, 1024, 2


class Encoder:
    """Writes pre-norm layers of attention and a perceptron; weights are He-scaled."""

    def __init__(self):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(3)

    def node(self, op, *inputs, **attributes):
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, array):
        name = f"w_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def linear(self, x, rows, columns):
        weight = self.random.normal(0, np.sqrt(1 / rows), (rows, columns)).astype(np.float32)
        bias = self.random.normal(0, 0.1, columns).astype(np.float32)
        return self.node("Add", self.node("MatMul", x, self.constant(weight)), self.constant(bias))

    def norm(self, x):
        ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
        return self.node("LayerNormalization", x, self.constant(ones), self.constant(zeros), axis=-1)

    def heads(self, x, permutation):
        split = self.node("Reshape", x, self.constant(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64)))
        return self.node("Transpose", split, perm=permutation)

    def layer(self, x):
        normed = self.norm(x)
        query, value = (self.heads(self.linear(normed, WIDTH, WIDTH), [0, 2, 1, 3]) for _ in range(2))
        key = self.heads(self.linear(normed, WIDTH, WIDTH), [0, 2, 3, 1])
        scale = self.constant(np.float32((WIDTH // HEADS) ** -0.5))
        scores = self.node("Softmax", self.node("Mul", self.node("MatMul", query, key), scale), axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", scores, value), perm=[0, 2, 1, 3])
        joined = self.node("Reshape", mixed, self.constant(np.array([0, 0, WIDTH], np.int64)))
        x = self.node("Add", x, self.linear(joined, WIDTH, WIDTH))
        hidden = self.node("Gelu", self.linear(self.norm(x), WIDTH, HIDDEN))
        return self.node("Add", x, self.linear(hidden, HIDDEN, WIDTH))

    def write(self, path):
        x = "x"
        for _ in range(LAYERS):
            x = self.layer(x)
        self.nodes[-1].output[0] = "y"
        dims = [1, "seq", WIDTH]
        graph = helper.make_graph(self.nodes, "encoder", [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, dims)], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--old", type=pathlib.Path, metavar="FOLDER", help="a build to be shown beside: bin/dscc is there")
    parser.add_argument("--length", type=int, action="append", metavar="N", help="default: 1, 64 and 512")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of one side in one round")
    arguments = parser.parse_args()
    print(f"{'tokens':>6} {'symbolic ms':>12} {'fixed ms':>12} {'ratio':>6}" + (f" {'old ms':>12}" if arguments.old else ""))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        Encoder().write(folder / "m.onnx")

        def build(name, build_folder, *options):
            last = folder / f"{name}.so"
            trained.subprocess.run([build_folder / "bin" / "dscc", folder / "m.onnx", "-o", last, "--target=cpu", *options],
                                   check=True)
            return build_folder / "bin" / "dscc-run", last

        sides = {"symbolic": build("symbolic", arguments.build)}
        if arguments.old:
            sides["old"] = build("old", arguments.old)
        for length in arguments.length or LENGTHS:
            sides["fixed"] = build(f"fixed{length}", arguments.build, "--dim", f"seq={length}")
            array = folder / "x.npy"
            np.save(array, np.random.default_rng(length).standard_normal((1, length, WIDTH), np.float32))
            times = {name: [] for name in sides}
            for _ in range(arguments.rounds):
                for name, (run, artifact) in sides.items():
                    report = last_json([run, artifact, "--device=cpu", "--threads=1", "--input", f"x={array}",
                                        f"--bench={arguments.seconds:g}", "--json"])
                    times[name].append(report["latency_ms"]["min"])
            median = {name: statistics.median(values) for name, values in times.items()}
            print(f"{length:>6} {median['symbolic']:>12.4f} {median['fixed']:>12.4f} "
                  f"{median['symbolic'] / median['fixed']:>6.2f}" + (f" {median['old']:>12.4f}" if arguments.old else ""),
                  flush=True)


if __name__ == "__main__":
    main()
