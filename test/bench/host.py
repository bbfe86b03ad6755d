"""What dscc costs on the host: a run of a model that has next to nothing to compute, and opening a model.

    python test/bench/host.py                       both parts
    python test/bench/host.py --part=run --rounds 9

`run`: one kernel, and a chain of 32, on the CPU and on the simulated GPU, there with and without replays. `calls` are
those of the CUDA driver in one run, `launches` those among them that launch a kernel or a graph. The simulator's kernels
run within the call, and take most of its time.

`open`: dscc_model_open beside ONNX Runtime's session, on the CPU, each in a fresh process, and what it takes until the
first result is there. The bar is a fifth of ONNX Runtime's time, for opening.

A figure is the median over rounds, in which the sides take turns; of a round with many runs its median is taken.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent / "models"), str(HERE.parent / "runtime"), str(ROOT / "runtime" / "python")]

import numpy as np

import bench
import trained
from session import NUM_COLUMNS, Session

OPEN_BAR = 5.0  # times faster than ONNX Runtime
CHAIN = 16  # products, with a softmax behind each
WARM_RUNS = 2  # the second of equal runs is recorded, and those behind it are replayed

# Prints milliseconds: of making a session, and of its first run.
PEER = """
import json, sys, time
import numpy as np, onnxruntime
path, name, array = sys.argv[1:]
feed = {name: np.load(array)}
start = time.perf_counter()
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
opened = time.perf_counter()
session.run(None, feed)
print(json.dumps({"open_ms": 1e3 * (opened - start), "first_run_ms": 1e3 * (time.perf_counter() - opened)}))
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("run", "open"), action="append", help="only this one")
    parser.add_argument("--model", choices=bench.MODELS, action="append", help="of `open`: only this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.5, metavar="S", help="of one side in a round of `run`")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    return parser.parse_args()


def compile_model(arguments, path, *options):
    artifact = path.with_suffix(".so")
    subprocess.run([arguments.build / "bin" / "dscc", path, "-o", artifact, *options], check=True)
    return artifact


def write_small(path, products):
    """A Relu, or products with a softmax behind each: as many kernels as nodes."""
    import onnx
    from onnx import TensorProto, helper

    nodes, value = [], "x"
    for i in range(products):
        nodes += [helper.make_node("MatMul", [value, "w"], [f"p{i}"]), helper.make_node("Softmax", [f"p{i}"], [f"s{i}"])]
        value = f"s{i}"
    nodes.append(helper.make_node("Identity" if products else "Relu", [value], ["y"]))
    weight = onnx.numpy_helper.from_array(np.eye(NUM_COLUMNS, dtype=np.float32), "w")
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", NUM_COLUMNS])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", NUM_COLUMNS])],
                              [weight] if products else [])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def count_calls(artifact, simulator, no_replay):
    """Of the driver, in one run of many: launches, and all."""
    session = Session(artifact, simulator, no_replay=no_replay)
    x = np.ones((1, NUM_COLUMNS), np.float32)
    for _ in range(WARM_RUNS):
        session.run(x)
    counts = [(session.count("cuLaunchKernel", "cuLaunchKernelEx", "cuGraphLaunch"), session.count("any"))]
    session.run(x)
    counts.append((session.count("cuLaunchKernel", "cuLaunchKernelEx", "cuGraphLaunch"), session.count("any")))
    session.close()
    return [after - before for before, after in zip(*counts)]


def bench_run(arguments, folder):
    simulator = arguments.build / "lib" / "libdscc_cuda_sim.so"
    os.environ.update(DSCC_SIM_CHECK="none", DSCC_RUNTIME=str(arguments.build / "lib" / "libdscc_runtime.so"))
    sides = {"cpu": ["--device=cpu", "--threads=1"], "sim, no replay": ["--device=sim", "--no-replay"], "sim": ["--device=sim"]}
    for name, products in (("one kernel", 0), (f"{2 * CHAIN} kernels", CHAIN)):
        path = folder / f"small{products}.onnx"
        write_small(path, products)
        artifact = compile_model(arguments, path)
        times = {side: [] for side in sides}
        for _ in range(arguments.rounds):
            for side, options in sides.items():
                command = [arguments.build / "bin" / "dscc-run", artifact, "--dim", "n=1", f"--bench={arguments.seconds:g}",
                           "--json", *options]
                times[side].append(1e3 * bench.last_json(command)["latency_ms"]["median"])
        for side, microseconds in times.items():
            launches, calls = (None, None) if side == "cpu" else count_calls(artifact, simulator, side != "sim")
            yield {"part": "run", "model": name, "side": side, "us": round(statistics.median(microseconds), 3),
                   "launches": launches, "calls": calls, "rounds_us": microseconds}


def bench_open(arguments, folder):
    for name in arguments.model or bench.MODELS:
        model = bench.MODELS[name]()
        link = folder / f"{name}.onnx"
        link.symlink_to(model.path)
        artifact, array = compile_model(arguments, link), folder / f"{name}.npy"
        np.save(array, trained.make_input(model, model.sizes[0]))
        ours = [arguments.build / "bin" / "dscc-run", artifact, "--device=cpu", "--input", f"{model.input_name}={array}", "--json"]
        theirs = [sys.executable, "-c", PEER, model.path, model.input_name, array]
        reports = [(bench.last_json(ours), bench.last_json(theirs)) for _ in range(arguments.rounds)]
        row = {"part": "open", "model": name}
        for side, place in (("dscc", 0), ("onnxruntime", 1)):
            for field in ("open_ms", "first_run_ms"):
                row[f"{side}_{field}"] = round(statistics.median(report[place][field] for report in reports), 3)
        row["times_faster"] = round(row["onnxruntime_open_ms"] / row["dscc_open_ms"], 1)
        yield row


def print_run(row):
    print(f"{row['model']:<12} {row['side']:<16} {row['us']:>10.2f} {row['launches'] or '-':>9} {row['calls'] or '-':>6}", flush=True)


def print_open(row):
    print(f"{row['model']:<12} {row['dscc_open_ms']:>8.2f} {row['dscc_first_run_ms']:>10.2f} {row['onnxruntime_open_ms']:>10.2f} "
          f"{row['onnxruntime_first_run_ms']:>10.2f} {row['times_faster']:>8.1f} {OPEN_BAR:>5.1f}", flush=True)


PARTS = {
    "run": (bench_run, print_run, f"{'model':<12} {'side':<16} {'us a run':>10} {'launches':>9} {'calls':>6}"),
    "open": (bench_open, print_open, f"{'model':<12} {'open ms':>8} {'first run':>10} {'ORT open':>10} {'first run':>10} "
                                     f"{'faster':>8} {'bar':>5}"),
}


def main():
    arguments = parse_arguments()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for part in arguments.part or PARTS:
            measure, show, head = PARTS[part]
            print(head)
            for row in measure(arguments, pathlib.Path(folder)):
                rows.append(row)
                show(row)
    if arguments.json:
        with open(arguments.json, "a", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()
