"""Takes one case through dscc and dscc-run and says how it went.

    model.onnx --apply_mode--> dscc --> model.so --> dscc-run --> arrays --> verdict

Compiler and runner are ordinary child processes under a time limit, so that a
crash or a loop of theirs is a verdict and never ours.
"""

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import numpy as np
import onnx

import cases

# What may become of a case, best first. The last six are faults whatever the model.
PASS = "pass"
COMPILED = "compiled"  # nothing was run: compile-only, or a case without arrays
REFUSED = "refused"  # exit 3: an operator or feature that dscc does not support
REJECTED = "rejected"  # exit 1: dscc says that the model is wrong
NOT_APPLICABLE = "n/a"  # the mode makes no sense for the case
WRONG_TYPE = "wrong type"  # another dtype or shape than expected
WRONG_VALUE = "wrong value"
RUN_FAILED = "run failed"  # dscc-run ended with an error
OTHER_EXIT = "other exit"  # usage, limit or environment
SPILLS = "spills"  # a kernel keeps registers in memory on some chip
REPORTED = "reported"  # the simulator has found a race, a read of what nobody wrote, ...
CRASH = "crash"  # a signal or an internal error
TIME_OUT = "time-out"
VERDICTS = (PASS, COMPILED, REFUSED, REJECTED, NOT_APPLICABLE, WRONG_TYPE, WRONG_VALUE, RUN_FAILED, OTHER_EXIT,
            SPILLS, REPORTED, CRASH, TIME_OUT)

INTERNAL_ERROR = 70
EXIT_VERDICTS = {1: REJECTED, 3: REFUSED, INTERNAL_ERROR: CRASH}


@dataclasses.dataclass
class Settings:
    mode: str
    target: str
    dscc: str
    dscc_run: str
    timeout: float  # seconds for each child process
    run_device: str | None  # None: compile only
    dscc_options: list
    keep: str | None  # a folder where each case's files stay
    folder: str | None = None  # of the cases; None: those of the onnx package
    run_options: list = dataclasses.field(default_factory=list)  # more words for dscc-run


@dataclasses.dataclass
class Outcome:
    name: str
    verdict: str
    detail: str  # one line: why, when it did not pass
    seconds: float
    assembled: int = 0  # kernels that went through ptxas, once for each chip


@dataclasses.dataclass
class Ended:
    """How a child process ended; `code` is None after a time-out."""

    code: int | None
    text: str


class Verdict(Exception):
    """Ends a case early."""

    def __init__(self, verdict, detail="", assembled=0):
        super().__init__(verdict)
        self.verdict = verdict
        self.detail = detail
        self.assembled = assembled


def call(command, timeout):
    try:
        child = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=timeout)
    except subprocess.TimeoutExpired:
        return Ended(None, "")
    return Ended(child.returncode, child.stdout.decode(errors="replace"))


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def first_error(text):
    for line in text.splitlines():
        if line.startswith('{"severity":"error"'):  # --diagnostics=json
            diagnostic = json.loads(line)
            return f"{diagnostic['node']} {diagnostic['op']} {diagnostic['message']}".strip()[:300]
        if "error" in line.lower():
            return line.strip()[:300]
    return last_line(text)


def check_ended(ended, what, verdicts, otherwise):
    """Raises the verdict of a child that did not end with 0."""
    if ended.code is None:
        raise Verdict(TIME_OUT, what)
    if ended.code == 0:
        return
    # A shell or a sanitizer turns signal n into exit code 128 + n.
    if ended.code < 0 or ended.code > 128:
        raise Verdict(CRASH, f"{what}: exit {ended.code}: {last_line(ended.text)}")
    raise Verdict(verdicts.get(ended.code, otherwise), f"{what}: exit {ended.code}: {first_error(ended.text)}")


def compile_model(model_path, artifact, settings):
    command = [settings.dscc, model_path, "-o", artifact, f"--target={settings.target}", *settings.dscc_options]
    if settings.target == "cuda":
        command += ["-v", "--diagnostics=json"]
    ended = call(command, settings.timeout)
    check_ended(ended, "dscc", EXIT_VERDICTS, OTHER_EXIT)
    return count_assembled(ended.text)


def count_assembled(report):
    """How many kernels the JSON of `dscc -v` says that ptxas has taken, over all chips; raises a verdict if one spills."""
    spilled = [int(count) for count in re.findall(r'"spill_bytes": ?(\d+)', report)]
    if any(spilled):
        raise Verdict(SPILLS, first_error(report), len(spilled))
    return len(spilled)


def file_name(name):
    """The name of the file in which dscc-run leaves the output `name`."""
    return re.sub("[/:]", "_", name) + ".npy"


def run_model(artifact, folder, inputs, settings):
    """Runs the artifact on the inputs; the outputs are in folder/out then."""
    command = [settings.dscc_run, artifact, f"--device={settings.run_device}", "--output", folder / "out",
               "--threads=1", *settings.run_options]
    for index, tensor in enumerate(inputs):
        path = folder / f"input_{index}.npy"
        np.save(path, tensor.raw)
        command += ["--input", f"{tensor.name}={path}"]
    ended = call(command, settings.timeout)
    for line in ended.text.splitlines():
        if line.startswith("dscc-sim:"):
            raise Verdict(REPORTED, line[:300])
    check_ended(ended, "dscc-run", {INTERNAL_ERROR: CRASH}, RUN_FAILED)


def compare(expected, element_type, path, tolerances):
    """Raises a verdict unless the array in `path` is the expected one."""
    name = expected.name
    if not path.is_file():
        raise Verdict(WRONG_TYPE, f"{name}: dscc-run wrote no such output")
    raw = np.load(path)
    if raw.dtype != expected.raw.dtype or raw.shape != expected.raw.shape:
        raise Verdict(WRONG_TYPE, f"{name}: got {raw.dtype}{list(raw.shape)}, "
                                  f"expected {expected.raw.dtype}{list(expected.raw.shape)}")
    got, want = cases.decode_raw(raw, element_type), expected.values
    if got.dtype.kind in "fc":
        same = np.isclose(got, want, *tolerances, equal_nan=True)
    else:
        same = got == want
    if not np.all(same):
        where = tuple(int(index[0]) for index in np.nonzero(~np.atleast_1d(same)))
        raise Verdict(WRONG_VALUE, f"{name}{list(where)}: got {np.atleast_1d(got)[where]}, "
                                   f"expected {np.atleast_1d(want)[where]}; "
                                   f"{int(np.size(same) - np.sum(same))} of {np.size(same)} differ")


def judge_in(folder, case, settings):
    model = onnx.load(case.folder / "model.onnx", load_external_data=False)
    model_path = case.folder / "model.onnx"
    if settings.mode != "static":
        try:
            cases.apply_mode(case, model, settings.mode)
        except cases.NotATensor as reason:
            raise Verdict(NOT_APPLICABLE, str(reason)) from None
        model_path = folder / "model.onnx"
        model_path.write_bytes(model.SerializeToString())

    artifact = folder / "model.so"
    assembled = compile_model(model_path, artifact, settings)
    try:
        judge_run(folder, artifact, case, model, settings)
    except Verdict as end:
        end.assembled = assembled
        raise


def judge_run(folder, artifact, case, model, settings):
    if settings.run_device is None:
        raise Verdict(COMPILED)
    # Constants are those of the first data set.
    for data_set in case.data_sets()[:1 if settings.mode == "constant" else None]:
        try:
            inputs = [cases.to_tensor(name, proto) for name, proto in cases.input_protos(case, model, data_set.name)]
            outputs = cases.expected_outputs(case, model, data_set.name)
        except cases.NotATensor as reason:
            raise Verdict(COMPILED, str(reason)) from None
        shutil.rmtree(folder / "out", ignore_errors=True)
        run_model(artifact, folder, inputs, settings)
        for expected, element_type in outputs:
            compare(expected, element_type, folder / "out" / file_name(expected.name), case.tolerances())
    raise Verdict(PASS)


def judge_refusal(case, end):
    """What becomes of the verdict on a case that should be refused."""
    if end.verdict in (REFUSED, REJECTED):
        return Verdict(PASS, end.detail, end.assembled)
    if end.verdict in (PASS, COMPILED) and case.must_refuse:
        return Verdict(WRONG_VALUE, "it should have been refused", end.assembled)
    return end


def judge(name, settings):
    """Takes the case `name` all the way and returns its Outcome."""
    start = time.monotonic()
    case = cases.find_case(name, settings.folder)
    if settings.keep:
        folder = pathlib.Path(settings.keep) / name.replace("/", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    else:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="dscc-conformance-"))
    try:
        judge_in(folder, case, settings)
    except Verdict as end:
        end = judge_refusal(case, end) if case.may_refuse else end
        return Outcome(name, end.verdict, end.detail, time.monotonic() - start, end.assembled)
    finally:
        if not settings.keep:
            shutil.rmtree(folder, ignore_errors=True)
