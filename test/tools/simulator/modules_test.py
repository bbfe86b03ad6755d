"""Images and contexts of the simulator's driver: fat binaries, files, what a module holds, what ends with a context."""

import ctypes
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import driver_api
from driver_api import N, address_t, handle, size_t, uint

CHIP = os.environ.get("DSCC_SIM_CHIP", "sm_90")
MAGIC, WRAPPER_MAGIC, PTX, ELF = 0xba55ed50, 0x466243b1, 1, 2


# What fatbinary makes of a kernel `a` for sm_80: PTX that is compressed by zstd.
COMPRESSED = bytes.fromhex(
    "50ed55ba01001000b000000000000000010001015000000060000000000000005e0000004000000000000800500000000000"
    "000000000000118000000000000000000000000000005b000000000000004800000000000000000000000000000028b52ffd"
    "205bad0200b245141a708b3ac02450b2a10b41546efbff8d2a4d155bde4c00e8d1a00e807a74c95f174472b8401342e33e3f"
    "d7d18120957109dd7da231b4c85530f40d4306f1e738c985288c029b7f2ea50bb1526861788f1c000000")


def entry(text, architecture, kind=PTX, flags=0x11):
    payload = text.encode() + bytes(-len(text) % 8 or 8)
    head = (kind, 0x101, 64, len(payload), 0, 64, 0, 8, architecture, 0, flags, 0, 0)
    return struct.pack("<HHIQIIHHIQQQQ", *head) + payload


def fat(*entries):
    body = b"".join(entries)
    return struct.pack("<IHHQ", MAGIC, 1, 16, len(body)) + body


def marked(target, value):
    """PTX for a target, by a variable whose bytes tell which text it was."""
    return f".version 8.0\n.target {target}\n.address_size 64\n.visible .global .align 4 .b8 mark[{value}];\n"


class Images(driver_api.Case):
    def size(self, module, name="mark"):
        bytes_ = size_t()
        api.ok("cuModuleGetGlobal_v2", None, ctypes.byref(bytes_), module, name.encode())
        return bytes_.value

    def test_fat_binaries(self):
        """The PTX of the highest architecture that the chip can run is taken; code for one chip alone only by that."""
        image = fat(entry("", 80, ELF), entry(marked("sm_80", 80), 80), entry(marked("sm_90", 90), 90),
                    entry(marked("sm_86", 86), 86), entry(marked("sm_100", 100), 100))
        best = {"sm_80": 80, "sm_90": 90}[CHIP]
        for load in ("cuModuleLoadData", "cuModuleLoadFatBinary"):
            self.assertEqual(self.size(api.get(load, image)), best)
        buffer = ctypes.create_string_buffer(image, len(image))
        wrapper = struct.pack("<IIQQ", WRAPPER_MAGIC, 1, ctypes.addressof(buffer), 0)
        self.assertEqual(self.size(api.get("cuModuleLoadData", wrapper)), best)
        library = api.get("cuLibraryLoadData", image, None, None, 0, None, None, 0)
        self.assertEqual(self.size(api.get("cuLibraryGetModule", library)), best)
        exact = fat(entry(marked("sm_80a", 81), 80), entry(marked("sm_75", 75), 75))
        self.assertEqual(self.size(api.get("cuModuleLoadData", exact)), 81 if CHIP == "sm_80" else 75)

    def test_compressed(self):
        module = handle(api.get("cuModuleLoadFatBinary", COMPRESSED))
        self.assertEqual(api.error("cuLaunchKernel", api.function(module, "a"), 1, 1, 1, 1, 1, 1, 0, None, None, None),
                         "SUCCESS")
        damaged = COMPRESSED[:120] + b"\xff" * 40 + COMPRESSED[160:]
        self.refuses("INVALID_IMAGE", "cuModuleLoadData", ctypes.byref(handle()), damaged)

    def test_no_use(self):
        for error, image in (("NO_BINARY_FOR_GPU", fat(entry(marked("sm_100", 4), 100))),
                             ("NO_BINARY_FOR_GPU", fat(entry("", 80, ELF))), ("NO_BINARY_FOR_GPU", fat()),
                             ("NOT_SUPPORTED", fat(entry(marked("sm_80", 4), 80, flags=0x2011))),
                             ("INVALID_IMAGE", fat(entry(marked("sm_80", 4), 80, flags=0x8011))),
                             ("INVALID_IMAGE", fat(entry(marked("sm_80", 4), 80)[:-8]))):
            self.refuses(error, "cuModuleLoadData", ctypes.byref(handle()), image)

    def test_files(self):
        with tempfile.NamedTemporaryFile(suffix=".ptx") as file:
            file.write(driver_api.KERNELS.format(target="sm_80").encode())
            file.flush()
            module = handle(api.get("cuModuleLoad", file.name.encode()))
            library = api.get("cuLibraryLoadFromFile", file.name.encode(), None, None, 0, None, None, 0)
        self.assertEqual(self.launch(function=api.function(module, "add"), value=3), "SUCCESS")
        self.holds(self.array + 3)
        self.assertEqual(self.launch(function=api.get("cuLibraryGetKernel", library, b"add"), value=4), "SUCCESS")
        self.holds(self.array + 4)
        self.refuses("FILE_NOT_FOUND", "cuModuleLoad", ctypes.byref(handle()), b"/no/such/file")
        self.refuses("INVALID_VALUE", "cuModuleLoad", ctypes.byref(handle()), None)
        self.refuses("FILE_NOT_FOUND", "cuLibraryLoadFromFile", ctypes.byref(handle()), b"/no/such/file", None, None, 0,
                     None, None, 0)

    def test_lists(self):
        self.assertEqual(api.get("cuModuleGetFunctionCount", self.module, kind=uint), 2)
        functions = (handle * 3)()
        api.ok("cuModuleEnumerateFunctions", functions, 3, self.module)
        self.assertEqual(list(functions), [self.add.value, self.cube.value, None])
        self.refuses("INVALID_VALUE", "cuModuleEnumerateFunctions", None, 1, self.module)
        image = driver_api.KERNELS.format(target="sm_80").encode()
        library = api.get("cuLibraryLoadData", image, None, None, 0, None, None, 0)
        self.assertEqual(api.get("cuLibraryGetKernelCount", library, kind=uint), 2)
        kernels = (handle * 1)()
        api.ok("cuLibraryEnumerateKernels", kernels, 1, library)
        self.assertEqual(kernels[0], api.get("cuLibraryGetKernel", library, b"add"))

    def test_refusals(self):
        self.refuses("INVALID_VALUE", "cuModuleGetGlobal_v2", None, None, self.module, b"table")
        image = driver_api.KERNELS.format(target="sm_80").encode()
        self.refuses("INVALID_VALUE", "cuModuleLoadDataEx", ctypes.byref(handle()), image, 2,
                     (ctypes.c_int * 2)(1, 9), (handle * 2)(128, 80))
        self.refuses("NOT_SUPPORTED", "cuMemAdvise", self.source, 4, 1, 0)
        self.refuses("NOT_SUPPORTED", "cuMemAddressReserve", ctypes.byref(address_t()), 1 << 21, 0, 0, 0)


class Contexts(driver_api.Case):
    def test_flags(self):
        for flags in (3, 5, 6, 7):
            self.refuses("INVALID_VALUE", "cuCtxCreate_v2", ctypes.byref(handle()), flags, 0)
            self.refuses("INVALID_VALUE", "cuDevicePrimaryCtxSetFlags_v2", 0, flags)
            self.refuses("INVALID_VALUE", "cuCtxSetFlags", flags)
        api.ok("cuCtxSetFlags", 2)
        self.assertEqual(api.get("cuCtxGetFlags", kind=uint), 2)
        api.ok("cuCtxSetFlags", 0)

    def test_parameters(self):
        nothing, affinity = (handle * 3)(), (handle * 3)(16, 1, None)
        self.refuses("INVALID_VALUE", "cuCtxCreate_v4", ctypes.byref(handle()), nothing, 0, 0)
        self.refuses("NOT_SUPPORTED", "cuCtxCreate_v4", ctypes.byref(handle()), affinity, 0, 0)

    def test_limits(self):
        """Each context has its own, a little beside what was asked for, and they go with it."""
        def limit(number):
            return api.get("cuCtxGetLimit", number, kind=size_t)

        own = api.get("cuCtxCreate_v2", 0, 0)
        for number, asked, got in ((0, 1001, 1008), (0, 1 << 30, 512 << 10), (5, 999, 128), (5, 0, 0),
                                   (2, 1 << 24, 1 << 24)):
            api.ok("cuCtxSetLimit", number, asked)
            self.assertEqual(limit(number), got)
        if CHIP == "sm_80":
            self.assertEqual(limit(3), 2)
            self.refuses("INVALID_VALUE", "cuCtxSetLimit", 3, 25)
        api.ok("cuCtxPopCurrent_v2", None)
        self.assertEqual(limit(0), 1024)
        api.ok("cuCtxDestroy_v2", own)
        api.ok("cuCtxSetLimit", 0, 4096)
        api.renew()
        self.assertEqual(limit(0), 1024)

    def test_reset_of_the_primary(self):
        """What another context has made stays."""
        own = api.get("cuCtxCreate_v2", 0, 0)
        memory, stream = api.allocate(4 * N), api.stream()
        api.ok("cuDevicePrimaryCtxReset_v2", 0)
        self.assertEqual(self.launch(stream, target=memory, value=1), "SUCCESS")
        api.ok("cuStreamSynchronize", stream)
        api.free(memory)
        api.ok("cuCtxDestroy_v2", own)

    def test_variables_of_libraries(self):
        """A new context finds them as the code says."""
        image = (".version 8.0\n.target sm_80\n.address_size 64\n.visible .global .align 4 .u32 word = 7;\n").encode()
        library = api.get("cuLibraryLoadData", image, None, None, 0, None, None, 0)

        def place():
            return api.get("cuLibraryGetGlobal", None, library, b"word", kind=address_t)

        api.ok("cuMemsetD32_v2", place(), 9, 1)
        self.assertEqual(api.download(place(), "uint32", 1)[0], 9)
        api.renew()
        self.assertEqual(api.download(place(), "uint32", 1)[0], 7)
        api.ok("cuLibraryUnload", library)

    def test_others(self):
        primary = api.get("cuCtxGetCurrent")
        own = api.get("cuCtxCreate_v2", 0, 0)
        ids = {api.get_second("cuCtxGetId", context) for context in (primary, own)}
        self.assertEqual(len(ids), 2)
        self.assertIn(api.get_second("cuCtxGetId", None), ids)
        for context in (own, None):
            self.assertEqual(api.get("cuCtxGetDevice_v2", context, kind=ctypes.c_int), 0)
            api.ok("cuCtxSynchronize_v2", context)
        api.ok("cuCtxSetCacheConfig", 1)
        self.assertEqual(api.get("cuCtxGetCacheConfig", kind=ctypes.c_int), 1)
        self.refuses("INVALID_VALUE", "cuCtxSetCacheConfig", 4)
        api.ok("cuProfilerStart")
        api.ok("cuProfilerStop")
        api.ok("cuCtxDestroy_v2", own)
        self.refuses("INVALID_CONTEXT", "cuCtxSynchronize_v2", own)
        self.refuses("INVALID_CONTEXT", "cuCtxGetId", own, ctypes.byref(address_t()))

    def test_events(self):
        """An event behind all streams of a context."""
        context, event, streams = api.get("cuCtxGetCurrent"), api.event(), [api.stream(), api.stream()]
        self.assertEqual(self.launch(streams[0], value=5), "SUCCESS")
        api.ok("cuCtxRecordEvent", context, event)
        api.ok("cuCtxWaitEvent", context, event)
        self.assertEqual(self.launch(streams[1], source=self.target, value=1), "SUCCESS")
        api.ok("cuEventSynchronize", event)
        self.holds(self.array + 6)
        self.refuses("INVALID_CONTEXT", "cuCtxRecordEvent", None, event)
        self.refuses("INVALID_HANDLE", "cuCtxWaitEvent", context, None)


class Devices(driver_api.Case):
    def test_bus(self):
        for text in (b"0000:01:00.0", b"0000:01:00", b"01:00.0"):
            self.assertEqual(api.get("cuDeviceGetByPCIBusId", text, kind=ctypes.c_int), 0, text)
        for text in (b"0000:01:00.7", b"01:00.7", b"02:00.0", b"01:00", b"x"):
            self.refuses("INVALID_DEVICE", "cuDeviceGetByPCIBusId", ctypes.byref(ctypes.c_int()), text)

    def test_attributes(self):
        def get(attribute):
            return api.get("cuDeviceGetAttribute", attribute, 0, kind=ctypes.c_int)

        self.assertEqual(get(126), {"sm_80": 1, "sm_90": 4}[CHIP])
        self.assertEqual([get(22), get(23), get(24), get(54), get(87), get(134)], [131072, 65536, 16384, 2046, 2, -1])
        self.assertEqual({get(attribute) for attribute in (92, 107, 124, 147)}, {0})
        self.refuses("INVALID_VALUE", "cuDeviceGetAttribute", ctypes.byref(ctypes.c_int()), 148, 0)

    def test_uuid(self):
        uuids = [ctypes.create_string_buffer(16) for _ in range(2)]
        api.ok("cuDeviceGetUuid", uuids[0], 0)
        api.ok("cuDeviceGetUuid_v2", uuids[1], 0)
        self.assertEqual(uuids[0].raw, uuids[1].raw)

    def test_environment(self):
        """The devices that count are those before the first that is none; a module's loading mode is the variable's."""
        program = ("import ctypes, sys\nlibrary, value = ctypes.CDLL(sys.argv[1]), ctypes.c_int()\n"
                   "print(library.cuInit(0), library.cuDeviceGetCount(ctypes.byref(value)), value.value)\n"
                   "library.cuModuleGetLoadingMode(ctypes.byref(value))\nprint(value.value)")

        def run(**variables):
            child = subprocess.run([sys.executable, "-c", program, LIBRARY], capture_output=True, text=True,
                                   env={**os.environ, **variables})
            return child.stdout.split()

        for devices, visible, count in (("1", "0", "1"), ("3", "2,0", "2"), ("3", "1,1,0", "1"), ("3", "0,7,1", "1")):
            self.assertEqual(run(DSCC_SIM_DEVICES=devices, CUDA_VISIBLE_DEVICES=visible)[:3], ["0", "0", count])
        for visible in ("", "-1", "none"):
            self.assertEqual(run(CUDA_VISIBLE_DEVICES=visible)[0], "100")
        self.assertEqual([run()[3], run(CUDA_MODULE_LOADING="EAGER")[3]], ["2", "1"])


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    api = driver_api.Case.api = driver_api.Api(LIBRARY)
    unittest.main()
