"""How close do single kernels come to what the simulated GPU can do? Those of kernel_cases.py, beside their bars.

    python test/bench/kernels.py                                    all lists, fp16, sm_90a
    python test/bench/kernels.py --list gemm --case 'llama.*' --precision bf16 --arch sm_80
    python test/bench/kernels.py --json FILE

`floor` is what any program needs: the larger of bytes that have to cross over the chip's DRAM bandwidth and FLOP over
the peak of its tensor cores, and a launch. `bound` is what the kernels that dscc writes need by what they do, of each
launch the unit that needs longest (docs/simulator.md); `model` is how long the model of time says they take. So bound
over floor tells what a kernel does in vain, model over bound what it waits for. A floor and the model have the launch
before the kernel, a bound beside it: of what takes a few microseconds it may lie below the floor. `tensor` is the share of FLOP of products that matrix instructions do, `limit` the unit that the bound comes
from, `emitter` who writes the kernels.

The simulator runs a sample of the blocks of large launches, --sample of them and some more, and counts them for all; of
smaller ones, and where an image is read with gaps, it runs all. All figures are the same on every machine and day.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

import ml_dtypes
import numpy as np

from kernel_cases import LISTS

TYPES = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16}
# Of the simulated chips: bytes and FLOP of half precision by tensor cores, a second (tools/simulator/Chips.cpp).
CHIPS = {"sm_80": (1.555e12, 108 * 2048 * 1.41e9), "sm_90": (3.35e12, 132 * 4096 * 1.83e9)}
LAUNCH_US = 2.0  # as the simulator has it
# Ratios, and what their median and their worst may be.
BARS = {"bound/floor": (1.15, 1.4), "model/bound": (1.3, 1.8)}
TENSOR = re.compile("matmul|conv|attention")
WIDTH = 36  # of names


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--list", choices=LISTS, action="append", help="only this one; may be repeated")
    parser.add_argument("--case", metavar="REGEX", default=".*", help="only those whose whole name matches")
    parser.add_argument("--precision", choices=TYPES, default="fp16")
    parser.add_argument("--arch", choices=("sm_80", "sm_90a"), default="sm_90a")
    parser.add_argument("--sample", type=int, default=64, metavar="N", help="0: all blocks run (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    arguments = parser.parse_args()
    arguments.chip = arguments.arch.rstrip("a")
    return arguments


def floor_us(case, chip):
    bandwidth, peak = CHIPS[chip]
    return 1e6 * max(case.bytes / bandwidth, case.flop / peak) + LAUNCH_US


class Failure(Exception):
    """One case that cannot be measured; the others can."""


def call(*command):
    child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if child.returncode:
        said = [line for line in child.stderr.splitlines() if "error:" in line] or [f"exit {child.returncode}"]
        raise Failure(f"{pathlib.Path(command[0]).name}: {said[0]}")
    return child


def share_of_tensor(kernels):
    """Of the FLOP of kernels that multiply, those by matrix instructions; None if there are none."""
    tensor = ordinary = 0
    for kernel in [kernel for kernel in kernels if TENSOR.search(kernel["name"])]:
        own = sum(count for unit, count in kernel["flop"].items() if unit.startswith("tensor"))
        tensor += own
        ordinary += 0 if own else sum(kernel["flop"].values())
    return tensor / (tensor + ordinary) if tensor + ordinary else None


def emitters(told, arch):
    """The emitters' names, in the order of their kernels."""
    target = "cuda_" + arch.replace("_", "")
    names = re.findall(rf": {target}: has the schedule #dsc\.schedule<(\w+)", told)
    return "+".join(dict.fromkeys(names)) or "-"


def measure(case, arguments, folder):
    model, artifact = folder / "case.onnx", folder / "case.so"
    case.write(model, TYPES[arguments.precision])
    told = call(arguments.build / "bin" / "dscc", model, "-o", artifact, "--target=cuda", f"--arch={arguments.arch}",
                f"--precision={arguments.precision}", "--explain=schedule").stderr
    sample = [f"--sim-sample={arguments.sample}"] if arguments.sample and not case.has_gaps else []
    report = call(arguments.build / "bin" / "dscc-run", artifact, "--device=sim", f"--sim-chip={arguments.chip}",
                  "--sim-check=none", "--stats=json", *sample).stdout
    found = json.loads(report)["statistics"]
    total, kernels = found["total"], found["kernels"]
    longest = max(kernels, key=lambda kernel: kernel["roofline"]["bound_us"])
    row = {"floor_us": floor_us(case, arguments.chip), "bound_us": total["roofline"]["bound_us"],
           "model_us": total["time"]["modelled_us"], "launches": total["launches"],
           "tensor": share_of_tensor(kernels), "limit": longest["roofline"]["limit"],
           "emitter": emitters(told, arguments.arch), "bytes": case.bytes,
           "dram_bytes": total["dram_read_bytes"] + total["dram_written_bytes"], "flop": case.flop,
           "blocks": total["blocks"], "blocks_run": total["blocks_run"]}
    return {**row, "bound/floor": row["bound_us"] / row["floor_us"], "model/bound": row["model_us"] / row["bound_us"]}


def print_row(name, row):
    tensor = "-" if row["tensor"] is None else f"{row['tensor']:.1%}"
    print(f"{name:<{WIDTH}} {row['floor_us']:>9.2f} {row['bound_us']:>9.2f} {row['model_us']:>9.2f} "
          f"{row['bound/floor']:>11.2f} {row['model/bound']:>11.2f} {row['launches']:>8} {tensor:>7} {row['limit']:<16} "
          f"{row['emitter']}", flush=True)


def summarize(name, rows, failed):
    """A line for each ratio. A case that could not be measured misses every bar."""
    for ratio, (median, worst) in BARS.items() if rows else ():
        values = {case: row[ratio] for case, row in rows.items()}
        last = max(values, key=values.get)
        figures = statistics.median(values.values()), values[last]
        met = not failed and all(round(figure, 2) <= bar for figure, bar in zip(figures, (median, worst)))
        print(f"{name}: {ratio} of {len(rows)} cases: median {figures[0]:.2f} (bar {median:.2f}), worst {figures[1]:.2f} "
              f"(bar {worst:.2f}) of {last}: {'met' if met else 'missed'}")
    if failed:
        print(f"{name}: {len(failed)} cases could not be measured: {', '.join(failed)}")


def run_list(name, arguments, folder):
    cases = {case: body for case, body in LISTS[name].items() if re.fullmatch(arguments.case, case)}
    rows, failed = {}, []
    print(f"{name + ', ' + arguments.precision + ', ' + arguments.arch:<{WIDTH}} {'floor us':>9} {'bound us':>9} "
          f"{'model us':>9} {'bound/floor':>11} {'model/bound':>11} {'launches':>8} {'tensor':>7} {'limit':<16} emitter")
    for case, body in cases.items():
        try:
            rows[case] = measure(body, arguments, folder)
            print_row(case, rows[case])
        except Failure as failure:
            failed.append(case)
            print(f"{case:<{WIDTH}} {failure}", flush=True)
        if arguments.json:
            row = {"list": name, "case": case, "precision": arguments.precision, "arch": arguments.arch,
                   **rows.get(case, {})}
            with open(arguments.json, "a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
    summarize(name, rows, failed)


def main():
    arguments = parse_arguments()
    names = [name for name in arguments.list or LISTS if any(re.fullmatch(arguments.case, case) for case in LISTS[name])]
    if not names:
        sys.exit(f"no case of these lists is called {arguments.case}")
    os.environ.setdefault("DSCC_RUNTIME", str(arguments.build / "lib" / "libdscc_runtime.so"))
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            run_list(name, arguments, pathlib.Path(folder))


if __name__ == "__main__":
    main()
