"""Functions of the simulator's driver: their attributes, how many of their blocks fit, and what a launch may say."""

import ctypes
import os
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import driver_api
from driver_api import N, address_t, handle, size_t, uint

CHIP = os.environ.get("DSCC_SIM_CHIP", "sm_90")
HAS_CLUSTERS = CHIP == "sm_90"
CHIPS = ("sm_80", "sm_86", "sm_89", "sm_90")

# Registers, bytes of shared memory declared, the most dynamic ones that are asked for (None: the default), carveout,
# cache configuration, threads and dynamic bytes of a block: the blocks that fit on a multiprocessor of each chip, by
# NVIDIA's occupancy calculator.
OCCUPANCY = {
    (32, 0, None, -1, 0, 64, 0): (32, 16, 24, 32),
    (32, 0, None, -1, 0, 1024, 0): (2, 1, 1, 2),
    (40, 0, None, -1, 0, 96, 0): (16, 16, 16, 16),
    (56, 0, None, -1, 0, 288, 0): (4, 4, 4, 4),
    (72, 0, None, -1, 0, 192, 0): (4, 4, 4, 4),
    (96, 0, None, -1, 0, 160, 0): (4, 4, 4, 4),
    (128, 0, None, -1, 0, 1024, 0): (0, 0, 0, 0),
    (168, 0, None, -1, 0, 384, 0): (1, 1, 1, 1),
    (255, 0, None, -1, 0, 128, 0): (2, 2, 2, 2),
    (255, 0, None, -1, 0, 256, 0): (1, 1, 1, 1),
    (16, 0, None, -1, 0, 32, 0): (32, 16, 24, 32),
    (32, 0, None, -1, 0, 128, 49152): (3, 2, 2, 4),
    (32, 0, None, -1, 0, 128, 49153): (0, 0, 0, 0),
    (32, 16384, None, -1, 0, 128, 32768): (3, 2, 2, 4),
    (32, 16384, None, -1, 0, 128, 32769): (0, 0, 0, 0),
    (32, 0, 101376, -1, 0, 128, 101376): (1, 1, 1, 2),
    (32, 0, 101376, -1, 0, 128, 65536): (2, 1, 1, 3),
    (32, 1024, 66560, -1, 0, 256, 66560): (2, 1, 1, 3),
    (32, 0, None, -1, 0, 64, 40960): (4, 2, 2, 5),
    (32, 1024, None, 0, 0, 64, 15360): (1, 1, 1, 1),
    (32, 1024, None, 25, 0, 64, 15360): (3, 1, 1, 3),
    (32, 1024, None, 50, 0, 64, 15360): (5, 3, 3, 7),
    (32, 1024, None, 100, 0, 64, 15360): (9, 5, 5, 13),
    (32, 1024, None, 75, 0, 64, 7168): (14, 11, 11, 21),
    (32, 0, None, 0, 0, 32, 0): (8, 8, 8, 8),
    (32, 0, None, 1, 0, 32, 0): (8, 8, 8, 8),
    (32, 1024, None, -1, 1, 64, 15360): (9, 5, 5, 13),
    (32, 1024, None, -1, 2, 64, 15360): (1, 1, 1, 1),
    (32, 1024, None, -1, 3, 64, 15360): (5, 3, 3, 7),
    (32, 1024, None, 100, 2, 64, 15360): (9, 5, 5, 13),
    (208, 16384, 65536, 25, 0, 768, 32000): (0, 0, 0, 0),
    (216, 0, 65536, 0, 0, 768, 0): (0, 0, 0, 0),
    (112, 0, None, 50, 0, 96, 20000): (4, 3, 3, 5),
    (168, 16384, None, 0, 0, 32, 1000): (1, 1, 1, 1),
    (64, 1024, 65536, 50, 0, 96, 0): (10, 10, 10, 10),
    (56, 0, 65536, 0, 0, 32, 0): (8, 8, 8, 8),
    (64, 0, None, 0, 0, 160, 8192): (1, 1, 1, 1),
    (64, 0, None, 100, 0, 96, 20000): (7, 4, 4, 10),
    (112, 1024, None, 50, 0, 96, 1000): (5, 5, 5, 5),
    (104, 1024, None, 25, 0, 512, 32000): (1, 1, 1, 1),
    (40, 0, 65536, 25, 0, 160, 8192): (7, 3, 3, 7),
    (64, 1024, 65536, 50, 0, 256, 1000): (4, 4, 4, 4),
}

HEAD = ".version 8.0\n.target {target}\n.address_size 64\n"
# A kernel of so many registers, which declares so many bytes of shared memory.
ENTRY = """.visible .entry {name}()
.maxnreg {registers}
{{
  .reg .b32 %r<2>;
  {shared}
  ret;
}}
"""
SHARED = """.shared .align 4 .b8 {name}_memory[{bytes}];
  mov.u32 %r1, {name}_memory;
  st.shared.u32 [%r1], 0;"""

# out[0] = a + b * 10 + c * 100, of parameters with holes between them.
HOLES = HEAD.format(target="sm_80") + """.const .align 4 .b8 numbers[40];
.visible .entry holes(.param .u8 a, .param .u64 .ptr .align 1 out, .param .align 4 .b8 pair[12], .param .u32 c)
{
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  ld.param.u8 %r1, [a];
  ld.param.u64 %rd1, [out];
  ld.param.u32 %r2, [pair+8];
  ld.param.u32 %r3, [c];
  mad.lo.u32 %r1, %r2, 10, %r1;
  mad.lo.u32 %r1, %r3, 100, %r1;
  st.global.u32 [%rd1], %r1;
  ret;
}
"""


def entry(name, registers=32, shared=0):
    return ENTRY.format(name=name, registers=registers, shared=SHARED.format(name=name, bytes=shared) if shared else "")


def kernel(registers=32, shared=0):
    return api.function(api.load(HEAD.format(target="sm_80") + entry("kernel", registers, shared)), "kernel")


def get(attribute, function):
    return api.get("cuFuncGetAttribute", attribute, function, kind=ctypes.c_int)


class Occupancy(driver_api.Case):
    def blocks(self, function, threads, shared):
        name = "cuOccupancyMaxActiveBlocksPerMultiprocessor"
        return api.get(name, function, threads, shared, kind=ctypes.c_int)

    def test_calculator(self):
        kinds = sorted({shape[:2] for shape in OCCUPANCY})
        text = HEAD.format(target="sm_80") + "".join(entry(f"k{r}_{s}", r, s) for r, s in kinds)
        for (registers, static, asked, carveout, cache, threads, dynamic), expected in OCCUPANCY.items():
            with self.subTest(registers=registers, static=static, threads=threads, dynamic=dynamic):
                function = api.function(api.load(text), f"k{registers}_{static}")
                if asked is not None:
                    api.ok("cuFuncSetAttribute", function, 8, asked)
                api.ok("cuFuncSetAttribute", function, 9, carveout)
                api.ok("cuFuncSetCacheConfig", function, cache)
                self.assertEqual(self.blocks(function, threads, dynamic), expected[CHIPS.index(CHIP)])

    def test_configuration_of_the_context(self):
        """It is for functions without a preference."""
        function = kernel(shared=1024)
        most = self.blocks(function, 64, 15360)
        api.ok("cuCtxSetCacheConfig", 2)
        self.assertEqual(self.blocks(function, 64, 15360), 1)
        api.ok("cuFuncSetCacheConfig", function, 1)
        self.assertEqual(self.blocks(function, 64, 15360), most)
        api.ok("cuCtxSetCacheConfig", 0)

    def test_available(self):
        """What a block may have besides, so that so many fit, is as much as the count allows."""
        function = kernel(shared=1024)
        for blocks in (1, 2, 4, 8):
            available = api.get("cuOccupancyAvailableDynamicSMemPerBlock", function, blocks, 64, kind=size_t)
            self.assertGreaterEqual(self.blocks(function, 64, available), blocks)
            self.assertLess(self.blocks(function, 64, available + 1), blocks)
        for blocks in (0, 33):
            self.refuses("INVALID_VALUE", "cuOccupancyAvailableDynamicSMemPerBlock", ctypes.byref(size_t()), function,
                         blocks, 64)

    def test_clusters(self):
        config = driver_api.LaunchConfig()
        cluster = (driver_api.Attribute * 1)()
        cluster[0].id, cluster[0].value[:3] = 4, [4, 1, 1]
        config.grid[:], config.block[:], config.count = [64, 1, 1], [1024, 1, 1], 1
        config.attributes = ctypes.addressof(cluster)
        at = ctypes.byref(config)
        if not HAS_CLUSTERS:
            self.refuses("NOT_SUPPORTED", "cuOccupancyMaxActiveClusters", ctypes.byref(ctypes.c_int()), self.add, at)
            return
        self.assertEqual(api.get("cuOccupancyMaxActiveClusters", self.add, at, kind=ctypes.c_int), 132 * 2 // 4)
        self.assertEqual(api.get("cuOccupancyMaxPotentialClusterSize", self.add, at, kind=ctypes.c_int), 8)
        api.ok("cuFuncSetAttribute", self.add, 14, 1)
        self.assertEqual(api.get("cuOccupancyMaxPotentialClusterSize", self.add, at, kind=ctypes.c_int), 16)
        for attribute, blocks in ((11, 2), (12, 1), (13, 1)):
            api.ok("cuFuncSetAttribute", self.add, attribute, blocks)
        self.assertEqual(api.get("cuOccupancyMaxPotentialClusterSize", self.add, at, kind=ctypes.c_int), 2)
        self.refuses("INVALID_CLUSTER_SIZE", "cuOccupancyMaxActiveClusters", ctypes.byref(ctypes.c_int()), self.add, at)
        config.count = 0
        self.assertEqual(api.get("cuOccupancyMaxActiveClusters", self.add, at, kind=ctypes.c_int), 132)
        self.refuses("INVALID_CLUSTER_SIZE", "cuOccupancyMaxActiveClusters", ctypes.byref(ctypes.c_int()), self.cube,
                     at)

    def test_huge(self):
        self.assertEqual(self.blocks(self.add, 32, 2**64 - 1), 0)
        self.assertEqual(self.blocks(self.add, 2**31 - 1, 0), 0)

    def test_callback(self):
        """The function that tells the shared memory of a block may call the driver."""
        function = kernel(shared=1024)

        def shared(threads):
            return 4 * threads * (get(1, function) == 1024)

        grid, block = ctypes.c_int(), ctypes.c_int()
        callback = ctypes.CFUNCTYPE(size_t, ctypes.c_int)(shared)
        api.ok("cuOccupancyMaxPotentialBlockSize", ctypes.byref(grid), ctypes.byref(block), function, callback, 0, 512)
        self.assertEqual(block.value, 512)

        def unload(threads):
            api.code("cuModuleUnload", self.module)
            return 0

        callback = ctypes.CFUNCTYPE(size_t, ctypes.c_int)(unload)
        self.refuses("INVALID_HANDLE", "cuOccupancyMaxPotentialBlockSize", ctypes.byref(grid), ctypes.byref(block),
                     self.add, callback, 0, 0)


class Attributes(driver_api.Case):
    def launch_with(self, function, shared):
        return api.error("cuLaunchKernel", function, 1, 1, 1, 32, 1, 1, shared, None, None, None)

    def test_dynamic_shared(self):
        """Without asking, declared and dynamic bytes are 48 KiB together."""
        function = kernel(shared=16 << 10)
        self.assertEqual(get(8, function), 32 << 10)
        self.assertEqual(self.launch_with(function, 32 << 10), "SUCCESS")
        self.assertEqual(self.launch_with(function, (32 << 10) + 4), "INVALID_VALUE")
        self.assertEqual(self.launch_with(function, 2**32 - 512), "INVALID_VALUE")
        api.ok("cuFuncSetAttribute", function, 8, 64 << 10)
        self.assertEqual(self.launch_with(function, 64 << 10), "SUCCESS")
        self.assertEqual(get(8, kernel(shared=48 << 10)), 0)
        for wrong in (-1, 0x7fffffff):
            self.refuses("INVALID_VALUE", "cuFuncSetAttribute", function, 8, wrong)

    def test_too_much_shared(self):
        log = ctypes.create_string_buffer(200)
        text = HEAD.format(target="sm_80") + entry("large", shared=(48 << 10) + 4)
        self.refuses("INVALID_PTX", "cuModuleLoadDataEx", ctypes.byref(handle()), text.encode(), 2,
                     (ctypes.c_int * 2)(5, 6), (handle * 2)(ctypes.addressof(log), 200))
        self.assertIn(b"large", log.value)

    def test_facts(self):
        holes = api.function(api.load(HOLES), "holes")
        self.assertEqual([get(2, holes), get(5, holes)], [40, 80])
        self.assertEqual(f"sm_{get(6, holes)}", CHIP)
        self.refuses("INVALID_VALUE", "cuFuncSetAttribute", holes, 1000, 1)
        self.refuses("INVALID_VALUE", "cuFuncGetAttribute", ctypes.byref(ctypes.c_int()), 1000, holes)
        for name in ("cuFuncGetName", "cuKernelGetName"):
            self.refuses("INVALID_VALUE", name, ctypes.byref(handle()), None)
            self.refuses("INVALID_HANDLE", name, ctypes.byref(handle()), 12345)

    def test_parameters(self):
        holes = api.function(api.load(HOLES), "holes")

        def where(index):
            offset, size = size_t(), size_t()
            api.ok("cuFuncGetParamInfo", holes, index, ctypes.byref(offset), ctypes.byref(size))
            return offset.value, size.value

        self.assertEqual([where(index) for index in range(4)], [(0, 1), (8, 8), (16, 12), (28, 4)])
        self.refuses("INVALID_VALUE", "cuFuncGetParamInfo", holes, 4, ctypes.byref(size_t()), None)
        self.refuses("INVALID_HANDLE", "cuKernelGetParamInfo", holes, 0, ctypes.byref(size_t()), None)
        api.ok("cuFuncLoad", holes)
        self.assertEqual(api.get("cuFuncIsLoaded", holes, kind=ctypes.c_int), 1)

    def test_of_kernels(self):
        """A function's own setting goes before its kernel's, whichever is made first; each tells its own."""
        library = api.get("cuLibraryLoadData", (HEAD.format(target="sm_80") + entry("kernel")).encode(), None, None, 0,
                          None, None, 0)
        kernel = api.get("cuLibraryGetKernel", library, b"kernel")
        function = api.get("cuKernelGetFunction", kernel)

        def values():
            return get(8, function), api.get("cuKernelGetAttribute", 8, kernel, 0, kind=ctypes.c_int)

        api.ok("cuKernelSetAttribute", 8, 60 << 10, kernel, 0)
        self.assertEqual(values(), (60 << 10, 60 << 10))
        self.assertEqual(self.launch_with(function, 60 << 10), "SUCCESS")
        api.ok("cuFuncSetAttribute", function, 8, 50 << 10)
        api.ok("cuKernelSetAttribute", 8, 70 << 10, kernel, 0)
        self.assertEqual(values(), (50 << 10, 70 << 10))
        for one in (function, kernel):
            self.assertEqual(self.launch_with(one, 70 << 10), "INVALID_VALUE")
        api.ok("cuKernelSetCacheConfig", kernel, 1, 0)
        self.refuses("INVALID_VALUE", "cuKernelSetCacheConfig", kernel, 4, 0)
        self.refuses("INVALID_DEVICE", "cuKernelSetCacheConfig", kernel, 1, 7)
        self.refuses("INVALID_HANDLE", "cuKernelSetCacheConfig", None, 1, 0)

    @unittest.skipUnless(HAS_CLUSTERS, "the chip has no clusters")
    def test_required_cluster(self):
        entries = "".join(driver_api.CLUSTER_ENTRY.format(name=name, directive=directive) for name, directive in
                          (("free", ""), ("pairs", ".reqnctapercluster 2, 1, 1")))
        module = api.load(driver_api.CLUSTERS.format(entries=entries))
        free, pairs = api.function(module, "free"), api.function(module, "pairs")

        def launch(grid):
            return api.error("cuLaunchKernel", free, grid, 1, 1, 1, 1, 1, 0, None,
                             driver_api.arguments(address_t(self.target)), None)

        api.ok("cuFuncSetAttribute", free, 11, 4)
        self.assertEqual(launch(8), "INVALID_VALUE")  # the other two are 0
        for attribute in (12, 13):
            api.ok("cuFuncSetAttribute", free, attribute, 1)
        self.assertEqual([get(attribute, free) for attribute in (11, 12, 13)], [4, 1, 1])
        self.assertEqual(launch(8), "SUCCESS")
        api.ok("cuCtxSynchronize")
        self.assertEqual(self.result()[:8].tolist(), [4] * 8)
        self.assertEqual(launch(6), "INVALID_CLUSTER_SIZE")
        for attribute in (11, 12, 13):
            api.ok("cuFuncSetAttribute", free, attribute, 0)
        self.assertEqual(launch(6), "SUCCESS")
        self.refuses("NOT_PERMITTED", "cuFuncSetAttribute", pairs, 11, 2)
        self.refuses("INVALID_VALUE", "cuFuncSetAttribute", free, 11, -1)


class Launches(driver_api.Case):
    def run_with(self, *attributes, function=None, stream=None, grid=1):
        """Each attribute is its number and the words of its value."""
        config = driver_api.LaunchConfig()
        array = (driver_api.Attribute * max(1, len(attributes)))()
        for row, (number, *values) in zip(array, attributes):
            row.id, row.value[:len(values)] = number, [value & 0xffffffff for value in values]
        config.grid[:], config.block[:], config.count = [grid, 1, 1], [N, 1, 1], len(attributes)
        config.attributes, config.stream = ctypes.addressof(array), stream
        pointers = driver_api.arguments(address_t(self.target), address_t(self.source), uint(2))
        return api.error("cuLaunchKernelEx", ctypes.byref(config), function or self.add, pointers, None)

    def test_attributes(self):
        for attribute in ((6, 2), (16, 1), (5, 2), (14, 50), (14, -1)):
            self.assertEqual(self.run_with(attribute), "SUCCESS", attribute)
        for attribute in ((16, 2), (5, 9), (14, 200), (14, -2), (13, 0)):
            self.assertEqual(self.run_with(attribute), "INVALID_VALUE", attribute)

    def test_events(self):
        """Both kinds are done no later than the kernel, and here just then."""
        stream, other = api.stream(), api.stream()
        for number in (7, 12):
            event = api.event()
            self.assertEqual(self.run_with((number, event & 0xffffffff, event >> 32), stream=stream), "SUCCESS")
            api.ok("cuStreamWaitEvent", other, event, 0)
            self.assertEqual(self.launch(other, source=self.target, value=1), "SUCCESS")
            api.ok("cuEventSynchronize", event)
            self.holds(self.array + 3)
            timed = api.event(0)
            self.assertEqual(self.run_with((number, timed & 0xffffffff, timed >> 32)), "INVALID_VALUE")
            self.assertEqual(self.run_with((number, 0)), "INVALID_HANDLE")

    def test_events_of_captures(self):
        stream, other, event, join = api.stream(), api.stream(), api.event(), api.event()
        api.ok("cuStreamBeginCapture_v2", stream, 0)
        self.assertEqual(self.run_with((12, event & 0xffffffff, event >> 32), (13, 0), stream=stream), "SUCCESS")
        api.ok("cuStreamWaitEvent", other, event, 0)
        self.assertEqual(self.launch(other, source=self.target, value=1), "SUCCESS")
        api.ok("cuEventRecord", join, other)
        api.ok("cuStreamWaitEvent", stream, join, 0)
        graph = api.get_second("cuStreamEndCapture", stream, kind=handle)
        api.ok("cuGraphLaunch", api.get("cuGraphInstantiateWithFlags", graph, 0), stream)
        self.holds(self.array + 3)

    @unittest.skipUnless(HAS_CLUSTERS, "the chip has no clusters")
    def test_preferred_cluster(self):
        cluster = (4, 2, 1, 1)
        for preferred, error in (((4, 1, 1), "SUCCESS"), ((2, 1, 1), "SUCCESS"), ((3, 1, 1), "INVALID_CLUSTER_SIZE"),
                                 ((16, 1, 1), "INVALID_CLUSTER_SIZE"), ((4, 0, 1), "INVALID_VALUE")):
            self.assertEqual(self.run_with(cluster, (11, *preferred), grid=8), error, preferred)
        self.assertEqual(self.run_with((11, 3, 1, 1), grid=8), "SUCCESS")  # nothing that it could be preferred to

    def test_buffer(self):
        """All arguments in one buffer, each where its alignment puts it."""
        function = api.function(api.load(HOLES), "holes")
        buffer = np.zeros(40, np.uint8)
        buffer[0], buffer[24], buffer[28] = 7, 5, 3  # a, pair[8], c
        buffer[8:16] = np.array([self.target], np.uint64).view(np.uint8)

        def launch(size, arguments=None, tail=0):
            bytes_ = size_t(size)
            extra = (handle * 6)(1, buffer.ctypes.data, 2, ctypes.addressof(bytes_), tail, tail)
            return api.error("cuLaunchKernel", function, 1, 1, 1, 1, 1, 1, 0, None, arguments, extra)

        self.assertEqual(launch(32), "SUCCESS")
        api.ok("cuCtxSynchronize")
        self.assertEqual(self.result()[0], 357)
        self.assertEqual(launch(31), "INVALID_VALUE")
        self.assertEqual(launch(32, tail=9), "INVALID_VALUE")
        self.assertEqual(launch(32, (handle * 4)()), "INVALID_VALUE")
        self.refuses("INVALID_VALUE", "cuLaunchKernel", function, 1, 1, 1, 1, 1, 1, 0, None, None, (handle * 1)())


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    api = driver_api.Case.api = driver_api.Api(LIBRARY)
    unittest.main()
