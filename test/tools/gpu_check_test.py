"""gpu-check finds what it looks for: wrong numbers, kernels that fault, workers that are lost, bits that differ.

    gpu_check_test.py REPORT...     reports of whole runs, to be looked at as well
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "gpucheck"))

import numpy as np

import families
import tolerances
import trial
import twin
from elements import ELEMENTS
from tolerances import EXACT, ROUNDED, SUM, VALUE, Magnitude, ulps

F32, F16 = ELEMENTS["f32"], ELEMENTS["f16"]
REPORTS = sys.argv[1:]
del sys.argv[1:]


def wrong(got, expected, tolerance, element=F32, magnitude=None):
    return tolerances.compare(np.array(got, element.numpy), np.array(expected, element.wide), magnitude, element, tolerance)[0]


class TolerancesTest(unittest.TestCase):
    def test_special_numbers(self):
        inf, nan = np.inf, np.nan
        self.assertEqual(wrong([nan, inf, -inf, 1], [nan, inf, -inf, 1], EXACT), 0)
        for got, expected in ((nan, 1), (1, nan), (inf, nan), (inf, -inf), (inf, 1), (1, inf), (nan, inf)):
            self.assertEqual(wrong([got], [expected], ulps(1000)), 1, (got, expected))

    def test_zeros(self):
        self.assertEqual(wrong([0.0], [-0.0], EXACT), 1)
        self.assertEqual(wrong([0.0], [-0.0], VALUE), 0)

    def test_ulps(self):
        third = np.float32(1 / 3)
        self.assertEqual(wrong([third], [1 / 3], ROUNDED), 0)
        self.assertEqual(wrong([np.nextafter(third, np.float32(1))], [1 / 3], ROUNDED), 1)
        self.assertEqual(wrong([np.nextafter(third, np.float32(1))], [1 / 3], ulps(2)), 0)
        # 2^-24 is half an ulp of float32 at 1, and far below one of float16.
        self.assertEqual(wrong([1], [1 + 2.0**-22], ulps(1)), 1)
        self.assertEqual(wrong([1], [1 + 2.0**-22], ROUNDED, F16), 0)

    def test_overflow(self):
        self.assertEqual(wrong([np.inf], [65520], ROUNDED, F16), 0)  # halfway to the next, which there is not
        self.assertEqual(wrong([np.inf], [65000], ROUNDED, F16), 1)

    def test_sums(self):
        magnitude = Magnitude(np.array([1000.0]), 100)
        self.assertEqual(wrong([1 + 2e-4], [1], SUM, F32, magnitude), 0)  # (8 + 20) * 2^-24 * 1000 = 1.7e-3
        self.assertEqual(wrong([1 + 2e-3], [1], SUM, F32, magnitude), 1)

    def test_whole_numbers(self):
        element = ELEMENTS["i8"]
        got, expected = np.array([1, 2], np.int8), np.array([1, 3])
        self.assertEqual(tolerances.compare(got, expected, None, element, EXACT)[0], 1)
        self.assertEqual(tolerances.compare(got, expected, None, element, tolerances.Tolerance(absolute=1))[0], 0)


class JudgeTest(unittest.TestCase):
    def test_every_case_notices_a_wrong_result(self):
        """The right results of a case pass; one that is changed by much does not."""
        for family in families.FAMILIES.values():
            size = min(family.sizes)
            for kind in family.types[:2]:
                arrays = family.make_inputs(kind, size, 0)
                for case in family.cases_of(kind):
                    with self.subTest(family=family.name, type=kind, case=case.name), np.errstate(all="ignore"):
                        self.check(case, family, kind, arrays)

    def check(self, case, family, kind, arrays):
        import graphs

        outputs = {}
        for name, out, (expected, _) in zip(graphs.output_names(case), case.out, trial.expectations(case, family, kind, arrays)):
            element = ELEMENTS[out or kind]
            outputs[name] = element.carried(expected.astype(element.numpy))
        self.assertIsNone(trial.judge(case, family, kind, arrays, outputs)[1])
        name, array = next(iter(outputs.items()))
        element = ELEMENTS[case.out[0] or kind]
        value = element.from_carried(np.ascontiguousarray(array).reshape(-1)[:1])
        changed = ~value if element.name == "bool" else np.where(np.isfinite(value.astype(np.float64)),
                                                                 value + value + np.array(3, element.numpy), 7).astype(element.numpy)
        array = array.copy()
        array.flat[0] = element.carried(np.ascontiguousarray(changed))[0]
        self.assertRegex(trial.judge(case, family, kind, arrays, {**outputs, name: array})[1], r"1 of \d+ are wrong; at ")


class TwinTest(unittest.TestCase):
    def test_differing_words_are_counted(self):
        one = twin.Twin.__new__(twin.Twin)
        one.words = one.differing = one.farthest = 0
        one.compare(np.array([1, 2, 3], np.float32), np.array([1, np.nextafter(np.float32(2), np.float32(3)), 3], np.float32))
        self.assertEqual((one.words, one.differing, one.farthest), (3, 1, 1))


class RunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_check(self, *words, **settings):
        report = self.folder / "report.json"
        child = subprocess.run([ROOT / "tools/gpu-check", "--device=sim", f"--report={report}",
                                f"--failures={self.folder / 'failures'}", *words], capture_output=True, text=True,
                               env={**os.environ, **settings})
        self.assertEqual(child.stderr, "")
        return child.returncode, json.loads(report.read_text()), child.stdout

    def test_a_fault_is_told_and_ends_nothing(self):
        """A launch in the middle fails, as it would by an illegal address: the worker is lost, the rest goes on."""
        code, report, text = self.run_check("--only=softmax/f32", "--open", DSCC_SIM_FAIL="cuLaunchKernelEx:20:ILLEGAL_ADDRESS")
        self.assertEqual(code, 1, text)
        self.assertRegex(text, "softmax/f32/.*CUDA_ERROR_ILLEGAL_ADDRESS")
        (section,) = [one for one in report["sections"] if one["name"] == "softmax/f32"]
        self.assertGreater(section["passed"], 30, text)
        failure = report["failures"][0]
        self.assertIn("--only=softmax/f32", failure["reproduce"][-1])
        self.assertTrue((pathlib.Path(failure["folder"]) / "model.onnx").exists())

    def test_what_is_kept_runs(self):
        """The commands of a failure compile and run the kept model on the kept inputs."""
        _, report, text = self.run_check("--only=softmax/f32/last", "--open", "--sizes=7", DSCC_SIM_FAIL="cuLaunchKernelEx:2:LAUNCH_FAILED")
        failure = report["failures"][0]
        for command in failure["reproduce"][:2]:
            subprocess.run(command, shell=True, cwd=self.folder, check=True, capture_output=True)
        expected = np.load(pathlib.Path(failure["folder"]) / "expected-y_last.npy")
        np.testing.assert_allclose(np.load(self.folder / "out" / "y_last.npy"), expected, rtol=1e-5)

    def test_time_is_kept(self):
        code, report, text = self.run_check("--section=kernels", "--minutes=0.0001")
        self.assertEqual(code, 0, text)
        self.assertIn("the time was up", report["left_out"][0]["why"])

    def test_reports(self):
        for path in REPORTS:
            report = json.loads(pathlib.Path(path).read_text())
            with self.subTest(path=path):
                self.assertEqual((report["failed"], report["failures"]), (0, []))
                self.assertTrue(report["device"]["simulated"])
                self.assertGreater(report["passed"], 800)
                self.assertLess(max(one.get("worst_of_allowed", 0) for one in report["sections"]), 1)
                self.assertEqual({one["name"] for one in report["bench"]}, {"launch f32", "add f32"})
                print(f"{report['device']['chip']}: {report['passed']} passed in {report['minutes']} minutes")


if __name__ == "__main__":
    unittest.main()
