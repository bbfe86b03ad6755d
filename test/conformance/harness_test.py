"""Checks the harness itself: stand-ins for dscc and dscc-run that behave and
misbehave in known ways must get the verdict that they deserve.

The case is test_abs (output y = |x|) unless a test says otherwise.
"""

import contextlib
import io
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

import cases  # noqa: E402
import run  # noqa: E402

COMPILES = "#!/bin/sh\ncp \"$1\" \"$3\"\n"
# Computes |x| and leaves `answer` of it in y.npy.
RUNS = """#!{python}
import pathlib, sys
import numpy as np
words = sys.argv[1:]
x = np.load(words[words.index("--input") + 1].split("=", 1)[1])
folder = pathlib.Path(words[words.index("--output") + 1])
folder.mkdir()
y = np.abs(x)
np.save(folder / "{name}.npy", {answer})
"""


def runner(answer="y", name="y"):
    return RUNS.format(python=sys.executable, answer=answer, name=name)


class HarnessTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def tool(self, name, script):
        path = self.folder / name
        path.write_text(script)
        path.chmod(0o755)
        return str(path)

    def run_harness(self, compiler, runs, *options, case="test_abs"):
        """The exit code and the outcome of the case."""
        report = self.folder / "report.json"
        with contextlib.redirect_stdout(io.StringIO()) as self.printed:
            code = run.main(["--filter", case, "-j", "1", "--timeout", "5", "--json", str(report),
                             "--dscc", self.tool("dscc", compiler), "--dscc-run", self.tool("dscc-run", runs),
                             *options])
        return code, json.loads(report.read_text())["cases"][0]

    def expect(self, verdict, code, compiler=COMPILES, runs=None, options=(), **names):
        found_code, outcome = self.run_harness(compiler, runs or runner(), *options, **names)
        self.assertEqual(outcome["verdict"], verdict, outcome["detail"])
        self.assertEqual(found_code, code)
        return outcome

    def test_right_answer_passes(self):
        self.expect("pass", 0)

    def test_error_within_tolerance_passes(self):
        self.expect("pass", 0, runs=runner("y * np.float32(1.0005)"))

    def test_error_above_tolerance_is_a_wrong_value(self):
        outcome = self.expect("wrong value", 0, runs=runner("y * np.float32(1.01)"))
        self.assertIn("60 of 60 differ", outcome["detail"])

    def test_a_nan_is_a_wrong_value(self):
        self.expect("wrong value", 0, runs=runner("y * np.float32('nan')"))

    def test_other_dtype_is_a_wrong_type(self):
        self.expect("wrong type", 0, runs=runner("y.astype(np.float64)"))

    def test_other_shape_is_a_wrong_type(self):
        self.expect("wrong type", 0, runs=runner("y.reshape(-1)"))

    def test_missing_output_is_a_wrong_type(self):
        self.expect("wrong type", 0, runs=runner(name="z"))

    def test_exit_3_is_refused(self):
        outcome = self.expect("refused", 0, compiler="#!/bin/sh\necho 'error: Abs is unsupported' >&2\nexit 3\n")
        self.assertIn("Abs is unsupported", outcome["detail"])

    def test_exit_1_is_rejected(self):
        self.expect("rejected", 0, compiler="#!/bin/sh\nexit 1\n")

    def test_exit_5_is_another_exit(self):
        self.expect("other exit", 0, compiler="#!/bin/sh\nexit 5\n")

    def test_a_signal_of_the_compiler_is_a_crash_and_fails(self):
        self.expect("crash", 1, compiler="#!/bin/sh\nkill -SEGV $$\n")

    def test_an_internal_error_is_a_crash_and_fails(self):
        self.expect("crash", 1, compiler="#!/bin/sh\nexit 70\n")

    def test_a_signal_of_the_runner_is_a_crash_and_fails(self):
        self.expect("crash", 1, runs="#!/bin/sh\nkill -ABRT $$\n")

    def test_an_error_of_the_runner_is_run_failed(self):
        self.expect("run failed", 0, runs="#!/bin/sh\necho 'error: no such input'\nexit 1\n")

    def test_an_endless_compiler_is_a_time_out_and_fails(self):
        self.expect("time-out", 1, compiler="#!/bin/sh\nexec sleep 30\n", options=["--timeout", "0.3"])

    def test_compile_only_runs_nothing(self):
        self.expect("compiled", 0, runs="#!/bin/sh\nkill -SEGV $$\n", options=["--compile-only"])

    def test_a_kernel_that_spills_fails(self):
        report = """echo '{"spill_bytes": 0} {"spill_bytes": 8}' >&2\n"""
        outcome = self.expect("spills", 1, compiler=COMPILES + report, options=["--target", "cuda"])
        self.assertEqual(outcome["assembled"], 2)

    def test_a_kernel_that_does_not_spill_is_compiled(self):
        report = """echo '{"spill_bytes": 0} {"spill_bytes": 0}' >&2\n"""
        outcome = self.expect("compiled", 0, compiler=COMPILES + report, options=["--target", "cuda"])
        self.assertEqual(outcome["assembled"], 2)

    def test_a_report_of_the_simulator_fails(self):
        report = "#!/bin/sh\necho 'dscc-sim: race in shared memory' >&2\n"
        outcome = self.expect("reported", 1, runs=report, options=["--target", "cuda", "--run-sim"])
        self.assertIn("race", outcome["detail"])

    def test_a_sequence_has_no_constant_form(self):
        self.expect("n/a", 0, options=["--mode", "constant"], case="test_identity_sequence")

    def test_a_held_name_that_does_not_pass_fails(self):
        ratchet = self.folder / "ratchet.txt"
        ratchet.write_text("test_abs\n")
        self.expect("refused", 1, compiler="#!/bin/sh\nexit 3\n", options=["--ratchet", str(ratchet)])
        self.assertIn("FAILED test_abs", self.printed.getvalue())

    def test_updating_the_ratchet_adds_and_never_takes_away(self):
        ratchet = self.folder / "ratchet.txt"
        ratchet.write_text("test_zzz\n")
        self.expect("pass", 0, options=["--ratchet", str(ratchet), "--update-ratchet"])
        self.assertEqual(ratchet.read_text(), "test_abs\ntest_zzz\n")

    def cases_like_abs(self, name, **files):
        """A folder with one case, test_abs under another name, and more files of it."""
        folder = self.folder / "cases"
        shutil.copytree(cases.find_case("test_abs").folder, folder / name)
        for file, text in files.items():
            (folder / name / f"{file}.json").write_text(text)
        return folder

    def test_a_case_of_another_folder_has_its_own_tolerances(self):
        folder = self.cases_like_abs("suite/loose", data='{"rtol": 0.1, "atol": 0}')
        self.expect("pass", 0, runs=runner("y * np.float32(1.05)"), case="suite/loose", options=["--folder", str(folder)])

    def test_all_data_sets_are_run(self):
        folder = self.cases_like_abs("suite/two")
        second = folder / "suite/two/test_data_set_1"
        shutil.copytree(folder / "suite/two/test_data_set_0", second)
        (second / "output_0.pb").write_bytes(numpy_helper.from_array(np.zeros((3, 4, 5), np.float32)).SerializeToString())
        self.expect("wrong value", 1, case="suite/two", options=["--folder", str(folder), "--strict"])

    def test_a_refusal_passes_where_one_is_due(self):
        folder = self.cases_like_abs("suite/refused/abs")
        refuses = "#!/bin/sh\necho 'error: no' >&2\nexit 3\n"
        self.expect("pass", 0, compiler=refuses, case="suite/refused/abs", options=["--folder", str(folder)])
        outcome = self.expect("wrong value", 1, case="suite/refused/abs", options=["--folder", str(folder), "--strict"])
        self.assertIn("should have been refused", outcome["detail"])

    def test_right_values_pass_where_a_refusal_is_not_the_only_answer(self):
        folder = self.cases_like_abs("suite/refused/abs")
        (folder / "suite/expected.json").write_text('{"abs": {"also": "pass"}}')
        self.expect("pass", 0, case="suite/refused/abs", options=["--folder", str(folder), "--strict"])

    def test_every_name_has_its_case(self):
        for name in cases.load_names(run.HERE / "cases.txt"):
            cases.find_case(name)


class ModeTest(unittest.TestCase):
    def changed(self, name, mode):
        case = cases.find_case(name)
        model = onnx.load(case.folder / "model.onnx")
        cases.apply_mode(case, model, mode)
        return model

    def test_dynamic_keeps_the_rank_and_forgets_every_dim(self):
        model = self.changed("test_matmul_2d", "dynamic")
        for value in [*model.graph.input, *model.graph.output]:
            dims = value.type.tensor_type.shape.dim
            self.assertEqual([dim.WhichOneof("value") for dim in dims], [None, None])

    def test_constant_moves_every_input_into_an_initialiser(self):
        model = self.changed("test_matmul_2d", "constant")
        self.assertEqual(len(model.graph.input), 0)
        self.assertEqual([tensor.name for tensor in model.graph.initializer], ["a", "b"])

    def test_four_bits_travel_as_one_value_a_byte(self):
        proto = onnx.helper.make_tensor("x", onnx.TensorProto.INT4, [3], [-8, 7, 1])
        tensor = cases.to_tensor("x", proto)
        self.assertEqual(tensor.raw.dtype, np.int8)
        self.assertEqual(tensor.raw.tolist(), [-8, 7, 1])

    def test_bfloat16_travels_as_its_bits(self):
        proto = onnx.helper.make_tensor("x", onnx.TensorProto.BFLOAT16, [2], [1.0, -2.0])
        tensor = cases.to_tensor("x", proto)
        self.assertEqual(tensor.raw.tolist(), [0x3F80, 0xC000])
        self.assertEqual(cases.decode_raw(tensor.raw, proto.data_type).tolist(), [1.0, -2.0])


if __name__ == "__main__":
    unittest.main()
