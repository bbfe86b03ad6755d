"""Compiles the trained models for every target and looks at each kernel that ptxas made.

Prints what the compilation cost: seconds, bytes of the artifact, peak memory. None of them is a limit here, because
the machine may be busy with other tests.
"""

import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import measure
import trained

CHIPS = {"cuda_sm80": ["sm_80", "sm_86", "sm_89"], "cuda_sm90a": ["sm_90a"]}


def read_report(text):
    """The programs in what `dscc -v --diagnostics=json` printed: the line that begins as the report does."""
    line = next(line for line in text.splitlines() if line.startswith('{"report":'))
    return json.loads(line)["report"]["programs"]


class KernelsTest(unittest.TestCase):
    def check(self, model):
        with tempfile.TemporaryDirectory() as folder:
            artifact = pathlib.Path(folder) / "model.so"
            cost = measure.measure(["dscc", str(model.path), "-o", str(artifact), "-v", "--diagnostics=json"])
            self.assertEqual(cost["exit"], 0, cost["text"])
            size = artifact.stat().st_size
        programs = {program["target"]: program["kernels"] for program in read_report(cost["text"])}
        self.assertIn("cpu_v4", programs)
        self.assertIn("cpu_v3", programs)
        for target, chips in CHIPS.items():
            for kernel in programs[target]:
                self.assertEqual([chip["chip"] for chip in kernel["chips"]], chips, kernel["name"])
                for chip in kernel["chips"]:
                    self.assertEqual(chip["spill_bytes"], 0, f"{kernel['name']} on {chip['chip']}")
                    self.assertGreater(chip["registers"], 0)
        print(f"{model.name}: {cost['seconds']:.1f} s, {size} bytes, peak {cost['peak_bytes'] / 1e6:.0f} MB, "
              f"{len(programs['cuda_sm80'])} CUDA kernels on {sum(map(len, CHIPS.values()))} chips, 0 spills")

    def test_magika(self):
        self.check(trained.magika())

    def test_pp_ocr_cls(self):
        self.check(trained.pp_ocr_cls())


if __name__ == "__main__":
    unittest.main()
