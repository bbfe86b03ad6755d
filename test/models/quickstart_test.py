"""What tools/quickstart prints equals what Magika's own package says of the same bytes."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import magika
import numpy as np

import magika_files
import trained

FILES = ("CMakeLists.txt", "tools/setup", "test/models/magika_files.py", "runtime/include/dscc/dscc.h",
         "dialects/dsc/Matmul.td", "LICENSE")


class QuickstartTest(unittest.TestCase):
    def test_labels_and_probabilities(self):
        with tempfile.TemporaryDirectory() as folder:
            artifact = pathlib.Path(folder) / "magika.so"
            trained.compile_model(magika_files.model_folder() / "model.onnx", artifact)
            names = [str(trained.ROOT / name) for name in FILES]
            printed = subprocess.run([sys.executable, magika_files.__file__, "--artifact", artifact, "--json", *names],
                                     capture_output=True, text=True, check=True).stdout
        theirs = magika.Magika(prediction_mode=magika.PredictionMode.BEST_GUESS)
        for ours in json.loads(printed):
            expected = theirs.identify_path(ours["file"])
            self.assertEqual(ours["label"], str(expected.output.label), ours["file"])
            np.testing.assert_allclose(ours["probability"], expected.score, rtol=1e-3)


if __name__ == "__main__":
    unittest.main()
