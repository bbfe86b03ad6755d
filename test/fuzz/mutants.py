"""Damages the models of ONNX's node cases, compiles what became of them, and runs what compiles.

    python test/fuzz/mutants.py                                 10,000 mutants of seed 0
    python test/fuzz/mutants.py --first 500 --count 100 --keep failures

A damaged model gets a sentence and an exit code: dscc may end with 0 (done), 1
(rejected), 3 (unsupported) or 4 (a limit), dscc-run on random input with 0, 1
(the input breaks what the model demands) or 5 (no memory). Anything else, a
signal, exit 70, more time or more memory than allowed, is a fault. Most mutants are compiled
with the cheapest flags, every tenth one for all targets with the flags that are
the default.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "conformance")]

import mutate  # noqa: E402

MIB = 1 << 20
MAX_RESIDENT = 1024 * MIB
# What a child asks for without bound ends here. A compiler's libraries and threads reserve much that they never use; a
# model that needs more than dscc-run may have gets the sentence that there is no memory.
MAX_ADDRESSES = {"dscc": 8192 * MIB, "dscc-run": 1024 * MIB}
# A machine that does other work besides gives a child less than a whole core.
PATIENCE = 12

CHEAP = ["--target=cpu", "--march=x86-64-v4", "-O1"]
EVERY = 10  # of how many one is compiled for all targets
# No tensor larger than this, so that what compiles can be run within the bounds.
SMALL = "--max-tensor-bytes=16MiB"

INTERNAL_ERROR = 70
ALLOWED = {"dscc": (0, 1, 3, 4), "dscc-run": (0, 1, 5)}


def parse_arguments(words):
    build = HERE.parent.parent / "build" / "bin"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, metavar="N", help="how many mutants")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first one")
    parser.add_argument("--seed", default="0", help="what all depends on")
    parser.add_argument("--jobs", "-j", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="at once")
    parser.add_argument("--time", type=float, default=10, metavar="SECONDS", help="of a processor, for each child")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the models of faults there")
    parser.add_argument("--json", metavar="FILE", help="write what became of each mutant there")
    parser.add_argument("--dscc", default=build / "dscc", metavar="FILE")
    parser.add_argument("--dscc-run", default=build / "dscc-run", metavar="FILE")
    arguments = parser.parse_args(words)
    for tool in (arguments.dscc, arguments.dscc_run):
        if not shutil.which(tool):
            parser.error(f"{tool} cannot be run; build it first, or name another")
    return arguments


def call(what, command, folder, seconds):
    """Runs a child within the limits: how it ended, what it cost, what it said."""
    report = folder / "report"
    words = " ".join(shlex.quote(str(word)) for word in command)
    limits = f"ulimit -c 0; ulimit -v {MAX_ADDRESSES[what] // 1024}; exec {words}"
    with open(report, "wb") as output:
        child = subprocess.Popen(["/bin/sh", "-c", limits], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                 cwd=folder)
        # The kernel is asked for the time that the child has had on a processor, ours or another's.
        deadline = time.monotonic() + seconds * PATIENCE
        pid = 0
        while pid == 0:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid == 0 and (time.monotonic() > deadline or processor_seconds(child.pid) > seconds + 1):
                child.kill()
                pid, status, usage = os.wait4(child.pid, 0)
            elif pid == 0:
                time.sleep(0.005)
        child.returncode = os.waitstatus_to_exitcode(status)
    text = report.read_bytes()[-20_000:].decode(errors="replace")
    spent = usage.ru_utime + usage.ru_stime
    return {"what": what, "exit": child.returncode, "seconds": round(spent, 3), "peak_bytes": usage.ru_maxrss * 1024,
            "text": text, "fault": fault(what, child.returncode, spent, seconds, usage.ru_maxrss * 1024,
                                         time.monotonic() > deadline)}


def processor_seconds(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fault(what, code, spent, seconds, peak, is_late):
    """What is wrong with the way a child ended; empty if nothing is."""
    if spent > seconds or is_late:
        return "time"
    if peak > MAX_RESIDENT:
        return "memory"
    # A shell or a sanitizer turns signal n into exit code 128 + n.
    if code < 0 or code > 128:
        return "signal"
    if code == INTERNAL_ERROR:
        return "exit 70"
    return "" if code in ALLOWED[what] else "other exit"


def try_one(mutants, index, arguments):
    """Takes one mutant through dscc and dscc-run."""
    name, kind, content = mutants.make(index)
    outcome = {"index": index, "name": name, "kind": kind, "steps": []}
    with tempfile.TemporaryDirectory(prefix="dscc-mutant-") as place:
        folder = pathlib.Path(place)
        (folder / "model.onnx").write_bytes(content)
        flags = [] if index % EVERY == EVERY - 1 else CHEAP
        command = [arguments.dscc, "model.onnx", "-o", "model.so", "-j1", SMALL, *flags]
        outcome["steps"].append(call("dscc", command, folder, arguments.time))
        if outcome["steps"][0]["exit"] == 0 and not outcome["steps"][0]["fault"]:
            command = [arguments.dscc_run, "model.so", "--device=cpu", "--threads=1"]
            outcome["steps"].append(call("dscc-run", command, folder, arguments.time))
        outcome["fault"] = next((step["fault"] for step in outcome["steps"] if step["fault"]), "")
        if outcome["fault"] and arguments.keep:
            kept = pathlib.Path(arguments.keep) / f"{index}-{outcome['fault'].replace(' ', '-')}"
            kept.mkdir(parents=True, exist_ok=True)
            (kept / "model.onnx").write_bytes(content)
            (kept / "report.txt").write_text(f"{shlex.join(map(str, command))}\n{outcome['steps'][-1]['text']}")
    return outcome


def try_all(arguments):
    mutants = mutate.Mutants(arguments.seed)
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        indices = range(arguments.first, arguments.first + arguments.count)
        for outcome in pool.map(lambda index: try_one(mutants, index, arguments), indices):
            outcomes.append(outcome)
            if sys.stderr.isatty():
                print(f"\r{len(outcomes)} of {arguments.count}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    return outcomes


def print_table(outcomes):
    """How the children ended, by the kind of damage."""
    counts = collections.Counter()
    for outcome in outcomes:
        for step in outcome["steps"]:
            counts[(f"{step['what']}: {step['fault'] or 'exit ' + str(step['exit'])}", outcome["kind"])] += 1
    print(f"{'':<22}" + "".join(f"{kind:>12}" for kind in (*mutate.KINDS, "all")))
    for row in sorted({row for row, _ in counts}):
        numbers = [counts[(row, kind)] for kind in mutate.KINDS]
        print(f"{row:<22}" + "".join(f"{number:>12}" for number in (*numbers, sum(numbers))))
    steps = [step for outcome in outcomes for step in outcome["steps"]]
    slowest, largest = max(steps, key=lambda s: s["seconds"]), max(steps, key=lambda s: s["peak_bytes"])
    print(f"slowest: {slowest['seconds']:.1f} s of a processor; largest: {largest['peak_bytes'] / MIB:.0f} MiB")


def first_error(text):
    lines = [line for line in text.splitlines() if re.search("error|assert|fault|ssertion", line, re.IGNORECASE)]
    return (lines or text.splitlines() or [""])[0].strip()[:300]


def main(words=None):
    arguments = parse_arguments(words)
    start = time.monotonic()
    outcomes = try_all(arguments)
    print(f"mutants: {len(outcomes)} of seed {arguments.seed} from number {arguments.first} on, "
          f"{time.monotonic() - start:.0f} s")
    print_table(outcomes)
    broken = [outcome for outcome in outcomes if outcome["fault"]]
    for outcome in broken:
        step = outcome["steps"][-1]
        print(f"FAILED {outcome['index']} {outcome['name']} ({outcome['kind']}): {step['what']}: {outcome['fault']}: "
              f"{first_error(step['text'])}")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(outcomes, indent=1) + "\n")
    print(f"{len(outcomes) - len(broken)} passed, {len(broken)} failed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
