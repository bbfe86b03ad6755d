"""Bulk copies that are not as they have to be, beside those that are: what is said of them."""

import ctypes
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda
from tensors_test import KINDS, LOAD, STORE, coordinates, fill

# The map is where a parameter says, or in constant memory.
ELSEWHERE = LOAD.replace(".param .align 64 .b8 map[128]", ".param .u64 map").replace("mov.b64 %rd1, map;", "{get}").replace(
    ".visible .entry", ".visible .const .align 64 .b8 constant[128];\n.visible .entry")
FROM_PARAMETER, FROM_CONSTANT = "ld.param.u64 %rd1, [map];", "mov.b64 %rd4, constant;\n  cvta.const.u64 %rd1, %rd4;"


class Refusals(unittest.TestCase):
    def launch_by(self, template, tensor_map, size, begin, copy):
        function = driver.function(driver.load(fill(template, len(begin), size, copy)), "kernel")
        said = driver.launch(function, [1], [32], [tensor_map, driver.upload(np.zeros(size, np.uint8)), ctypes.c_uint32(size),
                                                  *map(ctypes.c_int32, begin)])
        self.assertIsNone(said.fault)
        return said.text

    def test_starts_of_stores(self):
        tensor_map = driver.tensor_map("u32", driver.upload(np.zeros(64, np.uint32)), [16, 4], [64], [8, 2])
        for name in ("cp.async.bulk.tensor.2d.global.shared::cta.tile", "cp.reduce.async.bulk.tensor.2d.global.shared::cta.add"):
            for begin in ([12, 3], [-4, 0], [0, -1]):
                said = self.launch_by(STORE, tensor_map, 64, begin, name + ".bulk_group [%rd1, {%c0, %c1}], [%r3];")
                if min(begin) < 0:
                    self.assertRegex(said, f"illegal tensor coordinates in kernel kernel .*begins at {min(begin)} of dim {begin.index(min(begin))}")
                else:
                    self.assertEqual(said, "")

    def test_starts_of_im2col(self):
        array = driver.upload(np.ones(4 * 8**3 * 2, np.uint32))
        for spatial, offset in ((1, 65535), (2, 255), (2, 256), (3, 31), (3, 32)):
            rank, ones = spatial + 2, [1] * spatial
            dims = [4] + [8] * spatial + [2]
            strides = [16 * 8**i for i in range(spatial + 1)]
            tensor_map = driver.im2col_map("u32", array, dims, strides, [-o for o in ones], [-o for o in ones], 4, 4)
            copy = (f"cp.async.bulk.tensor.{rank}d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%r3], "
                    f"[%rd1, {coordinates(rank)}], [%r4], {{{', '.join([str(offset)] * spatial)}}};")
            for pixel in (-1, 6, 7, -2):
                said = self.launch_by(LOAD, tensor_map, 64, [0] + [pixel] * spatial + [0], copy)
                if pixel in (7, -2):
                    self.assertRegex(said, f"illegal tensor coordinates in kernel kernel .*at pixel {pixel} of dim 1, .* from -1 to 6")
                elif offset in (256, 32):
                    self.assertRegex(said, f"illegal tensor coordinates in kernel kernel .*an offset of {offset} ")
                else:
                    self.assertEqual(said, "")
        copy = "cp.async.bulk.tensor.3d.global.shared::cta.im2col_no_offs.bulk_group [%rd1, {%c0, %c1, %c2}], [%r3];"
        for lower, report in ((0, ""), (-1, "illegal tensor coordinates .*bounding box that reaches beyond it")):
            tensor_map = driver.im2col_map("u32", array, [4, 8, 2], [16, 128], [lower], [0], 4, 4)
            said = self.launch_by(STORE, tensor_map, 64, [0, 0, 0], copy)
            self.assertRegex(said, report) if report else self.assertEqual(said, "")

    def test_no_such_reduction(self):
        for kind, op in (("u8", "add"), ("u16", "or"), ("f64", "add"), ("s64", "add"), ("f32", "min"), ("f32", "and"), ("s32", "inc")):
            with self.subTest(kind=kind, op=op):
                size = np.dtype(KINDS[kind]).itemsize
                tensor_map = driver.tensor_map(kind, driver.upload(np.zeros(64, np.uint8)), [64 // size], [], [32 // size])
                copy = f"cp.reduce.async.bulk.tensor.1d.global.shared::cta.{op}.tile.bulk_group [%rd1, {{%c0}}], [%r3];"
                function = driver.function(driver.load(fill(STORE, 1, 32, copy)), "kernel")
                said = driver.launch(function, [1], [32], [tensor_map, driver.upload(np.zeros(32, np.uint8)), ctypes.c_uint32(32),
                                                          ctypes.c_int32(0)])
                self.assertRegex(said.text, f"illegal bulk copy in kernel kernel .*there is no reduction by {op} of tensors of {kind}")
                self.assertEqual(said.fault, "CUDA_ERROR_ILLEGAL_INSTRUCTION")
                driver.library.cuDevicePrimaryCtxReset_v2(0)
                driver.__init__(LIBRARY)

    def load_by(self, get, place):
        """A load of 16 bytes by a map that is not a parameter: what was said, and what came."""
        copy = "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1, {%c0}], [%r4];"
        module = driver.load(fill(ELSEWHERE.replace("{get}", get), 1, 16, copy))
        tensor_map = driver.tensor_map("u32", driver.upload(np.arange(5, 9, dtype=np.uint32)), [4], [], [4])
        constant, size, out = ctypes.c_uint64(), ctypes.c_size_t(), driver.allocate(16)
        driver.call("cuModuleGetGlobal_v2", ctypes.byref(constant), ctypes.byref(size), module, b"constant")
        driver.call("cuMemcpyHtoD_v2", constant, tensor_map, ctypes.c_size_t(128))
        if place is None:
            place = driver.upload(np.frombuffer(tensor_map, np.uint8).copy())
        said = driver.launch(driver.function(module, "kernel"), [1], [32], [place, out, ctypes.c_uint32(16), ctypes.c_int32(0)])
        return said, None if said.fault else driver.download(out, np.uint32, (4,)).tolist()

    def test_maps_elsewhere(self):
        for get, place in ((FROM_PARAMETER, None), (FROM_CONSTANT, 0)):
            said, got = self.load_by(get, place)
            self.assertEqual((said.text, said.fault, got), ("", None, [5, 6, 7, 8]))

    def test_maps_nowhere(self):
        freed = driver.allocate(128)
        driver.free(freed)
        for place, report in ((0, "out-of-bounds access"), (4096, "out-of-bounds access"), (freed, "use after free"),
                              (driver.allocate(64), "out-of-bounds access")):
            said, _ = self.load_by(FROM_PARAMETER, place)
            self.assertRegex(said.text, f"{report} in kernel kernel .*a tensor map at 0x")
            self.assertEqual(said.fault, "CUDA_ERROR_ILLEGAL_ADDRESS")
            driver.library.cuDevicePrimaryCtxReset_v2(0)
            driver.__init__(LIBRARY)

    def test_no_map(self):
        copy = "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1, {%c0}], [%r4];"
        function = driver.function(driver.load(fill(LOAD, 1, 64, copy)), "kernel")
        said = driver.launch(function, [1], [32], [cuda.aligned_buffer(128, 64), driver.allocate(64), ctypes.c_uint32(64), ctypes.c_int32(0)])
        self.assertRegex(said.text, "illegal bulk copy in kernel kernel .*no tensor map")
        self.assertEqual(said.fault, "CUDA_ERROR_ILLEGAL_INSTRUCTION")
        driver.library.cuDevicePrimaryCtxReset_v2(0)
        driver.__init__(LIBRARY)

    def check_copy(self, copy, report, fault):
        """The copy waits for 16 bytes, of a tensor of 4 numbers; without a report they come."""
        tensor_map = driver.tensor_map("u32", driver.upload(np.arange(4, dtype=np.uint32)), [4], [], [4])
        out = driver.allocate(64)
        function = driver.function(driver.load(fill(LOAD, 1, 16, copy)), "kernel")
        said = driver.launch(function, [1], [32], [tensor_map, out, ctypes.c_uint32(16), ctypes.c_int32(0)])
        self.assertEqual(said.fault, fault)
        if fault:
            self.assertRegex(said.text, report)
            driver.library.cuDevicePrimaryCtxReset_v2(0)
            driver.__init__(LIBRARY)
        else:
            self.assertEqual(said.text, "")
            np.testing.assert_array_equal(driver.download(out, np.uint32, (4,)), np.arange(4))

    def test_masks(self):
        copy = ("mov.u16 %h1, {};\n  cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
                "[%r3], [%rd1, {{%c0}}], [%r4], %h1;")
        self.check_copy(copy.format(1), "", None)
        self.check_copy(copy.format(0), "deadlock in kernel kernel .* 16 bytes to come", "CUDA_ERROR_LAUNCH_TIMEOUT")
        self.check_copy(copy.format(2), "illegal bulk copy .*blocks that the cluster does not have", "CUDA_ERROR_ILLEGAL_INSTRUCTION")

    def test_prefetch(self):
        copy = "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1, {%c0}], [%r4];"
        for prefetch, report, fault in (("[%rd2], 32", "", None), ("[%rd2+8], 16", "misaligned access .*no multiple of 16", "MISALIGNED_ADDRESS"),
                                        ("[%rd2], %r8", "illegal bulk copy .*24 bytes is no multiple of 16", "ILLEGAL_INSTRUCTION")):
            self.check_copy(f"mov.u32 %r8, 24;\n  cp.async.bulk.prefetch.L2.global {prefetch};\n  {copy}", report,
                            fault and "CUDA_ERROR_" + fault)

    def test_wrong_rank(self):
        array = driver.upload(np.zeros(64, np.float32))
        tensor_map = driver.tensor_map("f32", array, [16], [], [16])
        copy = "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1, {%c0, %c1}], [%r4];"
        function = driver.function(driver.load(fill(LOAD, 2, 64, copy)), "kernel")
        said = driver.launch(function, [1], [32], [tensor_map, driver.allocate(64), ctypes.c_uint32(64), *[ctypes.c_int32(0)] * 2])
        self.assertRegex(said.text, "illegal bulk copy .*for a tensor of rank 2, tiled, the map for rank 1, tiled")
        driver.library.cuDevicePrimaryCtxReset_v2(0)
        driver.__init__(LIBRARY)

    def test_freed_tensor(self):
        array = driver.upload(np.zeros(64, np.float32))
        tensor_map = driver.tensor_map("f32", array, [16], [], [16])
        driver.free(array)
        copy = "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1, {%c0}], [%r4];"
        function = driver.function(driver.load(fill(LOAD, 1, 64, copy)), "kernel")
        said = driver.launch(function, [1], [32], [tensor_map, driver.allocate(64), ctypes.c_uint32(64), ctypes.c_int32(0)])
        self.assertRegex(said.text, "use after free in kernel kernel")
        driver.library.cuDevicePrimaryCtxReset_v2(0)
        driver.__init__(LIBRARY)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
