"""Runs the parts of the test suite one after another and adds up what they count.

    unit         the GoogleTest programs build/bin/dscc-*-tests
    lit          every .mlir and .test file under test/, the real models among them
    conformance  ONNX's own cases against the ratchets, and those of ../shared/data/cases if they are there

Each part leaves its report in build/check and is counted from that report, not
from its exit code; a part that leaves none is one failure.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parent
PARTS = ("unit", "lit", "conformance")
LIT = "/usr/lib/llvm-22/bin/lit"
# Seconds for one test of lit: the slowest takes half a minute.
LIT_TEST_LIMIT = 300

# Seconds after which a part is ended, and fails.
PART_LIMIT = 20 * 60

LINES_OF_A_FAILURE = 40
SLOWEST = 8

# Cases after public bug reports of other compilers; not part of the repository.
CASES = SOURCE.parent.parent / "shared" / "data" / "cases"
OTHERS = [f"--folder={CASES}", "--strict", f"--ratchet={SOURCE}/conformance/ratchet-cases.txt"]

# What the conformance part runs: the name of its report and the options.
CONFORMANCE = {
    "static": ["--mode=static", f"--ratchet={SOURCE}/conformance/ratchet-static.txt"],
    "dynamic": ["--mode=dynamic", f"--ratchet={SOURCE}/conformance/ratchet-dynamic.txt"],
    "constant": ["--mode=constant", f"--ratchet={SOURCE}/conformance/ratchet-constant.txt"],
    # On the simulator: what passes on the CPU passes there, no check has anything to say, and no kernel spills. Two chips of
    # the four, because ptxas takes most of the time.
    "cuda": ["--target=cuda", "--run-sim", "--dscc-option=--arch=sm_80,sm_90a", f"--ratchet={SOURCE}/conformance/ratchet-static.txt"],
    "cases-O0": [*OTHERS, "--dscc-option=-O0"],
    "cases-O3": [*OTHERS, "--dscc-option=-O3"],
    "cases-cuda": [*OTHERS, "--target=cuda", "--run-sim", "--dscc-option=--arch=sm_80,sm_90a"],
}
SANITIZED_CASES = 200


class Tally:
    """Passed and failed tests so far, the names of the failed, and what some of them said."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.said = {}

    def add(self, part, passed, failed, seconds):
        self.passed += passed
        self.failed += [f"{part}: {name}" for name in failed]
        print(f"check: {part}: {passed} passed, {len(failed)} failed, {seconds:.0f} s", flush=True)


def run_part(command, log):
    """Runs a command with its output in a log; says whether it came to an end."""
    with open(log, "w", encoding="utf-8") as out:
        try:
            subprocess.run([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT,
                           stdin=subprocess.DEVNULL, timeout=PART_LIMIT)
        except subprocess.TimeoutExpired:
            return False
    return True


def read_report(path):
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def failures_of_suites(report):
    """The names of the failed tests in a GoogleTest report."""
    return [f"{suite['name']}.{test['name']}" for suite in report["testsuites"] for test in suite["testsuite"]
            if test.get("failures")]


def run_unit(build, out, tally, _):
    programs = sorted((build / "bin").glob("dscc-*-tests"))
    for program in programs:
        start = time.monotonic()
        report_path = out / f"{program.name}.json"
        report_path.unlink(missing_ok=True)
        run_part([program, f"--gtest_output=json:{report_path}"], out / f"{program.name}.log")
        report = read_report(report_path)
        name = f"unit: {program.name}"
        if report is None:
            tally.add(name, 0, ["ended without a report"], time.monotonic() - start)
            continue
        failed = failures_of_suites(report)
        tally.add(name, report["tests"] - len(failed), failed, time.monotonic() - start)
    if not programs:
        tally.add("unit", 0, ["no test program was built"], 0)


def run_lit(build, out, tally, _):
    start = time.monotonic()
    report_path = out / "lit.json"
    report_path.unlink(missing_ok=True)
    # By our own Python, which has psutil: lit needs it for a limit on each test.
    run_part([sys.executable, LIT, "-v", "--time-tests", f"--timeout={LIT_TEST_LIMIT}", f"-j{os.cpu_count()}",
              "-o", report_path, build / "test"], out / "lit.log")
    report = read_report(report_path)
    if report is None:
        print("".join((out / "lit.log").read_text().splitlines(keepends=True)[-LINES_OF_A_FAILURE:]), end="")
        tally.add("lit", 0, ["ended without a report"], time.monotonic() - start)
        return
    codes = {test["name"]: test["code"] for test in report["tests"]}
    failed = [name for name, code in codes.items() if code not in ("PASS", "XFAIL", "UNSUPPORTED", "FLAKYPASS")]
    for test in report["tests"]:
        if test["name"] in failed:
            tally.said[f"lit: {test['name']}"] = test["output"].splitlines()[-LINES_OF_A_FAILURE:]
    passed = sum(code in ("PASS", "XFAIL", "FLAKYPASS") for code in codes.values())
    tally.add("lit", passed, failed, time.monotonic() - start)
    slowest = sorted(report["tests"], key=lambda test: -test.get("elapsed", 0))[:SLOWEST]
    print("check: lit: slowest: " + ", ".join(f"{test['name']} {test.get('elapsed', 0):.0f} s" for test in slowest))
    unsupported = [name for name, code in codes.items() if code == "UNSUPPORTED"]
    if unsupported:
        print(f"check: lit: {len(unsupported)} not run on this machine: {', '.join(unsupported)}")


def run_conformance(build, out, tally, sanitize):
    for name, options in CONFORMANCE.items():
        if f"--folder={CASES}" in options and not CASES.is_dir():
            print(f"check: conformance: {name}: not run: there is no {CASES}", flush=True)
            continue
        start = time.monotonic()
        report_path = out / f"conformance-{name}.json"
        report_path.unlink(missing_ok=True)
        command = [sys.executable, SOURCE / "conformance/run.py", *options, f"--json={report_path}",
                   f"--dscc={build}/bin/dscc", f"--dscc-run={build}/bin/dscc-run"]
        if sanitize:
            # The ratchet is about the whole list; and the sanitizers are slow.
            command = [word for word in command if not str(word).startswith(("--ratchet", "--run-sim"))]
            command += [f"--limit={SANITIZED_CASES}", "--timeout=120"]
        log = out / f"conformance-{name}.log"
        run_part(command, log)
        # All but its last line, which only our own last line may look like.
        print("".join(log.read_text().splitlines(keepends=True)[:-1]), end="")
        report = read_report(report_path)
        if report is None:
            tally.add(f"conformance: {name}", 0, ["ended without a report"], time.monotonic() - start)
            continue
        tally.add(f"conformance: {name}", report["passed"], report["failed"], time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build folder")
    parser.add_argument("--sanitize", action="store_true", help="the build has sanitizers")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")

    out = arguments.build / "check"
    out.mkdir(exist_ok=True)
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0:allow_user_poisoning=0"
    tally = Tally()
    run = {"unit": run_unit, "lit": run_lit, "conformance": run_conformance}
    for part in PARTS:
        if not arguments.parts or part in arguments.parts:
            run[part](arguments.build, out, tally, arguments.sanitize)
    # At the end, where a log that is cut still has it.
    for name, lines in tally.said.items():
        print(f"--- {name}", *lines, sep="\n")
    for name in tally.failed:
        print(f"FAILED {name}")
    if tally.failed:
        print(f"check: the logs are in {out}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
