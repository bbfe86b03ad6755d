"""Takes one model through dscc and dscc-run, at each level and on each device, and says what went wrong.

    model.onnx --dscc -O0, -O3--> model.so (CPU and PTX) --dscc-run--> arrays --> against the reference

Each level is compiled once, for the CPU and as PTX; the simulator checks every access.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess

import numpy as np
import onnx

import reference

LEVELS = ("-O0", "-O3")
DEVICES = ("cpu", "sim")
REFUSED = 3
# What a mismatch is judged by again, before it counts: more noise.
CAREFUL_SAMPLES = 24


@dataclasses.dataclass
class Settings:
    dscc: str
    dscc_run: str
    chip: str = "sm_80"
    march: str = "x86-64-v4"
    timeout: float = 120
    levels: tuple = LEVELS
    devices: tuple = DEVICES


@dataclasses.dataclass
class Fault:
    """`kind` is what stays the same while the model shrinks."""

    kind: str
    level: str
    device: str
    detail: str


@dataclasses.dataclass
class Result:
    faults: list = dataclasses.field(default_factory=list)
    refusals: list = dataclasses.field(default_factory=list)  # sentences of exit 3
    right: list = dataclasses.field(default_factory=list)  # (level, device) of what passed
    notes: list = dataclasses.field(default_factory=list)  # where ONNX Runtime was overruled, or rounding decided


def call(command, timeout):
    """The exit code, or None after a time-out, and all that was said."""
    try:
        child = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, ""
    return child.returncode, child.stdout.decode(errors="replace")


def prepare(dscc, folder):
    """A dscc that finds no ptxas, so that it leaves PTX as it is: a copy, which has no set-up beside it."""
    copy = pathlib.Path(folder) / "bin" / "dscc"
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(dscc, copy)
    return str(copy)


def plain(text):
    """A sentence without the names and numbers that change from model to model."""
    return re.sub(r"\s+", " ", re.sub(r"'[^']*'|`[^`]*`|\"[^\"]*\"|\d+|\S*/\S*", "_", text)).strip()[:110]


def errors(text):
    lines = [line for line in text.splitlines() if "error" in line]
    return lines or text.strip().splitlines()[-1:] or [""]


def compile_command(settings, model, artifact, level):
    return ["env", "CUDA_HOME=", "PATH=", settings.dscc, model, "-o", artifact, level, "-j1",
            "--target=" + ",".join("cuda" if device == "sim" else device for device in settings.devices),
            f"--march={settings.march}"]


def run_command(settings, artifact, device, folder, inputs, out):
    command = [settings.dscc_run, artifact, f"--device={device}", "--output", out, "--threads=1"]
    if device == "sim":
        command += [f"--sim-chip={settings.chip}", "--sim-check=all"]
    for name in inputs:
        command += ["--input", f"{name}={folder / (name + '.npy')}"]
    return command


def first_difference(name, got, value, run, wrong):
    if isinstance(wrong, str):
        return f"{name}: {wrong}"
    at = tuple(int(index[0]) for index in np.nonzero(np.atleast_1d(wrong)))
    exact = value.arrays[run][0]
    return (f"{name}{list(at)} in run {run}: got {np.atleast_1d(got)[at]}, expected {np.atleast_1d(exact)[at]}; "
            f"{int(np.sum(wrong))} of {exact.size} {exact.dtype} differ")


def excuse(model, inputs, name, got):
    """A word on why a mismatch with ONNX Runtime is none of ours, or None."""
    value = reference.evaluate(model, [inputs], CAREFUL_SAMPLES)[name]
    wrong = reference.differing(got, value, 0)
    if not isinstance(wrong, str) and not np.any(wrong):
        return "rounding decides"
    wide = reference.run_in_double(model, inputs)
    if wide is None:
        return None
    better = np.asarray(wide[name])
    narrow = [better]
    if better.shape == value.arrays[0][0].shape and better.dtype.kind == "f":  # the noise around the better value
        narrow = [better + (noisy.astype(np.float64) - value.arrays[0][0]) for noisy in value.arrays[0]]
    narrow = [sample.astype(value.dtype) for sample in narrow]
    wrong = reference.differing(got, reference.Value(name, [narrow]), 0)
    if isinstance(wrong, str) or np.any(wrong):
        return None
    return "ONNX Runtime differs from double precision"


def compare(model, runs, values, folder, run, level, device, result):
    for output in model.graph.output:
        name, value = output.name, values[output.name]
        path = folder / f"out{run}" / f"{name}.npy"
        if not path.is_file():
            result.faults.append(Fault(f"{device}: no output", level, device, name))
            return False
        got = np.load(path)
        wrong = reference.differing(got, value, run)
        if not isinstance(wrong, str) and not np.any(wrong):
            continue
        reason = excuse(model, runs[run], name, got)
        if reason:
            result.notes.append(f"{reason}: {first_difference(name, got, value, run, wrong)}")
            continue
        kind = "wrong shape" if isinstance(wrong, str) else "mismatch"
        result.faults.append(Fault(f"{device}: {kind}", level, device, first_difference(name, got, value, run, wrong)))
        return False
    return True


def judge(model, runs, settings, folder):
    """Leaves model and inputs in `folder`. The model must be computable: reference.Refused otherwise."""
    folder = pathlib.Path(folder)
    values = reference.evaluate(model, runs)
    result = Result()
    onnx.save(model, folder / "model.onnx")
    for run, inputs in enumerate(runs):
        (folder / f"run{run}").mkdir(exist_ok=True)
        for name, array in inputs.items():
            np.save(folder / f"run{run}" / f"{name}.npy", array)
    for level in settings.levels:
        artifact = folder / "model.so"
        code, text = call(compile_command(settings, folder / "model.onnx", artifact, level), settings.timeout)
        if code == REFUSED:
            result.refusals += [line for line in errors(text)]
            return result
        if code != 0:
            what = f"dscc: {'time-out' if code is None else f'exit {code}'}"
            result.faults.append(Fault(f"{what}: {plain(errors(text)[0])}", level, "", errors(text)[0][:400]))
            continue
        for device in settings.devices:
            judge_runs(model, runs, values, settings, folder, level, device, result)
    return result


def judge_runs(model, runs, values, settings, folder, level, device, result):
    for run, inputs in enumerate(runs):
        out = folder / f"out{run}"
        shutil.rmtree(out, ignore_errors=True)
        code, text = call(run_command(settings, folder / "model.so", device, folder / f"run{run}", inputs, out),
                          settings.timeout)
        report = next((line for line in text.splitlines() if line.startswith("dscc-sim:")), None)
        if code != 0 or report:
            what = report or f"{'time-out' if code is None else f'exit {code}'}: {errors(text)[0]}"
            result.faults.append(Fault(f"{device}: {plain(what)}", level, device, what[:400]))
            return
        if not compare(model, runs, values, folder, run, level, device, result):
            return
    result.right.append((level, device))
