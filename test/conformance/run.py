"""Runs the ONNX test cases through dscc and counts what became of them.

    python test/conformance/run.py --mode dynamic --filter 'test_conv.*'
    python test/conformance/run.py --ratchet test/conformance/ratchet-static.txt
    python test/conformance/run.py --folder ../shared/data/cases --strict --ratchet test/conformance/ratchet-cases.txt

The ratchet is a sorted list of the names that passed once: a name on it that
does not pass any more fails the run, and so does every crash, every time-out,
every kernel that spills registers and every report of the simulator.
--update-ratchet adds the new names; it never takes one away.
"""

import argparse
import collections
import dataclasses
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

import cases  # noqa: E402
import judge  # noqa: E402

SLOWEST = 5


def parse_arguments(words):
    build = HERE.parent.parent / "build" / "bin"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=cases.MODES, default="static", help="what the compiler may know")
    parser.add_argument("--target", choices=("cpu", "cuda"), default="cpu", help="what to compile for")
    parser.add_argument("--run-cuda", action="store_true", help="with --target=cuda: run as well, on a GPU")
    parser.add_argument("--run-sim", action="store_true", help="with --target=cuda: run as well, on the simulator")
    parser.add_argument("--sim-chip", default="sm_90", metavar="CHIP", help="which chip to simulate")
    parser.add_argument("--sim-check", default="all", metavar="LEVEL", help="none, memory or all (default)")
    parser.add_argument("--sim-seed", default="0", metavar="S", help="order of streams, blocks, warps and lanes")
    parser.add_argument("--compile-only", action="store_true", help="run nothing")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only the cases whose whole name matches")
    parser.add_argument("--limit", type=int, metavar="N", help="every k-th case only, so that N are left")
    parser.add_argument("-j", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="cases at once")
    parser.add_argument("--timeout", type=float, default=20, metavar="SECONDS", help="for each child process")
    parser.add_argument("--ratchet", metavar="FILE", help="fail if a name in FILE does not pass")
    parser.add_argument("--update-ratchet", action="store_true", help="add the names that pass now")
    parser.add_argument("--json", metavar="FILE", help="write every outcome there")
    parser.add_argument("--cases", default=HERE / "cases.txt", metavar="FILE", help="the names to run")
    parser.add_argument("--folder", metavar="FOLDER", help="run the cases below FOLDER instead of ONNX's own")
    parser.add_argument("--strict", action="store_true", help="fail on a wrong value or type even off the ratchet")
    parser.add_argument("--dscc", default=build / "dscc", metavar="FILE")
    parser.add_argument("--dscc-run", default=build / "dscc-run", metavar="FILE")
    parser.add_argument("--dscc-option", action="append", default=[], metavar="WORD", help="one more word for dscc")
    parser.add_argument("--keep", metavar="FOLDER", help="leave each case's files there")
    parser.add_argument("--list", metavar="VERDICT", help="print the cases with this verdict, and why")
    arguments = parser.parse_args(words)
    if arguments.update_ratchet and not arguments.ratchet:
        parser.error("--update-ratchet needs --ratchet")
    if arguments.list and arguments.list not in judge.VERDICTS:
        parser.error(f"a verdict is one of: {', '.join(judge.VERDICTS)}")
    for tool in (arguments.dscc, arguments.dscc_run):
        if not shutil.which(tool):
            parser.error(f"{tool} cannot be run; build it first, or name another")
    return arguments


def choose_names(arguments):
    pattern = re.compile(arguments.filter or ".*")
    known = cases.list_cases(arguments.folder) if arguments.folder else cases.load_names(arguments.cases)
    names = [name for name in known if pattern.fullmatch(name)]
    if arguments.limit and len(names) > arguments.limit:
        # Evenly spread, so that a short run sees every family of operators.
        names = [names[index * len(names) // arguments.limit] for index in range(arguments.limit)]
    return names


def make_settings(arguments):
    device = arguments.target
    if arguments.run_sim:
        device = "sim"
    if arguments.compile_only or (device == "cuda" and not arguments.run_cuda):
        device = None
    return judge.Settings(arguments.mode, arguments.target, str(arguments.dscc), str(arguments.dscc_run),
                          arguments.timeout, device, arguments.dscc_option, arguments.keep, arguments.folder,
                          [f"--sim-chip={arguments.sim_chip}", f"--sim-check={arguments.sim_check}",
                           f"--sim-seed={arguments.sim_seed}"] if device == "sim" else [])


def judge_one(job):
    return judge.judge(*job)


def judge_all(names, settings, workers):
    """The outcomes, in the order of the names; progress only on a terminal."""
    outcomes = []
    with multiprocessing.Pool(workers) as pool:
        for outcome in pool.imap_unordered(judge_one, [(name, settings) for name in names]):
            outcomes.append(outcome)
            if sys.stderr.isatty():
                print(f"\r{len(outcomes)} of {len(names)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    order = {name: index for index, name in enumerate(names)}
    return sorted(outcomes, key=lambda outcome: order[outcome.name])


def suite(name):
    return "other" if "/" in name else "node"


def print_table(outcomes):
    counts = collections.Counter((suite(outcome.name), outcome.verdict) for outcome in outcomes)
    print(f"{'':<12} {'node':>6} {'other':>6}")
    for verdict in judge.VERDICTS:
        row = [counts[(column, verdict)] for column in ("node", "other")]
        if any(row):
            print(f"{verdict:<12} {row[0]:>6} {row[1]:>6}")
    total = collections.Counter(suite(outcome.name) for outcome in outcomes)
    print(f"{'all':<12} {total['node']:>6} {total['other']:>6}")


def print_slowest(outcomes):
    slowest = sorted(outcomes, key=lambda outcome: -outcome.seconds)[:SLOWEST]
    print("slowest: " + ", ".join(f"{outcome.name} {outcome.seconds:.1f} s" for outcome in slowest))


def read_ratchet(path):
    path = pathlib.Path(path)
    return set(cases.load_names(path)) if path.is_file() else set()


def passing_verdicts(settings):
    """What counts as passed: right values, or a clean compile when nothing is run."""
    return (judge.PASS, judge.COMPILED) if settings.run_device is None else (judge.PASS,)


def check_ratchet(path, passed, outcomes, update):
    """The outcomes that are on the ratchet and did not pass; adds new names if asked to."""
    held = read_ratchet(path)
    if update:
        pathlib.Path(path).write_text("".join(f"{name}\n" for name in sorted(held | passed)))
        print(f"ratchet: {len(passed - held)} names added")
    return [outcome for outcome in outcomes if outcome.name in held - passed]


def write_json(path, arguments, outcomes, passed, broken, seconds):
    counts = collections.Counter(outcome.verdict for outcome in outcomes)
    report = {"mode": arguments.mode, "target": arguments.target, "seconds": round(seconds, 1),
              "passed": len(passed), "failed": sorted(broken), "counts": dict(counts),
              "cases": [dataclasses.asdict(outcome) for outcome in outcomes]}
    pathlib.Path(path).write_text(json.dumps(report, indent=1) + "\n")


def main(words=None):
    arguments = parse_arguments(words)
    settings = make_settings(arguments)
    names = choose_names(arguments)
    if not names:
        sys.exit("no case has such a name")
    start = time.monotonic()
    outcomes = judge_all(names, settings, arguments.j)
    seconds = time.monotonic() - start

    print(f"conformance: {len(outcomes)} cases, {arguments.mode}, {arguments.target}, {seconds:.0f} s")
    print_table(outcomes)
    print_slowest(outcomes)
    if assembled := sum(outcome.assembled for outcome in outcomes):
        print(f"ptxas: {assembled} kernels over all chips, "
              f"{sum(outcome.verdict == judge.SPILLS for outcome in outcomes)} cases with spills")
    for outcome in outcomes:
        if outcome.verdict == arguments.list:
            print(f"{outcome.name}: {outcome.detail}")
    passed = {outcome.name for outcome in outcomes if outcome.verdict in passing_verdicts(settings)}
    # A crash, an endless loop, a spill or an illegal access is a fault for any model, supported or not.
    faults = {judge.CRASH, judge.TIME_OUT, judge.SPILLS, judge.REPORTED}
    if arguments.strict:
        faults |= {judge.WRONG_VALUE, judge.WRONG_TYPE, judge.OTHER_EXIT}
    broken = {outcome.name: outcome for outcome in outcomes if outcome.verdict in faults}
    if arguments.ratchet:
        lost = check_ratchet(arguments.ratchet, passed, outcomes, arguments.update_ratchet)
        broken |= {outcome.name: outcome for outcome in lost}
    if arguments.json:
        write_json(arguments.json, arguments, outcomes, passed, broken, seconds)
    for outcome in broken.values():
        print(f"FAILED {outcome.name}: {outcome.verdict}: {outcome.detail}")
    print(f"{len(passed)} passed, {len(broken)} failed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
