"""Trained models: what the CUDA code of an artifact computes, beside what its CPU code does.

The models are those of two Python packages, if they are installed; real bytes and strokes go in.
"""

import importlib.util
import pathlib
import time

import numpy as np

from compiler import CompileError
from worker import Lost

RTOL, ATOL = 1e-3, 1e-6
SHORT_ATOL = {"fp16": 2e-2, "bf16": 1e-1}  # of probabilities
SECONDS = 300


def package_folder(name):
    package = importlib.util.find_spec(name)
    return pathlib.Path(package.origin).parent if package else None


def find_magika():
    folder = package_folder("magika")
    return folder and next(folder.glob("models/*/model.onnx"), None)


def find_classifier():
    folder = package_folder("rapidocr_onnxruntime")
    return folder and next(folder.glob("models/*cls_infer.onnx"), None)


def bytes_of_files(size):
    """Magika's input: the first and the last 1,024 bytes of a file, 256 where there are none."""
    files = sorted(pathlib.Path(np.__file__).parent.rglob("*.py"))[: size[0]]
    rows = np.full((size[0], 2048), 256, np.int32)
    for row, path in zip(rows, files):
        content = path.read_bytes()
        head, tail = content[:1024], content[-1024:]
        row[: len(head)], row[2048 - len(tail) :] = np.frombuffer(head, np.uint8), np.frombuffer(tail, np.uint8)
    return rows


def strokes(size):
    """As of lines of text, in [-1, 1]."""
    random = np.random.default_rng(7)
    batch, channels, height, width = size
    drawn = random.random((batch, 1, height // 4 + 1, width // 3 + 1)) > 0.6
    picture = np.kron(drawn, np.ones((1, 1, 4, 3)))[:, :, :height, :width]
    return np.clip(2 * picture - 1 + 0.1 * random.standard_normal(size), -1, 1).astype(np.float32)


# name: (package, file, input, how it is made, sizes; the first is the smallest)
MODELS = {"magika": ("magika", find_magika, "bytes", bytes_of_files, [(1,), (7,), (32,)]),
          "pp-ocr-cls": ("rapidocr-onnxruntime", find_classifier, "x", strokes,
                         [(1, 3, 48, 192), (5, 3, 48, 320), (2, 3, 64, 97)])}


def run(task, emit, settings):
    """In a worker: both codes of the artifact on one input."""
    import dscc

    _, _, name, make, _ = MODELS[task["model"]]
    precision = task["precision"]
    array = make(task["size"])
    with dscc.Model(task["artifact"], **settings) as gpu, dscc.Model(task["artifact"], device="cpu") as cpu:
        ours, right = gpu.run({name: array}), cpu.run({name: array})
    text, worst = None, 0.0
    for key, expected in right.items():
        atol = SHORT_ATOL.get(precision, ATOL)
        far = np.abs(ours[key] - expected) / (atol + RTOL * np.abs(expected))
        worst = max(worst, float(np.where(np.isnan(far), np.inf, far).max()))
        if worst > 1:
            text = (f"{key}: {int((~(far <= 1)).sum())} of {far.size} differ from the CPU's by more than {RTOL} of the "
                    f"value and {atol}, at most {float(np.nanmax(np.abs(ours[key] - expected))):.3g}")
    emit({"worst": min(worst, 1e30), "text": text})


QUICK = "magika"


def check(suite):
    for name, (package, find, key, make, sizes) in MODELS.items():
        if suite.options.quick and name != QUICK:
            continue
        path = find()
        if not path:
            suite.report.leave_out(f"model {name}", f"the Python package {package} is not installed")
            continue
        for precision in ("fp32",) if suite.options.quick else ("fp32", "fp16", "bf16"):
            check_one(suite, name, path, precision, sizes[: suite.model_sizes(precision)])


def check_one(suite, name, path, precision, sizes):
    start, title, passed, worst, failed = time.monotonic(), f"model/{name}/{precision}", 0, 0.0, []
    options = [f"--precision={precision}"]
    artifact = suite.folder / f"{name}-{precision}.so"
    try:
        suite.compiler.compile(path, artifact, options, targets="cuda,cpu")
    except CompileError as error:
        failed = [(sizes[0], str(error))]
        sizes = []
    for size in sizes:
        task = {"model": name, "artifact": str(artifact), "size": size, "precision": precision}
        try:
            (answer,) = list(suite.worker.run("model", task, SECONDS))
        except (Lost, ValueError) as lost:
            answer = {"text": str(lost), "worst": 0.0}
        worst = max(worst, answer["worst"])
        if answer["text"]:
            failed.append((size, answer["text"]))
        else:
            passed += 1
    if failed:
        folder = suite.failure_folder(title)
        _, _, key, make, _ = MODELS[name]
        (folder / "model.onnx").write_bytes(path.read_bytes())
        np.save(folder / f"{key}.npy", make(failed[0][0]))
        suite.report.fail(title, failed[0][1], [*suite.commands(folder, options, [key], "cuda,cpu"),
                                                f"{suite.command} --section=models"], folder=str(folder))
    suite.report.section(title, passed, len(failed), time.monotonic() - start, worst_of_allowed=worst)
