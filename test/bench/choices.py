"""Which groups does another build schedule otherwise, and what do both builds think of both ways?

    python test/bench/choices.py --before OLD/bin/dscc --after build/bin/dscc model.onnx ...
    python test/bench/choices.py --before OLD/bin/dscc --after build/bin/dscc model.onnx --option=--target=cpu --json out
    python test/bench/choices.py --pinned --before OLD/bin/dscc --after build/bin/dscc model.onnx --option=--target=cpu

Both compile each model up to the schedules, with --explain=schedule. A group of one is that of the other if target and
nodes are the same; where several groups come from the same nodes, the order decides. A group that only one build has,
because its fusion differs, is counted and not compared. An estimate is in us; - stands where a build does not know the
other's way as a candidate.

With --pinned nothing is chosen anew: the module that the build before has scheduled is what both compile from there on.
Both artifacts run on a CPU on the same random inputs, and their outputs are compared bit by bit. A model is left out,
with the reason, if the build after does not know the ways that were chosen before. The text of a module lacks large
weights, so --kernels takes the small kernels of regret.py, which have none, in place of models.
"""

import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import numpy as np

import small_kernels

SCHEDULE = r"#dsc\.schedule<[^>]*>"
# What has no node, because the module is no model, begins with its place in the file.
EXPLANATION = re.compile(rf"(?:(.*): )?(\w+): has the schedule (\[.*?\]|{SCHEDULE}), the best of \d+ ways(.*)", re.DOTALL)


def explain(dscc, model, options):
    """{(target, nodes, number): (chosen ways, {way: us})} in the order of the explanations."""
    command = [dscc, model, "--until=scheduled", "-o", "/dev/null", "--explain=schedule", "--diagnostics=json", *options]
    child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{child.stderr}")
    groups, seen = {}, collections.Counter()
    for line in child.stderr.splitlines():
        row = json.loads(line)
        found = EXPLANATION.search(row["message"])
        if row["severity"] != "remark" or not found:
            continue
        name = (found[2], row["node"] or found[1])
        estimates = {way: float(us) for way, us in re.findall(rf"; ({SCHEDULE}): ([\d.]+|inf) us", found[4])}
        groups[(*name, seen[name])] = (re.findall(SCHEDULE, found[3]), estimates)
        seen[name] += 1
    if not groups:
        sys.exit(f"{dscc} explains no schedule of {model}")
    return groups


def without_condition(way):
    """As the list of candidates has it: `"M" up to 64` is no parameter."""
    return re.sub(r', "[^>]*" up to \d+', "", way)


def compare(before, after):
    """The groups that both have and that changed: (target, nodes, [(side, way, us before, us after)])."""
    changes = []
    for name in before:
        if name not in after or before[name][0] == after[name][0]:
            continue
        sides = [(side, way, *(groups[name][1].get(without_condition(way)) for groups in (before, after)))
                 for side, groups in (("before", before), ("after", after)) for way in groups[name][0]]
        changes.append((name[0], name[1], sides))
    return changes


def call(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def compare_pinned(model, arguments):
    """(outputs, those with equal bits, the largest difference relative to the largest number), or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        scheduled = folder / "scheduled.mlir"
        done = call(arguments.before, model, "--until=scheduled", "-o", scheduled, *arguments.option)
        if done.returncode:
            sys.exit(f"{arguments.before} failed: {done.stderr}")
        symbols = re.findall(r'name = "([^"]*)"', re.search(r"dsc.symbols = \[(.*?)\]", scheduled.read_text())[1])
        dims, outputs = [word for name in symbols for word in ("--dim", f"{name}={arguments.dim}")], {}
        for side, dscc in (("before", arguments.before), ("after", arguments.after)):
            artifact, run = folder / f"{side}.so", pathlib.Path(shutil.which(dscc)).parent / "dscc-run"
            done = call(dscc, scheduled, "-o", artifact, *arguments.option)
            if done.returncode and side == "after":
                return done.stderr.strip().splitlines()[0]
            if done.returncode == 0:
                done = call(run, artifact, "--device=cpu", "--threads=1", "--seed=1", "--output", folder / side, *dims)
            if done.returncode:
                sys.exit(f"{side} failed: {done.stderr}")
            outputs[side] = {file.name: np.load(file) for file in sorted((folder / side).glob("*.npy"))}
    equal, worst = 0, 0.0
    for name, old in outputs["before"].items():
        new = outputs["after"][name]
        equal += old.tobytes() == new.tobytes()
        if old.dtype.kind == "f" and old.size:
            worst = max(worst, float(np.nanmax(np.abs(old - new)) / max(np.nanmax(np.abs(old)), 1e-30)))
    return len(outputs["before"]), equal, worst


def pin(arguments, models):
    total = collections.Counter()
    for model in models:
        found = compare_pinned(model, arguments)
        if isinstance(found, str):
            total["left out"] += 1
            print(f"{model.stem}: left out: {found}")
            continue
        total.update(outputs=found[0], equal=found[1])
        print(f"{model.stem}: {found[1]} of {found[0]} outputs have equal bits; the largest difference is {found[2]:.1e}")
    print(f"{total['equal']} of {total['outputs']} outputs have equal bits; {total['left out']} of {len(models)} left out")


def shown(us):
    return "-" if us is None else f"{us:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=pathlib.Path, required=True, metavar="DSCC")
    parser.add_argument("--after", type=pathlib.Path, required=True, metavar="DSCC")
    parser.add_argument("--option", action="append", default=[], metavar="OPTION", help="of dscc; may be repeated")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    parser.add_argument("--pinned", action="store_true", help="compare the results of the schedules that were chosen before")
    parser.add_argument("--dim", type=int, default=7, metavar="N", help="the size of named dims for that; default: %(default)s")
    parser.add_argument("--kernels", action="store_true", help="those of small_kernels.py besides")
    parser.add_argument("models", nargs="*", type=pathlib.Path, metavar="MODEL")
    arguments = parser.parse_args()
    if arguments.pinned:
        with tempfile.TemporaryDirectory() as folder:
            kernels = small_kernels.CPU if arguments.kernels else {}
            for name, text in kernels.items():
                (pathlib.Path(folder) / f"{name}.mlir").write_text(text)
            return pin(arguments, arguments.models + sorted(pathlib.Path(folder).glob("*.mlir")))
    total = collections.Counter()
    for model in arguments.models:
        before, after = (explain(dscc, model, arguments.option) for dscc in (arguments.before, arguments.after))
        changes, both = compare(before, after), before.keys() & after.keys()
        total.update(groups=len(both), changed=len(changes), before=len(before) - len(both), after=len(after) - len(both))
        for target, nodes, sides in changes:
            print(f"{model.stem} {target} {nodes}")
            for side, way, old, new in sides:
                print(f"    {side:<6} {way}: {shown(old)} us before, {shown(new)} us after")
            if arguments.json:
                rows = [{"side": side, "schedule": way, "before_us": old, "after_us": new} for side, way, old, new in sides]
                with open(arguments.json, "a") as file:
                    file.write(json.dumps({"model": model.stem, "target": target, "nodes": nodes, "ways": rows}) + "\n")
    print(f"{total['changed']} of {total['groups']} groups changed; {total['before']} are there before only, "
          f"{total['after']} after only")


if __name__ == "__main__":
    main()
