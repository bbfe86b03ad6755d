"""Products by constant matrices on the CPU, one layer a model: two builds side by side, or one against NumPy alone.

    python test/bench/products.py --old OLDBUILD --new build                  all layers, 1 thread
    python test/bench/products.py --old OLDBUILD --layer '197x.*' --rounds 9 --march x86-64-v3

A layer MxKxN multiplies M rows of K numbers by a constant of K x N; `t` behind it: one that lies as N x K, as Gemm's
transB has it; `n` for M: a named dim that runs with 1, or with the number behind `@`. Every result is compared with
NumPy. The builds take turns, and who begins alternates; a round gives one ratio, old time over new. The time of a
build in a round is that of its fastest run: neighbours on the machine only add to it.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

import numpy as np
import onnx
from onnx import TensorProto, helper

from bench import last_json

LAYERS = ["197x768x768", "197x3072x768", "197x768x3072", "1x576x49152", "1x768x768", "1x768x3072", "64x512x512",
          "512x512x512", "1x768x768t", "32x768x768t", "1x576x49152t", "1x2048x1000t", "32x2048x1000t", "64x1024x1024",
          "16x768x768", "n@1x768x768", "n@64x768x768", "197x255x127", "33x127x1025t"]
LAYER = re.compile(r"(\d+|n@\d+)x(\d+)x(\d+)(t?)")


def make_layer(name, folder):
    """The model's file, its input and what should come out."""
    rows, inner, columns, transposed = LAYER.fullmatch(name).groups()
    count, inner, columns = int(rows.removeprefix("n@")), int(inner), int(columns)
    random = np.random.default_rng(7)
    weight = random.standard_normal((columns, inner) if transposed else (inner, columns), np.float32) / np.float32(inner**0.5)
    x = random.standard_normal((count, inner), np.float32)
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1) if transposed else helper.make_node("MatMul", ["x", "w"], ["y"])
    named = "n" if rows.startswith("n") else count
    graph = helper.make_graph([node], "layer", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [named, inner])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [named, columns])],
                              [onnx.numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path = folder / "layer.onnx"
    onnx.save(model, path)
    np.save(folder / "x.npy", x)
    return path, x.astype(np.float64) @ (weight.T if transposed else weight), 2e-9 * count * inner * columns


def prepare(build, path, folder, arguments):
    """Compiles; returns the artifact's path."""
    artifact = folder / f"{build.parent.name}-{build.name}.so"
    command = [build / "bin" / "dscc", path, "-o", artifact, "--target=cpu", f"--march={arguments.march}", *arguments.dscc_option]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed with exit code {child.returncode}: {child.stderr.strip()}")
    return artifact


def time_layer(name, arguments, folder):
    path, expected, gflop = make_layer(name, folder)
    sides = {side: build for side in ("old", "new") if (build := getattr(arguments, side))}
    artifacts = {side: prepare(build.resolve(), path, folder, arguments) for side, build in sides.items()}
    commands = {side: [build / "bin" / "dscc-run", artifacts[side], "--device=cpu", f"--threads={arguments.threads}",
                       "--input", f"x={folder / 'x.npy'}"] for side, build in sides.items()}
    for side, command in commands.items():
        subprocess.run([*command, "--output", folder / side], check=True, capture_output=True)
        np.testing.assert_allclose(np.load(folder / side / "y.npy"), expected, rtol=1e-3, atol=1e-4, err_msg=f"{name}, {side}")
    times = {side: [] for side in sides}
    for turn in range(arguments.rounds):
        for side in list(sides) if turn % 2 == 0 else reversed(list(sides)):
            report = last_json([*commands[side], f"--bench={arguments.seconds:g}", "--json"])
            times[side].append(report["latency_ms"]["min"])
    return {"layer": name, "threads": arguments.threads, "march": arguments.march, "gflop": gflop, "rounds_ms": times,
            "bytes": {side: artifact.stat().st_size for side, artifact in artifacts.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=pathlib.Path, metavar="FOLDER", help="a build: bin/dscc is there")
    parser.add_argument("--new", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--layer", metavar="REGEX", default=".*", help="only layers whose whole name matches; or a new one")
    parser.add_argument("--march", default="x86-64-v4", help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.3, metavar="S", help="of one build in one round")
    parser.add_argument("--dscc-option", action="append", default=[], metavar="WORD", help="one more word for dscc")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    arguments = parser.parse_args()
    names = [arguments.layer] if LAYER.fullmatch(arguments.layer) else [
        name for name in LAYERS if re.fullmatch(arguments.layer, name)]
    rows = []
    print(f"{'layer':<16} {'old ms':>9} {'GF/s':>6} {'new ms':>9} {'GF/s':>6} {'ratio':>6} {'bytes':>7}")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(row := time_layer(name, arguments, pathlib.Path(folder)))
        cells = f"{name:<16}"
        for side in ("old", "new"):
            if median := statistics.median(row["rounds_ms"].get(side, [0])):
                cells += f" {median:>9.4f} {row['gflop'] * 1e3 / median:>6.1f}"
            else:
                cells += f" {'-':>9} {'-':>6}"
        if arguments.old:
            ratio = statistics.median(old / new for old, new in zip(row["rounds_ms"]["old"], row["rounds_ms"]["new"]))
            cells += f" {ratio:>6.2f} {row['bytes']['new'] / row['bytes']['old']:>7.3f}"
        print(cells, flush=True)
    if arguments.json:
        with open(arguments.json, "a", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()
