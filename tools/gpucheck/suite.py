"""The order of the sections, the time that each may take, and what they share."""

import pathlib
import re
import shlex
import time

import bench
import families
import faults
import models
import replay
import smoke
from compiler import CompileError, Compiler
from groups import Group, Groups
from worker import Lost, Worker

# Of the whole time, what the kernels may use before the sections behind them come.
SHARE_OF_KERNELS = 0.6
SHARE_OF_REPLAY = 0.85


class Suite:
    def __init__(self, options, places, device, report, folder):
        self.options, self.places, self.device, self.report = options, places, device, report
        self.folder, self.seed = folder, options.seed
        self.compiler = Compiler(places, device.arch)
        settings = {"device": "cuda", "device_ordinal": options.ordinal}
        if device.library != "libcuda.so.1":
            settings["cuda_driver"] = device.library
        self.settings = settings
        self.worker = Worker(settings, places, folder)
        self.command = "gpu-check " + self.device_words()
        self.start = time.monotonic()

    def device_words(self):
        if self.options.device == "sim":
            return f"--device=sim --sim-chip={self.options.sim_chip}"
        words = [f"--ordinal={self.options.ordinal}"] if self.options.ordinal else []
        return " ".join(words + ([f"--cuda-driver={self.options.cuda_driver}"] if self.options.cuda_driver else []))

    def until(self, share=1.0):
        return self.start + 60 * self.options.minutes * share

    def failure_folder(self, name):
        folder = pathlib.Path(self.options.failures) / re.sub(r"[^\w.-]+", "-", name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def commands(self, folder, options, inputs, targets="cuda"):
        """To compile and run a kept model."""
        device = "--device=cuda" if self.options.device != "sim" else f"--device=sim --sim-chip={self.options.sim_chip}"
        given = [f"--input {name}={shlex.quote(str(folder / name))}.npy" for name in inputs]
        model = shlex.quote(str(folder / "model.onnx"))
        return [" ".join(["dscc", model, f"-o model.so --target={targets} --arch={self.device.arch}", *options]),
                " ".join(["dscc-run model.so", device, *given, "--output out"])]

    def wants(self, section):
        return not self.options.sections or section in self.options.sections

    def run(self):
        if not self.run_smoke():
            self.report.leave_out("everything else", "not even the first kernel runs")
            return
        if self.wants("models"):
            self.run_section("models")
        if self.wants("kernels"):
            Groups(self).run_all(self.groups(), self.until(SHARE_OF_KERNELS))
        for section in ("faults", "replay", "bench"):
            if self.wants(section) and not self.options.only:
                self.run_section(section)

    def run_section(self, name):
        if name in SECTIONS and not self.options.only:
            SECTIONS[name](self)

    def run_smoke(self):
        start, model = time.monotonic(), self.folder / "smoke.onnx"
        smoke.write(model)
        try:
            artifact = self.compiler.compile(model, self.folder / "smoke.so")
            (answer,) = list(self.worker.run("smoke", {"artifact": str(artifact)}, 120))
        except (CompileError, Lost) as error:
            answer = {"error": str(error)}
        if "error" in answer:
            folder = self.failure_folder("smoke")
            (folder / "model.onnx").write_bytes(model.read_bytes())
            self.report.fail("smoke", answer["error"], self.commands(folder, [], []), folder=str(folder))
        self.report.section("smoke", int("error" not in answer), int("error" in answer), time.monotonic() - start)
        return "error" not in answer

    def groups(self):
        """What is to be run, floats first: the first type of every family, then the second, ..."""
        options, made = self.options, []
        for family in families.FAMILIES.values():
            for turn, kind in enumerate(family.types):
                cases = [case for case in family.cases_of(kind) if self.is_chosen(family, kind, case)]
                if options.quick and turn > 1 or not cases:
                    continue
                sizes = options.sizes or (self.few(family.sizes) if options.quick else list(family.sizes))
                if not options.fixed:
                    made.append((turn, Group(family, kind, sizes, cases, False)))
                fixed = options.sizes if options.fixed else family.fixed_sizes
                if options.open or options.quick or (turn > 1 and not options.fixed):
                    continue
                made += [(turn + 0.5, Group(family, kind, [size], cases, True)) for size in fixed]
        return [group for _, group in sorted(made, key=lambda one: one[0])]

    def model_sizes(self, precision):
        """How many of a model's sizes: on the simulator a large one takes a minute."""
        if self.options.quick or (self.device.simulated and precision != "fp32"):
            return 1
        return 2 if self.device.simulated else 3

    def replay_until(self):
        return self.until(SHARE_OF_REPLAY)

    def few(self, sizes):
        return list(sizes) if len(sizes) < 3 else [sizes[0], sizes[len(sizes) // 2 - 1], sizes[-2]]

    def is_chosen(self, family, kind, case):
        name = f"{family.name}/{kind}/{case.name}"
        return not self.options.only or any(f"{name}/".startswith(f"{only.rstrip('/')}/") for only in self.options.only)


SECTIONS = {"models": models.check, "faults": faults.check, "replay": replay.check, "bench": bench.check}
