"""dscc beside ONNX Runtime, on the CPU, in one interleaved run.

    python test/bench/bench.py                     both models, 1 and 2 threads
    python test/bench/bench.py --model magika --threads 1 --rounds 9 --json out.jsonl

A round times dscc, then ONNX Runtime, each in a process of its own, so that a
busy or throttled machine hurts both alike. The time of a side is the median
over the rounds of each round's median; the ratio is dscc's over ONNX Runtime's,
so below 1 dscc is faster. What compiling costs is measured as well.
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

import measure
import trained

MODELS = {"magika": trained.magika, "pp-ocr-cls": trained.pp_ocr_cls}

# The other side: a process that prints the same figure as `dscc-run --bench --json`.
PEER = """
import json, sys, time, statistics
import numpy as np, onnxruntime
path, threads, seconds, *inputs = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
feed = {name: np.load(array) for name, array in (word.rsplit("=", 1) for word in inputs)}
times, end = [], 0
session.run(None, feed)
start = time.perf_counter()
while len(times) < 5 or end - start < float(seconds):
    begin = time.perf_counter()
    session.run(None, feed)
    end = time.perf_counter()
    times.append(1e3 * (end - begin))
print(json.dumps({"latency_ms": {"median": statistics.median(times), "min": min(times)}}))
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, action="append", help="only this model; may be repeated")
    parser.add_argument("--size", action="append", metavar="DIMS", help="only this size, such as 5x3x48x320")
    parser.add_argument("--threads", type=int, action="append", metavar="N", help="default: 1 and 2")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1, metavar="S", help="of one side in one round")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--dscc-option", action="append", default=[], metavar="WORD", help="one more word for dscc")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    return parser.parse_args()


def last_json(command):
    """The JSON object that a command prints."""
    child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed with exit code {child.returncode}: {child.stderr.strip()}")
    return json.loads(child.stdout[child.stdout.index("{"):])


def peer_command(path, feed, threads, seconds):
    """Times ONNX Runtime on files of inputs."""
    return [sys.executable, "-c", PEER, path, threads, seconds, *(f"{name}={file}" for name, file in feed.items())]


def compile_costs(model, artifact, dscc, options):
    """Seconds, peak memory and artifact size of compiling for all targets."""
    report = measure.measure([dscc, model.path, "-o", artifact, *options])
    if report["exit"] != 0:
        sys.exit(f"dscc failed with exit code {report['exit']}: {report['text']}")
    return {"model": model.name, "compile_seconds": report["seconds"], "compile_peak_bytes": report["peak_bytes"],
            "artifact_bytes": artifact.stat().st_size}


def time_sides(model, size, threads, artifact, folder, arguments):
    """One row of the table: both sides at one size with one number of threads."""
    array = folder / "input.npy"
    np.save(array, trained.make_input(model, size))
    ours = [arguments.build / "bin" / "dscc-run", artifact, "--device=cpu", f"--threads={threads}",
            "--input", f"{model.input_name}={array}", f"--bench={arguments.seconds:g}", "--json"]
    theirs = peer_command(model.path, {model.input_name: array}, threads, arguments.seconds)
    medians = {"dscc": [], "onnxruntime": []}
    for _ in range(arguments.rounds):
        medians["dscc"].append(last_json(ours)["latency_ms"]["median"])
        medians["onnxruntime"].append(last_json(theirs)["latency_ms"]["median"])
    dscc, peer = statistics.median(medians["dscc"]), statistics.median(medians["onnxruntime"])
    return {"model": model.name, "size": "x".join(map(str, size)), "threads": threads, "dscc_ms": round(dscc, 4),
            "onnxruntime_ms": round(peer, 4), "ratio": round(dscc / peer, 3), "rounds_ms": medians}


def print_row(row):
    if "ratio" in row:
        print(f"{row['model']:<12} {row['size']:<12} {row['threads']:>7} {row['dscc_ms']:>10.3f} "
              f"{row['onnxruntime_ms']:>12.3f} {row['ratio']:>7.2f}", flush=True)
    else:
        print(f"{row['model']:<12} compiled in {row['compile_seconds']:.2f} s, peak "
              f"{row['compile_peak_bytes'] / 1e6:.0f} MB, artifact {row['artifact_bytes'] / 1e6:.2f} MB", flush=True)


def main():
    arguments = parse_arguments()
    rows = []
    print(f"{'model':<12} {'size':<12} {'threads':>7} {'dscc ms':>10} {'ORT ms':>12} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in arguments.model or MODELS:
            model, artifact = MODELS[name](), folder / f"{name}.so"
            rows.append(compile_costs(model, artifact, arguments.build / "bin" / "dscc", arguments.dscc_option))
            print_row(rows[-1])
            for size in model.sizes:
                if arguments.size and "x".join(map(str, size)) not in arguments.size:
                    continue
                for threads in arguments.threads or (1, 2):
                    rows.append(time_sides(model, size, threads, artifact, folder, arguments))
                    print_row(rows[-1])
    if arguments.json:
        with open(arguments.json, "a", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()
