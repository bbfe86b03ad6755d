"""Captures of the simulated driver's streams: what CUDA promises, and what it refuses."""

import ctypes
import sys
import threading
import unittest

sys.dont_write_bytecode = True

import driver_api
from driver_api import N, address_t, handle, size_t

GLOBAL, THREAD_LOCAL, RELAXED = 0, 1, 2
NONE, ACTIVE, INVALIDATED = 0, 1, 2
KERNEL, MEMCPY, MEMSET, HOST, EMPTY = 0, 1, 2, 3, 5


class Captures(driver_api.GraphCase):
    def begin(self, mode=GLOBAL):
        api.ok("cuStreamBeginCapture_v2", self.stream, mode)

    def end(self):
        return api.get_second("cuStreamEndCapture", self.stream, kind=handle)

    def ends_with(self, error):
        graph = handle(1)
        self.refuses(error, "cuStreamEndCapture", self.stream, ctypes.byref(graph))
        self.assertIsNone(graph.value)
        self.assertEqual(self.status(self.stream), NONE)

    def test_capture(self):
        """What is captured does not run; the graph runs as often as it is launched, and takes other parameters."""
        self.begin()
        self.assertEqual(self.status(self.stream), ACTIVE)
        api.ok("cuMemcpyDtoDAsync_v2", self.target, self.source, 4 * N, self.stream)
        self.assertEqual(self.launch(self.stream, source=self.target, value=5), "SUCCESS")
        api.ok("cuMemsetD32Async", self.target, 1, 1, self.stream)
        graph = self.end()
        self.assertEqual(self.status(self.stream), NONE)
        self.holds([0] * N)
        self.assertEqual(self.types(graph), [MEMCPY, KERNEL, MEMSET])
        nodes = self.nodes(graph)
        self.assertEqual([self.dependencies(node) for node in nodes], [[], nodes[:1], nodes[1:2]])
        ready = self.instantiate(graph)
        for _ in range(2):
            self.run_graph(ready)
            self.holds([1] + list(range(6, N + 5)))
        api.ok("cuGraphExecKernelNodeSetParams_v2", ready, nodes[1], self.kernel_node(9, source=self.target))
        self.run_graph(ready)
        self.holds([1] + list(range(10, N + 9)))
        # The graph itself has not changed: an update from it brings the first parameters back.
        info = driver_api.UpdateInfo()
        api.ok("cuGraphExecUpdate_v2", ready, graph, ctypes.byref(info))
        self.run_graph(ready)
        self.holds([1] + list(range(6, N + 5)))
        api.ok("cuGraphDestroy", graph)
        self.run_graph(ready)  # does not need it
        api.ok("cuGraphExecDestroy", ready)
        self.refuses("INVALID_VALUE", "cuGraphLaunch", ready, self.stream)

    def test_several_streams(self):
        other, fork, join = api.stream(), api.event(), api.event()
        scratch = api.allocate(4 * N)
        self.begin()
        self.assertEqual(self.launch(self.stream, value=1), "SUCCESS")
        api.ok("cuEventRecord", fork, self.stream)
        api.ok("cuStreamWaitEvent", other, fork, 0)
        self.assertEqual(self.status(other), ACTIVE)
        self.assertEqual(self.launch(other, source=self.target, target=scratch, value=10), "SUCCESS")
        api.ok("cuEventRecord", join, other)
        api.ok("cuMemsetD32Async", self.source, 7, N, self.stream)
        api.ok("cuStreamWaitEvent", self.stream, join, 0)
        status, count, ends = ctypes.c_int(), size_t(), ctypes.POINTER(handle)()
        number, graph = address_t(), handle()
        api.ok("cuStreamGetCaptureInfo_v2", self.stream, ctypes.byref(status), ctypes.byref(number),
               ctypes.byref(graph), ctypes.byref(ends), ctypes.byref(count))
        self.assertEqual((status.value, count.value), (ACTIVE, 2))
        self.assertGreater(number.value, 0)
        # The last one waits for both branches.
        self.assertEqual(self.launch(self.stream, source=scratch, value=100), "SUCCESS")
        self.assertEqual(graph.value, self.end())
        nodes = self.nodes(graph)
        self.assertEqual(self.types(graph), [KERNEL, KERNEL, MEMSET, KERNEL])
        self.assertEqual([self.dependencies(node) for node in nodes[:3]], [[], nodes[:1], nodes[:1]])
        self.assertEqual(sorted(self.dependencies(nodes[3])), sorted(nodes[1:3]))
        self.assertEqual(self.status(other), NONE)
        self.run_graph(self.instantiate(graph))
        self.holds(self.array + 111)
        # An event of a capture that is over stands for nothing.
        self.refuses("CAPTURED_EVENT", "cuEventSynchronize", join)
        self.refuses("CAPTURED_EVENT", "cuStreamWaitEvent", other, join, 0)

    def test_edges_of_captures(self):
        """What one stream's edges are told to be stays when another stream is asked."""
        def edges(stream):
            status, number, graph, ends, data, count = ctypes.c_int(), address_t(), handle(), handle(), handle(), size_t()
            api.ok("cuStreamGetCaptureInfo_v3", stream, *map(ctypes.byref, (status, number, graph, ends, data, count)))
            return data.value, ctypes.string_at(data.value, 8 * count.value)

        other = api.stream()
        self.begin(RELAXED)
        self.assertEqual(self.launch(self.stream), "SUCCESS")
        api.ok("cuStreamBeginCapture_v2", other, RELAXED)
        for _ in range(8):
            branch, fork, join = api.stream(), api.event(), api.event()
            api.ok("cuEventRecord", fork, other)
            api.ok("cuStreamWaitEvent", branch, fork, 0)
            self.assertEqual(self.launch(branch), "SUCCESS")
            api.ok("cuEventRecord", join, branch)
            api.ok("cuStreamWaitEvent", other, join, 0)
        (own, _), (others, plain) = edges(self.stream), edges(other)
        self.assertNotEqual(own, others)
        self.assertEqual(plain, bytes(64))
        self.assertEqual(edges(self.stream), (own, bytes(8)))
        self.end()
        api.get_second("cuStreamEndCapture", other, kind=handle)

    def test_host_function(self):
        seen = []
        function = driver_api.HostFunction(lambda data: seen.append(data))
        self.begin()
        api.ok("cuLaunchHostFunc", self.stream, function, 5)
        graph = self.end()
        self.assertEqual((self.types(graph), seen), ([HOST], []))
        ready = self.instantiate(graph)
        self.run_graph(ready)
        self.run_graph(ready)
        self.assertEqual(seen, [5, 5])

    def test_calls_that_invalidate(self):
        event, captured, old = api.event(), api.event(), api.event()
        api.ok("cuEventRecord", old, self.stream)
        api.ok("cuStreamSynchronize", self.stream)
        memory = api.get("cuMemAllocAsync", 4, self.stream, kind=address_t)
        ready = self.instantiate(api.get("cuGraphCreate", 0))
        callback = driver_api.StreamCallback(lambda *_: None)
        for error, name, *arguments in (
                ("STREAM_CAPTURE_UNSUPPORTED", "cuStreamSynchronize", self.stream),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuStreamQuery", self.stream),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuCtxSynchronize"),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuMemAlloc_v2", ctypes.byref(address_t()), 4),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuMemFree_v2", memory),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuMemAllocAsync", ctypes.byref(address_t()), 4, self.stream),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuMemFreeAsync", memory, self.stream),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuMemcpyDtoD_v2", self.target, self.source, 4),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuEventQuery", event),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuStreamAddCallback", self.stream, callback, None, 0),
                ("STREAM_CAPTURE_UNSUPPORTED", "cuGraphLaunch", ready, self.stream),
                ("CAPTURED_EVENT", "cuEventSynchronize", captured),
                ("CAPTURED_EVENT", "cuEventQuery", captured),
                ("STREAM_CAPTURE_ISOLATION", "cuStreamWaitEvent", self.stream, old, 0)):
            self.begin()
            api.ok("cuEventRecord", captured, self.stream)
            self.refuses(error, name, *arguments)
            self.assertEqual(self.status(self.stream), INVALIDATED, name)
            self.assertEqual(self.launch(self.stream), "STREAM_CAPTURE_INVALIDATED")
            self.ends_with("STREAM_CAPTURE_INVALIDATED")
        api.ok("cuMemFreeAsync", memory, self.stream)  # no refused call has freed it
        self.assertEqual(self.launch(self.stream, value=3), "SUCCESS")
        self.holds(self.array + 3)

    def test_default_stream(self):
        self.refuses("STREAM_CAPTURE_UNSUPPORTED", "cuStreamBeginCapture_v2", None, GLOBAL)
        # It would wait for a stream that blocks, and does not for one that does not.
        self.begin()
        self.assertEqual(self.launch(), "SUCCESS")
        self.end()
        self.stream = api.stream(0)
        self.begin()
        self.refuses("STREAM_CAPTURE_IMPLICIT", "cuStreamIsCapturing", None, ctypes.byref(ctypes.c_int()))
        self.assertEqual(self.status(self.stream), ACTIVE)
        self.assertEqual(self.launch(), "STREAM_CAPTURE_IMPLICIT")
        self.ends_with("STREAM_CAPTURE_INVALIDATED")

    def test_wrong_ends(self):
        graph = handle()
        self.refuses("ILLEGAL_STATE", "cuStreamEndCapture", self.stream, ctypes.byref(graph))
        self.begin()
        self.refuses("ILLEGAL_STATE", "cuStreamBeginCapture_v2", self.stream, GLOBAL)
        self.end()
        self.refuses("INVALID_VALUE", "cuStreamBeginCapture_v2", self.stream, 3)
        # A branch that is not joined, and one that is ended in its own stream.
        other, event = api.stream(), api.event()
        self.begin()
        api.ok("cuEventRecord", event, self.stream)
        api.ok("cuStreamWaitEvent", other, event, 0)
        self.assertEqual(self.launch(other), "SUCCESS")
        self.ends_with("STREAM_CAPTURE_UNJOINED")
        self.begin()
        api.ok("cuEventRecord", event, self.stream)
        api.ok("cuStreamWaitEvent", other, event, 0)
        self.refuses("STREAM_CAPTURE_UNMATCHED", "cuStreamEndCapture", other, ctypes.byref(graph))
        self.ends_with("STREAM_CAPTURE_INVALIDATED")
        # Two captures do not meet.
        self.begin()
        api.ok("cuStreamBeginCapture_v2", other, GLOBAL)
        api.ok("cuEventRecord", event, self.stream)
        self.refuses("STREAM_CAPTURE_MERGE", "cuStreamWaitEvent", other, event, 0)
        self.ends_with("STREAM_CAPTURE_INVALIDATED")
        api.ok("cuStreamDestroy_v2", other)

    def test_capture_to_a_graph(self):
        graph = api.get("cuGraphCreate", 0)
        first = self.add_kernel(graph, value=2)
        begin = lambda node: api.error("cuStreamBeginCaptureToGraph", self.stream, graph, (handle * 1)(node), None, 1,
                                       GLOBAL)
        self.assertEqual(begin(12345), "INVALID_VALUE")
        self.assertEqual(begin(first), "SUCCESS")
        self.refuses("INVALID_VALUE", "cuGraphDestroy", graph)
        self.assertEqual(self.launch(self.stream, source=self.target, value=3), "SUCCESS")
        self.assertEqual(self.end(), graph)
        nodes = self.nodes(graph)
        self.assertEqual([self.dependencies(node) for node in nodes], [[], [first]])
        self.run_graph(self.instantiate(graph))
        self.holds(self.array + 5)
        self.assertEqual(begin(first), "SUCCESS")
        self.refuses("STREAM_CAPTURE_UNSUPPORTED", "cuStreamSynchronize", self.stream)
        self.ends_with("STREAM_CAPTURE_INVALIDATED")
        self.assertEqual(self.nodes(graph), nodes)  # the graph is the program's

    def test_dependencies_of_captures(self):
        update = lambda nodes, flags, name="cuStreamUpdateCaptureDependencies": api.error(
            name, self.stream, (handle * 2)(*nodes), *([None] if "_v2" in name else []), len(nodes), flags)
        self.assertEqual(update([], 0), "ILLEGAL_STATE")
        self.begin()
        status, number, graph = ctypes.c_int(), address_t(), handle()
        api.ok("cuStreamGetCaptureInfo_v2", self.stream, *map(ctypes.byref, (status, number, graph)), None, None)
        self.assertEqual(self.launch(self.stream), "SUCCESS")
        first, = self.nodes(graph)
        own = self.add_node("cuGraphAddEmptyNode", graph, [])
        self.assertEqual(update([own], 0), "SUCCESS")
        self.assertEqual(self.launch(self.stream), "SUCCESS")
        second = self.nodes(graph)[-1]
        self.assertEqual(self.dependencies(second), [first, own])
        self.assertEqual(update([own], 1, "cuStreamUpdateCaptureDependencies_v2"), "SUCCESS")
        self.assertEqual(self.launch(self.stream), "SUCCESS")
        self.assertEqual(self.dependencies(self.nodes(graph)[-1]), [own])
        self.assertEqual((update([12345], 0), update([], 2)), ("INVALID_VALUE", "INVALID_VALUE"))
        self.assertEqual(self.end(), graph.value)  # though nobody has joined the second one

    def test_modes(self):
        def exchange(mode):
            value = ctypes.c_int(mode)
            api.ok("cuThreadExchangeStreamCaptureMode", ctypes.byref(value))
            return value.value

        def elsewhere(act):
            """In another thread, with the same context."""
            def run():
                api.ok("cuCtxSetCurrent", context)
                results.append(act())

            results, context = [], api.get("cuCtxGetCurrent")
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            return results[0]

        def allocate():
            address = address_t()
            error = api.error("cuMemAlloc_v2", ctypes.byref(address), 4)
            return error if error != "SUCCESS" else api.error("cuMemFree_v2", address)

        def relaxed_allocate():
            exchange(RELAXED)
            return allocate()

        # What an allocation meets: in the thread of the capture, in another one, in another one that is relaxed.
        unsupported, fine = "STREAM_CAPTURE_UNSUPPORTED", "SUCCESS"
        for mode, own, other in ((GLOBAL, unsupported, unsupported), (THREAD_LOCAL, unsupported, fine),
                                 (RELAXED, fine, fine)):
            self.begin(mode)
            self.assertEqual(elsewhere(relaxed_allocate), fine)
            self.assertEqual(elsewhere(allocate), other)
            self.assertEqual(allocate(), own)
            graph = handle()
            api.code("cuStreamEndCapture", self.stream, ctypes.byref(graph))
            self.assertEqual(graph.value is not None, own == fine)
        self.assertEqual(exchange(RELAXED), GLOBAL)
        self.begin(GLOBAL)
        self.assertEqual(allocate(), fine)
        self.assertEqual(exchange(GLOBAL), RELAXED)
        graph = handle()
        wrong = lambda: api.error("cuStreamEndCapture", self.stream, ctypes.byref(graph))
        self.assertEqual(elsewhere(wrong), "STREAM_CAPTURE_WRONG_THREAD")
        self.end()
        self.refuses("INVALID_VALUE", "cuThreadExchangeStreamCaptureMode", ctypes.byref(ctypes.c_int(3)))


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    api = driver_api.Case.api = driver_api.Api(LIBRARY)
    unittest.main()
