"""Memory that streams allocate and free, and the pools that it is of: what CUDA promises, and what it refuses."""

import ctypes
import os
import sys
import unittest

sys.dont_write_bytecode = True

import driver_api
from driver_api import N, address_t, handle

SEED = int(os.environ.get("DSCC_SIM_SEED", "0"))


class Pools(driver_api.Case):
    def test_pools(self):
        def attribute(pool, number):
            return api.get_second("cuMemPoolGetAttribute", pool, number)

        stream = api.stream()
        default = api.get("cuDeviceGetDefaultMemPool", 0)
        self.refuses("INVALID_VALUE", "cuMemPoolDestroy", default)
        props = driver_api.PoolProps(allocation=1, location=1, max_bytes=4 << 20)
        pool = api.get("cuMemPoolCreate", ctypes.byref(props))
        memory = api.get("cuMemAllocFromPoolAsync", 3 << 20, pool, stream, kind=address_t)
        self.assertEqual([attribute(pool, n) for n in (7, 8, 5)], [3 << 20, 3 << 20, 4 << 20])
        self.assertEqual(api.get("cuPointerGetAttribute", 17, memory), pool)
        self.refuses("OUT_OF_MEMORY", "cuMemAllocFromPoolAsync", ctypes.byref(address_t()), 2 << 20, pool, stream)
        api.ok("cuMemPoolSetAttribute", pool, 4, ctypes.byref(address_t(2 << 20)))  # keep 2 MiB
        api.ok("cuMemFreeAsync", memory, stream)
        self.refuses("INVALID_VALUE", "cuMemFreeAsync", memory, stream)
        api.ok("cuStreamSynchronize", stream)
        self.assertEqual([attribute(pool, n) for n in (7, 8, 5)], [0, 3 << 20, 2 << 20])
        api.ok("cuMemPoolTrimTo", pool, 0)
        self.assertEqual(attribute(pool, 5), 0)
        api.ok("cuMemPoolSetAttribute", pool, 8, ctypes.byref(address_t(0)))
        self.assertEqual(attribute(pool, 8), 0)
        self.refuses("INVALID_VALUE", "cuMemPoolSetAttribute", pool, 7, ctypes.byref(address_t(0)))
        # What is freed in the order of the stream makes room.
        for size in (3 << 20, 2 << 20, 3 << 20):
            memory = api.get("cuMemAllocFromPoolAsync", size, pool, stream, kind=address_t)
            api.ok("cuMemFreeAsync", memory, stream)
        # A pool that is destroyed goes when its last allocation does.
        memory = api.get("cuMemAllocFromPoolAsync", 4 * N, pool, stream, kind=address_t)
        api.ok("cuMemPoolDestroy", pool)
        self.refuses("INVALID_VALUE", "cuMemAllocFromPoolAsync", ctypes.byref(address_t()), 4, pool, stream)
        self.assertEqual(self.launch(stream, target=memory), "SUCCESS")
        api.ok("cuMemFreeAsync", memory, stream)
        api.ok("cuStreamSynchronize", stream)
        for error, allocation, location, rest in (
                ("NOT_SUPPORTED", 2, 1, {}), ("NOT_SUPPORTED", 1, 2, {}), ("NOT_SUPPORTED", 1, 3, {}),
                ("INVALID_VALUE", 3, 1, {}), ("INVALID_VALUE", 1, 9, {}), ("INVALID_VALUE", 1, 1, dict(device=7)),
                ("INVALID_VALUE", 1, 1, dict(reserved=(ctypes.c_ubyte * 54)(1)))):
            props = driver_api.PoolProps(allocation=allocation, location=location, **rest)
            self.refuses(error, "cuMemPoolCreate", ctypes.byref(handle()), ctypes.byref(props))

    def test_pools_by_location(self):
        PINNED, MANAGED, DEVICE, HOST = 1, 2, 1, 2
        default, current = api.get("cuDeviceGetDefaultMemPool", 0), handle()
        place = lambda kind, number=0: (ctypes.c_int * 2)(kind, number)
        pool = api.get("cuMemPoolCreate", ctypes.byref(driver_api.PoolProps(allocation=PINNED, location=DEVICE)))
        api.ok("cuMemSetMemPool", place(DEVICE), PINNED, pool)
        for name, expected in (("cuMemGetDefaultMemPool", default), ("cuMemGetMemPool", pool)):
            self.assertEqual(api.get(name, place(DEVICE), PINNED), expected)
            for error, where, kind in (("NOT_SUPPORTED", place(HOST), PINNED), ("NOT_SUPPORTED", place(0), MANAGED),
                                       ("INVALID_VALUE", place(0), PINNED), ("INVALID_DEVICE", place(DEVICE, 9), PINNED),
                                       ("INVALID_VALUE", place(DEVICE), 7)):
                self.refuses(error, name, ctypes.byref(current), where, kind)
        flags = ctypes.c_int()
        for where, expected in ((place(DEVICE), 3), (place(HOST), 0)):
            api.ok("cuMemPoolGetAccess", ctypes.byref(flags), pool, where)
            self.assertEqual(flags.value, expected)
        api.ok("cuMemPoolSetAccess", pool, (ctypes.c_int * 3)(DEVICE, 0, 3), 1)
        self.refuses("INVALID_VALUE", "cuMemPoolSetAccess", pool, (ctypes.c_int * 3)(DEVICE, 9, 3), 1)
        for name in ("ExportToShareableHandle", "ImportFromShareableHandle", "ExportPointer", "ImportPointer"):
            self.refuses("NOT_SUPPORTED", f"cuMemPool{name}", *[0] * 4)
        api.ok("cuMemPoolDestroy", pool)

    def test_memory_of_graphs(self):
        for attribute in range(4):
            self.assertEqual(api.get_second("cuDeviceGetGraphMemAttribute", 0, attribute), 0)
        api.ok("cuDeviceSetGraphMemAttribute", 0, 1, ctypes.byref(address_t(0)))
        self.refuses("INVALID_VALUE", "cuDeviceSetGraphMemAttribute", 0, 0, ctypes.byref(address_t(0)))
        api.ok("cuDeviceGraphMemTrim", 0)
        self.refuses("INVALID_DEVICE", "cuDeviceGraphMemTrim", 9)

    def test_refused_free(self):
        """Memory that is no pool's does not become a pool's when it cannot be freed."""
        memory, stream, used = api.allocate(4096), api.stream(), address_t()
        pool = api.get("cuDeviceGetDefaultMemPool", 0)
        api.ok("cuStreamBeginCapture_v2", stream, 2)
        self.refuses("STREAM_CAPTURE_UNSUPPORTED", "cuMemFreeAsync", memory, stream)
        api.code("cuStreamEndCapture", stream, ctypes.byref(handle()))
        api.ok("cuMemPoolGetAttribute", pool, 7, ctypes.byref(used))
        self.assertEqual((used.value, api.get("cuPointerGetAttribute", 17, memory)), (0, None))
        self.assertEqual(api.get("cuPointerGetAttribute", 1, memory), api.get("cuCtxGetCurrent"))
        api.ok("cuMemFreeAsync", memory, stream)
        self.assertIsNone(api.get("cuPointerGetAttribute", 1, api.get("cuMemAllocAsync", 4, stream, kind=address_t)))

    def test_use_after_free(self):
        """In the order of one stream."""
        stream = api.stream()
        memory = api.get("cuMemAllocAsync", 4 * N, stream, kind=address_t)
        self.assertEqual(self.launch(stream, target=memory), "SUCCESS")
        api.ok("cuMemFreeAsync", memory, stream)
        self.assertEqual(self.launch(stream, source=memory), "SUCCESS")
        self.refuses("ILLEGAL_ADDRESS", "cuStreamSynchronize", stream)

    def test_free_of_pool_memory(self):
        """Without a stream it does not wait."""
        stream = api.stream()
        memory = api.get("cuMemAllocAsync", 4 * N, stream, kind=address_t)
        self.assertEqual(self.launch(stream, target=memory), "SUCCESS")
        api.ok("cuMemFree_v2", memory)
        self.refuses("ILLEGAL_ADDRESS" if SEED else "SUCCESS", "cuStreamSynchronize", stream)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    api = driver_api.Case.api = driver_api.Api(LIBRARY)
    unittest.main()
