"""Memory of the simulator's driver: sizes that overflow, memory that is not there, and what is known about addresses.

What streams do with memory is in streams_test.py.
"""

import ctypes
import mmap
import sys
import unittest

sys.dont_write_bytecode = True

import driver_api
from driver_api import MEMORY_DEVICE, N, address_t, handle, size_t, uint


class Sizes(driver_api.Case):
    def test_overflow(self):
        memory = api.allocate(1 << 16)
        for call in (("cuMemsetD32_v2", memory, 0, 1 << 62), ("cuMemsetD8_v2", memory, 0, 2**64 - 1),
                     ("cuMemsetD2D8_v2", memory, 1 << 30, 0, 16, (1 << 34) + 1),
                     ("cuMemsetD2D32_v2", memory, 1 << 30, 0, 1 << 62, 2),
                     ("cuMemsetD2D32Async", memory, 1 << 30, 0, 16, 1 << 62, None)):
            self.refuses("INVALID_VALUE", *call)

        def copy(**changes):
            both = dict(type=MEMORY_DEVICE, device=memory, pitch=1 << 30)
            request = driver_api.Copy2D(width=16, height=2)
            for side in ("source", "target"):
                for name, value in both.items():
                    setattr(request, f"{side}_{name}", value)
            for name, value in changes.items():
                setattr(request, name, value)
            return api.error("cuMemcpy2D_v2", ctypes.byref(request))

        for changes in (dict(height=(1 << 34) + 1), dict(width=1 << 63, source_pitch=0, target_pitch=0),
                        dict(source_y=1 << 62), dict(target_x=2**64 - 8), dict(target_device=2**64 - 8)):
            self.assertEqual(copy(**changes), "INVALID_VALUE", changes)

    def test_pitch_holds_rows(self):
        """A pitch that is given has room for what lies before a row's bytes as well."""
        request = driver_api.Copy2D(source_type=MEMORY_DEVICE, source_device=self.source, source_pitch=32, source_x=16,
                                    target_type=MEMORY_DEVICE, target_device=self.target, target_pitch=16, width=16,
                                    height=1)
        api.ok("cuMemcpy2D_v2", ctypes.byref(request))
        request.source_x = 20
        self.refuses("INVALID_VALUE", "cuMemcpy2D_v2", ctypes.byref(request))
        request.source_x, request.target_pitch = 0, 12
        self.refuses("INVALID_VALUE", "cuMemcpy2D_v2", ctypes.byref(request))


class Registration(driver_api.Case):
    def test_what_is_not_there(self):
        page = mmap.PAGESIZE
        self.refuses("INVALID_VALUE", "cuMemHostRegister_v2", page, page, 0)
        self.refuses("INVALID_VALUE", "cuMemHostRegister_v2", 2**64 - page, 1 << 20, 0)
        own = mmap.mmap(-1, 4 * page)
        begin = ctypes.addressof(ctypes.c_char.from_buffer(own))
        self.refuses("INVALID_VALUE", "cuMemHostRegister_v2", begin, 1 << 46, 0)
        api.ok("cuMemHostRegister_v2", begin + 8, 3 * page, 0)
        api.ok("cuMemHostUnregister", begin + 8)


class Pointers(driver_api.Case):
    def attribute(self, number, address, kind=address_t):
        return api.get("cuPointerGetAttribute", number, address, kind=kind)

    def test_null_places(self):
        self.refuses("INVALID_VALUE", "cuPointerGetAttributes", 1, (ctypes.c_int * 1)(2), (handle * 1)(None),
                     self.source)

    def test_context(self):
        first = api.get("cuCtxGetCurrent")
        own = api.get("cuCtxCreate_v2", 0, 0)
        memory = api.allocate(16)
        self.assertEqual([self.attribute(1, self.source), self.attribute(1, memory)], [first, own])
        api.ok("cuCtxDestroy_v2", own)

    def test_numbers(self):
        """A number is never used again, an address may be."""
        seen = set()
        for _ in range(5):
            memory = api.allocate(64)
            self.assertEqual(self.attribute(7, memory), self.attribute(7, memory + 8))
            seen.add(self.attribute(7, memory))
            api.free(memory)
        _, pinned = api.pinned()
        pooled = api.get("cuMemAllocAsync", 64, None, kind=address_t)
        seen |= {self.attribute(7, address) for address in (pinned, pooled, self.source)}
        self.assertEqual(len(seen), 8)

    def test_mapping(self):
        self.assertEqual(self.attribute(18, self.source + 8, size_t), 4 * N)
        self.assertEqual(self.attribute(19, self.source + 8), self.source)
        self.assertEqual(self.attribute(20, self.source), self.attribute(7, self.source))
        self.assertEqual(self.attribute(21, self.source, ctypes.c_bool), False)

    def test_setting(self):
        api.ok("cuPointerSetAttribute", ctypes.byref(uint(1)), 6, self.source + 4)
        self.assertEqual([self.attribute(6, place, uint) for place in (self.source, self.target)], [1, 0])
        self.refuses("INVALID_VALUE", "cuPointerSetAttribute", ctypes.byref(uint(1)), 7, self.source)
        self.refuses("INVALID_VALUE", "cuPointerSetAttribute", ctypes.byref(uint(1)), 6, 16)
        self.refuses("INVALID_VALUE", "cuPointerSetAttribute", None, 6, self.source)


if __name__ == "__main__":
    api = driver_api.Case.api = driver_api.Api(sys.argv.pop(1))
    unittest.main()
