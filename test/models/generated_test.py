"""The generators: both styles of a language model say the same, and dscc says it too."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnxruntime

import gguf_file
import language_models
import trained
import vision_models

sys.path.insert(0, str(trained.ROOT / "runtime" / "python"))

import dscc

PROMPT, COUNT = [5, 17, 300, 42, 7], 6
# Too large to be fetched for one test.
SMOLLM2 = trained.ROOT / "build" / "bench-models" / "SmolLM2-135M-Instruct.Q4_1.gguf"


def in_onnxruntime(path):
    """A function from a dict of inputs to one of outputs."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda feed: dict(zip(names, session.run(None, feed)))


def in_dscc(path):
    artifact = path.with_suffix(".so")
    trained.compile_model(path, artifact, "--target=cpu")
    return dscc.Model(str(artifact)).run


class GeneratedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    def test_language_models_say_the_same(self):
        """Greedy tokens over a prefill and five steps with a cache, in both styles, in ONNX Runtime and in dscc."""
        said = []
        for style in language_models.STYLES:
            path = self.folder / f"{style}.onnx"
            size = language_models.write_model(path, style)
            said += [language_models.greedy(run, size, PROMPT, COUNT) for run in (in_onnxruntime(path), in_dscc(path))]
        tokens, logits = said[0]
        self.assertTrue(0.5 < logits.std() < 2, logits.std())
        self.assertGreater(len(set(tokens)), 1)
        for other_tokens, other_logits in said[1:]:
            self.assertEqual(tokens, other_tokens)
            np.testing.assert_allclose(logits, other_logits, rtol=1e-3, atol=1e-4)

    @unittest.skipUnless(SMOLLM2.is_file(), f"test/bench/compile.py brings {SMOLLM2.name}")
    def test_smollm2_says_what_it_learned(self):
        path = self.folder / "smollm2.onnx"
        size = language_models.write_model(path, gguf=SMOLLM2)
        vocabulary = gguf_file.GgufFile(SMOLLM2).settings["tokenizer.ggml.tokens"]
        prompt = [vocabulary.index(word) for word in ("The", "Ġcapital", "Ġof", "ĠFrance", "Ġis")]
        (tokens, logits), (other, other_logits) = [language_models.greedy(run(path), size, prompt, 8)
                                                   for run in (in_onnxruntime, in_dscc)]
        self.assertEqual(vocabulary[other[0]], "ĠParis")
        self.assertEqual(tokens, other)
        np.testing.assert_allclose(logits, other_logits, rtol=1e-3, atol=1e-3)

    def test_interleaved_rows(self):
        """Rotating neighbours, and rotating halves after the rows are put apart, are the same."""
        weight = np.arange(16.0).reshape(8, 2)
        apart = language_models.halves_apart(weight, 4)
        np.testing.assert_array_equal(apart[:, 0] / 2, [0, 2, 1, 3, 4, 6, 5, 7])

    def test_equal_seeds_give_equal_bytes(self):
        paths = [self.folder / f"mobile{turn}.onnx" for turn in range(2)]
        for path in paths:
            vision_models.write_model("mobilenet_v3", path)
        self.assertEqual(paths[0].read_bytes(), paths[1].read_bytes())

    def test_activations_keep_their_size(self):
        path = vision_models.write_model("mobilenet_v3", self.folder / "mobile.onnx")
        picture = np.random.default_rng(3).standard_normal((2, 3, 224, 224), np.float32)
        deviation = in_onnxruntime(path)({"input": picture})["output"].std()
        self.assertTrue(0.2 < deviation < 5, deviation)


if __name__ == "__main__":
    unittest.main()
