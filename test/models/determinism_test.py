"""The same model and flags give the same bytes: in another folder, with another
number of jobs, in another locale, at another time."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import trained


class DeterminismTest(unittest.TestCase):
    def compile_in(self, folder, model, *options, **environment):
        folder.mkdir(parents=True)
        shutil.copy(model.path, folder / "model.onnx")
        subprocess.run(["dscc", "model.onnx", "-o", "model.so", *options], cwd=folder, check=True,
                       env={**os.environ, **environment})
        return (folder / "model.so").read_bytes()

    def check(self, model):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            first = self.compile_in(folder / "a", model, "-j1", LC_ALL="C", TZ="UTC")
            second = self.compile_in(folder / "another" / "folder", model, "-j2", LC_ALL="de_DE.UTF-8",
                                     LANG="de_DE.UTF-8", TZ="Asia/Tokyo", HOME=str(folder))
        if first != second:
            where = next((at for at, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
            self.fail(f"{len(first)} and {len(second)} bytes, the first difference at byte {where}")

    def test_magika(self):
        self.check(trained.magika())

    def test_pp_ocr_cls(self):
        self.check(trained.pp_ocr_cls())


if __name__ == "__main__":
    unittest.main()
