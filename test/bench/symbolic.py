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
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

sys.path.insert(0, str(HERE.parent / "models"))

import numpy as np

from bench import last_json
from graph_builder import GraphBuilder

LENGTHS = (1, 64, 512)
WIDTH, HEADS, HIDDEN, LAYERS = 256, 4, 1024, 2


def linear(build, x, rows, columns):
    return build.node("Add", build.node("MatMul", x, build.weight((rows, columns))), build.weight((columns,), 0.1))


def norm(build, x):
    ones, zeros = build.constant(np.ones(WIDTH, np.float32)), build.constant(np.zeros(WIDTH, np.float32))
    return build.node("LayerNormalization", x, ones, zeros, axis=-1)


def heads(build, x, permutation):
    split = build.node("Reshape", x, build.integers(0, 0, HEADS, WIDTH // HEADS))
    return build.node("Transpose", split, perm=permutation)


def layer(build, x):
    """A pre-norm layer: attention, then a perceptron."""
    normed = norm(build, x)
    query, value = (heads(build, linear(build, normed, WIDTH, WIDTH), [0, 2, 1, 3]) for _ in range(2))
    key = heads(build, linear(build, normed, WIDTH, WIDTH), [0, 2, 3, 1])
    scores = build.node("Mul", build.node("MatMul", query, key), build.number((WIDTH // HEADS) ** -0.5))
    mixed = build.node("MatMul", build.node("Softmax", scores, axis=-1), value)
    joined = build.node("Reshape", build.node("Transpose", mixed, perm=[0, 2, 1, 3]), build.integers(0, 0, WIDTH))
    x = build.node("Add", x, linear(build, joined, WIDTH, WIDTH))
    hidden = build.node("Gelu", linear(build, norm(build, x), WIDTH, HIDDEN))
    return build.node("Add", x, linear(build, hidden, HIDDEN, WIDTH))


def write_encoder(path):
    build = GraphBuilder(opset=20, seed=3)
    x = build.input("x", np.float32, [1, "seq", WIDTH])
    for number in range(LAYERS):
        with build.scope(f"layer{number}"):
            x = layer(build, x)
    build.output(x, "y", [1, "seq", WIDTH])
    return build.save(path)


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
        write_encoder(folder / "m.onnx")

        def build(name, build_folder, *options):
            last = folder / f"{name}.so"
            subprocess.run([build_folder / "bin" / "dscc", folder / "m.onnx", "-o", last, "--target=cpu", *options],
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
