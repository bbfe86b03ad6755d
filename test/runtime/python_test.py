"""Checks runtime/python/dscc on artifacts that are made by hand.

    python python_test.py CLANG
"""

import gc
import inspect
import pathlib
import sys
import tempfile
import threading
import time
import typing
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import artifact  # noqa: E402

sys.path.insert(0, str(artifact.ROOT / "runtime" / "python"))

import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402

import dscc  # noqa: E402
from dscc import _dlpack, _dtypes  # noqa: E402

ROW = np.array([10, 20, 30, 40], np.float32)
CLANG = sys.argv.pop(1)
# The type of each number that NumPy lacks, and one that has its bytes.
FOREIGN = {16: "bfloat16", 17: "float8_e4m3fn", 18: "float8_e4m3fnuz", 19: "float8_e5m2", 20: "float8_e5m2fnuz",
           21: "uint4", 23: "float4_e2m1fn", 24: "float8_e8m0fnu", 25: "uint2"}


class Lent:
    """A host tensor of another library: NumPy's capsules under no name that NumPy knows."""

    def __init__(self, array, knows_versions=True):
        self.array, self.knows_versions, self.asked = array, knows_versions, None

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, **keywords):
        self.asked = dict(keywords)
        if not self.knows_versions and "max_version" in keywords:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        return self.array.__dlpack__(**keywords)


class OnArtifacts(unittest.TestCase):
    def make(self, source, *defines, **options):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "model.so"
        artifact.make(CLANG, artifact.INPUTS / source, path, defines)
        return dscc.Model(path, **{"device": "cpu", "threads": 2, **options})

    def copier(self, number):
        carrier = _dtypes.BY_NUMBER[number].carrier
        return self.make("copied.c", f"-DDTYPE={number}", f"-DWIDTH={np.dtype(carrier).itemsize}"), carrier

    def refuse(self, error, sentence, call, *arguments, **keywords):
        with self.assertRaises(error) as caught:
            call(*arguments, **keywords)
        self.assertIn(sentence, str(caught.exception))


class Runs(OnArtifacts):
    def test_run(self):
        with self.make("added_row.c") as model:
            self.assertEqual([one["name"] for one in model.signature["inputs"]], ["x"])
            self.assertEqual(model.threads, 2)
            for rows in (1, 9):
                x = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
                outputs = model.run({"x": x})
                self.assertEqual(list(outputs), ["sum/y:0"])
                np.testing.assert_array_equal(outputs["sum/y:0"], x + ROW)

    def test_strides(self):
        x = np.arange(8, dtype=np.float32).reshape(4, 2).T
        np.testing.assert_array_equal(self.make("added_row.c").run({"x": x})["sum/y:0"], x + ROW)

    def test_raw_types(self):
        model, _ = self.copier(16)
        x = np.array([1, 2, 0x3F80], np.uint16)
        np.testing.assert_array_equal(model.run({"x": x})["y"], x)

    def test_types_of_ml_dtypes(self):
        for number, name in FOREIGN.items():
            with self.subTest(name=name):
                model, carrier = self.copier(number)
                x = np.array([1, 2, 1, 1], getattr(ml_dtypes, name))
                y = model.run({"x": x})["y"]
                self.assertEqual(y.dtype, carrier)
                np.testing.assert_array_equal(y.view(x.dtype), x)
                given = np.zeros(4, x.dtype)
                model.run({"x": x}, {"y": given})
                np.testing.assert_array_equal(given, x)

    def test_signed_types_of_few_bits_are_not_the_same_bytes(self):
        model, _ = self.copier(22)
        self.refuse(TypeError, "no model has tensors of NumPy's int4", model.run,
                    {"x": np.array([-3], ml_dtypes.int4)})
        x = np.array([-3], ml_dtypes.int4).astype(np.int8)
        np.testing.assert_array_equal(model.run({"x": x})["y"], [-3])

    def test_refusals(self):
        model = self.make("added_row.c")
        for inputs in ({"x": np.ones((1, 5), np.float32)}, {"x": np.ones((1, 4))}, {"z": np.ones((1, 4), np.float32)},
                       {"x": np.ones(4, np.float32)}, {}):
            with self.assertRaises(dscc.Error) as caught:
                model.run(inputs)
            self.assertEqual(caught.exception.status, 2, inputs)
        self.refuse(TypeError, "input 'x': no model has tensors of NumPy's <U1", model.run, {"x": np.array(["a"])})
        self.refuse(TypeError, ">f4", model.run, {"x": np.ones((1, 4), ">f4")})
        self.refuse(dscc.Error, "cannot be opened", dscc.Model, "/nonexistent/model.so")
        self.refuse(ValueError, "auto, cpu, cuda, not on 'tpu'", dscc.Model, "model.so", device="tpu")
        self.refuse(ValueError, "max_contexts is 0", dscc.Model, "model.so", max_contexts=0)
        self.refuse(ValueError, "without memory of its own: cpu", model.upload, ROW)

    def test_closed(self):
        model = self.make("added_row.c")
        model.close()
        model.close()
        self.refuse(ValueError, "the model is closed", model.run, {"x": np.ones((1, 4), np.float32)})
        self.refuse(ValueError, "the model is closed", model.upload, ROW)

    def test_everything_public_has_types_and_a_sentence(self):
        for name in dscc.__all__:
            public = getattr(dscc, name)
            self.assertTrue(inspect.getdoc(public), name)
            functions = [public] if inspect.isfunction(public) else [
                value.fget if isinstance(value, property) else value for key, value in vars(public).items()
                if isinstance(value, property) or inspect.isfunction(value) and (key[0] != "_" or key == "__init__")]
            for function in functions:
                hints = typing.get_type_hints(function)
                missing = {*inspect.signature(function).parameters, "return"} - {"self", *hints}
                self.assertFalse(missing, f"{name}: {function.__name__}")
                if function.__name__ != "__init__":
                    self.assertTrue(inspect.getdoc(function), f"{name}: {function.__name__}")
        self.assertTrue((pathlib.Path(dscc.__file__).parent / "py.typed").is_file())


class Outputs(OnArtifacts):
    def test_given(self):
        model = self.make("added_row.c")
        x, y = np.ones((2, 4), np.float32), np.zeros((2, 4), np.float32)
        outputs = model.run({"x": x}, {"sum/y:0": y})
        self.assertIs(outputs["sum/y:0"], y)
        np.testing.assert_array_equal(y, x + ROW)

    def test_refusals(self):
        model = self.make("added_row.c")
        x, y = np.ones((2, 4), np.float32), np.full((4, 4), -1, np.float32)
        read_only = np.zeros((2, 4), np.float32)
        read_only.flags.writeable = False
        for error, sentence, target in (
                (ValueError, "in C order without gaps", y[::2]), (ValueError, "read-only", read_only),
                (ValueError, "reading only", Lent(read_only)), (ValueError, "has strides [8, 1]", Lent(y[::2])),
                (TypeError, "not to a list", [1.0]), (dscc.Error, "axis 0 is given as 4", y),
                (dscc.Error, "element type float64", np.zeros((2, 4)))):
            with self.subTest(sentence=sentence):
                self.refuse(error, sentence, model.run, {"x": x}, {"sum/y:0": target})
        self.refuse(ValueError, "the model has no output 'y'; it has 'sum/y:0'", model.run, {"x": x}, {"y": y})
        np.testing.assert_array_equal(y, -1)

    def test_on_device_is_the_host_on_a_cpu(self):
        x = np.ones((1, 4), np.float32)
        outputs = self.make("added_row.c").run({"x": x}, on_device=True, stream=7)
        np.testing.assert_array_equal(outputs["sum/y:0"], x + ROW)


class Lending(OnArtifacts):
    """DLPack on the host, against NumPy's."""

    def test_inputs_and_outputs(self):
        model = self.make("added_row.c")
        for knows_versions in (True, False):
            x, y = np.ones((3, 4), np.float32), np.zeros((3, 4), np.float32)
            lent, target = Lent(x, knows_versions), Lent(y, knows_versions)
            if knows_versions:
                self.assertIs(model.run({"x": lent}, {"sum/y:0": target})["sum/y:0"], target)
                np.testing.assert_array_equal(y, x + ROW)
                self.assertEqual(lent.asked, {"max_version": (1, 1)})
            np.testing.assert_array_equal(model.run({"x": lent})["sum/y:0"], x + ROW)
            # Only what was borrowed for the run held on to it.
            references = sys.getrefcount(x)
            model.run({"x": lent})
            self.assertEqual(sys.getrefcount(x), references)

    def test_every_type(self):
        for row in _dtypes.BY_NUMBER.values():
            if row.number >= _dtypes.FIRST_RAW and row.code not in (_dtypes.INT, _dtypes.UINT):
                continue  # NumPy exports no such type
            with self.subTest(name=row.name):
                model, carrier = self.copier(row.number)
                x = np.array([1, 0, 1], carrier)
                np.testing.assert_array_equal(model.run({"x": Lent(x)})["y"], x)

    def test_types_that_numpy_lacks(self):
        for row in _dtypes.BY_NUMBER.values():
            if row.number < _dtypes.FIRST_RAW:
                continue
            with self.subTest(name=row.name):
                model, carrier = self.copier(row.number)
                x = np.array([1, 0, 3], carrier)

                class Named:
                    def __dlpack_device__(self):
                        return (_dlpack.CPU, 0)

                    def __dlpack__(self, *, max_version):
                        return _dlpack.lend(x, x.ctypes.data, x.shape, row.code, row.bits, (_dlpack.CPU, 0), max_version)

                np.testing.assert_array_equal(model.run({"x": Named()})["y"], x)
                np.testing.assert_array_equal(model.run({"x": Lent(x)})["y"], x)

    def test_lent_by_us(self):
        class Ours:
            def __init__(self, array, version):
                self.array, self.version = array, version

            def __dlpack_device__(self):
                return (_dlpack.CPU, 0)

            def __dlpack__(self, **_):
                row = _dtypes.of_numpy(self.array.dtype)
                return _dlpack.lend(self.array, self.array.ctypes.data, self.array.shape, row.code, row.bits,
                                    (_dlpack.CPU, 0), self.version)

        for version in (None, (0, 8), (1, 0), (1, 3)):
            for array in (np.arange(24, dtype=np.int32).reshape(2, 3, 4), np.array(True), np.zeros((0, 3), np.float16)):
                with self.subTest(version=version, dtype=array.dtype):
                    references = sys.getrefcount(array)
                    ours = Ours(array, version)
                    ours.__dlpack__()  # dropped at once
                    taken = np.from_dlpack(ours)
                    np.testing.assert_array_equal(taken, array)
                    self.assertEqual((taken.ctypes.data, taken.dtype), (array.ctypes.data, array.dtype))
                    del taken, ours
                    gc.collect()
                    self.assertEqual(sys.getrefcount(array), references)
        self.assertEqual(_dlpack._lent, {})

    def test_dropped_while_an_exception_is_on_its_way(self):
        array = np.arange(3)

        def fail():
            capsule = _dlpack.lend(array, array.ctypes.data, array.shape, 0, 64, (_dlpack.CPU, 0), (1, 0))
            raise KeyError(capsule is None)

        for _ in range(100):
            self.assertRaises(KeyError, fail)
        self.assertEqual(_dlpack._lent, {})

    def test_refusals(self):
        model = self.make("added_row.c")
        x = np.ones((4, 2), np.float32)

        class Strange:
            def __init__(self, code=2, bits=32, device=(_dlpack.CPU, 0)):
                self.code, self.bits, self.device = code, bits, device

            def __dlpack_device__(self):
                return self.device

            def __dlpack__(self, **_):
                return _dlpack.lend(x, x.ctypes.data, (2, 4), self.code, self.bits, self.device, (1, 0))

        class Nothing(Strange):
            def __dlpack__(self, **_):
                return None

        for error, sentence, given in (
                (ValueError, "input 'x' has strides [1, 2] for dims [2, 4]; tensors that are used in place", Lent(x.T)),
                (TypeError, "DLPack's type 5 of 64 bits", Strange(5, 64)),
                (ValueError, "on a device of DLPack's kind 4", Strange(device=(4, 0))),
                (dscc.Error, "input 'x' is said to be on a CUDA device, but the model runs on a CPU",
                 Strange(device=(_dlpack.CUDA, 0))),
                (dscc.Error, "element type float64", Strange(2, 64)), (TypeError, "gives no DLPack capsule", Nothing())):
            with self.subTest(sentence=sentence):
                self.refuse(error, sentence, model.run, {"x": given})


class Threads(OnArtifacts):
    """Runs of meeting.c, which say how many of them were under way at once."""

    def call(self, model, x, results):
        thread = threading.Thread(target=lambda: results.append(model.run({"x": x})["y"]))
        thread.start()
        return thread

    def meet(self, model, x, count):
        results = []
        for thread in [self.call(model, x, results) for _ in range(count)]:
            thread.join()
        return results

    def test_runs_at_once(self):
        model = self.make("meeting.c")
        results = self.meet(model, np.array([4, 1, 0]), 4)
        self.assertEqual([list(y) for y in results], [[4, 4, 0]] * 4)
        self.assertEqual(model.num_contexts, 4)
        # Those that are there serve the next ones.
        self.assertEqual(len(self.meet(model, np.array([0, 1, 0]), 3)), 3)
        self.assertEqual(model.num_contexts, 4)

    def test_as_many_as_wanted(self):
        with self.make("meeting.c", max_contexts=2) as model:
            linger = 10_000_000  # cycles: some milliseconds
            results = self.meet(model, np.array([2, 1, linger]), 6)
            self.assertEqual((len(results), max(y[1] for y in results), model.num_contexts), (6, 2, 2))

    def test_numbers_of_each_are_its_own(self):
        model = self.make("added_row.c")

        def work(seed):
            for batch in range(1, 60):
                x = np.full((batch, 4), seed, np.float32)
                np.testing.assert_array_equal(model.run({"x": x})["sum/y:0"], x + ROW)

        failures = []
        threading.excepthook = lambda arguments: failures.append(arguments.exc_value)
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        threading.excepthook = threading.__excepthook__
        self.assertEqual(failures, [])

    def test_sentences_of_each_are_its_own(self):
        model = self.make("added_row.c")
        failures = []

        def work(columns):
            for _ in range(100):
                try:
                    model.run({"x": np.ones((1, columns), np.float32)})
                except dscc.Error as error:
                    if f"is {columns}," not in str(error):
                        failures.append(str(error))

        threads = [threading.Thread(target=work, args=(columns,)) for columns in (5, 6, 7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_close_waits_for_runs_and_refuses_those_that_wait(self):
        model = self.make("meeting.c", max_contexts=1)
        x, results, refused = np.array([0, 0, 0]), [], []
        running = self.call(model, x, results)
        while model.num_contexts == 0:
            time.sleep(0.001)

        def wait_for_a_turn():
            try:
                model.run({"x": x})
            except ValueError as error:
                refused.append(str(error))

        waiting = threading.Thread(target=wait_for_a_turn)
        closing = threading.Thread(target=model.close)
        waiting.start()
        closing.start()
        waiting.join()
        self.assertEqual(refused, ["the model is closed"])
        self.assertTrue(closing.is_alive())
        self.assertEqual(results, [])
        x[1] = 1
        closing.join()
        running.join()
        self.assertEqual(list(results[0]), [1, 1, 0])
        self.assertEqual(model.num_contexts, 0)

    def test_a_context_that_cannot_be_made_leaves_its_place(self):
        model = self.make("added_row.c", max_contexts=1)
        create = dscc._native.library.dscc_context_create
        dscc._native.library.dscc_context_create = lambda *_: 5
        self.assertRaises(dscc.Error, model.run, {"x": np.ones((1, 4), np.float32)})
        dscc._native.library.dscc_context_create = create
        self.assertEqual(model.num_contexts, 0)
        model.run({"x": np.ones((1, 4), np.float32)})
        model.close()


if __name__ == "__main__":
    unittest.main()
