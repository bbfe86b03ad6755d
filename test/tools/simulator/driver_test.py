"""The driver API of the simulator: each group of calls does what CUDA's does, and refuses what CUDA refuses.

Memory, streams and graphs are in streams_test.py.
"""

import ctypes
import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import driver_api
from driver_api import N, address_t, handle, size_t, uint

CHIP = os.environ.get("DSCC_SIM_CHIP", "sm_90")
HAS_CLUSTERS = CHIP == "sm_90"
SEED = int(os.environ.get("DSCC_SIM_SEED", "0"))


class Launches(driver_api.Case):
    def config(self, grid, *attributes, block=1):
        made = driver_api.LaunchConfig()
        array = (driver_api.Attribute * max(1, len(attributes)))()
        for row, (number, *values) in zip(array, attributes):
            row.id, row.value[:len(values)] = number, values
        made.grid[:], made.block[:], made.count = [grid, 1, 1], [block, 1, 1], len(attributes)
        made.attributes = ctypes.addressof(array)
        made.kept = array
        return made

    def launch_ex(self, function, grid, *attributes):
        pointers = driver_api.arguments(address_t(self.target))
        return api.error("cuLaunchKernelEx", ctypes.byref(self.config(grid, *attributes)), function, pointers, None)

    def test_attributes(self):
        def run(*attributes):
            pointers = driver_api.arguments(address_t(self.target), address_t(self.source), uint(2))
            config = self.config(1, *attributes, block=N)
            return api.error("cuLaunchKernelEx", ctypes.byref(config), self.add, pointers, None)

        self.assertEqual(run(), "SUCCESS")
        self.holds(self.array + 2)
        # Priority, programmatic stream serialization, a cluster of one block, not cooperative.
        self.assertEqual(run((8, -1), (6, 1), (4, 1, 1, 1), (2, 0), (0,)), "SUCCESS")
        for attribute, error in (((2, 1), "NOT_SUPPORTED"), ((99, 0), "INVALID_VALUE"), ((4, 0, 1, 1), "INVALID_VALUE")):
            self.assertEqual(run(attribute), error, attribute)
        self.refuses("INVALID_VALUE", "cuLaunchKernelEx", None, self.add, None, None)
        self.refuses("NOT_SUPPORTED", "cuLaunchCooperativeKernel", self.add, 1, 1, 1, 1, 1, 1, 0, None, None)

    @unittest.skipUnless(HAS_CLUSTERS, "the chip has no clusters")
    def test_clusters(self):
        entries = [("free", ""), ("pairs", ".reqnctapercluster 2, 1, 1"), ("few", ".maxclusterrank 2"), ("told", ".explicitcluster")]
        module = api.load(driver_api.CLUSTERS.format(entries="\n".join(
            driver_api.CLUSTER_ENTRY.format(name=name, directive=directive) for name, directive in entries)))
        free, pairs, few, told = (api.function(module, name) for name, _ in entries)
        for function, attributes, blocks in ((free, [], 1), (free, [(4, 4, 1, 1)], 4), (pairs, [], 2),
                                             (pairs, [(4, 2, 1, 1)], 2), (few, [(4, 2, 1, 1)], 2), (few, [], 1),
                                             (told, [(4, 4, 1, 1)], 4)):
            self.assertEqual(self.launch_ex(function, 8, *attributes), "SUCCESS")
            api.ok("cuCtxSynchronize")
            self.assertEqual(self.result()[:8].tolist(), [blocks] * 8)
        self.assertEqual(self.launch_ex(pairs, 8, (4, 4, 1, 1)), "INVALID_CLUSTER_SIZE")
        self.assertEqual(self.launch_ex(pairs, 7), "INVALID_CLUSTER_SIZE")
        self.assertEqual(self.launch_ex(few, 8, (4, 4, 1, 1)), "INVALID_CLUSTER_SIZE")
        self.assertEqual(self.launch_ex(told, 8), "INVALID_CLUSTER_SIZE")
        self.assertEqual([api.get("cuFuncGetAttribute", 10, each, kind=ctypes.c_int) for each in (free, pairs, told)], [0, 0, 1])
        self.assertEqual(self.launch_ex(free, 9, (4, 2, 1, 1)), "INVALID_CLUSTER_SIZE")
        # More than 8 blocks only if the function has been told so, and more than 16 never.
        self.assertEqual(self.launch_ex(free, 16, (4, 16, 1, 1)), "INVALID_CLUSTER_SIZE")
        api.ok("cuFuncSetAttribute", free, 14, 1)
        self.assertEqual(self.launch_ex(free, 16, (4, 16, 1, 1)), "SUCCESS")
        self.assertEqual(self.launch_ex(free, 32, (4, 32, 1, 1)), "INVALID_CLUSTER_SIZE")
        self.assertEqual(api.get("cuFuncGetAttribute", 11, pairs, kind=ctypes.c_int), 2)

    @unittest.skipIf(HAS_CLUSTERS, "the chip has clusters")
    def test_no_clusters(self):
        self.assertEqual(self.launch_ex(self.add, 2, (4, 2, 1, 1)), "NOT_SUPPORTED")

    def test_wrong_shapes(self):
        self.assertEqual(self.launch(threads=0), "INVALID_VALUE")
        self.assertEqual(self.launch(threads=1025), "INVALID_VALUE")
        self.assertEqual(self.launch(function=self.cube, threads=129), "LAUNCH_OUT_OF_RESOURCES")
        self.assertEqual(self.launch(function=handle(12345)), "INVALID_HANDLE")
        self.assertEqual(self.launch(stream=12345), "INVALID_HANDLE")
        self.refuses("INVALID_VALUE", "cuLaunchKernel", self.add, 1, 1, 1, N, 1, 1, 0, None, None, None)
        self.refuses("INVALID_VALUE", "cuLaunchKernel", self.add, 1, 1, 1, N, 1, 1, 50 << 10, None,
                     driver_api.arguments(address_t(0), address_t(0), uint(0)), None)

    def test_host_functions(self):
        seen = []
        function = driver_api.HostFunction(lambda data: seen.append((data, api.code("cuCtxSynchronize"))))
        callback = driver_api.StreamCallback(lambda stream, status, data: seen.append((status, data)))
        stream = api.stream()
        api.ok("cuLaunchHostFunc", stream, function, 7)
        api.ok("cuStreamAddCallback", stream, callback, 8, 0)
        api.ok("cuStreamSynchronize", stream)
        self.assertEqual(seen, [(7, 800), (0, 8)])  # the function may not call: NOT_PERMITTED
        # After a fault callbacks run all the same, and are told.
        seen.clear()
        self.fault()
        api.code("cuLaunchHostFunc", None, function, 7)
        api.code("cuStreamAddCallback", None, callback, 8, 0)
        api.code("cuCtxSynchronize")
        # With seed 0 the fault is known when the calls are made, and they are refused.
        self.assertEqual(seen, [(700, 8)] if SEED else [])


class Addresses(driver_api.Case):
    def test_every_entry_point(self):
        table = driver_api.table()
        ours = {"dsccSimStatistics", "dsccSimNameLaunch", "dsccSimCalls"}
        self.assertEqual({symbol for _, _, symbol in table} | ours, driver_api.exported(LIBRARY), "table and exports differ")
        version = api.get("cuDriverGetVersion", kind=ctypes.c_int)
        table = [row for row in table if row[1] <= version]
        status, found = ctypes.c_int(), ctypes.c_void_p()
        for name, introduced, symbol in table:
            address = ctypes.cast(getattr(api.library, symbol), ctypes.c_void_p).value
            api.ok("cuGetProcAddress_v2", name.encode(), ctypes.byref(found), introduced, 0, ctypes.byref(status))
            self.assertEqual((found.value, status.value), (address, 0), symbol)
            newest = max(row for row in table if row[0] == name)[2]
            api.ok("cuGetProcAddress", name.encode(), ctypes.byref(found), version, 0)
            self.assertEqual(found.value, ctypes.cast(getattr(api.library, newest), ctypes.c_void_p).value, name)
            if introduced == min(row[1] for row in table if row[0] == name):
                api.ok("cuGetProcAddress_v2", name.encode(), ctypes.byref(found), introduced - 10, 0,
                       ctypes.byref(status))
                self.assertEqual((found.value, status.value), (None, 2), symbol)

    def test_refusals(self):
        status, found = ctypes.c_int(), ctypes.c_void_p(1)
        api.ok("cuGetProcAddress_v2", b"cuNoSuchCall", ctypes.byref(found), 12000, 0, ctypes.byref(status))
        self.assertEqual((found.value, status.value), (None, 1))
        self.refuses("NOT_FOUND", "cuGetProcAddress", b"cuNoSuchCall", ctypes.byref(found), 12000, 0)
        self.refuses("INVALID_VALUE", "cuGetProcAddress_v2", b"cuInit", ctypes.byref(found), 99000, 0, None)
        self.refuses("INVALID_VALUE", "cuGetProcAddress_v2", b"cuInit", ctypes.byref(found), 12000, 4, None)
        self.refuses("INVALID_VALUE", "cuGetProcAddress_v2", None, ctypes.byref(found), 12000, 0, None)

    def test_faults_in_every_call(self):
        """DSCC_SIM_FAIL reaches each entry point, before it looks at its arguments."""
        symbols = sorted({symbol for _, _, symbol in driver_api.table()} - {"cuGetErrorName", "cuGetErrorString"})
        # The first cuInit reads the variable, so only the second can fail.
        program = ("import ctypes, sys\nlibrary = ctypes.CDLL(sys.argv[1])\nlibrary.cuInit(0)\n"
                   "print([s for s in sys.argv[2:] if getattr(library, s)(*[0] * 12) != 999])")
        faults = ",".join(f"{symbol}:1:UNKNOWN" for symbol in symbols)
        child = subprocess.run([sys.executable, "-c", program, LIBRARY, *symbols], capture_output=True, text=True,
                               env={**os.environ, "DSCC_SIM_FAIL": faults})
        self.assertEqual(child.stdout.strip(), "[]", child.stderr)


class Modules(driver_api.Case):
    def test_library(self):
        image = driver_api.KERNELS.format(target="sm_80").encode()
        library = api.get("cuLibraryLoadData", image, None, None, 0, None, None, 0)
        kernel = api.get("cuLibraryGetKernel", library, b"add")
        self.assertEqual(self.launch(function=kernel, value=3), "SUCCESS")  # a kernel in a function's place
        self.holds(self.array + 3)
        function = api.get("cuKernelGetFunction", kernel)
        self.assertEqual(self.launch(function=function, value=4), "SUCCESS")
        self.holds(self.array + 4)
        module = api.get("cuLibraryGetModule", library)
        self.assertEqual(api.get("cuFuncGetModule", function), module)
        self.assertEqual(api.get("cuKernelGetLibrary", kernel), library)
        self.assertEqual(api.get("cuKernelGetName", kernel, kind=ctypes.c_char_p), b"add")
        size = size_t()
        self.assertTrue(api.get("cuLibraryGetGlobal", ctypes.byref(size), library, b"table", kind=address_t))
        self.assertEqual(size.value, 16)
        cube = api.get("cuLibraryGetKernel", library, b"cube")
        api.ok("cuKernelSetAttribute", 8, 60 << 10, cube, 0)
        self.assertEqual(api.get("cuKernelGetAttribute", 8, cube, 0, kind=ctypes.c_int), 60 << 10)
        self.refuses("INVALID_DEVICE", "cuKernelSetAttribute", 8, 0, cube, 1)
        self.refuses("NOT_FOUND", "cuLibraryGetKernel", ctypes.byref(handle()), library, b"none")
        self.refuses("NOT_PERMITTED", "cuModuleUnload", module)
        # What is enqueued runs before the code goes.
        stream = api.stream()
        self.assertEqual(self.launch(stream, function=kernel, value=9), "SUCCESS")
        api.ok("cuLibraryUnload", library)
        self.holds(self.array + 9)
        self.refuses("INVALID_HANDLE", "cuLibraryUnload", library)
        self.refuses("INVALID_HANDLE", "cuKernelGetFunction", ctypes.byref(handle()), kernel)
        self.assertEqual(self.launch(function=kernel), "INVALID_HANDLE")

    def test_library_outlives_contexts(self):
        image = driver_api.KERNELS.format(target="sm_80").encode()
        library = api.get("cuLibraryLoadData", image, None, None, 0, None, None, 0)
        kernel = api.get("cuLibraryGetKernel", library, b"add")
        api.renew()
        self.refuses("INVALID_HANDLE", "cuModuleUnload", self.module)  # gone with its context
        self.source, self.target = api.upload(self.array), api.allocate(4 * N)
        self.assertEqual(self.launch(function=kernel, value=6), "SUCCESS")
        self.holds(self.array + 6)

    def test_jit_log(self):
        def load(image, room):
            log = ctypes.create_string_buffer(b"x" * room, room + 1)
            options = (ctypes.c_int * 2)(5, 6)
            values = (ctypes.c_void_p * 2)(ctypes.addressof(log), room)
            error = api.error("cuModuleLoadDataEx", ctypes.byref(handle()), image, 2, options, values)
            return error, log.value, values[1]

        text = driver_api.KERNELS.format(target="sm_80").replace("add.u32 %r3", "frobnicate.u32 %r3").encode()
        error, log, length = load(text, 200)
        self.assertEqual(error, "INVALID_PTX")
        self.assertIn(b"frobnicate", log)
        self.assertEqual(length, len(log) + 1)
        self.assertEqual(len(load(text, 10)[1]), 9)
        self.assertEqual(load(driver_api.KERNELS.format(target="sm_80").encode(), 10)[1:], (b"", None))
        options = (ctypes.c_int * 1)(77)
        self.refuses("INVALID_VALUE", "cuModuleLoadDataEx", ctypes.byref(handle()), text, 1, options,
                     (ctypes.c_void_p * 1)())
        newer = driver_api.KERNELS.format(target="sm_120").encode()
        self.refuses("NO_BINARY_FOR_GPU", "cuModuleLoadData", ctypes.byref(handle()), newer)

    def test_attributes(self):
        def get(attribute, function):
            return api.get("cuFuncGetAttribute", attribute, function, kind=ctypes.c_int)

        self.assertEqual([get(0, self.add), get(0, self.cube)], [1024, 128])
        self.assertEqual([get(1, self.add), get(1, self.cube)], [0, 1024])
        api.ok("cuFuncSetAttribute", self.add, 9, 50)
        self.assertEqual(get(9, self.add), 50)
        self.refuses("INVALID_VALUE", "cuFuncSetAttribute", self.add, 0, 64)
        self.refuses("INVALID_VALUE", "cuFuncSetAttribute", self.add, 8, 1 << 20)
        self.refuses("INVALID_VALUE", "cuFuncGetAttribute", ctypes.byref(ctypes.c_int()), 99, self.add)
        api.ok("cuFuncSetCacheConfig", self.add, 2)
        self.refuses("INVALID_VALUE", "cuFuncSetCacheConfig", self.add, 4)

    def test_occupancy(self):
        def blocks(function, threads, shared):
            name = "cuOccupancyMaxActiveBlocksPerMultiprocessor"
            return api.get(name, function, threads, shared, kind=ctypes.c_int)

        # 2048 threads a multiprocessor: 2 blocks of 1024, 32 of 32 because there are no more places.
        self.assertEqual([blocks(self.add, 1024, 0), blocks(self.add, 32, 0)], [2, 32])
        # 40 KiB and 1 KiB that is reserved: 228 / 41 = 5 on sm_90, 164 / 41 = 4 on sm_80.
        self.assertEqual(blocks(self.add, 64, 40 << 10), 5 if HAS_CLUSTERS else 4)
        self.assertEqual(blocks(self.cube, 256, 0), 0)
        grid, block = ctypes.c_int(), ctypes.c_int()
        api.ok("cuOccupancyMaxPotentialBlockSize", ctypes.byref(grid), ctypes.byref(block), self.cube, None, 0, 0)
        self.assertEqual((grid.value, block.value), (16 * (132 if HAS_CLUSTERS else 108), 128))
        self.refuses("INVALID_VALUE", "cuOccupancyMaxActiveBlocksPerMultiprocessor", ctypes.byref(grid), self.add, 0, 0)


class Errors(driver_api.Case):
    def test_names(self):
        for code, name in ((0, "SUCCESS"), (215, "ERROR_UNSUPPORTED_LIMIT"), (401, "ERROR_ILLEGAL_STATE"),
                           (709, "ERROR_CONTEXT_IS_DESTROYED"), (712, "ERROR_HOST_MEMORY_ALREADY_REGISTERED"),
                           (713, "ERROR_HOST_MEMORY_NOT_REGISTERED"), (800, "ERROR_NOT_PERMITTED"),
                           (900, "ERROR_STREAM_CAPTURE_UNSUPPORTED"), (901, "ERROR_STREAM_CAPTURE_INVALIDATED"),
                           (902, "ERROR_STREAM_CAPTURE_MERGE"), (903, "ERROR_STREAM_CAPTURE_UNMATCHED"),
                           (904, "ERROR_STREAM_CAPTURE_UNJOINED"), (905, "ERROR_STREAM_CAPTURE_ISOLATION"),
                           (906, "ERROR_STREAM_CAPTURE_IMPLICIT"), (907, "ERROR_CAPTURED_EVENT"),
                           (908, "ERROR_STREAM_CAPTURE_WRONG_THREAD"), (910, "ERROR_GRAPH_EXEC_UPDATE_FAILURE"),
                           (912, "ERROR_INVALID_CLUSTER_SIZE")):
            text = ctypes.c_char_p()
            self.assertEqual(api.code("cuGetErrorName", code, ctypes.byref(text)), 0)
            self.assertEqual(text.value.decode(), f"CUDA_{name}")
            self.assertEqual(api.code("cuGetErrorString", code, ctypes.byref(text)), 0)
        self.refuses("INVALID_VALUE", "cuGetErrorName", 12345, ctypes.byref(ctypes.c_char_p()))

    def test_all_have_text(self):
        names, text = set(), ctypes.c_char_p()
        for code in range(1000):
            if api.code("cuGetErrorName", code, ctypes.byref(text)) == 0:
                names.add(text.value)
                self.assertEqual(api.code("cuGetErrorString", code, ctypes.byref(text)), 0, code)
                self.assertTrue(text.value)
        self.assertEqual(len(names), 101)
        api.ok("cuGetErrorString", 700, ctypes.byref(text))
        self.assertEqual(text.value, b"an illegal memory access was encountered")


class Contexts(driver_api.Case):
    def test_stack(self):
        primary = api.get("cuCtxGetCurrent")
        own = api.get("cuCtxCreate_v2", 0, 0)
        self.assertNotEqual(own, primary)
        self.assertEqual(api.get("cuCtxGetCurrent"), own)
        self.assertEqual(api.get("cuCtxPopCurrent_v2"), own)
        self.assertEqual(api.get("cuCtxGetCurrent"), primary)
        api.ok("cuCtxPushCurrent_v2", own)
        api.ok("cuCtxDestroy_v2", own)
        self.refuses("INVALID_CONTEXT", "cuCtxPushCurrent_v2", own)
        self.refuses("INVALID_CONTEXT", "cuCtxDestroy_v2", own)
        self.assertEqual(api.get("cuCtxGetDevice", kind=ctypes.c_int), 0)

    def test_kinds_of_creation(self):
        for name, nothing in (("cuCtxCreate_v3", (None, 0)), ("cuCtxCreate_v4", (None,))):
            api.ok("cuCtxDestroy_v2", api.get(name, *nothing, 0, 0))
        self.refuses("INVALID_VALUE", "cuCtxCreate_v2", ctypes.byref(handle()), 256, 0)
        self.refuses("INVALID_DEVICE", "cuCtxCreate_v2", ctypes.byref(handle()), 0, 1)

    def test_api_version(self):
        version = uint()
        api.ok("cuCtxGetApiVersion", api.get("cuCtxGetCurrent"), ctypes.byref(version))
        self.assertEqual(version.value, 3020)

    def test_primary(self):
        flags, active = uint(), ctypes.c_int()
        api.ok("cuDevicePrimaryCtxSetFlags_v2", 0, 4)
        api.ok("cuDevicePrimaryCtxGetState", 0, ctypes.byref(flags), ctypes.byref(active))
        self.assertEqual((flags.value, active.value), (4, 1))
        self.refuses("INVALID_DEVICE", "cuDevicePrimaryCtxReset_v2", 1)
        api.ok("cuDevicePrimaryCtxReset_v2", 0)
        self.refuses("INVALID_VALUE", "cuMemFree_v2", self.source)  # gone with the rest
        api.code("cuDevicePrimaryCtxRelease_v2", 0)
        self.refuses("CONTEXT_IS_DESTROYED", "cuCtxSynchronize")
        self.refuses("INVALID_CONTEXT", "cuDevicePrimaryCtxRelease_v2", 0)

    def test_limits(self):
        self.assertEqual(api.get("cuCtxGetLimit", 0, kind=size_t), 1024)
        api.ok("cuCtxSetLimit", 0, 4096)
        self.assertEqual(api.get("cuCtxGetLimit", 0, kind=size_t), 4096)
        api.ok("cuCtxSetLimit", 0, 1024)
        self.refuses("UNSUPPORTED_LIMIT", "cuCtxGetLimit", ctypes.byref(size_t()), 77)
        self.refuses("UNSUPPORTED_LIMIT", "cuCtxSetLimit", 7, 1)

    def test_device(self):
        major, minor = ctypes.c_int(), ctypes.c_int()
        api.ok("cuDeviceComputeCapability", ctypes.byref(major), ctypes.byref(minor), 0)
        self.assertEqual(f"sm_{major.value}{minor.value}", CHIP)
        text, uuid = ctypes.create_string_buffer(20), ctypes.create_string_buffer(16)
        api.ok("cuDeviceGetPCIBusId", text, 20, 0)
        self.assertEqual(api.get("cuDeviceGetByPCIBusId", text.value, kind=ctypes.c_int), 0)
        api.ok("cuDeviceGetUuid_v2", uuid, 0)
        self.assertIn(CHIP.encode(), uuid.raw)
        self.assertEqual(api.get("cuDeviceCanAccessPeer", 0, 0, kind=ctypes.c_int), 0)
        self.assertEqual(api.get("cuDeviceGetAttribute", 115, 0, kind=ctypes.c_int), 1)
        self.refuses("INVALID_VALUE", "cuDeviceGetAttribute", ctypes.byref(ctypes.c_int()), 999, 0)
        self.refuses("INVALID_DEVICE", "cuDeviceGetUuid_v2", uuid, 1)

    def test_sticky_error(self):
        """After a fault every call that needs the context says so, until there is a new one."""
        self.fault()
        self.refuses("ILLEGAL_ADDRESS", "cuCtxSynchronize")
        told = ("cuStream", "cuEvent", "cuLaunch", "cuFunc", "cuMemcpy", "cuMemset", "cuMemAlloc", "cuMemFree",
                "cuModule", "cuGraphAdd", "cuGraphLaunch", "cuGraphInstantiate", "cuOccupancy", "cuTensorMap",
                "cuPointer")
        silent = {"cuModuleGetLoadingMode", "cuGraphAddDependencies", "cuGraphAddDependencies_v2"}
        symbols = {symbol for _, _, symbol in driver_api.table() if symbol.startswith(told)} - silent
        self.assertGreater(len(symbols), 80)
        for symbol in sorted(symbols):
            self.assertEqual(api.error(symbol, *[0] * 12), "ILLEGAL_ADDRESS", symbol)
        self.assertEqual(api.error("cuDeviceGetCount", ctypes.byref(uint())), "SUCCESS")
        api.renew()
        api.free(api.allocate(4))


class TensorMaps(driver_api.Case):
    def setUp(self):
        super().setUp()
        self.memory = ctypes.create_string_buffer(256)
        self.map = (ctypes.addressof(self.memory) + 63) // 64 * 64

    # Of a tensor of f16, 256 x 128 elements, in boxes of 64 x 32.
    TILED = dict(type=6, rank=2, address=0x1000, dims=(256, 128), strides=(512,), box=(64, 32), steps=(1, 1),
                 interleave=0, swizzle=3, promotion=2, fill=0)
    # Images of f16, N x 16 x 16 x 64, with a window of 3 x 3.
    IM2COL = dict(type=6, rank=4, address=0x1000, dims=(64, 16, 16, 2), strides=(128, 2048, 32768), lower=(-1, -1),
                  upper=(-1, -1), channels=64, pixels=128, steps=(1,) * 4, interleave=0, swizzle=3, promotion=0, fill=0)

    def encode(self, base, at=None, **changes):
        r = {**base, **changes}
        arrays = {name: (kind * max(1, len(r[name])))(*r[name]) for name, kind in
                  (("dims", address_t), ("strides", address_t), ("box", uint), ("steps", uint), ("lower", ctypes.c_int),
                   ("upper", ctypes.c_int)) if name in r}
        head = [at or self.map, r["type"], r["rank"], r["address"], arrays["dims"], arrays["strides"]]
        tail = [arrays["steps"], r["interleave"], r["swizzle"], r["promotion"], r["fill"]]
        if "box" in r:
            return api.error("cuTensorMapEncodeTiled", *head, arrays["box"], *tail)
        return api.error("cuTensorMapEncodeIm2col", *head, arrays["lower"], arrays["upper"], r["channels"], r["pixels"],
                         *tail)

    def check(self, base, right, wrong):
        for changes in right:
            self.assertEqual(self.encode(base, **changes), "SUCCESS", changes)
        for changes in wrong:
            self.assertEqual(self.encode(base, **changes), "INVALID_VALUE", changes)

    @unittest.skipUnless(HAS_CLUSTERS, "the chip has no tensor maps")
    def test_tiled(self):
        shape3 = dict(rank=3, dims=(16, 8, 8), strides=(256, 2048), box=(16, 4, 4), steps=(1, 1, 1))
        right = [{}, dict(dims=(2**32, 1)), dict(strides=(2**40 - 16,)), dict(box=(64, 256)), dict(steps=(0, 8)),
                 dict(fill=1), dict(rank=1, dims=(256,), strides=(), box=(64,), steps=(1,)),
                 dict(swizzle=0, box=(256, 1)), dict(swizzle=1, box=(16, 1)), dict(type=0, swizzle=3, box=(128, 1)),
                 dict(shape3, interleave=2, swizzle=1), dict(shape3, interleave=1, swizzle=0, box=(3, 1, 1)),
                 dict(rank=5, dims=(64,) * 5, strides=(128, 256, 512, 1024), box=(8,) * 5, steps=(1,) * 5)]
        wrong = [dict(type=13), dict(type=-1), dict(rank=0), dict(rank=6), dict(address=0x1008), dict(dims=(0, 128)),
                 dict(dims=(2**32 + 1, 1)), dict(strides=(520,)), dict(strides=(2**40,)), dict(box=(0, 32)),
                 dict(box=(64, 257)), dict(box=(12, 32)), dict(box=(128, 32)), dict(swizzle=2), dict(swizzle=4),
                 dict(swizzle=1, box=(32, 1)), dict(steps=(1, 0)), dict(steps=(1, 9)), dict(promotion=4), dict(fill=2),
                 dict(type=1, fill=1), dict(interleave=1), dict(interleave=3), dict(shape3, interleave=2, swizzle=3),
                 dict(shape3, interleave=2, swizzle=1, address=0x1010),
                 dict(shape3, interleave=2, swizzle=1, strides=(272, 2048)),
                 dict(shape3, interleave=1, swizzle=0, steps=(0, 1, 1))]
        self.check(self.TILED, right, wrong)
        self.assertEqual(self.encode(self.TILED, at=self.map + 32), "INVALID_VALUE")

    @unittest.skipUnless(HAS_CLUSTERS, "the chip has no tensor maps")
    def test_im2col(self):
        line = dict(rank=3, dims=(64, 16, 2), strides=(128, 2048), steps=(1,) * 3)
        volume = dict(rank=5, dims=(64, 16, 16, 16, 2), strides=(128, 2048, 32768, 524288), steps=(1,) * 5)
        right = [{}, dict(lower=(-128, 0), upper=(127, 0)), dict(pixels=1024), dict(channels=256, swizzle=0),
                 dict(line, lower=(-32768,), upper=(32767,)), dict(volume, lower=(-16,) * 3, upper=(15,) * 3)]
        wrong = [dict(rank=2), dict(lower=(-129, 0)), dict(upper=(0, 128)), dict(pixels=0), dict(pixels=1025),
                 dict(channels=0), dict(channels=257, swizzle=0), dict(channels=128),
                 dict(lower=(15, 0), upper=(-1, 0)), dict(line, lower=(-32769,), upper=(0,)),
                 dict(volume, lower=(-17, 0, 0), upper=(0,) * 3)]
        self.check(self.IM2COL, right, wrong)

    @unittest.skipUnless(HAS_CLUSTERS, "the chip has no tensor maps")
    def test_replace_address(self):
        self.assertEqual(self.encode(self.TILED), "SUCCESS")
        before = ctypes.string_at(self.map, 128)
        api.ok("cuTensorMapReplaceAddress", self.map, 0x2000)
        self.assertEqual(self.encode(self.TILED, address=0x2000, at=self.map), "SUCCESS")
        self.assertNotEqual(ctypes.string_at(self.map, 128), before)
        self.refuses("INVALID_VALUE", "cuTensorMapReplaceAddress", self.map, 0x2008)
        ctypes.memset(self.map, 0, 128)
        self.refuses("INVALID_VALUE", "cuTensorMapReplaceAddress", self.map, 0x2000)

    @unittest.skipIf(HAS_CLUSTERS, "the chip has tensor maps")
    def test_older_chip(self):
        self.assertEqual(self.encode(self.TILED), "NOT_SUPPORTED")
        self.refuses("NOT_SUPPORTED", "cuTensorMapReplaceAddress", self.map, 0x2000)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    api = driver_api.Case.api = driver_api.Api(LIBRARY)
    unittest.main()
