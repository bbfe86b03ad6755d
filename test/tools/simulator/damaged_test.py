"""200 damaged images: each gives a driver's error or loads, and no process ends by a signal."""

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import cuda
import faults_test
import nvcc

COUNT = 200
ERRORS = {"CUDA_ERROR_INVALID_IMAGE", "CUDA_ERROR_INVALID_PTX", "CUDA_ERROR_NO_BINARY_FOR_GPU"}


def damage(text, pick):
    """One of: cut off, a line gone, a line twice, a character changed, two lines exchanged, a word changed."""
    lines = text.split("\n")
    at, other = pick.randrange(len(lines)), pick.randrange(len(lines))
    kind = pick.randrange(6)
    if kind == 0:
        return text[: pick.randrange(len(text))]
    if kind == 1:
        del lines[at]
    elif kind == 2:
        lines.insert(at, lines[other])
    elif kind == 3:
        place = pick.randrange(len(text))
        return text[:place] + chr(pick.randrange(33, 127)) + text[place + 1 :]
    elif kind == 4:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        words = lines[at].split(" ")
        words[pick.randrange(len(words))] = pick.choice(["%r1", "{", "}", "99999999999999999999", ".b32", "[", "@%p1"])
        lines[at] = " ".join(words)
    return "\n".join(lines)


def load_in_child(text):
    """The name of the error, "loaded", or None if the child ended by a signal."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            driver = cuda.Driver(LIBRARY)
            driver.load(text)
            os.write(writer, b"loaded")
        except cuda.CudaError as error:
            os.write(writer, error.name.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    return said if os.WIFEXITED(status) else None


class DamagedTest(unittest.TestCase):
    def test_damaged_ptx(self):
        with tempfile.TemporaryDirectory() as folder:
            model = pathlib.Path(folder) / "m.onnx"
            faults_test.write_model(model)
            subprocess.run(["dscc", model, "-o", f"{folder}/m.ptx", "--emit=ptx"], check=True)
            text = pathlib.Path(folder, "m.cuda_sm80.ptx").read_text()
        self.assertEqual(load_in_child(text), "loaded")
        pick = random.Random(5)
        counts = {}
        for number in range(COUNT):
            said = load_in_child(damage(text, pick))
            self.assertIsNotNone(said, f"image {number}")
            self.assertIn(said, ERRORS | {"loaded"})
            counts[said] = counts.get(said, 0) + 1
        print(counts)
        self.assertLess(counts.get("loaded", 0), COUNT * 3 // 4)

    def test_damaged_ptx_of_another_compiler(self):
        texts = [file.read_text() for file in sorted(nvcc.FOLDER.glob("*.ptx")) if file.stat().st_size < 12000]
        pick = random.Random(6)
        for number in range(COUNT):
            said = load_in_child(damage(pick.choice(texts), pick))
            self.assertIsNotNone(said, f"image {number}")
            self.assertIn(said, ERRORS | {"loaded", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"})

    def test_registers_without_a_type(self):
        text = ".version 8.0\n.target sm_80\n.address_size 64\n.entry k()\n{\n  .reg {\n}\n"
        self.assertEqual(load_in_child(text), "CUDA_ERROR_INVALID_PTX")

    def test_images_that_are_no_modules(self):
        for image in (b"\0", b"hello\0", b"\x7fELF" + bytes(200)):
            self.assertIn(load_in_child(image), ERRORS)

    def test_unknown_instruction_is_an_error_with_its_line(self):
        text = ".version 8.0\n.target sm_80\n.address_size 64\n.entry k()\n{\n  frobnicate.u32 %r1, %r2;\n}\n"
        with cuda.Listening() as said:
            with self.assertRaises(cuda.CudaError) as caught:
                cuda.Driver(LIBRARY).load(text)
        self.assertEqual(caught.exception.name, "CUDA_ERROR_INVALID_PTX")
        self.assertIn("PTX line 6: the simulator does not know the instruction `frobnicate.u32`", said.text)

    def test_newer_architecture_is_refused(self):
        with cuda.Listening():
            with self.assertRaises(cuda.CudaError) as caught:
                cuda.Driver(LIBRARY).load(".version 8.0\n.target sm_100\n.address_size 64\n")
        self.assertEqual(caught.exception.name, "CUDA_ERROR_NO_BINARY_FOR_GPU")


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    unittest.main()
