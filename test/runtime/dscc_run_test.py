"""Checks dscc-run on artifacts that are made by hand.

    python dscc_run_test.py CLANG [TestClass...]

The model is y = x + (10, 20, 30, 40) for x of [batch, 4] unless a test says otherwise.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import numpy as np  # noqa: E402

import artifact  # noqa: E402

ROW = np.array([10, 20, 30, 40], np.float32)
CLANG = sys.argv.pop(1)


class OnArtifact(unittest.TestCase):
    """A folder with added.so in it, and short ways to call dscc-run."""

    @classmethod
    def setUpClass(cls):
        cls.owner = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.owner.cleanup)
        cls.folder = pathlib.Path(cls.owner.name)
        cls.added = cls.folder / "added.so"
        artifact.make(CLANG, artifact.INPUTS / "added_row.c", cls.added)
        cls.fixed = cls.folder / "fixed.so"
        artifact.make(CLANG, artifact.INPUTS / "meeting.c", cls.fixed)

    def call(self, *words):
        return subprocess.run(["dscc-run", *map(str, words)], capture_output=True, text=True, timeout=60)

    def succeed(self, *words):
        child = self.call(*words)
        self.assertEqual((child.returncode, child.stderr), (0, ""), words)
        return child.stdout

    def fail_with(self, code, said, *words):
        """The call ends with `code`, one line on stderr, and that line says all of `said`."""
        child = self.call(*words)
        self.assertEqual(child.returncode, code, f"{words}: {child.stderr}")
        self.assertEqual(child.stderr.count("\n"), 1, child.stderr)
        self.assertTrue(child.stderr.startswith("dscc-run: error: "), child.stderr)
        for word in said:
            self.assertIn(word, child.stderr)

    def save(self, array, name="x.npy"):
        np.save(self.folder / name, array)
        return self.folder / name

    def outputs_of(self, model, array, *words):
        """What a run on `array` leaves, by file name."""
        with tempfile.TemporaryDirectory(dir=self.folder) as out:
            self.succeed(model, "--device=cpu", "--input", f"x={self.save(array)}", "--output", f"{out}/deep/er",
                         *words)
            return {path.name: np.load(path) for path in pathlib.Path(out, "deep/er").iterdir()}


class Runs(OnArtifact):
    def test_files(self):
        for rows, threads in ((1, 1), (7, 1), (7, 2), (1000, 2)):
            x = np.random.default_rng(rows).standard_normal((rows, 4)).astype(np.float32)
            outputs = self.outputs_of(self.added, x, f"--threads={threads}")
            self.assertEqual(list(outputs), ["sum_y_0.npy"])
            self.assertEqual(outputs["sum_y_0.npy"].dtype, np.float32)
            np.testing.assert_array_equal(outputs["sum_y_0.npy"], x + ROW)

    def test_signature_is_shown(self):
        text = self.succeed(self.added, "--device=cpu", "--threads=1")
        self.assertIn("x: float32 [batch, 4]", text)
        self.assertIn("sum/y:0: float32 [batch, 4]", text)
        self.assertIn("sum/y:0: float32 [1, 4], min ", text)

    def test_random_input_is_the_seeds(self):
        reports = [json.loads(self.succeed(self.added, "--device=cpu", "--json", "--dim", "batch=500", f"--seed={seed}"))
                   for seed in (1, 1, 2)]
        means = [report["outputs"][0]["mean"] for report in reports]
        self.assertEqual(means[0], means[1])
        self.assertNotEqual(means[0], means[2])
        # 2,000 standard normal values: their mean is within 0.1 of 0, and so of 25 after the row is added.
        self.assertAlmostEqual(means[0], 25, delta=0.1)
        self.assertEqual(reports[0]["outputs"][0]["dims"], [500, 4])
        self.assertEqual([one["name"] for one in reports[0]["signature"]["inputs"]], ["x"])

    def test_statistics(self):
        x = np.zeros((2, 4), np.float32)
        x[0, 0], x[1, 3] = np.nan, 60
        words = ("--device=cpu", "--input", f"x={self.save(x)}")
        # 20 + 30 + 40 + 10 + 20 + 30 + 100 = 250, over 7 numbers.
        self.assertIn("min 10, max 100, mean 35.7143, NaN: 1", self.succeed(self.added, *words))
        output = json.loads(self.succeed(self.added, *words, "--json"))["outputs"][0]
        self.assertEqual((output["min"], output["max"], output["nan"]), (10, 100, 1))

    def test_raw_types(self):
        for dtype, raw in ((16, np.uint16), (17, np.uint8), (18, np.uint8), (19, np.uint8), (20, np.uint8),
                           (21, np.uint8), (22, np.int8), (23, np.uint8), (24, np.uint8), (9, np.bool_),
                           (10, np.float16), (13, np.uint64)):
            with self.subTest(dtype=dtype):
                model = self.folder / "copied.so"
                artifact.make(CLANG, artifact.INPUTS / "copied.c", model,
                              [f"-DDTYPE={dtype}", f"-DWIDTH={np.dtype(raw).itemsize}"])
                x = np.array([1, 0, 1, 1, 0], raw)
                y = self.outputs_of(model, x)["y.npy"]
                self.assertEqual(y.dtype, raw)
                np.testing.assert_array_equal(y, x)
                report = json.loads(self.succeed(model, "--device=cpu", "--json", "--dim", "length=1000"))
                self.assertEqual(report["outputs"][0]["dims"], [1000])
                self.assertEqual(report["outputs"][0]["nan"], 0)

    def test_small_floats_are_understood(self):
        # 1.0 and -2.0, the code of each as the formats' definitions give it.
        for dtype, one, minus_two in ((16, 0x3F80, 0xC000), (17, 0x38, 0xC0), (18, 0x40, 0xC8), (19, 0x3C, 0xC0),
                                      (20, 0x40, 0xC4), (23, 0x2, 0xC)):
            with self.subTest(dtype=dtype):
                raw = np.uint16 if dtype == 16 else np.uint8
                model = self.folder / "copied.so"
                artifact.make(CLANG, artifact.INPUTS / "copied.c", model,
                              [f"-DDTYPE={dtype}", f"-DWIDTH={np.dtype(raw).itemsize}"])
                path = self.save(np.array([one, minus_two], raw))
                text = self.succeed(model, "--device=cpu", "--input", f"x={path}")
                self.assertIn("min -2, max 1, mean -0.5, NaN: 0", text)

    def test_no_elements(self):
        model = self.folder / "copied.so"
        artifact.make(CLANG, artifact.INPUTS / "copied.c", model, ["-DDTYPE=1", "-DWIDTH=4"])
        self.assertEqual(self.outputs_of(model, np.zeros(0, np.float32))["y.npy"].shape, (0,))

    def test_versions_of_the_format(self):
        x = np.ones((3, 4), np.float32)
        for version in ((1, 0), (2, 0), (3, 0)):
            with open(self.folder / "v.npy", "wb") as file:
                np.lib.format.write_array(file, x, version=version)
            text = self.succeed(self.added, "--device=cpu", "--input", f"x={self.folder / 'v.npy'}")
            self.assertIn("float32 [3, 4], min 11, max 41, mean 26", text)


class Refusals(OnArtifact):
    def refuse(self, path, *said, name="x"):
        out = self.folder / "refused"
        self.fail_with(1, said, self.added, "--device=cpu", "--input", f"{name}={path}", "--output", out)
        self.assertFalse(out.exists())

    def test_name(self):
        path = self.save(np.ones((1, 4), np.float32))
        self.refuse(path, f"--input z={path}: the model has no such input; it has `x`\n", name="z")
        self.refuse(path, "it has `x`; did you mean `x`?\n", name="xx")

    def test_dtype(self):
        path = self.save(np.ones((1, 4), np.int32), "ints.npy")
        self.refuse(path, "ints.npy", "x", "int32", "float32")

    def test_rank(self):
        path = self.save(np.ones((1, 1, 4), np.float32), "deep.npy")
        self.refuse(path, "deep.npy", "x", "3", "2")

    def test_fixed_dim(self):
        path = self.save(np.ones((1, 5), np.float32), "wide.npy")
        self.refuse(path, "wide.npy", "x", "5", "4")

    def test_bounds_of_a_named_dim(self):
        path = self.save(np.ones((1001, 4), np.float32), "long.npy")
        self.refuse(path, "x", "batch", "1001", "1000")

    def test_files_that_are_not_as_they_claim(self):
        good = self.save(np.ones((2, 4), np.float32)).read_bytes()
        fortran = self.save(np.asfortranarray(np.ones((2, 4), np.float32)), "fortran.npy").read_bytes()
        big_endian = self.save(np.ones((2, 4), ">f4"), "big.npy").read_bytes()
        strings = self.save(np.array([["a"]]), "strings.npy").read_bytes()
        huge = good.replace(b"(2, 4)", b"(9223372036854775807, 4)").replace(b" " * 18, b"", 1)
        for contents, said in ((good[:-1], "holds 31 bytes of data, but its header speaks of 32"),
                               (good + b"x", "holds 33 bytes of data, but its header speaks of 32"),
                               (good[:40], "ends within its header"), (good[:6] + b"\2\0\x76\0", "ends within its header"),
                               (good[:8], "is not a .npy file"), (b"", "is not a .npy file"),
                               (b"PK\3\4" * 9, "is not a .npy file"),
                               (fortran, "is in Fortran order; save it with numpy.ascontiguousarray"),
                               (big_endian, "is big-endian (>f4); only little-endian arrays are read"),
                               (strings, "has elements of NumPy's type <U1, which no model takes"),
                               (good[:6] + b"\x04" + good[7:], "has version 4 of the .npy format; 1 to 3 are known"),
                               (good[:6] + b"\2\0" + bytes([0, 0, 0, 16]) + good[10:], f"has a header of {2**28} bytes"),
                               (huge, "claims dims whose product is too large"),
                               (good.replace(b"'descr'", b"'descx'"), "has a header that is not NumPy's")):
            with self.subTest(said=said):
                path = self.folder / "odd.npy"
                path.write_bytes(contents)
                self.refuse(path, "odd.npy", "`x`", said)

    def test_no_file(self):
        path = self.folder / "none.npy"
        self.refuse(path, f"{path}: cannot be read: No such file or directory (input `x`)")
        self.fail_with(1, ("none.so",), self.folder / "none.so")


class Damage(OnArtifact):
    """No damage to an artifact gets as far as the loader."""

    def refuse(self, contents):
        path = self.folder / "damaged.so"
        path.write_bytes(contents)
        self.fail_with(1, ("damaged.so",), path, "--device=cpu")

    def test_truncated(self):
        good = self.added.read_bytes()
        for size in (0, 1, 64, len(good) // 2, len(good) - 184, len(good) - 1):
            with self.subTest(size=size):
                self.refuse(good[:size])

    def test_longer(self):
        good = self.added.read_bytes()
        self.refuse(good + b"\0")
        self.refuse(good + good)

    def test_flipped(self):
        good = self.added.read_bytes()
        places = [*range(0, len(good), 61), *range(len(good) - len(artifact.trailer(b"")), len(good))]
        for place in places:
            with self.subTest(place=place):
                damaged = bytearray(good)
                damaged[place] ^= 0x10
                self.refuse(bytes(damaged))

    def test_other_files(self):
        self.refuse(b"not an artifact\n" * 100)
        self.refuse(pathlib.Path(sys.executable).resolve().read_bytes())

    def test_other_abi_version(self):
        good = self.added.read_bytes()
        body = good[:-len(artifact.trailer(b""))]
        self.refuse(body + artifact.trailer(body, abi_version=artifact.ABI_VERSION + 1))


class Tables(OnArtifact):
    """An artifact whose bytes are whole, but whose table says what cannot be."""

    def make(self, *defines):
        path = self.folder / "odd.so"
        artifact.make(CLANG, artifact.INPUTS / "odd_table.c", path, [f"-D{one}" for one in defines])
        return path

    def refuse(self, code, sentence, *defines):
        with self.subTest(defines=defines):
            self.fail_with(code, (sentence,), self.make(*defines), "--device=cpu")

    def test_nothing_odd(self):
        self.succeed(self.make(), "--device=cpu")

    def test_opening(self):
        for code, sentence, define in (
                (1, "' has a tensor 'x' of rank 17 and element type 1, which this runtime does not know", "RANK=17"),
                (1, "' reads the dim 'batch' off an axis that no input has", "AXIS=2"),
                (1, "' exports no dscc_model: it is no artifact", "SYMBOL=other_model"),
                (1, "' has an input 'x' whose default is no weight of it", "DEFAULT=2"),
                (1, "' has a weight outside its 16 bytes of weights", "WEIGHT_END=17"),
                (5, "' has no code for this processor; compile it with --target=cpu and a lower --march", "LEVEL=5")):
            self.refuse(code, sentence, define)
        self.fail_with(5, ("' has no CUDA code; compile it with --target=cuda",), self.make(), "--device=cuda")
        said = self.call(self.make("ABI=99"), "--device=cpu").stderr
        self.assertRegex(said, r"' has a table of ABI version 99 and (\d+) bytes, but this runtime expects version \d and \1")
        self.succeed(self.make("BYTES=sizeof(dscc_model_v2) + 8"), "--device=cpu")
        self.refuse(1, "' has a table of ABI version 5 and 168 bytes, but this runtime expects version 5 and 176",
                    "BYTES=sizeof(dscc_model_v2) - 8")

    def test_records(self):
        """Records that are too short, or lie nowhere. Longer ones are read: outputs and programs always are."""
        self.succeed(self.make('SECOND="z"'), "--device=cpu")
        for macro, what, array, known in (
                ("SYMBOLS", "symbols", "symbols", 40), ("INPUTS", "inputs", "inputs", 32),
                ("WEIGHTS", "weights", "weight_table", 24), ("PROGRAMS", "programs", "programs", 96),
                ("RELATIONS", "relations", "relations", 40), ("KERNELS", "kernels", "kernels", 64),
                ("LAUNCHES", "launches", "launches", 16), ("MODULES", "modules", "modules", 16),
                ("MAPS", "tensor maps", "maps", 72)):
            for stride in (0, known - 8, known + 1):
                self.refuse(1, f"' has a table of {what} with {stride} bytes for each, but this runtime reads {known}",
                            f"{macro}={array}, 1, {stride}")
            for place in ("0", f"(const char *){array} + 1"):
                self.refuse(1, f"' has a table of 3 {what} that lies nowhere", f"{macro}={place}, 3, {known}")
        self.refuse(1, "' has a table of images with 8 bytes for each, but this runtime reads 32",
                    "MODULES=modules, 1, 16", "IMAGES=weights, 1, 8")

    def test_what_only_later_runtimes_know(self):
        for sentence, define in (
                ("' takes the dim 'batch' from the value of a tensor (kind 2), which this runtime does not know",
                 "SYMBOL_KIND=DSCC_SYMBOL_VALUE"),
                ("' takes the dim 'batch' from the length of a state (kind 3), which this runtime does not know",
                 "SYMBOL_KIND=DSCC_SYMBOL_LENGTH"),
                ("' takes the dim 'batch' from a source (kind 4), which this runtime does not know", "SYMBOL_KIND=4"),
                ("' takes the dim 'batch' from a source (kind 0), which this runtime does not know", "SYMBOL_KIND=0"),
                ("' has a program with an arena of 2 segments, but this runtime knows arenas of one", "SEGMENTS=2"),
                ("' has a program with an arena of 0 segments, but this runtime knows arenas of one", "SEGMENTS=0"),
                ("' keeps 1 states from run to run, and this runtime knows none", "STATES=weights, 1, 8"),
                ("' needs the service 'fill' (number 2) of its runtime, which this one does not have",
                 "SERVICES=DSCC_SERVICE_COPY | DSCC_SERVICE_FILL"),
                ("' needs the service 'encode_tensor_map' (number 4) of its runtime", "SERVICES=DSCC_SERVICE_ENCODE_TENSOR_MAP"),
                ("' needs the service 'collective' (number 6) of its runtime", "SERVICES=DSCC_SERVICE_COLLECTIVE"),
                ("' needs the service 'unknown' (number 31) of its runtime", "SERVICES=1u << 31")):
            self.refuse(1, sentence, define)

    def test_indices(self):
        self.refuse(1, "' launches kernel 1 of a program that has 1", "LAUNCHED=1")
        for kind, rank in ((0, 0), (0, 6), (1, 2), (1, 6)):
            self.refuse(1, f"' has a tensor map of rank {rank}, which this runtime does not know",
                        "MAPS=maps, 1, sizeof maps[0]", f"MAP_RANK={rank}", f"MAP_KIND={kind}")
        self.refuse(1, "' has a tensor map of kind 2, which this runtime does not know", "MAPS=maps, 1, sizeof maps[0]",
                    "MAP_KIND=2")
        self.refuse(1, "' has a kernel 'none' in module 0 of a program that has 0", "DEVICE=DSCC_DEVICE_CUDA")
        for kind in (0, 4):
            self.refuse(1, f"' has a relation of node 'node', of kind {kind}, which this runtime cannot check",
                        "RELATIONS=relations, 1, sizeof relations[0]", f"RELATION={kind}")
        self.refuse(1, "' has 33 programs, more than 32", "PROGRAMS=programs, 33, sizeof programs[0]")

    def test_maps_of_pixels(self):
        def define(rank, channels=256, pixels=1024, lower=0, upper=0, step=1):
            return ("MAPS=maps, 1, sizeof maps[0]", "MAP_KIND=DSCC_MAP_PIXELS", f"MAP_RANK={rank}",
                    f"MAP_BOX={channels}, {pixels}", f"MAP_LOWER={lower}", f"MAP_UPPER={upper}", f"MAP_STEP={step}")

        # The ends of corners with 1, 2 and 3 spatial dims.
        for rank, end in ((3, 1 << 15), (4, 1 << 7), (5, 1 << 4)):
            self.succeed(self.make(*define(rank, lower=-end, upper=end - 1, step=8)), "--device=cpu")
            for lower, upper, step in ((-end - 1, 0, 1), (end, 0, 1), (0, -end - 1, 1), (0, end, 1), (0, 0, 0), (0, 0, 9)):
                self.refuse(1, f"' has a tensor map of rank {rank} with the corners {lower} and {upper} and the step {step}, "
                            "which no hardware knows", *define(rank, lower=lower, upper=upper, step=step))
        for channels, pixels in ((0, 1), (257, 1), (1, 0), (1, 1025)):
            self.refuse(1, f"' has a tensor map of {pixels} pixels with {channels} channels, which no hardware knows",
                        *define(4, channels, pixels))

    def test_weights_beside_the_artifact(self):
        weights = self.folder / "weights.bin"
        define = 'WEIGHT_FILE="weights.bin"'
        weights.write_bytes(bytes(16))
        self.succeed(self.make(define), "--device=cpu")
        weights.write_bytes(bytes(15))
        self.refuse(1, f"the weight file 'weights.bin' beside '{self.folder}/odd.so' has 15 bytes and should have 16", define)
        weights.unlink()
        self.refuse(1, f"'{weights}' cannot be opened: No such file or directory", define)

    def test_dims(self):
        """Dims that do not come from the named ones as they should."""
        self.fail_with(2, ("input `x`: no value for dim `batch - 4`; give other --dim values, or a file; give "
                           "--dim batch=8\n",), self.make('COLUMNS_TEXT="batch - 4"'), "--device=cpu")
        self.refuse(5, f"output `y`: dims [{2**62}, 4] are too large", f"ROWS={2**62}")
        self.refuse(1, "these inputs make output 'y' axis 0 -1", "ROWS=-1")

    def test_names(self):
        out = self.folder / "twice"
        self.fail_with(5, (f"{out}/y_z.npy: two outputs would get this name",), self.make('NAME="y/z"', 'SECOND="y_z"'),
                       "--device=cpu", "--output", out)

    def test_running(self):
        for code, sentence, define in (
                (1, "these inputs need an arena of more bytes than can be counted", "ARENA=-1"),
                (5, f"the arena of {2**60} bytes that these inputs need cannot be allocated", f"ARENA={2**60}"),
                (1, "the inputs break a relation between dims that the model needs", "STATUS=2"),
                (1, "on these inputs a tensor of the model has more elements than its kernels for this device can count; "
                    "split the batch", "STATUS=DSCC_RUN_TOO_LARGE"),
                (70, "the program ended with status 42", "STATUS=42")):
            self.refuse(code, sentence, define)


class Bench(OnArtifact):
    def test_keys(self):
        words = (self.added, "--device=cpu", "--threads=1", "--dim=batch=10", "--bench=0.2", "--json")
        lines = self.succeed(*words).splitlines()
        self.assertEqual(len(lines), 1)
        report = json.loads(lines[0])
        latency = report["latency_ms"]
        self.assertEqual(set(latency), {"min", "median", "p90", "p99", "max"})
        ordered = [latency[key] for key in ("min", "median", "p90", "p99", "max")]
        self.assertEqual(ordered, sorted(ordered))
        self.assertGreater(ordered[0], 0)
        # The runs of a second, one after another, take a second; what is between them takes some of it.
        self.assertLessEqual(report["throughput_per_s"] * latency["min"], 1000)
        self.assertGreater(report["open_ms"], 0)
        self.assertGreater(report["first_run_ms"], 0)
        # A process that runs has pages, and this one is a small one.
        self.assertTrue(100_000 < report["peak_rss_bytes"] < 2**30, report["peak_rss_bytes"])
        self.assertEqual(report["threads"], 1)
        self.assertTrue(report["device"].startswith("cpu"), report["device"])

    def test_text(self):
        text = self.succeed(self.added, "--device=cpu", "--bench=0.1")
        self.assertRegex(text, r"\d+ runs: min .* median .* ms; .* runs a second")


class Profile(OnArtifact):
    words = ("--device=cpu", "--threads=1", "--dim=batch=10")

    def test_json_and_trace(self):
        trace = self.folder / "trace.json"
        report = json.loads(self.succeed(self.added, *self.words, f"--profile={trace}", "--json"))["profile"]
        self.assertGreaterEqual(report["runs"], 3)
        launch, copy = report["launches"]
        self.assertEqual([launch[key] for key in ("kernel", "nodes", "blocks", "start_us")], ["add_row", "sum", 10, 0])
        self.assertEqual([copy[key] for key in ("kernel", "nodes", "blocks")], ["copy", "", 160])
        self.assertGreater(launch["us"], 0)
        self.assertAlmostEqual(report["total_us"], launch["us"] + copy["us"], places=3)
        process, *events = json.loads(trace.read_text())["traceEvents"]
        self.assertTrue(process["args"]["name"].startswith("cpu"), process)
        self.assertEqual([(event["ph"], event["name"], event["args"]["kernel"]) for event in events],
                         [("X", "sum", "add_row"), ("X", "copy", "copy")])
        self.assertLessEqual(events[0]["ts"] + events[0]["dur"], events[1]["ts"])

    def test_text(self):
        text = self.succeed(self.added, *self.words, "--profile")
        self.assertRegex(text, r"profile of 2 launches and copies, medians of \d+ runs, [0-9.]+ us in all:")
        self.assertRegex(text, r"\n +[0-9.]+ +[0-9.]+% +1  add_row  sum\n")

    def test_trace_that_cannot_be_written(self):
        trace = self.folder / "missing" / "trace.json"
        self.fail_with(5, (f"{trace}: cannot be written: No such file or directory",), self.added, *self.words,
                       f"--profile={trace}")
        self.assertFalse(trace.parent.exists())


class CommandLine(OnArtifact):
    def test_mistakes(self):
        for words, said in (((), "no model was named; try --help"), (("a.so", "b.so"), "one model at a time: `a.so` and `b.so` are two"),
                            (("a.so", "--nothing"), "there is no option `--nothing`; try --help"),
                            (("a.so", "--device=tpu"), "--device knows auto, cpu, cuda and sim, not `tpu`"),
                            (("a.so", "--sim-chip=sm_70"), "--sim-chip knows sm_80, sm_86, sm_89, sm_90, not `sm_70`"),
                            (("a.so", "--threads=0"), "--threads wants a number from 1 on, not `0`"),
                            (("a.so", "--threads=2x"), "--threads wants a number from 1 on, not `2x`"),
                            (("a.so", "--seed=-1"), "--seed wants a number, not `-1`"),
                            (("a.so", "--bench=nan"), "--bench wants a number of seconds above 0, not `nan`"),
                            (("a.so", "--bench=0"), "--bench wants a number of seconds above 0, not `0`"),
                            (("a.so", "--dim=batch"), "--dim wants NAME=N with N >= 0, not `batch`"),
                            (("a.so", "--dim=batch=-1"), "--dim wants NAME=N with N >= 0, not `batch=-1`"),
                            (("a.so", "--input=x"), "--input wants NAME=FILE.npy, not `x`"),
                            (("a.so", "--output"), "--output wants a value"),
                            (("a.so", "--profile="), "--profile= wants the name of a file; without one leave out the ="),
                            (("a.so", "--device=sim", "--device=cpu", "--stats"), "--stats counts on a simulated GPU"),
                            (("a.so", "--stats"), "--stats counts on a simulated GPU; give --device=sim too"),
                            ((self.added, "--dim=other=3"),
                             "--dim other=3: no input has a dim of that name; the named dims are batch\n"),
                            ((self.added, "--dim=bacth=3"), "; the named dims are batch; did you mean `batch`?\n"),
                            ((self.fixed, "--dim=n=3"), "; all dims are numbers\n"),
                            ((self.added, f"--dim=batch={2**62}"), f"input `x`: dims [{2**62}, 4] are too large")):
            with self.subTest(words=words):
                self.fail_with(2, (said,), *words)

    def test_two_answers(self):
        path = self.save(np.ones((2, 4), np.float32))
        self.fail_with(2, (f"--dim batch=3, but {path} has 2 there (input `x`)",), self.added, "--input", f"x={path}",
                       "--dim", "batch=3")
        self.fail_with(2, (f"input `x` was given twice: {path} and {path}",), self.added, "--input", f"x={path}",
                       "--input", f"x={path}")

    def test_no_device(self):
        self.fail_with(5, (), self.added, "--device=cuda", "--cuda-driver=/nonexistent/libcuda.so")

    def test_output_folder_that_cannot_be(self):
        file = self.folder / "file"
        file.write_text("")
        self.fail_with(5, (f"{file}: cannot be made: Not a directory",), self.added, "--device=cpu", "--output", file)
        below = file / "below"
        self.fail_with(5, (f"{below}: cannot be made: Not a directory",), self.added, "--device=cpu", "--output", below)

    def test_output_files_that_cannot_be(self):
        out = self.folder / "taken"
        (out / "sum_y_0.npy").mkdir(parents=True)
        self.fail_with(5, (f"{out}/sum_y_0.npy: cannot be written: Is a directory",), self.added, "--device=cpu",
                       "--output", out)
        with open("/dev/full", "w") as full:
            child = subprocess.run(["dscc-run", self.added, "--device=cpu", "--json"], stdout=full,
                                   stderr=subprocess.PIPE, text=True)
        self.assertEqual((child.returncode, child.stderr),
                         (5, "dscc-run: error: cannot write the report: No space left on device\n"))

    def test_more_than_there_is_memory(self):
        self.fail_with(5, ("dscc-run: error: out of memory",), self.added, "--device=cpu", f"--dim=batch={2**56}")

    def test_help_and_version(self):
        self.assertIn("USAGE: dscc-run [options] model.so", self.succeed("--help"))
        self.assertRegex(self.succeed("--version"), r"dscc-run \d+\.\d+\.\d+\nABI 5\n")


if __name__ == "__main__":
    unittest.main()
