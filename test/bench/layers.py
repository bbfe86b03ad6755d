"""Convolutions and pools, one layer a model, on the CPU: dscc beside ONNX Runtime, and beside another build of dscc.

    python test/bench/layers.py                              every layer, 1 thread
    python test/bench/layers.py --old OLDBUILD --layer 3x3   those whose name has this in it, with an older build

A layer stands between two convolutions of single pixels, as in a model, so that whoever chooses where channels lie may
choose. Its time is that of the kernels that compute it, as both sides' profiles have it: what moves data for it before
and behind does not count, and is there in either side's whole models. With --alone it stands alone, and the time is
that of whole runs.

In a round the sides take turns, each in a process of its own. A side's time is the median over the rounds. Before that
results are compared: one that is wrong ends everything. GF/s counts a multiplication and an addition as two.
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
import onnxruntime

from bench import PEER, last_json

# As PEER, but prints the time of the kernels of the layer.
PROFILED_PEER = """
import json, os, statistics, sys, time
import numpy as np, onnxruntime
path, name, array, threads, seconds = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.enable_profiling, options.profile_file_prefix = True, path
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
feed, runs, end = {name: np.load(array)}, 0, time.perf_counter() + float(seconds)
while runs < 5 or time.perf_counter() < end:
    session.run(None, feed)
    runs += 1
profile = session.end_profiling()
kernels = {}
for event in json.load(open(profile)):
    if event.get("cat") == "Node" and event["name"].startswith("/layer/") and event["name"].endswith("_kernel_time"):
        kernels.setdefault(event["name"], []).append(event["dur"])
os.remove(profile)
print(json.dumps({"layer_ms": sum(statistics.median(times) for times in kernels.values()) / 1e3}))
"""
from graph_builder import GraphBuilder


class Layer:
    """A convolution, or with `pool` a pool, of square windows and images."""

    def __init__(self, taken, made, size, window, stride=1, groups=1, pool=None, pad=None):
        self.taken, self.made, self.size, self.window, self.stride = taken, made, size, window, stride
        self.groups, self.pool, self.pad = groups, pool, window // 2 if pad is None else pad

    def apply(self, build, x):
        shape = {"kernel_shape": [self.window] * 2, "strides": [self.stride] * 2, "pads": [self.pad] * 4}
        if self.pool == "GlobalAveragePool":
            return build.node(self.pool, x)
        if self.pool:
            return build.node(self.pool, x, **shape)
        weight = build.weight((self.made, self.taken // self.groups, self.window, self.window))
        bias = build.constant(build.normal(self.made, 0.1), "bias")
        return build.node("Conv", x, weight, bias, group=self.groups, **shape)

    def flops(self):
        places = ((self.size + 2 * self.pad - self.window) // self.stride + 1) ** 2
        return 2 * places * self.made * (self.taken // self.groups) * self.window ** 2


LAYERS = {
    "7x7 s2 3->64 at 224": Layer(3, 64, 224, 7, 2),
    "3x3 s2 3->32 at 224": Layer(3, 32, 224, 3, 2),
    "3x3 64 at 56": Layer(64, 64, 56, 3),
    "3x3 128 at 28": Layer(128, 128, 28, 3),
    "3x3 256 at 14": Layer(256, 256, 14, 3),
    "3x3 512 at 7": Layer(512, 512, 7, 3),
    "3x3 s2 128 at 56": Layer(128, 128, 56, 3, 2),
    "1x1 64->256 at 56": Layer(64, 256, 56, 1),
    "1x1 256->64 at 56": Layer(256, 64, 56, 1),
    "1x1 512->2048 at 7": Layer(512, 2048, 7, 1),
    "1x1 1024->256 at 14": Layer(1024, 256, 14, 1),
    "1x1 s2 256->512 at 56": Layer(256, 512, 56, 1, 2),
    "depthwise 3x3 96 at 56": Layer(96, 96, 56, 3, 1, 96),
    "depthwise 3x3 s2 96 at 112": Layer(96, 96, 112, 3, 2, 96),
    "depthwise 5x5 240 at 28": Layer(240, 240, 28, 5, 1, 240),
    "depthwise 7x7 96 at 56": Layer(96, 96, 56, 7, 1, 96),
    "max pool 3x3 s2 64 at 112": Layer(64, 64, 112, 3, 2, pool="MaxPool"),
    "average pool 2x2 s2 128 at 56": Layer(128, 128, 56, 2, 2, pool="AveragePool", pad=0),
    "global average 2048 at 7": Layer(2048, 2048, 7, 7, 7, pool="GlobalAveragePool", pad=0),
}


def write_model(path, layer, alone):
    build = GraphBuilder(opset=17, seed=5)
    x = build.input("x", np.float32, [1, layer.taken if alone else NARROW, layer.size, layer.size])
    if not alone:
        x = build.node("Conv", x, build.weight((layer.taken, NARROW, 1, 1)), kernel_shape=[1, 1])
    with build.scope("layer"):
        x = layer.apply(build, x)
    if not alone:
        x = build.node("Conv", x, build.weight((NARROW, layer.made, 1, 1)), kernel_shape=[1, 1])
        x = build.node("GlobalAveragePool", x)
    build.output(x, "y", None)
    build.save(path)


NARROW = 4  # channels around the neighbours


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--old", type=pathlib.Path, metavar="FOLDER", help="an older build: bin/dscc is there")
    parser.add_argument("--layer", action="append", metavar="TEXT", help="only layers with this in their name")
    parser.add_argument("--alone", action="store_true", help="without neighbours")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.2, metavar="S", help="of one side in one round")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    return parser.parse_args()


def compile_model(build, model, artifact):
    command = [build / "bin" / "dscc", model, "-o", artifact, "--target=cpu"]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed with exit code {child.returncode}: {child.stderr.strip()}")


def run_once(build, artifact, feed, folder):
    subprocess.run([build / "bin" / "dscc-run", artifact, "--device=cpu", "--input", f"x={feed}", "--output",
                    folder], check=True, capture_output=True)
    return np.load(folder / "y.npy")


def prepare(model, array, folder, arguments):
    """The commands that time each side, after their results were compared."""
    feed = folder / "x.npy"
    np.save(feed, array)
    wanted = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": array})[0]
    peer = PEER if arguments.alone else PROFILED_PEER
    commands = {"peer": [sys.executable, "-c", peer, model, "x", feed, arguments.threads, arguments.seconds]}
    how = [f"--bench={arguments.seconds:g}"] if arguments.alone else ["--profile"]
    for side, build in {"new": arguments.build, "old": arguments.old}.items():
        if not build:
            continue
        artifact = folder / f"{side}.so"
        compile_model(build, model, artifact)
        found = run_once(build, artifact, feed, folder)
        error = np.abs(found - wanted).max() / max(1e-6, np.abs(wanted).max())
        if not error < 1e-4:
            sys.exit(f"{model.name}: {build} is off by {error:.2e} of the largest element")
        commands[side] = [build / "bin" / "dscc-run", artifact, "--device=cpu", f"--threads={arguments.threads}",
                          "--input", f"x={feed}", *how, "--json"]
    return commands


def layer_time(report):
    """ms, of a report of any of the commands."""
    if "layer_ms" in report:
        return report["layer_ms"]
    if "profile" not in report:
        return report["latency_ms"]["median"]
    return sum(launch["us"] for launch in report["profile"]["launches"] if "/layer/" in launch["nodes"]) / 1e3


def time_layer(name, layer, arguments):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = folder / "model.onnx"
        write_model(model, layer, arguments.alone)
        channels = layer.taken if arguments.alone else NARROW
        array = np.random.default_rng(3).standard_normal((1, channels, layer.size, layer.size), np.float32)
        commands = prepare(model, array, folder, arguments)
        times = {side: [] for side in commands}
        for turn in range(arguments.rounds):
            for side in list(commands) if turn % 2 == 0 else reversed(list(commands)):
                times[side].append(layer_time(last_json(commands[side])))
    return {"layer": name, "threads": arguments.threads, "flops": layer.flops(),
            **{f"{side}_ms": statistics.median(rounds) for side, rounds in times.items()}}


def main():
    arguments = parse_arguments()
    sides = ["new", "peer"] + (["old"] if arguments.old else [])
    print(f"{'layer':<32}" + "".join(f"{side + ' ms':>10}{'GF/s':>8}" for side in sides) + f"{'new/peer':>10}")
    for name, layer in LAYERS.items():
        if arguments.layer and not any(text in name for text in arguments.layer):
            continue
        row = time_layer(name, layer, arguments)
        text = "".join(f"{row[side + '_ms']:>10.3f}{row['flops'] / max(1e-9, row[side + '_ms']) / 1e6:>8.1f}"
                       for side in sides)
        print(f"{name:<32}{text}{row['new_ms'] / row['peer_ms']:>10.2f}", flush=True)
        if arguments.json:
            with open(arguments.json, "a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
