"""Families of kernels on the device: one model a family and type, and when that fails, one a case.

A group is compiled ahead of its turn by the pool of the compiler, and run by the worker. What fails is kept: the model of
that case alone, its operands, the right results, and the commands that show it.
"""

import dataclasses
import time

import numpy as np

import graphs
import trial
from compiler import CompileError
from elements import ELEMENTS
from worker import Lost

SECONDS_OF_A_SIZE = 120
AHEAD = 4


@dataclasses.dataclass
class Group:
    family: object
    kind: str
    sizes: list
    cases: list
    fixed: bool  # compiled for its only size

    @property
    def name(self):
        return f"{self.family.name}/{self.kind}" + (f" of {self.sizes[0]}" if self.fixed else "")

    def options(self, inputs):
        """Of dscc: the values of the dims that the model's inputs have."""
        if not self.fixed:
            return []
        used = {dim for name in inputs for dim in self.family.inputs[name].dims}
        return [f"--dim={name}={rule(self.sizes[0])}" for name, rule in self.family.dims.items() if name in used]


class Tally:
    def __init__(self):
        self.passed = self.results = 0
        self.worst = {}
        self.broken = {}  # case: [(size, text)]

    def add(self, line):
        self.passed += line["passed"]
        self.results += line["results"]
        for name, far in line["worst"].items():
            self.worst[name] = max(far, self.worst.get(name, 0.0))
        for name, text in line["failures"]:
            self.fail(name, line["size"], text)

    def fail(self, name, size, text):
        self.broken.setdefault(name, []).append((size, text))

    def failed(self):
        return sum(len(broken) for broken in self.broken.values())


class Groups:
    def __init__(self, suite):
        self.suite, self.compiler, self.worker, self.report = suite, suite.compiler, suite.worker, suite.report

    def begin(self, group, cases):
        """Writes the model of these cases and puts its compilation into the pool."""
        words = [group.family.name, group.kind, *(["of", str(group.sizes[0])] if group.fixed else [])]
        model = self.suite.folder / f"{'-'.join(words + ([cases[0].name] if len(cases) == 1 else []))}.onnx"
        inputs = graphs.write_model(group.family, group.kind, cases, model)
        return inputs, self.compiler.enqueue(model, model.with_suffix(".so"), group.options(inputs))

    def run_all(self, groups, until):
        """In order, each compiled while those before it run."""
        waiting, ahead = list(groups), []
        while waiting or ahead:
            while waiting and len(ahead) < AHEAD:
                ahead.append((waiting[0], *self.begin(waiting[0], waiting[0].cases)))
                del waiting[0]
            if time.monotonic() > until:
                names = [one[0].name for one in ahead] + [group.name for group in waiting]
                for *_, future in ahead:
                    future.cancel()
                self.report.leave_out(f"{len(names)} groups of kernels ({', '.join(names)})", "the time was up (--minutes)")
                return
            self.run(*ahead.pop(0))

    def run(self, group, inputs, future):
        start, tally = time.monotonic(), Tally()
        try:
            artifact = future.result()
        except CompileError as error:
            self.run_alone(group, [(size, str(error)) for size in group.sizes], tally)
        else:
            troubles = self.run_artifact(group, group.cases, artifact, inputs, group.sizes, tally)
            artifact.unlink(missing_ok=True)
            if troubles:
                self.run_alone(group, troubles, tally)
        for name, broken in tally.broken.items():
            self.keep(group, name, broken)
        self.report.section(group.name, tally.passed, tally.failed(), time.monotonic() - start, results=tally.results,
                            worst_of_allowed=max(tally.worst.values(), default=0.0), worst_by_case=tally.worst)

    def run_artifact(self, group, cases, artifact, inputs, sizes, tally):
        """Returns [(size, what went wrong with the run as a whole)]."""
        remaining, troubles = list(sizes), []
        while remaining:
            task = {"family": group.family.name, "type": group.kind, "cases": [case.name for case in cases],
                    "artifact": str(artifact), "inputs": inputs, "sizes": remaining, "seed": self.suite.seed}
            done, begun = [], None
            try:
                for line in self.worker.run("cases", task, SECONDS_OF_A_SIZE):
                    if "begins" in line:
                        begun = line["begins"]
                        continue
                    if "error" in line:
                        troubles.append((line["size"], line["error"]))
                    else:
                        tally.add(line)
                    done.append(line["size"])
            except Lost as lost:
                if begun is None:  # not even opened
                    return troubles + [(size, str(lost)) for size in remaining]
                if begun not in done:
                    troubles.append((begun, str(lost)))
                    done.append(begun)
            remaining = [size for size in remaining if size not in done]
        return troubles

    def run_alone(self, group, troubles, tally):
        """Each case by itself, at the sizes at which all together did not run."""
        sizes, found = [size for size, _ in troubles], tally.failed()
        futures = [(case, *self.begin(group, [case])) for case in group.cases]
        for case, inputs, future in futures:
            try:
                artifact = future.result()
            except CompileError as error:
                for size in sizes:
                    tally.fail(case.name, size, str(error))
                continue
            for size, text in self.run_artifact(group, [case], artifact, inputs, sizes, tally):
                tally.fail(case.name, size, text)
            artifact.unlink(missing_ok=True)
        if tally.failed() == found:
            for size, text in troubles:
                tally.fail("all together", size, f"{text}; each case by itself passes")

    def keep(self, group, name, broken):
        """Leaves the model, operands and expected results, and reports the failure with commands."""
        size, text = broken[0]
        cases = [case for case in group.cases if case.name == name] or group.cases
        folder = self.suite.failure_folder(f"{group.name}/{name}")
        inputs = graphs.write_model(group.family, group.kind, cases, folder / "model.onnx")
        arrays = group.family.make_inputs(group.kind, size, self.suite.seed, inputs)
        for key, array in trial.carry(group.family, group.kind, arrays).items():
            np.save(folder / f"{key}.npy", array)
        for case in cases:
            expected = trial.expectations(case, group.family, group.kind, arrays)
            for key, kind, (value, _) in zip(graphs.output_names(case), case.out, expected):
                element = ELEMENTS[kind or group.kind]
                kept = value.astype(element.wide) if element.is_float else value.astype(element.numpy)
                np.save(folder / f"expected-{key}.npy", kept)
        only = f"{group.family.name}/{group.kind}" + (f"/{name}" if cases is not group.cases else "")
        more = "--fixed" if group.fixed else "--open"
        reproduce = [*self.suite.commands(folder, group.options(inputs), inputs),
                     f"{self.suite.command} --only={only} --sizes={size} {more} --seed={self.suite.seed}"]
        sizes = [size for size, _ in broken]
        others = f" (at sizes {', '.join(map(str, sizes))})" if len(sizes) > 1 else f" (at size {size})"
        self.report.fail(f"{group.name}/{name}", text + others, reproduce, folder=str(folder), sizes=sizes,
                         texts=[text for _, text in broken])
