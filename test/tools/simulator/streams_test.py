"""Memory, streams and events of the simulated driver: what CUDA promises, and what it refuses."""

import ctypes
import json
import os
import pathlib
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True

import numpy as np

import driver_api
import driver_probes
from driver_api import MEMORY_ARRAY, MEMORY_DEVICE, MEMORY_HOST, MEMORY_UNIFIED, N, address_t, handle, size_t, uint

SEED = int(os.environ.get("DSCC_SIM_SEED", "0"))


class Order(unittest.TestCase):
    def run_with(self, seed, program, *arguments):
        """What the program prints in a process of its own."""
        child = subprocess.run([sys.executable, pathlib.Path(__file__).with_name(program), LIBRARY, *arguments],
                               env={**os.environ, "DSCC_SIM_SEED": str(seed), "DSCC_SIM_LOG": "0"},
                               capture_output=True, text=True, check=True)
        return json.loads(child.stdout)

    def test_random_programs(self):
        """Those that wait for all that they need compute what they should; those that do not, mostly do not."""
        for seed in range(6):
            programs, wrong = self.run_with(seed, "driver_programs.py")
            self.assertEqual(wrong, 0, f"seed {seed}")
            programs, wrong = self.run_with(seed, "driver_programs.py", "--forget")
            self.assertEqual(wrong, 0) if seed == 0 else self.assertGreater(wrong, programs // 2, f"seed {seed}")

    def test_seeds(self):
        """Programs with a mistake in their order go wrong with some seed, and right ones with none."""
        found = {}
        for seed in range(9):
            for name, (right, wrong) in self.run_with(seed, "driver_probes.py").items():
                self.assertTrue(right, f"{name} with seed {seed}")
                if seed == 0:
                    self.assertTrue(wrong, f"{name} in the order of its calls")
                elif not wrong:
                    found.setdefault(name, []).append(seed)
        print("mistakes found, by seed:", found)
        self.assertEqual(len(found), len(driver_probes.NAMES), found)


class Memory(driver_api.Case):
    def test_copies(self):
        stream, host = api.stream(), np.zeros(N, np.uint32)
        at = host.ctypes.data
        for name, arguments, place in (("cuMemcpyDtoD_v2", (self.target, self.source), None),
                                       ("cuMemcpy", (self.target, self.source), None),
                                       ("cuMemcpyDtoDAsync_v2", (self.target, self.source), None),
                                       ("cuMemcpyAsync", (self.target, self.source), None),
                                       ("cuMemcpyDtoH_v2", (at, self.source), host),
                                       ("cuMemcpyDtoHAsync_v2", (at, self.source), host),
                                       ("cuMemcpy", (at, self.source), host),
                                       ("cuMemcpyAsync", (at, self.source), host)):
            api.ok("cuMemsetD32_v2", self.target, 0, N)
            api.ok("cuCtxSynchronize")
            host[:] = 0
            api.ok(name, *arguments, 4 * N, *([stream] if "Async" in name else []))
            if place is None:
                self.holds(self.array)
            else:  # pageable memory: done on return
                np.testing.assert_array_equal(host, self.array)
        for name in ("cuMemcpyHtoD_v2", "cuMemcpyHtoDAsync_v2", "cuMemcpy", "cuMemcpyAsync"):
            host[:] = np.arange(N) + len(name)
            api.ok(name, self.target, at, 4 * N, *([None] if "Async" in name else []))
            self.holds(host)

    def test_wrong_copies(self):
        host = (uint * N)()
        self.refuses("INVALID_VALUE", "cuMemcpyHtoD_v2", self.target, host, 4 * N + 1)
        self.refuses("INVALID_VALUE", "cuMemcpyHtoD_v2", self.target, None, 4)
        self.refuses("INVALID_VALUE", "cuMemcpyDtoD_v2", self.target, ctypes.addressof(host), 4)
        self.refuses("INVALID_HANDLE", "cuMemcpyHtoDAsync_v2", self.target, host, 4, 12345)
        api.free(self.target)
        self.refuses("INVALID_VALUE", "cuMemcpyHtoD_v2", self.target, host, 4)
        self.refuses("INVALID_VALUE", "cuMemcpy", ctypes.addressof(host), self.target, 4)
        self.refuses("INVALID_VALUE", "cuMemFree_v2", self.target)

    def test_rows(self):
        # Columns 4 to 7 of an 8 x 8 matrix, into rows of 4.
        request = driver_api.Copy2D(source_x=16, source_type=MEMORY_DEVICE, source_device=self.source, source_pitch=32,
                                    target_type=MEMORY_UNIFIED, target_device=self.target, target_pitch=16, width=16,
                                    height=8)
        right = np.concatenate([self.array.reshape(8, 8)[:, 4:].ravel(), np.zeros(32, np.uint32)])
        for name, arguments in (("cuMemcpy2D_v2", ()), ("cuMemcpy2DAsync_v2", (api.stream(),)),
                                ("cuMemcpy2DUnaligned_v2", ())):
            api.ok("cuMemsetD32_v2", self.target, 0, N)
            api.ok("cuCtxSynchronize")
            api.ok(name, ctypes.byref(request), *arguments)
            self.holds(right)
        for change, error in ((dict(source_pitch=8), "INVALID_VALUE"), (dict(height=9), "INVALID_VALUE"),
                              (dict(source_type=9), "INVALID_VALUE"), (dict(target_pitch=1 << 40), "INVALID_VALUE"),
                              (dict(source_type=MEMORY_ARRAY), "NOT_SUPPORTED")):
            changed = driver_api.Copy2D.from_buffer_copy(request)
            for name, value in change.items():
                setattr(changed, name, value)
            self.refuses(error, "cuMemcpy2D_v2", ctypes.byref(changed))

    def test_fills(self):
        stream = api.stream()
        for bits, value in ((8, 0x11), (16, 0x2211), (32, 0x44332211)):
            word = {8: 0x11111111, 16: 0x22112211, 32: 0x44332211}[bits]
            for name, arguments in ((f"cuMemsetD{bits}_v2", ()), (f"cuMemsetD{bits}Async", (stream,))):
                api.ok("cuMemsetD32_v2", self.target, 0, N)
                api.ok("cuCtxSynchronize")
                api.ok(name, self.target, value, 2 * N * 8 // bits, *arguments)
                self.holds([word] * (N // 2) + [0] * (N // 2))
            for name, arguments in ((f"cuMemsetD2D{bits}_v2", ()), (f"cuMemsetD2D{bits}Async", (stream,))):
                api.ok("cuMemsetD32_v2", self.target, 0, N)
                api.ok("cuCtxSynchronize")
                api.ok(name, self.target, 32, value, 32 // bits, 8, *arguments)  # a word of each row of 8
                self.holds([word if i % 8 == 0 else 0 for i in range(N)])
        self.refuses("INVALID_VALUE", "cuMemsetD32_v2", self.target + 2, 0, 1)
        self.refuses("INVALID_VALUE", "cuMemsetD8_v2", self.target, 0, 4 * N + 1)
        self.refuses("INVALID_VALUE", "cuMemsetD2D32_v2", self.target, 4, 0, 2, 2)
        self.refuses("INVALID_HANDLE", "cuMemsetD8Async", self.target, 0, 1, 12345)

    def test_host_to_host(self):
        """Such copies, and fills of pinned memory, are done on return."""
        (array, at), (other, other_at) = api.pinned(), api.pinned()
        own, stream = np.full(N, 3, np.uint32), api.stream()
        api.ok("cuMemsetD32_v2", at, 7, N)
        self.assertEqual(list(array), [7] * N)
        api.ok("cuMemcpyAsync", other_at, at, 4 * N, stream)
        self.assertEqual(list(other), [7] * N)
        api.ok("cuMemcpyAsync", other_at, own.ctypes.data, 4 * N, stream)
        self.assertEqual(list(other), [3] * N)
        api.ok("cuStreamBeginCapture_v2", stream, 0)
        api.ok("cuMemcpyAsync", other_at, at, 4 * N, stream)
        graph = api.get_second("cuStreamEndCapture", stream, kind=handle)
        self.assertEqual(list(other), [3] * N)
        ready = api.get("cuGraphInstantiateWithFlags", graph, 0)
        api.ok("cuGraphLaunch", ready, stream)
        api.ok("cuStreamSynchronize", stream)
        self.assertEqual(list(other), [7] * N)

    def test_host_memory(self):
        array, address = api.pinned()
        self.assertEqual(api.get("cuMemHostGetDevicePointer_v2", address, 0, kind=address_t), address)
        array[:] = self.array.tolist()
        self.assertEqual(self.launch(source=address, value=2), "SUCCESS")  # a kernel reads it
        self.holds(self.array + 2)
        api.ok("cuMemFreeHost", address)
        self.refuses("INVALID_VALUE", "cuMemFreeHost", address)
        own = np.ones(N, np.uint32)
        at = own.ctypes.data
        api.ok("cuMemHostRegister_v2", at, own.nbytes, 0)
        self.refuses("HOST_MEMORY_ALREADY_REGISTERED", "cuMemHostRegister_v2", at + 8, 8, 0)
        self.assertEqual(api.get("cuMemHostGetDevicePointer_v2", at, 0, kind=address_t), at)
        self.refuses("INVALID_VALUE", "cuMemFreeHost", at)
        api.ok("cuMemHostUnregister", at)
        self.refuses("HOST_MEMORY_NOT_REGISTERED", "cuMemHostUnregister", at)
        self.refuses("INVALID_VALUE", "cuMemHostGetDevicePointer_v2", ctypes.byref(address_t()), at, 0)
        self.refuses("INVALID_VALUE", "cuMemAllocHost_v2", ctypes.byref(handle()), 0)
        self.refuses("NOT_SUPPORTED", "cuMemAllocManaged", ctypes.byref(address_t()), 4, 1)

    def test_addresses(self):
        begin, size = address_t(), size_t()
        api.ok("cuMemGetAddressRange_v2", ctypes.byref(begin), ctypes.byref(size), self.source + 12)
        self.assertEqual((begin.value, size.value), (self.source, 4 * N))
        self.refuses("NOT_FOUND", "cuMemGetAddressRange_v2", ctypes.byref(begin), ctypes.byref(size), 16)
        _, pinned = api.pinned()
        for address, kind in ((self.source, MEMORY_DEVICE), (pinned, MEMORY_HOST)):
            self.assertEqual(api.get("cuPointerGetAttribute", 2, address, kind=uint), kind)
        self.assertEqual(api.get("cuPointerGetAttribute", 12, self.source, kind=size_t), 4 * N)
        self.refuses("INVALID_VALUE", "cuPointerGetAttribute", ctypes.byref(begin), 4, self.source)  # not the host's
        self.refuses("INVALID_VALUE", "cuPointerGetAttribute", ctypes.byref(begin), 2, 16)
        self.refuses("INVALID_VALUE", "cuPointerGetAttribute", ctypes.byref(begin), 99, self.source)
        kind, managed, first = uint(7), ctypes.c_ubyte(7), address_t(7)
        places = (handle * 3)(*map(ctypes.addressof, (kind, managed, first)))
        api.ok("cuPointerGetAttributes", 3, (ctypes.c_int * 3)(2, 8, 11), places, self.source + 4)
        self.assertEqual((kind.value, managed.value, first.value), (MEMORY_DEVICE, 0, self.source))
        api.ok("cuPointerGetAttributes", 3, (ctypes.c_int * 3)(2, 8, 11), places, 16)
        self.assertEqual((kind.value, managed.value, first.value), (0, 0, 0))

    def test_amount(self):
        free, total = size_t(), size_t()
        api.ok("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        before = free.value
        memory = api.allocate(1 << 20)
        api.ok("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        self.assertEqual(before - free.value, 1 << 20)
        api.free(memory)
        self.refuses("OUT_OF_MEMORY", "cuMemAlloc_v2", ctypes.byref(address_t()), total.value)
        self.refuses("INVALID_VALUE", "cuMemAlloc_v2", ctypes.byref(address_t()), 0)


class Streams(driver_api.Case):
    def test_attributes(self):
        least, greatest = ctypes.c_int(), ctypes.c_int()
        api.ok("cuCtxGetStreamPriorityRange", ctypes.byref(least), ctypes.byref(greatest))
        self.assertLess(greatest.value, least.value)
        stream = api.get("cuStreamCreateWithPriority", 1, greatest.value - 1)
        value = ctypes.c_int()
        api.ok("cuStreamGetPriority", stream, ctypes.byref(value))
        self.assertEqual(value.value, greatest.value)  # as high as there is
        flags = uint()
        for one, expected in ((stream, 1), (None, 0), (1, 0), (2, 0)):
            api.ok("cuStreamGetFlags", one, ctypes.byref(flags))
            self.assertEqual(flags.value, expected)
        self.refuses("INVALID_VALUE", "cuStreamCreate", ctypes.byref(handle()), 2)
        plain = api.stream()
        self.assertEqual(api.get_second("cuStreamGetDevice", plain, kind=ctypes.c_int), 0)
        PRIORITY, WINDOW, COOPERATIVE = 8, 1, 2
        value, other = (ctypes.c_int * 16)(greatest.value, 5), api.stream()
        api.ok("cuStreamSetAttribute", other, PRIORITY, value)
        api.ok("cuStreamSetAttribute", other, WINDOW, value)
        api.ok("cuStreamCopyAttributes", plain, other)
        for attribute, expected in ((PRIORITY, 0), (WINDOW, 5)):
            api.ok("cuStreamGetAttribute", plain, attribute, value)
            self.assertEqual(value[:2], [greatest.value, expected])
        self.refuses("INVALID_VALUE", "cuStreamGetAttribute", other, COOPERATIVE, value)
        api.ok("cuStreamDestroy_v2", stream)
        for name in ("cuStreamDestroy_v2", "cuStreamSynchronize", "cuStreamQuery"):
            self.refuses("INVALID_HANDLE", name, stream)

    def test_contexts(self):
        """Streams and events are of the context that was current; many calls need none but for default streams."""
        stream, event, primary = api.stream(), api.event(), api.get("cuCtxGetCurrent")
        other = api.get("cuCtxCreate_v2", 0, 0)
        self.assertEqual(api.get_second("cuStreamGetCtx", stream, kind=handle), primary)
        self.assertEqual(api.get_second("cuStreamGetCtx", None, kind=handle), other)
        self.refuses("INVALID_HANDLE", "cuEventRecord", api.event(), stream)
        self.refuses("INVALID_HANDLE", "cuEventRecord", event, None)
        api.ok("cuEventRecord", event, stream)
        for _ in range(2):
            api.ok("cuCtxPopCurrent_v2", None)
        pool, memory = api.get("cuDeviceGetDefaultMemPool", 0), ctypes.byref(address_t())
        graph = api.get("cuGraphCreate", 0)
        for name, *arguments in (("cuMemAllocAsync", memory, 4), ("cuMemAllocFromPoolAsync", memory, 4, pool),
                                 ("cuMemFreeAsync", None)):
            self.refuses("INVALID_CONTEXT", name, *arguments, None)
            api.ok(name, *arguments, stream)
        for name in ("cuStreamGetCtx", "cuStreamGetId"):
            self.refuses("INVALID_CONTEXT", name, 2, memory)
            api.ok(name, stream, memory)
        api.error("cuEventQuery", event)
        api.ok("cuGraphAddEmptyNode", ctypes.byref(handle()), graph, None, 0)
        ready = api.get("cuGraphInstantiateWithFlags", graph, 0)
        api.ok("cuGraphLaunch", ready, stream)
        self.refuses("INVALID_CONTEXT", "cuGraphLaunch", ready, 1)
        self.refuses("INVALID_CONTEXT", "cuStreamSynchronize", stream)
        api.ok("cuCtxDestroy_v2", other)
        api.ok("cuCtxSetCurrent", primary)
        for name, *arguments in (("cuEventRecordWithFlags", event, stream), ("cuStreamWaitEvent", stream, event)):
            self.refuses("INVALID_VALUE", name, *arguments, 1)  # a node, and there is no capture

    def test_query(self):
        """With a seed work waits until somebody asks, and asking gets it done in the end."""
        for stream in (api.stream(), api.stream(0), 1, 2):
            self.assertEqual(self.launch(stream), "SUCCESS")
            answers = [api.error("cuStreamQuery", stream)]
            while answers[-1] == "NOT_READY":
                answers.append(api.error("cuStreamQuery", stream))
            self.assertEqual(answers[-1], "SUCCESS")
            self.assertLess(len(answers), 50)

    def test_default_stream(self):
        """Whatever is called in it stands between the work before and after it in streams that block."""
        first, second, never, done = api.stream(0), api.stream(0), api.event(), api.event()
        api.ok("cuEventRecord", done, first)
        api.ok("cuEventSynchronize", done)
        calls = [lambda event=event: api.ok("cuStreamWaitEvent", None, event, 0) for event in (never, done)]
        for value, call in enumerate(calls + [lambda: api.get("cuMemAllocAsync", 4, None, kind=address_t)]):
            between, end = api.upload(np.zeros(N, np.uint32)), api.upload(np.zeros(N, np.uint32))
            self.assertEqual(self.launch(first, target=between, value=value), "SUCCESS")
            call()
            self.assertEqual(self.launch(second, target=end, source=between, value=10), "SUCCESS")
            self.holds(self.array + value + 10, end)

    def test_destroyed_stream(self):
        """Its work goes on, and who waited for it still does."""
        stream, other, event = api.stream(), api.stream(), api.event()
        self.assertEqual(self.launch(stream), "SUCCESS")
        api.ok("cuEventRecord", event, stream)
        api.ok("cuStreamWaitEvent", other, event, 0)
        api.ok("cuEventDestroy_v2", event)
        api.ok("cuStreamDestroy_v2", stream)
        self.assertEqual(self.launch(other, source=self.target, target=self.target, value=1), "SUCCESS")
        api.ok("cuStreamSynchronize", other)
        np.testing.assert_array_equal(self.result(), self.array + 2)

    def test_free_waits(self):
        stream = api.stream()
        self.assertEqual(self.launch(stream), "SUCCESS")
        api.free(self.source)  # after the kernel that reads it
        self.holds(self.array + 1)

    def test_thread_streams(self):
        """Each host thread has a default stream of its own."""
        ids = []

        def note():
            api.ok("cuCtxSetCurrent", primary)
            ids.append(api.get_second("cuStreamGetId", 2))

        primary = api.get("cuCtxGetCurrent")
        for thread in [threading.Thread(target=note) for _ in range(2)]:
            thread.start()
            thread.join()
        note()
        self.assertEqual(len(set(ids)), 3)

    def test_functions_per_thread(self):
        """By cuGetProcAddress with flag 2 a function's stream 0 is the thread's own."""
        def find(name, *kinds):
            address, status = handle(), ctypes.c_int()
            api.ok("cuGetProcAddress_v2", name.encode(), ctypes.byref(address), 12000, 2, ctypes.byref(status))
            self.assertEqual(status.value, 0)
            return ctypes.CFUNCTYPE(ctypes.c_int, *kinds)(address.value)

        number = address_t()
        get_id = find("cuStreamGetId", handle, handle)
        for stream, expected in ((None, 2), (1, 1), (2, 2)):
            self.assertEqual(get_id(stream, ctypes.addressof(number)), 0)
            self.assertEqual(number.value, api.get_second("cuStreamGetId", expected))
        self.assertEqual(api.get_second("cuStreamGetId", None), 0)
        # Captured as the legacy stream cannot be.
        self.assertEqual(find("cuStreamBeginCapture", handle, ctypes.c_int)(None, 0), 0)
        self.assertEqual(find("cuMemsetD32Async", address_t, uint, size_t, handle)(self.target, 3, N, None), 0)
        graph = handle()
        self.assertEqual(find("cuStreamEndCapture", handle, handle)(None, ctypes.addressof(graph)), 0)
        ready = api.get("cuGraphInstantiateWithFlags", graph, 0)
        self.assertEqual(find("cuGraphLaunch", handle, handle)(ready, None), 0)
        self.assertEqual(find("cuStreamSynchronize", handle)(None), 0)
        self.assertEqual(find("cuMemcpyDtoD", address_t, address_t, size_t)(self.source, self.target, 4 * N), 0)
        self.assertEqual(find("cuStreamSynchronize", handle)(None), 0)
        self.holds([3] * N, self.source)
        plain, same = handle(), handle()
        for flags, place in ((0, plain), (2, same)):
            api.ok("cuGetProcAddress", b"cuMemAlloc", ctypes.byref(place), 12000, flags)
        self.assertEqual(plain.value, same.value)  # knows of no stream

    def test_thread_streams_of_two_contexts(self):
        """Nor do threads share one when another context's have the same addresses."""
        def ask():
            api.ok("cuCtxSetCurrent", contexts[-1])
            ids.append(api.get_second("cuStreamGetId", 2))
            barrier.wait()
            barrier.wait()
            api.ok("cuCtxSetCurrent", contexts[-1])
            turn.wait()
            ids.append(api.get_second("cuStreamGetId", 2))

        for _ in range(4):
            ids, contexts, barrier, turn = [], [api.get("cuCtxGetCurrent")], threading.Barrier(2), threading.Event()
            thread = threading.Thread(target=ask)
            thread.start()
            barrier.wait()
            api.renew()
            contexts.append(api.get("cuCtxGetCurrent"))
            ids.append(api.get_second("cuStreamGetId", 2))
            barrier.wait()
            turn.set()
            thread.join()
            self.assertEqual(len(set(ids)), 3)

    def test_host_functions(self):
        """They run without a further call, behind their stream's work, and may wait for who has enqueued them."""
        stream, seen = api.stream(), []
        array, at = api.pinned()
        for name, kind, rest in (("cuLaunchHostFunc", driver_api.HostFunction, ()),
                                 ("cuStreamAddCallback", driver_api.StreamCallback, (0,))):
            ended = threading.Event()
            array[5] = 0
            function = kind(lambda *_: (seen.append(array[5]), ended.set()))
            self.assertEqual(self.launch(stream, target=at), "SUCCESS")
            api.ok(name, stream, function, None, *rest)
            self.assertTrue(ended.wait(60), name)
            api.ok("cuStreamSynchronize", stream)
        self.assertEqual(seen, [6, 6])

        # One that waits for this thread, and for another one that calls the driver.
        go, called, waited = threading.Event(), threading.Event(), []

        def call():
            go.wait(60)
            api.ok("cuCtxSetCurrent", context)
            self.assertEqual(self.launch(other), "SUCCESS")
            api.ok("cuStreamSynchronize", other)
            called.set()

        context, other = api.get("cuCtxGetCurrent"), api.stream()
        thread = threading.Thread(target=call)
        thread.start()
        function = driver_api.HostFunction(lambda _: waited.append((go.wait(60), called.wait(60))))
        api.ok("cuLaunchHostFunc", stream, function, None)
        own = np.full(N, 3, np.uint32)
        api.ok("cuMemcpyHtoDAsync_v2", self.source, own.ctypes.data, own.nbytes, stream)
        own[:] = 4  # the call has taken its bytes
        self.assertEqual(self.launch(stream, value=10), "SUCCESS")
        self.refuses("NOT_READY", "cuStreamQuery", stream)
        go.set()
        self.holds([13] * N)
        thread.join()
        self.assertEqual(waited, [(True, True)])

    def test_host_function_at_exit(self):
        """A process may end with functions that have not run, or that wait."""
        for wait in ("", "time.sleep(1000)"):
            program = f"""
import ctypes, sys, time
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import driver_api
api, kind = driver_api.Api({LIBRARY!r}), driver_api.HostFunction
function, stream = kind(lambda _: None), api.stream()
late = kind(lambda _: {wait or None})
for one in (function, late, function):
    api.ok("cuLaunchHostFunc", stream, one, None)
time.sleep(0.01 if {bool(wait)} else 0)
"""
            child = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True, timeout=60)
            self.assertEqual((child.returncode, child.stderr), (0, ""))

    def test_words_of_memory(self):
        """A stream waits for what the host, a kernel or another stream writes."""
        waiting, writing, (array, at) = api.stream(), api.stream(), api.pinned()
        GEQ, EQ, AND, NOR = range(4)
        for bits, condition, value, start, end in ((32, GEQ, 5, 4, 5), (64, GEQ, 5, 4, 6), (32, GEQ, 2, 2**32 - 9, 3),
                                                   (32, EQ, 7, 8, 7), (64, AND, 6, 1, 2), (32, NOR, 1, 2**32 - 1, 2**32 - 3)):
            for write in ("host", "stream", "kernel"):
                array[0], array[1] = start, 0
                api.ok("cuMemsetD32_v2", self.target, 0, N)
                api.ok("cuMemsetD32_v2", self.source, end, N)
                api.ok("cuCtxSynchronize")
                api.ok(f"cuStreamWaitValue{bits}_v2", waiting, at, value, condition)
                api.ok("cuMemcpyDtoDAsync_v2", self.target, self.source, 4 * N, waiting)
                for _ in range(3):
                    self.refuses("NOT_READY", "cuStreamQuery", waiting)
                if write == "host":
                    array[0] = end
                elif write == "stream":
                    api.ok(f"cuStreamWriteValue{bits}_v2", writing, at, end, 0)
                else:
                    self.assertEqual(self.launch(writing, target=at, source=self.source, value=0, threads=1), "SUCCESS")
                api.ok("cuStreamSynchronize", waiting)
                self.holds([end] * N)
        # A host function behind a word comes without a further call.
        array[0], ended = 0, threading.Event()
        function = driver_api.HostFunction(lambda _: ended.set())
        api.ok("cuStreamWaitValue32_v2", waiting, at, 1, EQ)
        api.ok("cuLaunchHostFunc", waiting, function, None)
        self.assertFalse(ended.wait(0.02))
        array[0] = 1
        self.assertTrue(ended.wait(60))
        WAIT32, WRITE32, FLUSH, WRITE64, BARRIER = 1, 2, 3, 5, 6
        rows = [(WRITE32, at, 3, 0), (BARRIER, 0, 0, 0), (WAIT32, at, 3, EQ), (WRITE64, at + 8, 2**40, 1)]
        batch = lambda *rows: (driver_api.BatchMemOp * len(rows))(*[driver_api.BatchMemOp(kind, 0, *row)
                                                                    for kind, *row in rows])
        api.ok("cuStreamBatchMemOp_v2", waiting, 4, batch(*rows), 0)
        api.ok("cuStreamSynchronize", waiting)
        self.assertEqual((array[0], array[2:4]), (3, [0, 2**8]))
        self.refuses("NOT_SUPPORTED", "cuStreamBatchMemOp_v2", waiting, 1, batch((FLUSH, 0, 0, 0)), 0)
        self.refuses("INVALID_VALUE", "cuStreamBatchMemOp_v2", waiting, 256, batch(*rows * 64), 0)
        for name, *arguments in (("WaitValue32", at + 2, 0, 0), ("WriteValue64", at + 4, 0, 0),
                                 ("WaitValue32", at, 0, 4), ("WriteValue32", 16, 0, 0), ("WriteValue32", at, 0, 2)):
            self.refuses("INVALID_VALUE", f"cuStream{name}_v2", waiting, *arguments)

    def test_events(self):
        begin, end, plain = api.event(0), api.event(0), api.event(2)
        time = ctypes.c_float()
        for event in (begin, plain):
            api.ok("cuEventSynchronize", event)  # never recorded
            api.ok("cuEventQuery", event)
        self.refuses("INVALID_HANDLE", "cuEventElapsedTime", ctypes.byref(time), begin, end)
        stream = api.stream()
        api.ok("cuEventRecord", begin, stream)
        self.assertEqual(self.launch(stream), "SUCCESS")
        api.ok("cuEventRecord", end, stream)
        if SEED:
            self.refuses("NOT_READY", "cuEventElapsedTime", ctypes.byref(time), begin, end)
        while api.error("cuEventQuery", end) == "NOT_READY":
            pass
        api.ok("cuEventElapsedTime", ctypes.byref(time), begin, end)
        self.assertGreaterEqual(time.value, 0)
        api.ok("cuEventRecord", plain, stream)
        api.ok("cuEventSynchronize", plain)
        self.refuses("INVALID_HANDLE", "cuEventElapsedTime", ctypes.byref(time), begin, plain)
        self.refuses("INVALID_VALUE", "cuEventCreate", ctypes.byref(handle()), 8)
        api.ok("cuEventDestroy_v2", plain)
        self.refuses("INVALID_HANDLE", "cuEventRecord", plain, stream)
        self.refuses("INVALID_HANDLE", "cuStreamWaitEvent", stream, plain, 0)

    def test_fault_shows_later(self):
        stream, other = api.stream(), api.stream()
        self.assertEqual(self.launch(stream, target=16), "SUCCESS")
        self.refuses("ILLEGAL_ADDRESS", "cuStreamSynchronize", stream)
        self.refuses("ILLEGAL_ADDRESS", "cuStreamSynchronize", other)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    api = driver_api.Case.api = driver_api.Api(LIBRARY)
    unittest.main()
