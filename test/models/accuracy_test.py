"""The trained models against ONNX Runtime, at every size from one artifact each.

    fp32          each number within a relative 1e-3; but where ONNX Runtime itself is
                  farther than that from double precision, within 1e-3 of that
    fp16, bf16    the same label for each row; the error is printed
"""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np

import magika_files
import trained

RTOL, ATOL = 1e-3, 1e-6


def distance(values, expected):
    """For each row the largest error, in tolerances. NaN counts as infinitely far."""
    far = np.abs(values - expected) / (ATOL + RTOL * np.abs(expected))
    return np.where(np.isnan(far), np.inf, far).reshape(len(far), -1).max(axis=1)


class AccuracyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)

    def outputs(self, model, precision):
        """(size, ours, ONNX Runtime's) for every size of the model."""
        artifact = self.path / f"{model.name}-{precision}.so"
        trained.compile_model(model.path, artifact, "--target=cpu", f"--precision={precision}")
        for size in model.sizes:
            array = trained.make_input(model, size)
            folder = self.path / f"{model.name}-{precision}-{size[0]}"
            ours = trained.run_artifact(artifact, model.input_name, array, folder)
            theirs = trained.run_onnxruntime(model.path, model.input_name, array)
            self.assertEqual(ours.keys(), theirs.keys())
            for name in theirs:
                self.assertEqual(ours[name].dtype, theirs[name].dtype)
                self.assertEqual(ours[name].shape, theirs[name].shape)
                yield size, array, name, ours[name], theirs[name]

    def check_values(self, model):
        for size, array, name, ours, theirs in self.outputs(model, "fp32"):
            with self.subTest(size=size):
                off = np.flatnonzero(distance(ours, theirs) > 1)
                print(f"{model.name} fp32 {'x'.join(map(str, size))}: {len(ours) - len(off)} of {len(ours)} rows "
                      f"within {RTOL} of ONNX Runtime, largest error {np.abs(ours - theirs).max():.2e}")
                if len(off) == 0:
                    continue
                exact = trained.run_in_double(model.path, model.input_name, array[off])[name]
                for row, mine, other, true in zip(off, ours[off], theirs[off], exact):
                    error, their_error = distance(mine[None], true[None])[0], distance(other[None], true[None])[0]
                    print(f"  row {row}: {error:.2f} tolerances from double precision, ONNX Runtime {their_error:.2f}")
                    self.assertGreater(their_error, 1, f"row {row} is off, and ONNX Runtime is right")
                    self.assertLessEqual(error, 1, f"row {row}")

    def check_labels(self, model, precision):
        for size, _, _, ours, theirs in self.outputs(model, precision):
            with self.subTest(size=size):
                np.testing.assert_array_equal(ours.argmax(-1), theirs.argmax(-1))
                print(f"{model.name} {precision} {'x'.join(map(str, size))}: "
                      f"largest error of a probability {np.abs(ours - theirs).max():.2e}")

    def test_magika(self):
        self.check_values(trained.magika())

    def test_magika_fp16(self):
        self.check_labels(trained.magika(), "fp16")

    def test_magika_bf16(self):
        self.check_labels(trained.magika(), "bf16")

    def test_pp_ocr_cls(self):
        self.check_values(trained.pp_ocr_cls())

    def test_pp_ocr_cls_fp16(self):
        self.check_labels(trained.pp_ocr_cls(), "fp16")

    def test_pp_ocr_cls_bf16(self):
        self.check_labels(trained.pp_ocr_cls(), "bf16")


class PreprocessingTest(unittest.TestCase):
    """Our reading of a file gives the model what the package's own code gives it."""

    def test_features_are_those_of_the_package(self):
        import magika
        from magika.types import Seekable
        import io

        config = magika_files.load_config()
        for content in (b"int main() { return 0; }\n" * 3, b"  \n" * 10 + b"x" * 5000 + b"  ", bytes(range(256)) * 40):
            theirs = magika.Magika._extract_features_from_seekable(
                Seekable(io.BytesIO(content)), config["beg_size"], config["mid_size"], config["end_size"],
                config["padding_token"], config["block_size"], config["use_inputs_at_offsets"])
            ours = magika_files.features(content, config)
            self.assertEqual(ours.tolist(), [*theirs.beg, *theirs.end])


if __name__ == "__main__":
    unittest.main()
