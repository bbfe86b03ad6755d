"""How long dscc takes to compile, beside the bars that it is held to.

    python test/bench/compile.py                                  the models of the table below
    python test/bench/compile.py --model products --dscc A/dscc --dscc B/dscc
    python test/bench/compile.py --cache                          with a warm --cache-dir

Several compilers take turns, so that a busy machine hurts them alike; each figure is the median of the rounds. Where
others use the machine too, `cpu s` is what to look at: seconds of all threads on processors. The models are made by
the generators of test/models and kept in --models.

--cache fills a cache folder, then times two things with it: the same model once more, where nothing is left to do but
what no cache saves (import, passes, linking), and the model with one node changed and all weights new. The bar is
1.5 times the former. That the bytes are those of a compile without a cache is checked.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import typing

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "models"))

import language_models
import measure
import vision_models

CACHE_BAR = 1.5
CPU_V4 = ("--target=cpu", "--march=x86-64-v4")


def write_smollm2(path, changed=None, seed=1):
    """From the GGUF file; the model with new weights is of the same size but random."""
    gguf = language_models.fetch_smollm2(path.parent) if seed == 1 else None
    if seed == 1 and gguf is None:
        print("smollm2: its file cannot be had, so the weights are random, at the same size")
    language_models.write_model(path, "onnx24", "smollm2", gguf, seed, changed)


@dataclasses.dataclass
class Scenario:
    """A model, how dscc is called, seconds that it may take on two cores, and the place of the node to change."""

    write: typing.Callable  # (path), and for the changed model (path, changed=, seed=)
    options: tuple
    bar: float
    changed: int | None = None


def vision(name):
    return lambda path, **arguments: vision_models.write_model(name, path, batch=1, **arguments)


SCENARIOS = {
    "products": Scenario(vision_models.write_products, CPU_V4, 1.5, 400),
    "vit_b": Scenario(vision("vit_b_16"), CPU_V4, 4, 6),
    "smollm2": Scenario(write_smollm2, CPU_V4, 15, 15),
    "resnet50": Scenario(vision("resnet50"), ("--precision=fp16",), 20),
    "vit_b_fp16": Scenario(vision("vit_b_16"), ("--precision=fp16",), 20),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=SCENARIOS, action="append", help="only this one; may be repeated")
    parser.add_argument("--dscc", type=pathlib.Path, action="append", metavar="FILE", help="may be repeated")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: %(default)s")
    parser.add_argument("--cache", action="store_true", help="with a warm --cache-dir instead")
    parser.add_argument("--products", type=int, default=800, metavar="N", help="of `products`; default: %(default)s")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "build" / "bench-models", metavar="FOLDER")
    parser.add_argument("--dscc-option", action="append", default=[], metavar="WORD", help="one more word for dscc")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    arguments = parser.parse_args()
    arguments.dscc = arguments.dscc or [ROOT / "build" / "bin" / "dscc"]
    return arguments


def model_file(name, arguments, new=False):
    """The model of a scenario, written if it is not there or older than what writes it."""
    scenario = SCENARIOS[name]
    more = {"count": arguments.products} if name == "products" else {}
    path = arguments.models / f"{name}{arguments.products if more else ''}{'-new' if new else ''}.onnx"
    if new:
        more |= {"changed": min(scenario.changed, arguments.products - 1), "seed": 2}
    sources = [HERE / "compile.py", *(HERE.parent / "models").glob("*.py")]
    if not path.is_file() or path.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        path.parent.mkdir(parents=True, exist_ok=True)
        scenario.write(path, **more)
    return path


def compile_once(dscc, path, options):
    """What one compile cost; its artifact is hashed and gone."""
    with tempfile.TemporaryDirectory() as folder:
        artifact = pathlib.Path(folder) / "model.so"
        report = measure.measure([dscc, path, "-o", artifact, "-v", *options], timeout=3600)
        if report["exit"] != 0:
            sys.exit(f"{dscc} failed with exit code {report['exit']}: {report['text'][-2000:]}")
        report["sha256"] = hashlib.sha256(artifact.read_bytes()).hexdigest()
        report["artifact_bytes"] = artifact.stat().st_size
    return report


def median(reports, field):
    return statistics.median(report[field] for report in reports)


def counts(text):
    """Kernels made, and kernels launched, as `dscc -v` tells it."""
    kernels = re.search(r"(\d+) kernels", text)
    launches = re.findall(r"numLaunches[ :]+(\d+)", text)
    return int(kernels[1]) if kernels else None, sum(map(int, launches)) if launches else None


def take_turns(arguments, path, options):
    """Reports of each compiler, by its place."""
    reports = [[] for _ in arguments.dscc]
    for _ in range(arguments.rounds):
        for place, dscc in enumerate(arguments.dscc):
            reports[place].append(compile_once(dscc, path, options))
    return reports


def bench_compile(arguments, name):
    scenario = SCENARIOS[name]
    path = model_file(name, arguments)
    for dscc, reports in zip(arguments.dscc, take_turns(arguments, path, [*scenario.options, *arguments.dscc_option])):
        kernels, launches = counts(reports[0]["text"])
        yield {"model": name, "dscc": str(dscc), "seconds": median(reports, "seconds"), "bar": scenario.bar,
               "cpu_seconds": median(reports, "cpu_seconds"), "peak_bytes": median(reports, "peak_bytes"),
               "artifact_bytes": reports[0]["artifact_bytes"], "kernels": kernels, "launches": launches, "rounds_s": [report["seconds"] for report in reports]}


def print_compile(row):
    print(f"{row['model']:<10} {row['seconds']:>8.2f} {row['bar']:>6.1f} {row['cpu_seconds']:>8.2f} "
          f"{row['peak_bytes'] / 1e6:>8.0f} {row['artifact_bytes'] / 1e6:>8.2f} {row['kernels']!s:>8} {row['launches']!s:>9}  {row['dscc']}", flush=True)


def bench_cache(arguments, name):
    scenario = SCENARIOS[name]
    old, new = model_file(name, arguments), model_file(name, arguments, new=True)
    options = [*scenario.options, *arguments.dscc_option]
    for dscc in arguments.dscc:
        with tempfile.TemporaryDirectory() as folder:
            full, used = pathlib.Path(folder) / "full", pathlib.Path(folder) / "used"
            cold = compile_once(dscc, old, [*options, f"--cache-dir={full}"])
            rounds = {"same": [], "new": []}
            for _ in range(arguments.rounds):
                for what, path in (("same", old), ("new", new)):
                    shutil.rmtree(used, ignore_errors=True)
                    shutil.copytree(full, used)
                    os.sync()
                    rounds[what].append(compile_once(dscc, path, [*options, f"--cache-dir={used}"]))
        plain = {what: compile_once(dscc, path, options)["sha256"] for what, path in (("same", old), ("new", new))}
        equal = cold["sha256"] == plain["same"] and all(
            report["sha256"] == plain[what] for what, reports in rounds.items() for report in reports)
        same, changed = median(rounds["same"], "seconds"), median(rounds["new"], "seconds")
        yield {"model": name, "dscc": str(dscc), "cold_s": cold["seconds"], "same_s": same, "changed_s": changed,
               "same_cpu_s": median(rounds["same"], "cpu_seconds"),
               "changed_cpu_s": median(rounds["new"], "cpu_seconds"),
               "ratio": round(changed / same, 3), "bar": CACHE_BAR, "same_bytes": equal}


def print_cache(row):
    cpu_ratio = row["changed_cpu_s"] / row["same_cpu_s"]
    print(f"{row['model']:<10} {row['cold_s']:>8.2f} {row['same_s']:>8.2f} {row['changed_s']:>10.2f} "
          f"{row['ratio']:>6.2f} {row['bar']:>4.1f} {cpu_ratio:>9.2f} {'yes' if row['same_bytes'] else 'NO':>10}  {row['dscc']}", flush=True)


def main():
    arguments = parse_arguments()
    names = arguments.model or list(SCENARIOS)
    if arguments.cache:
        names = [name for name in names if SCENARIOS[name].changed is not None]
        print(f"{'model':<10} {'cold s':>8} {'same s':>8} {'changed s':>10} {'ratio':>6} {'bar':>4} {'cpu ratio':>9} "
              f"{'same bytes':>10}  dscc")
        bench, show = bench_cache, print_cache
    else:
        print(f"{'model':<10} {'seconds':>8} {'bar':>6} {'cpu s':>8} {'peak MB':>8} {'size MB':>8} {'kernels':>8} "
              f"{'launched':>9}  dscc")
        bench, show = bench_compile, print_compile
    rows = []
    for name in names:
        for row in bench(arguments, name):
            rows.append(row)
            show(row)
    if arguments.json:
        with open(arguments.json, "a", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)


if __name__ == "__main__":
    main()
