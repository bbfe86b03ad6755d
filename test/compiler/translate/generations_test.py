"""Artifacts for several generations of GPUs, read by their table: programs, images, and what they share.

    generations_test.py generations.mlir
"""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

MODULE = pathlib.Path(sys.argv.pop())
CUDA, CUBIN, PTX, FOREVER = 2, 1, 2, 2**32 - 1
SIZE = 64
u32, u64, pointer = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p


class Table(ctypes.Structure):
    _fields_ = [("data", pointer), ("count", u32), ("stride", u32)]

    def of(self, record):
        """The records; the artifact is as new as this test, so they are as long as it thinks."""
        assert not self.count or self.stride == ctypes.sizeof(record), (self.stride, record)
        return ctypes.cast(self.data, ctypes.POINTER(record))[:self.count] if self.count else []


class Image(ctypes.Structure):
    _fields_ = [(name, u32) for name in ("min_sm", "max_sm", "kind", "reserved")] + [("data", pointer), ("bytes", u64)]


class Module(ctypes.Structure):
    _fields_ = [("images", Table)]


class Program(ctypes.Structure):
    _fields_ = [(name, u32) for name in ("device", "level", "services", "num_segments")]
    _fields_ += [(name, Table) for name in ("kernels", "launches", "modules", "tensor_maps")]
    _fields_ += [("arena_bytes", pointer), ("run", pointer)]


class Weight(ctypes.Structure):
    _fields_ = [("offset", u64), ("bytes", u64), ("programs", u32), ("reserved", u32)]


class Model(ctypes.Structure):
    _fields_ = [(name, u32) for name in ("magic", "abi_version", "struct_bytes", "reserved")]
    _fields_ += [(name, Table) for name in ("symbols", "inputs", "outputs", "weights", "programs", "relations", "states")]
    _fields_ += [("dims", pointer), ("sides", pointer), ("weight_data", pointer), ("weight_bytes", u64)]


def write_product(path):
    """y = x w, with a weight that is no small constant."""
    weight = np.random.default_rng(1).standard_normal((SIZE, SIZE)).astype(np.float32)
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "product",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [SIZE, SIZE])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [SIZE, SIZE])],
                              [numpy_helper.from_array(weight, "w")])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class GenerationsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.product = self.folder / "product.onnx"
        write_product(self.product)

    def compile(self, model, *options, dscc="dscc", environment=None):
        artifact = self.folder / f"{len(list(self.folder.iterdir()))}.so"
        subprocess.run([dscc, model, "-o", artifact, *options], check=True, capture_output=True, env=environment)
        # The table is the library's own, which stays loaded.
        return artifact, Model.in_dll(ctypes.CDLL(str(artifact)), "dscc_model")

    def images(self, program):
        """Of each module: the chips, the kind and the address of the code of each image."""
        return [[(image.min_sm, image.max_sm, image.kind, image.data) for image in module.images.of(Image)]
                for module in program.modules.of(Module)]

    def chips(self, program):
        return [[image[:3] for image in module] for module in self.images(program)]

    def cuda(self, model):
        return [program for program in model.programs.of(Program) if program.device == CUDA]

    def test_by_default_each_generation_has_a_program(self):
        artifact, model = self.compile(self.product)
        sm90a, sm80 = self.cuda(model)
        self.assertEqual([program.level for program in model.programs.of(Program)], [4, 3, 90, 80])
        self.assertEqual(self.chips(sm90a), [[(90, 90, CUBIN)]])
        self.assertEqual(self.chips(sm80), [[(80, 89, CUBIN), (86, 89, CUBIN), (89, 89, CUBIN), (80, FOREVER, PTX)]])
        for chip in ("sm_80", "sm_90"):
            run = subprocess.run(["dscc-run", artifact, "--device=sim", f"--sim-chip={chip}"], capture_output=True, text=True)
            self.assertEqual(run.returncode, 0, run.stderr)

    def test_a_chip_is_one_row(self):
        _, model = self.compile(self.product, "--target=cuda", "--arch=sm_87,sm_100,sm_120")
        (program,) = self.cuda(model)
        self.assertEqual(self.chips(program), [[(87, 89, CUBIN), (100, 109, CUBIN), (120, 129, CUBIN), (80, FOREVER, PTX)]])
        # EM_CUDA, and the chip in the second byte of e_flags.
        for (_, _, _, data), sm in zip(self.images(program)[0], (87, 100, 120)):
            header = ctypes.string_at(data, 64)
            self.assertEqual(int.from_bytes(header[18:20], "little"), 190)
            self.assertEqual(int.from_bytes(header[48:52], "little") >> 8 & 0xff, sm)

    def test_others_run_the_ptx(self):
        _, model = self.compile(self.product, "--target=cuda", "--arch=sm_90a")
        sm90a, sm80 = self.cuda(model)
        self.assertEqual(self.chips(sm90a), [[(90, 90, CUBIN)]])
        self.assertEqual(self.chips(sm80), [[(80, FOREVER, PTX)]])

    def test_without_ptxas_each_chip_has_the_ptx(self):
        # It looks beside itself, too.
        alone = self.folder / "bin" / "dscc"
        alone.parent.mkdir()
        shutil.copy(shutil.which("dscc"), alone)
        environment = os.environ | {"CUDA_HOME": "", "PATH": str(self.folder)}
        _, model = self.compile(MODULE, "--target=cuda", dscc=alone, environment=environment)
        sm90a, sm80 = self.cuda(model)
        self.assertEqual(self.chips(sm90a), [[(90, 90, PTX)]] * 2)
        self.assertEqual(self.chips(sm80), [[(80, FOREVER, PTX)]] * 2)
        self.assertEqual(self.images(sm90a)[0][0][3], self.images(sm80)[0][0][3], "the text is there twice")

    def test_kernels_that_differ_are_two(self):
        _, model = self.compile(MODULE, "--arch=sm_80,sm_90a")
        sm90a, sm80 = self.cuda(model)
        self.assertEqual(self.chips(sm90a), [[(90, 90, CUBIN)]] * 2)
        self.assertEqual(self.chips(sm80), [[(80, 89, CUBIN), (80, FOREVER, PTX)]] * 2)
        text = [ctypes.string_at(self.images(sm80)[module][1][3]).decode() for module in (0, 1)]
        self.assertIn("alike", text[0])
        self.assertIn("differs", text[1])

    def test_weights_are_stored_once(self):
        for options, bytes_of_one in (([], 4), (["--precision=fp16"], 2)):
            artifact, model = self.compile(self.product, *options)
            weights = model.weights.of(Weight)
            self.assertEqual(model.weight_bytes, SIZE * SIZE * bytes_of_one)
            self.assertEqual({weight.offset for weight in weights}, {0})
            self.assertEqual([weight.programs for weight in weights], [1, 2, 4, 8])


if __name__ == "__main__":
    unittest.main()
