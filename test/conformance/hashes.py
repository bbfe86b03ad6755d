"""Hashes of all outputs of all cases and models, to compare two builds of dscc bit by bit.

    python test/conformance/hashes.py --json before.json --dscc OLD/dscc --dscc-run OLD/dscc-run
    python test/conformance/hashes.py --json after.json
    python test/conformance/hashes.py --compare before.json after.json

ONNX's cases run in all modes, those of ../shared/data/cases as they are, and some of the tests' models; which modes
of code each gets is the table RUNS. What was in the file stays, so that a run can be made in pieces: --part 2/5, or
--resume after one that was ended. A case that cannot be compiled or run has a word in place of its hashes. PTX comes
without ptxas: the simulator runs it.
"""

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "models"))

import numpy as np  # noqa: E402
import onnx  # noqa: E402

import cases  # noqa: E402
import judge  # noqa: E402
import language_models  # noqa: E402
import trained  # noqa: E402
import vision_models  # noqa: E402

SAVE_EVERY = 100  # cases
SHARED = ROOT.parent / "shared" / "data" / "cases"


@dataclasses.dataclass
class Run:
    """How to compile and to run, and for which modes of ONNX's cases: the first letters of cases.MODES."""

    target: str
    compile: tuple
    device: str
    run: tuple
    modes: str

    def settings(self, arguments, mode):
        return judge.Settings(mode, self.target, str(arguments.dscc), str(arguments.dscc_run), arguments.timeout,
                              self.device, list(self.compile), None, list(self.run))


def cpu(level, speed, modes):
    return Run("cpu", (f"--march=x86-64-{level}", f"-O{speed}"), "cpu", (), modes)


def simulated(chip, speed, modes):
    return Run("cuda", (f"-O{speed}",), "sim", (f"--sim-chip={chip}", "--sim-check=none"), modes)


RUNS = {
    "v4 -O3": cpu("v4", 3, "sdc"),
    "v3 -O3": cpu("v3", 3, "sd"),
    "v4 -O0": cpu("v4", 0, "s"),
    "v3 -O0": cpu("v3", 0, "s"),
    "sm_80 -O3": simulated("sm_80", 3, "sd"),
    "sm_80 -O0": simulated("sm_80", 0, "s"),
    "sm_90 -O3": simulated("sm_90", 3, "s"),
}


@dataclasses.dataclass
class Array:
    """An input, as judge.run_model wants it."""

    name: str
    raw: np.ndarray


def trained_model(model):
    return lambda folder: (model.path, {model.input_name: trained.make_input(model, model.sizes[0])})


def language_model(style):
    def make(folder):
        path = folder / "given.onnx"
        size = language_models.write_model(path, style)
        return path, language_models.first_feed(size, [5, 17, 300, 42, 7])
    return make


def vision_model(name):
    def make(folder):
        picture = np.random.default_rng(3).standard_normal((1, 3, 224, 224), np.float32)
        return vision_models.write_model(name, folder / "given.onnx"), {"input": picture}
    return make


# A model, and whether the simulator is given it too.
MODELS = {
    "magika": (trained_model(trained.magika()), True),
    "pp-ocr-cls": (trained_model(trained.pp_ocr_cls()), False),
    "onnx24": (language_model("onnx24"), True),
    "plain": (language_model("plain"), True),
    **{name: (vision_model(name), False) for name in vision_models.MODELS},
}


def case_jobs():
    for mode in cases.MODES:
        for name in cases.load_names(HERE / "cases.txt"):
            yield f"{mode}/{name}"
    for name in cases.list_cases(SHARED):
        yield f"shared/{name}"
    for name in MODELS:
        yield f"models/{name}"


def prepare_case(case, mode, folder):
    model = onnx.load(case.folder / "model.onnx", load_external_data=False)
    path = case.folder / "model.onnx"
    if mode != "static":
        cases.apply_mode(case, model, mode)
        path = folder / "given.onnx"
        path.write_bytes(model.SerializeToString())
    return path, [cases.to_tensor(*item) for item in cases.input_protos(case, model)]


def prepare(job, folder):
    """Path of the model, its inputs, and which rows of RUNS it gets."""
    kind, name = job.split("/", 1)
    if kind == "models":
        make, simulate = MODELS[name]
        path, feed = make(folder)
        runs = [run for run in RUNS if simulate or RUNS[run].device == "cpu"]
        return path, [Array(*item) for item in feed.items()], runs
    if kind == "shared":
        return *prepare_case(cases.find_case(name, SHARED), "static", folder), list(RUNS)
    runs = [run for run in RUNS if kind[0] in RUNS[run].modes]
    return *prepare_case(cases.find_case(name), kind, folder), runs


def hash_array(array):
    text = f"{array.dtype.str}{list(array.shape)}".encode()
    return hashlib.sha256(text + array.tobytes()).hexdigest()[:16]


def hash_run(folder, path, inputs, settings, artifacts):
    """Hashes by output. An artifact that was made for another run with the same options is taken again."""
    key = (settings.target, *settings.dscc_options)
    try:
        if key not in artifacts:
            artifacts[key] = folder / f"{len(artifacts)}.so"
            judge.compile_model(path, artifacts[key], settings)
        elif not artifacts[key].is_file():
            return "not compiled"
        shutil.rmtree(folder / "out", ignore_errors=True)
        judge.run_model(artifacts[key], folder, inputs, settings)
    except judge.Verdict as end:
        return end.verdict
    return {file.stem: hash_array(np.load(file)) for file in sorted((folder / "out").glob("*.npy"))}


def hash_job(item):
    job, arguments = item
    with tempfile.TemporaryDirectory(prefix="dscc-hashes-") as folder:
        folder = pathlib.Path(folder)
        try:
            path, inputs, runs = prepare(job, folder)
        except cases.NotATensor as reason:
            return job, str(reason)
        mode, artifacts = job.split("/", 1)[0], {}
        return job, {run: hash_run(folder, path, inputs, RUNS[run].settings(arguments, mode), artifacts)
                     for run in runs if re.search(arguments.runs, run)}


def flatten(tree, name=""):
    """{"static/test_x v4 -O3 y": hash} from nested dicts."""
    if not isinstance(tree, dict):
        return {name: tree}
    return {key: value for word, part in tree.items() for key, value in flatten(part, f"{name} {word}".strip()).items()}


def compare(before, after):
    """Prints what differs; returns how many do."""
    olds, news = (flatten(json.loads(pathlib.Path(path).read_text())) for path in (before, after))
    both = olds.keys() & news.keys()
    differ = sorted(name for name in both if olds[name] != news[name])
    for name in differ:
        print(f"{name}: {olds[name]}, then {news[name]}")
    for path, names in ((before, olds.keys() - both), (after, news.keys() - both)):
        for name in sorted(names):
            print(f"{name}: in {path} only")
    print(f"{len(both) - len(differ)} equal, {len(differ)} differ, {len(olds) + len(news) - 2 * len(both)} in one only")
    return len(differ) + len(olds) + len(news) - 2 * len(both)


def parse_arguments():
    build = ROOT / "build" / "bin"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="where the hashes are kept")
    parser.add_argument("--compare", nargs=2, metavar="FILE", help="list what differs, and do nothing else")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only such cases: static/test_abs, models/magika")
    parser.add_argument("--runs", default="", metavar="REGEX", help="only such rows of the table: 'v4', 'O3'")
    parser.add_argument("--part", default="1/1", metavar="I/N", help="only the I-th of N pieces")
    parser.add_argument("--resume", action="store_true", help="leave out cases that the file has")
    parser.add_argument("--dscc", type=pathlib.Path, default=build / "dscc", metavar="FILE")
    parser.add_argument("--dscc-run", type=pathlib.Path, default=build / "dscc-run", metavar="FILE")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for each child process")
    parser.add_argument("-j", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="cases at once")
    arguments = parser.parse_args()
    if not arguments.compare and not arguments.json:
        parser.error("name a file by --json, or two by --compare")
    return arguments


def save(known, path):
    path.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n")


def hash_all(arguments):
    part, parts = map(int, arguments.part.split("/"))
    jobs = [job for job in case_jobs() if re.search(arguments.filter, job)][part - 1::parts]
    known = json.loads(arguments.json.read_text()) if arguments.json.is_file() else {}
    if arguments.resume:
        jobs = [job for job in jobs if job not in known]
    with tempfile.TemporaryDirectory() as folder:
        # Away from its set-up and from PATH it finds no ptxas.
        arguments.dscc = pathlib.Path(shutil.copy(arguments.dscc, folder))
        os.environ |= {"PATH": "", "CUDA_HOME": ""}
        with multiprocessing.Pool(arguments.j) as pool:
            items = [(job, arguments) for job in jobs]
            for count, (job, hashes) in enumerate(pool.imap_unordered(hash_job, items)):
                old = known.get(job)
                known[job] = old | hashes if isinstance(old, dict) and isinstance(hashes, dict) else hashes
                if count % SAVE_EVERY == 0:
                    save(known, arguments.json)
    save(known, arguments.json)
    print(f"{len(jobs)} cases, {len(flatten({job: known[job] for job in jobs}))} outputs")


def main():
    arguments = parse_arguments()
    if arguments.compare:
        return 1 if compare(*arguments.compare) else 0
    return hash_all(arguments)


if __name__ == "__main__":
    sys.exit(main())
