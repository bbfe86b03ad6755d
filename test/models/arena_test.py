"""How near the arena comes to the bytes that are live at once, which no plan can beat.

The live bytes are counted here, from the placed module: which places are in use
at each step, and what each takes at the sizes of the run. The arena is what the
runtime asks for. Both for every size of the trained models, from one artifact.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import trained

BAR = 1.05

MODULE = re.compile(r"module @(\w+) attributes \{.*dsc\.target")
TABLE = re.compile(r"dsc\.arena = \[(.*?\})\]")
PLACE = re.compile(r'above = array<i64[^>]*>, bytes = #dsc\.dims<"?([^">]*)"?>, live = array<i64: (\d+), (\d+)>')


def placed_module(path):
    command = ["dscc", str(path), "--until=placed", "-o", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def live_bytes(table, dims):
    """The most bytes in use at one step; `table` is the text of dsc.arena."""
    words = {"floordiv": lambda a, b: a // b, "max": max, "min": min, **dims}
    changes = {}
    for formula, first, last in PLACE.findall(table):
        size = eval(formula, {"__builtins__": {}}, words)
        changes[int(first)] = changes.get(int(first), 0) + size
        changes[int(last) + 1] = changes.get(int(last) + 1, 0) - size
    live = most = 0
    for step in sorted(changes):
        live += changes[step]
        most = max(most, live)
    return most


def tables(module):
    """dsc.arena of each target's function, by the target's name."""
    found = {}
    target = None
    for line in module.splitlines():
        if named := MODULE.search(line):
            target = named[1]
        if table := TABLE.search(line):
            found[target] = table[1]
    return found


class ArenaTest(unittest.TestCase):
    def check(self, model):
        module = placed_module(model.path)
        targets = tables(module)
        self.assertIn("cpu_v4", targets)
        self.assertIn("cuda_sm80", targets)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        artifact = pathlib.Path(folder.name) / "model.so"
        trained.compile_model(model.path, artifact, "--target=cpu")
        for size in model.sizes:
            dims, arena = self.run_at(model, artifact, size, folder.name)
            for target, table in targets.items():
                self.assertTrue(PLACE.search(table), table[:200])
                live = live_bytes(table, dims)
                # The runtime tells the arena of the CPU; the plans of the other targets are computed the same way.
                plan = arena if target == "cpu_v4" else arena_bytes(table, dims)
                print(f"{model.name} {size} {target}: arena {plan} B, live {live} B, ratio {plan / live:.3f}")
                self.assertLessEqual(plan, BAR * live)
            self.assertEqual(arena, arena_bytes(targets["cpu_v4"], dims))

    def run_at(self, model, artifact, size, folder):
        """The named dims' values and the arena's bytes of a run."""
        import numpy as np

        file = pathlib.Path(folder) / "input.npy"
        np.save(file, trained.make_input(model, size))
        command = ["dscc-run", str(artifact), "--device=cpu", "--json", "--input", f"{model.input_name}={file}"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        dims = report["signature"]["inputs"][0]["dims"]
        return {name: value for name, value in zip(dims, size) if isinstance(name, str)}, report["workspace_bytes"]

    def test_magika(self):
        self.check(trained.magika())

    def test_pp_ocr_cls(self):
        self.check(trained.pp_ocr_cls())


def arena_bytes(table, dims):
    """Where the highest place ends, each lying on those below it."""
    words = {"floordiv": lambda a, b: a // b, "max": max, "min": min, **dims}
    ends = []
    for row in re.finditer(r'above = array<i64:? ?([^>]*)>, bytes = #dsc\.dims<"?([^">]*)"?>', table):
        below = [ends[int(index)] for index in row[1].split(",") if index.strip()]
        ends.append(max(below, default=0) + eval(row[2], {"__builtins__": {}}, words))
    return max(ends, default=0)


if __name__ == "__main__":
    unittest.main()
