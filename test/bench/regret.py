"""How good are the schedules that estimates choose? Every candidate of each kernel is forced and timed.

    python test/bench/regret.py                                 all targets
    python test/bench/regret.py --target cpu_v4 --kernel 'matmul.*' --rounds 5 --show

A kernel is a small module of one group (small_kernels.py). `--explain=schedule` lists its candidates; each is written
into the module as `--until=grouped` prints it, compiled, and run. The regret of a kernel is the time of the chosen
candidate over that of the best one; kernels that can be written in one way only have none and are not counted. A
candidate whose estimate is a hundred times the chosen one's is not run: a softmax whose elements stand on their own takes
the third power of its rows, which is hours in the simulator.

On a CPU a time is the processor's, of one thread, which others on the machine lengthen less than the clock's: of a
candidate the best of all its samples. Candidates take turns; behind the first round only the chosen one and those that
come close to the best go on. On CUDA it is what the simulator's model of time says (docs/simulator.md): what waits for
what, and 2 us for each launch but the first. What all candidates wait for alike, the first launch, would hide what tells
them apart. It is the same on each machine and day. `--bound` takes the simulator's bound instead, of each launch the
unit that needs longest: a kernel that overlaps nothing looks as good as one that overlaps all.
"""

import argparse
import ctypes
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "runtime" / "python")]

import numpy as np

import small_kernels

BARS = {"median": 1.00, "p95": 1.10}
HOPELESS = 100  # times the chosen candidate's estimate
CLOSE = 1.25  # times the best of the first round: behind that a candidate is out
SAMPLE_SECONDS = 5e-4  # at least, of processor time
LAUNCH_US = 2.0  # as the simulator has it


class CpuTarget:
    kernels = small_kernels.CPU

    def __init__(self, march):
        self.options = ["--target=cpu", f"--march={march}"]

    def measure(self, artifacts, chosen, arguments):
        """{candidate: us}."""
        runs = {candidate: CpuRun(path) for candidate, path in artifacts.items()}
        times = {candidate: run.sample(arguments.seconds) for candidate, run in runs.items()}
        for _ in range(arguments.rounds - 1):
            limit = CLOSE * min(times.values())
            for candidate in [one for one in times if times[one] <= limit or one == chosen]:
                times[candidate] = min(times[candidate], runs[candidate].sample(arguments.seconds))
        for run in runs.values():
            run.close()
        return times


class CudaTarget:
    kernels = small_kernels.CUDA

    def __init__(self, arch, chip):
        self.options, self.chip = ["--target=cuda", f"--arch={arch}"], chip

    def measure(self, artifacts, chosen, arguments):
        time = self.bound if arguments.bound else self.modelled
        return {candidate: time(self.statistics(path, arguments.build / "bin" / "dscc-run"))
                for candidate, path in artifacts.items()}

    def statistics(self, artifact, run):
        report = call(run, artifact, "--device=sim", f"--sim-chip={self.chip}", "--sim-check=none", "--stats=json").stdout
        return json.loads(report[report.index("{"):])["statistics"]

    @staticmethod
    def modelled(statistic):
        return statistic["total"]["time"]["modelled_us"] - LAUNCH_US

    @staticmethod
    def bound(statistic):
        limits = [kernel["roofline"]["limits_us"] for kernel in statistic["kernels"]]
        return sum(max(us for unit, us in one.items() if unit != "launch") for one in limits) + \
            LAUNCH_US * (statistic["total"]["launches"] - 1)


TARGETS = {"cpu_v4": CpuTarget("x86-64-v4"), "cpu_v3": CpuTarget("x86-64-v3"),
           "cuda_sm90a": CudaTarget("sm_90a", "sm_90"), "cuda_sm80": CudaTarget("sm_80", "sm_80")}


def aligned(dims, dtype):
    """An array at a multiple of 64 bytes, as the runtime's own memory is."""
    count = int(np.prod(dims)) * np.dtype(dtype).itemsize
    memory = np.zeros(count + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start:start + count].view(dtype).reshape(dims)


class CpuRun:
    """An opened artifact, and tensors for it: random numbers, the same for all artifacts of one signature."""

    def __init__(self, artifact):
        from dscc import _native  # loads the runtime

        self.native = _native
        opening = _native.OpenOptions(struct_bytes=ctypes.sizeof(_native.OpenOptions), device=1, threads=1)
        self.model = _native.Handle(artifact, opening)
        self.context = ctypes.c_void_p()
        _native.check(_native.library.dscc_context_create(self.model.value, None, ctypes.byref(self.context)))
        signature = json.loads(_native.library.dscc_signature_json(self.model.value))
        self.inputs, self.outputs = [self.arrays(signature[side]) for side in ("inputs", "outputs")]
        random = np.random.default_rng(1)
        for array in self.inputs:
            array[...] = random.standard_normal(array.shape, array.dtype)
        self.given, self.taken = self.buffers(self.inputs), self.buffers(self.outputs)

    @staticmethod
    def arrays(tensors):
        return [aligned(tensor["dims"], tensor["dtype"]) for tensor in tensors]

    def buffers(self, arrays):
        codes = {"float32": 1, "int64": 7}
        return (self.native.Buffer * len(arrays))(*[
            self.native.Buffer(dtype=codes[str(array.dtype)], rank=array.ndim, bytes=array.nbytes, data=array.ctypes.data,
                               dims=(ctypes.c_int64 * array.ndim)(*array.shape)) for array in arrays])

    def time(self, count):
        """Of so many runs, in seconds of the processor."""
        run, check = self.native.library.dscc_run, self.native.check
        start = time.thread_time()
        for _ in range(count):
            check(run(self.context, self.given, len(self.given), self.taken, len(self.taken), None))
        return time.thread_time() - start

    def sample(self, seconds):
        """us of one run: the best of samples that take so many seconds together."""
        count = 1
        while (last := self.time(count)) < SAMPLE_SECONDS:
            count *= 2
        best, spent = last, last
        while spent < seconds:
            last = self.time(count)
            best, spent = min(best, last), spent + last
        return 1e6 * best / count

    def close(self):
        self.native.library.dscc_context_destroy(self.context)
        self.model = None


def call(*command):
    child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{child.stderr}")
    return child


def candidates_of(path, name, dscc, folder, options):
    """The chosen schedule, every candidate with its estimate, and a function that writes one of them into the module."""
    grouped = folder / "grouped.mlir"
    call(dscc, path, "--until=grouped", "-o", grouped, *options)
    told = call(dscc, grouped, "--until=scheduled", "-o", "/dev/null", "--explain=schedule", *options).stderr
    line = next(line for line in told.splitlines() if f": {name}: has the schedule " in line)
    chosen = re.search(r"has the schedule (#dsc\.schedule<[^>]*>)", line)[1]
    estimates = {schedule: float(us) for schedule, us in re.findall(r"; (#dsc\.schedule<[^>]*>): ([\d.]+) us", line)}
    # Of several programs the one of this target.
    before, mark, after = grouped.read_text().partition(f'dsc.target = "{name}"')
    program, end, others = after.partition("dsc.target = ")
    group = re.findall(r"dsc\.group ?\([^)]*\)", program)
    assert len(group) == 1 and f"{group[0]} {{" not in program, "a kernel is one group, of which nothing is said yet"
    return chosen, estimates, lambda schedule: (
        before + mark + program.replace(group[0], f"{group[0]} {{schedule = {schedule}}}") + end + others)


def time_kernel(kernel, target_name, arguments, folder):
    """The chosen candidate, and {candidate: (estimate, time)} in us."""
    target, dscc, path = TARGETS[target_name], arguments.build / "bin" / "dscc", folder / "kernel.mlir"
    path.write_text(target.kernels[kernel])
    chosen, estimates, write = candidates_of(path, target_name, dscc, folder, target.options)
    if len(estimates) == 1:
        return chosen, {}
    estimates = {one: us for one, us in estimates.items() if us <= HOPELESS * max(estimates[chosen], 0.01)}
    artifacts = {}
    for number, candidate in enumerate(estimates):
        path.write_text(write(candidate))
        artifacts[candidate] = folder / f"{number}.so"
        call(dscc, path, "-o", artifacts[candidate], *target.options)
    times = target.measure(artifacts, chosen, arguments)
    return chosen, {candidate: (estimates[candidate], times[candidate]) for candidate in estimates}


def time_target(name, arguments, folder):
    """{kernel: regret} of those with a choice; prints a line for each."""
    regrets = {}
    print(f"{name + ' kernel':<32} {'ways':>4} {'chosen us':>10} {'best us':>10} {'regret':>7}  best")
    for kernel in [kernel for kernel in TARGETS[name].kernels if re.fullmatch(arguments.kernel, kernel)]:
        chosen, results = time_kernel(kernel, name, arguments, folder)
        if not results:
            continue
        best = min(results, key=lambda candidate: (results[candidate][1], candidate != chosen))
        regrets[kernel] = results[chosen][1] / results[best][1]
        print(f"{kernel:<32} {len(results):>4} {results[chosen][1]:>10.2f} {results[best][1]:>10.2f} {regrets[kernel]:>7.2f}"
              f"  {chosen if chosen == best else best + ' instead of ' + chosen}", flush=True)
        if arguments.show:
            for candidate, (estimate, measured) in sorted(results.items(), key=lambda item: item[1][1]):
                print(f"    {measured:>10.2f} us, estimated {estimate:>10.2f} us  {candidate}")
        if arguments.json:
            row = {"target": name, "kernel": kernel, "chosen": chosen, "regret": regrets[kernel],
                   "candidates": {one: {"estimate_us": us[0], "us": us[1]} for one, us in results.items()}}
            with open(arguments.json, "a") as file:
                file.write(json.dumps(row) + "\n")
    return regrets


def summarize(name, regrets, num_kernels):
    ordered = sorted(regrets, key=regrets.get)
    if not ordered:
        return f"{name}: no kernel with a choice among {num_kernels}", {}
    figures = {"median": statistics.median(regrets.values()), "p95": regrets[ordered[int(0.95 * len(ordered))]]}
    worst = ", ".join(f"{kernel} {regrets[kernel]:.2f}" for kernel in reversed(ordered[-4:]))
    verdict = "met" if all(round(figures[key], 2) <= bar for key, bar in BARS.items()) else "missed"
    return (f"{name}: {len(ordered)} kernels with a choice of {num_kernels}: median {figures['median']:.2f}, "
            f"p95 {figures['p95']:.2f}: the bar is {verdict}; worst {worst}"), figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be repeated")
    parser.add_argument("--kernel", metavar="REGEX", default=".*", help="only kernels whose whole name matches")
    parser.add_argument("--rounds", type=int, default=4, help="of the CPU's candidates")
    parser.add_argument("--seconds", type=float, default=0.02, help="of one candidate in one round")
    parser.add_argument("--show", action="store_true", help="every candidate, the fastest first")
    parser.add_argument("--bound", action="store_true", help="on CUDA: the simulator's bound instead of its model of time")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="append one JSON object a line")
    arguments = parser.parse_args()
    os.environ.setdefault("DSCC_RUNTIME", str(arguments.build / "lib" / "libdscc_runtime.so"))
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.target or TARGETS:
            regrets = time_target(name, arguments, pathlib.Path(folder))
            line, figures = summarize(name, regrets, len(TARGETS[name].kernels))
            lines.append(line)
            if arguments.json and figures:
                with open(arguments.json, "a") as file:
                    file.write(json.dumps({"target": name, "kernels": len(regrets), **figures,
                                           "worst": max(regrets.values())}) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
