"""What the simulated GPU needs at least for models in half precision, beside the bars that kernels are held to.

    python test/bench/roofline.py                                   all models, fp16, sm_90a
    python test/bench/roofline.py --model bert_base --precision bf16 --arch sm_80
    python test/bench/roofline.py --json FILE

A kernel's bound is the largest of what its work needs of any one unit and of a launch (docs/simulator.md); a model's is
their sum, and so is `model us`, by the model of time. `memory` is what its bytes alone need, `tensor` the share of the
FLOP of products, convolutions and attention that matrix instructions do, `error` the largest difference from ONNX
Runtime in single precision, relative to the largest number of the output. Counts are exact and the same on every
machine.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "models"))

import numpy as np
import onnxruntime

import encoder_models
import language_models
import vision_models

HEROES = re.compile("matmul|conv|attention")


@dataclasses.dataclass
class Scenario:
    """A model, values of its named dims, and what it is held to: microseconds on sm_90 and launches."""

    write: typing.Callable  # (path)
    dims: dict
    bound: float | None
    launches: int | None


def vision(name):
    return lambda path: vision_models.write_model(name, path, batch=1)


SCENARIOS = {
    "resnet50": Scenario(vision("resnet50"), {}, 240, 58),
    "vit_b": Scenario(vision("vit_b_16"), {}, 420, 12 * 7 + 5),
    "bert_base": Scenario(encoder_models.write_model, {}, 300, 12 * 7 + 4),
    "decode": Scenario(lambda path: language_models.write_model(path, "onnx24", "smollm2"),
                       {"batch": 1, "sequence": 1, "past": 512}, None, 30 * 9 + 4),
    "bert_tiny": Scenario(lambda path: encoder_models.write_model(path, "tiny", length=33), {}, None, None),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=SCENARIOS, action="append", help="only this one; may be repeated")
    parser.add_argument("--precision", choices=("fp16", "bf16"), default="fp16")
    parser.add_argument("--arch", choices=("sm_80", "sm_90a"), default="sm_90a")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build" / "bench-models", metavar="FOLDER")
    parser.add_argument("--dscc", default="dscc", metavar="FILE")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    arguments = parser.parse_args()
    arguments.model = arguments.model or [name for name in SCENARIOS if name != "bert_tiny"]
    return arguments


def make_inputs(session, dims):
    """Random numbers; small ones where the model counts words, places or seen words."""
    random = np.random.default_rng(1)

    def size(dim):
        return dim if isinstance(dim, int) else sum(dims[name] for name in re.split(r"\s*\+\s*", dim))

    inputs = {}
    for x in session.get_inputs():
        shape = [size(dim) for dim in x.shape]
        if x.type == "tensor(int64)":
            inputs[x.name] = np.ones(shape, np.int64) if "mask" in x.name else random.integers(0, 100, shape)
        else:
            inputs[x.name] = random.standard_normal(shape, np.float32)
    return inputs


def run(arguments, folder, artifact, inputs):
    command = ["dscc-run", artifact, "--device=sim", f"--sim-chip={arguments.arch.rstrip('a')}", "--stats=json",
               "--output", folder / "out"]
    for name, value in inputs.items():
        np.save(folder / f"{name}.npy", value)
        command += ["--input", f"{name}={folder / name}.npy"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout[done.stdout.index('{"statistics"'):])["statistics"]


def share_of_tensor(kernels):
    """Of the kernels that multiply, what those do by matrix instructions; the others' FLOP are all counted against it."""
    tensor = rest = 0
    for kernel in kernels:
        own = sum(count for unit, count in kernel["flop"].items() if unit.startswith("tensor"))
        tensor += own
        if not own and HEROES.search(kernel["name"]):
            rest += sum(kernel["flop"].values())
    return tensor / (tensor + rest) if tensor + rest else 0.0


def measure(arguments, name):
    scenario = SCENARIOS[name]
    path = arguments.models / f"{name}.onnx"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        scenario.write(path)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        artifact = folder / "model.so"
        subprocess.run([arguments.dscc, path, "-o", artifact, "--target=cuda", f"--arch={arguments.arch}",
                        f"--precision={arguments.precision}"], check=True, capture_output=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        inputs = make_inputs(session, scenario.dims)
        statistics = run(arguments, folder, artifact, inputs)
        output = session.get_outputs()[0].name
        expected, got = session.run([output], inputs)[0], np.load(folder / "out" / f"{output}.npy")
    kernels = statistics["kernels"]
    return {"model": name, "precision": arguments.precision, "arch": arguments.arch,
            "bound_us": sum(kernel["roofline"]["bound_us"] for kernel in kernels),
            "bar_us": scenario.bound if arguments.arch == "sm_90a" else None,
            "model_us": sum(kernel["time"]["modelled_us"] for kernel in kernels),
            "memory_us": sum(kernel["roofline"]["limits_us"]["dram"] for kernel in kernels),
            "launches": sum(kernel["launches"] for kernel in kernels), "bar_launches": scenario.launches,
            "tensor": share_of_tensor(kernels),
            "error": float(np.abs(got.astype(np.float64) - expected).max() / np.abs(expected).max())}


def main():
    arguments = parse_arguments()
    print(f"{'model':<10} {'type':<5} {'chip':<7} {'bound us':>9} {'bar':>5} {'model us':>9} {'memory us':>10} "
          f"{'launches':>9} {'bar':>5} {'tensor':>8} {'error':>9}")
    for name in arguments.model:
        row = measure(arguments, name)
        print(f"{name:<10} {row['precision']:<5} {row['arch']:<7} {row['bound_us']:>9.1f} {row['bar_us'] or '-':>5} "
              f"{row['model_us']:>9.1f} {row['memory_us']:>10.1f} {row['launches']:>9} {row['bar_launches'] or '-':>5} {row['tensor']:>8.2%} "
              f"{row['error']:>9.2e}", flush=True)
        if arguments.json:
            with open(arguments.json, "a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
