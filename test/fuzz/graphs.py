"""Compiles and runs random graphs, and compares them with ONNX Runtime.

    python test/fuzz/graphs.py --seed 1 --count 3000 --jobs 2
    python test/fuzz/graphs.py --seed 1 --only 1234 --keep /tmp/found     # that graph again

Graph K of a seed is always the same; even ones are static, odd ones have named dims and are run at two assignments
of them. Each is compiled at -O0 and -O3 for the CPU (x86-64-v4, every fifth x86-64-v3) and as PTX, which the simulator
runs with all checks, as an sm_80 and an sm_90 in turn. Anything but exit 0, or 3 for what is not supported, any report
of the simulator and any mismatch is a failure; its model is made small and left under --keep, with its inputs, the
expected outputs and the command to try again. The last line is `N graphs, N failed`.
"""

import argparse
import collections
import multiprocessing
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402
import onnx  # noqa: E402

import drawing  # noqa: E402
import reference  # noqa: E402
import rows_contraction  # noqa: E402
import rows_elementwise  # noqa: E402
import rows_movement  # noqa: E402
import shrinking  # noqa: E402
import verdict  # noqa: E402

ROWS = rows_elementwise.ROWS + rows_movement.ROWS + rows_contraction.ROWS


def parse_arguments(words):
    build = HERE.parent.parent / "build" / "bin"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which sequence of graphs")
    parser.add_argument("--count", type=int, default=100, metavar="N", help="how many graphs")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="the number of the first graph")
    parser.add_argument("--only", type=int, metavar="K", help="graph K alone")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="graphs at once")
    parser.add_argument("--keep", metavar="FOLDER", help="where the models of failures stay; default: nowhere")
    parser.add_argument("--no-shrink", action="store_true", help="leave failing models as they are")
    parser.add_argument("--max-seconds", type=float, default=1e9, metavar="S", help="start no graph after so long")
    parser.add_argument("--devices", default="cpu,sim", metavar="LIST", help="cpu, sim or both (default)")
    parser.add_argument("--dscc", default=build / "dscc", metavar="FILE")
    parser.add_argument("--dscc-run", default=build / "dscc-run", metavar="FILE")
    parser.add_argument("--list", action="store_true", help="also list refusals, and where ONNX Runtime was overruled")
    return parser.parse_args(words)


def settings_of(arguments, dscc, index):
    return verdict.Settings(str(dscc), str(arguments.dscc_run), chip=("sm_80", "sm_90")[index // 2 % 2],
                            march="x86-64-v3" if index % 5 == 0 else "x86-64-v4",
                            devices=tuple(arguments.devices.split(",")))


def keep(folder, model, runs, settings, fault):
    """The model, what goes in, what should come out, and how to see the fault, in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    (folder / "graph.txt").write_text(onnx.printer.to_text(model) + "\n")
    values = reference.evaluate(model, runs, samples=1)
    lines = [f"# {fault.kind} ({fault.level} {fault.device}): {fault.detail}"]
    names = {"dscc": "dscc", "dscc_run": "dscc-run"}
    plain = verdict.dataclasses.replace(settings, **names)
    compiling = verdict.compile_command(plain, "model.onnx", "model.so", fault.level)[3:]
    words = [compiling]
    for run, inputs in enumerate(runs):
        place = folder / f"run{run}"
        place.mkdir()
        for name, array in inputs.items():
            np.save(place / f"{name}.npy", array)
        for output in model.graph.output:
            np.save(place / f"expected_{output.name}.npy", values[output.name].arrays[run][0])
        if fault.device:
            words.append(verdict.run_command(plain, "model.so", fault.device, pathlib.Path(f"run{run}"), inputs,
                                             f"out{run}"))
    lines.append(" && ".join(" ".join(map(str, each)) for each in words))
    (folder / "command.txt").write_text("\n".join(lines) + "\n")


def reduce(model, runs, settings, fault):
    """The smallest model with the same kind of fault."""
    narrow = verdict.dataclasses.replace(settings, levels=(fault.level,),
                                         devices=(fault.device,) if fault.device else settings.devices)

    def still_fails(smaller, inputs):
        with tempfile.TemporaryDirectory(prefix="dscc-fuzz-") as folder:
            result = verdict.judge(smaller, inputs, narrow, folder)
        return any(found.kind == fault.kind for found in result.faults)

    return shrinking.shrink(model, runs, still_fails)


def try_graph(job):
    """Draws and judges graph `index`: (index, Drawn, Result or a traceback, seconds)."""
    arguments, dscc, index, deadline = job
    if time.monotonic() > deadline:
        return index, None, None
    drawn = None
    try:
        drawn = drawing.draw(arguments.seed, index, ROWS)
        settings = settings_of(arguments, dscc, index)
        with tempfile.TemporaryDirectory(prefix="dscc-fuzz-") as folder:
            result = verdict.judge(drawn.model, drawn.runs, settings, folder)
        if arguments.keep and result.faults:
            kinds = {}
            for fault in result.faults:
                kinds.setdefault(fault.kind, fault)
            for number, fault in enumerate(kinds.values()):
                place = pathlib.Path(arguments.keep) / f"{arguments.seed}-{index}-{number}"
                smaller = (drawn.model, drawn.runs)
                if not arguments.no_shrink:
                    smaller = reduce(*smaller, settings, fault)
                keep(place, *smaller, settings, fault)
    except Exception:  # ours: shown as a failure, and the rest goes on
        result = verdict.Result(faults=[verdict.Fault("the fuzzer failed", "", "", traceback.format_exc())])
    return index, (drawn.mode, len(drawn.model.graph.node), sorted(set(drawn.operators)),
                   sorted({node.op_type for node in drawn.model.graph.node})) if drawn else None, result


class Report:
    """Counts what became of the graphs."""

    def __init__(self):
        self.nodes, self.right, self.wrong = [], collections.Counter(), collections.Counter()
        self.rows, self.operators, self.modes = collections.Counter(), collections.Counter(), collections.Counter()
        self.refusals, self.notes = collections.Counter(), collections.Counter()
        self.failed, self.refused = [], 0

    def take(self, index, drawn, result):
        if drawn:
            mode, nodes, rows, operators = drawn
            self.modes[mode] += 1
            self.nodes.append(nodes)
            self.rows.update(rows)
            self.operators.update(operators)
        self.refused += bool(result.refusals)
        self.refusals.update({re.sub(r"^.*?error: ", "", verdict.plain(text)) for text in result.refusals})
        self.notes.update({note.split(":")[0] for note in result.notes})
        for each in result.right:
            self.right[each] += 1
        for fault in result.faults:
            self.wrong[fault.level, fault.device] += 1
        if result.faults:
            self.failed.append(index)
            for fault in result.faults:
                print(f"graph {index}: {fault.kind} ({fault.level} {fault.device}): {fault.detail}", flush=True)

    def show(self, listed):
        modes = ", ".join(f"{count} {mode}" for mode, count in sorted(self.modes.items()))
        print(f"{len(self.nodes)} graphs ({modes}) of {min(self.nodes, default=0)} to {max(self.nodes, default=0)} "
              f"nodes, {sum(self.nodes)} nodes in all; {len(self.operators)} operators, "
              f"{len(self.rows)} of {len(ROWS)} rows")
        for level in verdict.LEVELS:
            for device in ("", *verdict.DEVICES):
                if self.right[level, device] or self.wrong[level, device]:
                    print(f"{level} {device or 'dscc'}: {self.right[level, device]} right, "
                          f"{self.wrong[level, device]} wrong")
        print(f"{self.refused} refused with exit 3")
        for counter in (self.refusals, self.notes) if listed else ():
            for text, count in counter.most_common():
                print(f"{count:5} {text}")
        print(f"{len(self.nodes)} graphs, {len(self.failed)} failed")


def main():
    arguments = parse_arguments(sys.argv[1:])
    indices = [arguments.only] if arguments.only is not None else range(arguments.first,
                                                                        arguments.first + arguments.count)
    report = Report()
    deadline = time.monotonic() + arguments.max_seconds
    with tempfile.TemporaryDirectory(prefix="dscc-fuzz-") as folder:
        dscc = verdict.prepare(arguments.dscc, folder)
        jobs = [(arguments, dscc, index, deadline) for index in indices]
        with multiprocessing.Pool(arguments.jobs) as pool:
            for index, drawn, result in pool.imap(try_graph, jobs):
                if result is None:
                    print(f"stopped before graph {index}: {arguments.max_seconds:g} s are over")
                    pool.terminate()
                    break
                report.take(index, drawn, result)
                if sys.stderr.isatty():
                    print(f"\r{len(report.nodes)} of {len(jobs)}", end="", file=sys.stderr, flush=True)
    report.show(arguments.list)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
