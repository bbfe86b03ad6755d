"""Memory of the simulator's driver: slices, sizes that overflow, memory that is not there, what is known of addresses.

What streams do with memory is in streams_test.py.
"""

import ctypes
import mmap
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

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


class Slices(driver_api.Case):
    """A box of 12 bytes, 3 rows, 2 slices out of slices of 5 rows of 20 bytes, and into such of 4 rows of 16."""

    def setUp(self):
        super().setUp()
        self.numbers = np.arange(400, dtype=np.uint8)
        self.wide, self.packed = api.upload(self.numbers), api.upload(np.zeros(256, np.uint8))
        api.ok("cuCtxSynchronize")

    def request(self, **source):
        request = driver_api.Copy3D(width=12, height=3, depth=2)
        for side, values in ((request.source, dict(type=MEMORY_DEVICE, device=self.wide, pitch=20, height=5, x=4, y=1,
                                                   z=1, **source)),
                             (request.target, dict(type=MEMORY_DEVICE, device=self.packed, pitch=16, height=4, x=2))):
            for name, value in values.items():
                setattr(side, name, value)
        return request

    def expected(self):
        box = self.numbers.reshape(4, 5, 20)[1:3, 1:4, 4:16]
        target = np.zeros((4, 4, 16), np.uint8)
        target[:2, :3, 2:14] = box
        return target.reshape(-1)

    def check(self):
        api.ok("cuCtxSynchronize")
        np.testing.assert_array_equal(api.download(self.packed, np.uint8, 256), self.expected())

    def test_device(self):
        api.ok("cuMemcpy3D_v2", ctypes.byref(self.request()))
        self.check()

    def test_host(self):
        """Pageable memory: the call has its bytes when it returns."""
        source = self.numbers.copy()
        for name, tail in (("cuMemcpy3D_v2", ()), ("cuMemcpy3DAsync_v2", (api.stream(),))):
            api.ok("cuMemsetD8_v2", self.packed, 0, 256)
            api.ok("cuCtxSynchronize")
            request = self.request()
            request.source.type, request.source.host = driver_api.MEMORY_HOST, source.ctypes.data
            api.ok(name, ctypes.byref(request), *tail)
            source[:] = 1
            self.check()
            source[:] = self.numbers

    def test_refusals(self):
        for side, name, value in (("source", "height", 3), ("source", "pitch", 15), ("source", "z", 3),
                                  ("target", "z", 1 << 62), ("source", "height", 1 << 62), ("target", "y", 2)):
            request = self.request()
            setattr(getattr(request, side), name, value)
            self.refuses("INVALID_VALUE", "cuMemcpy3D_v2", ctypes.byref(request))
        request = self.request()
        request.depth = 1 << 62
        self.refuses("INVALID_VALUE", "cuMemcpy3D_v2", ctypes.byref(request))
        request.depth = 0
        api.ok("cuMemcpy3D_v2", ctypes.byref(request))
        request = self.request()
        request.source.type = driver_api.MEMORY_ARRAY
        self.refuses("NOT_SUPPORTED", "cuMemcpy3D_v2", ctypes.byref(request))

    def test_node(self):
        graph = api.get("cuGraphCreate", 0)
        request = self.request()
        context = api.get("cuCtxGetCurrent")
        api.get("cuGraphAddMemcpyNode", graph, None, 0, ctypes.byref(request), context)
        api.ok("cuGraphLaunch", api.get("cuGraphInstantiateWithFlags", graph, 0), None)
        self.check()


class Allocation(driver_api.Case):
    def test_pitch(self):
        pitch = size_t()
        memory = api.get("cuMemAllocPitch_v2", ctypes.byref(pitch), 600, 3, 4, kind=address_t)
        self.assertEqual(pitch.value, 1024)
        api.ok("cuMemsetD2D8_v2", memory, pitch.value, 1, 600, 3)
        for width, height, element in ((600, 3, 5), (0, 3, 4), (600, 0, 4), (2**63, 3, 4)):
            self.refuses("INVALID_VALUE", "cuMemAllocPitch_v2", ctypes.byref(address_t()), ctypes.byref(pitch), width,
                         height, element)
        self.refuses("OUT_OF_MEMORY", "cuMemAllocPitch_v2", ctypes.byref(address_t()), ctypes.byref(pitch), 600, 2**62,
                     4)

    def test_between_contexts(self):
        first = api.get("cuCtxGetCurrent")
        own = api.get("cuCtxCreate_v2", 0, 0)
        api.ok("cuMemcpyPeer", self.target, own, self.source, first, 4 * N)
        api.ok("cuMemcpyPeerAsync", self.target, own, self.source, first, 4 * N, None)
        self.holds(self.array)
        self.refuses("INVALID_CONTEXT", "cuMemcpyPeer", self.target, None, self.source, first, 4 * N)
        api.ok("cuCtxDestroy_v2", own)


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
